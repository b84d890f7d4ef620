//! `POST /execute`, which clients of several services send: each request goes to the face that it is for.

use super::e2b;
use crate::server::{App, auth::Caller, body, error::ApiError};
use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use std::sync::Arc;

/// Hands a request to whom it is for.
pub(crate) async fn execute(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    if e2b::is_for(&parts.headers) {
        return Ok(e2b::execute(&app, &caller, &parts, &bytes).await);
    }
    Err(ApiError::invalid("no service here takes this: of E2B's clients there is a header E2b-Sandbox-Id"))
}
