//! Jobs, clients and servers that end early leave nothing.

use super::{GONE_WITHIN, SLEEP, Site, new_instance, remove_all};
use crate::{
    server::support::{Server, until},
    support::{
        docker::{containers_of, docker, networks_of, without_docker},
        proxy::Proxy,
    },
};
use rustix::process::Signal;
use serde_json::json;
use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

/// A child that has left its parent's session.
const DAEMON: &str = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(600)\n    os._exit(0)\n\
                      print('sleeps', flush=True)\ntime.sleep(600)";

#[test]
fn a_killed_job_is_gone_with_all_its_processes() {
    let Some(site) = Site::start(&[]) else { return };
    for code in [SLEEP.replace("SECONDS", "600"), DAEMON.to_owned(), "while True: print('x' * 1000)".to_owned()] {
        let id = site.submit_with(&code, &json!({"executor": "docker"}));
        site.has_printed(&id);
        let began = Instant::now();
        assert_eq!(site.delete(&format!("/api/v1/executions/{id}")).json()["status"], "killed");
        site.are_gone(began, &code);
        let result = site.result_of(&id);
        assert_eq!((&result["status"], &result["exit_code"]), (&json!("killed"), &json!(137)), "{result}");
        assert!(result["stdout"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
    }
    // Also one that prepares.
    let id = site.submit_with("1", &json!({"pre_commands": ["sleep 600"]}));
    until("the command runs", || {
        let state = site.get(&format!("/api/v1/executions/{id}")).json();
        state["progress"].as_str().is_some_and(|text| text.contains("sleep 600")).then_some(())
    });
    let began = Instant::now();
    assert_eq!(site.delete(&format!("/api/v1/executions/{id}")).json()["status"], "killed");
    site.are_gone(began, "a build");
}

#[test]
fn a_client_that_goes_away_takes_its_container_along() {
    let Some(site) = Site::start(&[]) else { return };
    for stream in [false, true] {
        let request = json!({"code": SLEEP.replace("SECONDS", "600"), "executor": "docker", "stream": stream});
        let body = request.to_string();
        let mut client = site.connect();
        let head = format!("POST /api/v1/eval HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).expect("sent");
        let listed = until("it is listed", || {
            let list = site.get("/api/v1/executions?status=running").json();
            list["executions"][0]["execution_id"].as_str().map(str::to_owned)
        });
        site.has_printed(&listed);
        let began = Instant::now();
        drop(client);
        site.are_gone(began, &format!("stream: {stream}"));
        assert_eq!(site.result_of(&listed)["status"], "killed");
    }
}

#[test]
fn sigterm_lets_containers_end_and_removes_them_all() {
    let Some(site) = Site::start(&[("PYEXEC_POOL", "1"), ("PYEXEC_SHUTDOWN_GRACE", "50")]) else { return };
    // Without a port to reach, but with a network, which has to go as well.
    let sleep = SLEEP.replace("SECONDS", "2");
    let online = format!("import socket\nsocket.socket()\n{sleep}");
    let (plain, online) = thread::scope(|scope| {
        let run = |code: String, network: bool| {
            let site = &site;
            scope.spawn(move || site.in_docker(json!({"code": code, "network": network})))
        };
        let (plain, online) = (run(sleep, false), run(online, true));
        until("both run", || (site.metric("pyexec_slots_busy{tier=\"docker\"}") == Some(2.0)).then_some(()));
        until("the network is there", || (!networks_of(&site.instance).is_empty()).then_some(()));
        site.signal(Signal::TERM);
        until("it drains", || (site.get("/health").status == 503).then_some(()));
        (plain.join().expect("an answer"), online.join().expect("an answer"))
    });
    for result in [plain, online] {
        assert_eq!(
            (&result["status"], &result["stdout"]),
            (&json!("completed"), &json!("sleeps\nslept\n")),
            "{result}"
        );
    }
    assert_eq!(site.ended().code(), Some(0), "{}", site.log());
    assert_eq!((site.containers(), networks_of(&site.instance).len()), (0, 0));
}

#[test]
fn a_second_sigterm_kills_containers_at_once() {
    let Some(site) = Site::start(&[("PYEXEC_POOL", "1"), ("PYEXEC_SHUTDOWN_GRACE", "1000")]) else { return };
    let id = site.sleeper();
    let mut events = site.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"");
    site.signal(Signal::TERM);
    until("it drains", || (site.get("/health").status == 503).then_some(()));
    assert!(site.runs() && site.containers() > 0);
    site.signal(Signal::TERM);
    let last = events.by_ref().last().expect("a result");
    assert_eq!((last.kind.as_str(), &last.data["status"]), ("result", &json!("killed")));
    assert_eq!(site.ended().code(), Some(0), "{}", site.log());
    assert_eq!(site.containers(), 0);
}

#[test]
fn a_server_that_was_killed_is_swept_when_it_starts_again() {
    let Some(site) = Site::start(&[("PYEXEC_POOL", "1")]) else { return };
    let other = new_instance();
    let label = format!("pyexec.instance={other}");
    docker(&["run", "--detach", "--label", &label, "python:3.13-slim", "sleep", "600"]);
    site.sleeper();
    let _online = site.submit_with(
        &format!("import socket\nsocket.socket()\n{}", SLEEP.replace("SECONDS", "600")),
        &json!({"network": true}),
    );
    until("the network is there", || (!networks_of(&site.instance).is_empty()).then_some(()));
    until("the containers are there", || (site.containers() >= 3).then_some(()));
    let old = containers_of(&site.instance);
    site.signal(Signal::KILL);
    site.ended();

    let began = Instant::now();
    let again = Site::start_as(&site.instance, &[]).expect("Docker");
    let is_left = |_: ()| containers_of(&again.instance).iter().any(|container| old.contains(container));
    until("they are swept", || (!is_left(())).then_some(()));
    assert!(began.elapsed() < GONE_WITHIN * 3, "{:?}", began.elapsed());
    assert!(networks_of(&again.instance).is_empty(), "the network, too");
    let kept = docker(&["ps", "--quiet", "--filter", &format!("label={label}")]);
    remove_all(&other);
    assert_eq!(kept.lines().count(), 1, "another's runs on");
    assert_eq!(again.in_docker(json!({"code": "print('well')"}))["stdout"], "well\n");
}

/// Runs a job on the server while `other` happens, which must not be to its harm.
fn unharmed_by(server: &Server, other: impl FnOnce()) {
    let slow = json!({"code": SLEEP.replace("SECONDS", "4"), "executor": "docker"});
    let result = thread::scope(|scope| {
        let running = scope.spawn(|| server.eval(&slow));
        let listed = until("it is listed", || {
            let list = server.get("/api/v1/executions?status=running").json();
            list["executions"][0]["execution_id"].as_str().map(str::to_owned)
        });
        server.has_printed(&listed);
        other();
        running.join().expect("an answer")
    });
    assert_eq!(result["stdout"], "sleeps\nslept\n", "{result}");
}

#[test]
fn servers_on_any_free_port_do_not_sweep_each_other() {
    if without_docker() {
        return;
    }
    let start = || Server::start(&[("PYEXEC_FALLBACK", "on"), ("PYEXEC_POOL", "0")], &[]);
    let stop = |server: &Server| {
        server.signal(Signal::TERM);
        assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    };
    let one = start();
    unharmed_by(&one, || stop(&start()));
    stop(&one);
}

#[test]
fn a_server_that_is_started_twice_does_not_sweep_the_first() {
    let Some(site) = Site::start(&[]) else { return };
    let settings = [("PYEXEC_FALLBACK", "on"), ("PYEXEC_INSTANCE", &*site.instance)];
    unharmed_by(&site, || {
        let port = site.addr().port().to_string();
        let ended = Server::try_start(&settings, &["--port", &port]).err().expect("the port is taken");
        assert_eq!(ended.status.code(), Some(125), "{}", ended.log);
        assert!(ended.log.contains("cannot listen on"), "{}", ended.log);
    });
}

/// `pyexec eval` in a container, by way of a socket.
fn evaluate(socket: &Path, flags: &[&str], code: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pyexec"))
        .args(["eval", "--executor", "docker"])
        .args(flags)
        .arg(code)
        .env("PYEXEC_DOCKER_SOCKET", socket)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

#[test]
fn two_servers_and_ten_command_lines_at_once_lose_nothing() {
    let (Some(one), Some(two)) = (Site::start(&[("PYEXEC_POOL", "1")]), Site::start(&[])) else { return };
    let proxy = Proxy::start();
    let code =
        |n: usize, seconds: f64| format!("import time\nprint('in', {n}, flush=True)\ntime.sleep({seconds})\n{n} * 11");
    thread::scope(|scope| {
        let mut asked = Vec::new();
        for (at, site) in [(0, &one), (1, &two), (2, &one), (3, &two), (4, &one), (5, &two)] {
            let request = json!({"code": code(100 + at, 0.5 * at as f64), "eval_last_expr": true});
            asked.push((at, scope.spawn(move || site.in_docker(request))));
        }
        // One that ends as none should: what it leaves is its own.
        let mut killed = evaluate(&proxy.socket(), &[], &code(99, 600.0));
        let children: Vec<_> = (0..10).map(|n| evaluate(&proxy.socket(), &[], &code(n, 0.3 * n as f64))).collect();
        let mut line = [0; 6];
        killed.stdout.take().expect("piped").read_exact(&mut line).expect("it runs");
        killed.kill().expect("killed");
        killed.wait().expect("ended");
        for (n, child) in children.into_iter().enumerate() {
            let output = child.wait_with_output().expect("ends");
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!((&*stdout, output.status.code()), (&*format!("in {n}\n{}\n", n * 11), Some(0)), "{stderr}");
        }
        for (at, result) in asked {
            let result = result.join().expect("an answer");
            let expected = ((100 + at) * 11).to_string();
            assert_eq!((&result["stdout"], &result["result"]), (&json!(format!("in {}", 100 + at)), &json!(expected)));
        }
    });
    assert_eq!(proxy.created(), 11, "each job has one container");
}

/// Which Python an image has is found out once, and by the first that wants to know.
#[test]
fn a_job_of_the_command_line_starts_one_container() {
    if without_docker() {
        return;
    }
    let proxy = Proxy::start();
    let run = || {
        let before = proxy.created();
        let output =
            evaluate(&proxy.socket(), &["--image", "python:3.11-slim"], "6 * 7").wait_with_output().expect("ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n", "{}", String::from_utf8_lossy(&output.stderr));
        proxy.created() - before
    };
    run();
    assert_eq!(run(), 1);
}
