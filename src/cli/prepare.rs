//! `pyexec prepare`

use super::{Result, console::note, session};
use clap::Args;
use pyexec::Verification;
use std::time::Instant;

#[derive(Debug, Args)]
#[command(
    after_help = "The result lies in pyexec/images in your cache folder, or in PYEXEC_CACHE_DIR. It is used by every \
                        later start of the same version."
)]
pub(crate) struct Arguments {
    /// Say nothing
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let began = Instant::now();
    // Also finds out whether what is already there is intact.
    session::builder(arguments.quiet).verification(Verification::Full).build()?;
    if !arguments.quiet {
        note!("ready in {:.1} s: Python {}", began.elapsed().as_secs_f64(), pyexec::PYTHON_VERSION);
    }
    Ok(0)
}
