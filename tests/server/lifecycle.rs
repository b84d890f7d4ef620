//! Start, stop, and clients that go away.

use super::{
    recorded::is_id,
    support::{Form, Server, until},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant},
};

/// Clients that are gone are noticed within one second; the rest is for a machine that is busy.
const CANCELLED_WITHIN: Duration = Duration::from_secs(4);

impl Server {
    fn is_busy_with(&self, executions: f64) -> Option<()> {
        (self.metric("pyexec_slots_busy{tier=\"wasm\"}") == Some(executions)).then_some(())
    }

    fn is_draining(&self) -> Option<()> {
        (self.get("/health").status == 503).then_some(())
    }

    /// Executions of a status.
    fn count(&self, status: &str) -> usize {
        let list = self.get(&format!("/api/v1/executions?status={status}")).json();
        list["executions"].as_array().expect("a list").len()
    }
}

#[test]
fn sigterm_lets_executions_end_and_takes_no_new_ones() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = Server::start(&[("PYEXEC_SLOTS", "1"), ("PYEXEC_SHUTDOWN_GRACE", "50")], &[]);
        let code = "import time\nprint('started', flush=True)\ntime.sleep(3)\nprint('ended')";
        let (running, waiting) = thread::scope(|scope| {
            let running = scope.spawn(|| server.eval(&json!({"code": code})));
            until("it runs", || server.is_busy_with(1.0));
            let waiting = scope.spawn(|| server.eval(&json!({"code": "print('waited')"})));
            until("one waits", || (server.metric("pyexec_queue_length{tier=\"wasm\"}") == Some(1.0)).then_some(()));

            server.signal(signal);
            until("it drains", || server.is_draining());
            assert_eq!(server.get("/health").json()["status"], "draining");
            let form = Form::new().tar(&[("main.py", "1")]).field("metadata", "", b"{}");
            for answer in [
                server.post_json("/api/v1/eval", &json!({"code": "1"})),
                server.post_json("/api/v1/eval", &json!({"code": "1", "stream": true})),
                server.post_form("/api/v1/exec/sync", &[], &form),
                server.post_form("/api/v1/exec/async", &[], &form),
            ] {
                assert_eq!(answer.status, 503, "{}", answer.text());
                assert!(answer.error().starts_with("the server is shutting down"), "{}", answer.text());
                assert_eq!((&answer.json()["code"], answer.header("retry-after")), (&json!("draining"), Some("50")));
            }
            assert_eq!(server.count("running"), 1, "it can still be asked");
            (running.join().expect("an answer"), waiting.join().expect("an answer"))
        });
        assert_eq!((&running["status"], &running["stdout"]), (&json!("completed"), &json!("started\nended\n")));
        assert_eq!((&waiting["status"], &waiting["stdout"]), (&json!("completed"), &json!("waited\n")));
        assert_eq!(server.ended().code(), Some(0));
    }
}

