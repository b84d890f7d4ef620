//! What must be on the machine; everything that is missing is named at once, with the command that installs it.

use crate::{Result, shell};
use std::env;

/// Programs the build calls, and who they say they are.
pub struct Tools {
    pub python: String,
    pub cc: String,
    /// First line of `cc --version`: an input of the native build.
    pub cc_version: String,
    pub jobs: usize,
}

pub fn check() -> Result<Tools> {
    let mut missing = Vec::new();
    let cc = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let cc_version = shell::output(&cc, &["--version"]).and_then(|text| text.lines().next().map(str::to_owned));
    if cc_version.is_none() {
        missing.push(("a C compiler (cc)", "gcc libc6-dev", "gcc"));
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
    let jobs = env::var("NUM_JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    Ok(Tools { python, cc, cc_version: cc_version.unwrap_or_default(), jobs })
}
