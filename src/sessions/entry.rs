//! One session: what is live of it, and what its calls do.

use super::{
    Cell, Sessions, folder,
    journal::{self, Journal},
    place::{self, Place},
    record::{Moved, Record, SessionInfo, SessionState},
    turn::Turn,
};
use crate::{
    Error, Event, Outcome, Result, Stdin,
    blocking::blocking,
    executor::{Call, Frozen, Interrupt, Observer, Question, Run, Session, StopAt, Suspend, ToolPort},
    outcome::{JsonText, Tier},
    planner::Retry,
    progress::{Progress, Update},
    sync::lock,
};
use futures_util::future::BoxFuture;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU8,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::SystemTime,
};
use tokio::sync::MutexGuard;

/// Names of states that one session may keep.
const CHECKPOINTS_MAX: usize = 32;
/// Calls that may wait for the one before them.
const WAITING_MAX: usize = 64;
/// Attempts at one call, each with more than the one before.
const ATTEMPTS_MAX: u32 = 5;

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
    /// Whether the interpreter was lost in this call; the next one has the state from before it.
    pub lost: bool,
}

/// A session of an owner.
pub(super) struct Entry {
    id: String,
    owner: String,
    folder: PathBuf,
    state: tokio::sync::Mutex<State>,
    /// What of the record is asked for while a call has the state.
    shown: Mutex<Record>,
    is_live: AtomicBool,
    in_call: AtomicBool,
    interrupt: Mutex<Interrupt>,
    waiting: Mutex<usize>,
}

/// What only one call has at a time.
struct State {
    record: Record,
    live: Option<Live>,
    journal: Journal,
    is_removed: bool,
}

/// A session in memory.
struct Live {
    session: Box<dyn Session>,
    place: Place,
    /// Calls that are not in the frozen state on disk.
    is_dirty: bool,
}

