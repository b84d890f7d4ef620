//! Builds CPython for WASI, once, and hands its bytes to the crate.
//!
//! The order is: prerequisites → sources → native CPython (which the WASI build needs to run, and which packs the
//! standard library) → CPython for WASI → link with the guest → standard library image. Each step is a folder in the
//! [`store`], named by the hash of everything that went into it, so that a step whose inputs did not change is not run.

mod clibs;
mod cpython;
mod data_model;
mod guest;
mod prerequisites;
mod progress;
mod shell;
mod sources;
mod stdlib;
mod store;

use sha2::{Digest, Sha256};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Any failure, already in words for the person who runs the build.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    for file in
        ["build", "boot", "ffi", "guest", "libc", "patches", "sqlite", "wasi-libc", "Cargo.toml", "toolchain.txt"]
    {
        println!("cargo:rerun-if-changed={file}");
    }
    for variable in
        [MODULE_VARIABLE, STDLIB_VARIABLE, DOCUMENTATION_VARIABLE, store::FOLDER_VARIABLE, sources::TARBALL_VARIABLE]
    {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo:warning={line}");
            }
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Path of a `python.wasm` made by this crate elsewhere; with [`STDLIB_VARIABLE`] it replaces the build.
const MODULE_VARIABLE: &str = "PYEXEC_PREBUILT_MODULE";
/// Path of the `stdlib.bin` that belongs to it.
const STDLIB_VARIABLE: &str = "PYEXEC_PREBUILT_STDLIB";

/// Is set where docs.rs builds documentation: without a network, and nothing is run.
const DOCUMENTATION_VARIABLE: &str = "DOCS_RS";

fn run() -> Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run through cargo")?);
    let artifacts = match (env::var_os(MODULE_VARIABLE), env::var_os(STDLIB_VARIABLE)) {
        (Some(module), Some(stdlib)) => Artifacts { module: module.into(), stdlib: stdlib.into(), native: None },
        (None, None) if env::var_os(DOCUMENTATION_VARIABLE).is_some() => return stand_in(&out),
        (None, None) => build()?,
        _ => return Err(format!("set both {MODULE_VARIABLE} and {STDLIB_VARIABLE}, or neither")),
    };
    for (from, name) in [(&artifacts.module, "python.wasm"), (&artifacts.stdlib, "stdlib.bin")] {
        // What this build has made is newer than the build's start: cargo would take it for a changed input.
        if artifacts.native.is_none() {
            println!("cargo:rerun-if-changed={}", from.display());
        }
        fs::copy(from, out.join(name)).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
    }
    println!("cargo:rustc-env=WASM_PYTHON_DIGEST={}", digest(&artifacts)?);
    let native = artifacts.native.unwrap_or_default();
    println!("cargo:rustc-env=WASM_PYTHON_NATIVE={}", native.display());
    Ok(())
}

/// Writes empty files, of which documentation can be made.
fn stand_in(out: &Path) -> Result<()> {
    for name in ["python.wasm", "stdlib.bin"] {
        fs::write(out.join(name), []).map_err(|e| format!("cannot write {name}: {e}"))?;
    }
    println!("cargo:rustc-env=WASM_PYTHON_DIGEST=");
    println!("cargo:rustc-env=WASM_PYTHON_NATIVE=");
    Ok(())
}

/// SHA-256 of both files, so that nobody has to hash them at run time.
fn digest(artifacts: &Artifacts) -> Result<String> {
    let mut hash = Sha256::new();
    for path in [&artifacts.module, &artifacts.stdlib] {
        hash.update(fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?);
    }
    Ok(store::hex(&hash.finalize()))
}

struct Artifacts {
    module: PathBuf,
    stdlib: PathBuf,
    native: Option<PathBuf>,
}

fn build() -> Result<Artifacts> {
    let store = store::Store::open()?;
    let progress = progress::Progress::new();
    let tools = prerequisites::check(&store)?;
    let sources = sources::Sources::fetch(&store, &tools, &progress)?;
    let native = cpython::native(&store, &sources, &tools, &progress)?;
    let wasm = cpython::wasm(&store, &sources, &tools, &native, &progress)?;
    let module = guest::link(&store, &sources, &wasm, &progress)?;
    let stdlib = stdlib::pack(&store, &sources, &native, &wasm, &progress)?;
    Ok(Artifacts { module, stdlib, native: Some(native.python()) })
}
