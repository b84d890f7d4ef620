//! The tool over HTTP: `/mcp`, for clients of any revision.

use super::{Host, tool::Face};
use crate::{
    server::{
        App,
        auth::Caller,
        body,
        error::{ApiError, Problem},
    },
    sync::lock,
};
use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService,
    session::{SessionManager as _, local::LocalSessionManager},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Names a connection of the revisions before 2026-07-28.
const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const STATELESS_SINCE: &str = "2026-07-28";
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Connections of one caller; the one that was not used for longest ends.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection is kept without a word: longer than any call takes.
const IDLE_FOR: Duration = Duration::from_secs(2 * 3600);

/// The service behind `/mcp`.
pub(crate) struct Endpoint {
    service: StreamableHttpService<Face, LocalSessionManager>,
    manager: Arc<LocalSessionManager>,
    connections: Mutex<HashMap<String, Connection>>,
}

/// A connection of a caller.
struct Connection {
    caller: Arc<str>,
    used: Instant,
}

impl Endpoint {
    pub(crate) fn new(host: Arc<Host>) -> Endpoint {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = Some(IDLE_FOR);
        let manager = Arc::new(manager);
        // Hosts, origins and lengths are looked at where those of all routes are.
        let config =
            StreamableHttpServerConfig::default().disable_allowed_hosts().with_max_request_body_bytes(usize::MAX);
        let service =
            StreamableHttpService::new(move || Ok(Face::new(Arc::clone(&host), None)), Arc::clone(&manager), config);
        Endpoint { service, manager, connections: Mutex::default() }
    }

    /// Ends all connections, and the calls in them.
    pub(crate) fn end(&self) {
        self.service.config.cancellation_token.cancel();
    }

    /// Notes the use of a connection; `false` when the caller has none of this name.
    fn used(&self, id: &str, caller: &Caller) -> bool {
        let mut connections = lock(&self.connections);
        let connection = connections.get_mut(id).filter(|connection| connection.caller == caller.name);
        connection.map(|connection| connection.used = Instant::now()).is_some()
    }

    /// Notes a new connection, and ends one of the same caller when there are too many.
    async fn opened(&self, id: &str, caller: &Caller) {
        let open: HashSet<_> = self.manager.sessions.read().await.keys().cloned().collect();
        let surplus = {
            let mut connections = lock(&self.connections);
            connections.retain(|id, _| open.contains(&**id));
            connections.insert(id.to_owned(), Connection { caller: Arc::clone(&caller.name), used: Instant::now() });
            let own = || connections.iter().filter(|(_, connection)| connection.caller == caller.name);
            let oldest = || own().min_by_key(|(_, connection)| connection.used).map(|(id, _)| id.clone());
            (own().count() > CONNECTIONS_MAX).then(oldest).flatten()
        };
        if let Some(oldest) = surplus {
            lock(&self.connections).remove(&oldest);
            self.close(&oldest).await;
        }
    }

    async fn close(&self, id: &str) {
        if let Err(error) = self.manager.close_session(&id.into()).await {
            tracing::debug!(%error, "a connection is closed already");
        }
    }
}

/// Speaks MCP.
pub(crate) async fn mcp(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
) -> Result<Response, ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(Problem::Draining, "the server is shutting down: try another, or again later")
            .retry_after(app.settings.shutdown_grace.as_secs().max(1)));
    }
    if !has_connections(request.headers()) {
        // Nobody checks whose it is; what answers the request may still find the connection by it.
        request.headers_mut().remove(&SESSION_ID);
    }
    if let Some(id) = connection(request.headers())
        && !app.mcp.used(&id, &caller)
    {
        // As the protocol asks of servers that have forgotten it: the client connects again.
        return Err(ApiError::new(Problem::NotFound, "there is no such MCP session, or no longer: initialize another"));
    }
    let is_end = request.method() == Method::DELETE;
    let is_open = request.headers().contains_key(&SESSION_ID);
    let (parts, body) = request.into_parts();
    let bytes = body::read(body, app.settings.body_max_bytes).await?;
    let response = app.mcp.service.handle(Request::from_parts(parts, Body::from(bytes))).await;
    if let Some(id) = connection(response.headers()).filter(|_| !is_open) {
        app.mcp.opened(&id, &caller).await;
    }
    let mut response = response.map(Body::new);
    if is_end && response.status() == StatusCode::ACCEPTED {
        // Clients take another success for a failure.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    if response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream") {
        // What a proxy keeps back comes too late.
        response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
    Ok(response)
}

/// Returns whether a request is of a revision that knows connections.
fn has_connections(headers: &HeaderMap) -> bool {
    headers.get("mcp-protocol-version").is_none_or(|version| version.as_bytes() < STATELESS_SINCE.as_bytes())
}

fn connection(headers: &HeaderMap) -> Option<String> {
    headers.get(&SESSION_ID).map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned())
}
