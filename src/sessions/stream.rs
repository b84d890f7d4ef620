//! What happens in a call, as a stream. A call goes on while nobody reads, so what waits is bounded.

use super::{CallEnd, Cell, Sessions};
use crate::{Error, Event, Result, RunEvent, sync::lock};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Stream, task::AtomicWaker};
use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::task::JoinHandle;

/// Kept of output and displays for whoever reads slowly. What is left out is in the outcome, as far as its limits go.
const BYTES_MAX: usize = 2 << 20;
/// Small writes that nobody has read are joined up to this.
const JOINED_BYTES_MAX: usize = 16 << 10;
/// Events beside output; a call has few.
const EVENTS_MAX: usize = 4096;

/// Says what happened in a call of a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallEvent {
    /// Something that happens in jobs as well, but for their end.
    Run(RunEvent),
    /// So many events are missing from here, since they were not read in time.
    Lagged(u64),
    /// It is over; nothing comes after this.
    Ended(Box<CallEnd>),
}

/// A call of a session, as the stream of what happens in it. Dropping it interrupts the call.
#[must_use = "dropping it interrupts the call"]
pub struct CallEvents {
    call: Option<JoinHandle<Result<CallEnd>>>,
    /// Told after what came before it.
    end: Option<Result<CallEnd>>,
    waiting: Arc<Waiting>,
}

/// What has happened and was not read.
#[derive(Default)]
struct Waiting {
    queue: Mutex<Queue>,
    reader: AtomicWaker,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Queued>,
    bytes: usize,
    lagged: u64,
}

/// An event; output is joined, which takes a buffer.
enum Queued {
    Output { is_error: bool, bytes: BytesMut },
    Other(RunEvent),
}

impl Sessions {
    /// Runs a cell like [`Sessions::call`], as a stream of what happens in it, of which the end is the last.
    ///
    /// Must be called within a tokio runtime, in which the call runs whether or not its events are read.
    ///
    /// ```no_run
    /// # async fn example(sessions: pyexec::sessions::Sessions, id: &str) -> pyexec::Result<()> {
    /// use pyexec::{RunEvent, sessions::{CallEvent, Cell}};
    ///
    /// let mut events = sessions.call_stream("me", id, Cell::new("for n in range(3): print(n)"));
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         CallEvent::Run(RunEvent::Stdout(bytes)) => print!("{}", String::from_utf8_lossy(&bytes)),
    ///         CallEvent::Ended(end) => println!("call {}: {:?}", end.number, end.outcome.ending),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_stream(&self, owner: &str, id: &str, cell: Cell) -> CallEvents {
        let waiting = Arc::<Waiting>::default();
        let (sessions, owner, id) = (self.clone(), owner.to_owned(), id.to_owned());
        let filled = Arc::clone(&waiting);
        let observer = move |event: Event<'_>| filled.add(event);
        let call = tokio::spawn(async move { sessions.call_observed(&owner, &id, cell, observer).await });
        CallEvents { call: Some(call), end: None, waiting }
    }
}

impl CallEvents {
    /// Returns the next event; nothing after the last.
    ///
    /// # Errors
    ///
    /// As for [`Sessions::call`]; nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<CallEvent>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for CallEvents {
    type Item = Result<CallEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<CallEvent>>> {
        // Before looking, so that nothing that happens in between is missed.
        self.waiting.reader.register(context.waker());
        if let Some(event) = self.waiting.next() {
            return Poll::Ready(Some(Ok(event)));
        }
        if let Some(call) = &mut self.call {
            let Poll::Ready(end) = call.poll_unpin(context) else { return Poll::Pending };
            self.call = None;
            self.end = Some(end.unwrap_or_else(|fault| Err(Error::caused("running a call failed", fault))));
            if let Some(event) = self.waiting.next() {
                return Poll::Ready(Some(Ok(event)));
            }
        }
        let end = self.end.take();
        Poll::Ready(end.map(|end| end.map(|end| CallEvent::Ended(Box::new(end)))))
    }
}

impl Drop for CallEvents {
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            // The call is interrupted, unless it has ended.
            call.abort();
        }
    }
}

impl fmt::Debug for CallEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallEvents").field("is_over", &self.call.is_none()).finish_non_exhaustive()
    }
}

impl Waiting {
    fn add(&self, event: Event<'_>) {
        lock(&self.queue).add(event);
        self.reader.wake();
    }

    fn next(&self) -> Option<CallEvent> {
        lock(&self.queue).next()
    }
}

