//! Containers that were started before their job comes, each for one job.
//!
//! A task of its own, the keeper, starts and discards them; jobs only take. It keeps out of the way of jobs: none is started
//! while a job starts a container of its own.

use super::{
    container::Waiting,
    daemon::Daemon,
    frames::{Decoder, from},
    hardening::{Attachment, Spec},
    network::Network,
    options::DockerOptions,
    placement::Placement,
    prepare::Preparation,
    progress::Progress,
};
use crate::{Error, Result, sync::lock};
use bollard::container::LogOutput;
use futures_util::StreamExt;
use serde::Deserialize;
use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    task::{Id, JoinSet},
};

/// Containers that are being started at a time: of a machine's work it is the daemon's that is slow.
const STARTS_MAX: usize = 2;
/// After a container was taken, for the job to have the machine first, or for the next job to say that it needs it more.
const QUIET: Duration = Duration::from_millis(10);
/// How often idle containers are looked after when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// For a container to import what is preloaded.
const READY: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// What a container takes before one of its class has said so.
const BYTES_GUESSED: u64 = 48 << 20;
/// What it takes outside: the daemon's process beside it, its file systems.
const BYTES_OUTSIDE: u64 = 16 << 20;

/// Holds what the pool of a [`DockerExecutor`](super::DockerExecutor) has and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Containers that wait for a job.
    pub idle: u32,
    /// Containers that will soon.
    pub warming: u32,
    /// Jobs that got a waiting container.
    pub hits: u64,
    /// Jobs that started one of their own.
    pub misses: u64,
    /// Waiting containers that ended, or were given up, without a job.
    pub discarded: u64,
}

pub(crate) struct Pool {
    network: Arc<Network>,
    /// What is kept ready, but for the image.
    usual: Spec,
    state: Mutex<State>,
    /// There may be something to do for the keeper.
    changed: Notify,
    /// Whether the keeper has given up all containers.
    ended: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// The default image, once it is found: its class is kept always.
    default_image: Option<String>,
    /// In the order in which they get room.
    classes: Vec<Class>,
    /// Jobs that are starting a container.
    cold: u32,
    /// When one was taken last.
    taken: Option<Instant>,
    hits: u64,
    misses: u64,
    discarded: u64,
}

/// Containers that are alike.
struct Class {
    spec: Spec,
    used: Instant,
    idle: VecDeque<Waiting>,
    warming: u32,
    /// What one takes.
    bytes: u64,
    failures: u32,
    retry: Option<Instant>,
}

/// While it lives, a job starts a container.
pub(crate) struct ColdStart<'a>(&'a Pool);

impl Pool {
    pub(crate) fn start(network: Arc<Network>, preparation: Arc<Preparation>) -> Arc<Pool> {
        let daemon = Arc::clone(network.containers().daemon());
        let options = daemon.options();
        let usual = Spec {
            image: String::new(),
            limits: options.pool_limits.into(),
            network: Attachment::None,
            cpu_shares: options.cpu_shares,
            pids_max: options.pids_max,
            dns: options.dns.clone(),
            preload: Vec::new(),
        };
        let ended = watch::Sender::new(options.pool == 0);
        let pool = Arc::new(Pool { network, usual, state: Mutex::default(), changed: Notify::new(), ended });
        if options.pool > 0 {
            daemon.runtime().spawn(keep(Arc::clone(&pool)));
            daemon.runtime().spawn(find_default(Arc::downgrade(&pool), preparation));
        }
        pool
    }

    /// Waits until its containers are given up, after the executor was closed.
    pub(crate) async fn ended(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    fn daemon(&self) -> &Daemon {
        self.network.containers().daemon()
    }

    /// Returns a waiting container that is as `spec` says.
    pub(crate) fn take(&self, spec: &Spec) -> Option<Waiting> {
        let mut state = self.state();
        let now = Instant::now();
        let class = state.classes.iter_mut().find(|class| class.spec == *spec)?;
        class.used = now;
        let mut dead = 0;
        let mut found = None;
        while let Some(mut waiting) = class.idle.pop_front() {
            if waiting.is_alive() {
                found = Some(waiting);
                break;
            }
            dead += 1;
        }
        state.discarded += dead;
        if found.is_some() {
            state.hits += 1;
            state.taken = Some(now);
        }
        self.changed.notify_one();
        found
    }

    /// Starts a container for a class, when a job starts its own.
    pub(crate) fn cold_start(&self) -> ColdStart<'_> {
        let mut state = self.state();
        state.cold += 1;
        state.misses += 1;
        ColdStart(self)
    }

