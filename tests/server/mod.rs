//! `pyexec serve`, as its clients and its operator see it.
//!
//! - `conformance.rs`: what every client may rely on, old ones by the bytes in `recorded/`
//! - `hardening.rs`: what no client can do
//! - `lifecycle.rs`: start, stop, and clients that go away
//! - `schema.rs`: what its OpenAPI document says
//! - `page.rs`: its page, in a browser
//! - `readme.rs`: the README's examples

mod conformance;
mod hardening;
mod lifecycle;
mod page;
mod readme;
mod recorded;
mod schema;
mod support;
