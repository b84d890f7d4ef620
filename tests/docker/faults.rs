//! Faults of the daemon.

use super::{block_on, gone, job, limits};
use crate::support::{
    docker::{Containers, docker, layers_of, remove_layers},
    proxy::{Mode, Proxy},
};
use pyexec::{
    Hint, Limits,
    executor::docker::{DockerExecutor, DockerOptions, Placement},
    outcome::{Ending, StopReason},
};
use std::time::{Duration, Instant};

/// An executor that reaches the daemon through `proxy`.
fn behind(proxy: &Proxy) -> Option<Containers> {
    Containers::new(|options| {
        options.socket = proxy.socket().to_str().expect("a path").to_owned();
        options.slots = 2;
    })
}

#[test]
fn faults_of_the_daemon_end_in_time_and_leave_nothing() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    block_on(async {
        for mode in [Mode::Fail, Mode::Drop, Mode::DropAnswer, Mode::Hang] {
            proxy.set(mode);
            let began = Instant::now();
            let limits = limits(|limits| limits.wall_clock_ms = 3000);
            let ended = containers.placed(job("print('unseen')").limits(limits), Placement::default()).await;
            let took = began.elapsed();
            proxy.set(Mode::PassOn);
            assert!(took < Duration::from_secs(5), "{mode:?}: {took:?}");
            match ended {
                Err(error) if !error.is_invalid_job() => {
                    assert!(error.message().contains("Docker"), "{mode:?}: {error}")
                }
                Ok(outcome) => {
                    assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit }, "{mode:?}");
                    assert!(outcome.stderr.text.contains("before its container had started"), "{outcome:?}");
                }
                Err(error) => panic!("{mode:?}: {error:?}"),
            }
            let next = containers.run(job("print('well again')")).await;
            assert_eq!(next.stdout.text, "well again\n", "after {mode:?}");
        }
        containers.executor().shutdown().await.expect("shut down");
    });
}

#[test]
fn a_connection_lost_in_the_middle_of_a_job_ends_it() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    block_on(async {
        let running = containers.placed(job("import time; time.sleep(15)"), Placement::default());
        let cutting = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            proxy.set(Mode::Cut);
            tokio::time::sleep(Duration::from_millis(300)).await;
            proxy.set(Mode::PassOn);
        };
        let began = Instant::now();
        let (ended, ()) = tokio::join!(running, cutting);
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        assert!(!matches!(&ended, Ok(outcome) if outcome.success()), "{ended:?}");
        let next = containers.run(job("print('well again')")).await;
        assert_eq!(next.stdout.text, "well again\n");
        containers.executor().shutdown().await.expect("shut down");
    });
}

#[test]
fn a_daemon_that_hangs_at_the_deadline_does_not_hold_the_answer() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    block_on(async {
        let limits = Limits { wall_clock_ms: 4000, ..limits(|_| ()) };
        let running = containers.placed(job("import time; time.sleep(60)").limits(limits), Placement::default());
        let hanging = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            proxy.set(Mode::Hang);
        };
        let began = Instant::now();
        let (ended, ()) = tokio::join!(running, hanging);
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        assert_eq!(ended.expect("an outcome").ending, Ending::Stopped { reason: StopReason::TimeLimit });
        proxy.set(Mode::PassOn);
        containers.executor().shutdown().await.expect("shut down");
    });
}

#[test]
fn faults_of_the_daemon_in_a_build_leave_nothing() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    block_on(async {
        for mode in [Mode::Fail, Mode::Drop, Mode::Cut] {
            let mut placement = Placement::default();
            placement.pre_commands = vec![format!("echo {mode:?}; sleep 4")];
            let breaking = async {
                tokio::time::sleep(Duration::from_secs(3)).await;
                proxy.set(mode);
                tokio::time::sleep(Duration::from_secs(4)).await;
                proxy.set(Mode::PassOn);
            };
            let (prepared, ()) = tokio::join!(containers.prepare(&placement), breaking);
            assert!(matches!(&prepared, Err(error) if !error.is_invalid_job()), "{mode:?}: {prepared:?}");
            assert!(layers_of(&containers.instance).is_empty(), "{mode:?}");
            // The same once more, and well.
            containers.prepare(&placement).await.expect("prepared");
            remove_layers(&containers.instance);
        }
        containers.executor().shutdown().await.expect("shut down");
        assert!(containers.left().is_empty());
    });
}

#[test]
fn containers_start_on_a_kernel_without_ipv6() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    // Which has no such setting.
    proxy.set(Mode::Rewrite("net.ipv6.conf.lo.", "net.ipv6.conf.no."));
    block_on(async {
        for tried in [2, 1] {
            let before = proxy.created();
            let outcome = containers.run(job("print('runs')")).await;
            assert_eq!((outcome.stdout.text.as_str(), proxy.created() - before), ("runs\n", tried));
        }
    });
}

#[test]
fn an_image_without_python_is_known_by_the_state_of_its_container() {
    let proxy = Proxy::start();
    let Some(containers) = behind(&proxy) else { return };
    // Without the first process of Docker's own, the daemon itself does not find the program.
    proxy.set(Mode::Rewrite(r#""Init":true"#, r#""Init":null"#));
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        for python3 in ["/nowhere", "/etc/passwd"] {
            let tag = format!("pyexec-test-{}", uuid::Uuid::new_v4().simple());
            let file = format!("FROM python:3.13-slim\nRUN mkdir /own; ln -s {python3} /own/python3\nENV PATH=/own\n");
            std::fs::write(folder.path().join("Dockerfile"), file).expect("written");
            docker(&["build", "--quiet", "--tag", &tag, folder.path().to_str().expect("a path")]);
            let mut placement = Placement::default();
            placement.image = Some(tag.clone());
            let refused = containers.placed(job(""), placement).await;
            gone(&containers).await;
            docker(&["rmi", "--force", &tag]);
            assert!(
                matches!(&refused, Err(error) if error.is_invalid_job() && error.message().contains("has no python3")),
                "{python3}: {refused:?}"
            );
        }
    });
}

#[test]
fn a_daemon_that_is_not_there_is_named() {
    let mut options = DockerOptions::default();
    options.socket = "/nowhere/docker.sock".to_owned();
    let Err(error) = DockerExecutor::connect(options) else { panic!("connected") };
    assert!(error.message().contains("/nowhere/docker.sock"), "{error}");
    assert_eq!(error.hint(), Some(&Hint::StartDocker));
}
