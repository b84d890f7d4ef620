//! Reads `multipart/form-data` in bounds.
//!
//! The parser below holds in memory what it has not made sense of, and looks through all of it again for each piece that
//! comes. A form that never makes sense has to end here.

use super::{
    body::{cause, timed_out},
    error::{ApiError, Problem},
};
use axum::{
    BoxError,
    body::{Body, HttpBody as _},
    extract::{
        FromRequest as _, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Most that comes without any of it being a part or its content: more than a part's head and two reads of a connection.
const HELD_BYTES_MAX: usize = 256 << 10;

/// A form, part after part.
#[derive(Debug)]
pub(crate) struct Form {
    parts: Multipart,
    held: Arc<AtomicUsize>,
}

/// One part of it.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    field: Field<'a>,
    held: &'a AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
enum Excess {
    #[error("the form is larger than the limit of {0} bytes")]
    Form(u64),
    #[error("parsing form: a part has no beginning, or its head no end, within {HELD_BYTES_MAX} bytes")]
    Held,
}

impl Form {
    /// Opens a form of at most so many bytes, with everything.
    pub(crate) async fn new(http: Request, bytes_max: u64) -> Result<Form, ApiError> {
        if http.body().size_hint().lower() > bytes_max {
            return Err(ApiError::new(Problem::TooLarge, Excess::Form(bytes_max).to_string()));
        }
        let held = Arc::new(AtomicUsize::new(0));
        let http = http.map(|body| bounded(body, bytes_max, Arc::clone(&held)));
        let parts = Multipart::from_request(http, &()).await;
        let parts = parts.map_err(|e| ApiError::invalid(format!("parsing form: {}", e.body_text())))?;
        Ok(Form { parts, held })
    }

    pub(crate) async fn part(&mut self) -> Result<Option<Part<'_>>, ApiError> {
        let field = self.parts.next_field().await.map_err(|e| broken(&e))?;
        self.held.store(0, Ordering::Relaxed);
        Ok(field.map(|field| Part { field, held: &self.held }))
    }
}

impl Part<'_> {
    pub(crate) fn name(&self) -> Option<&str> {
        self.field.name()
    }

    /// Reads more of its content.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let chunk = self.field.chunk().await.map_err(|e| broken(&e))?;
        self.held.store(0, Ordering::Relaxed);
        Ok(chunk)
    }
}

/// Streams the body, which fails when there is too much of it, in all or held.
fn bounded(body: Body, bytes_max: u64, held: Arc<AtomicUsize>) -> Body {
    let mut left = bytes_max;
    Body::from_stream(body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        left = left.checked_sub(chunk.len() as u64).ok_or(Excess::Form(bytes_max))?;
        if held.fetch_add(chunk.len(), Ordering::Relaxed) > HELD_BYTES_MAX {
            return Err(BoxError::from(Excess::Held));
        }
        Ok(chunk)
    }))
}

/// Returns what to tell a client whose form is not one, or did not arrive.
fn broken(error: &MultipartError) -> ApiError {
    match cause::<Excess>(error) {
        Some(excess @ Excess::Form(_)) => ApiError::new(Problem::TooLarge, excess.to_string()),
        Some(excess @ Excess::Held) => ApiError::invalid(excess.to_string()),
        None => timed_out(error).unwrap_or_else(|| ApiError::invalid(format!("parsing form: {}", error.body_text()))),
    }
}
