//! What a client is told when something is wrong: one JSON shape, and never a cause that belongs into the log.

use super::{
    hints,
    refusal::{refusal, refusal_json},
    request_id,
};
use crate::{Error, ErrorKind, workspaces::WorkspaceError};
use axum::{
    body::to_bytes,
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Of a message that is not ours.
const MESSAGE_BYTES_MAX: usize = 4096;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct ApiError {
    problem: Problem,
    message: String,
    hint: Option<String>,
    retry_after_s: Option<u64>,
}

/// Every way a request can go wrong. There is no success among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    Invalid,
    NotFound,
    MethodNotAllowed,
    Timeout,
    Conflict,
    TooLarge,
    QueueFull,
    Draining,
    Unavailable,
    /// There is no room for what is to be kept.
    Full,
    NoSuchRange,
}

impl Problem {
    fn status(self) -> StatusCode {
        match self {
            Problem::Invalid => StatusCode::BAD_REQUEST,
            Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Timeout => StatusCode::REQUEST_TIMEOUT,
            Problem::Conflict => StatusCode::CONFLICT,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::QueueFull => StatusCode::TOO_MANY_REQUESTS,
            Problem::NoSuchRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Problem::Full => StatusCode::INSUFFICIENT_STORAGE,
            Problem::Draining | Problem::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Problem::Invalid => "invalid",
            Problem::NotFound => "not_found",
            Problem::MethodNotAllowed => "method_not_allowed",
            Problem::Timeout => "timeout",
            Problem::Conflict => "conflict",
            Problem::TooLarge => "too_large",
            Problem::QueueFull => "queue_full",
            Problem::Draining => "draining",
            Problem::Unavailable => "unavailable",
            Problem::Full => "full",
            Problem::NoSuchRange => "no_such_range",
        }
    }
}

impl ApiError {
    pub(crate) fn new(problem: Problem, message: impl Into<String>) -> ApiError {
        ApiError { problem, message: message.into(), hint: None, retry_after_s: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(Problem::Invalid, message)
    }

    pub(crate) fn no_execution() -> ApiError {
        ApiError::new(Problem::NotFound, "execution not found")
    }

    pub(crate) fn no_environment() -> ApiError {
        ApiError::new(Problem::NotFound, "environment not found")
    }

    /// Returns its status, its message, and after how many seconds to try again, for those who say it in other words.
    pub(crate) fn into_parts(self) -> (StatusCode, String, Option<u64>) {
        let message = match self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.message),
            None => self.message,
        };
        (self.problem.status(), message, self.retry_after_s)
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> ApiError {
        self.hint = Some(hint.into());
        self
    }

    /// Makes the body of the answer, for an event of a stream that has begun.
    pub(crate) fn json(&self, request_id: Option<&str>) -> String {
        refusal_json(self.problem.code(), &self.message, self.hint.as_deref(), request_id)
    }

    /// Tells the client to try again, but not before so many seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> ApiError {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> ApiError {
        let refused = |problem| {
            let hint = error.hint().map(hints::words);
            ApiError { hint, ..ApiError::new(problem, error.message()) }
        };
        match error.kind() {
            ErrorKind::InvalidJob => refused(Problem::Invalid),
            ErrorKind::NotFound => refused(Problem::NotFound),
            ErrorKind::Busy => refused(Problem::Unavailable).retry_after(5),
            ErrorKind::Unavailable | ErrorKind::NoImage | ErrorKind::InvalidSettings => {
                tracing::error!(%error, "the service is at fault");
                ApiError::new(Problem::Unavailable, "the service cannot do this now; its log says why")
            }
        }
    }
}

impl From<WorkspaceError> for ApiError {
    fn from(error: WorkspaceError) -> ApiError {
        let problem = match error {
            WorkspaceError::Unavailable(error) => return error.into(),
            WorkspaceError::NotFound | WorkspaceError::NoSuchFile => Problem::NotFound,
            WorkspaceError::Invalid(_) => Problem::Invalid,
            WorkspaceError::Full(_) => Problem::Full,
        };
        ApiError::new(problem, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request_id = request_id::current();
        let mut response = refusal(
            self.problem.status(),
            self.problem.code(),
            &self.message,
            self.hint.as_deref(),
            request_id.as_deref(),
        );
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Middleware: gives our shape to errors that are not ours, such as a path that is not UTF-8 or an asset that is not there.
pub(crate) async fn shape(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let message = to_bytes(response.into_body(), MESSAGE_BYTES_MAX).await.unwrap_or_default();
    let message = match std::str::from_utf8(&message) {
        Ok(text) if !text.is_empty() => text,
        _ => status.canonical_reason().unwrap_or("the request failed"),
    };
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::NotFound,
        _ if status.is_client_error() => Problem::Invalid,
        _ => Problem::Unavailable,
    };
    refusal(status, problem.code(), message, None, request_id::current().as_deref())
}
