//! `pyexec repl`

use super::{
    Failure, Result,
    cells::{Called, View},
    client::Client,
    console::note,
    interrupt::{INTERRUPTED, interruptible},
    options::{JobOptions, ServerOptions},
    request::JobRequest,
    session,
};
use clap::Args;
use pyexec::{
    Project, Pyexec,
    executor::Question,
    sessions::{Cell, Sessions, SessionsOptions},
};
use rustyline::{
    CompletionType, Config, Context, Editor, Helper, completion::Completer, error::ReadlineError,
    highlight::Highlighter, hint::Hinter, history::FileHistory, validate::Validator,
};
use serde::Deserialize;
use serde_json::json;
use std::{
    env,
    fs::DirBuilder,
    io::{self, BufRead, IsTerminal},
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    sync::Arc,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// Owns the session of this process.
const OWNER: &str = "repl";
const PROMPT: &str = ">>> ";
const PROMPT_OF_MORE: &str = "... ";
const INDENT: &str = "    ";
const HISTORY_MAX: usize = 2000;

#[derive(Debug, Args)]
#[command(
    after_help = "Code runs as in a notebook: names, imports and files stay, await works at top level, and the value of the \
                        last expression is printed. Ctrl-C interrupts what runs, Ctrl-D ends. From a pipe each piece of code \
                        runs when it is whole, and the exit code is that of the last piece that failed.\n\n\
                        Examples:\n  pyexec repl\n  pyexec repl --file data.csv --requirements requirements.txt\n  pyexec repl \
                        --server http://localhost:8080 --session Xp3k…\n  printf 'x = 20\\nx + 1\\n' | pyexec repl"
)]
pub(crate) struct Arguments {
    /// Go on with this session of a server, and leave it there
    #[arg(long, value_name = "ID", allow_hyphen_values = true, conflicts_with_all = ["keep"])]
    session: Option<String>,

    /// Leave the session on the server at the end, and print its id
    #[arg(long)]
    keep: bool,

    /// Save images that are shown in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print no more than the code does
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    job: JobOptions,

