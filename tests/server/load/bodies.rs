//! Bodies that are too large, endless, or not what they say; uploads and the disk they go to.

use super::{EVAL, SPARE_KIB, alone, connect, eval, good, left_in};
use crate::{
    server::support::{Server, tar},
    support::{
        http::{Answer, Connection},
        load::{form, upload},
        process::Peak,
    },
};
use serde_json::json;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const SHORT: &[(&str, &str)] =
    &[("PYEXEC_BODY_MAX_KB", "64"), ("PYEXEC_BODY_TIMEOUT", "2"), ("PYEXEC_UPLOAD_MAX_MB", "8")];

/// Sends the same bytes again and again, until the server has had enough or `times` is reached, and gives its answer.
fn flood(connection: &mut Connection, bytes: &[u8], times: usize) -> Option<Answer> {
    for _ in 0..times {
        if connection.send(bytes).is_err() {
            break;
        }
    }
    connection.answer().ok()
}

fn chunk(content: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

fn chunked(path: &str, content_type: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let server = Server::start(SHORT, &[]);
    for length in ["65537", "10000000000", "18446744073709551615"] {
        let mut connection = connect(&server);
        let head = format!("POST {EVAL} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        connection.send(head.as_bytes()).expect("sent");
        let answer = connection.answer().expect("an answer");
        // The largest number stands for no length at all in what reads headers.
        assert!(matches!(answer.status, 413 | 431), "{length}: {answer:?}");
    }
    good(&mut connect(&server));
}

#[test]
fn endless_bodies_are_refused_and_never_held_in_memory() {
    let _alone = alone();
    let server = Server::start(SHORT, &[]);
    good(&mut connect(&server));
    let large = chunk(&vec![b' '; 1 << 20]);
    let form = "multipart/form-data; boundary=b";
    let part = |name: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
    let attacks = [
        ("body", EVAL, "application/json", String::new()),
        ("form without a part", "/api/v1/exec/sync", form, String::new()),
        ("part's head", "/api/v1/exec/sync", form, "--b\r\ncontent-disposition: form-data; name=\"".to_owned()),
        ("metadata", "/api/v1/exec/sync", form, part("metadata")),
        ("unknown part", "/api/v1/exec/async", form, part("other")),
        ("archive", "/api/v1/exec/async", form, part("tar")),
    ];
    for (what, path, content_type, start) in attacks {
        let peak = Peak::of(server.pid());
        let mut connection = connect(&server);
        connection.send(&chunked(path, content_type)).expect("sent");
        if !start.is_empty() {
            connection.send(&chunk(start.as_bytes())).expect("sent");
        }
        let answer = flood(&mut connection, &large, 400);
        let status = answer.map(|answer| answer.status);
        assert!(matches!(status, Some(413 | 400)), "endless {what}: {status:?}");
        assert!(peak.growth_kib() < SPARE_KIB, "endless {what}: {} KiB", peak.growth_kib());
    }
    good(&mut connect(&server));
}

#[test]
fn endless_chunks_of_one_byte_and_endless_framing_are_refused() {
    let _alone = alone();
    let server = Server::start(SHORT, &[]);
    good(&mut connect(&server));
    let peak = Peak::of(server.pid());
    let mut connection = connect(&server);
    connection.send(&chunked(EVAL, "application/json")).expect("sent");
    let answer = flood(&mut connection, &b"1\r\n \r\n".repeat(1000), 1000);
    assert_eq!(answer.map(|answer| answer.status), Some(413));
    // What belongs to no content: the server may close without an answer or wait for a while, but not keep it.
    for (start, endless) in [("1;x=", "x"), ("", "0"), ("0\r\n", "trailer: x\r\n"), ("1\r\n \r\n0\r\n", "x")] {
        let mut connection = connect(&server);
        connection.send(&chunked(EVAL, "application/json")).expect("sent");
        connection.send(start.as_bytes()).expect("sent");
        let answer = flood(&mut connection, endless.repeat(10_000).as_bytes(), 10_000);
        let status = answer.map(|answer| answer.status);
        assert!(matches!(status, None | Some(400 | 408 | 413 | 431)), "{start:?} {endless:?}: {status:?}");
    }
    assert!(peak.growth_kib() < SPARE_KIB, "{} KiB", peak.growth_kib());
    good(&mut connect(&server));
}

#[test]
fn lengths_that_lie_are_refused() {
    let server = Server::start(SHORT, &[]);
    let body = eval("print(1)");
    let request =
        |headers: &str| format!("POST {EVAL} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n\r\n{body}").into_bytes();
    for headers in [
        "content-length: -1".to_owned(),
        "content-length: 1e3".to_owned(),
        "content-length: 99999999999999999999999".to_owned(),
        "content-length: 5\r\ncontent-length: 6".to_owned(),
        "content-length: 5, 6".to_owned(),
        // It says less than comes: what is left of it is no JSON.
        format!("content-length: {}", body.len() - 3),
        "transfer-encoding: gzip".to_owned(),
    ] {
        let mut connection = connect(&server);
        connection.send(&request(&headers)).expect("sent");
        assert_eq!(connection.answer().expect("an answer").status, 400, "{headers}");
    }
    // It says more than comes: cut when nothing more does, and told why.
    let mut connection = connect(&server);
    connection.send(&request("content-length: 1000")).expect("sent");
    let began = Instant::now();
    assert_eq!(connection.answer().expect("an answer").status, 408);
    assert!(began.elapsed() < Duration::from_secs(10));
    // The same, and the client hangs up: nothing runs.
    let mut connection = connect(&server);
    connection.send(&request("content-length: 1000")).expect("sent");
    connection.stream.shutdown(Shutdown::Write).expect("open");
    assert!(connection.answer().is_err() || server.runs());
    assert_eq!(server.get("/api/v1/executions").json()["executions"], json!([]));
    good(&mut connect(&server));
}

/// Sends an upload of one large file beside a script, and gives the answer.
fn large_upload(server: &Server, megabytes: usize) -> Option<Answer> {
    let script = "import os\nprint(os.path.getsize('large'), open('large', 'rb').read(3))";
    let small = tar(&[("main.py", script)]);
    let mut header = tar::Header::new_gnu();
    header.set_path("large").expect("a path");
    header.set_size((megabytes as u64) << 20);
    header.set_mode(0o644);
    header.set_cksum();
    let (before, after) = form("{}");
    // Without the two blocks that end an archive.
    let start = [&before[..], &small[..small.len() - 1024], header.as_bytes()].concat();
    let end = [&[0; 1024][..], &after].concat();
    let length = start.len() + (megabytes << 20) + end.len();
    let mut connection = connect(server);
    connection.send(&upload("/api/v1/exec/sync", length)).expect("sent");
    let send = |connection: &mut Connection| {
        connection.send(&start)?;
        let megabyte = vec![b'x'; 1 << 20];
        (0..megabytes).try_for_each(|_| connection.send(&megabyte))?;
        connection.send(&end)
    };
    // A server that has had enough may close.
    let _ = send(&mut connection);
    connection.answer().ok()
}

#[test]
fn a_large_upload_goes_to_disk_and_not_into_memory() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&[], &["--data-dir", folder.path().to_str().expect("UTF-8")]);
    assert_eq!(large_upload(&server, 1).expect("an answer").status, 200);
    let peak = Peak::of(server.pid());
    let answer = large_upload(&server, 300).expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["stdout"], format!("{} b'xxx'\n", 300 << 20));
    assert!(peak.growth_kib() <= 64 << 10, "{} KiB", peak.growth_kib());
    assert_eq!(left_in(folder.path()), 0);
}

