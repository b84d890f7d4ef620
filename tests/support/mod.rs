//! What several tests need.

pub mod docker;
pub mod http;
pub mod load;
pub mod npm;
pub mod oracle;
pub mod process;
pub mod proxy;
pub mod scripted_server;
pub mod tools;

use pyexec::Pyexec;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// One executor for all tests of this process: making it is what takes time.
pub fn pyexec() -> &'static Pyexec {
    static SHARED: OnceLock<Pyexec> = OnceLock::new();
    SHARED.get_or_init(|| Pyexec::builder().on_progress(|line| eprintln!("{line}")).build().expect("the interpreter"))
}

/// Native CPython of the version in the sandbox, with an environment that does not change its output.
pub fn native() -> Command {
    let path = wasm_python::native_interpreter().expect("tests compare with the native CPython that the build makes");
    let mut command = Command::new(path);
    command.env_clear().env("LANG", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1").env("PATH", "/usr/bin:/bin");
    command.env("HOME", "/tmp").env("USER", "user");
    command
}

/// A path in this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The `.py` files of a folder, by name.
pub fn scripts(folder: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(repository(folder))
        .expect(folder)
        .map(|entry| entry.expect(folder).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} is empty");
    paths
}

pub fn name(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8")
}

/// Runs `check` for every item on as many threads as the machine has cores, and fails with all that is wrong.
pub fn for_each<T: Sync>(items: &[T], check: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    if let Err(failure) = check(item) {
                        failures.lock().expect("not poisoned").push(failure);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("not poisoned");
    failures.sort();
    assert!(failures.is_empty(), "{} of {} failed:\n\n{}", failures.len(), items.len(), failures.join("\n\n"));
}
