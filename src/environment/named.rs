//! Environments under a name: what they are made from, which stays when what was made is removed, or made anew.
//!
//! One small file each, `names/<id>.json` in the store's folder, whose time is that of the last use. The id is the digest
//! of what is in it, so that the same is defined once.

use super::{Environments, Id, Listed, Requirements, Shared, store, without_credentials};
use crate::{Error, Python, Result};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, FileTimes},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Definitions that are kept.
const COUNT_MAX: usize = 10_000;
/// Modules of one.
const PRELOAD_MAX: usize = 100;
/// The name of a module, in bytes.
const MODULE_BYTES_MAX: usize = 200;
/// A file: no definition that is accepted is larger.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Digits of an id that may stand for it.
const DIGITS_MIN: usize = 8;
/// How exactly the last use is known.
const USE_RECORDED_EVERY: Duration = Duration::from_secs(60);
/// After this, a file that is being written is one that a process left that died.
const WRITTEN_WITHIN: Duration = Duration::from_secs(3600);

/// A set of packages from which environments for either tier are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// What is in it.
    pub requirements: Requirements,
    /// The version of Python, where it matters.
    pub python: Option<Python>,
    /// Modules that are imported beforehand.
    pub preload: Vec<String>,
}

/// A definition that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Normalised.
    pub definition: Definition,
    /// When it was first made.
    pub created: SystemTime,
    /// When it was used last, to a minute.
    pub last_used: SystemTime,
}

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    python: Option<String>,
    requirements: String,
    preload: Vec<String>,
    created: SystemTime,
}

impl Environments {
    /// Keeps a definition, and says its id. What is there already is used, and stays.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when there are too many modules to import, or one has no name of a module;
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when it cannot be written.
    pub fn define(&self, definition: &Definition) -> Result<Defined> {
        let definition = normalised(definition)?;
        let id = self.shared.id_of(&definition);
        let path = self.shared.path_of(&id);
        if let Some(defined) = read(&path, &id)? {
            return Ok(defined);
        }
        let written = Written {
            format: store::FORMAT,
            python: definition.python.map(|python| python.to_string()),
            requirements: definition.requirements.to_string(),
            preload: definition.preload,
            created: SystemTime::now(),
        };
        let fail = |error: io::Error| Error::caused("cannot keep the definition of an environment", error);
        write(&path, &written).map_err(fail)?;
        self.shared.forget_unused().map_err(fail)?;
        read(&path, &id)?.ok_or_else(|| fail(io::ErrorKind::NotFound.into()))
    }

    /// Returns a definition by its id, or by eight or more digits that only one begins with. This is a use of it.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when several begin with these digits, [`Unavailable`](crate::ErrorKind::Unavailable) when it cannot be read.
    pub fn defined(&self, id: &str) -> Result<Option<Defined>> {
        match self.shared.whole_id(id)? {
            Some(id) => read(&self.shared.path_of(&id), &id),
            None => Ok(None),
        }
    }

    /// Returns all definitions, the last used first.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn definitions(&self) -> Result<Vec<Defined>> {
        let mut all = Vec::new();
        for id in self.shared.defined_ids()? {
            match load(&self.shared.path_of(&id), &id) {
                Ok(found) => all.extend(found),
                Err(error) => tracing::warn!(%id, %error, "cannot read the definition of an environment"),
            }
        }
        all.sort_by_key(|defined| std::cmp::Reverse(defined.last_used));
        Ok(all)
    }

    /// Removes a definition, by its id as [`Environments::defined`] takes it, with what was made from it and from no other;
    /// `false` when there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when jobs use what was made from it: it stays then.
    pub fn forget(&self, id: &str) -> Result<bool> {
        let Some(id) = self.shared.whole_id(id)? else { return Ok(false) };
        let path = self.shared.path_of(&id);
        let all = self.definitions()?;
        if let Some(defined) = all.iter().find(|defined| defined.id == id.as_str()) {
            let others = || all.iter().filter(|other| other.id != id.as_str());
            for made in self.list()?.iter().filter(|made| defined.definition.makes(made)) {
                if !others().any(|other| other.definition.makes(made)) {
                    self.remove(&made.id)?;
                }
            }
        }
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::caused("cannot remove the definition of an environment", error)),
        }
    }
}

impl Definition {
    /// Returns whether an entry is what this comes to on its platform.
    pub fn makes(&self, made: &Listed) -> bool {
        self.python.is_none_or(|python| python.numbers() == made.platform.python)
            && self.requirements.on(&made.platform) == made.requirements
    }
}

