//! Talks to a server. Everything here blocks; [`super::interrupt`] lets Ctrl-C end it.

use super::{
    Failure, Result,
    cells::{Called, View},
    console::note,
    request::JobRequest,
    sse::Parser,
    wire::{Eval, Metadata, Page, SessionId, State, Submitted},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use pyexec::Project;
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};
use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufWriter, Cursor, Read, Seek},
    thread,
    time::Duration,
};
use ureq::{
    Agent, Body, SendBody,
    config::AutoHeaderValue,
    http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A server sends a comment every 15 seconds when it has nothing to say.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// An answer may have to wait until a large upload is checked.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a busy server is asked again, altogether.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(250);
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// From here on the server is asked whether it wants the body before it is sent.
const LARGE_BODY: u64 = 1 << 20;

/// A server, and the key for it. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<String>,
    quiet: bool,
}

/// Says why there is no good answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is no connection, or no more: it may be worth another try.
    Lost(String),
    /// The server answered, or there is nothing to wait for.
    Final(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Final(failure)
    }
}

impl Client {
    pub(crate) fn new(url: &str, api_key: Option<&str>, quiet: bool) -> Result<Client> {
        let Target { base, basic, local } = target(url)?;
        let authorization = match (api_key, basic) {
            (Some(key), _) if key.bytes().any(|byte| !(0x21..0x7f).contains(&byte)) => {
                return Err(Failure::Usage(
                    "the API key has characters that no key has\nhint: look for spaces or line ends in it".to_owned(),
                ));
            }
            (Some(key), _) => Some(format!("Bearer {key}")),
            (None, Some(basic)) => Some(format!("Basic {}", BASE64.encode(basic))),
            (None, None) => None,
        };
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pyexec/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(ANSWER_TIMEOUT))
            .timeout_per_write(Some(SILENCE_MAX));
        if local {
            config = config.proxy(None);
        }
        Ok(Client { agent: config.build().new_agent(), base, authorization, quiet })
    }

    /// Returns the server's URL, without a key.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Starts a project, and gives the execution's id.
    pub(crate) fn submit(&self, project: &Project, metadata: &Metadata) -> Result<String> {
        let upload = Upload::new(project, metadata)?;
        let content_type = format!("multipart/form-data; boundary={}", upload.boundary);
        let payload = Payload::Form(&upload);
        let submitted: Submitted =
            read_json(self.send(Method::POST, "/api/v1/exec/async", &[("content-type", &content_type)], &payload)?)?;
        check_id(&submitted.execution_id)?;
        Ok(submitted.execution_id)
    }

    /// Evaluates code; the answer is its events, or from a server that has none, its result.
    pub(crate) fn eval(&self, request: &Eval) -> Result<Response<Body>> {
        let json = serde_json::to_vec(request).map_err(|e| Failure::Fault(format!("cannot write JSON: {e}")))?;
        let headers = [("content-type", "application/json"), ("accept", "text/event-stream, application/json;q=0.5")];
        Ok(self.send(Method::POST, "/api/v1/eval", &headers, &Payload::Json(&json))?)
    }

    /// Returns the events of an execution after one that was seen.
    pub(crate) fn events(&self, id: &str, last_event: Option<&str>) -> Result<Response<Body>, Trouble> {
        check_id(id)?;
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(last_event.map(|last| ("last-event-id", last)));
        self.send(Method::GET, &format!("/api/v1/executions/{id}/events"), &headers, &Payload::None)
    }

    /// Ends an execution, and gives the status that it has then.
    pub(crate) fn kill(&self, id: &str) -> Result<String> {
        check_id(id)?;
        let answer = self.send(Method::DELETE, &format!("/api/v1/executions/{id}"), &[], &Payload::None)?;
        Ok(read_json::<State>(answer)?.status)
    }

    /// Returns a part of the list of executions.
    pub(crate) fn list(&self, status: Option<&str>, limit: usize, after: Option<&str>) -> Result<Page> {
        let mut path = format!("/api/v1/executions?limit={limit}");
        for (name, value) in [("status", status), ("after", after)] {
            if let Some(value) = value {
                let _ = write!(path, "&{name}={}", percent_encoded(value, ""));
            }
        }
        read_json(self.send(Method::GET, &path, &[], &Payload::None)?)
    }

    /// Returns a file that an execution made.
    pub(crate) fn file(&self, id: &str, path: &str) -> Result<impl Read + use<>> {
        check_id(id)?;
        let path = format!("/api/v1/executions/{id}/files/{}", percent_encoded(path, "/"));
        Ok(self.send(Method::GET, &path, &[], &Payload::None)?.into_body().into_reader())
    }

    /// Makes a session, and gives its id.
    pub(crate) fn new_session(&self, request: &JobRequest) -> Result<String> {
        let request = serde_json::to_vec(&request.session()?).unwrap_or_default();
        let made: SessionId = self.json(Method::POST, "/api/v1/sessions", &Payload::Json(&request))?;
        check_id(&made.id)?;
        Ok(made.id)
    }

    /// Lists sessions.
    pub(crate) fn sessions(&self) -> Result<Value> {
        self.json(Method::GET, "/api/v1/sessions", &Payload::None)
    }

    /// Returns what is known of a session, or of a part of it.
    pub(crate) fn session(&self, id: &str, part: &str) -> Result<Value> {
        self.json(Method::GET, &session_path(id, part)?, &Payload::None)
    }

    /// Does something with a session, of which the answer is the session.
    pub(crate) fn change_session(&self, id: &str, part: &str) -> Result<Value> {
        self.json(Method::POST, &session_path(id, part)?, &Payload::Json(b""))
    }

    /// Asks a session something about code.
    pub(crate) fn ask_session(&self, id: &str, question: &str, about: &Value) -> Result<Value> {
        self.json(Method::POST, &session_path(id, question)?, &Payload::Json(about.to_string().as_bytes()))
    }

    /// Keeps the state of a session under a name.
    pub(crate) fn checkpoint(&self, id: &str, name: &str) -> Result<()> {
        let path = session_path(id, &format!("checkpoints/{}", percent_encoded(name, "")))?;
        Ok(self.send(Method::PUT, &path, &[], &Payload::Json(b"")).map(drop)?)
    }

    /// Goes back to the state of a session that is kept under a name.
    pub(crate) fn roll_back(&self, id: &str, name: &str) -> Result<()> {
        self.change_session(id, &format!("checkpoints/{}", percent_encoded(name, ""))).map(drop)
    }

    /// Interrupts the call that a session is in.
    pub(crate) fn interrupt_session(&self, id: &str) -> Result<()> {
        Ok(self.send(Method::POST, &session_path(id, "interrupt")?, &[], &Payload::Json(b"")).map(drop)?)
    }

    /// Ends a session.
    pub(crate) fn remove_session(&self, id: &str) -> Result<()> {
        Ok(self.send(Method::DELETE, &session_path(id, "")?, &[], &Payload::None).map(drop)?)
    }

    /// Runs a cell of a session, and returns what came of it.
    pub(crate) fn call_whole(&self, id: &str, cell: &Value) -> Result<Box<RawValue>> {
        self.json(Method::POST, &session_path(id, "calls")?, &Payload::Json(cell.to_string().as_bytes()))
    }

    /// Runs a cell of a session, and shows what happens as it happens.
    pub(crate) fn call_session(&self, id: &str, cell: &Value, view: &View) -> Result<Called> {
        let headers = [("content-type", "application/json"), ("accept", "text/event-stream")];
        let body = cell.to_string();
        let response =
            self.send(Method::POST, &session_path(id, "calls")?, &headers, &Payload::Json(body.as_bytes()))?;
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if !is_stream {
            return Err(Failure::Fault(format!("{} has no events of calls\nhint: is it an old server?", self.base)));
        }
        let lost = || Failure::Fault("the connection was lost, which interrupts the call\nhint: try again".to_owned());
        let mut reader = response.into_body().into_reader();
        let (mut parser, mut frames) = (Parser::default(), Vec::new());
        let mut buffer = vec![0; 1 << 16];
        loop {
            let got = match reader.read(&mut buffer) {
                Ok(0) => return Err(lost()),
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(lost()),
            };
            let pushed = parser.push(buffer.get(..got).unwrap_or_default(), &mut frames);
            for frame in frames.drain(..) {
                if let Some(called) = view.frame(&frame)? {
                    return Ok(called);
                }
            }
            pushed.map_err(|_| Failure::Fault("the server sent an event that is too large".into()))?;
        }
    }

    /// Returns a file of a session.
    pub(crate) fn session_file(&self, id: &str, path: &str) -> Result<impl Read + use<>> {
        let path = session_path(id, &format!("files/{}", percent_encoded(path, "/")))?;
        Ok(self.send(Method::GET, &path, &[], &Payload::None)?.into_body().into_reader())
    }

    /// Writes a file of a session.
    pub(crate) fn put_session_file(&self, id: &str, path: &str, content: &[u8]) -> Result<()> {
        let path = session_path(id, &format!("files/{}", percent_encoded(path, "/")))?;
        let headers = [("content-type", "application/octet-stream")];
        Ok(self.send(Method::PUT, &path, &headers, &Payload::Json(content)).map(drop)?)
    }

    fn json<T: DeserializeOwned>(&self, method: Method, path: &str, payload: &Payload<'_>) -> Result<T> {
        read_json(self.send(method, path, &[("content-type", "application/json")], payload)?)
    }

    /// Returns what the server says about itself.
    pub(crate) fn health(&self) -> Result<serde_json::Value> {
        read_json(self.send(Method::GET, "/health", &[], &Payload::None)?)
    }

    /// Sends a request, again after a while when the server is busy.
    fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        payload: &Payload<'_>,
    ) -> Result<Response<Body>, Trouble> {
        let mut waited = Duration::ZERO;
        loop {
            let response = self.send_once(&method, path, headers, payload)?;
            if response.status().is_success() {
                return Ok(response);
            }
            let status = response.status();
            let pause = retry_after(status, response.headers()).filter(|pause| waited + *pause <= PATIENCE);
            let refusal = self.refusal(path, response);
            let Some(pause) = pause else { return Err(refusal) };
            if !self.quiet {
                note!("pyexec: the server is busy ({status}); trying again in {:.1} s", pause.as_secs_f64());
            }
            thread::sleep(pause);
            waited += pause;
        }
    }

    fn send_once(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        payload: &Payload<'_>,
    ) -> Result<Response<Body>, Trouble> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Payload::Form(upload) = payload {
            request = request.header(header::CONTENT_LENGTH, upload.length());
            if upload.length() > LARGE_BODY {
                request = request.header(header::EXPECT, "100-continue");
            }
        }
        let streams = headers.iter().any(|(name, value)| *name == "accept" && value.starts_with("text/event-stream"));
        let body = payload.body().map_err(|e| Failure::Fault(format!("cannot read the packed project: {e}")))?;
        let request = request
            .body(body)
            .map_err(|e| Failure::Usage(format!("cannot ask {}: {e}\nhint: check the server's URL", self.base)))?;
        let mut config = self.agent.configure_request(request);
        if streams {
            // What is compressed comes late.
            config = config.timeout_per_read(Some(SILENCE_MAX)).accept_encoding(AutoHeaderValue::None);
        }
        self.agent.run(config.build()).map_err(|e| self.lost(&e))
    }

    fn lost(&self, error: &ureq::Error) -> Trouble {
        match error {
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Trouble::Final(Failure::Fault(format!(
                "no safe connection to {}: {error}\nhint: a server without TLS is named with http://",
                self.base
            ))),
            _ => Trouble::Lost(format!(
                "cannot reach {}: {error}\nhint: is the server running? start it with pyexec serve",
                self.base
            )),
        }
    }

    /// Returns what an unsuccessful answer means for the user.
    fn refusal(&self, path: &str, response: Response<Body>) -> Trouble {
        let status = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).map(printable);
        let explained = read_json::<Explained>(response).ok();
        let ours = explained.is_some();
        let said = explained.map_or_else(|| format!("{} answered {status}", self.base), |e| printable(&e.error));
        let hint = match status.as_u16() {
            300..=399 => location.map(|location| format!("the server is at {location}")),
            401 if self.authorization.is_none() => {
                Some("the server wants a key: set PYEXEC_API_KEY, or use --api-key".to_owned())
            }
            401 => Some("the server does not know this key: check PYEXEC_API_KEY or --api-key".to_owned()),
            404 if ours && path.starts_with("/api/v1/sessions") && path.contains("/checkpoints/") => {
                Some("pyexec session checkpoint ID lists the names, pyexec session list the sessions".to_owned())
            }
            404 if ours && path.starts_with("/api/v1/sessions") => {
                Some("pyexec session list shows what there is".to_owned())
            }
            404 if ours => Some("pyexec list shows what there is; what has ended is soon forgotten".to_owned()),
            404 | 405 => Some("is this the URL of a pyexec server?".to_owned()),
            413 => Some("pyexec run takes larger programs than pyexec eval".to_owned()),
            429 | 503 => Some("try again later, or give the server more slots".to_owned()),
            502 | 504 => Some("is the server behind this gateway running?".to_owned()),
            _ => None,
        };
        let message = hint.map_or_else(|| said.clone(), |hint| format!("{said}\nhint: {hint}"));
        match status.as_u16() {
            // A gateway whose server is being restarted.
            502 | 504 => Trouble::Lost(message),
            429 => Trouble::Final(Failure::Fault(message)),
            400..=499 => Trouble::Final(Failure::Usage(message)),
            _ => Trouble::Final(Failure::Fault(message)),
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Lost(message) => Failure::Fault(message),
            Trouble::Final(failure) => failure,
        }
    }
}

