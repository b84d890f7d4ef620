//! From the objects of the wire to a job. What comes out of here is valid; what is not is refused with what to do.

use super::{
    App,
    api::{Common, Config, EntryFunction, EvalRequest, ExecutorChoice, Metadata},
    error::{ApiError, Problem},
    run::{Request, Waiting},
};
use crate::{Error, Job, Limits, Project, Python, Requirements, TierChoice, UnsupportedPython, Want, config::Settings};

type Result<T> = std::result::Result<T, ApiError>;

/// As in the service that existing clients were written for.
const CODE_BYTES_MAX: usize = 102_400;

const MIB: u64 = 1 << 20;

/// The most that the kernel takes.
const CPU_SHARES_MAX: u32 = 262_144;

/// Code that came as JSON.
pub(crate) async fn eval(request: EvalRequest, app: &App) -> Result<Request> {
    if request.code.is_empty() && request.files.is_empty() {
        return Err(ApiError::invalid("either 'code' or 'files' must be provided"));
    }
    let sources = || request.files.iter().map(|file| &file.content);
    let bytes = if request.files.is_empty() { request.code.len() } else { sources().map(String::len).sum() };
    if bytes > CODE_BYTES_MAX {
        return Err(ApiError::new(
            Problem::TooLarge,
            format!("total code size {bytes} bytes exceeds limit of {CODE_BYTES_MAX} bytes"),
        ));
    }
    let containers = Containers {
        python: &request.python_version,
        requirements: &request.requirements_txt,
        image: request.docker_image,
        pre_commands: Vec::new(),
        network_unless_denied: false,
    };
    // Before the code is looked at, as clients are used to.
    containers.python()?;
    if request.code.contains('\0') || sources().any(|content| content.contains('\0')) {
        return Err(ApiError::invalid("code cannot contain NUL"));
    }
    let mut entrypoint = request.entrypoint;
    let project = if request.files.is_empty() {
        if entrypoint.is_empty() {
            Project::script(request.code)
        } else {
            Project::files([(entrypoint.clone(), request.code)])?
        }
    } else {
        if entrypoint.is_empty() && !request.files.iter().any(|file| file.name == "main.py") {
            entrypoint.clone_from(&request.files[0].name);
        }
        Project::files(request.files.into_iter().map(|file| (file.name, file.content)))?
    };
    let job = job(project, &entrypoint, request.stdin, &request.config, request.common, &app.settings)?;
    let job = containers.give(job, &request.config)?;
    let job = if request.eval_last_expr { wanting_last_expression(job) } else { job };
    planned(job, Waiting::Yes, request.eval_last_expr, app).await
}

/// A project that was uploaded.
pub(crate) async fn exec(project: Project, metadata: Metadata, waiting: Waiting, app: &App) -> Result<Request> {
    let containers = Containers {
        python: &metadata.python_version,
        requirements: &metadata.requirements_txt,
        image: metadata.docker_image,
        pre_commands: metadata.pre_commands,
        network_unless_denied: metadata.config.is_some(),
    };
    let config = metadata.config.unwrap_or_default();
    let job = job(project, &metadata.entrypoint, metadata.stdin, &config, metadata.common, &app.settings)?;
    let job = containers.give(job, &config)?;
    let job = if metadata.eval_last_expr { wanting_last_expression(job) } else { job };
    planned(job, waiting, false, app).await
}

async fn planned(job: Job, waiting: Waiting, strip_newline: bool, app: &App) -> Result<Request> {
    let collect_files = job.collect_files;
    let plan = app.pyexec.plan(job).await.map_err(|error| match error {
        // Docker is not there: what it would be needed for is the client's to know.
        Error::Unavailable { message, .. } => ApiError::new(Problem::Unavailable, message).retry_after(5),
        error => error.into(),
    })?;
    Ok(Request { plan, waiting, strip_newline, collect_files })
}

/// What the request says of containers.
struct Containers<'a> {
    python: &'a str,
    requirements: &'a str,
    image: String,
    pre_commands: Vec<String>,
    /// Uploads have always had the network when they have a `config` that says nothing of it.
    network_unless_denied: bool,
}

