//! The Docker tier: each job in a container of its own, hardened, gone afterwards.
//!
//! **Architecture invariant:** bollard is known only here, and each module uses only those below it. From the top:
//!
//! - `connection` connects when the first job needs it; `executor` is the tier as others see it, put together there.
//! - `run` is the life of a job, and `cells` that of a session; `pool` has containers ready for them. `runner_session` is its conversation with
//!   `fallback/runner/`, which runs in a container: `stdin_writer` writes to that, `frames` and `protocol` read from it, and
//!   `collected` is what comes back.
//! - `prepare` is what must be there before a job: `versions` its image, which is made where none can be fetched, and
//!   `layers` what is added to that, as a `recipe` says, made by `build` from commands and from a `folder`.
//! - `network` starts containers and isolates those that have a network, by a `helper`; `images` fetches and looks at images;
//!   `sweep` removes what is left behind.
//! - `containers` are those of this process; `container` makes one, with `hardening` as the whole of what it may do.
//! - `daemon` is the connection and its faults; `progress` is what those who wait are told; `instance` and `state` say whose is
//!   what; `options`, `placement` and `interpreter` are plain data.
//!
//! What holds the job is the kernel, told by the daemon: the runner has the job's own user, so nothing is believed of it
//! but what harms only the job itself. Time, memory and the end of the container are decided on this side.
//!
//! Where it says less than the wasm tier does: fuel is not counted, so that a job with a CPU budget is refused; a
//! `MemoryError` that a program caught leaves no trace; a full disk is told when it is full at the end or when its error
//! ended the script; the project directory and `/tmp` each have the disk limit, and together the container's memory; of
//! output on both streams at the same moment the order is not known.

mod build;
mod build_log;
mod cells;
mod collected;
mod connection;
mod container;
mod containers;
mod daemon;
mod executor;
mod folder;
mod frames;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hardening;
mod helper;
mod image_name;
mod images;
mod installers;
mod instance;
mod interpreter;
mod layers;
mod network;
mod options;
mod placement;
mod pool;
mod prepare;
mod progress;
mod protocol;
mod recipe;
mod run;
mod runner_session;
mod state;
mod stdin_writer;
mod subnet;
mod sweep;
mod versions;

pub(crate) use connection::Connection;
pub use executor::DockerExecutor;
pub use instance::Instance;
pub(crate) use interpreter::{Interpreter, Libc};
pub use options::{DockerOptions, ImagePull, NetworkMode};
pub use placement::{PackageFolder, Packages, Placement};
pub use pool::PoolStats;
pub use prepare::Prepared;
pub use progress::{Progress, Step};
pub use subnet::Subnet;