#[derive(serde::Deserialize)]
struct Explained {
    error: String,
}

fn read_json<T: DeserializeOwned>(mut response: Response<Body>) -> Result<T> {
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = body.map_err(|e| Failure::Fault(format!("the server's answer was cut off: {e}\nhint: try again")))?;
    serde_json::from_slice(&body).map_err(|e| {
        Failure::Fault(format!("the server's answer makes no sense: {e}\nhint: is this the URL of a pyexec server?"))
    })
}

fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match status {
        StatusCode::TOO_MANY_REQUESTS => Some(Duration::from_secs(said.unwrap_or(1)).max(RETRY_PAUSE_MIN)),
        StatusCode::SERVICE_UNAVAILABLE => said.map(|said| Duration::from_secs(said).max(RETRY_PAUSE_MIN)),
        _ => None,
    }
}

/// Returns a server's text, without what could move the cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(4000).collect()
}

/// Ids become parts of paths, so that they may not have any meaning there.
fn check_id(id: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > 200 || !id.bytes().all(plain) {
        return Err(Failure::Usage(format!(
            "{:?} is not the id of an execution\nhint: pyexec list shows what there is",
            printable(id)
        )));
    }
    Ok(())
}

/// Returns the path of a session, or of a part of it.
fn session_path(id: &str, part: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.is_empty() || id.len() > 200 || !id.bytes().all(plain) {
        return Err(Failure::Usage(format!(
            "{:?} is not the id of a session\nhint: pyexec session list shows what there is",
            printable(id)
        )));
    }
    let slash = if part.is_empty() { "" } else { "/" };
    Ok(format!("/api/v1/sessions/{id}{slash}{part}"))
}

