//! Files of a sandbox, and what its SDKs ask its other daemon for.

use super::{HOME, Refused, Result, check_open, sandbox, sessions};
use crate::{
    executor::SessionFile,
    server::{App, auth::Caller, body, render::timestamp},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{FromRequest as _, Multipart, Path, Query, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Other names of the folder where the code runs.
const ROOTS: [&str; 4] = [HOME, "/work", "/mnt/data", "~"];

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    path: Option<String>,
}

/// Reads a file.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(Wanted { path }): Query<Wanted>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let content = async {
        let (_, session) = session(&app, &caller, &parts).await?;
        let path = inside(&path.ok_or_else(|| Refused::invalid("path is missing"))?)?;
        Ok::<_, Refused>(sessions(&app)?.read_file(&caller.name, &session, &path).await?)
    };
    match content.await {
        Ok(content) => {
            let kind = HeaderValue::from_static("application/octet-stream");
            ([(CONTENT_TYPE, kind)], content).into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

/// Writes a file, or the files of a form.
pub(crate) async fn write(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Query(Wanted { path }): Query<Wanted>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let written = async {
        check_open(&app)?;
        let (_, session) = session(&app, &caller, &parts).await?;
        let most = app.settings.files_max_bytes;
        let bytes = body::read(body, most).await;
        let too_large = || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, format!("files have {most} bytes at most"));
        let bytes = bytes.map_err(|_| too_large())?;
        let mut infos = Vec::new();
        for (name, content) in contents(&parts, path, bytes).await? {
            let path = inside(&name)?;
            sessions(&app)?.write_file(&caller.name, &session, &path, content).await?;
            infos.push(json!({"name": base_name(&path), "type": "file", "path": format!("{HOME}/{path}")}));
        }
        Ok::<_, Refused>(infos)
    };
    match written.await {
        Ok(infos) => Json(infos).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// Returns what an upload has, by path: each part of a form has its own, unless there is only one.
async fn contents(parts: &Parts, path: Option<String>, bytes: Bytes) -> Result<Vec<(String, Bytes)>> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        let path = path.ok_or_else(|| Refused::invalid("path is missing"))?;
        return Ok(vec![(path, bytes)]);
    }
    let wrong = |e: String| Refused::invalid(format!("parsing form: {e}"));
    let mut form = Request::new(Body::from(bytes));
    form.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(kind).map_err(|e| wrong(e.to_string()))?);
    let mut form = Multipart::from_request(form, &()).await.map_err(|e| wrong(e.body_text()))?;
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|e| wrong(e.body_text()))? {
        let name = path.clone().or_else(|| field.file_name().map(str::to_owned));
        let name = name.ok_or_else(|| Refused::invalid("a part has no file name"))?;
        files.push((name, field.bytes().await.map_err(|e| wrong(e.body_text()))?));
    }
    Ok(files)
}

/// Answers calls about files.
pub(crate) async fn filesystem(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(method): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        if matches!(&*method, "Remove" | "Move") {
            check_open(&app)?;
        }
        let (_, session) = session(&app, &caller, &parts).await?;
        let bytes = body::read(body, 1 << 20).await.map_err(|_| Refused::invalid("the request is too large"))?;
        let asked: Value = serde_json::from_slice(&bytes)
            .map_err(|e| Refused::invalid(format!("calls are in JSON here (application/json): {e}")))?;
        let path = |name: &str| inside(asked.get(name).and_then(Value::as_str).unwrap_or_default());
        let sessions = sessions(&app)?;
        let tree = Tree::new(sessions.files(&caller.name, &session).await?);
        match &*method {
            "Stat" => Ok(json!({"entry": tree.entry(&path("path")?)?})),
            "ListDir" => {
                let depth = asked.get("depth").and_then(Value::as_u64).unwrap_or(1).max(1);
                Ok(json!({"entries": tree.list(&path("path")?, depth)?}))
            }
            "Remove" => {
                for file in tree.below(&path("path")?)? {
                    sessions.remove_file(&caller.name, &session, &file).await?;
                }
                Ok(json!({}))
            }
            "Move" => {
                let (from, to) = (path("source")?, path("destination")?);
                for (file, new) in tree.moved(&from, &to)? {
                    let content = sessions.read_file(&caller.name, &session, &file).await?;
                    sessions.write_file(&caller.name, &session, &new, content).await?;
                    sessions.remove_file(&caller.name, &session, &file).await?;
                }
                let tree = Tree::new(sessions.files(&caller.name, &session).await?);
                Ok(json!({"entry": tree.entry(&to)?}))
            }
            other => Err(Refused::new(StatusCode::NOT_IMPLEMENTED, format!("this server cannot do {other} of files"))),
        }
    };
    match answer.await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => connect_error(&refused),
    }
}

