//! Files that outlive executions. Nobody sees those of another key: they are not there for it.

use super::{
    params::{ArchiveQuery, Conditions, WorkspaceFilePath, WorkspacePath},
    refusals::{Guarded, MissingWorkspace, NoRoom, SameSite},
};
use crate::{
    blocking::blocking,
    server::{
        App,
        api::{ErrorBody, UnpackedArchive, WorkspaceFileInfo, WorkspaceFiles, WorkspaceInfo, WorkspaceList},
        auth::Caller,
        body::broken,
        error::{ApiError, Problem},
        render::{PATH, timestamp},
        uploads::{Full, Reservation},
    },
    workspaces::{ArchiveFormat, Workspace, WorkspaceFile},
};
use axum::{
    Extension, Json,
    body::{Body, HttpBody as _},
    extract::{Path, Query, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            IF_RANGE, RANGE,
        },
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream::try_unfold};
use percent_encoding::utf8_percent_encode;
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    ops::Range,
    sync::Arc,
};

/// Bytes of a download that are read at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// Of an archive, beyond the content of its files.
const ARCHIVE_OVERHEAD_BYTES: u64 = 1 << 20;

/// Bytes, as the document describes them.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only described")]
pub(super) struct Content(Vec<u8>);

/// Makes an empty workspace.
#[utoipa::path(
    post,
    path = "/api/v1/workspaces",
    tag = "workspaces",
    responses(
        (
            status = 201,
            description = "It is there",
            body = WorkspaceInfo,
            links(("inspect" = (operation_id = "workspaces_inspect", parameters(("id" = "$response.body#/id"))))),
        ),
        (status = 503, description = "The storage is at fault", body = ErrorBody),
        (status = 507, description = "This key has as many as it may have", body = ErrorBody),
        Guarded,
        SameSite,
    ),
    operation_id = "workspaces_create",
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    let workspace = app.pyexec.workspaces().create(&caller.name).await?;
    Ok((StatusCode::CREATED, Json(WorkspaceInfo::from(workspace))).into_response())
}

/// The caller's workspaces, the last used first.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces",
    tag = "workspaces",
    responses(
        (status = 200, description = "All of them", body = WorkspaceList),
        (status = 503, description = "The storage is at fault", body = ErrorBody),
        Guarded,
    ),
    operation_id = "workspaces_list",
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<WorkspaceList>, ApiError> {
    let workspaces = app.pyexec.workspaces().list(&caller.name).await?;
    Ok(Json(WorkspaceList { workspaces: workspaces.into_iter().map(WorkspaceInfo::from).collect() }))
}

/// What a workspace takes and may take, and until when it is kept.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}",
    tag = "workspaces",
    params(WorkspacePath),
    responses(
        (status = 200, description = "What is known of it", body = WorkspaceInfo),
        Guarded,
        MissingWorkspace,
    ),
    operation_id = "workspaces_inspect",
)]
pub(super) async fn inspect(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspacePath { id }): Path<WorkspacePath>,
) -> Result<Json<WorkspaceInfo>, ApiError> {
    Ok(Json(app.pyexec.workspaces().describe_one(&caller.name, &id).await?.into()))
}

/// Deletes a workspace with its files.
#[utoipa::path(
    delete,
    path = "/api/v1/workspaces/{id}",
    tag = "workspaces",
    params(WorkspacePath),
    responses((status = 204, description = "It is gone"), Guarded, SameSite, MissingWorkspace),
    operation_id = "workspaces_remove",
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspacePath { id }): Path<WorkspacePath>,
) -> Result<StatusCode, ApiError> {
    app.pyexec.workspaces().delete(&caller.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The files of a workspace, by path.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}/files",
    tag = "workspaces",
    params(WorkspacePath),
    responses((status = 200, description = "All of them", body = WorkspaceFiles), Guarded, MissingWorkspace),
    operation_id = "workspaces_files",
)]
pub(super) async fn files(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspacePath { id }): Path<WorkspacePath>,
) -> Result<Json<WorkspaceFiles>, ApiError> {
    Ok(Json(WorkspaceFiles { files: all_files(&app, &caller, &id).await? }))
}

async fn all_files(app: &App, caller: &Caller, id: &str) -> Result<Vec<WorkspaceFileInfo>, ApiError> {
    let files = app.pyexec.workspaces().files(&caller.name, id).await?;
    Ok(files.into_iter().map(|file| described(id, file)).collect())
}

