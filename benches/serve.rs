//! The server under load, from a client on the same machine.

/// Shared with the tests.
#[allow(dead_code, reason = "they use more of it")]
#[path = "../tests/support"]
mod support {
    pub mod http;
    pub mod load;
    pub mod process;
}

use super::{Bench, HELLO, percentile};
use pyexec::Job;
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use support::{
    http::{Connection, post},
    load::mixed,
    process::usage,
};

const EVAL: &str = "/api/v1/eval";
const CLIENTS: usize = 16;
const LOAD: Duration = Duration::from_secs(5);

pub(crate) fn serve(bench: &Bench) {
    println!("| what | aim | measured |\n|---|---|---|");
    latency(bench);
    throughput();
    health_under_load();
    burst();
    drift();
}

fn latency(bench: &Bench) {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let request = post(EVAL, &eval(HELLO));
    let mut served = || {
        let began = Instant::now();
        connection.send(&request).expect("sent");
        let answer = connection.answer().expect("an answer");
        let took = began.elapsed();
        assert_eq!((answer.status, &answer.json()["stdout"]), (200, &json!("hello 2\n")));
        took
    };
    for _ in 0..200 {
        served();
    }
    let mut times: Vec<_> = (0..5000).map(|_| served()).collect();
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    row("eval hello, one kept connection, p50 / p99", "≤ 1.2 / 4 ms", &format!("{p50:.3} / {p99:.3} ms"));

    // In turn, so that a change of the machine's speed meets both, and both find what the other left in the caches.
    let (mut times, mut direct) = (Vec::new(), Vec::new());
    for _ in 0..3000 {
        times.push(served());
        direct.push(bench.sandbox(Job::code(HELLO)).0);
    }
    let (served, library) = (percentile(&mut times, 50), percentile(&mut direct, 50));
    let overhead = format!("{:.3} ms ({served:.3} − {library:.3})", served - library);
    row("overhead over the library's own run, in turn with it, p50", "≤ 0.3 ms", &overhead);
}

fn throughput() {
    let server = Server::start(&[]);
    let request = post(EVAL, &eval(HELLO));
    let (errors, until) = (AtomicU64::new(0), Instant::now() + LOAD);
    let mut times = Vec::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut connection, mut times) = (server.connect(), Vec::new());
                    while Instant::now() < until {
                        let began = Instant::now();
                        connection.send(&request).expect("sent");
                        let answer = connection.answer().expect("an answer");
                        times.push(began.elapsed());
                        if answer.status != 200 || !answer.body.windows(7).any(|window| window == b"hello 2") {
                            errors.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    times
                })
            })
            .collect();
        clients.into_iter().for_each(|client| times.extend(client.join().expect("no panic")));
    });
    let rate = times.len() as f64 / LOAD.as_secs_f64();
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    let measured = format!("{rate:.0} / s, {} errors; p50 {p50:.1} ms, p99 {p99:.1} ms", errors.into_inner());
    row("evals per second, 16 clients", "≥ 1,500, no errors", &measured);
}

/// All slots spin, the queue is full, and short jobs come besides.
fn health_under_load() {
    let server = Server::start(&[]);
    let spin = post(EVAL, &eval("import time\nend = time.monotonic() + 0.2\nwhile time.monotonic() < end: pass\n"));
    let until = Instant::now() + LOAD;
    let mut times = Vec::new();
    thread::scope(|scope| {
        for _ in 0..2 * CLIENTS {
            scope.spawn(|| {
                let mut connection = server.connect();
                while Instant::now() < until {
                    connection.send(&spin).expect("sent");
                    if connection.answer().expect("an answer").status == 429 {
                        thread::sleep(Duration::from_millis(5));
                    }
                }
            });
        }
        let mut connection = server.connect();
        while Instant::now() < until {
            let began = Instant::now();
            assert_eq!(connection.call("GET", "/health").expect("an answer").status, 200);
            times.push(began.elapsed());
            thread::sleep(Duration::from_millis(2));
        }
    });
    let measured = format!("{:.2} ms (p50 {:.2} ms)", percentile(&mut times, 99), percentile(&mut times, 50));
    row("/health during full load, p99", "≤ 50 ms", &measured);
}

