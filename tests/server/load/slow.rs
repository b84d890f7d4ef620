//! Clients that are slow, and jobs that print faster than anyone reads.

use super::{EVAL, SPARE_KIB, alone, connect, eval, good, in_three_attempts, percentile};
use crate::{
    server::support::{Server, until},
    support::{
        http::{Connection, post},
        process::{Peak, usage},
    },
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

const CLIENTS: usize = 500;

fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("within what is allowed");
}

#[test]
fn slow_clients_are_cut_and_others_served_meanwhile() {
    let _alone = alone();
    allow_many_files();
    let settings = [
        ("PYEXEC_HEADER_TIMEOUT", "10"),
        ("PYEXEC_BODY_TIMEOUT", "2"),
        ("PYEXEC_IDLE_TIMEOUT", "10"),
        ("PYEXEC_CONNECTIONS_MAX", "4000"),
    ];
    let server = Server::start(&settings, &[]);
    let mut good_one = connect(&server);
    good(&mut good_one);
    let peak = Peak::of(server.pid());
    let files = usage(server.pid()).files;

    let head = format!("POST {EVAL} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10000\r\n\r\n{{");
    // More than fits into the buffers on the way.
    let ask = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20);
    let ways: [(&[u8], &[u8]); 4] = [
        (b"POST / HTTP/1.1\r\nx: ", b"x"),
        (head.as_bytes(), b" "),
        (head.as_bytes(), b""),
        // A slow reader.
        (&ask, b""),
    ];
    let (mut slow, began) = (Vec::new(), Instant::now());
    for (start, drip) in ways {
        for _ in 0..CLIENTS {
            let mut connection = connect(&server);
            connection.send(start).expect("sent");
            slow.push((connection, drip));
        }
    }
    // They all got in, and none had to knock twice.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    until("most are in", || (usage(server.pid()).files >= files + 2 * CLIENTS).then_some(()));

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (connection, drip) in &mut slow {
                    // It may be cut.
                    let _ = connection.stream.write(drip);
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
        let mut times: Vec<_> = (0..20)
            .map(|_| {
                let began = Instant::now();
                good(&mut connect(&server));
                thread::sleep(Duration::from_millis(20));
                began.elapsed() - Duration::from_millis(20)
            })
            .collect();
        let ended = until_cut(&server, files);
        done.store(true, Ordering::Relaxed);
        let median = percentile(&mut times, 50);
        assert!(median < Duration::from_millis(100), "{times:?}");
        assert!(ended, "{:?} of {files} at first", usage(server.pid()));
    });
    // Two thousand connections with their buffers.
    assert!(peak.growth_kib() < 4 * SPARE_KIB, "{} KiB", peak.growth_kib());
}

