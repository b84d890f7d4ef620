//! What happened in one execution, for those who follow it live or later, in bounded memory.

use super::api::Status;
use bytes::Bytes;
use serde::Serialize;
use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Kept for followers that are slow or come late. What they miss is in the result, or was cut there as well.
const BYTES_MAX: usize = 2 << 20;

/// Output of one event. Small writes are joined up to this, as long as nobody has seen them; large ones should be split.
pub(crate) const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// A numbered event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Counts from 1.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    /// JSON.
    pub(crate) data: String,
}

/// Says what an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    State,
    /// Something that takes a while before the script starts.
    Progress,
    /// The script starts again, elsewhere: what it printed before is void.
    Restarted,
    Stdout,
    Stderr,
    Result,
    /// Events are missing from here.
    Lagged,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::State => "state",
            Kind::Progress => "progress",
            Kind::Restarted => "restarted",
            Kind::Stdout => "stdout",
            Kind::Stderr => "stderr",
            Kind::Result => "result",
            Kind::Lagged => "lagged",
        }
    }
}

/// The events of one execution.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    kept: VecDeque<Stored>,
    bytes: usize,
    /// Number of the newest event.
    last: u64,
    /// Highest number that a follower has.
    seen: u64,
    closed: bool,
}

#[derive(Debug)]
struct Stored {
    number: u64,
    kind: Kind,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Output is text until it is asked for, so that it can be joined; anything else is JSON.
    Text(String),
    /// JSON that others hold as well.
    Shared(Bytes),
}

impl Content {
    /// Returns how many bytes an event takes here.
    fn bytes(&self) -> usize {
        match self {
            Content::Text(text) => text.len(),
            Content::Shared(_) => 0,
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Content::Text(text) => Cow::Borrowed(text),
            Content::Shared(json) => String::from_utf8_lossy(json),
        }
    }
}

#[derive(Serialize)]
struct StateData<'a> {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<&'a str>,
}

#[derive(Serialize)]
struct RestartedData<'a> {
    reason: &'a str,
}

#[derive(Serialize)]
struct OutputData<'a> {
    text: &'a str,
}

impl EventLog {
    pub(crate) fn state(&self, status: Status, execution_id: Option<&str>) {
        let data = serde_json::to_string(&StateData { status, execution_id }).unwrap_or_default();
        self.push(Kind::State, Content::Text(data));
    }

    /// Adds what goes on before the script starts.
    pub(crate) fn progress(&self, text: &str) {
        self.push(Kind::Progress, Content::Text(text.to_owned()));
    }

    /// Notes that the script starts again.
    pub(crate) fn restarted(&self, reason: &str) {
        let data = serde_json::to_string(&RestartedData { reason }).unwrap_or_default();
        self.push(Kind::Restarted, Content::Text(data));
    }

    /// Adds output of one of the two streams.
    pub(crate) fn output(&self, kind: Kind, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let unseen = inner.last > inner.seen;
        if let Some(last) = inner.kept.back_mut()
            && unseen
            && last.kind == kind
            && let Content::Text(content) = &mut last.content
            && content.len() + text.len() <= OUTPUT_BYTES_MAX
        {
            content.push_str(text);
            inner.bytes += text.len();
            inner.shorten();
            drop(inner);
            self.changed.notify_waiters();
            return;
        }
        drop(inner);
        self.push(kind, Content::Text(text.to_owned()));
    }

    /// Adds the result, which is the last event.
    pub(crate) fn result(&self, json: Bytes) {
        self.push(Kind::Result, Content::Shared(json));
        self.close();
    }

    /// Notes that nothing more will happen.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Waits for the first event after number `after`; `None` after the last.
    pub(crate) async fn after(&self, after: u64) -> Option<Event> {
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

    /// Waits until nothing more will happen.
    pub(crate) async fn closed(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.lock().closed {
                return;
            }
            changed.await;
        }
    }

    /// Returns the kept output of a stream since the script's last start, and whether some is gone.
    pub(crate) fn text(&self, kind: Kind) -> (String, bool) {
        let inner = self.lock();
        let start = inner.kept.iter().rposition(|event| event.kind == Kind::Restarted).unwrap_or(0);
        let output = inner.kept.iter().skip(start).filter(|event| event.kind == kind);
        let text = output.map(|event| event.content.text()).collect();
        (text, inner.last > inner.kept.len() as u64)
    }

