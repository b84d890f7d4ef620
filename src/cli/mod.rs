//! The command line. What a script prints to stdout is all that goes to stdout; everything else goes to stderr.

mod bake;
mod cells;
mod client;
mod completions;
mod config;
mod console;
mod env;
mod eval;
mod follow;
mod hints;
mod interrupt;
mod kill;
mod list;
mod log;
mod man;
mod mcp;
mod notebook;
mod options;
mod order;
mod prepare;
mod progress;
mod remote;
mod repl;
mod replay;
mod report;
mod request;
mod run;
mod screen;
mod serve;
mod session;
mod sessions;
mod sse;
mod submit;
mod units;
mod version;
mod wire;

use clap::{Parser, Subcommand};
use console::note;
use pyexec::{ErrorKind, Hint};
use std::{fmt, process::ExitCode};

/// Run untrusted Python: at once, and with nothing but what you give it.
#[derive(Debug, Parser)]
#[command(
    name = "pyexec",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: the script's own; 1 it cannot run, as when a package cannot be installed; 2 wrong usage; 124 \
                  time or CPU limit; 125 what pyexec needs is not there, as Docker, uv or a server; 130 interrupted; 134 the \
                  interpreter crashed; 137 killed, as by a container's memory limit; 139 stack overflow; 141 the reader of its output went away.",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a script, a folder, an archive, a notebook, or code from stdin
    Run(run::Arguments),
    /// Evaluate code and print the value of its last expression
    Eval(eval::Arguments),
    /// Start a script, a folder or an archive on a server, and print the execution's id
    Submit(submit::Arguments),
    /// Show the output of an execution on a server until it ends
    Follow(follow::Arguments),
    /// End executions on a server
    Kill(kill::Arguments),
    /// List the executions of a server
    List(list::Arguments),
    /// Type Python, and see what comes of it; names stay
    Repl(Box<repl::Arguments>),
    /// Make, use and remove sessions of a server, whose names and files stay between calls
    Session(sessions::Arguments),
    /// Compile the interpreter now instead of at its first use
    Prepare(prepare::Arguments),
    /// Install packages beforehand; list and remove what is installed
    Env(env::Arguments),
    #[command(hide = true)]
    Bake(bake::Arguments),
    /// Serve executions over HTTP
    Serve(serve::Arguments),
    /// Serve one client on stdin and stdout by MCP, as hosts of language models start it
    Mcp(mcp::Arguments),
    /// Print the settings that `pyexec serve` would have, and where each comes from
    Config(config::Arguments),
    /// Print versions, and how a server is
    Version(version::Arguments),
    /// Print a script that completes pyexec's arguments in a shell
    Completions(completions::Arguments),
    /// Print or write manual pages
    Man(man::Arguments),
}

/// A reason to stop before or without running the script.
#[derive(Debug)]
enum Failure {
    /// The user can mend the command: exit code 2.
    Usage(String),
    /// The job cannot be run as it is: exit code 1, or that of what failed before the script.
    Refused { message: String, exit_code: u8 },
    /// We cannot do our part: exit code 125.
    Fault(String),
    /// Nobody reads what the script prints: exit code 141, as a shell has it of a closed pipe.
    ReaderGone,
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Failure::Refused { exit_code, .. } => *exit_code,
            Failure::Usage(_) => 2,
            Failure::Fault(_) => 125,
            Failure::ReaderGone => 141,
        }
    }

    /// Returns the failure of a job that was already taken for a good one.
    fn of_job(error: pyexec::Error) -> Failure {
        match error.kind() {
            ErrorKind::InvalidJob => {
                Failure::Refused { message: with_hint(error.message(), error.hint()), exit_code: error.exit_code() }
            }
            _ => error.into(),
        }
    }

    /// Returns the same, of one thing among several.
    fn of(self, what: &str) -> Failure {
        match self {
            Failure::Usage(message) => Failure::Usage(format!("{what}: {message}")),
            Failure::Refused { message, exit_code } => {
                Failure::Refused { message: format!("{what}: {message}"), exit_code }
            }
            Failure::Fault(message) => Failure::Fault(format!("{what}: {message}")),
            Failure::ReaderGone => Failure::ReaderGone,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) | Failure::Refused { message, .. } | Failure::Fault(message) => {
                f.write_str(message)
            }
            Failure::ReaderGone => f.write_str("nobody reads the output"),
        }
    }
}

impl From<pyexec::Error> for Failure {
    fn from(error: pyexec::Error) -> Failure {
        let message = with_hint(error.message(), error.hint());
        match error.kind() {
            ErrorKind::InvalidJob => Failure::Usage(message),
            ErrorKind::InvalidSettings => Failure::Usage(error.problems().join("\nerror: ")),
            _ => Failure::Fault(message),
        }
    }
}

fn with_hint(message: &str, hint: Option<&Hint>) -> String {
    hint.map_or_else(|| message.to_owned(), |hint| format!("{message}\nhint: {}", hints::words(hint)))
}

type Result<T, E = Failure> = std::result::Result<T, E>;

pub(crate) fn main() -> ExitCode {
    let arguments = order::flags_behind_subcommand(std::env::args_os());
    let in_json = order::has_flag(&arguments, "--json");
    let done = match Cli::try_parse_from(arguments) {
        Ok(cli) => run(cli.command),
        Err(error) if in_json && error.use_stderr() => Err(Failure::Usage(usage(&error))),
        Err(error) => answered(&error),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            report(&failure, in_json);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Prints what clap has to say, which is help, the version or what is wrong.
fn answered(error: &clap::Error) -> Result<u8> {
    if error.use_stderr() {
        let _ = error.print();
        return Ok(2);
    }
    console::printed(error.print())?;
    Ok(0)
}

fn run(command: Command) -> Result<u8> {
    match command {
        Command::Run(arguments) => run::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Prepare(arguments) => prepare::run(&arguments),
        Command::Repl(arguments) => repl::run(*arguments),
        Command::Session(arguments) => sessions::run(arguments),
        Command::Env(arguments) => env::run(arguments),
        Command::Bake(arguments) => bake::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Mcp(arguments) => mcp::run(&arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Submit(arguments) => submit::run(arguments),
        Command::Follow(arguments) => follow::run(arguments),
        Command::Kill(arguments) => kill::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    }
}

/// Returns what clap says, without the word that comes before every error.
fn usage(error: &clap::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

/// Says why nothing ran: on stderr, and where JSON was asked for, in JSON.
fn report(failure: &Failure, in_json: bool) {
    if matches!(failure, Failure::ReaderGone) {
        return;
    }
    note!("error: {failure}");
    if in_json {
        let text = failure.to_string();
        let (error, hint) = text.split_once("\nhint: ").map_or((&*text, None), |(error, hint)| (error, Some(hint)));
        let refusal = serde_json::json!({ "error": error, "hint": hint, "exit_code": failure.exit_code() });
        let _ = console::print(&format!("{refusal:#}\n"));
    }
}
