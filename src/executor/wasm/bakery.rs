//! Images with packages already imported: made once, in the background, and then found.
//!
//! A copy of an instance cannot repeat what importing a module did outside of memory: read the clock, draw random numbers,
//! print, open files. Modules that do so are not baked, nor are those that import them, but imported by each job as ever.
//! Neither does a copy see other environment variables than the instance did: a job that sets one that the modules asked
//! for gets the plain image, and so does one with modules of its own named like packages.

use super::{
    Packages,
    deadline::{Deadline, until},
    image::{Image, Studio},
    instance, session,
    snapshot::{self, BAKE},
};
use crate::{
    Error, Project, Result,
    cache::{Verification, hex},
    sync::lock,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

/// What importing the modules of one environment may take.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(120);
/// Times that it is tried, each time without the modules that were found unfit before.
const ATTEMPTS: usize = 5;
/// How long it is believed that another process has not made an image.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// How long after it was begun, and failed, an image is tried again in the background.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(600);
/// Images that are held; more are found again in the cache.
const HELD_MAX: usize = 256;
/// What the names of their files begin with.
const PREFIX: &str = "packages-";

/// An image with packages imported.
pub(crate) struct Baked {
    /// `None` when none of the modules is fit for it.
    image: Option<Image>,
    pub(crate) record: Record,
}

/// Holds what is known of an image while it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Modules that were imported, with what these import.
    pub(crate) modules: Vec<String>,
    /// Modules that could not be, and why.
    pub(crate) unfit: Vec<(String, String)>,
    /// Environment variables that they asked for; `*` is all.
    variables: Vec<String>,
}

/// Makes them, and knows which there are.
pub(crate) struct Bakery {
    studio: Arc<Studio>,
    /// In the cache folder.
    bytes_max: u64,
    known: Mutex<HashMap<String, Known>>,
    /// Held by who bakes: one at a time.
    oven: tokio::sync::Mutex<()>,
    /// What was begun in the background, and when.
    begun: Mutex<HashMap<String, Instant>>,
}

/// Holds what is known of an image.
struct Known {
    baked: Option<Arc<Baked>>,
    looked_at: Instant,
}

impl Bakery {
    pub(crate) fn new(studio: Arc<Studio>, bytes_max: u64) -> Bakery {
        Bakery {
            studio,
            bytes_max,
            known: Mutex::default(),
            oven: tokio::sync::Mutex::default(),
            begun: Mutex::default(),
        }
    }

    /// Returns the image of these packages, when there is one.
    pub(crate) async fn find(self: &Arc<Self>, packages: &Packages) -> Option<Arc<Baked>> {
        let file = self.file(packages);
        if let Some(known) = self.known().get(&file)
            && (known.baked.is_some() || known.looked_at.elapsed() < LOOK_AGAIN_AFTER)
        {
            return known.baked.clone();
        }
        let bakery = Arc::clone(self);
        tokio::task::spawn_blocking(move || bakery.open(&file)).await.unwrap_or_else(|fault| {
            tracing::error!(%fault, "looking for an image failed");
            None
        })
    }

    /// Makes the image of these packages, unless it is there.
    ///
    /// # Errors
    ///
    /// When it cannot be made. That a module is not fit for it is none: see [`Record::unfit`].
    pub(crate) async fn bake(
        self: &Arc<Self>,
        packages: &Packages,
        progress: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Arc<Baked>> {
        if let Some(baked) = self.find(packages).await {
            return Ok(baked);
        }
        let _oven = self.oven.lock().await;
        let (bakery, packages) = (Arc::clone(self), packages.clone());
        let (done, result) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("bakery".to_owned()).spawn(move || {
            let _ = done.send(bakery.bake_here(&packages, &progress));
        });
        thread.map_err(|e| Error::caused("cannot start a thread", e))?;
        result.await.unwrap_or_else(|_| Err(Error::unavailable("making an image panicked")))
    }

    /// Returns whether a process makes the image of these packages.
    pub(crate) fn is_being_made(&self, packages: &Packages) -> bool {
        self.studio.baked().is_locked(&self.file(packages))
    }

    /// Removes the image of these packages. Jobs that run keep it.
    pub(crate) fn forget(&self, packages: &Packages) {
        let file = self.file(packages);
        self.known().remove(&file);
        self.studio.baked().remove_group(&file);
    }

    /// Begins to make the image of these packages, unless it is there, or was begun a while ago.
    pub(crate) fn begin(self: &Arc<Self>, packages: &Packages) {
        let file = self.file(packages);
        let mut begun = lock(&self.begun);
        begun.retain(|_, at| at.elapsed() < BEGIN_AGAIN_AFTER);
        if begun.contains_key(&file) || begun.len() >= HELD_MAX {
            return;
        }
        begun.insert(file, Instant::now());
        let (bakery, packages) = (Arc::clone(self), packages.clone());
        tokio::spawn(async move {
            if let Err(error) = bakery.bake(&packages, |_| ()).await {
                tracing::warn!(packages = %packages.id, %error, "packages cannot be baked: jobs import them");
            }
        });
    }

    fn bake_here(&self, packages: &Packages, progress: &dyn Fn(&str)) -> Result<Arc<Baked>> {
        step_back();
        let file = self.file(packages);
        let cache = self.studio.baked();
        let _lock = cache.lock_of(&file)?;
        // Another process may have made it while we waited.
        if let Some(baked) = self.open(&file) {
            return Ok(baked);
        }
        let began = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| Error::caused("cannot start a runtime for the snapshot", e))?;
        progress(&format!("importing {} for good", packages.modules.join(", ")));
        let (snapshot, record) = runtime.block_on(self.import(packages))?;
        let imported = began.elapsed();
        if let Some(snapshot) = &snapshot {
            progress("compiling it for this machine");
            self.studio.derive(snapshot, &format!("{file}.cwasm"))?;
        }
        let text = serde_json::to_vec(&record).map_err(|e| Error::caused("cannot record what was baked", e))?;
        cache.store(&format!("{file}.json"), &text)?;
        cache.make_room(PREFIX, &file, self.bytes_max);
        tracing::info!(
            packages = %packages.id,
            modules = record.modules.join(" "),
            unfit = ?record.unfit,
            import_ms = imported.as_millis(),
            all_ms = began.elapsed().as_millis(),
            "packages are baked"
        );
        self.open(&file).ok_or_else(|| Error::unavailable("the image just written cannot be read back"))
    }

