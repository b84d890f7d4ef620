//! One session in WebAssembly: an instance of its own, and what a call does in it.

use super::{
    bakery::Baked,
    clock::Clock,
    deadline::{Deadline, until},
    files::{Files, Remains},
    frozen::{self, Thawing},
    host::{CallState, ExitStatus, Host, Missed, OutOfFuel},
    image::{Image, Studio},
    instance::Instance,
    library::Library,
    stdio::Stream,
};
use crate::{
    Error, Limits, Outcome, Project, Result, Stdin, Want,
    blocking::blocking,
    executor::{
        COLLECTED_BYTES_MAX, Call, Code, Event, Frozen, Interrupt, Observer, Question, Run, Session, SessionFile,
        SessionSpec, ToolPort, displays::Displays, traceback,
    },
    outcome::{Ending, Exception, JsonText, LimitHit, OutputFile, StopReason, Tier, Usage},
    project::Workspace,
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::HashSet,
    io::ErrorKind,
    os::unix::ffi::OsStrExt,
    path::Path,
    pin::pin,
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
const LIVES_ON: u32 = 4;
const NEW_STDIN: u32 = 8;
const ASK: u32 = 16;

/// A session with an instance of its own, which starts with its first call.
pub(super) struct WasmSession {
    images: Images,
    library: Library,
    project: Project,
    env: Vec<(String, String)>,
    limits: Limits,
    collect_files: bool,
    home: Option<Arc<Path>>,
    /// Bytes and files that are there already.
    used: Option<(u64, u64)>,
    state: State,
}

/// Says how far a session has come.
enum State {
    /// There was no call.
    New,
    /// The interpreter waits for the next call; it was left with an input that it has read from, or not.
    Waiting { instance: Box<Instance>, has_read: bool },
    /// It is in a call, or was when that was dropped.
    InCall,
    /// There can be no other call, for this reason.
    Ended(&'static str),
}

const HAD_ITS_CALL: &str = "this session has had its call: open another one";
const LOST: &str = "this session was lost: a call of it had to be stopped, or crashed the interpreter";
const CUT_OFF: &str = "this session was lost: a call of it was cut off";

/// What a call that is out of time, and was interrupted, may still take.
const GRACE: Duration = Duration::from_millis(250);
/// What a question may take.
const QUESTION_TIME: Duration = Duration::from_secs(2);
const QUESTION_FUEL: u64 = 2_000_000_000;

/// Says what a session can start from.
pub(super) enum Images {
    Plain(Image),
    /// What has its packages imported, if there is one, or else what is for large jobs: imports make one.
    WithPackages {
        preloaded: Option<Arc<Baked>>,
        studio: Arc<Studio>,
    },
}

/// What a call has used.
struct Used {
    fuel: u64,
    cpu: Duration,
    wall: Duration,
}

/// Says how the guest's part of a call came to its end.
enum End {
    /// By itself, or in a trap.
    Guest(wasmtime::Result<i32>),
    /// It was out of time, and ended when it was interrupted.
    Interrupted,
    /// It was out of time.
    OutOfTime,
}

impl WasmSession {
    /// Opens a session with `library` below `/usr`: that of the images, perhaps with packages.
    pub(super) fn new(images: Images, library: Library, spec: SessionSpec) -> WasmSession {
        let SessionSpec { project, env, limits, collect_files, lives_on: _, home, used } = spec;
        WasmSession { images, library, project, env, limits, collect_files, home, used, state: State::New }
    }

    /// Goes on with a session that was frozen.
    pub(super) async fn thaw(bytes: &Bytes, image: Image, library: Library, spec: SessionSpec) -> Result<WasmSession> {
        let thawing = Thawing::read(bytes, &spec.limits)?;
        if thawing.image() != &*image.id {
            return Err(Error::invalid("the session was frozen by another version of the interpreter"));
        }
        let (instance, has_read) = thawing.instance(&image, &spec, &library).await?;
        let mut session = WasmSession::new(Images::Plain(image), library, spec);
        let mut instance = Box::new(instance);
        instance
            .be_interrupted_by(Interrupt::default())
            .await
            .map_err(|e| Error::caused("the session cannot be thawed", e))?;
        session.state = State::Waiting { instance, has_read };
        Ok(session)
    }

    /// Does something with the session's files, between calls.
    fn with_files<T>(&mut self, work: impl FnOnce(&mut Files) -> Result<T>) -> Result<T> {
        let has_read = matches!(self.state, State::Waiting { has_read: true, .. });
        let mut instance = self.take_instance("")?;
        let done = work(&mut instance.host_mut().files);
        self.state = State::Waiting { instance, has_read };
        done
    }

    /// Makes the instance, of an image in which the code finds what it would find otherwise.
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
        let mut files = Files::new(self.project.clone(), &self.library, &self.limits, self.home.clone());
        if let Some((bytes, count)) = self.used {
            files.quota.restore(bytes, count);
        }
        let host = Host::with_files(files, &self.limits, self.library.clone(), Clock::start());
        Ok(Instance::new(image.clone(), host))
    }

    /// Takes the instance, or makes it. The state is [`State::InCall`] then, until the call has ended.
    fn take_instance(&mut self, script: &str) -> Result<Box<Instance>> {
        match std::mem::replace(&mut self.state, State::InCall) {
            State::New => match self.instance(script) {
                Ok(instance) => Ok(Box::new(instance)),
                Err(error) => {
                    self.state = State::New;
                    Err(error)
                }
            },
            State::Waiting { instance, .. } => Ok(instance),
            State::InCall => {
                self.state = State::Ended(CUT_OFF);
                Err(Error::unavailable(CUT_OFF))
            }
            State::Ended(why) => {
                self.state = State::Ended(why);
                // Only a session of scripts has had its call by its caller's doing.
                Err(if why == HAD_ITS_CALL { Error::invalid(why) } else { Error::unavailable(why) })
            }
        }
    }
}

#[async_trait::async_trait]
impl Session for WasmSession {
    async fn call(&mut self, call: Call, observer: Box<dyn Observer>) -> Result<Run> {
        let has_read = matches!(self.state, State::Waiting { has_read: true, .. });
        let input = encode(&call, has_read, &self.project, &self.env, &self.library)?;
        let Call { code, stdin, limits, tools, stop_at, interrupt, .. } = call;
        let is_cell = matches!(code, Code::Cell { .. });
        let mut instance = self.take_instance(if let Code::Script(script) = &code { script } else { "" })?;
        let started = Instant::now();
        let at = started + limits.wall_clock();
        let deadline = if tools.is_some() { Deadline::movable(at) } else { Deadline::At(at) };
        let mut state = CallState::new(stdin, &limits, stop_at, observer);
        if let Some(tools) = tools {
            state.offer(tools, deadline.clone());
        }
        if is_cell {
            state.displays = Some(Displays::default());
        }
        let before = instance.host().clock.cpu();
        instance.host_mut().begin(state);
        instance.host_mut().call.outputs.started();

        let end = call_guest(&interrupt, &mut instance, input, &limits, &deadline, is_cell).await?;
        if let End::Guest(Err(error)) = &end
            && let Some(Missed(miss)) = error.downcast_ref()
        {
            self.state = State::Ended(LOST);
            return Ok(Run::Missed(miss.clone(), started.elapsed()));
        }
        let fuel = instance.fuel_used();
        let lives_on = is_cell && matches!(end, End::Guest(Ok(_)) | End::Interrupted);
        let ending = classify(end, instance.host());
        if let Ending::Stopped { reason } = &ending
            && !lives_on
        {
            let may_flush = !matches!(reason, StopReason::Crashed(_) | StopReason::StackOverflow);
            let dump = instance.post_mortem(may_flush).await;
            let explained = traceback::explain(reason, &limits);
            let text = traceback::format(&String::from_utf8_lossy(&dump), &explained, PROJECT, &self.project);
            instance.host_mut().call.outputs.write(Stream::Stderr, text.as_bytes());
        }
        let host = instance.host_mut();
        let has_read = host.call.input.was_read;
        let used = Used { fuel, cpu: host.clock.cpu().saturating_sub(before), wall: started.elapsed() };
        let (outcome, result_json) = outcome(host, ending, used);
        if lives_on {
            host.clock.pause();
            self.state = State::Waiting { instance, has_read };
            let result_json = checked(result_json).await;
            return Ok(Run::Ended(Box::new(Outcome { result_json, ..outcome })));
        }
        self.state = State::Ended(if is_cell { LOST } else { HAD_ITS_CALL });
        let remains = host.files.take_remains();
        drop(instance);
        // What follows is not in the job's time.
        let Collected { files, deleted, uncollected } =
            clear_up(remains, self.collect_files.then(|| self.project.clone())).await;
        let result_json = checked(result_json).await;
        Ok(Run::Ended(Box::new(Outcome { files, deleted_files: deleted, uncollected, result_json, ..outcome })))
    }

    async fn ask(&mut self, question: Question) -> Result<JsonText> {
        let call = Call {
            code: Code::Cell { name: String::new(), source: Bytes::new() },
            args: Vec::new(),
            stdin: Stdin::Empty,
            limits: Limits { cpu_fuel: Some(QUESTION_FUEL), ..self.limits },
            want: Want::Nothing,
            tools: None,
            stop_at: None,
            interrupt: Interrupt::default(),
        };
        let has_read = matches!(self.state, State::Waiting { has_read: true, .. });
        let mut input = encode(&call, false, &self.project, &self.env, &self.library)?;
        // The same record, as a question.
        input.truncate(input.len() - 3 * size_of::<u32>());
        input[..4].copy_from_slice(&(ASK | LIVES_ON).to_le_bytes());
        put(&mut input, question.name().as_bytes())?;
        put(&mut input, question.arguments().as_bytes())?;
        put(&mut input, b"")?;
        let mut instance = self.take_instance("")?;
        instance.host_mut().begin(CallState::new(Stdin::Empty, &call.limits, None, Box::new(|_: Event<'_>| ())));
        let deadline = Deadline::At(Instant::now() + QUESTION_TIME);
        let end = call_guest(&call.interrupt, &mut instance, input, &call.limits, &deadline, true).await?;
        let host = instance.host_mut();
        let answer = std::mem::replace(&mut host.call, CallState::none()).report.result_json;
        match end {
            End::Guest(Ok(_)) | End::Interrupted => {
                host.clock.pause();
                self.state = State::Waiting { instance, has_read };
            }
            End::Guest(Err(_)) | End::OutOfTime => self.state = State::Ended(LOST),
        }
        let answer = checked(answer).await;
        answer.ok_or_else(|| Error::unavailable(format!("the session does not answer ({})", question.name())))
    }

    async fn freeze(&mut self) -> Result<Frozen> {
        let has_read = matches!(self.state, State::Waiting { has_read: true, .. });
        let mut instance = self.take_instance("")?;
        let Images::Plain(image) = &self.images else {
            self.state = State::Waiting { instance, has_read };
            return Err(Error::unavailable("the session has not the image of sessions"));
        };
        if let Err(error) = instance.start().await {
            self.state = State::Ended(LOST);
            return Err(Error::caused("the session cannot be frozen", error));
        }
        let image = image.clone();
        // Large memories are compressed for a while.
        let freezing = blocking(move || {
            let frozen = frozen::freeze(&mut instance, &image, has_read);
            (instance, frozen)
        });
        let (instance, frozen) = freezing.await.map_err(|e| Error::caused("the session cannot be frozen", e))?;
        self.state = State::Waiting { instance, has_read };
        frozen.map(Frozen::new)
    }

    async fn list_files(&mut self) -> Result<Vec<SessionFile>> {
        self.with_files(Files::list_from_outside)
    }

    async fn read_file(&mut self, path: &str) -> Result<Bytes> {
        self.with_files(|files| files.read_from_outside(path)).map(Bytes::from)
    }

    async fn write_file(&mut self, path: &str, content: Bytes) -> Result<()> {
        self.with_files(|files| files.write_from_outside(path, &content))
    }

    async fn remove_file(&mut self, path: &str) -> Result<()> {
        self.with_files(|files| files.remove_from_outside(path))
    }

    fn is_alive(&self) -> bool {
        matches!(self.state, State::New | State::Waiting { .. })
    }
}

/// Runs what was encoded as `input`; [`End::OutOfTime`] also when the guest does not get to its first instruction.
async fn call_guest(
    interrupt: &Interrupt,
    instance: &mut Instance,
    input: Vec<u8>,
    limits: &Limits,
    deadline: &Deadline,
    is_cell: bool,
) -> Result<End> {
    match until(deadline, instance.host_mut().files.make_ready()).await {
        // The guest does not get to its first instruction.
        None => {}
        Some(made) => made.map_err(|error| Error::caused("the project's files cannot be written", error))?,
    }
    let starting = async {
        let is_new = instance.start().await?;
        match &mut instance.host_mut().interruptible {
            Some(interruptible) => interruptible.interrupt = interrupt.clone(),
            None if is_cell && is_new => instance.be_interrupted_by(interrupt.clone()).await?,
            None => {}
        }
        let at = instance.hand_over(&input).await?;
        drop(input);
        if limits.cpu_fuel.is_some() || is_cell {
            instance.refill(limits.cpu_fuel.unwrap_or(u64::MAX))?;
        }
        Ok(at)
    };
    let at = match until(deadline, starting).await {
        None => return Ok(End::OutOfTime),
        Some(Err(error)) => return Err(not_started(error, limits, instance.host())),
        Some(Ok(at)) => at,
    };
    if !is_cell {
        return Ok(until(deadline, instance.run(at)).await.map_or(End::OutOfTime, End::Guest));
    }
    let mut run = pin!(instance.run(at));
    if let Some(end) = until(deadline, run.as_mut()).await {
        return Ok(End::Guest(end));
    }
    interrupt.raise();
    Ok(match until(&deadline.later(GRACE), run).await {
        Some(Ok(_)) => End::Interrupted,
        Some(Err(error)) => End::Guest(Err(error)),
        None => End::OutOfTime,
    })
}

/// Encodes a call as `wasm-python/guest/guest.c` reads it.
fn encode(
    call: &Call,
    new_stdin: bool,
    project: &Project,
    env: &[(String, String)],
    library: &Library,
) -> Result<Vec<u8>> {
    let (script, path, source, lives_on) = match &call.code {
        Code::Script(script) => (&**script, Cow::Owned(format!("{PROJECT}/{script}")), project.read(script)?, 0),
        // As the interpreter has it where nothing is the script.
        Code::Cell { name, source } => ("", Cow::Borrowed(&**name), source.clone(), LIVES_ON),
    };
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
    let flags = flags | lives_on | if new_stdin { NEW_STDIN } else { 0 };
    bytes.extend_from_slice(&flags.to_le_bytes());
    put(&mut bytes, path.as_bytes())?;
    put(&mut bytes, &source)?;
    for list in lists {
        bytes.extend_from_slice(&length(list.len())?);
        for item in list {
            put(&mut bytes, item.as_bytes())?;
        }
    }
    put(&mut bytes, function.as_bytes())?;
    put(&mut bytes, arguments.as_bytes())?;
    let tools = call.tools.as_ref().map(ToolPort::declared).unwrap_or_default();
    put(&mut bytes, tools.as_bytes())?;
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

fn classify(end: End, host: &Host) -> Ending {
    let reason = match end {
        End::OutOfTime | End::Interrupted => StopReason::TimeLimit,
        End::Guest(Ok(status)) => return Ending::Exited { exit_code: (status & 0xff) as u8 },
        End::Guest(Err(error)) => {
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
async fn clear_up(remains: Remains, collect_from: Option<Project>) -> Collected {
    let is_large = remains.is_large;
    let ending = move || {
        // All of them, not only what is looked at.
        let remains = remains;
        match (&remains.workspace, &collect_from) {
            (Some(workspace), Some(project)) => collect(workspace, project),
            _ => Collected::default(),
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
fn outcome(host: &mut Host, ending: Ending, used: Used) -> (Outcome, Option<String>) {
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
        cpu_us: microseconds(used.cpu),
        wall_us: microseconds(used.wall),
        fuel: used.fuel,
        peak_memory_bytes: host.memory.peak_bytes(),
        disk_bytes: host.files.quota.bytes(),
    };
    let CallState { mut outputs, report, displays, .. } = std::mem::replace(&mut host.call, CallState::none());
    let mut displays = displays.unwrap_or_default();
    if let Some(cut) = displays.cut() {
        outputs.write(Stream::Stderr, cut.as_bytes());
    }
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
        displays: displays.take(),
        files: Vec::new(),
        deleted_files: Vec::new(),
        uncollected: Vec::new(),
        workspace: None,
        tier: Tier::Wasm,
        route_reason: String::new(),
    };
    (outcome, report.result_json)
}

/// Says what a job has changed.
#[derive(Default)]
struct Collected {
    files: Vec<OutputFile>,
    /// Of its project.
    deleted: Vec<String>,
    /// Too large to come back.
    uncollected: Vec<String>,
}

/// Collects the job's files, by paths in the project folder, and absolute ones in `/tmp`.
fn collect(workspace: &Workspace, project: &Project) -> Collected {
    let mut collected = Collected::default();
    let mut left: HashSet<String> = HashSet::new();
    let mut room = COLLECTED_BYTES_MAX;
    for (top, shown) in [("work", ""), ("tmp", "/tmp/")] {
        for on_disk in workspace.files(top) {
            let Ok(below) = on_disk.strip_prefix(top) else { continue };
            let path = format!("{shown}{}", readable(below));
            // Caches and the like of libraries, whose home folder this is.
            if path.starts_with("/tmp/.") {
                continue;
            }
            if shown.is_empty() {
                left.insert(path.clone());
            }
            match workspace.read(&on_disk, room) {
                Ok(content) if !project.has(&path, &content) => {
                    room -= content.len() as u64;
                    collected.files.push(OutputFile { path, content: content.into() });
                }
                Err(error) if error.kind() == ErrorKind::FileTooLarge => {
                    let file = workspace.open(&on_disk);
                    if !file.is_ok_and(|file| project.has_file(&path, file)) {
                        collected.uncollected.push(path);
                    }
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    let gone = project.files_themselves().filter(|path| !left.contains(*path));
    collected.deleted = gone.map(str::to_owned).collect();
    collected
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
