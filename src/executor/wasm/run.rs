//! Runs one job in one fresh instance.

use super::{
    clock::Clock,
    files::Remains,
    host::{ExitStatus, Host, Missed, OutOfFuel, Yielding},
    image::Image,
    library::Library,
    metering,
    stdio::Stream,
};
use crate::{
    Error, Limits, Outcome, Project, ResolvedJob, Result, Want,
    blocking::blocking,
    executor::{COLLECTED_BYTES_MAX, Observer, Run, StopAt, traceback},
    outcome::{Ending, Exception, JsonText, LimitHit, OutputFile, StopReason, Tier, Usage},
    project::Workspace,
};
use std::{
    future::poll_fn,
    os::unix::ffi::OsStrExt,
    path::Path,
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};
use wasmtime::{Instance, Store, Trap};

/// Fuel for a stopped guest to flush its output and say where it was.
const LAST_WORDS_FUEL: u64 = 20_000_000;

/// Of text that is looked through on another thread.
const LARGE_BYTES: usize = 1 << 20;

/// `sys.path[0]` and the working directory.
const PROJECT: &str = "/work";

const WANT_RESULT: u32 = 1;
const CALL_FUNCTION: u32 = 2;

/// Runs a job with `library` below `/usr`: that of the image, perhaps with packages.
pub(crate) async fn run(
    image: &Image,
    library: Library,
    mut job: ResolvedJob,
    stop_at: Option<StopAt>,
    observer: Box<dyn Observer>,
    reason: &str,
) -> Result<Run> {
    let input = encode(&job, &library)?;
    // Arguments may be as large as a request, and are in there.
    job.want = Want::Nothing;
    let limits = job.limits;
    let started = Instant::now();
    let deadline = started + limits.wall_clock();

    let host = Host::new(job.project.clone(), job.stdin, &limits, observer, library, Clock::start(), stop_at);
    let mut store = Store::new(image.pre.module().engine(), host);
    store.limiter(|host| &mut host.memory);
    store.call_hook_async(Yielding);
    store.data_mut().outputs.started();

    match until(deadline, store.data_mut().files.make_ready()).await {
        // The guest does not get to its first instruction.
        None => {}
        Some(made) => made.map_err(|error| Error::caused("the project's files cannot be written", error))?,
    }
    let (end, instance) = match until(deadline, start(image, &mut store, input, limits.cpu_fuel)).await {
        None => (None, None),
        Some(Err(error)) => return Err(not_started(error, &limits, store.data())),
        Some(Ok((instance, at))) => {
            let call = call_run(&mut store, instance, at);
            (until(deadline, call).await, Some(instance))
        }
    };
    if let Some(Err(error)) = &end
        && let Some(Missed(miss)) = error.downcast_ref()
    {
        return Ok(Run::Missed(miss.clone(), started.elapsed()));
    }
    let used = instance.map_or(0, |instance| fuel_used(&mut store, instance));
    let ending = classify(end, store.data());
    if let (Ending::Stopped { reason }, Some(instance)) = (&ending, instance) {
        last_words(&mut store, instance, reason, &limits, &job.project).await;
    }
    let mut host = store.into_data();
    let (remains, result_json) = (host.files.take_remains(), host.report.result_json.take());
    let outcome = outcome(host, ending, used, reason);
    // What follows is not in the job's time.
    let files = clear_up(remains, job.collect_files.then_some(job.project)).await;
    let result_json = checked(result_json).await;
    Ok(Run::Ended(Box::new(Outcome { files, result_json, ..outcome })))
}

