//! Accepts connections and speaks HTTP/1.1 on them, with a deadline for every way in which a client can be slow.
//!
//! Invariant: nothing a client does or leaves undone keeps a connection for longer than its deadlines; only a request that
//! is being worked on, or an answer that is being taken, has no deadline here.

mod body;
mod exchange;
mod patience;
mod peers;
mod socket;

pub(crate) use self::body::BodyTimeout;
use self::{
    body::{RequestBody, ResponseBody},
    exchange::Exchange,
    peers::{Newcomer, Peers},
    socket::Socket,
};
use crate::server::{refusal::refusal, request_id::X_REQUEST_ID};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{
        HeaderValue, Request, Response, StatusCode,
        header::{CONNECTION, CONTENT_LENGTH},
    },
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::Interest,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use tower::ServiceExt;

/// The request line and all headers, in bytes; more is answered 431.
const HEADER_BYTES_MAX: usize = 32 << 10;
/// Of each connection. It bounds what hyper reads ahead, thus what idle or slow connections cost.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// How long a client that has closed its sending side still gets bytes, counted from the last one. A client that is gone
/// looks the same, so this has to be short for its job to be cancelled soon.
const HALF_CLOSED_GRACE: Duration = Duration::from_millis(300);
/// What a client that was refused in the middle of its upload may go on to send, so that it reads the answer and not a reset.
const LINGER_MAX: Duration = Duration::from_secs(5);
const LINGER_SILENCE_MAX: Duration = Duration::from_secs(1);
/// After an error that waiting may cure, such as no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a newcomer looks for a connection whose place it can have.
const PLACE_POLL: Duration = Duration::from_millis(50);
/// What a client gets that has more than its share of all connections.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 86\r\n\r\n\
    {\"error\":\"this client has too many connections: try again later\",\"code\":\"unavailable\"}";
const ACCEPT_REPORT_EVERY: Duration = Duration::from_secs(10);

/// Limits of the connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListenerOptions {
    /// Connections at the same time. More wait until one closes or gives way.
    pub(crate) connections_max: usize,
    /// Of one peer, once there are as many as there may be.
    pub(crate) connections_share: usize,
    /// From the first byte of a request (or from accepting the connection) to the end of its headers.
    pub(crate) header_timeout: Duration,
    /// Without a byte of a request's body from the client, or without a byte of an answer taken by it. Those who move
    /// a byte now and then have ten times as long in all.
    pub(crate) body_timeout: Duration,
    /// From an answer to the first byte of the next request.
    pub(crate) idle_timeout: Duration,
}

/// Serves until `shutdown` resolves, then lets requests finish for at most `grace`, drops those that do not, and returns.
/// Dropping the future drops all connections at once.
///
/// A request of a client that disconnects is dropped within a second, wherever it is. A client that closes only its sending
/// side can't be told from one that is gone; it gets answers that start within [`HALF_CLOSED_GRACE`].
pub(crate) async fn serve_connections(
    listener: TcpListener,
    router: Router,
    options: ListenerOptions,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let permits = Arc::new(Semaphore::new(options.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
    let peers = Arc::new(Peers::default());
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut faults = AcceptFaults::default();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let (stream, peer) = accept(|cx| listener.poll_accept(cx), &mut faults).await;
            (permit(&permits, &peers, peer, options.connections_share).await, stream, peer)
        };
        let (permit, stream, peer) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = next => accepted,
        };
        let Some(permit) = permit else {
            // What does not fit in the system's buffer, which is empty, is not worth waiting for.
            let _ = stream.try_write(TOO_MANY);
            tracing::debug!(%peer, "refused one connection too many");
            continue;
        };
        let exchange = Arc::new(Exchange::default());
        let place = peers.enter(peer, Arc::clone(&exchange));
        let connection = serve_connection(stream, peer, router.clone(), options, exchange, stopping.clone());
        connections.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = place.wanted() => tracing::debug!(%peer, "ended a connection to make room"),
            }
            drop((place, permit));
        });
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(grace, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "dropping connections that did not finish in time");
        connections.shutdown().await;
    }
}

/// Waits for a place for a connection; `None` when its peer has had enough of them.
async fn permit(
    permits: &Arc<Semaphore>,
    peers: &Peers,
    peer: SocketAddr,
    share: usize,
) -> Option<OwnedSemaphorePermit> {
    let mut free = pin!(Arc::clone(permits).acquire_owned());
    loop {
        // Nothing closes the semaphore.
        if let Ok(permit) = timeout(Duration::ZERO, &mut free).await {
            return permit.ok();
        }
        if peers.make_place(peer, share) == Newcomer::Refused {
            return None;
        }
        if let Ok(permit) = timeout(PLACE_POLL, &mut free).await {
            return permit.ok();
        }
    }
}

