//! MCP: one tool, `run_python`, for hosts of language models.
//!
//! `tool` says what it is, and takes requests; `arguments` reads what came, `run` makes a job or a call of a session of it,
//! `answer` renders what came of that. `endpoint` is the way over HTTP; [`serve_stdio`] that over standard input and output.
//! The protocol itself, with its revisions, is the crate `rmcp`, which is known only here.

mod answer;
mod arguments;
mod endpoint;
mod run;
mod tool;

pub(crate) use endpoint::{Endpoint, mcp};

use crate::{Error, Pyexec, Result, config::Settings, sessions::Sessions};
use rmcp::{ServiceExt as _, service::ServerInitializeError, transport::io::stdio_pipes};
use std::sync::{Arc, atomic::AtomicUsize};
use tokio::runtime::Handle;
use tool::Face;

/// Owner of the sessions where there is one client.
const LOCAL: &str = "local";

/// What calls of the tool run on.
pub(crate) struct Host {
    pyexec: Pyexec,
    /// `None` when another process has them.
    sessions: Option<Sessions>,
    settings: Settings,
    /// Where code runs.
    jobs: Handle,
    /// Calls that are on their way.
    calls: AtomicUsize,
}

impl Host {
    pub(crate) fn new(pyexec: Pyexec, sessions: Option<Sessions>, settings: Settings, jobs: Handle) -> Arc<Host> {
        Arc::new(Host { pyexec, sessions, settings, jobs, calls: AtomicUsize::new(0) })
    }
}

/// Serves one client on standard input and output, until it closes them.
pub(crate) async fn serve_stdio(host: Arc<Host>) -> Result<()> {
    let failed = |e| Error::caused("cannot speak with the client", e);
    let service = match Face::new(host, Some(LOCAL)).serve(stdio_pipes()).await {
        Ok(service) => service,
        // It has looked whether the command is there, or has gone.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(failed(std::io::Error::other(error))),
    };
    service.waiting().await.map_err(|fault| failed(std::io::Error::other(fault)))?;
    Ok(())
}
