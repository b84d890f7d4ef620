//! `pyexec man`

use super::{Cli, Failure, Result, console::print};
use clap::{Args, CommandFactory};
use std::{fs, path::PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pyexec man | man -l -\n  pyexec man ~/.local/share/man/man1")]
pub(crate) struct Arguments {
    /// Write the pages of all subcommands there, instead of the main page to stdout
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.folder {
        Some(folder) => fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .map_err(|e| Failure::Usage(format!("cannot write to {}: {e}", folder.display())))?,
        None => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|e| Failure::Fault(format!("cannot make the page: {e}")))?;
            print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(0)
}