fn until_cut(server: &Server, files: usize) -> bool {
    let end = Instant::now() + Duration::from_secs(60);
    while Instant::now() < end {
        if usage(server.pid()).files <= files {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

#[test]
fn the_server_takes_as_many_open_files_as_it_may() {
    let mut server = Command::new("sh")
        .args(["-c", "ulimit -S -n 200; exec \"$0\" serve --port 0", env!("CARGO_BIN_EXE_pyexec")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let mut url = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("it runs");
    let _ = server.kill();
    let _ = server.wait();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let numbers: Vec<_> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

#[test]
fn events_that_nobody_reads_take_no_memory() {
    let _alone = alone();
    let server = Server::start(&[("PYEXEC_BODY_TIMEOUT", "60")], &[]);
    flood(&mut connect(&server), 1);
    let peak = Peak::of(server.pid());
    let mut connections: Vec<_> = (0..2).map(|_| connect(&server)).collect();
    for connection in &mut connections {
        connection.send(&post(EVAL, &flood_request(300))).expect("sent");
    }
    let ended = || server.get("/api/v1/executions?status=completed").json();
    until("the jobs end", || (ended()["executions"].as_array().is_some_and(|all| all.len() == 3)).then_some(()));
    assert!(peak.growth_kib() < 2 * SPARE_KIB, "{} KiB", peak.growth_kib());
    // Whoever reads after all learns that something is missing, and gets the result.
    let events = read(&mut connections[0]);
    assert!(events.lagged && events.result, "{events:?}");
}

#[test]
fn a_gigabyte_of_output_goes_by_in_bounded_memory() {
    let _alone = alone();
    let server = Server::start(&[], &[]);
    flood(&mut connect(&server), 1);
    let peak = Peak::of(server.pid());
    let events = flood(&mut connect(&server), 1024);
    assert!(events.result, "{events:?}");
    assert!(peak.growth_kib() < SPARE_KIB, "{} KiB", peak.growth_kib());
    let list = server.get("/api/v1/executions").json();
    let id = list["executions"][0]["execution_id"].as_str().expect("an id");
    let result = server.get(&format!("/api/v1/executions/{id}")).json();
    assert_eq!((&result["stdout_truncated"], &result["stdout_bytes"]), (&json!(true), &json!(1_u64 << 30)));
    assert!(result["stdout"].as_str().is_some_and(|text| text.len() <= 10_000_100)); // with the line on what is missing
}

/// One write of a hundred megabytes costs the guest its memory, and the server little more.
#[test]
fn a_huge_write_is_not_copied_again_and_again() {
    let _alone = alone();
    let server = Server::start(&[], &[]);
    let run = |code: &str| {
        let peak = Peak::of(server.pid());
        let answer = connect(&server).post(EVAL, &eval(code)).expect("an answer").json();
        assert_eq!(answer["status"], "completed", "{}", answer["error"]);
        peak.growth_kib()
    };
    run("import os");
    let silent = run("import os; x = b'x' * (100 << 20); y = memoryview(x)[:]");
    let loud = run("import os; x = b'x' * (100 << 20); os.write(1, x)");
    assert!(loud < silent + SPARE_KIB, "{silent} KiB to have it, {loud} KiB to write it");
}

fn flood_request(megabytes: usize) -> String {
    let code = format!("import os\nx = b'x' * (1 << 20)\nfor _ in range({megabytes}): os.write(1, x)");
    json!({"code": code, "stream": true}).to_string()
}

fn flood(connection: &mut Connection, megabytes: usize) -> Seen {
    connection.send(&post(EVAL, &flood_request(megabytes))).expect("sent");
    read(connection)
}

#[derive(Debug, Default)]
struct Seen {
    lagged: bool,
    result: bool,
}

/// Reads events to the result, keeping none.
fn read(connection: &mut Connection) -> Seen {
    let mut seen = Seen::default();
    let (mut buffer, mut kept) = (vec![0; 1 << 20], Vec::new());
    while !seen.result {
        let length = connection.stream.read(&mut buffer).expect("events");
        assert!(length > 0, "the stream ended early: {seen:?}");
        kept.extend_from_slice(&buffer[..length]);
        let has = |what: &[u8]| kept.windows(what.len()).any(|window| window == what);
        seen.lagged |= has(b"event: lagged");
        seen.result |= has(b"event: result");
        // A name may be cut in two.
        kept.drain(..kept.len().saturating_sub(20));
    }
    seen
}

#[test]
fn health_answers_while_every_slot_is_busy_with_files() {
    let _alone = alone();
    allow_many_files();
    let server = Server::start(&[("PYEXEC_SLOTS", "64"), ("PYEXEC_QUEUE", "600")], &[]);
    let code = "import os, time\n\
        end = time.monotonic() + 6\n\
        while time.monotonic() < end:\n    \
            for i in range(100):\n        \
                os.makedirs(f'd{i}', exist_ok=True)\n        \
                with open(f'd{i}/f', 'wb') as f: f.write(bytes(100_000))\n    \
            for folder, folders, files in os.walk('.'):\n        \
                for name in files: os.remove(os.path.join(folder, name))\n";
    let request = post(EVAL, &eval(code));
    let mut jobs: Vec<_> = (0..600).map(|_| connect(&server)).collect();
    for job in &mut jobs {
        job.send(&request).expect("sent");
    }
    let mut health = connect(&server);
    until("all slots are busy", || {
        let state = health.call("GET", "/health").ok()?.json();
        (state["busy"] == 64 && state["queued"].as_u64() >= Some(500)).then_some(())
    });
    in_three_attempts(|| {
        let mut times: Vec<_> = (0..200)
            .map(|_| {
                let began = Instant::now();
                assert_eq!(health.call("GET", "/health").expect("an answer").status, 200);
                began.elapsed()
            })
            .collect();
        let p99 = percentile(&mut times, 99);
        if p99 < Duration::from_millis(100) { Ok(()) } else { Err(format!("{p99:?}")) }
    });
    assert_eq!(health.call("GET", "/health").expect("an answer").json()["busy"], 64);
    // Their clients go away: slots and queue are free again.
    drop(jobs);
    until("all have ended", || {
        let state = health.call("GET", "/health").ok()?.json();
        (state["busy"] == 0 && state["queued"] == 0).then_some(())
    });
    good(&mut connect(&server));
}
