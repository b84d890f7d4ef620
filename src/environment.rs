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
mod marker;
mod named;
mod platform;
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
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    fs::{File, FileTimes},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::{Duration, Instant, SystemTime},
};
use store::{Checked, Contents, Id, Identity, Meta, Store, Trust, Unusable};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};
use uv::{Uv, Wheels};
use verdicts::Verdicts;

/// Between looks at whether somebody else is done with an entry.
const WAIT: Duration = Duration::from_millis(50);
/// How long an entry is taken to be untouched without a look at its files; there may be thousands of them.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(60);
/// How long an index that could not be reached is left alone, so that not each of many jobs waits for it.
const INDEX_LEFT_ALONE: Duration = Duration::from_secs(3);
/// What packs of environments may take in memory, in bytes, besides those that jobs use.
const PACKS_BYTES_MAX: u64 = 2 * wasm::PACK_BYTES_MAX;
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

/// What is wanted, and its address.
#[derive(Debug, Clone)]
struct Wanted {
    id: Id,
    platform: Platform,
    requirements: Requirements,
    /// What of it applies.
    lines: Vec<String>,
    constraints: Vec<String>,
}

/// Which packages may be installed.
#[derive(Debug)]
struct Policy {
    allow: Option<BTreeSet<String>>,
    deny: BTreeSet<String>,
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

    /// The same with those for WebAssembly, which the workbench tries out and compiles.
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

    /// The environment with these packages; made, if it is not there. Whatever number of callers want the same, it is made
    /// once, and goes on being made as long as one of them waits. `progress` is told what is being done, in a few words,
    /// when it takes time.
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

    /// What this process knows of the environment with these packages, without waiting: that it is there, or why it cannot be
    /// had. Takes some microseconds.
    pub fn known(&self, requirements: &Requirements, platform: Platform) -> Option<Result<Arc<Installed>, Refusal>> {
        let wanted = match self.shared.wanted(requirements, platform) {
            Ok(wanted) => wanted,
            Err(refusal) => return Some(Err(refusal)),
        };
        let installed = self.shared.known(&wanted.id, None).map(Ok);
        installed.or_else(|| self.shared.verdict(&wanted).map(Err))
    }

    /// What is in the folder, the last used first. Reads files.
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
    /// Its content address: 64 hexadecimal digits.
    pub fn id(&self) -> &str {
        self.known.id.as_str()
    }

    /// All that a job in WebAssembly can import, where it is for that.
    pub(crate) fn pack(&self) -> Option<Pack> {
        self.pack.clone()
    }

    /// A digest of what is in it: made anew, with newer versions, it is another.
    pub(crate) fn content(&self) -> &str {
        &self.known.meta.manifest
    }

    /// The folder that goes onto Python's path: folders and regular files only. For WebAssembly there is one file in it,
    /// which only this program reads.
    pub fn packages_folder(&self) -> &Path {
        &self.known.packages
    }

    /// Its packages, by name.
    pub fn pins(&self) -> &[Pin] {
        &self.known.meta.pins
    }

    /// Whether none of them has native parts.
    pub fn is_pure(&self) -> bool {
        self.known.is_pure
    }

    /// What its files take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.known.meta.bytes
    }
}

impl Shared {
    fn wanted(&self, requirements: &Requirements, platform: Platform) -> Result<Wanted, Refusal> {
        let name = platform.name().ok_or_else(|| {
            let reason = Reason::NoWheel { packages: vec!["no package".to_owned()], platform: platform.in_words() };
            Refusal::new(reason, "the C library is too old")
        })?;
        for package in requirements.names(&platform) {
            self.policy.check(package, true)?;
        }
        let (lines, constraints) = (requirements.on(&platform), self.constraints.on(&platform));
        let python = platform.python();
        let mut content = format!("environment {}\npython {python}\nplatform {name}\n", store::FORMAT);
        if platform.target == Target::Wasm {
            // It has bytecode of that interpreter, and what can be imported depends on it.
            content.push_str(&format!("workbench {}\n", self.workbench()?.version()));
        }
        let indexes = self.options.index_url.iter().map(|url| ("index", url));
        let indexes = indexes.chain(self.options.extra_index_urls.iter().map(|url| ("extra-index", url)));
        indexes.for_each(|(kind, url)| content.push_str(&format!("{kind} {}\n", without_credentials(url))));
        let parts = lines.iter().map(|line| ("requirement", line));
        let parts = parts.chain(constraints.iter().map(|line| ("constraint", line)));
        parts.for_each(|(kind, line)| content.push_str(&format!("{kind} {line}\n")));
        Ok(Wanted { id: Id::of(&content), platform, requirements: requirements.clone(), lines, constraints })
    }

