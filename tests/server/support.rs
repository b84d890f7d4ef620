//! A server of one's own, and ways to talk to it.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, Weak},
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};
use ureq::{
    Agent, Body,
    http::{HeaderMap, Request, Response},
};

/// Longer than anything takes on a busy machine, shorter than it takes to lose patience.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// `pyexec serve`, until it is dropped.
pub struct Server {
    child: Mutex<Child>,
    pid: u32,
    url: String,
    log: Arc<Mutex<String>>,
    agent: Agent,
    data: tempfile::TempDir,
}

/// An answer, all of it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A server that did not start, or has ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub log: String,
}

impl Server {
    /// With these variables and flags, on any free port.
    pub fn start(variables: &[(&str, &str)], flags: &[&str]) -> Server {
        match Server::try_start(variables, &[&["--port", "0"], flags].concat()) {
            Ok(server) => server,
            Err(ended) => panic!("the server did not start: {}\n{}", ended.status, ended.log),
        }
    }

    /// With exactly these flags.
    pub fn try_start(variables: &[(&str, &str)], flags: &[&str]) -> Result<Server, Ended> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
        command.arg("serve").args(flags).env_clear();
        // The last ones are how package indexes are reached.
        let kept = ["PATH", "HOME", "PYEXEC_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY"];
        for kept in kept {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        // What runs in containers is tested by itself.
        command.env("PYEXEC_FALLBACK", "off");
        let data = tempfile::tempdir().expect("a folder");
        command.env("PYEXEC_DATA_DIR", data.path());
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("pyexec starts");
        let (log, logger) = follow(child.stderr.take().expect("piped"));
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("stdout is text");
        if url.is_empty() {
            let status = child.wait().expect("it ends");
            logger.join().expect("the log is read");
            let log = log.lock().expect("not poisoned").clone();
            return Err(Ended { status, log });
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let pid = child.id();
        Ok(Server { child: Mutex::new(child), pid, url: url.trim_end().to_owned(), log, agent, data })
    }

    /// One with the default settings, that several tests use at the same time.
    pub fn shared() -> Arc<Server> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Statics are never dropped, so it must not be the static that keeps the server.
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start(&[], &[]));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn addr(&self) -> SocketAddr {
        self.url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address")
    }

    /// Its folder, unless its variables name another.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("not poisoned").clone()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], b"")
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &[], b"")
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Runs code and gives its result.
    pub fn eval(&self, request: &Value) -> Value {
        let answer = self.post_json("/api/v1/eval", request);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Asks for what cannot be, and gives why not, having checked that a client of the original service sees it.
    pub fn failed(&self, request: &Value) -> String {
        let result = self.eval(request);
        could_not_run(&result)
    }

    /// Starts a script that nobody waits for, and gives its id.
    pub fn submit(&self, code: &str, headers: &[(&str, &str)]) -> String {
        let form = Form::new().tar(&[("main.py", code)]).field("metadata", "", br#"{"entrypoint":"main.py"}"#);
        let answer = self.post_form("/api/v1/exec/async", headers, &form);
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["execution_id"].as_str().expect("an id").to_owned()
    }

    pub fn post_form(&self, path: &str, headers: &[(&str, &str)], form: &Form) -> Answer {
        self.call("POST", path, &[headers, &[("content-type", &Form::content_type())]].concat(), &form.end())
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_call(method, path, headers, body).expect("an answer")
    }

    pub fn try_call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut response = self.open(method, path, headers, body)?;
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// Events as they come.
    pub fn follow(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Events {
        let response = self.open(method, path, headers, body).expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { lines: BufReader::new(Box::new(response.into_body().into_reader())) }
    }

    fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response<Body>, ureq::Error> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        match body {
            b"" => self.agent.run(request.body(()).expect("a request")),
            _ => self.agent.run(request.body(body).expect("a request")),
        }
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr()).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Sends bytes, and gives all that comes until the server closes. They should ask it to.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it runs");
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        self.child.lock().expect("not poisoned").try_wait().expect("a child").is_none()
    }

    /// How it ended, once it has.
    pub fn ended(&self) -> ExitStatus {
        until("the server ends", || self.child.lock().expect("not poisoned").try_wait().expect("a child"))
    }

    /// A line of the metrics, without its name.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics").text();
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map(|value| value.parse().expect("a number"))
    }

    /// The result of an execution, once it has ended.
    pub fn result_of(&self, id: &str) -> Value {
        until("the execution ends", || {
            let result = self.get(&format!("/api/v1/executions/{id}")).json();
            (!matches!(result["status"].as_str(), Some("pending" | "running"))).then_some(result)
        })
    }

    /// Waits for the first output of an execution.
    pub fn has_printed(&self, id: &str) {
        let mut events = self.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"");
        assert!(events.any(|event| event.kind == "stdout"));
    }

    /// Waits for an execution to run.
    pub fn runs_now(&self, id: &str) {
        until("the execution runs", || {
            (self.get(&format!("/api/v1/executions/{id}")).json()["status"] == "running").then_some(())
        });
    }
}

