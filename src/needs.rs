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
mod extras;
mod installs;
mod own;
mod packages;
mod reach;
mod repetition;
mod scan;
mod script;
mod stdlib;
mod syntax;

pub use installs::is_installing_line;
pub(crate) use script::{Container, Script};

use crate::{
    Requirements, Result,
    environment::Platform,
    outcome::CapabilityMiss,
    project::{Located, Project},
    python::Python,
};
use extras::Extra;
use installs::Installation;
use own::{Found, Own};
use scan::{Findings, Import};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    fmt,
    sync::Arc,
};

/// Source that is parsed of one job, in bytes; what goes beyond is taken to need nothing.
pub(crate) const BYTES_MAX: u64 = 1 << 20;
/// Files that are parsed of one job.
pub(crate) const FILES_MAX: usize = 300;
/// Requirements that are taken from lines and calls of one job that install them.
const INSTALLED_MAX: usize = 200;
/// Hints about one job's code.
const HINTS_MAX: usize = 10;
/// Imports that are followed in one job.
const IMPORTS_MAX: usize = 10_000;

/// Holds what a job's code asks for beyond an interpreter with the standard library.
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
    /// What its code would install, and that is not, each in a sentence.
    pub(crate) refused_installs: Vec<String>,
    /// Top-level modules that the program has a substitute for wherever it imports them.
    pub(crate) optional: BTreeSet<String>,
    /// What it has come upon in an attempt before, and WebAssembly lacks.
    pub(crate) met: Option<CapabilityMiss>,
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
    /// Whether it is imported; otherwise only its distribution is asked about, by whose name it goes then.
    pub(crate) imported: bool,
    pub(crate) urgency: Urgency,
    pub(crate) place: Place,
}

impl Module {
    /// Returns a module that a program imported by a name which is not in its code.
    pub(crate) fn met(name: &str, distribution: &str) -> Module {
        Module {
            name: name.to_owned(),
            distribution: Some(distribution.to_owned()),
            perhaps_own: false,
            imported: true,
            urgency: Urgency::Guarded,
            place: Place { file: "an attempt before".into(), line: 0 },
        }
    }
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

/// Says what WebAssembly lacks.
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

/// Says how surely something is needed, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Urgency {
    /// The program reaches it whenever it runs, and ends without it.
    Required,
    /// The program reaches it whenever it runs, and handles the exception where it is missing.
    Guarded,
    /// It may be reached: it stands in a branch, or in a function that is not certain to be called.
    Later,
    /// The program has a substitute for it, or never reaches it.
    Optional,
}

