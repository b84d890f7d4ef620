//! `pyexec serve`, as its clients and its operator see it.
//!
//! - `conformance.rs`: what every client may rely on, old ones by the bytes in `recorded/`
//! - `hardening.rs`: what no client can do
//! - `lifecycle.rs`: start, stop, and clients that go away

mod conformance;
mod hardening;
mod lifecycle;
mod recorded;
mod support;
