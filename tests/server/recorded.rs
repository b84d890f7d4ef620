//! Exchanges in `recorded/`, byte for byte.
//!
//! A file has requests as the clients of the original service write them, and the answers that they expect. Lines that
//! start with `#` at its top are comments, and `file NAME TEXT` there is a file of the archive `<tar>`. `>>>` starts a
//! request and `<<<` an answer: its status, and its body on one line.
//!
//! In requests `<length>` is that of the body and `<id>` the execution seen last. In answers `<id>` is an execution, the
//! same as before if there was one; `<n>`, `<hex>` and `<time>` are what they say, `<text>` is any text in a JSON string,
//! and `<more>` is anything.

use super::support::{Server, tar};
use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

pub fn replay(server: &Server, file: &str) {
    let text = std::fs::read_to_string(crate::support::repository("tests/server/recorded").join(file)).expect(file);
    let (top, exchanges) = text.split_once(">>>\n").expect("a request");
    let files: Vec<_> = top.lines().filter_map(|line| line.strip_prefix("file ")?.split_once(' ')).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.replace("\\n", "\n"))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let archive = tar(&files);

    let mut connection = BufReader::new(server.connect());
    let mut id = None;
    for exchange in exchanges.split(">>>\n") {
        let (request, expected) = exchange.split_once("<<<\n").expect("an answer");
        let (status, expected) = expected.trim_end().split_once('\n').expect("a status and a body");
        connection.get_mut().write_all(&bytes_of(request, &archive, id.as_deref())).expect("sent");
        let (got_status, got) = answer(&mut connection);
        assert_eq!(got_status, status, "{file}:\n{request}\n{got}");
        let fits = fits(expected, &got, &mut id);
        assert!(fits, "{file}:\n{request}\nexpected {expected}\n     got {got}");
    }
}

/// A request as it goes over the wire.
fn bytes_of(request: &str, archive: &[u8], id: Option<&str>) -> Vec<u8> {
    let request = request.trim_end_matches('\n').replace("<id>", id.unwrap_or("no-id"));
    let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
    let body = if head.contains("multipart/form-data") {
        format!("{}\r\n", body.replace('\n', "\r\n"))
    } else {
        body.to_owned()
    };
    let body = match body.split_once("<tar>") {
        Some((before, after)) => [before.as_bytes(), archive, after.as_bytes()].concat(),
        None => body.into_bytes(),
    };
    let head = head.replace("<length>", &body.len().to_string()).replace('\n', "\r\n");
    [head.as_bytes(), b"\r\n\r\n", &body].concat()
}

/// The status line without its version, and the body. The connection stays open, as clients keep it.
fn answer(connection: &mut BufReader<TcpStream>) -> (String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(connection.read_line(&mut head).expect("an answer"), 0, "it hung up after {head:?}");
    }
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status").to_owned();
    let header = |name: &str| {
        let mut fields = lines.clone().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    assert_eq!(header("content-type"), Some("application/json"), "{head}");
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).expect("a length")];
    connection.read_exact(&mut body).expect("all of the body");
    (status, String::from_utf8(body).expect("text"))
}

/// Whether a text is what was expected.
pub fn fits(expected: &str, got: &str, id: &mut Option<String>) -> bool {
    let Some((literal, rest)) = expected.split_once('<') else { return expected == got };
    let Some(got) = got.strip_prefix(literal) else { return false };
    let (name, rest) = rest.split_once('>').expect("a placeholder");
    let length_max = match name {
        "more" => return true,
        "id" => 40,
        "n" => run(got, |c| c.is_ascii_digit()),
        "hex" => run(got, |c| c.is_ascii_hexdigit()),
        "time" => run(got, |c| c.is_ascii_digit() || "-:.TZ".contains(c)),
        "text" => string_length(got),
        other => panic!("there is no placeholder {other}"),
    };
    let length_min = if name == "text" { 1 } else { length_max.max(1) };
    (length_min..=length_max).rev().any(|length| {
        let Some((value, got)) = got.split_at_checked(length) else { return false };
        let good = match name {
            "id" => is_id(value) && *id.get_or_insert_with(|| value.to_owned()) == value,
            "time" => is_time(value),
            _ => true,
        };
        good && fits(rest, got, id)
    })
}

/// `exe_` and a random UUID.
pub fn is_id(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("exe_") else { return false };
    let groups: Vec<_> = uuid.split('-').collect();
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(hex))
        && groups.get(2).is_some_and(|group| group.starts_with('4'))
        && groups.get(3).is_some_and(|group| group.starts_with(['8', '9', 'a', 'b']))
}

/// What `datetime.fromisoformat(text.rstrip("Z"))` takes in every version of Python: it has 3 or 6 decimals.
pub fn is_time(text: &str) -> bool {
    let shape = text.chars().fold(String::new(), |mut shape, c| {
        let _ = shape.write_char(if c.is_ascii_digit() { '0' } else { c });
        shape
    });
    matches!(shape.as_str(), "0000-00-00T00:00:00.000Z" | "0000-00-00T00:00:00.000000Z")
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// To the end of a JSON string.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    });
    end.unwrap_or(text.len())
}

#[test]
fn what_was_recorded_is_compared_strictly() {
    let id = "exe_0b0f5b4c-6f5e-4a37-9a55-1c6f3b8f2a10";
    let mut seen = None;
    assert!(fits(r#"{"id":"<id>","n":<n>,"s":"<text>"}"#, &format!(r#"{{"id":"{id}","n":12,"s":"a\"b"}}"#), &mut seen));
    assert_eq!(seen.as_deref(), Some(id));
    for (expected, got) in [
        ("<id>", "exe_1b0f5b4c-6f5e-4a37-9a55-1c6f3b8f2a10"),
        ("a", "ab"),
        ("<n>", ""),
        ("<n>", "1.5"),
        (r#""<text>"}"#, r#""a","b":"c"}"#),
        ("<time>", "2026-11-20T22:51:56.89480600Z"),
        ("<time>", "2026-11-20T22:51:56.8948060Z"),
    ] {
        assert!(!fits(expected, got, &mut seen), "{expected} {got}");
    }
    assert!(!is_id("exe_0b0f5b4c-6f5e-1a37-9a55-1c6f3b8f2a10"));
}
