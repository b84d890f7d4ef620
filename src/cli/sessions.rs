//! `pyexec session`

use super::{
    Failure, Result,
    cells::{Called, View},
    client::Client,
    console::{note, print, printed},
    interrupt::{INTERRUPTED, interruptible},
    list::{plain, rough, time},
    options::{JobOptions, ServerOptions},
    run::code_from_stdin,
    units,
};
use clap::{Args, Subcommand};
use pyexec::Project;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

#[derive(Debug, Args)]
#[command(
    after_help = "A session lives on the server of --server or PYEXEC_SERVER, else on http://localhost:8080.\n\n\
                        Examples:\n  id=$(pyexec session new --file data.csv)\n  pyexec session call $id 'n = \
                        len(open(\"data.csv\").readlines())'\n  pyexec session call $id n\n  pyexec session fork $id\n  pyexec \
                        session rm $id"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a session, and print its id
    #[command(visible_alias = "create")]
    New(Box<New>),
    /// List sessions, the last used first
    #[command(visible_alias = "ls")]
    List(List),
    /// Show what is known of a session
    Show(One),
    /// Run code in a session, and print the value of its last expression
    Call(Call),
    /// Interrupt the call that a session is in
    Interrupt(One),
    /// List the variables of a session
    #[command(visible_alias = "vars")]
    Variables(One),
    /// List the files of a session
    Files(One),
    /// Write a file of a session to a file here, or to stdout
    Get(Get),
    /// Give a session a file
    Put(Put),
    /// Make another session that goes on from where this one is, and print its id
    Fork(One),
    /// Keep the state of a session under a name, or list the names
    Checkpoint(Checkpoint),
    /// Go back to a state that was kept
    Rollback(Rollback),
    /// End sessions, and delete all of them
    #[command(visible_alias = "delete")]
    Rm(Remove),
}

#[derive(Debug, Args)]
struct New {
    #[command(flatten)]
    job: JobOptions,

    #[command(flatten)]
    server: ServerOptions,

    /// Print the id only
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct List {
    /// Print a JSON array of all that the server says
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print no headings
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct One {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print no headings
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct Call {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// Python code, or - for code from stdin
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// Stop after this time, in seconds or as in 2m or 1h30m [default: that of the session]
    #[arg(long, value_name = "TIME", value_parser = units::milliseconds)]
    timeout: Option<u64>,

    /// Save images that are shown in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    out: Option<PathBuf>,

    /// Print all that came of it as JSON, instead of the output
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print no more than the code does
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Args)]
struct Get {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// The file in the session
    #[arg(value_name = "PATH")]
    path: String,

    /// Where it goes here [default: stdout]
    #[arg(value_name = "FILE")]
    to: Option<PathBuf>,

    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Debug, Args)]
struct Put {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// The file here, or - for stdin
    #[arg(value_name = "FILE")]
    from: PathBuf,

    /// Its path in the session [default: its name]
    #[arg(value_name = "PATH")]
    path: Option<String>,

    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Debug, Args)]
struct Checkpoint {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// The name
    #[arg(value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Debug, Args)]
struct Rollback {
    /// The session
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: String,

    /// The name under which the state was kept
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    server: ServerOptions,
}

#[derive(Debug, Args)]
struct Remove {
    /// Sessions to end
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,

    #[command(flatten)]
    server: ServerOptions,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    match arguments.command {
        Command::New(arguments) => new(&arguments)?,
        Command::List(arguments) => list(&arguments)?,
        Command::Show(one) => show(&one)?,
        Command::Call(arguments) => return call(arguments),
        Command::Interrupt(one) => one.client()?.interrupt_session(&one.id)?,
        Command::Variables(one) => variables(&one)?,
        Command::Files(one) => files(&one)?,
        Command::Get(arguments) => get(&arguments)?,
        Command::Put(arguments) => put(&arguments)?,
        Command::Fork(one) => {
            let fork = understood::<Listed>(one.client()?.change_session(&one.id, "fork")?)?;
            print(&format!("{}\n", plain(&fork.id)))?;
        }
        Command::Checkpoint(arguments) => checkpoint(&arguments)?,
        Command::Rollback(Rollback { id, name, server }) => {
            server.named_or_usual(true)?.roll_back(&id, &name)?;
        }
        Command::Rm(arguments) => remove(&arguments)?,
    }
    Ok(0)
}

impl One {
    fn client(&self) -> Result<Client> {
        self.server.named_or_usual(self.quiet)
    }
}

fn new(arguments: &New) -> Result<()> {
    let request = arguments.job.request(Project::empty())?;
    let id = arguments.server.named_or_usual(arguments.quiet)?.new_session(&request)?;
    print(&format!("{id}\n"))
}

/// A session, as far as a list shows it.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    executor: String,
    #[serde(default)]
    calls: u64,
    #[serde(default)]
    last_used_at: String,
    #[serde(default)]
    expires_at: String,
}

