//! What a job may use. One struct, clamped once.

use std::{fmt, time::Duration};

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

    /// Sets the wall clock, to a millisecond.
    ///
    /// ```
    /// use pyexec::{ByteSize, Limits};
    /// use std::time::Duration;
    ///
    /// let limits = Limits::default().with_wall_clock(Duration::from_secs(2)).with_memory(ByteSize::mib(256));
    /// assert_eq!((limits.wall_clock_ms, limits.memory_bytes), (2_000, 256 << 20));
    /// ```
    #[must_use]
    pub fn with_wall_clock(self, limit: Duration) -> Limits {
        let wall_clock_ms = u64::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        Limits { wall_clock_ms, ..self }
    }

    /// Sets the CPU budget, in units of fuel.
    #[must_use]
    pub fn with_cpu_fuel(self, units: u64) -> Limits {
        Limits { cpu_fuel: Some(units), ..self }
    }

    /// Sets the memory.
    #[must_use]
    pub fn with_memory(self, limit: ByteSize) -> Limits {
        Limits { memory_bytes: limit.bytes(), ..self }
    }

    /// Sets the disk.
    #[must_use]
    pub fn with_disk(self, limit: ByteSize) -> Limits {
        Limits { disk_bytes: limit.bytes(), ..self }
    }

    /// Sets how many files there may be.
    #[must_use]
    pub fn with_disk_files(self, limit: u64) -> Limits {
        Limits { disk_files: limit, ..self }
    }

    /// Sets what is kept of each output stream.
    #[must_use]
    pub fn with_output(self, limit: ByteSize) -> Limits {
        Limits { output_bytes: limit.bytes(), ..self }
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

/// A number of bytes.
///
/// ```
/// use pyexec::ByteSize;
///
/// assert_eq!(ByteSize::mib(3).bytes(), 3 << 20);
/// assert_eq!([ByteSize::gib(2), ByteSize::from(1500)].map(|size| size.to_string()), ["2 GiB", "1500 B"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

impl ByteSize {
    /// Makes a size of so many times 1,024 bytes.
    pub const fn kib(count: u64) -> ByteSize {
        ByteSize(count.saturating_mul(1 << 10))
    }

    /// Makes a size of so many times 1,024 KiB.
    pub const fn mib(count: u64) -> ByteSize {
        ByteSize(count.saturating_mul(1 << 20))
    }

    /// Makes a size of so many times 1,024 MiB.
    pub const fn gib(count: u64) -> ByteSize {
        ByteSize(count.saturating_mul(1 << 30))
    }

    /// Returns the number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl From<u64> for ByteSize {
    fn from(bytes: u64) -> ByteSize {
        ByteSize(bytes)
    }
}

impl fmt::Display for ByteSize {
    /// Writes it in the largest unit that says it exactly.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let exact = units.into_iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        let (unit, name) = exact.unwrap_or((1, "B"));
        write!(f, "{} {name}", self.0 / unit)
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