fn burst() {
    let server = Server::start(&[]);
    let health = server.connect().call("GET", "/health").expect("an answer").json();
    let slots = health["slots"].as_u64().expect("slots") as usize;
    let room = slots + 4 * slots;
    let request = post(EVAL, &eval("import time; time.sleep(1)"));
    let (mut rejections, mut accepted) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let start = Barrier::new(10 * room);
        let answers: Vec<_> = thread::scope(|scope| {
            let client = || {
                let mut connection = server.connect();
                start.wait();
                let began = Instant::now();
                connection.send(&request).expect("sent");
                let answer = connection.answer().expect("an answer");
                (answer.status, began.elapsed())
            };
            let clients: Vec<_> = (0..10 * room).map(|_| scope.spawn(client)).collect();
            clients.into_iter().map(|client| client.join().expect("no panic")).collect()
        });
        accepted.push(answers.iter().filter(|(status, _)| *status == 200).count().to_string());
        rejections.extend(answers.iter().filter(|(status, _)| *status == 429).map(|(_, took)| *took));
    }
    row("10 × burst: accepted, of three", &format!("{room}"), &accepted.join(", "));
    row("10 × burst: rejections, p99", "≤ 50 ms", &format!("{:.2} ms", percentile(&mut rejections, 99)));
}

/// Many requests of all kinds, after a fifth as many for warming up. A client that goes away without a word is believed to
/// be gone after a third of a second, so there are slots to spare.
fn drift() {
    let requests: usize = std::env::var("SERVE_DRIFT").ok().and_then(|n| n.parse().ok()).unwrap_or(50_000);
    let folder = tempfile::tempdir().expect("a folder");
    let temporary = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("UTF-8");
    let server = Server::start_in(temporary.path(), &["--data-dir", data, "--results-max", "1000", "--slots", "32"]);
    let run = |requests: usize| {
        let next = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut connection = server.connect();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed) as usize;
                        if at >= requests {
                            return;
                        }
                        mixed(server.address, &mut connection, at);
                    }
                });
            }
        });
        // The last of those whose clients went away end, and threads for files when they had nothing to do for ten seconds.
        thread::sleep(Duration::from_secs(12));
        usage(server.process.id())
    };
    let before = run(requests / 5);
    let after = run(requests);
    let drift = (after.rss_kib as f64 - before.rss_kib as f64) / 1024.0;
    row(&format!("RSS drift over {requests} mixed requests"), "≤ 20 MB", &format!("{drift:+.1} MiB"));
    let left = |folder: &Path| std::fs::read_dir(folder).expect("a folder").count();
    let measured = format!(
        "{:+}, {:+}, {}",
        after.files as i64 - before.files as i64,
        after.threads as i64 - before.threads as i64,
        left(folder.path()) + left(temporary.path())
    );
    row("the same: open files, threads, files left", "0, 0, 0", &measured);
}

fn eval(code: &str) -> String {
    json!({"code": code}).to_string()
}

fn row(what: &str, aim: &str, measured: &str) {
    println!("| {what} | {aim} | {measured} |");
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(flags: &[&str]) -> Server {
        Server::start_in(&std::env::temp_dir(), flags)
    }

    /// With a temporary folder of its own.
    fn start_in(temporary: &Path, flags: &[&str]) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pyexec"))
            .args(["serve", "--port", "0", "--log-level", "warn"])
            .args(flags)
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.trim().trim_start_matches("http://").parse().expect("an address");
        Server { process, address }
    }

    fn connect(&self) -> Connection {
        Connection::open(self.address).expect("connected")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
