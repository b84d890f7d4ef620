//! Packages from npm that tests use.

use super::tools::{install, installed};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A folder with the packages of npm that a `package-lock.json` names, which has `package.json` beside it, installed once.
pub fn npm(lock: &Path) -> PathBuf {
    installed(lock, |folder| {
        fs::create_dir_all(folder).expect("the cache can be written to");
        for file in [lock, &lock.with_file_name("package.json")] {
            fs::copy(file, folder.join(file.file_name().expect("a name"))).expect("the cache can be written to");
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        install("what npm has", npm, "it needs npm and its registry; on Debian and Ubuntu: apt-get install npm");
    })
}
