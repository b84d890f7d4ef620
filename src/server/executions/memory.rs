//! Keeps executions in memory, within bounds: those that wait or run, and those that ended a while ago. A restart forgets
//! them.

use super::{
    events::{Event, EventLog, Printed, Update, follow},
    record::{End, ExecutionRecord},
    store::{ExecutionStore, Lease, Page, Put, Query, RequestKey},
};
use crate::{Result, outcome::OutputFile, server::api::Status, sync::lock};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// Holds what is kept of executions that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) time: Duration,
    pub(crate) count_max: usize,
    pub(crate) bytes_max: usize,
}

/// Executions of this process.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    retention: Retention,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Entry>,
    /// In the order in which they came: the number is the cursor of lists.
    by_number: BTreeMap<u64, String>,
    count: u64,
    ended: VecDeque<Ended>,
    bytes: usize,
    /// By owner and the key they gave: the digest of the request, and the execution.
    requests: HashMap<(String, String), ([u8; 32], String)>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    record: Arc<ExecutionRecord>,
    events: Arc<EventLog>,
    files: Vec<OutputFile>,
    request: Option<(String, String)>,
    holder: Option<(String, Instant)>,
    is_killed: bool,
}

#[derive(Debug)]
struct Ended {
    at: Instant,
    id: String,
    bytes: usize,
}

impl MemoryStore {
    pub(crate) fn new(retention: Retention) -> MemoryStore {
        MemoryStore { retention, inner: Mutex::default() }
    }

    /// Locks the store, without what has been kept long enough; nothing here panics while it is held.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = lock(&self.inner);
        inner.evict(&self.retention);
        inner
    }
}

#[async_trait]
impl ExecutionStore for MemoryStore {
    async fn put(&self, record: ExecutionRecord, request: Option<RequestKey>) -> Result<Put> {
        let mut inner = self.lock();
        let mut known_by = None;
        if let Some(RequestKey { key, digest }) = request {
            let name = (record.owner.clone(), key);
            if let Some((known, id)) = inner.requests.get(&name) {
                return Ok(match inner.by_id.get(id) {
                    Some(entry) if *known == digest => Put::Known(Arc::clone(&entry.record)),
                    _ => Put::Conflict,
                });
            }
            inner.requests.insert(name.clone(), (digest, record.id.clone()));
            known_by = Some(name);
        }
        let events = Arc::new(EventLog::default());
        events.state(Status::Pending);
        inner.count += 1;
        let number = inner.count;
        inner.by_number.insert(number, record.id.clone());
        let entry = Entry {
            number,
            events,
            files: Vec::new(),
            request: known_by,
            holder: None,
            is_killed: false,
            record: Arc::new(record),
        };
        inner.by_id.insert(entry.record.id.clone(), entry);
        Ok(Put::New)
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<ExecutionRecord>>> {
        Ok(self.lock().by_id.get(id).map(|entry| Arc::clone(&entry.record)))
    }

    async fn list(&self, query: &Query<'_>) -> Result<Option<Page>> {
        let inner = self.lock();
        let end = match query.after {
            None => u64::MAX,
            Some(id) => match inner.by_id.get(id).filter(|entry| entry.record.owner == query.owner) {
                Some(entry) => entry.number,
                None => return Ok(None),
            },
        };
        let records = inner.by_number.range(..end).rev().filter_map(|(_, id)| Some(&inner.by_id.get(id)?.record));
        let mut matching = records.filter(|record| {
            record.owner == query.owner && query.status.is_none_or(|wanted| record.status() == wanted)
        });
        let records = matching.by_ref().take(query.limit).cloned().collect();
        Ok(Some(Page { records, is_last: matching.next().is_none() }))
    }

    async fn remove(&self, id: &str) -> Result<()> {
        self.lock().remove(id);
        Ok(())
    }

    async fn forget_request(&self, id: &str) -> Result<()> {
        let mut inner = self.lock();
        if let Some(name) = inner.by_id.get_mut(id).and_then(|entry| entry.request.take()) {
            inner.requests.remove(&name);
        }
        Ok(())
    }

    async fn claim(&self, id: &str, node: &str, lease: Duration) -> Result<Option<Lease>> {
        let mut inner = self.lock();
        let Some(entry) = inner.by_id.get_mut(id).filter(|entry| entry.record.end.is_none()) else { return Ok(None) };
        if entry.holder.as_ref().is_some_and(|(holder, until)| holder != node && *until > Instant::now()) {
            return Ok(None);
        }
        entry.holder = Some((node.to_owned(), Instant::now() + lease));
        Arc::make_mut(&mut entry.record).attempts += 1;
        Ok(Some(Lease { is_killed: entry.is_killed }))
    }

    async fn heartbeat(&self, id: &str, node: &str, lease: Duration) -> Result<Option<Lease>> {
        let mut inner = self.lock();
        let Some(entry) = inner.by_id.get_mut(id).filter(|entry| entry.record.end.is_none()) else { return Ok(None) };
        let Some((_, until)) = entry.holder.as_mut().filter(|(holder, _)| holder == node) else { return Ok(None) };
        *until = Instant::now() + lease;
        Ok(Some(Lease { is_killed: entry.is_killed }))
    }

    async fn request_kill(&self, id: &str) -> Result<()> {
        if let Some(entry) = self.lock().by_id.get_mut(id) {
            entry.is_killed = true;
        }
        Ok(())
    }

    fn append_event(&self, id: &str, update: Update) {
        let events = {
            let mut inner = self.lock();
            let Some(entry) = inner.by_id.get_mut(id).filter(|entry| entry.record.end.is_none()) else { return };
            if !matches!(update, Update::Output(..)) {
                Arc::make_mut(&mut entry.record).apply(&update);
            }
            Arc::clone(&entry.events)
        };
        events.add(update);
    }

    async fn events_after(&self, id: &str, after: u64) -> Result<Option<BoxStream<'static, Event>>> {
        Ok(self.lock().by_id.get(id).map(|entry| follow(Arc::clone(&entry.events), after)))
    }

