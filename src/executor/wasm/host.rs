//! Everything a running instance can reach of its host, and the calls through which it does.

use super::{
    clock::Clock,
    deadline::Deadline,
    files::Files,
    libm,
    library::{Importable, Library},
    metering,
    stdio::{Input, Outputs},
};
use crate::{
    Limits, Project,
    executor::{Event, Interrupt, Observer, QUESTION, StopAt, TOOL_BYTES_MAX, ToolPort, displays::Displays},
    job::Stdin,
    outcome::{CapabilityMiss, ErrorFrame, LimitHit},
};
use bytes::Bytes;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use wasmtime::{CallHook, CallHookHandler, Caller, Extern, Linker, Memory, ResourceLimiter, StoreContextMut, bail};
use wasmtime_wasi::p1::{types::Errno, wasi_snapshot_preview1};

/// The state of one instance, which outlives a call.
pub(crate) struct Host {
    pub(crate) files: Files,
    pub(crate) memory: MemoryLimit,
    pub(crate) effects: Effects,
    pub(crate) clock: Clock,
    /// Set in a session of cells.
    pub(crate) interruptible: Option<Interruptible>,
    /// The call that the guest is in.
    pub(crate) call: CallState,
    library: Library,
    /// Code of the module that the guest asked for last.
    found: Bytes,
    /// What the present WASI call may spend, in bytes.
    pub(crate) hostcall_fuel: usize,
    yielded: Instant,
    /// The host call that returns now took less time than looking at the clock does.
    short_call: bool,
}

/// The state of one call: its streams, its budget, and what the guest says of it.
pub(crate) struct CallState {
    pub(crate) input: Input,
    pub(crate) outputs: Outputs,
    pub(crate) fuel: Fuel,
    pub(crate) report: Report,
    /// What it shows, in a session.
    pub(crate) displays: Option<Displays>,
    stop_at: Option<StopAt>,
    tools: Option<Tools>,
}

/// What a call has of the host's tools.
pub(crate) struct Tools {
    pub(crate) port: ToolPort,
    /// It stands still while results are waited for.
    pub(crate) deadline: Deadline,
    /// Results that the guest takes next.
    answers: Vec<u8>,
}

/// Says how the guest is told that it is interrupted.
pub(crate) struct Interruptible {
    pub(crate) interrupt: Interrupt,
    /// Words of its memory, and the bits to set there.
    pub(crate) words: [(u32, u32); 3],
}

impl Interruptible {
    /// Sets the bits.
    fn raise(&self, memory: &mut [u8]) {
        for (at, bits) in self.words {
            let word = memory.get_mut(at as usize..).and_then(|rest| rest.first_chunk_mut());
            if let Some(word) = word {
                *word = (u32::from_le_bytes(*word) | bits).to_le_bytes();
            }
        }
    }
}

/// Waits until the call is to be interrupted.
pub(crate) async fn interrupted(interruptible: Option<&Interruptible>) {
    match interruptible {
        Some(interruptible) => interruptible.interrupt.asked().await,
        None => std::future::pending().await,
    }
}

/// Holds what the guest said about its job.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) result: Option<String>,
    /// Not looked at before the end: it may be large, and told again and again.
    pub(crate) result_json: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) error_line: Option<u32>,
    pub(crate) error_frames: Vec<ErrorFrame>,
    pub(crate) misses: Vec<CapabilityMiss>,
    pub(crate) ended_in_miss: bool,
    /// Of an instance that is to be snapshotted; others have no say in it.
    pub(crate) baking: Option<Baking>,
}

/// Holds what became of importing modules for good.
#[derive(Debug, Default)]
pub(crate) struct Baking {
    pub(crate) modules: Vec<String>,
    /// Modules that cannot be in a snapshot, and why.
    pub(crate) unfit: Vec<(String, String)>,
    /// Environment variables that they asked for; `*` is all of them.
    pub(crate) variables: Vec<String>,
}

/// Says how often the guest did what a copy of it could not repeat.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) clock: u64,
    pub(crate) random: u64,
}

/// A guest can say anything, any number of times.
const REPORT_BYTES_MAX: usize = 16 << 20;
const MISSES_MAX: usize = 100;
/// How much is kept of the name of something that is missing, or of an exception's class.
const NAME_BYTES_MAX: usize = 500;

/// Longest path of a module that is looked for; longer ones are cut, and not found.
const MODULE_BYTES_MAX: u32 = 1024;