#[test]
fn a_second_sigterm_kills_at_once() {
    let server = Server::start(&[("PYEXEC_SHUTDOWN_GRACE", "1000")], &[]);
    let code = "import os, time\nos.write(1, b'started\\n')\ntime.sleep(1000)";
    let result = thread::scope(|scope| {
        let running = scope.spawn(|| server.eval(&json!({"code": code})));
        until("it runs", || server.is_busy_with(1.0));
        let list = server.get("/api/v1/executions").json();
        server.has_printed(list["executions"][0]["execution_id"].as_str().expect("an id"));
        let id = server.submit("while True: pass", &[]);
        let mut events = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"");
        server.signal(Signal::TERM);
        until("it drains", || server.is_draining());
        assert!(server.runs());
        server.signal(Signal::TERM);
        let last = events.by_ref().last().expect("a result");
        assert_eq!((last.kind.as_str(), &last.data["status"]), ("result", &json!("killed")));
        running.join().expect("an answer")
    });
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("killed"), &json!("killed")));
    assert_eq!(result["stdout"], "started\n");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn what_does_not_end_in_its_grace_is_killed() {
    let server = Server::start(&[("PYEXEC_SHUTDOWN_GRACE", "1")], &[]);
    let result = thread::scope(|scope| {
        let running = scope.spawn(|| server.eval(&json!({"code": "import time; time.sleep(1000)"})));
        until("it runs", || server.is_busy_with(1.0));
        server.signal(Signal::TERM);
        running.join().expect("an answer")
    });
    assert_eq!(result["status"], "killed");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn an_idle_server_stops_although_clients_stay_connected() {
    let server = Server::start(&[("PYEXEC_IDLE_TIMEOUT", "1000"), ("PYEXEC_HEADER_TIMEOUT", "1000")], &[]);
    let _silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{").expect("sent");
    assert_eq!(server.get("/health").status, 200, "and keeps its connection");
    server.signal(Signal::TERM);
    assert_eq!(server.ended().code(), Some(0));
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[test]
fn a_restart_forgets_and_ids_cannot_be_guessed() {
    let server = Server::start(&[], &[]);
    let ids: BTreeSet<_> = (0..30).map(|n| server.submit(&format!("print({n})"), &[])).collect();
    assert_eq!(ids.len(), 30);
    assert!(ids.iter().all(|id| is_id(id)), "{ids:?}");
    // No two have anything in common that is not in all of them.
    let starts: BTreeSet<_> = ids.iter().filter_map(|id| id.get(4..12)).collect();
    let ends: BTreeSet<_> = ids.iter().filter_map(|id| id.get(32..)).collect();
    assert_eq!((starts.len(), ends.len()), (30, 30), "{ids:?}");
    let (id, port) = (ids.first().expect("30"), server.addr().port().to_string());
    server.result_of(id);
    let running = server.submit("import time; time.sleep(1000)", &[("idempotency-key", "k")]);
    server.runs_now(&running);
    drop(server);

    let server = until("the port is free", || Server::try_start(&[], &["--port", &port]).ok());
    for id in ids.iter().chain([&running]) {
        let answer = server.get(&format!("/api/v1/executions/{id}"));
        assert_eq!((answer.status, answer.error().as_str()), (404, "execution not found"));
    }
    assert_eq!(server.get("/api/v1/executions").json(), json!({"executions": []}));
    let again = server.submit("import time; time.sleep(1000)", &[("idempotency-key", "k")]);
    assert_ne!(again, running);
}

#[test]
fn a_client_that_goes_away_cancels_what_it_waited_for() {
    let server = Server::start(&[], &[]);
    let body = |code: &str, stream: bool| json!({"code": code, "stream": stream}).to_string();
    for (at, body) in [
        body("import time; time.sleep(1000)", false),
        body("while True: pass", false),
        body("import time; time.sleep(1000)", true),
        body("while True: pass", true),
        body("while True: print('x' * 1000)", true),
    ]
    .iter()
    .enumerate()
    {
        let mut client = server.connect();
        let head = format!("POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).expect("sent");
        until("it runs", || server.is_busy_with(1.0));
        drop(client);
        let gone = Instant::now();
        until("it is cancelled", || server.is_busy_with(0.0));
        assert!(gone.elapsed() < CANCELLED_WITHIN, "{body}: {:?}", gone.elapsed());
        until("its result is there", || (server.count("killed") == at + 1).then_some(()));
    }
}

#[test]
fn a_client_that_goes_away_from_an_upload_or_the_queue_cancels_it() {
    let server = Server::start(&[("PYEXEC_SLOTS", "1")], &[]);
    let post = |path: &str, kind: &str, body: &[u8]| {
        let mut client = server.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        client.write_all(&[head.as_bytes(), body].concat()).expect("sent");
        client
    };
    let form =
        Form::new().tar(&[("main.py", "while True: pass")]).field("metadata", "", br#"{"entrypoint":"main.py"}"#);
    let running = post("/api/v1/exec/sync", &Form::content_type(), &form.end());
    until("it runs", || server.is_busy_with(1.0));
    let waiting = post("/api/v1/eval", "application/json", br#"{"code":"print(1)"}"#);
    let queued = |length: f64| (server.metric("pyexec_queue_length{tier=\"wasm\"}") == Some(length)).then_some(());
    until("it waits", || queued(1.0));
    drop(waiting);
    until("its place is free", || queued(0.0));
    assert_eq!((server.count("running"), server.count("killed")), (1, 1));
    drop(running);
    let gone = Instant::now();
    until("it is cancelled", || server.is_busy_with(0.0));
    assert!(gone.elapsed() < CANCELLED_WITHIN, "{:?}", gone.elapsed());
    assert_eq!(server.count("killed"), 2);
}

#[test]
fn who_only_follows_cancels_nothing() {
    let server = Server::shared();
    let id = server.submit("import time\nprint('a', flush=True)\ntime.sleep(2)\nprint('b')", &[]);
    let mut events = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"");
    assert!(events.any(|event| event.kind == "stdout"));
    drop(events);
    let result = server.result_of(&id);
    assert_eq!((&result["status"], &result["stdout"]), (&json!("completed"), &json!("a\nb\n")));
}

#[test]
fn an_execution_is_not_cancelled_while_someone_else_waits_for_it() {
    let server = Server::start(&[], &[]);
    let body = json!({"code": "import time\ntime.sleep(3)\nprint('done')"}).to_string();
    let head = format!(
        "POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut first = server.connect();
    first.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    until("it runs", || server.is_busy_with(1.0));
    let second = thread::scope(|scope| {
        let second =
            scope.spawn(|| server.call("POST", "/api/v1/eval", &[("idempotency-key", "k")], body.as_bytes()).json());
        // It has joined when its request has come; the first one's time is long enough for that.
        thread::sleep(Duration::from_secs(1));
        drop(first);
        second.join().expect("an answer")
    });
    assert_eq!((&second["status"], &second["stdout"]), (&json!("completed"), &json!("done\n")));
    assert_eq!((server.count("completed"), server.count("killed")), (1, 0));
}

#[test]
fn a_client_that_lost_its_connection_can_try_again_with_the_same_key() {
    let server = Server::start(&[], &[]);
    let body = json!({"code": "import time\ntime.sleep(2)\nprint('done')"}).to_string();
    let head = format!(
        "POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut lost = server.connect();
    lost.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    until("it runs", || server.is_busy_with(1.0));
    drop(lost);
    until("it is cancelled", || server.is_busy_with(0.0));
    let again = server.call("POST", "/api/v1/eval", &[("idempotency-key", "k")], body.as_bytes()).json();
    assert_eq!((&again["status"], &again["stdout"]), (&json!("completed"), &json!("done\n")));
    let once_more = server.call("POST", "/api/v1/eval", &[("idempotency-key", "k")], body.as_bytes()).json();
    assert_eq!(once_more, again);
}

#[test]
fn the_data_folder_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&[("PYEXEC_DATA_DIR", data.to_str().expect("UTF-8"))], &[]);
    let mode = fs::metadata(&data).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    drop(server);
}

#[test]
fn settings_that_are_wrong_stop_the_start_and_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let write = |name: &str, text: &str, mode: u32| {
        fs::write(path(name), text).expect("written");
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("set");
        path(name)
    };
    let open_keys = write("keys", "0123456789abcdef\n", 0o644);
    let unknown = write("unknown.toml", "slot = 3\n", 0o600);
    let typed = write("typed.toml", "slots = \"3\"\n", 0o600);
    let broken = write("broken.toml", "slots = \n", 0o600);
    let missing = path("missing");
    let deep = path("missing/deep");
    for (variables, flags, named) in [
        (&[("PYEXEC_SLOTS", "many")][..], &[][..], &["slots = \"many\"", "0 to 1024", "PYEXEC_SLOTS"][..]),
        (&[("PYEXEC_SLOTS", "-1")], &[], &["slots", "0 to 1024"]),
        (&[("PYEXEC_SLOT", "1")], &[], &["PYEXEC_SLOT", "PYEXEC_SLOTS"]),
        (&[("PYEXEC_PORT", "65536")], &[], &["port", "0 to 65535"]),
        (&[("PYEXEC_HOST", "example.org")], &[], &["host", "an IP address"]),
        (&[("PYEXEC_LOG_LEVEL", "loud")], &[], &["log_level"]),
        (&[("PYEXEC_LOG_FORMAT", "xml")], &[], &["log_format"]),
        (&[("PYEXEC_MAX_TIMEOUT", "1s")], &[], &["max_timeout"]),
        (&[("PYEXEC_DEFAULT_TIMEOUT", "20"), ("PYEXEC_MAX_TIMEOUT", "10")], &[], &["default_timeout", "max_timeout"]),
        (&[("PYEXEC_CORS_ORIGINS", "example.org")], &[], &["cors_origins"]),
        (&[("PYEXEC_API_KEYS_FILE", &open_keys)], &[], &["api_keys_file", "chmod 600"]),
        (&[("PYEXEC_API_KEYS_FILE", &missing)], &[], &["api_keys_file"]),
        (&[("PYEXEC_CONFIG", &missing)], &[], &["missing", "cannot read it"]),
        (&[("PYEXEC_DATA_DIR", &deep)], &[], &["data_dir", "missing"]),
        (&[], &["--config", &unknown], &["unknown.toml", "slot"]),
        (&[], &["--config", &typed], &["slots", "must be a whole number"]),
        (&[], &["--config", &broken], &["broken.toml", "line 1"]),
        (&[], &["--queue", "x"], &["queue", "--queue"]),
        // All at once.
        (&[("PYEXEC_SLOTS", "x"), ("PYEXEC_QUEUE", "y")], &[], &["slots", "queue"]),
    ] {
        let flags = [&["--port", "0"], flags].concat();
        let flags = if variables.iter().any(|(name, _)| *name == "PYEXEC_PORT") { Vec::new() } else { flags };
        let ended =
            Server::try_start(variables, &flags).err().unwrap_or_else(|| panic!("started: {variables:?} {flags:?}"));
        assert_eq!(ended.status.code(), Some(2), "{variables:?} {flags:?}: {}", ended.log);
        for named in named {
            assert!(ended.log.contains(named), "{named:?} is not in {}", ended.log);
        }
        assert!(!ended.log.contains("0123456789abcdef") && !ended.log.contains("panicked"), "{}", ended.log);
    }
}

#[test]
fn an_address_that_is_taken_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let ended = Server::try_start(&[], &["--port", &address.port().to_string()]).err().expect("refused");
    assert_eq!(ended.status.code(), Some(125), "{}", ended.log);
    let text = format!("cannot listen on {address}");
    assert!(ended.log.contains(&text) && ended.log.contains("in use") && ended.log.contains("--port"), "{}", ended.log);
}

#[test]
fn variables_of_orchestrators_and_of_older_versions_do_not_stop_the_start() {
    let server = Server::start(
        &[
            ("PYEXEC_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("PYEXEC_SERVICE_HOST", "10.0.0.1"),
            ("PYEXEC_CONSUL_ADDR", "consul:8500"),
            ("PYEXEC_DOCKER_SOCKET", "/var/run/docker.sock"),
            ("UNRELATED", "1"),
        ],
        &[],
    );
    assert!(server.log().contains("warning: PYEXEC_CONSUL_ADDR"), "{}", server.log());
    let health: Value = server.get("/health").json();
    assert_eq!(health["state"], "memory");
}

#[test]
fn folders_of_a_server_that_was_killed_are_swept_when_it_starts_again() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().to_str().expect("text");
    let folders = || {
        let entries = std::fs::read_dir(temporary.path()).expect("readable").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("pyexec-job-")).count()
    };
    let code = "open('secret.txt', 'w').write('of one'); print('written', flush=True)\nimport time; time.sleep(1000)";
    let killed = Server::start(&[("TMPDIR", folder)], &[]);
    killed.has_printed(&killed.submit(code, &[]));
    killed.signal(Signal::KILL);
    killed.ended();
    assert_eq!(folders(), 1);
    let alive = Server::start(&[("TMPDIR", folder)], &[]);
    assert_eq!(folders(), 0);
    let id = alive.submit(code, &[]);
    alive.has_printed(&id);
    let _another = Server::start(&[("TMPDIR", folder)], &[]);
    assert_eq!(folders(), 1, "what is in use stays");
    assert_eq!(alive.delete(&format!("/api/v1/executions/{id}")).status, 200);
    until("its folder is gone", || (folders() == 0).then_some(()));
}
