//! From a script to the value of its function.

use super::wire::{self, MainFailure, MainRequest};
use crate::{
    Job, Want,
    outcome::JsonText,
    server::{
        App,
        auth::Caller,
        error::{ApiError, Problem},
        request,
        run::Waiting,
        submit::result,
    },
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Runs a script, calls its function `main`, and waits for what that returns.
pub(crate) async fn execute(app: &Arc<App>, caller: &Caller, json: &[u8]) -> Result<Response, ApiError> {
    let refused = |failure: MainFailure| (StatusCode::BAD_REQUEST, Json(failure)).into_response();
    let script = match MainRequest::read(json) {
        Ok(MainRequest { script }) => script,
        Err(failure) => return Ok(refused(failure)),
    };
    let (bytes, most) = (script.len(), app.settings.code_max_bytes);
    if bytes > most {
        let message = format!("the script has {bytes} bytes, more than the limit of {most}");
        return Err(ApiError::new(Problem::TooLarge, message));
    }
    let want = Want::Call { function: "main".to_owned(), arguments: JsonText::from(serde_json::Value::Null) };
    let job = Job::code(script).want(want);
    let limits = request::call_limits(None, app, &mut Vec::new());
    let request = request::foreign(Ok(job), limits, Waiting::Yes, bytes, app).await;
    let record = result(app, caller, request, None).await?;
    let Some(end) = &record.end else { return Err(ApiError::no_execution()) };
    Ok(match wire::answer(end) {
        Ok(result) => Json(result).into_response(),
        Err((status, failure)) => (status, Json(failure)).into_response(),
    })
}
