//! The objects of the main() service.

use crate::{
    outcome::JsonText,
    server::{
        api::{ErrorKind, Status},
        executions::End,
        members::{Members, utf8},
    },
};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// What a call of a function that there is not ends in.
const NO_MAIN: [&str; 2] = ["entry function 'main' is not defined", "entry function 'main' is not callable"];

/// A script whose function `main` is called, without arguments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"script": "def main():\n    print('working')\n    return {'answer': 42}"}))]
pub(crate) struct MainRequest {
    pub(crate) script: String,
}

/// What `main` returned, and what the script has printed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MainResult {
    #[schema(value_type = Value)]
    result: JsonText,
    /// Without white space at its ends.
    stdout: String,
}

/// Why there is no result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MainFailure {
    pub(crate) error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stdout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stderr: Option<String>,
}

/// What comes of a request.
pub(super) type Answer = Result<MainResult, (StatusCode, MainFailure)>;

impl MainRequest {
    pub(super) fn read(json: &[u8]) -> Result<MainRequest, MainFailure> {
        let text = utf8(json);
        let script = Members::of(&text).and_then(|mut members| members.text("script"));
        let script = script.map_err(|error| MainFailure::new(format!("invalid JSON: {error}")))?;
        if script.is_empty() {
            return Err(MainFailure::new("No script provided"));
        }
        // A script that has one says its name.
        if !script.contains("main") {
            return Err(MainFailure::no_main());
        }
        Ok(MainRequest { script })
    }
}

impl MainFailure {
    pub(super) fn new(error: impl Into<String>) -> MainFailure {
        MainFailure { error: error.into(), stdout: None, stderr: None }
    }

    fn no_main() -> MainFailure {
        MainFailure::new("Script must contain a main() function")
    }
}

/// Says how the script ended in the words of the service.
pub(super) fn answer(end: &End) -> Answer {
    let stripped = |text: &str| text.trim().to_owned();
    let stdout = stripped(&end.stdout.text);
    let failed = |status, error: &str, stderr: String| {
        let failure = MainFailure { error: error.to_owned(), stdout: Some(stdout.clone()), stderr: Some(stderr) };
        Err((status, failure))
    };
    let stderr = || stripped(&end.stderr.text);
    match (end.status, end.error_kind) {
        (Status::Completed, _) if end.exit_code == 0 => match &end.result_json {
            Some(result) => Ok(MainResult { result: result.clone(), stdout }),
            None => failed(StatusCode::BAD_REQUEST, "Script did not return valid JSON", stderr()),
        },
        (Status::Completed, _) => {
            let is_missing = |message: &str| NO_MAIN.contains(&message);
            if end.exception.as_ref().is_some_and(|exception| is_missing(&exception.message)) {
                return Err((StatusCode::BAD_REQUEST, MainFailure::no_main()));
            }
            failed(StatusCode::INTERNAL_SERVER_ERROR, "Script execution failed", stderr())
        }
        (_, Some(ErrorKind::TimeLimit | ErrorKind::CpuLimit | ErrorKind::QueueTimeout)) => {
            Err((StatusCode::INTERNAL_SERVER_ERROR, MainFailure::new("Execution timed out")))
        }
        _ => {
            let why = end.error.as_deref().unwrap_or_default();
            let mut stderr = stderr();
            if !stderr.contains(why) {
                stderr = format!("{stderr}\n{why}").trim().to_owned();
            }
            failed(StatusCode::INTERNAL_SERVER_ERROR, "Script execution failed", stderr)
        }
    }
}
