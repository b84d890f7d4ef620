//! Requests that are any bytes.

use super::api::{EvalRequest, Metadata};

/// Reads a body as each kind of request that comes as JSON.
///
/// # Panics
///
/// If what is said about it is not bounded.
pub fn request(bytes: &[u8]) {
    let notes = |warnings: Vec<String>| warnings.iter().map(String::len).sum::<usize>();
    let said = [
        EvalRequest::read(bytes).map_or_else(|error| error.len(), |read| notes(read.warnings)),
        Metadata::read(bytes).map_or_else(|error| error.len(), |read| notes(read.warnings)),
    ];
    assert!(said.iter().all(|bytes| *bytes < SAID_BYTES_MAX), "{said:?} bytes are said about a request");
}

/// Far more than an answer should have.
const SAID_BYTES_MAX: usize = 64 << 10;
