//! From the objects of the wire to a job. What comes out of here can be run, or is an execution that has failed already: a
//! request is refused only when it is malformed.

use super::{
    App,
    api::{
        Common, Config, EntryFunction, EnvironmentRequest, EvalRequest, ExecutorChoice, Metadata, Read, RequirementList,
    },
    auth::Caller,
    ending::Refusal,
    error::{ApiError, Problem},
    executions::{GrantedLimits, Terms},
    members::{shown, warn},
    render::number,
    run::{Request, Waiting, Work},
};
use crate::{
    Error, Job, Limits, Project, Python, Requirements, TierChoice, UnsupportedPython, Want, config::Settings,
    environment::Definition, outcome::JsonText,
};

type Result<T> = std::result::Result<T, ApiError>;

const MIB: u64 = 1 << 20;

/// The most that the kernel takes.
const CPU_SHARES_MAX: u32 = 262_144;

/// Makes a job of code that came as JSON, in so many bytes.
pub(crate) async fn eval(read: Read<EvalRequest>, bytes: usize, app: &App, caller: &Caller) -> Result<Request> {
    let Read { request: EvalRequest { code, files, config, mut common, stream: _, tools: _ }, mut warnings } = read;
    if code.is_empty() && files.is_empty() {
        return Err(ApiError::invalid("either 'code' or 'files' must be provided"));
    }
    let sources = files.iter().filter(|file| file.name.ends_with(".py"));
    let source = if files.is_empty() { code.len() } else { sources.map(|file| file.len()).sum() };
    let all: usize = files.iter().map(|file| file.len()).sum();
    let Settings { code_max_bytes, files_max_bytes, .. } = app.settings;
    if source > code_max_bytes {
        return Err(too_large(format!("total code size {source} bytes exceeds limit of {code_max_bytes} bytes")));
    }
    if all > files_max_bytes {
        return Err(too_large(format!("total size of files {all} bytes exceeds limit of {files_max_bytes} bytes")));
    }
    // Before the code is looked at, as clients are used to.
    python(&common)?;
    let project = if files.is_empty() {
        let name = if common.entrypoint.is_empty() { "main.py" } else { &common.entrypoint };
        Project::files([(name, code)])
    } else {
        if common.entrypoint.is_empty() && !files.iter().any(|file| file.name == "main.py") {
            common.entrypoint.clone_from(&files[0].name);
            if files.iter().filter(|file| file.name.ends_with(".py")).count() > 1 {
                let first = shown(&files[0].name);
                warn(&mut warnings, || format!("entrypoint: none is named, so that the first file runs, \"{first}\""));
            }
        }
        Project::files(files.into_iter().map(|file| (file.name.clone(), file.into_bytes())))
    };
    let strip_newline = common.eval_last_expr;
    let asked = Asked { common, config, unsaid: app.settings.default_network, warnings };
    request(project, asked, Waiting::Yes, strip_newline, bytes, app, caller).await
}

fn too_large(message: String) -> ApiError {
    ApiError::new(Problem::TooLarge, message)
}

/// Returns a project that was uploaded, with its metadata of so many bytes.
pub(crate) async fn exec(
    project: crate::Result<Project>,
    read: Read<Metadata>,
    bytes: usize,
    waiting: Waiting,
    app: &App,
    caller: &Caller,
) -> Result<Request> {
    let Read { request: Metadata { config, common }, mut warnings } = read;
    // What of the archive was left out.
    for note in project.iter().flat_map(Project::notes) {
        warn(&mut warnings, || note.clone());
    }
    // Uploads have always had the network when they have a `config` that says nothing of it.
    let unsaid = config.is_some() || app.settings.default_network;
    request(project, Asked { common, config, unsaid, warnings }, waiting, false, bytes, app, caller).await
}

/// Holds what comes beside the project.
struct Asked {
    common: Common,
    config: Option<Config>,
    /// Whether the network may be used when nothing is said of it.
    unsaid: bool,
    warnings: Vec<String>,
}

