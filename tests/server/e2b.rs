//! E2B's sandboxes, used by its client, which is pointed here by its variables. `e2b/client.py` has what is checked.

use super::support::{Answer, Server};
use crate::support::{
    repository,
    tools::{report, tool},
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    io::{Read as _, Write as _},
    process::Command,
    thread,
};

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

#[test]
fn retries_of_one_request_wait_for_it_and_another_body_is_a_conflict() {
    let server = with_keys();
    let headers = [("x-api-key", KEYS.0), ("idempotency-key", "one")];
    let make = || server.call("POST", "/v2/sandboxes", &headers, br#"{"templateID": "base"}"#);
    let ids: HashSet<String> = thread::scope(|scope| {
        let makes: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        makes.into_iter().map(|made| text(&made.join().expect("it ends").json(), "sandboxID").to_owned()).collect()
    });
    assert_eq!(ids.len(), 1, "{ids:?}");
    let other = server.call("POST", "/v2/sandboxes", &headers, br#"{"templateID": "other"}"#);
    assert_eq!(other.status, 409, "{}", other.text());
    let id = ids.into_iter().next().expect("one");
    assert_eq!(server.call("DELETE", &format!("/sandboxes/{id}"), &headers[..1], b"").status, 204);
    assert_ne!(text(&make().json(), "sandboxID"), id, "the key is free again");
}

#[test]
fn what_code_displays_comes_in_the_members_that_clients_know() {
    let server = Server::shared();
    let made = create(&server, "");
    let code = "class Bold:\n    def _repr_html_(self): return '<b>x</b>'\n    def __repr__(self): return 'x'\n\
                display(Bold())\n\
                display({'type': 'error', 'is_main_result': True, 'text/markdown': '*m*'}, raw=True)\n\
                Bold()";
    assert_eq!(
        run(&server, text(&made, "sandboxID"), &json!({"code": code})),
        [
            json!({"type": "number_of_executions", "execution_count": 1}),
            json!({"type": "result", "is_main_result": false, "html": "<b>x</b>", "text": "x"}),
            json!({
                "type": "result",
                "is_main_result": false,
                "markdown": "*m*",
                "extra": {"type": "error", "is_main_result": "True"},
            }),
            json!({"type": "result", "is_main_result": true, "html": "<b>x</b>", "text": "x"}),
            json!({"type": "end_of_execution"}),
        ]
    );
}

#[test]
fn variables_of_a_call_are_its_own_also_when_its_client_goes() {
    let server = Server::shared();
    let made = create(&server, "");
    let id = text(&made, "sandboxID");
    let code = "import time\nprint('runs', flush=True)\ntime.sleep(60)";
    let body = json!({"code": code, "env_vars": {"SECRET": "x"}}).to_string();
    let mut client = server.connect();
    let request = format!(
        "POST /execute HTTP/1.1\r\nhost: localhost\r\ne2b-sandbox-id: {id}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).expect("it is sent");
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("runs") {
        let mut bytes = [0; 4096];
        let length = client.read(&mut bytes).expect("it answers");
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..length]);
    }
    let look = json!({"code": "import os\n'SECRET' in os.environ"});
    let shown = thread::scope(|scope| {
        let waits = scope.spawn(|| run(&server, id, &look));
        drop(client);
        waits.join().expect("it ends")
    });
    assert_eq!(shown[1]["text"], "False", "{shown:?}");
    let own = json!({"code": "import os\nos.environ['SECRET']", "env_vars": {"SECRET": "y"}});
    assert_eq!(run(&server, id, &own)[1]["text"], "y");
    assert_eq!(run(&server, id, &look)[1]["text"], "False");
}

#[test]
fn a_sandbox_goes_with_the_session_that_has_its_files() {
    let server = with_keys();
    let made = create(&server, KEYS.0);
    let id = text(&made, "sandboxID");
    let call = |method: &str, path: &str| {
        server.call(method, path, &[("x-api-key", KEYS.0), ("e2b-sandbox-id", id)], b"").status
    };
    assert_eq!(call("GET", &format!("/sandboxes/{id}")), 200);
    assert_eq!(call("DELETE", &format!("/api/v1/sessions/{id}")), 204);
    assert_eq!(call("GET", "/contexts"), 502);
    assert_eq!(call("GET", &format!("/sandboxes/{id}")), 404);
    let listed = server.call("GET", "/v2/sandboxes", &[("x-api-key", KEYS.0)], b"").json();
    assert_eq!(listed, json!([]));
    let by_token = [("e2b-sandbox-id", id), ("x-access-token", text(&made, "envdAccessToken"))];
    assert_eq!(server.call("GET", "/contexts", &by_token, b"").status, 401, "its token is worth nothing");
}

#[test]
fn a_description_has_a_bound() {
    let server = Server::shared();
    let body = json!({"templateID": "base", "metadata": {"x": "x".repeat(70_000)}}).to_string();
    assert_eq!(server.call("POST", "/v2/sandboxes", &[], body.as_bytes()).status, 413);
}

#[test]
fn a_move_onto_itself_or_into_itself_loses_nothing() {
    let server = Server::shared();
    let made = create(&server, "");
    let id = text(&made, "sandboxID");
    let call = |path: &str, body: &[u8]| {
        server.call("POST", path, &[("content-type", "application/octet-stream"), ("e2b-sandbox-id", id)], body).status
    };
    let move_to = |from: &str, to: &str| {
        call("/filesystem.Filesystem/Move", json!({"source": from, "destination": to}).to_string().as_bytes())
    };
    assert_eq!(call("/files?path=d/a.txt", b"kept"), 200);
    assert_eq!(move_to("d/a.txt", "/home/user/d/a.txt"), 200);
    assert_eq!(move_to("d", "d/e"), 400);
    assert_eq!(move_to("d", ""), 400);
    let read = |path: &str| server.call("GET", path, &[("e2b-sandbox-id", id)], b"");
    assert_eq!(read("/files?path=d/a.txt").text(), "kept");
    assert_eq!(move_to("d", "f"), 200);
    assert_eq!((read("/files?path=f/a.txt").status, read("/files?path=d/a.txt").status), (200, 404));
}

/// Runs code, and returns the lines of the answer.
fn run(server: &Server, sandbox: &str, request: &Value) -> Vec<Value> {
    let answer = server.call("POST", "/execute", &[("e2b-sandbox-id", sandbox)], request.to_string().as_bytes());
    answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
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