fn percent_encoded(text: &str, also_plain: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also_plain.as_bytes().contains(&byte);
        if plain {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok().filter(|digits| !digits.starts_with('+'))?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// A server's URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// Without the user, and without a `/` at its end.
    base: String,
    /// `user:password`
    basic: Option<Vec<u8>>,
    /// On this machine, where no proxy leads.
    local: bool,
}

fn target(url: &str) -> Result<Target> {
    let bad = |why: &str| Failure::Usage(format!("bad server URL: {why}\nhint: write it as http://HOST:PORT"));
    let url = url.trim();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(bad(&format!("{scheme:?} is neither http nor https")));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains(['?', '#']) {
        return Err(bad("it has a query or a fragment"));
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let basic = match user {
        None => None,
        Some(user) => Some(percent_decoded(user).ok_or_else(|| bad("its user or password has a % without meaning"))?),
    };
    let base = format!("{}://{host}{}", scheme.to_ascii_lowercase(), path.trim_end_matches('/'));
    let uri: Uri = base.parse().map_err(|e| bad(&format!("{e}")))?;
    let name = uri.host().filter(|name| !name.is_empty()).ok_or_else(|| bad("it has no host"))?;
    let address: Option<std::net::IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    let local = name.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback());
    Ok(Target { base, basic, local })
}

enum Payload<'a> {
    None,
    Json(&'a [u8]),
    Form(&'a Upload),
}

impl Payload<'_> {
    /// Returns the body, from its start.
    fn body(&self) -> io::Result<SendBody<'static>> {
        Ok(match self {
            Payload::None => SendBody::none(),
            Payload::Json(json) => SendBody::from_owned_reader(Cursor::new(json.to_vec())),
            Payload::Form(upload) => SendBody::from_owned_reader(upload.reader()?),
        })
    }
}

