//! `pyexec submit`

use super::{
    Result,
    client::Client,
    console::{note, print},
    interrupt::{INTERRUPTED, interruptible},
    options::{ServerOptions, UnusedFlags},
    remote,
    request::JobRequest,
    run::Program,
};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pyexec follow $(pyexec submit project/)")]
pub(crate) struct Arguments {
    #[command(flatten)]
    program: Program,

    /// Keep the files that the script makes or changes, for follow --out
    #[arg(long, help_heading = "Job")]
    keep_files: bool,

    #[command(flatten)]
    server: ServerOptions,

    /// Print the execution's id and nothing else
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    quiet: bool,

    /// Print what can be done with the execution to stderr
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,

    #[command(flatten)]
    _unused: UnusedFlags,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let client = arguments.server.named_or_usual(arguments.quiet)?;
    let mut request = arguments.program.request(arguments.quiet)?;
    request.collect_files = arguments.keep_files;
    start(client, request, arguments.verbose)
}

/// Starts a project and prints its id.
pub(crate) fn start(client: Client, request: JobRequest, verbose: bool) -> Result<u8> {
    let Some(id) = interruptible(move || remote::submit(&client, &request))? else { return Ok(INTERRUPTED) };
    let id = id?;
    print(&format!("{id}\n"))?;
    if verbose {
        note!("pyexec: pyexec follow {id} shows its output; pyexec kill {id} ends it");
    }
    Ok(0)
}