/// As PATH_MAX on Linux.
const PATH_BYTES_MAX: usize = 4095;

/// Modules and variables that are noted, and how much is said of each.
const BAKING_MAX: usize = 10_000;
const BAKING_CHARACTERS_MAX: usize = 500;

impl Baking {
    fn note(&mut self, kind: i32, text: &str) {
        if self.modules.len() + self.unfit.len() + self.variables.len() >= BAKING_MAX {
            return;
        }
        let text: String = text.chars().take(BAKING_CHARACTERS_MAX).collect();
        match kind {
            8 => self.modules.push(text),
            9 => {
                let (module, why) = text.split_once(": ").unwrap_or((&text, ""));
                self.unfit.push((module.to_owned(), why.to_owned()));
            }
            _ => self.variables.push(text),
        }
    }
}

/// The program has met something that is missing here, and that another attempt would have.
#[derive(Debug, thiserror::Error)]
#[error("{} is missing: {}", .0.kind, .0.detail)]
pub(crate) struct Missed(pub(crate) CapabilityMiss);

/// The guest called `exit`.
#[derive(Debug, thiserror::Error)]
#[error("exit status {0}")]
pub(crate) struct ExitStatus(pub(crate) u8);

/// The CPU budget, which the guest gets in slices.
#[derive(Debug)]
pub(crate) struct Fuel {
    budget: u64,
    /// What was used of slices that are over.
    used: u64,
    slice: i64,
}

/// The CPU budget is used up.
#[derive(Debug, thiserror::Error)]
#[error("out of fuel")]
pub(crate) struct OutOfFuel;

impl Fuel {
    /// Counts a slice of which `left` is left, and hands out another.
    fn next_slice(&mut self, left: i64) -> Result<i64, OutOfFuel> {
        self.used = self.used(left);
        let rest = self.budget.saturating_sub(self.used);
        if rest == 0 {
            return Err(OutOfFuel);
        }
        Ok(self.start_slice(rest))
    }

    /// Returns what was used so far, when `left` is left of the present slice.
    pub(crate) fn used(&self, left: i64) -> u64 {
        self.used.saturating_add_signed(self.slice.saturating_sub(left).max(0))
    }

    /// Starts anew with a budget; the guest gets what is returned.
    pub(crate) fn refill(&mut self, budget: u64) -> i64 {
        self.budget = budget;
        self.used = 0;
        self.start_slice(budget)
    }

    fn start_slice(&mut self, rest: u64) -> i64 {
        self.slice = i64::try_from(rest).unwrap_or(i64::MAX).min(metering::SLICE);
        self.slice
    }
}

/// Refuses memory beyond the job's limit, and remembers the most there was.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    bytes_max: usize,
    peak_bytes: u64,
    pub(crate) hit: bool,
}

impl MemoryLimit {
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.bytes_max;
        if allowed {
            self.peak_bytes = self.peak_bytes.max(desired as u64);
        } else {
            self.hit = true;
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        // The interpreter never grows its table; what it starts with is asked for as well.
        Ok(current == 0)
    }
}

impl CallState {
    pub(crate) fn new(
        stdin: Stdin,
        limits: &Limits,
        stop_at: Option<StopAt>,
        observer: Box<dyn Observer>,
    ) -> CallState {
        CallState {
            input: Input::new(stdin),
            outputs: Outputs::new(limits.output_bytes, observer),
            fuel: Fuel { budget: limits.cpu_fuel.unwrap_or(u64::MAX), used: 0, slice: metering::SLICE },
            report: Report::default(),
            displays: None,
            stop_at,
            tools: None,
        }
    }

    /// Lets the call use tools.
    pub(crate) fn offer(&mut self, port: ToolPort, deadline: Deadline) {
        self.tools = Some(Tools { port, deadline, answers: Vec::new() });
    }