    /// Takes a snapshot with as many of the modules as are fit for it, if any.
    async fn import(&self, packages: &Packages) -> Result<(Option<Vec<u8>>, Record)> {
        let mut modules = packages.modules.to_vec();
        let mut unfit = Vec::new();
        for _ in 0..ATTEMPTS {
            if modules.is_empty() {
                break;
            }
            let (snapshot, record) = self.import_all(packages, &modules).await?;
            unfit.extend(record.unfit.iter().cloned());
            if let Some(snapshot) = snapshot {
                return Ok((Some(snapshot), Record { unfit, ..record }));
            }
            // What was imported before one failed may have been changed by it.
            modules = record.modules;
        }
        Ok((None, Record { unfit, ..Record::default() }))
    }

    /// Takes a snapshot, if all modules were imported.
    async fn import_all(&self, packages: &Packages, modules: &[String]) -> Result<(Option<Vec<u8>>, Record)> {
        let base = self.studio.snapshot()?;
        let library = self.studio.library.with_packages(packages.pack.clone());
        let interpreter = &self.studio.large()?.pre;
        let mut store = snapshot::store(interpreter.module().engine(), library);
        store.call_hook_async(super::host::Yielding);
        let mut names = session::length(modules.len())?.to_vec();
        for module in modules {
            session::put(&mut names, module.as_bytes())?;
        }
        let work = async {
            let instance = interpreter.instantiate_async(&mut store).await?;
            let at = instance::hand_over(&mut store, instance, &names).await?;
            let bake = instance.get_typed_func::<u32, ()>(&mut store, BAKE)?;
            bake.call_async(&mut store, at).await?;
            Ok::<_, wasmtime::Error>(instance)
        };
        let ended = until(&Deadline::At(Instant::now() + IMPORT_TIMEOUT), work).await;
        // It is the packages' fault, and would be the next time.
        let unfit = |why: String| {
            let unfit = modules.iter().map(|module| (module.clone(), why.clone())).collect();
            Ok((None, Record { unfit, ..Record::default() }))
        };
        let instance = match ended {
            None => return unfit(format!("importing took longer than {} seconds", IMPORT_TIMEOUT.as_secs())),
            Some(Err(error)) => {
                let said = store.into_data().call.outputs.stderr.finish().text;
                return unfit(format!("the interpreter ended: {error:#}\n{said}"));
            }
            Some(Ok(instance)) => instance,
        };
        let baking = store.data_mut().call.report.baking.take().unwrap_or_default();
        let record = Record { modules: baking.modules, unfit: baking.unfit, variables: baking.variables };
        if !record.unfit.is_empty() {
            return Ok((None, record));
        }
        let taken = snapshot::take(&base, &mut store, instance).await;
        Ok((
            Some(taken.map_err(|e| Error::caused("cannot take a snapshot of Python with packages", format!("{e:#}")))?),
            record,
        ))
    }

    /// Opens the image in the cache.
    fn open(&self, file: &str) -> Option<Arc<Baked>> {
        let cache = self.studio.baked();
        let text = self.studio.path(&format!("{file}.json"), Verification::Stamp);
        let text = text.and_then(|path| std::fs::read(path).ok());
        let baked = text.and_then(|text| serde_json::from_slice(&text).ok()).and_then(|record: Record| {
            let image = match record.modules.is_empty() {
                true => None,
                false => Some(self.studio.find(&format!("{file}.cwasm"))?),
            };
            cache.used(file);
            Some(Arc::new(Baked { image, record }))
        });
        let mut known = self.known();
        if known.len() >= HELD_MAX
            && let Some(oldest) = known.iter().min_by_key(|(_, known)| known.looked_at).map(|(file, _)| file.clone())
        {
            known.remove(&oldest);
        }
        known.insert(file.to_owned(), Known { baked: baked.clone(), looked_at: Instant::now() });
        baked
    }

    fn file(&self, packages: &Packages) -> String {
        let mut hash = Sha256::new();
        for part in [self.studio.name(), &packages.id].into_iter().chain(packages.modules.iter().map(String::as_str)) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        format!("{PREFIX}{}", hex(&hash.finalize()[..16]))
    }

    /// Locks what is whole after every statement, whoever panicked.
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        lock(&self.known)
    }
}

impl Baked {
    /// Returns the image, for a script that finds in it what it would find otherwise.
    pub(crate) fn image_for(
        &self,
        project: &Project,
        script: &str,
        env: &[(String, String)],
        shadows: impl Fn(&str) -> bool,
    ) -> Option<&Image> {
        let image = self.image.as_ref()?;
        let asked_for = |name: &str| self.record.variables.iter().any(|variable| variable == name || variable == "*");
        let sees_others = env.iter().any(|(name, _)| asked_for(name));
        let has_its_own = || project.modules_beside(script).into_iter().any(shadows);
        (!sees_others && !has_its_own()).then_some(image)
    }
}

/// Lets jobs come first: this thread, and those that it starts, get what these leave.
fn step_back() {
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "cannot lower the priority of a thread");
    }
}

#[cfg(test)]
mod tests;