    /// What this process has checked before, if it is still there; if it was looked at within that time, where one is given.
    fn known(&self, id: &Id, within: Option<Duration>) -> Option<Arc<Installed>> {
        let known = locked(&self.known).get(id).cloned()?;
        if within.is_some_and(|within| locked(&known.looked_at).elapsed() > within) {
            return None;
        }
        let lock = if known.prepared { None } else { Some(self.store.share(id).ok().flatten()?) };
        if store::identity(&known.packages) != Some(known.identity) {
            locked(&self.known).remove(id);
            return None;
        }
        let pack = match known.meta.platform.target {
            Target::Linux { .. } => None,
            Target::Wasm => Some(self.packs.get(&known.id)?),
        };
        Some(installed(known, pack, lock))
    }

    /// That WebAssembly cannot take it, as far as this process knows.
    fn verdict(&self, wanted: &Wanted) -> Option<Refusal> {
        let native = wasm::native(wanted.requirements.names(&wanted.platform));
        if wanted.platform.target == Target::Wasm && !native.is_empty() {
            return Some(wanted.not_for_wasm(native));
        }
        Some(wanted.not_for_wasm(self.verdicts.known(&wanted.id)?))
    }

    /// The pack of an entry for WebAssembly that was checked.
    fn pack(&self, id: &Id, checked: &Checked) -> Result<Option<Pack>, Unusable> {
        if let Some(pack) = self.packs.get(id) {
            return Ok(Some(pack));
        }
        let pack = store::pack(checked)?;
        if let Some(pack) = &pack {
            self.packs.insert(id.clone(), pack.clone());
        }
        Ok(pack)
    }

    /// The making of it that goes on, or a new one.
    fn making(self: &Arc<Self>, wanted: &Wanted) -> Arc<Making> {
        let mut all = locked(&self.making);
        let going_on = all.get(&wanted.id).and_then(Weak::upgrade);
        if let Some(making) = going_on.filter(|making| !making.task.is_finished()) {
            return making;
        }
        all.retain(|_, making| making.strong_count() > 0);
        let (sender, state) = watch::channel(State::Phase("".into()));
        let (shared, job) = (Arc::clone(self), wanted.clone());
        let task = tokio::spawn(async move {
            let result = shared.make(&job, &sender).await;
            if let Err(refusal) = &result {
                tracing::info!(environment = %job.id, %refusal, log = refusal.log(), "no environment");
            }
            sender.send_replace(State::Done(result));
        });
        let making = Arc::new(Making { state, task });
        all.insert(wanted.id.clone(), Arc::downgrade(&making));
        making
    }

    async fn make(self: &Arc<Self>, wanted: &Wanted, state: &watch::Sender<State>) -> Result<Arc<Installed>, Refusal> {
        let limit = self.options.install_timeout;
        let made = tokio::time::timeout(limit, self.find_or_install(wanted, state)).await;
        let made =
            made.unwrap_or_else(|_| Err(Refusal::new(Reason::Timeout { seconds: limit.as_secs() }, "out of time")));
        match made.as_ref().map_err(|refusal| &refusal.reason) {
            Err(Reason::NoWheel { packages, .. }) if wanted.platform.target == Target::Wasm => {
                let (shared, id, packages) = (Arc::clone(self), wanted.id.clone(), packages.clone());
                if let Err(error) = blocking(move || shared.verdicts.keep(&id, packages)).await {
                    tracing::warn!(log = error.log(), "cannot remember that WebAssembly cannot take packages");
                }
            }
            Err(Reason::IndexDown) => {
                let mut index_down = locked(&self.index_down);
                if let (None, Err(refusal)) = (left_alone(&index_down), &made) {
                    *index_down = Some((Instant::now(), refusal.clone()));
                }
            }
            _ => {}
        }
        made
    }

