//! Packages for WebAssembly: wheels that suit every machine, and the Linux ones of packages that can do without their
//! native parts, in one pack with their bytecode.
//!
//! Versions are those that Linux gets. Of a version that has only native wheels, the native parts are taken away, and the
//! rest is imported in the sandbox. It is taken when two things hold. All its public top-level modules can be imported.
//! And each native module that was taken away has one in Python beside it, or was looked for meanwhile, so that the package
//! was seen to do without: an import that succeeds says little of a package that loads its native parts later. Others are
//! for a container, and it is remembered which.
//!
//! `.pth` files are packed and not processed: nothing that a package ships runs before a job's own code.

use super::{
    Refusal, Shared, State, Wanted, blocking,
    bytecode::Group,
    counted,
    gathering::{FILES_BYTES_MAX, Gathered, Suspect, gather},
    lock::Locked,
    refusal::Reason,
    say, store,
    store::Contents,
    uv::{Uv, Wheels},
    workbench::{Imported, Workbench},
};
use crate::pack::{Pack, Packed};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// A native wheel larger than this is not tried: those of packages that can do without their native parts are small, and
/// the others would be downloaded for nothing.
const NATIVE_WHEEL_BYTES_MAX: u64 = 8 << 20;
/// The same of one unpacked, where the index does not say how large its wheels are.
const NATIVE_UNPACKED_BYTES_MAX: u64 = 4 * NATIVE_WHEEL_BYTES_MAX;
/// What may come when it is not known beforehand how much it is.
const UNKNOWN_BYTES_MAX: u64 = 512 << 20;
/// A pack is in memory as a whole.
pub(super) const PACK_BYTES_MAX: u64 = 256 << 20;

/// Packages that are mostly native parts: none of their versions has to be tried. Of others it is found out.
const NATIVE: [&str; 30] = [
    "cryptography",
    "grpcio",
    "h5py",
    "lightgbm",
    "llvmlite",
    "lxml",
    "matplotlib",
    "numba",
    "numpy",
    "opencv-contrib-python-headless",
    "opencv-python-headless",
    "orjson",
    "pandas",
    "pillow",
    "polars",
    "psutil",
    "psycopg2-binary",
    "pyarrow",
    "pydantic-core",
    "pymupdf",
    "rpds-py",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "shapely",
    "statsmodels",
    "tiktoken",
    "tokenizers",
    "torch",
    "xgboost",
];

/// Returns the packages that WebAssembly is certain not to take.
pub(super) fn native<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().filter(|name| NATIVE.contains(name)).map(str::to_owned).collect()
}

/// Wheels that were unpacked into two folders.
pub(super) struct Fetched {
    any: (PathBuf, Vec<String>),
    native: (PathBuf, Vec<String>),
}

impl Shared {
    /// Returns the workbench, which compiles for WebAssembly and tries what runs there.
    pub(super) fn workbench(&self) -> Result<&Arc<dyn Workbench>, Refusal> {
        self.workbench
            .as_ref()
            .ok_or_else(|| Refusal::fault("packages for WebAssembly need its interpreter, which is not loaded"))
    }

    /// Resolves for Linux, and unpacks the wheels that WebAssembly may take.
    pub(super) async fn fetch_for_wasm(
        &self,
        uv: &Uv<'_>,
        wanted: &Wanted,
        state: &watch::Sender<State>,
    ) -> Result<Fetched, Refusal> {
        let mut fetched =
            Fetched { any: (uv.folder.join("any"), Vec::new()), native: (uv.folder.join("native"), Vec::new()) };
        if wanted.lines.is_empty() {
            return Ok(fetched);
        }
        let (Some(linux), Some(any)) = (wanted.platform.to_resolve(), wanted.platform.to_install()) else {
            return Err(Refusal::fault("a platform without a name"));
        };
        let python = wanted.platform.python();
        say(state, &counted("resolving", wanted.lines.len(), "requirement"));
        let locked = uv.lock(&python, &linux, &wanted.to_resolve()).await?;
        self.policy.check_pinned(wanted, locked.iter().map(|locked| &*locked.name))?;
        let certain = locked.iter().filter(|locked| NATIVE.contains(&&*locked.name));
        let certain: Vec<_> = certain.map(Locked::pin).collect();
        if !certain.is_empty() {
            return Err(no_wheel(wanted, certain, "its native parts are what it is for"));
        }
        let (suiting, native): (Vec<_>, Vec<_>) = locked.iter().partition(|locked| locked.suits_every_machine());
        let too_large = native.iter().filter(|it| it.bytes().is_some_and(|bytes| bytes > NATIVE_WHEEL_BYTES_MAX));
        let too_large: Vec<_> = too_large.map(|locked| locked.pin()).collect();
        if !too_large.is_empty() {
            return Err(no_wheel(wanted, too_large, "native wheels that are too large to be tried"));
        }
        let unknown: Vec<_> = native.iter().filter(|it| it.bytes().is_none()).map(|locked| locked.pin()).collect();
        let pins = |list: &[&Locked]| list.iter().map(|locked| locked.pin()).collect();
        (fetched.any.1, fetched.native.1) = (pins(&suiting), pins(&native));
        say(state, &counted("installing", locked.len(), "package"));
        let all_max = self.options.bytes_max;
        let native_max = if unknown.is_empty() { all_max } else { all_max.min(UNKNOWN_BYTES_MAX) };
        let install = async |platform: &str, (folder, pins): &(PathBuf, Vec<String>), bytes_max| match pins.is_empty() {
            true => Ok(()),
            false => uv.install(&python, Wheels { platform, pins, into: folder, bytes_max, linked: true }).await,
        };
        let native = async {
            install(&linux, &fetched.native, native_max).await.map_err(|refusal| match refusal.reason {
                Reason::TooLarge { bytes_max } if bytes_max < all_max => {
                    no_wheel(wanted, unknown.clone(), "native wheels were too large to be tried")
                }
                _ => refusal,
            })
        };
        let (lines, all) = (wanted.to_resolve(), locked.iter().map(Locked::pin).collect::<Vec<_>>());
        let newest = uv.check_newest(&python, &linux, &lines, &[], &all);
        tokio::try_join!(newest, install(&any, &fetched.any, all_max), native)?;
        Ok(fetched)
    }