    /// Learns that a job runs in a container like `spec`: the next may find one waiting.
    pub(crate) fn learn(&self, spec: &Spec) {
        if self.options().pool == 0 || *spec != (Spec { image: spec.image.clone(), ..self.usual.clone() }) {
            return;
        }
        let mut state = self.state();
        match state.classes.iter_mut().find(|class| class.spec == *spec) {
            // The daemon is well again.
            Some(class) => (class.failures, class.retry) = (0, None),
            None => state.classes.push(Class::new(spec.clone())),
        }
        self.changed.notify_one();
    }

    fn keep_always(&self, image: String) {
        let mut state = self.state();
        let spec = Spec { image: image.clone(), ..self.usual.clone() };
        if !state.classes.iter().any(|class| class.spec == spec) {
            state.classes.push(Class::new(spec));
        }
        state.default_image = Some(image);
        self.changed.notify_one();
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let state = self.state();
        PoolStats {
            idle: state.classes.iter().map(|class| class.idle.len() as u32).sum(),
            warming: state.classes.iter().map(|class| class.warming).sum(),
            hits: state.hits,
            misses: state.misses,
            discarded: state.discarded,
        }
    }

    fn options(&self) -> &DockerOptions {
        self.daemon().options()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Gives up what ended, what was not used for long, and what there is no room for.
    fn tidy(&self, now: Instant) {
        let mut state = self.state();
        let State { default_image, classes, discarded, .. } = &mut *state;
        for class in classes.iter_mut() {
            let before = class.idle.len();
            class.idle.retain_mut(Waiting::is_alive);
            *discarded += (before - class.idle.len()) as u64;
        }
        let is_default = |class: &Class| default_image.as_ref() == Some(&class.spec.image);
        classes.sort_by_key(|class| (!is_default(class), Reverse(class.used)));
        let mut rooms = rooms(classes.iter().map(|class| class.bytes), self.options()).into_iter();
        classes.retain_mut(|class| {
            let fresh = is_default(class) || now.saturating_duration_since(class.used) < self.options().pool_idle;
            let room = rooms.next().filter(|_| fresh).unwrap_or(0);
            let spared = class.idle.len().saturating_sub(room as usize);
            class.idle.drain(..spared);
            *discarded += spared as u64;
            room > 0 || is_default(class)
        });
    }

    /// Returns what to start next, when something is wanted now.
    fn begin(&self, now: Instant) -> Option<Spec> {
        let mut state = self.state();
        if state.cold > 0 || state.taken.is_some_and(|taken| now.saturating_duration_since(taken) < QUIET) {
            return None;
        }
        let rooms = rooms(state.classes.iter().map(|class| class.bytes), self.options());
        let (class, _) = state.classes.iter_mut().zip(rooms).find(|(class, room)| {
            class.idle.len() as u32 + class.warming < *room && class.retry.is_none_or(|retry| retry <= now)
        })?;
        class.warming += 1;
        Some(class.spec.clone())
    }

    fn warmed(&self, spec: &Spec, warmed: Result<(Waiting, u64)>) {
        let mut state = self.state();
        let class = state.classes.iter_mut().find(|class| class.spec == *spec);
        match (class, warmed) {
            (Some(class), Ok((waiting, bytes))) => {
                class.warming = class.warming.saturating_sub(1);
                (class.failures, class.retry) = (0, None);
                class.bytes = bytes;
                class.idle.push_back(waiting);
            }
            (Some(class), Err(error)) => {
                class.warming = class.warming.saturating_sub(1);
                let pause = (RETRY * 2u32.saturating_pow(class.failures)).min(RETRY_MAX);
                class.failures = class.failures.saturating_add(1).min(16);
                class.retry = Some(Instant::now() + pause);
                tracing::warn!(image = spec.image, %error, ?pause, "a container for the pool does not start");
            }
            // Its class was given up meanwhile.
            (None, Ok(_)) => state.discarded += 1,
            (None, Err(_)) => {}
        }
    }
}

/// Finds the default image, fetching it where that is allowed, however long the daemon takes to be well.
async fn find_default(pool: Weak<Pool>, preparation: Arc<Preparation>) {
    let mut pause = RETRY;
    while let Some(pool) = pool.upgrade() {
        let mut closing = pool.daemon().closing();
        if *closing.borrow() {
            return;
        }
        let log: Progress = Arc::new(|step| tracing::info!("{step}"));
        match preparation.prepare(&Placement::default(), &log).await {
            Ok(prepared) => return pool.keep_always(prepared.image()),
            Err(error) => tracing::warn!(%error, ?pause, "the default image is not ready"),
        }
        drop(pool);
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_MAX),
        }
    }
}

