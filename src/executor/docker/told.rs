//! What a container says, within bounds. Anyone in there can say it.

use super::{
    container::Output,
    feed::Signals,
    frames::{CONTENT, Decoder, FILE, Nonsense, from},
    hardening::PROJECT,
    placement::Placement,
};
use crate::{
    Error, Job, Limits, Outcome, Project,
    capture::Capture,
    executor::{COLLECTED_BYTES_MAX, Event, Observer, QUESTION, StopAt, traceback},
    outcome::{
        CapabilityMiss, Ending, ErrorFrame, Exception, JsonText, LimitHit, OutputFile, RichOutput, StopReason, Tier,
        Usage,
    },
    project,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bollard::container::LogOutput;
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

const ENOSPC: i64 = 28;
/// Files that are not in the project's folder.
const TEMPORARY: &str = "/tmp/";
/// Of the name of a module that is missing; what is longer is none.
const MISSING_BYTES_MAX: usize = 500;
/// Of what the runner itself complains about.
const COMPLAINT_BYTES_MAX: usize = 2000;
/// Bounds the name of an exception's class, in bytes.
const NAME_BYTES_MAX: usize = 500;
const REFUSAL_CHARS_MAX: usize = 300;
/// As many as the runner tells.
const FIGURES_MAX: usize = 32;
const FIGURES_BYTES_MAX: usize = 16 << 20;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Says how listening ended.
pub(super) enum Ended {
    /// The runner said how the script ended.
    Told(End),
    /// The runner cannot take the project.
    Refused(Refusal),
    /// It said where the script is.
    Placed,
    /// The script has met something that is missing, and that another attempt would have.
    Missed(CapabilityMiss),
    /// The output is closed.
    Gone,
    /// What came was not what the runner says.
    Nonsense,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct End {
    pub(super) code: Option<i64>,
    pub(super) signal: Option<i64>,
    /// Processes that the kernel has killed for memory.
    pub(super) oom: u64,
    #[serde(flatten)]
    used: Used,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Used {
    cpu_us: u64,
    peak_bytes: u64,
    disk_bytes: u64,
    disk_full: bool,
    files_full: bool,
    /// The kernel has refused it a process or a thread.
    processes_full: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    dump: String,
    #[serde(flatten)]
    used: Used,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    errno: Option<i64>,
    message: String,
}

/// One of the things that the script reports.
#[derive(Debug, Deserialize)]
struct Report {
    result: Option<String>,
    result_json: Option<String>,
    kind: Option<String>,
    message: Option<String>,
    line: Option<u32>,
    /// As [`ErrorFrame::read_all`] reads them.
    frames: Option<String>,
    /// A module that the script's own code imports, and that is not there.
    missing: Option<String>,
    /// A module of which it was asked whether there is one, and there is none.
    asked: Option<String>,
    #[serde(default)]
    no_space: bool,
    #[serde(default)]
    figures_left_out: u64,
}

impl Refusal {
    pub(super) fn into_error(self, limits: &Limits) -> Error {
        if self.errno == Some(ENOSPC) {
            return Error::invalid(format!(
                "the project takes more than the disk limit of {} bytes and {} files, counted in blocks of 4096 bytes",
                limits.disk_bytes, limits.disk_files
            ));
        }
        let why: String =
            self.message.chars().take(REFUSAL_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        Error::caused("the project cannot be unpacked in its container", why)
    }
}

/// All that a container has told, within bounds.
pub(super) struct Told {
    observer: Box<dyn Observer>,
    stop_at: Option<StopAt>,
    decoder: Decoder,
    /// The script runs, or has run.
    pub(super) started: bool,
    stdout: Capture,
    stderr: Capture,
    result: Option<String>,
    result_json: Option<JsonText>,
    exception: Option<Exception>,
    no_space: bool,
    figures: Figures,
    /// The daemon says that the kernel has killed for memory.
    pub(super) out_of_memory: bool,
    dump: String,
    used: Used,
    files: Option<Files>,
    /// What the runner itself wrote to its standard error.
    complaint: Vec<u8>,
}

impl Told {
    pub(super) fn new(job: &Job, stop_at: Option<StopAt>, observer: Box<dyn Observer>) -> Told {
        Told {
            observer,
            stop_at,
            decoder: Decoder::default(),
            started: false,
            stdout: Capture::new(job.limits.output_bytes),
            stderr: Capture::new(job.limits.output_bytes),
            result: None,
            result_json: None,
            exception: None,
            no_space: false,
            figures: Figures::default(),
            out_of_memory: false,
            dump: String::new(),
            used: Used::default(),
            files: job.collect_files.then(|| Files::new(&job.project, job.limits.disk_files)),
            complaint: Vec::new(),
        }
    }

    /// Takes what comes, until something ends it. Dropping the future loses nothing.
    pub(super) async fn listen(&mut self, output: &mut Output, signals: &Signals) -> Ended {
        loop {
            match self.decoder.next() {
                Ok(Some((kind, content))) => {
                    if let Some(ended) = self.take(kind, content, signals) {
                        return ended;
                    }
                    continue;
                }
                Ok(None) => {}
                Err(Nonsense) => return Ended::Nonsense,
            }
            match output.next().await {
                Some(Ok(LogOutput::StdOut { message })) => self.decoder.push(&message),
                Some(Ok(LogOutput::StdErr { message })) => {
                    let room = COMPLAINT_BYTES_MAX.saturating_sub(self.complaint.len());
                    self.complaint.extend(message.iter().take(room));
                }
                Some(Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. })) => {}
                Some(Err(_)) | None => return Ended::Gone,
            }
        }
    }

    fn take(&mut self, kind: u8, content: Bytes, signals: &Signals) -> Option<Ended> {
        match kind {
            from::STARTED => {
                self.start();
                signals.started();
            }
            from::STDOUT => {
                self.start();
                self.stdout.write(&content);
                self.observer.event(Event::Stdout(&content));
            }
            from::STDERR => {
                self.start();
                self.stderr.write(&content);
                self.observer.event(Event::Stderr(&content));
            }
            from::READY => {}
            from::FIGURE => self.figures.add(&content),
            from::TAKEN => signals.taken(),
            from::REPORT => {
                if let Ok(report) = serde_json::from_slice(&content) {
                    return self.report(report).map(Ended::Missed);
                }
            }
            FILE => self.files.as_mut()?.open(&content),
            CONTENT => self.files.as_mut()?.write(&content),
            from::PLACE => {
                let Ok(place) = serde_json::from_slice::<Place>(&content) else { return Some(Ended::Nonsense) };
                self.dump = place.dump;
                self.used = place.used;
                return Some(Ended::Placed);
            }
            // The runner refuses a project before it starts the script, which may say this in its name.
            from::REFUSED if self.started => return Some(Ended::Nonsense),
            from::REFUSED => {
                return Some(serde_json::from_slice(&content).map_or(Ended::Nonsense, Ended::Refused));
            }
            from::END => {
                let Ok(mut end) = serde_json::from_slice::<End>(&content) else { return Some(Ended::Nonsense) };
                self.used = std::mem::take(&mut end.used);
                return Some(Ended::Told(end));
            }
            _ => return Some(Ended::Nonsense),
        }
        None
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.observer.event(Event::Started);
        }
    }

    /// Takes a report; returns the miss at which the job is to be stopped.
    fn report(&mut self, report: Report) -> Option<CapabilityMiss> {
        self.result = report.result.or(self.result.take());
        if let Some(text) = report.result_json {
            self.result_json = JsonText::new(text);
        }
        if let Some(kind) = report.kind {
            let kind = kind[..kind.floor_char_boundary(NAME_BYTES_MAX)].to_owned();
            let frames = report.frames.as_deref().map(ErrorFrame::read_all).unwrap_or_default();
            let message = report.message.unwrap_or_default();
            self.exception = Some(Exception { kind, message, line: report.line, frames });
        }
        self.no_space |= report.no_space;
        self.figures.left_out = self.figures.left_out.saturating_add(report.figures_left_out);
        let asked = report.asked.map(|name| (QUESTION, name));
        let (kind, detail) = report.missing.map(|name| ("module", name)).or(asked)?;
        if detail.len() > MISSING_BYTES_MAX {
            return None;
        }
        let miss = CapabilityMiss { kind: kind.to_owned(), detail };
        self.stop_at.as_ref().is_some_and(|stops| stops(&miss)).then_some(miss)
    }

    /// Begins again with another container, as this one has run nothing of the job.
    pub(super) fn restart(&mut self) {
        self.decoder = Decoder::default();
        self.complaint.clear();
    }

    /// Notes that the job had as many processes as it may have.
    pub(super) fn note_all_processes(&mut self) {
        self.used.processes_full = true;
    }

    /// Ends standard error with where the script was and why it was stopped.
    pub(super) fn say_where(&mut self, reason: &StopReason, limits: &Limits, project: &Project) {
        let text = traceback::format(frames_of_job(&self.dump), &traceback::explain(reason, limits), PROJECT, project);
        self.write_stderr(&text);
    }

    pub(super) fn explain(&mut self, why: &str) {
        self.write_stderr(&format!("pyexec: {why}\n"));
    }

    /// Returns the last thing that the runner itself complained about.
    pub(super) fn complaint(&self) -> Option<String> {
        String::from_utf8_lossy(&self.complaint).lines().next_back().map(str::to_owned)
    }

    fn write_stderr(&mut self, text: &str) {
        self.stderr.write(text.as_bytes());
        self.observer.event(Event::Stderr(text.as_bytes()));
    }

    pub(super) fn outcome(mut self, ending: Ending, wall: Duration, limits: &Limits, placement: &Placement) -> Outcome {
        if let Some(cut) = self.figures.cut() {
            self.explain(&cut);
        }
        let ran_out = self.exception.as_ref().is_some_and(|exception| exception.kind == "MemoryError");
        let stopped = |wanted| matches!(&ending, Ending::Stopped { reason } if *reason == wanted);
        let limits_hit = [
            (LimitHit::WallClock, stopped(StopReason::TimeLimit)),
            (LimitHit::Memory, self.out_of_memory || ran_out),
            (LimitHit::DiskBytes, self.used.disk_full || self.no_space && !self.used.files_full),
            (LimitHit::DiskFiles, self.used.files_full),
            (LimitHit::Processes, self.used.processes_full),
            (LimitHit::Output, self.stdout.truncated() || self.stderr.truncated()),
        ];
        let wall_us = u64::try_from(wall.as_micros()).unwrap_or(u64::MAX);
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Outcome {
            limits_hit: limits_hit.into_iter().filter_map(|(limit, hit)| hit.then_some(limit)).collect(),
            ending,
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
            result: self.result,
            result_json: self.result_json,
            exception: self.exception,
            capability_misses: Vec::new(),
            ended_in_miss: false,
            // Nobody uses more than there is, whatever a job makes its runner say.
            usage: Usage {
                wall_us,
                cpu_us: self.used.cpu_us.min(wall_us.saturating_mul(cores)),
                fuel: 0,
                peak_memory_bytes: self.used.peak_bytes.min(limits.memory_bytes.saturating_add(limits.disk_bytes)),
                disk_bytes: self.used.disk_bytes.min(limits.disk_bytes.saturating_mul(2)),
            },
            outputs: self.figures.found,
            files: self.files.map(Files::finish).unwrap_or_default(),
            tier: Tier::Docker,
            route_reason: placement.reason.clone(),
        }
    }
}

/// Cuts the outermost frames, which are the runner's, off a dump that has them last.
fn frames_of_job(dump: &str) -> &str {
    let mut rest = dump.trim_end();
    while let Some((before, last)) = rest.rsplit_once('\n')
        && last.trim_start().starts_with("File \"<pyexec ")
    {
        rest = before.trim_end();
    }
    rest
}

/// Figures that come back, in the order in which they were shown.
#[derive(Default)]
struct Figures {
    found: Vec<RichOutput>,
    bytes: usize,
    left_out: u64,
}

impl Figures {
    fn add(&mut self, png: &[u8]) {
        if !png.starts_with(PNG_SIGNATURE) {
            return;
        }
        if self.found.len() >= FIGURES_MAX || self.bytes + png.len() > FIGURES_BYTES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.bytes += png.len();
        self.found.push(RichOutput {
            mime: "image/png".to_owned(),
            name: format!("figure-{}.png", self.found.len() + 1),
            data: BASE64_STANDARD.encode(png),
        });
    }

    /// Says what is missing, if anything is.
    fn cut(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} more figures were left out: {FIGURES_MAX} of {} MiB together come back",
                self.left_out,
                FIGURES_BYTES_MAX >> 20
            )
        })
    }
}

