//! Where Docker's own command would find its daemon: `DOCKER_HOST`, `DOCKER_CONTEXT`, or the context in use.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{fs, io::Read, path::PathBuf};

/// Of a file of Docker's settings.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The daemon that a user of Docker means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DockerHost {
    /// As `unix://PATH` or `tcp://HOST:PORT`; anything else cannot be used here, and is refused by this name.
    pub(super) address: String,
    /// What names it.
    pub(super) origin: String,
}

impl DockerHost {
    pub(super) fn is_usable(&self) -> bool {
        self.address.starts_with("unix://") || self.address.starts_with("tcp://")
    }
}

/// Finds the daemon that variables and the files of Docker's command name; nothing where it is the usual one.
pub(super) fn find(variables: &[(String, String)]) -> Option<DockerHost> {
    let variable = |wanted: &str| {
        let found = variables.iter().find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let with_tls = |address: &str| match address.strip_prefix("tcp://") {
        Some(host) => format!("https://{host}"),
        None => address.to_owned(),
    };
    if let Some(address) = variable("DOCKER_HOST") {
        let address = if variable("DOCKER_TLS_VERIFY").is_some() { with_tls(address) } else { address.to_owned() };
        return Some(DockerHost { address, origin: "variable DOCKER_HOST".to_owned() });
    }
    let folder = match variable("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variable("HOME")?).join(".docker"),
    };
    let in_use = || read::<Config>(folder.join("config.json"))?.current_context;
    let name = variable("DOCKER_CONTEXT").map(str::to_owned).or_else(in_use)?;
    if name.is_empty() || name == "default" {
        return None;
    }
    let digest: String = Sha256::digest(&name).iter().map(|byte| format!("{byte:02x}")).collect();
    let context = read::<Context>(folder.join("contexts/meta").join(&digest).join("meta.json"));
    let address = context.and_then(|context| context.endpoints.docker?.host);
    let has_tls = fs::read_dir(folder.join("contexts/tls").join(&digest).join("docker"))
        .is_ok_and(|mut files| files.next().is_some());
    let address = match address {
        Some(address) if has_tls => with_tls(&address),
        Some(address) => address,
        // Docker's command fails there, too.
        None => format!("context://{name}"),
    };
    Some(DockerHost { address, origin: format!("Docker's context {name}") })
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

fn read<T: for<'de> Deserialize<'de>>(path: PathBuf) -> Option<T> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(variables: &[(&str, &str)]) -> Option<String> {
        let owned: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        find(&owned).map(|host| host.address)
    }

    #[test]
    fn the_variable_comes_before_contexts() {
        assert_eq!(address(&[]), None);
        assert_eq!(address(&[("DOCKER_HOST", "")]), None);
        assert_eq!(address(&[("DOCKER_HOST", "unix:///x")]).as_deref(), Some("unix:///x"));
        let tls = [("DOCKER_HOST", "tcp://h:2376"), ("DOCKER_TLS_VERIFY", "1")];
        assert_eq!(address(&tls).as_deref(), Some("https://h:2376"));
        let host = DockerHost { address: "ssh://me@there".into(), origin: String::new() };
        assert!(!host.is_usable());
    }

    #[test]
    fn contexts_are_found_where_docker_keeps_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().to_str().expect("UTF-8");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(".docker").join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        assert_eq!(address(&[("HOME", home)]), None);
        write("config.json", r#"{"auths": {}, "currentContext": "rootless"}"#);
        assert_eq!(address(&[("HOME", home)]).as_deref(), Some("context://rootless"));
        let digest: String = Sha256::digest("rootless").iter().map(|byte| format!("{byte:02x}")).collect();
        let meta = r#"{"Name": "rootless", "Endpoints": {"docker": {"Host": "unix:///run/user/1/docker.sock"}}}"#;
        write(&format!("contexts/meta/{digest}/meta.json"), meta);
        assert_eq!(address(&[("HOME", home)]).as_deref(), Some("unix:///run/user/1/docker.sock"));
        assert_eq!(address(&[("HOME", home), ("DOCKER_CONTEXT", "default")]), None);
        assert_eq!(address(&[("HOME", home), ("DOCKER_HOST", "unix:///x")]).as_deref(), Some("unix:///x"));
        let config = folder.path().join(".docker");
        let variables = [("DOCKER_CONFIG", config.to_str().expect("UTF-8"))];
        assert_eq!(address(&variables).as_deref(), Some("unix:///run/user/1/docker.sock"));
        write(
            &format!("contexts/meta/{digest}/meta.json"),
            &meta.replace("unix:///run/user/1/docker.sock", "tcp://h:1"),
        );
        assert_eq!(address(&variables).as_deref(), Some("tcp://h:1"));
        write(&format!("contexts/tls/{digest}/docker/ca.pem"), "");
        assert_eq!(address(&variables).as_deref(), Some("https://h:1"));
    }
}
