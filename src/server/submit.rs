//! From a request to a running execution, and to its result for callers that wait.

use super::{
    App,
    admission::Full,
    api::ExecutionResult,
    auth::Caller,
    error::{ApiError, Problem},
    metrics::RejectReason,
    run::{self, Request},
    store::{Entry, Execution},
};
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// The key that a client gave to its request, with the digest of what it asked for.
pub(crate) type Idempotency = Option<(String, [u8; 32])>;

/// Reads the header. `request` is what must be the same when the key is.
pub(crate) fn idempotency(headers: &HeaderMap, request: &[&[u8]]) -> Result<Idempotency, ApiError> {
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
    Ok(Some((key.to_owned(), digest.finalize().into())))
}

/// An execution that was accepted, now or when the same request came before.
#[derive(Debug)]
pub(crate) struct Submitted {
    pub(crate) execution: Arc<Execution>,
    pub(crate) is_new: bool,
}

/// Accepts an execution, or says why not; at once.
pub(crate) fn submit(
    app: &Arc<App>,
    caller: &Caller,
    request: Request,
    idempotency: Idempotency,
) -> Result<Submitted, ApiError> {
    if app.is_draining() {
        app.metrics.rejected(RejectReason::ShuttingDown);
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later")
            .retry_after(app.settings.shutdown_grace.as_secs().max(1)));
    }
    let execution = match app.store.insert(caller.index, idempotency) {
        Entry::New(execution) => execution,
        Entry::Known(execution) => return Ok(Submitted { execution, is_new: false }),
        Entry::Conflict => {
            let message = "this Idempotency-Key was used for another request: use a new key";
            return Err(ApiError::new(Problem::Conflict, message));
        }
    };
    let place = match app.admission.enter(caller.index) {
        Ok(place) => place,
        Err(Full) => {
            app.store.withdraw(&execution);
            app.metrics.rejected(RejectReason::QueueFull);
            let message = format!(
                "all {} slots are busy and {} executions wait: try again later",
                app.admission.slots(),
                app.admission.queued()
            );
            return Err(ApiError::new(Problem::QueueFull, message).retry_after(1));
        }
    };
    app.jobs.spawn(run::run(Arc::clone(app), Arc::clone(&execution), request, place));
    Ok(Submitted { execution, is_new: true })
}

impl Submitted {
    /// The result, for a caller that waits. When it goes away, the execution is killed, unless it is someone else's too.
    pub(crate) async fn result(self) -> Result<Arc<ExecutionResult>, ApiError> {
        let guard = self.is_new.then(|| KillOnDrop::new(&self.execution));
        let result = self.execution.finished().await.cloned();
        if let Some(guard) = guard {
            guard.disarm();
        }
        result.ok_or_else(|| ApiError::new(Problem::Unavailable, "the execution ended without a result"))
    }
}

/// Kills an execution whose only caller has gone away.
#[derive(Debug)]
pub(crate) struct KillOnDrop(Option<Arc<Execution>>);

impl KillOnDrop {
    pub(crate) fn new(execution: &Arc<Execution>) -> KillOnDrop {
        KillOnDrop(Some(Arc::clone(execution)))
    }

    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(execution) = &self.0 {
            execution.kill();
        }
    }
}
