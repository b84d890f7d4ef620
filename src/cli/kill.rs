//! `pyexec kill`

use super::{
    Result,
    console::{note, print},
    options::{ServerOptions, UnusedFlags},
};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Executions to end
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,

    #[command(flatten)]
    server: ServerOptions,

    /// Print errors only
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    _unused: UnusedFlags,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let client = arguments.server.named_or_usual(arguments.quiet)?;
    let mut failed = None;
    for id in &arguments.ids {
        match client.kill(id) {
            Ok(status) if arguments.quiet => drop(status),
            Ok(status) if status == "killed" => print(&format!("{id} killed\n"))?,
            Ok(status) => print(&format!("{id} had ended already: {status}\n"))?,
            // The others are killed nevertheless, and the last failure is reported at the end.
            Err(failure) => {
                if let Some((id, failure)) = failed.replace((id, failure)) {
                    note!("error: {id}: {failure}");
                }
            }
        }
    }
    match failed {
        None => Ok(0),
        Some((id, failure)) => Err(failure.of(id)),
    }
}
