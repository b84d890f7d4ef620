//! The OpenAPI document is true: schemathesis makes requests from it, good ones and bad ones, and holds the answers against
//! it. `schema.toml` says how, `schema_hooks.py` helps it along.

use super::support::Server;
use crate::support::{
    repository,
    tools::{report, tool},
};
use serde_json::Value;
use std::process::Command;

const KEY: &str = "0123456789abcdef";

#[test]
fn the_document_says_what_the_server_does() {
    let schemathesis = tool(&repository("tests/server/requirements.txt"), "schemathesis");
    let keys = format!("tester:{KEY}");
    let environments = tempfile::tempdir().expect("a folder");
    let variables = [
        ("PYEXEC_API_KEYS", &*keys),
        ("PYEXEC_DEFAULT_TIMEOUT", "1"),
        ("PYEXEC_MAX_TIMEOUT", "1"),
        // Names of packages that it makes up are nobody's business.
        ("PYEXEC_OFFLINE", "true"),
        ("PYEXEC_ENVIRONMENTS_DIR", environments.path().to_str().expect("UTF-8")),
    ];
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
