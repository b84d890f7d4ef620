//! One session in WebAssembly: an instance of its own, and what a call does in it.

use super::{
    bakery::Baked,
    clock::Clock,
    files::Remains,
    host::{CallState, ExitStatus, Host, Missed, OutOfFuel},
    image::{Image, Studio},
    instance::{Instance, until},
    library::Library,
    stdio::Stream,
};
use crate::{
    Error, Limits, Outcome, Project, Result, Want,
    blocking::blocking,
    executor::{COLLECTED_BYTES_MAX, Call, Observer, Run, Session, SessionSpec, traceback},
    outcome::{Ending, Exception, JsonText, LimitHit, OutputFile, StopReason, Tier, Usage},
    project::Workspace,
};
use std::{
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use wasmtime::Trap;

/// Of text that is looked through on another thread.
const LARGE_BYTES: usize = 1 << 20;

/// `sys.path[0]` and the working directory.
const PROJECT: &str = "/work";

const WANT_RESULT: u32 = 1;
const CALL_FUNCTION: u32 = 2;

/// A session with an instance of its own, which starts with its first call.
pub(super) struct WasmSession {
    images: Images,
    library: Library,
    project: Project,
    env: Vec<(String, String)>,
    limits: Limits,
    collect_files: bool,
    has_ended: bool,
}

/// Says what a session can start from.
pub(super) enum Images {
    Plain(Image),
    /// What has its packages imported, if there is one, or else what is for large jobs: imports make one.
    WithPackages {
        preloaded: Option<Arc<Baked>>,
        studio: Arc<Studio>,
    },
}

impl WasmSession {
    /// Opens a session with `library` below `/usr`: that of the images, perhaps with packages.
    pub(super) fn new(images: Images, library: Library, spec: SessionSpec) -> WasmSession {
        let SessionSpec { project, env, limits, collect_files } = spec;
        WasmSession { images, library, project, env, limits, collect_files, has_ended: false }
    }

    /// Makes the instance, of an image in which the script finds what it would find otherwise.
    fn instance(&self, script: &str) -> Result<Instance> {
        let image = match &self.images {
            Images::Plain(image) => image,
            Images::WithPackages { preloaded, studio } => {
                let has_packaged = |module: &str| self.library.has_packaged(module);
                let preloaded = preloaded.as_ref();
                let fits = preloaded.and_then(|baked| baked.image_for(&self.project, script, &self.env, has_packaged));
                fits.map_or_else(|| studio.large(), Ok)?
            }
        };
        let host = Host::new(self.project.clone(), &self.limits, self.library.clone(), Clock::start());
        Ok(Instance::new(image.clone(), host))
    }

    /// Runs what was encoded as `input`; `None` when the deadline came first.
    async fn call_guest(
        &self,
        instance: &mut Instance,
        input: Vec<u8>,
        deadline: Instant,
    ) -> Result<Option<wasmtime::Result<i32>>> {
        match until(deadline, instance.host_mut().files.make_ready()).await {
            // The guest does not get to its first instruction.
            None => {}
            Some(made) => made.map_err(|error| Error::caused("the project's files cannot be written", error))?,
        }
        let starting = async {
            instance.start().await?;
            let at = instance.hand_over(&input).await?;
            drop(input);
            if let Some(budget) = self.limits.cpu_fuel {
                instance.refill(budget)?;
            }
            Ok(at)
        };
        match until(deadline, starting).await {
            None => Ok(None),
            Some(Err(error)) => Err(not_started(error, &self.limits, instance.host())),
            Some(Ok(at)) => Ok(until(deadline, instance.run(at)).await),
        }
    }
}

#[async_trait::async_trait]
impl Session for WasmSession {
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run> {
        let input = encode(&call, &self.project, &self.env, &self.library)?;
        // An interpreter ends with its script.
        if std::mem::replace(&mut self.has_ended, true) {
            return Err(Error::invalid("this session has had its call: open another one"));
        }
        let mut instance = self.instance(&call.script)?;
        let Call { stdin, stop_at, .. } = call;
        let started = Instant::now();
        let deadline = started + self.limits.wall_clock();
        instance.host_mut().call = CallState::new(stdin, &self.limits, stop_at, observer);
        instance.host_mut().call.outputs.started();

        let end = self.call_guest(&mut instance, input, deadline).await?;
        if let Some(Err(error)) = &end
            && let Some(Missed(miss)) = error.downcast_ref()
        {
            return Ok(Run::Missed(miss.clone(), started.elapsed()));
        }
        let fuel = instance.fuel_used();
        let ending = classify(end, instance.host());
        if let Ending::Stopped { reason } = &ending {
            let may_flush = !matches!(reason, StopReason::Crashed(_) | StopReason::StackOverflow);
            let dump = instance.post_mortem(may_flush).await;
            let explained = traceback::explain(reason, &self.limits);
            let text = traceback::format(&String::from_utf8_lossy(&dump), &explained, PROJECT, &self.project);
            instance.host_mut().call.outputs.write(Stream::Stderr, text.as_bytes());
        }
        let host = instance.host_mut();
        let remains = host.files.take_remains();
        let (outcome, result_json) = outcome(host, ending, fuel);
        drop(instance);
        // What follows is not in the job's time.
        let files = clear_up(remains, self.collect_files.then(|| self.project.clone())).await;
        let result_json = checked(result_json).await;
        Ok(Run::Ended(Box::new(Outcome { files, result_json, ..outcome })))
    }
}

/// Encodes a call as `wasm-python/guest/guest.c` reads it.
fn encode(call: &Call, project: &Project, env: &[(String, String)], library: &Library) -> Result<Vec<u8>> {
    let script = &*call.script;
    let source = project.read(script)?;
    let (flags, function, arguments) = match &call.want {
        Want::Nothing => (0, "", ""),
        Want::LastExpression => (WANT_RESULT, "", ""),
        Want::Call { function, arguments } if arguments.as_str() == "null" => (CALL_FUNCTION, function.as_str(), ""),
        Want::Call { function, arguments } => (CALL_FUNCTION, function.as_str(), arguments.as_str()),
    };
    let mut argv = vec![script];
    argv.extend(call.args.iter().map(String::as_str));
    let env: Vec<&str> = env.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    let beside = project.modules_beside(script);
    let shadowed: Vec<&str> = beside.into_iter().filter(|name| library.has_standard(name)).collect();

    let lists = [argv, env, shadowed];
    let listed: usize = lists.iter().flatten().map(|item| item.len() + 4).sum();
    let mut bytes = Vec::with_capacity(source.len() + function.len() + arguments.len() + listed + script.len() + 64);
    bytes.extend_from_slice(&flags.to_le_bytes());
    put(&mut bytes, format!("{PROJECT}/{script}").as_bytes())?;
    put(&mut bytes, &source)?;
    for list in lists {
        bytes.extend_from_slice(&length(list.len())?);
        for item in list {
            put(&mut bytes, item.as_bytes())?;
        }
    }
    put(&mut bytes, function.as_bytes())?;
    put(&mut bytes, arguments.as_bytes())?;
    Ok(bytes)
}

/// Adds text or content, its length before it.
pub(super) fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Result<()> {
    bytes.extend_from_slice(&length(part.len())?);
    bytes.extend_from_slice(part);
    Ok(())
}

pub(super) fn length(length: usize) -> Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(|_| Error::invalid("the job is larger than 4 GiB"))
}