/// The content of a file, or one range of it.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}/files/{path}",
    tag = "workspaces",
    params(WorkspaceFilePath, Conditions),
    responses(
        (
            status = 200,
            description = "All of it",
            content_type = "application/octet-stream",
            body = inline(Content),
            headers(("ETag" = String, description = "SHA-256 of the content"), ("Accept-Ranges" = String)),
        ),
        (
            status = 206,
            description = "The range that was asked for",
            content_type = "application/octet-stream",
            body = inline(Content),
            headers(("ETag" = String), ("Content-Range" = String)),
        ),
        (status = 304, description = "The client has this content", headers(("ETag" = String))),
        (
            status = 416,
            description = "The range begins past the end of the file",
            body = ErrorBody,
            headers(("Content-Range" = String)),
        ),
        Guarded,
        MissingWorkspace,
    ),
    operation_id = "workspaces_read",
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspaceFilePath { id, path }): Path<WorkspaceFilePath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let reading = app.pyexec.workspaces().read(&caller.name, &id, &path).await?;
    let (tag, bytes) = (format!("\"{}\"", reading.file.sha256), reading.file.bytes);
    if headers.get_all(IF_NONE_MATCH).iter().any(|known| matches(known, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response());
    }
    // A range of a content that is no more is none of this one.
    let is_same = headers.get(IF_RANGE).is_none_or(|known| known.as_bytes() == tag.as_bytes());
    let asked = if is_same { range(&headers, bytes) } else { Asked::All };
    let part = match asked {
        Asked::All => 0..bytes,
        Asked::Part(part) => part,
        Asked::Nothing => {
            let refused = ApiError::new(Problem::NoSuchRange, format!("the file has {bytes} bytes"));
            return Ok(([(CONTENT_RANGE, format!("bytes */{bytes}"))], refused).into_response());
        }
    };
    let is_all = part == (0..bytes);
    let content = Body::from_stream(reading.part(part.clone()).await?);
    let mut response = download(content, part.end - part.start);
    if !is_all {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(&mut response, CONTENT_RANGE, &format!("bytes {}-{}/{bytes}", part.start, part.end - 1));
    }
    set(&mut response, ETAG, &tag);
    set(&mut response, ACCEPT_RANGES, "bytes");
    Ok(response)
}

/// Writes a file: all of it, or nothing when something goes wrong. It replaces one of the same path.
#[utoipa::path(
    put,
    path = "/api/v1/workspaces/{id}/files/{path}",
    tag = "workspaces",
    params(WorkspaceFilePath),
    request_body(content = inline(Content), content_type = "application/octet-stream"),
    responses(
        (
            status = 200,
            description = "It is there",
            body = WorkspaceFileInfo,
            headers(("ETag" = String, description = "SHA-256 of the content")),
        ),
        Guarded,
        SameSite,
        MissingWorkspace,
        NoRoom,
    ),
    operation_id = "workspaces_write",
)]
pub(super) async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspaceFilePath { id, path }): Path<WorkspaceFilePath>,
    body: Body,
) -> Result<Response, ApiError> {
    let mut upload = Incoming::new(&app, &caller, body)?;
    let mut writing = app.pyexec.workspaces().write(&caller.name, &id, &path, Some(upload.announced)).await?;
    while let Some(chunk) = upload.chunk().await? {
        writing.write(&chunk).await?;
    }
    let file = described(&id, writing.finish().await?);
    let tag = format!("\"{}\"", file.sha256);
    Ok(([(ETAG, tag)], Json(file)).into_response())
}

/// Deletes a file.
#[utoipa::path(
    delete,
    path = "/api/v1/workspaces/{id}/files/{path}",
    tag = "workspaces",
    params(WorkspaceFilePath),
    responses((status = 204, description = "It is gone"), Guarded, SameSite, MissingWorkspace),
    operation_id = "workspaces_delete",
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspaceFilePath { id, path }): Path<WorkspaceFilePath>,
) -> Result<StatusCode, ApiError> {
    app.pyexec.workspaces().remove(&caller.name, &id, &path).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unpacks an archive into a workspace, all of it or nothing: tar, tar.gz or zip.
#[utoipa::path(
    post,
    path = "/api/v1/workspaces/{id}/archive",
    tag = "workspaces",
    params(WorkspacePath),
    request_body(content = inline(Content), content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "Its files are there", body = UnpackedArchive),
        Guarded,
        SameSite,
        MissingWorkspace,
        NoRoom,
    ),
    operation_id = "workspaces_unpack",
)]
pub(super) async fn unpack(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspacePath { id }): Path<WorkspacePath>,
    body: Body,
) -> Result<Json<UnpackedArchive>, ApiError> {
    // Before anything is received.
    app.pyexec.workspaces().describe_one(&caller.name, &id).await?;
    let mut upload = Incoming::new(&app, &caller, body)?;
    let mut archive = temporary(&app)?;
    while let Some(chunk) = upload.chunk().await? {
        let written = blocking(move || archive.write_all(&chunk).map(|()| archive)).await;
        archive = written.and_then(|written| written).map_err(|error| no_disk(&error))?;
    }
    let warnings = app.pyexec.workspaces().unpack(&caller.name, &id, archive).await?;
    Ok(Json(UnpackedArchive { files: all_files(&app, &caller, &id).await?, warnings }))
}

