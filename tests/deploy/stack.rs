//! A compose file of `deploy/`, started under a name of its own, and removed with all that it made.

use super::images::{Image, containers_with};
use crate::support::{docker::docker, repository};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

pub const API_KEY: &str = "0123456789abcdef-test";
/// First starts make containers' images.
const PATIENCE: Duration = Duration::from_secs(180);

/// One `docker compose up`.
pub struct Stack {
    file: &'static str,
    pub project: String,
    variables: Vec<(String, String)>,
    address: String,
    /// One that has no way out.
    inner_network: Option<String>,
}

impl Stack {
    /// Starts it and waits until the service is healthy.
    pub fn up(file: &'static str, image: &Image, variables: &[(&str, &str)]) -> Stack {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let project = format!("pyexectest{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let ours = [
            ("PYEXEC_API_KEYS", format!("test:{API_KEY}")),
            ("PYEXEC_IMAGE", image.name.clone()),
            ("PYEXEC_PUBLISHED_PORT", port.to_string()),
            ("PYEXEC_INSTANCE", project.clone()),
            ("DOCKER_GID", socket_group()),
        ];
        let asked = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables = ours.into_iter().chain(asked).map(|(name, value)| (name.to_owned(), value)).collect();
        let stack = Stack { file, project, variables, address: format!("127.0.0.1:{port}"), inner_network: None };
        stack.start(&[]);
        stack
    }

    /// `up`, again perhaps.
    pub fn start(&self, arguments: &[&str]) {
        self.must(&[&["up", "--detach", "--no-build"], arguments].concat());
        let began = Instant::now();
        loop {
            let state = docker(&["inspect", "--format", "{{.State.Status}} {{.State.Health.Status}}", &self.service()]);
            match state.as_str() {
                "running healthy" => return,
                "running starting" if began.elapsed() < PATIENCE => sleep(Duration::from_millis(200)),
                state => panic!("{}: {state}\n{}", self.file, self.log()),
            }
        }
    }

    /// `docker compose`, with the stack's variables.
    fn compose(&self, arguments: &[&str]) -> Output {
        let mut command = compose(self.file, &self.variables);
        command.args(["--project-name", &self.project]).args(arguments).output().expect("compose runs")
    }

    fn must(&self, arguments: &[&str]) -> String {
        let output = self.compose(arguments);
        assert!(output.status.success(), "{arguments:?}: {}\n{}", String::from_utf8_lossy(&output.stderr), self.log());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Id of the service's container.
    pub fn service(&self) -> String {
        self.must(&["ps", "--quiet", "pyexec"])
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.compose(&["logs", "--no-color"]).stdout).into_owned()
    }

    /// Takes the service off the network; only this machine reaches it, and it reaches Docker's socket.
    pub fn cut_off(&mut self) {
        let (name, service) = (format!("{}_inner", self.project), self.service());
        docker(&["network", "create", "--internal", "--label", "pyexec.test=deploy", &name]);
        self.inner_network = Some(name.clone());
        docker(&["network", "connect", &name, &service]);
        docker(&["network", "disconnect", &format!("{}_default", self.project), &service]);
        let networks = self.inspect()["NetworkSettings"]["Networks"].take();
        self.address = format!("{}:8080", networks[&name]["IPAddress"].as_str().expect("an address"));
    }

    /// Of the containers of jobs.
    pub fn instance(&self) -> String {
        format!("pyexec.instance={}", self.project)
    }

    pub fn inspect(&self) -> Value {
        serde_json::from_str::<Value>(&docker(&["inspect", &self.service()])).expect("JSON")[0].take()
    }

    /// Runs a command inside the service's container, and gives what it prints.
    pub fn inside(&self, command: &[&str]) -> String {
        docker(&[&["exec", &self.service()], command].concat())
    }

    /// Runs code and gives the result.
    pub fn eval(&self, mut request: Value) -> Value {
        if let Value::String(code) = request {
            request = json!({"code": code});
        }
        let (status, answer) = self.post("/api/v1/eval", "application/json", API_KEY, request.to_string().as_bytes());
        assert_eq!(status, 200, "{answer}\n{}", self.log());
        answer
    }

    pub fn get(&self, path: &str) -> Value {
        let mut answer = agent().get(self.url(path)).header("x-api-key", API_KEY).call().expect("an answer");
        serde_json::from_str(&answer.body_mut().read_to_string().expect("text")).expect("JSON")
    }

    pub fn post(&self, path: &str, kind: &str, key: &str, body: &[u8]) -> (u16, Value) {
        let answer = agent().post(self.url(path)).header("x-api-key", key).content_type(kind).send(body);
        let mut answer = answer.unwrap_or_else(|fault| panic!("{fault}\n{}", self.log()));
        let text = answer.body_mut().read_to_string().expect("text");
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Takes it down; then nothing of it may be there.
    pub fn down(self) {
        self.must(&["down", "--volumes", "--timeout", "60"]);
        let label = format!("com.docker.compose.project={}", self.project);
        for label in [&label, &self.instance()] {
            assert_eq!(containers_with(label), [""; 0], "{label}");
            assert_eq!(docker(&["network", "ls", "--quiet", "--filter", &format!("label={label}")]), "", "{label}");
            assert_eq!(docker(&["volume", "ls", "--quiet", "--filter", &format!("label={label}")]), "", "{label}");
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // After `down` there is nothing but layers, which are kept on purpose.
        let _ = self.compose(&["down", "--volumes", "--timeout", "5"]);
        if let Some(name) = &self.inner_network {
            let _ = Command::new("docker").args(["network", "rm", name]).output();
        }
        for id in containers_with(&self.instance()) {
            let _ = Command::new("docker").args(["rm", "--force", "--volumes", &id]).output();
        }
        let filter = format!("label={}", self.instance());
        for (list, remove) in [("network ls", "network rm"), ("images", "rmi --force")] {
            let ids = docker(&[list.split(' ').collect::<Vec<_>>(), vec!["--quiet", "--filter", &filter]].concat());
            for id in ids.lines() {
                let _ = Command::new("docker").args(remove.split(' ')).arg(id).output();
            }
        }
    }
}

/// `docker compose`, or its predecessor, with these variables and no others that it could take for its own.
pub fn compose(file: &str, variables: &[(String, String)]) -> Command {
    let plugin = Command::new("docker").args(["compose", "version"]).output().is_ok_and(|said| said.status.success());
    let mut command = Command::new(if plugin { "docker" } else { "docker-compose" });
    command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    // Instead of a `.env` of whoever runs the tests.
    command.args(plugin.then_some("compose")).arg("--env-file").arg(repository("tests/deploy/none.env"));
    command.arg("--file").arg(repository("deploy").join(file));
    command
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().new_agent()
}

fn socket_group() -> String {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/var/run/docker.sock").expect("Docker's socket").gid().to_string()
}
