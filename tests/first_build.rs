//! What the build says before it builds CPython, on a machine that lacks something.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// The build script that cargo has compiled last for this target folder.
fn build_script() -> PathBuf {
    let release = Path::new(env!("CARGO_BIN_EXE_pyexec")).parent().expect("a folder");
    let folders = fs::read_dir(release.join("build")).expect("build scripts").flatten();
    let scripts = folders
        .filter(|folder| folder.file_name().to_string_lossy().starts_with("wasm-python-"))
        .map(|folder| folder.path().join("build-script-main"))
        .filter(|script| script.is_file());
    scripts
        .max_by_key(|script| fs::metadata(script).and_then(|script| script.modified()).expect("a time"))
        .expect("one")
}

/// Runs it with a program in place of one of the machine's; returns what it complains about.
fn complaint(program: &str, script: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(program);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    let paths = std::env::var_os("PATH").expect("a PATH");
    let paths = std::iter::once(folder.path().to_owned()).chain(std::env::split_paths(&paths));
    let output = Command::new(build_script())
        .env("PATH", std::env::join_paths(paths).expect("a PATH"))
        .env("OUT_DIR", folder.path())
        .env("PYEXEC_BUILD_CACHE", folder.path().join("store"))
        .env_remove("CC")
        .output()
        .expect("starts");
    assert!(!output.status.success(), "it has built CPython");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_a_machine_lacks_is_named_before_anything_is_built() {
    let none = complaint("cc", "exit 127");
    assert!(none.contains("a C compiler (cc)") && none.contains("apt-get install -y gcc libc6-dev"), "{none}");
    let bare = complaint("cc", "[ \"$1\" = --version ] && echo 'cc 12'");
    assert!(bare.contains("the C library's headers") && bare.contains("apt-get install -y libc6-dev"), "{bare}");
    let full = complaint("df", "echo Filesystem; echo /dev/x 1000 1 102400 1% /");
    assert!(full.contains("needs 3072 MiB of disk") && full.contains("has 100"), "{full}");
}