async fn request(
    project: crate::Result<Project>,
    asked: Asked,
    waiting: Waiting,
    strip_newline: bool,
    bytes: usize,
    app: &App,
    caller: &Caller,
) -> Result<Request> {
    let Asked { common, config, unsaid, mut warnings } = asked;
    let config = config.unwrap_or_default();
    let collect_files = common.collect_files;
    let (limits, shares) = limits(&config, common.max_output_bytes, &app.settings, &mut warnings);
    let ways = Ways { python: python(&common)?, network: network(&common, &config, unsaid)?, want: want(&common)? };
    let workspace = Some(common.workspace.clone()).filter(|id| !id.is_empty());
    let job = project.and_then(|project| job(project, common, ways, limits, shares, &mut warnings));
    let job = job.map(|job| match workspace {
        Some(id) => job.workspace(&*caller.name, id),
        None => job,
    });
    let terms = Terms { limits: granted(&limits, shares), warnings };
    Ok(Request { work: work(job, app).await, terms, waiting, strip_newline, collect_files, bytes })
}

/// Makes the request of a job that came in the words of another service, in so many bytes.
pub(crate) async fn foreign(
    job: crate::Result<Job>,
    limits: Limits,
    waiting: Waiting,
    bytes: usize,
    app: &App,
) -> Request {
    let shares = app.settings.containers.docker.cpu_shares;
    let job = job.map(|job| job.limits(limits).cpu_shares(shares));
    let terms = Terms { limits: granted(&limits, shares), warnings: Vec::new() };
    Request { work: work(job, app).await, terms, waiting, strip_newline: false, collect_files: false, bytes }
}

async fn work(job: crate::Result<Job>, app: &App) -> Work {
    let planned = match job {
        Ok(job) => app.pyexec.plan(job).await,
        Err(error) => Err(error),
    };
    match planned {
        Ok(plan) => Work::Planned(Box::new(plan)),
        Err(error) => Work::Refused(Refusal::from(error)),
    }
}

/// Holds what has to be right before there is a job.
struct Ways {
    python: Option<Python>,
    network: bool,
    want: Want,
}

