//! How a session comes back into memory, or goes on in a container.
//!
//! What is done again is never done over files that have its effects already: the files go back first to what they were at the
//! state from which it goes on. Where not all can be done again, the session starts with a new interpreter, or with the latest
//! that is kept, and says so; files stay.

use super::{
    Sessions,
    entry::{Brought, Entry, Live, State},
    folder,
    journal::{Done, Line, REPLAYED_MAX},
    place::Place,
    record::{Base, Moved, Record, Restored},
    tree,
    turn::Turn,
};
use crate::{
    Error, Event, Result,
    blocking::blocking,
    executor::{Frozen, Interrupt, Question, Run, Session},
    outcome::Tier,
};
use bytes::Bytes;
use std::{collections::BTreeMap, fs, time::Instant};

/// What bounds all that is done again for one call.
struct Replay<'a> {
    interrupt: &'a Interrupt,
    until: Instant,
}

/// Says how doing again has ended.
enum Again {
    /// All of it was done: so many calls, of which these ended differently.
    Done { calls: u64, different: Vec<u64> },
    /// It cannot be, for this reason.
    Not(String),
}

impl Entry {
    /// Has a session in memory that has what `place` says: the live one, or one from what is on disk.
    pub(super) async fn bring(
        &self,
        sessions: &Sessions,
        state: &mut State,
        place: &Place,
        interrupt: &Interrupt,
    ) -> Result<Brought> {
        match &state.live {
            Some(live) if !live.session.is_alive() => self.drop_live(state),
            Some(live) if live.place.key == place.key => return Ok(Brought::default()),
            Some(live) => {
                // The same interpreter may have other packages to import; for anything else it is made again.
                let stays = live.place.tier == Tier::Wasm && place.tier == Tier::Wasm;
                self.write_down_state(state).await?;
                if stays {
                    self.drop_live(state);
                }
            }
            None => {}
        }
        // What runs again does so in its turn.
        let _turn = tokio::select! {
            biased;
            turn = Turn::new(sessions.pyexec(), place.tier, self.owner()) => turn,
            () = interrupt.asked() => return Err(interrupted()),
        };
        if state.permit.is_none() {
            state.permit = Some(sessions.room().await?);
        }
        let replay = Replay { interrupt, until: Instant::now() + sessions.shared.options.replay_time };
        let brought = self.brought(sessions, state, place, &replay).await;
        if state.live.is_some() {
            self.is_live_now();
        } else {
            self.drop_live(state);
        }
        brought
    }

    async fn brought(
        &self,
        sessions: &Sessions,
        state: &mut State,
        place: &Place,
        replay: &Replay<'_>,
    ) -> Result<Brought> {
        if place.tier == Tier::Docker && (state.live.is_some() || !state.record.in_container) {
            let moved = self.move_to(sessions, state, place, replay).await?;
            return Ok(Brought { moved: Some(moved.0), restored: moved.1 });
        }
        let kept = match place.tier {
            Tier::Wasm => self.thawed(sessions, state, place, replay).await?,
            Tier::Docker => None,
        };
        let restored = match kept {
            Some(restored) => restored,
            None => match self.made_again(sessions, state, place, replay).await? {
                Again::Done { calls, different } => Restored::new(calls, different, 0),
                Again::Not(why) => {
                    tracing::warn!(session = self.id(), why, "a session starts with a new interpreter");
                    self.fresh(sessions, state, place).await?
                }
            },
        };
        let is_plain = restored.replayed == 0 && restored.lost == 0;
        Ok(Brought { moved: None, restored: (!is_plain).then_some(restored) })
    }

