//! What a script prints, on its way to stdout and stderr.
//!
//! A script may run a second time, on another tier: then only the output of the second run counts. On a pipe or in a file
//! the output of a run that may not be the last is therefore held back, until the run ends, waits for input, has printed
//! [`HELD_BYTES_MAX`], or [`HELD_TIME_MAX`] has gone by. On a terminal it is shown as it comes. Of output that was shown
//! already, a second run shows only what differs, with a line before it that says so.

use super::{
    Failure, Result,
    console::{note, pass_on, pass_on_error},
    notebook::Cells,
    options::OutputOptions,
    progress::Progress,
    replay::Stream,
};
use pyexec::outcome::Output;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const HELD_BYTES_MAX: usize = 4 << 20;
const HELD_TIME_MAX: Duration = Duration::from_secs(10);
/// A script that waits longer than this for input has asked somebody for it.
const INPUT_WAIT: Duration = Duration::from_millis(50);

/// Says where the output of one script goes.
#[derive(Debug)]
pub(crate) struct Screen {
    output: OutputOptions,
    pub(crate) progress: Progress,
    out: Shown,
    err: Shown,
    /// Why the script runs again, when some of its output was shown before, until the user is told.
    restarted: Option<String>,
    held: Option<Held>,
    /// The script's files are wanted, whoever reads its output.
    files_wanted: bool,
    /// Locates the cells of the notebook that runs, if one does.
    cells: Option<Cells>,
}

#[derive(Debug, Default)]
struct Shown {
    stream: Stream,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Out,
    Err,
}

#[derive(Debug, Default)]
struct Held {
    pieces: Vec<(Kind, Vec<u8>)>,
    bytes: usize,
    since: Option<Instant>,
}

impl Screen {
    pub(crate) fn new(output: OutputOptions, progress: Progress, files_wanted: bool) -> Screen {
        let (out, err) = (Shown::default(), Shown::default());
        Screen { output, progress, out, err, restarted: None, held: None, files_wanted, cells: None }
    }

    /// Names lines of a notebook's script by its cells.
    pub(crate) fn take_cells(&mut self, cells: Option<Cells>) {
        self.cells = cells;
    }

    pub(crate) fn cells(&self) -> Option<&Cells> {
        self.cells.as_ref()
    }

    /// Begins a run, whose output is held back if `hold` says so.
    pub(crate) fn begin(&mut self, hold: bool) {
        self.held = hold.then(Held::default);
    }

    pub(crate) fn stdout(&mut self, bytes: &[u8]) -> Result<()> {
        if self.output.json { Ok(()) } else { self.take(Kind::Out, bytes) }
    }

    pub(crate) fn stderr(&mut self, bytes: &[u8]) -> Result<()> {
        // A quiet run shows it at the end, when it says why the script failed.
        if self.output.json || self.output.quiet { Ok(()) } else { self.take(Kind::Err, bytes) }
    }

    /// Shows a line of pyexec's own.
    pub(crate) fn line(&mut self, text: &str) {
        if !self.output.quiet {
            self.progress.around(b"\n", || note!("pyexec: {text}"));
        }
    }

    /// Returns how many bytes of stdout were shown, or dropped as those of a first run.
    pub(crate) fn stdout_bytes(&self) -> u64 {
        self.out.bytes
    }

    /// Returns whether anything of stderr was shown.
    pub(crate) fn has_stderr(&self) -> bool {
        self.err.bytes > 0
    }

    /// Shows what is missing of the whole output, of which the beginning was shown.
    pub(crate) fn complete(&mut self, stdout: &Output, stderr: &Output) -> Result<()> {
        let rest = |whole: &Output, shown: u64| -> Option<Vec<u8>> {
            let shown = usize::try_from(shown).ok()?;
            // Of a stream that was cut only the first half is where it was.
            let is_known = !whole.truncated || shown <= whole.text.len() / 2;
            whole.text.as_bytes().get(shown..).filter(|_| is_known).map(<[u8]>::to_vec)
        };
        let (out, err) = (rest(stdout, self.out.bytes), rest(stderr, self.err.bytes));
        self.stdout(&out.unwrap_or_default())?;
        self.stderr(&err.unwrap_or_default())
    }

