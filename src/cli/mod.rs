//! The command line. What a script prints to stdout is all that goes to stdout; everything else goes to stderr.

mod bake;
mod client;
mod completions;
mod config;
mod env;
mod eval;
mod follow;
mod interrupt;
mod kill;
mod list;
mod man;
mod options;
mod order;
mod prepare;
mod progress;
mod remote;
mod replay;
mod report;
mod request;
mod run;
mod serve;
mod session;
mod sse;
mod submit;
mod version;
mod wire;

use clap::{Parser, Subcommand};
use std::{fmt, process::ExitCode};

/// Run untrusted Python: at once, and with nothing but what you give it.
#[derive(Debug, Parser)]
#[command(
    name = "pyexec",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: the script's own; 2 wrong usage; 124 time or CPU limit; 125 pyexec is at fault; 130 \
                  interrupted; 134 the interpreter crashed; 137 memory limit or killed; 139 stack overflow.",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a script, a folder, a tar archive, or code from stdin
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
    /// Compile the interpreter now instead of at its first use
    Prepare(prepare::Arguments),
    /// Install packages beforehand; list and remove what is installed
    Env(env::Arguments),
    #[command(hide = true)]
    Bake(bake::Arguments),
    /// Serve executions over HTTP
    Serve(serve::Arguments),
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
    /// We cannot do our part: exit code 125.
    Fault(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) | Failure::Fault(message) => f.write_str(message),
        }
    }
}

impl From<pyexec::Error> for Failure {
    fn from(error: pyexec::Error) -> Failure {
        match error {
            pyexec::Error::InvalidJob { message, .. } => Failure::Usage(message),
            pyexec::Error::InvalidSettings { problems } => Failure::Usage(problems.join("\nerror: ")),
            error => Failure::Fault(error.to_string()),
        }
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse_from(order::flags_behind_subcommand(std::env::args_os()));
    let done = match cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Prepare(arguments) => prepare::run(&arguments),
        Command::Env(arguments) => env::run(arguments),
        Command::Bake(arguments) => bake::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Submit(arguments) => submit::run(arguments),
        Command::Follow(arguments) => follow::run(arguments),
        Command::Kill(arguments) => kill::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(match failure {
                Failure::Usage(_) => 2,
                Failure::Fault(_) => 125,
            })
        }
    }
}