    /// Returns how many bytes are held.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn push(&self, kind: Kind, content: Content) {
        let mut inner = self.lock();
        inner.last += 1;
        inner.bytes += content.bytes();
        let number = inner.last;
        inner.kept.push_back(Stored { number, kind, content });
        inner.shorten();
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Locks the events; nothing here panics while they are held.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Forgets the oldest output. States and the result are few and small.
    fn shorten(&mut self) {
        while self.bytes > BYTES_MAX {
            let long = |event: &Stored| matches!(event.kind, Kind::Stdout | Kind::Stderr | Kind::Progress);
            let oldest = self.kept.iter().position(long);
            let Some(event) = oldest.and_then(|at| self.kept.remove(at)) else { return };
            self.bytes -= event.content.bytes();
        }
    }

    fn next(&mut self, after: u64) -> Option<Event> {
        let at = self.kept.partition_point(|event| event.number <= after);
        let event = self.kept.get(at)?;
        let missed = event.number - after - 1;
        if missed > 0 {
            // Takes the number of the last one missed, so that resuming from there is right.
            let data = format!(r#"{{"missed":{missed}}}"#);
            return Some(Event { number: event.number - 1, kind: Kind::Lagged, data });
        }
        self.seen = self.seen.max(event.number);
        let data = match event.kind {
            Kind::Stdout | Kind::Stderr | Kind::Progress => {
                serde_json::to_string(&OutputData { text: &event.content.text() }).unwrap_or_default()
            }
            Kind::State | Kind::Restarted | Kind::Result | Kind::Lagged => event.content.text().into_owned(),
        };
        Some(Event { number: event.number, kind: event.kind, data })
    }
}

/// Turns the bytes of a stream into text as they come: a character that is cut off waits for its rest.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let complete = match std::str::from_utf8(&self.rest) {
            Ok(_) => self.rest.len(),
            Err(error) => {
                let tail = &self.rest[self.rest.len().saturating_sub(3)..];
                let cut = tail.iter().rposition(|&byte| byte >= 0xc0).map(|at| tail.len() - at);
                match cut {
                    // Only the character at the very end can be incomplete.
                    Some(length) if starts_character(&tail[tail.len() - length..]) => self.rest.len() - length,
                    _ if error.error_len().is_none() => error.valid_up_to(),
                    _ => self.rest.len(),
                }
            }
        };
        let text = String::from_utf8_lossy(&self.rest[..complete]).into_owned();
        self.rest.drain(..complete);
        text
    }

    /// Returns what is left at the end.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// Returns whether the bytes are the start of a character and not all of it.
fn starts_character(bytes: &[u8]) -> bool {
    matches!(std::str::from_utf8(bytes), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn small_writes_are_joined_until_someone_has_seen_them() {
        let log = EventLog::default();
        log.output(Kind::Stdout, "a");
        log.output(Kind::Stdout, "b");
        let first = block(log.after(0)).unwrap();
        assert_eq!((first.number, first.data.as_str()), (1, r#"{"text":"ab"}"#));
        log.output(Kind::Stdout, "c");
        assert_eq!(block(log.after(first.number)).unwrap().data, r#"{"text":"c"}"#);
    }

    #[test]
    fn a_flood_is_bounded_and_the_gap_is_told() {
        let log = EventLog::default();
        log.state(Status::Running, None);
        let line = "x".repeat(OUTPUT_BYTES_MAX);
        for _ in 0..1000 {
            log.output(Kind::Stdout, &line);
        }
        log.result(Bytes::from_static(b"{}"));
        assert!(log.bytes() <= BYTES_MAX);
        let first = block(log.after(0)).unwrap();
        assert_eq!(first.kind, Kind::State);
        let gap = block(log.after(first.number)).unwrap();
        assert_eq!(gap.kind, Kind::Lagged);
        let next = block(log.after(gap.number)).unwrap();
        assert_eq!((next.kind, next.number), (Kind::Stdout, gap.number + 1));
        let last = block(log.after(1001)).unwrap();
        assert_eq!(last.kind, Kind::Result);
        assert_eq!(block(log.after(last.number)), None);
    }

    #[test]
    fn characters_that_are_cut_wait_for_their_rest() {
        let mut decoder = Decoder::default();
        let bytes = "a€b😀".as_bytes();
        let text: String = bytes.iter().map(|&byte| decoder.decode(&[byte])).collect();
        assert_eq!(text, "a€b😀");
        assert_eq!(decoder.decode(b"x\xff\xe2\x82"), "x\u{fffd}");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.decode(b"\x80\x80\x80y"), "\u{fffd}\u{fffd}\u{fffd}y");
    }
}
