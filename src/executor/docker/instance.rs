//! Whose containers, networks and layers are whose.

use crate::{Error, Result};

const NAME_BYTES_MAX: usize = 64;

/// A name on all that an executor makes in Docker, by which what an earlier process left behind is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instance {
    /// One process at a time has this name, such as a server: all that carries it and is not this process's own is
    /// removed, unless its process is seen to live.
    Exclusive(String),
    /// Many may have it at once, such as command lines: only what a process has that is seen to have ended is removed, and
    /// of others what has ended or was never started.
    Shared(String),
}

impl Instance {
    /// Returns the name, which is letters, digits, `_`, `.` and `-`.
    pub fn name(&self) -> &str {
        match self {
            Instance::Exclusive(name) | Instance::Shared(name) => name,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let name = self.name();
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(usual) {
            return Ok(());
        }
        let problem = format!(
            "the instance name {name:?} is not 1 to {NAME_BYTES_MAX} letters, digits, '_', '.' and '-': choose another"
        );
        Err(Error::settings(vec![problem]))
    }
}

impl Default for Instance {
    /// Returns the instance that one user's processes share on a machine.
    fn default() -> Instance {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let usual = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let host: String = host.chars().take(NAME_BYTES_MAX / 2).map(usual).collect();
        Instance::Shared(format!("{host}-{}", rustix::process::getuid().as_raw()))
    }
}
