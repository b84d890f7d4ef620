//! One session: what is live of it, and what its calls do.

use super::{
    Cell, Sessions, folder,
    journal::{Called, Done, Journal, Line},
    place::{self, Place},
    record::{Moved, Record, Restored, SessionInfo, SessionState},
    turn::Turn,
};
use crate::{
    Error, Event, Outcome, Result, Stdin,
    blocking::blocking,
    executor::{Call, Interrupt, Observer, Question, Run, Session, Suspend, ToolLog},
    outcome::{JsonText, LimitHit, Tier},
    planner::Retry,
    progress::{Progress, Update},
    sync::lock,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU8, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::SystemTime,
};
use tokio::sync::{MutexGuard, OwnedSemaphorePermit};

/// Calls that may wait for the one before them.
const WAITING_MAX: usize = 64;
/// Attempts at one call, each with more than the one before.
const ATTEMPTS_MAX: u32 = 5;
/// The exit code of a program that was interrupted.
const INTERRUPTED: u8 = 130;

/// Says what came of a call.
#[derive(Debug)]
#[non_exhaustive]
pub struct CallEnd {
    /// What happened.
    pub outcome: Outcome,
    /// Which call of the session it was, from 1.
    pub number: u64,
    /// The session after it.
    pub session: SessionInfo,
    /// Where it went on elsewhere for this call.
    pub moved: Option<Moved>,
    /// How it came back for this call, where it had to do something again.
    pub restored: Option<Restored>,
    /// Whether the interpreter was lost in this call; the next one has the state from before it.
    pub lost: bool,
}

/// A session of an owner.
pub(super) struct Entry {
    id: String,
    owner: String,
    pub(super) folder: PathBuf,
    state: tokio::sync::Mutex<State>,
    /// What of the record is asked for while a call has the state.
    shown: Mutex<Record>,
    is_live: AtomicBool,
    in_call: AtomicBool,
    /// What interrupts the one who has the state now.
    current: Mutex<Option<Interrupt>>,
    waiting: Mutex<usize>,
    life: AtomicU8,
    /// What its folder takes on disk, or [`NOT_MEASURED`].
    pub(super) disk_bytes: AtomicU64,
}

pub(super) const NOT_MEASURED: u64 = u64::MAX;

// Of `Entry::life`.
const OPEN: u8 = 0;
const IS_CLOSING: u8 = 1;
const IS_REMOVED: u8 = 2;

/// What only one call has at a time.
pub(super) struct State {
    pub(super) record: Record,
    pub(super) live: Option<Live>,
    pub(super) journal: Journal,
    /// The place in memory of what is live.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// A session in memory.
pub(super) struct Live {
    pub(super) session: Box<dyn Session>,
    pub(super) place: Place,
    /// Whether it is not as it is kept on disk.
    pub(super) is_dirty: bool,
    /// The files of a container as they were kept: lengths and times.
    pub(super) listed: BTreeMap<String, (u64, SystemTime)>,
}

/// Says what it took to have a session in memory.
#[derive(Default)]
pub(super) struct Brought {
    pub(super) moved: Option<Moved>,
    pub(super) restored: Option<Restored>,
}

/// What is done with a session between its calls.
pub(super) enum Between {
    /// Nothing changes.
    Look,
    /// It may change what is in the interpreter.
    Ask,
    /// A file is written from outside.
    Write { path: String, content: Bytes },
    /// A file is removed from outside.
    Remove { path: String },
}

impl Entry {
    pub(super) fn new(record: Record, folder: PathBuf) -> Entry {
        let journal = Journal::new(folder::journal(&folder, record.journal));
        Entry {
            id: record.id.clone(),
            owner: record.owner.clone(),
            folder,
            shown: Mutex::new(record.clone()),
            state: tokio::sync::Mutex::new(State { record, live: None, journal, permit: None }),
            is_live: AtomicBool::new(false),
            in_call: AtomicBool::new(false),
            current: Mutex::default(),
            waiting: Mutex::default(),
            life: AtomicU8::new(OPEN),
            disk_bytes: AtomicU64::new(NOT_MEASURED),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn last_used(&self) -> SystemTime {
        lock(&self.shown).last_used
    }

    pub(super) fn expires(&self) -> SystemTime {
        lock(&self.shown).expires()
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_live.load(Relaxed)
    }

    pub(super) fn interrupt(&self) {
        if let Some(current) = &*lock(&self.current) {
            current.ask();
        }
    }

    pub(super) fn info(&self) -> SessionInfo {
        let state = if self.in_call.load(Relaxed) {
            SessionState::Busy
        } else if self.is_live() {
            SessionState::Live
        } else {
            SessionState::Frozen
        };
        lock(&self.shown).info(state)
    }

    /// Refuses what comes to a session that is about to go.
    ///
    /// # Errors
    ///
    /// When it is removed, or all are being closed.
    pub(super) fn check_open(&self) -> Result<()> {
        match self.life.load(Acquire) {
            OPEN => Ok(()),
            IS_CLOSING => Err(Error::busy("the sessions are being closed: try again when the service is back")),
            _ => Err(Error::not_found(format!("there is no session {:?}, or no longer", self.id))),
        }
    }

    /// Waits until no other call has the session.
    pub(super) async fn lock(&self) -> Result<MutexGuard<'_, State>> {
        self.check_open()?;
        let _waiting = Waiting::new(&self.waiting)?;
        let state = self.state.lock().await;
        self.check_open()?;
        Ok(state)
    }

    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        self.state.try_lock().ok().filter(|_| self.check_open().is_ok())
    }

