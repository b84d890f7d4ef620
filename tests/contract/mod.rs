//! What every executor promises, as one suite: each function here is run against each executor.

mod freezing;
mod sessions;
mod suite;

use crate::support::{self, docker::Containers};
use pyexec::{
    Job, Limits, Outcome, Project, Result,
    executor::{
        self, Executor, Observer, Provisioned, Session, SessionSpec,
        docker::Placement,
        wasm::{WasmExecutor, WasmOptions},
    },
    outcome::Tier,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Makes a module of tests for one executor out of the suite.
macro_rules! executor {
    ($name:ident, $executor:expr) => {
        mod $name {
            use super::suite::promises;
            promises!($executor);
        }
    };
}

executor!(wasm, Some(super::wasm()));
executor!(docker, super::docker());

mod cells_wasm {
    use super::sessions::promises;
    promises!(Some(super::wasm()));
}

mod cells_docker {
    use super::sessions::promises;
    promises!(super::docker());
}

/// The way that a job takes to an executor: resolved, provisioned, and run in a session of its own.
pub enum Door {
    Wasm(Arc<WasmExecutor>),
    /// One for each test; at its end it waits for its containers to be gone.
    Docker(Containers),
}

impl Door {
    pub fn tier(&self) -> Tier {
        match self {
            Door::Wasm(executor) => executor.tier(),
            Door::Docker(containers) => containers.executor().tier(),
        }
    }

    /// Opens a session of cells.
    pub async fn open(&self, project: Project, limits: Limits) -> Box<dyn Session> {
        match self {
            Door::Wasm(executor) => {
                let spec = SessionSpec::new(project, Vec::new(), limits);
                executor.open(Provisioned::wasm(), spec).await.expect("a session")
            }
            Door::Docker(containers) => containers.cells(project, limits, &Placement::default()).await,
        }
    }

    pub async fn run(&self, job: Job, observer: impl Observer) -> Result<Outcome> {
        match self {
            Door::Wasm(executor) => {
                // As the scheduler does, which gives out as many as there are.
                let _slot = SLOTS.acquire().await.expect("slots");
                let (provisioned, observer) = (Provisioned::wasm(), Box::new(observer));
                executor::run(&**executor, provisioned, job.resolve()?, None, observer).await?.outcome()
            }
            Door::Docker(containers) => containers.observed(job, Placement::default(), observer).await,
        }
    }
}

static SLOTS: Semaphore = Semaphore::const_new(2);

/// With two slots, so that a slot that is not given back is noticed.
fn wasm() -> Door {
    static SHARED: OnceLock<Arc<WasmExecutor>> = OnceLock::new();
    let executor = SHARED.get_or_init(|| {
        // Makes the cached image first, once for all tests.
        support::pyexec();
        let mut options = WasmOptions::default();
        options.slots = 2;
        Arc::new(WasmExecutor::new(&options, &|line| eprintln!("{line}")).expect("the interpreter"))
    });
    Door::Wasm(Arc::clone(executor))
}

/// With two slots.
fn docker() -> Option<Door> {
    Containers::new(|options| options.slots = 2).map(Door::Docker)
}
