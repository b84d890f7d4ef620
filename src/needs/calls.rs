//! Which calls need more than WebAssembly has.

use super::Capability;
use ruff_python_ast::{self as ast, Arguments, Expr, InterpolatedStringElement};

/// Names of `multiprocessing` that start processes, or lead to what does.
const STARTERS: [&str; 5] = ["Process", "Pool", "Manager", "Pipe", "get_context"];

/// Names of `multiprocessing` that only matter where processes are started.
const SHARED_OBJECTS: [&str; 14] = [
    "Queue",
    "SimpleQueue",
    "JoinableQueue",
    "Lock",
    "RLock",
    "Semaphore",
    "BoundedSemaphore",
    "Event",
    "Condition",
    "Barrier",
    "Value",
    "Array",
    "RawValue",
    "RawArray",
];

/// Returns what a call of the function of this full name (`threading.Thread`) needs. Calls are judged by name, and
/// where it matters whether the other end is this machine, by a literal argument; `meant` knows what names stand for.
pub(super) fn needed<'e>(
    function: &str,
    arguments: &'e Arguments,
    meant: &dyn Fn(&'e Expr) -> &'e Expr,
) -> Option<Capability> {
    let (module, name) = function.rsplit_once('.')?;
    match module {
        "threading" => matches!(name, "Thread" | "Timer").then_some(Capability::Threads),
        "_thread" => matches!(name, "start_new_thread" | "start_new").then_some(Capability::Threads),
        "concurrent.futures" | "concurrent.futures.thread" | "concurrent.futures.process" => match name {
            "ThreadPoolExecutor" | "InterpreterPoolExecutor" => Some(Capability::Threads),
            "ProcessPoolExecutor" => Some(Capability::Processes),
            _ => None,
        },
        "multiprocessing" | "multiprocessing.context" => {
            let is_used = STARTERS.contains(&name) || SHARED_OBJECTS.contains(&name);
            is_used.then_some(Capability::Processes)
        }
        "multiprocessing.pool" => match name {
            "Pool" => Some(Capability::Processes),
            "ThreadPool" => Some(Capability::Threads),
            _ => None,
        },
        "multiprocessing.dummy" => matches!(name, "Pool" | "Process").then_some(Capability::Threads),
        "multiprocessing.shared_memory" => {
            matches!(name, "SharedMemory" | "ShareableList").then_some(Capability::Processes)
        }
        "multiprocessing.managers" => name.ends_with("Manager").then_some(Capability::Processes),
        "multiprocessing.connection" => matches!(name, "Listener" | "Client" | "Pipe").then_some(Capability::Sockets),
        // They show their progress from a thread.
        "rich.progress" | "rich.live" | "rich.status" => {
            let is = |name: &str, value: bool| {
                let value_of = |it: &ast::Keyword| it.value.as_boolean_literal_expr().map(|literal| literal.value);
                let named = |it: &&ast::Keyword| it.arg.as_ref().is_some_and(|known| known.as_str() == name);
                arguments.keywords.iter().find(named).and_then(value_of) == Some(value)
            };
            // What tracks a sequence has a thread for that even if it shows nothing.
            let is_still = is("auto_refresh", false) || name == "Progress" && is("disable", true);
            let shows = matches!(name, "track" | "Progress" | "Live" | "Status" | "open" | "wrap_file");
            (shows && !is_still).then_some(Capability::Threads)
        }
        "alive_progress" => matches!(name, "alive_bar" | "alive_it").then_some(Capability::Threads),
        "yaspin" => (name == "yaspin").then_some(Capability::Threads),
        "halo" => (name == "Halo").then_some(Capability::Threads),
        "logging.handlers" => (name == "QueueListener").then_some(Capability::Threads),
        "asyncio" | "asyncio.subprocess" | "asyncio.streams" | "asyncio.threads" => match name {
            "to_thread" => Some(Capability::Threads),
            "create_subprocess_exec" | "create_subprocess_shell" => Some(Capability::Processes),
            "start_server" | "start_unix_server" | "open_unix_connection" => Some(Capability::Sockets),
            "open_connection" => Some(connection(arguments, meant)),
            _ => None,
        },
        "subprocess" => {
            matches!(name, "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput" | "getstatusoutput")
                .then_some(Capability::Processes)
        }
        "os" | "posix" => {
            let exact = matches!(name, "system" | "popen" | "fork" | "forkpty" | "openpty");
            let family = ["exec", "spawn", "posix_spawn"].iter().any(|prefix| name.starts_with(prefix));
            (exact || family).then_some(Capability::Processes)
        }
        "pty" => matches!(name, "spawn" | "fork" | "openpty").then_some(Capability::Processes),
        "venv" => (name == "create").then_some(Capability::Processes),
        "signal" => matches!(
            name,
            "alarm" | "setitimer" | "pause" | "sigwait" | "sigwaitinfo" | "sigtimedwait" | "pthread_kill"
        )
        .then_some(Capability::Signals),
        "ctypes" => matches!(name, "CDLL" | "PyDLL").then_some(Capability::Libraries),
        _ if module == "ctypes.cdll" || module.starts_with("ctypes.cdll.") => Some(Capability::Libraries),
        "socket" => match name {
            "socket" | "socketpair" | "create_server" => Some(Capability::Sockets),
            "create_connection" => Some(connection(arguments, meant)),
            // Of a computed name it is often the machine's own.
            "getaddrinfo" | "gethostbyname" | "gethostbyname_ex" => {
                let named = first(arguments).is_some_and(|host| !host.is_call_expr());
                let outside = named && network(arguments) == Some(Capability::Network);
                outside.then_some(Capability::Network)
            }
            "gethostbyaddr" => Some(Capability::Network),
            _ => None,
        },
        "socketserver" => name.ends_with("Server").then_some(Capability::Sockets),
        "http.server" => name.ends_with("HTTPServer").then_some(Capability::Sockets),
        "xmlrpc.server" => name.ends_with("Server").then_some(Capability::Sockets),
        "wsgiref.simple_server" => matches!(name, "make_server" | "WSGIServer").then_some(Capability::Sockets),
        "urllib.request" => matches!(name, "urlopen" | "urlretrieve").then(|| network(arguments)).flatten(),
        "http.client" => matches!(name, "HTTPConnection" | "HTTPSConnection").then(|| network(arguments)).flatten(),
        "ssl" => (name == "get_server_certificate").then_some(Capability::Network),
        "smtplib" => matches!(name, "SMTP" | "SMTP_SSL" | "LMTP").then(|| network(arguments)).flatten(),
        "ftplib" => matches!(name, "FTP" | "FTP_TLS").then(|| network(arguments)).flatten(),
        "poplib" => matches!(name, "POP3" | "POP3_SSL").then(|| network(arguments)).flatten(),
        "imaplib" => matches!(name, "IMAP4" | "IMAP4_SSL").then(|| network(arguments)).flatten(),
        "telnetlib" => (name == "Telnet").then(|| network(arguments)).flatten(),
        "nntplib" => matches!(name, "NNTP" | "NNTP_SSL").then(|| network(arguments)).flatten(),
        "xmlrpc.client" => (name == "ServerProxy").then(|| network(arguments)).flatten(),
        "requests" | "httpx" | "requests.api" | "requests.sessions" => match name {
            "get" | "post" | "put" | "patch" | "delete" | "head" | "options" | "request" | "stream" => {
                network(arguments)
            }
            "Session" | "session" | "Client" | "AsyncClient" => Some(Capability::Network),
            _ => None,
        },
        "aiohttp" => matches!(name, "ClientSession" | "request").then_some(Capability::Network),
        "urllib3" => match name {
            "PoolManager" | "HTTPConnectionPool" | "HTTPSConnectionPool" | "ProxyManager" | "request" => {
                Some(Capability::Network)
            }
            _ => None,
        },
        "websockets" | "websockets.sync.client" => (name == "connect").then(|| network(arguments)).flatten(),
        "websocket" => matches!(name, "create_connection" | "WebSocketApp").then(|| network(arguments)).flatten(),
        "paramiko" => matches!(name, "SSHClient" | "Transport").then_some(Capability::Network),
        "pandas" => {
            let remote = first(arguments).and_then(literal).is_some_and(|text| text.starts_with("http"));
            (remote && name.starts_with("read_")).then(|| network(arguments)).flatten()
        }
        _ => None,
    }
}

