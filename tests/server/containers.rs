//! A server with containers, through HTTP alone.
//!
//! - `jobs.rs`: which jobs take a container, and what comes back from there
//! - `refusals.rs`: which jobs are turned away, and with what advice
//! - `ends.rs`: jobs, clients and servers that end early leave nothing
//! - `busy.rs`: slots, the pool, and the numbers that an operator sees
//! - `slow.rs`: what comes before a job and after it takes long, and holds no slot
//! - `faults.rs`: a daemon that is not there, or behaves as none should

mod busy;
mod ends;
mod faults;
mod jobs;
mod refusals;
mod slow;

use super::support::{Form, Server, until};
use crate::support::docker::{containers_of, docker, networks_of, remove_layers, without_docker};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    ops::Deref,
    thread,
    time::{Duration, Instant},
};

/// Containers go within one second; the rest is for a machine that is busy.
const GONE_WITHIN: Duration = Duration::from_secs(3);

/// Starts a thread, which WebAssembly cannot; seen before it runs.
const THREAD: &str = "import threading\nthread = threading.Thread(target=print, args=('in a thread',))\n\
                      thread.start()\nthread.join()";

/// A server with an instance of its own. Its end is orderly, and leaves nothing in Docker.
struct Site {
    server: Server,
    instance: String,
}

impl Site {
    /// Without a pool, unless `settings` say so. `None` when the tests were told to do without Docker.
    fn start(settings: &[(&str, &str)]) -> Option<Site> {
        Site::start_as(&new_instance(), settings)
    }

    fn start_as(instance: &str, settings: &[(&str, &str)]) -> Option<Site> {
        if without_docker() {
            return None;
        }
        let usual = [("PYEXEC_FALLBACK", "on"), ("PYEXEC_INSTANCE", instance), ("PYEXEC_POOL", "0")];
        let server = Server::start(&[&usual, settings].concat(), &[]);
        Some(Site { server, instance: instance.to_owned() })
    }

    /// All of its containers, also those of its pool.
    fn containers(&self) -> usize {
        containers_of(&self.instance).len()
    }

    /// Waits until no container is left, and fails when that takes long.
    fn are_gone(&self, since: Instant, what: &str) {
        until("the containers are gone", || (self.containers() == 0).then_some(()));
        assert!(since.elapsed() < GONE_WITHIN, "{what}: {:?}", since.elapsed());
    }

    /// Runs code in a container, whatever it needs.
    fn in_docker(&self, request: Value) -> Value {
        let mut request = request;
        request["executor"] = json!("docker");
        let result = self.eval(&request);
        assert_eq!(result["executor"], "docker", "{result}");
        result
    }

    /// Starts a job that nobody waits for, and gives its id.
    fn submit_with(&self, code: &str, metadata: &Value) -> String {
        let answer = self.post_form("/api/v1/exec/async", &[], &upload(code, metadata));
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["execution_id"].as_str().expect("an id").to_owned()
    }

    /// Starts one in a container that sleeps, and waits until it has begun.
    fn sleeper(&self) -> String {
        let id = self.submit_with(&SLEEP.replace("SECONDS", "600"), &json!({"executor": "docker"}));
        self.has_printed(&id);
        id
    }
}

const SLEEP: &str = "import time\nprint('sleeps', flush=True)\ntime.sleep(SECONDS)\nprint('slept')";

impl Deref for Site {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.runs() && !thread::panicking() {
            self.signal(Signal::TERM);
            assert_eq!(self.ended().code(), Some(0), "{}", self.log());
            let (left, networks) = (containers_of(&self.instance), networks_of(&self.instance));
            assert!(left.is_empty() && networks.is_empty(), "{left:?} {networks:?}");
        }
        remove_all(&self.instance);
    }
}

/// A name that no other test has.
fn new_instance() -> String {
    format!("test-{}", uuid::Uuid::new_v4().simple())
}

fn remove_all(instance: &str) {
    for container in containers_of(instance) {
        docker(&["rm", "--force", "--volumes", &container]);
    }
    for network in networks_of(instance) {
        docker(&["network", "rm", &network]);
    }
    remove_layers(instance);
}

fn upload(code: &str, metadata: &Value) -> Form {
    Form::new().tar(&[("main.py", code)]).field("metadata", "", metadata.to_string().as_bytes())
}
