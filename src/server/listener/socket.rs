//! A TCP stream that fails with `TimedOut` when its client is too slow.

use super::{
    ListenerOptions,
    exchange::{Exchange, Turn},
    patience::Patience,
};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    time::{Sleep, sleep},
};

pub(super) struct Socket {
    /// Shared with who looks for the client's disconnecting.
    read: Arc<OwnedReadHalf>,
    write: OwnedWriteHalf,
    exchange: Arc<Exchange>,
    header_timeout: Duration,
    idle_timeout: Duration,
    turn: Turn,
    /// Whether some of the headers have come, or have to come now.
    in_headers: bool,
    /// Of the client's turn; armed when it is first waited for.
    turn_deadline: Option<Pin<Box<Sleep>>>,
    write_patience: Patience,
}

impl Socket {
    pub(super) fn new(
        read: Arc<OwnedReadHalf>,
        write: OwnedWriteHalf,
        exchange: Arc<Exchange>,
        options: &ListenerOptions,
    ) -> Socket {
        Socket {
            read,
            write,
            turn: exchange.turn(),
            exchange,
            header_timeout: options.header_timeout,
            idle_timeout: options.idle_timeout,
            in_headers: true,
            turn_deadline: None,
            write_patience: Patience::new(options.body_timeout),
        }
    }

    fn poll_read_now(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(AsRef::as_ref(&*self.read).poll_read_ready(cx))?;
            match self.read.try_read_buf(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => (),
                done => return Poll::Ready(done),
            }
        }
    }

    /// Gives each write its time to make some progress.
    fn poll_progress(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = written {
            self.write_patience.moved(written.as_ref().copied().unwrap_or_default());
            self.exchange.note_write();
            return Poll::Ready(written);
        }
        ready!(self.write_patience.poll_end(cx));
        Poll::Ready(Err(timed_out("the client does not take its answer")))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let turn = self.exchange.turn();
        if turn != self.turn {
            self.turn = turn;
            self.in_headers = false;
            self.turn_deadline = None;
        }
        if let Poll::Ready(read) = self.poll_read_now(cx, buffer) {
            if read? > 0 && !self.in_headers {
                self.in_headers = true;
                self.turn_deadline = None;
            }
            return Poll::Ready(Ok(()));
        }
        // Bodies have a deadline of their own.
        if !turn.is_the_clients() {
            return Poll::Pending;
        }
        let timeout = if self.in_headers { self.header_timeout } else { self.idle_timeout };
        ready!(self.turn_deadline.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut().poll(cx));
        Poll::Ready(Err(timed_out("the client sends no request")))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.write).poll_write(cx, bytes);
        self.poll_progress(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.write).poll_write_vectored(cx, slices);
        self.poll_progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}

fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}