    /// Makes the pack of what was fetched, in a workshop whose lock is `lock`.
    pub(super) async fn pack_for_wasm(
        self: &Arc<Self>,
        fetched: Fetched,
        wanted: &Wanted,
        state: &watch::Sender<State>,
        workshop: &Path,
        lock: &Arc<File>,
    ) -> Result<(Contents, Pack), Refusal> {
        let workbench = self.workbench()?;
        let held = Arc::clone(lock);
        let gathered = blocking(move || {
            let _held = held;
            let mut gathered = Gathered::default();
            gather(&mut gathered, &fetched.any.0, &fetched.any.1, false)?;
            gather(&mut gathered, &fetched.native.0, &fetched.native.1, true)?;
            gathered.list_native_parts();
            Ok(gathered)
        })
        .await?;
        if gathered.bytes > FILES_BYTES_MAX {
            let largest = gathered.largest.map(|(_, pin)| pin);
            return Err(no_wheel(wanted, largest.into_iter().collect(), "more files than are kept in memory"));
        }
        try_out(&**workbench, &gathered, wanted, state).await?;
        let files = self.with_bytecode(gathered.files.into_values().collect(), gathered.owned, state, workshop).await?;
        say(state, "checking what was installed");
        let (held, folder) = (Arc::clone(lock), workshop.join("entry/packages"));
        let pack = blocking(move || {
            let _held = held;
            let bytes = Pack::build(files).ok_or_else(|| io::Error::other("the packages have more than 4 GiB"))?;
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(store::PACK), &bytes)?;
            Pack::open(bytes.into()).ok_or_else(|| io::Error::other("the pack cannot be read"))
        })
        .await?;
        let contents = Contents {
            platform: wanted.platform,
            requirements: wanted.lines.clone(),
            pins: gathered.pins,
            workbench: Some(workbench.version()),
        };
        Ok((contents, pack))
    }

    /// Adds bytecode to the files, one package at a time: what was kept, or compiled now.
    async fn with_bytecode(
        self: &Arc<Self>,
        mut files: Vec<Packed>,
        owned: Vec<(String, Vec<String>)>,
        state: &watch::Sender<State>,
        workshop: &Path,
    ) -> Result<Vec<Packed>, Refusal> {
        let workbench = self.workbench()?;
        let (shared, version) = (Arc::clone(self), workbench.version());
        let (mut missing, mut compiled) = (Vec::new(), Vec::new());
        let found;
        (files, found) = blocking(move || {
            let at = |path: &String| files.binary_search_by(|file| file.path.cmp(path)).ok();
            let groups = owned
                .iter()
                .filter_map(|(_, paths)| Group::new(&version, paths.iter().filter_map(|path| files.get(at(path)?))));
            let found: Vec<_> = groups.map(|group| (shared.bytecode.find(&group), group)).collect();
            Ok((files, found))
        })
        .await?;
        for (kept, group) in found {
            match kept {
                Some(kept) => compiled.extend(kept),
                None => missing.push(group),
            }
        }
        if !missing.is_empty() {
            let modules = missing.iter().map(|group| group.modules).sum();
            say(state, &counted("compiling", modules, "module"));
        }
        let made = futures_util::future::try_join_all(missing.into_iter().map(async |group| {
            let compiled = group.compile(&**workbench).await.map_err(|error| Refusal::fault(error.to_string()))?;
            Ok::<_, Refusal>((group, compiled))
        }));
        let (made, shared, folder) = (made.await?, Arc::clone(self), workshop.to_owned());
        blocking(move || {
            for (group, made) in made {
                shared.bytecode.keep(&group, &made, &folder)?;
                compiled.extend(made);
            }
            for (path, code) in compiled {
                if let Ok(at) = files.binary_search_by(|file| file.path.cmp(&path)) {
                    files[at].code = code;
                }
            }
            Ok(files)
        })
        .await
    }
}

