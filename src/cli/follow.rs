//! `pyexec follow`

use super::{
    Result,
    options::{OutOption, OutputOptions, ServerOptions, UnusedFlags},
    remote::{self, View},
    session::Show,
};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Exits with the script's code. Ctrl-C ends the watching, not the execution.")]
pub(crate) struct Arguments {
    /// The execution, as submit printed it
    #[arg(value_name = "ID")]
    id: String,

    #[command(flatten)]
    out: OutOption,

    #[command(flatten)]
    server: ServerOptions,

    #[command(flatten)]
    output: OutputOptions,

    #[command(flatten)]
    _unused: UnusedFlags,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { id, out, server, output, _unused: _ } = arguments;
    let out = out.checked()?;
    let client = server.named_or_usual(output.quiet)?;
    remote::follow(client, id, View { output, show: Show::Result, out })
}