    async fn find_or_install(
        self: &Arc<Self>,
        wanted: &Wanted,
        state: &watch::Sender<State>,
    ) -> Result<Arc<Installed>, Refusal> {
        let (shared, job) = (Arc::clone(self), wanted.clone());
        if let Some((id, checked, pack)) = blocking(move || Ok(shared.find_prepared(&job))).await? {
            self.policy.check_all(wanted, &checked.meta.pins)?;
            return Ok(installed(self.remember(wanted, id, checked, true), pack, None));
        }
        let mut spoiled = false;
        loop {
            if let Some(lock) = self.store.share(&wanted.id).map_err(fault)? {
                let (shared, id) = (Arc::clone(self), wanted.id.clone());
                let (found, lock) = blocking(move || Ok((shared.find(&id), lock))).await?;
                match found {
                    Ok((checked, pack)) => {
                        self.policy.check_all(wanted, &checked.meta.pins)?;
                        let known = self.remember(wanted, wanted.id.clone(), checked, false);
                        return Ok(installed(known, pack, Some(lock)));
                    }
                    Err(Unusable::Absent) => {}
                    Err(Unusable::Spoiled(why)) => {
                        tracing::warn!(environment = %wanted.id, why, "is not what was installed: it is made anew");
                        spoiled = true;
                    }
                }
            }
            let Some(lock) = self.store.own(&wanted.id).map_err(fault)? else {
                say(state, "waiting for another process that uses or installs the same packages");
                tokio::time::sleep(WAIT).await;
                continue;
            };
            // Somebody else may have been faster.
            if !spoiled && self.store.entry(&wanted.id).exists() {
                continue;
            }
            let (shared, id) = (Arc::clone(self), wanted.id.clone());
            if let Some(packages) = blocking(move || Ok(shared.verdicts.find(&id))).await? {
                return Err(wanted.not_for_wasm(packages));
            }
            if let Some(installed) = self.install(wanted, state, Arc::new(lock)).await? {
                return Ok(installed);
            }
        }
    }

    /// An environment that came with the service.
    fn find_prepared(&self, wanted: &Wanted) -> Option<(Id, Checked, Option<Pack>)> {
        let prepared = self.prepared.get_or_init(|| prepared(&self.options.prepared));
        let exact = prepared.iter().filter(|prepared| prepared.id == wanted.id);
        let satisfying = prepared.iter().filter(|prepared| {
            let version_of = |name: &str| {
                let pin = prepared.meta.pins.iter().find(|pin| pin.name == name);
                pin.map(|pin| &*pin.version)
            };
            // Nothing required needs nothing.
            !wanted.lines.is_empty()
                && wanted.platform.takes(prepared.meta.platform)
                && self.has_usable_bytecode(&prepared.meta)
                && wanted.requirements.are_satisfied_by(&wanted.platform, version_of)
        });
        let before = locked(&self.known).get(&wanted.id).cloned();
        exact.chain(satisfying).find_map(|prepared| {
            let seen = before.as_ref().filter(|known| known.id == prepared.id);
            let trust = seen.map_or(Trust::Nobody, |known| Trust::Stamp(&known.stamp));
            let found = store::check(&prepared.entry, trust)
                .and_then(|checked| Ok((self.pack(&prepared.id, &checked)?, checked)));
            match found {
                Ok((pack, checked)) => Some((prepared.id.clone(), checked, pack)),
                Err(why) => {
                    tracing::warn!(folder = %prepared.entry.display(), ?why, "a prepared environment is spoiled");
                    None
                }
            }
        })
    }

    /// Whether an entry is for the interpreter that there is, or for none in particular.
    fn has_usable_bytecode(&self, meta: &Meta) -> bool {
        let version = || self.workbench.as_ref().map(|workbench| workbench.version());
        meta.workbench.is_none() || meta.workbench == version()
    }

    /// What is in the folder.
    fn find(&self, id: &Id) -> Result<(Checked, Option<Pack>), Unusable> {
        let before = locked(&self.known).get(id).cloned();
        let trust = match (&before, self.options.verification) {
            (Some(known), _) => Trust::Stamp(&known.stamp),
            (None, Verification::Stamp) => Trust::Record,
            (None, Verification::Full) => Trust::Nobody,
        };
        let found = store::check(&self.store.entry(id), trust).and_then(|checked| {
            // Another process may have made it again, of other versions.
            if before.as_ref().is_none_or(|known| known.stamp != checked.stamp) {
                self.packs.invalidate(id);
            }
            Ok((self.pack(id, &checked)?, checked))
        });
        if found.is_err() {
            locked(&self.known).remove(id);
            self.packs.invalidate(id);
        }
        found.map(|(pack, checked)| (checked, pack))
    }

    fn remember(&self, wanted: &Wanted, id: Id, checked: Checked, prepared: bool) -> Arc<Known> {
        let Checked { meta, packages, stamp, identity } = checked;
        let is_pure = meta.pins.iter().all(|pin| pin.pure);
        let looked_at = Mutex::new(Instant::now());
        let known = Arc::new(Known { id, meta, packages, identity, stamp, is_pure, prepared, looked_at });
        locked(&self.known).insert(wanted.id.clone(), Arc::clone(&known));
        known
    }

