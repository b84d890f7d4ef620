//! Flags that several subcommands share.

use super::{
    Failure, Result,
    client::Client,
    request::{Asked, JobRequest, Needs},
};
use clap::Args;
use pyexec::{Project, Python};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where verbs look that make sense on a server only.
const USUAL_SERVER: &str = "http://localhost:8080";

/// Flags of every job.
#[derive(Debug, Args)]
pub(crate) struct JobOptions {
    /// Add a file to the project; a comma separates several
    #[arg(long = "file", value_name = "PATH", value_delimiter = ',', help_heading = "Job")]
    pub(crate) files: Vec<PathBuf>,

    /// Set an environment variable, or pass on one of yours; the script sees no others
    #[arg(short, long = "env", value_name = "NAME[=VALUE]", help_heading = "Job")]
    env: Vec<String>,

    /// Stop after this many seconds [default: 300]; a server counts whole ones
    #[arg(long, value_name = "SECONDS", help_heading = "Limits", value_parser = milliseconds)]
    timeout: Option<u64>,

    /// CPU budget, in units of fuel; the same program always uses the same [default: bounded by the timeout]
    #[arg(long, value_name = "UNITS", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    fuel: Option<u64>,

    /// Memory in MiB [default: 1024]
    #[arg(long, value_name = "MIB", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    memory: Option<u64>,

    /// Disk in MiB, for the project folder and /tmp [default: 2048]
    #[arg(long, value_name = "MIB", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    disk: Option<u64>,

    /// Weight of the script's share of the CPU [default: 1024]; in a container
    #[arg(long, value_name = "SHARES", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    cpu: Option<u64>,

    /// Run in this container image
    #[arg(long, value_name = "IMAGE", help_heading = "Job")]
    image: Option<String>,

    /// Let the script use the network, in a container
    #[arg(long, help_heading = "Job")]
    network: bool,

    /// Run this shell command first, as root, to prepare the container; repeatable
    #[arg(long = "pre-command", value_name = "COMMAND", help_heading = "Job")]
    pre_commands: Vec<String>,

    /// The Python version wanted, 3.10 to 3.14 [default: what is fastest]
    #[arg(long, value_name = "VERSION", help_heading = "Job")]
    python: Option<Python>,

    /// Where it may run
    #[arg(long, value_name = "TIER", help_heading = "Job", value_enum, default_value_t)]
    executor: Executor,

    /// Install the packages of this requirements.txt, besides those that the script imports
    #[arg(long, value_name = "PATH", help_heading = "Job")]
    requirements: Option<PathBuf>,

    /// Run in this environment, made with pyexec env create; its id, or the beginning of one of this machine
    #[arg(long, value_name = "ID", help_heading = "Job")]
    environment: Option<String>,
}

/// A tier, or the fastest that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Executor {
    /// The fastest that can run it
    #[default]
    Auto,
    /// WebAssembly or nothing
    Wasm,
    /// A container or nothing
    Docker,
}

impl Executor {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(crate) fn is_auto(&self) -> bool {
        *self == Executor::Auto
    }
}

/// Where files go that the script made.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutOption {
    /// Write files that the script made or changed into this folder
    #[arg(long, value_name = "DIR", help_heading = "Job")]
    pub(crate) out: Option<PathBuf>,
}

/// Flags for what is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputOptions {
    /// Print the script's stdout and nothing else
    #[arg(short, long, help_heading = "Output", conflicts_with_all = ["verbose", "json"])]
    pub(crate) quiet: bool,

    /// Print where and how it ran, and what it used, to stderr
    #[arg(short, long, help_heading = "Output")]
    pub(crate) verbose: bool,

    /// Print the whole outcome as JSON to stdout, instead of the script's output
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// Which server, and how to be let in.
#[derive(Debug, Args)]
pub(crate) struct ServerOptions {
    /// A pyexec server, as http://HOST:PORT or with USER:KEY@ before the host [default: PYEXEC_SERVER]
    #[arg(long, value_name = "URL", help_heading = "Server")]
    server: Option<String>,

    /// Key for the server [default: PYEXEC_API_KEY, which other users of this machine cannot see]
    #[arg(long, value_name = "KEY", help_heading = "Server", hide_short_help = true)]
    api_key: Option<String>,
}

impl ServerOptions {
    /// The server that was named, if one was. An empty name means this process, even when PYEXEC_SERVER names another.
    pub(crate) fn named(&self, quiet: bool) -> Result<Option<Client>> {
        let url = self.server.clone().or_else(|| env::var("PYEXEC_SERVER").ok());
        url.filter(|url| !url.is_empty()).map(|url| self.client(&url, quiet)).transpose()
    }

    /// The server that was named, or the usual one.
    pub(crate) fn named_or_usual(&self, quiet: bool) -> Result<Client> {
        match self.named(quiet)? {
            Some(client) => Ok(client),
            None => self.client(USUAL_SERVER, quiet),
        }
    }

    fn client(&self, url: &str, quiet: bool) -> Result<Client> {
        let key = self.api_key.clone().or_else(|| env::var("PYEXEC_API_KEY").ok());
        Client::new(url, key.as_deref().filter(|key| !key.is_empty()), quiet)
    }
}

impl JobOptions {
    /// What is asked for, with everything that these flags say.
    pub(crate) fn request(&self, mut project: Project) -> Result<JobRequest> {
        for path in &self.files {
            let (name, content) = self.file(path)?;
            project = project.with_file(name, content)?;
        }
        let requirements = self.requirements.as_deref().map(|path| {
            fs::read_to_string(path)
                .map_err(|e| Failure::Usage(format!("--requirements {}: cannot read it: {e}", path.display())))
        });
        let mut request = JobRequest::new(project);
        request.env = self.env.iter().map(|variable| named_or_passed_on(variable)).collect::<Result<_>>()?;
        request.asked =
            Asked { timeout_ms: self.timeout, fuel: self.fuel, memory_mib: self.memory, disk_mib: self.disk };
        request.python = self.python;
        request.needs = Needs {
            executor: self.executor,
            pre_commands: self.pre_commands.clone(),
            cpu_shares: self.cpu,
            image: self.image.clone(),
            network: self.network,
            requirements: requirements.transpose()?,
            environment: self.environment.clone(),
        };
        Ok(request)
    }

    /// The files of `--file` as a project of their own.
    pub(crate) fn project_of_files(&self) -> Result<Project> {
        let files: Vec<_> = self.files.iter().map(|path| self.file(path)).collect::<Result<_>>()?;
        Ok(Project::files(files)?)
    }

    fn file<'a>(&self, path: &'a Path) -> Result<(&'a str, Vec<u8>)> {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::Usage(format!("--file {}: not a file name", path.display())))?;
        let content =
            fs::read(path).map_err(|e| Failure::Usage(format!("--file {}: cannot read it: {e}", path.display())))?;
        Ok((name, content))
    }
}

fn named_or_passed_on(variable: &str) -> Result<(String, String)> {
    if let Some((name, value)) = variable.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    let value = env::var(variable)
        .map_err(|_| Failure::Usage(format!("--env {variable}: it is not set here\nhint: write {variable}=VALUE")))?;
    Ok((variable.to_owned(), value))
}

fn milliseconds(text: &str) -> Result<u64, String> {
    /// What an `f64` holds to the millisecond, and a server can count.
    const SECONDS_MAX: f64 = 1e9;
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(seconds > 0.0 && seconds <= SECONDS_MAX) {
        return Err("must be above 0".to_owned());
    }
    Ok(((seconds * 1000.0) as u64).max(1))
}