/// All files of a workspace in an archive.
#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}/archive",
    tag = "workspaces",
    params(WorkspacePath, ArchiveQuery),
    responses(
        (
            status = 200,
            description = "The archive",
            content_type = "application/octet-stream",
            body = inline(Content),
            headers(("Content-Disposition" = String, description = "`attachment`, with a name")),
        ),
        Guarded,
        MissingWorkspace,
    ),
    operation_id = "workspaces_pack",
)]
pub(super) async fn pack(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(WorkspacePath { id }): Path<WorkspacePath>,
    query: Result<Query<ArchiveQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(ArchiveQuery { format }) = query.map_err(|error| ApiError::invalid(error.body_text()))?;
    let (format, ending) = match format.as_deref() {
        None | Some("tar.gz") => (ArchiveFormat::TarGz, "tar.gz"),
        Some("tar") => (ArchiveFormat::Tar, "tar"),
        Some("zip") => (ArchiveFormat::Zip, "zip"),
        Some(_) => return Err(ApiError::invalid("format must be tar.gz, tar or zip")),
    };
    let mut reservation = app.uploads.reserve(caller.index);
    let admit = |bytes: u64| reservation.grow(bytes.saturating_add(ARCHIVE_OVERHEAD_BYTES)).map_err(|Full| no_room());
    let archive = app.pyexec.workspaces().pack(&caller.name, &id, format, temporary(&app)?, admit).await?;
    let bytes = archive.metadata().map_err(|error| no_disk(&error))?.len();
    let chunks = try_unfold((archive, reservation), |(mut archive, reservation)| async move {
        let read = blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            io::Read::take(&mut archive, CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
            Ok::<_, io::Error>((chunk, archive))
        });
        let (chunk, archive) = read.await??;
        Ok::<_, io::Error>((!chunk.is_empty()).then(|| (Bytes::from(chunk), (archive, reservation))))
    });
    let mut response = download(Body::from_stream(chunks), bytes);
    set(&mut response, CONTENT_DISPOSITION, &format!("attachment; filename=\"{id}.{ending}\""));
    Ok(response)
}

/// A body on its way into a workspace, which takes its part of what uploads may have.
struct Incoming {
    chunks: axum::body::BodyDataStream,
    reservation: Reservation,
    /// Bytes that will come at least.
    announced: u64,
    received: u64,
    bytes_max: u64,
}

impl Incoming {
    fn new(app: &App, caller: &Caller, body: Body) -> Result<Incoming, ApiError> {
        let (announced, bytes_max) = (body.size_hint().lower(), app.settings.upload_max_bytes);
        if announced > bytes_max {
            return Err(too_large(bytes_max));
        }
        let (chunks, reservation) = (body.into_data_stream(), app.uploads.reserve(caller.index));
        Ok(Incoming { chunks, reservation, announced, received: 0, bytes_max })
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(chunk) = self.chunks.try_next().await.map_err(|error| broken(&error))? else { return Ok(None) };
        self.received += chunk.len() as u64;
        if self.received > self.bytes_max {
            return Err(too_large(self.bytes_max));
        }
        self.reservation.grow(chunk.len() as u64).map_err(|Full| no_room())?;
        Ok(Some(chunk))
    }
}

/// What is asked for of a file.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    All,
    Part(Range<u64>),
    /// What it does not have.
    Nothing,
}