    /// Makes the state of an instance that is in no call: nothing goes in, and nobody is told what comes out.
    pub(crate) fn none() -> CallState {
        CallState::new(Stdin::Empty, &Limits::default(), None, Box::new(|_: Event<'_>| ()))
    }

    fn take_report(&mut self, kind: i32, text: &str) -> Result<(), Missed> {
        let report = &mut self.report;
        match kind {
            1 => {
                report.result = Some(text.to_owned());
                if let Some(shown) = self.displays.as_mut().and_then(|displays| displays.add_value(text)) {
                    self.outputs.show(shown);
                }
            }
            2 => report.result_json = Some(text.to_owned()),
            3 => report.error_type = Some(start_of(text, NAME_BYTES_MAX).to_owned()),
            4 => report.error_message = Some(text.to_owned()),
            5 => report.error_line = text.parse().ok(),
            6 => {
                let text = start_of(text, NAME_BYTES_MAX);
                let (kind, detail) = text.split_once(": ").unwrap_or(("", text));
                let miss = CapabilityMiss { kind: kind.to_owned(), detail: detail.to_owned() };
                if self.stop_at.as_ref().is_some_and(|stops| stops(&miss)) {
                    return Err(Missed(miss));
                }
                let is_listed = miss.kind != QUESTION && !report.misses.contains(&miss);
                if is_listed && report.misses.len() < MISSES_MAX {
                    report.misses.push(miss);
                }
            }
            7 => report.ended_in_miss = true,
            8..=10 => {
                if let Some(baking) = &mut report.baking {
                    baking.note(kind, text);
                }
            }
            11 => report.error_frames = ErrorFrame::read_all(text),
            12 => {
                if let Some(shown) = self.displays.as_mut().and_then(|displays| displays.add(text)) {
                    self.outputs.show(shown);
                }
            }
            // The guest is hostile: what it says beyond that means nothing.
            _ => {}
        }
        Ok(())
    }
}

impl Host {
    pub(crate) fn new(project: Project, limits: &Limits, library: Library, clock: Clock) -> Host {
        let files = Files::new(project, &library, limits, None);
        Host::with_files(files, limits, library, clock)
    }

    /// Makes the state of an instance that has these files.
    pub(crate) fn with_files(files: Files, limits: &Limits, library: Library, clock: Clock) -> Host {
        Host {
            files,
            memory: MemoryLimit {
                bytes_max: usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX),
                peak_bytes: 0,
                hit: false,
            },
            effects: Effects::default(),
            clock,
            interruptible: None,
            call: CallState::none(),
            library,
            found: Bytes::new(),
            hostcall_fuel: usize::MAX,
            yielded: Instant::now(),
            short_call: false,
        }
    }

    /// Begins a call.
    pub(crate) fn begin(&mut self, call: CallState) {
        self.call = call;
        self.memory.hit = false;
        self.files.quota.hit.clear();
        self.clock.resume();
    }

    /// Has the guest see an interrupt at its next bytecode, if one was asked for.
    pub(super) fn interrupt(&mut self, memory: &mut [u8]) -> bool {
        let asked = self.interruptible.as_ref().filter(|interruptible| interruptible.interrupt.take());
        if let Some(interruptible) = asked {
            interruptible.raise(memory);
        }
        asked.is_some()
    }

    /// Spares the clock a look at the end of this call. What calls it again and again uses fuel, and with it comes to yield.
    pub(super) fn call_was_short(&mut self) {
        self.short_call = true;
    }

    pub(crate) fn limits_hit(&self) -> Vec<LimitHit> {
        let mut hit = self.files.quota.hit.clone();
        if self.memory.hit {
            hit.push(LimitHit::Memory);
        }
        if self.call.outputs.stdout.truncated() || self.call.outputs.stderr.truncated() {
            hit.push(LimitHit::Output);
        }
        hit
    }
}

/// Returns the first bytes of a text, cut between characters.
fn start_of(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Gives the guest WASI and the imports that `wasm-python/guest/host.h` declares.
pub(crate) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasi_snapshot_preview1::add_to_linker(linker, |host| host)?;
    libm::link(linker)?;
    let report = |mut caller: Caller<'_, Host>, kind: i32, at: u32, length: u32| -> wasmtime::Result<()> {
        if length as usize > REPORT_BYTES_MAX {
            return Ok(());
        }
        let (memory, host) = guest_memory(&mut caller)?;
        let text = String::from_utf8_lossy(slice(memory, at, length)?);
        host.call.take_report(kind, &text).map_err(Into::into)
    };
    linker.func_wrap("pyexec", "report", report)?;
    linker.func_wrap(
        "pyexec",
        "module_find",
        |mut caller: Caller<'_, Host>, at: u32, length: u32| -> wasmtime::Result<i64> {
            let (memory, host) = guest_memory(&mut caller)?;
            let stem = std::str::from_utf8(slice(memory, at, length.min(MODULE_BYTES_MAX))?).ok();
            let (code, kind) = match stem.and_then(|stem| host.library.importable(stem)) {
                None => return Ok(-1),
                Some(Importable::Module(code)) => (code, 0),
                Some(Importable::Package(code)) => (code, 1),
                Some(Importable::Namespace) => (Bytes::new(), 2),
            };
            let length = i64::try_from(code.len()).unwrap_or(i64::MAX >> 2);
            host.found = code;
            Ok(length << 2 | kind)
        },
    )?;
    linker.func_wrap("pyexec", "module_load", |mut caller: Caller<'_, Host>, at: u32| -> wasmtime::Result<()> {
        let code = std::mem::take(&mut caller.data_mut().found);
        let (memory, _) = guest_memory(&mut caller)?;
        let into = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..code.len()));
        let Some(into) = into else { bail!("module_load out of bounds") };
        into.copy_from_slice(&code);
        Ok(())
    })?;
    linker.func_wrap(
        "pyexec",
        "chmod",
        |mut caller: Caller<'_, Host>, fd: u32, at: u32, length: u32, mode: u32| -> wasmtime::Result<i32> {
            let (memory, host) = guest_memory(&mut caller)?;
            if length as usize > PATH_BYTES_MAX {
                return Ok(linux_errno(Errno::Nametoolong));
            }
            let path = slice(memory, at, length)?;
            Ok(host.files.chmod(fd, path, mode).err().map_or(0, linux_errno))
        },
    )?;
    linker.func_wrap("pyexec", "umask", |mut caller: Caller<'_, Host>, mask: u32, mode: i32| {
        caller.data_mut().files.umask(mask, u32::try_from(mode).ok());
    })?;
    linker.func_wrap("pyexec", "memory_limit", |caller: Caller<'_, Host>| {
        i64::try_from(caller.data().memory.bytes_max).unwrap_or(i64::MAX)
    })?;
    linker.func_wrap("pyexec", "disk", |caller: Caller<'_, Host>, kind: i32| {
        let (bytes, bytes_free, files, files_free) = caller.data().files.quota.room_left();
        let number = match kind {
            0 => bytes,
            1 => bytes_free,
            2 => files,
            _ => files_free,
        };
        i64::try_from(number).unwrap_or(i64::MAX)
    })?;
    linker.func_wrap("pyexec", "effects", |caller: Caller<'_, Host>, kind: i32| {
        let host = caller.data();
        let count = match kind {
            0 => host.effects.clock,
            1 => host.effects.random,
            2 => host.call.outputs.stdout.bytes() + host.call.outputs.stderr.bytes(),
            3 => host.files.uses(),
            _ => host.files.open_count() as u64,
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    })?;
    // The guest calls this whenever its slice of fuel is used up. On the way back, `Yielding` looks at the clock.
    linker.func_wrap("pyexec", "tick", |mut caller: Caller<'_, Host>| -> wasmtime::Result<()> {
        let Some(fuel) = caller.get_export(metering::FUEL).and_then(Extern::into_global) else {
            bail!("the interpreter is not metered")
        };
        let left = fuel.get(&mut caller).i64().unwrap_or(0);
        let slice = caller.data_mut().call.fuel.next_slice(left)?;
        if caller.data().interruptible.is_some() {
            let (memory, host) = guest_memory(&mut caller)?;
            host.interrupt(memory);
        }
        fuel.set(&mut caller, slice.into())
    })?;
    linker.func_wrap_async(
        "pyexec",
        "tools_call",
        |caller: Caller<'_, Host>, (at, length, seconds): (u32, u32, f64)| {
            Box::new(call_tools(caller, at, length, seconds))
        },
    )?;
    linker.func_wrap("pyexec", "tools_take", |mut caller: Caller<'_, Host>, at: u32| -> wasmtime::Result<()> {
        let answers = caller.data_mut().call.tools.as_mut().map(|tools| std::mem::take(&mut tools.answers));
        let answers = answers.unwrap_or_default();
        let (memory, _) = guest_memory(&mut caller)?;
        let into = memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..answers.len()));
        let Some(into) = into else { bail!("tools_take out of bounds") };
        into.copy_from_slice(&answers);
        Ok(())
    })?;
    linker.func_wrap("pyexec", "pipe", |mut caller: Caller<'_, Host>| -> i64 {
        match caller.data_mut().files.pipe() {
            Ok((reader, writer)) => i64::from(writer) << 32 | i64::from(reader),
            Err(error) => -i64::from(linux_errno(error)),
        }
    })?;
    linker.func_wrap("pyexec", "dup", |mut caller: Caller<'_, Host>, fd: u32, to: i32| -> i32 {
        let files = &mut caller.data_mut().files;
        let made = match u32::try_from(to) {
            Ok(to) => files.duplicate_to(fd, to).map(|()| to),
            Err(_) => files.duplicate(fd),
        };
        made.map_or_else(|error| -linux_errno(error), |fd| i32::try_from(fd).unwrap_or(i32::MAX))
    })?;
    Ok(())
}

