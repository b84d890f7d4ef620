//! Executions: those that wait or run, and those that ended a while ago. In memory; a restart forgets them.

use super::{
    api::{ExecutionResult, ExecutionSummary, Status},
    events::EventLog,
    run::Terms,
};
use crate::outcome::OutputFile;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch;

/// Holds what is kept of executions that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) time: Duration,
    pub(crate) count_max: usize,
    pub(crate) bytes_max: usize,
}

impl Retention {
    /// Forgets at once.
    #[cfg(test)]
    pub(crate) const NOTHING: Retention = Retention { time: Duration::ZERO, count_max: 0, bytes_max: 0 };
}

/// One execution.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) id: String,
    /// Index of the caller it belongs to; nobody else sees it.
    pub(crate) owner: usize,
    pub(crate) created: SystemTime,
    pub(crate) queued_at: Instant,
    pub(crate) events: EventLog,
    pub(crate) terms: Terms,
    started: OnceLock<SystemTime>,
    progress: Mutex<Option<String>>,
    end: OnceLock<End>,
    kill: watch::Sender<bool>,
    /// Requests that led to it and were not given up. Changed only while the store is locked, so that nobody joins an
    /// execution that is about to be killed.
    wanted: AtomicUsize,
}

/// Says how an execution ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) status: Status,
    exit_code: i32,
    duration_ms: u64,
    finished_at: Option<String>,
    /// The result as JSON, which all who ask for it share.
    pub(crate) json: Bytes,
    files: Vec<OutputFile>,
}

impl Execution {
    pub(crate) fn status(&self) -> Status {
        match (self.end.get(), self.started.get()) {
            (Some(end), _) => end.status,
            (None, Some(_)) => Status::Running,
            (None, None) => Status::Pending,
        }
    }

    pub(crate) fn started(&self) -> Option<SystemTime> {
        self.started.get().copied()
    }

    pub(crate) fn start(&self) {
        // Only its own task starts it, once.
        let _ = self.started.set(SystemTime::now());
        self.events.state(Status::Running, None);
    }

    /// Sets what goes on before its script starts; `None` when it does.
    pub(crate) fn set_progress(&self, text: Option<&str>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = text.map(str::to_owned);
        if let Some(text) = text {
            self.events.progress(text);
        }
    }

    pub(crate) fn progress(&self) -> Option<String> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.get()
    }

    /// Returns a file that it made.
    pub(crate) fn file(&self, path: &str) -> Option<Bytes> {
        let files = &self.end.get()?.files;
        files.iter().find(|file| file.path == path).map(|file| file.content.clone())
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

    /// Waits until it has ended.
    pub(crate) async fn finished(&self) -> Option<&End> {
        self.events.closed().await;
        self.end()
    }
}

/// All executions.
#[derive(Debug)]
pub(crate) struct Store {
    retention: Retention,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Arc<Execution>>,
    /// In the order in which they came: the number is the cursor of lists.
    by_number: BTreeMap<u64, Arc<Execution>>,
    numbers: HashMap<String, u64>,
    count: u64,
    ended: VecDeque<(Instant, String, usize)>,
    bytes: usize,
    /// By caller and the key they gave: the digest of the request, and the execution.
    requests: HashMap<(usize, String), ([u8; 32], String)>,
    keys_of: HashMap<String, (usize, String)>,
}

/// Says what a request with an idempotency key leads to.
#[derive(Debug)]
pub(crate) enum Entry {
    /// It is new.
    New(Arc<Execution>),
    /// The same request came before.
    Known(Arc<Execution>),
    /// Another request came before with the same key.
    Conflict,
}

impl Store {
    pub(crate) fn new(retention: Retention) -> Store {
        Store { retention, inner: Mutex::default() }
    }