/// Returns what making an object of a class with this base needs.
pub(super) fn needed_by_subclass(base: &str) -> Option<Capability> {
    match base {
        "threading.Thread" | "threading.Timer" => Some(Capability::Threads),
        "multiprocessing.Process" | "multiprocessing.context.Process" => Some(Capability::Processes),
        _ => None,
    }
}

/// Returns whether a call makes an object that only matters where processes are started: made here it does no harm.
pub(super) fn makes_what_is_shared(function: &str) -> bool {
    let Some((module, name)) = function.rsplit_once('.') else { return false };
    matches!(module, "multiprocessing" | "multiprocessing.context") && SHARED_OBJECTS.contains(&name)
}

/// Returns whether a call makes an object of which `start` starts something.
pub(super) fn makes_what_is_started(function: &str) -> bool {
    matches!(
        function,
        "threading.Thread"
            | "threading.Timer"
            | "multiprocessing.Process"
            | "multiprocessing.context.Process"
            | "logging.handlers.QueueListener"
    )
}

/// Returns what a call of a method of this name needs, whatever the object: few names say it alone.
pub(super) fn needed_by_method(name: &str) -> Option<(&'static str, Capability)> {
    match name {
        "run_in_executor" => Some(("run_in_executor", Capability::Threads)),
        _ => None,
    }
}