    /// Goes on from the frozen state, with what was done since; `None` when there is none that can be thawed.
    async fn thawed(
        &self,
        sessions: &Sessions,
        state: &mut State,
        place: &Place,
        replay: &Replay<'_>,
    ) -> Result<Option<Restored>> {
        let base = state.record.base().clone();
        let Some(id) = base.interpreter else { return Ok(None) };
        let lines = state.journal.between(base.entries, state.record.entries).await?;
        let Some(session) = self.thaw(sessions, &state.record, place, &base, id).await? else { return Ok(None) };
        state.live = Some(Live::new(session, place, base.is_copy));
        let all = match &lines {
            Some(lines) => self.again(state, lines, replay).await?,
            None => Again::Not("what it did since it was frozen is not written down".to_owned()),
        };
        match all {
            Again::Done { calls, different } => Ok(Some(Restored::new(calls, different, 0))),
            Again::Not(why) => {
                tracing::warn!(session = self.id(), why, "a session goes back to its frozen state");
                state.live = None;
                let Some(session) = self.thaw(sessions, &state.record, place, &base, id).await? else {
                    return Ok(None);
                };
                state.live = Some(Live::new(session, place, true));
                self.files_again(state, lines, replay).await?;
                let lost = state.record.calls - base.calls;
                // From here on it is as if they had never been.
                let (entries, calls) = (state.record.entries, state.record.calls);
                let is_whole = self.write_down_state(state).await.is_ok();
                if !is_whole {
                    state.record.kept = Some(Base { entries, calls, ..base });
                }
                state.record.is_reachable = false;
                self.keep_for_good(&state.record).await?;
                Ok(Some(Restored::new(0, Vec::new(), lost)))
            }
        }
    }