/// Files that come back, by path.
struct Files {
    project: Project,
    found: BTreeMap<String, Vec<u8>>,
    open: Option<(String, Vec<u8>)>,
    room: u64,
    count_max: u64,
}

impl Files {
    fn new(project: &Project, count_max: u64) -> Files {
        Files { project: project.clone(), found: BTreeMap::new(), open: None, room: COLLECTED_BYTES_MAX, count_max }
    }

    fn open(&mut self, path: &[u8]) {
        self.close();
        // A name that is not text, or not in its one form, is not the runner's.
        let path = std::str::from_utf8(path).ok().and_then(|path| {
            let (top, below) = path.strip_prefix(TEMPORARY).map_or(("", path), |below| (TEMPORARY, below));
            let normal = project::relative(below).ok().filter(|normal| normal == below && !normal.is_empty())?;
            Some(format!("{top}{normal}"))
        });
        self.open = path.filter(|_| (self.found.len() as u64) < self.count_max).map(|path| (path, Vec::new()));
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some((_, content)) = &mut self.open else { return };
        match self.room.checked_sub(bytes.len() as u64) {
            Some(room) => {
                self.room = room;
                content.extend_from_slice(bytes);
            }
            None => self.open = None,
        }
    }

    fn close(&mut self) {
        if let Some((path, content)) = self.open.take() {
            self.found.insert(path, content);
        }
    }