    #[command(flatten)]
    server: ServerOptions,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { session, keep, out, quiet, job, server } = arguments;
    let client = match session {
        Some(_) => Some(server.named_or_usual(quiet)?),
        None => server.named(quiet)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let view = View::new(quiet, out)?;
    let is_ours = session.is_none() && !keep;
    let place = match (client, session) {
        (Some(client), Some(id)) => {
            // At once, not with the first line.
            client.session(&id, "")?;
            Place::Server { client, id }
        }
        (Some(client), None) => {
            let id = client.new_session(&job.request(Project::empty())?)?;
            Place::Server { client, id }
        }
        (None, _) if keep => {
            let text = "--keep: a session of this process goes with it\nhint: --server URL makes one that stays";
            return Err(Failure::Usage(text.to_owned()));
        }
        (None, _) => here(&runtime, job.request(Project::empty())?, quiet)?,
    };
    let mut repl = Repl { place: Arc::new(place), runtime, view };
    let done = if io::stdin().is_terminal() { repl.converse(quiet) } else { repl.read_pipe() };
    let ended = repl.end(is_ours);
    let status = done?;
    ended?;
    if keep && let Place::Server { id, .. } = &*repl.place {
        note!("{id}");
    }
    Ok(status)
}

/// Makes a session in this process.
fn here(runtime: &Runtime, request: JobRequest, quiet: bool) -> Result<Place> {
    let pyexec: Pyexec = session::builder(quiet).settings(&session::settings()?).build()?;
    let job = request.local()?;
    runtime.block_on(async {
        let sessions = Sessions::open(pyexec, SessionsOptions::default())?;
        let id = sessions.create(OWNER, job).await?.id;
        Ok(Place::Here { sessions, id })
    })
}

/// Where the session is.
enum Place {
    Here { sessions: Sessions, id: String },
    Server { client: Client, id: String },
}

struct Repl {
    place: Arc<Place>,
    runtime: Runtime,
    view: View,
}

/// Whether code is whole, as the session itself says.
#[derive(Debug, Deserialize)]
struct Completeness {
    status: String,
    #[serde(default)]
    indent: String,
}

/// What may stand at a place in code.
#[derive(Debug, Default, Deserialize)]
struct Completions {
    /// Where the text begins that they replace, in characters.
    start: usize,
    matches: Vec<String>,
}

impl Repl {
    /// Reads from a terminal until its end.
    fn converse(&mut self, quiet: bool) -> Result<u8> {
        let fail = |e: ReadlineError| Failure::Fault(format!("cannot read from the terminal: {e}"));
        let config = Config::builder().completion_type(CompletionType::List).max_history_size(HISTORY_MAX);
        let config = config.map_err(fail)?.auto_add_history(false).build();
        let mut editor: Editor<Asks, FileHistory> = Editor::with_config(config).map_err(fail)?;
        let asks =
            Asks { place: Arc::clone(&self.place), runtime: self.runtime.handle().clone(), before: String::new() };
        editor.set_helper(Some(asks));
        let history = history();
        if let Some(path) = &history {
            // There is none before the first time.
            let _ = editor.load_history(path);
        }
        if !quiet {
            note!("Python {}. Ctrl-C interrupts, Ctrl-D ends.", pyexec::PYTHON_VERSION);
        }
        let mut lines: Vec<String> = Vec::new();
        let mut indent = String::new();
        loop {
            if let Some(asks) = editor.helper_mut() {
                asks.before = lines.iter().map(|line| format!("{line}\n")).collect();
            }
            let prompt = if lines.is_empty() { PROMPT } else { PROMPT_OF_MORE };
            let line = match editor.readline_with_initial(prompt, (&indent, "")) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    lines.clear();
                    indent.clear();
                    continue;
                }
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(fail(error)),
            };
            // What nobody has added to the proposed indentation ends a block.
            let is_blank = line.trim().is_empty();
            lines.push(if is_blank { String::new() } else { line });
            let code = lines.join("\n");
            if code.trim().is_empty() {
                lines.clear();
                indent.clear();
                continue;
            }
            if matches!(code.trim(), "exit" | "quit" | "exit()" | "quit()") {
                break;
            }
            // A blank line is two ends of lines: it ends a block.
            let asked = if is_blank { format!("{code}\n\n") } else { code.clone() };
            let completeness = self.completeness(&asked)?;
            if completeness.status == "incomplete" {
                indent = completeness.indent;
                continue;
            }
            lines.clear();
            indent.clear();
            let _ = editor.add_history_entry(code.trim_end());
            self.call(&code)?;
        }
        if let Some(path) = &history
            && let Err(error) = editor.save_history(path)
        {
            note!("pyexec: the history is not kept in {}: {error}", path.display());
        }
        Ok(0)
    }

    /// Runs what comes through a pipe, piece by piece.
    fn read_pipe(&mut self) -> Result<u8> {
        let (mut status, mut code) = (0, String::new());
        loop {
            // Ctrl-C is heard while nothing comes.
            let Some(read) = interruptible(next_line)? else { return Ok(INTERRUPTED) };
            let line = read.map_err(|e| Failure::Usage(format!("cannot read code from stdin: {e}")))?;
            let is_end = line.is_none();
            let line = line.unwrap_or_default();
            // A block goes on until something else begins.
            let begins = !is_end && !line.trim().is_empty() && !line.starts_with([' ', '\t', '#']);
            if (begins || is_end) && !code.trim().is_empty() {
                let together = format!("{code}{line}");
                let goes_on = !is_end && self.is_one_piece(&code, &together)?;
                if !goes_on {
                    let ended = self.call(&std::mem::take(&mut code))?;
                    status = if ended == 0 { status } else { ended };
                }
            }
            if is_end {
                return Ok(status);
            }
            code.push_str(&line);
        }
    }

    /// Says whether a line belongs to what came before it: `else:` after `if`, or the end of a text in quotes.
    fn is_one_piece(&self, before: &str, together: &str) -> Result<bool> {
        if self.completeness(&format!("{before}\n\n"))?.status == "incomplete" {
            return Ok(true);
        }
        let is_block = before.trim_end().lines().last().is_some_and(|last| last.starts_with([' ', '\t']));
        let begins = together.strip_prefix(before).unwrap_or(together).trim_start();
        let word: String = begins.chars().take_while(char::is_ascii_alphabetic).collect();
        Ok(is_block && matches!(&*word, "else" | "elif" | "except" | "finally"))
    }

    fn completeness(&self, code: &str) -> Result<Completeness> {
        self.place.ask(self.runtime.handle(), Asked::IsComplete(code))
    }

    /// Runs a piece of code, which Ctrl-C interrupts; returns its exit code.
    fn call(&self, code: &str) -> Result<u8> {
        let place = Arc::clone(&self.place);
        let called = self.runtime.block_on(async {
            let fail = |e| Failure::Fault(format!("cannot handle signals: {e}"));
            let mut interrupts = signal(SignalKind::interrupt()).map_err(fail)?;
            let mut call = std::pin::pin!(place.call(code, self.view.clone()));
            loop {
                tokio::select! {
                    called = &mut call => return called,
                    _ = interrupts.recv() => place.interrupt(),
                }
            }
        })?;
        self.view.end(&called)?;
        Ok(called.exit_code)
    }

    fn end(&self, is_ours: bool) -> Result<()> {
        match &*self.place {
            Place::Server { client, id } if is_ours => client.remove_session(id),
            Place::Here { sessions, id } => {
                let removed = self.runtime.block_on(sessions.remove(OWNER, id));
                removed.map_err(Failure::from)
            }
            Place::Server { .. } => Ok(()),
        }
    }
}

