//! Settings of the server: defaults, then a TOML file, then the environment, then flags; each overrides the one before.
//!
//! [`KEYS`] describes every setting once. The names of variables and flags, what the file may say, `pyexec config`, and
//! the table in the README are made from it. Whatever is unknown or not allowed is an error that names it, and all
//! errors are reported together.

mod api_keys;
mod containers;
mod docker_host;
mod keys;
mod render;
mod services;
mod sources;
mod table;
mod values;

pub use api_keys::ApiKey;
pub use containers::{ContainerSettings, FallbackMode};
pub use keys::Key;
pub use render::{example, markdown_table};
pub use services::Service;
pub(crate) use sources::distance;
pub use sources::{Source, Sources};
pub use table::KEYS;

use crate::{
    Error, Limits, Result, Verification,
    environment::without_credentials,
    executor::docker::{DockerOptions, Instance, NetworkMode},
    workspaces::WorkspaceOptions,
};
use keys::Kind;
use sources::{Gathered, Given};
use std::{
    env,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    thread,
    time::Duration,
};

/// Holds the checked settings of `pyexec serve`. Unless a field says otherwise, [`KEYS`] has its meaning under the same
/// name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`; it was parsed once, so it is valid.
    pub log_level: String,
    /// Says how the log is written.
    pub log_format: LogFormat,
    /// From `api_keys` and `api_keys_file` together.
    pub api_keys: Vec<ApiKey>,
    /// Header that an API key may come in besides `Authorization`, in lower case.
    pub api_key_header: String,
    /// Whether anyone may use a public address without a key.
    pub allow_anonymous: bool,
    /// What a job gets that asks for nothing; never above [`Settings::maxima`].
    pub defaults: Limits,
    /// The most that a job may ask for.
    pub maxima: Limits,
    /// Jobs at the same time, at least 1.
    pub slots: u32,
    /// Jobs that may wait for a slot, of each tier.
    pub queue: usize,
    /// Most memory of jobs that wait: `queue_mb` in bytes.
    pub queue_bytes: u64,
    /// Longest wait of an async execution; `None` is no limit.
    pub queue_ttl: Option<Duration>,
    /// How long a finished execution is kept.
    pub cleanup_ttl: Duration,
    /// Most executions kept.
    pub results_max: usize,
    /// Most memory for executions kept: `results_mb` in bytes.
    pub results_bytes: u64,
    /// Largest upload: `upload_max_mb` in bytes.
    pub upload_max_bytes: u64,
    /// Most disk of all uploads together: `uploads_mb` in bytes.
    pub uploads_bytes: u64,
    /// Largest JSON body: `body_max_kb` in bytes.
    pub body_max_bytes: usize,
    /// Most Python source in a JSON body.
    pub code_max_bytes: usize,
    /// Most content of all files in a JSON body: `files_max_kb` in bytes.
    pub files_max_bytes: usize,
    /// Most connections at the same time.
    pub connections_max: usize,
    /// Most connections of one client address when others want one; `None` is half of all.
    pub connections_share: Option<usize>,
    /// Longest wait for the head of a request.
    pub header_timeout: Duration,
    /// Longest wait for the next byte of a body.
    pub body_timeout: Duration,
    /// Longest wait for the next request on a connection.
    pub idle_timeout: Duration,
    /// Requests per minute and key; `None` is no limit.
    pub rate_limit: Option<u32>,
    /// Names that the server is called by, in lower case; `*` is any.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call the API: `*`, or scheme, host and port in lower case.
    pub cors_origins: Vec<String>,
    /// How long running jobs have left when the server is told to stop.
    pub shutdown_grace: Duration,
    /// Folder for workspaces and uploads.
    pub data_dir: PathBuf,
    /// How much workspaces may hold, and how long they are kept; the folder is [`Settings::data_dir`].
    pub workspaces: WorkspaceOptions,
    /// Folder for compiled code; `None` is the user's usual one.
    pub cache_dir: Option<PathBuf>,
    /// Whether slots keep their memory pages from job to job.
    pub page_reuse: bool,
    /// Whether a job may be given network at all.
    pub allow_network: bool,
    /// Whether a job that does not say may use the network.
    pub default_network: bool,
    /// Whose clients `/execute` is for.
    pub service: Service,
    /// Names that code for the code executor may not have.
    pub code_policy: Vec<String>,
    /// Modules beyond the standard library that code for the code executor may import; `*` is any.
    pub code_modules: Vec<String>,
    /// What runs in containers.
    pub containers: ContainerSettings,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// A line of text for each event.
    #[default]
    Human,
    /// A JSON object for each event.
    Json,
}

