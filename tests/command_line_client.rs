//! The `pyexec` command against a server.

use crate::support::scripted_server::{Answer, Part, ScriptedServer, event};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
};

struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

fn start(server: &str, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pyexec"))
        .args(arguments)
        .env("PYEXEC_SERVER", server)
        .env_remove("PYEXEC_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

fn run_with(server: &str, arguments: &[&str], stdin: &[u8]) -> Ran {
    let mut child = start(server, arguments);
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    let output = child.wait_with_output().expect("ends");
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("an exit code"),
    }
}

fn run(server: &ScriptedServer, arguments: &[&str]) -> Ran {
    run_with(&server.url, arguments, b"")
}

fn started() -> Answer {
    Answer::json("202 Accepted", &json!({"execution_id": "exe_1"}))
}

fn stdout(id: u32, text: &str) -> Part {
    event(id, "stdout", &json!({"text": text}))
}

/// The last event, with what is usual in a result and what is not.
fn result(id: u32, unusual: &Value) -> Part {
    let mut all = json!({"execution_id": "exe_1", "status": "completed", "exit_code": 0, "stdout": "", "stderr": "",
        "duration_ms": 1, "executor": "wasm", "route_reason": "why not", "usage": {"fuel": 7, "queue_us": 1500}});
    let fields = all.as_object_mut().expect("an object");
    fields.extend(unusual.as_object().expect("an object").clone());
    event(id, "result", &all)
}

fn ended(unusual: &Value) -> Answer {
    Answer::events([result(1, unusual)])
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The metadata and the files of an upload.
fn upload(body: &[u8]) -> (Value, Vec<(String, Vec<u8>)>) {
    let find = |from: usize, what: &[u8]| {
        from + body[from..].windows(what.len()).position(|part| part == what).expect("there")
    };
    let boundary_end = find(0, b"\r\n");
    let delimiter = [b"\r\n", &body[..boundary_end]].concat();
    let metadata = find(0, b"\r\n\r\n") + 4;
    let metadata_end = find(metadata, &delimiter);
    let archive = find(metadata_end, b"\r\n\r\n") + 4;
    let archive_end = find(archive, &delimiter);
    assert!(body[archive_end..].ends_with(b"--\r\n"));
    let mut files = Vec::new();
    for entry in tar::Archive::new(&body[archive..archive_end]).entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("content");
        files.push((entry.path().expect("a path").to_str().expect("UTF-8").to_owned(), content));
    }
    (serde_json::from_slice(&body[metadata..metadata_end]).expect("JSON"), files)
}

#[test]
fn a_project_runs_on_a_server_with_everything_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(".venv")).expect("made");
    fs::write(folder.path().join(".venv/x.py"), "").expect("written");
    fs::write(folder.path().join("main.py"), "import sys").expect("written");
    let extra = tempfile::NamedTempFile::new().expect("a file");
    let server = ScriptedServer::start(vec![
        started(),
        Answer::events([
            event(1, "state", &json!({"status": "running"})),
            stdout(2, "out\n"),
            event(3, "stderr", &json!({"text": "err\n"})),
            result(4, &json!({"exit_code": 7, "stdout": "out\n", "stderr": "err\n"})),
        ]),
    ]);
    let arguments = [
        "run",
        path(folder.path()),
        "--file",
        path(extra.path()),
        "--api-key",
        "secret",
        "-e",
        "A=b",
        "--timeout=2.5",
        "--memory=8192",
        "--image=python:3.12",
        "--",
        "-x",
    ];
    let ran = run_with(&server.url, &arguments, b"typed\n");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("out\n", "err\n", 7));

    let requests = server.requests();
    assert_eq!(requests[0].what, "POST /api/v1/exec/async");
    assert_eq!(requests[1].what, "GET /api/v1/executions/exe_1/events");
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer secret")));
    let (metadata, files) = upload(&requests[0].body);
    let config = json!({"timeout_seconds": 2.5, "network_disabled": true, "memory_mb": 8192});
    let expected = json!({"entrypoint": "main.py", "docker_image": "python:3.12", "stdin": "typed\n", "config": config,
        "env_vars": ["A=b"], "script_args": ["-x"]});
    assert_eq!(metadata, expected);
    let extra = extra.path().file_name().expect("a name").to_str().expect("UTF-8");
    let mut expected = vec![(extra.to_owned(), vec![]), ("main.py".to_owned(), b"import sys".to_vec())];
    expected.sort();
    assert_eq!(files, expected, "and nothing of .venv");
}