impl Entry {
    pub(super) fn new(record: Record, folder: PathBuf) -> Entry {
        let journal = Journal::new(folder.join(folder::JOURNAL));
        Entry {
            id: record.id.clone(),
            owner: record.owner.clone(),
            folder,
            shown: Mutex::new(record.clone()),
            state: tokio::sync::Mutex::new(State { record, live: None, journal, is_removed: false }),
            is_live: AtomicBool::new(false),
            in_call: AtomicBool::new(false),
            interrupt: Mutex::default(),
            waiting: Mutex::default(),
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
        if self.in_call.load(Relaxed) {
            SystemTime::now() + std::time::Duration::from_secs(1)
        } else {
            lock(&self.shown).expires()
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.is_live.load(Relaxed)
    }

    pub(super) fn interrupt(&self) {
        lock(&self.interrupt).ask();
    }

    pub(super) async fn info(&self) -> SessionInfo {
        let state = if self.in_call.load(Relaxed) {
            SessionState::Busy
        } else if self.is_live() {
            SessionState::Live
        } else {
            SessionState::Frozen
        };
        lock(&self.shown).info(state)
    }

    /// Waits until no other call has the session.
    async fn lock(&self) -> Result<MutexGuard<'_, State>> {
        let _waiting = Waiting::new(&self.waiting)?;
        let state = self.state.lock().await;
        if state.is_removed {
            return Err(Error::not_found(format!("there is no session {:?}, or no longer", self.id)));
        }
        Ok(state)
    }

    /// Writes the record down, and shows it.
    fn keep_record(&self, record: &Record) -> Result<()> {
        *lock(&self.shown) = record.clone();
        folder::replace(&self.folder, folder::RECORD, &record.bytes())
            .map_err(|e| Error::io("cannot write down a session in", &self.folder, e))
    }

    /// Has a session in memory that has what `place` says: the live one, or one from what is on disk.
    async fn bring(&self, sessions: &Sessions, state: &mut State, place: &Place) -> Result<Option<Moved>> {
        let mut moved = None;
        if let Some(live) = &mut state.live
            && live.session.is_alive()
            && live.place.key != place.key
        {
            if live.place.tier == place.tier && place.tier == Tier::Wasm {
                // The same interpreter, with other packages to import.
                self.write_down_state(state).await?;
                state.live = None;
            } else {
                moved = Some(self.move_to(sessions, state, place).await?);
            }
        }
        if state.live.as_ref().is_none_or(|live| !live.session.is_alive()) {
            state.live = None;
            self.is_live.store(false, Relaxed);
            sessions.make_room().await?;
            if place.tier == Tier::Docker {
                moved = Some(self.move_to(sessions, state, place).await?);
            } else {
                state.live = Some(self.restored(sessions, state, place).await?);
            }
        }
        if let Some(live) = &state.live {
            *lock(&self.interrupt) = live.session.interrupt();
            self.is_live.store(true, Relaxed);
        }
        Ok(moved)
    }

    /// Brings back what is on disk: the frozen state, and the calls since.
    async fn restored(&self, sessions: &Sessions, state: &mut State, place: &Place) -> Result<Live> {
        let executor = place.executor(sessions.pyexec()).await?;
        let spec = || folder::spec(&self.folder, &state.record.definition);
        let (mut session, frozen_calls) = match folder::frozen(&self.folder) {
            Some((calls, path)) => {
                let bytes = blocking(move || fs::read(path)).await.and_then(|read| read);
                let bytes = bytes.map_err(|e| Error::io("cannot read the session in", &self.folder, e))?;
                let mut session = executor.thaw(&Frozen::new(bytes), place.provisioned.clone(), spec()).await?;
                if std::mem::take(&mut state.record.is_copy) {
                    session.ask(Question::reseed()).await?;
                }
                (session, calls)
            }
            None => (executor.open(place.provisioned.clone(), spec()).await?, 0),
        };
        let since = state.journal.after(frozen_calls, state.record.calls)?;
        let since =
            since.ok_or_else(|| Error::unavailable("the session has had too many calls since it was last kept"))?;
        let is_dirty = !since.is_empty();
        again(&mut *session, since, state.record.definition.limits()).await?;
        Ok(Live { session, place: place.clone(), is_dirty })
    }

    /// Has the session go on in a container: its files go along, and its calls run there again, silently.
    async fn move_to(&self, sessions: &Sessions, state: &mut State, place: &Place) -> Result<Moved> {
        let calls = state.journal.after(0, state.record.calls)?.ok_or_else(|| {
            Error::invalid(format!(
                "the session cannot go on in a container ({}): it has had more than {} calls, or too much in them; \
                 make another one, and say what it needs beforehand",
                place.reason,
                journal::REPLAYED_MAX
            ))
        })?;
        let executor = place.executor(sessions.pyexec()).await?;
        let spec = folder::spec(&self.folder, &state.record.definition);
        let mut session = executor.open(place.provisioned.clone(), spec).await?;
        // What was there before the first call; the calls make the rest again.
        if let Some(live) = &mut state.live
            && live.session.is_alive()
        {
            for file in live.session.list_files().await? {
                let content = live.session.read_file(&file.path).await?;
                session.write_file(&file.path, content).await?;
            }
        }
        let replayed = calls.len() as u64;
        let different = again(&mut *session, calls, state.record.definition.limits()).await?;
        state.live = Some(Live { session, place: place.clone(), is_dirty: true });
        state.record.in_container = true;
        Ok(Moved::new(replayed, different))
    }

    /// Runs a cell, wherever it takes, unless its caller has gone before its turn came.
    async fn call(
        &self,
        sessions: &Sessions,
        cell: Cell,
        observer: Box<dyn Observer>,
        stage: &Stage,
    ) -> Result<CallEnd> {
        let mut state = self.lock().await?;
        let state = &mut *state;
        if !stage.begin() {
            return Err(Error::invalid("the caller has gone"));
        }
        self.in_call.store(true, Relaxed);
        let _in_call = InCall(&self.in_call);
        let observer: Arc<Mutex<dyn Observer>> = Arc::new(Mutex::new(observer));
        let progress = progress(&observer);
        let Cell { code, stdin, limits, mut tools } = cell;
        let limits = limits.unwrap_or_else(|| state.record.definition.limits());
        let number = state.record.calls + 1;
        let log = Arc::new(Mutex::new(Vec::new()));
        let declared = tools.as_ref().map(|tools| tools.tools().to_vec()).unwrap_or_default();

        let planned = place::of(sessions.pyexec(), &state.record, &code, &progress).await;
        let (mut place, mut retry) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(self.refused(&state.record, &error)),
        };
        let (mut moved, mut attempts) = (None, 0);
        let outcome = loop {
            attempts += 1;
            if place.is_plain()
                && let Some(live) = &state.live
            {
                // What was there before stays.
                place = live.place.clone();
            }
            moved = self.bring(sessions, state, &place).await?.or(moved);
            let live = state.live.as_mut().ok_or_else(|| Error::unavailable("the session is not there"))?;
            let stop_at = retry.as_ref().filter(|_| attempts < ATTEMPTS_MAX && tools.is_none()).map(Retry::stop_at);
            let mut call = self.attempt(number, &code, &stdin, limits, stop_at, tools.take(), &log);
            let shared = Arc::clone(&observer);
            let tell: Box<dyn Observer> = Box::new(move |event: Event<'_>| lock(&shared).event(event));
            let turn = Turn::new(sessions.pyexec(), live.place.tier, &self.owner).await;
            if let Some(tools) = &mut call.tools {
                tools.suspends(Arc::clone(&turn) as Arc<dyn Suspend>);
            }
            let run = live.session.call(call, tell).await?;
            drop(turn);
            let next = match (run, retry.take()) {
                (Run::Ended(outcome), None) => break outcome,
                (Run::Ended(outcome), Some(_)) if !declared.is_empty() || attempts >= ATTEMPTS_MAX => break outcome,
                (Run::Ended(outcome), Some(retry)) => {
                    match sessions.pyexec().planner().after_end(retry, &outcome).await {
                        Some(plan) => plan,
                        None => break outcome,
                    }
                }
                (Run::Missed(miss, used), Some(retry)) => {
                    let next = sessions.pyexec().planner().after_miss(retry, &miss, used).await;
                    next.ok_or_else(|| Error::unavailable("the call cannot be run again"))?
                }
                (Run::Missed(..), None) => return Err(Error::unavailable("the call was stopped for no reason")),
            };
            let reason = next.replay_reason().unwrap_or_default();
            lock(&observer).event(Event::Restarted(&reason));
            // As it was before the call.
            state.live = None;
            (place, retry) = place::provisioned(sessions.pyexec(), next, &progress).await?;
        };
        let is_alive = state.live.as_ref().is_some_and(|live| live.session.is_alive());
        if is_alive {
            let entry = journal::Entry::new(number, &code, &stdin, declared, std::mem::take(&mut lock(&log)), &outcome);
            state.journal.add(&entry).map_err(|e| Error::io("cannot write down a call in", &self.folder, e))?;
            if let Some(live) = &mut state.live {
                live.is_dirty = true;
            }
        } else {
            state.live = None;
            self.is_live.store(false, Relaxed);
        }
        state.record.calls = number;
        state.record.last_used = SystemTime::now();
        if !place.is_plain() {
            state.record.keep_needful(&code);
        }
        self.keep_record(&state.record)?;
        let mut outcome = *outcome;
        outcome.route_reason.clone_from(&place.reason);
        let session = state.record.info(if is_alive { SessionState::Live } else { SessionState::Frozen });
        Ok(CallEnd { outcome, number, session, moved, lost: !is_alive })
    }

    /// Ends a call that could not run: the session is as it was.
    fn refused(&self, record: &Record, error: &Error) -> CallEnd {
        let hint = error.hint().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
        let outcome = Outcome::failed(error.exit_code(), format!("{error}{hint}"), record.tier(), "");
        let state = if self.is_live() { SessionState::Live } else { SessionState::Frozen };
        CallEnd { outcome, number: record.calls, session: record.info(state), moved: None, lost: false }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a call, which is used up by each attempt")]
    fn attempt(
        &self,
        number: u64,
        code: &bytes::Bytes,
        stdin: &bytes::Bytes,
        limits: crate::Limits,
        stop_at: Option<StopAt>,
        tools: Option<ToolPort>,
        log: &Arc<Mutex<Vec<crate::executor::ToolResult>>>,
    ) -> Call {
        let mut call = Call::cell(number, code.clone(), limits).stdin(Stdin::of(stdin));
        call.stop_at = stop_at;
        if let Some(mut tools) = tools {
            tools.logged(Arc::clone(log));
            call = call.tools(tools);
        }
        call
    }

    /// Does something with the session in memory.
    pub(super) async fn with_live<T>(
        &self,
        sessions: &Sessions,
        work: impl for<'a> FnOnce(&'a mut dyn Session) -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        let mut state = self.lock().await?;
        let state = &mut *state;
        let place = match &state.live {
            Some(live) => live.place.clone(),
            None => place::of(sessions.pyexec(), &state.record, &bytes::Bytes::new(), &Progress::new(|_| ())).await?.0,
        };
        self.bring(sessions, state, &place).await?;
        let live = state.live.as_mut().ok_or_else(|| Error::unavailable("the session is not there"))?;
        live.is_dirty = true;
        let done = work(&mut *live.session).await;
        if !live.session.is_alive() {
            state.live = None;
            self.is_live.store(false, Relaxed);
        }
        state.record.last_used = SystemTime::now();
        self.keep_record(&state.record)?;
        done
    }

    pub(super) async fn ask(&self, sessions: &Sessions, question: Question) -> Result<JsonText> {
        self.with_live(sessions, |session| session.ask(question)).await
    }

    /// Writes down what is only in memory.
    pub(super) async fn write_down(&self) {
        if let Ok(mut state) = self.lock().await
            && let Err(error) = self.write_down_state(&mut state).await
        {
            tracing::warn!(session = self.id, %error, "a session is not written down");
        }
    }

    async fn write_down_state(&self, state: &mut State) -> Result<()> {
        let Some(live) = state.live.as_mut().filter(|live| live.is_dirty && live.place.tier == Tier::Wasm) else {
            return Ok(());
        };
        let frozen = live.session.freeze().await?;
        let (folder, calls) = (self.folder.clone(), state.record.calls);
        let kept = blocking(move || folder::keep_frozen(&folder, calls, frozen.bytes())).await.and_then(|kept| kept);
        kept.map_err(|e| Error::io("cannot write down a session in", &self.folder, e))?;
        live.is_dirty = false;
        Ok(())
    }

    /// Goes to disk, unless it is in a call; returns whether it has left memory.
    pub(super) async fn leave_memory(&self) -> bool {
        let Ok(mut state) = self.state.try_lock() else { return false };
        if state.live.as_ref().is_some_and(|live| live.place.tier == Tier::Docker) {
            return false;
        }
        match self.write_down_state(&mut state).await {
            Ok(()) => {
                state.live = None;
                self.is_live.store(false, Relaxed);
                true
            }
            Err(error) => {
                tracing::warn!(session = self.id, %error, "a session cannot leave memory");
                false
            }
        }
    }

    pub(super) async fn fork(&self, sessions: &Sessions) -> Result<Entry> {
        let mut state = self.lock().await?;
        self.write_down_state(&mut state).await?;
        sessions.shared.folder.copy(&self.folder, state.record.copied()).await
    }

    pub(super) async fn checkpoint(&self, name: &str) -> Result<()> {
        let into = self.checkpoint_folder(name)?;
        let mut state = self.lock().await?;
        if !into.exists() && self.checkpoints().len() >= CHECKPOINTS_MAX {
            return Err(Error::invalid(format!("a session keeps {CHECKPOINTS_MAX} states at most")));
        }
        self.write_down_state(&mut state).await?;
        let (folder, record) = (self.folder.clone(), state.record.bytes());
        let kept = blocking(move || {
            let making = folder.join(".checkpoint");
            let _ = fs::remove_dir_all(&making);
            folder::copy_state(&folder, &making)?;
            fs::write(making.join(folder::RECORD), record)?;
            fs::create_dir_all(folder.join(folder::CHECKPOINTS))?;
            let _ = fs::remove_dir_all(&into);
            fs::rename(making, into)
        });
        kept.await
            .and_then(|kept| kept)
            .map_err(|e| Error::io("cannot keep a state of the session in", &self.folder, e))
    }

    pub(super) async fn roll_back(&self, name: &str) -> Result<()> {
        let from = self.checkpoint_folder(name)?;
        let mut state = self.lock().await?;
        let bytes = fs::read(from.join(folder::RECORD)).map_err(|_| {
            Error::not_found(format!("nothing is kept under {name:?}: {}", self.checkpoints().join(", ")))
        })?;
        let kept = Record::read(&bytes)?;
        state.live = None;
        self.is_live.store(false, Relaxed);
        state.journal = Journal::new(self.folder.join(folder::JOURNAL));
        let folder = self.folder.clone();
        let back = blocking(move || {
            for entry in fs::read_dir(&folder)?.flatten() {
                let name = entry.file_name();
                if name == folder::HOME {
                    fs::remove_dir_all(entry.path())?;
                } else if name != folder::RECORD && entry.path().is_file() {
                    fs::remove_file(entry.path())?;
                }
            }
            folder::copy_state(&from, &folder)
        });
        back.await.and_then(|back| back).map_err(|e| Error::io("cannot go back to a state in", &self.folder, e))?;
        state.record = kept;
        state.record.last_used = SystemTime::now();
        self.keep_record(&state.record)
    }

    pub(super) fn checkpoints(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.join(folder::CHECKPOINTS)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn checkpoint_folder(&self, name: &str) -> Result<PathBuf> {
        let is_name = !name.is_empty()
            && name.len() <= 100
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !name.starts_with('.');
        if !is_name {
            return Err(Error::invalid(format!(
                "{name:?} is no name for a state: letters, digits, -, _ and ., at most 100 of them"
            )));
        }
        Ok(Path::new(&self.folder).join(folder::CHECKPOINTS).join(name))
    }

    pub(super) async fn remove(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        state.is_removed = true;
        state.live = None;
        self.is_live.store(false, Relaxed);
        let folder = self.folder.clone();
        let removed = blocking(move || folder::remove(&folder)).await.and_then(|removed| removed);
        removed.map_err(|e| Error::io("cannot remove the session in", &self.folder, e))
    }
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
    let stage = Arc::new(Stage::default());
    let guard = InterruptOnDrop { entry: Arc::clone(&entry), stage: Arc::clone(&stage) };
    let freeze_after = sessions.shared.options.freeze_after;
    let task = tokio::spawn(async move {
        let end = Box::pin(entry.call(&sessions, cell, observer, &stage)).await;
        stage.end();
        if let Ok(end) = &end {
            let number = end.number;
            tokio::spawn(async move {
                tokio::time::sleep(freeze_after).await;
                if lock(&entry.shown).calls == number {
                    entry.write_down().await;
                }
            });
        }
        end
    });
    let end = task.await.unwrap_or_else(|fault| Err(Error::caused("running a call failed", fault)));
    drop(guard);
    end
}

/// Runs calls again that were answered, and returns the numbers of those that ended differently.
async fn again(session: &mut dyn Session, calls: Vec<journal::Entry>, limits: crate::Limits) -> Result<Vec<u64>> {
    let mut different = Vec::new();
    for entry in calls {
        match session.call(entry.call(limits), Box::new(|_: Event<'_>| ())).await? {
            Run::Ended(outcome) if entry.ended_as(&outcome) => {}
            Run::Ended(_) | Run::Missed(..) => different.push(entry.number),
        }
        if !session.is_alive() {
            return Err(Error::unavailable(format!(
                "call {} of the session did not end when it ran again",
                entry.number
            )));
        }
    }
    Ok(different)
}

fn progress(observer: &Arc<Mutex<dyn Observer>>) -> Progress {
    let observer = Arc::clone(observer);
    Progress::new(move |update| match update {
        Update::Phase(phase) => lock(&observer).event(Event::Progress(phase)),
        Update::Detail(line) => lock(&observer).event(Event::Detail(line)),
    })
}

/// Says how far a call is, for a caller who may go away.
#[derive(Default)]
struct Stage(AtomicU8);

const WAITS: u8 = 0;
const RUNS: u8 = 1;
const IS_OVER: u8 = 2;

impl Stage {
    /// Begins the call; `false` when its caller has gone.
    fn begin(&self) -> bool {
        self.0.compare_exchange(WAITS, RUNS, AcqRel, Acquire).is_ok()
    }

    fn end(&self) {
        self.0.store(IS_OVER, Release);
    }

    /// Ends a call that waits, and returns whether it runs.
    fn leave(&self) -> bool {
        self.0.swap(IS_OVER, AcqRel) == RUNS
    }
}

/// Interrupts the call of a caller who has gone, and no other one's.
struct InterruptOnDrop {
    entry: Arc<Entry>,
    stage: Arc<Stage>,
}

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        if self.stage.leave() {
            self.entry.interrupt();
        }
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
