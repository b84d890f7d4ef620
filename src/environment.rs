//! Packages: what is required becomes a folder of pinned, unpacked wheels, made once and kept.
//!
//! An environment is known by its content address: the SHA-256 of Python version, platform and normalised requirements,
//! with the settings that decide what these resolve to. It stays what it is: newer versions of its packages do not come
//! in until it is removed.
//!
//! **Architecture invariant:** no code of a package runs here; uv is known only here, in `uv`. Nothing is known of tiers:
//! somebody else puts the folder before a job. Reading order: `requirements` and `marker` are what is accepted, `platform`
//! what it is for, `uv` resolves (to what `lock` reads) and installs, `refusal` says why not, `site` and `disk` look at what
//! came of it, and `store` keeps it. For WebAssembly, `wasm` says which packages can be taken: `gathering` brings their files
//! together, a `workbench` tries and compiles them, `bytecode` keeps what that made, and `verdicts` what could not be taken.
//! `named` are sets of packages under a name.

mod bytecode;
mod disk;
mod families;
mod gathering;
mod lock;
mod making;
mod marker;
mod named;
mod platform;
mod policy;
mod refusal;
mod requirements;
mod site;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod uv;
mod verdicts;
mod wasm;
mod workbench;

pub use named::{Defined, Definition};
pub use platform::{Libc, Machine, Platform, Target};
pub use refusal::{Reason, Refusal};
pub use requirements::Requirements;
pub(crate) use workbench::{Imported, Workbench};

use crate::{Error, Result, Verification, cache, pack::Pack};
use bytecode::Bytecode;
use policy::{Policy, names};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, Weak},
    time::{Duration, Instant, SystemTime},
};
use store::{Id, Identity, Meta, Store};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use verdicts::Verdicts;

/// How long an entry is taken to be untouched without a look at its files; there may be thousands of them.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(60);
/// What packs of environments may take in memory, in bytes, besides those that jobs use.
const PACKS_BYTES_MAX: u64 = 2 * wasm::PACK_BYTES_MAX;
/// Packages that are remembered not to have a module.
const STRANGERS_MAX: u64 = 10_000;
/// For how long; another version may have it.
const STRANGERS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a pack stays in memory that no job uses.
const PACKS_IDLE: Duration = Duration::from_secs(600);

/// Settings of [`Environments`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvironmentOptions {
    /// The program; `None` is the one beside this program or on the search path.
    pub uv: Option<PathBuf>,
    /// The package index, instead of PyPI. It may have a name and a password in it.
    pub index_url: Option<String>,
    /// Further indexes, which come before that one.
    pub extra_index_urls: Vec<String>,
    /// Versions that packages must have if they are installed, as a `requirements.txt`.
    pub constraints: String,
    /// Whether the network is not used, but only what is there.
    pub offline: bool,
    /// Whether requirements may have addresses of packages, of repositories and of other indexes.
    ///
    /// # Security
    ///
    /// Whoever may send requirements has pip fetch them in a build container, from where its network reaches, past the
    /// lists of what is allowed.
    pub allow_urls: bool,
    /// Names of the only packages that may be installed, also by others that need them; `None` allows all.
    pub allow: Option<Vec<String>>,
    /// Names of packages that may not be installed, also by others that need them.
    pub deny: Vec<String>,
    /// Where environments are kept; `None` is a folder in the user's cache.
    pub folder: Option<PathBuf>,
    /// Such folders that only are read, as in a deployment image. Whatever of their environments has all that is required
    /// is taken, with what else is in it.
    pub prepared: Vec<PathBuf>,
    /// What the folder may hold, and so one environment, in bytes.
    pub bytes_max: u64,
    /// What resolving and installing one may take, with waiting for others who do.
    pub install_timeout: Duration,
    /// Installations at the same time; more wait.
    pub installs: usize,
    /// How an environment is checked when a process uses it first.
    pub verification: Verification,
}

