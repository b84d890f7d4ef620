//! What a model is told of a call: the same as text and as an object, and images beside it.

use crate::{
    Outcome,
    outcome::{Display, Ending, RichOutput, StopReason, Tier},
    server::{
        api::ErrorKind,
        ending::{self, Ended},
        executions::End,
        render::PATH,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Where files of sessions are.
pub(super) const FILE_URI_TEMPLATE: &str = "pyexec://sessions/{session}/files/{+path}";
const FILES_OF: &str = "pyexec://sessions/";

/// A text file up to this size is in the answer.
const TEXT_BYTES_MAX: u64 = 16 << 10;
/// All of them together.
const TEXTS_BYTES_MAX: usize = 64 << 10;
const RESULT_BYTES_MAX: usize = 32 << 10;
/// Images and other bytes together. With all text, which is there twice, it is less than the mebibyte that clients take in one
/// message.
const BINARY_BYTES_MAX: usize = 480 << 10;
/// Images and files that come along, and files that are named.
const BLOCKS_MAX: usize = 20;
const FILES_MAX: usize = 200;
const WARNINGS_MAX: usize = 20;
/// Of a media type in a warning.
const MIME_BYTES_MAX: usize = 100;
/// Names and signs around a displayed text.
const OUTPUT_BYTES: usize = 32;

/// A call that has ended.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) timeout: Duration,
    pub(super) session: Option<String>,
    pub(super) files: Vec<MadeFile>,
    pub(super) warnings: Vec<String>,
}

/// A file that the code made or changed.
pub(super) struct MadeFile {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Of a session's file only where it is shown.
    pub(super) content: Option<Bytes>,
}

/// The object.
#[derive(Serialize)]
struct Structured {
    status: crate::server::api::Status,
    exit_code: u8,
    stdout: String,
    stderr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<ErrorKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<ShownFile>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<RichOutput>,
    executor: Option<Tier>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ShownFile {
    path: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Describes the object, as a JSON schema.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["completed", "failed", "killed"]},
            "exit_code": {"type": "integer"},
            "stdout": {"type": "string"},
            "stderr": {"type": "string", "description": "With the traceback of what failed"},
            "result": {"type": "string", "description": "repr of the last expression"},
            "error": {"type": "string", "description": "Why it failed, if that was no exception"},
            "error_kind": {"type": "string"},
            "session": {"type": "string", "description": "Id of the session, for the next call"},
            "files": {
                "type": "array",
                "description": "Files that it made or changed",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": {"type": "string"},
                        "size": {"type": "integer"},
                        "content": {"type": "string", "description": "Of a small text file"},
                    },
                    "required": ["path", "size"],
                },
            },
            "outputs": {
                "type": "array",
                "description": "What it displayed besides images",
                "items": {
                    "type": "object",
                    "properties": {"mime": {"type": "string"}, "name": {"type": "string"}, "data": {"type": "string"}},
                    "required": ["mime", "name", "data"],
                },
            },
            "executor": {"type": "string", "enum": ["wasm", "docker"]},
            "duration_ms": {"type": "integer"},
            "warnings": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["status", "exit_code", "stdout", "stderr", "executor", "duration_ms"],
    })
}

