//! A name for every request, which its answer and its log lines carry.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use uuid::Uuid;

/// Of requests that bring their own, and of all answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LENGTH_MAX: usize = 64;

/// Extension of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(pub(crate) String);

/// Middleware: takes the client's id when it is sane, else makes one, and echoes it. Belongs outside of all others.
pub(crate) async fn name_request(mut request: Request, next: Next) -> Response {
    let id = sent(request.headers()).unwrap_or_else(|| Uuid::new_v4().simple().to_string());
    let header = HeaderValue::from_str(&id);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = CURRENT.scope(id, next.run(request)).await;
    if let Ok(header) = header {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
    response
}

tokio::task_local! {
    static CURRENT: String;
}

/// Returns the id of the request that is being answered here.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Returns the id that the client sent, unless it could forge log lines, or is sent twice.
fn sent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(X_REQUEST_ID).iter();
    let id = values.next()?.to_str().ok()?;
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = (1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(sane) && values.next().is_none();
    good.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Extension, Router, body::Body, middleware::from_fn, routing::get};
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_sane_id_is_kept_and_echoed() {
        assert_eq!(round_trip(&["Trace_1.a-b"]).await, ("Trace_1.a-b".into(), "Trace_1.a-b".into()));
    }

    #[tokio::test]
    async fn any_other_id_is_replaced() {
        let long = "a".repeat(65);
        for sent in [&[][..], &[""], &["a b"], &["a\"b"], &["é"], &[long.as_str()], &["a", "b"]] {
            let (seen, echoed) = round_trip(sent).await;
            assert_eq!(seen, echoed);
            assert_eq!(seen.len(), 32, "{sent:?} became {seen}");
            assert_ne!(round_trip(sent).await.0, seen);
        }
    }

    /// Returns what the handler sees and what the client gets back.
    async fn round_trip(sent: &[&str]) -> (String, String) {
        let router = Router::new()
            .route("/", get(|Extension(RequestId(id)): Extension<RequestId>| async { id }))
            .layer(from_fn(name_request));
        let mut request = Request::builder().uri("/");
        for id in sent {
            request = request.header(X_REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap());
        }
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let echoed = response.headers()[X_REQUEST_ID].to_str().unwrap().to_owned();
        let seen = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        (String::from_utf8(seen.to_vec()).unwrap(), echoed)
    }
}
