//! Ties the flow together: what the library, the command line and the server all call.

use crate::{
    Job, Outcome, Result,
    cache::Verification,
    executor::{
        Event, Executor, Observer,
        wasm::{WasmExecutor, WasmOptions},
    },
};
use std::{path::PathBuf, sync::Arc};

/// Runs Python jobs. Make one and share it: cloning is cheap, and all clones share the same slots.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> pyexec::Result<()> {
/// let pyexec = pyexec::Pyexec::new()?;
/// let outcome = pyexec.run(pyexec::Job::code("print(6 * 7)")).await?;
/// assert_eq!(outcome.stdout.text, "42\n");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pyexec {
    wasm: Arc<WasmExecutor>,
}

impl Pyexec {
    /// With default settings. The first time on a machine this takes some ten seconds, in which the interpreter is
    /// compiled; prefer calling it outside of asynchronous code.
    ///
    /// # Errors
    ///
    /// When the compiled interpreter can be neither loaded nor made.
    pub fn new() -> Result<Pyexec> {
        Pyexec::builder().build()
    }

    /// Settings.
    pub fn builder() -> Builder {
        Builder { wasm: WasmOptions::default(), progress: Box::new(|line| tracing::info!("{line}")) }
    }

    /// Runs a job to its end. Must be called within a tokio runtime, on whose thread the job runs, in slices of less than
    /// a millisecond; dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`](crate::Error::InvalidJob) when the job is not acceptable,
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the service is at fault. A script that fails is neither: it
    /// is an [`Outcome`].
    pub async fn run(&self, job: Job) -> Result<Outcome> {
        self.run_observed(job, |_: Event<'_>| ()).await
    }

    /// As [`Pyexec::run`], and tells `observer` what happens, as it happens.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub async fn run_observed(&self, job: Job, observer: impl Observer) -> Result<Outcome> {
        self.wasm.run(job, Box::new(observer)).await
    }

    /// Runs a job on this thread. Must not be called from asynchronous code.
    ///
    /// # Errors
    ///
    /// As for [`Pyexec::run`].
    pub fn run_blocking(&self, job: Job) -> Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| crate::Error::caused("cannot start a runtime", e))?;
        runtime.block_on(self.run(job))
    }
}

/// Settings for a [`Pyexec`].
pub struct Builder {
    wasm: WasmOptions,
    progress: Box<dyn Fn(&str) + Send>,
}

impl Builder {
    /// Jobs that run at the same time; more wait. The default is 64.
    #[must_use]
    pub fn slots(mut self, slots: u32) -> Builder {
        self.wasm.slots = slots;
        self
    }

    /// Where compiled code is kept; the default is `pyexec/images` in the user's cache folder.
    ///
    /// # Security
    ///
    /// Code from this folder is run in this process. It must belong to this user and be closed to others.
    #[must_use]
    pub fn cache_folder(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.wasm.cache_folder = Some(folder.into());
        self
    }

    /// How compiled code is checked before it is used.
    #[must_use]
    pub fn verification(mut self, verification: Verification) -> Builder {
        self.wasm.verification = verification;
        self
    }

    /// Whether slots keep their memory pages from job to job, reset, where that is safe. The default is yes.
    #[must_use]
    pub fn page_reuse(mut self, reuse: bool) -> Builder {
        self.wasm.page_reuse = reuse;
        self
    }

    /// Is told what takes long when the interpreter is made. The default logs it.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(&str) + Send + 'static) -> Builder {
        self.progress = Box::new(progress);
        self
    }

    /// Loads the interpreter, or makes it.
    ///
    /// # Errors
    ///
    /// When the compiled interpreter can be neither loaded nor made.
    pub fn build(self) -> Result<Pyexec> {
        Ok(Pyexec { wasm: Arc::new(WasmExecutor::new(&self.wasm, &*self.progress)?) })
    }
}