/// Accepts the next connection, past any errors.
async fn accept<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>, faults: &mut AcceptFaults) -> T {
    loop {
        match poll_fn(&mut poll).await {
            Ok(accepted) => return accepted,
            // Of a connection that ended before it was accepted.
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => (),
            Err(e) => {
                faults.report(&e);
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Keeps a lasting fault from filling the log.
#[derive(Default)]
struct AcceptFaults {
    reported: Option<Instant>,
    unreported: u64,
}

impl AcceptFaults {
    fn report(&mut self, error: &io::Error) {
        if self.reported.is_some_and(|at| at.elapsed() < ACCEPT_REPORT_EVERY) {
            self.unreported += 1;
            return;
        }
        tracing::error!(%error, unreported = self.unreported, "cannot accept connections; trying again");
        *self = AcceptFaults { reported: Some(Instant::now()), unreported: 0 };
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    options: ListenerOptions,
    exchange: Arc<Exchange>,
    mut stopping: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let (read, write): (OwnedReadHalf, OwnedWriteHalf) = stream.into_split();
    let read = Arc::new(read);
    let socket = Socket::new(Arc::clone(&read), write, Arc::clone(&exchange), &options);
    let service = {
        let exchange = Arc::clone(&exchange);
        service_fn(move |request| answer(router.clone(), request, peer, &exchange, options.body_timeout))
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A backstop: it has one deadline for idling and headers together, where the socket has one for each.
        .header_read_timeout(options.idle_timeout.saturating_add(options.header_timeout))
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        // It would end a half-closed client's request before it starts, and would not see a client go that had sent a
        // byte too many. `abandoned` looks instead.
        .half_close(true)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    let mut abandoned = pin!(abandoned(&read, &exchange));
    let mut told = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => break ended,
            () = &mut abandoned => return,
            _ = stopping.wait_for(|stop| *stop), if !told => {
                told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    let refused_early = match ended {
        Ok(()) => exchange.has_unread_body(),
        Err(error) => {
            tracing::debug!(%peer, %error, "connection ended");
            error.is_parse()
        }
    };
    if refused_early {
        linger(&read).await;
    }
}

fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    exchange: &Arc<Exchange>,
    body_timeout: Duration,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + use<> {
    let busy = exchange.begin();
    let exchange = Arc::clone(exchange);
    async move {
        let mut request = request.map(|body| Body::new(RequestBody::new(body, Arc::clone(&exchange), body_timeout)));
        request.extensions_mut().insert(ConnectInfo(peer));
        let Ok(mut response) = router.oneshot(request).await;
        if exchange.body_timed_out() {
            response = too_slow(&response, body_timeout);
        } else if response.status().is_client_error() && exchange.has_unread_body() {
            // What is left of it may close the connection: no client should send its next request there.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| ResponseBody::new(body, busy)))
    }
}

/// Returns what a client gets for a body that stopped coming, whatever the handler made of it.
fn too_slow(response: &Response<Body>, body_timeout: Duration) -> Response<Body> {
    let request_id = response.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    let error = BodyTimeout(body_timeout).to_string();
    let mut refused = refusal(StatusCode::REQUEST_TIMEOUT, "body_timeout", &error, None, request_id);
    for (name, value) in response.headers() {
        if *name != CONTENT_LENGTH && !refused.headers().contains_key(name) {
            refused.headers_mut().append(name.clone(), value.clone());
        }
    }
    refused.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    refused
}

/// Resolves when the client has closed its sending side and has been sent nothing for [`HALF_CLOSED_GRACE`].
async fn abandoned(read: &OwnedReadHalf, exchange: &Exchange) {
    // Priority data is not subscribed to, so that this waits for the closing alone, past bytes that wait to be read.
    while let Ok(ready) = read.ready(Interest::PRIORITY).await {
        if ready.is_read_closed() {
            break;
        }
        sleep(HALF_CLOSED_GRACE).await;
    }
    let mut quiet_since = Instant::now();
    loop {
        sleep_until(quiet_since + HALF_CLOSED_GRACE).await;
        match exchange.last_write() {
            Some(at) if at > quiet_since => quiet_since = at,
            _ => return,
        }
    }
}

/// Discards what still comes. Closing with unread bytes would reset the connection, and with it the answer.
async fn linger(read: &OwnedReadHalf) {
    let mut discarded = vec![0; BUFFER_BYTES_MAX];
    let drain = async {
        while let Ok(Ok(())) = timeout(LINGER_SILENCE_MAX, read.readable()).await {
            match read.try_read(&mut discarded) {
                Ok(0) => break,
                Ok(_) => (),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => (),
                Err(_) => break,
            }
        }
    };
    // Either way the connection ends now.
    let _ = timeout(LINGER_MAX, drain).await;
}

#[cfg(test)]
mod tests;
