//! Serves executions over HTTP.
//!
//! **Architecture invariant:** HTTP and JSON are known only here, and how a job runs is not. Reading order: `routes` says
//! which path leads where; `request` makes a job of what came; `submit` finds it a place with the service and a record
//! (`executions`); `run` brings it to its `ending`, and `render` makes the answer of its record.

mod api;
mod auth;
mod body;
mod conversations;
mod cors;
mod ending;
mod error;
mod executions;
mod form;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod headers;
mod hints;
mod hosts;
mod listener;
mod members;
mod memory;
mod metrics;
mod rate_limit;
mod refusal;
mod render;
mod request;
mod request_id;
mod routes;
mod run;
mod submit;
mod uploads;

use crate::{
    Error, Hint, Pyexec, Result,
    blocking::blocking,
    config::{FallbackMode, Settings, data_folder},
    scheduler::QueueLimits,
    sessions::{Sessions, SessionsOptions},
};
use api::{
    e2b::Sandboxes,
    mcp::{self, Endpoint, Host},
    session_service::Tasks,
};
use auth::Tokens;
use conversations::Conversations;
use executions::{Executions, MemoryStore, Retention};
use listener::ListenerOptions;
use memory::Trimmer;
use metrics::Metrics;
use std::{
    fs::DirBuilder,
    io,
    net::SocketAddr,
    num::NonZero,
    os::unix::fs::DirBuilderExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpSocket,
    runtime::{Builder, Handle, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use uploads::Uploads;

/// How often what was kept long enough is forgotten, also when nobody calls.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// How often workspaces are looked through for those that nobody uses.
const SWEEP_WORKSPACES_EVERY: Duration = Duration::from_secs(300);

/// How often it is looked whether the last execution has ended.
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// Connections that wait to be accepted; the system may lower it. A client whose connection does not fit tries again after a
/// whole second.
const BACKLOG: u32 = 4096;

/// Servers that share a data folder, each with sessions of its own.
const SERVERS_MAX: usize = 32;

/// For killed executions to end, and for connections to take their last answer.
const FAREWELL: Duration = Duration::from_secs(5);

/// Holds what all requests share.
struct App {
    settings: Settings,
    pyexec: Pyexec,
    executions: Arc<Executions>,
    /// `None` when another process has the sessions in the data folder.
    conversations: Option<Conversations>,
    uploads: Arc<Uploads>,
    session_tasks: Tasks,
    metrics: Arc<Metrics>,
    mcp: Endpoint,
    sandboxes: Sandboxes,
    /// Of sandboxes.
    tokens: Arc<Tokens>,
    /// Where executions run that take longer than a slice. Their threads are busy; those that answer requests must not be.
    jobs: Handle,
    draining: AtomicBool,
}

impl App {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Serves until SIGTERM or SIGINT. The first lets executions end, for as long as the settings say; a second kills them.
///
/// `ready` is called once, with the address that is listened on.
///
/// # Errors
///
/// When uploads cannot be stored, the interpreter cannot be loaded, or the address cannot be listened on.
pub fn serve(
    settings: Settings,
    progress: impl Fn(&str) + Send + 'static,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    // Of one that is named the folder that it is in is there, or its name is wrong.
    let is_usual = data_folder().as_ref() == Some(&settings.data_dir);
    let made = DirBuilder::new().recursive(is_usual).mode(0o700).create(&settings.data_dir);
    if let Err(e) = made
        && e.kind() != io::ErrorKind::AlreadyExists
    {
        let remedy = if is_usual { "PYEXEC_DATA_DIR names another" } else { "make the folder that it is in first" };
        let problem = format!("data_dir: cannot make {}: {e}; {remedy}", settings.data_dir.display());
        return Err(Error::settings(vec![problem]));
    }
    if let Err(e) = tempfile::tempfile_in(&settings.data_dir) {
        let problem = format!("data_dir: cannot write to {}: {e}", settings.data_dir.display());
        return Err(Error::settings(vec![problem]));
    }
    crate::project::sweep();
    let mut builder = Pyexec::builder()
        .slots(settings.slots)
        .queue(queue_limits(&settings))
        .verification(crate::Verification::Full)
        .page_reuse(settings.page_reuse)
        .wording(hints::words)
        .on_progress(progress);
    if let Some(folder) = &settings.cache_dir {
        builder = builder.cache_folder(folder);
    }
    let pyexec = builder.settings(&settings).build()?;

    let jobs = runtime("jobs", NonZero::get)?;
    // The first slice of each job is run here; two more answer meanwhile.
    let front = runtime("http", |cores| cores.get() + 2)?;
    let conversations = {
        let _entered = jobs.enter();
        conversations(&pyexec, &settings)
    };
    let sessions = conversations.as_ref().map(|conversations: &Conversations| conversations.sessions.clone());
    let host = Host::new(pyexec.clone(), sessions, settings.clone(), jobs.handle().clone());
    let app = Arc::new(App {
        mcp: Endpoint::new(host),
        sandboxes: Sandboxes::default(),
        tokens: Arc::default(),
        pyexec,
        conversations,
        executions: Executions::new(MemoryStore::new(Retention {
            time: settings.cleanup_ttl,
            count_max: settings.results_max,
            bytes_max: usize::try_from(settings.results_bytes).unwrap_or(usize::MAX),
        })),
        uploads: Uploads::new(settings.uploads_bytes, settings.api_keys.len()),
        session_tasks: Tasks::default(),
        metrics: Arc::new(Metrics::new()),
        jobs: jobs.handle().clone(),
        draining: AtomicBool::new(false),
        settings,
    });
    let result = front.block_on(async {
        // First: whoever starts the same server twice must not sweep the containers of the one that runs.
        let socket = bind(&app)?;
        connect_docker(&app).await?;
        let result = listen(Arc::clone(&app), socket, ready).await;
        if let Some(conversations) = &app.conversations {
            conversations.sessions.freeze_all().await;
        }
        if let Err(error) = app.pyexec.shutdown().await {
            tracing::error!(%error, "containers may be left; they are removed when this server starts again");
        }
        result
    });
    // A call of the host that is still going on must not keep us.
    jobs.shutdown_background();
    front.shutdown_background();
    result
}

/// Makes a runtime with so many threads, for so many cores. They look for what has come after every few slices of jobs, each
/// of which takes as long as a hundred of other tasks.
fn runtime(name: &str, threads: impl FnOnce(NonZero<usize>) -> usize) -> Result<Runtime> {
    const LOOK_AFTER: u32 = 4;
    let cores = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    Builder::new_multi_thread()
        .worker_threads(threads(cores))
        .thread_name(name)
        .event_interval(LOOK_AFTER)
        .global_queue_interval(LOOK_AFTER)
        .enable_all()
        .build()
        .map_err(|e| Error::caused("cannot start a runtime", e))
}

/// Serves one client on standard input and output by MCP, until it closes them, or SIGTERM or SIGINT comes.
///
/// # Errors
///
/// When the interpreter cannot be loaded, or the client cannot be spoken with.
pub fn serve_mcp(settings: Settings, progress: impl Fn(&str) + Send + 'static) -> Result<()> {
    let pyexec = Pyexec::builder().wording(hints::words).on_progress(progress).settings(&settings).build()?;
    let runtime = runtime("jobs", NonZero::get)?;
    let result = runtime.block_on(async {
        let signals = |kind| signal(kind).map_err(|e| Error::caused("cannot handle signals", e));
        let (mut term, mut int) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
        // They go with this process: nobody else has their names.
        let sessions = Sessions::open(pyexec.clone(), SessionsOptions::default())?;
        let host = Host::new(pyexec.clone(), Some(sessions), settings, Handle::current());
        let served = tokio::select! {
            served = mcp::serve_stdio(host) => served,
            () = either(&mut term, &mut int) => Ok(()),
        };
        pyexec.shutdown().await?;
        served
    });
    // A read of standard input that is still going on must not keep us.
    runtime.shutdown_background();
    result
}

/// Opens sessions in the data folder: servers that share it have a folder of sessions each.
fn conversations(pyexec: &Pyexec, settings: &Settings) -> Option<Conversations> {
    let names = std::iter::once("sessions".to_owned()).chain((2..=SERVERS_MAX).map(|n| format!("sessions-{n}")));
    for name in names {
        let folder = Some(settings.data_dir.join(name));
        let options = SessionsOptions { folder, ..SessionsOptions::default() };
        match Sessions::open(pyexec.clone(), options) {
            Ok(sessions) => return Some(Conversations::new(sessions)),
            Err(error) => tracing::debug!(%error, "no sessions there"),
        }
    }
    tracing::warn!(folder = %settings.data_dir.display(), "this server has no sessions: its data folder has none free");
    None
}

fn queue_limits(settings: &Settings) -> QueueLimits {
    QueueLimits {
        places: settings.queue,
        bytes: usize::try_from(settings.queue_bytes).unwrap_or(usize::MAX),
        owners: settings.api_keys.len().max(1),
    }
}

/// Connects before the first request: what an earlier server left goes, and the pool is filled.
async fn connect_docker(app: &App) -> Result<()> {
    match app.settings.containers.fallback {
        FallbackMode::Off => tracing::info!("containers are off"),
        FallbackMode::On => drop(app.pyexec.connect_docker().await?),
        FallbackMode::Auto => match app.pyexec.connect_docker().await {
            Ok(_) => tracing::info!("jobs that need more than WebAssembly run in containers"),
            Err(error) => tracing::warn!(%error, "no containers: jobs that need one are refused until Docker answers"),
        },
    }
    Ok(())
}

async fn listen(app: Arc<App>, socket: TcpSocket, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let listener = socket.listen(BACKLOG).map_err(|e| cannot_listen(&app, e))?;
    let signals = |kind| signal(kind).map_err(|e| Error::caused("cannot handle signals", e));
    let (mut term, mut int) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    let address = listener.local_addr().map_err(|e| Error::caused("cannot listen", e))?;

    let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
    let (stop, mut stopped) = watch::channel(false);
    let options = ListenerOptions {
        connections_max: app.settings.connections_max,
        connections_share: app.settings.connections_share.unwrap_or(app.settings.connections_max / 2),
        header_timeout: app.settings.header_timeout,
        body_timeout: app.settings.body_timeout,
        idle_timeout: app.settings.idle_timeout,
    };
    let stopped = async move {
        // The sender goes away only with this server.
        let _ = stopped.wait_for(|&stop| stop).await;
    };
    let router = routes::router(Arc::clone(&app));
    let connections = listener::serve_connections(listener, router, options, stopped, FAREWELL);
    let serving = tokio::spawn(connections);
    let slots = app.settings.slots;
    tracing::info!(%address, slots, python = crate::PYTHON_VERSION, "serving");
    ready(address);

    either(&mut term, &mut int).await;
    drain(&app, &mut term, &mut int).await;
    app.mcp.end();
    stop.send_replace(true);
    // It ends by itself within the time for farewells; if it panicked, the log has said so.
    let _ = serving.await;
    sweeper.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Takes the address, which fails when another server listens there.
fn bind(app: &App) -> Result<TcpSocket> {
    let bound = || {
        let address = address(app);
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A server that is started anew does not wait for the connections of the one before to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|e| cannot_listen(app, e))
}

fn address(app: &App) -> SocketAddr {
    SocketAddr::new(app.settings.host, app.settings.port)
}

fn cannot_listen(app: &App, error: io::Error) -> Error {
    Error::caused(format!("cannot listen on {}", address(app)), error).with_hint(Hint::ListenElsewhere)
}

async fn drain(app: &App, term: &mut Signal, int: &mut Signal) {
    app.draining.store(true, Ordering::Relaxed);
    let busy = || app.pyexec.scheduler().present();
    tracing::info!(executions = busy(), grace_s = app.settings.shutdown_grace.as_secs(), "draining");
    let idle = async {
        while busy() > 0 {
            sleep(DRAIN_POLL).await;
        }
    };
    tokio::select! {
        ended = timeout_at(Instant::now() + app.settings.shutdown_grace, idle) => if ended.is_ok() { return },
        () = either(term, int) => {}
    }
    tracing::warn!(executions = busy(), "killing what still runs");
    app.executions.kill_all();
    app.mcp.end();
    let ended = timeout_at(Instant::now() + FAREWELL, async {
        while busy() > 0 {
            sleep(DRAIN_POLL).await;
        }
    });
    if ended.await.is_err() {
        tracing::error!(executions = busy(), "some executions did not end");
    }
}

async fn either(term: &mut Signal, int: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

async fn sweep(app: Arc<App>) {
    let mut trimmer = Trimmer::default();
    let mut workspaces_swept = None;
    loop {
        if workspaces_swept.is_none_or(|swept: Instant| swept.elapsed() > SWEEP_WORKSPACES_EVERY) {
            workspaces_swept = Some(Instant::now());
            if let Err(error) = app.pyexec.workspaces().sweep().await {
                tracing::error!(%error, "workspaces cannot be swept");
            }
        }
        sleep(SWEEP_EVERY).await;
        if let Err(error) = app.executions.sweep().await {
            tracing::error!(%error, "the store of executions cannot be reached");
        }
        let (_, kept_bytes) = app.executions.kept();
        let looked = blocking(move || {
            trimmer.look(kept_bytes as u64);
            trimmer
        });
        trimmer = looked.await.unwrap_or_default();
    }
}