    fn finish(mut self) -> Vec<OutputFile> {
        self.close();
        let changed = |(path, content): &(String, Vec<u8>)| !self.project.has(path, content);
        self.found
            .into_iter()
            .filter(changed)
            .map(|(path, content)| OutputFile { path, content: content.into() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_runner_are_left_out_of_a_dump() {
        let dump = "Stack (most recent call first):\n  File \"<string>\", line 1 in f\n  File \"/work/main.py\", line 3 in <module>\n  \
                    File \"<pyexec script>\", line 9 in run\n  File \"<pyexec main>\", line 99 in main\n";
        assert!(frames_of_job(dump).ends_with("line 1 in f\n  File \"/work/main.py\", line 3 in <module>"));
        assert_eq!(frames_of_job(""), "");
    }

    #[test]
    fn a_refusal_is_one_short_line_and_comes_before_the_script() {
        let forged = r#"{"errno": 5, "message": "x\n2030-01-01 ERROR forged\u001b[2J"}"#;
        let refusal: Refusal = serde_json::from_str(forged).expect("a refusal");
        let shown = refusal.into_error(&Limits::default()).to_string();
        assert!(!shown.contains(char::is_control) && shown.contains("2030-01-01"), "{shown:?}");
        let long = Refusal { errno: None, message: "x".repeat(1 << 20) };
        assert!(long.into_error(&Limits::default()).to_string().len() < 400);

        let mut told = Told::new(&Job::code(""), None, Box::new(|_: Event<'_>| ()));
        let signals = Signals::new();
        assert!(matches!(told.take(from::REFUSED, forged.into(), &signals), Some(Ended::Refused(_))));
        assert!(told.take(from::STARTED, Bytes::new(), &signals).is_none());
        assert!(matches!(told.take(from::REFUSED, forged.into(), &signals), Some(Ended::Nonsense)));
    }

    #[test]
    fn figures_are_bounded_and_what_is_missing_is_said() {
        let mut figures = Figures::default();
        figures.add(b"<script>");
        assert_eq!((figures.found.len(), figures.cut()), (0, None));
        for _ in 0..FIGURES_MAX {
            figures.add(PNG_SIGNATURE);
        }
        assert_eq!((figures.found.len(), figures.cut()), (FIGURES_MAX, None));
        assert_eq!((figures.found[1].name.as_str(), figures.found[1].data.as_str()), ("figure-2.png", "iVBORw0KGgo="));
        figures.add(PNG_SIGNATURE);
        assert!(figures.found.len() == FIGURES_MAX && figures.cut().is_some_and(|cut| cut.starts_with("1 more")));
        let mut figures = Figures::default();
        let large = [PNG_SIGNATURE, &[0; FIGURES_BYTES_MAX / 2]].concat();
        figures.add(&large);
        figures.add(&large);
        figures.add(PNG_SIGNATURE);
        assert_eq!((figures.found.len(), figures.left_out), (2, 1));
    }

    #[test]
    fn collected_files_are_bounded_and_stay_in_the_project() {
        let project = Project::files([("same.txt", "same")]).expect("a project");
        let mut files = Files::new(&project, 2);
        for path in
            ["../out", "/etc/passwd", "/tmp/../x", "/tmp//x", "/tmp/", "a//b", "", "same.txt", "new.txt", "third.txt"]
        {
            files.open(path.as_bytes());
            files.write(b"same");
        }
        files.open(b"\xff");
        let found: Vec<_> = files.finish().into_iter().map(|file| file.path).collect();
        assert_eq!(found, ["new.txt"]);
        let mut files = Files::new(&project, 2);
        files.open(b"/tmp/report.csv");
        assert_eq!(files.finish()[0].path, "/tmp/report.csv");
        let mut files = Files::new(&project, 2);
        files.room = 3;
        files.open(b"big");
        files.write(b"1234");
        files.write(b"5");
        assert!(files.finish().is_empty());
    }
}
