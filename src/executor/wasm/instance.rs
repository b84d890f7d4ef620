//! A running copy of the interpreter: its store, and what the host calls in it.

use super::{
    deadline::{Deadline, until},
    host::{Host, Interruptible, Yielding},
    image::Image,
    metering,
};
use crate::executor::Interrupt;
use std::time::{Duration, Instant};
use wasmtime::{Memory, Store, TypedFunc, Val};

/// Fuel for a stopped guest to flush its output and say where it was.
const POST_MORTEM_FUEL: u64 = 20_000_000;
const POST_MORTEM: Duration = Duration::from_millis(50);

/// Holds a copy of the interpreter, which starts when it is first needed.
pub(crate) struct Instance {
    image: Image,
    store: Store<Host>,
    /// `None` until it has started.
    guest: Option<Guest>,
}

#[derive(Clone, Copy)]
struct Guest {
    instance: wasmtime::Instance,
    fuel: wasmtime::Global,
}

impl Instance {
    /// Makes a copy that has not started.
    pub(crate) fn new(image: Image, host: Host) -> Instance {
        let mut store = Store::new(image.pre.module().engine(), host);
        store.limiter(|host| &mut host.memory);
        store.call_hook_async(Yielding);
        Instance { image, store, guest: None }
    }

    /// Starts the copy, unless it has started, and returns whether it had not.
    ///
    /// # Errors
    ///
    /// When there is no room for it, or the image is not one of ours.
    pub(crate) async fn start(&mut self) -> wasmtime::Result<bool> {
        let is_new = self.guest.is_none();
        if is_new {
            let instance = self.image.pre.instantiate_async(&mut self.store).await?;
            let Some(fuel) = instance.get_global(&mut self.store, metering::FUEL) else {
                wasmtime::bail!("the interpreter is not metered")
            };
            self.guest = Some(Guest { instance, fuel });
        }
        Ok(is_new)
    }

    pub(crate) fn host(&self) -> &Host {
        self.store.data()
    }

