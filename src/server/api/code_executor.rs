//! The service that runs code which it has looked through for names that its policy refuses.
//!
//! The policy is advice to honest code and no security boundary: what a job can do is decided by where it runs.

mod routes;
mod wire;

pub(crate) use routes::execute;
pub(crate) use wire::{CodeRequest, CodeResult};
