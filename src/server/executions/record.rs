//! What is known of an execution: plain data, which can be kept anywhere.

use super::events::Update;
use crate::{
    outcome::{CapabilityMiss, Exception, JsonText, LimitHit, Output, OutputFile, RichOutput, Tier, Usage},
    server::api::{ErrorKind, Status},
    workspaces::WorkspaceChanges,
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// Version of the form in which records are kept. It grows when an older reader would misunderstand a record.
pub(crate) const RECORD_VERSION: u32 = 1;

/// What a record takes in memory besides its texts, about.
const OVERHEAD_BYTES: usize = 1024;

/// One execution, from its acceptance to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExecutionRecord {
    pub(crate) version: u32,
    pub(crate) id: String,
    /// Name of the key that it belongs to; nobody else sees it.
    pub(crate) owner: String,
    pub(crate) created_at: SystemTime,
    pub(crate) terms: Terms,
    pub(crate) started_at: Option<SystemTime>,
    /// What goes on before its script starts.
    pub(crate) progress: Option<String>,
    /// How often a node has taken it on.
    pub(crate) attempts: u32,
    pub(crate) end: Option<End>,
}

/// Holds what a request got, and what is to be said about it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) limits: GrantedLimits,
    pub(crate) warnings: Vec<String>,
}

/// Limits of one execution.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct GrantedLimits {
    pub(crate) wall_clock_ms: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) cpu_fuel: Option<u64>,
    pub(crate) cpu_shares: u32,
}

/// Says how an execution ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) status: Status,
    pub(crate) exit_code: u8,
    /// Why it failed, which a script that exits with another code than 0 has not.
    pub(crate) error: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub(crate) hint: Option<String>,
    pub(crate) error_kind: Option<ErrorKind>,
    pub(crate) finished_at: SystemTime,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) result: Option<String>,
    pub(crate) result_json: Option<JsonText>,
    pub(crate) exception: Option<Exception>,
    pub(crate) tier: Option<Tier>,
    pub(crate) route_reason: Option<String>,
    pub(crate) usage: Usage,
    /// Time in the queue.
    pub(crate) queue_us: u64,
    pub(crate) limits_hit: Vec<LimitHit>,
    pub(crate) capability_misses: Vec<CapabilityMiss>,
    pub(crate) outputs: Vec<RichOutput>,
    /// Files that it made or changed; only when asked for.
    pub(crate) files: Option<Vec<FileEntry>>,
    /// What became of the workspace that it ran in.
    #[serde(default)]
    pub(crate) workspace: Option<WorkspaceChanges>,
    /// Files or output are not kept, since all of it is more than the store may keep.
    pub(crate) is_dropped: bool,
}

/// A file that an execution made or changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// The content of a small file that is UTF-8.
    pub(crate) content: Option<String>,
    /// The content of a small file that is not.
    pub(crate) content_base64: Option<String>,
}

impl ExecutionRecord {
    /// Makes the record of an execution that is accepted now.
    pub(crate) fn new(owner: &str, terms: Terms) -> ExecutionRecord {
        ExecutionRecord {
            version: RECORD_VERSION,
            id: format!("exe_{}", uuid::Uuid::new_v4()),
            owner: owner.to_owned(),
            created_at: SystemTime::now(),
            terms,
            started_at: None,
            progress: None,
            attempts: 0,
            end: None,
        }
    }

    pub(crate) fn status(&self) -> Status {
        match (&self.end, self.started_at) {
            (Some(end), _) => end.status,
            (None, Some(_)) => Status::Running,
            (None, None) => Status::Pending,
        }
    }

    /// Notes what an update says of it.
    pub(crate) fn apply(&mut self, update: &Update) {
        match update {
            Update::Started(at) => self.started_at = Some(*at),
            Update::Progress(progress) => self.progress.clone_from(progress),
            Update::Restarted(_) | Update::Output(..) => {}
        }
    }

