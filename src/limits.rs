//! What a job may use. One struct, clamped once.

use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Limits of one job. [`Limits::default`] is what a job gets that asks for nothing.
///
/// | limit | default | maximum |
/// |---|---|---|
/// | wall clock | 300 s | 3,600 s |
/// | CPU budget | bounded by the wall clock | – |
/// | memory | 1,024 MiB | 4,096 MiB |
/// | disk | 2,048 MiB, 10,000 files | 20,480 MiB, 100,000 files |
/// | output per stream | 10 MB | 100 MB |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time from the start of the job to its end, asleep or not, in milliseconds.
    pub wall_clock_ms: u64,
    /// CPU budget in units of fuel (a few hundred for each Python loop or call); `None` leaves it to the wall clock. It is looked at
    /// in steps of half a million units.
    ///
    /// The same program uses the same fuel on every machine, so a budget is reproducible where a time is not.
    pub cpu_fuel: Option<u64>,
    /// Memory of the whole interpreter, in bytes. Python sees `MemoryError`. In Docker each process of the job may have
    /// that much; together they, and their files, have this and [`Limits::disk_bytes`].
    pub memory_bytes: u64,
    /// Bytes in the project directory and `/tmp` together; in Docker, where they cannot share one limit, in each. Python
    /// sees `OSError` with `ENOSPC`.
    pub disk_bytes: u64,
    /// Files, folders and links in the project directory and `/tmp` together; in Docker, in each.
    pub disk_files: u64,
    /// Bytes kept of each of stdout and stderr; more is counted and dropped from the middle.
    pub output_bytes: u64,
}

impl Limits {
    /// The most that any job may ask for, unless a service sets other maxima.
    pub const MAXIMA: Limits = Limits {
        wall_clock_ms: 3_600_000,
        cpu_fuel: None,
        memory_bytes: 4096 * MIB,
        disk_bytes: 20_480 * MIB,
        disk_files: 100_000,
        output_bytes: 100_000_000,
    };

    /// Returns these limits, none of them above its maximum.
    #[must_use]
    pub fn clamped(self, maxima: &Limits) -> Limits {
        Limits {
            wall_clock_ms: self.wall_clock_ms.min(maxima.wall_clock_ms),
            cpu_fuel: match (self.cpu_fuel, maxima.cpu_fuel) {
                (Some(asked), Some(most)) => Some(asked.min(most)),
                (asked, most) => asked.or(most),
            },
            memory_bytes: self.memory_bytes.min(maxima.memory_bytes),
            disk_bytes: self.disk_bytes.min(maxima.disk_bytes),
            disk_files: self.disk_files.min(maxima.disk_files),
            output_bytes: self.output_bytes.min(maxima.output_bytes),
        }
    }

    pub(crate) fn wall_clock(&self) -> Duration {
        Duration::from_millis(self.wall_clock_ms)
    }

    /// Shortens the wall clock, for time that went by elsewhere.
    pub(crate) fn shorten(&mut self, left: Duration) {
        let milliseconds = u64::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        self.wall_clock_ms = milliseconds.max(1).min(self.wall_clock_ms);
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            wall_clock_ms: 300_000,
            cpu_fuel: None,
            memory_bytes: 1024 * MIB,
            disk_bytes: 2048 * MIB,
            disk_files: 10_000,
            output_bytes: 10_000_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clamping_lowers_and_never_raises() {
        let asked = Limits { wall_clock_ms: u64::MAX, memory_bytes: 5, cpu_fuel: Some(7), ..Limits::default() };
        let clamped = asked.clamped(&Limits { cpu_fuel: Some(9), ..Limits::MAXIMA });
        assert_eq!(clamped.wall_clock_ms, Limits::MAXIMA.wall_clock_ms);
        assert_eq!(clamped.memory_bytes, 5);
        assert_eq!(clamped.cpu_fuel, Some(7));
        assert_eq!(Limits::default().clamped(&Limits { cpu_fuel: Some(9), ..Limits::MAXIMA }).cpu_fuel, Some(9));
    }
}
