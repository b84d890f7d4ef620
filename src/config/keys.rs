//! The one table of settings.

use super::{Settings, api_keys, values};
use std::{fmt, path::PathBuf, time::Duration};

/// Every setting, in the order in which people are shown them. Numbers were checked for their range when they are set.
pub const KEYS: &[Key] = &[
    text(
        "host",
        "127.0.0.1",
        "address to listen on; other than this machine's own it needs API keys",
        values::HOST,
        values::host,
    ),
    number(
        "port",
        "8080",
        "port to listen on (0: any free one); PORT is used when PYEXEC_PORT is not set",
        0,
        65_535,
        |s, n| s.port = n as u16,
    ),
    text(
        "log_level",
        "info",
        "what is logged: a level, or TARGET=LEVEL, several with commas",
        values::LEVELS,
        values::log_level,
    ),
    text("log_format", "human", "how the log is written", values::FORMATS, values::log_format),
    list("api_keys", "", "API keys, each as key or name:key", values::KEY_LENGTH, values::keys).secret(),
    path("api_keys_file", "", "file of more API keys, one per line, that only its owner can read", |s, path| {
        path.map_or(Ok(()), |path| api_keys::add_file(&mut s.api_keys, &path))
    }),
    flag("allow_anonymous", "false", "whether other machines may run code here without any API key", |s, yes| {
        s.allow_anonymous = yes;
    }),
    seconds("default_timeout", "300", "wall clock of a job that asks for nothing", TICK, WEEK, |s, time| {
        s.defaults.wall_clock_ms = milliseconds(time);
    })
    .shown(|s| (s.defaults.wall_clock_ms as f64 / 1000.0).to_string()),
    number("default_memory_mb", "1024", "memory of a job that asks for nothing, in MiB", 1, WASM_MIB, |s, n| {
        s.defaults.memory_bytes = n * MIB;
    })
    .shown(|s| (s.defaults.memory_bytes / MIB).to_string()),
    number("default_disk_mb", "2048", "disk of a job that asks for nothing, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.defaults.disk_bytes = n * MIB;
    })
    .shown(|s| (s.defaults.disk_bytes / MIB).to_string()),
    number(
        "default_cpu_shares",
        "1024",
        "CPU weight of a job in a container; in WebAssembly all are equal",
        2,
        262_144,
        |s, n| s.default_cpu_shares = n as u32,
    ),
    seconds("max_timeout", "3600", "most wall clock that a job may ask for", TICK, WEEK, |s, time| {
        s.maxima.wall_clock_ms = milliseconds(time);
    }),
    number("max_memory_mb", "4096", "most memory that a job may ask for, in MiB", 1, WASM_MIB, |s, n| {
        s.maxima.memory_bytes = n * MIB;
    }),
    number("max_disk_mb", "20480", "most disk that a job may ask for, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.maxima.disk_bytes = n * MIB;
    }),
    number(
        "max_output_bytes",
        "10000000",
        "most bytes kept of each of stdout and stderr",
        1024,
        1_000_000_000,
        |s, n| {
            s.maxima.output_bytes = n;
        },
    ),
    number("slots", "0", "jobs that run at the same time (0: 2 per core, at least 4)", 0, SLOTS_MAX as u64, |s, n| {
        s.slots = n as u32;
    })
    .shown(|s| s.slots.to_string()),
    number("queue", "0", "jobs that may wait for a slot (0: 4 × slots)", 0, 1_000_000, |s, n| s.queue = n as usize)
        .shown(|s| s.queue.to_string()),
    seconds("queue_ttl", "600", "longest that an async execution may wait", TICK, WEEK, |s, time| s.queue_ttl = time),
    seconds("cleanup_ttl", "300", "how long a finished execution is kept", TICK, WEEK, |s, time| s.cleanup_ttl = time),
    number("results_max", "10000", "most finished executions kept", 1, 10_000_000, |s, n| s.results_max = n as usize),
    number("results_mb", "256", "most memory for finished executions, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.results_bytes = n * MIB;
    }),
    number("upload_max_mb", "2048", "largest upload, in MiB", 1, TIB_IN_MIB, |s, n| s.upload_max_bytes = n * MIB),
    number("body_max_kb", "16384", "largest JSON body, in KiB", 1, 1 << 20, |s, n| {
        s.body_max_bytes = (n << 10) as usize
    }),
    number("connections_max", "1024", "connections at the same time", 1, 1_000_000, |s, n| {
        s.connections_max = n as usize;
    }),
    seconds("header_timeout", "10", "longest that the head of a request may take", TICK, DAY, |s, time| {
        s.header_timeout = time;
    }),
    seconds("body_timeout", "30", "longest that a body may pause", TICK, DAY, |s, time| s.body_timeout = time),
    seconds("idle_timeout", "75", "longest that a connection may be idle", TICK, DAY, |s, time| s.idle_timeout = time),
    number("rate_limit", "0", "requests per minute for each API key (0: no limit)", 0, 1_000_000, |s, n| {
        s.rate_limit = (n > 0).then_some(n as u32);
    }),
    list("cors_origins", "", "web pages of which origins may call the API", values::ORIGINS, values::cors_origins),
    seconds(
        "shutdown_grace",
        "30",
        "how long running jobs have left when the server is to stop",
        0.0,
        DAY,
        |s, time| {
            s.shutdown_grace = time;
        },
    ),
    path("data_dir", "", "folder for uploads; empty: the system's temporary folder", |s, path| {
        s.data_dir = path.unwrap_or_default();
        Ok(())
    })
    .shown(|s| s.data_dir.display().to_string()),
    path("cache_dir", "", "folder for compiled code; empty: pyexec/images in the user's cache folder", |s, path| {
        s.cache_dir = path;
        Ok(())
    }),
    flag("page_reuse", "true", "whether slots keep their memory from job to job, reset, which is faster", |s, yes| {
        s.page_reuse = yes;
    }),
    flag("allow_network", "true", "whether a job may be given network when it asks", |s, yes| s.allow_network = yes),
];

