//! Where records of executions are kept, with their events and files.

use super::{
    events::{Event, Printed, Update},
    record::{End, ExecutionRecord},
};
use crate::{Result, outcome::OutputFile, server::api::Status};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::{fmt, sync::Arc, time::Duration};

/// Keeps records for all nodes that share it. `contract` says what each implementation has to do.
///
/// A node that runs an execution holds a lease on it and alone writes to it; any node may read.
#[async_trait]
pub(crate) trait ExecutionStore: fmt::Debug + Send + Sync {
    /// Adds a record, unless the request that it came with is known.
    async fn put(&self, record: ExecutionRecord, request: Option<RequestKey>) -> Result<Put>;

    async fn get(&self, id: &str) -> Result<Option<Arc<ExecutionRecord>>>;

    /// Lists records of one owner, newest first; `None` when there is no record to go on after.
    async fn list(&self, query: &Query<'_>) -> Result<Option<Page>>;

    /// Forgets an execution that was never accepted; who follows it waits no longer.
    async fn remove(&self, id: &str) -> Result<()>;

    /// Lets the request that led to an execution lead to a new one.
    async fn forget_request(&self, id: &str) -> Result<()>;

    /// Takes an execution on for a while: `None` when another node has it, or it has ended.
    async fn claim(&self, id: &str, node: &str, lease: Duration) -> Result<Option<Lease>>;

    /// Holds an execution for a while longer: `None` when another node has it now, or it has ended.
    async fn heartbeat(&self, id: &str, node: &str, lease: Duration) -> Result<Option<Lease>>;

    /// Asks whoever runs it, now or later, to stop.
    async fn request_kill(&self, id: &str) -> Result<()>;

    /// Notes an update, in order, without waiting for it.
    fn append_event(&self, id: &str, update: Update);

    /// Follows the events after number `after`, until the end.
    async fn events_after(&self, id: &str, after: u64) -> Result<Option<BoxStream<'static, Event>>>;

    /// Returns what it has printed so far.
    async fn printed(&self, id: &str) -> Result<Printed>;

    /// Ends an execution. What would not fit is left out of what is returned, which is what is kept.
    async fn finish(&self, id: &str, end: End, files: Vec<OutputFile>) -> Result<Option<Arc<ExecutionRecord>>>;

    /// Returns a file that it made.
    async fn file(&self, id: &str, path: &str) -> Result<Option<Bytes>>;

    /// Forgets what has been kept long enough.
    async fn sweep(&self) -> Result<()>;

    /// Counts the executions that have ended and are kept here, and their bytes.
    fn kept(&self) -> (usize, usize);
}

/// The key that a client gave to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestKey {
    pub(crate) key: String,
    /// Of what it asked for.
    pub(crate) digest: [u8; 32],
}

/// Says what a request leads to.
#[derive(Debug)]
pub(crate) enum Put {
    /// It is new.
    New,
    /// The same request came before.
    Known(Arc<ExecutionRecord>),
    /// Another request came before with the same key.
    Conflict,
}

/// Says which records are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) owner: &'a str,
    pub(crate) status: Option<Status>,
    /// The last one of the page before.
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: usize,
}

/// Some records, and whether there are more.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<Arc<ExecutionRecord>>,
    pub(crate) is_last: bool,
}

/// What a node is told that holds an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Someone asked for it to stop.
    pub(crate) is_killed: bool,
}
