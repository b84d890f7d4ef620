use super::*;
use crate::server::request_id::name_request;
use axum::{
    Extension, Router,
    body::Body,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use serde_json::Value;
use tower::ServiceExt;

#[test]
fn a_key_is_taken_from_each_of_its_places() {
    for header in [
        ("authorization", "Bearer key-b"),
        ("authorization", "bearer   key-b "),
        ("x-api-key", "key-b"),
        // `anyone:key-b`, `:key-b`, and without padding.
        ("authorization", "Basic YW55b25lOmtleS1i"),
        ("authorization", "BASIC OmtleS1i"),
        ("authorization", "Basic eDprZXktYg=="),
        ("authorization", "Basic eDprZXktYg"),
    ] {
        let caller = keys().authenticate(&headers(&[header])).unwrap();
        assert_eq!((&*caller.name, caller.index), ("bob", 1), "{header:?}");
    }
}

#[test]
fn the_same_key_in_both_places_is_one_key() {
    let both = headers(&[("authorization", "Bearer key-a"), ("x-api-key", "key-a")]);
    assert_eq!(&*keys().authenticate(&both).unwrap().name, "alice");
}

#[test]
fn anything_but_one_known_key_is_refused() {
    for (sent, error) in [
        (&[][..], AuthError::Missing),
        (&[("authorization", "Bearer ")], AuthError::Missing),
        (&[("authorization", "Bearer")], AuthError::Missing),
        (&[("x-api-key", "")], AuthError::Missing),
        (&[("authorization", "Basic eDo=")], AuthError::Missing),
        (&[("authorization", "")], AuthError::Malformed),
        (&[("authorization", "key-a")], AuthError::Malformed),
        (&[("authorization", "Digest key-a")], AuthError::Malformed),
        (&[("authorization", "Bearer kéy")], AuthError::Malformed),
        (&[("x-api-key", "kéy")], AuthError::Malformed),
        (&[("authorization", "Basic key-a")], AuthError::Malformed),
        (&[("authorization", "Basic a2V5LWE=")], AuthError::Malformed),
        (&[("authorization", "Basic eDprw6k=")], AuthError::Malformed),
        (&[("authorization", "Bearer key-")], AuthError::Unknown),
        (&[("authorization", "Bearer key-aa")], AuthError::Unknown),
        (&[("authorization", "Bearer KEY-A")], AuthError::Unknown),
        (&[("authorization", "Bearer key-a key-b")], AuthError::Unknown),
        (&[("x-api-key", "Bearer key-a")], AuthError::Unknown),
        (&[("authorization", "Bearer key-a"), ("authorization", "Bearer key-a")], AuthError::Ambiguous),
        (&[("x-api-key", "key-a"), ("x-api-key", "key-b")], AuthError::Ambiguous),
        (&[("authorization", "Bearer key-a"), ("x-api-key", "key-b")], AuthError::Ambiguous),
        (&[("authorization", "Bearer wrong"), ("x-api-key", "key-a")], AuthError::Ambiguous),
        (&[("authorization", "Bearer "), ("x-api-key", "key-a")], AuthError::Ambiguous),
    ] {
        assert_eq!(keys().authenticate(&headers(sent)), Err(error), "{sent:?}");
    }
}

#[test]
fn the_first_and_the_last_of_many_keys_are_found() {
    let many: Vec<ApiKey> = (0..100).map(|i| key(&format!("name-{i}"), &format!("key-{i}"))).collect();
    let keys = Keys::new(many, HeaderName::from_static("x-api-key"));
    for i in [0, 50, 99] {
        let sent = format!("key-{i}");
        let caller = keys.authenticate(&headers(&[("x-api-key", &sent)])).unwrap();
        assert_eq!((&*caller.name, caller.index), (format!("name-{i}").as_str(), i));
    }
}

#[test]
fn without_keys_everyone_is_anonymous_whatever_they_send() {
    for sent in [&[][..], &[("authorization", "Bearer x")], &[("authorization", "?"), ("authorization", "?")]] {
        let caller = Keys::new(Vec::new(), HeaderName::from_static("x-api-key")).authenticate(&headers(sent)).unwrap();
        assert_eq!((&*caller.name, caller.index), ("anonymous", 0));
    }
}

#[tokio::test]
async fn only_open_routes_answer_without_a_key() {
    for (path, status) in [
        ("/health", 200),
        ("/docs/any/asset.js", 200),
        ("/work", 401),
        ("/missing", 401),
        ("/health/", 401),
        ("//health", 401),
        ("/docs/../work", 200),
        ("/work?/health", 401),
        ("/work/%2e%2e/health", 401),
    ] {
        let response = call(&router(0), path, None).await;
        assert_eq!(response.status(), status, "{path}");
    }
    // It is what the router matched that answers, never the route that a path might be taken for.
    assert_eq!(text(call(&router(0), "/docs/../work", None).await).await, "asset");
}

#[tokio::test]
async fn handlers_see_the_caller_also_on_open_routes() {
    assert_eq!(text(call(&router(0), "/work", Some("key-b")).await).await, "bob");
    assert_eq!(text(call(&router(0), "/health", Some("key-b")).await).await, "bob");
    assert_eq!(text(call(&router(0), "/health", Some("wrong")).await).await, "nobody");
    assert_eq!(text(call(&router(0), "/health", None).await).await, "nobody");
}

#[tokio::test]
async fn a_refusal_says_how_to_authenticate_and_which_request_it_was() {
    let response = call(&router(0), "/work", Some("wrong")).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.extensions().get(), Some(&RejectReason::Unauthorized));
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["error"], AuthError::Unknown.to_string());
    assert_eq!(body["code"], "unauthorized");
    assert_eq!(body["request_id"], id);
}

#[tokio::test]
async fn a_key_past_its_rate_is_told_when_to_come_back() {
    let router = router(2);
    for status in [200, 200, 429] {
        assert_eq!(call(&router, "/work", Some("key-a")).await.status(), status);
    }
    let response = call(&router, "/work", Some("key-a")).await;
    assert_eq!(response.headers()["retry-after"], "30");
    assert_eq!(response.extensions().get(), Some(&RejectReason::RateLimited));
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["code"], "rate_limited");
    assert_eq!(call(&router, "/work", Some("key-b")).await.status(), 200);
    assert_eq!(call(&router, "/health", Some("key-a")).await.status(), 200);
}

fn keys() -> Keys {
    Keys::new(vec![key("alice", "key-a"), key("bob", "key-b")], HeaderName::from_static("x-api-key"))
}

fn key(name: &str, key: &str) -> ApiKey {
    ApiKey { name: name.to_owned(), digest: Sha256::digest(key).into() }
}

fn headers(sent: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn router(per_minute: u32) -> Router {
    async fn who(caller: Option<Extension<Caller>>) -> String {
        caller.map_or("nobody".to_owned(), |Extension(caller)| caller.name.to_string())
    }
    let gate = Gate::new(keys(), per_minute, &["/health", "/docs/{*path}"]);
    Router::new()
        .route("/health", get(who))
        .route("/work", get(who))
        .route("/docs/{*path}", get(|| async { "asset" }))
        .layer(from_fn_with_state(gate, admit))
        .layer(from_fn(name_request))
}

async fn call(router: &Router, path: &str, key: Option<&str>) -> Response {
    let mut request = Request::builder().uri(path);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
