//! What goes into a container: the job, its project, its standard input, and the question where it is.

use super::frames::{CONTENT, FILE, put, to};
use crate::{Error, Project, Result, job::Stdin, project::Receiver};
use bytes::{Bytes, BytesMut};
use std::{
    future::pending,
    io::{self, Write},
    pin::Pin,
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Notify, Semaphore, mpsc},
};

const PIECE_BYTES: usize = 64 * 1024;
/// Pieces of standard input that the job has not taken yet. So the runner need not stop reading, and hears a question.
const PIECES_UNDER_WAY: usize = 4;
/// Parts of the project read ahead.
const PARTS_READ_AHEAD: usize = 4;
const PART_BYTES: usize = 4 * PIECE_BYTES;

/// The way into a container.
pub(crate) type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// Passes on what the listener to a container tells the one who writes.
pub(crate) struct Signals {
    started: Notify,
    wanted: Notify,
    stopping: Notify,
    room: Semaphore,
}

impl Signals {
    pub(crate) fn new() -> Signals {
        let [started, wanted, stopping] = std::array::from_fn(|_| Notify::new());
        Signals { started, wanted, stopping, room: Semaphore::new(PIECES_UNDER_WAY) }
    }

    /// Tells that the script runs: its input may come.
    pub(crate) fn started(&self) {
        self.started.notify_one();
    }

    /// Asks the job where it is.
    pub(crate) fn ask_where(&self) {
        self.wanted.notify_one();
    }

    /// Ends the job, whose files then come; only after [`Signals::ask_where`].
    pub(crate) fn stop(&self) {
        self.stopping.notify_one();
    }

    /// Notes that a piece of input was taken; a job may say so too often.
    pub(crate) fn taken(&self) {
        if self.room.available_permits() < PIECES_UNDER_WAY {
            self.room.add_permits(1);
        }
    }
}

/// Writes a job, and what it reads, until it is dropped; returns only when the project cannot be read.
///
/// Nothing of `stdin` is taken before the job has started. A container that no longer takes anything is noticed by the one
/// who listens to it.
pub(crate) async fn write_job(
    mut input: Input,
    job: &[u8],
    project: Project,
    stdin: &mut Stdin,
    signals: &Signals,
) -> Error {
    match send_all(&mut input, job, project, stdin, signals).await {
        Err(Fault::Project(error)) => error,
        Err(Fault::Container) | Ok(()) => pending().await,
    }
}

enum Fault {
    Project(Error),
    Container,
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Fault {
        Fault::Container
    }
}

async fn send_all(
    input: &mut Input,
    job: &[u8],
    project: Project,
    stdin: &mut Stdin,
    signals: &Signals,
) -> Result<(), Fault> {
    send_project(input, job, project).await?;
    signals.started.notified().await;
    tokio::select! {
        () = signals.wanted.notified() => {}
        result = send_input(input, Pieces { stdin }, signals) => {
            result?;
            signals.wanted.notified().await;
        }
    }
    // It may cut off a piece of input within its frame only when the container has not taken it for as long.
    let mut bytes = Vec::new();
    put(&mut bytes, to::WHERE, b"");
    input.write_all(&bytes).await?;
    input.flush().await?;
    signals.stopping.notified().await;
    bytes.clear();
    put(&mut bytes, to::STOP, b"");
    input.write_all(&bytes).await?;
    Ok(input.flush().await?)
}

/// Writes a job and its project.
async fn send_project(input: &mut Input, job: &[u8], project: Project) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    put(&mut bytes, to::JOB, job);
    input.write_all(&bytes).await?;
    let (sender, mut parts) = mpsc::channel(PARTS_READ_AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        let mut parts = Parts { part: Vec::new(), sender };
        project.send(&mut parts)?;
        put(&mut parts.part, to::RUN, b"");
        parts.flush()
    });
    while let Some(part) = parts.recv().await {
        input.write_all(&part).await?;
    }
    let read = reading.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    read.map_err(|error| Fault::Project(Error::invalid(format!("the project cannot be read: {error}"))))?;
    Ok(input.flush().await?)
}

