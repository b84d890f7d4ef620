//! Flags that `run` and `eval` share.

use super::{Failure, Result};
use clap::Args;
use pyexec::{Job, Limits, Project};
use std::{env, fs, path::PathBuf};

const MIB: u64 = 1 << 20;

/// Flags of every job.
#[derive(Debug, Args)]
pub(crate) struct JobOptions {
    /// Add a file to the project; a comma separates several
    #[arg(long = "file", value_name = "PATH", value_delimiter = ',', help_heading = "Job")]
    files: Vec<PathBuf>,

    /// Set an environment variable, or pass on one of yours; the script sees no others
    #[arg(short, long = "env", value_name = "NAME[=VALUE]", help_heading = "Job")]
    env: Vec<String>,

    /// Write files that the script made or changed into this folder
    #[arg(long, value_name = "DIR", help_heading = "Job")]
    pub(crate) out: Option<PathBuf>,

    /// Stop after this many seconds [default: 300]
    #[arg(long, value_name = "SECONDS", help_heading = "Limits", value_parser = seconds)]
    timeout: Option<u64>,

    /// CPU budget, in units of fuel; the same program always uses the same [default: bounded by the timeout]
    #[arg(long, value_name = "UNITS", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
    fuel: Option<u64>,

    /// Memory in MiB [default: 1024]
    #[arg(long, value_name = "MIB", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..=4096))]
    memory: Option<u64>,

    /// Disk in MiB, for the project folder and /tmp [default: 2048]
    #[arg(long, value_name = "MIB", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..=20480))]
    disk: Option<u64>,
}

/// Flags for what is printed.
#[derive(Debug, Args)]
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

fn seconds(text: &str) -> Result<u64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let most = Limits::MAXIMA.wall_clock_ms as f64 / 1000.0;
    if !(seconds > 0.0 && seconds <= most) {
        return Err(format!("must be above 0 and at most {most}"));
    }
    Ok(((seconds * 1000.0) as u64).max(1))
}

impl JobOptions {
    /// The job for a project, with everything that these flags say.
    pub(crate) fn job(&self, mut project: Project) -> Result<Job> {
        for path in &self.files {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| Failure::Usage(format!("--file {}: not a file name", path.display())))?;
            let content = fs::read(path)
                .map_err(|e| Failure::Usage(format!("--file {}: cannot read it: {e}", path.display())))?;
            project = project.with_file(name, content)?;
        }
        let mut job = Job::project(project).limits(self.limits()).collect_files(self.out.is_some());
        for variable in &self.env {
            let (name, value) = match variable.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => {
                    let value = env::var(variable).map_err(|_| {
                        Failure::Usage(format!("--env {variable}: it is not set here\nhint: write {variable}=VALUE"))
                    })?;
                    (variable.clone(), value)
                }
            };
            job = job.env(name, value);
        }
        Ok(job)
    }

    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            wall_clock_ms: self.timeout.unwrap_or(usual.wall_clock_ms),
            cpu_fuel: self.fuel,
            memory_bytes: self.memory.map_or(usual.memory_bytes, |mib| mib * MIB),
            disk_bytes: self.disk.map_or(usual.disk_bytes, |mib| mib * MIB),
            ..usual
        }
    }
}
