//! Requests of all kinds, in the order in which they come.

use super::http::{Connection, post};
use serde_json::json;
use std::{net::SocketAddr, thread, time::Duration};

const EVAL: &str = "/api/v1/eval";

/// The `at`-th of a mixed load: jobs that end well or not, kills, clients that go away, and mistakes. What the server
/// answers has to be right.
pub fn mixed(address: SocketAddr, connection: &mut Connection, at: usize) {
    let mut eval = |code: &str, seconds: u32| {
        let body = json!({"code": code, "config": {"timeout_seconds": seconds}}).to_string();
        let status = connection.post(EVAL, &body).expect("an answer").status;
        assert!(status == 200 || status == 429, "{status}");
    };
    match at % 20 {
        0 => eval("import json\nprint(json.dumps(list(range(100))))", 60),
        1 => eval("open('f', 'w').write('x' * 10000)", 60),
        2 => eval("1/0", 60),
        3 => eval("x = bytearray(1 << 20)", 60),
        4 => eval("print('x' * 20000)", 60),
        5 if at % 500 == 5 => eval("while True: pass", 1),
        6 => kill(connection),
        7 => {
            let mut other = Connection::open(address).expect("it listens");
            other.send(&post(EVAL, &json!({"code": "import time; time.sleep(60)"}).to_string())).expect("sent");
            thread::sleep(Duration::from_millis(2));
        }
        8 => {
            let body = json!({"code": "for i in range(50): print(i, flush=True)", "stream": true}).to_string();
            let answer = connection.post(EVAL, &body).expect("an answer");
            assert!(answer.status == 429 || answer.body.windows(13).any(|window| window == b"event: result"));
        }
        9 => assert_eq!(connection.post(EVAL, "{").expect("an answer").status, 400),
        10 => assert_eq!(connection.call("GET", "/health").expect("an answer").status, 200),
        _ => eval("print('hello', 1 + 1)", 60),
    }
}

fn kill(connection: &mut Connection) {
    let code = "import time; time.sleep(60)";
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(code.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "main.py", code.as_bytes()).expect("in memory");
    let (before, after) = form("{}");
    let body = [before, tar.into_inner().expect("in memory"), after].concat();
    connection.send(&upload("/api/v1/exec/async", body.len())).expect("sent");
    connection.send(&body).expect("sent");
    let answer = connection.answer().expect("an answer");
    if answer.status == 202 {
        let path = format!("/api/v1/executions/{}", answer.json()["execution_id"].as_str().expect("an id"));
        assert_eq!(connection.call("DELETE", &path).expect("an answer").json()["status"], "killed");
    } else {
        assert_eq!(answer.status, 429);
    }
}

/// The head of an upload of so many bytes.
pub fn upload(path: &str, length: usize) -> Vec<u8> {
    let form = "content-type: multipart/form-data; boundary=b";
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{form}\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

/// What comes before the archive and after it.
pub fn form(metadata: &str) -> (Vec<u8>, Vec<u8>) {
    let part = "--b\r\ncontent-disposition: form-data; name=";
    let before = format!("{part}\"metadata\"\r\n\r\n{metadata}\r\n{part}\"tar\"; filename=\"a.tar\"\r\n\r\n");
    (before.into_bytes(), b"\r\n--b--\r\n".to_vec())
}