/// Encodes the job as `wasm-python/guest/guest.c` reads it.
fn encode(job: &ResolvedJob, library: &Library) -> Result<Vec<u8>> {
    let script = &*job.script;
    let source = job.project.read(script)?;
    let (flags, function, arguments) = match &job.want {
        Want::Nothing => (0, "", ""),
        Want::LastExpression => (WANT_RESULT, "", ""),
        Want::Call { function, arguments } if arguments.as_str() == "null" => (CALL_FUNCTION, function.as_str(), ""),
        Want::Call { function, arguments } => (CALL_FUNCTION, function.as_str(), arguments.as_str()),
    };
    let mut argv = vec![script];
    argv.extend(job.args.iter().map(String::as_str));
    let env: Vec<&str> = job.env.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    let beside = job.project.modules_beside(script);
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

async fn start(
    image: &Image,
    store: &mut Store<Host>,
    input: Vec<u8>,
    budget: Option<u64>,
) -> wasmtime::Result<(Instance, u32)> {
    let instance = image.pre.instantiate_async(&mut *store).await?;
    let at = hand_over(store, instance, &input).await?;
    drop(input);
    if let Some(budget) = budget {
        refill(store, instance, budget)?;
    }
    Ok((instance, at))
}

/// Writes input into memory that the guest gives for it, and returns where that is.
pub(super) async fn hand_over(store: &mut Store<Host>, instance: Instance, input: &[u8]) -> wasmtime::Result<u32> {
    let size = u32::try_from(input.len())?;
    let allocate = instance.get_typed_func::<u32, u32>(&mut *store, "pyexec_allocate")?;
    let at = allocate.call_async(&mut *store, size).await?;
    let memory = instance.get_memory(&mut *store, "memory").ok_or_else(|| wasmtime::format_err!("no memory"))?;
    if at == 0 {
        wasmtime::bail!("no memory for the job");
    }
    memory.write(&mut *store, at as usize, input)?;
    Ok(at)
}

async fn call_run(store: &mut Store<Host>, instance: Instance, at: u32) -> wasmtime::Result<i32> {
    instance.get_typed_func::<u32, i32>(&mut *store, "pyexec_run")?.call_async(store, at).await
}

/// Returns the result of `work`, or `None` when the deadline comes first. The clock is looked at whenever the guest
/// yields, so a busy runtime, whose timers are late, does not make a job late.
pub(super) async fn until<T>(deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut timer = pin!(tokio::time::sleep_until(deadline.into()));
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        if Instant::now() >= deadline || timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

fn fuel_used(store: &mut Store<Host>, instance: Instance) -> u64 {
    let left = instance.get_global(&mut *store, metering::FUEL).and_then(|fuel| fuel.get(&mut *store).i64());
    store.data().fuel.used(left.unwrap_or(0))
}

fn refill(store: &mut Store<Host>, instance: Instance, budget: u64) -> wasmtime::Result<()> {
    let slice = store.data_mut().fuel.refill(budget);
    match instance.get_global(&mut *store, metering::FUEL) {
        Some(fuel) => fuel.set(store, slice.into()),
        None => wasmtime::bail!("the interpreter is not metered"),
    }
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

/// Lets a stopped guest flush what it had printed and say where it was. Its state may be anything: both are best effort,
/// with fuel of their own.
async fn last_words(
    store: &mut Store<Host>,
    instance: Instance,
    reason: &StopReason,
    limits: &Limits,
    project: &Project,
) {
    let deadline = Instant::now() + Duration::from_millis(50);
    if !matches!(reason, StopReason::Crashed(_) | StopReason::StackOverflow) {
        call_briefly(store, instance, "pyexec_flush", deadline).await;
    }
    store.data_mut().outputs.divert();
    call_briefly(store, instance, "pyexec_where", deadline).await;
    let outputs = &mut store.data_mut().outputs;
    let dump = outputs.diverted();
    let text =
        traceback::format(&String::from_utf8_lossy(&dump), &traceback::explain(reason, limits), PROJECT, project);
    outputs.write(Stream::Stderr, text.as_bytes());
}

async fn call_briefly(store: &mut Store<Host>, instance: Instance, export: &str, deadline: Instant) {
    if refill(store, instance, LAST_WORDS_FUEL).is_err() {
        return;
    }
    if let Ok(function) = instance.get_typed_func::<(), ()>(&mut *store, export) {
        // A trap here is one more sign of the state the guest is in.
        let _ = until(deadline, function.call_async(&mut *store, ())).await;
    }
}

/// Removes what a job leaves, and returns the files of it that are not of its project. What may take long is done on
/// another thread; the job's slot is not free before it is done.
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

fn outcome(host: Host, ending: Ending, fuel: u64, reason: &str) -> Outcome {
    let mut limits_hit = host.limits_hit();
    limits_hit.extend(match &ending {
        Ending::Stopped { reason: StopReason::TimeLimit } => Some(LimitHit::WallClock),
        Ending::Stopped { reason: StopReason::CpuLimit } => Some(LimitHit::Cpu),
        Ending::Stopped { reason: StopReason::StackOverflow } => Some(LimitHit::Stack),
        _ => None,
    });
    limits_hit.sort_unstable();
    let disk_bytes = host.files.quota.bytes();
    let Host { outputs, clock, memory, report, .. } = host;
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let usage = Usage {
        cpu_us: microseconds(clock.cpu()),
        wall_us: microseconds(clock.elapsed()),
        fuel,
        peak_memory_bytes: memory.peak_bytes(),
        disk_bytes,
    };
    Outcome {
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
        route_reason: reason.to_owned(),
    }
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
