//! The service that runs a script's function `main` and returns what that returns.

mod routes;
mod wire;

pub(crate) use routes::execute;
pub(crate) use wire::{MainFailure, MainRequest, MainResult};