/// Passes calls of tools on, and waits for results, an interrupt or the end of the time.
async fn call_tools(mut caller: Caller<'_, Host>, at: u32, length: u32, seconds: f64) -> wasmtime::Result<i64> {
    if length as usize > TOOL_BYTES_MAX {
        bail!("calls of tools are larger than {TOOL_BYTES_MAX} bytes");
    }
    let (memory, host) = guest_memory(&mut caller)?;
    let calls = slice(memory, at, length)?;
    let Some(tools) = &mut host.call.tools else { bail!("a call of a tool, of which there are none") };
    tools.port.ask(calls).map_err(wasmtime::Error::msg)?;
    // Time stands still only for what somebody answers.
    if !tools.port.has_outstanding() {
        return Ok(0);
    }
    host.clock.pause();
    tools.deadline.pause();
    let over = async {
        if seconds < 0.0 {
            std::future::pending().await
        } else {
            tokio::time::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)).await;
        }
    };
    let answered = tokio::select! {
        biased;
        answers = tools.port.answers() => answers,
        () = interrupted(host.interruptible.as_ref()) => Vec::new(),
        () = over => Vec::new(),
    };
    // What has ended the waiting may be an interrupt: the guest runs only in its turn.
    tools.port.go_on().await;
    tools.deadline.resume();
    let length = i64::try_from(answered.len()).unwrap_or(0);
    tools.answers = answered;
    host.clock.resume();
    host.interrupt(memory);
    Ok(length)
}