/// Refuses packages that cannot do without their native parts.
async fn try_out(
    workbench: &dyn Workbench,
    gathered: &Gathered,
    wanted: &Wanted,
    state: &watch::Sender<State>,
) -> Result<(), Refusal> {
    if gathered.suspects.is_empty() {
        return Ok(());
    }
    let hopeless = gathered.suspects.iter().filter(|it| it.has_programs || it.bytes > NATIVE_UNPACKED_BYTES_MAX);
    let hopeless: Vec<_> = hopeless.map(|suspect| suspect.pin.clone()).collect();
    if !hopeless.is_empty() {
        return Err(no_wheel(wanted, hopeless, "they are large, or have programs in them"));
    }
    say(state, &format!("{} without native parts", counted("trying", gathered.suspects.len(), "package")));
    let files = gathered.files.values();
    let files = files.map(|file| Packed { path: file.path.clone(), content: file.content.clone(), code: Vec::new() });
    let pack = Pack::build(files.collect()).and_then(|bytes| Pack::open(bytes.into()));
    let pack = pack.ok_or_else(|| Refusal::fault("the packages cannot be packed"))?;
    let modules: Vec<_> = gathered.suspects.iter().flat_map(|suspect| suspect.modules.iter().cloned()).collect();
    let imported = match modules.is_empty() {
        true => Vec::new(),
        false => workbench.try_imports(&pack, &modules).await.map_err(|error| Refusal::fault(error.to_string()))?,
    };
    let failing: Vec<_> =
        gathered.suspects.iter().filter_map(|suspect| Some((suspect, why_not(suspect, &imported)?))).collect();
    if failing.is_empty() {
        return Ok(());
    }
    let why: Vec<_> = failing.iter().map(|(suspect, why)| format!("{}: {why}", suspect.pin)).collect();
    let packages = failing.into_iter().map(|(suspect, _)| suspect.pin.clone()).collect();
    Err(no_wheel(wanted, packages, &why.join("; ")))
}

/// Returns what shows that a package needs its native parts, or leaves it open.
fn why_not(suspect: &Suspect, imported: &[Imported]) -> Option<String> {
    let of = |module: &String| imported.iter().find(|imported| imported.module == *module);
    for module in &suspect.modules {
        match of(module) {
            None => return Some(format!("{module} was not imported")),
            Some(Imported { failed: Some(why), .. }) => return Some(format!("cannot import {module}: {why}")),
            Some(_) => {}
        }
    }
    let asked_for: BTreeSet<_> = suspect.modules.iter().filter_map(of).flat_map(|it| &it.asked_for).collect();
    let unasked = suspect.parts.iter().find(|part| !asked_for.contains(part))?;
    Some(format!("{unasked} was taken away, and the import did not look for it"))
}

fn no_wheel(wanted: &Wanted, packages: Vec<String>, log: &str) -> Refusal {
    Refusal::new(Reason::NoWheel { packages, platform: wanted.platform.in_words() }, log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_must_import_and_be_seen_to_look_for_what_is_gone() {
        let suspect = Suspect {
            modules: vec!["a".into(), "b".into()],
            parts: vec!["a._c".into(), "b._c".into()],
            ..Suspect::default()
        };
        let imported = |module: &str, asked_for: &[&str]| Imported {
            module: module.into(),
            failed: None,
            asked_for: asked_for.iter().map(ToString::to_string).collect(),
        };
        let failed = |module: &str| Imported { failed: Some("ImportError: x".into()), ..imported(module, &[]) };
        let why = |imported: &[Imported]| why_not(&suspect, imported).unwrap_or_default();
        assert_eq!(why(&[imported("a", &["a._c", "x"]), imported("b", &["b._c"])]), "");
        assert_eq!(why(&[imported("a", &["a._c", "b._c"]), imported("b", &[])]), "");
        assert!(why(&[imported("a", &["a._c"]), imported("b", &[])]).contains("b._c was taken away"));
        assert!(why(&[imported("a", &["a._c"]), failed("b")]).contains("cannot import b: ImportError: x"));
        assert!(why(&[imported("a", &["a._c"])]).contains("b was not imported"));
        // What another package looked for shows nothing of this one.
        assert!(why(&[imported("a", &["a._c"]), imported("b", &[]), imported("c", &["b._c"])]).contains("b._c"));
        let only_native = Suspect { parts: vec!["_c".into()], ..Suspect::default() };
        assert!(why_not(&only_native, &[]).is_some());
    }
}