impl Shared {
    fn id_of(&self, definition: &Definition) -> Id {
        let mut content = format!("definition {}\n", store::FORMAT);
        content.extend(definition.python.map(|python| format!("python {python}\n")));
        let indexes = self.options.index_url.iter().map(|url| ("index", url));
        let indexes = indexes.chain(self.options.extra_index_urls.iter().map(|url| ("extra-index", url)));
        indexes.for_each(|(kind, url)| content.push_str(&format!("{kind} {}\n", without_credentials(url))));
        definition.requirements.to_string().lines().for_each(|line| content.push_str(&format!("requirement {line}\n")));
        definition.preload.iter().for_each(|module| content.push_str(&format!("preload {module}\n")));
        Id::of(&content)
    }

    fn path_of(&self, id: &Id) -> PathBuf {
        self.store.beside("names").join(format!("{id}.json"))
    }

    /// Returns what the beginning of an id stands for.
    fn whole_id(&self, id: &str) -> Result<Option<Id>> {
        if let Some(id) = Id::parse(id) {
            return Ok(Some(id));
        }
        let is_beginning = id.len() >= DIGITS_MIN && Id::parse(&format!("{id:0<64}")).is_some();
        if !is_beginning {
            return Ok(None);
        }
        let mut matching = self.defined_ids()?.into_iter().filter(|known| known.as_str().starts_with(id));
        match (matching.next(), matching.next()) {
            (Some(_), Some(_)) => {
                Err(Error::invalid(format!("several environments have an id that starts with {id}: use more of it")))
            }
            (found, _) => Ok(found),
        }
    }

    fn defined_ids(&self) -> Result<Vec<Id>> {
        let entries = match fs::read_dir(self.store.beside("names")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| Error::caused("cannot list environments", error))?,
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.filter_map(|name| Id::parse(name.to_str()?.strip_suffix(".json")?)).collect())
    }

    /// Removes the definitions that were not used for longest, when there are too many, and what was never finished.
    fn forget_unused(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.store.beside("names"))?.flatten() {
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            let is_whole = entry.path().extension().is_some_and(|extension| extension == "json");
            let is_left = !is_whole && modified.elapsed().is_ok_and(|age| age > WRITTEN_WITHIN);
            if is_left {
                fs::remove_file(entry.path())?;
            }
            files.extend(is_whole.then(|| (modified, entry.path())));
        }
        files.sort();
        let surplus = files.len().saturating_sub(COUNT_MAX);
        files.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

fn normalised(definition: &Definition) -> Result<Definition> {
    let mut definition = definition.clone();
    // What is written must be short enough to be read again.
    definition.requirements = Requirements::parse(&definition.requirements.to_string())?;
    definition.preload.sort();
    definition.preload.dedup();
    if definition.preload.len() > PRELOAD_MAX {
        return Err(Error::invalid(format!("at most {PRELOAD_MAX} modules can be preloaded: remove some")));
    }
    match definition.preload.iter().find(|module| !is_module(module)) {
        Some(module) => {
            let shown: String = module.chars().take(60).collect();
            Err(Error::invalid(format!("{shown:?} cannot be preloaded: it is not the name of a module")))
        }
        None => Ok(definition),
    }
}

/// Identifiers with dots between them.
fn is_module(name: &str) -> bool {
    let identifier = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    name.len() <= MODULE_BYTES_MAX && name.split('.').all(identifier)
}

/// Readers see it whole or not at all.
fn write(path: &Path, written: &Written) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(written)?)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Reads it, which is a use.
fn read(path: &Path, id: &Id) -> Result<Option<Defined>> {
    let Some(mut defined) = load(path, id)? else { return Ok(None) };
    if defined.last_used.elapsed().is_ok_and(|age| age > USE_RECORDED_EVERY) {
        defined.last_used = SystemTime::now();
        let times = FileTimes::new().set_modified(defined.last_used);
        if let Err(error) = File::open(path).and_then(|file| file.set_times(times)) {
            tracing::warn!(%id, %error, "cannot record the use of an environment");
        }
    }
    Ok(Some(defined))
}

fn load(path: &Path, id: &Id) -> Result<Option<Defined>> {
    let fail = |error: io::Error| Error::caused("cannot read the definition of an environment", error);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(fail)?,
    };
    let last_used = file.metadata().and_then(|metadata| metadata.modified()).map_err(fail)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(fail)?;
    let written: Written = serde_json::from_slice(&text).map_err(|error| fail(error.into()))?;
    let python = written.python.map(|python| python.parse()).transpose();
    let definition = Definition {
        requirements: Requirements::parse(&written.requirements)?,
        python: python.map_err(|error| fail(io::Error::other(error)))?,
        preload: written.preload,
    };
    Ok(Some(Defined { id: id.to_string(), definition, created: written.created, last_used }))
}
