//! What a process of this machine holds.

use std::fs;

/// Memory, threads and open files of a process.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub rss_kib: u64,
    pub threads: u64,
    pub files: usize,
}

/// Of the process with this id.
pub fn usage(pid: u32) -> Usage {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process runs").count();
    Usage { rss_kib: number(pid, "VmRSS:"), threads: number(pid, "Threads:"), files }
}

/// Watches the most memory that a process has.
pub struct Peak {
    pid: u32,
    start_kib: u64,
}

impl Peak {
    /// From now on.
    pub fn of(pid: u32) -> Peak {
        fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("its peak can be reset");
        Peak { pid, start_kib: usage(pid).rss_kib }
    }

    /// How much more than at the start it had at some time.
    pub fn growth_kib(&self) -> u64 {
        number(self.pid, "VmHWM:").saturating_sub(self.start_kib)
    }
}

fn number(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