impl Answer {
    pub(super) fn render(self) -> CallToolResult {
        let Answer { mut outcome, timeout, session, files, mut warnings } = self;
        let displays = std::mem::take(&mut outcome.displays);
        let exit_code = exit_code(&outcome.ending);
        let is_success = outcome.success();
        let ended = Ended { waited: Duration::ZERO, timeout, strip_newline: false, collect_files: false };
        let (end, _) = ending::finished(outcome, &ended);
        let End { status, error, error_kind, stdout, stderr, result, outputs, tier, usage, .. } = end;
        let (mut blocks, mut texts) = (Vec::new(), Vec::new());
        let (mut room, mut binary_room) = (Room(TEXTS_BYTES_MAX), Room(BINARY_BYTES_MAX));
        // Figures of a session are in both.
        let outputs = if displays.is_empty() { outputs } else { formats(displays, result.as_deref()) };
        for RichOutput { mime, name, data } in outputs {
            if is_image(&mime) && blocks.len() < BLOCKS_MAX && binary_room.take(data.len() / 4 * 3) {
                match base64(&data) {
                    Some(data) => blocks.push(ContentBlock::image(data, mime)),
                    None => warnings.push(format!("what was displayed as {mime} is no image in base64")),
                }
            } else if !is_image(&mime) && room.take(mime.len() + data.len() + OUTPUT_BYTES) {
                texts.push(RichOutput { mime, name, data });
            } else {
                let mime = &mime[..mime.floor_char_boundary(MIME_BYTES_MAX)];
                warnings.push(format!("what was displayed as {mime} is too large to be shown"));
            }
        }
        let result = result.map(|mut result| {
            if result.len() > RESULT_BYTES_MAX {
                warnings.push(format!("result has {} bytes, of which the first are shown", result.len()));
                result.truncate(result.floor_char_boundary(RESULT_BYTES_MAX));
            }
            result
        });
        if files.len() > FILES_MAX {
            warnings.push(format!("{} files were made or changed; the first {FILES_MAX} are named", files.len()));
        }
        let mut shown = Vec::new();
        let mut others = Vec::new();
        for MadeFile { path, bytes, content } in files.into_iter().take(FILES_MAX) {
            let is_image = mime(&path).is_some_and(is_image);
            let text = content.as_ref().filter(|_| !is_image && bytes <= TEXT_BYTES_MAX);
            let text = text.and_then(|content| std::str::from_utf8(content).ok()).filter(|text| room.take(text.len()));
            let text = text.map(str::to_owned);
            if text.is_none() {
                others.push((!is_image, MadeFile { path: path.clone(), bytes, content }));
            }
            shown.push(ShownFile { path, size: bytes, content: text });
        }
        // Images first: a model sees them.
        others.sort_by_key(|(is_last, _)| *is_last);
        for (is_last, MadeFile { path, bytes, content }) in others {
            let content = content.filter(|_| !is_last || session.is_none());
            let content = content.filter(|content| blocks.len() < BLOCKS_MAX && binary_room.take(content.len()));
            match (content, mime(&path), &session) {
                (Some(content), Some(mime), _) if !is_last => {
                    blocks.push(ContentBlock::image(STANDARD.encode(content), mime));
                }
                (Some(content), ..) => {
                    blocks.push(ContentBlock::resource(contents(&uri("none", &path), &path, &content)));
                }
                (None, _, Some(session)) => blocks.push(link(session, &path, bytes)),
                (None, _, None) => {
                    warnings.push(format!("{path} is too large to come back: use a session, or print of it"));
                }
            }
        }
        if warnings.len() > WARNINGS_MAX {
            let more = warnings.split_off(WARNINGS_MAX).len();
            warnings.push(format!("and {more} more"));
        }
        let structured = Structured {
            status,
            exit_code,
            stdout: stdout.text,
            stderr: stderr.text,
            result,
            error,
            error_kind,
            session,
            files: shown,
            outputs: texts,
            executor: tier,
            duration_ms: usage.wall_us / 1000,
            warnings,
        };
        let structured = serde_json::to_value(&structured).unwrap_or_default();
        let mut content = vec![ContentBlock::text(structured.to_string())];
        content.append(&mut blocks);
        let mut result = if is_success { CallToolResult::success(content) } else { CallToolResult::error(content) };
        result.structured_content = Some(structured);
        result
    }
}

/// Returns all formats of what was displayed, but for the value as text, which is told as `result`.
fn formats(displays: Vec<Display>, result: Option<&str>) -> Vec<RichOutput> {
    let mut formats = Vec::new();
    for Display { data, is_result, .. } in displays {
        for (mime, data) in data {
            let text = if mime.ends_with("json") { None } else { data.parse::<String>().ok() };
            let data = text.unwrap_or_else(|| data.as_str().to_owned());
            let is_told = is_result && mime == "text/plain" && result == Some(&*data);
            if !is_told {
                formats.push(RichOutput { mime, name: String::new(), data });
            }
        }
    }
    formats
}

/// Returns base64 without the line breaks that some write into it; `None` when it is none.
fn base64(text: &str) -> Option<String> {
    let text: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(&text).is_ok().then_some(text)
}

/// Bytes that there is room for.
struct Room(usize);

