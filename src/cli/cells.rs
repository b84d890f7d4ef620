//! Shows a call of a session, wherever it runs.

use super::{
    Failure, Result,
    console::{note, pass_on, pass_on_error, print},
    report::Report,
    sse::Frame,
    wire::ExecutionResult,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use pyexec::{Event, Outcome, outcome::Display, sessions::CallEnd};
use serde::Deserialize;
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Formats that are saved as files, and the ends of their names.
const SAVED: [(&str, &str); 4] =
    [("image/png", "png"), ("image/jpeg", "jpg"), ("image/svg+xml", "svg"), ("application/pdf", "pdf")];

/// Shows calls of a session as they go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct View {
    quiet: bool,
    shown: Arc<Mutex<Shown>>,
}

#[derive(Default)]
struct Shown {
    /// Where images go.
    out: Option<PathBuf>,
    saved: usize,
    /// Says that the last line of output has no end yet.
    is_in_line: bool,
    failure: Option<Failure>,
}

/// Says what came of a call.
pub(crate) struct Called {
    pub(crate) exit_code: u8,
    result: Option<String>,
    moved: Option<Moved>,
    lost: bool,
    /// Holds what there is to say besides.
    error: Option<String>,
}

#[derive(Deserialize)]
struct Moved {
    replayed: u64,
    different: Vec<u64>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Restarted {
    reason: String,
}

#[derive(Deserialize)]
struct Lagged {
    missed: u64,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

fn understood<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| {
        Failure::Fault(format!("the server's answer makes no sense: {e}\nhint: is this the URL of a pyexec server?"))
    })
}

/// Holds what a call has beside an execution. Values that stay as they are written cannot be flattened.
#[derive(Deserialize)]
struct OfSession {
    moved: Option<Moved>,
    #[serde(default)]
    interpreter_lost: bool,
}

impl From<CallEnd> for Called {
    fn from(end: CallEnd) -> Called {
        let CallEnd { outcome, moved, lost, .. } = end;
        let moved = moved.map(|moved| Moved { replayed: moved.replayed, different: moved.different });
        Called::new(outcome, moved, lost, None)
    }
}

impl Called {
    fn new(outcome: Outcome, moved: Option<Moved>, lost: bool, error: Option<String>) -> Called {
        let error = error.or_else(|| match &outcome.ending {
            pyexec::outcome::Ending::Stopped { reason } => Some(reason.to_string()),
            pyexec::outcome::Ending::Failed { message, .. } => Some(message.clone()),
            pyexec::outcome::Ending::Exited { .. } => None,
        });
        let result = outcome.result.clone();
        Called { exit_code: Report::from(outcome).exit_code(), result, moved, lost, error }
    }

    /// Reads what a server says.
    pub(crate) fn read(json: &str) -> Result<Called> {
        let execution: ExecutionResult = understood(json)?;
        let OfSession { moved, interpreter_lost } = understood(json)?;
        let error = execution.error.clone();
        let report = Report::from(execution);
        Ok(Called {
            exit_code: report.exit_code(),
            result: report.outcome().result.clone(),
            moved,
            lost: interpreter_lost,
            error,
        })
    }
}

