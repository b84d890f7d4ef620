//! The OpenAPI document is true: schemathesis makes requests from it, good ones and bad ones, and holds the answers against
//! it. `schema.toml` says how, `schema_hooks.py` helps it along.

use super::support::Server;
use crate::support::repository;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    process::{Command, Output},
};

const KEY: &str = "0123456789abcdef";

#[test]
fn the_document_says_what_the_server_does() {
    let schemathesis = schemathesis();
    let keys = format!("tester:{KEY}");
    let variables = [("PYEXEC_API_KEYS", &*keys), ("PYEXEC_DEFAULT_TIMEOUT", "1"), ("PYEXEC_MAX_TIMEOUT", "1")];
    let server = Server::start(&variables, &[]);
    // It leaves files where it is started.
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(schemathesis);
    command.arg("--no-color").arg("--config-file").arg(repository("tests/server/schema.toml"));
    command.arg("run").arg(format!("{}/docs/doc.json", server.url()));
    command.arg("--header").arg(format!("Authorization: Bearer {KEY}"));
    command.env("PYTHONPATH", repository("tests/server")).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(&folder);
    let report = report(&command.output().expect("schemathesis starts")).unwrap_or_else(|problem| panic!("{problem}"));
    let tested = format!("Tested: {}\n", operations(&server.get("/docs/doc.json").json()));
    assert!(report.contains(&tested), "not {tested}{report}");
}

/// Without keys a client need not send one, and with keys it must: the document says which.
#[test]
fn the_document_asks_for_a_key_when_the_server_does() {
    let anonymous = serde_json::json!({});
    for (variables, open) in [(&[][..], true), (&[("PYEXEC_API_KEYS", KEY)], false)] {
        let server = Server::start(variables, &[]);
        let document = server.get("/docs/doc.json").json();
        let security = document["security"].as_array().expect("ways to give a key");
        assert_eq!(security.contains(&anonymous), open, "{security:?}");
        assert_eq!(server.get("/api/v1/executions").status, if open { 200 } else { 401 });
    }
}

/// How many there are.
fn operations(document: &Value) -> usize {
    let paths = document["paths"].as_object().expect("paths");
    paths.values().map(|path| path.as_object().expect("operations").len()).sum()
}

/// The command, installed once into a folder of the user's cache.
fn schemathesis() -> PathBuf {
    let requirements = repository("tests/server/requirements.txt");
    let hash = format!("{:x}", Sha256::digest(fs::read(&requirements).expect("requirements.txt")));
    let tools = cache().join("pyexec/test-tools");
    fs::create_dir_all(&tools).expect("the cache can be written to");
    let folder = tools.join(&hash[..16]);
    let complete = folder.join("complete");
    // Another run of the tests may be at it.
    let lock = File::create(tools.join("lock")).expect("the cache can be written to");
    lock.lock().expect("a lock");
    if !complete.exists() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        install(venv, "it needs Python 3.11 or later with venv; on Debian and Ubuntu: apt-get install python3-venv");
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"])
            .arg(requirements);
        install(pip, "it needs Python 3.11 or later and PyPI");
        fs::write(complete, "").expect("the cache can be written to");
    }
    folder.join("bin/schemathesis")
}

fn cache() -> PathBuf {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).expect("HOME is set")
}

fn install(mut command: Command, needs: &str) {
    let problem = match command.output() {
        Ok(output) => report(&output).err(),
        Err(error) => Some(error.to_string()),
    };
    if let Some(problem) = problem {
        panic!("schemathesis cannot be installed; {needs}\n{command:?}: {problem}");
    }
}

/// All that was printed.
fn report(output: &Output) -> Result<String, String> {
    let text = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
    if output.status.success() { Ok(text) } else { Err(format!("{}\n{text}", output.status)) }
}