/// Why an execution could not run, having checked that it is all there.
pub fn could_not_run(result: &Value) -> String {
    assert_eq!((&result["status"], &result["stdout"]), (&Value::from("failed"), &Value::from("")), "{result}");
    assert!(matches!(result["error_kind"].as_str(), Some("invalid" | "unavailable")), "{result}");
    assert!(result["exit_code"].as_i64().is_some_and(|code| code > 0), "{result}");
    let error = result["error"].as_str().expect("text");
    let hint = result["hint"].as_str().map_or_else(String::new, |hint| format!("hint: {hint}\n"));
    assert_eq!(result["stderr"].as_str(), Some(&*format!("{}\n{hint}", error.trim_end())), "{result}");
    assert_eq!(result["stderr_bytes"].as_u64(), result["stderr"].as_str().map(|text| text.len() as u64), "{result}");
    error.to_owned()
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        // It may have ended.
        let _ = child.kill();
        let _ = child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log.lock().map(|log| log.clone()).unwrap_or_default());
        }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// The error's text, having checked that it has the one shape of all errors.
    pub fn error(&self) -> String {
        assert!(self.status >= 400, "{}: {}", self.status, self.text());
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        let body = self.json();
        let names = body.as_object().expect("an object").keys().map(String::as_str);
        // A hint where it is known what to do.
        let names: Vec<_> = names.filter(|name| *name != "hint").collect();
        assert_eq!(names, ["code", "error", "request_id"], "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"));
        assert!(body["code"].as_str().is_some_and(|code| !code.is_empty()));
        body["error"].as_str().expect("text").to_owned()
    }
}

/// Server-sent events as they come.
pub struct Events {
    lines: BufReader<Box<dyn Read>>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut event = Event { id: 0, kind: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).expect("events") == 0 {
                return None;
            }
            match line.trim_end_matches('\n').split_once(": ") {
                Some(("id", id)) => event.id = id.parse().expect("a number"),
                Some(("event", kind)) => kind.clone_into(&mut event.kind),
                Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
                Some(("", _)) => {}
                None if line == "\n" && !event.kind.is_empty() => return Some(event),
                _ => assert_eq!(line, "\n", "not a line of an event"),
            }
        }
    }
}

const BOUNDARY: &str = "0123456789abcdef";

/// A form in parts.
#[derive(Default)]
pub struct Form(Vec<u8>);

impl Form {
    pub fn new() -> Form {
        Form::default()
    }

    /// A part `tar` with these files.
    pub fn tar(self, files: &[(&str, &str)]) -> Form {
        self.field("tar", "; filename=\"code.tar\"", &tar(files))
    }

    /// A part, with more for the line that has its name.
    pub fn field(mut self, name: &str, more: &str, content: &[u8]) -> Form {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
        self.0.extend([head.as_bytes(), content, b"\r\n"].concat());
        self
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// All of it, as it is sent.
    pub fn end(&self) -> Vec<u8> {
        [self.0.as_slice(), format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }
}

/// An archive of these files.
pub fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_bytes()).expect("in memory");
    }
    archive.into_inner().expect("in memory")
}

/// Looks again and again until it is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited too long until {what}");
        sleep(Duration::from_millis(10));
    }
}

fn follow(mut stderr: impl Read + Send + 'static) -> (Arc<Mutex<String>>, JoinHandle<()>) {
    let log = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&log);
    let follower = thread::spawn(move || {
        let mut chunk = vec![0; 1 << 16];
        while let Ok(length @ 1..) = stderr.read(&mut chunk) {
            let text = String::from_utf8_lossy(chunk.get(..length).unwrap_or_default());
            written.lock().expect("not poisoned").push_str(&text);
        }
    });
    (log, follower)
}
