//! `pyexec serve`, as its clients and its operator see it.
//!
//! - `code_executor.rs`, `main_service.rs`, `session_service.rs`: clients of three other services
//! - `conformance.rs`: what every client may rely on, old ones by the bytes in `recorded/`
//! - `containers.rs`: jobs that take a container
//! - `e2b.rs`: sandboxes of E2B's, by its client
//! - `environments.rs`: packages at their first use, and under a name
//! - `schema.rs`: the OpenAPI document is true, as schemathesis sees it
//! - `hardening.rs`: what no client can do
//! - `load.rs`: what no load brings down
//! - `lifecycle.rs`: start, stop, and clients that go away
//! - `mcp.rs`: the tool for hosts of language models, by the clients of its protocol's authors
//! - `page.rs`: the page at `/`, in Chromium
//! - `sessions.rs`: interpreters that live on between calls
//! - `workspaces.rs`: files that outlive executions
//! - `readme.rs`: the README's examples

mod code_executor;
mod conformance;
mod containers;
mod e2b;
mod environments;
mod hardening;
mod lifecycle;
mod load;
mod main_service;
mod mcp;
mod page;
mod readme;
mod recorded;
mod schema;
mod session_service;
mod sessions;
pub mod support;
mod workspaces;
