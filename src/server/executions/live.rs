//! An execution that runs in this process: what a record cannot keep.

use super::{
    events::{Printed, Stream, Update},
    record::ExecutionRecord,
    store::ExecutionStore,
};
use crate::{Result, server::auth::Caller};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Instant, SystemTime},
};
use tokio::sync::watch;

/// One execution, for its task and for those who wait for it here.
#[derive(Debug)]
pub(crate) struct LiveExecution {
    pub(crate) id: String,
    pub(crate) caller: Caller,
    pub(crate) queued_at: Instant,
    store: Arc<dyn ExecutionStore>,
    started: OnceLock<SystemTime>,
    is_claimed: AtomicBool,
    kill: watch::Sender<bool>,
    /// Requests that led to it and were not given up; from 0 there is no way back.
    wanted: AtomicUsize,
    ended: watch::Sender<Ended>,
}

/// Says what those who wait are waiting for.
#[derive(Debug, Clone)]
enum Ended {
    NotYet,
    /// With its record, unless it was withdrawn.
    With(Option<Arc<ExecutionRecord>>),
}

impl LiveExecution {
    pub(super) fn new(record: &ExecutionRecord, caller: Caller, store: Arc<dyn ExecutionStore>) -> LiveExecution {
        LiveExecution {
            id: record.id.clone(),
            caller,
            queued_at: Instant::now(),
            store,
            started: OnceLock::new(),
            is_claimed: AtomicBool::new(false),
            kill: watch::Sender::new(false),
            wanted: AtomicUsize::new(1),
            ended: watch::Sender::new(Ended::NotYet),
        }
    }

    pub(crate) fn started(&self) -> Option<SystemTime> {
        self.started.get().copied()
    }

    pub(crate) fn start(&self) {
        let now = SystemTime::now();
        // Only its own task starts it, once.
        if self.started.set(now).is_ok() {
            self.update(Update::Started(now));
        }
    }

    /// Sets what goes on before its script starts; `None` when it does.
    pub(crate) fn set_progress(&self, text: Option<&str>) {
        self.update(Update::Progress(text.map(str::to_owned)));
    }

    /// Notes that its script starts again.
    pub(crate) fn restarted(&self, reason: String) {
        self.update(Update::Restarted(reason));
    }

    /// Adds output of one of its streams.
    pub(crate) fn output(&self, stream: Stream, text: String) {
        if !text.is_empty() {
            self.update(Update::Output(stream, text));
        }
    }

    /// Returns what it has printed so far.
    pub(crate) async fn printed(&self) -> Result<Printed> {
        self.store.printed(&self.id).await
    }

    fn update(&self, update: Update) {
        self.store.append_event(&self.id, update);
    }

    /// Asks it to stop.
    pub(crate) fn kill(&self) {
        self.kill.send_replace(true);
    }

    /// Waits until someone asks it to stop.
    pub(crate) async fn killed(&self) {
        let mut kill = self.kill.subscribe();
        // The sender lives as long as this execution does.
        let _ = kill.wait_for(|&killed| killed).await;
    }

    /// Notes that this process runs it.
    pub(super) fn claim(&self) {
        self.is_claimed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.is_claimed.load(Ordering::Relaxed)
    }

    /// Adds one who waits for it; `false` when it was given up.
    pub(super) fn join(&self) -> bool {
        let more = |wanted| (wanted > 0).then_some(wanted + 1);
        self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Takes one away who waits for it; `true` when that was the last one, and it has not ended.
    pub(super) fn leave(&self) -> bool {
        let fewer = |wanted: usize| wanted.checked_sub(1);
        let left = self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        left == Ok(1) && !self.has_ended()
    }

    /// Tells those who wait that it has ended, or was withdrawn.
    pub(super) fn end(&self, record: Option<Arc<ExecutionRecord>>) {
        self.ended.send_replace(Ended::With(record));
    }

    pub(crate) fn has_ended(&self) -> bool {
        !matches!(&*self.ended.borrow(), Ended::NotYet)
    }

    /// Waits until it has ended; `None` when it was withdrawn.
    pub(crate) async fn finished(&self) -> Option<Arc<ExecutionRecord>> {
        let mut ended = self.ended.subscribe();
        let ended = ended.wait_for(|ended| !matches!(ended, Ended::NotYet)).await;
        match ended.map(|ended| ended.clone()) {
            Ok(Ended::With(record)) => record,
            // The sender lives as long as this execution does.
            Ok(Ended::NotYet) | Err(_) => None,
        }
    }
}