impl Default for EnvironmentOptions {
    fn default() -> EnvironmentOptions {
        EnvironmentOptions {
            uv: None,
            index_url: None,
            extra_index_urls: Vec::new(),
            constraints: String::new(),
            offline: false,
            allow_urls: false,
            allow: None,
            deny: Vec::new(),
            folder: None,
            prepared: Vec::new(),
            bytes_max: 10 << 30,
            install_timeout: Duration::from_secs(300),
            // It is the network and the disk that take the time.
            installs: 2,
            verification: Verification::Full,
        }
    }
}

/// Makes environments, and keeps them.
#[derive(Debug, Clone)]
pub struct Environments {
    shared: Arc<Shared>,
}

/// An environment that is there. As long as this lives, it stays.
#[derive(Debug)]
pub struct Installed {
    known: Arc<Known>,
    pack: Option<Pack>,
    /// Of what is in the folder of the user's own; what is prepared is never removed.
    _lock: Option<File>,
}

/// A package in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Normalised.
    pub name: String,
    /// As PEP 440 has it.
    pub version: String,
    /// Whether its wheel has no native parts, and suits every machine.
    pub pure: bool,
    /// Its top-level modules.
    pub modules: Vec<String>,
}

/// An environment in the folder, as it is listed.
#[derive(Debug)]
pub struct Listed {
    /// Its content address.
    pub id: String,
    /// What is in it, as a digest.
    pub(crate) content: String,
    /// What it is for.
    pub platform: Platform,
    /// What was asked for.
    pub requirements: Vec<String>,
    /// What is in it, by name.
    pub pins: Vec<Pin>,
    /// What its files have.
    pub bytes: u64,
    /// When a job had it last.
    pub last_used: SystemTime,
}

#[derive(Debug)]
struct Shared {
    options: EnvironmentOptions,
    constraints: Requirements,
    policy: Policy,
    store: Store,
    workbench: Option<Arc<dyn Workbench>>,
    bytecode: Bytecode,
    verdicts: Verdicts,
    /// By the addresses of their entries.
    packs: moka::sync::Cache<Id, Pack>,
    /// Packages, with modules that they do not have though an import made one think so.
    strangers: moka::sync::Cache<(String, String), ()>,
    /// When an index could not be reached, and what was said then.
    index_down: Mutex<Option<(Instant, Refusal)>>,
    prepared: OnceLock<Vec<Prepared>>,
    /// Environments that this process has checked.
    known: Mutex<HashMap<Id, Arc<Known>>>,
    /// Those that are being made. Who waits holds the making; when nobody does any more, it stops.
    making: Mutex<HashMap<Id, Weak<Making>>>,
    slots: Semaphore,
}

/// An environment that was checked.
#[derive(Debug)]
struct Known {
    /// Of the entry, which is another than that of what is wanted when it was prepared with more.
    id: Id,
    meta: Meta,
    packages: PathBuf,
    identity: Identity,
    stamp: String,
    is_pure: bool,
    prepared: bool,
    looked_at: Mutex<Instant>,
}

/// An environment that came with the service.
#[derive(Debug)]
struct Prepared {
    id: Id,
    entry: PathBuf,
    meta: Meta,
}

#[derive(Debug)]
struct Making {
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
enum State {
    Phase(Arc<str>),
    Done(Result<Arc<Installed>, Refusal>),
}

/// Holds what is wanted, and its address.
#[derive(Debug, Clone)]
struct Wanted {
    id: Id,
    platform: Platform,
    requirements: Requirements,
    /// What of it applies.
    lines: Vec<String>,
    constraints: Vec<String>,
}

impl Environments {
    /// Opens the folder. Nothing else is needed until something must be installed. There are none for WebAssembly: for
    /// these, a [`Pyexec`](crate::Pyexec) has the interpreter.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or a setting is malformed.
    pub fn new(options: EnvironmentOptions) -> Result<Environments> {
        Environments::with_workbench(options, None)
    }