    /// Makes the entry; the caller has its lock alone. `None` is that it was made, and removed by others at once.
    async fn install(
        self: &Arc<Self>,
        wanted: &Wanted,
        state: &watch::Sender<State>,
        lock: Arc<File>,
    ) -> Result<Option<Arc<Installed>>, Refusal> {
        let _slot = match self.slots.try_acquire() {
            Ok(slot) => slot,
            Err(_) => {
                say(state, "waiting for other installations");
                self.slots.acquire().await.map_err(|_| Refusal::fault("the slots are closed"))?
            }
        };
        if let Some(refusal) = left_alone(&locked(&self.index_down)) {
            return Err(refusal);
        }
        let (shared, id, held) = (Arc::clone(self), wanted.id.clone(), Arc::clone(&lock));
        let workshop = blocking(move || {
            let _held = held;
            shared.store.discard(&id)?;
            shared.store.sweep(&id)?;
            shared.store.workshop(&id)
        })
        .await?;
        let downloads = loop {
            match self.store.share_downloads().map_err(fault)? {
                Some(lock) => break lock,
                None => tokio::time::sleep(WAIT).await,
            }
        };
        let cache = self.store.downloads();
        let uv = Uv {
            options: &self.options,
            cache: &cache,
            folder: workshop.path(),
            lock: &lock,
            constraints: &wanted.constraints,
            platform: wanted.platform.in_words(),
        };
        let (contents, pack) = match wanted.platform.target {
            Target::Linux { .. } => {
                let pins = self.resolve_and_install(&uv, wanted, state).await?;
                drop(downloads);
                say(state, "checking what was installed");
                (self.contents(pins, wanted, workshop.path(), &lock).await?, None)
            }
            Target::Wasm => {
                let fetched = self.fetch_for_wasm(&uv, wanted, state).await?;
                drop(downloads);
                let (contents, pack) = self.pack_for_wasm(fetched, wanted, state, workshop.path(), &lock).await?;
                (contents, Some(pack))
            }
        };
        let (shared, id, held) = (Arc::clone(self), wanted.id.clone(), Arc::clone(&lock));
        let checked = blocking(move || {
            let _held = held;
            let checked = shared.store.put(&id, workshop.path(), contents)?;
            workshop.close()?;
            Ok(checked)
        })
        .await?;
        let bytes_max = self.options.bytes_max;
        if checked.meta.bytes > bytes_max {
            self.store.discard(&wanted.id).map_err(fault)?;
            return Err(Refusal::new(Reason::TooLarge { bytes_max }, format!("{} bytes", checked.meta.bytes)));
        }
        if let Some(pack) = &pack {
            self.packs.insert(wanted.id.clone(), pack.clone());
        }
        // Between the two somebody else may have it for a moment, and remove the entry.
        let packages = checked.packages.clone();
        let identity = checked.identity;
        let shares = lock.try_lock_shared().is_ok() && store::identity(&packages) == Some(identity);
        let known = self.remember(wanted, wanted.id.clone(), checked, false);
        let lock = Arc::into_inner(lock).ok_or_else(|| Refusal::fault("the lock is still in use"))?;
        if !shares {
            return Ok(None);
        }
        let installed = installed(known, pack, Some(lock));
        let shared = Arc::clone(self);
        let room = blocking(move || shared.store.make_room(bytes_max, &shared.bytecode)).await;
        if let Err(refusal) = room {
            tracing::warn!(log = refusal.log(), "cannot make room for environments");
        }
        Ok(Some(installed))
    }

    async fn resolve_and_install(
        &self,
        uv: &Uv<'_>,
        wanted: &Wanted,
        state: &watch::Sender<State>,
    ) -> Result<Vec<String>, Refusal> {
        let (Some(resolve_for), Some(install_for)) = (wanted.platform.to_resolve(), wanted.platform.to_install())
        else {
            return Err(Refusal::fault("a platform without a name"));
        };
        if wanted.lines.is_empty() {
            return Ok(Vec::new());
        }
        let python = wanted.platform.python();
        say(state, &counted("resolving", wanted.lines.len(), "requirement"));
        let pins = uv.resolve(&python, &resolve_for, &wanted.lines.join("\n")).await?;
        let pinned = pins.iter().filter_map(|pin| pin.split_once("==")).map(|(name, _)| name);
        self.policy.check_pinned(wanted, pinned)?;
        say(state, &counted("installing", pins.len(), "package"));
        let packages = uv.folder.join("entry/packages");
        let bytes_max = self.options.bytes_max;
        let wheels = Wheels { platform: &install_for, pins: &pins, into: &packages, bytes_max, linked: false };
        uv.install(&python, wheels).await?;
        Ok(pins)
    }