/// Makes the job; an error is about its content.
fn job(
    project: Project,
    common: Common,
    ways: Ways,
    limits: Limits,
    shares: u32,
    warnings: &mut Vec<String>,
) -> crate::Result<Job> {
    let mut job = Job::project(project)
        .args(common.script_args)
        .stdin(common.stdin)
        .limits(limits)
        .collect_files(common.collect_files)
        .pre_commands(common.pre_commands)
        .network(ways.network)
        .want(ways.want)
        .cpu_shares(shares);
    if !common.entrypoint.is_empty() {
        job = job.entrypoint(common.entrypoint);
    }
    for variable in &common.env_vars {
        match variable.split_once('=') {
            Some((name, value)) => job = job.env(name, value),
            // Docker leaves such a variable out.
            None => warn(warnings, || format!("env_vars: \"{}\" is not NAME=value, and was left out", shown(variable))),
        }
    }
    if let Some(python) = ways.python {
        job = job.python(python);
    }
    if !common.docker_image.is_empty() {
        job = job.image(common.docker_image);
    }
    if common.requirements_txt.trim() == "-" {
        job = job.detect_packages(false);
    } else {
        let requirements = Requirements::parse(&common.requirements_txt)
            .map_err(|e| Error::invalid(format!("requirements_txt: {e}")))?;
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
    Ok(job)
}

fn network(common: &Common, config: &Config, unsaid: bool) -> Result<bool> {
    if common.network == Some(true) && config.network_disabled == Some(true) {
        return Err(ApiError::invalid("network is true and network_disabled is true: say one of them"));
    }
    Ok(common.network.unwrap_or_else(|| config.network_disabled.map_or(unsaid, |disabled| !disabled)))
}

/// Chooses the value to ask for: an entry function's before that of the last expression.
fn want(common: &Common) -> Result<Want> {
    Ok(match &common.entry_function {
        None if common.eval_last_expr => Want::LastExpression,
        None => Want::Nothing,
        Some(EntryFunction::Name(function)) => {
            Want::Call { function: function.clone(), arguments: JsonText::from(serde_json::Value::Null) }
        }
        Some(EntryFunction::Call { name, arguments }) => {
            if !arguments.is_arguments() {
                return Err(ApiError::invalid("arguments of the entry function must be a JSON array or object"));
            }
            Want::Call { function: name.clone(), arguments: arguments.clone() }
        }
    })
}

/// Makes the job that says what a session gets: it has no code.
pub(crate) fn session(read: Read<EvalRequest>, app: &App) -> Result<(Job, Vec<String>)> {
    let Read { request: EvalRequest { code, files, config, common, stream: _, tools: _ }, mut warnings } = read;
    if !code.is_empty() || common.entry_function.is_some() {
        return Err(ApiError::invalid("a session begins without code: make it, and send the code as its calls"));
    }
    let all: usize = files.iter().map(|file| file.len()).sum();
    if all > app.settings.files_max_bytes {
        let most = app.settings.files_max_bytes;
        return Err(too_large(format!("total size of files {all} bytes exceeds limit of {most} bytes")));
    }
    let config = config.unwrap_or_default();
    let (limits, shares) = limits(&config, common.max_output_bytes, &app.settings, &mut warnings);
    let network = network(&common, &config, app.settings.default_network)?;
    let ways = Ways { python: python(&common)?, network, want: Want::LastExpression };
    let project = Project::files(files.into_iter().map(|file| (file.name.clone(), file.into_bytes())))?;
    Ok((job(project, common, ways, limits, shares, &mut warnings)?, warnings))
}

/// Chooses the limits of a call.
pub(crate) fn call_limits(config: Option<Config>, app: &App, warnings: &mut Vec<String>) -> Limits {
    limits(&config.unwrap_or_default(), None, &app.settings, warnings).0
}

/// Makes the definition of packages under a name.
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

/// Reads limits and CPU shares. More than the maximum is the maximum, which `warnings` say.
fn limits(config: &Config, output: Option<f64>, settings: &Settings, warnings: &mut Vec<String>) -> (Limits, u32) {
    let (usual, most) = (settings.defaults, settings.maxima);
    let mut chosen = |name: &str, value: Option<f64>, usual: u64, most: u64, unit: u64| {
        let Some(value) = value else { return usual };
        // What is more than 0 is not nothing.
        let asked = (value * unit as f64).round().max(1.0);
        if asked > most as f64 {
            let most = number(most, unit);
            warnings.push(format!("{name}: {value} is above this server's maximum, so it is {most}"));
        }
        // Saturates.
        (asked as u64).min(most)
    };
    let limits = Limits {
        wall_clock_ms: chosen("timeout_seconds", config.timeout_seconds, usual.wall_clock_ms, most.wall_clock_ms, 1000),
        memory_bytes: chosen("memory_mb", config.memory_mb, usual.memory_bytes, most.memory_bytes, MIB),
        disk_bytes: chosen("disk_mb", config.disk_mb, usual.disk_bytes, most.disk_bytes, MIB),
        output_bytes: chosen(
            "max_output_bytes",
            config.max_output_bytes.or(output),
            usual.output_bytes,
            most.output_bytes,
            1,
        ),
        cpu_fuel: match config.cpu_fuel {
            None => usual.cpu_fuel,
            fuel => Some(chosen("cpu_fuel", fuel, 0, most.cpu_fuel.unwrap_or(u64::MAX), 1)),
        },
        disk_files: usual.disk_files,
    };
    let shares = settings.containers.docker.cpu_shares;
    let shares = chosen("cpu_shares", config.cpu_shares, shares.into(), CPU_SHARES_MAX.into(), 1);
    (limits.clamped(&most), u32::try_from(shares).unwrap_or(CPU_SHARES_MAX).clamp(2, CPU_SHARES_MAX))
}

pub(crate) fn granted(limits: &Limits, cpu_shares: u32) -> GrantedLimits {
    GrantedLimits {
        wall_clock_ms: limits.wall_clock_ms,
        memory_bytes: limits.memory_bytes,
        disk_bytes: limits.disk_bytes,
        output_bytes: limits.output_bytes,
        cpu_fuel: limits.cpu_fuel,
        cpu_shares,
    }
}
