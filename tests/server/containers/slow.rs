//! What comes before a job and after it takes long, and holds no slot: packages, images, commands, and removals.

use super::Site;
use crate::{
    server::support::{Form, until},
    support::proxy::{Mode, Proxy},
};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A site with one slot for containers, whose daemon is behind `proxy`.
fn behind(proxy: &Proxy) -> Option<Site> {
    let socket = proxy.socket();
    let socket = socket.to_str().expect("a path");
    Site::start(&[("PYEXEC_DOCKER_SOCKET", socket), ("PYEXEC_DOCKER_SLOTS", "1"), ("PYEXEC_SLOTS", "1")])
}

/// Submits jobs that are provisioned for longer than this test takes, and returns when all of them are.
fn provisioned_for_long<'s>(site: &'s Site, jobs: &[Value]) -> impl FnOnce() + use<'s> {
    let ids: Vec<_> = jobs.iter().map(|metadata| site.submit_with("print(1)", metadata)).collect();
    for id in &ids {
        until("it is provisioned", || {
            let status = site.get(&format!("/api/v1/executions/{id}")).json()["status"].clone();
            (status == "running").then_some(())
        });
    }
    move || {
        for id in ids {
            assert_eq!(site.delete(&format!("/api/v1/executions/{id}")).json()["status"], "killed");
        }
    }
}

/// Both tiers are as free as if nobody was there.
fn tiers_are_free(site: &Site) {
    for tier in ["wasm", "docker"] {
        assert_eq!(site.metric(&format!("pyexec_slots_busy{{tier=\"{tier}\"}}")), Some(0.0));
        assert_eq!(site.metric(&format!("pyexec_queue_length{{tier=\"{tier}\"}}")), Some(0.0));
        let began = Instant::now();
        let result = site.eval(&json!({"code": "print(2)", "executor": tier, "config": {"timeout_seconds": 5}}));
        assert_eq!((&result["status"], &result["stdout"]), (&json!("completed"), &json!("2\n")), "{result}");
        assert!(began.elapsed() < Duration::from_secs(6), "{tier}: {:?}", began.elapsed());
    }
}

/// A site with one slot for each tier, whose package index takes connections and never answers.
fn before_slow_index(settings: &[(&str, &str)]) -> Option<(Site, TcpListener, TempDir)> {
    let index = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/simple", index.local_addr().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("environments");
    let own = own.to_str().expect("UTF-8");
    let usual = [("PYEXEC_INDEX_URL", &*url), ("PYEXEC_ENVIRONMENTS_DIR", own)];
    let slots = [("PYEXEC_DOCKER_SLOTS", "1"), ("PYEXEC_SLOTS", "1")];
    let site = Site::start(&[&usual, &slots, settings].concat())?;
    Some((site, index, folder))
}

#[test]
fn four_slow_builds_leave_the_tiers_free() {
    let Some(site) = Site::start(&[("PYEXEC_DOCKER_SLOTS", "1"), ("PYEXEC_SLOTS", "1")]) else { return };
    let build = |n| json!({"executor": "docker", "pre_commands": [format!("sleep 60{n}")]});
    let end = provisioned_for_long(&site, &[0, 1, 2, 3].map(build));
    until("commands run", || (site.containers() > 0).then_some(()));
    tiers_are_free(&site);
    end();
    site.are_gone(Instant::now(), "builds that nobody waits for");
}

#[test]
fn four_slow_installs_leave_the_tiers_free() {
    let Some((site, _index, _folder)) = before_slow_index(&[]) else { return };
    let install = |n| json!({"executor": "docker", "requirements_txt": format!("slow-package-{n}")});
    let in_docker = provisioned_for_long(&site, &[0, 1, 2, 3].map(install));
    let install = |n| json!({"executor": "wasm", "requirements_txt": format!("slow-package-{n}")});
    let in_wasm = provisioned_for_long(&site, &[0, 1, 2, 3].map(install));
    tiers_are_free(&site);
    in_docker();
    in_wasm();
}

#[test]
fn four_slow_pulls_leave_the_tiers_free() {
    let proxy = Proxy::start();
    let Some(site) = behind(&proxy) else { return };
    proxy.set(Mode::Hold("/images/create"));
    let pull = |n| json!({"executor": "docker", "docker_image": format!("python:3.13-none-{n}")});
    let end = provisioned_for_long(&site, &[0, 1, 2, 3].map(pull));
    tiers_are_free(&site);
    end();
    proxy.set(Mode::PassOn);
}

/// A job of which nothing is to be made has its image looked at first like any other, and not again.
#[test]
fn a_look_at_the_usual_image_holds_no_slot() {
    let proxy = Proxy::start();
    let Some(site) = behind(&proxy) else { return };
    proxy.set(Mode::Hold("/images/"));
    let looking = site.submit_with("print(1)", &json!({"executor": "docker"}));
    assert_eq!(site.metric("pyexec_slots_busy{tier=\"docker\"}"), Some(0.0));
    assert_eq!(site.metric("pyexec_queue_length{tier=\"docker\"}"), Some(0.0));
    proxy.set(Mode::PassOn);
    assert_eq!(site.result_of(&looking)["stdout"], "1\n");
    proxy.set(Mode::Hold("/images/"));
    tiers_are_free(&site);
    proxy.set(Mode::PassOn);
}

#[test]
fn removing_a_container_holds_no_slot() {
    let proxy = Proxy::start();
    let Some(site) = behind(&proxy) else { return };
    proxy.set(Mode::Hold("DELETE /"));
    for _ in 0..3 {
        tiers_are_free(&site);
    }
    // A job that is killed is not over for its container; its slot is free all the same.
    let sleeper = site.sleeper();
    assert_eq!(site.delete(&format!("/api/v1/executions/{sleeper}")).json()["status"], "killed");
    tiers_are_free(&site);
    assert_eq!(site.containers(), 5);
    proxy.set(Mode::PassOn);
    site.are_gone(Instant::now(), "containers whose removal was held up");
}

/// Where a daemon does not remove what it is told to, it is not given more and more.
#[test]
fn containers_on_their_way_out_are_bounded() {
    let proxy = Proxy::start();
    let Some(site) = behind(&proxy) else { return };
    proxy.set(Mode::Hold("DELETE /"));
    for _ in 0..8 {
        site.in_docker(json!({"code": "1"}));
    }
    let result = site.in_docker(json!({"code": "1", "config": {"timeout_seconds": 1}}));
    assert_eq!((&result["error_kind"], site.containers()), (&json!("time_limit"), 8), "{result}");
    let waiting = site.submit_with("print(1)", &json!({"executor": "docker"}));
    proxy.set(Mode::PassOn);
    assert_eq!(site.result_of(&waiting)["stdout"], "1\n");
}

#[test]
fn jobs_that_are_provisioned_are_bounded() {
    let Some((site, _index, _folder)) = before_slow_index(&[("PYEXEC_QUEUE", "2")]) else { return };
    // The usual image is known from here on.
    tiers_are_free(&site);
    let install = |n| json!({"executor": "docker", "requirements_txt": format!("slow-package-{n}")});
    let end = provisioned_for_long(&site, &[0, 1, 2].map(install));
    let form = Form::new().tar(&[("main.py", "1")]).field("metadata", "", install(3).to_string().as_bytes());
    let refused = site.post_form("/api/v1/exec/async", &[], &form);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")), "{}", refused.text());
    tiers_are_free(&site);
    end();
}
