//! Lets pages of named origins use the API from a browser, and keeps all others from having it run something: a browser sends
//! simple requests of any page, also to a server that only this machine reaches, and holds back no more than the answer.

use super::{refusal::refusal, request_id};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, X-API-Key, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id, Mcp-Session-Id, \
     Mcp-Protocol-Version, Mcp-Method, Mcp-Name",
);
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static("X-Request-Id, Retry-After, Location, Mcp-Session-Id");
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Origins whose pages may call. Empty means that CORS is off.
#[derive(Debug, Clone)]
pub(crate) struct Origins(Arc<[String]>);

impl Origins {
    /// Takes exact origins, such as `https://example.org`, or `*` for all.
    pub(crate) fn new(origins: Vec<String>) -> Origins {
        Origins(origins.into())
    }

    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut sent = headers.get_all(ORIGIN).iter();
        let origin = sent.next()?;
        let listed = self.0.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
        (listed && sent.next().is_none()).then(|| origin.clone())
    }
}

/// Returns whether a page of another site sent this.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    // A browser's own word, which is right behind proxies as well.
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let host = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    !host.zip(own).is_some_and(|(host, own)| host.eq_ignore_ascii_case(own))
}

/// Middleware: answers preflights of allowed origins and marks answers as theirs to read. Belongs outside of
/// authentication, since preflights carry no keys.
pub(crate) async fn share(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = origins.allowed(request.headers());
    let acts = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if acts && origin.is_none() && is_cross_site(request.headers()) {
        let error = "pages of another site may not call this server; the setting cors_origins lists those that may";
        return refusal(StatusCode::FORBIDDEN, "cross_site", error, None, request_id::current().as_deref());
    }
    if origins.0.is_empty() {
        return next.run(request).await;
    }
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight && origin.is_some() {
        let allowed = [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        (StatusCode::NO_CONTENT, allowed).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::post;
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt;

    const PAGE: &str = "https://page.example";

    #[tokio::test]
    async fn a_preflight_of_an_allowed_origin_is_answered() {
        let response = call(&[PAGE], preflight(PAGE)).await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
        let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
        for header in ["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key", "Last-Event-ID"] {
            assert!(allowed.split(", ").any(|name| name == header), "{header} is missing");
        }
        assert_eq!(response.headers()["access-control-allow-methods"], "GET, POST, PUT, DELETE");
    }

    #[tokio::test]
    async fn an_answer_is_readable_for_allowed_origins_only() {
        let response = call(&["https://other.example", PAGE], request(PAGE)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
        assert_eq!(response.headers()["vary"], "Origin");
        for stranger in ["https://page.example.evil", "https://page", "http://page.example", "null", ""] {
            for request in [request(stranger), preflight(stranger)] {
                let response = call(&[PAGE], request).await;
                assert!(!response.headers().contains_key("access-control-allow-origin"), "{stranger:?} may read");
                assert_eq!(response.headers()["vary"], "Origin");
                assert_ne!(response.status(), 204);
            }
        }
    }

    #[tokio::test]
    async fn an_asterisk_allows_every_origin() {
        for request in [request(PAGE), preflight("https://other.example")] {
            let origin = request.headers()["origin"].clone();
            assert_eq!(call(&["*"], request).await.headers()["access-control-allow-origin"], origin);
        }
    }

    #[tokio::test]
    async fn no_origins_means_off() {
        for request in [request(PAGE), preflight(PAGE)] {
            let response = call(&[], request).await;
            assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
            assert!(!response.headers().contains_key("vary"));
        }
    }

    fn request(origin: &str) -> Request {
        Request::builder().uri("/").header("origin", origin).body(Body::empty()).unwrap()
    }

    fn preflight(origin: &str) -> Request {
        let mut request = request(origin);
        *request.method_mut() = Method::OPTIONS;
        request.headers_mut().insert("access-control-request-method", HeaderValue::from_static("POST"));
        request
    }

    async fn call(origins: &[&str], request: Request) -> Response {
        let origins = Origins::new(origins.iter().map(|&origin| origin.to_owned()).collect());
        let router = Router::new().route("/", get(|| async {})).layer(from_fn_with_state(origins, share));
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn pages_of_other_sites_cannot_have_anything_run() {
        let own = [("host", "localhost:8080"), ("origin", "http://localhost:8080")];
        let other = [("host", "localhost:8080"), ("origin", "https://evil.example")];
        let proxied = [("host", "inner"), ("origin", "https://outer"), ("sec-fetch-site", "same-origin")];
        for (sent, status) in
            [(&[][..], 200), (&own, 200), (&other, 403), (&[("origin", "null")], 403), (&proxied, 200)]
        {
            let router =
                Router::new().route("/", post(|| async {})).layer(from_fn_with_state(Origins::new(Vec::new()), share));
            let mut request = Request::builder().method("POST").uri("/");
            for (name, value) in sent {
                request = request.header(*name, *value);
            }
            let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status, "{sent:?}");
        }
    }
}
