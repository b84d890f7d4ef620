//! Layers: an image with what a job's commands and packages put into it, made once and kept while there is room.
//!
//! A layer is an image made by commit, so that it exists whole or not at all. Its tag is the hash of all that it was made
//! from, and its labels say whose it is and what it takes: another process, or a later one, finds it there. The daemon
//! alone knows which layers there are; here is only which of them are in use.

use super::{
    build,
    engine::{Engine, Fault, lock},
    flights::{Flights, Progress},
    hardening::{INSTANCE_LABEL, KIND_LABEL},
    images::Base,
};
use crate::{Error, Project, Result, project::Receiver, turns::Turns};
use bollard::{
    models::ImageSummary,
    query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder},
};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use std::{
    collections::{HashMap, HashSet},
    fmt::{self, Write as _},
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// What a layer takes beyond its base, in bytes.
pub(crate) const BYTES_LABEL: &str = "pyexec.bytes";
pub(crate) const LAYER: &str = "layer";
/// The name of all layers, which are told apart by their tags.
pub(crate) const REPOSITORY: &str = "pyexec-layer";

/// Says what a job finds in `/environment`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Packages {
    /// Nothing.
    #[default]
    None,
    /// What was installed elsewhere, from wheels.
    Folder(PackageFolder),
    /// Requirements that pip installs in a build container, with the code in the packages running there.
    ///
    /// Names with extras, versions and markers, as PEP 508 has them; no options, paths or addresses.
    Build(Vec<String>),
    /// A requirements file that pip reads in a build container.
    ///
    /// # Security
    ///
    /// It may have addresses and options, which take code from anywhere: only where the operator allows that.
    File(String),
}

/// A folder with installed packages on this machine's disk.
#[derive(Clone)]
pub struct PackageFolder {
    key: String,
    path: Arc<dyn AsRef<Path> + Send + Sync>,
}

impl PackageFolder {
    /// Names a folder; `path` may be a guard that keeps it there. The same `key` means the same content.
    pub fn new(key: impl Into<String>, path: impl AsRef<Path> + Send + Sync + 'static) -> PackageFolder {
        PackageFolder { key: key.into(), path: Arc::new(path) }
    }

    pub(crate) fn path(&self) -> &Path {
        (*self.path).as_ref()
    }
}

impl PartialEq for PackageFolder {
    fn eq(&self, other: &PackageFolder) -> bool {
        self.key == other.key
    }
}

impl Eq for PackageFolder {}

impl fmt::Debug for PackageFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageFolder").field("key", &self.key).field("path", &self.path()).finish()
    }
}

/// All that a layer is made from.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) base: Arc<Base>,
    pub(crate) pre_commands: Vec<String>,
    /// Variables of the commands.
    pub(crate) env: Vec<(String, String)>,
    /// What the commands find in the project's folder.
    pub(crate) seen: Option<Seen>,
    pub(crate) packages: Packages,
    /// Whose turn it is made in. It makes no difference to what is made.
    pub(crate) owner: u64,
}

/// A project that commands see, and what tells it from others.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) project: Project,
    digest: String,
}

impl Seen {
    /// Reads all of it; blocks.
    pub(crate) fn of(project: &Project) -> Result<Seen> {
        let mut digest = Digested(Sha256::new());
        project.send(&mut digest).map_err(|error| Error::invalid(format!("the project cannot be read: {error}")))?;
        Ok(Seen { project: project.clone(), digest: hex(digest.0) })
    }
}

/// Hashes a project, each part with its length.
struct Digested(Sha256);

impl Digested {
    fn add(&mut self, kind: u8, parts: [&str; 2]) -> io::Result<()> {
        self.0.update([0, kind]);
        for part in parts {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        Ok(())
    }
}

impl Receiver for Digested {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        self.add(b'D', [path, ""])
    }

    fn file(&mut self, path: &str) -> io::Result<()> {
        self.add(b'F', [path, ""])
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.add(b'L', [path, target])
    }
}