/// Writes the job of a session; returns only when the project cannot be read, or has gone into the container.
pub(crate) async fn write_session(input: &mut Input, job: &[u8], project: Project) -> Result<()> {
    match send_project(input, job, project).await {
        Err(Fault::Project(error)) => Err(error),
        Err(Fault::Container) => pending().await,
        Ok(()) => Ok(()),
    }
}

/// Writes frames into a container, in the order in which they were put. Who waits for it may be dropped at any moment.
pub(crate) struct Writer {
    input: Input,
    queue: Vec<u8>,
    written: usize,
    flushed: bool,
}

impl Writer {
    pub(crate) fn new(input: Input) -> Writer {
        Writer { input, queue: Vec::new(), written: 0, flushed: true }
    }

    pub(crate) fn put(&mut self, kind: u8, content: &[u8]) {
        put(&mut self.queue, kind, content);
        self.flushed = false;
    }

    /// Returns the bytes that were put, and not written.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.len() - self.written
    }

    /// Writes what was put, and does not return. A container that no longer takes anything is noticed by the one who listens.
    pub(crate) async fn write(&mut self) {
        while self.written < self.queue.len() {
            match self.input.write(&self.queue[self.written..]).await {
                Ok(written) if written > 0 => self.written += written,
                _ => return pending().await,
            }
        }
        self.queue.clear();
        self.queue.shrink_to(PIECE_BYTES);
        self.written = 0;
        if !self.flushed && self.input.flush().await.is_ok() {
            self.flushed = true;
        }
        pending().await
    }
}

/// Returns the next piece of a call's input, when there is room for it; `None` at its end. Dropping the future loses nothing.
pub(crate) async fn next_piece(stdin: &mut Stdin, signals: &Signals) -> Option<Bytes> {
    let room = signals.room.acquire().await;
    let piece = Pieces { stdin }.next().await;
    if let Ok(room) = room {
        room.forget();
    }
    piece
}

async fn send_input(input: &mut Input, mut pieces: Pieces<'_>, signals: &Signals) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        if let Ok(room) = signals.room.acquire().await {
            room.forget();
        }
        let piece = pieces.next().await;
        let kind = if piece.is_some() { to::INPUT } else { to::INPUT_END };
        frame.clear();
        put(&mut frame, kind, &piece.unwrap_or_default());
        input.write_all(&frame).await?;
        input.flush().await?;
        if kind == to::INPUT_END {
            return Ok(());
        }
    }
}

/// Standard input, piece by piece.
struct Pieces<'a> {
    stdin: &'a mut Stdin,
}

impl Pieces<'_> {
    /// Reads the next piece; `None` at the end, and for a source that fails.
    async fn next(&mut self) -> Option<Bytes> {
        match self.stdin {
            Stdin::Empty => None,
            Stdin::Bytes(rest) => {
                let piece = rest.split_to(rest.len().min(PIECE_BYTES));
                (!piece.is_empty()).then_some(piece)
            }
            Stdin::Reader(reader) => {
                let mut piece = BytesMut::with_capacity(PIECE_BYTES);
                match reader.read_buf(&mut piece).await {
                    Ok(read) if read > 0 => Some(piece.freeze()),
                    _ => None,
                }
            }
        }
    }
}

/// Puts a project into frames, on a thread that may wait for disk and container.
struct Parts {
    part: Vec<u8>,
    sender: mpsc::Sender<Vec<u8>>,
}

impl Receiver for Parts {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        put(&mut self.part, to::FOLDER, path.as_bytes());
        Ok(())
    }

    fn file(&mut self, path: &str) -> io::Result<()> {
        put(&mut self.part, FILE, path.as_bytes());
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        put(&mut self.part, to::LINK, format!("{path}\0{target}").as_bytes());
        Ok(())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.chunks(PIECE_BYTES) {
            put(&mut self.part, CONTENT, piece);
            if self.part.len() >= PART_BYTES {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        self.sender.blocking_send(part).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
