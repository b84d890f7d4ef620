//! Executions of this server: their records, which a store keeps, and what runs here.
//!
//! `record` is plain data, and the store is the only one who has it; `live` is what cannot be kept: the kill switch of an
//! execution and those who wait for it in this process.

#[cfg(test)]
mod contract;
mod decoder;
mod events;
mod live;
mod memory;
mod record;
mod store;

pub(crate) use self::{
    decoder::Decoder,
    events::{Event, EventKind, OUTPUT_BYTES_MAX, Printed, Stream},
    live::LiveExecution,
    memory::{MemoryStore, Retention},
    record::{End, ExecutionRecord, FileEntry, GrantedLimits, Terms},
    store::{Page, Query, RequestKey},
};
#[cfg(test)]
pub(crate) use self::{events::Update, record::samples};

use self::store::{ExecutionStore, Lease, Put};
use super::auth::Caller;
use crate::{Result, outcome::OutputFile, sync::lock};
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, empty},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::runtime::Handle;

/// How long a node may be silent before another can take over what it runs.
const LEASE: Duration = Duration::from_secs(30);

/// All executions.
#[derive(Debug)]
pub(crate) struct Executions {
    store: Arc<dyn ExecutionStore>,
    /// Name of this process among those that share the store.
    node: String,
    /// Those that run here, by id.
    live: Mutex<HashMap<String, Arc<LiveExecution>>>,
}

/// One execution, as a caller finds it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) record: Arc<ExecutionRecord>,
    /// Present when it runs here.
    pub(crate) live: Option<Arc<LiveExecution>>,
}

/// One execution, as one who waits for it or follows it has it.
#[derive(Debug, Clone)]
pub(crate) enum Followed {
    /// It runs here.
    Live(Arc<LiveExecution>),
    /// It has ended, or runs elsewhere.
    Record(Arc<ExecutionRecord>),
}

impl Followed {
    pub(crate) fn id(&self) -> &str {
        match self {
            Followed::Live(live) => &live.id,
            Followed::Record(record) => &record.id,
        }
    }
}

impl Found {
    pub(crate) fn followed(self) -> Followed {
        self.live.map_or(Followed::Record(self.record), Followed::Live)
    }
}

/// Says what a request leads to.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// It is new, and to be run here.
    New(Arc<LiveExecution>),
    /// The same request came before.
    Known(Followed),
    /// Another request came before with the same key.
    Conflict,
}

impl Executions {
    pub(crate) fn new(store: impl ExecutionStore + 'static) -> Arc<Executions> {
        let node = uuid::Uuid::new_v4().simple().to_string();
        Arc::new(Executions { store: Arc::new(store), node, live: Mutex::default() })
    }

    /// Accepts an execution, unless the same request came before.
    pub(crate) async fn accept(&self, caller: &Caller, request: Option<RequestKey>, terms: Terms) -> Result<Accepted> {
        loop {
            let record = ExecutionRecord::new(&caller.name, terms.clone());
            let live = Arc::new(LiveExecution::new(&record, caller.clone(), Arc::clone(&self.store)));
            self.live().insert(live.id.clone(), Arc::clone(&live));
            let mut unused = Unused { executions: self, id: Some(live.id.clone()) };
            match self.store.put(record, request.clone()).await? {
                Put::New => {
                    unused.id = None;
                    return Ok(Accepted::New(live));
                }
                Put::Conflict => return Ok(Accepted::Conflict),
                Put::Known(record) => {
                    let known = self.live().get(&record.id).cloned();
                    match known {
                        // It is about to be killed, and its request about to be forgotten.
                        Some(known) if record.end.is_none() && !known.join() => {
                            self.store.forget_request(&record.id).await?;
                        }
                        live => return Ok(Accepted::Known(Found { record, live }.followed())),
                    }
                }
            }
        }
    }

    /// Takes an execution on, to run it here; `None` when it is not to be run.
    pub(crate) async fn claim(&self, live: &LiveExecution) -> Result<Option<()>> {
        let lease = self.store.claim(&live.id, &self.node, LEASE).await?;
        if lease == Some(Lease { is_killed: true }) {
            live.kill();
        }
        live.claim();
        Ok(lease.map(drop))
    }

