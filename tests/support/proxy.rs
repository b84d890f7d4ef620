//! Faults of the Docker daemon, made by a proxy on its socket.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// How soon it is noticed that a client has gone which had closed its input before.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
const DAEMON: &str = "/var/run/docker.sock";

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
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
    /// What has this text in its first line is not passed on before there is another mode; the rest is at once.
    Hold(&'static str),
    /// It is passed on as if the second text stood for the first, which is as long, in what is asked of containers.
    Rewrite(&'static str, &'static str),
}

/// A socket that behaves as it is told.
pub struct Proxy {
    mode: watch::Sender<Mode>,
    folder: tempfile::TempDir,
    thread: Option<std::thread::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    connections: Arc<AtomicU32>,
    created: Arc<AtomicU32>,
}

impl Proxy {
    pub fn start() -> Proxy {
        let folder = tempfile::tempdir().expect("a folder");
        let (mode, mode_seen) = watch::channel(Mode::PassOn);
        let (stop, mut stopped) = watch::channel(false);
        let path = folder.path().join("docker.sock");
        let connections = Arc::new(AtomicU32::new(0));
        let created = Arc::new(AtomicU32::new(0));
        let (counted, seen) = (Arc::clone(&connections), Arc::clone(&created));
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = UnixListener::bind(path).expect("a socket");
                ready.send(()).expect("waited for");
                loop {
                    tokio::select! {
                        _ = stopped.wait_for(|stop| *stop) => break,
                        accepted = listener.accept() => {
                            let (client, _) = accepted.expect("a connection");
                            counted.fetch_add(1, Ordering::Relaxed);
                            tokio::spawn(serve(client, mode_seen.clone(), Arc::clone(&seen)));
                        }
                    }
                }
            });
        });
        is_ready.recv().expect("listening");
        Proxy { mode, folder, thread: Some(thread), stop, connections, created }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many connections there have been.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many containers were asked for.
    pub fn created(&self) -> u32 {
        self.created.load(Ordering::Relaxed)
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

async fn serve(mut client: UnixStream, mut mode: watch::Receiver<Mode>, created: Arc<AtomicU32>) {
    let now = *mode.borrow();
    let mut request = vec![0; 1 << 20];
    match now {
        Mode::PassOn | Mode::Hold(_) | Mode::Rewrite(..) => {
            let Ok(mut daemon) = UnixStream::connect(DAEMON).await else { return };
            tokio::select! {
                () = pass_on(&mut client, &mut daemon, mode.clone(), &created) => {}
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

/// Passes everything on, and counts the containers that are created.
async fn pass_on(client: &mut UnixStream, daemon: &mut UnixStream, mode: watch::Receiver<Mode>, created: &AtomicU32) {
    let now = *mode.borrow();
    let mut held = mode;
    let ((mut from_client, mut to_client), (mut from_daemon, mut to_daemon)) = (client.split(), daemon.split());
    let there = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            let mut request = buffer[..length].to_vec();
            // The head of a request comes in one piece.
            let line = String::from_utf8_lossy(request.split(|&byte| byte == b'\r').next().unwrap_or_default());
            let _ = held.wait_for(|mode| !matches!(mode, Mode::Hold(text) if line.contains(text))).await;
            if request.windows(18).any(|part| part == b"/containers/create") {
                created.fetch_add(1, Ordering::Relaxed);
                if let Mode::Rewrite(from, to) = now {
                    read_body(&mut from_client, &mut request).await;
                    rewrite(&mut request, from, to);
                }
            }
            if to_daemon.write_all(&request).await.is_err() {
                break;
            }
        }
        let _ = to_daemon.shutdown().await;
        // Who closes an input may still read; the daemon never ends what it streams of a container that did not start.
        while let Ok(ready) = from_client.ready(Interest::WRITABLE).await
            && !ready.is_write_closed()
        {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    };
    let back = async {
        let _ = tokio::io::copy(&mut from_daemon, &mut to_client).await;
        let _ = to_client.shutdown().await;
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// Reads the rest of a request whose head is there.
async fn read_body(client: &mut (impl AsyncReadExt + Unpin), request: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let head = text.find("\r\n\r\n").expect("a head") + 4;
    let length = text[..head].lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let whole = head + length.expect("a length");
    while request.len() < whole {
        assert_ne!(client.read_buf(request).await.expect("a body"), 0, "the request is cut off");
    }
}

fn rewrite(request: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len(), "the length of the body is told beforehand");
    while let Some(at) = request.windows(from.len()).position(|part| part == from.as_bytes()) {
        request[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
}
