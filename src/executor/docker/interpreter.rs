//! What an image has to run Python with.

use crate::python::Python;
use std::{collections::BTreeMap, sync::Arc};

/// The interpreter of an image, as far as it matters for packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) python: Python,
    /// As `uname` has it: `x86_64`, `aarch64`.
    pub(crate) machine: String,
    pub(crate) libc: Libc,
    /// Versions of the packages that it has, by normalised name.
    pub(crate) packages: Arc<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Libc {
    Glibc { major: u16, minor: u16 },
    Musl,
}