impl View {
    /// Shows everything, and saves images in a folder, which is made.
    pub(crate) fn new(quiet: bool, out: Option<PathBuf>) -> Result<View> {
        if let Some(folder) = &out {
            let made = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
            made.map_err(|e| Failure::Usage(format!("--out {}: cannot write there: {e}", folder.display())))?;
        }
        Ok(View { quiet, shown: Arc::new(Mutex::new(Shown { out, ..Shown::default() })) })
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows something that happens in a call of this process.
    pub(crate) fn event(&self, event: Event<'_>) {
        match event {
            Event::Stdout(bytes) => self.stdout(bytes),
            Event::Stderr(bytes) => self.stderr(bytes),
            Event::Display(display) => self.display(display),
            Event::Progress(text) => self.note(text),
            Event::Restarted(reason) => self.restarted(reason),
            _ => {}
        }
    }

    /// Shows an event of a call on a server; returns what came of the call, which is the last.
    pub(crate) fn frame(&self, frame: &Frame) -> Result<Option<Called>> {
        match frame.event.as_str() {
            "stdout" => self.stdout(understood::<Text>(&frame.data)?.text.as_bytes()),
            "stderr" => self.stderr(understood::<Text>(&frame.data)?.text.as_bytes()),
            "display" => self.display(&understood(&frame.data)?),
            "progress" => self.note(&understood::<Text>(&frame.data)?.text),
            "restarted" => self.restarted(&understood::<Restarted>(&frame.data)?.reason),
            "lagged" => self.note(&format!(
                "{} events are missing here: output came too fast",
                understood::<Lagged>(&frame.data)?.missed
            )),
            "error" => return Err(Failure::Fault(understood::<Refusal>(&frame.data)?.error)),
            "result" => return Called::read(&frame.data).map(Some),
            _ => {}
        }
        match self.shown().failure.take() {
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    }

    fn stdout(&self, bytes: &[u8]) {
        let mut shown = self.shown();
        shown.is_in_line = bytes.last().map_or(shown.is_in_line, |last| *last != b'\n');
        let written = pass_on(bytes);
        shown.keep(written);
    }

    fn stderr(&self, bytes: &[u8]) {
        let written = pass_on_error(bytes);
        self.shown().keep(written);
    }

    fn restarted(&self, reason: &str) {
        self.note(&format!("{reason}; only the output from here on counts"));
    }

    /// Says something beside what the code prints.
    fn note(&self, text: &str) {
        if !self.quiet {
            note!("pyexec: {text}");
        }
    }

    /// Shows an object: as text, and its images as files.
    fn display(&self, display: &Display) {
        let mut shown = self.shown();
        let images = SAVED.iter().filter_map(|(kind, end)| Some((*kind, *end, display.text(kind)?)));
        for (kind, end, data) in images.collect::<Vec<_>>() {
            let Some(folder) = shown.out.clone() else {
                if !self.quiet {
                    note!("pyexec: {kind} is not shown here; --out DIR saves it");
                }
                continue;
            };
            shown.saved += 1;
            let path = folder.join(format!("figure-{}.{end}", shown.saved));
            let content = if kind == "image/svg+xml" { Ok(data.into_bytes()) } else { BASE64.decode(data) };
            // What is no base64 was none when it was shown.
            let Ok(content) = content else { continue };
            match fs::write(&path, content) {
                Ok(()) if self.quiet => {}
                Ok(()) => note!("pyexec: {kind} is in {}", path.display()),
                Err(error) => {
                    shown.keep(Err(Failure::Usage(format!("cannot write {}: {error}", path.display()))));
                }
            }
        }
        // The value is printed at the end.
        if !display.is_result
            && let Some(text) = display.text("text/plain")
        {
            let written = pass_on(format!("{text}\n").as_bytes());
            shown.keep(written);
        }
    }

    /// Shows what came of a call.
    pub(crate) fn end(&self, called: &Called) -> Result<()> {
        let mut shown = self.shown();
        if let Some(failure) = shown.failure.take() {
            return Err(failure);
        }
        if std::mem::take(&mut shown.is_in_line) {
            pass_on(b"\n")?;
        }
        drop(shown);
        if let Some(result) = &called.result {
            print(&format!("{result}\n"))?;
        }
        if let Some(Moved { replayed, different }) = &called.moved {
            let differ = match &**different {
                [] => String::new(),
                numbers => format!(", of which {numbers:?} ended differently"),
            };
            self.note(&format!("the session is in a container now; {replayed} earlier calls ran again there{differ}"));
        }
        if let Some(error) = &called.error {
            self.note(error);
        }
        if called.lost {
            self.note("the interpreter was lost; the next call has what was there before this one");
        }
        Ok(())
    }
}

impl Shown {
    /// Remembers the first thing that went wrong.
    fn keep(&mut self, done: Result<()>) {
        if let Err(failure) = done {
            self.failure.get_or_insert(failure);
        }
    }
}
