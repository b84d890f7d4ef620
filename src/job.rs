//! What to run.

use crate::{
    Limits, Project, Python, Requirements, ResolvedJob, Result, needs::Container, outcome::JsonText,
    workspaces::Mounted,
};
use bytes::Bytes;
use std::{fmt, sync::Arc};
use tokio::io::AsyncRead;

/// A Python program with everything it gets: the project's files, arguments, environment, standard input and limits.
///
/// ```
/// use pyexec::{Job, Limits};
///
/// let job = Job::code("import sys; print(sys.argv[1:], input())")
///     .args(["a", "b"])
///     .stdin("typed\n")
///     .limits(Limits { wall_clock_ms: 2_000, ..Limits::default() });
/// ```
#[derive(Debug)]
pub struct Job {
    pub(crate) project: Project,
    pub(crate) entrypoint: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Stdin,
    pub(crate) limits: Limits,
    pub(crate) want: Want,
    pub(crate) collect_files: bool,
    /// Owner and id, until its files are there.
    pub(crate) workspace: Option<(String, String)>,
    pub(crate) containers: Containers,
}

/// Says where a job may run, and what it gets in a container.
#[derive(Debug, Clone)]
pub(crate) struct Containers {
    pub(crate) tier: TierChoice,
    pub(crate) python: Option<Python>,
    pub(crate) image: Option<String>,
    pub(crate) requirements: Requirements,
    /// The id of an environment, until what it says is merged into the rest.
    pub(crate) environment: Option<String>,
    /// Modules that are imported when its packages are baked.
    pub(crate) preload: Vec<String>,
    pub(crate) detect_packages: bool,
    pub(crate) pre_commands: Vec<String>,
    pub(crate) network: bool,
    pub(crate) cpu_shares: Option<u32>,
    /// For whom: owners take turns where jobs wait for each other.
    pub(crate) owner: u64,
    /// Where what it changes is kept.
    pub(crate) workspace: Option<Arc<Mounted>>,
}

impl Containers {
    /// Fills in from its script what the job does not say.
    pub(crate) fn fill_in(&mut self, script: &Container) {
        if self.image.is_none() {
            self.image.clone_from(&script.image);
        }
        if self.pre_commands.is_empty() {
            self.pre_commands.clone_from(&script.pre_commands);
        }
    }
}

impl Default for Containers {
    fn default() -> Containers {
        Containers {
            tier: TierChoice::Auto,
            python: None,
            image: None,
            requirements: Requirements::default(),
            environment: None,
            preload: Vec::new(),
            detect_packages: true,
            pre_commands: Vec::new(),
            network: false,
            cpu_shares: None,
            owner: 0,
            workspace: None,
        }
    }
}

/// The tier that a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TierChoice {
    /// The fastest that can run it.
    #[default]
    Auto,
    /// WebAssembly or nothing.
    Wasm,
    /// A container or nothing.
    Docker,
}

/// Says which value of the program is asked for, besides its output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Want {
    /// None.
    #[default]
    Nothing,
    /// The value of the last statement, when it is an expression.
    LastExpression,
    /// What a function of the script returns.
    Call {
        /// Name of the function in the script.
        function: String,
        /// Its arguments: a JSON array is positional, an object is by keyword, null is none.
        arguments: JsonText,
    },
}

/// Standard input of a job.
#[derive(Default)]
pub enum Stdin {
    /// Nothing: at its end from the start.
    #[default]
    Empty,
    /// All of it.
    Bytes(Bytes),
    /// As it comes. Waiting for it counts against the wall clock.
    Reader(Box<dyn AsyncRead + Send + Sync + Unpin>),
}

impl Job {
    /// Makes a job of a single script, named `main.py`.
    pub fn code(source: impl Into<Bytes>) -> Job {
        Job::project(Project::script(source))
    }

    /// Describes a session of cells, which has no script: see [`sessions`](crate::sessions).
    pub fn session() -> Job {
        Job::project(Project::empty())
    }

    /// Makes a job of a project, whose entry point is `main.py`, `__main__.py`, or the first `.py` file.
    pub fn project(project: Project) -> Job {
        Job {
            project,
            entrypoint: None,
            args: Vec::new(),
            env: Vec::new(),
            stdin: Stdin::Empty,
            limits: Limits::default(),
            want: Want::Nothing,
            collect_files: false,
            workspace: None,
            containers: Containers::default(),
        }
    }

    /// Sets the script to run, as a path in the project.
    #[must_use]
    pub fn entrypoint(mut self, path: impl Into<String>) -> Job {
        self.entrypoint = Some(path.into());
        self
    }

