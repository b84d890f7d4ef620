//! A line on a terminal that says how it goes.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

const REDRAW: Duration = Duration::from_millis(200);

/// The line, or nothing when stderr is no terminal. Cheap to clone; it is gone with the last clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Option<Arc<Mutex<Line>>>);

#[derive(Debug)]
struct Line {
    status: String,
    began: Instant,
    drawn: bool,
    /// Whether the cursor is where a line can be drawn without hiding what the script wrote.
    at_start: bool,
}

impl Progress {
    pub(crate) fn on_terminal() -> Progress {
        if !stderr().is_terminal() {
            return Progress::default();
        }
        let line = Line { status: "waiting".into(), began: Instant::now(), drawn: false, at_start: true };
        let line = Arc::new(Mutex::new(line));
        let weak = Arc::downgrade(&line);
        thread::spawn(move || redraw(&weak));
        Progress(Some(line))
    }

    pub(crate) fn status(&self, status: &str) {
        if let Some(mut line) = self.line() {
            line.status = status.chars().filter(|c| !c.is_control()).take(40).collect();
        }
    }

    /// Takes the line away while something is written.
    pub(crate) fn around<T>(&self, written: &[u8], write: impl FnOnce() -> T) -> T {
        let Some(mut line) = self.line() else { return write() };
        line.clear();
        let done = write();
        if let Some(last) = written.last() {
            line.at_start = *last == b'\n';
        }
        done
    }

    pub(crate) fn clear(&self) {
        self.around(&[], || ());
    }

    fn line(&self) -> Option<MutexGuard<'_, Line>> {
        self.0.as_ref().map(|line| line.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn redraw(line: &Weak<Mutex<Line>>) {
    loop {
        thread::sleep(REDRAW);
        let Some(line) = line.upgrade() else { return };
        line.lock().unwrap_or_else(PoisonError::into_inner).draw();
    }
}

impl Line {
    fn draw(&mut self) {
        if self.at_start {
            let _ = write!(stderr(), "\r\x1b[K{} {:.0} s", self.status, self.began.elapsed().as_secs_f64());
            self.drawn = true;
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}
