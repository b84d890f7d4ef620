//! `pyexec completions`

use super::{Cli, Result, console::print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

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
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