    /// What was installed, in a workshop whose lock is `lock`.
    async fn contents(
        &self,
        pins: Vec<String>,
        wanted: &Wanted,
        workshop: &Path,
        lock: &Arc<File>,
    ) -> Result<Contents, Refusal> {
        let (held, packages) = (Arc::clone(lock), workshop.join("entry/packages"));
        let pins = blocking(move || {
            let _held = held;
            // Nothing to install is a folder, too.
            std::fs::create_dir_all(&packages)?;
            site::tidy(&packages)?;
            site::packages(&packages, &pins)
        });
        let (platform, requirements) = (wanted.platform, wanted.lines.clone());
        Ok(Contents { platform, requirements, pins: pins.await?, workbench: None })
    }
}

impl Wanted {
    fn not_for_wasm(&self, packages: Vec<String>) -> Refusal {
        Refusal::new(Reason::NoWheel { packages, platform: self.platform.in_words() }, "as was found out before")
    }
}

impl Pin {
    /// As a requirement.
    fn pinned(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

/// What was said of an index that is to be left alone.
fn left_alone(index_down: &Option<(Instant, Refusal)>) -> Option<Refusal> {
    let (at, refusal) = index_down.as_ref()?;
    (at.elapsed() < INDEX_LEFT_ALONE).then(|| refusal.clone())
}

impl Drop for Making {
    /// Nobody waits for it any more.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Policy {
    fn check(&self, package: &str, asked: bool) -> Result<(), Refusal> {
        let allowed = self.allow.as_ref().is_none_or(|allow| allow.contains(package));
        if allowed && !self.deny.contains(package) {
            return Ok(());
        }
        Err(Refusal::new(Reason::Denied { package: package.to_owned(), asked }, "by the settings"))
    }

    fn check_pinned<'a>(&self, wanted: &Wanted, names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
        let asked = wanted.requirements.names(&wanted.platform);
        for name in names {
            // A name may have extras behind it.
            let name = requirements::normalised(name.split('[').next().unwrap_or(name))
                .ok_or_else(|| Refusal::fault(format!("{name:?} is no name of a package")))?;
            self.check(&name, asked.contains(&&*name))?;
        }
        Ok(())
    }

    /// What was installed under other settings is not necessarily allowed.
    fn check_all(&self, wanted: &Wanted, pins: &[Pin]) -> Result<(), Refusal> {
        self.check_pinned(wanted, pins.iter().map(|pin| &*pin.name))
    }
}

/// Records the use.
fn installed(known: Arc<Known>, pack: Option<Pack>, lock: Option<File>) -> Arc<Installed> {
    if let Some(lock) = &lock {
        let now = FileTimes::new().set_modified(SystemTime::now());
        if let Err(error) = lock.set_times(now) {
            tracing::warn!(%error, "cannot record the use of an environment");
        }
    }
    Arc::new(Installed { known, pack, _lock: lock })
}

/// Environments in prepared folders.
fn prepared(folders: &[PathBuf]) -> Vec<Prepared> {
    let mut found = Vec::new();
    for folder in folders {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "cannot read prepared environments");
                continue;
            }
        };
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(Id::parse) else { continue };
            let meta = std::fs::read(entry.path().join("meta.json")).map_err(|error| error.to_string());
            match meta.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string())) {
                Ok(meta) => found.push(Prepared { id, entry: entry.path(), meta }),
                Err(why) => tracing::warn!(folder = %entry.path().display(), why, "a prepared environment is spoiled"),
            }
        }
    }
    found.sort_by(|a, b| (a.meta.bytes, &a.id).cmp(&(b.meta.bytes, &b.id)));
    found
}

fn names(list: &[String]) -> Result<BTreeSet<String>> {
    let normalised = list.iter().map(|name| {
        let name = requirements::normalised(name)
            .ok_or_else(|| Error::unavailable(format!("{name:?} in a list of packages is not the name of one")))?;
        Ok(families::headless(&name).to_owned())
    });
    normalised.collect()
}

/// A new password makes no other packages.
fn without_credentials(url: &str) -> String {
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

/// What is behind these locks is whole after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
