//! What to run.

use crate::{Error, Limits, Project, Result};
use bytes::Bytes;
use std::fmt;
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
}

/// Which value of the program is asked for, besides its output.
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
        /// Its arguments: a JSON array is positional, an object is by keyword.
        arguments: serde_json::Value,
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
    /// A single script, named `main.py`.
    pub fn code(source: impl Into<Bytes>) -> Job {
        Job::project(Project::script(source))
    }

    /// A project; its entry point is guessed as `main.py`, `__main__.py`, or the first `.py` file.
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
        }
    }

    /// The script to run, as a path in the project.
    #[must_use]
    pub fn entrypoint(mut self, path: impl Into<String>) -> Job {
        self.entrypoint = Some(path.into());
        self
    }

    /// `sys.argv[1:]`.
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

    /// Standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdin>) -> Job {
        self.stdin = stdin.into();
        self
    }

    /// Its limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Job {
        self.limits = limits;
        self
    }

    /// Which value of the program is asked for.
    #[must_use]
    pub fn want(mut self, want: Want) -> Job {
        self.want = want;
        self
    }

    /// Whether the files that it made or changed come back in the [`Outcome`](crate::Outcome).
    #[must_use]
    pub fn collect_files(mut self, collect: bool) -> Job {
        self.collect_files = collect;
        self
    }

    /// Refuses what no executor can run; every executor calls it first.
    pub(crate) fn check(&self) -> Result<()> {
        for text in self.args.iter().chain(self.env.iter().flat_map(|(name, value)| [name, value])) {
            if text.contains('\0') {
                return Err(Error::invalid("arguments and environment variables cannot contain NUL"));
            }
        }
        for (name, _) in &self.env {
            if name.is_empty() || name.contains('=') {
                return Err(Error::invalid(format!("{name:?} is not a name for an environment variable")));
            }
        }
        if let Want::Call { arguments, .. } = &self.want
            && !(arguments.is_array() || arguments.is_object() || arguments.is_null())
        {
            return Err(Error::invalid("arguments of the entry function must be a JSON array or object"));
        }
        self.project.fits(&self.limits)
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