fn list(arguments: &List) -> Result<()> {
    let mut answer = arguments.server.named_or_usual(arguments.quiet)?.sessions()?;
    let sessions = answer.get_mut("sessions").map_or(Value::Null, Value::take);
    if arguments.json {
        return print_json(&sessions);
    }
    let now = SystemTime::now();
    let listed = understood::<Vec<Listed>>(sessions)?;
    let rows = listed.iter().map(|session| {
        let used = time(&session.last_used_at).map(|used| rough(now.duration_since(used).unwrap_or_default()));
        let left = time(&session.expires_at).map(|end| rough(end.duration_since(now).unwrap_or_default()));
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            plain(&session.id),
            plain(&session.state),
            plain(&session.executor),
            session.calls.to_string(),
            or_dash(used),
            or_dash(left),
        ]
    });
    let headings = ["ID", "STATE", "EXECUTOR", "CALLS", "USED", "GOES IN"];
    print(&table((!arguments.quiet).then_some(headings), rows.collect()))
}

fn show(one: &One) -> Result<()> {
    let session = one.client()?.session(&one.id, "")?;
    if one.json {
        return print_json(&session);
    }
    let fields = session.as_object().into_iter().flatten();
    let line = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{:<14}{}\n", format!("{}:", name.replace('_', " ")), shown(&value))
    };
    print(&fields.map(line).collect::<String>())
}

fn call(arguments: Call) -> Result<u8> {
    let Call { id, code, timeout, out, json, server, quiet } = arguments;
    let client = server.named_or_usual(quiet)?;
    let given = code.filter(|code| code != "-");
    let from_stdin = given.is_none();
    let code = match given {
        Some(code) => code,
        None => String::from_utf8(code_from_stdin()?)
            .map_err(|_| Failure::Usage("the code from stdin is not UTF-8 text".to_owned()))?,
    };
    let mut cell = json!({"code": code});
    if !from_stdin && !io::stdin().is_terminal() {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(|e| {
            Failure::Usage(format!("cannot send stdin to a server: {e}\nhint: pyexec session put gives it any file"))
        })?;
        cell["stdin"] = text.into();
    }
    if let Some(timeout) = timeout {
        cell["config"] = json!({"timeout_seconds": timeout as f64 / 1000.0});
    }
    let view = View::new(quiet, out)?;
    let interrupted = (client.clone(), id.clone());
    let done = interruptible(move || {
        if json {
            let whole = client.call_whole(&id, &cell)?;
            print(&format!("{}\n", whole.get()))?;
            return Ok(Called::read(whole.get())?.exit_code);
        }
        let called = client.call_session(&id, &cell, &view)?;
        view.end(&called)?;
        Ok(called.exit_code)
    })?;
    if let Some(done) = done {
        return done;
    }
    // The session stays: what it was in is interrupted before this ends.
    let (client, id) = interrupted;
    if let Some(Err(failure)) = interruptible(move || client.interrupt_session(&id))? {
        note!("pyexec: the call may go on: {failure}");
    }
    Ok(INTERRUPTED)
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    size: u64,
    repr: String,
}

fn variables(one: &One) -> Result<()> {
    let variables = one.client()?.session(&one.id, "variables")?;
    if one.json {
        return print_json(&variables);
    }
    let rows = understood::<Vec<Variable>>(variables)?.into_iter().map(|variable| {
        [shown(&variable.name), shown(&variable.kind), variable.size.to_string(), shown(&variable.repr)]
    });
    print(&table((!one.quiet).then_some(["NAME", "TYPE", "BYTES", "VALUE"]), rows.collect()))
}