    /// Opens them with those for WebAssembly, which the workbench tries out and compiles.
    ///
    /// # Errors
    ///
    /// As [`Environments::new`].
    pub(crate) fn with_workbench(
        options: EnvironmentOptions,
        workbench: Option<Arc<dyn Workbench>>,
    ) -> Result<Environments> {
        let policy = Policy { allow: options.allow.as_deref().map(names).transpose()?, deny: names(&options.deny)? };
        let constraints = Requirements::parse(&options.constraints)
            .map_err(|error| Error::unavailable(format!("the constraints of packages: {error}")))?;
        if let Some(name) = constraints.with_extras().next() {
            return Err(Error::unavailable(format!("the constraints of packages: {name} has extras; leave them out")));
        }
        if constraints.direct().next().is_some() {
            return Err(Error::unavailable("the constraints of packages have an address; leave it out"));
        }
        let urls = options.index_url.iter().chain(&options.extra_index_urls);
        if urls.into_iter().any(|url| url.is_empty() || url.contains(|c: char| c.is_whitespace() || c.is_control())) {
            return Err(Error::unavailable("the address of a package index is empty or has blanks in it"));
        }
        let folder = match &options.folder {
            Some(folder) => folder.clone(),
            None => cache::usual_folder("environments")?,
        };
        let store = Store::open(folder)?;
        let packs = moka::sync::Cache::builder()
            .weigher(|_: &Id, pack: &Pack| u32::try_from(pack.bytes().len()).unwrap_or(u32::MAX))
            .max_capacity(PACKS_BYTES_MAX)
            .time_to_idle(PACKS_IDLE);
        let shared = Shared {
            bytecode: Bytecode::new(store.beside("bytecode")),
            verdicts: Verdicts::new(store.beside("verdicts")),
            store,
            workbench,
            packs: packs.build(),
            strangers: moka::sync::Cache::builder().max_capacity(STRANGERS_MAX).time_to_live(STRANGERS_KEPT).build(),
            index_down: Mutex::default(),
            constraints,
            policy,
            prepared: OnceLock::new(),
            known: Mutex::default(),
            making: Mutex::default(),
            slots: Semaphore::new(options.installs.max(1)),
            options,
        };
        Ok(Environments { shared: Arc::new(shared) })
    }

    /// Returns the environment with these packages, and makes it if it is not there. Whatever number of callers want
    /// the same, it is made once, and goes on being made as long as one of them waits. `progress` is told what is being
    /// done, in a few words, when it takes time.
    ///
    /// # Errors
    ///
    /// Says why it cannot be had.
    pub async fn prepare(
        &self,
        requirements: &Requirements,
        platform: Platform,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Arc<Installed>, Refusal> {
        let wanted = self.shared.wanted(requirements, platform)?;
        if let Some(installed) = self.shared.known(&wanted.id, Some(LOOKED_AT_EVERY)) {
            return Ok(installed);
        }
        if let Some(refusal) = self.shared.verdict(&wanted) {
            return Err(refusal);
        }
        // A runtime that ends takes what it was making with it; then it is made on this one.
        for _ in 0..3 {
            let making = self.shared.making(&wanted);
            let mut state = making.state.clone();
            loop {
                match state.borrow_and_update().clone() {
                    State::Phase(phase) if phase.is_empty() => {}
                    State::Phase(phase) => progress(&phase),
                    State::Done(result) => return result,
                }
                if state.changed().await.is_err() {
                    break;
                }
            }
        }
        Err(Refusal::fault("making it was given up several times"))
    }

    /// Returns what this process knows of an environment, without waiting: that it is there, or why not. Takes some
    /// microseconds.
    pub fn known(&self, requirements: &Requirements, platform: Platform) -> Option<Result<Arc<Installed>, Refusal>> {
        let wanted = match self.shared.wanted(requirements, platform) {
            Ok(wanted) => wanted,
            Err(refusal) => return Some(Err(refusal)),
        };
        let installed = self.shared.known(&wanted.id, None).map(Ok);
        installed.or_else(|| self.shared.verdict(&wanted).map(Err))
    }

    /// Returns whether a package of an environment has a module, given by its full name. One that has not is
    /// remembered: its name said nothing.
    pub(crate) fn provides(&self, installed: &Installed, package: &str, module: &str) -> bool {
        let Some(pin) = installed.pins().iter().find(|pin| pin.name == package) else { return true };
        let top = module.split('.').next().unwrap_or_default();
        let has = pin.modules.iter().any(|known| known == top);
        if !has {
            self.shared.strangers.insert((package.to_owned(), top.to_owned()), ());
        }
        has
    }

    /// Returns whether a package is known not to have a module.
    pub(crate) fn is_stranger(&self, package: &str, module: &str) -> bool {
        let top = module.split('.').next().unwrap_or_default();
        self.shared.strangers.contains_key(&(package.to_owned(), top.to_owned()))
    }

    /// Returns what is in the folder, the last used first. Reads files.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let entries = self.shared.store.list().map_err(|error| Error::caused("cannot list environments", error))?;
        let listed = entries.into_iter().map(|entry| Listed {
            id: entry.id.to_string(),
            content: entry.meta.manifest,
            platform: entry.meta.platform,
            requirements: entry.meta.requirements,
            pins: entry.meta.pins,
            bytes: entry.meta.bytes,
            last_used: entry.last_used,
        });
        Ok(listed.collect())
    }