/// A form with a project's archive. The archive is in a file, for it may be larger than memory.
struct Upload {
    boundary: String,
    head: Vec<u8>,
    archive: File,
    archive_bytes: u64,
    tail: Vec<u8>,
}

impl Upload {
    fn new(project: &Project, metadata: &Metadata) -> Result<Upload> {
        let metadata =
            serde_json::to_string(metadata).map_err(|e| Failure::Fault(format!("cannot write JSON: {e}")))?;
        let fail = |e| Failure::Fault(format!("cannot pack the project: {e}\nhint: is the temporary folder full?"));
        let mut archive = tempfile::tempfile().map_err(fail)?;
        project.to_tar(BufWriter::new(&mut archive)).map_err(fail)?;
        let archive_bytes = archive.stream_position().map_err(fail)?;
        let boundary = format!("pyexec-{}", uuid::Uuid::new_v4().simple());
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{metadata}\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"tar\"; filename=\"project.tar\"\r\nContent-Type: application/x-tar\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        Ok(Upload { boundary, head: head.into_bytes(), archive, archive_bytes, tail: tail.into_bytes() })
    }

    fn length(&self) -> u64 {
        self.head.len() as u64 + self.archive_bytes + self.tail.len() as u64
    }

    fn reader(&self) -> io::Result<impl Read + 'static> {
        let mut archive = self.archive.try_clone()?;
        archive.rewind()?;
        Ok(Cursor::new(self.head.clone()).chain(archive.take(self.archive_bytes)).chain(Cursor::new(self.tail.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::request::JobRequest;

    #[test]
    fn server_urls_are_taken_apart() {
        let local = |base: &str| Target { base: base.into(), basic: None, local: true };
        assert_eq!(target("localhost:8080").expect("good"), local("http://localhost:8080"));
        assert_eq!(target("http://127.0.0.1:1/").expect("good"), local("http://127.0.0.1:1"));
        assert_eq!(target("HTTP://[::1]:1/base//").expect("good"), local("http://[::1]:1/base"));
        let with_key = target("https://me:a%40b:c@example.org").expect("good");
        let expected = Target { base: "https://example.org".into(), basic: Some(b"me:a@b:c".to_vec()), local: false };
        assert_eq!(with_key, expected);
        for bad in ["", "http://", "ftp://x", "http://x?y", "http://a:%zz@x", "http://a b", "http://x#f"] {
            assert!(matches!(target(bad), Err(Failure::Usage(text)) if text.contains("hint:")), "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_in_what_is_printed_of_a_url() {
        let client = Client::new("http://user:secret@example.org", None, true).expect("good");
        assert_eq!(client.url(), "http://example.org");
        assert_eq!(client.authorization.as_deref(), Some("Basic dXNlcjpzZWNyZXQ="));
        let client = Client::new("http://user:secret@example.org", Some("other"), true).expect("good");
        assert_eq!(client.authorization.as_deref(), Some("Bearer other"));
        assert!(Client::new("http://example.org", Some("two\nlines"), true).is_err());
    }

    #[test]
    fn ids_cannot_lead_elsewhere() {
        assert!(check_id("exe_0b0e8c52-7d0a-4b6d-9f0e-2f5b2d7f8c11").is_ok());
        for id in ["", "..", "a/b", "a?b", "a%2fb", "a b"] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn percent_encoding_goes_both_ways() {
        assert_eq!(percent_encoded("a b/å%.txt", "/"), "a%20b/%C3%A5%25.txt");
        assert_eq!(percent_decoded("a%20b%C3%A5").as_deref(), Some("a bå".as_bytes()));
        assert_eq!((percent_decoded("%"), percent_decoded("%+1"), percent_decoded("%å")), (None, None, None));
    }

    #[test]
    fn waiting_is_as_long_as_the_server_says() {
        let headers =
            |value: &'static str| HeaderMap::from_iter([(header::RETRY_AFTER, value.parse().expect("valid"))]);
        let seconds = |status, headers: &HeaderMap| retry_after(status, headers).map(|pause| pause.as_secs_f64());
        assert_eq!(seconds(StatusCode::TOO_MANY_REQUESTS, &headers("7")), Some(7.0));
        assert_eq!(seconds(StatusCode::TOO_MANY_REQUESTS, &headers("0")), Some(0.25));
        assert_eq!(seconds(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new()), Some(1.0));
        assert_eq!(seconds(StatusCode::SERVICE_UNAVAILABLE, &headers("3")), Some(3.0));
        assert_eq!(seconds(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new()), None);
        assert_eq!(seconds(StatusCode::BAD_REQUEST, &headers("3")), None);
    }

    #[test]
    fn an_upload_is_as_long_as_it_says_each_time_it_is_read() {
        let request = JobRequest::new(Project::script("print(1)"));
        let upload = Upload::new(&request.project, &request.metadata(None).expect("valid")).expect("packed");
        for _ in 0..2 {
            let mut body = Vec::new();
            upload.reader().expect("opened").read_to_end(&mut body).expect("read");
            assert_eq!(body.len() as u64, upload.length());
            assert!(body.ends_with(format!("\r\n--{}--\r\n", upload.boundary).as_bytes()));
            assert!(body.windows(8).any(|part| part == b"print(1)"));
        }
    }
}