    pub(crate) fn host_mut(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    pub(crate) fn module(&self) -> &wasmtime::Module {
        self.image.pre.module()
    }

    /// Returns the value of a global that is exported.
    pub(crate) fn global(&mut self, name: &str) -> wasmtime::Result<Val> {
        let instance = self.guest()?.instance;
        match instance.get_global(&mut self.store, name) {
            Some(global) => Ok(global.get(&mut self.store)),
            None => wasmtime::bail!("the image has no global {name}"),
        }
    }

    pub(crate) fn set_global(&mut self, name: &str, value: Val) -> wasmtime::Result<()> {
        let instance = self.guest()?.instance;
        match instance.get_global(&mut self.store, name) {
            Some(global) => global.set(&mut self.store, value),
            None => wasmtime::bail!("the image has no global {name}"),
        }
    }

    /// Returns all memory of the guest.
    pub(crate) fn memory(&mut self) -> wasmtime::Result<&[u8]> {
        let memory = self.linear_memory()?;
        Ok(memory.data(&self.store))
    }

    /// Grows memory to a number of its pages of 64 KiB.
    pub(crate) async fn grow_to(&mut self, pages: u64) -> wasmtime::Result<()> {
        let memory = self.linear_memory()?;
        let more = pages.saturating_sub(memory.size(&self.store));
        if more > 0 {
            memory.grow_async(&mut self.store, more).await?;
        }
        Ok(())
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) -> wasmtime::Result<()> {
        let memory = self.linear_memory()?;
        Ok(memory.write(&mut self.store, at, bytes)?)
    }

    fn linear_memory(&mut self) -> wasmtime::Result<Memory> {
        let instance = self.guest()?.instance;
        instance.get_memory(&mut self.store, "memory").ok_or_else(|| wasmtime::format_err!("no memory"))
    }

    /// Writes input into memory of the guest, and returns where that is.
    pub(crate) async fn hand_over(&mut self, input: &[u8]) -> wasmtime::Result<u32> {
        let instance = self.guest()?.instance;
        hand_over(&mut self.store, instance, input).await
    }

    /// Runs the script that was handed over, and returns its exit status.
    pub(crate) async fn run(&mut self, at: u32) -> wasmtime::Result<i32> {
        let run: TypedFunc<u32, i32> = self.function("pyexec_run")?;
        run.call_async(&mut self.store, at).await
    }

    /// Lets the calls of a session be interrupted.
    pub(crate) async fn be_interrupted_by(&mut self, interrupt: Interrupt) -> wasmtime::Result<()> {
        let ask: TypedFunc<(), u32> = self.function("pyexec_interrupt")?;
        let at = ask.call_async(&mut self.store, ()).await?;
        let instance = self.guest()?.instance;
        let Some(memory) = instance.get_memory(&mut self.store, "memory") else { wasmtime::bail!("no memory") };
        let mut bytes = [0; 24];
        memory.read(&self.store, at as usize, &mut bytes)?;
        let mut words = bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let words = std::array::from_fn(|_| (words.next().unwrap_or(0), words.next().unwrap_or(0)));
        self.store.data_mut().interruptible = Some(Interruptible { interrupt, words });
        Ok(())
    }

    /// Gives the guest a budget of fuel, the first slice of it at once.
    pub(crate) fn refill(&mut self, budget: u64) -> wasmtime::Result<()> {
        let fuel = self.guest()?.fuel;
        let slice = self.store.data_mut().call.fuel.refill(budget);
        fuel.set(&mut self.store, slice.into())
    }

    /// Returns the fuel that the present call has used.
    pub(crate) fn fuel_used(&mut self) -> u64 {
        let Some(guest) = self.guest else { return 0 };
        let left = guest.fuel.get(&mut self.store).i64();
        self.store.data().call.fuel.used(left.unwrap_or(0))
    }

    /// Lets a stopped guest flush what it had printed, unless it crashed, and returns where it says that it was. Its state
    /// may be anything: both are best effort, with fuel of their own.
    pub(crate) async fn post_mortem(&mut self, may_flush: bool) -> Vec<u8> {
        let deadline = Deadline::At(Instant::now() + POST_MORTEM);
        if may_flush {
            self.call_briefly("pyexec_flush", &deadline).await;
        }
        self.store.data_mut().call.outputs.divert();
        self.call_briefly("pyexec_where", &deadline).await;
        self.store.data_mut().call.outputs.diverted()
    }

    async fn call_briefly(&mut self, export: &str, deadline: &Deadline) {
        if self.refill(POST_MORTEM_FUEL).is_err() {
            return;
        }
        if let Ok(function) = self.function::<(), ()>(export) {
            // A trap here is one more sign of the state the guest is in.
            let _ = until(deadline, function.call_async(&mut self.store, ())).await;
        }
    }

    fn function<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(
        &mut self,
        export: &str,
    ) -> wasmtime::Result<TypedFunc<P, R>> {
        let instance = self.guest()?.instance;
        instance.get_typed_func(&mut self.store, export)
    }

    fn guest(&self) -> wasmtime::Result<Guest> {
        self.guest.ok_or_else(|| wasmtime::format_err!("the interpreter has not started"))
    }
}

/// Writes input into memory that the guest gives for it, and returns where that is.
pub(super) async fn hand_over(
    store: &mut Store<Host>,
    instance: wasmtime::Instance,
    input: &[u8],
) -> wasmtime::Result<u32> {
    let allocate: TypedFunc<u32, u32> = instance.get_typed_func(&mut *store, "pyexec_allocate")?;
    let at = allocate.call_async(&mut *store, u32::try_from(input.len())?).await?;
    let memory = instance.get_memory(&mut *store, "memory").ok_or_else(|| wasmtime::format_err!("no memory"))?;
    if at == 0 {
        wasmtime::bail!("no memory for the job");
    }
    memory.write(&mut *store, at as usize, input)?;
    Ok(at)
}