/// [`Settings`], and where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What is in effect.
    pub settings: Settings,
    /// Each of [`KEYS`], in that order, for people.
    pub values: Vec<Value>,
    /// What was accepted although it does nothing, or is unwise.
    pub warnings: Vec<String>,
}

/// The value of one setting, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Which setting.
    pub key: &'static Key,
    /// What is in effect; of secrets only how many there are.
    pub text: String,
    /// Where it comes from.
    pub source: Source,
}

impl Settings {
    /// Reads the settings from all sources.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`](crate::ErrorKind::InvalidSettings) with everything that is wrong, not only with what was found first.
    pub fn load(sources: &Sources) -> Result<Loaded> {
        let Gathered { given, mut problems, mut warnings, unusable_docker } = sources.gather();
        let mut settings = Settings::blank();
        let mut broken = Vec::new();
        for given in &given {
            if let Err(problem) = given.key.set(&mut settings, &given.text) {
                problems.push(given.problem(&problem));
                broken.push(given.key.name);
            }
        }
        problems.extend(settings.conflicts(&given, &broken));
        if !problems.is_empty() {
            return Err(Error::settings(problems));
        }
        // It is refused where it is needed, which it may never be.
        if let Some(host) = unusable_docker {
            settings.containers.docker.socket = host.address;
        }
        settings.fill_in();
        if settings.allow_anonymous && !settings.api_keys.is_empty() {
            warnings.push("allow_anonymous has no effect: there are API keys, so a key is asked for".to_owned());
        }
        if settings.containers.docker.network_mode == NetworkMode::Named("host".to_owned()) {
            warnings.push(
                "network_mode=host: jobs that may use the network reach all services of this machine\nhint: \
                 PYEXEC_NETWORK_MODE=bridge, which is the default, gives them a network of their own"
                    .to_owned(),
            );
        }
        let values = given.iter().map(|given| given.shown(&settings)).collect();
        Ok(Loaded { settings, values, warnings })
    }

    /// Reads from variables the settings that matter to a job without a server.
    ///
    /// # Errors
    ///
    /// As for [`Settings::load`], about those variables.
    pub fn without_server(variables: impl IntoIterator<Item = (String, String)>) -> Result<Settings> {
        let local = |name: &str| KEYS.iter().any(|key| key.local && key.variable() == name);
        // What is not ours at all may be Docker's.
        let environment = variables.into_iter().filter(|(name, _)| !name.starts_with("PYEXEC_") || local(name));
        let environment = environment.filter(|(name, _)| name != "PORT").collect();
        let mut settings = Settings::load(&Sources { environment, ..Sources::default() })?.settings;
        // It starts for each job anew.
        settings.containers.environments.verification = Verification::Stamp;
        let docker = &mut settings.containers.docker;
        // Many run at the same time, and none keeps anything ready for another.
        docker.instance = Instance::default();
        docker.pool = 0;
        Ok(settings)
    }

    /// Returns any value of each type. Every field is set from [`KEYS`], whose defaults are the only ones.
    fn blank() -> Settings {
        Settings {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            log_level: String::new(),
            log_format: LogFormat::default(),
            api_keys: Vec::new(),
            api_key_header: String::new(),
            allow_anonymous: false,
            defaults: Limits::default(),
            maxima: Limits::MAXIMA,
            slots: 0,
            queue: 0,
            queue_bytes: 0,
            queue_ttl: None,
            cleanup_ttl: Duration::ZERO,
            results_max: 0,
            results_bytes: 0,
            upload_max_bytes: 0,
            uploads_bytes: 0,
            body_max_bytes: 0,
            code_max_bytes: 0,
            files_max_bytes: 0,
            connections_max: 0,
            connections_share: None,
            header_timeout: Duration::ZERO,
            body_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            rate_limit: None,
            allowed_hosts: Vec::new(),
            cors_origins: Vec::new(),
            shutdown_grace: Duration::ZERO,
            data_dir: PathBuf::new(),
            workspaces: WorkspaceOptions::default(),
            cache_dir: None,
            page_reuse: false,
            allow_network: false,
            default_network: false,
            service: Service::default(),
            code_policy: Vec::new(),
            code_modules: Vec::new(),
            containers: ContainerSettings::default(),
        }
    }