fn next_line() -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = io::stdin().lock().read_until(b'\n', &mut line)?;
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// A question of this program's.
#[derive(Clone, Copy)]
enum Asked<'a> {
    IsComplete(&'a str),
    Complete(&'a str, usize),
}

impl Place {
    fn ask<T: for<'a> Deserialize<'a>>(&self, runtime: &tokio::runtime::Handle, asked: Asked<'_>) -> Result<T> {
        let answer = match self {
            Place::Here { sessions, id } => {
                let question = match asked {
                    Asked::IsComplete(code) => Question::is_complete(code),
                    Asked::Complete(code, at) => Question::complete(code, at),
                };
                return runtime
                    .block_on(sessions.ask(OWNER, id, question))?
                    .parse()
                    .map_err(|e| Failure::Fault(format!("the session's answer makes no sense: {e}")));
            }
            Place::Server { client, id } => match asked {
                Asked::IsComplete(code) => client.ask_session(id, "is_complete", &json!({"code": code})),
                Asked::Complete(code, at) => client.ask_session(id, "complete", &json!({"code": code, "at": at})),
            },
        };
        serde_json::from_value(answer?).map_err(|e| Failure::Fault(format!("the server's answer makes no sense: {e}")))
    }

    async fn call(&self, code: &str, view: View) -> Result<Called> {
        match self {
            Place::Here { sessions, id } => {
                let shown = view.clone();
                let cell = Cell::new(code.to_owned());
                let end =
                    sessions.call_observed(OWNER, id, cell, move |event: pyexec::Event<'_>| shown.event(event)).await?;
                Ok(Called::from(end))
            }
            Place::Server { client, id } => {
                let (client, id, code) = (client.clone(), id.clone(), code.to_owned());
                let work = tokio::task::spawn_blocking(move || client.call_session(&id, &json!({"code": code}), &view));
                work.await.map_err(|e| Failure::Fault(format!("pyexec crashed: {e}")))?
            }
        }
    }

    fn interrupt(&self) {
        match self {
            Place::Here { sessions, id } => {
                // It is there as long as this is.
                let _ = sessions.interrupt(OWNER, id);
            }
            Place::Server { client, id } => {
                let (client, id) = (client.clone(), id.clone());
                tokio::task::spawn_blocking(move || {
                    if let Err(failure) = client.interrupt_session(&id) {
                        note!("pyexec: cannot interrupt it: {failure}");
                    }
                });
            }
        }
    }
}

/// Has the session complete what is typed.
struct Asks {
    place: Arc<Place>,
    runtime: tokio::runtime::Handle,
    /// The lines before the one that is typed.
    before: String,
}

impl Completer for Asks {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..at];
        if typed.trim().is_empty() {
            return Ok((at, vec![INDENT.to_owned()]));
        }
        let code = format!("{}{line}", self.before);
        let before = self.before.chars().count();
        let asked = Asked::Complete(&code, before + typed.chars().count());
        // Nothing is completed where the session does not answer.
        let Completions { start, matches } = self.place.ask(&self.runtime, asked).unwrap_or_default();
        let start = start.saturating_sub(before);
        let start = typed.char_indices().nth(start).map_or(typed.len(), |(at, _)| at);
        Ok((start, matches))
    }
}

impl Hinter for Asks {
    type Hint = String;
}

impl Highlighter for Asks {}

impl Validator for Asks {}

impl Helper for Asks {}

/// The file of what was typed before, as other programs keep theirs.
fn history() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = state.or_else(|| env::home_dir().map(|home| home.join(".local/state")))?.join("pyexec");
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
    Some(folder.join("history"))
}