    /// Forgets an execution that was never accepted. Whoever has joined it in the meantime waits no longer.
    pub(crate) async fn withdraw(&self, live: &LiveExecution) -> Result<()> {
        self.live().remove(&live.id);
        let removed = self.store.remove(&live.id).await;
        live.end(None);
        removed
    }

    /// Notes that a caller that waited for an execution has gone. After the last one it is killed, and the same request
    /// leads to a new one, so that a client that lost its connection can try again.
    pub(crate) fn give_up(self: &Arc<Executions>, live: &Arc<LiveExecution>, runtime: &Handle) {
        if live.leave() {
            live.kill();
            let (executions, id) = (Arc::clone(self), live.id.clone());
            runtime.spawn(async move {
                if let Err(error) = executions.store.forget_request(&id).await {
                    tracing::error!(%error, %id, "cannot forget the request of an execution");
                }
            });
        }
    }

    /// Ends an execution, and tells everyone who waits for it.
    pub(crate) async fn finish(&self, live: &LiveExecution, end: End, files: Vec<OutputFile>) {
        let ended = match self.store.finish(&live.id, end, files).await {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, id = %live.id, "the end of an execution cannot be kept");
                None
            }
        };
        self.live().remove(&live.id);
        live.end(ended);
    }

    /// Finds an execution of an owner.
    pub(crate) async fn find(&self, owner: &str, id: &str) -> Result<Option<Found>> {
        // Looked for first: what has ended meanwhile is in the record.
        let live = self.live().get(id).cloned();
        let record = self.store.get(id).await?.filter(|record| record.owner == owner);
        Ok(record.map(|record| Found { record, live }))
    }

    pub(crate) async fn list(&self, query: &Query<'_>) -> Result<Option<Page>> {
        self.store.list(query).await
    }

    /// Asks an execution to stop, wherever it runs.
    pub(crate) async fn kill(&self, execution: &Followed) -> Result<()> {
        match execution {
            Followed::Live(live) => live.kill(),
            Followed::Record(record) if record.end.is_none() => self.store.request_kill(&record.id).await?,
            Followed::Record(_) => {}
        }
        Ok(())
    }

    /// Waits until an execution has ended; `None` when it was withdrawn or is forgotten.
    pub(crate) async fn finished(&self, execution: &Followed) -> Result<Option<Arc<ExecutionRecord>>> {
        match execution {
            Followed::Live(live) => Ok(live.finished().await),
            Followed::Record(record) if record.end.is_some() => Ok(Some(Arc::clone(record))),
            Followed::Record(record) => {
                let mut events = self.events_after(&record.id, 0).await?;
                while events.next().await.is_some() {}
                Ok(self.store.get(&record.id).await?.filter(|record| record.end.is_some()))
            }
        }
    }

    /// Follows the events of an execution; there are none of one that is forgotten.
    pub(crate) async fn events_after(&self, id: &str, after: u64) -> Result<BoxStream<'static, Event>> {
        Ok(self.store.events_after(id, after).await?.unwrap_or_else(|| Box::pin(empty())))
    }

    pub(crate) async fn file(&self, id: &str, path: &str) -> Result<Option<Bytes>> {
        self.store.file(id, path).await
    }

    /// Asks every execution that runs here to stop.
    pub(crate) fn kill_all(&self) {
        for live in self.live().values() {
            live.kill();
        }
    }

    /// Holds on to what runs here, and forgets what has been kept long enough.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let live: Vec<_> = self.live().values().filter(|live| live.is_claimed()).cloned().collect();
        for live in live {
            match self.store.heartbeat(&live.id, &self.node, LEASE).await? {
                Some(Lease { is_killed: false }) => {}
                // Or another node has it now; if it has just ended, that does no harm.
                Some(Lease { is_killed: true }) | None => live.kill(),
            }
        }
        self.store.sweep().await
    }

    /// Counts the executions that have ended and are kept, and their bytes.
    pub(crate) fn kept(&self) -> (usize, usize) {
        self.store.kept()
    }

    /// Locks what runs here; nothing panics while it is held.
    fn live(&self) -> MutexGuard<'_, HashMap<String, Arc<LiveExecution>>> {
        lock(&self.live)
    }
}

/// Takes an execution out again that nobody will run, also when its request is dropped meanwhile.
struct Unused<'a> {
    executions: &'a Executions,
    id: Option<String>,
}

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.executions.live().remove(id);
        }
    }
}

#[cfg(test)]
mod tests;
