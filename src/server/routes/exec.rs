//! Uploaded projects.

use super::{
    executions::json,
    params::IdempotencyKey,
    refusals::{Guarded, SameSite, Unstarted},
};
use crate::{
    Project,
    blocking::blocking,
    project::{is_tar, packed_with},
    server::{
        App,
        api::{Accepted, ExecutionResult, Metadata},
        auth::Caller,
        error::{ApiError, Problem},
        executions::RequestKey,
        form::{Form, Part},
        request,
        run::{Request, Waiting},
        submit::{idempotency, result, submit},
        uploads::{Full, Reservation},
    },
};
use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::{fs::File, io::Write as _, sync::Arc};

/// The form of an upload, as the document describes it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(super) struct Upload {
    /// An uncompressed tar archive.
    #[schema(format = Binary, content_media_type = "application/x-tar")]
    tar: String,
    metadata: Metadata,
}

/// Runs an uploaded project and waits for the result.
#[utoipa::path(
    post,
    path = "/api/v1/exec/sync",
    tag = "run",
    request_body(content(
        (Upload = "multipart/form-data", encoding(("tar" = (content_type = "application/x-tar"))))
    )),
    params(IdempotencyKey),
    responses(
        (status = 200, description = "It ran, well or not", body = ExecutionResult),
        Guarded,
        SameSite,
        Unstarted,
    )
)]
pub(super) async fn sync(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    http: axum::extract::Request,
) -> Result<Response, ApiError> {
    let (request, idempotency) = receive(&app, &caller, http, Waiting::Yes).await?;
    Ok(json(result(&app, &caller, request, idempotency).await?).await)
}

/// Accepts an uploaded project; ask for the execution or follow its events.
#[utoipa::path(
    post,
    path = "/api/v1/exec/async",
    tag = "run",
    request_body(content(
        (Upload = "multipart/form-data", encoding(("tar" = (content_type = "application/x-tar"))))
    )),
    params(IdempotencyKey),
    responses(
        (
            status = 202,
            description = "It waits or runs",
            body = Accepted,
            links(
                ("status" = (operation_id = "status", parameters(("id" = "$response.body#/execution_id")))),
                ("events" = (operation_id = "events", parameters(("id" = "$response.body#/execution_id")))),
                ("kill" = (operation_id = "kill", parameters(("id" = "$response.body#/execution_id")))),
            ),
        ),
        Guarded,
        SameSite,
        Unstarted,
    )
)]
pub(super) async fn run_async(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    http: axum::extract::Request,
) -> Result<Response, ApiError> {
    let (request, idempotency) = receive(&app, &caller, http, Waiting::No).await?;
    let submitted = submit(&app, &caller, request, idempotency).await?;
    let accepted = Accepted { execution_id: submitted.id().to_owned() };
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// Reads the form: the archive to disk as it comes, the rest to memory.
async fn receive(
    app: &Arc<App>,
    caller: &Caller,
    http: axum::extract::Request,
    waiting: Waiting,
) -> Result<(Request, Option<RequestKey>), ApiError> {
    let headers = http.headers().clone();
    // Besides the archive there is little.
    let bytes_max = app.settings.upload_max_bytes.saturating_add(2 * app.settings.body_max_bytes as u64);
    let mut form = Form::new(http, bytes_max).await?;
    let (mut archive, mut metadata) = (None, None);
    while let Some(part) = form.part().await? {
        match part.name() {
            Some("tar") if archive.is_none() => archive = Some(spool(app, caller, part).await?),
            Some("metadata") if metadata.is_none() => metadata = Some(text(app, part).await?),
            Some(name @ ("tar" | "metadata")) => {
                return Err(ApiError::invalid(format!("parsing form: there are two parts named {name:?}")));
            }
            // What is not known is read past, as by the service that clients were written for.
            _ => skip(app, part).await?,
        }
    }
    let (archive, reservation, digest) =
        archive.ok_or_else(|| ApiError::invalid("missing tar file: the form has no part \"tar\""))?;
    let metadata = metadata.filter(|text| !text.is_empty()).ok_or_else(|| ApiError::invalid("missing metadata"))?;
    let idempotency = idempotency(&headers, &[b"exec", &metadata, &digest])?;
    let read = Metadata::read(&metadata).map_err(|e| ApiError::invalid(format!("parsing metadata: {e}")))?;
    let project = blocking(move || unpacked(archive, reservation)).await;
    let project = project.map_err(|_| ApiError::new(Problem::Unavailable, "reading the archive failed"))??;
    let bytes = metadata.len() + project.as_ref().map_or(0, Project::memory_bytes);
    Ok((request::exec(project, read, bytes, waiting, app, caller).await?, idempotency))
}

/// Opens the project in an archive, or says why it cannot be one. What is no archive is a malformed request.
fn unpacked(archive: File, reservation: Reservation) -> Result<crate::Result<Project>, ApiError> {
    let again = archive.try_clone();
    let packing = archive.try_clone().ok().and_then(packed_with);
    match Project::tar_file_with(archive, reservation) {
        Err(error) if again.is_ok_and(is_tar) => Ok(Err(error)),
        Err(error) => Err(match packing {
            Some(packing) => ApiError::invalid(format!("reading tar: it is packed with {packing}"))
                .hint("send a tar archive that is not compressed"),
            None => ApiError::invalid(format!("reading tar: {error}")),
        }),
        project => Ok(project),
    }
}

/// Writes a part into a file without a name, which goes when the execution has ended.
async fn spool(app: &App, caller: &Caller, mut part: Part<'_>) -> Result<(File, Reservation, [u8; 32]), ApiError> {
    let mut file = tempfile::tempfile_in(&app.settings.data_dir).map_err(|e| no_disk(&e))?;
    let (mut bytes, mut digest) = (0, Sha256::new());
    let mut reservation = app.uploads.reserve(caller.index);
    while let Some(chunk) = part.chunk().await? {
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
    Ok((file, reservation, digest.finalize().into()))
}

async fn text(app: &App, mut part: Part<'_>) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await? {
        if bytes.len() + chunk.len() > app.settings.body_max_bytes {
            return Err(too_large(app.settings.body_max_bytes as u64));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn skip(app: &App, mut part: Part<'_>) -> Result<(), ApiError> {
    let mut bytes = 0;
    while let Some(chunk) = part.chunk().await? {
        bytes += chunk.len();
        if bytes > app.settings.body_max_bytes {
            return Err(too_large(app.settings.body_max_bytes as u64));
        }
    }
    Ok(())
}

fn too_large(bytes_max: u64) -> ApiError {
    ApiError::new(Problem::TooLarge, format!("a part of the form is larger than the limit of {bytes_max} bytes"))
}

fn no_disk(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "cannot store an upload");
    ApiError::new(Problem::Unavailable, "the server cannot store the upload now: try again later").retry_after(10)
}