/// Refuses commands: there is no shell.
pub(crate) async fn process(Path(method): Path<String>, request: Request) -> Response {
    let message = format!(
        "this server cannot do {method} of processes: a sandbox runs Python only; use run_code, which also installs what it \
         imports, and %pip install"
    );
    let refused = Refused::new(StatusCode::NOT_IMPLEMENTED, message);
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/connect+") {
        return connect_error(&refused);
    }
    // A stream's error is its last message, in an envelope.
    let end = json!({"error": {"code": "unimplemented", "message": refused.message}}).to_string();
    let mut message = vec![2];
    message.extend(u32::try_from(end.len()).unwrap_or_default().to_be_bytes());
    message.extend(end.as_bytes());
    ([(CONTENT_TYPE, HeaderValue::from_static("application/connect+json"))], message).into_response()
}

/// Writes an error as Connect has it.
fn connect_error(refused: &Refused) -> Response {
    let code = match refused.status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::NOT_IMPLEMENTED => "unimplemented",
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        StatusCode::TOO_MANY_REQUESTS => "resource_exhausted",
        status if status.is_client_error() => "invalid_argument",
        _ => "internal",
    };
    refused.note_retry((refused.status, Json(json!({"code": code, "message": refused.message}))).into_response())
}

/// Returns the sandbox that a request is for, and its first session.
async fn session(app: &Arc<App>, caller: &Caller, parts: &Parts) -> Result<(String, String)> {
    let id = sandbox(app, caller, parts).await?;
    let session =
        app.sandboxes.with(caller, &id, |sandbox| sandbox.contexts.first().map(|first| first.session.clone()));
    let session = session.flatten().ok_or_else(Refused::no_sandbox)?;
    Ok((id, session))
}

/// Returns a path relative to the folder where the code runs.
fn inside(path: &str) -> Result<String> {
    let below = ROOTS.iter().find_map(|root| {
        let rest = path.strip_prefix(root)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    });
    let below = match below {
        Some(below) => below,
        None if path.starts_with('/') => {
            return Err(Refused::invalid(format!("{path:?} is outside of {HOME}, where files of sandboxes are here")));
        }
        None => path,
    };
    let parts: Vec<_> = below.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Refused::invalid(format!("{path:?} has \"..\" in it")));
    }
    Ok(parts.join("/"))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The files of a session, as folders. Empty ones are not known.
struct Tree(BTreeMap<String, SessionFile>);

impl Tree {
    fn new(files: Vec<SessionFile>) -> Tree {
        Tree(files.into_iter().map(|file| (file.path.clone(), file)).collect())
    }

    fn is_folder(&self, path: &str) -> bool {
        let below = format!("{path}/");
        path.is_empty() || self.0.range(below.clone()..).next().is_some_and(|(other, _)| other.starts_with(&below))
    }

    fn missing(path: &str) -> Refused {
        Refused::new(StatusCode::NOT_FOUND, format!("there is no file or folder {HOME}/{path}"))
    }

    /// Describes a file or a folder.
    fn entry(&self, path: &str) -> Result<Value> {
        let of = |kind, mode: u32, permissions, size: u64| {
            json!({
                "name": if path.is_empty() { "user" } else { base_name(path) },
                "type": kind,
                "path": if path.is_empty() { HOME.to_owned() } else { format!("{HOME}/{path}") },
                // 64 bits are text in this JSON.
                "size": size.to_string(),
                "mode": mode,
                "permissions": permissions,
                "owner": "user",
                "group": "user",
            })
        };
        if let Some(file) = self.0.get(path) {
            let mut entry = of("FILE_TYPE_FILE", 0o644, "-rw-r--r--", file.bytes);
            entry["modifiedTime"] = timestamp(file.modified).into();
            return Ok(entry);
        }
        if self.is_folder(path) {
            return Ok(of("FILE_TYPE_DIRECTORY", 0o755, "drwxr-xr-x", 4096));
        }
        Err(Tree::missing(path))
    }

    /// Lists what is in a folder, so many levels deep.
    fn list(&self, path: &str, depth: u64) -> Result<Vec<Value>> {
        if !self.is_folder(path) {
            return Err(match self.0.contains_key(path) {
                true => Refused::invalid(format!("{HOME}/{path} is no folder")),
                false => Tree::missing(path),
            });
        }
        let below = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut names = std::collections::BTreeSet::new();
        for file in self.0.keys() {
            let Some(rest) = file.strip_prefix(&below) else { continue };
            let ends = rest.match_indices('/').map(|(at, _)| at).chain([rest.len()]);
            names.extend(ends.take(usize::try_from(depth).unwrap_or(usize::MAX)).map(|end| &file[..below.len() + end]));
        }
        names.into_iter().map(|name| self.entry(name)).collect()
    }

