//! Interpreters that live on between calls.

use super::support::{Events, Server};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{thread, time::Duration};

fn new(server: &Server, request: &Value) -> String {
    let answer = server.post_json("/api/v1/sessions", request);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

fn call(server: &Server, id: &str, request: &Value) -> Value {
    let answer = server.post_json(&format!("/api/v1/sessions/{id}/calls"), request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn value(server: &Server, id: &str, code: &str) -> Value {
    let answer = call(server, id, &json!({"code": code}));
    assert_eq!(answer["exit_code"], 0, "{answer:#}");
    answer["result_json"].clone()
}

#[test]
fn calls_share_names_and_files() {
    let server = Server::shared();
    let files = json!([{"name": "data.txt", "content": "seven"}]);
    let id = new(&server, &json!({"files": files, "env_vars": ["NAME=value"]}));
    assert_eq!(value(&server, &id, "import os\nx = 41\nos.environ['NAME']"), "value");
    let answer = call(&server, &id, &json!({"code": "x += 1\nprint(input())\nx", "stdin": "line\n"}));
    assert_eq!((&answer["result"], &answer["stdout"], &answer["call"]), (&json!("42"), &json!("line\n"), &json!(2)));
    assert_eq!((&answer["session_id"], &answer["executor"]), (&json!(id), &json!("wasm")));
    let path = format!("/api/v1/sessions/{id}/files/a/b.txt");
    assert_eq!(server.call("PUT", &path, &[], b"written").status, 204);
    assert_eq!(value(&server, &id, "open('a/b.txt').read() + open('data.txt').read()"), "writtenseven");
    assert_eq!(server.get(&path).text(), "written");
    let files = server.get(&format!("/api/v1/sessions/{id}/files")).json();
    assert_eq!(files["files"][0]["path"], "a/b.txt", "{files:#}");
    assert_eq!(server.delete(&path).status, 204);
    assert_eq!(server.get(&path).status, 404);
    let variables = server.get(&format!("/api/v1/sessions/{id}/variables")).json();
    assert!(variables.as_array().is_some_and(|all| all.iter().any(|it| it["name"] == "x" && it["repr"] == "42")));
    let failed = call(&server, &id, &json!({"code": "def f():\n    return 1 / 0\nf()"}));
    assert_eq!((&failed["exit_code"], &failed["error_type"]), (&json!(1), &json!("ZeroDivisionError")), "{failed:#}");
    assert_eq!(failed["error_frames"].as_array().map(Vec::len), Some(2), "{failed:#}");
    let timed = call(&server, &id, &json!({"code": "while True: pass", "config": {"timeout_seconds": 0.2}}));
    assert_eq!((&timed["status"], &timed["error_kind"]), (&json!("failed"), &json!("time_limit")), "{timed:#}");
    assert_eq!(value(&server, &id, "x"), 42);
    let infos = server.get("/api/v1/sessions").json();
    assert!(infos["sessions"].as_array().is_some_and(|all| all.iter().any(|it| it["id"] == *id)), "{infos:#}");
    assert_eq!(server.delete(&format!("/api/v1/sessions/{id}")).status, 204);
    assert_eq!(server.get(&format!("/api/v1/sessions/{id}")).status, 404);
}

#[test]
fn tools_are_answered_by_the_client() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    let tools =
        json!([{"name": "lookup", "awaited": true, "parameters": {"type": "object", "properties": {"key": {}}}}]);
    let code = "import asyncio\nawait asyncio.gather(lookup('a'), lookup(key='b'))";
    let waits = call(&server, &id, &json!({"code": code, "tools": tools}));
    assert_eq!(waits["status"], "tool_call_required", "{waits:#}");
    let calls = waits["tool_calls"].as_array().expect("calls");
    assert_eq!(
        calls.iter().map(|it| it["input"].clone()).collect::<Vec<_>>(),
        [json!({"key": "a"}), json!({"key": "b"})]
    );
    let path = format!("/api/v1/sessions/{id}/calls/continue");
    let results: Vec<_> = calls.iter().map(|it| json!({"call_id": it["id"], "result": it["input"]["key"]})).collect();
    let request = json!({"continuation_token": waits["continuation_token"], "tool_results": results});
    let other = new(&server, &json!({}));
    assert_eq!(server.post_json(&format!("/api/v1/sessions/{other}/calls/continue"), &request).status, 404);
    let ended = server.post_json(&path, &request).json();
    assert_eq!((&ended["status"], &ended["result_json"]), (&json!("completed"), &json!(["a", "b"])), "{ended:#}");
    assert_eq!(server.post_json(&path, &request).status, 404, "a token is good for once");
    let failing = call(&server, &id, &json!({"code": "lookup('c')", "tools": [{"name": "lookup"}]}));
    let results = json!([{"call_id": failing["tool_calls"][0]["id"], "error": {"type": "KeyError", "message": "c"}}]);
    let request = json!({"continuation_token": failing["continuation_token"], "tool_results": results});
    let ended = server.post_json(&path, &request).json();
    assert_eq!((&ended["error_type"], &ended["exit_code"]), (&json!("KeyError"), &json!(1)), "{ended:#}");
    // Another call would wait as long as this one does.
    let waits = call(&server, &id, &json!({"code": "lookup('d')", "tools": [{"name": "lookup"}]}));
    let calls = format!("/api/v1/sessions/{id}/calls");
    let refused = server.post_json(&calls, &json!({"code": "1"}));
    assert_eq!((refused.status, waits["status"].as_str()), (409, Some("tool_call_required")), "{}", refused.text());
    assert_eq!(server.post_json(&format!("/api/v1/sessions/{id}/interrupt"), &json!({})).status, 204);
    assert_eq!(server.post_json(&calls, &json!({"code": "1"})).json()["result_json"], 1);
}

#[test]
fn code_is_completed_by_what_the_session_has() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    value(&server, &id, "many_words = [1]");
    let ask = |question: &str, about: Value| {
        let answer = server.post_json(&format!("/api/v1/sessions/{id}/{question}"), &about);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    assert_eq!(ask("complete", json!({"code": "é; many_"})), json!({"start": 3, "matches": ["many_words"]}));
    assert_eq!(ask("complete", json!({"code": "many_words.app()", "at": 14}))["matches"], json!(["many_words.append"]));
    assert_eq!(ask("is_complete", json!({"code": "for n in x:"})), json!({"status": "incomplete", "indent": "    "}));
    assert_eq!(ask("is_complete", json!({"code": "1 +* 2"}))["status"], "invalid");
    assert_eq!(ask("inspect", json!({"code": "len", "at": 1}))["found"], true);
    for bad in [json!({}), json!({"code": 1}), json!({"code": "x", "where": 1})] {
        assert_eq!(server.post_json(&format!("/api/v1/sessions/{id}/complete"), &bad).status, 400, "{bad}");
    }
}

#[test]
fn results_of_tools_may_come_in_parts_and_must_be_of_the_call() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    let path = format!("/api/v1/sessions/{id}/calls/continue");
    let tools = json!([{"name": "lookup", "awaited": true}]);
    let code = "import asyncio\nseen = []\nasync def one(n):\n    seen.append(await lookup(n))\n\
                await asyncio.gather(*(one(n) for n in range(3)))\nseen";
    let waits = call(&server, &id, &json!({"code": code, "tools": tools}));
    let ids: Vec<String> = waits["tool_calls"]
        .as_array()
        .expect("calls")
        .iter()
        .map(|it| it["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), 3, "{waits:#}");
    let mut token = waits["continuation_token"].clone();
    for (results, named) in [
        (json!([]), &*ids[0]),
        (json!([{"call_id": "nobody", "result": 1}]), "nobody"),
        (json!([{"call_id": ids[0], "result": 1}, {"call_id": ids[0], "result": 2}]), &*ids[0]),
    ] {
        let answer = server.post_json(&path, &json!({"continuation_token": token, "tool_results": results}));
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(named), "{}", answer.text());
    }
    for (n, left) in [(2, vec![0, 1]), (0, vec![1])] {
        let results = json!([{"call_id": ids[n], "result": n}]);
        let waits = server.post_json(&path, &json!({"continuation_token": token, "tool_results": results})).json();
        assert_eq!(waits["status"], "tool_call_required", "{waits:#}");
        let open: Vec<_> = waits["tool_calls"].as_array().expect("calls").iter().map(|it| it["id"].clone()).collect();
        assert_eq!(open, left.iter().map(|n| json!(ids[*n])).collect::<Vec<_>>());
        token = waits["continuation_token"].clone();
    }
    let again = json!([{"call_id": ids[0], "result": 0}]);
    assert_eq!(server.post_json(&path, &json!({"continuation_token": token, "tool_results": again})).status, 400);
    let results = json!([{"call_id": ids[1], "result": 1}]);
    let ended = server.post_json(&path, &json!({"continuation_token": token, "tool_results": results})).json();
    assert_eq!((&ended["status"], &ended["result_json"]), (&json!("completed"), &json!([2, 0, 1])), "{ended:#}");
}

#[test]
fn sessions_fork_and_go_back() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    value(&server, &id, "x = 1");
    let checkpoint = format!("/api/v1/sessions/{id}/checkpoints/first");
    assert_eq!(server.call("PUT", &checkpoint, &[], b"").status, 204);
    let fork = server.call("POST", &format!("/api/v1/sessions/{id}/fork"), &[], b"");
    assert_eq!(fork.status, 201, "{}", fork.text());
    let fork = fork.json()["id"].as_str().expect("an id").to_owned();
    value(&server, &id, "x = 2");
    assert_eq!((value(&server, &id, "x"), value(&server, &fork, "x")), (json!(2), json!(1)));
    assert_eq!(server.call("POST", &checkpoint, &[], b"").json()["calls"], 1);
    assert_eq!(value(&server, &id, "x"), 1);
    let names = server.get(&format!("/api/v1/sessions/{id}/checkpoints")).json();
    assert_eq!(names, json!({"checkpoints": ["first"]}));
    assert_eq!(server.call("POST", &format!("/api/v1/sessions/{id}/checkpoints/none"), &[], b"").status, 404);
}

#[test]
fn nobody_sees_sessions_of_another_key() {
    let server = Server::start(&[("PYEXEC_API_KEYS", "alice-alice-alice,bob-bob-bob-bob-bob")], &[]);
    let alice = [("x-api-key", "alice-alice-alice"), ("content-type", "application/json")];
    let bob = [("x-api-key", "bob-bob-bob-bob-bob"), ("content-type", "application/json")];
    let made = server.call("POST", "/api/v1/sessions", &alice, b"{}").json();
    let path = format!("/api/v1/sessions/{}", made["id"].as_str().expect("an id"));
    assert_eq!(server.call("GET", &path, &alice, b"").status, 200);
    for (method, rest, body) in [
        ("GET", "", ""),
        ("DELETE", "", ""),
        ("POST", "/calls", r#"{"code": "1"}"#),
        ("POST", "/interrupt", ""),
        ("POST", "/fork", ""),
        ("GET", "/files", ""),
        ("GET", "/variables", ""),
        ("PUT", "/files/x", "x"),
    ] {
        let answer = server.call(method, &format!("{path}{rest}"), &bob, body.as_bytes());
        assert_eq!(answer.status, 404, "{method} {rest}");
    }
    assert_eq!(server.call("GET", "/api/v1/sessions", &bob, b"").json(), json!({"sessions": []}));
}

#[test]
fn sessions_survive_any_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("PYEXEC_DATA_DIR", folder.path().to_str().expect("text"))];
    let mut server = Server::start(&variables, &[]);
    let id = new(&server, &json!({}));
    value(&server, &id, "x = []");
    for round in 0..4 {
        assert_eq!(value(&server, &id, "x.append(len(x)) or len(x)"), round + 1);
        // Some are killed before the state was written down, others after.
        thread::sleep(Duration::from_millis(150 * round));
        server.signal(Signal::KILL);
        server.ended();
        server = Server::start(&variables, &[]);
        assert_eq!(value(&server, &id, "x == list(range(len(x)))"), true);
        assert_eq!(value(&server, &id, "len(x)"), round + 1);
    }
}

#[test]
fn evaluations_that_waited_leave_nothing_behind_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("PYEXEC_DATA_DIR", folder.path().to_str().expect("text"))];
    let server = Server::start(&variables, &[]);
    let waits = server.eval(&json!({"code": "lookup(1)", "tools": [{"name": "lookup"}]}));
    assert_eq!(waits["status"], "tool_call_required", "{waits:#}");
    let sessions = || {
        let entries = std::fs::read_dir(folder.path().join("sessions")).expect("a folder").flatten();
        entries.filter(|entry| entry.path().is_dir()).count()
    };
    assert_eq!(sessions(), 1);
    server.signal(Signal::KILL);
    server.ended();
    let _server = Server::start(&variables, &[]);
    for _ in 0..100 {
        if sessions() == 0 {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the session of the evaluation is still there");
}

#[test]
fn what_is_no_session_is_refused() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    let calls = format!("/api/v1/sessions/{id}/calls");
    for (path, request) in [
        ("/api/v1/sessions", json!({"code": "x = 1"})),
        ("/api/v1/sessions", json!({"files": [{"name": "../x", "content": ""}]})),
        (&*calls, json!({"code": 5})),
        (&*calls, json!({"code": "1", "tools": [{"name": "not a name"}]})),
        (&*calls, json!({"code": "1", "tool": []})),
    ] {
        let answer = server.post_json(path, &request);
        assert_eq!(answer.status, 400, "{request}: {}", answer.text());
    }
}

