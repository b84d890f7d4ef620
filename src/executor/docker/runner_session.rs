//! One job's conversation with the runner in its container, from the first message to the outcome.

use super::{
    collected::{Collected, Figures, Files},
    container::Output,
    frames::{Decoder, Malformed},
    hardening::PROJECT,
    placement::Placement,
    protocol::{AboutFiles, Called, End, Message, Refusal, Report, ResourceUse},
    stdin_writer::Signals,
};
use crate::{
    Limits, Outcome, Project,
    capture::Capture,
    executor::{Event, Observer, QUESTION, StopAt, displays::Displays, traceback},
    outcome::{CapabilityMiss, Ending, ErrorFrame, Exception, JsonText, LimitHit, StopReason, Tier, Usage},
};
use bollard::container::LogOutput;
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::Duration;

/// Bounds the name of a module that is missing, in bytes; what is longer is none.
const MISSING_BYTES_MAX: usize = 500;
/// Bounds what the runner itself complains about, in bytes.
const COMPLAINT_BYTES_MAX: usize = 2000;
/// Bounds the name of an exception's class, in bytes.
const NAME_BYTES_MAX: usize = 500;

/// Says how listening ended.
pub(super) enum Ended {
    /// The runner said how the script ended.
    Reported(End),
    /// The runner cannot take the project.
    Refused(Refusal),
    /// It said where the script is.
    Located,
    /// The script has met something that is missing, and that another attempt would have.
    Missed(CapabilityMiss),
    /// The output is closed.
    Gone,
    /// What came was not what the runner says.
    Malformed,
    /// A call of a session asks for results of tools.
    Tools(Bytes),
    /// It waits for them no longer.
    GoesOn,
    /// The session has answered.
    Answered(Bytes),
    /// A call of a session has ended.
    Called(Called),
    /// What was asked about files is answered.
    Files(AboutFiles),
}

/// Cuts what comes out of a container into messages, and keeps what the runner itself complains about.
pub(super) struct Line {
    output: Output,
    decoder: Decoder,
    /// What the runner itself wrote to its standard error.
    complaint: Vec<u8>,
}

/// Says what came next.
pub(super) enum Heard {
    Message(Message),
    /// The output is closed.
    Gone,
    /// What came was not what the runner says.
    Malformed,
}

impl Line {
    pub(super) fn new(output: Output) -> Line {
        Line { output, decoder: Decoder::default(), complaint: Vec::new() }
    }

    /// Returns what comes next. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Heard {
        loop {
            match self.decoder.next() {
                Ok(Some((kind, content))) => {
                    return Message::decode(kind, content).map_or(Heard::Malformed, Heard::Message);
                }
                Ok(None) => {}
                Err(Malformed) => return Heard::Malformed,
            }
            if !self.fill().await {
                return Heard::Gone;
            }
        }
    }

    /// Takes more of the output; returns whether there can be any.
    pub(super) async fn fill(&mut self) -> bool {
        match self.output.next().await {
            Some(Ok(LogOutput::StdOut { message })) => self.decoder.push(&message),
            Some(Ok(LogOutput::StdErr { message })) => {
                let room = COMPLAINT_BYTES_MAX.saturating_sub(self.complaint.len());
                self.complaint.extend(message.iter().take(room));
            }
            Some(Ok(LogOutput::StdIn { .. } | LogOutput::Console { .. })) => {}
            Some(Err(_)) | None => return false,
        }
        true
    }

    /// Returns the bytes that were taken, and not looked at.
    pub(super) fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Returns the last thing that the runner itself complained about.
    pub(super) fn complaint(&self) -> Option<String> {
        String::from_utf8_lossy(&self.complaint).lines().next_back().map(str::to_owned)
    }
}

/// Holds a job's conversation with its runner, and what has come of it, within bounds.
pub(super) struct RunnerSession {
    observer: Box<dyn Observer>,
    stop_at: Option<StopAt>,
    /// The script runs, or has run.
    pub(super) started: bool,
    stdout: Capture,
    stderr: Capture,
    result: Option<String>,
    result_json: Option<JsonText>,
    exception: Option<Exception>,
    no_space: bool,
    figures: Figures,
    /// What a call of a session shows.
    displays: Option<Displays>,
    /// The daemon says that the kernel has killed for memory.
    pub(super) out_of_memory: bool,
    dump: String,
    used: ResourceUse,
    files: Option<Files>,
}

impl RunnerSession {
    pub(super) fn new(
        limits: &Limits,
        files: Option<Files>,
        stop_at: Option<StopAt>,
        observer: Box<dyn Observer>,
    ) -> RunnerSession {
        RunnerSession {
            observer,
            stop_at,
            started: false,
            stdout: Capture::new(limits.output_bytes),
            stderr: Capture::new(limits.output_bytes),
            result: None,
            result_json: None,
            exception: None,
            no_space: false,
            figures: Figures::default(),
            displays: None,
            out_of_memory: false,
            dump: String::new(),
            used: ResourceUse::default(),
            files,
        }
    }

