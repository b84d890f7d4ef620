//! What no load brings down, of many clients or of hostile ones.
//!
//! - `bodies.rs`: bodies that are too large, endless, or not what they say; uploads and the disk they go to
//! - `slow.rs`: clients that are slow, and jobs that print faster than anyone reads
//! - `queue.rs`: more jobs than there is room for
//! - `soak.rs`: all of it at once, and what is left behind

mod bodies;
mod queue;
mod slow;
mod soak;

use super::support::Server;
use crate::support::http::Connection;
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What a server may take besides what it needs for the work itself.
const SPARE_KIB: u64 = 64 << 10;

const EVAL: &str = "/api/v1/eval";

/// Only one of these tests runs at a time: they measure, or use all there is.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(server: &Server) -> Connection {
    Connection::open(server.addr()).expect("it listens")
}

fn eval(code: &str) -> String {
    json!({"code": code}).to_string()
}

/// Runs something, which has to work.
fn good(connection: &mut Connection) -> Value {
    let answer = connection.post(EVAL, &eval("print(6 * 7)")).expect("an answer");
    assert_eq!(answer.status, 200);
    let result = answer.json();
    assert_eq!(result["stdout"], "42\n", "{result}");
    result
}

/// Counts what is in the data folder of a server, but for what outlives it.
fn left_in(folder: &Path) -> usize {
    let stays = |name: &OsStr| ["locks", "sessions", "workspaces"].iter().any(|kept| name == *kept);
    fs::read_dir(folder).expect("a folder").flatten().filter(|entry| !stays(&entry.file_name())).count()
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

/// Tries again: on a machine that is busy with something else, one measurement says little.
fn in_three_attempts(mut attempt: impl FnMut() -> Result<(), String>) {
    let mut failures = Vec::new();
    while failures.len() < 3 {
        match attempt() {
            Ok(()) => return,
            Err(failure) => failures.push(failure),
        }
    }
    panic!("{failures:?}");
}