/// Names and data of the events of a call.
fn followed(server: &Server, id: &str, request: &Value, headers: &[(&str, &str)]) -> Events {
    let headers = [&[("content-type", "application/json")], headers].concat();
    server.follow("POST", &format!("/api/v1/sessions/{id}/calls"), &headers, request.to_string().as_bytes())
}

#[test]
fn calls_are_followed_as_events() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    let code = "import sys\nprint('é')\ndisplay({'text/html': '<b>'}, raw=True)\nprint('e', file=sys.stderr)\n6 * 7";
    let accept = [("accept", "text/event-stream")];
    let events: Vec<_> = followed(&server, &id, &json!({"code": code}), &accept).collect();
    let names: Vec<_> = events.iter().map(|event| &*event.kind).collect();
    assert_eq!(names, ["state", "stdout", "display", "stderr", "display", "result"], "{events:#?}");
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((&events[0].data, &events[1].data), (&json!({"status": "running"}), &json!({"text": "é\n"})));
    assert_eq!(events[2].data, json!({"data": {"text/html": "<b>"}, "is_result": false}));
    let result = &events[5].data;
    assert_eq!((&result["result"], &result["call"], &result["stdout"]), (&json!("42"), &json!(1), &json!("é\n")));
    assert_eq!(result["displays"][1], json!({"data": {"text/plain": "42"}, "is_result": true}));
    // As they come: the call goes on while its first output is read.
    let slow = json!({"code": "import time\nprint('first', flush=True)\ntime.sleep(60)", "stream": true});
    let mut events = followed(&server, &id, &slow, &[]);
    assert_eq!(events.nth(1).map(|event| event.data), Some(json!({"text": "first\n"})));
    drop(events);
    // Whoever goes away has interrupted it.
    assert_eq!(value(&server, &id, "1 + 1"), 2);
    let nothing = server.post_json(&format!("/api/v1/sessions/{}/calls", "A".repeat(21)), &slow);
    assert_eq!(nothing.status, 404);
}