fn not_started(error: wasmtime::Error, limits: &Limits, host: &Host) -> Error {
    if host.memory.hit {
        return Error::invalid(format!(
            "a memory limit of {} bytes is less than the interpreter itself needs: ask for 64 MiB or more",
            limits.memory_bytes
        ));
    }
    Error::caused("the interpreter does not start", format!("{error:#}"))
}

fn classify(end: Option<wasmtime::Result<i32>>, host: &Host) -> Ending {
    let reason = match end {
        None => StopReason::TimeLimit,
        Some(Ok(status)) => return Ending::Exited { exit_code: (status & 0xff) as u8 },
        Some(Err(error)) => {
            if let Some(ExitStatus(exit_code)) = error.downcast_ref() {
                return Ending::Exited { exit_code: *exit_code };
            }
            if error.is::<OutOfFuel>() {
                return Ending::Stopped { reason: StopReason::CpuLimit };
            }
            match error.downcast_ref::<Trap>() {
                Some(Trap::StackOverflow) => StopReason::StackOverflow,
                Some(_) if host.memory.hit => StopReason::MemoryLimit,
                Some(trap) => StopReason::Crashed(trap.to_string()),
                None => StopReason::Crashed(error.root_cause().to_string()),
            }
        }
    };
    Ending::Stopped { reason }
}