    /// Removes an environment from the folder; `false` when there is none of that name.
    ///
    /// # Errors
    ///
    /// When it is in use, or cannot be removed.
    pub fn remove(&self, id: &str) -> Result<bool> {
        let Some(id) = Id::parse(id).filter(|id| self.shared.store.entry(id).exists()) else { return Ok(false) };
        match self.shared.store.remove(&id) {
            Ok(true) => Ok(true),
            Ok(false) => Err(Error::invalid("the environment is in use: remove it when its jobs have ended")),
            Err(error) => Err(Error::caused("cannot remove the environment", error)),
        }
    }
}

impl Installed {
    /// Returns its content address: 64 hexadecimal digits.
    pub fn id(&self) -> &str {
        self.known.id.as_str()
    }

    /// Returns the pack that a job in WebAssembly imports from, where it is for that.
    pub(crate) fn pack(&self) -> Option<Pack> {
        self.pack.clone()
    }

    /// Returns a digest of its content: made anew, with newer versions, it is another.
    pub(crate) fn content(&self) -> &str {
        &self.known.meta.manifest
    }

    /// Returns the folder that goes onto Python's path: folders and regular files only. For WebAssembly there is one
    /// file in it, which only this program reads.
    pub fn packages_folder(&self) -> &Path {
        &self.known.packages
    }

    /// Returns its packages, by name.
    pub fn pins(&self) -> &[Pin] {
        &self.known.meta.pins
    }

    /// Returns whether none of them has native parts.
    pub fn is_pure(&self) -> bool {
        self.known.is_pure
    }

    /// Returns what its files take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.known.meta.bytes
    }
}

#[cfg(test)]
impl Installed {
    /// Makes an environment that has these packages and no files.
    pub(crate) fn of_packages(names: &[&str]) -> Arc<Installed> {
        let pin = |name: &&str| Pin { name: name.to_string(), version: "1".into(), pure: true, modules: Vec::new() };
        let known = Known {
            id: Id::parse(&"0".repeat(64)).expect("an id"),
            meta: Meta::of_pins(names.iter().map(pin).collect()),
            packages: PathBuf::new(),
            identity: store::identity(Path::new("/")).expect("a root folder"),
            stamp: String::new(),
            is_pure: true,
            prepared: false,
            looked_at: Mutex::new(Instant::now()),
        };
        Arc::new(Installed { known: Arc::new(known), pack: None, _lock: None })
    }
}

impl Pin {
    /// Returns the package as a requirement.
    fn pinned(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

/// Returns the address of an index without the name and the password in it.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host_end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..host_end].rsplit_once('@').map_or(&rest[..host_end], |(_, host)| host);
    format!("{scheme}://{host}{}", &rest[host_end..])
}

fn counted(doing: &str, count: usize, what: &str) -> String {
    format!("{doing} {count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Says it once.
fn say(state: &watch::Sender<State>, phase: &str) {
    state.send_if_modified(|state| {
        let new = !matches!(state, State::Phase(said) if **said == *phase);
        if new {
            *state = State::Phase(phase.into());
        }
        new
    });
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(fault),
        Err(error) => Err(Refusal::fault(format!("a thread for files: {error}"))),
    }
}

fn fault(error: io::Error) -> Refusal {
    Refusal::fault(error.to_string())
}
