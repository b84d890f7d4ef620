//! One path that several services have. What a request has in it says for which of them it is.

use crate::{
    config::Service,
    server::{
        App,
        api::{
            code_executor::{self, CodeRequest, CodeResult},
            e2b,
            main_service::{self, MainFailure, MainRequest, MainResult},
            session_service::{self, ExecuteRequest, QueuedExecution},
            validation::{self, DetailBody, Fields},
        },
        auth::{Caller, Scope},
        body,
        error::ApiError,
        members::{Members, utf8},
    },
};
use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use utoipa::ToSchema;

/// A request of one of the services, as the document describes it.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
pub(super) enum AnyRequest {
    /// With `session_id`: the sessions service.
    Session(ExecuteRequest),
    /// With `script`: the main() service.
    Main(MainRequest),
    /// With `code` alone: the code executor.
    Code(CodeRequest),
}

/// What one of the services has made of a request.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
pub(super) enum AnyResult {
    Main(MainResult),
    Code(CodeResult),
}

/// Why one of the services has refused a request.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
pub(super) enum AnyFailure {
    Main(MainFailure),
    Detail(DetailBody),
}

/// Runs code for clients of three other services. The setting `service` makes it the path of one of them.
#[utoipa::path(
    post,
    path = "/execute",
    tag = "other services",
    request_body(content = AnyRequest),
    responses(
        (status = 200, description = "It ran", body = AnyResult),
        (status = 202, description = "It waits or runs in a session", body = QueuedExecution),
        (status = 400, description = "The script or the code is refused", body = AnyFailure),
        (status = 500, description = "The script has failed", body = MainFailure),
        (status = 507, description = "There is no room for another session", body = DetailBody),
        validation::Guarded,
        validation::Malformed,
        validation::TooBusy,
    ),
    operation_id = "execute",
)]
pub(super) async fn execute(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    if app.settings.service == Service::Auto && e2b::is_for(&parts.headers) {
        return Ok(e2b::execute(&app, &caller, &parts, &bytes).await);
    }
    if parts.extensions.get::<Scope>().is_some() {
        return Err(ApiError::invalid("the token of a sandbox runs code in that sandbox alone: send E2b-Sandbox-Id"));
    }
    let answer = match service(app.settings.service, &bytes) {
        Service::Main => return main_service::execute(&app, &caller, &bytes).await,
        Service::Sessions => session_service::routes::execute(&app, &caller, &bytes).await,
        Service::CodeExecutor => code_executor::execute(&app, &caller, &bytes).await,
        Service::Auto => {
            let text = utf8(&bytes);
            match Fields::of(&text) {
                Err(refused) => Err(refused),
                Ok(_) => {
                    let needed = "send session_id and code (sessions service), script (main() service), code (code \
                                  executor), or the header E2b-Sandbox-Id (E2B)";
                    return Err(ApiError::invalid(needed));
                }
            }
        }
    };
    Ok(answer.unwrap_or_else(IntoResponse::into_response))
}

/// Middleware: says in the words of the service that a request is for that a key is missing or wrong. Belongs outside of the
/// one that asks for keys.
pub(super) async fn word(request: Request, next: Next) -> Response {
    match e2b::is_for(request.headers()) {
        true => next.run(request).await,
        false => session_service::routes::word(request, next).await,
    }
}

/// Returns the service that a request is for; `Auto` when it is for none.
fn service(fixed: Service, json: &[u8]) -> Service {
    if fixed != Service::Auto {
        return fixed;
    }
    let text = utf8(json);
    let Ok(members) = Members::of(&text) else { return Service::Auto };
    let has = |name| members.peek(name).is_some();
    if has("session_id") {
        Service::Sessions
    } else if has("script") {
        Service::Main
    } else if has("code") {
        Service::CodeExecutor
    } else {
        Service::Auto
    }
}
