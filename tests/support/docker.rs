//! A Docker executor for one test, and what is left of it.

use pyexec::{
    Job, Limits, Outcome, Project, Result,
    executor::{
        self, Executor, Observer, Provisioned, Session, SessionSpec,
        docker::{DockerExecutor, DockerOptions, Instance, Placement, Prepared, Progress},
    },
};
use std::{process::Command, sync::Once};

/// A [`DockerExecutor`] whose end checks that nothing is left.
pub struct Containers {
    executor: Option<DockerExecutor>,
    pub instance: String,
}

impl Containers {
    /// `None` when the tests were told to do without Docker.
    pub fn new(change: impl FnOnce(&mut DockerOptions)) -> Option<Containers> {
        if without_docker() {
            return None;
        }
        let mut options = options();
        change(&mut options);
        let instance = options.instance.name().to_owned();
        let executor = DockerExecutor::connect(options).unwrap_or_else(|error| {
            panic!("{error}\n\nThese tests need Docker with the image python:3.13-slim; PYEXEC_TEST_NO_DOCKER=1 leaves them out.")
        });
        Some(Containers { executor: Some(executor), instance })
    }

    pub async fn prepare(&self, placement: &Placement) -> Result<Prepared> {
        self.executor().prepare(placement, silent()).await
    }

    /// Prepares, which is not in the job's time, and runs.
    pub async fn prepared(&self, job: Job, placement: &Placement) -> Outcome {
        let prepared = self.prepare(placement).await.expect("prepared");
        self.in_prepared(job, prepared).await.expect("an outcome")
    }

    pub fn executor(&self) -> &DockerExecutor {
        self.executor.as_ref().expect("not dropped")
    }

    pub async fn run(&self, job: Job) -> Outcome {
        self.placed(job, Placement::default()).await.expect("an outcome")
    }

    pub async fn placed(&self, job: Job, placement: Placement) -> Result<Outcome> {
        self.observed(job, placement, |_: pyexec::Event<'_>| ()).await
    }

    pub async fn observed(&self, job: Job, placement: Placement, observer: impl Observer) -> Result<Outcome> {
        run_on(self.executor(), job, placement, observer).await
    }

    async fn in_prepared(&self, job: Job, prepared: Prepared) -> Result<Outcome> {
        run_in(self.executor(), prepared, job, |_: pyexec::Event<'_>| ()).await
    }

    /// Opens a session of cells.
    pub async fn cells(&self, project: Project, limits: Limits, placement: &Placement) -> Box<dyn Session> {
        let prepared = self.prepare(placement).await.expect("prepared");
        let spec = SessionSpec::new(project, Vec::new(), limits);
        self.executor().open(Provisioned::docker(prepared), spec).await.expect("a session")
    }

    /// Ids of the instance's containers.
    pub fn left(&self) -> Vec<String> {
        containers_of(&self.instance)
    }
}

/// Runs a job where everything for it is ready.
pub async fn run_in(
    executor: &DockerExecutor,
    prepared: Prepared,
    job: Job,
    observer: impl Observer,
) -> Result<Outcome> {
    let job = job.resolve()?;
    executor::run(executor, Provisioned::docker(prepared), job, None, Box::new(observer)).await?.outcome()
}

/// Prepares what a job takes where it is placed, and runs it.
pub async fn run_on(
    executor: &DockerExecutor,
    job: Job,
    placement: Placement,
    observer: impl Observer,
) -> Result<Outcome> {
    let job = job.resolve()?;
    let prepared = executor.prepare(&placement.with_sight_of(&job), silent()).await?;
    executor::run(executor, Provisioned::docker(prepared), job, None, Box::new(observer)).await?.outcome()
}

impl Drop for Containers {
    fn drop(&mut self) {
        drop(self.executor.take());
        if std::thread::panicking() {
            return;
        }
        let (left, networks) = (self.left(), networks_of(&self.instance));
        remove_layers(&self.instance);
        assert!(left.is_empty(), "containers are left: {left:?}");
        assert!(networks.is_empty(), "networks are left: {networks:?}");
    }
}

/// The options of a test: an instance of its own, so that tests do not sweep each other's.
pub fn options() -> DockerOptions {
    let mut options = DockerOptions::default();
    options.instance = Instance::Exclusive(format!("test-{}", uuid::Uuid::new_v4().simple()));
    options.allowed_images.push("pyexec-test-*".to_owned());
    // Of the newest version there may be none here.
    options.default_image = "python:3.13-slim".to_owned();
    options
}

pub fn silent() -> Progress {
    std::sync::Arc::new(|_| ())
}

pub fn networks_of(instance: &str) -> Vec<String> {
    lines(&["network", "ls", "--quiet", "--filter", &format!("label=pyexec.instance={instance}")])
}

/// Tags of the instance's layers.
pub fn layers_of(instance: &str) -> Vec<String> {
    let label = format!("label=pyexec.instance={instance}");
    lines(&["images", "--filter", &label, "--format", "{{.Repository}}:{{.Tag}}"])
}

/// As far as the daemon lets them go: a container of them may still be on its way out.
pub fn remove_layers(instance: &str) {
    for layer in layers_of(instance) {
        let _ = Command::new("docker").args(["rmi", "--force", &layer]).output();
    }
}

/// Whether the tests were told to do without Docker.
pub fn without_docker() -> bool {
    std::env::var_os("PYEXEC_TEST_NO_DOCKER").is_some_and(|value| value == "1")
}

pub fn containers_of(instance: &str) -> Vec<String> {
    lines(&["ps", "--all", "--quiet", "--filter", &format!("label=pyexec.instance={instance}")])
}

fn lines(args: &[&str]) -> Vec<String> {
    docker(args).lines().map(str::to_owned).collect()
}

/// Runs the `docker` command, which must succeed, and returns its output.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker command");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An image like python:3.13-slim with numpy, pandas and matplotlib in `/environment`. Kept for the next run.
pub fn image_with_packages() -> &'static str {
    const IMAGE: &str = "pyexec-test-packages:1";
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        if !docker(&["images", "--quiet", IMAGE]).is_empty() {
            return;
        }
        let install = "pip install --quiet --no-cache-dir --target /environment numpy pandas matplotlib";
        let id = docker(&["create", "--label", "pyexec-test=packages", "python:3.13-slim", "sh", "-c", install]);
        docker(&["start", "--attach", &id]);
        docker(&["commit", "--change", "CMD [\"python3\"]", &id, IMAGE]);
        docker(&["rm", &id]);
    });
    IMAGE
}
