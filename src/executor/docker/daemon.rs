//! The daemon: every call has a time by which it must have answered.

use super::options::DockerOptions;
use crate::{Error, Hint, Result};
use bollard::{API_DEFAULT_VERSION, Docker, models::SystemInfo};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::watch};

/// For calls that only ask.
const ASK: Duration = Duration::from_secs(10);
/// For calls that make or unmake something.
const WORK: Duration = Duration::from_secs(30);

/// Connects this process with one daemon.
pub(crate) struct Daemon {
    client: Docker,
    options: DockerOptions,
    runtime: Handle,
    closing: watch::Sender<bool>,
}

/// Says why a call failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The daemon answered no.
    Refused { status: u16, message: String },
    /// There was nobody to ask.
    Unreachable(String),
    /// It was asked, and what came of it is not known.
    Lost(String),
}

impl Daemon {
    /// Connects, and checks that the daemon holds limits.
    pub(crate) async fn connect(options: DockerOptions, runtime: Handle) -> Result<Arc<Daemon>> {
        options.instance.check()?;
        let socket = options.socket.as_str();
        let hint = |fault: Fault| {
            Error::caused(format!("cannot use Docker at {socket}"), fault.to_string()).with_hint(Hint::StartDocker)
        };
        if let Some(context) = socket.strip_prefix("context://") {
            return Err(Error::unavailable(format!(
                "there is no Docker context {context}, which DOCKER_CONTEXT or the settings of Docker's command name"
            ))
            .with_hint("`docker context ls` shows those that are there"));
        }
        if let Some((scheme, _)) = socket.split_once("://")
            && !matches!(scheme, "unix" | "tcp" | "http")
        {
            return Err(Error::unavailable(format!(
                "Docker is at {socket}, as DOCKER_HOST or the context in use says, and only unix://PATH and \
                 tcp://HOST:PORT can be used"
            ))
            .with_hint(Hint::NameDockerSocket));
        }
        let seconds = WORK.as_secs();
        let client = if socket.starts_with("tcp://") || socket.starts_with("http://") {
            Docker::connect_with_http(socket, seconds, API_DEFAULT_VERSION)
        } else {
            Docker::connect_with_unix(socket, seconds, API_DEFAULT_VERSION)
        };
        let client = client.map_err(|error| hint(error.into()))?;
        let client = within(ASK, client.negotiate_version()).await.map_err(hint)?;
        let info = within(ASK, client.info()).await.map_err(hint)?;
        check_limits(&info, options.allow_unenforced_limits)?;
        Ok(Arc::new(Daemon { client, options, runtime, closing: watch::Sender::new(false) }))
    }

    /// Returns the client for calls of any kind, which [`Daemon::ask`] and [`Daemon::work`] bound.
    pub(crate) fn client(&self) -> &Docker {
        &self.client
    }

    pub(crate) fn options(&self) -> &DockerOptions {
        &self.options
    }

    /// Returns the name of the instance, which is on all that it makes.
    pub(crate) fn instance(&self) -> &str {
        self.options.instance.name()
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Tells whether the executor is shutting down.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(crate) async fn ask<T>(&self, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
        within(ASK, call).await
    }

    pub(crate) async fn work<T>(&self, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
        within(WORK, call).await
    }
}

type Reply<T> = std::result::Result<T, bollard::errors::Error>;

async fn within<T>(longest: Duration, call: impl Future<Output = Reply<T>>) -> Result<T, Fault> {
    match tokio::time::timeout(longest, call).await {
        Ok(reply) => reply.map_err(Fault::from),
        Err(_) => Err(Fault::Lost(format!("no answer from Docker in {} s", longest.as_secs()))),
    }
}

fn check_limits(info: &SystemInfo, allow: bool) -> Result<()> {
    let missing: Vec<_> = [("memory", info.memory_limit), ("processes", info.pids_limit), ("CPU", info.cpu_shares)]
        .into_iter()
        .filter_map(|(what, held)| (held != Some(true)).then_some(what))
        .collect();
    if info.swap_limit != Some(true) {
        tracing::warn!("this Docker cannot limit swap: jobs may use it beyond their memory");
    }
    let has_seccomp = info.security_options.iter().flatten().any(|option| option.contains("seccomp"));
    if !has_seccomp {
        tracing::warn!("this Docker has no seccomp: jobs can make every system call");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what = missing.join(", ");
    if allow {
        tracing::warn!("this Docker does not limit {what}: jobs can exhaust the machine");
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "this Docker does not limit {what} (a rootless one needs cgroup v2 with these delegated): jobs could exhaust the \
         machine; allow unenforced limits to use it all the same"
    )))
}

impl From<bollard::errors::Error> for Fault {
    fn from(error: bollard::errors::Error) -> Fault {
        use bollard::errors::Error as E;
        match error {
            E::DockerResponseServerError { status_code, message } => Fault::Refused { status: status_code, message },
            E::SocketNotFoundError(path) => Fault::Unreachable(format!("there is no socket {path}")),
            E::HyperLegacyError { err } if err.is_connect() => Fault::Unreachable(sources(&err)),
            error => Fault::Lost(sources(&error)),
        }
    }
}

/// Words an error with its causes, which alone say what is wrong.
fn sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused { status, message } => write!(f, "{message} (status {status})"),
            Fault::Unreachable(message) | Fault::Lost(message) => f.write_str(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_does_not_hold_limits_is_refused_unless_allowed() {
        let held = SystemInfo {
            memory_limit: Some(true),
            pids_limit: Some(true),
            cpu_shares: Some(true),
            swap_limit: Some(true),
            ..SystemInfo::default()
        };
        assert!(check_limits(&held, false).is_ok());
        let rootless = SystemInfo { memory_limit: Some(false), pids_limit: None, ..held };
        let refusal = check_limits(&rootless, false).expect_err("refused").to_string();
        assert!(refusal.contains("does not limit memory, processes"), "{refusal}");
        assert!(check_limits(&rootless, true).is_ok());
    }
}
