//! What a job's code asks for: modules that are neither the standard library's nor its own, and what a thread, a socket or
//! a process takes.
//!
//! Found by parsing the entry script and every file of the project that it can import, without running anything. Code is
//! data here and hostile: no more than [`BYTES_MAX`] bytes in [`FILES_MAX`] files are parsed, and nothing that is nested too
//! deeply. That much takes some 20 milliseconds, at worst ten times as much, and reads files: with more than a small project
//! it belongs on a thread for blocking work. A script of 100 lines takes a tenth of a millisecond.
//!
//! It is a forecast. What it overlooks, such as an import by a computed name, shows when the job runs.

mod calls;
mod conditions;
mod own;
mod packages;
mod python;
mod scan;
mod script;
mod stdlib;
mod syntax;

pub use python::{Python, UnsupportedPython};
pub(crate) use script::{Container, Script};

use crate::{
    Result,
    project::{Located, Project},
};
use own::{Found, Own};
use scan::{Findings, Import};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fmt,
    sync::Arc,
};

/// Source that is parsed of one job, in bytes; what goes beyond is taken to need nothing.
pub(crate) const BYTES_MAX: u64 = 1 << 20;
/// Files that are parsed of one job.
pub(crate) const FILES_MAX: usize = 300;
/// Imports that are followed in one job.
const IMPORTS_MAX: usize = 10_000;

/// What a job's code asks for beyond an interpreter with the standard library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Modules of packages, by name.
    pub(crate) modules: Vec<Module>,
    /// Of each capability, the most urgent use.
    pub(crate) uses: Vec<Use>,
    /// The newest Python with all modules of the standard library that it imports, where that is not the newest of all.
    pub(crate) python_at_most: Option<Bound>,
    /// The oldest with all of them, where that is not the oldest of all.
    pub(crate) python_at_least: Option<Bound>,
    /// Metadata in the entry script.
    pub(crate) script: Option<Script>,
    /// Why not everything was looked at, if so.
    pub(crate) overlooked: Option<String>,
}

/// A module that is neither the standard library's nor the project's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// Its top-level name, or a longer one in a namespace that several distributions share (`google.protobuf`).
    pub(crate) name: String,
    /// What to install for it, normalised; nothing when that cannot be said.
    pub(crate) distribution: Option<String>,
    /// The program may make this module itself when it runs: it has its name in a text, or looks for modules in other
    /// places, and nobody else is known by that name.
    pub(crate) perhaps_own: bool,
    pub(crate) urgency: Urgency,
    pub(crate) place: Place,
}

/// Something that only a full Linux has, and where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) capability: Capability,
    /// The function or module.
    pub(crate) what: String,
    pub(crate) urgency: Urgency,
    pub(crate) place: Place,
}

/// A version that a module of the standard library, or syntax, sets a bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) python: Python,
    pub(crate) module: String,
    pub(crate) urgency: Urgency,
    pub(crate) place: Place,
}

/// What WebAssembly lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Capability {
    /// Threads.
    Threads,
    /// Processes.
    Processes,
    /// Sockets that need not leave the machine: servers, pairs, connections to itself.
    Sockets,
    /// Connections to other machines.
    Network,
    /// Shared libraries, and extension modules in the project.
    Libraries,
    /// Alarms, and waiting for signals.
    Signals,
    /// Modules of the standard library, such as `ssl`.
    Modules,
}

/// How surely something is needed, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Urgency {
    /// When the program runs.
    Required,
    /// When a function is called, or an exception raised: it may never be.
    Later,
    /// The program goes on without it.
    Optional,
}

