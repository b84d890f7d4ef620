//! Runs one job on a server, or watches one that runs there.

use super::{
    Failure, Result,
    client::{Client, Trouble},
    console::note,
    interrupt::{INTERRUPTED, interruptible},
    options::OutputOptions,
    progress::Progress,
    report::Report,
    request::JobRequest,
    screen::Screen,
    session::{Show, below},
    sse::{Frame, Parser},
    wire::{ExecutionResult, MadeFile, State},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};
use ureq::{
    Body,
    http::{Response, header},
};

/// Pauses before the tries to get a lost connection back. Any event starts them anew.
const RECONNECT_PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// How long after Ctrl-C the id of an execution is waited for that may just have started.
const ID_WAIT: Duration = Duration::from_secs(2);
const ID_POLL: Duration = Duration::from_millis(50);

/// Says how a job is shown.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) output: OutputOptions,
    pub(crate) show: Show,
    pub(crate) out: Option<PathBuf>,
}

/// Runs a project; Ctrl-C kills it.
pub(crate) fn run(client: Client, mut request: JobRequest, view: View) -> Result<u8> {
    let cells = request.cells.take();
    killed_by_interrupt(client, view, move |watch| {
        watch.screen.take_cells(cells);
        let id = submit(&watch.client, &request)?;
        let _ = watch.id.set(id.clone());
        watch.connected = true;
        watch.until_end(&id)
    })
}

/// Evaluates code; Ctrl-C kills it.
pub(crate) fn eval(client: Client, request: JobRequest, view: View) -> Result<u8> {
    killed_by_interrupt(client, view, move |watch| {
        let response = watch.client.eval(&request.eval(stdin(&request)?)?)?;
        watch.connected = true;
        if let Some(result) = watch.answer(response)? {
            return Ok(result);
        }
        let Some(id) = watch.id.get().cloned() else {
            return Err(Failure::Fault(
                "the connection was lost before the execution had an id\nhint: try again".into(),
            ));
        };
        let result = watch.until_end(&id)?;
        if result.status == "killed" {
            let text = "the connection was lost, and the server stopped the execution\nhint: pyexec run survives that";
            return Err(Failure::Fault(text.into()));
        }
        Ok(result)
    })
}

/// Starts a project, and gives its id.
pub(crate) fn submit(client: &Client, request: &JobRequest) -> Result<String> {
    client.submit(&request.project, &request.metadata(stdin(request)?)?)
}

/// Watches an execution to its end; Ctrl-C only ends the watching.
pub(crate) fn follow(client: Client, id: String, view: View) -> Result<u8> {
    let progress = if view.output.quiet { Progress::default() } else { Progress::on_terminal() };
    let mut watch = Watch::new(client, &view, progress.clone());
    let _ = watch.id.set(id.clone());
    let quiet = view.output.quiet;
    let hint = format!("pyexec: it goes on; pyexec kill {id} ends it");
    let done = interruptible(move || {
        let result = watch.until_end(&id)?;
        finish(&mut watch, result, &view)
    })?;
    done.unwrap_or_else(|| {
        progress.clear();
        if !quiet {
            note!("{hint}");
        }
        Ok(INTERRUPTED)
    })
}

fn killed_by_interrupt(
    client: Client,
    view: View,
    work: impl FnOnce(&mut Watch) -> Result<ExecutionResult> + Send + 'static,
) -> Result<u8> {
    let mut watch = Watch::new(client.clone(), &view, Progress::default());
    let id = Arc::clone(&watch.id);
    let done = interruptible(move || {
        let result = work(&mut watch)?;
        finish(&mut watch, result, &view)
    })?;
    let ended = match done {
        // Nobody reads what it prints: it need not go on.
        Some(Err(failure @ Failure::ReaderGone)) => Err(failure),
        Some(done) => return done,
        None => Ok(INTERRUPTED),
    };
    // A second Ctrl-C ends this, too.
    let killed = interruptible(move || {
        let polls = ID_WAIT.as_millis() / ID_POLL.as_millis();
        let id = (0..polls).find_map(|_| {
            id.get().or_else(|| {
                thread::sleep(ID_POLL);
                None
            })
        });
        id.map(|id| client.kill(id).map_err(|failure| format!("{failure}\npyexec: {id} may still be running")))
    })?;
    if let Some(Some(Err(message))) = killed {
        note!("error: {message}");
    }
    ended
}