    /// Notes its end, without what would be more than `bytes_max` with its files: those first, then its output.
    pub(crate) fn finish(&mut self, mut end: End, files: &mut Vec<OutputFile>, bytes_max: usize) {
        let files_bytes: usize = files.iter().map(|file| file.content.len()).sum();
        if end.bytes().saturating_add(files_bytes) > bytes_max {
            files.clear();
            end.files = end.files.map(|_| Vec::new());
            end.is_dropped = true;
        }
        if end.bytes() > bytes_max {
            let warning = "its output is larger than the server keeps of all executions (results_mb)";
            self.terms.warnings.push(warning.to_owned());
            for stream in [&mut end.stdout, &mut end.stderr] {
                stream.text = String::new();
                stream.truncated = true;
            }
            (end.outputs, end.result, end.result_json) = (Vec::new(), None, None);
        }
        self.progress = None;
        self.end = Some(end);
    }

    /// Returns about how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        OVERHEAD_BYTES + self.end.as_ref().map_or(0, End::bytes)
    }
}

impl End {
    /// Returns how long its texts are together.
    fn bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let files = self.files.iter().flatten();
        let files = files.map(|file| file.path.len() + text(&file.content) + text(&file.content_base64));
        let not_kept = self.workspace.iter().flat_map(|changes| &changes.not_kept);
        let not_kept = not_kept.map(|change| text(&change.path) + change.reason.len());
        let outputs = self.outputs.iter().map(|output| output.data.len() + output.name.len());
        let exception = self.exception.as_ref().map_or(0, |exception| exception.message.len());
        let json = self.result_json.as_ref().map_or(0, |json| json.as_str().len());
        let texts = text(&self.error) + text(&self.result) + text(&self.route_reason);
        let streams = self.stdout.text.len() + self.stderr.text.len();
        streams + texts + exception + json + files.sum::<usize>() + outputs.sum::<usize>() + not_kept.sum::<usize>()
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// Returns the end of an execution that printed something.
    pub(crate) fn end(stdout: &str) -> End {
        End {
            status: Status::Completed,
            exit_code: 3,
            error: None,
            hint: None,
            error_kind: None,
            finished_at: SystemTime::now(),
            stdout: Output { text: stdout.to_owned(), bytes: stdout.len() as u64, truncated: false },
            stderr: Output::default(),
            result: Some("[1]".to_owned()),
            result_json: JsonText::new("[1.50]".to_owned()),
            exception: None,
            tier: Some(Tier::Wasm),
            route_reason: None,
            usage: Usage { wall_us: 150, ..Usage::default() },
            queue_us: 7,
            limits_hit: vec![LimitHit::Output],
            capability_misses: Vec::new(),
            outputs: Vec::new(),
            files: None,
            workspace: None,
            is_dropped: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{samples::end, *};
    use bytes::Bytes;

    #[test]
    fn a_record_is_the_same_after_it_was_kept_as_json() {
        let mut record = ExecutionRecord::new("alice", Terms::default());
        record.apply(&Update::Started(SystemTime::now()));
        record.apply(&Update::Progress(Some("installing".to_owned())));
        record.finish(end("out"), &mut Vec::new(), 1000);
        let json = serde_json::to_string(&record).unwrap();
        let read: ExecutionRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        assert_eq!((read.version, read.status(), read.progress), (RECORD_VERSION, Status::Completed, None));
        assert_eq!(read.end.unwrap().result_json.unwrap().as_str(), "[1.50]");
    }

    #[test]
    fn updates_say_how_far_it_is() {
        let mut record = ExecutionRecord::new("alice", Terms::default());
        assert_eq!(record.status(), Status::Pending);
        record.apply(&Update::Started(SystemTime::now()));
        record.apply(&Update::Progress(Some("installing".to_owned())));
        assert_eq!((record.status(), record.progress.as_deref()), (Status::Running, Some("installing")));
        record.apply(&Update::Progress(None));
        assert_eq!(record.progress, None);
    }

    #[test]
    fn what_is_too_large_to_keep_is_left_out_files_first() {
        let file = || vec![OutputFile { path: "a".to_owned(), content: Bytes::from(vec![0; 600]) }];
        let finished = |bytes_max| {
            let (mut record, mut files) = (ExecutionRecord::new("alice", Terms::default()), file());
            record.finish(end(&"x".repeat(500)), &mut files, bytes_max);
            let end = record.end.unwrap();
            (files.len(), end.is_dropped, end.stdout.text.len(), end.stdout.bytes, record.terms.warnings.len())
        };
        assert_eq!(finished(2000), (1, false, 500, 500, 0));
        assert_eq!(finished(1000), (0, true, 500, 500, 0));
        assert_eq!(finished(400), (0, true, 0, 500, 1));
    }
}
