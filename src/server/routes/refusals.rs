//! What several routes answer when they refuse, as the document describes it.

use crate::server::api::ErrorBody;
use utoipa::IntoResponses;

/// Of every route that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum Guarded {
    /// No valid API key, though the server has some
    #[response(status = 401, headers(("WWW-Authenticate" = String, description = "`Bearer`")))]
    Unauthorized(ErrorBody),
    /// Without API keys: the request is for another host
    #[response(status = 421)]
    OtherHost(ErrorBody),
    /// Too many requests with this key
    #[response(status = 429, headers(("Retry-After" = u64, description = "In seconds")))]
    RateLimited(ErrorBody),
}

/// Of every route that is about one execution.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum Missing {
    /// Something in the path is not UTF-8, or in a header not as described here
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The execution is unknown, someone else's, or ended too long ago
    #[response(status = 404)]
    NotFound(ErrorBody),
}

/// Of every route that is about one environment.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum MissingEnvironment {
    /// Something in the path is not UTF-8
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The environment is unknown
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// What is known of it cannot be read
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// Of every route that is about one session.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum MissingSession {
    /// Something in the request is not as described here
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The session is unknown, someone else's, or was not used for too long; or it has nothing of this name
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body stopped coming
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// Too much goes on, or the service is at fault
    #[response(status = 503, headers(("Retry-After" = u64, description = "In seconds")))]
    Unavailable(ErrorBody),
}

/// Of every route that is about one workspace.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum MissingWorkspace {
    /// Something in the request is not as described here
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The workspace is unknown, someone else's, or was not used for too long; or it has no such file
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The storage is at fault
    #[response(status = 503, headers(("Retry-After" = u64, description = "In seconds")))]
    Unavailable(ErrorBody),
}

/// Of every route that puts something into a workspace.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum NoRoom {
    /// The body stopped coming
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// The body is larger than an upload may be
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The quota of the workspace, or of all workspaces of this key, has no room for it
    #[response(status = 507)]
    Full(ErrorBody),
}

/// Of every route that changes something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum SameSite {
    /// A page of another site sent it, of an origin that the server does not allow
    #[response(status = 403)]
    CrossSite(ErrorBody),
}

/// Of every route that starts an execution.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum Unstarted {
    /// The request is not acceptable
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The body stopped coming
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// The Idempotency-Key was used for another request
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body, or the code in it, is too large
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The queue is full, or too many requests with this key
    #[response(status = 429, headers(("Retry-After" = u64, description = "In seconds")))]
    TooMany(ErrorBody),
    /// The server is shutting down, or cannot store the upload
    #[response(status = 503, headers(("Retry-After" = u64, description = "In seconds")))]
    Unavailable(ErrorBody),
}
