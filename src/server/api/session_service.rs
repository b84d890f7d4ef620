//! The service of sessions that clients name: a session is a folder of files and a set of packages, and each run a new
//! process in it.
//!
//! Here a session is two workspaces of the caller, whose ids come from the session's name by a digest: any text is a name,
//! none leads anywhere else, and another key's session of the same name is another one.

pub(crate) mod routes;
mod tasks;
mod wire;

pub(crate) use tasks::Tasks;
pub(crate) use wire::{ExecuteRequest, QueuedExecution};