    /// Adds an execution, unless `request` (the caller's key and the request's digest) is known.
    pub(crate) fn insert(&self, owner: usize, request: Option<(String, [u8; 32])>, terms: Terms) -> Entry {
        let mut inner = self.lock();
        inner.evict(&self.retention);
        let id = format!("exe_{}", uuid::Uuid::new_v4());
        if let Some((key, digest)) = request {
            if let Some((known, id)) = inner.requests.get(&(owner, key.clone())) {
                return match inner.by_id.get(id) {
                    Some(execution) if *known == digest => {
                        execution.wanted.fetch_add(1, Ordering::Relaxed);
                        Entry::Known(Arc::clone(execution))
                    }
                    _ => Entry::Conflict,
                };
            }
            inner.requests.insert((owner, key.clone()), (digest, id.clone()));
            inner.keys_of.insert(id.clone(), (owner, key));
        }
        let execution = Arc::new(Execution {
            id: id.clone(),
            owner,
            created: SystemTime::now(),
            queued_at: Instant::now(),
            events: EventLog::default(),
            terms,
            started: OnceLock::new(),
            progress: Mutex::default(),
            end: OnceLock::new(),
            kill: watch::Sender::new(false),
            wanted: AtomicUsize::new(1),
        });
        execution.events.state(Status::Pending, Some(&id));
        inner.count += 1;
        let number = inner.count;
        inner.by_number.insert(number, Arc::clone(&execution));
        inner.numbers.insert(id.clone(), number);
        inner.by_id.insert(id, Arc::clone(&execution));
        Entry::New(execution)
    }

    /// Forgets an execution that was never accepted. Whoever has joined it in the meantime waits no longer.
    pub(crate) fn withdraw(&self, execution: &Execution) {
        self.lock().remove(&execution.id);
        execution.events.close();
    }

    /// Notes that a caller that waited for it has gone. After the last one it is killed, and the same request leads to
    /// a new one, so that a client that lost its connection can try again.
    pub(crate) fn give_up(&self, execution: &Execution) {
        let mut inner = self.lock();
        if execution.wanted.fetch_sub(1, Ordering::Relaxed) == 1 && execution.end().is_none() {
            inner.forget_request(&execution.id);
            execution.kill();
        }
    }

    /// Ends an execution, and tells everyone who waits for it.
    pub(crate) fn finish(&self, execution: &Execution, result: ExecutionResult, files: Vec<OutputFile>) {
        let (result, json, files) = self.fitting(result, files);
        let files_bytes: usize = files.iter().map(|file| file.content.len()).sum();
        let status = result.status;
        let end = End {
            status,
            exit_code: result.exit_code,
            duration_ms: result.duration_ms,
            finished_at: result.finished_at,
            json: json.clone(),
            files,
        };
        // Only its own task ends it, once.
        let _ = execution.end.set(end);
        execution.events.state(status, None);
        let bytes = json.len() + files_bytes + execution.events.bytes() + 1024;
        execution.events.result(json);
        let mut inner = self.lock();
        inner.bytes += bytes;
        inner.ended.push_back((Instant::now(), execution.id.clone(), bytes));
        inner.evict(&self.retention);
    }

    /// Leaves out what would be more than is kept of all executions together: files first, then output.
    fn fitting(
        &self,
        mut result: ExecutionResult,
        mut files: Vec<OutputFile>,
    ) -> (ExecutionResult, Bytes, Vec<OutputFile>) {
        let json = |result: &ExecutionResult| Bytes::from(serde_json::to_vec(result).unwrap_or_default());
        let files_bytes: usize = files.iter().map(|file| file.content.len()).sum();
        let whole = json(&result);
        let bytes_max = self.retention.bytes_max;
        if whole.len().saturating_add(files_bytes) <= bytes_max {
            return (result, whole, files);
        }
        drop(whole);
        files.clear();
        result.files_dropped = Some("too_large");
        result.files = result.files.map(|_| Vec::new());
        let without_files = json(&result);
        if without_files.len() <= bytes_max {
            return (result, without_files, files);
        }
        drop(without_files);
        result.warnings.push("its output is larger than the server keeps of all executions (results_mb)".to_owned());
        (result.stdout_truncated, result.stderr_truncated) = (true, true);
        (result.stdout, result.stderr, result.outputs) = (String::new(), String::new(), Vec::new());
        (result.result, result.result_json) = (None, None);
        let rest = json(&result);
        (result, rest, files)
    }

