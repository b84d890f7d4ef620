//! What stands in the place of uv and of the sandbox, where packages for WebAssembly are tested.

use super::*;
use crate::pack::SITE_PACKAGES;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A workbench that runs nothing.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) version: String,
    /// Names that every import looks for.
    pub(super) asked_for: Vec<String>,
    /// Modules that cannot be imported.
    pub(super) failing: Vec<String>,
    /// How many modules it was given to compile.
    pub(super) compiled: Arc<AtomicUsize>,
    /// How long it takes to compile anything.
    pub(super) compiling: Duration,
}

impl Bench {
    pub(super) fn environments(self, options: EnvironmentOptions) -> Environments {
        Environments::with_workbench(options, Some(Arc::new(self))).unwrap()
    }
}

#[async_trait::async_trait]
impl Workbench for Bench {
    fn version(&self) -> String {
        self.version.clone()
    }

    async fn compile(&self, pack: &Pack) -> Result<Vec<(String, Vec<u8>)>> {
        tokio::time::sleep(self.compiling).await;
        let files: Vec<_> = pack.files().map(|file| (file.path.to_owned(), file.content.to_vec())).collect();
        self.compiled.fetch_add(files.len(), Ordering::Relaxed);
        Ok(files.into_iter().map(|(path, content)| (path, [b"code of ", &*content].concat())).collect())
    }

    async fn try_imports(&self, _: &Pack, modules: &[String]) -> Result<Vec<Imported>> {
        let imported = modules.iter().map(|module| Imported {
            module: module.clone(),
            failed: self.failing.contains(module).then(|| "ImportError: x".to_owned()),
            asked_for: self.asked_for.clone(),
        });
        Ok(imported.collect())
    }
}

/// A script in the place of uv: it resolves every list to all packages that were added, and installs copies of their files.
pub(super) struct Wheels {
    pub(super) folder: TempDir,
}

impl Wheels {
    /// `extra` is shell code that runs at the start of an installation.
    pub(super) fn new(extra: &str) -> Wheels {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            r#"#!/bin/sh
here=$(dirname "$0")
if [ "$3" = compile ]; then echo compile >> "$here/calls"; cat "$here/lock"; exit; fi
if [ "$3" = list ]; then echo '[]'; exit; fi
kind=native
for argument; do if [ "$argument" = wasm32-pyodide2024 ]; then kind=any; fi; done
echo "install $kind" >> "$here/calls"
{extra}
while [ "$1" != --target ]; do shift; done
mkdir -p "$2"
cp -r "$here/$kind/." "$2"
"#
        );
        fs::write(folder.path().join("uv"), script).unwrap();
        fs::set_permissions(folder.path().join("uv"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(folder.path().join("lock"), "lock-version = '1.0'\n").unwrap();
        Wheels { folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn options(&self) -> EnvironmentOptions {
        EnvironmentOptions { uv: Some(self.path("uv")), ..options(self.folder.path()) }
    }

    /// Adds version 1 of a package; `wheels` are the ends of their names, with sizes where the index says them.
    pub(super) fn add(&self, name: &str, wheels: &[(&str, Option<u64>)], files: &[(&str, &str)]) {
        let any = wheels.iter().any(|(tags, _)| tags.ends_with("none-any"));
        let listed: Vec<_> = wheels
            .iter()
            .map(|(tags, bytes)| {
                let size = bytes.map(|bytes| format!(", size = {bytes}")).unwrap_or_default();
                format!("{{ url = 'https://index.example/{name}-1-{tags}.whl'{size} }}")
            })
            .collect();
        let mut lock = fs::read_to_string(self.path("lock")).unwrap();
        let wheels = listed.join(", ");
        lock.push_str(&format!("[[packages]]\nname = '{name}'\nversion = '1'\nwheels = [{wheels}]\n"));
        fs::write(self.path("lock"), lock).unwrap();
        let folder = self.path(if any { "any" } else { "native" });
        let tag = if any { "py3-none-any" } else { "cp314-cp314-manylinux_2_28_x86_64" };
        let info = format!("{name}-1.dist-info");
        let mut record = format!("{info}/RECORD,,\n");
        let wheel = (format!("{info}/WHEEL"), format!("Tag: {tag}\n"));
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned()));
        for (path, content) in files.chain([wheel]) {
            record.push_str(&format!("{path},,\n"));
            fs::create_dir_all(folder.join(&path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), content).unwrap();
        }
        fs::write(folder.join(info).join("RECORD"), record).unwrap();
    }

    /// Returns what it was asked to do.
    pub(super) fn calls(&self) -> Vec<String> {
        let mut calls: Vec<_> =
            fs::read_to_string(self.path("calls")).unwrap_or_default().lines().map(str::to_owned).collect();
        calls.sort();
        calls
    }
}

pub(super) const NATIVE: &[(&str, Option<u64>)] = &[("cp314-cp314-manylinux_2_28_x86_64", None)];
pub(super) const ANY: &[(&str, Option<u64>)] = &[("py3-none-any", None)];

pub(super) async fn prepare_wasm(environments: &Environments, text: &str) -> Result<Arc<Installed>, Refusal> {
    environments.prepare(&required(text), Platform::WASM, &|_| {}).await
}

/// Returns what a pack has, and whether with code, by the paths of its packages.
pub(super) fn packed(installed: &Installed) -> Vec<(String, bool)> {
    let pack = installed.pack().expect("it is for WebAssembly");
    let files =
        pack.files().map(|file| (file.path.strip_prefix(SITE_PACKAGES).unwrap().to_owned(), !file.code.is_empty()));
    files.collect()
}

pub(super) fn no_wheel(refusal: Refusal) -> Vec<String> {
    match refusal.reason {
        Reason::NoWheel { packages, .. } => packages,
        _ => panic!("{refusal:?} {}", refusal.log()),
    }
}
