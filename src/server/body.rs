//! Reads request bodies in bounds.

use super::{
    error::{ApiError, Problem},
    listener::BodyTimeout,
};
use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use std::error::Error;

/// Reads a whole body into memory, of at most so many bytes.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::new(Problem::TooLarge, format!("the request body is larger than the limit of {bytes_max} bytes"));
    // An announced size is refused before it is sent, and not believed otherwise.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.try_next().await.map_err(|e| broken(&e))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Returns what to tell a client whose body did not arrive.
pub(super) fn broken(error: &axum::Error) -> ApiError {
    timed_out(error).unwrap_or_else(|| ApiError::invalid("the request body ended early"))
}

/// Returns what to tell a client whose body stopped coming.
pub(super) fn timed_out(error: &(dyn Error + 'static)) -> Option<ApiError> {
    cause::<BodyTimeout>(error).map(|timeout| ApiError::new(Problem::Timeout, timeout.to_string()))
}

/// Returns the error of this type that led to another.
pub(super) fn cause<'a, E: Error + 'static>(mut error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    loop {
        match error.downcast_ref() {
            Some(found) => return Some(found),
            None => error = error.source()?,
        }
    }
}
