//! What code of packages is run for: only in a sandbox, by somebody who has one.

use crate::{Result, pack::Pack};
use std::fmt;

/// Runs and compiles code of packages in a sandbox.
#[async_trait::async_trait]
pub(crate) trait Workbench: Send + Sync + fmt::Debug {
    /// Returns the interpreter's version, for whose bytecode no other has a use.
    fn version(&self) -> String;

    /// Compiles the `.py` files of a pack, by path; what is no valid Python is left out.
    ///
    /// # Errors
    ///
    /// When the sandbox is at fault, and not what is compiled.
    async fn compile(&self, pack: &Pack) -> Result<Vec<(String, Vec<u8>)>>;

    /// Imports modules from a pack, one after another in the same interpreter, and says what came of each.
    ///
    /// # Errors
    ///
    /// When the sandbox is at fault, and not what is imported.
    async fn try_imports(&self, pack: &Pack, modules: &[String]) -> Result<Vec<Imported>>;
}

/// Holds what came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    /// What was to be imported.
    pub(crate) module: String,
    /// The exception, where there was one.
    pub(crate) failed: Option<String>,
    /// Full names of modules that were looked for meanwhile, and not found.
    pub(crate) asked_for: Vec<String>,
}
