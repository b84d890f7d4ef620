//! More jobs than there is room for.

use super::{EVAL, alone, connect, eval, good};
use crate::{
    server::support::{Form, Server, until},
    support::http::{Connection, post},
};
use serde_json::{Value, json};
use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

const ROOM: &[(&str, &str)] = &[("PYEXEC_SLOTS", "2"), ("PYEXEC_QUEUE", "4")];

#[test]
fn of_a_burst_exactly_slots_and_queue_are_accepted_and_the_rest_told_when_to_come_back() {
    let _alone = alone();
    let server = Server::start(ROOM, &[]);
    good(&mut connect(&server));
    let request = post(EVAL, &eval("import time; time.sleep(2)"));
    let start = Barrier::new(60);
    let client = || {
        let mut connection = connect(&server);
        start.wait();
        let began = Instant::now();
        connection.send(&request).expect("sent");
        (connection.answer().expect("an answer"), began.elapsed())
    };
    let answers: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..60).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    let (accepted, rejected): (Vec<_>, Vec<_>) = answers.iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!(accepted.len(), 2 + 4);
    assert!(accepted.iter().all(|(answer, _)| answer.json()["status"] == "completed"));
    for (answer, took) in rejected {
        assert_eq!(answer.status, 429, "{answer:?}");
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|s| s > 0)));
        assert_eq!(answer.json()["code"], "queue_full");
        // At once: long before anything that was accepted has ended.
        assert!(*took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(server.metric("pyexec_rejected_total{reason=\"queue_full\"}"), Some(54.0));
    good(&mut connect(&server));
}

#[test]
fn the_time_in_the_queue_counts_for_those_who_wait() {
    let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE", "4")], &[]);
    let sleep = |connection: &mut Connection, sleep: u32, timeout: u32| {
        let code = format!("import time; time.sleep({sleep})");
        connection.send(&post(EVAL, &json!({"code": code, "config": {"timeout_seconds": timeout}}).to_string()))
    };
    let (mut first, mut second, mut third) = (connect(&server), connect(&server), connect(&server));
    sleep(&mut first, 3, 60).expect("sent");
    until("the first runs", || (server.get("/health").json()["busy"] == 1).then_some(()));
    let began = Instant::now();
    sleep(&mut second, 0, 1).expect("sent");
    until("the second waits", || (server.get("/health").json()["queued"] == 1).then_some(()));
    sleep(&mut third, 60, 5).expect("sent");

    let result = second.answer().expect("an answer").json();
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("queue_timeout")), "{result}");
    assert!(result["error"].as_str().is_some_and(|error| error.starts_with("execution timeout after 1s")), "{result}");
    assert!((Duration::from_secs(1)..Duration::from_millis(2500)).contains(&began.elapsed()), "{:?}", began.elapsed());

    assert_eq!(first.answer().expect("an answer").json()["status"], "completed");
    // Some three seconds in the queue leave two of its five.
    let result = third.answer().expect("an answer").json();
    assert_eq!(result["error_kind"], "time_limit", "{result}");
    assert_eq!(result["error"], "execution timeout after 5s");
    let (queued, ran) = (&result["usage"]["queue_us"], &result["duration_us"]);
    assert!(queued.as_u64().is_some_and(|time| time > 2_000_000), "{result}");
    assert!(ran.as_u64().is_some_and(|time| time < 3_500_000), "{result}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn an_execution_nobody_waits_for_leaves_the_queue_after_its_time() {
    let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE_TTL", "0.5")], &[]);
    let running = server.submit("import time; time.sleep(60)", &[]);
    server.runs_now(&running);
    let waiting = server.submit("print(1)", &[]);
    let result = server.result_of(&waiting);
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("queue_timeout")), "{result}");
    assert_eq!(server.delete(&format!("/api/v1/executions/{running}")).status, 200);
}