    /// Drops what a void run has shown, as the script runs again.
    pub(crate) fn restart(&mut self, reason: &str) {
        if self.output.verbose {
            self.line(reason);
        }
        if self.held.take().is_none() {
            self.restarted = Some(reason.to_owned());
            self.out.restart();
            self.err.restart();
        }
    }

    /// Shows what was held back for long enough, or what must be seen because the script has waited for input since.
    pub(crate) fn tick(&mut self, waiting_since: Option<Instant>) -> Result<()> {
        let Some(Held { since: Some(since), .. }) = &self.held else { return Ok(()) };
        let is_asking = waiting_since.is_some_and(|waiting| waiting.elapsed() >= INPUT_WAIT);
        if is_asking || since.elapsed() >= HELD_TIME_MAX { self.release() } else { Ok(()) }
    }

    /// Shows what was held back, and passes on from here on.
    pub(crate) fn release(&mut self) -> Result<()> {
        let held = self.held.take().unwrap_or_default();
        held.pieces.into_iter().try_for_each(|(kind, bytes)| self.show(kind, &bytes))
    }

    /// Ends the last run.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.release()?;
        if let Some(rest) = self.cells.as_mut().map(Cells::rest).filter(|rest| !rest.is_empty()) {
            self.progress.around(&rest, || pass_on_error(&rest))?;
        }
        let surplus = self.out.stream.surplus() + self.err.stream.surplus();
        if surplus > 0
            && let Some(reason) = self.restarted.take()
        {
            self.line(&format!("{reason}; it printed less then: the last {surplus} bytes are of the run before"));
        }
        Ok(())
    }

    fn take(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        let Some(held) = &mut self.held else { return self.show(kind, bytes) };
        held.since.get_or_insert_with(Instant::now);
        held.bytes += bytes.len();
        match held.pieces.last_mut() {
            Some((last, piece)) if *last == kind => piece.extend_from_slice(bytes),
            _ => held.pieces.push((kind, bytes.to_vec())),
        }
        if held.bytes > HELD_BYTES_MAX { self.release() } else { Ok(()) }
    }

    fn show(&mut self, kind: Kind, bytes: &[u8]) -> Result<()> {
        let shown = match kind {
            Kind::Out => &mut self.out,
            Kind::Err => &mut self.err,
        };
        shown.bytes += bytes.len() as u64;
        let new = shown.stream.printed(bytes);
        let pass_on: fn(&[u8]) -> Result<()> = match kind {
            Kind::Out => pass_on,
            Kind::Err => pass_on_error,
        };
        if new.cuts_line {
            self.progress.around(b"\n", || pass_on(b"\n"))?;
        }
        if new.differs
            && let Some(reason) = self.restarted.take()
        {
            self.line(&format!("{reason}; only the output from here on counts"));
        }
        let bytes = match (kind, &mut self.cells) {
            (Kind::Err, Some(cells)) => Cow::Owned(cells.named(&new.bytes)),
            _ => Cow::Borrowed(&*new.bytes),
        };
        match self.progress.around(&bytes, || pass_on(&bytes)) {
            Err(Failure::ReaderGone) if self.files_wanted => Ok(()),
            shown => shown,
        }
    }
}

impl Shown {
    fn restart(&mut self) {
        self.stream.restart();
        self.bytes = 0;
    }
}

/// The time since when a script waits for its input, if it does.
pub(crate) type Waiting = Arc<Mutex<Option<Instant>>>;

pub(crate) fn waiting_since(waiting: &Waiting) -> Option<Instant> {
    *waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn set_waiting(waiting: &Waiting, is_waiting: bool) {
    let mut since = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    *since = if is_waiting { since.or_else(|| Some(Instant::now())) } else { None };
}
