//! From the objects of the wire to a job. What comes out of here is valid; what is not is refused with what to do.

use super::{
    api::{Common, Config, EntryFunction, EvalRequest, ExecutorChoice, Metadata},
    error::{ApiError, Problem},
    run::{Request, Waiting},
};
use crate::{Job, Limits, Project, Want, config::Settings};

type Result<T> = std::result::Result<T, ApiError>;

/// As in the service that existing clients were written for.
const CODE_BYTES_MAX: usize = 102_400;

const MIB: u64 = 1 << 20;

/// Versions that a client may ask for. Only the newest runs in WebAssembly.
const PYTHON_VERSIONS: [&str; 5] = ["3.10", "3.11", "3.12", "3.13", "3.14"];
const WASM_PYTHON: &str = "3.14";

/// Code that came as JSON.
pub(crate) fn eval(request: EvalRequest, settings: &Settings) -> Result<Request> {
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
    let python = python_version(&request.python_version)?;
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
    Needs {
        python,
        requirements: &request.requirements_txt,
        image: &request.docker_image,
        pre_commands: &[],
        executor: request.common.executor,
    }
    .fit_wasm()?;
    let job = job(project, &entrypoint, request.stdin, &request.config, request.common, settings)?;
    let job = if request.eval_last_expr { wanting_last_expression(job) } else { job };
    Ok(Request { job, waiting: Waiting::Yes, strip_newline: request.eval_last_expr })
}

/// A project that was uploaded.
pub(crate) fn exec(project: Project, metadata: Metadata, waiting: Waiting, settings: &Settings) -> Result<Request> {
    Needs {
        python: python_version(&metadata.python_version)?,
        requirements: &metadata.requirements_txt,
        image: &metadata.docker_image,
        pre_commands: &metadata.pre_commands,
        executor: metadata.common.executor,
    }
    .fit_wasm()?;
    let job = job(project, &metadata.entrypoint, metadata.stdin, &metadata.config, metadata.common, settings)?;
    let job = if metadata.eval_last_expr { wanting_last_expression(job) } else { job };
    Ok(Request { job, waiting, strip_newline: false })
}

/// What decides on the tier that is said outright.
struct Needs<'a> {
    python: &'a str,
    requirements: &'a str,
    image: &'a str,
    pre_commands: &'a [String],
    executor: ExecutorChoice,
}

impl Needs<'_> {
    /// Refuses what WebAssembly cannot do, since there is no other tier.
    fn fit_wasm(&self) -> Result<()> {
        let what = if self.executor == ExecutorChoice::Docker {
            "executor \"docker\"".to_owned()
        } else if self.python != WASM_PYTHON {
            format!("python_version {:?}", self.python)
        } else if !self.image.is_empty() {
            "docker_image".to_owned()
        } else if !self.pre_commands.is_empty() {
            "pre_commands".to_owned()
        } else if !matches!(self.requirements.trim(), "" | "-") {
            "requirements_txt".to_owned()
        } else {
            return Ok(());
        };
        Err(ApiError::invalid(format!(
            "{what} needs the Docker executor, which this server does not have; it runs Python {WASM_PYTHON} with its \
             standard library in WebAssembly"
        )))
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

/// Zero is the default; more than the maximum is the maximum; less than nothing is an error.
fn limits(config: &Config, settings: &Settings) -> Result<Limits> {
    let chosen = |name: &str, value: i64, default: u64, unit: u64| match u64::try_from(value) {
        Ok(0) => Ok(default),
        Ok(value) => Ok(value.saturating_mul(unit)),
        Err(_) => Err(ApiError::invalid(format!("config: {name} is {value}; it cannot be negative"))),
    };
    // It weighs containers against each other, of which there are none.
    chosen("cpu_shares", config.cpu_shares, 0, 1)?;
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

fn python_version(asked: &str) -> Result<&'static str> {
    if asked.is_empty() {
        return Ok(WASM_PYTHON);
    }
    PYTHON_VERSIONS.into_iter().find(|version| *version == asked).ok_or_else(|| {
        ApiError::invalid(format!(
            "unsupported python_version {asked:?}; supported versions: {}",
            PYTHON_VERSIONS.join(", ")
        ))
    })
}