#[test]
fn one_key_with_many_jobs_does_not_keep_another_waiting() {
    let keys = "busy:busy-key-0123456789,quiet:quiet-key-0123456789";
    let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE", "50"), ("PYEXEC_API_KEYS", keys)], &[]);
    let busy: &[(&str, &str)] = &[("x-api-key", "busy-key-0123456789")];
    let quiet: &[(&str, &str)] = &[("x-api-key", "quiet-key-0123456789")];
    let code = "import time; time.sleep(0.3)";
    let many: Vec<_> = (0..20).map(|_| server.submit(code, busy)).collect();
    let result = |id: &str, key| -> Value {
        until("it ends", || {
            let result = server.call("GET", &format!("/api/v1/executions/{id}"), key, b"").json();
            (result["status"] == "completed").then_some(result)
        })
    };
    let one = result(&server.submit(code, quiet), quiet);
    let before =
        many.iter().filter(|id| result(id, busy)["finished_at"].as_str() < one["finished_at"].as_str()).count();
    // How many ran while the last was still on its way here depends on the machine; that most did not, does not.
    assert!(before < 12, "{before} of 20 came first");
}

#[test]
fn hundreds_may_wait_as_long_as_they_like_unless_settings_say_otherwise() {
    let _alone = alone();
    let server = Server::start(&[("PYEXEC_SLOTS", "1")], &[]);
    let running = server.submit("import time; time.sleep(1000)", &[]);
    server.runs_now(&running);
    let many: Vec<_> = (0..300).map(|n| server.submit(&format!("print({n})"), &[])).collect();
    assert_eq!(server.get("/health").json()["queued"], 300);
    assert_eq!(server.delete(&format!("/api/v1/executions/{running}")).status, 200);
    for (n, id) in many.iter().enumerate() {
        let result = server.result_of(id);
        assert_eq!((&result["status"], &result["stdout"]), (&json!("completed"), &json!(format!("{n}\n"))), "{result}");
    }
}

#[test]
fn what_waits_has_a_limit_in_bytes_as_well() {
    let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE_MB", "1")], &[]);
    let running = server.submit("import time; time.sleep(1000)", &[]);
    server.runs_now(&running);
    let stdin = "x".repeat(600_000);
    let form = |stdin: &str| {
        let metadata = json!({"entrypoint": "main.py", "stdin": stdin}).to_string();
        Form::new().tar(&[("main.py", "import sys\nprint(len(sys.stdin.read()))")]).field(
            "metadata",
            "",
            metadata.as_bytes(),
        )
    };
    let first = server.post_form("/api/v1/exec/async", &[], &form(&stdin));
    assert_eq!(first.status, 202, "{}", first.text());
    let second = server.post_form("/api/v1/exec/async", &[], &form(&stdin));
    assert_eq!((second.status, second.json()["code"].as_str()), (429, Some("queue_full")), "{}", second.text());
    // What is small still fits.
    assert_eq!(server.post_form("/api/v1/exec/async", &[], &form("x")).status, 202);
    server.delete(&format!("/api/v1/executions/{running}"));
    let id = first.json()["execution_id"].as_str().expect("an id").to_owned();
    assert_eq!(server.result_of(&id)["stdout"], "600000\n");
}

#[test]
fn one_key_cannot_fill_the_queue_for_another() {
    let keys = "busy:busy-key-0123456789,quiet:quiet-key-0123456789";
    let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE", "8"), ("PYEXEC_API_KEYS", keys)], &[]);
    let busy: &[(&str, &str)] = &[("x-api-key", "busy-key-0123456789")];
    let quiet: &[(&str, &str)] = &[("x-api-key", "quiet-key-0123456789")];
    let form = Form::new().tar(&[("main.py", "import time; time.sleep(1000)")]).field("metadata", "", b"{}");
    let accepted = |key| server.post_form("/api/v1/exec/async", key, &form).status == 202;
    // One runs, and two of the eight places are the other's.
    assert_eq!((0..20).filter(|_| accepted(busy)).count(), 1 + 6);
    assert_eq!((0..20).filter(|_| accepted(quiet)).count(), 2);
}
