//! The HTTP server.

#![allow(dead_code)]

mod auth;
mod cors;
mod headers;
mod listener;
mod metrics;
mod rate_limit;
mod refusal;
mod request_id;
