//! Faults of the daemon, made by a proxy on its socket.

use super::{block_on, job, limits};
use crate::support::docker::{Containers, layers_of, remove_layers};
use pyexec::{
    Error, Limits,
    executor::docker::{DockerExecutor, DockerOptions, Placement},
    outcome::{Ending, StopReason},
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{UnixListener, UnixStream},
    sync::watch,
};

const DAEMON: &str = "/var/run/docker.sock";

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    PassOn,
    /// It is read, and that is all.
    Hang,
    /// It is answered with 500.
    Fail,
    /// It is read, and the connection closed.
    Drop,
    /// It is passed on, and the connection closed before the answer.
    DropAnswer,
    /// Open connections are closed, too.
    Cut,
}

/// A socket that behaves as it is told.
pub(super) struct Proxy {
    mode: watch::Sender<Mode>,
    folder: tempfile::TempDir,
    thread: Option<std::thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    connections: Arc<AtomicU32>,
}

impl Proxy {
    pub(super) fn start() -> Proxy {
        let folder = tempfile::tempdir().expect("a folder");
        let (mode, mode_seen) = watch::channel(Mode::PassOn);
        let (stop, mut stopped) = watch::channel(false);
        let path = folder.path().join("docker.sock");
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            block_on(async move {
                let listener = UnixListener::bind(path).expect("a socket");
                ready.send(()).expect("waited for");
                loop {
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => break,
                        accepted = listener.accept() => {
                            let (client, _) = accepted.expect("a connection");
                            counted.fetch_add(1, Ordering::Relaxed);
                            tokio::spawn(serve(client, mode_seen.clone()));
                        }
                    }
                }
            });
        });
        is_ready.recv().expect("listening");
        Proxy { mode, folder, thread: Some(thread), stop, connections }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many connections there have been.
    pub(super) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    fn containers(&self) -> Option<Containers> {
        Containers::new(|options| {
            options.socket = self.socket().to_str().expect("a path").to_owned();
            options.slots = 2;
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(mut client: UnixStream, mut mode: watch::Receiver<Mode>) {
    let now = *mode.borrow();
    let mut request = vec![0; 1 << 20];
    match now {
        Mode::PassOn => {
            let Ok(mut daemon) = UnixStream::connect(DAEMON).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut daemon) => {}
                _ = mode.wait_for(|mode| *mode == Mode::Cut) => {}
            }
        }
        Mode::Hang => {
            let _ = mode.wait_for(|mode| *mode != Mode::Hang).await;
        }
        Mode::Fail => {
            let _ = client.read(&mut request).await;
            let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"message\":\"broken\"}";
            let _ = client.write_all(answer.as_bytes()).await;
        }
        Mode::Drop | Mode::Cut => {
            let _ = client.read(&mut request).await;
        }
        Mode::DropAnswer => {
            let Ok(mut daemon) = UnixStream::connect(DAEMON).await else { return };
            let passing = async {
                let (mut from_client, _) = client.split();
                let (mut answer, mut to_daemon) = daemon.split();
                tokio::select! {
                    _ = tokio::io::copy(&mut from_client, &mut to_daemon) => {}
                    _ = answer.read(&mut request) => {}
                }
            };
            passing.await;
        }
    }
}

#[test]
fn faults_of_the_daemon_end_in_time_and_leave_nothing() {
    let proxy = Proxy::start();
    let Some(containers) = proxy.containers() else { return };
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
                Err(Error::Unavailable { message, .. }) => assert!(message.contains("Docker"), "{mode:?}: {message}"),
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
    let Some(containers) = proxy.containers() else { return };
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
    let Some(containers) = proxy.containers() else { return };
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
    let Some(containers) = proxy.containers() else { return };
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
            assert!(matches!(&prepared, Err(Error::Unavailable { .. })), "{mode:?}: {prepared:?}");
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
fn a_daemon_that_is_not_there_is_named() {
    let mut options = DockerOptions::default();
    options.socket = "/nowhere/docker.sock".to_owned();
    let Err(Error::Unavailable { message, .. }) = DockerExecutor::connect(options) else { panic!("connected") };
    assert!(message.contains("/nowhere/docker.sock") && message.contains("does it run"), "{message}");
}
