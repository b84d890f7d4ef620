//! Environments with the real uv and PyPI, and, for faults, with a script in the place of uv.

mod bench;
mod faults;
mod index;
mod named;
mod sharing;
#[path = "../../tests/support/tools.rs"]
mod tools;
mod wasm;

use super::*;
use bench::Bench;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    sync::LazyLock,
};
use tempfile::TempDir;

const PLATFORM: Platform = linux((3, 13));

/// Packages that many programs use, one of them with native parts.
const COMMON: &str = "sympy\nnetworkx\nbeautifulsoup4\npython-dateutil\ntabulate\nattrs\njinja2\npyyaml\nrich\n\
                      more-itertools\nnumpy\n";

const fn linux(python: (u8, u8)) -> Platform {
    Platform { python, target: Target::Linux { machine: Machine::X86_64, libc: Libc::Glibc { major: 2, minor: 36 } } }
}

/// Returns the uv that this was made for.
pub(crate) fn uv() -> PathBuf {
    static UV: LazyLock<PathBuf> =
        LazyLock::new(|| tools::tool(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/uv.txt"), "uv"));
    UV.clone()
}

fn options(folder: &Path) -> EnvironmentOptions {
    EnvironmentOptions { uv: Some(uv()), folder: Some(folder.join("store")), ..EnvironmentOptions::default() }
}

fn required(text: &str) -> Requirements {
    Requirements::parse(text).expect("requirements")
}

async fn prepare(environments: &Environments, text: &str) -> Result<Arc<Installed>, Refusal> {
    environments.prepare(&required(text), PLATFORM, &|_| {}).await
}

/// A script in the place of uv: it resolves every list to `one==1.0`, and installs a module.
struct Script {
    folder: TempDir,
}

impl Script {
    /// `extra` is shell code that runs at the start of an installation, in the target folder.
    fn new(extra: &str) -> Script {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            r#"#!/bin/sh
here=$(dirname "$0")
echo "$3" >> "$here/calls"
if [ "$3" = compile ]; then echo one==1.0; exit; fi
if [ "$3" = list ]; then echo '[]'; exit; fi
while [ "$1" != --target ]; do shift; done
mkdir -p "$2/one-1.0.dist-info"
cd "$2"
{extra}
echo 'x = 1' > one.py
printf 'Tag: py3-none-any\n' > one-1.0.dist-info/WHEEL
printf 'one.py,,\n' > one-1.0.dist-info/RECORD
"#
        );
        let path = folder.path().join("uv");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Script { folder }
    }

    fn options(&self) -> EnvironmentOptions {
        EnvironmentOptions { uv: Some(self.path("uv")), ..options(self.folder.path()) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns how often it was asked to install.
    fn installs(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().filter(|call| *call == "install").count()
    }

    /// Waits until a file is there that the script makes.
    async fn made(&self, name: &str) -> String {
        made(&self.path(name)).await
    }
}

async fn made(path: &Path) -> String {
    for _ in 0..1000 {
        if let Ok(text) = fs::read_to_string(path).map(|text| text.trim().to_owned())
            && !text.is_empty()
        {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} was not made", path.display());
}

fn is_running(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

async fn ends(process: &str) {
    for _ in 0..500 {
        if !is_running(process) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {process} goes on");
}

/// Returns what is in the folder that is being made, or was not cleaned up.
fn unfinished(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp-")).count()
}

#[test]
fn an_address_stands_for_what_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let address = |change: &dyn Fn(&mut EnvironmentOptions), text: &str, platform: Platform| {
        let mut options = options(folder.path());
        change(&mut options);
        let bench = Some(Arc::new(Bench::default()) as Arc<dyn Workbench>);
        Environments::with_workbench(options, bench).unwrap().shared.wanted(&required(text), platform).unwrap().id
    };
    let plain = address(&|_| {}, "numpy\nrich>=1,<20", PLATFORM);
    let index = |url: &str| address(&|options| options.index_url = Some(url.to_owned()), "rich", PLATFORM);
    assert_eq!(plain, address(&|_| {}, "Rich <20,>=1 # x\nNumPy\nx;os_name=='nt'", PLATFORM));
    assert_eq!(index("https://me:old@index.example/simple"), index("https://index.example/simple"));
    let constrained = |options: &mut EnvironmentOptions| options.constraints = "numpy<2".to_owned();
    let all = [
        plain,
        address(&|_| {}, "numpy\nrich>=1,<21", PLATFORM),
        address(&|_| {}, "numpy\nrich>=1,<20", linux((3, 12))),
        address(&|_| {}, "numpy\nrich>=1,<20", Platform::WASM),
        address(&constrained, "numpy\nrich>=1,<20", PLATFORM),
        address(&|_| {}, "rich", PLATFORM),
        index("https://index.example/simple"),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn malformed_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let problem = |change: &dyn Fn(&mut EnvironmentOptions)| {
        let mut options = options(folder.path());
        change(&mut options);
        Environments::new(options).unwrap_err().to_string()
    };
    assert!(problem(&|options| options.constraints = "-r x".to_owned()).contains("the constraints of packages"));
    assert!(problem(&|options| options.constraints = "x[y]<1".to_owned()).contains("x has extras"));
    assert!(problem(&|options| options.deny = vec!["no name".to_owned()]).contains("\"no name\""));
    assert!(problem(&|options| options.index_url = Some("a b".to_owned())).contains("package index"));
}

#[tokio::test]
async fn common_packages_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    let phases = Mutex::new(Vec::new());
    let progress = |phase: &str| phases.lock().unwrap().push(phase.to_owned());
    let installed = environments.prepare(&required(COMMON), PLATFORM, &progress).await.unwrap();
    let phases = phases.into_inner().unwrap();
    assert!(phases.contains(&"resolving 11 requirements".to_owned()), "{phases:?}");
    let installing = format!("installing {} packages", installed.pins().len());
    assert!(phases.contains(&installing), "{phases:?}");
    has_common_packages(&installed);
}

fn has_common_packages(installed: &Installed) {
    let pin = |name: &str| installed.pins().iter().find(|pin| pin.name == name).unwrap_or_else(|| panic!("no {name}"));
    for (name, pure, module) in [
        ("sympy", true, "sympy"),
        ("networkx", true, "networkx"),
        ("beautifulsoup4", true, "bs4"),
        ("python-dateutil", true, "dateutil"),
        ("attrs", true, "attr"),
        ("more-itertools", true, "more_itertools"),
        ("pyyaml", false, "yaml"),
        ("markupsafe", false, "markupsafe"),
        ("numpy", false, "numpy"),
    ] {
        let pin = pin(name);
        assert_eq!((pin.pure, pin.modules.iter().any(|known| known == module)), (pure, true), "{pin:?}");
        assert!(installed.packages_folder().join(module).is_dir(), "{module}");
    }
    assert!(!installed.is_pure());
    let packages = installed.packages_folder();
    let files = disk::files(packages).unwrap();
    assert_eq!(site::bytes(&files), installed.bytes());
    assert!(files.iter().all(|file| file.metadata.nlink() == 1), "linked to uv's cache");
    assert!(!files.iter().any(|file| file.path.ends_with(".pyc") || file.path == ".lock"));
    let script = fs::read_to_string(packages.join("bin/isympy")).unwrap();
    assert!(script.starts_with("#!/usr/bin/env python3\n"), "{script}");
    let pins = fs::read_to_string(packages.with_file_name("pins")).unwrap();
    assert!(pins.contains(&format!("numpy=={}\n", pin("numpy").version)), "{pins}");
}

#[tokio::test]
async fn what_is_known_is_had_again() {
    let script = Script::new("");
    let environments = Environments::new(script.options()).unwrap();
    let requirements = required(COMMON);
    assert!(environments.known(&requirements, PLATFORM).is_none());
    let first = environments.prepare(&requirements, PLATFORM, &|_| {}).await.unwrap();
    let again = environments.prepare(&requirements, PLATFORM, &|_| {}).await.unwrap();
    assert_eq!(again.id(), first.id());
    assert_eq!(environments.known(&requirements, PLATFORM).unwrap().unwrap().id(), first.id());
    assert_eq!(script.installs(), 1);
}

#[tokio::test]
async fn a_package_without_the_module_is_a_stranger() {
    let script = Script::new("");
    let environments = Environments::new(script.options()).unwrap();
    let installed = prepare(&environments, "one").await.unwrap();
    assert!(environments.provides(&installed, "one", "one.part") && !environments.is_stranger("one", "one"));
    assert!(!environments.provides(&installed, "one", "two.one") && environments.is_stranger("one", "two"));
    assert!(environments.provides(&installed, "other", "other"), "it is not what was asked for by that name");
}

#[tokio::test]
async fn nothing_required_is_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = EnvironmentOptions { uv: Some("/nonexistent/uv".into()), ..options(folder.path()) };
    let installed = prepare(&Environments::new(options).unwrap(), "x ; os_name == 'nt'").await.unwrap();
    assert!(installed.pins().is_empty() && installed.is_pure() && installed.packages_folder().is_dir());
}

#[tokio::test]
async fn entries_are_listed_and_removed() {
    let script = Script::new("");
    let environments = Environments::new(script.options()).unwrap();
    let installed = prepare(&environments, "one\nother").await.unwrap();
    let id = installed.id().to_owned();
    let listed = environments.list().unwrap();
    assert_eq!((listed.len(), &*listed[0].id, listed[0].platform), (1, &*id, PLATFORM));
    assert_eq!(
        (&*listed[0].requirements, listed[0].bytes),
        (&["one".to_owned(), "other".to_owned()][..], installed.bytes())
    );
    assert!(listed[0].last_used.elapsed().unwrap() < Duration::from_secs(60) && listed[0].pins[0].name == "one");
    assert!(environments.remove(&id).unwrap_err().to_string().contains("in use"));
    drop(installed);
    for other in ["", "..", "../store", "uv", &"0".repeat(64)] {
        assert!(!environments.remove(other).unwrap(), "{other}");
    }
    assert!(environments.remove(&id).unwrap());
    assert!(environments.list().unwrap().is_empty() && environments.known(&required("one\nother"), PLATFORM).is_none());
    prepare(&environments, "one\nother").await.unwrap();
    assert_eq!(script.installs(), 2);
}
