//! `pyexec env`

use super::{
    Failure, Result,
    console::{note, print},
    hints, session,
};
use clap::{Args, Subcommand};
use pyexec::{
    EnvironmentState, Hint, NamedEnvironment, Progress, Pyexec, Python, Requirements,
    config::Settings,
    environment::{
        Definition, EnvironmentOptions, Environments, Libc, Listed, Machine, Pin, Platform, Reason, Refusal, Target,
    },
    outcome::Tier,
};
use std::{fmt::Write, fs, path::PathBuf, time::SystemTime};
use tokio::runtime::Runtime;

/// The oldest of the images that are in use.
const GLIBC: Libc = Libc::Glibc { major: 2, minor: 28 };
/// Of the usual image for containers.
const CONTAINERS_PYTHON: (u8, u8) = (3, 14);

#[derive(Debug, Args)]
#[command(
    after_help = "Environments are made by themselves when jobs need them. Making one beforehand saves the first job the \
                        wait, and works without an index later: a server finds those in PYEXEC_PREPARED_ENVIRONMENTS.\n\n\
                        Examples:\n  pyexec env create sympy\n  pyexec env create numpy 'pandas<3'\n  pyexec env create \
                        --into /opt/environments -r data.txt\n  pyexec eval --environment 1f3a5c7e 'import sympy; \
                        sympy.sqrt(8)'"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Resolve and install packages, and print the environment's id
    Create(Create),
    /// List environments, the last used first
    List(Folder),
    /// Remove environments
    Rm(Remove),
    /// Import the packages of environments now, so that jobs start with them imported
    Warm(Warm),
}

#[derive(Debug, Clone, Args)]
struct Folder {
    /// The folder of environments [default: PYEXEC_ENVIRONMENTS_DIR, or pyexec/environments in your cache folder]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Create {
    /// Packages, as in a requirements.txt
    #[arg(value_name = "REQUIREMENT", required_unless_present = "requirements")]
    packages: Vec<String>,

    /// The packages of this requirements.txt
    #[arg(short, long, value_name = "PATH")]
    requirements: Vec<PathBuf>,

    /// The Python version that they are for [default: that of WebAssembly, if it takes them]
    #[arg(long, value_name = "VERSION")]
    python: Option<Python>,

    /// Import this module when the environment is warmed, instead of those of the packages; repeatable
    #[arg(long, value_name = "MODULE")]
    preload: Vec<String>,

    /// The oldest glibc of the images that they are for [default: that of the image in use, or 2.28]
    #[arg(long, value_name = "VERSION", value_parser = glibc)]
    glibc: Option<Libc>,

    /// Print the id only
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
struct Remove {
    /// Ids of environments, or their beginnings
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,

    #[command(flatten)]
    folder: Folder,
}

#[derive(Debug, Args)]
struct Warm {
    /// Ids of environments, or their beginnings
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,

    /// Print the ids only
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    folder: Folder,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    match arguments.command {
        Command::Create(arguments) => create(arguments),
        Command::List(folder) => list(&folder),
        Command::Rm(arguments) => remove(&arguments.folder.open()?, &arguments.ids),
        Command::Warm(arguments) => warm(&arguments),
    }
}

impl Folder {
    fn settings(&self) -> Result<Settings> {
        let mut settings = session::settings()?;
        if let Some(folder) = &self.into {
            settings.containers.environments.folder = Some(folder.clone());
        }
        Ok(settings)
    }

    /// Returns what is in it, for those who need no interpreter.
    fn open(&self) -> Result<Environments> {
        let options: EnvironmentOptions = self.settings()?.containers.environments;
        Ok(Environments::new(options)?)
    }

    fn service(&self, quiet: bool) -> Result<Pyexec> {
        Ok(session::builder(quiet).settings(&self.settings()?).build()?)
    }
}

/// Makes a runtime with several threads, for packages are compiled on all cores.
fn runtime() -> Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))
}

/// Tells progress on the terminal, a line each.
fn progress(quiet: bool) -> Progress {
    Progress::phases(move |phase| {
        if !quiet {
            note!("pyexec: {phase}");
        }
    })
}

fn create(arguments: Create) -> Result<u8> {
    let definition = arguments.definition()?;
    let Create { glibc, quiet, folder, .. } = arguments;
    let progress = progress(quiet);
    // An image that is being made has no engine, and is for any.
    let is_elsewhere = folder.into.is_some() || glibc.is_some();
    let environments = folder.open()?;
    let known = environments.definitions()?;
    let id = environments.define(&definition)?.id;
    let made = if is_elsewhere && !is_for_wasm(&definition) {
        runtime()?.block_on(for_linux(&environments, &definition, glibc, &progress))
    } else {
        let pyexec = folder.service(quiet)?;
        let runtime = runtime()?;
        let glibc = is_elsewhere.then(|| glibc.unwrap_or(GLIBC));
        let made = runtime.block_on(make(&pyexec, &id, &definition, glibc, &progress));
        // Before anything else ends this process: containers are removed here.
        drop(pyexec);
        runtime.shutdown_background();
        made
    };
    if let Err(failure) = made {
        if !known.iter().any(|known| known.id == id) {
            environments.forget(&id)?;
        }
        return Err(failure);
    }
    print(&format!("{id}\n"))?;
    Ok(0)
}