/// Returns whether `.connect((host, port))` goes to another machine, as far as a literal tells.
pub(super) fn connects_outside(arguments: &Arguments) -> bool {
    let Some(Expr::Tuple(address)) = first(arguments) else { return false };
    address.elts.first().and_then(literal).is_some_and(|host| place(host) == Some(Capability::Network))
}

/// Returns what connecting to the arguments takes: a URL, a host, or a pair of host and port.
fn network(arguments: &Arguments) -> Option<Capability> {
    let target = match first(arguments) {
        Some(Expr::Tuple(address)) => address.elts.first(),
        target => target,
    };
    let also = arguments.args.get(1).and_then(literal).filter(|text| text.contains("://")); // request("GET", url)
    also.or_else(|| target.and_then(literal)).map_or(Some(Capability::Network), place)
}

/// Returns what connecting a socket takes. Where nothing says to where, it may be a server of the program's own.
fn connection<'e>(arguments: &'e Arguments, meant: &dyn Fn(&'e Expr) -> &'e Expr) -> Capability {
    let target = first(arguments).map(meant);
    let host = match target {
        Some(Expr::Tuple(address)) => address.elts.first().map(meant),
        target => target,
    };
    host.and_then(literal).and_then(place).unwrap_or(Capability::Sockets)
}

fn place(target: &str) -> Option<Capability> {
    if ["file:", "data:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let host = target.split_once("://").map_or(target, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let local = ["localhost", "127.", "0.0.0.0", "[::1]", "::1"].iter().any(|name| {
        host.strip_prefix(name).is_some_and(|rest| {
            name.ends_with('.') || rest.is_empty() || rest.starts_with(':') || rest.starts_with('/')
        })
    });
    Some(if local || host.is_empty() { Capability::Sockets } else { Capability::Network })
}

fn first(arguments: &Arguments) -> Option<&Expr> {
    let keyword = || {
        arguments.keywords.iter().find(|keyword| {
            keyword.arg.as_ref().is_some_and(|name| matches!(name.as_str(), "url" | "host" | "address" | "uri"))
        })
    };
    arguments.args.first().or_else(|| keyword().map(|keyword| &keyword.value))
}

/// Returns the text of a literal; of an f-string, what stands before its first hole.
pub(super) fn literal(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::StringLiteral(string) => Some(string.value.to_str()),
        Expr::FString(string) => match string.value.elements().next()? {
            InterpolatedStringElement::Literal(text) => Some(&text.value),
            InterpolatedStringElement::Interpolation(_) => None,
        },
        _ => None,
    }
}
