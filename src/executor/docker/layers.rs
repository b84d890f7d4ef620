//! Layers: an image with what a job's commands and packages put into it, made once and kept while there is room.
//!
//! A layer is an image made by commit, so that it exists whole or not at all. Its tag is the hash of all that it was made
//! from, and its labels say whose it is and what it takes: another process, or a later one, finds it there. The daemon
//! alone knows which layers there are; here is only which of them are in use.

use super::{
    build::Builder,
    daemon::{Daemon, Fault},
    hardening::{INSTANCE_LABEL, KIND_LABEL},
    progress::{Progress, Step},
    recipe::{BYTES_LABEL, LAYER, REPOSITORY, Recipe},
};
use crate::{Error, Result, single_flight::SingleFlight, sync::lock};
use bollard::{
    models::ImageSummary,
    query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder},
};
use futures_util::FutureExt;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

/// The layers of one daemon that this process has to do with.
pub(crate) struct Layers {
    daemon: Arc<Daemon>,
    builder: Arc<Builder>,
    builds: SingleFlight<String, (), Step>,
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
    pub(crate) fn new(daemon: Arc<Daemon>, builder: Arc<Builder>) -> Arc<Layers> {
        Arc::new(Layers {
            daemon,
            builder,
            builds: SingleFlight::new(Step::lasts),
            in_use: Mutex::default(),
            evicting: tokio::sync::Mutex::default(),
        })
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

    /// Returns the layer of `recipe`, which is made unless it is there.
    pub(crate) async fn ensure(self: &Arc<Layers>, recipe: &Recipe, progress: &Progress) -> Result<Lease> {
        let lease = Lease::take(self, recipe.key(self.daemon.instance()));
        if lock(&self.in_use).known.contains(&lease.key) {
            return Ok(lease);
        }
        let begin = |tell: Progress| {
            let (layers, recipe, key) = (Arc::clone(self), recipe.clone(), lease.key.clone());
            async move { layers.find_or_make(&recipe, &key, &tell).await }.boxed()
        };
        self.builds.join(lease.key.clone(), progress, begin).await?;
        lock(&self.in_use).known.insert(lease.key.clone());
        Ok(lease)
    }

    async fn find_or_make(self: &Arc<Layers>, recipe: &Recipe, key: &str, tell: &Progress) -> Result<()> {
        let image = format!("{REPOSITORY}:{key}");
        let client = self.daemon.client();
        match self.daemon.ask(client.inspect_image(&image)).await {
            Ok(_) => {
                // Docker keeps when that was, which is then known to later processes as its last use.
                let again = TagImageOptionsBuilder::default().repo(REPOSITORY).tag(key).build();
                if let Err(fault) = self.daemon.ask(client.tag_image(&image, Some(again))).await {
                    tracing::debug!(image, %fault, "the use of a layer is not noted");
                }
                return Ok(());
            }
            Err(Fault::Refused { status: 404, .. }) => {}
            Err(fault) => return Err(Error::caused("Docker does not say which layers it has", fault.to_string())),
        }
        self.builder.layer(recipe, key, tell).await?;
        let layers = Arc::clone(self);
        self.daemon.runtime().spawn(async move { layers.evict().await });
        Ok(())
    }

    /// Removes the layers that have not been used for longest, until the rest is within its limit.
    pub(crate) async fn evict(&self) {
        if let Err(fault) = self.try_evict().await {
            tracing::warn!(%fault, "layers beyond their limit are left for later");
        }
    }

    async fn try_evict(&self) -> Result<(), Fault> {
        let _evicting = self.evicting.lock().await;
        let label = |name: &str, value: &str| format!("{name}={value}");
        let filters =
            HashMap::from([("label", vec![label(KIND_LABEL, LAYER), label(INSTANCE_LABEL, self.daemon.instance())])]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let found = self.daemon.ask(self.daemon.client().list_images(Some(options))).await?;
        let mut total: u64 = found.iter().map(bytes).sum();
        let most = self.daemon.options().layers_max_bytes;
        if total <= most {
            return Ok(());
        }
        let mut by_use = Vec::with_capacity(found.len());
        for layer in found {
            by_use.push((self.last_use(&layer).await, layer));
        }
        by_use.sort_by_key(|(used, _)| *used);
        for (_, layer) in by_use {
            if total <= most {
                break;
            }
            let keys: Vec<_> = keys(&layer).map(str::to_owned).collect();
            if !keys.iter().all(|key| self.give_up(key)) {
                continue;
            }
            let removal = RemoveImageOptionsBuilder::default().build();
            let name = layer.repo_tags.first().unwrap_or(&layer.id);
            match self.daemon.work(self.daemon.client().remove_image(name, Some(removal), None)).await {
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

    async fn last_use(&self, layer: &ImageSummary) -> SystemTime {
        let made = u64::try_from(layer.created).unwrap_or_default();
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(made);
        let here = {
            let in_use = lock(&self.in_use);
            keys(layer).filter_map(|key| in_use.last.get(key).copied()).max()
        };
        let noted = match here {
            Some(_) => None,
            None => self.daemon.ask(self.daemon.client().inspect_image(&layer.id)).await.ok().and_then(|image| {
                let time = image.metadata?.last_tag_time?;
                humantime::parse_rfc3339(&time).ok()
            }),
        };
        here.or(noted).map_or(made, |used| used.max(made))
    }
}

/// Keeps a layer from being evicted by this process.
pub(crate) struct Lease {
    layers: Arc<Layers>,
    key: String,
}

impl Lease {
    fn take(layers: &Arc<Layers>, key: String) -> Lease {
        let mut in_use = lock(&layers.in_use);
        *in_use.leases.entry(key.clone()).or_default() += 1;
        in_use.last.insert(key.clone(), SystemTime::now());
        Lease { layers: Arc::clone(layers), key }
    }

    /// Returns the layer's image.
    pub(crate) fn image(&self) -> String {
        format!("{REPOSITORY}:{}", self.key)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut in_use = lock(&self.layers.in_use);
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

fn bytes(layer: &ImageSummary) -> u64 {
    layer.labels.get(BYTES_LABEL).and_then(|bytes| bytes.parse().ok()).unwrap_or_default()
}

fn keys(layer: &ImageSummary) -> impl Iterator<Item = &str> {
    layer.repo_tags.iter().filter_map(|tag| tag.strip_prefix(REPOSITORY)?.strip_prefix(':'))
}
