//! Reads request bodies in bounds.

use super::error::{ApiError, Problem};
use axum::{
    body::{Body, HttpBody as _},
    extract::multipart::MultipartError,
};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

/// A whole body in memory, of at most so many bytes.
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

/// What to tell a client whose body did not arrive.
fn broken(error: &axum::Error) -> ApiError {
    timed_out(error).unwrap_or_else(|| ApiError::invalid("the request body ended early"))
}

/// What to tell a client whose form is not one, or did not arrive.
pub(crate) fn broken_form(error: &MultipartError) -> ApiError {
    timed_out(error).unwrap_or_else(|| ApiError::invalid(format!("parsing form: {}", error.body_text())))
}

fn timed_out(error: &(dyn std::error::Error + 'static)) -> Option<ApiError> {
    let mut cause = Some(error);
    while let Some(found) = cause {
        if found.is::<super::listener::BodyTimeout>() {
            return Some(ApiError::new(Problem::Timeout, found.to_string()));
        }
        cause = found.source();
    }
    None
}
