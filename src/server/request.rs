//! From the objects of the wire to a job. What comes out of here is valid; what is not is refused with what to do.

use super::{
    App,
    api::{Common, Config, EntryFunction, EnvironmentRequest, EvalRequest, ExecutorChoice, Metadata, RequirementList},
    error::{ApiError, Problem},
    run::{Request, Waiting},
};
use crate::{
    Error, Job, Limits, Project, Python, Requirements, TierChoice, UnsupportedPython, Want, config::Settings,
    environment::Definition,
};

type Result<T> = std::result::Result<T, ApiError>;

/// As in the service that existing clients were written for.
const CODE_BYTES_MAX: usize = 102_400;

const MIB: u64 = 1 << 20;

/// The most that the kernel takes.
const CPU_SHARES_MAX: u32 = 262_144;

/// Code that came as JSON.
pub(crate) async fn eval(request: EvalRequest, app: &App) -> Result<Request> {
    let EvalRequest { code, files, config, mut common, stream: _ } = request;
    if code.is_empty() && files.is_empty() {
        return Err(ApiError::invalid("either 'code' or 'files' must be provided"));
    }
    let sources = || files.iter().map(|file| &file.content);
    let bytes = if files.is_empty() { code.len() } else { sources().map(String::len).sum() };
    if bytes > CODE_BYTES_MAX {
        return Err(ApiError::new(
            Problem::TooLarge,
            format!("total code size {bytes} bytes exceeds limit of {CODE_BYTES_MAX} bytes"),
        ));
    }
    // Before the code is looked at, as clients are used to.
    python(&common)?;
    if code.contains('\0') || sources().any(|content| content.contains('\0')) {
        return Err(ApiError::invalid("code cannot contain NUL"));
    }
    let project = if files.is_empty() {
        if common.entrypoint.is_empty() {
            Project::script(code)
        } else {
            Project::files([(common.entrypoint.clone(), code)])?
        }
    } else {
        if common.entrypoint.is_empty() && !files.iter().any(|file| file.name == "main.py") {
            common.entrypoint.clone_from(&files[0].name);
        }
        Project::files(files.into_iter().map(|file| (file.name, file.content)))?
    };
    let strip_newline = common.eval_last_expr;
    planned(
        job(project, common, config.unwrap_or_default(), NetworkUnlessDenied(false), &app.settings)?,
        Waiting::Yes,
        strip_newline,
        app,
    )
    .await
}

/// A project that was uploaded.
pub(crate) async fn exec(project: Project, metadata: Metadata, waiting: Waiting, app: &App) -> Result<Request> {
    let Metadata { config, common } = metadata;
    let network = NetworkUnlessDenied(config.is_some());
    planned(job(project, common, config.unwrap_or_default(), network, &app.settings)?, waiting, false, app).await
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

/// Uploads have always had the network when they have a `config` that says nothing of it.
struct NetworkUnlessDenied(bool);

fn job(
    project: Project,
    common: Common,
    config: Config,
    network: NetworkUnlessDenied,
    settings: &Settings,
) -> Result<Job> {
    let python = python(&common)?;
    let mut job = Job::project(project)
        .args(common.script_args)
        .stdin(common.stdin)
        .limits(limits(&config, settings)?)
        .collect_files(common.collect_files)
        .pre_commands(common.pre_commands);
    if !common.entrypoint.is_empty() {
        job = job.entrypoint(common.entrypoint);
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
    let unsaid = config.network_disabled.map_or(network.0, |disabled| !disabled);
    job = job.network(common.network.unwrap_or(unsaid));
    if let Some(python) = python {
        job = job.python(python);
    }
    if !common.docker_image.is_empty() {
        job = job.image(common.docker_image);
    }
    if common.requirements_txt.trim() == "-" {
        job = job.detect_packages(false);
    } else {
        let requirements = Requirements::parse(&common.requirements_txt)
            .map_err(|e| ApiError::invalid(format!("requirements_txt: {e}")))?;
        job = job.requirements(requirements);
    }
    if !common.environment.is_empty() {
        job = job.environment(common.environment);
    }
    job = job.tier(match common.executor {
        ExecutorChoice::Auto => TierChoice::Auto,
        ExecutorChoice::Wasm => TierChoice::Wasm,
        ExecutorChoice::Docker => TierChoice::Docker,
    });
    let shares = chosen("cpu_shares", config.cpu_shares, settings.containers.docker.cpu_shares.into(), 1)?;
    job = job.cpu_shares(u32::try_from(shares).unwrap_or(u32::MAX).clamp(2, CPU_SHARES_MAX));
    // What an entry function returns comes before the value of the last expression.
    job = match common.entry_function {
        None if common.eval_last_expr => job.want(Want::LastExpression),
        None => job,
        Some(EntryFunction::Name(function)) => job.want(Want::Call { function, arguments: serde_json::Value::Null }),
        Some(EntryFunction::Call { name, arguments }) => job.want(Want::Call { function: name, arguments }),
    };
    // What every executor would refuse is refused before it waits in the queue.
    job.check()?;
    job.project.entrypoint(job.entrypoint.as_deref())?;
    Ok(job)
}

/// Packages under a name.
pub(crate) fn environment(request: &EnvironmentRequest) -> Result<Definition> {
    let requirements = match &request.requirements {
        RequirementList::Text(text) => Requirements::parse(text),
        RequirementList::List(list) => Requirements::from_list(list.iter().map(String::as_str)),
    };
    let requirements = requirements.map_err(|e| ApiError::invalid(format!("requirements: {e}")))?;
    if requirements.is_empty() {
        return Err(ApiError::invalid("requirements: there are none; name a package"));
    }
    Ok(Definition { requirements, python: version(&request.python_version)?, preload: request.preload.clone() })
}

fn python(common: &Common) -> Result<Option<Python>> {
    version(&common.python_version)
}

fn version(text: &str) -> Result<Option<Python>> {
    let version = (!text.is_empty()).then(|| text.parse());
    version.transpose().map_err(|e: UnsupportedPython| ApiError::invalid(e.to_string()))
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