/// Reads the header for one range of a file of so many bytes. What is none, or several, is all of it.
fn range(headers: &HeaderMap, bytes: u64) -> Asked {
    let mut values = headers.get_all(RANGE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Asked::All };
    let spec = value.to_str().ok().and_then(|value| value.strip_prefix("bytes=")).and_then(|spec| spec.split_once('-'));
    let Some((first, last)) = spec else { return Asked::All };
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        // More than any file has is as good.
        is_number.then(|| digits.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (number(first.trim()), number(last.trim())) {
        (Some(first), Some(last)) if last < first => Asked::All,
        (Some(first), _) if first >= bytes && (last.trim().is_empty() || number(last.trim()).is_some()) => {
            Asked::Nothing
        }
        (Some(first), Some(last)) => Asked::Part(first..last.saturating_add(1).min(bytes)),
        (Some(first), None) if last.trim().is_empty() => Asked::Part(first..bytes),
        (None, Some(0)) if first.trim().is_empty() => Asked::Nothing,
        (None, Some(_)) if first.trim().is_empty() && bytes == 0 => Asked::Nothing,
        (None, Some(last)) if first.trim().is_empty() => Asked::Part(bytes.saturating_sub(last)..bytes),
        _ => Asked::All,
    }
}

/// Returns whether a list of tags has this one.
fn matches(known: &HeaderValue, tag: &str) -> bool {
    let tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.map(|known| known.strip_prefix("W/").unwrap_or(known)).any(|known| known == "*" || known == tag)
}

/// Makes an answer that a browser never shows as a page of ours.
fn download(content: Body, bytes: u64) -> Response {
    let mut response = content.into_response();
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    set(&mut response, CONTENT_TYPE, "application/octet-stream");
    set(&mut response, CONTENT_DISPOSITION, "attachment");
    response
}

/// Sets a header to text that is made here.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn temporary(app: &App) -> Result<File, ApiError> {
    tempfile::tempfile_in(&app.settings.data_dir).map_err(|error| no_disk(&error))
}

fn too_large(bytes_max: u64) -> ApiError {
    ApiError::new(
        Problem::TooLarge,
        format!("the upload is larger than the limit of {bytes_max} bytes (upload_max_mb)"),
    )
}

fn no_room() -> ApiError {
    let problem = "uploads and downloads take all the disk that they may have (uploads_mb): try again later";
    ApiError::new(Problem::Unavailable, problem).retry_after(5)
}

fn no_disk(error: &io::Error) -> ApiError {
    tracing::error!(%error, "cannot store an upload");
    ApiError::new(Problem::Unavailable, "the server cannot store the upload now: try again later").retry_after(10)
}

fn described(id: &str, file: WorkspaceFile) -> WorkspaceFileInfo {
    let WorkspaceFile { path, bytes, sha256, modified } = file;
    let url = format!("/api/v1/workspaces/{id}/files/{}", utf8_percent_encode(&path, PATH));
    WorkspaceFileInfo { path, size: bytes, sha256, modified_at: timestamp(modified), url }
}

impl From<Workspace> for WorkspaceInfo {
    fn from(workspace: Workspace) -> WorkspaceInfo {
        let Workspace { id, created, last_used, expires, bytes, files, bytes_max, files_max } = workspace;
        WorkspaceInfo {
            id,
            created_at: timestamp(created),
            last_used_at: timestamp(last_used),
            expires_at: timestamp(expires),
            bytes,
            files,
            bytes_max,
            files_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_what_is_none_is_all() {
        for (value, bytes, asked) in [
            ("bytes=0-0", 10, Asked::Part(0..1)),
            ("bytes=2-", 10, Asked::Part(2..10)),
            ("bytes=5-100", 10, Asked::Part(5..10)),
            ("bytes=5-99999999999999999999999999", 10, Asked::Part(5..10)),
            ("bytes=-3", 10, Asked::Part(7..10)),
            ("bytes=-30", 10, Asked::Part(0..10)),
            ("bytes=10-", 10, Asked::Nothing),
            ("bytes=99999999999999999999999999-", 10, Asked::Nothing),
            ("bytes=0-", 0, Asked::Nothing),
            ("bytes=-5", 0, Asked::Nothing),
            ("bytes=-0", 10, Asked::Nothing),
            ("bytes=3-2", 10, Asked::All),
            ("bytes=0-1,3-4", 10, Asked::All),
            ("bytes=--1", 10, Asked::All),
            ("bytes=+1-2", 10, Asked::All),
            ("bytes=", 10, Asked::All),
            ("bytes=-", 10, Asked::All),
            ("lines=0-1", 10, Asked::All),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_str(value).expect("text"))]);
            assert_eq!(range(&headers, bytes), asked, "{value} of {bytes}");
        }
        assert_eq!(range(&HeaderMap::new(), 10), Asked::All);
    }
}
