//! Files that outlive executions.

use super::support::{Answer, Form, Server, tar};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{io::Write as _, thread, time::Duration};

const ALICE: &str = "alice-alice-alice";
const BOB: &str = "bob-bob-bob-bob-bob";

fn new(server: &Server) -> String {
    let answer = server.call("POST", "/api/v1/workspaces", &[], b"");
    assert_eq!(answer.status, 201, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    assert!(id.len() == 21 && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'), "{id}");
    id
}

fn file(id: &str, path: &str) -> String {
    format!("/api/v1/workspaces/{id}/files/{path}")
}

fn put(server: &Server, id: &str, path: &str, content: &[u8]) -> Answer {
    server.call("PUT", &file(id, path), &[], content)
}

fn paths(server: &Server, id: &str) -> Vec<String> {
    let files = server.get(&format!("/api/v1/workspaces/{id}/files")).json();
    let files = files["files"].as_array().expect("files").iter();
    files.map(|file| file["path"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_file_is_written_read_in_parts_and_deleted() {
    let server = Server::shared();
    let id = new(&server);
    let written = put(&server, &id, "data/a%20b.txt", b"0123456789");
    assert_eq!(written.status, 200, "{}", written.text());
    let described = written.json();
    let digest = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
    assert_eq!((&described["path"], &described["size"]), (&json!("data/a b.txt"), &json!(10)));
    assert_eq!((&described["sha256"], &described["url"]), (&json!(digest), &json!(file(&id, "data/a%20b.txt"))));
    let url = file(&id, "data/a%20b.txt");
    let all = server.get(&url);
    let tag = format!("\"{digest}\"");
    assert_eq!((all.status, &*all.body, all.header("etag")), (200, &b"0123456789"[..], Some(&*tag)));
    assert_eq!((all.header("content-length"), all.header("content-disposition")), (Some("10"), Some("attachment")));
    for (range, status, body, of) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=8-", 206, "89", "bytes 8-9/10"),
        ("bytes=-1", 206, "9", "bytes 9-9/10"),
        ("bytes=5-500", 206, "56789", "bytes 5-9/10"),
        ("bytes=0-1,3-4", 200, "0123456789", ""),
        ("bytes=10-", 416, "", "bytes */10"),
    ] {
        let answer = server.call("GET", &url, &[("range", range)], b"");
        assert_eq!((answer.status, answer.header("content-range").unwrap_or_default()), (status, of), "{range}");
        match status {
            416 => assert_eq!(answer.error(), "the file has 10 bytes"),
            _ => assert_eq!(answer.text(), body, "{range}"),
        }
    }
    let other = [("range", "bytes=2-4"), ("if-range", "\"another\"")];
    assert_eq!(server.call("GET", &url, &other, b"").status, 200);
    for known in [&*tag, "*", &format!("\"x\", W/{tag}")] {
        let answer = server.call("GET", &url, &[("if-none-match", known)], b"");
        assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(&*tag)), "{known}");
    }
    assert_eq!(server.call("GET", &url, &[("if-none-match", "\"x\"")], b"").status, 200);
    assert_eq!(server.delete(&url).status, 204);
    assert_eq!((server.get(&url).status, server.delete(&url).status), (404, 404));
    assert_eq!(server.delete(&format!("/api/v1/workspaces/{id}")).status, 204);
    assert_eq!(server.get(&format!("/api/v1/workspaces/{id}")).status, 404);
}

#[test]
fn jobs_find_the_files_and_leave_theirs() {
    let server = Server::shared();
    let id = new(&server);
    for (path, content) in [("in.csv", "1,2"), ("old.txt", "old"), ("change.txt", "before"), ("helper.py", "X = 5")] {
        assert_eq!(put(&server, &id, path, content.as_bytes()).status, 200);
    }
    let code = "import os, helper\nprint(open('in.csv').read(), helper.X)\nos.remove('old.txt')\n\
                open('change.txt', 'w').write('after')\nos.makedirs('out')\nopen('out/new.txt', 'w').write('new')\n\
                open('/tmp/own', 'w').write('x')";
    let result = server.eval(&json!({"code": code, "workspace": id}));
    assert_eq!(result["stdout"], "1,2 5\n", "{result}");
    assert_eq!(result["workspace"], json!({"id": id, "written": 2, "deleted": 1}), "{result}");
    assert_eq!(result.get("files"), None);
    assert_eq!(paths(&server, &id), ["change.txt", "helper.py", "in.csv", "out/new.txt"]);
    assert_eq!(server.get(&file(&id, "change.txt")).text(), "after");

    // What a request brings wins, and stays its own.
    let files =
        json!([{"name": "main.py", "content": "print(open('in.csv').read())"}, {"name": "in.csv", "content": "mine"}]);
    let result = server.eval(&json!({"files": files, "workspace": id, "collect_files": true}));
    assert_eq!((&result["stdout"], &result["files"]), (&json!("mine\n"), &json!([])), "{result}");
    assert_eq!(server.get(&file(&id, "in.csv")).text(), "1,2");

    // However it ends.
    let fails = "open('failed.txt', 'w').write('kept')\n1 / 0";
    assert_eq!(server.eval(&json!({"code": fails, "workspace": id}))["exit_code"], 1);
    let hangs = "open('hung.txt', 'w').write('kept')\nwhile True: pass";
    let result = server.eval(&json!({"code": hangs, "workspace": id, "config": {"timeout_seconds": 0.5}}));
    assert_eq!(result["error_kind"], "time_limit", "{result}");
    let all = paths(&server, &id);
    assert!(["failed.txt", "hung.txt"].iter().all(|name| all.contains(&(*name).to_owned())), "{all:?}");

    // An upload as well.
    let form = Form::new().tar(&[("main.py", "open('uploaded', 'w').write(open('failed.txt').read())")]);
    let form = form.field("metadata", "", json!({"workspace": id}).to_string().as_bytes());
    let answer = server.post_form("/api/v1/exec/sync", &[], &form);
    assert_eq!(answer.json()["workspace"]["written"], 1, "{}", answer.text());
    assert_eq!(server.get(&file(&id, "uploaded")).text(), "kept");
    let error = server.failed(&json!({"code": "1", "workspace": "AAAAAAAAAAAAAAAAAAAAA"}));
    assert!(error.starts_with("workspace: workspace not found"), "{error}");
}

#[test]
fn what_a_job_makes_beyond_the_quota_is_not_kept_and_said() {
    let server = Server::start(&[("PYEXEC_WORKSPACE_MB", "1"), ("PYEXEC_WORKSPACE_FILES", "3")], &[]);
    let id = new(&server);
    let large = "open('large', 'wb').write(bytes(3 << 20))";
    let result = server.eval(&json!({"code": large, "workspace": id}));
    assert_eq!((&result["error_type"], &result["limits_hit"]), (&json!("OSError"), &json!(["disk_bytes"])), "{result}");
    assert_eq!(result["workspace"]["not_kept"][0]["path"], "large", "{result}");
    let many = "for n in range(5): open(f'n{n}', 'w').write('x')";
    let result = server.eval(&json!({"code": many, "workspace": id}));
    assert_eq!((&result["exit_code"], &result["workspace"]["written"]), (&json!(0), &json!(3)), "{result}");
    let not_kept = result["workspace"]["not_kept"].as_array().expect("a list");
    assert_eq!(not_kept.iter().map(|change| change["path"].as_str()).collect::<Vec<_>>(), [Some("n3"), Some("n4")]);
    assert!(not_kept[0]["reason"].as_str().is_some_and(|reason| reason.contains("workspace_files")), "{result}");
    let answer = put(&server, &id, "n4", b"x");
    assert_eq!(answer.status, 507);
    assert!(answer.error().contains("workspace_files"));
    let answer = put(&server, &id, "n0", &vec![0; (1 << 20) + 1]);
    assert_eq!(answer.status, 507);
    assert!(answer.error().contains("workspace_mb"));
    assert_eq!(paths(&server, &id), ["n0", "n1", "n2"]);
}

#[test]
fn keys_do_not_see_each_others() {
    let keys = format!("alice:{ALICE},{BOB}");
    let server = Server::start(&[("PYEXEC_API_KEYS", &keys)], &[]);
    let as_alice = [("x-api-key", ALICE)];
    let as_bob = [("x-api-key", BOB)];
    let made = server.call("POST", "/api/v1/workspaces", &as_alice, b"").json();
    let id = made["id"].as_str().expect("an id");
    assert_eq!(server.call("PUT", &file(id, "secret"), &as_alice, b"x").status, 200);
    let own = format!("/api/v1/workspaces/{id}");
    for path in [own.clone(), format!("{own}/files"), file(id, "secret"), format!("{own}/archive")] {
        for method in ["GET", "DELETE", "PUT", "POST"] {
            let nobodys = path.replace(id, "AAAAAAAAAAAAAAAAAAAAA");
            let [his, nobodys] = [&path, &nobodys].map(|path| server.call(method, path, &as_bob, b"x"));
            assert_eq!((his.status, his.error()), (nobodys.status, nobodys.error()), "{method} {path}");
            assert!(matches!(his.status, 404 | 405), "{method} {path}: {}", his.status);
        }
    }
    let result =
        server.call("POST", "/api/v1/eval", &as_bob, json!({"code": "1", "workspace": id}).to_string().as_bytes());
    assert_eq!(result.json()["status"], "failed");
    assert_eq!(server.call("GET", "/api/v1/workspaces", &as_bob, b"").json(), json!({"workspaces": []}));
    assert_eq!(server.call("GET", &own, &[], b"").status, 401);
    assert_eq!(server.call("GET", &file(id, "secret"), &as_alice, b"").text(), "x");
}

#[test]
fn names_and_archives_cannot_lead_out() {
    let server = Server::shared();
    let id = new(&server);
    for path in ["..%2fx", "%2fetc%2fpasswd", "a/..%2f..%2fx", "a%00b", &"x".repeat(256), &"y/".repeat(70)] {
        let answer = put(&server, &id, path, b"x");
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.error().contains("file name"), "{path}: {}", answer.text());
        assert_eq!(server.get(&file(&id, path)).status, 400, "{path}");
    }
    let mut hostile = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    header.as_gnu_mut().expect("GNU").name[..5].copy_from_slice(b"../ev");
    header.set_cksum();
    hostile.append(&header, &b"x"[..]).expect("added");
    let archive = format!("/api/v1/workspaces/{id}/archive");
    let answer = server.call("POST", &archive, &[], &hostile.into_inner().expect("packed"));
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(paths(&server, &id).is_empty());
    let answer = server.call("POST", &archive, &[], &tar(&[("a/b.txt", "b"), ("c", "c")]));
    assert_eq!((answer.status, answer.json()["files"].as_array().map(Vec::len)), (200, Some(2)), "{}", answer.text());
    for (query, start) in [("", &[0x1f, 0x8b][..]), ("?format=tar", b"a/"), ("?format=zip", b"PK")] {
        let packed = server.get(&format!("{archive}{query}"));
        assert!(packed.status == 200 && packed.body.starts_with(start), "{query}");
        let other = new(&server);
        let answer = server.call("POST", &format!("/api/v1/workspaces/{other}/archive"), &[], &packed.body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(paths(&server, &other), ["a/b.txt", "c"]);
    }
    assert_eq!(server.get(&format!("{archive}?format=rar")).status, 400);
}

#[test]
fn an_upload_that_stops_leaves_nothing_and_its_file_as_it_was() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().to_str().expect("UTF-8");
    let server = Server::start(&[("PYEXEC_DATA_DIR", folder), ("PYEXEC_BODY_TIMEOUT", "0.5")], &[]);
    let id = new(&server);
    assert_eq!(put(&server, &id, "file", b"whole").status, 200);
    let head = format!("PUT {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", file(&id, "file"));
    let half = "x".repeat(1 << 20);
    let answer = server.raw(format!("{head}content-length: 2097152\r\n\r\n{half}").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // One that goes away.
    let mut stream = server.connect();
    stream.write_all(format!("{head}content-length: 2097152\r\n\r\n{half}").as_bytes()).expect("sent");
    drop(stream);
    let too_large = server.raw(format!("{head}content-length: 99999999999999\r\n\r\n").as_bytes());
    assert!(too_large.starts_with("HTTP/1.1 413"), "{too_large}");
    assert_eq!(server.get(&file(&id, "file")).text(), "whole");
    let objects = data.path().join("workspaces").join(&id).join("objects");
    super::support::until("nothing is left of the uploads", || {
        (std::fs::read_dir(&objects).expect("a folder").count() == 1).then_some(())
    });
}

#[test]
fn what_was_answered_survives_any_kill() {
    let data = tempfile::tempdir().expect("a folder");
    let variables = [("PYEXEC_DATA_DIR", data.path().to_str().expect("UTF-8"))];
    let mut server = Server::start(&variables, &[]);
    let id = new(&server);
    let mut answered: Vec<(String, Value)> = Vec::new();
    for round in 0..5 {
        let written = thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|writer| {
                    let (server, id) = (&server, &id);
                    scope.spawn(move || {
                        let mut written = Vec::new();
                        for n in 0.. {
                            let path = format!("r{round}/w{writer}/{n}");
                            let content = format!("{path} ").repeat(20_000);
                            match server.try_call("PUT", &file(id, &path), &[], content.as_bytes()) {
                                Ok(answer) => {
                                    assert_eq!(answer.status, 200, "{}", answer.text());
                                    written.push((path, answer.json()["sha256"].clone()));
                                }
                                Err(_) => return written,
                            }
                        }
                        written
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(120 + 70 * round));
            server.signal(Signal::KILL);
            writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect::<Vec<_>>()
        });
        answered.extend(written);
        server = Server::start(&variables, &[]);
        let files = server.get(&format!("/api/v1/workspaces/{id}/files")).json();
        for (path, digest) in &answered {
            let found = files["files"].as_array().expect("files").iter().find(|file| file["path"] == path.as_str());
            assert_eq!(found.map(|file| &file["sha256"]), Some(digest), "{path}");
            assert_eq!(server.get(&file(&id, path)).status, 200, "{path}");
        }
    }
    assert!(answered.len() > 5, "{}", answered.len());
}
