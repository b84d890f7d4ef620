//! Runs untrusted Python: at once, and with nothing but what it is given.
//!
//! Each job gets a fresh CPython, snapshotted with the standard library imported and compiled to machine code through
//! WebAssembly, in this process, in well under a millisecond. It has limits on time, CPU, memory, disk and output, and a
//! project directory that it cannot leave.
//!
//! ```no_run
//! # async fn example() -> pyexec::Result<()> {
//! use pyexec::{Job, Pyexec};
//!
//! let pyexec = Pyexec::new()?;
//! let outcome = pyexec.run(Job::code("print(sum(range(10)))")).await?;
//! assert_eq!(outcome.stdout.text, "45\n");
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - [`Job`] is what to run: a [`Project`], arguments, environment, [`Stdin`], [`Limits`].
//! - [`Outcome`] is what happened. A script that fails is an outcome; [`Error`] is a fault of the request or of ours.
//! - [`Pyexec`] runs the one and gives the other.
//! - `workspaces` are files that outlive a job.
//! - `config` has the settings of the server.
//! - [`executor`] has the contract of an execution tier, and the tiers.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | none | code in WebAssembly; a job that needs more is refused with what it needs; [`sessions`] |
//! | `docker` | containers for what WebAssembly cannot do |
//! | `packages` | packages that code imports or requires, which uv installs |
//! | `server` | the REST API, its settings and workspaces, with both of the above |
//! | `cli` (default) | what the `pyexec` command takes, with all of the above |

#![warn(missing_docs)]
// What only some features use is checked for its use where all of them are built in.
#![cfg_attr(not(feature = "server"), allow(dead_code, unused_imports))]

mod blocking;
mod cache;
mod capture;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "packages")]
pub mod environment;
#[cfg(not(feature = "packages"))]
#[path = "environment_absent.rs"]
mod environment;
mod error;
pub mod executor;
#[cfg(any(feature = "fuzzing", all(test, feature = "server")))]
#[doc(hidden)]
pub mod fuzzing;
mod hint;
mod job;
mod limits;
mod needs;
pub mod outcome;
mod pack;
mod planner;
mod progress;
mod project;
mod python;
mod resolve;
mod scheduler;
#[cfg(feature = "server")]
pub mod server;
mod service;
pub mod sessions;
#[cfg(feature = "docker")]
mod single_flight;
mod sync;
#[cfg(feature = "docker")]
mod turns;
#[cfg(feature = "server")]
pub mod workspaces;
#[cfg(not(feature = "server"))]
#[path = "workspaces_absent.rs"]
mod workspaces;

pub use cache::Verification;
pub use environment::Requirements;
pub use error::{Error, ErrorKind, Result};
pub use executor::Event;
pub use hint::{Hint, Wording};
pub use job::{Job, Stdin, TierChoice, Want};
pub use limits::{ByteSize, Limits};
pub use needs::is_installing_line;
pub use outcome::Outcome;
pub use planner::{Plan, Ready};
pub use progress::{Progress, Update};
pub use project::Project;
pub use python::{Python, UnsupportedPython};
pub use resolve::ResolvedJob;
pub use scheduler::Slot;
pub use service::{Attempt, BakeOrder, Baking, Builder, Events, Pyexec, RunEvent};
#[cfg(feature = "packages")]
pub use service::{EnvironmentState, NamedEnvironment, ReadyEnvironment};

/// Version of CPython in the wasm tier.
pub const PYTHON_VERSION: &str = wasm_python::VERSION;
