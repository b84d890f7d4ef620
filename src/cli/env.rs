//! `pyexec env`

use super::{Failure, Result};
use clap::{Args, Subcommand};
use pyexec::{
    Python, Requirements,
    config::Settings,
    environment::{EnvironmentOptions, Environments, Libc, Machine, Platform, Target},
};
use std::{env, fs, path::PathBuf, time::SystemTime};

#[derive(Debug, Args)]
#[command(
    after_help = "Environments are made by themselves when jobs need them. Making one beforehand saves the first job the \
                        wait, and works without an index later: a server finds those in PYEXEC_PREPARED_ENVIRONMENTS.\n\n\
                        Examples:\n  pyexec env create numpy 'pandas<3'\n  pyexec env create --into /opt/environments -r data.txt"
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
}

#[derive(Debug, Args)]
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

    /// The Python version that they are for
    #[arg(long, value_name = "VERSION", default_value = "3.13")]
    python: Python,

    /// The oldest glibc of the images that they are for
    #[arg(long, value_name = "VERSION", default_value = "2.28", value_parser = glibc)]
    glibc: Libc,

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

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    match arguments.command {
        Command::Create(arguments) => create(arguments),
        Command::List(folder) => list(&folder.open()?),
        Command::Rm(arguments) => remove(&arguments.folder.open()?, &arguments.ids),
    }
}

impl Folder {
    fn open(&self) -> Result<Environments> {
        let mut options: EnvironmentOptions = Settings::without_server(env::vars())?.containers.environments;
        if let Some(folder) = &self.into {
            options.folder = Some(folder.clone());
        }
        Ok(Environments::new(options)?)
    }
}

fn create(arguments: Create) -> Result<u8> {
    let Create { packages, requirements, python, glibc, quiet, folder } = arguments;
    let mut lines = packages;
    for path in &requirements {
        let text = fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("--requirements {}: cannot read it: {e}", path.display())))?;
        lines.extend(Requirements::parse(&text)?.to_string().lines().map(str::to_owned));
    }
    let requirements = Requirements::from_list(lines.iter().map(String::as_str))?;
    let machine =
        Machine::here().ok_or_else(|| Failure::Fault("there are no wheels for this type of machine".into()))?;
    let platform = Platform { python: python.numbers(), target: Target::Linux { machine, libc: glibc } };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::Fault(format!("cannot start a runtime: {e}")))?;
    let environments = folder.open()?;
    let told = move |phase: &str| {
        if !quiet {
            eprintln!("pyexec: {phase}");
        }
    };
    let made = runtime.block_on(environments.prepare(&requirements, platform, &told));
    let installed = made.map_err(|refusal| Failure::Usage(refusal.to_string()))?;
    if !quiet {
        for pin in installed.pins() {
            eprintln!("pyexec: {} {}{}", pin.name, pin.version, if pin.pure { "" } else { " (native)" });
        }
    }
    println!("{}", installed.id());
    Ok(0)
}

fn list(environments: &Environments) -> Result<u8> {
    let listed = environments.list()?;
    if listed.is_empty() {
        eprintln!("pyexec: there are none");
        return Ok(0);
    }
    println!("{:<12}  {:<6}  {:>8}  {:<9}  REQUIREMENTS", "ID", "PYTHON", "SIZE", "USED");
    for environment in listed {
        let (major, minor) = environment.platform.python;
        let used = SystemTime::now().duration_since(environment.last_used).unwrap_or_default().as_secs();
        println!(
            "{:<12}  {:<6}  {:>8}  {:<9}  {}",
            environment.id.get(..12).unwrap_or(&environment.id),
            format!("{major}.{minor}"),
            format!("{} MB", environment.bytes.div_ceil(1_000_000)),
            ago(used),
            environment.requirements.join(" ")
        );
    }
    Ok(0)
}

fn remove(environments: &Environments, ids: &[String]) -> Result<u8> {
    let listed = environments.list()?;
    for id in ids {
        let mut matching = listed.iter().filter(|environment| environment.id.starts_with(id.as_str()));
        let (Some(found), None) = (matching.next(), matching.next()) else {
            return Err(Failure::Usage(format!(
                "no one environment has an id that starts with {id}: see pyexec env list"
            )));
        };
        environments.remove(&found.id)?;
        println!("{}", found.id);
    }
    Ok(0)
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
