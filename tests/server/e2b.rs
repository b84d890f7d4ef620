//! E2B's sandboxes, used by its client, which is pointed here by its variables. `e2b/client.py` has what is checked.

use super::support::{Answer, Server};
use crate::support::{
    repository,
    tools::{report, tool},
};
use serde_json::{Value, json};
use std::process::Command;

const KEYS: (&str, &str) = ("alice-alice-alice", "bob-bob-bob-bob-bob");

#[test]
fn the_client_of_python_uses_it() {
    let python = tool(&repository("tests/server/e2b/requirements.txt"), "python");
    for keys in [true, false] {
        let server = if keys { with_keys() } else { Server::start(&[], &[]) };
        let mut command = Command::new(&python);
        command.arg(repository("tests/server/e2b/client.py")).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("E2B_API_URL", server.url()).env("E2B_SANDBOX_URL", server.url()).env("E2B_API_KEY", KEYS.0);
        report(&command.output().expect("Python starts")).unwrap_or_else(|problem| panic!("keys: {keys}: {problem}"));
    }
}

#[test]
fn a_token_opens_its_sandbox_and_nothing_else() {
    let server = with_keys();
    let (first, second) = (create(&server, KEYS.0), create(&server, KEYS.0));
    let token = text(&first, "envdAccessToken");
    let run = |sandbox: &Value, token: &str| {
        let headers = [("e2b-sandbox-id", text(sandbox, "sandboxID")), ("x-access-token", token)];
        server.call("POST", "/execute", &headers, br#"{"code": "6 * 7"}"#)
    };
    let lines = run(&first, token).text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        lines,
        [
            json!({"type": "number_of_executions", "execution_count": 1}),
            json!({"type": "result", "text": "42", "is_main_result": true}),
            json!({"type": "end_of_execution"}),
        ]
    );
    assert_eq!(run(&second, token).status, 502);
    assert_eq!(run(&first, "of nobody").status, 401);
    for path in ["/api/v1/sessions", "/v2/sandboxes", "/metrics"] {
        assert_eq!(server.call("GET", path, &[("x-access-token", token)], b"").status, 401, "{path}");
    }
    let path = format!("/sandboxes/{}", text(&first, "sandboxID"));
    assert_eq!(server.call("DELETE", &path, &[("x-api-key", KEYS.0)], b"").status, 204);
    assert_eq!(run(&first, token).status, 401, "it is worth nothing any more");
}

#[test]
fn nobody_sees_sandboxes_of_another_key() {
    let server = with_keys();
    let made = create(&server, KEYS.0);
    let id = text(&made, "sandboxID");
    let path = format!("/sandboxes/{id}");
    let bob = |method: &str, path: &str, body: &[u8]| {
        server.call(method, path, &[("x-api-key", KEYS.1), ("e2b-sandbox-id", id)], body)
    };
    assert_eq!(bob("GET", "/v2/sandboxes", b"").json(), json!([]));
    assert_eq!(bob("GET", &path, b"").status, 404);
    assert_eq!(bob("DELETE", &path, b"").status, 404);
    assert_eq!(bob("POST", &format!("{path}/timeout"), br#"{"timeout": 1}"#).status, 404);
    assert_eq!(bob("POST", "/execute", br#"{"code": "1"}"#).status, 502);
    assert_eq!(bob("GET", "/files?path=x", b"").status, 502);
    assert_eq!(bob("GET", "/contexts", b"").status, 502);
    let own = server.call("GET", &path, &[("x-api-key", KEYS.0)], b"").json();
    assert_eq!((&own["sandboxID"], &own["state"]), (&json!(id), &json!("running")));
}

#[test]
fn what_a_sandbox_cannot_do_is_refused_by_name() {
    let server = Server::shared();
    let made = create(&server, "");
    let id = text(&made, "sandboxID");
    let post = |path: &str, body: &str| -> Answer {
        server.call("POST", path, &[("content-type", "application/json"), ("e2b-sandbox-id", id)], body.as_bytes())
    };
    for (path, body, status, says) in [
        (&*format!("/sandboxes/{id}/pause"), "{}", 501, "pause"),
        ("/v2/sandboxes", r#"{"templateID": "base", "volumeMounts": [{}]}"#, 400, "volumes"),
        ("/v2/sandboxes", "{}", 400, "templateID"),
        ("/execute", r#"{"code": "1", "language": "r"}"#, 400, "Python"),
        ("/execute", r#"{"code": "1", "language": "python", "context_id": "x"}"#, 400, "Only one"),
        ("/execute", r#"{"code": "1", "context_id": "x"}"#, 404, "x"),
        ("/contexts", r#"{"cwd": "/elsewhere"}"#, 400, "/elsewhere"),
        ("/files?path=/etc/passwd", "x", 400, "/home/user"),
        ("/files?path=../x", "x", 400, ".."),
        ("/filesystem.Filesystem/WatchDir", "{}", 501, "WatchDir"),
        ("/process.Process/List", "{}", 501, "Python only"),
    ] {
        let answer = post(path, body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        let message = answer.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains(says), "{path} {body}: {message}");
    }
    // Without the header it is of another service, or nobody's.
    let answer = server.post_json("/execute", &json!({"code": "1"}));
    assert_eq!((answer.status, answer.json()["type"].as_str()), (200, None), "{}", answer.text());
    assert_eq!(server.post_json("/execute", &json!({"context_id": "x"})).status, 400);
}

#[test]
fn a_request_that_is_sent_again_makes_one_sandbox() {
    let server = with_keys();
    let make = |key: &str, request: &str| {
        let headers = [("x-api-key", key), ("idempotency-key", request)];
        let made = server.call("POST", "/v2/sandboxes", &headers, br#"{"templateID": "base"}"#).json();
        text(&made, "sandboxID").to_owned()
    };
    let first = make(KEYS.0, "one");
    assert_eq!(make(KEYS.0, "one"), first);
    assert_ne!(make(KEYS.0, "two"), first);
    assert_ne!(make(KEYS.1, "one"), first);
}

fn with_keys() -> Server {
    Server::start(&[("PYEXEC_API_KEYS", &format!("{},{}", KEYS.0, KEYS.1))], &[])
}

fn create(server: &Server, key: &str) -> Value {
    let headers = [("x-api-key", key), ("content-type", "application/json")];
    let headers = if key.is_empty() { &headers[1..] } else { &headers[..] };
    let made = server.call("POST", "/v2/sandboxes", headers, br#"{"templateID": "code-interpreter-v1"}"#);
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}