/// Names a file of the project and a line in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    /// From 1; 0 where it is no line of a file.
    pub(crate) line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl Needs {
    /// Finds the needs of a project that starts with the script at `entrypoint`. `python_path` says whether the job
    /// sets `PYTHONPATH`; then its own modules may be in any folder.
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
            made: HashSet::new(),
            pending: Default::default(),
            seen: HashSet::new(),
            bytes_left: BYTES_MAX,
            imports_left: IMPORTS_MAX,
            strangers: Vec::new(),
            modules: BTreeMap::new(),
            uses: BTreeMap::new(),
            extras: Vec::new(),
            installed: Vec::new(),
            installed_later: HashSet::new(),
            requirement_files: HashSet::new(),
            imported: HashSet::new(),
            needs: Needs::default(),
        };
        search.run()?;
        Ok(search.finish())
    }

    /// Returns the oldest version that the code runs on, where that is known not to be the oldest of all.
    pub(crate) fn oldest_python(&self) -> Option<Python> {
        let bound = self.python_at_least.as_ref().filter(|bound| bound.urgency != Urgency::Optional);
        let required = self.script.as_ref().and_then(|script| script.requires_python.as_ref());
        let required = required.and_then(Python::oldest_allowed).filter(|&python| python > Python::V3_10);
        bound.map(|bound| bound.python).max(required)
    }

    /// Notes that a module was missed which newer versions of Python have removed: an older one has it.
    pub(crate) fn miss_removed(&mut self, module: &str) {
        let top = module.split('.').next().unwrap_or_default();
        let newest = stdlib::lifetime(top).map(|lifetime| lifetime.newest).filter(|&newest| newest < Python::WASM);
        let Some(python) = newest else { return };
        let place = Place { file: "an attempt before".into(), line: 0 };
        let bound = Bound { python, module: top.to_owned(), urgency: Urgency::Guarded, place };
        tighten(&mut self.python_at_most, Some(bound), |new, old| new <= old);
    }

    /// Returns the distribution that an exception asks for, if it names one that is well known.
    pub(crate) fn named_by_error(kind: &str, message: &str) -> Option<String> {
        extras::named_by_error(kind, message)
    }

    /// Returns the normalised names of what commands of a shell install from an index, as far as they say it.
    pub(crate) fn installed_by(commands: &[String], project: &Project) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut add = |text: &str| {
            if let Ok(requirements) = Requirements::parse(text) {
                names.extend(requirements.names(&Platform::WASM).into_iter().map(str::to_owned));
            }
        };
        for installation in commands.iter().filter_map(|command| installs::of_shell(command)) {
            installation.requirements.iter().for_each(|requirement| add(requirement));
            for file in installation.files {
                let file = file.strip_prefix("/work/").or_else(|| file.strip_prefix("./")).unwrap_or(&file);
                if let Ok(content) = project.read(file) {
                    add(&String::from_utf8_lossy(&content));
                }
            }
        }
        names
    }

    /// Returns what the author of a program should know, each in a sentence; `exception` has the kind and the message of
    /// the one that it ended with.
    pub(crate) fn hints(&self, exception: Option<(&str, &str)>) -> Vec<String> {
        let unknown = exception.and_then(|(kind, message)| self.hint_about(kind, message));
        self.refused_installs.iter().cloned().chain(unknown).collect()
    }

    fn hint_about(&self, kind: &str, message: &str) -> Option<String> {
        let name = (kind == "ModuleNotFoundError").then(|| message.split('\'').nth(1)).flatten()?;
        let unknown = |module: &&Module| {
            let rest = name.strip_prefix(module.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) && module.distribution.is_none()
        };
        let module = &self.modules.iter().find(unknown)?.name;
        let is_guess = packages::distribution_of(module).is_guess;
        is_guess
            .then(|| format!("{module} is not a well-known package: name it in the requirements to have it installed"))
    }

    /// Returns the distribution that a module comes from, when that is known without having seen its import.
    pub(crate) fn distribution_of(module: &str) -> Option<String> {
        let known = packages::distribution_of(module);
        known.distribution.filter(|_| !known.is_guess)
    }

    /// Returns the normalised name of a distribution, if it is well known.
    pub(crate) fn known_distribution(name: &str) -> Option<String> {
        let name = name.trim().to_ascii_lowercase().replace(['_', '.'], "-");
        packages::is_known(&name).then_some(name)
    }

    /// Returns the well-known distribution that another interpreter missed, by what it printed.
    pub(crate) fn missed_by_child(printed: &str) -> Option<String> {
        const MISSED: &str = "ModuleNotFoundError: No module named '";
        let names = printed.split(MISSED).skip(1).filter_map(|rest| rest.split('\'').next());
        names.take(HINTS_MAX).filter(|name| !Needs::is_standard(name)).find_map(Needs::distribution_of)
    }

    /// Returns whether the standard library has, or had, a module of that name.
    pub(crate) fn is_standard(module: &str) -> bool {
        stdlib::lifetime(module.split('.').next().unwrap_or_default()).is_some()
    }

    /// Returns the use of a capability, optional or not.
    pub(crate) fn use_of(&self, capability: Capability) -> Option<&Use> {
        self.uses.iter().find(|found| found.capability == capability)
    }
}

