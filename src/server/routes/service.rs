//! How the server is, and its page.

use super::refusals::Guarded;
use crate::server::{
    App,
    api::{Health, HealthDetails},
    auth::Caller,
    metrics::CONTENT_TYPE,
};
use crate::{config::Service, outcome::Tier, scheduler::Load};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const PAGE: &str = include_str!("../page.html");

/// Whether the server takes executions; with a key, also how busy it is.
#[utoipa::path(
    get,
    path = "/health",
    tag = "service",
    security((), ("bearer" = []), ("key" = []), ("basic" = [])),
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 503, description = "It is shutting down", body = Health),
    )
)]
pub(super) async fn health(State(app): State<Arc<App>>, caller: Option<Extension<Caller>>) -> Response {
    let load = app.pyexec.scheduler().load();
    let sum = |of: fn(&Load) -> usize| load.iter().map(|(_, load)| of(load)).sum();
    let docker = app.pyexec.docker_state();
    let details = caller.map(|_| HealthDetails {
        version: env!("CARGO_PKG_VERSION"),
        python: crate::PYTHON_VERSION,
        executors: if docker.is_ok() { vec![Tier::Wasm, Tier::Docker] } else { vec![Tier::Wasm] },
        docker: docker.map_or_else(|why| why.to_string(), |()| "ready".to_owned()),
        slots: sum(|load| load.slots),
        busy: sum(|load| load.busy),
        queued: sum(|load| load.queued),
        state: "memory",
    });
    let healthy = if app.settings.service == Service::CodeExecutor { "healthy" } else { "ok" };
    let (code, status) =
        if app.is_draining() { (StatusCode::SERVICE_UNAVAILABLE, "draining") } else { (StatusCode::OK, healthy) };
    (code, Json(Health { status, details })).into_response()
}

/// Numbers for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses((status = 200, description = "All of them", content_type = CONTENT_TYPE, body = String), Guarded)
)]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (kept, bytes) = app.executions.kept();
    for (tier, load) in app.pyexec.scheduler().load() {
        app.metrics.set_load(tier, load);
    }
    if let Some(docker) = app.pyexec.docker() {
        app.metrics.set_pool(&docker.pool_stats());
    }
    app.metrics.set_packages(&app.pyexec.package_counts());
    app.metrics.set_results(kept, bytes);
    ([(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))], app.metrics.encode()).into_response()
}

/// Serves a page to try the service.
pub(super) async fn page() -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let text = PAGE
        .replace("{{nonce}}", &nonce)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{python}}", crate::PYTHON_VERSION);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