impl Room {
    /// Takes so many, if there are as many.
    fn take(&mut self, bytes: usize) -> bool {
        let rest = self.0.checked_sub(bytes);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

/// Returns whether a file of a session is shown, and not only named.
pub(super) fn is_read(path: &str, bytes: u64) -> bool {
    bytes <= TEXT_BYTES_MAX || (bytes <= BINARY_BYTES_MAX as u64 && mime(path).is_some_and(is_image))
}

/// Returns what a resource has.
pub(super) fn contents(uri: &str, path: &str, content: &Bytes) -> ResourceContents {
    match std::str::from_utf8(content) {
        Ok(text) => ResourceContents::text(text, uri).with_mime_type(mime(path).unwrap_or("text/plain")),
        Err(_) => ResourceContents::blob(STANDARD.encode(content), uri)
            .with_mime_type(mime(path).unwrap_or("application/octet-stream")),
    }
}

/// Returns the session and the path of a file's address.
pub(super) fn session_file(uri: &str) -> Option<(String, String)> {
    let (session, path) = uri.strip_prefix(FILES_OF)?.split_once("/files/")?;
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Some((session.to_owned(), path.into_owned()))
}

fn uri(session: &str, path: &str) -> String {
    format!("{FILES_OF}{session}/files/{}", utf8_percent_encode(path, PATH))
}

fn link(session: &str, path: &str, bytes: u64) -> ContentBlock {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut resource = Resource::new(uri(session, path), name).with_size(bytes);
    resource.mime_type = mime(path).map(str::to_owned);
    ContentBlock::resource_link(resource)
}

fn is_image(mime: &str) -> bool {
    matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// Returns the media type that a file's name stands for, of those that clients do something with.
fn mime(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match &*extension.to_ascii_lowercase() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "csv" => "text/csv",
        "html" => "text/html",
        "md" => "text/markdown",
        "txt" => "text/plain",
        "zip" => "application/zip",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => return None,
    })
}

/// Returns the exit code, with a shell's for what was stopped.
fn exit_code(ending: &Ending) -> u8 {
    match ending {
        Ending::Exited { exit_code } | Ending::Failed { exit_code, .. } => *exit_code,
        Ending::Stopped { reason } => match reason {
            StopReason::TimeLimit | StopReason::CpuLimit => 124,
            StopReason::MemoryLimit => 137,
            StopReason::StackOverflow => 139,
            StopReason::Crashed(_) => 134,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Output;

    fn answer(outcome: Outcome, session: Option<&str>, files: &[(&str, &[u8])]) -> CallToolResult {
        let files = files.iter().map(|(path, content)| MadeFile {
            path: (*path).to_owned(),
            bytes: content.len() as u64,
            content: Some(Bytes::copy_from_slice(content)),
        });
        let session = session.map(str::to_owned);
        Answer { outcome, timeout: Duration::from_secs(5), session, files: files.collect(), warnings: Vec::new() }
            .render()
    }

    fn kinds(result: &CallToolResult) -> Vec<String> {
        let blocks = serde_json::to_value(&result.content).unwrap();
        blocks.as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_failed_is_an_error_with_all_that_it_said() {
        let mut outcome = Outcome::new(Ending::Stopped { reason: StopReason::TimeLimit }, Tier::Wasm);
        outcome.stderr = Output::new("Traceback", 9, false);
        let result = answer(outcome, None, &[]);
        let structured = result.structured_content.unwrap();
        assert_eq!(result.is_error, Some(true));
        assert_eq!((&structured["exit_code"], &structured["error_kind"]), (&json!(124), &json!("time_limit")));
        assert_eq!(
            (&structured["stderr"], &structured["error"]),
            (&json!("Traceback"), &json!("execution timeout after 5s"))
        );
        let text = result.content[0].as_text().unwrap().text.clone();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), structured);
    }

    #[test]
    fn what_is_displayed_comes_in_all_its_formats() {
        let display = |formats: Value, is_result: bool| -> Display {
            serde_json::from_value(json!({"data": formats, "is_result": is_result})).unwrap()
        };
        let mut outcome = Outcome::new(Ending::Exited { exit_code: 0 }, Tier::Wasm);
        outcome.displays = vec![
            display(json!({"image/png": "iVBO\nRw==", "text/plain": "<Figure>"}), false),
            display(json!({"image/png": "no=base64", "application/json": "text"}), false),
            display(json!({"text/plain": "1", "text/html": "<b>1</b>", "x": [1]}), true),
            display(json!({"text/html": "x".repeat(TEXTS_BYTES_MAX)}), false),
        ];
        outcome.outputs =
            vec![RichOutput { mime: "image/png".into(), name: "figure-1".into(), data: "iVBORw==".into() }];
        outcome.result = Some("1".to_owned());
        let result = answer(outcome, Some("x"), &[]);
        assert_eq!(kinds(&result), ["text", "image"]);
        let structured = result.structured_content.unwrap();
        let output = |mime: &str, data: &str| json!({"mime": mime, "name": "", "data": data});
        assert_eq!(
            structured["outputs"],
            json!([
                output("text/plain", "<Figure>"),
                output("application/json", "\"text\""),
                output("text/html", "<b>1</b>"),
                output("x", "[1]"),
            ])
        );
        assert_eq!(structured["result"], "1");
        assert_eq!(
            structured["warnings"],
            json!([
                "what was displayed as image/png is no image in base64",
                "what was displayed as text/html is too large to be shown",
            ])
        );
    }

    #[test]
    fn files_come_as_what_they_are() {
        let outcome = || Outcome::new(Ending::Exited { exit_code: 0 }, Tier::Wasm);
        let files: [(&str, &[u8]); 4] =
            [("a.txt", b"text"), ("b.png", b"\x89PNG"), ("c.bin", b"\xff"), ("d/e.bin", &[0xff; 600_000])];
        let result = answer(outcome(), None, &files);
        assert_eq!(kinds(&result), ["text", "image", "resource"]);
        let structured = result.structured_content.unwrap();
        assert_eq!(structured["files"][0], json!({"path": "a.txt", "size": 4, "content": "text"}));
        assert_eq!(structured["files"][1], json!({"path": "b.png", "size": 4}));
        assert!(structured["warnings"][0].as_str().unwrap().starts_with("d/e.bin is too large"), "{structured}");
        let result = answer(outcome(), Some("x"), &files);
        assert_eq!(kinds(&result), ["text", "image", "resource_link", "resource_link"]);
    }

    #[test]
    fn addresses_of_files_are_read_as_they_are_written() {
        for path in ["a.txt", "a b/ü?#.txt", "100%"] {
            assert_eq!(session_file(&uri("id", path)), Some(("id".to_owned(), path.to_owned())));
        }
        assert_eq!(session_file("pyexec://sessions/id"), None);
        assert_eq!(session_file("file:///etc/passwd"), None);
    }
}
