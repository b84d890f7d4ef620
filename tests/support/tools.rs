//! Tools from PyPI that tests use.

use sha2::{Digest, Sha256};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A command of a Python package, installed once for each list of requirements, into a folder of the user's cache.
pub fn tool(requirements: &Path, name: &str) -> PathBuf {
    let folder = installed(requirements, |folder| {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(folder);
        install(
            name,
            venv,
            "it needs Python 3.11 or later with venv; on Debian and Ubuntu: apt-get install python3-venv",
        );
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"])
            .arg(requirements);
        install(name, pip, "it needs Python 3.11 or later and PyPI");
    });
    folder.join("bin").join(name)
}

/// A folder that is made once for what a list has.
pub fn installed(list: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let hash = format!("{:x}", Sha256::digest(fs::read(list).expect("a list of packages")));
    let tools = cache().join("pyexec/test-tools");
    fs::create_dir_all(&tools).expect("the cache can be written to");
    let folder = tools.join(&hash[..16]);
    let complete = folder.join("complete");
    // Another run of the tests may be at it.
    let lock = File::create(tools.join("lock")).expect("the cache can be written to");
    lock.lock().expect("a lock");
    if !complete.exists() {
        install(&folder);
        fs::write(complete, "").expect("the cache can be written to");
    }
    folder
}

fn cache() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).expect("HOME is set")
}

/// Runs a command that installs something.
pub fn install(name: &str, mut command: Command, needs: &str) {
    let problem = match command.output() {
        Ok(output) => report(&output).err(),
        Err(error) => Some(error.to_string()),
    };
    if let Some(problem) = problem {
        panic!("{name} cannot be installed; {needs}\n{command:?}: {problem}");
    }
}

/// All that was printed.
pub fn report(output: &Output) -> Result<String, String> {
    let text = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
    if output.status.success() { Ok(text) } else { Err(format!("{}\n{text}", output.status)) }
}
