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

/// Accepts an execution, now or when the same request came before, or says why not; at once.
pub(crate) async fn submit(
    app: &Arc<App>,
    caller: &Caller,
    mut request: Request,
    key: Option<RequestKey>,
) -> Result<Followed, ApiError> {
    if app.is_draining() {
        app.metrics.rejected(RejectReason::ShuttingDown);
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later")
            .retry_after(app.settings.shutdown_grace.as_secs().max(1)));
    }
    let live = match app.executions.accept(caller, key, request.terms.clone()).await? {
        Accepted::New(live) => live,
        Accepted::Known(execution) => return Ok(execution),
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
    begin(&app.jobs, run::run(Arc::clone(app), Arc::clone(&live), request, entry)).await;
    Ok(Followed::Live(live))
}

/// Begins to run an execution here, and moves it to the threads of executions when it takes longer than a slice of a job.
/// To wake one of those for every small job takes as long as the job.
async fn begin(jobs: &Handle, run: impl Future<Output = ()> + Send + 'static) {
    let mut run = Box::pin(run);
    let first = poll_fn(|context| {
        let _entered = jobs.enter();
        // Whoever waits for the execution is told of its end when it is dropped.
        Poll::Ready(catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(context))))
    });
    if let Ok(Poll::Pending) = first.await {
        jobs.spawn(run);
    }
}

/// Waits for the end of an execution, for a caller that does.
pub(crate) async fn result(app: &Arc<App>, execution: &Followed) -> Result<Arc<ExecutionRecord>, ApiError> {
    let waiting = GiveUpOnDrop::new(app, execution);
    let ended = app.executions.finished(execution).await?;
    waiting.disarm();
    ended.ok_or_else(|| {
        let message = "the same request came before and was turned away: try again later";
        ApiError::new(Problem::Unavailable, message).retry_after(1)
    })
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
    use std::{sync::mpsc, thread};
    use tokio::{runtime::Builder, task::yield_now};

    fn thread_name() -> Option<String> {
        thread::current().name().map(str::to_owned)
    }

    #[test]
    fn what_takes_one_slice_runs_here_and_the_rest_moves() {
        let jobs = Builder::new_multi_thread().worker_threads(1).thread_name("jobs").build().expect("a runtime");
        let here = Builder::new_current_thread().build().expect("a runtime");
        let own = thread_name();
        let (tell, told) = mpsc::channel();
        let small = tell.clone();
        here.block_on(begin(jobs.handle(), async move { small.send(thread_name()).expect("it waits") }));
        assert_eq!(told.recv().expect("a name"), own);
        here.block_on(begin(jobs.handle(), async move {
            tell.send(thread_name()).expect("it waits");
            yield_now().await;
            tell.send(thread_name()).expect("it waits");
        }));
        assert_eq!([told.recv(), told.recv()], [Ok(own), Ok(Some("jobs".to_owned()))]);
    }

    #[test]
    fn a_panic_stays_in_the_execution() {
        let here = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        here.block_on(begin(here.handle(), async { panic!("as a fault of ours would") }));
    }
}
