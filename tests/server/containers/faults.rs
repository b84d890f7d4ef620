//! A daemon that is not there, or behaves as none should.

use super::{Site, THREAD, new_instance};
use crate::{
    server::support::{Answer, Server, could_not_run, until},
    support::proxy::{Mode, Proxy},
};
use serde_json::json;
use std::time::{Duration, Instant};

const NOWHERE: &str = "/nowhere/docker.sock";

/// It is an execution that failed, and says what it is about.
fn is_clear(answer: &Answer, what: Mode) {
    let result = answer.json();
    assert_eq!((answer.status, &result["status"]), (200, &json!("failed")), "{what:?}: {result}");
    match result["error_kind"].as_str() {
        Some("unavailable") => assert!(result["error"].as_str().is_some_and(|error| error.contains("Docker"))),
        Some("time_limit") => assert_eq!(result["error"], "execution timeout after 4s"),
        _ => panic!("{what:?}: {result}"),
    }
}

fn wasm_is_well(server: &Server) {
    let began = Instant::now();
    let result = server.eval(&json!({"code": "print(1)"}));
    assert_eq!((&result["executor"], &result["stdout"]), (&json!("wasm"), &json!("1\n")), "{result}");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn faults_of_the_daemon_are_told_in_time_and_pass() {
    let proxy = Proxy::start();
    let socket = proxy.socket();
    let Some(site) = Site::start(&[("PYEXEC_DOCKER_SOCKET", socket.to_str().expect("a path"))]) else { return };
    let request = json!({"code": THREAD, "config": {"timeout_seconds": 4}});
    for mode in [Mode::Fail, Mode::Drop, Mode::DropAnswer, Mode::Hang] {
        proxy.set(mode);
        let began = Instant::now();
        let answer = site.post_json("/api/v1/eval", &request);
        assert!(began.elapsed() < Duration::from_secs(7), "{mode:?}: {:?}", began.elapsed());
        is_clear(&answer, mode);
        wasm_is_well(&site);
        assert_eq!(site.get("/health").status, 200);
        proxy.set(Mode::PassOn);
        assert_eq!(site.eval(&json!({"code": THREAD}))["stdout"], "in a thread\n", "after {mode:?}");
    }
    // While a job runs.
    let id = site.sleeper();
    proxy.set(Mode::Cut);
    let result = site.result_of(&id);
    proxy.set(Mode::PassOn);
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("unavailable")), "{result}");
    assert!(result["error"].as_str().is_some_and(|error| error.contains("container was lost")), "{result}");
    assert_eq!(site.eval(&json!({"code": THREAD}))["stdout"], "in a thread\n");
    until("the containers are gone", || (site.containers() == 0).then_some(()));
}

#[test]
fn without_a_daemon_auto_serves_what_needs_none_and_says_why() {
    let server = Server::start(&[("PYEXEC_FALLBACK", "auto"), ("PYEXEC_DOCKER_SOCKET", NOWHERE)], &[]);
    until("it is logged", || server.log().contains("no containers").then_some(()));
    let health = server.get("/health").json();
    assert_eq!((&health["status"], &health["executors"]), (&json!("ok"), &json!(["wasm"])));
    assert!(
        health["docker"].as_str().is_some_and(|why| why.contains(NOWHERE) && why.contains("there is no socket")),
        "{health}"
    );
    for request in
        [json!({"code": THREAD}), json!({"code": "1", "executor": "docker"}), json!({"code": "import numpy"})]
    {
        let result = server.eval(&request);
        assert_eq!(result["error_kind"], "unavailable", "{result}");
        let error = could_not_run(&result);
        assert!(error.contains("docker") && error.contains(NOWHERE), "{error}");
    }
    wasm_is_well(&server);
}

#[test]
fn a_daemon_that_comes_later_is_used() {
    let proxy = Proxy::start();
    proxy.set(Mode::Fail);
    let socket = proxy.socket();
    let settings = [("PYEXEC_FALLBACK", "auto"), ("PYEXEC_DOCKER_SOCKET", socket.to_str().expect("a path"))];
    let Some(site) = Site::start_as(&new_instance(), &settings) else { return };
    assert_eq!(site.get("/health").json()["executors"], json!(["wasm"]));
    assert_eq!(site.eval(&json!({"code": THREAD}))["error_kind"], "unavailable");
    proxy.set(Mode::PassOn);
    until("it is found", || {
        let answer = site.post_json("/api/v1/eval", &json!({"code": THREAD}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        (answer.status == 200 && answer.json()["stdout"] == "in a thread\n").then_some(())
    });
    let health = site.get("/health").json();
    assert_eq!((&health["executors"], &health["docker"]), (&json!(["wasm", "docker"]), &json!("ready")));
}

#[test]
fn turned_off_it_is_a_setting_that_is_named() {
    let server = Server::start(&[("PYEXEC_FALLBACK", "off")], &[]);
    for (request, need) in [
        (json!({"code": THREAD}), "starts a thread"),
        (json!({"code": "1", "executor": "docker"}), "asks for docker"),
        (json!({"code": "1", "python_version": "3.11"}), "asks for Python 3.11"),
        (json!({"code": "1", "pre_commands": ["true"]}), "has pre_commands"),
    ] {
        let result = server.eval(&request);
        let text = |member: &str| result[member].as_str().unwrap_or_default().to_owned();
        assert!(text("error").contains(need) && text("hint").contains("PYEXEC_FALLBACK=auto"), "{result}");
    }
    let health = server.get("/health").json();
    assert_eq!(health["executors"], json!(["wasm"]));
    assert!(health["docker"].as_str().is_some_and(|why| why.contains("containers are off")), "{health}");
    wasm_is_well(&server);
}

#[test]
fn on_without_a_daemon_does_not_start() {
    let settings = [("PYEXEC_FALLBACK", "on"), ("PYEXEC_DOCKER_SOCKET", NOWHERE)];
    let ended = Server::try_start(&settings, &["--port", "0"]).err().expect("not started");
    assert_eq!(ended.status.code(), Some(125), "{}", ended.log);
    assert!(ended.log.contains(NOWHERE) && ended.log.contains("there is no socket"), "{}", ended.log);
    assert!(!ended.log.contains("panicked"), "{}", ended.log);
}
