//! From a request to a running execution, and to its result for callers that wait.

use super::{
    App,
    auth::Caller,
    error::{ApiError, Problem},
    executions::{Accepted, ExecutionRecord, Followed, LiveExecution, RequestKey},
    metrics::RejectReason,
    run::{self, Request, Work},
};
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
};
use tokio::runtime::Handle;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Reads the header. `request` is what must be the same when the key is.
pub(crate) fn idempotency(headers: &HeaderMap, request: &[&[u8]]) -> Result<Option<RequestKey>, ApiError> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_BYTES_MAX);
    let key = key.ok_or_else(|| {
        ApiError::invalid(format!("Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_BYTES_MAX} ASCII characters"))
    })?;
    let mut digest = Sha256::new();
    for part in request {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    Ok(Some(RequestKey { key: key.to_owned(), digest: digest.finalize().into() }))
}

/// Accepts an execution, now or when the same request came before, or says why not; at once. It runs by itself.
pub(crate) async fn submit(
    app: &Arc<App>,
    caller: &Caller,
    request: Request,
    key: Option<RequestKey>,
) -> Result<Followed, ApiError> {
    // What is left of the running goes on where executions run.
    accept(app, caller, request, key).await.map(|(execution, _)| execution)
}

/// Accepts an execution as [`submit`] does, and returns its result, for a caller that waits.
pub(crate) async fn result(
    app: &Arc<App>,
    caller: &Caller,
    request: Request,
    key: Option<RequestKey>,
) -> Result<Arc<ExecutionRecord>, ApiError> {
    let (execution, running) = accept(app, caller, request, key).await?;
    let waiting = GiveUpOnDrop::new(app, &execution);
    if let Some(running) = running {
        running.begin().await;
    }
    let ended = app.executions.finished(&execution).await?;
    waiting.disarm();
    ended.ok_or_else(|| {
        let message = "the same request came before and was turned away: try again later";
        ApiError::new(Problem::Unavailable, message).retry_after(1)
    })
}

async fn accept(
    app: &Arc<App>,
    caller: &Caller,
    mut request: Request,
    key: Option<RequestKey>,
) -> Result<(Followed, Option<Running>), ApiError> {
    if app.is_draining() {
        app.metrics.rejected(RejectReason::ShuttingDown);
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later")
            .retry_after(app.settings.shutdown_grace.as_secs().max(1)));
    }
    let live = match app.executions.accept(caller, key, request.terms.clone()).await? {
        Accepted::New(live) => live,
        Accepted::Known(execution) => return Ok((execution, None)),
        Accepted::Conflict => {
            let message = "this Idempotency-Key was used for another request: use a new key";
            return Err(ApiError::new(Problem::Conflict, message));
        }
    };
    let entry = match &mut request.work {
        // It runs nothing, and so needs no place.
        Work::Refused(_) => None,
        Work::Planned(plan) => {
            plan.set_owner(caller.index as u64);
            let scheduler = app.pyexec.scheduler();
            match scheduler.enter(plan.tier(), plan.is_ready(), caller.index as u64, request.bytes) {
                Ok(entry) => Some(entry),
                Err(full) => {
                    app.executions.withdraw(&live).await?;
                    app.metrics.rejected(RejectReason::QueueFull);
                    return Err(ApiError::new(Problem::QueueFull, full.to_string()).retry_after(1));
                }
            }
        }
    };
    let run = run::run(Arc::clone(app), Arc::clone(&live), request, entry);
    let running = Running { run: Some(Box::pin(run)), execution: Arc::clone(&live), jobs: app.jobs.clone() };
    Ok((Followed::Live(live), Some(running)))
}

/// What is left of the running of an execution. Dropping it moves that to the threads of executions.
struct Running {
    run: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    execution: Arc<LiveExecution>,
    jobs: Handle,
}

impl Running {
    /// Runs here until the first slice of the job is over: small jobs end in it, and to wake a thread of another runtime
    /// for each takes as long as they do.
    async fn begin(mut self) {
        // A client that is quick with its next request would keep this thread from those of others.
        to_the_back().await;
        poll_fn(|context| {
            let Some(run) = &mut self.run else { return Poll::Ready(()) };
            let entered = self.jobs.enter();
            // Whoever waits for the execution is told of its end when it is dropped.
            let polled = catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context)));
            drop(entered);
            match polled {
                Ok(Poll::Pending) if self.execution.started().is_none() => Poll::Pending,
                Ok(Poll::Pending) => Poll::Ready(()),
                Ok(Poll::Ready(())) | Err(_) => {
                    self.run = None;
                    Poll::Ready(())
                }
            }
        })
        .await;
    }
}

/// Lets all other tasks of this thread go first, without a look for events, which costs a system call.
async fn to_the_back() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(run) = self.run.take() {
            self.jobs.spawn(run);
        }
    }
}

/// Gives an execution up when its caller goes away.
pub(crate) struct GiveUpOnDrop(Option<(Arc<App>, Arc<LiveExecution>)>);

impl GiveUpOnDrop {
    pub(crate) fn new(app: &Arc<App>, execution: &Followed) -> GiveUpOnDrop {
        GiveUpOnDrop(match execution {
            Followed::Live(live) => Some((Arc::clone(app), Arc::clone(live))),
            // What runs elsewhere is not given up: nobody there knows who waits here.
            Followed::Record(_) => None,
        })
    }

    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for GiveUpOnDrop {
    fn drop(&mut self) {
        if let Some((app, live)) = &self.0 {
            app.executions.give_up(live, &app.jobs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::runtime::Builder;

    #[test]
    fn other_tasks_go_first() {
        let order = Arc::new(Mutex::new(Vec::new()));
        Builder::new_current_thread().build().expect("a runtime").block_on(async {
            let (first, second) = (Arc::clone(&order), Arc::clone(&order));
            let waits = tokio::spawn(async move {
                to_the_back().await;
                first.lock().expect("a list").push("waited");
            });
            let other = tokio::spawn(async move { second.lock().expect("a list").push("other") });
            waits.await.expect("it ends");
            other.await.expect("it ends");
        });
        assert_eq!(*order.lock().expect("a list"), ["other", "waited"]);
    }
}
