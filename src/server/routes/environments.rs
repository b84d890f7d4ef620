//! Packages under a name. All keys share them: what is made for one client is there for the others.

use super::{
    params::EnvironmentPath,
    refusals::{Guarded, MissingEnvironment, SameSite},
};
use crate::{
    EnvironmentState, NamedEnvironment, ReadyEnvironment,
    server::{
        App,
        api::{Environment, EnvironmentList, EnvironmentPackage, EnvironmentRequest, EnvironmentStatus, ErrorBody},
        body,
        error::{ApiError, Problem},
        metrics::RejectReason,
        render::timestamp,
        request,
    },
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const ID_DIGITS: usize = 64;

/// Defines an environment and begins to make it. The same packages lead to the same environment; ask for it until it is
/// ready, or use it at once: jobs wait for it.
#[utoipa::path(
    post,
    path = "/api/v1/environments",
    tag = "environments",
    request_body(
        content = EnvironmentRequest,
        example = json!({"requirements": ["humanize>=4"], "preload": ["humanize"]}),
    ),
    responses(
        (status = 200, description = "It is ready, or has failed", body = Environment),
        (
            status = 202,
            description = "It is being made",
            body = Environment,
            links(("inspect" = (operation_id = "environments_status", parameters(("id" = "$response.body#/id"))))),
        ),
        (status = 400, description = "The request is not acceptable", body = ErrorBody),
        (status = 408, description = "The body stopped coming", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (
            status = 503,
            description = "The server is shutting down, or too many environments are being made",
            body = ErrorBody,
            headers(("Retry-After" = u64, description = "In seconds")),
        ),
        Guarded,
        SameSite,
    ),
    operation_id = "environments_create",
)]
pub(super) async fn create(State(app): State<Arc<App>>, body: Body) -> Result<Response, ApiError> {
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let request: EnvironmentRequest =
        serde_json::from_slice(&bytes).map_err(|e| ApiError::invalid(format!("invalid JSON: {e}")))?;
    let definition = request::environment(&request)?;
    if app.is_draining() {
        app.metrics.rejected(RejectReason::ShuttingDown);
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later")
            .retry_after(app.settings.shutdown_grace.as_secs().max(1)));
    }
    let pyexec = app.pyexec.clone();
    // Where it is made: threads that answer requests stay free.
    let created = app.jobs.spawn(async move { pyexec.create_environment(definition).await }).await;
    let created = created.map_err(|_| ApiError::new(Problem::Unavailable, "making the environment failed"))?;
    let environment = Environment::from(created?);
    let status = match environment.status {
        EnvironmentStatus::Defined | EnvironmentStatus::Preparing => StatusCode::ACCEPTED,
        EnvironmentStatus::Ready | EnvironmentStatus::Failed => StatusCode::OK,
    };
    Ok((status, Json(environment)).into_response())
}

/// All environments that have a name, the last used first.
#[utoipa::path(
    get,
    path = "/api/v1/environments",
    tag = "environments",
    responses(
        (status = 200, description = "All of them", body = EnvironmentList),
        (status = 503, description = "They cannot be read", body = ErrorBody),
        Guarded,
    ),
    operation_id = "environments_list",
)]
pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<EnvironmentList>, ApiError> {
    let environments = app.pyexec.environments().await?;
    Ok(Json(EnvironmentList { environments: environments.into_iter().map(Environment::from).collect() }))
}

/// How far an environment is, and what is in it.
#[utoipa::path(
    get,
    path = "/api/v1/environments/{id}",
    tag = "environments",
    params(EnvironmentPath),
    responses((status = 200, description = "What is known of it", body = Environment), Guarded, MissingEnvironment),
    operation_id = "environments_status",
)]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(EnvironmentPath { id }): Path<EnvironmentPath>,
) -> Result<Json<Environment>, ApiError> {
    let found = app.pyexec.environment(whole(&id)?).await?;
    found.map(|found| Json(found.into())).ok_or_else(ApiError::no_environment)
}

/// Removes an environment, and what was made for it alone.
#[utoipa::path(
    delete,
    path = "/api/v1/environments/{id}",
    tag = "environments",
    params(EnvironmentPath),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "A job uses it", body = ErrorBody),
        Guarded,
        SameSite,
        MissingEnvironment,
    ),
    operation_id = "environments_remove",
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(EnvironmentPath { id }): Path<EnvironmentPath>,
) -> Result<StatusCode, ApiError> {
    match app.pyexec.remove_environment(whole(&id)?).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(ApiError::no_environment()),
        Err(error) if error.is_invalid_job() => Err(ApiError::new(Problem::Conflict, error.message())),
        Err(error) => Err(error.into()),
    }
}

/// Refuses the beginning of an id, which could soon stand for several.
fn whole(id: &str) -> Result<&str, ApiError> {
    if id.len() == ID_DIGITS { Ok(id) } else { Err(ApiError::no_environment()) }
}

impl From<NamedEnvironment> for Environment {
    fn from(named: NamedEnvironment) -> Environment {
        let NamedEnvironment { id, definition, state, created, last_used } = named;
        let mut environment = Environment {
            id,
            status: EnvironmentStatus::Defined,
            requirements: definition.requirements.to_string().lines().map(str::to_owned).collect(),
            preload: definition.preload,
            python_version: definition.python.map(|python| python.to_string()),
            tier: None,
            reason: None,
            progress: None,
            packages: Vec::new(),
            bytes: 0,
            baked: false,
            created_at: timestamp(created),
            last_used_at: timestamp(last_used),
            error: None,
        };
        match state {
            EnvironmentState::Defined => {}
            EnvironmentState::Preparing { progress } => {
                environment.status = EnvironmentStatus::Preparing;
                environment.progress = Some(progress).filter(|progress| !progress.is_empty());
            }
            EnvironmentState::Failed { error } => {
                environment.status = EnvironmentStatus::Failed;
                environment.error = Some(error);
            }
            EnvironmentState::Ready(ReadyEnvironment { tier, reason, packages, bytes, baked, progress }) => {
                environment.status = EnvironmentStatus::Ready;
                (environment.tier, environment.reason) = (Some(tier), Some(reason));
                (environment.bytes, environment.baked, environment.progress) = (bytes, baked, progress);
                let package = |pin: crate::environment::Pin| EnvironmentPackage {
                    name: pin.name,
                    version: pin.version,
                    pure: pin.pure,
                };
                environment.packages = packages.into_iter().map(package).collect();
            }
        }
        environment
    }
}