#[test]
fn tools_of_a_call_that_is_followed_are_answered_beside_it() {
    let server = Server::shared();
    let id = new(&server, &json!({}));
    let request = json!({"code": "print(lookup('a'))\nlookup('b')", "tools": [{"name": "lookup"}], "stream": true});
    let events = followed(&server, &id, &request, &[]);
    let mut seen = Vec::new();
    for event in events {
        if event.kind == "tool_calls" {
            let call = &event.data["tool_calls"][0];
            let results =
                json!([{"call_id": call["id"], "result": format!("<{}>", call["args"][0].as_str().expect("text"))}]);
            let answer = json!({"continuation_token": event.data["continuation_token"], "tool_results": results});
            let path = format!("/api/v1/sessions/{id}/calls/continue");
            let going_on = server.post_json(&path, &answer);
            assert_eq!(going_on.json(), json!({"session_id": id, "status": "running"}), "{}", going_on.text());
            // Nobody waits for it any more, or the call has ended.
            assert!([400, 404].contains(&server.post_json(&path, &answer).status), "a result is good for once");
        }
        seen.push((event.kind, event.data["text"].clone(), event.data["result"].clone()));
    }
    let names: Vec<_> = seen.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["state", "tool_calls", "stdout", "tool_calls", "display", "result"], "{seen:#?}");
    assert_eq!((&seen[2].1, &seen[5].2), (&json!("<a>\n"), &json!("'<b>'")));
}