/// Returns the script's standard input: all that is piped in, nothing from a terminal.
fn stdin(request: &JobRequest) -> Result<Option<String>> {
    if !request.stdin || io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(|e| {
        Failure::Usage(format!(
            "cannot send stdin to a server: {e}\nhint: --file gives the script a file of any content"
        ))
    })?;
    Ok((!text.is_empty()).then_some(text))
}

fn finish(watch: &mut Watch, result: ExecutionResult, view: &View) -> Result<u8> {
    watch.screen.progress.clear();
    watch.screen.finish()?;
    let error = result.error.clone().unwrap_or_else(|| "the execution failed without a reason".to_owned());
    match (result.error_kind.as_deref(), result.status.as_str()) {
        (Some("invalid"), _) if result.stderr.is_empty() => {
            return Err(Failure::Refused { message: error, exit_code: 1 });
        }
        (Some("queue_timeout"), _) => {
            return Err(Failure::Fault(format!("{error}\nhint: the server is busy; try again later")));
        }
        (Some("unavailable"), _) => {
            return Err(Failure::Fault(format!(
                "{error}\nhint: the server's log tells more about {}",
                result.execution_id
            )));
        }
        // From a server that does not say of which kind.
        (None, "failed") if error.starts_with("execution timeout") => {
            note!("error: {error}\nhint: --timeout TIME allows more");
            return Ok(124);
        }
        (None, "failed") => return Err(Failure::Fault(error)),
        _ => {}
    }
    let (id, files) = (result.execution_id.clone(), result.files.clone());
    let all_shown = result.stdout_bytes.is_some_and(|bytes| bytes <= watch.screen.stdout_bytes());
    let mut report = Report::from(result);
    if all_shown {
        report = report.followed();
    }
    let outcome = report.outcome();
    if watch.has_gap {
        watch.screen.complete(&outcome.stdout, &outcome.stderr)?;
    } else if !watch.screen.has_stderr() {
        // Of a job that never ran there are no events.
        watch.screen.stderr(outcome.stderr.text.as_bytes())?;
    }
    let report = report.in_cells(watch.screen.cells());
    report.show(view.output, view.show)?;
    if let Some(folder) = &view.out {
        for file in &files {
            save(&watch.client, &id, file, folder)?;
        }
    }
    report.comment(view.output);
    Ok(report.exit_code())
}

/// Writes a file of an execution below `folder`, wherever the server says that it should go.
fn save(client: &Client, id: &str, file: &MadeFile, folder: &Path) -> Result<()> {
    let Some(path) = below(folder, &file.path) else {
        return Err(Failure::Fault(format!("the server sent a file named {:?}, which leads out of --out", file.path)));
    };
    let fail = |e: io::Error| Failure::Usage(format!("cannot write {}: {e}", path.display()));
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(fail)?;
    match (&file.content, &file.content_base64) {
        (Some(text), _) => fs::write(&path, text).map_err(fail),
        (None, Some(encoded)) => {
            let content = BASE64
                .decode(encoded)
                .map_err(|e| Failure::Fault(format!("the server sent a damaged {}: {e}", file.path)))?;
            fs::write(&path, content).map_err(fail)
        }
        (None, None) => {
            let mut content = client.file(id, &file.path)?;
            File::create(&path).and_then(|mut to| io::copy(&mut content, &mut to)).map(drop).map_err(fail)
        }
    }
}