#[test]
fn output_is_shown_while_the_script_still_runs() {
    let (go_on, signal) = mpsc::channel();
    let server = ScriptedServer::start(vec![
        started(),
        Answer::events([stdout(1, "first\n"), Part::Wait(signal), stdout(2, "second\n"), result(3, &json!({}))]),
    ]);
    let mut child = start(&server.url, &["run", "-"]);
    drop(child.stdin.take());
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "first");
    go_on.send(()).expect("waiting");
    assert_eq!(lines.next().expect("a line").expect("text"), "second");
    assert!(child.wait().expect("ends").success());
}

#[test]
fn ctrl_c_kills_what_run_started_and_only_leaves_what_follow_watches() {
    for (arguments, kills) in [(&["run", "-"][..], true), (&["eval", "1"], true), (&["follow", "exe_1"], false)] {
        let (hold, signal) = mpsc::channel::<()>();
        let state = event(1, "state", &json!({"status": "running", "execution_id": "exe_1"}));
        let mut answers = vec![Answer::events([state, stdout(2, "first\n"), Part::Wait(signal)])];
        if arguments[0] == "run" {
            answers.insert(0, started());
        }
        if kills {
            answers.push(Answer::json("200 OK", &json!({"status": "killed"})));
        }
        let server = ScriptedServer::start(answers);
        let mut child = start(&server.url, arguments);
        drop(child.stdin.take());
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("signalled");
        let output = child.wait_with_output().expect("ends");
        drop(hold);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{arguments:?}: {stderr}");
        let last = server.requests().pop().expect("requests");
        assert_eq!(last.what == "DELETE /api/v1/executions/exe_1", kills, "{arguments:?}: {}", last.what);
        assert_eq!(stderr.contains("pyexec kill exe_1"), !kills, "{stderr}");
    }
}