/// Settings of other versions: accepted, so that an old environment still starts, and warned about.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "consul_addr",
    "consul_token",
    "consul_prefix",
    "docker_socket",
    "dns_servers",
    "network_mode",
    "default_image",
    "auto_detect_imports",
    "image_pull",
    "allowed_images",
];

/// Most slots: each reserves several GiB of address space.
pub(super) const SLOTS_MAX: u32 = 1024;

const MIB: u64 = 1 << 20;
/// All that a 32-bit interpreter can address.
const WASM_MIB: u64 = 4096;
const TIB_IN_MIB: u64 = 1 << 20;
const TICK: f64 = 0.001;
const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;

/// One setting: its name in a file, and everything that follows from it.
pub struct Key {
    /// In a TOML file.
    pub name: &'static str,
    /// As text; empty for nothing.
    pub default: &'static str,
    /// What it means, and in which unit.
    pub help: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    pub(super) kind: Kind,
    pub(super) shown: Option<fn(&Settings) -> String>,
}

/// How a setting is written, and where it goes.
pub(super) enum Kind {
    /// A whole number, from the first to the second.
    Number(u64, u64, fn(&mut Settings, u64)),
    /// Seconds with up to three decimals, from the first to the second.
    Seconds(f64, f64, fn(&mut Settings, Duration)),
    Flag(fn(&mut Settings, bool)),
    /// Separated by commas in text; what each may be, in words.
    List(&'static str, fn(&mut Settings, &[&str]) -> Result<(), String>),
    /// What it may be, in words.
    Text(&'static str, fn(&mut Settings, &str) -> Result<(), String>),
    /// Empty is `None`.
    Path(fn(&mut Settings, Option<PathBuf>) -> Result<(), String>),
}

impl Key {
    /// The variable's name in the environment.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// The flag's name, without its dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// What stands for the value in a usage text.
    pub fn placeholder(&self) -> &'static str {
        match self.kind {
            Kind::Number(..) => "NUMBER",
            Kind::Seconds(..) => "SECONDS",
            Kind::Flag(_) => "true|false",
            Kind::List(..) => "LIST",
            Kind::Text(..) => "TEXT",
            Kind::Path(_) => "PATH",
        }
    }

    /// Which values it takes.
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Number(from, to, _) => format!("{from} to {to}"),
            Kind::Seconds(from, to, _) => format!("{from} to {to} seconds"),
            Kind::Flag(_) => "true or false".to_owned(),
            Kind::List(each, _) => format!("a list, {each}"),
            Kind::Text(what, _) => what.to_owned(),
            Kind::Path(_) => "a path".to_owned(),
        }
    }

    /// Reads its value from text; an error says what is allowed, and shows nothing of the value.
    pub(super) fn set(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        let wrong = || format!("allowed: {}", self.allowed());
        match self.kind {
            Kind::Number(from, to, set) => {
                let number = digits(text).and_then(|()| text.parse().ok()).filter(|n| (from..=to).contains(n));
                set(settings, number.ok_or_else(wrong)?);
            }
            Kind::Seconds(from, to, set) => {
                let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
                let number = digits(whole).and_then(|()| digits(decimals)).and_then(|()| text.parse().ok());
                let number = number.filter(|n| (from..=to).contains(n)).ok_or_else(wrong)?;
                set(settings, Duration::from_millis((number * 1000.0).round() as u64));
            }
            Kind::Flag(set) => set(settings, text.parse().map_err(|_| wrong())?),
            Kind::List(_, set) => set(settings, &entries(text))?,
            Kind::Text(_, set) => set(settings, text)?,
            Kind::Path(set) => set(settings, (!text.is_empty()).then(|| PathBuf::from(text)))?,
        }
        Ok(())
    }

    const fn secret(mut self) -> Key {
        self.secret = true;
        self
    }

    /// For a value that in the end is another than was written.
    const fn shown(mut self, shown: fn(&Settings) -> String) -> Key {
        self.shown = Some(shown);
        self
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

/// The name in the environment of what has this name in a file.
pub(super) fn variable(name: &str) -> String {
    format!("PYEXEC_{}", name.to_ascii_uppercase())
}

/// The entries of a list in text.
pub(super) fn entries(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}

type SetText = fn(&mut Settings, &str) -> Result<(), String>;
type SetList = fn(&mut Settings, &[&str]) -> Result<(), String>;
type SetPath = fn(&mut Settings, Option<PathBuf>) -> Result<(), String>;

const fn key(name: &'static str, default: &'static str, help: &'static str, kind: Kind) -> Key {
    Key { name, default, help, secret: false, kind, shown: None }
}

const fn number(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    from: u64,
    to: u64,
    set: fn(&mut Settings, u64),
) -> Key {
    key(name, default, help, Kind::Number(from, to, set))
}

const fn seconds(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    from: f64,
    to: f64,
    set: fn(&mut Settings, Duration),
) -> Key {
    key(name, default, help, Kind::Seconds(from, to, set))
}

const fn flag(name: &'static str, default: &'static str, help: &'static str, set: fn(&mut Settings, bool)) -> Key {
    key(name, default, help, Kind::Flag(set))
}

const fn list(name: &'static str, default: &'static str, help: &'static str, each: &'static str, set: SetList) -> Key {
    key(name, default, help, Kind::List(each, set))
}

const fn text(name: &'static str, default: &'static str, help: &'static str, what: &'static str, set: SetText) -> Key {
    key(name, default, help, Kind::Text(what, set))
}

const fn path(name: &'static str, default: &'static str, help: &'static str, set: SetPath) -> Key {
    key(name, default, help, Kind::Path(set))
}

fn digits(text: &str) -> Option<()> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