fn is_for_wasm(definition: &Definition) -> bool {
    definition.python.is_none_or(|python| python == Python::WASM)
}

/// Makes it for WebAssembly, or else for containers: those of this machine, unless a C library is given.
async fn make(
    pyexec: &Pyexec,
    id: &str,
    definition: &Definition,
    glibc: Option<Libc>,
    progress: &Progress,
) -> Result<()> {
    if is_for_wasm(definition) {
        match pyexec.packages().prepare(&definition.requirements, Platform::WASM, &|phase| progress.phase(phase)).await
        {
            Ok(installed) => {
                contents(installed.pins(), progress);
                return Ok(());
            }
            Err(Refusal { reason: Reason::NoWheel { packages, .. }, .. }) => {
                progress.phase(&format!("WebAssembly does not take {}: this is for containers", packages.join(", ")));
            }
            Err(refusal) => return Err(refused(&refusal)),
        }
    }
    if glibc.is_none() {
        match pyexec.connect_docker().await {
            Ok(_) => {
                let made = pyexec.make_environment(id, progress).await.map_err(Failure::of_job)?;
                if let EnvironmentState::Ready(ready) = &made.state {
                    contents(&ready.packages, progress);
                }
                return Ok(());
            }
            Err(error) => {
                progress.phase(&format!("no containers here, so that it is made for the usual ones: {error}"))
            }
        }
    }
    for_linux(pyexec.packages(), definition, glibc, progress).await
}

impl Create {
    fn definition(&self) -> Result<Definition> {
        let mut lines = self.packages.clone();
        for path in &self.requirements {
            let text = fs::read_to_string(path)
                .map_err(|e| Failure::Usage(format!("--requirements {}: cannot read it: {e}", path.display())))?;
            lines.extend(Requirements::parse(&text)?.to_string().lines().map(str::to_owned));
        }
        let requirements = Requirements::from_list(lines.iter().map(String::as_str))?;
        if requirements.is_empty() {
            return Err(Failure::Usage("there are no packages in the requirements".to_owned()));
        }
        Ok(Definition { requirements, python: self.python, preload: self.preload.clone() })
    }
}

/// Makes it for containers of images that are not known.
async fn for_linux(
    environments: &Environments,
    definition: &Definition,
    glibc: Option<Libc>,
    progress: &Progress,
) -> Result<()> {
    let machine =
        Machine::here().ok_or_else(|| Failure::Fault("there are no wheels for this type of machine".into()))?;
    let python = definition.python.map_or(CONTAINERS_PYTHON, Python::numbers);
    let platform = Platform { python, target: Target::Linux { machine, libc: glibc.unwrap_or(GLIBC) } };
    let made = environments.prepare(&definition.requirements, platform, &|phase| progress.phase(phase)).await;
    let installed = made.map_err(|refusal| refused(&refusal))?;
    contents(installed.pins(), progress);
    Ok(())
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal.reason {
        Reason::NoUv => Failure::Fault(format!("{refusal}\nhint: {}", hints::words(&Hint::InstallUv))),
        Reason::IndexDown | Reason::Timeout { .. } | Reason::Fault => Failure::Fault(refusal.to_string()),
        _ => Failure::Refused { message: refusal.to_string(), exit_code: 1 },
    }
}

fn contents(pins: &[Pin], progress: &Progress) {
    for pin in pins {
        progress.phase(&format!("{} {}{}", pin.name, pin.version, if pin.pure { "" } else { " (native)" }));
    }
}

/// A line of the list.
struct Line {
    id: String,
    python: String,
    tier: &'static str,
    bytes: u64,
    baked: bool,
    last_used: SystemTime,
    requirements: String,
}

fn list(folder: &Folder) -> Result<u8> {
    let environments = folder.open()?;
    let unnamed = unnamed(&environments, environments.list()?)?;
    let mut lines = Vec::new();
    // It takes the interpreter to say what was imported beforehand.
    if !unnamed.is_empty() || !environments.definitions()?.is_empty() {
        let pyexec = folder.service(false)?;
        let named = runtime()?.block_on(async {
            for made in unnamed {
                let baked = pyexec.is_baked(&made).await;
                lines.push(Line { baked, ..made.into() });
            }
            pyexec.environments().await
        })?;
        lines.extend(named.into_iter().map(Line::from));
    }
    if lines.is_empty() {
        note!("pyexec: there are none");
        return Ok(0);
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.last_used));
    let mut table = format!(
        "{:<12}  {:<6}  {:<6}  {:>8}  {:<5}  {:<10}  REQUIREMENTS\n",
        "ID", "PYTHON", "TIER", "SIZE", "BAKED", "USED"
    );
    for line in lines {
        let used = SystemTime::now().duration_since(line.last_used).unwrap_or_default().as_secs();
        let _ = writeln!(
            table,
            "{:<12}  {:<6}  {:<6}  {:>8}  {:<5}  {:<10}  {}",
            line.id.get(..12).unwrap_or(&line.id),
            line.python,
            line.tier,
            format!("{} MB", line.bytes.div_ceil(1_000_000)),
            if line.baked { "yes" } else { "no" },
            ago(used),
            line.requirements
        );
    }
    print(&table)?;
    Ok(0)
}

