//! `pyexec serve`, as its clients and its operator see it.
//!
//! - `load.rs`: what no load brings down

mod load;
#[allow(dead_code, reason = "shared with the tests of other parts")]
mod support;