    pub(crate) fn find(&self, owner: usize, id: &str) -> Option<Arc<Execution>> {
        let mut inner = self.lock();
        inner.evict(&self.retention);
        inner.by_id.get(id).filter(|execution| execution.owner == owner).cloned()
    }

    /// Lists at most `limit` executions of `owner` older than `after`, newest first, and whether there are more. `None`
    /// when `owner` has no execution `after`.
    pub(crate) fn list(
        &self,
        owner: usize,
        status: Option<Status>,
        after: Option<&str>,
        limit: usize,
    ) -> Option<(Vec<Arc<Execution>>, bool)> {
        let mut inner = self.lock();
        inner.evict(&self.retention);
        let end = match after {
            None => u64::MAX,
            Some(id) if inner.by_id.get(id)?.owner == owner => *inner.numbers.get(id)?,
            Some(_) => return None,
        };
        let mut matching =
            inner.by_number.range(..end).rev().map(|(_, execution)| execution).filter(|execution| {
                execution.owner == owner && status.is_none_or(|wanted| execution.status() == wanted)
            });
        let found = matching.by_ref().take(limit).cloned().collect();
        let more = matching.next().is_some();
        Some((found, more))
    }

    /// Asks every execution that has not ended to stop.
    pub(crate) fn kill_all(&self) {
        for execution in self.lock().by_id.values() {
            execution.kill();
        }
    }

    /// Forgets what has been kept long enough.
    pub(crate) fn sweep(&self) {
        self.lock().evict(&self.retention);
    }

    /// Counts the executions that have ended and are kept, and their bytes.
    pub(crate) fn kept(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.ended.len(), inner.bytes)
    }

    /// Locks the store; nothing here panics while it is held.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn evict(&mut self, retention: &Retention) {
        while let Some((ended, _, _)) = self.ended.front() {
            // The newest was made to fit, except for its events.
            let within =
                self.ended.len() <= retention.count_max && (self.bytes <= retention.bytes_max || self.ended.len() == 1);
            if within && ended.elapsed() < retention.time {
                return;
            }
            if let Some((_, id, bytes)) = self.ended.pop_front() {
                self.bytes -= bytes;
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
        if let Some(number) = self.numbers.remove(id) {
            self.by_number.remove(&number);
        }
        self.forget_request(id);
    }

    fn forget_request(&mut self, id: &str) {
        if let Some(key) = self.keys_of.remove(id) {
            self.requests.remove(&key);
        }
    }
}