struct Search<'p> {
    project: &'p Project,
    entrypoint: &'p str,
    own: Own<'p>,
    own_anywhere: bool,
    /// Top-level modules that the program puts into `sys.modules` itself.
    made: HashSet<String>,
    /// Files to look at, by urgency; the most urgent first, so that each is looked at once, with its own.
    pending: [VecDeque<String>; 4],
    seen: HashSet<String>,
    bytes_left: u64,
    imports_left: usize,
    /// Imports of what is neither own nor standard, until it is known whether own modules may be anywhere.
    strangers: Vec<(Import, Place)>,
    modules: BTreeMap<String, Module>,
    uses: BTreeMap<Capability, Use>,
    /// What libraries take, if they are imported.
    extras: Vec<(&'static Extra, Option<Urgency>, Place)>,
    /// Requirements that the code installs itself.
    installed: Vec<String>,
    /// Names of distributions that it installs if it comes to that.
    installed_later: HashSet<String>,
    /// Files with requirements that were read, and whether what they name is installed for certain.
    requirement_files: HashSet<(String, bool)>,
    /// Top-level modules that are imported without a substitute.
    imported: HashSet<String>,
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
        let urgencies = [Urgency::Required, Urgency::Guarded, Urgency::Later, Urgency::Optional];
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
        let (python, installing) = installs::without_installing_lines(&source);
        let own = &self.own;
        let found = syntax::with_syntax(&python, |parsed| {
            let findings = scan::scan(parsed.syntax(), &python, is_entry, &|name| own.has(name));
            (findings, syntax::Newest::of(parsed, &python), parsed.has_valid_syntax())
        });
        if is_entry {
            if let Ok((_, _, false)) = found {
                // It ends with a SyntaxError before anything in it counts, whatever text it is.
                return Ok(());
            }
            self.needs.script = Script::find(&source)?;
        }
        for found in installing {
            self.installation(found.installation, Urgency::Required, path, found.line);
        }
        match found {
            Ok((findings, newest, _)) => {
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
        self.made.extend(findings.made);
        for (code, how) in findings.children {
            self.child(&code, how.max(urgency), path);
        }
        let file: Arc<str> = path.into();
        for found in findings.uses {
            let place = Place { file: Arc::clone(&file), line: found.line };
            self.capability(found.capability, found.what, found.urgency.max(urgency), place);
        }
        for (installation, how) in findings.installations {
            self.installation(installation, how.max(urgency), path, 0);
        }
        for (name, how, line) in findings.distributions {
            self.distribution(&name, how.max(urgency), Place { file: Arc::clone(&file), line });
        }
        for (extra, how, line) in findings.extras {
            let place = Place { file: Arc::clone(&file), line };
            self.extras.push((extra, how.map(|how| how.max(urgency)), place));
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

    /// Takes the imports of code that runs in another interpreter: it sees the same packages.
    fn child(&mut self, code: &str, urgency: Urgency, path: &str) {
        let Some(left) = self.bytes_left.checked_sub(code.len() as u64) else { return };
        self.bytes_left = left;
        let own = &self.own;
        // Other texts have the word in them, too.
        let found = syntax::with_syntax(code, |parsed| {
            parsed.has_valid_syntax().then(|| scan::scan(parsed.syntax(), code, true, &|name| own.has(name)))
        });
        if let Ok(Some(Findings { imports, .. })) = found {
            self.take(Findings { imports, ..Findings::default() }, path, urgency);
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
        if import.urgency == Urgency::Optional {
            self.needs.optional.insert(top.to_owned());
        } else if !self.imported.contains(top) {
            self.imported.insert(top.to_owned());
        }
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

    /// Takes what the code would install itself. Where it may not come to that, it only says what the modules are.
    fn installation(&mut self, installation: Installation, urgency: Urgency, path: &str, line: u32) {
        let mut requirements = installation.requirements;
        let mut refusals = installation.refusals;
        for file in installation.files {
            let located = self.project.locate(file.trim_start_matches("./"));
            let Some(Located::File { path, bytes }) = located.filter(|_| !file.contains("..")) else {
                refusals.push(format!("-r {file}: the project has no such file"));
                continue;
            };
            // Each is read once, for there may be as many calls as a source has room for.
            if !self.requirement_files.insert((path.clone(), urgency <= Urgency::Guarded)) {
                continue;
            }
            let content = if bytes > self.bytes_left { None } else { self.project.read(&path).ok() };
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            let text = content.map(|content| String::from_utf8_lossy(&content).into_owned()).unwrap_or_default();
            match Requirements::parse(&text) {
                Ok(more) => requirements.extend(more.to_string().lines().map(str::to_owned)),
                Err(error) => refusals.push(format!("-r {file}: {error}")),
            }
        }
        if urgency <= Urgency::Guarded {
            let room = INSTALLED_MAX.saturating_sub(self.installed.len());
            self.installed.extend(requirements.into_iter().take(room));
            let at = if line == 0 { path.to_owned() } else { format!("{path}, line {line}") };
            let room = HINTS_MAX.saturating_sub(self.needs.refused_installs.len());
            self.needs
                .refused_installs
                .extend(refusals.into_iter().take(room).map(|why| format!("not installed ({at}): {why}")));
        } else {
            let name = |requirement: &String| {
                let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
                requirement[..end.unwrap_or(requirement.len())].to_owned()
            };
            self.installed_later.extend(requirements.iter().take(INSTALLED_MAX).map(name));
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
        if import.module.split('.').next().is_some_and(|top| self.made.contains(top)) {
            return;
        }
        let full = import.names.iter().map(|name| format!("{}.{name}", import.module));
        let full: Vec<_> = if import.names.is_empty() { vec![import.module.clone()] } else { full.collect() };
        for full in &full {
            extras::of_name(full, |extra| self.extras.push((extra, Some(import.urgency), place.clone())));
            let known = packages::distribution_of(full);
            // Whoever installs a package by the module's name says what it is.
            let installed = packages::same_name(known.module).filter(|name| self.installed_later.contains(name));
            let module = Module {
                name: known.module.to_owned(),
                distribution: known.distribution.or(installed.filter(|_| known.is_guess)),
                perhaps_own: import.written || known.is_guess && import.mentioned,
                imported: true,
                urgency: import.urgency,
                place: place.clone(),
            };
            self.module(module);
        }
    }

    /// Takes a distribution that the program asks about, if it is well known: it may be the program's own.
    fn distribution(&mut self, name: &str, urgency: Urgency, place: Place) {
        let Some(name) = Needs::known_distribution(name) else { return };
        if urgency == Urgency::Optional {
            self.needs.optional.insert(name.clone());
            return;
        }
        let distribution = Some(name.clone());
        self.module(Module { name, distribution, perhaps_own: false, imported: false, urgency, place });
    }

    fn module(&mut self, module: Module) {
        match self.modules.get_mut(&module.name) {
            Some(old) => {
                let (perhaps_own, imported) = (old.perhaps_own || module.perhaps_own, old.imported || module.imported);
                if module.urgency < old.urgency {
                    *old = module;
                }
                (old.perhaps_own, old.imported) = (perhaps_own, imported);
            }
            None => drop(self.modules.insert(module.name.clone(), module)),
        }
    }

    /// Adds the modules that libraries import themselves.
    fn extras(&mut self) {
        for (extra, urgency, place) in std::mem::take(&mut self.extras) {
            let library = extra.libraries.iter().filter_map(|library| self.modules.get(*library));
            let Some(library) = library.min_by_key(|library| library.urgency) else { continue };
            let urgency = urgency.map_or(library.urgency, |urgency| urgency.max(library.urgency));
            for name in extra.modules {
                if self.own.has(name) {
                    continue;
                }
                let known = packages::distribution_of(name);
                self.module(Module {
                    name: known.module.to_owned(),
                    distribution: known.distribution,
                    perhaps_own: false,
                    imported: true,
                    urgency,
                    place: place.clone(),
                });
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

    fn finish(mut self) -> Needs {
        self.extras();
        if !self.installed.is_empty() {
            self.needs.script.get_or_insert_default().dependencies.append(&mut self.installed);
        }
        self.needs.optional.retain(|module| !self.imported.contains(module));
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