/// Follows the events of one execution, over as many connections as that takes.
struct Watch {
    client: Client,
    screen: Screen,
    id: Arc<OnceLock<String>>,
    last_event: Option<String>,
    /// Whether the server was there at all.
    connected: bool,
    failures: usize,
    /// Output was missed, and what is shown is put together at the end: a pipe must have all of it.
    has_gap: bool,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Restarted {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Lagged {
    missed: u64,
}

impl Watch {
    fn new(client: Client, view: &View, progress: Progress) -> Watch {
        let id = Arc::default();
        let screen = Screen::new(view.output, progress, view.out.is_some());
        Watch { client, screen, id, last_event: None, connected: false, failures: 0, has_gap: false }
    }

    fn until_end(&mut self, id: &str) -> Result<ExecutionResult> {
        loop {
            match self.client.events(id, self.last_event.as_deref()) {
                Ok(response) => {
                    self.connected = true;
                    if let Some(result) = self.answer(response)? {
                        return Ok(result);
                    }
                    self.pause("the connection was lost".to_owned())?;
                }
                Err(Trouble::Lost(why)) if self.connected => self.pause(why)?,
                Err(trouble) => return Err(trouble.into()),
            }
        }
    }

    /// Waits before the next try, or gives up.
    fn pause(&mut self, why: String) -> Result<()> {
        let Some(pause) = RECONNECT_PAUSES.get(self.failures) else {
            let again = self.id_hint();
            return Err(Failure::Fault(format!("{why}{again}")));
        };
        self.failures += 1;
        self.screen.progress.status("reconnecting");
        thread::sleep(*pause);
        Ok(())
    }

    fn id_hint(&self) -> String {
        self.id.get().map_or_else(String::new, |id| format!("\nhint: pyexec follow {id} takes it up again"))
    }

    /// Shows what a stream says; `None` when it broke off before the result.
    fn answer(&mut self, mut response: Response<Body>) -> Result<Option<ExecutionResult>> {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if kind.starts_with("application/json") {
            return self.whole(&mut response).map(Some);
        }
        if !kind.starts_with("text/event-stream") {
            return Err(Failure::Fault(format!(
                "{} answered with {kind:?} instead of events\nhint: is this the URL of a pyexec server?",
                self.client.url()
            )));
        }
        let mut reader = response.into_body().into_reader();
        let (mut parser, mut frames) = (Parser::default(), Vec::new());
        let mut buffer = vec![0; 1 << 16];
        loop {
            let got = match reader.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Ok(None),
            };
            let pushed = parser.push(buffer.get(..got).unwrap_or_default(), &mut frames);
            for frame in frames.drain(..) {
                if let Some(result) = self.event(frame)? {
                    return Ok(Some(result));
                }
            }
            pushed.map_err(|_| Failure::Fault("the server sent an event that is too large".into()))?;
        }
    }

    /// Shows the answer of a server without events.
    fn whole(&mut self, response: &mut Response<Body>) -> Result<ExecutionResult> {
        let text = response.body_mut().with_config().limit(256 << 20).read_to_string();
        let text = text.map_err(|e| Failure::Fault(format!("the connection was lost: {e}\nhint: try again")))?;
        let result: ExecutionResult = understood(&text)?;
        self.screen.stdout(result.stdout.as_bytes())?;
        self.screen.stderr(result.stderr.as_bytes())?;
        Ok(result)
    }

    fn event(&mut self, frame: Frame) -> Result<Option<ExecutionResult>> {
        if frame.event == "lagged" {
            let missed = understood::<Lagged>(&frame.data)?.missed;
            self.has_gap = !io::stdout().is_terminal();
            if self.has_gap {
                return Ok(None);
            }
            self.screen.line(&format!("{missed} events came before this and are no longer there"));
            return Ok(None);
        }
        if let Some(id) = frame.id {
            let number = |id: &str| id.parse::<u64>().ok();
            if self.last_event.as_deref().and_then(number).zip(number(&id)).is_some_and(|(last, this)| this <= last) {
                return Ok(None); // shown already, over an earlier connection
            }
            self.last_event = Some(id);
        }
        self.failures = 0;
        match frame.event.as_str() {
            "state" => {
                let state: State = understood(&frame.data)?;
                self.screen.progress.status(&state.status);
                if let Some(id) = state.execution_id {
                    let _ = self.id.set(id);
                }
            }
            "progress" => {
                let text = understood::<Text>(&frame.data)?.text;
                self.screen.progress.status(&text);
                self.screen.line(&text);
            }
            "restarted" => {
                let reason = understood::<Restarted>(&frame.data).ok().and_then(|restarted| restarted.reason);
                self.screen.restart(reason.as_deref().unwrap_or("run again"));
            }
            "stdout" | "stderr" if self.has_gap => {}
            "stdout" => self.screen.stdout(understood::<Text>(&frame.data)?.text.as_bytes())?,
            "stderr" => self.screen.stderr(understood::<Text>(&frame.data)?.text.as_bytes())?,
            "result" => return understood(&frame.data).map(Some),
            _ => {}
        }
        Ok(None)
    }
}

fn understood<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| {
        Failure::Fault(format!("the server's answer makes no sense: {e}\nhint: is this the URL of a pyexec server?"))
    })
}