impl Queue {
    fn add(&mut self, event: Event<'_>) {
        let (is_error, output) = match event {
            Event::Stdout(output) => (false, output),
            Event::Stderr(output) => (true, output),
            other => {
                self.bytes += bytes_of(&other);
                self.events.push_back(Queued::Other(other.into()));
                return self.shorten();
            }
        };
        // A program may write hundreds of megabytes at once, of which the last ones are kept.
        let kept = &output[output.len().saturating_sub(BYTES_MAX)..];
        for piece in kept.chunks(JOINED_BYTES_MAX) {
            self.bytes += piece.len();
            match self.events.back_mut() {
                Some(Queued::Output { is_error: of, bytes })
                    if *of == is_error && bytes.len() + piece.len() <= JOINED_BYTES_MAX =>
                {
                    bytes.extend_from_slice(piece);
                }
                _ => self.events.push_back(Queued::Output { is_error, bytes: BytesMut::from(piece) }),
            }
            self.shorten();
        }
        if kept.len() < output.len() {
            self.lagged += 1;
        }
    }

    /// Forgets the oldest events. Those that say how far the call is are few, and stay; so does the newest, however large it is,
    /// for whoever reads in time.
    fn shorten(&mut self) {
        while self.bytes > BYTES_MAX || self.events.len() > EVENTS_MAX {
            let newest = self.events.len() - 1;
            let oldest = self.events.iter().take(newest).position(Queued::may_go);
            let Some(event) = oldest.and_then(|at| self.events.remove(at)) else { return };
            self.bytes -= event.bytes();
            self.lagged += 1;
        }
    }

    fn next(&mut self) -> Option<CallEvent> {
        if self.lagged > 0 {
            return Some(CallEvent::Lagged(std::mem::take(&mut self.lagged)));
        }
        let event = self.events.pop_front()?;
        self.bytes -= event.bytes();
        Some(CallEvent::Run(match event {
            Queued::Output { is_error, bytes } => {
                let bytes: Bytes = bytes.freeze();
                if is_error { RunEvent::Stderr(bytes) } else { RunEvent::Stdout(bytes) }
            }
            Queued::Other(event) => event,
        }))
    }
}

impl Queued {
    fn bytes(&self) -> usize {
        match self {
            Queued::Output { bytes, .. } => bytes.len(),
            Queued::Other(RunEvent::Display(display)) => bytes_of(&Event::Display(display)),
            Queued::Other(RunEvent::Progress(text) | RunEvent::Detail(text) | RunEvent::Restarted(text)) => text.len(),
            Queued::Other(_) => 0,
        }
    }

    fn may_go(&self) -> bool {
        !matches!(self, Queued::Other(RunEvent::Started | RunEvent::Restarted(_)))
    }
}

/// Returns how many bytes an event takes that is no output.
fn bytes_of(event: &Event<'_>) -> usize {
    match event {
        Event::Display(display) => {
            let formats = display.data.iter().map(|(kind, data)| kind.len() + data.as_str().len());
            formats.sum::<usize>() + display.metadata.as_ref().map_or(0, |it| it.as_str().len())
        }
        Event::Progress(text) | Event::Detail(text) | Event::Restarted(text) => text.len(),
        Event::Started | Event::Stdout(_) | Event::Stderr(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: Option<CallEvent>) -> String {
        match event {
            Some(CallEvent::Run(RunEvent::Stdout(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn small_writes_are_joined_as_long_as_nobody_has_read_them() {
        let mut queue = Queue::default();
        queue.add(Event::Stdout(b"a"));
        queue.add(Event::Stdout(b"b"));
        queue.add(Event::Stderr(b"c"));
        assert_eq!(text(queue.next()), "ab");
        queue.add(Event::Stdout(b"d"));
        assert!(matches!(queue.next(), Some(CallEvent::Run(RunEvent::Stderr(_)))));
        assert_eq!(text(queue.next()), "d");
        assert!(queue.next().is_none() && queue.bytes == 0);
    }

    #[test]
    fn a_flood_is_bounded_and_the_gap_is_told() {
        let mut queue = Queue::default();
        queue.add(Event::Started);
        for _ in 0..1000 {
            queue.add(Event::Stdout(&[b'x'; JOINED_BYTES_MAX]));
        }
        queue.add(Event::Stdout(&vec![b'y'; 2 * BYTES_MAX]));
        assert!(queue.bytes <= BYTES_MAX);
        assert!(matches!(queue.next(), Some(CallEvent::Lagged(missed)) if missed > 1000));
        assert!(matches!(queue.next(), Some(CallEvent::Run(RunEvent::Started))));
        assert!(text(queue.next()).starts_with('y'));
        while queue.next().is_some() {}
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn a_large_display_is_there_for_whoever_reads_in_time() {
        let mut displays = crate::executor::displays::Displays::default();
        let display = displays.add_png(&"x".repeat(2 * BYTES_MAX)).expect("there is room").clone();
        let mut queue = Queue::default();
        queue.add(Event::Stdout(b"before"));
        queue.add(Event::Display(&display));
        assert!(matches!(queue.next(), Some(CallEvent::Lagged(1))));
        assert!(matches!(queue.next(), Some(CallEvent::Run(RunEvent::Display(_)))));
        queue.add(Event::Display(&display));
        queue.add(Event::Stdout(b"after"));
        assert!(matches!(queue.next(), Some(CallEvent::Lagged(1))));
        assert_eq!((text(queue.next()), queue.bytes), ("after".to_owned(), 0));
    }
}