    /// Sets `sys.argv[1:]`.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Job {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an environment variable. A job sees no others. Those for the interpreter (`PYTHONPATH`, `PYTHONHASHSEED`, …)
    /// come too late for the job's own, which has started already; programs that it starts heed them.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Job {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdin>) -> Job {
        self.stdin = stdin.into();
        self
    }

    /// Sets its limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Job {
        self.limits = limits;
        self
    }

    /// Sets the wall clock, and leaves its other limits as they are.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let job = pyexec::Job::code("input()").timeout(Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn timeout(mut self, limit: std::time::Duration) -> Job {
        self.limits = self.limits.with_wall_clock(limit);
        self
    }

    /// Asks for a value of the program.
    ///
    /// ```
    /// use pyexec::{Job, Want};
    /// use serde_json::json;
    ///
    /// let job = Job::code("sum(n * n for n in range(10))").want(Want::LastExpression);
    /// let job = Job::code("def add(a, b):\n    return a + b")
    ///     .want(Want::Call { function: "add".to_owned(), arguments: json!({ "a": 1, "b": 2 }).into() });
    /// ```
    #[must_use]
    pub fn want(mut self, want: Want) -> Job {
        self.want = want;
        self
    }

    /// Sets whether the files that it made or changed come back in the [`Outcome`](crate::Outcome).
    ///
    /// Those of the project have paths relative to it, those left in `/tmp` absolute ones; what is hidden there is left out.
    #[must_use]
    pub fn collect_files(mut self, collect: bool) -> Job {
        self.collect_files = collect;
        self
    }

    /// Sets for whom it is: where jobs wait for each other, owners take turns.
    #[must_use]
    pub fn owner(mut self, owner: u64) -> Job {
        self.containers.owner = owner;
        self
    }

    /// Runs it in a workspace of this owner. It finds the files there beside those of its project, which win; what it makes,
    /// changes and deletes in its project directory stays when it ends, however it does, and
    /// [`Outcome::workspace`](crate::Outcome::workspace) says so. Its disk is what is left of the quota, if that is less.
    /// Of several jobs at the same time the last to end wins, file by file.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn workspace(mut self, owner: impl Into<String>, id: impl Into<String>) -> Job {
        self.workspace = Some((owner.into(), id.into()));
        self
    }

    /// Sets the tier it may run on; by default the fastest that can run it.
    #[must_use]
    pub fn tier(mut self, tier: TierChoice) -> Job {
        self.containers.tier = tier;
        self
    }

    /// Sets the version of Python. Other than the newest it takes a container.
    #[must_use]
    pub fn python(mut self, version: Python) -> Job {
        self.containers.python = Some(version);
        self
    }

    /// Sets the container image to run in, with a Python of its own.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Job {
        self.containers.image = Some(image.into());
        self
    }

    /// Sets the packages that are there when it runs, besides those that its code imports.
    #[must_use]
    pub fn requirements(mut self, requirements: Requirements) -> Job {
        self.containers.requirements = requirements;
        self
    }

    /// Sets the environment that it runs in, by the id that
    /// [`Pyexec::create_environment`](crate::Pyexec::create_environment) returned. Its requirements are added to those
    /// of the job, and its version of Python is the job's.
    #[must_use]
    pub fn environment(mut self, id: impl Into<String>) -> Job {
        self.containers.environment = Some(id.into());
        self
    }

    /// Sets whether packages that its code imports are installed without being asked for, which is the default.
    #[must_use]
    pub fn detect_packages(mut self, detect: bool) -> Job {
        self.containers.detect_packages = detect;
        self
    }

    /// Sets shell commands that prepare its container, such as `apt-get install -y …`. They run in one shell, as root
    /// and with a network. They see a copy of the project in `/work`, and the job's variables. What they leave there,
    /// in `/tmp` and elsewhere, and what they export, is there for the script, and kept for the next job of which they
    /// see the same.
    #[must_use]
    pub fn pre_commands<S: Into<String>>(mut self, commands: impl IntoIterator<Item = S>) -> Job {
        self.containers.pre_commands = commands.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether it may use the network. Code that uses it then runs in a container with one; other code stays
    /// without.
    #[must_use]
    pub fn network(mut self, allowed: bool) -> Job {
        self.containers.network = allowed;
        self
    }

    /// Sets its weight among containers when CPU is short; 1024 is usual.
    #[must_use]
    pub fn cpu_shares(mut self, shares: u32) -> Job {
        self.containers.cpu_shares = Some(shares);
        self
    }

    /// Checks the job, and finds its script.
    ///
    /// # Errors
    ///
    /// As for [`ResolvedJob::new`].
    pub fn resolve(self) -> Result<ResolvedJob> {
        ResolvedJob::new(self)
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stdin::Empty => f.write_str("Empty"),
            Stdin::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Stdin::Reader(_) => f.write_str("Reader"),
        }
    }
}

impl From<Bytes> for Stdin {
    fn from(bytes: Bytes) -> Stdin {
        Stdin::Bytes(bytes)
    }
}

impl From<Vec<u8>> for Stdin {
    fn from(bytes: Vec<u8>) -> Stdin {
        Stdin::Bytes(bytes.into())
    }
}

impl From<String> for Stdin {
    fn from(text: String) -> Stdin {
        Stdin::Bytes(text.into())
    }
}

impl From<&'static str> for Stdin {
    fn from(text: &'static str) -> Stdin {
        Stdin::Bytes(Bytes::from_static(text.as_bytes()))
    }
}
