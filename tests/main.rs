//! All integration tests, in one binary.
//!
//! - `contract/`: what every executor promises, run against each of them
//! - `programs.rs`: ordinary programs, compared with native CPython of the same version
//! - `cpython.rs`: CPython's own test suite, inside the sandbox
//! - `attacks.rs`: hostile programs, and what must become of them
//! - `files.rs`: random operations on files, compared with those on a folder of this machine
//! - `linux.rs`: what else makes the guest look like Python on Linux, where no native interpreter can be compared with
//! - `isolation.rs`: what jobs must not see of each other, and what they must give back
//! - `scheduler.rs`: slots, and whose turn it is, for those who use the library
//! - `docker.rs`: what the Docker tier adds to the contract: walls, leftovers, faults of the daemon
//! - `architecture.rs`: which modules import which
//! - `archives.rs`: hostile projects
//! - `deploy.rs`: the images and compose files of `deploy/` and `fallback/`, built and started
//! - `first_build.rs`: what the build says of a machine that lacks something
//! - `command_line.rs`: the `pyexec` command, as a user runs it
//! - `command_line_client.rs`: the same against a server, which is scripted
//! - `command_line_sessions.rs`: `pyexec session` and `pyexec repl`
//! - `tiers.rs`: both tiers as one: where a job goes by itself, the same end on either
//! - `server/`: `pyexec serve`, as its clients and its operator see it

mod architecture;
mod archives;
mod attacks;
mod command_line;
mod command_line_client;
mod command_line_sessions;
mod contract;
mod cpython;
mod deploy;
mod docker;
mod files;
mod first_build;
mod isolation;
mod library;
mod linux;
mod programs;
mod scheduler;
mod server;
mod sessions;
mod support;
mod tiers;
