//! Connects to Docker when the first job needs it, and again some time after a failure.

use super::{DockerExecutor, DockerOptions};
use crate::{Error, Result, sync::lock};
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

/// How long a daemon that could not be reached is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The Docker tier, when there is one.
pub(crate) enum Connection {
    /// There is none; why, and how to turn it on.
    Off(Error),
    On(Box<LazyExecutor>),
}

pub(crate) struct LazyExecutor {
    options: DockerOptions,
    executor: OnceLock<Arc<DockerExecutor>>,
    /// Held by who connects.
    connecting: tokio::sync::Mutex<()>,
    failed: Mutex<Option<Failed>>,
}

/// Holds why connecting failed the last time.
#[derive(Clone)]
struct Failed {
    at: Instant,
    why: Error,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection::on(DockerOptions::default())
    }
}

impl Connection {
    pub(crate) fn off(why: Error) -> Connection {
        Connection::Off(why)
    }

    pub(crate) fn on(options: DockerOptions) -> Connection {
        Connection::On(Box::new(LazyExecutor {
            options,
            executor: OnceLock::new(),
            connecting: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
        }))
    }

    /// Returns how many jobs may run in it at the same time.
    pub(crate) fn slots(&self) -> u32 {
        match self {
            Connection::Off(_) => 0,
            Connection::On(daemon) => daemon.options.slots,
        }
    }

    /// Returns whether it is meant to be used; if not, why.
    pub(crate) fn configured(&self) -> Result<()> {
        match self {
            Connection::Off(why) => Err(why.clone()),
            Connection::On(_) => Ok(()),
        }
    }

    /// Connects to the executor, if it is not yet.
    pub(crate) async fn executor(&self) -> Result<Arc<DockerExecutor>> {
        match self {
            Connection::Off(why) => Err(why.clone()),
            Connection::On(daemon) => daemon.executor().await,
        }
    }

    /// Connects like [`Connection::executor`], for what cannot do without.
    pub(crate) async fn connect(&self) -> Result<Arc<DockerExecutor>> {
        self.executor().await
    }

    /// Returns the executor, if it is connected.
    pub(crate) fn connected(&self) -> Option<&Arc<DockerExecutor>> {
        match self {
            Connection::Off(_) => None,
            Connection::On(daemon) => daemon.executor.get(),
        }
    }

    /// Returns whether it can be used, as far as is known; if not, why.
    pub(crate) fn state(&self) -> Result<()> {
        match self {
            Connection::Off(why) => Err(why.clone()),
            Connection::On(daemon) if daemon.executor.get().is_some() => Ok(()),
            Connection::On(daemon) => daemon.failed().map_or(Ok(()), |failed| Err(failed.why)),
        }
    }
}

impl LazyExecutor {
    async fn executor(&self) -> Result<Arc<DockerExecutor>> {
        if let Some(executor) = self.executor.get() {
            return Ok(Arc::clone(executor));
        }
        let _connecting = self.connecting.lock().await;
        if let Some(executor) = self.executor.get() {
            return Ok(Arc::clone(executor));
        }
        if let Some(failed) = self.failed().filter(|failed| failed.at.elapsed() < RETRY_AFTER) {
            return Err(failed.why);
        }
        let options = self.options.clone();
        let connected = tokio::task::spawn_blocking(|| DockerExecutor::connect(options)).await;
        let connected = connected.unwrap_or_else(|fault| Err(Error::caused("connecting to Docker failed", fault)));
        let failed = match connected {
            Ok(executor) => return Ok(Arc::clone(self.executor.get_or_init(|| Arc::new(executor)))),
            Err(why) => Failed { at: Instant::now(), why },
        };
        let why = failed.why.clone();
        *lock(&self.failed) = Some(failed);
        Err(why)
    }

    fn failed(&self) -> Option<Failed> {
        lock(&self.failed).clone()
    }
}
