//! Reads `multipart/form-data` in bounds.
//!
//! The parser below holds in memory what it has not made sense of, and looks through all of it again for each piece that
//! comes. A form that never makes sense has to end here.

use super::{
    App,
    auth::Caller,
    body::{cause, timed_out},
    error::{ApiError, Problem},
    uploads::{Full, Reservation},
};
use crate::blocking::blocking;
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
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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

/// Content of a part, in a file without a name, which goes when this does.
#[derive(Debug)]
pub(crate) struct Spooled {
    /// Open at its end.
    pub(crate) file: File,
    pub(crate) bytes: u64,
    pub(crate) digest: [u8; 32],
    /// What it takes of the disk that uploads may have.
    pub(crate) reservation: Reservation,
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

    /// Returns the name of the file that it is, as the client has it.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// Reads more of its content.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let chunk = self.field.chunk().await.map_err(|e| broken(&e))?;
        self.held.store(0, Ordering::Relaxed);
        Ok(chunk)
    }

    /// Writes its content into a file without a name.
    pub(crate) async fn spool(mut self, app: &App, caller: &Caller) -> Result<Spooled, ApiError> {
        let mut file = tempfile::tempfile_in(&app.settings.data_dir).map_err(|e| no_disk(&e))?;
        let (mut bytes, mut digest) = (0, Sha256::new());
        let mut reservation = app.uploads.reserve(caller.index);
        while let Some(chunk) = self.chunk().await? {
            bytes += chunk.len() as u64;
            if bytes > app.settings.upload_max_bytes {
                return Err(too_large(app.settings.upload_max_bytes));
            }
            reservation.grow(chunk.len() as u64).map_err(|Full| {
                let problem = "uploads take all the disk that they may have (uploads_mb): try again later";
                ApiError::new(Problem::Unavailable, problem).retry_after(5)
            })?;
            // Chunks are small; a thread that hashes and writes them costs more than it saves, except that a full or slow
            // disk must not hold up other requests.
            (file, digest) = blocking(move || {
                digest.update(&chunk);
                file.write_all(&chunk).map(|()| (file, digest))
            })
            .await
            .map_err(|_| ApiError::new(Problem::Unavailable, "storing the upload failed"))?
            .map_err(|e| no_disk(&e))?;
        }
        Ok(Spooled { file, bytes, digest: digest.finalize().into(), reservation })
    }

    /// Reads its content into memory.
    pub(crate) async fn text(mut self, app: &App) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if bytes.len() + chunk.len() > app.settings.body_max_bytes {
                return Err(too_large(app.settings.body_max_bytes as u64));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Reads past it.
    pub(crate) async fn skip(mut self, app: &App) -> Result<(), ApiError> {
        let mut bytes = 0;
        while let Some(chunk) = self.chunk().await? {
            bytes += chunk.len();
            if bytes > app.settings.body_max_bytes {
                return Err(too_large(app.settings.body_max_bytes as u64));
            }
        }
        Ok(())
    }
}

fn too_large(bytes_max: u64) -> ApiError {
    ApiError::new(Problem::TooLarge, format!("a part of the form is larger than the limit of {bytes_max} bytes"))
}

fn no_disk(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "cannot store an upload");
    ApiError::new(Problem::Unavailable, "the server cannot store the upload now: try again later").retry_after(10)
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
