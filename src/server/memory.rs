//! Memory that the allocator keeps when it has been freed, and that the system gets back from here.
//!
//! Output and results of jobs are large and live for minutes, between small things that live longer. glibc's allocator
//! keeps what is free between those for good: after a thousand jobs that print a lot it may be hundreds of megabytes.

/// Growth that nothing explains, before the allocator is asked for what it keeps.
const GROWTH_BYTES: u64 = 32 << 20;

/// Decides when the allocator is asked.
#[derive(Debug, Default)]
pub(super) struct Trimmer {
    /// The least that was used since, beside results that are kept.
    least: Option<u64>,
}

impl Trimmer {
    /// Looks at what is used now, and gives back what can be when that has grown. Blocks for some milliseconds then.
    pub(super) fn look(&mut self, kept_bytes: u64) {
        let used = || anonymous_bytes().map(|bytes| bytes.saturating_sub(kept_bytes));
        let Some(now) = used() else { return };
        if self.is_due(now) {
            trim();
            self.least = used();
        }
    }

    fn is_due(&mut self, used: u64) -> bool {
        let least = self.least.map_or(used, |least| least.min(used));
        self.least = Some(least);
        used > least.saturating_add(GROWTH_BYTES)
    }
}

fn anonymous_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?.trim().strip_suffix(" kB")?;
    kib.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    #[expect(unsafe_code, reason = "no library has it; see the argument inside")]
    mod c {
        // SAFETY: glibc has this function with exactly this type. It takes any number, may be called by any thread at any
        // time, and only gives back pages without anything that is in use.
        unsafe extern "C" {
            pub(super) safe fn malloc_trim(pad: usize) -> i32;
        }
    }
    c::malloc_trim(0);
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_is_asked_when_more_is_used_than_before() {
        let mut trimmer = Trimmer::default();
        let mib = 1 << 20;
        assert_eq!([100, 120, 132, 133].map(|used| trimmer.is_due(used * mib)), [false, false, false, true]);
        // Something went away meanwhile.
        assert_eq!([50, 80, 83].map(|used| trimmer.is_due(used * mib)), [false, false, true]);
    }

    /// What is free between things in use, which the allocator does not give back by itself.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn what_was_freed_is_given_back() {
        let mut kept = Vec::new();
        let large: Vec<Vec<u8>> = (0..4000)
            .map(|n| {
                kept.push(vec![1; 100]);
                vec![n as u8; 50_000]
            })
            .collect();
        let with = anonymous_bytes().expect("Linux");
        drop(large);
        trim();
        let without = anonymous_bytes().expect("Linux");
        assert!(without + (100 << 20) < with, "{with} before, {without} after");
        assert_eq!(kept.len(), 4000);
    }
}