/// Returns environments that jobs have made, and that no definition makes.
fn unnamed(environments: &Environments, made: Vec<Listed>) -> Result<Vec<Listed>> {
    let named = environments.definitions()?;
    let is_unnamed = |made: &Listed| !named.iter().any(|defined| defined.definition.makes(made));
    Ok(made.into_iter().filter(is_unnamed).collect())
}

impl From<Listed> for Line {
    fn from(made: Listed) -> Line {
        let (major, minor) = made.platform.python;
        let tier = match made.platform.target {
            Target::Wasm => "wasm",
            Target::Linux { .. } => "docker",
        };
        Line {
            id: made.id,
            python: format!("{major}.{minor}"),
            tier,
            bytes: made.bytes,
            baked: false,
            last_used: made.last_used,
            requirements: made.requirements.join(" "),
        }
    }
}

impl From<NamedEnvironment> for Line {
    fn from(named: NamedEnvironment) -> Line {
        let (tier, bytes, baked) = match &named.state {
            EnvironmentState::Ready(ready) => {
                (if ready.tier == Tier::Wasm { "wasm" } else { "docker" }, ready.bytes, ready.baked)
            }
            _ => ("-", 0, false),
        };
        let python = match named.definition.python {
            Some(python) => python.to_string(),
            None if tier == "wasm" => Python::WASM.to_string(),
            None => "any".to_owned(),
        };
        let requirements = named.definition.requirements.to_string().trim_end().replace('\n', " ");
        Line { id: named.id, python, tier, bytes, baked, last_used: named.last_used, requirements }
    }
}

fn remove(environments: &Environments, ids: &[String]) -> Result<u8> {
    for beginning in ids {
        let found = Found::of(environments, beginning)?;
        let id = match &found {
            Found::Named(id) => {
                environments.forget(id)?;
                id
            }
            Found::Unnamed(made) => {
                environments.remove(&made.id)?;
                &made.id
            }
        };
        print(&format!("{id}\n"))?;
    }
    Ok(0)
}

fn warm(arguments: &Warm) -> Result<u8> {
    let pyexec = arguments.folder.service(arguments.quiet)?;
    let runtime = runtime()?;
    let progress = progress(arguments.quiet);
    for beginning in &arguments.ids {
        let id = match Found::of(pyexec.packages(), beginning)? {
            Found::Named(id) => id,
            // What a job has made is warmed under a name.
            Found::Unnamed(made) => {
                let requirements = Requirements::from_list(made.requirements.iter().map(String::as_str))?;
                let (major, minor) = made.platform.python;
                let python = match made.platform.target {
                    Target::Wasm => None,
                    Target::Linux { .. } => format!("{major}.{minor}").parse().ok(),
                };
                pyexec.packages().define(&Definition { requirements, python, preload: Vec::new() })?.id
            }
        };
        let warmed = runtime.block_on(pyexec.warm(&id, &progress)).map_err(Failure::of_job)?;
        if let EnvironmentState::Ready(ready) = &warmed.state
            && !ready.baked
        {
            progress.phase("only what is for WebAssembly is imported beforehand: the packages are installed");
        }
        print(&format!("{id}\n"))?;
    }
    drop(pyexec);
    runtime.shutdown_background();
    Ok(0)
}

/// Says what the beginning of an id stands for.
enum Found {
    Named(String),
    Unnamed(Box<Listed>),
}

impl Found {
    fn of(environments: &Environments, beginning: &str) -> Result<Found> {
        let named = environments.definitions()?.into_iter().map(|defined| defined.id);
        let named = named.filter(|id| id.starts_with(beginning)).map(Found::Named);
        let unnamed = unnamed(environments, environments.list()?)?.into_iter();
        let unnamed = unnamed.filter(|made| made.id.starts_with(beginning)).map(|made| Found::Unnamed(Box::new(made)));
        let mut matching = named.chain(unnamed);
        match (matching.next(), matching.next()) {
            (Some(found), None) => Ok(found),
            _ => Err(Failure::Usage(format!(
                "no one environment has an id that starts with {beginning}: see pyexec env list"
            ))),
        }
    }
}

fn glibc(text: &str) -> Result<Libc, String> {
    let version = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) = version.ok_or("not a version, such as 2.28")?;
    Ok(Libc::Glibc { major, minor })
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}