    /// Thaws what is kept, with its files; `None` when it is of another version, or damaged.
    async fn thaw(
        &self,
        sessions: &Sessions,
        record: &Record,
        place: &Place,
        base: &Base,
        id: u64,
    ) -> Result<Option<Box<dyn Session>>> {
        let executor = place.executor(sessions.pyexec()).await?;
        let path = folder::frozen(&self.folder, id);
        let bytes = match blocking(move || fs::read(path)).await.and_then(|read| read) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(session = self.id(), %error, "the frozen state of a session is not there");
                return Ok(None);
            }
        };
        self.restore_files(base.files).await?;
        let spec = folder::spec(&self.folder, &record.definition);
        match executor.thaw(&Frozen::new(bytes), place.provisioned.clone(), spec).await {
            Ok(mut session) => {
                if base.is_copy {
                    session.ask(Question::reseed()).await?;
                }
                Ok(Some(session))
            }
            Err(error) if error.is_invalid_job() => {
                tracing::warn!(session = self.id(), %error, "a session cannot be thawed");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Does everything again from the origin, in a new interpreter.
    async fn made_again(
        &self,
        sessions: &Sessions,
        state: &mut State,
        place: &Place,
        replay: &Replay<'_>,
    ) -> Result<Again> {
        let record = &state.record;
        let (origin, base) = (record.origin.clone(), record.base().clone());
        if record.has_outside_effects() && record.calls > origin.calls {
            return Ok(Again::Not("its calls had a network, where they would act twice".to_owned()));
        }
        let lines =
            if record.is_reachable { state.journal.between(origin.entries, record.entries).await? } else { None };
        let Some(lines) = lines else {
            return Ok(Again::Not(format!(
                "it has had more than {REPLAYED_MAX} calls, or too much in them, or calls that could not run again"
            )));
        };
        let before = state.live.take();
        let session = self.opened(sessions, &state.record, place, origin.files).await;
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                state.live = before;
                return Err(error);
            }
        };
        state.live = Some(Live::new(session, place, true));
        let at = usize::try_from(base.entries.saturating_sub(origin.entries)).unwrap_or(usize::MAX).min(lines.len());
        let done = async {
            let first = self.again(state, &lines[..at], replay).await?;
            let Again::Done { mut calls, mut different } = first else { return Ok(first) };
            if state.record.kept.is_some()
                && let Some(live) = &mut state.live
            {
                // They are as they were seen, whatever has come out differently.
                self.equalize(&mut *live.session, base.files).await?;
            }
            let rest = self.again(state, &lines[at..], replay).await?;
            let Again::Done { calls: more, different: others } = rest else { return Ok(rest) };
            calls += more;
            different.extend(others);
            Ok(Again::Done { calls, different })
        };
        let done = done.await;
        if !matches!(done, Ok(Again::Done { .. })) {
            state.live = before;
        }
        done
    }

    /// Starts with a new interpreter, and the files that there are.
    async fn fresh(&self, sessions: &Sessions, state: &mut State, place: &Place) -> Result<Restored> {
        let files = state.record.base().files;
        let lines = state.journal.between(state.record.base().entries, state.record.entries).await?;
        let session = self.opened(sessions, &state.record, place, files).await?;
        state.live = Some(Live::new(session, place, true));
        let interrupt = Interrupt::default();
        let replay = Replay { interrupt: &interrupt, until: Instant::now() + sessions.shared.options.replay_time };
        self.files_again(state, lines, &replay).await?;
        let lost = state.record.calls - state.record.origin.calls;
        state.record.in_container = place.tier == Tier::Docker;
        self.write_down_state(state).await?;
        // What may run again begins here.
        let files = state.record.base().files;
        let record = &mut state.record;
        let (entries, calls) = (record.entries, record.calls);
        record.origin = Base { entries, calls, interpreter: None, files, is_copy: false };
        record.is_reachable = true;
        self.keep_for_good(&state.record).await?;
        Ok(Restored::new(0, Vec::new(), lost))
    }

    /// Has the session go on in a container: its files go along, and its calls run there again, silently.
    async fn move_to(
        &self,
        sessions: &Sessions,
        state: &mut State,
        place: &Place,
        replay: &Replay<'_>,
    ) -> Result<(Moved, Option<Restored>)> {
        let was_in_container = state.record.in_container;
        match self.made_again(sessions, state, place, replay).await? {
            Again::Done { calls, different } => {
                state.record.in_container = true;
                self.keep_record(&state.record)?;
                Ok((Moved::new(calls, different), None))
            }
            Again::Not(_) if was_in_container => {
                let restored = self.fresh(sessions, state, place).await?;
                Ok((Moved::new(0, Vec::new()), Some(restored)))
            }
            Again::Not(why) => Err(Error::invalid(format!(
                "the session cannot go on in a container ({}): {why}; make another one, and say what it needs beforehand",
                place.reason
            ))),
        }
    }

    /// Opens a new session over these files.
    async fn opened(
        &self,
        sessions: &Sessions,
        record: &Record,
        place: &Place,
        files: Option<u64>,
    ) -> Result<Box<dyn Session>> {
        let executor = place.executor(sessions.pyexec()).await?;
        let spec = folder::spec(&self.folder, &record.definition);
        if place.tier == Tier::Wasm {
            self.restore_files(files).await?;
            let home = self.folder.join(folder::HOME);
            let used = blocking(move || tree::usage(&home)).await;
            let used = used.map_err(|e| Error::io("cannot read the files of the session in", &self.folder, e))?;
            return executor.open(place.provisioned.clone(), spec.used(used)).await;
        }
        let mut session = executor.open(place.provisioned.clone(), spec).await?;
        self.equalize(&mut *session, files).await?;
        Ok(session)
    }

    async fn restore_files(&self, files: Option<u64>) -> Result<()> {
        let folder = self.folder.clone();
        let restored = blocking(move || tree::restore(&folder, files)).await.and_then(|restored| restored);
        restored.map_err(|e| Error::io("cannot bring back the files of the session in", &self.folder, e))
    }

    /// Has the project folder of a session hold the files of a kept tree, and no others.
    async fn equalize(&self, session: &mut dyn Session, files: Option<u64>) -> Result<()> {
        let unreadable = |e| Error::io("cannot read the files of the session in", &self.folder, e);
        let wanted: BTreeMap<String, u64> = match files {
            Some(tree) => {
                let folder = self.folder.clone();
                let listed = blocking(move || tree::work_files(&folder, tree)).await.and_then(|listed| listed);
                listed.map_err(unreadable)?.into_iter().collect()
            }
            None => BTreeMap::new(),
        };
        let there = session.list_files().await?;
        for file in there.iter().filter(|file| !wanted.contains_key(&file.path)) {
            session.remove_file(&file.path).await?;
        }
        for (path, bytes) in wanted {
            let Some(tree) = files else { continue };
            let at = folder::files(&self.folder, tree).join("work").join(&path);
            let content = blocking(move || fs::read(at)).await.and_then(|read| read).map_err(unreadable)?;
            let may_be_same = there.iter().any(|file| file.path == path && file.bytes == bytes);
            if may_be_same && session.read_file(&path).await.is_ok_and(|same| same == content) {
                continue;
            }
            session.write_file(&path, Bytes::from(content)).await?;
        }
        Ok(())
    }

    /// Writes and removes again the files of which this was done from outside.
    async fn files_again(&self, state: &mut State, lines: Option<Vec<Line>>, replay: &Replay<'_>) -> Result<()> {
        let lines = lines.unwrap_or_default().into_iter();
        let lines: Vec<Line> = lines.filter(|line| !matches!(line.done, Done::Called(_))).collect();
        self.again(state, &lines, replay).await.map(drop)
    }

    /// Does again what was done.
    async fn again(&self, state: &mut State, lines: &[Line], replay: &Replay<'_>) -> Result<Again> {
        let limits = state.record.definition.limits();
        let Some(live) = &mut state.live else { return Ok(Again::Not("the session is not there".to_owned())) };
        live.is_dirty |= !lines.is_empty();
        let session = &mut *live.session;
        let (mut calls, mut different) = (0, Vec::new());
        for line in lines {
            if replay.interrupt.was_asked() {
                return Err(interrupted());
            }
            match &line.done {
                Done::Void => {}
                Done::Wrote { path, content } => {
                    let at = folder::content(&self.folder, *content);
                    match blocking(move || fs::read(at)).await.and_then(|read| read) {
                        Ok(content) => session.write_file(path, content.into()).await?,
                        Err(error) => return Ok(Again::Not(format!("the content of {path:?} is gone ({error})"))),
                    }
                }
                // It may not be there where a call has ended differently.
                Done::Removed { path } => drop(session.remove_file(path).await),
                Done::Called(called) => {
                    let left = replay.until.saturating_duration_since(Instant::now()).as_millis();
                    let left = u64::try_from(left).unwrap_or(u64::MAX);
                    if left == 0 {
                        return Ok(Again::Not("its earlier calls take too long".to_owned()));
                    }
                    let call = called.call(limits, left, replay.interrupt);
                    let run = session.call(call, Box::new(|_: Event<'_>| ())).await?;
                    calls += 1;
                    let is_same = matches!(&run, Run::Ended(outcome) if called.ended_as(outcome));
                    if replay.interrupt.was_asked() && !is_same {
                        return Err(interrupted());
                    }
                    if !is_same && Instant::now() >= replay.until {
                        return Ok(Again::Not("its earlier calls take too long".to_owned()));
                    }
                    if !session.is_alive() {
                        return Ok(Again::Not(format!("call {} did not end when it ran again", called.number)));
                    }
                    if !is_same {
                        different.push(called.number);
                    }
                }
            }
        }
        Ok(Again::Done { calls, different })
    }
}

impl Live {
    fn new(session: Box<dyn Session>, place: &Place, is_dirty: bool) -> Live {
        Live { session, place: place.clone(), is_dirty, listed: BTreeMap::new() }
    }
}

fn interrupted() -> Error {
    Error::busy("the call was interrupted")
}
