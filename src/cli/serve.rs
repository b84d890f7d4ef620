//! `pyexec serve`

use super::{Result, config::SettingsOptions, console::note, log};
use clap::Args;
use pyexec::server;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Write as _};

#[derive(Debug, Args)]
#[command(
    after_help = "Settings come from the defaults, a TOML file, the environment, and flags; each overrides the one before. \
                        `pyexec config` shows what is in effect, `pyexec config --example` prints a file to start from.\n\n\
                        When it is ready, the server's address is printed to stdout; the log goes to stderr. The first SIGTERM or \
                        Ctrl-C lets executions end, a second kills them."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: SettingsOptions,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let settings = arguments.settings.load()?.settings;
    log::start(&settings)?;
    allow_open_files();
    server::serve(
        settings,
        |line| note!("pyexec: {line}"),
        |address| {
            // Whoever started it may not read this.
            let _ = writeln!(io::stdout(), "http://{address}");
        },
    )?;
    Ok(0)
}

/// Connections and the files of jobs are more than the limit that a process commonly starts with, which is there for old
/// programs; it may have as many as the hard limit says.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}
