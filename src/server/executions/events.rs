//! What happened in one execution, for those who follow it live or later, in bounded memory.

use crate::{server::api::Status, sync::lock};
use futures_util::stream::{BoxStream, unfold};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};
use tokio::sync::Notify;

/// Kept for followers that are slow or come late. What they miss is in the result, or was cut there as well.
const BYTES_MAX: usize = 2 << 20;

/// Output of one event. Small writes are joined up to this, as long as nobody has seen them; large ones should be split.
pub(crate) const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// Something that happens to an execution: it changes its record, is an event for its followers, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Update {
    /// It runs, or what it needs is being made.
    Started(SystemTime),
    /// Says what goes on before its script starts; nothing once it does.
    Progress(Option<String>),
    /// The script starts again, elsewhere: what it printed before is void.
    Restarted(String),
    Output(Stream, String),
}

/// One of the two streams of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Counts from 1.
    pub(crate) number: u64,
    pub(crate) kind: EventKind,
}

/// Says what an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    State(Status),
    Progress(String),
    Restarted(String),
    Output(Stream, String),
    /// It has its result, which is in the record.
    Ended,
    /// So many events are missing from here.
    Lagged(u64),
}

impl EventKind {
    /// Returns how many bytes it takes here.
    fn bytes(&self) -> usize {
        match self {
            EventKind::Progress(text) | EventKind::Restarted(text) | EventKind::Output(_, text) => text.len(),
            EventKind::State(_) | EventKind::Ended | EventKind::Lagged(_) => 0,
        }
    }

    /// Returns whether it may be forgotten: states and the result are few and small.
    fn is_long(&self) -> bool {
        matches!(self, EventKind::Output(..) | EventKind::Progress(_))
    }
}

/// What a script has printed since it was last started, as far as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Some of it is gone.
    pub(crate) truncated: bool,
}

/// The events of one execution.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<Event>,
    bytes: usize,
    /// Number of the newest event.
    last: u64,
    /// Highest number that a follower has.
    seen: u64,
    closed: bool,
}

impl EventLog {
    /// Adds what an update is for followers.
    pub(super) fn add(&self, update: Update) {
        match update {
            Update::Started(_) => self.push(EventKind::State(Status::Running)),
            Update::Progress(Some(text)) => self.push(EventKind::Progress(text)),
            Update::Progress(None) => {}
            Update::Restarted(reason) => self.push(EventKind::Restarted(reason)),
            Update::Output(stream, text) => self.output(stream, text),
        }
    }

    pub(super) fn state(&self, status: Status) {
        self.push(EventKind::State(status));
    }

    fn output(&self, stream: Stream, text: String) {
        if text.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let unseen = inner.last > inner.seen;
        if let Some(Event { kind: EventKind::Output(of, joined), .. }) = inner.kept.back_mut()
            && unseen
            && *of == stream
            && joined.len() + text.len() <= OUTPUT_BYTES_MAX
        {
            joined.push_str(&text);
            inner.bytes += text.len();
            inner.shorten();
            drop(inner);
            self.changed.notify_waiters();
            return;
        }
        drop(inner);
        self.push(EventKind::Output(stream, text));
    }

    /// Adds the end, which is the last event.
    pub(super) fn end(&self) {
        self.push(EventKind::Ended);
        self.close();
    }