    /// Has the one who has the session be interrupted by this.
    fn interrupted_by(&self, interrupt: &Interrupt) -> Result<Current<'_>> {
        *lock(&self.current) = Some(interrupt.clone());
        let current = Current(self);
        // Whoever closes it looks for what to interrupt after it has said so.
        self.check_open()?;
        Ok(current)
    }

    pub(super) fn drop_live(&self, state: &mut State) {
        state.live = None;
        state.permit = None;
        self.is_live.store(false, Relaxed);
    }

    pub(super) fn is_live_now(&self) {
        self.is_live.store(true, Relaxed);
    }

    /// Writes the record down, and shows it. It is small, and goes to the memory of the system: that takes less than another
    /// thread.
    pub(super) fn keep_record(&self, record: &Record) -> Result<()> {
        *lock(&self.shown) = record.clone();
        folder::replace(&self.folder, folder::RECORD, &record.bytes(), false)
            .map_err(|e| Error::io("cannot write down a session in", &self.folder, e))
    }

    /// Writes the record down so that it outlasts the machine, and removes what it does not need any more.
    pub(super) async fn keep_for_good(&self, record: &Record) -> Result<()> {
        *lock(&self.shown) = record.clone();
        let (folder, record) = (self.folder.clone(), record.clone());
        let kept = blocking(move || {
            folder::replace(&folder, folder::RECORD, &record.bytes(), true)?;
            folder::tidy(&folder, &record)
        });
        kept.await.and_then(|kept| kept).map_err(|e| Error::io("cannot write down a session in", &self.folder, e))
    }

