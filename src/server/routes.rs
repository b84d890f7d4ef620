//! Which path leads where.

mod environments;
mod eval;
mod exec;
mod execute;
mod executions;
mod openapi;
mod params;
mod refusals;
mod service;
mod sessions;
mod workspaces;

use super::{
    App,
    api::{e2b, mcp::mcp, session_service::routes as session_service},
    auth::{Gate, Keys, admit},
    cors::{Origins, share},
    error::{ApiError, Problem, shape},
    headers::secure,
    hosts::{Hosts, known},
    metrics::count_requests,
    request_id::name_request,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::HeaderName,
    middleware::{from_fn, from_fn_with_state},
    routing::{any, delete, get, post, put},
};
use std::sync::Arc;

/// Routes that need no key.
const OPEN: &[&str] = &["/", "/health", "/docs", "/docs/", "/docs/{*rest}", "/docs/doc.json"];

/// Routes inside of E2B's sandboxes, whose clients have a token for them.
const BY_TOKEN: &[&str] = &[
    "/execute",
    "/contexts",
    "/contexts/{id}",
    "/contexts/{id}/restart",
    "/files",
    "/filesystem.Filesystem/{method}",
    "/process.Process/{method}",
];

pub(crate) fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .route("/api/v1/eval", post(eval::eval))
        .route("/api/v1/eval/continue", post(eval::go_on))
        .route("/api/v1/exec/sync", post(exec::sync))
        .route("/api/v1/exec/async", post(exec::run_async))
        .route("/api/v1/executions", get(executions::list))
        .route("/api/v1/executions/{id}", get(executions::status).delete(executions::kill))
        .route("/api/v1/executions/{id}/events", get(executions::events))
        .route("/api/v1/executions/{id}/files/{*path}", get(executions::file))
        .route("/api/v1/environments", get(environments::list).post(environments::create))
        .route("/api/v1/environments/{id}", get(environments::status).delete(environments::remove))
        .route("/api/v1/sessions", get(sessions::list).post(sessions::create))
        .route("/api/v1/sessions/{id}", get(sessions::inspect).delete(sessions::remove))
        .route("/api/v1/sessions/{id}/calls", post(sessions::call))
        .route("/api/v1/sessions/{id}/calls/continue", post(sessions::go_on))
        .route("/api/v1/sessions/{id}/interrupt", post(sessions::interrupt))
        .route("/api/v1/sessions/{id}/fork", post(sessions::fork))
        .route("/api/v1/sessions/{id}/checkpoints", get(sessions::checkpoints))
        .route("/api/v1/sessions/{id}/checkpoints/{name}", put(sessions::checkpoint).post(sessions::roll_back))
        .route("/api/v1/sessions/{id}/variables", get(sessions::variables))
        .route("/api/v1/sessions/{id}/complete", post(sessions::complete))
        .route("/api/v1/sessions/{id}/is_complete", post(sessions::is_complete))
        .route("/api/v1/sessions/{id}/inspect", post(sessions::inspect_code))
        .route("/api/v1/sessions/{id}/files", get(sessions::files))
        .route(
            "/api/v1/sessions/{id}/files/{*path}",
            get(sessions::read_file).put(sessions::write_file).delete(sessions::remove_file),
        )
        .route("/api/v1/workspaces", get(workspaces::list).post(workspaces::create))
        .route("/api/v1/workspaces/{id}", get(workspaces::inspect).delete(workspaces::remove))
        .route("/api/v1/workspaces/{id}/files", get(workspaces::files))
        .route(
            "/api/v1/workspaces/{id}/files/{*path}",
            get(workspaces::read).put(workspaces::write).delete(workspaces::delete),
        )
        .route("/api/v1/workspaces/{id}/archive", get(workspaces::pack).post(workspaces::unpack))
        .route("/mcp", get(mcp).post(mcp).delete(mcp))
        .route("/contexts", get(e2b::contexts).post(e2b::create_context))
        .route("/contexts/{id}", delete(e2b::remove_context))
        .route("/contexts/{id}/restart", post(e2b::restart_context))
        .route("/files", get(e2b::read).post(e2b::write))
        .route("/filesystem.Filesystem/{method}", post(e2b::filesystem))
        .route("/process.Process/{method}", post(e2b::process))
        .route("/sandboxes", get(e2b::list).post(e2b::create))
        .route("/sandboxes/{id}", get(e2b::inspect).delete(e2b::kill))
        .route("/sandboxes/{id}/timeout", post(e2b::set_timeout))
        .route("/sandboxes/{id}/connect", post(e2b::connect))
        .route("/sandboxes/{id}/resume", post(e2b::connect))
        .route("/sandboxes/{id}/{*rest}", any(e2b::unsupported))
        .route("/v2/sandboxes", get(e2b::list).post(e2b::create))
        .route("/v2/sandboxes/{id}/connect", post(e2b::connect))
        .route("/v2/sandboxes/{id}/{*rest}", any(e2b::unsupported))
        .route("/execute", post(execute::execute))
        .route("/install", post(session_service::install))
        .route("/status/{task_type}/{task_id}", get(session_service::status))
        .route("/upload", post(session_service::upload))
        .route("/download", get(session_service::download))
        .route("/terminate", post(session_service::terminate))
        .route("/health", get(service::health).layer(from_fn_with_state(Arc::clone(&app), e2b::health)))
        .route("/metrics", get(service::metrics))
        .route("/", get(service::page))
        .merge(openapi::docs(!app.settings.api_keys.is_empty()))
        .fallback(|| async { ApiError::new(Problem::NotFound, "no such path: see /docs/") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(Problem::MethodNotAllowed, "this path does not take this method: see /docs/")
        })
        // Bodies are bounded where they are read, with errors of our own.
        .layer(DefaultBodyLimit::disable());
    // It was checked when it was set.
    let header = HeaderName::try_from(&*app.settings.api_key_header);
    let header = header.unwrap_or(HeaderName::from_static("x-api-key"));
    let keys = Keys::new(app.settings.api_keys.clone(), header);
    let gate =
        Gate::new(keys, app.settings.rate_limit.unwrap_or(0), OPEN).with_tokens(Arc::clone(&app.tokens), BY_TOKEN);
    let hosts = if app.settings.api_keys.is_empty() { Hosts::own(&app.settings.allowed_hosts) } else { Hosts::any() };
    let origins = Origins::new(app.settings.cors_origins.clone());
    // The last one is the outermost.
    api.layer(from_fn(shape))
        .layer(from_fn_with_state(gate, admit))
        .layer(from_fn(execute::word))
        .layer(from_fn_with_state(Arc::clone(&app.metrics), count_requests))
        .layer(from_fn_with_state(origins, share))
        .layer(from_fn_with_state(hosts, known))
        .layer(from_fn(secure))
        .layer(from_fn(name_request))
        .with_state(app)
}