#[test]
fn a_lost_connection_is_taken_up_where_it_was_lost() {
    let server = ScriptedServer::start(vec![
        Answer::events([stdout(1, "one\n"), stdout(2, "two\n")]),
        Answer::new("502 Bad Gateway", "", ""),
        Answer::events([stdout(2, "two\n"), stdout(3, "three\n"), result(4, &json!({}))]),
    ]);
    let ran = run(&server, &["follow", "exe_1"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("one\ntwo\nthree\n", "", 0));
    let requests = server.requests();
    let last_events: Vec<_> = requests.iter().map(|request| request.header("last-event-id")).collect();
    assert_eq!(last_events, [None, Some("2"), Some("2")]);
}

#[test]
fn a_second_run_shows_only_what_differs_and_says_so() {
    let restarted = |id| event(id, "restarted", &json!({"reason": "run again: WebAssembly lacks what it used"}));
    let server = ScriptedServer::start(vec![Answer::events([
        stdout(1, "same\n"),
        restarted(2),
        stdout(3, "same\n"),
        stdout(4, "more\n"),
        result(5, &json!({})),
    ])]);
    let ran = run(&server, &["follow", "exe_1"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("same\nmore\n", ""));
    for (quiet, said) in [
        ("--quiet", ""),
        ("-v", "pyexec: run again: WebAssembly lacks what it used; only the output from here on counts\n"),
    ] {
        let events = [stdout(1, "pid 1\n"), restarted(2), stdout(3, "pid 2\n"), result(4, &json!({}))];
        let server = ScriptedServer::start(vec![Answer::events(events)]);
        let ran = run(&server, &["follow", "exe_1", quiet]);
        assert_eq!(ran.stdout, "pid 1\npid 2\n");
        assert!(ran.stderr.contains(said) && (quiet == "-v") != ran.stderr.is_empty(), "{}", ran.stderr);
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_execution() {
    let lines = (1..2000).map(|id| stdout(id, &"x".repeat(1000)));
    let running = event(0, "state", &json!({"status": "running", "execution_id": "exe_1"}));
    let killed = Answer::json("200 OK", &json!({"status": "killed"}));
    let server = ScriptedServer::start(vec![Answer::events([running].into_iter().chain(lines)), killed]);
    let mut child = start(&server.url, &["eval", "1"]);
    drop(child.stdin.take());
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!((&*String::from_utf8_lossy(&output.stderr), output.status.code()), ("", Some(141)));
    assert_eq!(server.requests().pop().expect("requests").what, "DELETE /api/v1/executions/exe_1");
}

#[test]
fn what_a_server_remarks_is_shown() {
    let cut = json!({"warnings": ["timeout_seconds: 9000 is more than 3600"], "stdout": "x", "stdout_truncated": true,
        "stdout_bytes": 9000});
    let server = ScriptedServer::start(vec![ended(&cut)]);
    let ran = run(&server, &["follow", "exe_1"]);
    assert!(ran.stderr.contains("pyexec: timeout_seconds: 9000 is more than 3600\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("pyexec: stdout was cut: the script wrote 9000 bytes\nhint: --max-output"));
}

#[test]
fn what_was_missed_of_the_events_comes_with_the_result() {
    let server = ScriptedServer::start(vec![Answer::events([
        stdout(1, "first\n"),
        event(5, "lagged", &json!({"missed": 4})),
        stdout(5, "late\n"),
        result(6, &json!({"stdout": "first\nmissed\nlate\n", "stdout_bytes": 18, "stderr": "err\n"})),
    ])]);
    let ran = run(&server, &["follow", "exe_1"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("first\nmissed\nlate\n", "err\n"));
}

#[test]
fn eval_runs_on_a_server_as_it_does_here() {
    let events = || {
        Answer::events([
            event(1, "state", &json!({"status": "pending", "execution_id": "exe_1"})),
            stdout(2, "side\n"),
            result(3, &json!({"stdout": "side", "stdout_bytes": 5, "result": "42", "result_json": 42})),
        ])
    };
    let server = ScriptedServer::start(vec![events(), events(), events()]);
    assert_eq!(run(&server, &["eval", "--python", "3.12", "code"]).stdout, "side\n42\n");
    let ran = run(&server, &["eval", "-v", "--network", "code"]);
    assert!(ran.stderr.contains("pyexec: Wasm: why not") && ran.stderr.contains("1.500 ms in the queue"));
    let ran = run(&server, &["eval", "--json", "--no-result", "code"]);
    let outcome: Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
    assert_eq!((&outcome["stdout"]["text"], &outcome["ending"]), (&json!("side\n"), &json!("exited")));
    assert_eq!((&outcome["usage"]["fuel"], &outcome["execution_id"]), (&json!(7), &json!("exe_1")));

    let requests = server.requests();
    assert!(requests.iter().all(|request| request.what == "POST /api/v1/eval"));
    let expected = json!({"code": "code", "config": {"network_disabled": true}, "python_version": "3.12",
        "eval_last_expr": true, "stream": true});
    assert_eq!(requests[0].json(), expected);
    assert_eq!((&requests[1].json()["network"], &requests[1].json()["config"]), (&json!(true), &json!({})));
    assert_eq!(requests[2].json()["eval_last_expr"], false);
}

#[test]
fn a_server_without_events_still_evaluates() {
    let answer =
        json!({"execution_id": "exe_1", "status": "completed", "exit_code": 1, "stdout": "out", "stderr": "err"});
    let server = ScriptedServer::start(vec![Answer::json("200 OK", &answer)]);
    let ran = run(&server, &["eval", "code"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("out", "err", 1));
}

#[test]
fn exit_codes_tell_what_happened_on_a_server() {
    for (unusual, code, said) in [
        (json!({"status": "failed", "error_kind": "time_limit", "error": "execution timeout"}), 124, "hint: --timeout"),
        (json!({"status": "failed", "error": "execution timeout after 5m0s"}), 124, "after 5m0s"),
        (json!({"status": "failed", "error_kind": "memory_limit", "error": "too much"}), 137, "too much"),
        (json!({"status": "killed", "error_kind": "killed"}), 137, "killed"),
        (json!({"status": "failed", "error_kind": "queue_timeout", "error": "waited"}), 125, "waited\nhint: "),
        (json!({"status": "failed", "error_kind": "unavailable", "error": "no Docker"}), 125, "no Docker"),
        (json!({"status": "failed", "error_kind": "invalid", "error": "no such file"}), 1, "no such file"),
        (
            json!({"status": "failed", "error_kind": "invalid", "error": "no", "stderr": "no!", "exit_code": 3}),
            3,
            "no!",
        ),
    ] {
        let server = ScriptedServer::start(vec![started(), ended(&unusual)]);
        let ran = run_with(&server.url, &["run"], b"code");
        assert_eq!(ran.code, code, "{unusual}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{unusual}: {}", ran.stderr);
    }
}

#[test]
fn files_come_out_and_stay_inside() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let files = json!({"files": [
        {"path": "a/text.txt", "size": 4, "content": "text"},
        {"path": "bytes", "size": 2, "content_base64": "//4="},
        {"path": "a/l rge", "size": 5, "url": "http://elsewhere.example/steals-keys"},
    ]});
    let server = ScriptedServer::start(vec![started(), ended(&files), Answer::new("200 OK", "", "large")]);
    let ran = run_with(&server.url, &["run", "--out", path(&out)], b"code");
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
    assert_eq!(fs::read(out.join("a/text.txt")).expect("made"), b"text");
    assert_eq!(fs::read(out.join("bytes")).expect("made"), [0xff, 0xfe]);
    assert_eq!(fs::read(out.join("a/l rge")).expect("made"), b"large");
    let requests = server.requests();
    assert_eq!(requests[2].what, "GET /api/v1/executions/exe_1/files/a/l%20rge");
    assert_eq!(upload(&requests[0].body).0["collect_files"], true);

    // What is left outside the project folder has an absolute path there, and is below the folder here.
    let files = json!({"files": [{"path": "/tmp/report.csv", "size": 1, "content": "x"}]});
    let server = ScriptedServer::start(vec![ended(&files)]);
    assert_eq!(run(&server, &["follow", "exe_1", "--out", path(&out)]).code, 0);
    assert_eq!(fs::read(out.join("tmp/report.csv")).expect("made"), b"x");

    for name in ["../stolen", "/../stolen", "a/../../stolen", ""] {
        let files = json!({"files": [{"path": name, "size": 1, "content": "x"}]});
        let server = ScriptedServer::start(vec![ended(&files)]);
        let ran = run(&server, &["follow", "exe_1", "--out", path(&out)]);
        assert!(ran.code == 125 && ran.stderr.contains("leads out of --out"), "{name}: {}", ran.stderr);
    }
    assert!(!folder.path().join("stolen").exists());
}

#[test]
fn submit_prints_an_id_and_nothing_else() {
    for arguments in [
        &["submit"][..],
        &["run", "--async"],
        &["--async", "-q", "run", "-"],
        &["submit", "--async", "--timeout", "5"],
        &["--async", "--network=true", "--cpu", "512", "submit", "-q"],
    ] {
        let server = ScriptedServer::start(vec![started()]);
        let ran = run_with(&server.url, arguments, b"code");
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("exe_1\n", "", 0));
    }
}

#[test]
fn errors_say_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let ran = run_with(&format!("http://user:secret@{closed}"), &["eval", "1"], b"");
    assert!(ran.code == 125 && ran.stderr.contains("hint: is the server running? start it with pyexec serve"));
    assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);

    let error = |status: &str, text: &str| Answer::json(status, &json!({"error": text}));
    for (answer, arguments, code, said) in [
        (error("401 Unauthorized", "who?"), &["eval", "1"][..], 2, "PYEXEC_API_KEY"),
        (error("400 Bad Request", "why not\u{1b}[2J"), &["eval", "1"], 2, "error: why not[2J\n"),
        (error("404 Not Found", "execution not found"), &["follow", "exe_1"], 2, "hint: pyexec list"),
        (Answer::new("404 Not Found", "", "page"), &["list"], 2, "the URL of a pyexec server"),
        (Answer::new("301 Moved", "Location: https://there\r\n", ""), &["list"], 125, "the server is at https://there"),
        (Answer::new("200 OK", "", "<html>"), &["list"], 125, "the URL of a pyexec server"),
        (error("500 Internal Server Error", "our fault"), &["kill", "exe_1"], 125, "exe_1: our fault"),
    ] {
        let server = ScriptedServer::start(vec![answer]);
        let ran = run(&server, arguments);
        assert!(ran.code == code && ran.stderr.contains(said), "{arguments:?} {}: {}", ran.code, ran.stderr);
    }
    assert_eq!(run_with("ftp://x", &["eval", "1"], b"").code, 2);
    assert_eq!(run_with("http://x", &["follow", "../secrets"], b"").code, 2);
}

#[test]
fn a_busy_server_is_asked_again() {
    let busy = |after: &str| {
        Answer::new("429 Too Many Requests", &format!("Retry-After: {after}\r\n"), json!({"error": "full"}).to_string())
    };
    for (quiet, said) in [("-v", "the server is busy (429 Too Many Requests); trying again in 1.0 s"), ("-q", "")] {
        let server = ScriptedServer::start(vec![busy("1"), started(), ended(&json!({}))]);
        let ran = run_with(&server.url, &["run", quiet], b"code");
        assert!(ran.code == 0 && ran.stderr.contains(said), "{}", ran.stderr);
        assert_eq!(ran.stderr.is_empty(), quiet == "-q", "{}", ran.stderr);
        let requests = server.requests();
        assert_eq!(upload(&requests[0].body), upload(&requests[1].body), "the same upload, from its start");
    }
    let server = ScriptedServer::start(vec![busy("31")]);
    let ran = run(&server, &["eval", "1"]);
    assert!(ran.code == 125 && ran.stderr.contains("error: full\nhint: try again later"), "{}", ran.stderr);
}

#[test]
fn a_large_upload_that_is_refused_is_not_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("main.py"), "").expect("written");
    fs::write(folder.path().join("data"), vec![b'x'; 40 << 20]).expect("written");
    let refusal = Answer::json("401 Unauthorized", &json!({"error": "who?"})).early();
    let server = ScriptedServer::start(vec![refusal, started(), ended(&json!({}))]);
    let ran = run(&server, &["run", path(folder.path())]);
    assert!(ran.code == 2 && ran.stderr.contains("PYEXEC_API_KEY"), "{}", ran.stderr);
    assert_eq!(run(&server, &["run", path(folder.path())]).code, 0);
    let requests = server.requests();
    let length: usize = requests[1].header("content-length").expect("said").parse().expect("a number");
    assert_eq!((requests[0].body.len(), requests[1].body.len()), (0, length));
    assert!(length > 40 << 20);
}

#[test]
fn executions_are_killed_and_listed() {
    let status = |status: &str| Answer::json("200 OK", &json!({"status": status}));
    let missing = Answer::json("404 Not Found", &json!({"error": "execution not found"}));
    let server = ScriptedServer::start(vec![status("killed"), missing, status("completed")]);
    let ran = run(&server, &["kill", "exe_1", "exe_2", "exe_3"]);
    assert_eq!(ran.stdout, "exe_1 killed\nexe_3 had ended already: completed\n");
    assert!(ran.code == 2 && ran.stderr.contains("exe_2: execution not found"), "{}", ran.stderr);

    let first = json!({"execution_id": "exe_1", "status": "completed", "exit_code": 3, "duration_ms": 12,
        "created_at": "2020-01-01T00:00:00.000Z"});
    let pages = || {
        let second = json!({"execution_id": "exe_2", "status": "pending", "created_at": "2020-01-01T00:00:00.000Z"});
        vec![
            Answer::json("200 OK", &json!({"executions": [first], "next": "a/b"})),
            Answer::json("200 OK", &json!({"executions": [second]})),
        ]
    };
    let server = ScriptedServer::start(pages());
    let ran = run(&server, &["list", "--limit", "5", "--status", "completed"]);
    let rows: Vec<Vec<_>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "STATUS", "AGE", "DURATION", "EXIT"]);
    assert_eq!((&rows[1][..2], &rows[1][3..]), (&["exe_1", "completed"][..], &["12", "ms", "3"][..]));
    assert_eq!((&rows[2][..2], &rows[2][3..]), (&["exe_2", "pending"][..], &["-", "-"][..]));
    let asked: Vec<_> = server.requests().into_iter().map(|request| request.what).collect();
    let expected = ["limit=5&status=completed", "limit=4&status=completed&after=a%2Fb"];
    assert_eq!(asked, expected.map(|query| format!("GET /api/v1/executions?{query}")));
    let server = ScriptedServer::start(pages());
    let listed: Value = serde_json::from_str(&run(&server, &["list", "--json"]).stdout).expect("JSON");
    assert_eq!((&listed[0], listed.as_array().map(Vec::len)), (&first, Some(2)));
}