    /// Runs a cell, wherever it takes, unless its caller has gone before its turn came.
    async fn call(
        &self,
        sessions: &Sessions,
        cell: Cell,
        observer: Box<dyn Observer>,
        interrupt: &Interrupt,
    ) -> Result<CallEnd> {
        let mut state = tokio::select! {
            biased;
            state = self.lock() => state?,
            () = interrupt.asked() => return Err(Error::busy("the caller has gone")),
        };
        let state = &mut *state;
        if interrupt.was_asked() {
            return Err(Error::busy("the caller has gone"));
        }
        let _current = self.interrupted_by(interrupt)?;
        self.in_call.store(true, Relaxed);
        let _in_call = InCall(&self.in_call);
        let observer: Arc<Mutex<dyn Observer>> = Arc::new(Mutex::new(observer));
        let progress = progress(&observer);
        let Cell { code, stdin, limits, mut tools } = cell;
        let limits = limits.unwrap_or_else(|| state.record.definition.limits());
        let number = state.record.calls + 1;
        let log = Arc::new(Mutex::new(ToolLog::default()));
        let declared = tools.as_ref().map(|tools| tools.tools().to_vec()).unwrap_or_default();

        let planned = tokio::select! {
            biased;
            planned = place::of(sessions.pyexec(), &state.record, &code, &progress) => planned,
            () = interrupt.asked() => return self.without_code(state, interrupted(state.record.tier())),
        };
        let (mut place, mut retry) = match planned {
            Ok(planned) => planned,
            Err(error) => return self.refused(state, error),
        };
        let _in_use = sessions.use_place(&self.owner)?;
        let (mut brought, mut attempts) = (Brought::default(), 0);
        let outcome = loop {
            attempts += 1;
            if place.is_plain()
                && let Some(live) = &state.live
            {
                // What was there before stays.
                place = live.place.clone();
            }
            match self.bring(sessions, state, &place, interrupt).await {
                Ok(Brought { moved, restored }) => {
                    brought.moved = moved.or(brought.moved);
                    brought.restored = restored.or(brought.restored);
                }
                Err(_) if interrupt.was_asked() => {
                    return self.without_code(state, interrupted(state.record.tier()));
                }
                Err(error) => return self.refused(state, error),
            }
            let live = state.live.as_mut().ok_or_else(|| Error::unavailable("the session is not there"))?;
            let stop_at = retry.as_ref().filter(|_| attempts < ATTEMPTS_MAX && tools.is_none()).map(Retry::stop_at);
            let turn = tokio::select! {
                biased;
                turn = Turn::new(sessions.pyexec(), live.place.tier, &self.owner) => turn,
                () = interrupt.asked() => return self.without_code(state, interrupted(state.record.tier())),
            };
            let mut call = Call::cell(number, code.clone(), limits).stdin(Stdin::of(&stdin));
            call = call.interrupted_by(interrupt.clone());
            call.stop_at = stop_at;
            if let Some(mut tools) = tools.take() {
                tools.logged(Arc::clone(&log));
                tools.suspends(Arc::clone(&turn) as Arc<dyn Suspend>);
                call = call.tools(tools);
            }
            let shared = Arc::clone(&observer);
            let tell: Box<dyn Observer> = Box::new(move |event: Event<'_>| lock(&shared).event(event));
            live.is_dirty = true;
            let run = live.session.call(call, tell).await;
            drop(turn);
            let run = match run {
                Ok(run) => run,
                Err(error) => {
                    // What it had done by then has no line.
                    self.drop_live(state);
                    return Err(error);
                }
            };
            let next = match (run, retry.take()) {
                (Run::Ended(outcome), None) => break outcome,
                (Run::Ended(outcome), Some(_)) if !declared.is_empty() || attempts >= ATTEMPTS_MAX => break outcome,
                (Run::Ended(outcome), Some(_)) if interrupt.was_asked() => break outcome,
                (Run::Ended(outcome), Some(retry)) => {
                    match sessions.pyexec().planner().after_end(retry, &outcome).await {
                        Some(plan) => plan,
                        None => break outcome,
                    }
                }
                (Run::Missed(miss, used), Some(retry)) => {
                    let Some(next) = sessions.pyexec().planner().after_miss(retry, &miss, used).await else {
                        self.drop_live(state);
                        return Err(Error::unavailable("the call cannot be run again"));
                    };
                    next
                }
                (Run::Missed(..), None) => {
                    self.drop_live(state);
                    return Err(Error::unavailable("the call was stopped for no reason: run it again"));
                }
            };
            let reason = next.replay_reason().unwrap_or_default();
            lock(&observer).event(Event::Restarted(&reason));
            // As it was before the call: the next attempt brings back what is kept, files included.
            self.drop_live(state);
            let provisioned = tokio::select! {
                biased;
                provisioned = place::provisioned(sessions.pyexec(), next, &progress) => provisioned,
                () = interrupt.asked() => return self.without_code(state, interrupted(state.record.tier())),
            };
            (place, retry) = match provisioned {
                Ok(provisioned) => provisioned,
                Err(error) => return self.refused(state, error),
            };
        };
        let is_alive = state.live.as_ref().is_some_and(|live| live.session.is_alive());
        // Where it was cut off is never the same again: it has the time that it took, and does not run again if that can be.
        let is_cut = interrupt.was_asked() || outcome.limits_hit.contains(&LimitHit::WallClock);
        let mut noted = limits;
        if is_cut {
            noted.wall_clock_ms = (outcome.usage.wall_us / 1000).clamp(1, limits.wall_clock_ms);
        }
        let done = if is_alive {
            let results = lock(&log).take();
            results.map(|results| {
                Done::Called(Box::new(Called::new(number, (&code, &stdin), noted, (declared, results), &outcome)))
            })
        } else {
            self.drop_live(state);
            Some(Done::Void)
        };
        state.record.calls = number;
        if !place.is_plain() {
            state.record.keep_needful(&code);
        }
        self.note(state, done, is_cut).await?;
        let mut outcome = *outcome;
        outcome.route_reason.clone_from(&place.reason);
        let session = state.record.info(if is_alive { SessionState::Live } else { SessionState::Frozen });
        let Brought { moved, restored } = brought;
        Ok(CallEnd { outcome, number, session, moved, restored, lost: !is_alive })
    }

    /// Writes down what was done. What has no line, since it is too large, is frozen at once, as is what was cut off.
    async fn note(&self, state: &mut State, done: Option<Done>, is_cut: bool) -> Result<()> {
        let before = state.record.entries;
        state.record.entries += 1;
        state.record.last_used = SystemTime::now();
        let added = done.map(|done| state.journal.add(&Line { entry: before + 1, done }, before));
        let has_line = match added {
            Some(Ok(has_line)) => has_line,
            Some(Err(error)) => {
                tracing::warn!(session = self.id, %error, "a call of a session is not written down");
                false
            }
            None => false,
        };
        if (!has_line || is_cut)
            && let Err(error) = self.write_down_state(state).await
        {
            tracing::warn!(session = self.id, %error, "a session is not written down");
        }
        self.keep_record(&state.record)
    }

    /// Ends a call that could not run: by its author's fault in an outcome, by ours in an error.
    fn refused(&self, state: &mut State, error: Error) -> Result<CallEnd> {
        if !error.is_invalid_job() {
            return Err(error);
        }
        let hint = error.hint().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        let outcome = Outcome::failed(error.exit_code(), format!("{error}{hint}"), state.record.tier(), "");
        self.without_code(state, outcome)
    }

    /// Ends a call whose code did not run: the session is as it was.
    fn without_code(&self, state: &mut State, outcome: Outcome) -> Result<CallEnd> {
        let (number, entry) = (state.record.calls + 1, state.record.entries + 1);
        let line = Line { entry, done: Done::Void };
        let added = state.journal.add(&line, entry - 1);
        added.map_err(|e| Error::io("cannot write down a call in", &self.folder, e))?;
        (state.record.calls, state.record.entries) = (number, entry);
        state.record.last_used = SystemTime::now();
        self.keep_record(&state.record)?;
        let shown = if state.live.is_some() { SessionState::Live } else { SessionState::Frozen };
        let session = state.record.info(shown);
        Ok(CallEnd { outcome, number, session, moved: None, restored: None, lost: false })
    }

    /// Does something with the session in memory.
    pub(super) async fn between<T>(
        &self,
        sessions: &Sessions,
        what: Between,
        work: impl for<'a> FnOnce(&'a mut dyn Session) -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        let mut state = self.lock().await?;
        let state = &mut *state;
        let interrupt = Interrupt::default();
        let _current = self.interrupted_by(&interrupt)?;
        let place = match &state.live {
            Some(live) => live.place.clone(),
            None => place::of(sessions.pyexec(), &state.record, &Bytes::new(), &Progress::new(|_| ())).await?.0,
        };
        if let Between::Write { content, .. } = &what {
            // It is there twice: among the files, and for when it is written again.
            let more = 2 * content.len() as u64;
            sessions.check_disk(&self.owner, more).await?;
            let grown = |bytes: u64| (bytes != NOT_MEASURED).then(|| bytes.saturating_add(more).min(NOT_MEASURED - 1));
            let _ = self.disk_bytes.fetch_update(Relaxed, Relaxed, grown);
        }
        self.bring(sessions, state, &place, &interrupt).await?;
        let live = state.live.as_mut().ok_or_else(|| Error::unavailable("the session is not there"))?;
        live.is_dirty |= !matches!(what, Between::Look);
        let done = work(&mut *live.session).await;
        if !live.session.is_alive() {
            self.drop_live(state);
        }
        let is_done = done.is_ok() && state.live.is_some();
        match what {
            Between::Write { path, content } if is_done => {
                let done = self.content(state, path, content).await;
                self.note(state, done, false).await?;
            }
            Between::Remove { path } if is_done => self.note(state, Some(Done::Removed { path }), false).await?,
            Between::Look | Between::Ask | Between::Write { .. } | Between::Remove { .. } => {
                state.record.last_used = SystemTime::now();
                self.keep_record(&state.record)?;
            }
        }
        done
    }