    async fn printed(&self, id: &str) -> Result<Printed> {
        let events = self.lock().by_id.get(id).map(|entry| Arc::clone(&entry.events));
        Ok(events.map(|events| events.printed()).unwrap_or_default())
    }

    async fn finish(&self, id: &str, end: End, mut files: Vec<OutputFile>) -> Result<Option<Arc<ExecutionRecord>>> {
        let mut inner = self.lock();
        let Some(entry) = inner.by_id.get_mut(id).filter(|entry| entry.record.end.is_none()) else { return Ok(None) };
        let record = Arc::make_mut(&mut entry.record);
        record.finish(end, &mut files, self.retention.bytes_max);
        entry.events.state(record.status());
        let files_bytes: usize = files.iter().map(|file| file.content.len()).sum();
        let bytes = record.bytes() + files_bytes + entry.events.bytes();
        entry.files = files;
        entry.events.end();
        let record = Arc::clone(&entry.record);
        inner.bytes += bytes;
        inner.ended.push_back(Ended { at: Instant::now(), id: id.to_owned(), bytes });
        inner.evict(&self.retention);
        Ok(Some(record))
    }

    async fn file(&self, id: &str, path: &str) -> Result<Option<Bytes>> {
        let inner = self.lock();
        let files = inner.by_id.get(id).map_or(&[][..], |entry| &entry.files);
        Ok(files.iter().find(|file| file.path == path).map(|file| file.content.clone()))
    }

    async fn sweep(&self) -> Result<()> {
        drop(self.lock());
        Ok(())
    }

    fn kept(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.ended.len(), inner.bytes)
    }
}

impl Inner {
    fn evict(&mut self, retention: &Retention) {
        while let Some(Ended { at, .. }) = self.ended.front() {
            // The newest was made to fit, except for its events.
            let is_within =
                self.ended.len() <= retention.count_max && (self.bytes <= retention.bytes_max || self.ended.len() == 1);
            if is_within && at.elapsed() < retention.time {
                return;
            }
            if let Some(Ended { id, bytes, .. }) = self.ended.pop_front() {
                self.bytes -= bytes;
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        let Some(entry) = self.by_id.remove(id) else { return };
        self.by_number.remove(&entry.number);
        if let Some(name) = entry.request {
            self.requests.remove(&name);
        }
        entry.events.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::executions::{
        contract,
        record::{Terms, samples::end},
    };

    fn store(count_max: usize, time: Duration) -> MemoryStore {
        MemoryStore::new(Retention { time, count_max, bytes_max: 1 << 20 })
    }

    async fn new(store: &MemoryStore) -> String {
        let record = ExecutionRecord::new("alice", Terms::default());
        let id = record.id.clone();
        assert!(matches!(store.put(record, None).await, Ok(Put::New)));
        id
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        contract::all(|| store(100, Duration::from_secs(60))).await;
    }

    #[tokio::test]
    async fn what_ended_is_kept_in_bounds_and_what_runs_always() {
        let store = store(2, Duration::from_secs(60));
        let mut found = Vec::new();
        for n in 0..5 {
            let id = new(&store).await;
            if n < 4 {
                store.finish(&id, end("x"), Vec::new()).await.unwrap();
            }
            found.push(id);
        }
        let mut kept = Vec::new();
        for id in &found {
            kept.push(store.get(id).await.unwrap().is_some());
        }
        assert_eq!(kept, [false, false, true, true, true]);
        assert_eq!(store.kept().0, 2);
    }

    #[tokio::test]
    async fn time_ends_what_is_kept() {
        let store = store(10, Duration::ZERO);
        let id = new(&store).await;
        let record = store.finish(&id, end("x"), Vec::new()).await.unwrap();
        assert!(record.is_some() && store.get(&id).await.unwrap().is_none());
        assert_eq!(store.kept(), (0, 0));
    }
}
