//! A web server that says what a test tells it to say.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc::Receiver},
    thread,
};

/// Gives one answer per request, in order, each on a connection of its own.
pub struct ScriptedServer {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
    thread: thread::JoinHandle<()>,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Such as `GET /health`.
    pub what: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A part of an answer.
pub enum Part {
    Bytes(Vec<u8>),
    /// Goes on when the test says so, or is gone.
    Wait(Receiver<()>),
}

/// An answer, and whether it comes before the body of the request was read.
pub struct Answer {
    parts: Vec<Part>,
    early: bool,
}

impl ScriptedServer {
    pub fn start(answers: Vec<Answer>) -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::default();
        let seen = Arc::clone(&requests);
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                for answer in answers {
                    let (stream, _) = listener.accept().expect("a connection");
                    let seen = &seen;
                    scope.spawn(move || serve(stream, answer, seen));
                }
            });
        });
        ScriptedServer { url, requests, thread }
    }

    /// All that was asked. Waits until every answer was given.
    pub fn requests(self) -> Vec<Request> {
        self.thread.join().expect("the server did not fail");
        self.requests.lock().expect("not poisoned").clone()
    }
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(this, _)| this == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Answer {
    pub fn new(status: &str, headers: &str, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        Answer { parts: vec![Part::Bytes(head.into_bytes()), Part::Bytes(body)], early: false }
    }

    pub fn json(status: &str, body: &serde_json::Value) -> Answer {
        Answer::new(status, "Content-Type: application/json\r\n", body.to_string())
    }

    /// Events in chunks, so that the client knows an end from a break: only what has a result ends.
    pub fn events(events: impl IntoIterator<Item = Part>) -> Answer {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: \
                    chunked\r\n\r\n";
        let mut parts = vec![Part::Bytes(head.as_bytes().to_vec())];
        parts.extend(events);
        Answer { parts, early: false }
    }

    /// Before the body of the request was read.
    pub fn early(mut self) -> Answer {
        self.early = true;
        self
    }
}

/// An event in a chunk of its own.
pub fn event(id: u32, name: &str, data: &serde_json::Value) -> Part {
    let text = format!("id: {id}\nevent: {name}\ndata: {data}\n\n");
    Part::Bytes(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

fn serve(stream: TcpStream, answer: Answer, seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
    let mut writer = stream;
    let mut request = head(&mut reader);
    if !answer.early {
        if request.header("expect").is_some() {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").expect("written");
        }
        request.body = body(&request, &mut reader);
    }
    seen.lock().expect("not poisoned").push(request);
    for part in answer.parts {
        match part {
            // A client that was interrupted is gone.
            Part::Bytes(bytes) => drop(writer.write_all(&bytes)),
            Part::Wait(signal) => drop(signal.recv()),
        }
    }
}

fn head(reader: &mut impl BufRead) -> Request {
    let mut lines = reader.lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty());
    let what = lines.next().expect("a request").trim_end_matches(" HTTP/1.1").to_owned();
    let header = |line: String| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Request { what, headers: lines.map(header).collect(), body: Vec::new() }
}

fn body(request: &Request, reader: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).expect("a size");
            let size = usize::from_str_radix(size.trim(), 16).expect("hexadecimal");
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).expect("a chunk");
            if size == 0 {
                return body;
            }
            body.extend_from_slice(chunk.get(..size).expect("that long"));
        }
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().expect("a number"));
    reader.take(length).read_to_end(&mut body).expect("a body");
    body
}