/// Where in the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Needs {
    /// The needs of a project that starts with the script at `entrypoint`. `python_path` says whether the job sets
    /// `PYTHONPATH`; then its own modules may be in any folder.
    ///
    /// # Errors
    ///
    /// When the script's inline metadata is malformed.
    pub(crate) fn of(project: &Project, entrypoint: &str, python_path: bool) -> Result<Needs> {
        let mut search = Search {
            project,
            entrypoint,
            own: Own::new(project, entrypoint),
            own_anywhere: python_path,
            pending: Default::default(),
            seen: HashSet::new(),
            bytes_left: BYTES_MAX,
            imports_left: IMPORTS_MAX,
            strangers: Vec::new(),
            modules: BTreeMap::new(),
            uses: BTreeMap::new(),
            needs: Needs::default(),
        };
        search.run()?;
        Ok(search.finish())
    }

    /// The oldest version that the code runs on, where that is known not to be the oldest of all.
    pub(crate) fn oldest_python(&self) -> Option<Python> {
        let bound = self.python_at_least.as_ref().filter(|bound| bound.urgency != Urgency::Optional);
        let required = self.script.as_ref().and_then(|script| script.requires_python.as_ref());
        let required = required.and_then(Python::oldest_allowed).filter(|&python| python > Python::V3_10);
        bound.map(|bound| bound.python).max(required)
    }

    /// The use of a capability, optional or not.
    pub(crate) fn use_of(&self, capability: Capability) -> Option<&Use> {
        self.uses.iter().find(|found| found.capability == capability)
    }
}

struct Search<'p> {
    project: &'p Project,
    entrypoint: &'p str,
    own: Own<'p>,
    own_anywhere: bool,
    /// Files to look at, by urgency; the most urgent first, so that each is looked at once, with its own.
    pending: [VecDeque<String>; 3],
    seen: HashSet<String>,
    bytes_left: u64,
    imports_left: usize,
    /// Imports of what is neither own nor standard, until it is known whether own modules may be anywhere.
    strangers: Vec<(Import, Place)>,
    modules: BTreeMap<String, Module>,
    uses: BTreeMap<Capability, Use>,
    needs: Needs,
}