#[test]
fn version_tells_how_the_server_is() {
    let server = ScriptedServer::start(vec![Answer::json("200 OK", &json!({"status": "ok", "slots": 4}))]);
    let ran = run(&server, &["version"]);
    assert!(ran.stdout.starts_with("pyexec "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(&format!("{}: ok\n  slots: 4\n", server.url)), "{}", ran.stdout);
    assert_eq!(run_with("", &["version"], b"").code, 0);
}

#[test]
fn requirements_are_checked_before_anything_runs() {
    let ran = run_with("", &["eval", "--requirements", "Cargo.toml", "1"], b"");
    assert!(ran.code == 2 && ran.stderr.contains("--requirements"), "{}", ran.stderr);
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run_with("", &["completions", shell], b"");
        assert!(ran.code == 0 && ran.stdout.contains("submit"), "{shell}");
    }
    assert!(run_with("", &["man"], b"").stdout.contains(".TH pyexec 1"));
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man1");
    assert_eq!(run_with("", &["man", path(&pages)], b"").code, 0);
    for page in ["pyexec.1", "pyexec-run.1", "pyexec-follow.1"] {
        assert!(fs::read_to_string(pages.join(page)).expect(page).contains(".SH NAME"), "{page}");
    }
}

#[test]
fn a_notebook_on_a_server_is_what_it_is_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let notebook = folder.path().join("n.ipynb");
    let cells = json!([{"cell_type": "code", "source": "x = 1"}, {"cell_type": "code", "source": "f()\nx"}]);
    fs::write(&notebook, json!({"cells": cells, "metadata": {}, "nbformat": 4}).to_string()).expect("written");
    let traceback = "  File \"/work/n.py\", line 5, in <module>\n";
    let server = ScriptedServer::start(vec![
        started(),
        Answer::events([
            event(1, "stderr", &json!({"text": traceback})),
            result(2, &json!({"result": "42", "stderr": traceback})),
        ]),
    ]);
    let ran = run(&server, &["run", path(&notebook)]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("42\n", 0), "{}", ran.stderr);
    assert_eq!(ran.stderr, "  File \"n.ipynb\", cell 2, line 1, in <module>\n");
    let (metadata, _) = upload(&server.requests()[0].body);
    assert_eq!((&metadata["eval_last_expr"], &metadata["entrypoint"]), (&json!(true), &json!("n.py")));
}
