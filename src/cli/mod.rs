//! The command line. What a script prints to stdout is all that goes to stdout; everything else goes to stderr.

mod config;
mod eval;
mod options;
mod prepare;
mod run;
mod session;

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
                  interrupted; 134 the interpreter crashed; 137 memory limit; 139 stack overflow.",
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
    /// Compile the interpreter now instead of at its first use
    Prepare(prepare::Arguments),
    /// Print the settings that `pyexec serve` would have, and where each comes from
    Config(config::Arguments),
    /// Print versions
    Version,
}

/// A reason to stop before or without running the script.
#[derive(Debug)]
enum Failure {
    /// The user can mend the command: exit code 2.
    Usage(String),
    /// We cannot do our part: exit code 125.
    Fault(pyexec::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(message) => f.write_str(message),
            Failure::Fault(error) => write!(f, "{error}"),
        }
    }
}

impl From<pyexec::Error> for Failure {
    fn from(error: pyexec::Error) -> Failure {
        match error {
            pyexec::Error::InvalidJob { message } => Failure::Usage(message),
            pyexec::Error::InvalidSettings { problems } => Failure::Usage(problems.join("\nerror: ")),
            error => Failure::Fault(error),
        }
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Prepare(arguments) => prepare::run(&arguments),
        Command::Config(arguments) => config::run(arguments),
        Command::Version => {
            println!("pyexec {}\nCPython {} (WebAssembly)", env!("CARGO_PKG_VERSION"), pyexec::PYTHON_VERSION);
            Ok(0)
        }
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