    /// Keeps the content of a file from outside, for when it is written again.
    async fn content(&self, state: &mut State, path: String, content: Bytes) -> Option<Done> {
        let bytes = state.record.content_bytes + content.len() as u64;
        if bytes > state.record.definition.limits().disk_bytes {
            return None;
        }
        let id = state.record.next_id();
        let at = folder::content(&self.folder, id);
        match blocking(move || fs::write(at, content)).await.and_then(|written| written) {
            Ok(()) => {
                state.record.content_bytes = bytes;
                Some(Done::Wrote { path, content: id })
            }
            Err(error) => {
                tracing::warn!(session = self.id, %error, "a file of a session is kept only with its state");
                None
            }
        }
    }

    pub(super) async fn ask(&self, sessions: &Sessions, question: Question) -> Result<JsonText> {
        self.between(sessions, Between::Ask, |session| session.ask(question)).await
    }

    /// Refuses all that comes from now on, and interrupts what is under way.
    pub(super) fn close(&self) {
        let _ = self.life.compare_exchange(OPEN, IS_CLOSING, AcqRel, Acquire);
        self.interrupt();
    }

    /// Waits for the end of what was under way when it was closed, and writes the session down.
    pub(super) async fn closed(&self) {
        let mut state = self.state.lock().await;
        if self.life.load(Acquire) == IS_CLOSING {
            if let Err(error) = self.write_down_state(&mut state).await {
                tracing::warn!(session = self.id, %error, "a session is not written down");
            }
            self.drop_live(&mut state);
        }
    }

