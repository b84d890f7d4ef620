//! CPython 3.14 built for WebAssembly (`wasm32-wasip1`), as bytes.
//!
//! In the manner of a `-sys` crate: the build script compiles CPython from pinned source, this file hands the result
//! over, and what to do with it is the caller's business. [`MODULE`] is a reactor whose exports and imports are
//! described in `guest/guest.c`; [`STDLIB`] is the read-only `/usr` it expects the host to serve, in the format that
//! `build/pack_stdlib.py` documents.

/// The `python.wasm` module.
pub const MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/python.wasm"));

/// The standard library: sources, compiled code, data files and time zones.
pub const STDLIB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/stdlib.bin"));

/// Source of the module that a container's runner shares with the guest: `_pyexec_common`.
pub const COMMON_SOURCE: &str = include_str!("../boot/_pyexec_common.py");

/// Names and sources of the modules that sessions in containers share with the guest, each after those that it imports.
///
/// Beside `_pyexec_common` they import `_pyexec_tier`, which is another one in a container.
pub const SESSION_SOURCES: [(&str, &str); 4] = [
    ("_pyexec_cell", include_str!("../boot/_pyexec_cell.py")),
    ("_pyexec_tools", include_str!("../boot/_pyexec_tools.py")),
    ("_pyexec_display", include_str!("../boot/_pyexec_display.py")),
    ("_pyexec_session", include_str!("../boot/_pyexec_session.py")),
];

/// SHA-256 of [`MODULE`] followed by [`STDLIB`], in hexadecimal.
pub const DIGEST: &str = env!("WASM_PYTHON_DIGEST");

/// Version of CPython inside.
pub const VERSION: &str = "3.14.5";

/// Path of the native interpreter of the same version that the build made, for comparing with.
///
/// It lies in the build cache of the machine that compiled this crate; `None` when a prebuilt module was used.
pub fn native_interpreter() -> Option<&'static str> {
    let path = env!("WASM_PYTHON_NATIVE");
    (!path.is_empty()).then_some(path)
}
