use super::*;
use axum::{
    body::Bytes,
    extract::State,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    sync::oneshot,
    task::JoinHandle,
};

const QUICK: &str = "GET /quick HTTP/1.1\r\nhost: x\r\n\r\n";
const SLOW: &str = "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
const FAR: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_slow_headers_do_not_delay_a_good_request() {
    allow_many_files();
    let server = Server::start(OPTIONS);
    let mut slow = Vec::new();
    for _ in 0..500 {
        slow.push(server.connect_and_send("GET /quick HTTP/1.1\r\nhost:").await);
    }
    let mut times = Vec::new();
    for _ in 0..11 {
        let start = Instant::now();
        let mut good = server.connect_and_send(QUICK).await;
        assert_eq!(good.answer().await, "quick");
        times.push(start.elapsed());
    }
    times.sort();
    assert!(times[5] < Duration::from_millis(100), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_are_cut_at_their_deadline_so_that_others_get_in() {
    let server =
        Server::start(ListenerOptions { connections_max: 100, header_timeout: Duration::from_secs(1), ..OPTIONS });
    let start = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(server.connect_and_send("GET /quick HTTP/1.1\r\nhost:").await);
    }
    let mut good = server.connect_and_send(QUICK).await;
    assert_eq!(good.answer().await, "quick");
    assert!(start.elapsed() >= Duration::from_secs(1), "it got in before its turn");
    for mut connection in slow {
        assert!(connection.ends_within(Duration::from_secs(3)).await);
    }
}

#[tokio::test]
async fn when_full_a_newcomer_waits_and_kept_connections_are_answered() {
    let server = Server::start(ListenerOptions { connections_max: 2, ..OPTIONS });
    let mut kept = [server.connect_and_send(QUICK).await, server.connect_and_send(QUICK).await];
    for connection in &mut kept {
        assert_eq!(connection.answer().await, "quick");
    }
    let mut newcomer = server.connect_and_send(QUICK).await;
    assert!(timeout(Duration::from_millis(300), newcomer.answer()).await.is_err());
    for connection in &mut kept {
        connection.send(QUICK).await;
        assert_eq!(connection.answer().await, "quick");
    }
    drop(kept);
    assert_eq!(newcomer.answer().await, "quick");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_peer_cannot_hold_all_connections() {
    let idle = QUICK;
    let unsent = "";
    let slow_head = "GET /quick HTTP/1.1\r\nhost:";
    let slow_body = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc";
    for (request, same_peer) in [(idle, true), (unsent, true), (slow_head, true), (slow_body, false), (SLOW, false)] {
        let server = Server::start(ListenerOptions { connections_max: 20, connections_share: 10, ..OPTIONS });
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(server.connect_and_send(request).await);
        }
        let mut others = Vec::new();
        for _ in 0..10 {
            let from = if same_peer { "127.0.0.1" } else { "127.0.0.2" };
            let mut other = server.connect_from(from, QUICK).await;
            assert_eq!(timeout(Duration::from_secs(5), other.answer()).await.expect(request), "quick");
            others.push(other);
        }
        let mut ended = 0;
        for mut connection in held {
            if request == idle {
                assert_eq!(connection.answer().await, "quick");
            }
            ended += usize::from(connection.ends_within(Duration::from_millis(5)).await);
        }
        assert_eq!(ended, 10, "only as many as were needed: {request:?}");
    }
}

#[tokio::test]
async fn a_peer_that_has_more_than_its_share_is_refused_when_all_are_at_work() {
    let server = Server::start(ListenerOptions { connections_max: 4, connections_share: 2, ..OPTIONS });
    let mut held = Vec::new();
    for count in 1..=4 {
        held.push(server.connect_and_send(SLOW).await);
        server.has_running(count).await;
    }
    let answer = server.connect_and_send("").await.read_to_end().await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1"), "{answer}");
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    assert!(body.starts_with("{\"error\":") && body.ends_with('}'), "{answer}");
    server.has_running(4).await;
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_put_off_the_header_deadline() {
    let server = Server::start(ListenerOptions { header_timeout: Duration::from_millis(500), ..OPTIONS });
    for before in ["", QUICK] {
        let mut connection = server.connect_and_send(before).await;
        if !before.is_empty() {
            assert_eq!(connection.answer().await, "quick");
        }
        let start = Instant::now();
        let (mut read, mut write) = connection.0.split();
        let drip = async {
            for byte in "GET /quick HTTP/1.1\r\nx: ".bytes().chain(std::iter::repeat(b'x')) {
                if write.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = drip => (),
            _ = read.read_u8() => (),
        }
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(450) && elapsed < Duration::from_secs(2), "{elapsed:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_has_a_deadline_of_its_own() {
    for (header, idle) in [(100, 800), (60_000, 800)] {
        let server = Server::start(ListenerOptions {
            header_timeout: Duration::from_millis(header),
            idle_timeout: Duration::from_millis(idle),
            ..OPTIONS
        });
        let mut connection = server.connect_and_send(QUICK).await;
        assert_eq!(connection.answer().await, "quick");
        sleep(Duration::from_millis(400)).await;
        // Each answer starts it anew.
        connection.send(QUICK).await;
        assert_eq!(connection.answer().await, "quick");
        let start = Instant::now();
        assert!(connection.ends_within(Duration::from_secs(3)).await);
        assert!(start.elapsed() >= Duration::from_millis(700), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_new_connection_has_the_header_deadline_from_its_start() {
    let server = Server::start(ListenerOptions { header_timeout: Duration::from_millis(300), ..OPTIONS });
    assert!(server.connect_and_send("").await.ends_within(Duration::from_secs(2)).await);
}

#[tokio::test]
async fn a_job_has_none_of_the_clients_deadlines() {
    let short = Duration::from_millis(100);
    let server =
        Server::start(ListenerOptions { header_timeout: short, body_timeout: short, idle_timeout: short, ..OPTIONS });
    let mut connection = server.connect_and_send("GET /pause HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(connection.answer().await, "paused");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408_and_the_connection_closed() {
    let server = Server::start(ListenerOptions { body_timeout: Duration::from_millis(300), ..OPTIONS });
    for (path, framing) in [
        ("/length", "content-length: 10\r\n\r\nabc"),
        ("/length", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        ("/count", "content-length: 10\r\n\r\nabc"),
    ] {
        let mut connection = server.connect_and_send(&format!("POST {path} HTTP/1.1\r\nhost: x\r\n{framing}")).await;
        let answer = connection.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"body_timeout\""), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_keeps_coming_is_not_cut() {
    let short = Duration::from_millis(150);
    let body_timeout = Duration::from_millis(400);
    let server = Server::start(ListenerOptions { header_timeout: short, body_timeout, idle_timeout: short, ..OPTIONS });
    let mut connection =
        server.connect_and_send("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n").await;
    for _ in 0..10 {
        sleep(Duration::from_millis(100)).await;
        connection.send("x").await;
    }
    assert_eq!(connection.answer().await, "10");
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_hold_a_body_open_for_ever() {
    let server = Server::start(ListenerOptions { body_timeout: Duration::from_millis(100), ..OPTIONS });
    let mut connection =
        server.connect_and_send("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await;
    let start = Instant::now();
    let (mut read, mut write) = connection.0.split();
    let drip = async {
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(40)).await;
        }
    };
    let mut answer = [0; 12];
    tokio::select! {
        () = drip => (),
        read = read.read_exact(&mut answer) => drop(read.unwrap()),
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(900) && elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_cut() {
    let server = Server::start(ListenerOptions { body_timeout: Duration::from_millis(300), ..OPTIONS });
    let mut connection = server.connect_and_send("GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.has_running(1).await;
    server.has_running(0).await;
    // What was sent before can be read, and then it ends.
    let mut taken = vec![0; 1 << 20];
    while connection.0.read(&mut taken).await.is_ok_and(|n| n > 0) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_a_client_that_disconnects_is_dropped_within_a_second() {
    let server = Server::start(OPTIONS);
    let upload = "POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc";
    let surplus = format!("{SLOW}\r\n");
    let pipelined = format!("{SLOW}{QUICK}");
    let silent = "GET /silent HTTP/1.1\r\nhost: x\r\n\r\n";
    let endless = "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
    for request in [SLOW, upload, &surplus, &pipelined, silent, endless] {
        for reset in [false, true] {
            let connection = server.connect_and_send(request).await;
            server.has_running(1).await;
            if reset {
                connection.0.set_zero_linger().unwrap();
            }
            drop(connection);
            let start = Instant::now();
            server.has_running(0).await;
            assert!(start.elapsed() < Duration::from_secs(1), "{request:?} took {:?}", start.elapsed());
        }
    }
}

#[tokio::test]
async fn a_half_closed_client_gets_an_answer_that_comes_soon() {
    let server = Server::start(OPTIONS);
    for request in [QUICK, "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"] {
        let mut connection = server.connect_and_send(request).await;
        connection.0.shutdown().await.unwrap();
        let answer = connection.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    }
}

#[tokio::test]
async fn a_half_closed_client_gets_all_of_an_answer_that_keeps_coming() {
    let server = Server::start(OPTIONS);
    let mut connection = server.connect_and_send("GET /ticks HTTP/1.1\r\nhost: x\r\n\r\n").await;
    connection.0.shutdown().await.unwrap();
    assert_eq!(connection.read_to_end().await.matches("tick").count(), 10);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_turn() {
    let server = Server::start(OPTIONS);
    let mut connection =
        server.connect_and_send(&format!("GET /pause HTTP/1.1\r\nhost: x\r\n\r\n{QUICK}{QUICK}")).await;
    for expected in ["paused", "quick", "quick"] {
        assert_eq!(connection.answer().await, expected);
    }
}

#[tokio::test]
async fn headers_that_are_too_large_are_answered_431() {
    let server = Server::start(OPTIONS);
    let long = format!("GET /quick HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "x".repeat(2 * HEADER_BYTES_MAX));
    let many = format!("GET /quick HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(200));
    for request in [long, many] {
        let answer = server.connect_and_send(&request).await.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_refused_in_the_middle_of_its_upload_reads_why() {
    let server = Server::start(OPTIONS);
    let mut connection =
        server.connect_and_send("POST /quick HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n").await;
    // A client that reads only when it has sent all.
    connection.send(&"x".repeat(30_000_000)).await;
    let answer = connection.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn handlers_see_the_clients_address() {
    let server = Server::start(OPTIONS);
    let mut connection = server.connect_and_send("GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let own = connection.0.local_addr().unwrap();
    assert_eq!(connection.answer().await, own.to_string());
}

#[tokio::test]
async fn shutdown_lets_requests_finish_and_closes_idle_connections() {
    let server = Server::start(OPTIONS);
    let mut idle = server.connect_and_send(QUICK).await;
    assert_eq!(idle.answer().await, "quick");
    let mut fresh = server.connect_and_send("").await;
    let mut busy = server.connect_and_send("GET /pause HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.has_running(1).await;
    let address = server.address;
    let start = Instant::now();
    let ended = server.shut_down();
    assert!(idle.ends_within(Duration::from_millis(300)).await);
    assert!(fresh.ends_within(Duration::from_millis(300)).await);
    assert!(TcpStream::connect(address).await.is_err());
    let answer = busy.read_to_end().await;
    assert!(answer.ends_with("paused") && answer.contains("connection: close"), "{answer}");
    ended.await.unwrap();
    assert!(start.elapsed() < GRACE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn shutdown_drops_what_outlives_the_grace() {
    let server = Server::start(OPTIONS);
    let mut stuck = server.connect_and_send(SLOW).await;
    server.has_running(1).await;
    let running = Arc::clone(&server.running);
    let start = Instant::now();
    server.shut_down().await.unwrap();
    assert!(start.elapsed() >= GRACE && start.elapsed() < GRACE + Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(running.load(Ordering::SeqCst), 0);
    assert!(stuck.ends_within(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn dropping_the_server_drops_its_requests_at_once() {
    let server = Server::start(OPTIONS);
    let _stuck = server.connect_and_send(SLOW).await;
    server.has_running(1).await;
    server.task.abort();
    server.has_running(0).await;
}

#[tokio::test]
async fn errors_of_accepting_do_not_end_it_and_are_reported_once() {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    let mut results = vec![Err(EMFILE), Err(ENFILE), Err(EMFILE), Ok(7)].into_iter();
    let mut faults = AcceptFaults::default();
    let poll = |_: &mut Context<'_>| Poll::Ready(results.next().unwrap().map_err(io::Error::from_raw_os_error));
    let start = Instant::now();
    assert_eq!(accept(poll, &mut faults).await, 7);
    assert!(start.elapsed() >= 3 * ACCEPT_PAUSE, "it did not pause");
    assert_eq!(faults.unreported, 2);

    let mut results = vec![Err(io::ErrorKind::ConnectionAborted.into()), Ok(8)].into_iter();
    assert_eq!(accept(|_| Poll::Ready(results.next().unwrap()), &mut faults).await, 8);
    assert_eq!(faults.unreported, 2);
}

const GRACE: Duration = Duration::from_secs(2);
const OPTIONS: ListenerOptions = ListenerOptions {
    connections_max: 1000,
    connections_share: 1000,
    header_timeout: FAR,
    body_timeout: FAR,
    idle_timeout: FAR,
};

/// Requests that have not been dropped.
type Running = Arc<AtomicUsize>;

struct Guard(Running);

impl Guard {
    fn new(running: Running) -> Guard {
        running.fetch_add(1, Ordering::SeqCst);
        Guard(running)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Server {
    address: SocketAddr,
    running: Running,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    fn start(options: ListenerOptions) -> Server {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let address = listener.local_addr().unwrap();
        let running = Running::default();
        let (shutdown, stopped) = oneshot::channel();
        let router = router(Arc::clone(&running));
        // A sender that is dropped is no order to stop.
        let stopped = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let task = tokio::spawn(serve_connections(listener, router, options, stopped, GRACE));
        Server { address, running, shutdown, task }
    }

    async fn connect_and_send(&self, text: &str) -> Client {
        let mut client = Client(TcpStream::connect(self.address).await.unwrap());
        client.send(text).await;
        client
    }

    async fn connect_from(&self, address: &str, text: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        let mut client = Client(socket.connect(self.address).await.unwrap());
        client.send(text).await;
        client
    }

    async fn has_running(&self, expected: usize) {
        let reached = async {
            while self.running.load(Ordering::SeqCst) != expected {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.expect("requests neither started nor dropped in time");
    }

    fn shut_down(self) -> JoinHandle<()> {
        self.shutdown.send(()).unwrap();
        self.task
    }
}

fn router(running: Running) -> Router {
    async fn slow(State(running): State<Running>) {
        let _guard = Guard::new(running);
        sleep(FAR).await;
    }
    async fn slow_after_body(State(running): State<Running>, _body: Bytes) {
        slow(State(running)).await;
    }
    async fn pause(State(running): State<Running>) -> &'static str {
        let _guard = Guard::new(running);
        sleep(Duration::from_millis(600)).await;
        "paused"
    }
    async fn silent(State(running): State<Running>) -> Body {
        let guard = Guard::new(running);
        let first = stream::once(async { Ok::<_, Infallible>("first") });
        Body::from_stream(first.chain(stream::pending()).inspect(move |_| _ = &guard))
    }
    async fn endless(State(running): State<Running>) -> Body {
        let guard = Guard::new(running);
        let chunk = Bytes::from(vec![b'x'; 100_000]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone())).inspect(move |_| _ = &guard))
    }
    async fn ticks() -> Body {
        Body::from_stream(stream::iter(0..10).then(async |_| {
            sleep(Duration::from_millis(100)).await;
            Ok::<_, Infallible>("tick")
        }))
    }
    /// Counts what comes and takes an error for the end.
    async fn count(body: Body) -> String {
        body.into_data_stream().take_while(|chunk| std::future::ready(chunk.is_ok())).count().await.to_string()
    }
    Router::new()
        .route("/quick", get(|| async { "quick" }))
        .route("/pause", get(pause))
        .route("/slow", get(slow).post(slow_after_body))
        .route("/silent", get(silent))
        .route("/endless", get(endless))
        .route("/ticks", get(ticks))
        .route("/length", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/count", post(count))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .with_state(running)
}

/// Five hundred connections with both of their ends are more than some systems allow at first.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads the body of the next answer, which has to have a length.
    async fn answer(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        String::from_utf8(body).unwrap()
    }

    async fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        timeout(Duration::from_secs(10), self.0.read_to_string(&mut text)).await.unwrap().unwrap();
        text
    }

    async fn ends_within(&mut self, time: Duration) -> bool {
        // A reset is an end as well.
        timeout(time, self.0.read(&mut [0])).await.is_ok_and(|read| !read.is_ok_and(|n| n > 0))
    }
}