impl Drop for ColdStart<'_> {
    fn drop(&mut self) {
        self.0.state().cold -= 1;
        self.0.changed.notify_one();
    }
}

impl Class {
    fn new(spec: Spec) -> Class {
        Class {
            spec,
            used: Instant::now(),
            idle: VecDeque::new(),
            warming: 0,
            bytes: BYTES_GUESSED,
            failures: 0,
            retry: None,
        }
    }
}

/// Returns how many containers of each class there is room for; the first get theirs first.
fn rooms(classes: impl Iterator<Item = u64>, options: &DockerOptions) -> Vec<u32> {
    let (mut count, mut bytes) = (options.pool_max, options.pool_memory_bytes);
    let room = |each: u64| {
        let fitting = u32::try_from(bytes / each.max(1)).unwrap_or(u32::MAX);
        let room = options.pool.min(count).min(fitting);
        count -= room;
        bytes -= each.saturating_mul(room.into());
        room
    };
    classes.map(room).collect()
}

/// Keeps the pool as it should be until the executor is closed.
async fn keep(pool: Arc<Pool>) {
    let mut closing = pool.daemon().closing();
    let mut starts = JoinSet::new();
    let mut specs: HashMap<Id, Spec> = HashMap::new();
    loop {
        pool.tidy(Instant::now());
        while starts.len() < STARTS_MAX
            && let Some(spec) = pool.begin(Instant::now())
        {
            let warming = warm(Arc::clone(&pool.network), spec.clone());
            specs.insert(starts.spawn(warming).id(), spec);
        }
        let rest = if pool.state().taken.is_some_and(|taken| taken.elapsed() < QUIET) { QUIET } else { TICK };
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => break,
            Some(done) = starts.join_next_with_id() => {
                let (id, warmed) = match done {
                    Ok((id, warmed)) => (id, warmed),
                    Err(fault) => (fault.id(), Err(Error::caused("starting a container for the pool failed", fault))),
                };
                if let Some(spec) = specs.remove(&id) {
                    pool.warmed(&spec, warmed);
                }
            }
            () = pool.changed.notified() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    starts.shutdown().await;
    pool.state().classes.clear();
    pool.ended.send_replace(true);
}

/// Returns a container that waits, and the bytes that it takes.
async fn warm(network: Arc<Network>, spec: Spec) -> Result<(Waiting, u64)> {
    let spec = Spec { preload: network.containers().daemon().options().preload.clone(), ..spec };
    let memory_bytes = spec.limits.memory_bytes;
    let mut waiting = network.start(&spec).await?;
    let ready = tokio::time::timeout(READY, ready(&mut waiting)).await;
    let bytes = ready.unwrap_or_else(|_| Err(Error::unavailable("its runner is not ready in time")))?;
    Ok((waiting, bytes.min(memory_bytes) + BYTES_OUTSIDE))
}

/// Waits until the runner waits; returns the bytes that it has.
async fn ready(waiting: &mut Waiting) -> Result<u64> {
    let mut decoder = Decoder::default();
    loop {
        match waiting.output.next().await {
            Some(Ok(LogOutput::StdOut { message })) => decoder.push(&message),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Error::unavailable("its runner ended before a job came")),
        }
        match decoder.next() {
            Ok(None) => {}
            Ok(Some((from::READY, content))) => {
                let ready: Ready =
                    serde_json::from_slice(&content).map_err(|e| Error::caused("its runner talks nonsense", e))?;
                return Ok(ready.resident_bytes);
            }
            Ok(Some(_)) | Err(_) => return Err(Error::unavailable("its runner talks nonsense")),
        }
    }
}

#[derive(Deserialize)]
struct Ready {
    resident_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_for_the_first_and_within_both_bounds() {
        let options = DockerOptions { pool: 2, pool_max: 5, pool_memory_bytes: 100, ..DockerOptions::default() };
        let rooms = |bytes: &[u64]| rooms(bytes.iter().copied(), &options);
        assert_eq!(rooms(&[10, 10, 10, 10]), [2, 2, 1, 0]);
        assert_eq!(rooms(&[30, 30, 10]), [2, 1, 1]);
        assert_eq!(rooms(&[101, 0]), [0, 2]);
    }
}
