//! Flags that several subcommands share.

use super::{
    Failure, Result,
    client::Client,
    console::note,
    request::{Asked, JobRequest, Needs},
    units,
};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use pyexec::{Limits, Project, Python};
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

    /// Stop after this time, in seconds or as in 2m or 1h30m [default: 300]
    #[arg(long, value_name = "TIME", help_heading = "Limits", value_parser = units::milliseconds)]
    timeout: Option<u64>,

    /// CPU budget, in units of fuel; the same program always uses the same [default: bounded by the timeout]
    #[arg(long, value_name = "UNITS", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    fuel: Option<u64>,

    /// Memory, in MiB or as in 512M or 1.5G [default: 1024]
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = units::mebibytes)]
    memory: Option<u64>,

    /// Disk, in MiB or as in 512M or 10G, for the project folder and /tmp [default: 2048]
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = units::mebibytes)]
    disk: Option<u64>,

    /// Weight of the script's share of the CPU [default: 1024]; in a container
    #[arg(long, value_name = "SHARES", help_heading = "Limits")]
    cpu: Option<u64>,

    /// Bytes kept of each of stdout and stderr for --json and by a server, as in 500000 or 20M; more is cut from the middle
    #[arg(long, value_name = "SIZE", help_heading = "Limits", value_parser = units::bytes)]
    max_output: Option<u64>,

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
    out: Option<PathBuf>,
}

impl OutOption {
    /// Returns the folder, which is made, and in which files can be written.
    pub(crate) fn checked(self) -> Result<Option<PathBuf>> {
        let Some(folder) = self.out else { return Ok(None) };
        let usable = fs::create_dir_all(&folder).and_then(|()| tempfile::tempfile_in(&folder));
        usable.map_err(|e| Failure::Usage(format!("--out {}: cannot write there: {e}", folder.display())))?;
        Ok(Some(folder))
    }
}

/// Flags that the first service's client takes with every verb, also where they mean nothing. To be flattened last.
#[derive(Debug)]
pub(crate) struct UnusedFlags;

impl UnusedFlags {
    const WITH_VALUE: [&str; 5] = ["timeout", "memory", "disk", "cpu", "image"];
    const WITHOUT_VALUE: [(&str, Option<char>); 4] =
        [("network", None), ("async", None), ("quiet", Some('q')), ("verbose", Some('v'))];
}

impl Args for UnusedFlags {
    fn augment_args(mut command: Command) -> Command {
        let has = |command: &Command, name: &str| command.get_arguments().any(|known| known.get_long() == Some(name));
        for name in UnusedFlags::WITH_VALUE {
            if !has(&command, name) {
                command = command.arg(Arg::new(name).long(name).hide(true));
            }
        }
        for (name, letter) in UnusedFlags::WITHOUT_VALUE {
            if !has(&command, name) {
                command = command.arg(Arg::new(name).long(name).short(letter).hide(true).action(ArgAction::SetTrue));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        UnusedFlags::augment_args(command)
    }
}

impl FromArgMatches for UnusedFlags {
    fn from_arg_matches(_: &ArgMatches) -> Result<UnusedFlags, clap::Error> {
        Ok(UnusedFlags)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// Flags for what is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputOptions {
    /// Print the script's stdout only; stderr when it fails
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
    /// Returns the server that was named, if one was. An empty name means this process, even when PYEXEC_SERVER names
    /// another.
    pub(crate) fn named(&self, quiet: bool) -> Result<Option<Client>> {
        let url = self.server.clone().or_else(|| env::var("PYEXEC_SERVER").ok());
        url.filter(|url| !url.is_empty()).map(|url| self.client(&url, quiet)).transpose()
    }

    /// Returns the server that was named, or the usual one.
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
    /// Returns the most bytes that the project may have.
    pub(crate) fn disk_bytes(&self) -> u64 {
        match self.disk.filter(|mib| *mib > 0) {
            Some(mib) => mib.saturating_mul(1 << 20),
            None => Limits::default().disk_bytes,
        }
    }

    /// Makes the request of a project, with everything that these flags say.
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
        for (flag, value) in
            [("--timeout", self.timeout), ("--memory", self.memory), ("--disk", self.disk), ("--cpu", self.cpu)]
        {
            if value == Some(0) {
                note!("pyexec: {flag} 0 is no limit to set: it stands for the default");
            }
        }
        // As it always has.
        let asked = |limit: Option<u64>| limit.filter(|limit| *limit > 0);
        request.asked = Asked {
            timeout_ms: asked(self.timeout),
            fuel: self.fuel,
            memory_mib: asked(self.memory),
            disk_mib: asked(self.disk),
            output_bytes: self.max_output,
        };
        request.python = self.python;
        request.needs = Needs {
            executor: self.executor,
            pre_commands: self.pre_commands.clone(),
            cpu_shares: asked(self.cpu),
            image: self.image.clone(),
            network: self.network,
            requirements: requirements.transpose()?,
            environment: self.environment.clone(),
        };
        Ok(request)
    }

    /// Returns the files of `--file` as a project of their own.
    pub(crate) fn project_of_files(&self) -> Result<Project> {
        let files: Vec<_> = self.files.iter().map(|path| self.file(path)).collect::<Result<_>>()?;
        Ok(Project::files(files)?)
    }

    /// Returns the script among the files of `--file`, when none of them has a name that says so: the first.
    pub(crate) fn script_of_files(&self) -> Option<String> {
        let names = || self.files.iter().filter_map(|path| path.file_name()?.to_str());
        if names().any(|name| matches!(name, "main.py" | "__main__.py")) {
            return None;
        }
        names().find(|name| name.ends_with(".py")).map(str::to_owned)
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