impl io::Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update([1]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Recipe {
    /// Returns whether the base will do as it is.
    pub(crate) fn is_empty(&self) -> bool {
        self.pre_commands.is_empty() && !self.has_packages()
    }

    pub(crate) fn has_packages(&self) -> bool {
        match &self.packages {
            Packages::None => false,
            Packages::Folder(_) => true,
            Packages::Build(requirements) => !requirements.is_empty(),
            Packages::File(requirements) => !requirements.trim().is_empty(),
        }
    }

    /// Returns whether making it runs code of the job's choice, which may need the network.
    pub(crate) fn runs_strangers(&self) -> bool {
        let installs = self.has_packages() && !matches!(self.packages, Packages::Folder(_));
        !self.pre_commands.is_empty() || installs
    }

    /// Returns the layer's key. Layers of other instances are not shared: their makers may be trusted with less.
    fn key(&self, instance: &str) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        // To be changed when a layer comes to be made in another way.
        for text in ["2", instance, &self.base.id, &self.pre_commands.len().to_string()] {
            add(text);
        }
        self.pre_commands.iter().for_each(|command| add(command));
        if !self.pre_commands.is_empty() {
            add(&self.env.len().to_string());
            self.env.iter().flat_map(|(name, value)| [name, value]).for_each(|text| add(text));
            add(self.seen.as_ref().map_or("", |seen| &seen.digest));
        }
        match &self.packages {
            Packages::None => add("none"),
            Packages::Folder(folder) => ["folder", &folder.key].into_iter().for_each(add),
            Packages::Build(requirements) => {
                add("build");
                requirements.iter().for_each(|requirement| add(requirement));
            }
            Packages::File(requirements) => ["file", requirements].into_iter().for_each(add),
        }
        hex(hash)
    }
}

/// The layers of one daemon that this process has to do with.
pub(crate) struct Layers {
    flights: Flights<()>,
    /// Taken in turns by the owners of jobs.
    pub(crate) builds: Arc<Turns>,
    in_use: Mutex<InUse>,
    /// One at a time: two would each remove what makes room enough.
    evicting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct InUse {
    leases: HashMap<String, u32>,
    last: HashMap<String, SystemTime>,
    /// Layers that were there when last looked for.
    known: HashSet<String>,
}

impl Layers {
    pub(crate) fn new(builds: u32) -> Layers {
        Layers {
            flights: Flights::new(),
            builds: Turns::new(builds.max(1) as usize),
            in_use: Mutex::default(),
            evicting: tokio::sync::Mutex::default(),
        }
    }

    /// Forgets a layer that is not there after all.
    pub(crate) fn forget(&self, lease: &Lease) {
        lock(&self.in_use).known.remove(&lease.key);
    }

    /// Forgets `key` unless somebody uses it, and returns whether it did.
    fn give_up(&self, key: &str) -> bool {
        let mut in_use = lock(&self.in_use);
        let free = !in_use.leases.contains_key(key);
        if free {
            in_use.known.remove(key);
            in_use.last.remove(key);
        }
        free
    }
}

/// Keeps a layer from being evicted by this process.
pub(crate) struct Lease {
    engine: Arc<Engine>,
    key: String,
}

impl Lease {
    fn take(engine: &Arc<Engine>, key: String) -> Lease {
        let mut in_use = lock(&engine.layers().in_use);
        *in_use.leases.entry(key.clone()).or_default() += 1;
        in_use.last.insert(key.clone(), SystemTime::now());
        Lease { engine: Arc::clone(engine), key }
    }

    /// Returns the layer's image.
    pub(crate) fn image(&self) -> String {
        format!("{REPOSITORY}:{}", self.key)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut in_use = lock(&self.engine.layers().in_use);
        if let Some(count) = in_use.leases.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                in_use.leases.remove(&self.key);
            }
        }
        in_use.last.insert(self.key.clone(), SystemTime::now());
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.key).finish()
    }
}

/// Returns the layer of `recipe`, which is made unless it is there.
pub(crate) async fn ensure(engine: &Arc<Engine>, recipe: &Recipe, progress: &Progress) -> Result<Lease> {
    let lease = Lease::take(engine, recipe.key(engine.options().instance.name()));
    let layers = engine.layers();
    if lock(&layers.in_use).known.contains(&lease.key) {
        return Ok(lease);
    }
    let begin = |tell: Progress| {
        let (engine, recipe, key) = (Arc::clone(engine), recipe.clone(), lease.key.clone());
        async move { find_or_make(&engine, &recipe, &key, &tell).await }.boxed()
    };
    layers.flights.join(&lease.key, progress, begin).await?;
    lock(&layers.in_use).known.insert(lease.key.clone());
    Ok(lease)
}