#[test]
fn an_evaluation_can_call_tools() {
    let server = Server::start(&[], &[]);
    let code = "import sys\nprint(input(), __name__)\nlookup('a') + open('b.txt').read()";
    let request = json!({
        "code": code, "stdin": "line\n", "files": [{"name": "b.txt", "content": "b"}], "eval_last_expr": true,
        "tools": [{"name": "lookup"}],
    });
    let answer_to = |waits: &Value, result: &str| {
        let id = &waits["tool_calls"][0]["id"];
        json!({"continuation_token": waits["continuation_token"], "tool_results": [{"call_id": id, "result": result}]})
    };
    let waits = server.eval(&request);
    assert_eq!((&waits["status"], waits.get("session_id")), (&json!("tool_call_required"), None), "{waits:#}");
    assert_eq!(server.get("/api/v1/sessions").json(), json!({"sessions": []}));
    let ended = server.post_json("/api/v1/eval/continue", &answer_to(&waits, "<a>")).json();
    assert_eq!((&ended["status"], &ended["result_json"]), (&json!("completed"), &json!("<a>b")), "{ended:#}");
    // As of every evaluation with a result.
    assert_eq!((&ended["stdout"], ended.get("session_id")), (&json!("line __main__"), None), "{ended:#}");
    assert_eq!(
        server.post_json("/api/v1/eval/continue", &answer_to(&waits, "")).status,
        404,
        "a token is good for once"
    );
    // One that calls nothing is answered at once; without a wish for it there is no result.
    let plain = server.eval(&json!({"code": "print(1)\n2", "tools": [{"name": "lookup"}]}));
    assert_eq!((&plain["stdout"], plain.get("result")), (&json!("1\n"), None), "{plain:#}");
    let mut streamed = request.clone();
    streamed["stream"] = true.into();
    let headers = [("content-type", "application/json")];
    let mut seen = Vec::new();
    for event in server.follow("POST", "/api/v1/eval", &headers, streamed.to_string().as_bytes()) {
        if event.kind == "tool_calls" {
            let going_on = server.post_json("/api/v1/eval/continue", &answer_to(&event.data, "<c>"));
            assert_eq!(going_on.json(), json!({"status": "running"}), "{}", going_on.text());
        }
        seen.push((event.kind, event.data));
    }
    let (last, result) = seen.last().expect("events");
    assert_eq!((&**last, &result["result"]), ("result", &json!("'<c>b'")), "{seen:#?}");
    for (name, value) in [
        ("script_args", json!(["a"])),
        ("collect_files", json!(true)),
        ("entry_function", json!("f")),
        ("code", json!("")),
    ] {
        let mut refused = request.clone();
        refused[name] = value;
        assert_eq!(server.post_json("/api/v1/eval", &refused).status, 400, "{name}");
    }
    // Nothing of them is left.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let left = || {
        server.data().join("sessions").read_dir().map_or(0, |all| all.flatten().filter(|it| it.path().is_dir()).count())
    };
    while left() > 0 && std::time::Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(left(), 0);
}