    /// Finds conflicts between settings that are right by themselves.
    fn conflicts(&self, given: &[Given], broken: &[&str]) -> Vec<String> {
        let sound = |names: &[&str]| names.iter().all(|name| !broken.contains(name));
        let mut problems = Vec::new();
        if sound(&["host", "api_keys", "api_keys_file", "allow_anonymous"])
            && !self.host.to_canonical().is_loopback()
            && self.api_keys.is_empty()
            && !self.allow_anonymous
        {
            problems.push(format!(
                "host: {} can be reached from other machines, and there are no API keys\nhint: set PYEXEC_API_KEYS, or \
                 PYEXEC_ALLOW_ANONYMOUS=true to let anyone who reaches it run code",
                self.host
            ));
        }
        if sound(&["allow_network", "default_network"]) && self.default_network && !self.allow_network {
            problems.push("default_network: no job may use the network where allow_network is false".to_owned());
        }
        let (usual, most) = (&self.defaults, &self.maxima);
        for (name, maximum, above) in [
            ("default_timeout", "max_timeout", usual.wall_clock_ms > most.wall_clock_ms),
            ("default_memory_mb", "max_memory_mb", usual.memory_bytes > most.memory_bytes),
            ("default_disk_mb", "max_disk_mb", usual.disk_bytes > most.disk_bytes),
            (
                "default_output_bytes",
                "max_output_bytes",
                most.output_bytes > 0 && usual.output_bytes > most.output_bytes,
            ),
        ] {
            // A default that nobody asked for is lowered instead.
            let asked = given.iter().find(|given| given.key.name == name && given.source != Source::Default);
            if let Some(given) = asked.filter(|_| above && sound(&[name, maximum])) {
                problems.push(given.problem(&format!("must not be above {maximum}")));
            }
        }
        problems
    }

    /// Sets what follows from other settings or from the machine.
    fn fill_in(&mut self) {
        let (usual, most) = (&mut self.defaults.output_bytes, &mut self.maxima.output_bytes);
        if *usual == 0 {
            *usual = if *most == 0 { Limits::default().output_bytes } else { *most };
        }
        if *most == 0 {
            *most = Limits::MAXIMA.output_bytes.max(*usual);
        }
        self.defaults = self.defaults.clamped(&self.maxima);
        if self.slots == 0 {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            self.slots = u32::try_from(2 * cores).unwrap_or(u32::MAX).clamp(4, table::SLOTS_MAX);
        }
        let docker = &mut self.containers.docker;
        if docker.slots == 0 {
            docker.slots = DockerOptions::default().slots;
        }
        if docker.instance == Instance::Exclusive(String::new()) {
            // Servers on any free port are many on one machine, and none is another's successor.
            let port = if self.port == 0 { uuid::Uuid::new_v4().simple().to_string() } else { self.port.to_string() };
            docker.instance = Instance::Exclusive(format!("{}-{port}", host_name()));
        }
        docker.pool_limits = self.defaults;
        if let Some(url) = &self.containers.environments.index_url {
            // Anybody's commands can read it there, and leave it in a layer for jobs.
            docker.build_env = vec![("PIP_INDEX_URL".to_owned(), without_credentials(url))];
        }
        if self.data_dir.as_os_str().is_empty() {
            // Without a home, what is there is gone with the machine's temporary files, or before.
            self.data_dir = data_folder().unwrap_or_else(std::env::temp_dir);
        }
    }
}

impl Value {
    /// Returns the value as JSON, in the type of the setting; null for nothing.
    pub fn json(&self) -> serde_json::Value {
        let text = || self.text.clone().into();
        match self.key.kind {
            Kind::List(..) if !self.key.secret => keys::entries(&self.text).into(),
            _ if self.text.is_empty() => serde_json::Value::Null,
            Kind::Flag(_) => keys::boolean(&self.text).map_or_else(text, serde_json::Value::from),
            Kind::Number(..) | Kind::Seconds(..) => self.text.parse().unwrap_or_else(|_| text()),
            Kind::List(..) | Kind::Text(..) | Kind::Path(_) => text(),
        }
    }
}

/// Returns the folder for data that outlives this process: `pyexec` in that of the user.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("pyexec"))
}

/// Returns this machine's name, as far as names of containers may have it.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(31).collect()
}

#[cfg(test)]
mod tests;