    /// Notes that nothing more will happen.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Waits for the first event after number `after`; `None` after the last.
    pub(super) async fn after(&self, after: u64) -> Option<Event> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that nothing that happens in between is missed.
            changed.as_mut().enable();
            {
                let mut inner = self.lock();
                if let Some(event) = inner.next(after) {
                    return Some(event);
                }
                if inner.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Returns the kept output since the script's last start.
    pub(super) fn printed(&self) -> Printed {
        let inner = self.lock();
        let start = inner.kept.iter().rposition(|event| matches!(event.kind, EventKind::Restarted(_))).unwrap_or(0);
        let truncated = inner.last > inner.kept.len() as u64;
        let mut printed = Printed { truncated, ..Printed::default() };
        for event in inner.kept.iter().skip(start) {
            match &event.kind {
                EventKind::Output(Stream::Stdout, text) => printed.stdout.push_str(text),
                EventKind::Output(Stream::Stderr, text) => printed.stderr.push_str(text),
                _ => {}
            }
        }
        printed
    }

    /// Returns how many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn push(&self, kind: EventKind) {
        let mut inner = self.lock();
        inner.last += 1;
        inner.bytes += kind.bytes();
        let number = inner.last;
        inner.kept.push_back(Event { number, kind });
        inner.shorten();
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Locks the events; nothing here panics while they are held.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

impl Inner {
    /// Forgets the oldest output.
    fn shorten(&mut self) {
        while self.bytes > BYTES_MAX {
            let oldest = self.kept.iter().position(|event| event.kind.is_long());
            let Some(event) = oldest.and_then(|at| self.kept.remove(at)) else { return };
            self.bytes -= event.kind.bytes();
        }
    }

    fn next(&mut self, after: u64) -> Option<Event> {
        let at = self.kept.partition_point(|event| event.number <= after);
        let event = self.kept.get(at)?;
        let missed = event.number - after - 1;
        if missed > 0 {
            // Takes the number of the last one missed, so that resuming from there is right.
            return Some(Event { number: event.number - 1, kind: EventKind::Lagged(missed) });
        }
        self.seen = self.seen.max(event.number);
        Some(event.clone())
    }
}

/// Follows a log from after number `after` to its end.
pub(super) fn follow(log: Arc<EventLog>, after: u64) -> BoxStream<'static, Event> {
    let next = |(log, after): (Arc<EventLog>, u64)| async move {
        let event = log.after(after).await?;
        let number = event.number;
        Some((event, (log, number)))
    };
    Box::pin(unfold((log, after), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn stdout(text: &str) -> Update {
        Update::Output(Stream::Stdout, text.to_owned())
    }

    #[test]
    fn small_writes_are_joined_until_someone_has_seen_them() {
        let log = EventLog::default();
        log.add(stdout("a"));
        log.add(stdout("b"));
        let first = block(log.after(0)).unwrap();
        assert_eq!(first, Event { number: 1, kind: EventKind::Output(Stream::Stdout, "ab".to_owned()) });
        log.add(stdout("c"));
        assert_eq!(block(log.after(1)).unwrap().kind, EventKind::Output(Stream::Stdout, "c".to_owned()));
    }

    #[test]
    fn a_flood_is_bounded_and_the_gap_is_told() {
        let log = EventLog::default();
        log.state(Status::Running);
        let line = "x".repeat(OUTPUT_BYTES_MAX);
        for _ in 0..1000 {
            log.add(stdout(&line));
        }
        log.end();
        assert!(log.bytes() <= BYTES_MAX && log.printed().truncated);
        let first = block(log.after(0)).unwrap();
        assert_eq!(first.kind, EventKind::State(Status::Running));
        let gap = block(log.after(first.number)).unwrap();
        assert!(matches!(gap.kind, EventKind::Lagged(missed) if missed > 0));
        let next = block(log.after(gap.number)).unwrap();
        assert!(matches!(next.kind, EventKind::Output(Stream::Stdout, _)) && next.number == gap.number + 1);
        let last = block(log.after(1001)).unwrap();
        assert_eq!(last.kind, EventKind::Ended);
        assert_eq!(block(log.after(last.number)), None);
    }

    #[test]
    fn what_was_printed_before_a_new_start_is_void() {
        let log = EventLog::default();
        log.add(stdout("old"));
        log.add(Update::Restarted("needs a socket".to_owned()));
        log.add(stdout("new"));
        log.add(Update::Output(Stream::Stderr, "error".to_owned()));
        let expected = Printed { stdout: "new".to_owned(), stderr: "error".to_owned(), truncated: false };
        assert_eq!(log.printed(), expected);
    }
}
