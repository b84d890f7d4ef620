//! `pyexec mcp`

use super::{Result, console::note, session};
use clap::Args;
use pyexec::server;

#[derive(Debug, Args)]
#[command(
    after_help = "In the configuration of a host, such as Claude Desktop or Cursor:\n  {\"mcpServers\": {\"python\": \
                  {\"command\": \"pyexec\", \"args\": [\"mcp\"]}}}\n\nA server has the same at /mcp."
)]
pub(crate) struct Arguments {
    /// Say nothing of what takes long, such as the first start
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    let quiet = arguments.quiet;
    server::serve_mcp(session::settings()?, move |line| {
        if !quiet {
            note!("pyexec: {line}");
        }
    })?;
    Ok(0)
}