impl From<&Execution> for ExecutionSummary {
    fn from(execution: &Execution) -> ExecutionSummary {
        let end = execution.end();
        ExecutionSummary {
            execution_id: execution.id.clone(),
            status: execution.status(),
            created_at: super::run::timestamp(execution.created),
            finished_at: end.and_then(|end| end.finished_at.clone()),
            exit_code: end.map(|end| end.exit_code),
            duration_ms: end.map(|end| end.duration_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::run::{blank, failed};

    fn store(count_max: usize, time: Duration) -> Store {
        Store::new(Retention { time, count_max, bytes_max: 1 << 20 })
    }

    fn new(store: &Store, owner: usize) -> Arc<Execution> {
        match store.insert(owner, None, Terms::nothing()) {
            Entry::New(execution) => execution,
            other => panic!("{other:?}"),
        }
    }

    fn finish(store: &Store, execution: &Execution) {
        let result = failed(execution, crate::server::api::ErrorKind::Killed, "x".to_owned());
        store.finish(execution, result, Vec::new());
    }

    #[test]
    fn what_ended_is_kept_in_bounds_and_what_runs_always() {
        let store = store(2, Duration::from_secs(60));
        let all: Vec<_> = (0..5).map(|_| new(&store, 0)).collect();
        for execution in &all[..4] {
            finish(&store, execution);
        }
        let found: Vec<_> = all.iter().map(|execution| store.find(0, &execution.id).is_some()).collect();
        assert_eq!(found, [false, false, true, true, true]);
        assert_eq!(store.kept().0, 2);
    }

    #[test]
    fn time_ends_what_is_kept() {
        let store = store(10, Duration::ZERO);
        let execution = new(&store, 0);
        finish(&store, &execution);
        assert!(store.find(0, &execution.id).is_none());
        assert_eq!(store.kept(), (0, 0));
    }

    #[test]
    fn executions_of_others_are_not_found() {
        let store = store(10, Duration::from_secs(60));
        let execution = new(&store, 0);
        assert!(store.find(1, &execution.id).is_none());
        assert!(store.list(1, None, None, 10).unwrap().0.is_empty());
    }

    #[test]
    fn lists_are_paged_newest_first() {
        let store = store(10, Duration::from_secs(60));
        let all: Vec<_> = (0..5).map(|_| new(&store, 0).id.clone()).collect();
        let (page, more) = store.list(0, None, None, 2).unwrap();
        assert_eq!(page.iter().map(|execution| &execution.id).collect::<Vec<_>>(), [&all[4], &all[3]]);
        assert!(more);
        let (page, more) = store.list(0, Some(Status::Pending), Some(&all[1]), 2).unwrap();
        assert_eq!(page.len(), 1);
        assert!(!more);
        assert!(store.list(1, None, Some(&all[1]), 2).is_none());
        assert!(store.list(0, None, Some("unknown"), 2).is_none());
    }

    #[test]
    fn the_same_request_leads_to_the_same_execution() {
        let store = store(10, Duration::from_secs(60));
        let request = |digest| Some(("key".to_owned(), [digest; 32]));
        let Entry::New(first) = store.insert(0, request(1), Terms::nothing()) else { panic!("new") };
        assert!(matches!(store.insert(0, request(1), Terms::nothing()), Entry::Known(same) if same.id == first.id));
        assert!(matches!(store.insert(0, request(2), Terms::nothing()), Entry::Conflict));
        assert!(matches!(store.insert(1, request(2), Terms::nothing()), Entry::New(_)));
        assert_eq!(blank(&first).status, Status::Pending);
    }

    #[tokio::test]
    async fn whoever_joined_an_execution_that_is_turned_away_waits_no_longer() {
        let store = store(10, Duration::from_secs(60));
        let request = || Some(("key".to_owned(), [1; 32]));
        let Entry::New(first) = store.insert(0, request(), Terms::nothing()) else { panic!("new") };
        let Entry::Known(joined) = store.insert(0, request(), Terms::nothing()) else { panic!("known") };
        store.withdraw(&first);
        assert!(joined.finished().await.is_none());
        assert!(matches!(store.insert(0, request(), Terms::nothing()), Entry::New(_)));
    }

    #[test]
    fn an_execution_is_given_up_when_the_last_caller_has_gone() {
        let store = store(10, Duration::from_secs(60));
        let request = || Some(("key".to_owned(), [1; 32]));
        let Entry::New(first) = store.insert(0, request(), Terms::nothing()) else { panic!("new") };
        assert!(matches!(store.insert(0, request(), Terms::nothing()), Entry::Known(_)));
        store.give_up(&first);
        assert!(!*first.kill.borrow(), "the other caller still waits");
        assert!(matches!(store.insert(0, request(), Terms::nothing()), Entry::Known(_)));
        store.give_up(&first);
        store.give_up(&first);
        assert!(*first.kill.borrow());
        let Entry::New(second) = store.insert(0, request(), Terms::nothing()) else { panic!("new") };
        finish(&store, &second);
        store.give_up(&second);
        assert!(
            matches!(store.insert(0, request(), Terms::nothing()), Entry::Known(same) if same.id == second.id),
            "its result is there"
        );
    }
}