#[test]
fn an_upload_over_the_limit_is_refused() {
    let server = Server::start(SHORT, &[]);
    let answer = large_upload(&server, 20).expect("an answer");
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.json()["error"].as_str().is_some_and(|error| error.contains("limit")));
    assert_eq!(large_upload(&server, 2).expect("an answer").status, 200);
}

/// A file system that has room for four megabytes, where this user may make one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<SmallDisk> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| SmallDisk(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may still have it open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_a_clean_error_and_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = SmallDisk::mount(folder.path());
    let server = Server::start(&[], &["--data-dir", folder.path().to_str().expect("UTF-8")]);
    let allow = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).expect("our own");
    if disk.is_none() {
        allow(0o555);
    }
    for _ in 0..3 {
        let answer = large_upload(&server, 20).expect("an answer");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        let error = answer.json();
        assert_eq!(error["code"], "unavailable");
        assert!(!error["error"].as_str().expect("text").contains("os error"), "{error}");
    }
    // What needs no disk still works, and so does the rest once there is room.
    good(&mut connect(&server));
    allow(0o755);
    assert_eq!(large_upload(&server, 1).expect("an answer").status, 200);
}

#[test]
fn a_client_that_hangs_up_in_the_middle_of_an_upload_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&[], &["--data-dir", folder.path().to_str().expect("UTF-8")]);
    let before = crate::support::process::usage(server.pid()).files;
    let (start, _) = form("{}");
    for _ in 0..20 {
        let mut connection = connect(&server);
        connection.send(&upload("/api/v1/exec/sync", 1 << 30)).expect("sent");
        connection.send(&start).expect("sent");
        connection.stream.write_all(&[0; 100_000]).expect("sent");
    }
    crate::server::support::until("everything is closed", || {
        (crate::support::process::usage(server.pid()).files <= before).then_some(())
    });
    assert_eq!(left_in(folder.path()), 0);
    let mut rest = String::new();
    // Nothing is said to a client that is gone, and the next one is served.
    assert!(connect(&server).stream.take(0).read_to_string(&mut rest).is_ok());
    good(&mut connect(&server));
}
