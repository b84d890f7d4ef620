//! What becomes of what an earlier process left, and of what others still have.

use super::{block_on, job, with_docker};
use crate::support::docker::{Containers, containers_of, docker, networks_of, options};
use pyexec::{
    Event,
    executor::{
        Executor,
        docker::{DockerExecutor, Instance},
    },
};
use std::time::{Duration, Instant};

const NO_TRAFFIC: &str = "com.docker.network.bridge.enable_icc=false";

/// In a process of its own, which is killed.
#[test]
fn a_killed_service_leaves_nothing_that_runs_and_its_next_start_nothing_at_all() {
    const PART: &str = "docker::leftovers::a_killed_service_leaves_nothing_that_runs_and_its_next_start_nothing_at_all";
    if let Ok(instance) = std::env::var("INSTANCE_TO_BE_KILLED") {
        let containers = Containers::new(|options| options.instance = Instance::Exclusive(instance)).expect("Docker");
        block_on(async {
            let jobs = (0..3).map(|_| containers.run(job("import os, time\nos.fork()\nwhile True: time.sleep(1)")));
            futures_util::future::join_all(jobs).await;
        });
        return;
    }
    with_docker(async |containers| {
        let mut options = options();
        let instance = format!("{}-killed", containers.instance);
        options.instance = Instance::Exclusive(instance.clone());
        let mut service = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", PART, "--nocapture"])
            .env("INSTANCE_TO_BE_KILLED", &instance)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        let running = |instance: &str| {
            docker(&["ps", "--quiet", "--filter", &format!("label=pyexec.instance={instance}")]).lines().count()
        };
        let began = Instant::now();
        while running(&instance) < 3 {
            assert!(began.elapsed() < Duration::from_secs(10), "three containers run");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        service.kill().expect("killed");
        service.wait().expect("ended");
        let began = Instant::now();
        while running(&instance) > 0 {
            assert!(began.elapsed() < Duration::from_secs(5), "containers run without their service");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!containers_of(&instance).is_empty(), "they are there, though they do not run");
        drop(DockerExecutor::connect(options).expect("Docker"));
        assert!(containers_of(&instance).is_empty(), "swept");
    });
}

#[test]
fn leftovers_of_an_instance_are_swept_and_those_of_others_are_not() {
    with_docker(async |other| {
        let mut options = options();
        let instance = format!("{}-again", other.instance);
        options.instance = Instance::Exclusive(instance.clone());
        let leave = |instance: &str| {
            docker(&["create", "--label", &format!("pyexec.instance={instance}"), "python:3.13-slim", "true"])
        };
        leave(&instance);
        leave(&instance);
        docker(&[
            "network",
            "create",
            "--label",
            &format!("pyexec.instance={instance}"),
            "--opt",
            NO_TRAFFIC,
            &instance,
        ]);
        let kept = leave(&other.instance);
        let executor = DockerExecutor::connect(options).expect("Docker");
        assert!(containers_of(&instance).is_empty(), "swept at the start");
        assert!(networks_of(&instance).is_empty(), "networks, too");
        assert_eq!(other.left().len(), 1, "another's is untouched");
        docker(&["rm", "--force", &kept]);
        // A running job's is not a leftover.
        let running = executor.run(
            job("import time; time.sleep(2); print('lives')").resolve().expect("a job"),
            Box::new(|_: Event<'_>| ()),
        );
        let sweep = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            leave(&instance);
            executor.sweep().await
        };
        let (outcome, swept) = tokio::join!(running, sweep);
        assert_eq!(swept.expect("swept"), 1);
        assert_eq!(outcome.expect("an outcome").stdout.text, "lives\n");
        executor.shutdown().await.expect("shut down");
        assert!(containers_of(&instance).is_empty());
    });
}

#[test]
fn what_another_process_of_a_shared_instance_has_is_left_to_it() {
    with_docker(async |other| {
        let instance = format!("{}-shared", other.instance);
        let shared = || {
            let mut options = options();
            options.instance = Instance::Shared(instance.clone());
            DockerExecutor::connect(options).expect("Docker")
        };
        let label = format!("pyexec.instance={instance}");
        let created = docker(&["create", "--label", &label, "python:3.13-slim", "true"]);
        let ended = docker(&["run", "--detach", "--label", &label, "python:3.13-slim", "true"]);
        let runs = docker(&["run", "--detach", "--label", &label, "python:3.13-slim", "sleep", "120"]);
        let one = shared();
        assert_eq!(one.sweep().await.expect("swept"), 0, "all are young, or run");
        let ran = one
            .run(job("print('beside them')").resolve().expect("a job"), Box::new(|_: Event<'_>| ()))
            .await
            .expect("an outcome");
        assert_eq!(ran.stdout.text, "beside them\n");
        // Its process would have removed it by now.
        tokio::time::sleep(Duration::from_secs(62)).await;
        let two = shared();
        let left = containers_of(&instance);
        assert_eq!(left.len(), 2, "{left:?}");
        for (id, kept) in [(&created, true), (&ended, false), (&runs, true)] {
            assert_eq!(left.iter().any(|short| id.starts_with(short)), kept, "{id}");
        }
        one.shutdown().await.expect("shut down");
        two.shutdown().await.expect("shut down");
        assert_eq!(containers_of(&instance).len(), 2);
        docker(&["rm", "--force", &created, &runs]);
    });
}

#[test]
fn an_instance_has_a_plain_name() {
    for name in ["", "a b", "a=b", "../x", &"x".repeat(65)] {
        let mut options = options();
        options.instance = Instance::Exclusive(name.to_owned());
        let Err(error) = DockerExecutor::connect(options) else { panic!("connected as {name:?}") };
        assert!(error.to_string().contains("choose another"), "{error}");
    }
}