    /// Removes the session, after what is under way, which is interrupted.
    pub(super) async fn remove(&self) -> Result<()> {
        let before = self.life.swap(IS_REMOVED, AcqRel);
        self.interrupt();
        let mut state = self.state.lock().await;
        let removed = self.remove_folder(&mut state).await;
        if removed.is_err() {
            self.life.store(before, Release);
        }
        removed
    }

    /// Removes the session if its time is over and nobody uses it; returns whether it is gone.
    pub(super) async fn expire(&self) -> Result<bool> {
        // Whoever has it, or comes now, uses it.
        let Some(mut state) = self.try_lock() else { return Ok(false) };
        if state.record.expires() > SystemTime::now() {
            return Ok(false);
        }
        let before = self.life.swap(IS_REMOVED, AcqRel);
        let removed = self.remove_folder(&mut state).await;
        if removed.is_err() {
            self.life.store(before, Release);
        }
        removed.map(|()| true)
    }

    async fn remove_folder(&self, state: &mut State) -> Result<()> {
        self.drop_live(state);
        let folder = self.folder.clone();
        let removed = blocking(move || folder::remove(&folder)).await.and_then(|removed| removed);
        removed.map_err(|e| Error::io("cannot remove the session in", &self.folder, e))
    }
}

fn interrupted(tier: Tier) -> Outcome {
    Outcome::failed(INTERRUPTED, "KeyboardInterrupt: the call was interrupted before its code ran", tier, "")
}

/// Runs a cell in a task of its own, so that a caller who goes away leaves the session whole.
///
/// # Errors
///
/// As for [`Sessions::call`].
pub(super) async fn call(
    sessions: Sessions,
    entry: Arc<Entry>,
    cell: Cell,
    observer: Box<dyn Observer>,
) -> Result<CallEnd> {
    let interrupt = Interrupt::default();
    // One who goes interrupts his own call, wherever it is, and no other one.
    let guard = InterruptOnDrop(interrupt.clone());
    let task = tokio::spawn(async move {
        let end = Box::pin(entry.call(&sessions, cell, observer, &interrupt)).await;
        write_down_later(&sessions, entry);
        end
    });
    let end = task.await.unwrap_or_else(|fault| Err(Error::caused("running a call failed", fault)));
    drop(guard);
    end
}

/// Has a session written down when it has been idle for a while.
pub(super) fn write_down_later(sessions: &Sessions, entry: Arc<Entry>) {
    let (freeze_after, used) = (sessions.shared.options.freeze_after, entry.last_used());
    tokio::spawn(async move {
        tokio::time::sleep(freeze_after).await;
        if entry.last_used() == used {
            entry.write_down().await;
        }
    });
}

fn progress(observer: &Arc<Mutex<dyn Observer>>) -> Progress {
    let observer = Arc::clone(observer);
    Progress::new(move |update| match update {
        Update::Phase(phase) => lock(&observer).event(Event::Progress(phase)),
        Update::Detail(line) => lock(&observer).event(Event::Detail(line)),
    })
}

struct InterruptOnDrop(Interrupt);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.ask();
    }
}

/// Has the session for now.
struct Current<'a>(&'a Entry);

impl Drop for Current<'_> {
    fn drop(&mut self) {
        *lock(&self.0.current) = None;
    }
}

struct InCall<'a>(&'a AtomicBool);

impl Drop for InCall<'_> {
    fn drop(&mut self) {
        self.0.store(false, Relaxed);
    }
}

/// Counts one that waits.
struct Waiting<'a>(&'a Mutex<usize>);

impl Waiting<'_> {
    fn new(count: &Mutex<usize>) -> Result<Waiting<'_>> {
        let mut waiting = lock(count);
        if *waiting >= WAITING_MAX {
            return Err(Error::busy(format!("{WAITING_MAX} calls wait for this session already")));
        }
        *waiting += 1;
        Ok(Waiting(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *lock(self.0) -= 1;
    }
}