/// Removes what a job leaves, and returns the files of it that are not of its project. What may take long is done on
/// another thread; the call is not over before it is done.
async fn clear_up(remains: Remains, collect_from: Option<Project>) -> Vec<OutputFile> {
    let is_large = remains.is_large;
    let ending = move || {
        // All of them, not only what is looked at.
        let remains = remains;
        match (&remains.workspace, &collect_from) {
            (Some(workspace), Some(project)) => collect(workspace, project),
            _ => Vec::new(),
        }
    };
    if is_large { blocking(ending).await.unwrap_or_default() } else { ending() }
}

/// Returns a text if it is JSON.
async fn checked(text: Option<String>) -> Option<JsonText> {
    match text {
        Some(text) if text.len() > LARGE_BYTES => blocking(|| JsonText::new(text)).await.ok().flatten(),
        text => text.and_then(JsonText::new),
    }
}

/// Makes the outcome of a call, and returns what the guest says is its result as JSON.
fn outcome(host: &mut Host, ending: Ending, fuel: u64) -> (Outcome, Option<String>) {
    let mut limits_hit = host.limits_hit();
    limits_hit.extend(match &ending {
        Ending::Stopped { reason: StopReason::TimeLimit } => Some(LimitHit::WallClock),
        Ending::Stopped { reason: StopReason::CpuLimit } => Some(LimitHit::Cpu),
        Ending::Stopped { reason: StopReason::StackOverflow } => Some(LimitHit::Stack),
        _ => None,
    });
    // An allocation beyond what there can be is refused before the memory is asked to grow.
    if host.call.report.error_type.as_deref() == Some("MemoryError") && !limits_hit.contains(&LimitHit::Memory) {
        limits_hit.push(LimitHit::Memory);
    }
    limits_hit.sort_unstable();
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let usage = Usage {
        cpu_us: microseconds(host.clock.cpu()),
        wall_us: microseconds(host.clock.elapsed()),
        fuel,
        peak_memory_bytes: host.memory.peak_bytes(),
        disk_bytes: host.files.quota.bytes(),
    };
    let CallState { outputs, report, .. } = std::mem::replace(&mut host.call, CallState::none());
    let outcome = Outcome {
        ending,
        stdout: outputs.stdout.finish(),
        stderr: outputs.stderr.finish(),
        result: report.result,
        result_json: None,
        exception: report.error_type.map(|kind| Exception {
            kind,
            message: report.error_message.unwrap_or_default(),
            line: report.error_line,
            frames: report.error_frames,
        }),
        limits_hit,
        capability_misses: report.misses,
        ended_in_miss: report.ended_in_miss,
        usage,
        outputs: Vec::new(),
        files: Vec::new(),
        tier: Tier::Wasm,
        route_reason: String::new(),
    };
    (outcome, report.result_json)
}

/// Collects the job's files, by paths in the project folder, and absolute ones in `/tmp`.
fn collect(workspace: &Workspace, project: &Project) -> Vec<OutputFile> {
    let mut files = Vec::new();
    let mut room = COLLECTED_BYTES_MAX;
    for (top, shown) in [("work", ""), ("tmp", "/tmp/")] {
        for on_disk in workspace.files(top) {
            let Ok(below) = on_disk.strip_prefix(top) else { continue };
            let path = format!("{shown}{}", readable(below));
            // Caches and the like of libraries, whose home folder this is.
            if path.starts_with("/tmp/.") {
                continue;
            }
            let Ok(content) = workspace.read(&on_disk, room) else { continue };
            if !project.has(&path, &content) {
                room -= content.len() as u64;
                files.push(OutputFile { path, content: content.into() });
            }
        }
    }
    files
}

/// Returns a path as text: bytes that are no UTF-8 are written as Python's `backslashreplace` writes them.
fn readable(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn names_that_are_no_text_are_readable() {
        let readable = |bytes: &[u8]| readable(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(readable("a/é.txt".as_bytes()), "a/é.txt");
        assert_eq!(readable(b"caf\xe9/\xff.txt"), "caf\\xe9/\\xff.txt");
    }
}
