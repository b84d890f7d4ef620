//! Shows that a long build is alive.
//!
//! Cargo keeps a build script's output to itself until it ends, so lines go to cargo's own stderr where the system lets
//! us find it, else to the terminal.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

const HEARTBEAT: Duration = Duration::from_secs(20);

pub struct Progress {
    sink: Option<Arc<Mutex<File>>>,
    started: Instant,
}

impl Progress {
    pub fn new() -> Progress {
        let sink = [parent_stderr(), Some("/dev/tty".to_owned())]
            .into_iter()
            .flatten()
            .find_map(|path| OpenOptions::new().append(true).open(path).ok());
        Progress { sink: sink.map(|file| Arc::new(Mutex::new(file))), started: Instant::now() }
    }

    /// Says what is being done and about how long it takes, then that it still is, until `work` ends.
    pub fn step<T>(&self, what: &str, usual: &str, work: impl FnOnce() -> T) -> T {
        self.say(&format!("{what} ({usual})"));
        let (done, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let begun = Instant::now();
                while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(HEARTBEAT) {
                    self.say(&format!("{what}: {} s so far", begun.elapsed().as_secs()));
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    fn say(&self, line: &str) {
        if let Some(sink) = &self.sink
            && let Ok(mut file) = sink.lock()
        {
            let at = self.started.elapsed().as_secs();
            // A lost progress line is no reason to fail the build.
            let _ = writeln!(file, "\r\x1b[K wasm-python [{:>2}:{:02}] {line}", at / 60, at % 60);
        }
    }
}

/// Cargo is the parent of a build script.
fn parent_stderr() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim();
    Some(format!("/proc/{parent}/fd/2"))
}