/// Lets the job's future be polled again and again while the guest runs, so that deadlines and cancellation are seen: what
/// the host does for the guest costs no fuel, so a guest could spend any time there.
pub(crate) struct Yielding;

/// Longest that a job runs without a yield, but for a single call of the host.
const YIELD_AFTER: Duration = Duration::from_micros(300);

impl CallHookHandler<Host> for Yielding {
    // As `async_trait` would have it, but for the allocation: it would box a future twice for every call of the host.
    fn handle_call_event<'a, 'b, 'c>(
        &'a self,
        mut store: StoreContextMut<'b, Host>,
        transition: CallHook,
    ) -> Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
    {
        if let CallHook::ReturningFromHost = transition {
            let host = store.data_mut();
            if !std::mem::take(&mut host.short_call) && host.yielded.elapsed() > YIELD_AFTER {
                host.yielded = Instant::now();
                return Box::pin(async {
                    tokio::task::yield_now().await;
                    Ok(())
                });
            }
        }
        Box::pin(Nothing)
    }
}

/// A future that is ready; it has no size, so that a box of it is no allocation.
struct Nothing;

impl Future for Nothing {
    type Output = wasmtime::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

/// Returns the Linux number of an error that our own imports return.
fn linux_errno(error: Errno) -> i32 {
    use Errno as E;
    match error {
        E::Perm | E::Notcapable => 1,
        E::Noent => 2,
        E::Badf => 9,
        E::Acces => 13,
        E::Notdir => 20,
        E::Mfile => 24,
        E::Rofs => 30,
        E::Nametoolong => 36,
        E::Loop => 40,
        _ => 5,
    }
}

fn guest_memory<'a>(caller: &'a mut Caller<'_, Host>) -> wasmtime::Result<(&'a mut [u8], &'a mut Host)> {
    let memory: Option<Memory> = caller.get_export("memory").and_then(Extern::into_memory);
    match memory {
        Some(memory) => Ok(memory.data_and_store_mut(caller)),
        None => bail!("the guest exports no memory"),
    }
}

fn slice(memory: &[u8], at: u32, length: u32) -> wasmtime::Result<&[u8]> {
    let bytes = memory.get(at as usize..).and_then(|rest| rest.get(..length as usize));
    match bytes {
        Some(bytes) => Ok(bytes),
        None => bail!("a pointer of the guest is out of bounds"),
    }
}
