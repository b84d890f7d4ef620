//! What goes on before a job runs, told to whoever waits for it.

use std::{fmt, sync::Arc};

/// Receives what goes on while something takes time, from any thread; cheap to clone.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Update<'_>) + Send + Sync>);

/// Says what goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update<'a> {
    /// A phase begins: a download, an installation. A few words.
    Phase(&'a str),
    /// A line of what a tool says meanwhile.
    Detail(&'a str),
}

impl Progress {
    /// Passes all updates to `receive`, which must not block.
    ///
    /// # Examples
    ///
    /// ```
    /// let progress = pyexec::Progress::new(|update| eprintln!("{update:?}"));
    /// progress.phase("installing numpy");
    /// ```
    pub fn new(receive: impl Fn(Update<'_>) + Send + Sync + 'static) -> Progress {
        Progress(Arc::new(receive))
    }

    /// Passes the phases to `receive`, and leaves the details out.
    pub fn phases(receive: impl Fn(&str) + Send + Sync + 'static) -> Progress {
        Progress::new(move |update| match update {
            Update::Phase(phase) => receive(phase),
            Update::Detail(_) => {}
        })
    }

    /// Tells nobody.
    pub fn silent() -> Progress {
        Progress::new(|_| ())
    }

    /// Tells that a phase begins.
    pub fn phase(&self, phase: &str) {
        (self.0)(Update::Phase(phase));
    }

    /// Tells a line of what a tool says.
    pub fn detail(&self, line: &str) {
        (self.0)(Update::Detail(line));
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
