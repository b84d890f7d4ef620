//! What an environment is for: a version of Python, and the system whose wheels it takes.

use serde::{Deserialize, Serialize};

/// A Python on a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// Major and minor version.
    pub python: (u8, u8),
    /// The system.
    pub target: Target,
}

/// A system whose wheels are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// Linux, whose wheels may have native parts.
    Linux {
        /// The processor.
        machine: Machine,
        /// The C library.
        libc: Libc,
    },
    /// The wasm tier. What is installed is resolved for Linux, so that a package is not silently taken in an old version
    /// just because that one had no native parts; then all of it must have wheels without any, or be able to do without.
    Wasm,
}

/// A processor that there are wheels for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

/// A C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Libc {
    /// With its version.
    Glibc {
        /// The first number of its version.
        major: u32,
        /// The second.
        minor: u32,
    },
    /// Of any version.
    Musl,
}

/// Minor versions of glibc 2 that uv 0.13 knows as `manylinux_2_*`, the newest first.
const MANYLINUX: [u32; 12] = [40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 28, 17];

impl Platform {
    /// The wasm tier's.
    pub const WASM: Platform = Platform { python: (3, 14), target: Target::Wasm };

    /// Returns the version of Python as uv's `--python-version` has it.
    pub(super) fn python(&self) -> String {
        format!("{}.{}", self.python.0, self.python.1)
    }

    /// Returns what packages are resolved for, in uv's words; `None` for too old a C library.
    pub(super) fn to_resolve(self) -> Option<String> {
        match self.target {
            Target::Linux { machine, libc: Libc::Musl } => Some(format!("{}-unknown-linux-musl", machine.name())),
            Target::Linux { machine, libc: Libc::Glibc { major, minor } } => {
                let newest = MANYLINUX.into_iter().find(|&known| (2, known) <= (major, minor))?;
                Some(format!("{}-manylinux_2_{newest}", machine.name()))
            }
            Target::Wasm => Some("x86_64-manylinux_2_28".to_owned()),
        }
    }

    /// Returns the platform whose wheels are installed, in uv's words. No wheel was ever built for this Pyodide and the
    /// Python of the wasm tier, so that only those remain that suit every machine.
    pub(super) fn to_install(self) -> Option<String> {
        match self.target {
            Target::Linux { .. } => self.to_resolve(),
            Target::Wasm => Some("wasm32-pyodide2024".to_owned()),
        }
    }

    /// Returns a name for it that is the same for all whose packages are.
    pub(super) fn name(self) -> Option<String> {
        self.to_install()
    }

    /// Names the platform in a sentence.
    pub(super) fn in_words(self) -> String {
        let python = self.python();
        match self.target {
            Target::Linux { machine, libc: Libc::Musl } => format!("Python {python} on {} with musl", machine.name()),
            Target::Linux { machine, libc: Libc::Glibc { major, minor } } => {
                format!("Python {python} on {} with glibc {major}.{minor}", machine.name())
            }
            Target::Wasm => format!("Python {python} on WebAssembly"),
        }
    }

    /// Returns the oldest of the versions that this may be; uv assumes the same.
    pub(super) fn python_full_version(self) -> String {
        format!("{}.{}.0", self.python.0, self.python.1)
    }

    /// Returns whether packages that were installed for `other` work here.
    pub(super) fn takes(self, other: Platform) -> bool {
        self.python == other.python
            && match (self.target, other.target) {
                (
                    Target::Linux { machine, libc: Libc::Glibc { major, minor } },
                    Target::Linux { machine: theirs, libc: Libc::Glibc { major: their_major, minor: their_minor } },
                ) => machine == theirs && (their_major, their_minor) <= (major, minor),
                (ours, theirs) => ours == theirs,
            }
    }
}

impl Machine {
    /// Returns the machine that this program runs on, where it is one of them.
    pub fn here() -> Option<Machine> {
        Machine::named(std::env::consts::ARCH)
    }

    /// Returns the machine by the name that the kernel or a container engine has for it.
    pub fn named(name: &str) -> Option<Machine> {
        match name {
            "x86_64" | "amd64" => Some(Machine::X86_64),
            "aarch64" | "arm64" => Some(Machine::Aarch64),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::Aarch64 => "aarch64",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linux(machine: Machine, libc: Libc) -> Platform {
        Platform { python: (3, 13), target: Target::Linux { machine, libc } }
    }

    #[test]
    fn the_newest_wheels_that_the_image_can_load_are_taken() {
        for (major, minor, name) in [
            (2, 41, Some("x86_64-manylinux_2_40")),
            (2, 40, Some("x86_64-manylinux_2_40")),
            (2, 36, Some("x86_64-manylinux_2_36")),
            (2, 30, Some("x86_64-manylinux_2_28")),
            (2, 17, Some("x86_64-manylinux_2_17")),
            (2, 12, None),
            (3, 0, Some("x86_64-manylinux_2_40")),
        ] {
            let platform = linux(Machine::X86_64, Libc::Glibc { major, minor });
            assert_eq!(platform.name().as_deref(), name, "{major}.{minor}");
        }
        assert_eq!(linux(Machine::Aarch64, Libc::Musl).name().as_deref(), Some("aarch64-unknown-linux-musl"));
        assert_eq!(Platform::WASM.name().as_deref(), Some("wasm32-pyodide2024"));
    }

    #[test]
    fn machines_have_the_names_that_engines_give_them() {
        for (name, machine) in [
            ("x86_64", Some(Machine::X86_64)),
            ("amd64", Some(Machine::X86_64)),
            ("aarch64", Some(Machine::Aarch64)),
            ("arm64", Some(Machine::Aarch64)),
            ("riscv64", None),
        ] {
            assert_eq!(Machine::named(name), machine, "{name}");
        }
        assert_eq!(Machine::here().map(Machine::name), Machine::named(std::env::consts::ARCH).map(Machine::name));
    }

    #[test]
    fn older_libraries_do_not_take_packages_for_newer_ones() {
        let at = |minor| linux(Machine::X86_64, Libc::Glibc { major: 2, minor });
        assert!(at(36).takes(at(28)) && at(28).takes(at(28)));
        assert!(!at(28).takes(at(36)));
        assert!(!at(36).takes(linux(Machine::Aarch64, Libc::Glibc { major: 2, minor: 28 })));
        assert!(!at(36).takes(linux(Machine::X86_64, Libc::Musl)) && !at(36).takes(Platform::WASM));
        assert!(!at(36).takes(Platform { python: (3, 12), ..at(36) }));
    }
}