impl Containers<'_> {
    fn python(&self) -> Result<Option<Python>> {
        let version = (!self.python.is_empty()).then(|| self.python.parse());
        version.transpose().map_err(|e: UnsupportedPython| ApiError::invalid(e.to_string()))
    }

    /// The job with it.
    fn give(self, mut job: Job, config: &Config) -> Result<Job> {
        if let Some(python) = self.python()? {
            job = job.python(python);
        }
        if !self.image.is_empty() {
            job = job.image(self.image);
        }
        if self.requirements.trim() == "-" {
            job = job.detect_packages(false);
        } else {
            let requirements = Requirements::parse(self.requirements)
                .map_err(|e| ApiError::invalid(format!("requirements_txt: {e}")))?;
            job = job.requirements(requirements);
        }
        let network = job.containers.network;
        let allowed = network || config.network_disabled.map_or(self.network_unless_denied, |disabled| !disabled);
        Ok(job.pre_commands(self.pre_commands).network(allowed))
    }
}

/// What an entry function returns comes before the value of the last expression.
fn wanting_last_expression(job: Job) -> Job {
    if matches!(job.want, Want::Call { .. }) { job } else { job.want(Want::LastExpression) }
}

fn job(
    project: Project,
    entrypoint: &str,
    stdin: String,
    config: &Config,
    common: Common,
    settings: &Settings,
) -> Result<Job> {
    let mut job = Job::project(project)
        .args(common.script_args)
        .stdin(stdin)
        .limits(limits(config, settings)?)
        .collect_files(common.collect_files);
    if !entrypoint.is_empty() {
        job = job.entrypoint(entrypoint);
    }
    for variable in &common.env_vars {
        let Some((name, value)) = variable.split_once('=') else {
            return Err(ApiError::invalid(format!("env_vars: {variable:?} is not NAME=value")));
        };
        job = job.env(name, value);
    }
    if common.network == Some(true) && config.network_disabled == Some(true) {
        return Err(ApiError::invalid("network is true and network_disabled is true: say one of them"));
    }
    job = job.network(common.network == Some(true)).tier(match common.executor {
        ExecutorChoice::Auto => TierChoice::Auto,
        ExecutorChoice::Wasm => TierChoice::Wasm,
        ExecutorChoice::Docker => TierChoice::Docker,
    });
    let shares = chosen("cpu_shares", config.cpu_shares, settings.containers.docker.cpu_shares.into(), 1)?;
    job = job.cpu_shares(u32::try_from(shares).unwrap_or(u32::MAX).clamp(2, CPU_SHARES_MAX));
    job = match common.entry_function {
        None => job,
        Some(EntryFunction::Name(function)) => job.want(Want::Call { function, arguments: serde_json::Value::Null }),
        Some(EntryFunction::Call { name, arguments }) => job.want(Want::Call { function: name, arguments }),
    };
    // What every executor would refuse is refused before it waits in the queue.
    job.check()?;
    job.project.entrypoint(job.entrypoint.as_deref())?;
    Ok(job)
}

/// Zero is the default; less than nothing is an error.
fn chosen(name: &str, value: i64, default: u64, unit: u64) -> Result<u64> {
    match u64::try_from(value) {
        Ok(0) => Ok(default),
        Ok(value) => Ok(value.saturating_mul(unit)),
        Err(_) => Err(ApiError::invalid(format!("config: {name} is {value}; it cannot be negative"))),
    }
}

/// More than the maximum is the maximum.
fn limits(config: &Config, settings: &Settings) -> Result<Limits> {
    let default = settings.defaults;
    let asked = Limits {
        wall_clock_ms: chosen("timeout_seconds", config.timeout_seconds, default.wall_clock_ms, 1000)?,
        memory_bytes: chosen("memory_mb", config.memory_mb, default.memory_bytes, MIB)?,
        disk_bytes: chosen("disk_mb", config.disk_mb, default.disk_bytes, MIB)?,
        cpu_fuel: match chosen("cpu_fuel", config.cpu_fuel, 0, 1)? {
            0 => default.cpu_fuel,
            fuel => Some(fuel),
        },
        ..default
    };
    Ok(asked.clamped(&settings.maxima))
}
