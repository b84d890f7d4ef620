//! Where code of packages is compiled and tried: in ordinary jobs of the wasm tier, with limits of their own.

use crate::{
    Error, Event, Job, Limits, Outcome, ResolvedJob, Result,
    environment::{EnvironmentOptions, Environments, Imported, Workbench},
    executor::{
        self,
        wasm::{ASIDE_MAX, Packages, WasmExecutor},
    },
    pack::Pack,
};
use serde::Deserialize;
use std::{fmt, sync::Arc, thread};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
};

const COMPILE: &str = include_str!("workbench/compile.py");
const TRY_IMPORTS: &str = include_str!("workbench/try_imports.py");

/// Source that one job compiles, in bytes: some seconds of work, so that several share the cores.
const CHUNK_BYTES: usize = 1 << 20;
/// What importing may report, in bytes.
const REPORT_BYTES_MAX: usize = 4 << 20;

/// Of a job that compiles: the smallest file has as long as all of a chunk.
const COMPILE_LIMITS: Limits = Limits {
    wall_clock_ms: 120_000,
    cpu_fuel: None,
    memory_bytes: 1 << 30,
    disk_bytes: 128 << 20,
    disk_files: 100,
    output_bytes: 4096,
};
/// Of one that imports: packages that take longer are no gain here.
const IMPORT_LIMITS: Limits = Limits { wall_clock_ms: 60_000, ..COMPILE_LIMITS };

/// The wasm tier as a workbench.
pub(super) struct Sandbox {
    wasm: Arc<WasmExecutor>,
    /// As many jobs at the same time as there are cores: all of them only compute.
    cores: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct Reported {
    module: String,
    failed: Option<String>,
    asked_for: Vec<String>,
}

async fn run_internal(wasm: &WasmExecutor, job: ResolvedJob, packages: &Packages) -> Result<Outcome> {
    let (spec, call) = executor::parts(job, None);
    let nobody = Box::new(|_: Event<'_>| ());
    wasm.open_internal(packages, spec).call(call, nobody).await?.outcome()
}

/// Opens environments, with those for WebAssembly tried and compiled in this tier.
///
/// # Errors
///
/// As [`Environments::with_workbench`].
pub(super) fn environments(options: EnvironmentOptions, wasm: &Arc<WasmExecutor>) -> Result<Environments> {
    Environments::with_workbench(options, Some(Arc::new(Sandbox::new(Arc::clone(wasm)))))
}

impl Sandbox {
    pub(super) fn new(wasm: Arc<WasmExecutor>) -> Sandbox {
        let cores = thread::available_parallelism().map_or(1, Into::into).min(ASIDE_MAX as usize);
        Sandbox { wasm, cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Runs a job on a thread of its own, whatever runtime this is; dropping the future ends it.
    async fn run(&self, job: Job, pack: &Pack) -> Result<Outcome> {
        let core = Arc::clone(&self.cores).acquire_owned().await;
        let core = core.map_err(|_| Error::unavailable("the workbench is closed"))?;
        let job = job.resolve()?;
        let (wasm, packages) = (Arc::clone(&self.wasm), Packages::new("workbench", pack.clone(), Vec::new()));
        let (alive, gone) = oneshot::channel::<()>();
        let runtime = Handle::current();
        let running = tokio::task::spawn_blocking(move || {
            let _core = core;
            runtime.block_on(async {
                tokio::select! {
                    outcome = run_internal(&wasm, job, &packages) => Some(outcome),
                    _ = gone => None,
                }
            })
        });
        let outcome = running.await.map_err(|fault| Error::caused("a job of the workbench failed", fault))?;
        drop(alive);
        outcome.unwrap_or_else(|| Err(Error::unavailable("a job of the workbench was given up")))
    }

    /// Compiles files in one job, or in several when one of them crashes the interpreter.
    async fn compile_chunk(&self, pack: &Pack, paths: &[&str]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut compiled = Vec::new();
        let mut rest = paths;
        while !rest.is_empty() {
            let outcome =
                self.run(job(COMPILE, rest.iter().map(|path| format!("/usr/{path}")), COMPILE_LIMITS), pack).await?;
            let codes = codes(collected(&outcome, "code"));
            let done = codes.len();
            let found = rest.iter().zip(codes).filter(|(_, code)| !code.is_empty());
            compiled.extend(found.map(|(path, code)| ((*path).to_owned(), code.to_vec())));
            if done < rest.len() {
                tracing::info!(path = rest[done], ending = ?outcome.ending, "a module cannot be compiled");
            }
            // The one that ended the job is left out.
            rest = rest.get(done + 1..).unwrap_or_default();
        }
        Ok(compiled)
    }
}

#[async_trait::async_trait]
impl Workbench for Sandbox {
    fn version(&self) -> String {
        format!("{} {}", wasm_python::VERSION, wasm_python::DIGEST)
    }

    async fn compile(&self, pack: &Pack) -> Result<Vec<(String, Vec<u8>)>> {
        let mut chunks: Vec<Vec<&str>> = Vec::new();
        let mut bytes = CHUNK_BYTES;
        for file in pack.files().filter(|file| file.path.ends_with(".py")) {
            if bytes >= CHUNK_BYTES {
                chunks.push(Vec::new());
                bytes = 0;
            }
            bytes += file.content.len();
            chunks.last_mut().into_iter().for_each(|chunk| chunk.push(file.path));
        }
        let compiled = chunks.iter().map(|chunk| self.compile_chunk(pack, chunk));
        Ok(futures_util::future::try_join_all(compiled).await?.into_iter().flatten().collect())
    }

    async fn try_imports(&self, pack: &Pack, modules: &[String]) -> Result<Vec<Imported>> {
        let outcome = self.run(job(TRY_IMPORTS, modules.iter().cloned(), IMPORT_LIMITS), pack).await?;
        let report = collected(&outcome, "report");
        let reported: Option<Vec<Reported>> =
            (report.len() <= REPORT_BYTES_MAX).then(|| serde_json::from_slice(report).ok()).flatten();
        let Some(reported) = reported else {
            let why = format!("the interpreter ended: {:?}", outcome.ending);
            let all = modules.iter().map(|module| Imported {
                module: module.clone(),
                failed: Some(why.clone()),
                asked_for: Vec::new(),
            });
            return Ok(all.collect());
        };
        let imported =
            reported.into_iter().map(|Reported { module, failed, asked_for }| Imported { module, failed, asked_for });
        Ok(imported.collect())
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// Makes a job of a script that reads lines from its standard input, and leaves a file.
fn job(script: &'static str, lines: impl Iterator<Item = String>, limits: Limits) -> Job {
    let lines: Vec<_> = lines.collect();
    Job::code(script).stdin(lines.join("\n")).limits(limits).collect_files(true)
}

fn collected<'o>(outcome: &'o Outcome, path: &str) -> &'o [u8] {
    outcome.files.iter().find(|file| file.path == path).map_or(&[], |file| &file.content)
}

/// Reads what `compile.py` has written, as far as it came.
fn codes(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut codes = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((code, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        codes.push(code);
        bytes = rest;
    }
    codes
}

#[cfg(test)]
mod tests;
