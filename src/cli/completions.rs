//! `pyexec completions`

use super::{Cli, Result, report::write};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pyexec completions bash > ~/.local/share/bash-completion/completions/pyexec")]
pub(crate) struct Arguments {
    /// The shell to complete in
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "pyexec", &mut script);
    write(io::stdout().lock(), &script);
    Ok(0)
}
