//! What happens in a running job, as a stream.

use super::Pyexec;
use crate::{Error, Event, Job, Outcome, Result, outcome::Display, sync::lock};
use bytes::Bytes;
use futures_util::Stream;
use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

/// Says what happened in a running job: an [`Event`] of one's own, or its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RunEvent {
    /// Something that takes a while goes on before the script starts.
    Progress(String),
    /// A line of what a tool says meanwhile.
    Detail(String),
    /// The script starts.
    Started,
    /// What came so far is void: the job runs again from its start, for this reason.
    Restarted(String),
    /// Bytes written to standard output.
    Stdout(Bytes),
    /// Bytes written to standard error.
    Stderr(Bytes),
    /// Something that a call of a session shows.
    Display(Box<Display>),
    /// It is over; nothing comes after this.
    Ended(Box<Outcome>),
}

/// A running job, as the stream of what happens in it. It runs while the stream is polled, and dropping that ends it.
///
/// Whoever reads slowly slows the job down: nothing is run ahead but what one slice of it prints.
#[must_use = "a job runs while its events are taken"]
pub struct Events {
    run: Option<Pin<Box<dyn Future<Output = Result<Outcome>> + Send>>>,
    queue: Arc<Mutex<VecDeque<RunEvent>>>,
    fault: Option<Error>,
}

impl Pyexec {
    /// Runs a job like [`Pyexec::run`], as a stream of what happens in it, of which the outcome is the last.
    ///
    /// ```no_run
    /// # async fn example(pyexec: pyexec::Pyexec) -> pyexec::Result<()> {
    /// use pyexec::{Job, RunEvent};
    ///
    /// let mut events = pyexec.run_stream(Job::code("for n in range(3): print(n)"));
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         RunEvent::Stdout(bytes) => print!("{}", String::from_utf8_lossy(&bytes)),
    ///         RunEvent::Ended(outcome) => println!("{:?}", outcome.ending),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_stream(&self, job: Job) -> Events {
        let (pyexec, queue) = (self.clone(), Arc::<Mutex<VecDeque<RunEvent>>>::default());
        let events = Arc::clone(&queue);
        let observer = move |event: Event<'_>| lock(&events).push_back(event.into());
        Events { run: Some(Box::pin(async move { pyexec.run_observed(job, observer).await })), queue, fault: None }
    }
}

impl Events {
    /// Returns the next event; nothing after the last.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`]; nothing comes after that.
    pub async fn next(&mut self) -> Option<Result<RunEvent>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Result<RunEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<RunEvent>>> {
        if let Some(event) = self.waiting() {
            return Poll::Ready(Some(Ok(event)));
        }
        let is_over = match &mut self.run {
            Some(run) => match run.as_mut().poll(context) {
                Poll::Ready(Ok(outcome)) => {
                    lock(&self.queue).push_back(RunEvent::Ended(Box::new(outcome)));
                    true
                }
                Poll::Ready(Err(fault)) => {
                    self.fault = Some(fault);
                    true
                }
                Poll::Pending => false,
            },
            None => true,
        };
        if is_over {
            self.run = None;
        }
        match self.waiting() {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None if is_over => Poll::Ready(self.fault.take().map(Err)),
            None => Poll::Pending,
        }
    }
}

impl Events {
    fn waiting(&self) -> Option<RunEvent> {
        lock(&self.queue).pop_front()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("is_over", &self.run.is_none()).finish_non_exhaustive()
    }
}

impl From<Event<'_>> for RunEvent {
    fn from(event: Event<'_>) -> RunEvent {
        match event {
            Event::Progress(phase) => RunEvent::Progress(phase.to_owned()),
            Event::Detail(line) => RunEvent::Detail(line.to_owned()),
            Event::Started => RunEvent::Started,
            Event::Restarted(reason) => RunEvent::Restarted(reason.to_owned()),
            Event::Stdout(bytes) => RunEvent::Stdout(Bytes::copy_from_slice(bytes)),
            Event::Stderr(bytes) => RunEvent::Stderr(Bytes::copy_from_slice(bytes)),
            Event::Display(display) => RunEvent::Display(Box::new(display.clone())),
        }
    }
}