impl Search<'_> {
    fn run(&mut self) -> Result<()> {
        self.pending[Urgency::Required as usize].push_back(self.entrypoint.to_owned());
        loop {
            while let Some((path, urgency)) = self.next() {
                self.file(&path, urgency)?;
            }
            for (import, place) in std::mem::take(&mut self.strangers) {
                let parts: Vec<_> = import.module.split('.').collect();
                let names: Vec<_> = import.names.iter().map(String::as_str).collect();
                match self.own_anywhere.then(|| self.own.anywhere(&parts, &names)).flatten() {
                    Some(found) => self.follow(found, import.urgency, &place),
                    None => self.package(&import, &place),
                }
            }
            if self.pending.iter().all(VecDeque::is_empty) {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Option<(String, Urgency)> {
        let urgencies = [Urgency::Required, Urgency::Later, Urgency::Optional];
        self.pending.iter_mut().zip(urgencies).find_map(|(queue, urgency)| Some((queue.pop_front()?, urgency)))
    }

    fn file(&mut self, path: &str, urgency: Urgency) -> Result<()> {
        if !self.seen.insert(path.to_owned()) {
            return Ok(());
        }
        let Some(Located::File { path: real, bytes }) = self.project.locate(path) else { return Ok(()) };
        if bytes > self.bytes_left || self.seen.len() > FILES_MAX {
            self.overlook(format!("{path} and more: the project is too large"));
            return Ok(());
        }
        self.bytes_left -= bytes;
        let Ok(content) = self.project.read(&real) else { return Ok(()) };
        let source = String::from_utf8_lossy(&content);
        let is_entry = path == self.entrypoint;
        if is_entry {
            self.needs.script = Script::find(&source)?;
        }
        let own = &self.own;
        let found = syntax::with_syntax(&source, |parsed| {
            let findings = scan::scan(parsed.syntax(), &source, is_entry, &|name| own.has(name));
            (findings, syntax::Newest::of(parsed, &source))
        });
        match found {
            Ok((findings, newest)) => {
                if let Some(syntax::Newest { python, what, line }) = newest {
                    let place = Place { file: path.into(), line };
                    let bound = Bound { python, module: what.to_owned(), urgency, place };
                    tighten(&mut self.needs.python_at_least, Some(bound), |new, old| new > old);
                }
                self.take(findings, path, urgency);
            }
            Err(why) => self.overlook(format!("{path}: {why}")),
        }
        Ok(())
    }

    fn take(&mut self, findings: Findings, path: &str, urgency: Urgency) {
        self.own_anywhere |= findings.changes_path;
        let file: Arc<str> = path.into();
        for found in findings.uses {
            let place = Place { file: Arc::clone(&file), line: found.line };
            self.capability(found.capability, found.what, found.urgency.max(urgency), place);
        }
        for import in findings.imports {
            if self.imports_left == 0 {
                return self.overlook(format!("{path} and more: it has too many imports"));
            }
            self.imports_left -= 1;
            let place = Place { file: Arc::clone(&file), line: import.line };
            self.import(Import { urgency: import.urgency.max(urgency), ..import }, path, place);
        }
    }

    fn import(&mut self, import: Import, path: &str, place: Place) {
        let parts: Vec<_> = import.module.split('.').filter(|part| !part.is_empty()).collect();
        let names: Vec<_> = import.names.iter().map(String::as_str).collect();
        if import.level > 0 {
            let found = self.own.relative(path, import.level, &parts, &names);
            return self.follow(found, import.urgency, &place);
        }
        let Some(&top) = parts.first() else { return };
        if let Some(found) = self.own.absolute(&parts, &names) {
            return self.follow(found, import.urgency, &place);
        }
        let Some(lifetime) = stdlib::lifetime(top) else { return self.strangers.push((import, place)) };
        let bound =
            |python| Some(Bound { python, module: top.to_owned(), urgency: import.urgency, place: place.clone() });
        if lifetime.newest < Python::WASM {
            tighten(&mut self.needs.python_at_most, bound(lifetime.newest), |new, old| new < old);
        }
        if lifetime.oldest > Python::V3_10 {
            tighten(&mut self.needs.python_at_least, bound(lifetime.oldest), |new, old| new > old);
        }
        let submodules = names.iter().map(|name| format!("{}.{name}", import.module));
        let missing =
            std::iter::once(import.module.clone()).chain(submodules).find_map(|name| stdlib::missing_in_wasm(&name));
        if let Some(module) = missing {
            self.capability(Capability::Modules, module.to_owned(), import.urgency, place);
        }
    }

    fn follow(&mut self, found: Found, urgency: Urgency, place: &Place) {
        if let Some(extension) = found.extension {
            self.capability(Capability::Libraries, extension, urgency, place.clone());
        }
        let unseen = found.files.into_iter().filter(|file| !self.seen.contains(file));
        self.pending[urgency as usize].extend(unseen);
    }

    fn package(&mut self, import: &Import, place: &Place) {
        let full = import.names.iter().map(|name| format!("{}.{name}", import.module));
        let full: Vec<_> = if import.names.is_empty() { vec![import.module.clone()] } else { full.collect() };
        for full in &full {
            let known = packages::distribution_of(full);
            let module = Module {
                name: known.module.to_owned(),
                distribution: known.distribution,
                perhaps_own: known.is_guess && (import.mentioned || self.own_anywhere),
                urgency: import.urgency,
                place: place.clone(),
            };
            match self.modules.get_mut(&module.name) {
                Some(old) => {
                    let perhaps_own = old.perhaps_own || module.perhaps_own;
                    if module.urgency < old.urgency {
                        *old = module;
                    }
                    old.perhaps_own = perhaps_own;
                }
                None => drop(self.modules.insert(module.name.clone(), module)),
            }
        }
    }

    fn capability(&mut self, capability: Capability, what: String, urgency: Urgency, place: Place) {
        match self.uses.get(&capability) {
            Some(old) if old.urgency <= urgency => {}
            _ => drop(self.uses.insert(capability, Use { capability, what, urgency, place })),
        }
    }

    fn overlook(&mut self, what: String) {
        self.needs.overlooked.get_or_insert(what);
    }

    fn finish(self) -> Needs {
        let (modules, uses) = (self.modules.into_values().collect(), self.uses.into_values().collect());
        Needs { modules, uses, ..self.needs }
    }
}

/// Keeps the more urgent bound, and of two as urgent the tighter one.
fn tighten(bound: &mut Option<Bound>, new: Option<Bound>, tighter: impl Fn(Python, Python) -> bool) {
    let replace = match (&*bound, &new) {
        (Some(old), Some(new)) => {
            new.urgency < old.urgency || (new.urgency == old.urgency && tighter(new.python, old.python))
        }
        (None, _) => true,
        (_, None) => false,
    };
    if replace {
        *bound = new;
    }
}

#[cfg(test)]
mod tests;