    /// Receives what comes, until something ends it. Dropping the future loses nothing.
    pub(super) async fn listen(&mut self, line: &mut Line, signals: &Signals) -> Ended {
        loop {
            match line.next().await {
                Heard::Message(message) => {
                    if let Some(ended) = self.receive(message, signals) {
                        return ended;
                    }
                }
                Heard::Gone => return Ended::Gone,
                Heard::Malformed => return Ended::Malformed,
            }
        }
    }

    fn receive(&mut self, message: Message, signals: &Signals) -> Option<Ended> {
        match message {
            Message::Ready => {}
            Message::Started => {
                self.start();
                signals.started();
            }
            Message::Stdout(content) => {
                self.start();
                self.stdout.write(&content);
                self.observer.event(Event::Stdout(&content));
            }
            Message::Stderr(content) => {
                self.start();
                self.stderr.write(&content);
                self.observer.event(Event::Stderr(&content));
            }
            Message::Taken => signals.taken(),
            Message::Report(report) => return self.report(*report).map(Ended::Missed),
            Message::Figure(png) => {
                let figure = self.figures.add(&png);
                if let (Some(figure), Some(displays)) = (figure, &mut self.displays)
                    && let Some(shown) = displays.add_png(&figure.data)
                {
                    self.observer.event(Event::Display(shown));
                }
            }
            Message::File(path) => self.files.as_mut()?.open(&path),
            Message::Content(bytes) => self.files.as_mut()?.write(&bytes),
            Message::Deleted(path) => self.files.as_mut()?.delete(&path),
            Message::Uncollected(path) => self.files.as_mut()?.leave_out(&path),
            Message::Location(location) => {
                self.dump = location.dump;
                self.used = location.used;
                return Some(Ended::Located);
            }
            // The runner refuses a project before it starts the script, which may say this in its name.
            Message::Refused(_) if self.started => return Some(Ended::Malformed),
            Message::Refused(refusal) => return Some(Ended::Refused(refusal)),
            Message::End(mut end) => {
                self.used = std::mem::take(&mut end.used);
                return Some(Ended::Reported(end));
            }
            Message::Tools(calls) => return Some(Ended::Tools(calls)),
            Message::GoesOn => return Some(Ended::GoesOn),
            Message::Answer(answer) => return Some(Ended::Answered(answer)),
            Message::Files(about) => return Some(Ended::Files(about)),
            Message::Called(called) => return Some(Ended::Called(called)),
        }
        None
    }

    /// Takes what a call of a session shows from now on.
    pub(super) fn take_displays(&mut self) {
        self.displays = Some(Displays::default());
    }

    /// Notes what a call of a session has used.
    pub(super) fn note_use(&mut self, used: ResourceUse) {
        self.used = used;
    }

    /// Notes that the script has started.
    pub(super) fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.observer.event(Event::Started);
        }
    }

    /// Takes a report; returns the miss at which the job is to be stopped.
    fn report(&mut self, report: Report) -> Option<CapabilityMiss> {
        if let Some(displays) = &mut self.displays {
            let shown = report.display.as_ref().and_then(|display| displays.add(display.as_str()));
            if let Some(shown) = shown {
                self.observer.event(Event::Display(shown));
            }
            if let Some(shown) = report.result.as_deref().and_then(|text| displays.add_value(text)) {
                self.observer.event(Event::Display(shown));
            }
        }
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

    fn write_stderr(&mut self, text: &str) {
        self.stderr.write(text.as_bytes());
        self.observer.event(Event::Stderr(text.as_bytes()));
    }

    pub(super) fn outcome(mut self, ending: Ending, wall: Duration, limits: &Limits, placement: &Placement) -> Outcome {
        if let Some(cut) = self.figures.cut() {
            self.explain(&cut);
        }
        let mut displays = self.displays.take().unwrap_or_default();
        if let Some(cut) = displays.cut() {
            self.write_stderr(&cut);
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
        let Collected { files, deleted, uncollected } = self.files.map(Files::finish).unwrap_or_default();
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
            displays: displays.take(),
            files,
            deleted_files: deleted,
            uncollected,
            workspace: None,
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

#[cfg(test)]
mod tests {
    use super::{super::frames::from, *};

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
        let decode = |kind, content: &'static str| Message::decode(kind, content.into()).expect("a message");
        let Message::Refused(refusal) = decode(from::REFUSED, forged) else { panic!("another message") };
        let shown = refusal.into_error(&Limits::default()).to_string();
        assert!(!shown.contains(char::is_control) && shown.contains("2030-01-01"), "{shown:?}");
        let long = Refusal { errno: None, message: "x".repeat(1 << 20) };
        assert!(long.into_error(&Limits::default()).to_string().len() < 400);

        let mut session = RunnerSession::new(&Limits::default(), None, None, Box::new(|_: Event<'_>| ()));
        let signals = Signals::new();
        assert!(matches!(session.receive(decode(from::REFUSED, forged), &signals), Some(Ended::Refused(_))));
        assert!(session.receive(decode(from::STARTED, ""), &signals).is_none());
        assert!(matches!(session.receive(decode(from::REFUSED, forged), &signals), Some(Ended::Malformed)));
    }
}