#[derive(Deserialize)]
struct Files {
    files: Vec<FileInfo>,
}

#[derive(Deserialize)]
struct FileInfo {
    path: String,
    size: u64,
    modified_at: String,
}

fn files(one: &One) -> Result<()> {
    let files = one.client()?.session(&one.id, "files")?;
    if one.json {
        return print_json(files.get("files").unwrap_or(&Value::Null));
    }
    let now = SystemTime::now();
    let rows = understood::<Files>(files)?.files.into_iter().map(|file| {
        let age = time(&file.modified_at)
            .map_or_else(|| "-".to_owned(), |at| rough(now.duration_since(at).unwrap_or_default()));
        [file.size.to_string(), age, shown(&file.path)]
    });
    print(&table((!one.quiet).then_some(["BYTES", "AGE", "PATH"]), rows.collect()))
}

fn get(arguments: &Get) -> Result<()> {
    let mut content = arguments.server.named_or_usual(true)?.session_file(&arguments.id, &arguments.path)?;
    let Some(to) = &arguments.to else {
        return printed(io::copy(&mut content, &mut io::stdout().lock()).map(drop));
    };
    let written = File::create(to).and_then(|mut file| io::copy(&mut content, &mut file));
    written.map(drop).map_err(|e| Failure::Usage(format!("cannot write {}: {e}", to.display())))
}

fn put(arguments: &Put) -> Result<()> {
    let (content, name) = if arguments.from == Path::new("-") {
        (code_from_stdin()?, None)
    } else {
        let content = fs::read(&arguments.from)
            .map_err(|e| Failure::Usage(format!("cannot read {}: {e}", arguments.from.display())))?;
        (content, arguments.from.file_name().and_then(|name| name.to_str()))
    };
    let path = arguments
        .path
        .as_deref()
        .or(name)
        .ok_or_else(|| Failure::Usage("it has no name\nhint: give its path in the session after it".to_owned()))?;
    arguments.server.named_or_usual(true)?.put_session_file(&arguments.id, path, &content)
}

fn checkpoint(arguments: &Checkpoint) -> Result<()> {
    #[derive(Deserialize)]
    struct Names {
        checkpoints: Vec<String>,
    }
    let client = arguments.server.named_or_usual(true)?;
    match &arguments.name {
        Some(name) => client.checkpoint(&arguments.id, name),
        None => {
            let names = understood::<Names>(client.session(&arguments.id, "checkpoints")?)?;
            print(&names.checkpoints.iter().map(|name| format!("{}\n", plain(name))).collect::<String>())
        }
    }
}

fn remove(arguments: &Remove) -> Result<()> {
    let client = arguments.server.named_or_usual(true)?;
    let mut failed = None;
    for id in &arguments.ids {
        // The others are removed nevertheless, and the last failure is reported at the end.
        if let Err(failure) = client.remove_session(id)
            && let Some((id, failure)) = failed.replace((id, failure))
        {
            note!("error: {id}: {failure}");
        }
    }
    match failed {
        None => Ok(()),
        Some((id, failure)) => Err(failure.of(id)),
    }
}

fn understood<T: for<'a> Deserialize<'a>>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| {
        Failure::Fault(format!("the server's answer makes no sense: {e}\nhint: is this the URL of a pyexec server?"))
    })
}

fn print_json(value: &Value) -> Result<()> {
    print(&format!("{value:#}\n"))
}

/// Returns a server's text in one line, without what could move the cursor.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CHARS_MAX).collect()
}

/// Lines columns up; the last one is as long as it is.
fn table<const N: usize>(headings: Option<[&str; N]>, rows: Vec<[String; N]>) -> String {
    let headings = headings.map(|names| names.map(str::to_owned));
    let rows: Vec<_> = headings.into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_and_moves_no_cursor() {
        let rows = vec![["é".to_owned(), shown("a\x1b[2J")], ["long".to_owned(), String::new()]];
        assert_eq!(table(Some(["N", "VALUE"]), rows), "N     VALUE\né     a [2J\nlong\n");
    }
}