    /// Returns the files that a path stands for: one, or all in a folder.
    fn below(&self, path: &str) -> Result<Vec<String>> {
        if self.0.contains_key(path) {
            return Ok(vec![path.to_owned()]);
        }
        if path.is_empty() || !self.is_folder(path) {
            return Err(Tree::missing(path));
        }
        let below = format!("{path}/");
        Ok(self.0.keys().filter(|file| file.starts_with(&below)).cloned().collect())
    }

    /// Returns the files that a move takes, each with its new path; none when nothing moves.
    fn moved(&self, from: &str, to: &str) -> Result<Vec<(String, String)>> {
        let files = self.below(from)?;
        if to.is_empty() {
            return Err(Refused::invalid(format!("nothing can take the place of {HOME}: name what is moved in it")));
        }
        if from == to {
            // A file written to itself and then removed would be lost.
            return Ok(Vec::new());
        }
        if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Refused::invalid(format!("{HOME}/{from} cannot move into itself, to {HOME}/{to}")));
        }
        if self.is_folder(to) {
            let message = format!("{HOME}/{to} is a folder with files: remove it first, or name a path in it");
            return Err(Refused::invalid(message));
        }
        let moved = files.into_iter().map(|file| {
            let new = format!("{to}{}", file.strip_prefix(from).unwrap_or_default());
            (file, new)
        });
        Ok(moved.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn paths_are_inside_of_the_folder() {
        for (path, inside_of_it) in [
            ("a", "a"),
            ("/home/user/a/b", "a/b"),
            ("/work", ""),
            ("/mnt/data/./a", "a"),
            ("~/a", "a"),
            ("a//b/", "a/b"),
        ] {
            assert_eq!(inside(path).unwrap(), inside_of_it, "{path}");
        }
        for path in ["/etc/passwd", "/home/user2/x", "/home/user/../x", ".."] {
            assert_eq!(inside(path).unwrap_err().status, StatusCode::BAD_REQUEST, "{path}");
        }
    }

    #[test]
    fn folders_are_what_files_are_in() {
        let file = |path: &str| SessionFile::new(path.to_owned(), 1, SystemTime::UNIX_EPOCH);
        let tree = Tree::new(["a.txt", "d/b.txt", "d/e/c.txt", "da"].map(file).into());
        let names = |path, depth| -> Vec<String> {
            let entries = tree.list(path, depth).unwrap();
            entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("", 1), ["/home/user/a.txt", "/home/user/d", "/home/user/da"]);
        assert_eq!(names("d", 1), ["/home/user/d/b.txt", "/home/user/d/e"]);
        assert_eq!(names("d", 2), ["/home/user/d/b.txt", "/home/user/d/e", "/home/user/d/e/c.txt"]);
        assert_eq!(tree.entry("d").unwrap()["type"], "FILE_TYPE_DIRECTORY");
        assert_eq!(tree.below("d").unwrap(), ["d/b.txt", "d/e/c.txt"]);
        assert_eq!(tree.below("x").unwrap_err().status, StatusCode::NOT_FOUND);
        assert_eq!(tree.below("").unwrap_err().status, StatusCode::NOT_FOUND);
    }
    #[test]
    fn a_move_loses_nothing() {
        let file = |path: &str| SessionFile::new(path.to_owned(), 1, SystemTime::UNIX_EPOCH);
        let tree = Tree::new(["a.txt", "d/b.txt", "d/e/c.txt", "da"].map(file).into());
        let moved = |from: &str, to: &str| tree.moved(from, to).map_err(|refused| refused.status);
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(moved("a.txt", "x"), Ok(vec![pair("a.txt", "x")]));
        assert_eq!(moved("d", "x/y"), Ok(vec![pair("d/b.txt", "x/y/b.txt"), pair("d/e/c.txt", "x/y/e/c.txt")]));
        assert_eq!(moved("d/e", "e"), Ok(vec![pair("d/e/c.txt", "e/c.txt")]));
        assert_eq!(moved("a.txt", "da"), Ok(vec![pair("a.txt", "da")]));
        for same in ["a.txt", "d"] {
            assert_eq!(moved(same, same), Ok(Vec::new()));
        }
        for (from, to) in [("d", "d/e"), ("d", "d/x/y"), ("a.txt", "a.txt/x"), ("a.txt", ""), ("a.txt", "d")] {
            assert_eq!(moved(from, to), Err(StatusCode::BAD_REQUEST), "{from} to {to}");
        }
        assert_eq!(moved("x", "x"), Err(StatusCode::NOT_FOUND));
    }
}