async fn find_or_make(engine: &Arc<Engine>, recipe: &Recipe, key: &str, tell: &Progress) -> Result<()> {
    let image = format!("{REPOSITORY}:{key}");
    match engine.ask(engine.docker().inspect_image(&image)).await {
        Ok(_) => {
            // Docker keeps when that was, which is then known to later processes as its last use.
            let again = TagImageOptionsBuilder::default().repo(REPOSITORY).tag(key).build();
            if let Err(fault) = engine.ask(engine.docker().tag_image(&image, Some(again))).await {
                tracing::debug!(image, %fault, "the use of a layer is not noted");
            }
            return Ok(());
        }
        Err(Fault::Refused { status: 404, .. }) => {}
        Err(fault) => return Err(Error::caused("Docker does not say which layers it has", fault.to_string())),
    }
    build::layer(engine, recipe, key, tell).await?;
    let engine = Arc::clone(engine);
    engine.runtime().clone().spawn(async move {
        if let Err(fault) = evict(&engine).await {
            tracing::warn!(%fault, "layers beyond their limit are left for later");
        }
    });
    Ok(())
}

/// Removes the layers that have not been used for longest, until the rest is within its limit.
pub(crate) async fn evict(engine: &Engine) -> Result<(), Fault> {
    let _evicting = engine.layers().evicting.lock().await;
    let label = |name: &str, value: &str| format!("{name}={value}");
    let filters = HashMap::from([(
        "label",
        vec![label(KIND_LABEL, LAYER), label(INSTANCE_LABEL, engine.options().instance.name())],
    )]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let found = engine.ask(engine.docker().list_images(Some(options))).await?;
    let mut total: u64 = found.iter().map(bytes).sum();
    let most = engine.options().layers_max_bytes;
    if total <= most {
        return Ok(());
    }
    let mut by_use = Vec::with_capacity(found.len());
    for layer in found {
        by_use.push((last_use(engine, &layer).await, layer));
    }
    by_use.sort_by_key(|(used, _)| *used);
    for (_, layer) in by_use {
        if total <= most {
            break;
        }
        let keys: Vec<_> = keys(&layer).map(str::to_owned).collect();
        if !keys.iter().all(|key| engine.layers().give_up(key)) {
            continue;
        }
        let removal = RemoveImageOptionsBuilder::default().build();
        let name = layer.repo_tags.first().unwrap_or(&layer.id);
        match engine.work(engine.docker().remove_image(name, Some(removal), None)).await {
            Ok(_) | Err(Fault::Refused { status: 404, .. }) => {
                tracing::info!(layer = name, "removed a layer");
                total = total.saturating_sub(bytes(&layer));
            }
            // A container has it, of this process or of another.
            Err(Fault::Refused { status: 409, .. }) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

fn bytes(layer: &ImageSummary) -> u64 {
    layer.labels.get(BYTES_LABEL).and_then(|bytes| bytes.parse().ok()).unwrap_or_default()
}

fn keys(layer: &ImageSummary) -> impl Iterator<Item = &str> {
    layer.repo_tags.iter().filter_map(|tag| tag.strip_prefix(REPOSITORY)?.strip_prefix(':'))
}

async fn last_use(engine: &Engine, layer: &ImageSummary) -> SystemTime {
    let made = u64::try_from(layer.created).unwrap_or_default();
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(made);
    let here = {
        let in_use = lock(&engine.layers().in_use);
        keys(layer).filter_map(|key| in_use.last.get(key).copied()).max()
    };
    let noted = match here {
        Some(_) => None,
        None => engine.ask(engine.docker().inspect_image(&layer.id)).await.ok().and_then(|image| {
            let time = image.metadata?.last_tag_time?;
            humantime::parse_rfc3339(&time).ok()
        }),
    };
    here.or(noted).map_or(made, |used| used.max(made))
}
