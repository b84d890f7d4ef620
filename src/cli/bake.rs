//! Packages that a job has used are baked when this process is done with it, by another one that nobody waits for.

use super::{Failure, Result, console::note, session};
use clap::Args;
use pyexec::{BakeOrder, Baking, Progress, Requirements};
use std::{
    env,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

/// `pyexec bake`, for this program itself.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Requirements, as in requirements.txt
    #[arg(value_name = "PACKAGE", required = true)]
    packages: Vec<String>,

    /// Modules to import, instead of those of the packages
    #[arg(long, value_name = "MODULE")]
    preload: Vec<String>,
}

/// Has them baked by a process of their own, which goes on when this one has ended.
pub(crate) fn start(orders: Vec<BakeOrder>, quiet: bool) {
    for BakeOrder { requirements, preload, .. } in orders {
        let lines = requirements.to_string();
        let mut command = Command::new(env::current_exe().unwrap_or_else(|_| "pyexec".into()));
        command.arg("bake").args(preload.iter().map(|module| format!("--preload={module}")));
        command.arg("--").args(lines.lines());
        // What ends this process at a terminal is not meant for it.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Without it everything works, only slower.
        if command.spawn().is_ok() && !quiet {
            let packages = lines.lines().collect::<Vec<_>>().join(", ");
            note!("pyexec: {packages} will start at once in a few seconds (prepared in the background)");
        }
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { packages, preload } = arguments;
    let requirements = Requirements::from_list(packages.iter().map(String::as_str))?;
    let settings = session::settings()?;
    let pyexec = session::builder(true).settings(&settings).baking(Baking::OnOrder).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    runtime.block_on(pyexec.bake(&BakeOrder::new(requirements, preload), &Progress::silent()))?;
    Ok(0)
}
