//! What must be on the machine; everything that is missing is named at once, with the command that installs it.

use crate::{Result, shell, store::Store};
use std::{env, path::Path};

/// What a first build takes: sources, the compiler, two builds of CPython.
const DISK_MIB: u64 = 3 * 1024;

/// Programs the build calls, and who they say they are.
pub struct Tools {
    pub python: String,
    pub cc: String,
    /// First line of `cc --version`: an input of the native build.
    pub cc_version: String,
    pub jobs: usize,
}

pub fn check(store: &Store) -> Result<Tools> {
    let mut missing = Vec::new();
    let cc = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let cc_version = shell::output(&cc, &["--version"]).and_then(|text| text.lines().next().map(str::to_owned));
    if cc_version.is_none() {
        missing.push(("a C compiler (cc)", "gcc libc6-dev", "gcc glibc-devel"));
    } else if !can_compile(&cc) {
        missing.push(("the C library's headers (stdio.h)", "libc6-dev", "glibc-devel"));
    }
    if shell::output("make", &["--version"]).is_none() {
        missing.push(("make", "make", "make"));
    }
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if shell::output(&python, &["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).is_none() {
        missing.push(("Python 3.9 or later (python3)", "python3 python3-pip", "python3 python3-pip"));
    } else {
        if shell::output(&python, &["-c", "import lzma, ssl, zipfile"]).is_none() {
            missing.push(("Python's lzma and ssl modules", "libpython3-stdlib", "python3-libs"));
        }
        if shell::output(&python, &["-m", "pip", "--version"]).is_none() {
            missing.push(("pip for python3", "python3-pip", "python3-pip"));
        }
    }
    if !missing.is_empty() {
        let what: Vec<_> = missing.iter().map(|(name, ..)| format!("  - {name}")).collect();
        let debian: Vec<_> = missing.iter().map(|(_, package, _)| *package).collect();
        let fedora: Vec<_> = missing.iter().map(|(.., package)| *package).collect();
        return Err(format!(
            "building CPython for WebAssembly needs:\n{}\nhint: Debian, Ubuntu: apt-get install -y {}\nhint: Fedora: \
             dnf install -y {}\nhint: or set PYEXEC_PREBUILT_MODULE and PYEXEC_PREBUILT_STDLIB to a finished build",
            what.join("\n"),
            debian.join(" "),
            fedora.join(" "),
        ));
    }
    let free = store.is_new().then(|| free_mib(store.root())).flatten();
    if let Some(free) = free.filter(|free| *free < DISK_MIB) {
        return Err(format!(
            "building CPython for WebAssembly needs {DISK_MIB} MiB of disk, and {} has {free}\nhint: make room, or set {} \
             to a folder that has it",
            store.root().display(),
            crate::store::FOLDER_VARIABLE,
        ));
    }
    let jobs = env::var("NUM_JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    Ok(Tools { python, cc, cc_version: cc_version.unwrap_or_default(), jobs })
}

/// Returns whether programs that use the C library can be made; compilers come without it.
fn can_compile(cc: &str) -> bool {
    let Some(out) = env::var_os("OUT_DIR").map(std::path::PathBuf::from) else { return true };
    let (source, program) = (out.join("check.c"), out.join("check"));
    if std::fs::write(&source, "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n").is_err() {
        return true;
    }
    let (source, program) = (source.to_string_lossy().into_owned(), program.to_string_lossy().into_owned());
    shell::output(cc, &[&source, "-o", &program]).is_some()
}

/// Returns how much of the file system of `folder` is free; `None` where that is not known.
fn free_mib(folder: &Path) -> Option<u64> {
    let text = shell::output("df", &["-Pk", folder.to_str()?])?;
    let kib: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / 1024)
}
