//! How an environment comes about: it is known, or came with the service, or is kept, or is made, once for all who want it.

use super::{
    Installed, Known, Making, Platform, Prepared, Reason, Refusal, Requirements, Shared, State, Target, Wanted,
    blocking, counted, families, fault, requirements, say, site,
    store::{self, Checked, Contents, Id, Meta, Trust, Unusable},
    uv::{Uv, Wheels},
    wasm, without_credentials,
};
use crate::{Verification, pack::Pack, sync::lock};
use std::{
    fs::{File, FileTimes},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch;

/// Between looks at whether somebody else is done with an entry.
const WAIT: Duration = Duration::from_millis(50);
/// How long an index that could not be reached is left alone, so that not each of many jobs waits for it.
pub(super) const INDEX_LEFT_ALONE: Duration = Duration::from_secs(3);

impl Shared {
    pub(super) fn wanted(&self, requirements: &Requirements, platform: Platform) -> Result<Wanted, Refusal> {
        let name = platform.name().ok_or_else(|| {
            let reason = Reason::NoWheel { packages: vec!["no package".to_owned()], platform: platform.in_words() };
            Refusal::new(reason, "the C library is too old")
        })?;
        for package in requirements.names(&platform) {
            self.policy.check(package, true)?;
        }
        let direct: Vec<_> = requirements.direct().collect();
        if let Some(line) = direct.first() {
            if !self.options.allow_urls {
                let text = requirements::refused_direct(line);
                return Err(Refusal::new(Reason::NotAccepted { text }, "by the settings"));
            }
            // pip follows them, where it can do no harm.
            let packages = direct.into_iter().map(requirements::name_in).collect();
            let reason = Reason::NoWheel { packages, platform: platform.in_words() };
            return Err(Refusal::new(reason, "requirements with addresses are for a build container"));
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

    /// Returns what this process has checked before, if it is still there, and was looked at within that time.
    pub(super) fn known(&self, id: &Id, within: Option<Duration>) -> Option<Arc<Installed>> {
        let known = lock(&self.known).get(id).cloned()?;
        if within.is_some_and(|within| lock(&known.looked_at).elapsed() > within) {
            return None;
        }
        let shared = if known.prepared { None } else { Some(self.store.share(id).ok().flatten()?) };
        if store::identity(&known.packages) != Some(known.identity) {
            lock(&self.known).remove(id);
            return None;
        }
        let pack = match known.meta.platform.target {
            Target::Linux { .. } => None,
            Target::Wasm => Some(self.packs.get(&known.id)?),
        };
        Some(installed(known, pack, shared))
    }

    /// Returns why WebAssembly cannot take it, as far as this process knows.
    pub(super) fn verdict(&self, wanted: &Wanted) -> Option<Refusal> {
        let native = wasm::native(wanted.requirements.names(&wanted.platform));
        if wanted.platform.target == Target::Wasm && !native.is_empty() {
            return Some(wanted.not_for_wasm(native));
        }
        Some(wanted.not_for_wasm(self.verdicts.known(&wanted.id)?))
    }

    /// Returns the pack of an entry for WebAssembly that was checked.
    pub(super) fn pack(&self, id: &Id, checked: &Checked) -> Result<Option<Pack>, Unusable> {
        if let Some(pack) = self.packs.get(id) {
            return Ok(Some(pack));
        }
        let pack = store::pack(checked)?;
        if let Some(pack) = &pack {
            self.packs.insert(id.clone(), pack.clone());
        }
        Ok(pack)
    }

    /// Returns the making of it that goes on, or a new one.
    pub(super) fn making(self: &Arc<Self>, wanted: &Wanted) -> Arc<Making> {
        let mut all = lock(&self.making);
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

    pub(super) async fn make(
        self: &Arc<Self>,
        wanted: &Wanted,
        state: &watch::Sender<State>,
    ) -> Result<Arc<Installed>, Refusal> {
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
            Err(Reason::IndexDown) if made.as_ref().is_err_and(Refusal::is_of_whole_index) => {
                let mut index_down = lock(&self.index_down);
                if let (None, Err(refusal)) = (left_alone(&index_down), &made) {
                    *index_down = Some((Instant::now(), refusal.clone()));
                }
            }
            _ => {}
        }
        made
    }

    pub(super) async fn find_or_install(
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

    /// Returns an environment that came with the service.
    pub(super) fn find_prepared(&self, wanted: &Wanted) -> Option<(Id, Checked, Option<Pack>)> {
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
        let before = lock(&self.known).get(&wanted.id).cloned();
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

    /// Returns whether an entry is for the interpreter that there is, or for none in particular.
    pub(super) fn has_usable_bytecode(&self, meta: &Meta) -> bool {
        let version = || self.workbench.as_ref().map(|workbench| workbench.version());
        meta.workbench.is_none() || meta.workbench == version()
    }

    /// Finds an entry in the folders, and checks it.
    pub(super) fn find(&self, id: &Id) -> Result<(Checked, Option<Pack>), Unusable> {
        let before = lock(&self.known).get(id).cloned();
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
            lock(&self.known).remove(id);
            self.packs.invalidate(id);
        }
        found.map(|(pack, checked)| (checked, pack))
    }

    pub(super) fn remember(&self, wanted: &Wanted, id: Id, checked: Checked, prepared: bool) -> Arc<Known> {
        let Checked { meta, packages, stamp, identity } = checked;
        let is_pure = meta.pins.iter().all(|pin| pin.pure);
        let looked_at = Mutex::new(Instant::now());
        let known = Arc::new(Known { id, meta, packages, identity, stamp, is_pure, prepared, looked_at });
        lock(&self.known).insert(wanted.id.clone(), Arc::clone(&known));
        known
    }

    /// Makes the entry; the caller has its lock alone. `None` is that it was made, and removed by others at once.
    pub(super) async fn install(
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
        if let Some(refusal) = left_alone(&crate::sync::lock(&self.index_down)) {
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
            hashes: wanted.requirements.hashes(&wanted.platform),
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

    pub(super) async fn resolve_and_install(
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
        let names = |pins: &[String]| -> Vec<String> {
            let names = pins.iter().filter_map(|pin| pin.split(['=', '[']).next());
            names.map(str::to_owned).collect()
        };
        let mut lines = wanted.to_resolve();
        let mut left_out = Vec::new();
        let mut pins = uv.resolve(&python, &resolve_for, &lines, &[]).await?;
        let resolved = names(&pins);
        if let Some(one) = families::one_opencv(resolved.iter().map(String::as_str)) {
            // Packages name the build that they were made with, and would bring it along.
            let others: Vec<_> = families::other_opencvs(one).collect();
            if resolved.iter().any(|name| others.contains(&&**name)) {
                lines.push_str(&format!("\n{one}"));
                left_out = others;
                pins = uv.resolve(&python, &resolve_for, &lines, &left_out).await?;
            }
        }
        let resolved = names(&pins);
        let pinned = resolved.iter().map(String::as_str);
        self.policy.check_pinned(wanted, pinned)?;
        say(state, &counted("installing", pins.len(), "package"));
        let packages = uv.folder.join("entry/packages");
        let bytes_max = self.options.bytes_max;
        let wheels = Wheels { platform: &install_for, pins: &pins, into: &packages, bytes_max, linked: false };
        let newest = uv.check_newest(&python, &resolve_for, &lines, &left_out, &pins);
        tokio::try_join!(newest, uv.install(&python, wheels))?;
        Ok(pins)
    }

    /// Installs packages in a workshop, and returns what came of it.
    pub(super) async fn contents(
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
    /// Returns the lines for the resolver. Hashes matter when files are installed.
    pub(super) fn to_resolve(&self) -> String {
        let lines = self.lines.iter().map(|line| line.split(requirements::HASH).next().unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn not_for_wasm(&self, packages: Vec<String>) -> Refusal {
        Refusal::new(Reason::NoWheel { packages, platform: self.platform.in_words() }, "as was found out before")
    }
}

/// Returns why an index is to be left alone, if it is.
fn left_alone(index_down: &Option<(Instant, Refusal)>) -> Option<Refusal> {
    let (at, refusal) = index_down.as_ref()?;
    (at.elapsed() < INDEX_LEFT_ALONE).then(|| refusal.clone())
}

impl Drop for Making {
    /// Ends the making when nobody waits for it any more.
    fn drop(&mut self) {
        self.task.abort();
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

/// Returns environments in prepared folders.
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
