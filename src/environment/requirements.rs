//! What packages are asked for: the lines of a `requirements.txt`, of which only names, extras, versions and markers are
//! accepted.
//!
//! An installer takes more from such a file: options that run code (`-e .`), read files (`-r /etc/passwd`) or choose
//! another index, URLs and paths. None of it reaches uv: what is handed on is written anew from what was understood.

// Where packages are not built in, this file is a module of another folder.
#[path = "requirements/line.rs"]
mod line;

pub(super) use line::{name_in, refused_direct};

use super::{families, marker::Marker, platform::Platform};
use crate::{Error, Result};
use line::{Line, logical_lines, shown};
use pep508_rs::{
    PackageName,
    pep440_rs::{Version, VersionSpecifiers},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// Lines of a list, in number.
pub const LINES_MAX: usize = 500;
/// Text of a list, in bytes.
pub const BYTES_MAX: usize = 100 * 1024;

/// A list of requirements, normalised: two that mean the same are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Sorted, each once.
    lines: Vec<Requirement>,
    /// Lines that only pip understands, in a container: addresses of packages, and where an index is.
    direct: BTreeSet<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Requirement {
    /// Normalised (PEP 503).
    name: String,
    extras: BTreeSet<String>,
    /// Clauses of PEP 440, all of which must hold.
    versions: BTreeSet<String>,
    marker: Option<Marker>,
    /// Of its files, any of which may be installed; without any, whichever the index has.
    hashes: BTreeSet<String>,
}

impl Requirements {
    /// Reads a `requirements.txt`.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) for anything but names, extras, versions, markers, hashes and comments, addresses and options
    /// that say where an index is, with the line and what to do. Whether the latter two are followed is a setting:
    /// [`EnvironmentOptions::allow_urls`](super::EnvironmentOptions::allow_urls).
    pub fn parse(text: &str) -> Result<Requirements> {
        if text.len() > BYTES_MAX {
            return Err(Error::invalid(format!("the requirements have more than {BYTES_MAX} bytes: remove some")));
        }
        let mut lines = Vec::new();
        for (number, line) in logical_lines(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            lines.extend(Line::parse(&line).map_err(|why| refused(number, &line, &why))?);
        }
        Requirements::of(lines, text.lines().count())
    }

    /// Reads a list with one requirement in each element.
    ///
    /// # Errors
    ///
    /// As [`Requirements::parse`].
    pub fn from_list<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Requirements> {
        let (mut lines, mut bytes, mut count) = (Vec::new(), 0, 0);
        for line in list {
            bytes += line.len();
            count += 1;
            if bytes > BYTES_MAX || count > LINES_MAX {
                return Err(too_many());
            }
            lines.extend(Line::parse(line).map_err(|why| refused(count, line, &why))?);
        }
        Requirements::of(lines, count)
    }

    fn of(all: Vec<Line>, count: usize) -> Result<Requirements> {
        let (mut lines, mut direct) = (Vec::new(), BTreeSet::new());
        for line in all {
            match line {
                Line::Named(line) => lines.push(line),
                Line::Direct(line) => drop(direct.insert(line)),
            }
        }
        Requirements::normalised(lines, direct, count)
    }

    fn normalised(mut lines: Vec<Requirement>, direct: BTreeSet<String>, count: usize) -> Result<Requirements> {
        if count > LINES_MAX {
            return Err(too_many());
        }
        if let Some(one) = families::one_opencv(lines.iter().map(|line| &*line.name)) {
            let others: Vec<_> = families::other_opencvs(one).collect();
            lines
                .iter_mut()
                .filter(|line| others.contains(&&*line.name))
                .for_each(|line| one.clone_into(&mut line.name));
        }
        lines.sort();
        lines.dedup();
        Ok(Requirements { lines, direct })
    }

    /// Adds packages that were found out about, by name. What the list says of a package, or of another with the same
    /// modules, comes before that.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when there are too many, or one is no name.
    pub fn merge<'a>(mut self, detected: impl IntoIterator<Item = &'a str>) -> Result<Requirements> {
        let mut added: Vec<Requirement> = Vec::new();
        for asked in detected {
            let (name, extras) = asked.split_once('[').unwrap_or((asked, ""));
            let extras =
                extras.trim_end_matches(']').split(',').filter(|extra| !extra.is_empty()).filter_map(normalised);
            let name = normalised(name)
                .ok_or_else(|| Error::invalid(format!("{} is not the name of a package", shown(name))))?;
            let named = |line: &&mut Requirement| line.name == name || families::are_alternatives(&line.name, &name);
            let known = self.lines.iter_mut().find(named);
            match known.or_else(|| added.iter_mut().find(|line| line.name == name)) {
                Some(line) => line.extras.extend(extras.filter(|_| line.name == name)),
                None => {
                    let versions = families::usual_versions(&name).into_iter().map(str::to_owned).collect();
                    let (extras, hashes) = (extras.collect(), BTreeSet::new());
                    added.push(Requirement { name, extras, versions, marker: None, hashes });
                }
            }
        }
        self.lines.append(&mut added);
        let count = self.lines.len() + self.direct.len();
        Requirements::normalised(self.lines, self.direct, count)
    }

    /// Adds requirements, each in an element. All of them must hold.
    ///
    /// # Errors
    ///
    /// As [`Requirements::parse`].
    pub fn and<S: AsRef<str>>(&self, more: &[S]) -> Result<Requirements> {
        let written = self.to_string();
        Requirements::from_list(written.lines().chain(more.iter().map(AsRef::as_ref)))
    }

    /// Returns whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.direct.is_empty()
    }

    /// Returns the lines that only pip understands: a container can follow them, where allowed.
    pub fn direct(&self) -> impl Iterator<Item = &str> {
        self.direct.iter().map(String::as_str)
    }

    /// Returns the names of the packages asked for on a platform, normalised, each once.
    pub fn names(&self, platform: &Platform) -> Vec<&str> {
        let mut names: Vec<_> = self.applying(platform).map(|line| &*line.name).collect();
        names.dedup();
        names
    }

    /// Returns the lines that apply on a platform, without markers.
    pub(super) fn on(&self, platform: &Platform) -> Vec<String> {
        let applying = self.applying(platform).map(|line| line.without_marker().to_string());
        let lines: BTreeSet<_> = applying.collect();
        lines.into_iter().collect()
    }

    /// Hashes of packages on a platform that have any, by name.
    pub(super) fn hashes(&self, platform: &Platform) -> BTreeMap<String, BTreeSet<String>> {
        let mut hashes = BTreeMap::<_, BTreeSet<_>>::new();
        for line in self.applying(platform).filter(|line| !line.hashes.is_empty()) {
            hashes.entry(line.name.clone()).or_default().extend(line.hashes.iter().cloned());
        }
        hashes
    }

    /// Returns whether packages of these versions are all that is asked for on a platform. Extras count as missing,
    /// since it is not known what they add, and so do hashes.
    pub(super) fn are_satisfied_by<'a>(
        &self,
        platform: &Platform,
        version_of: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        self.applying(platform).all(|line| line.is_satisfied_by(&version_of))
    }

    /// Returns what packages of these versions leave to be installed on a platform.
    pub(crate) fn without<'a>(
        &self,
        platform: &Platform,
        version_of: impl Fn(&str) -> Option<&'a str>,
    ) -> Requirements {
        let lines = self.applying(platform).filter(|line| !line.is_satisfied_by(&version_of)).cloned().collect();
        Requirements { lines, direct: self.direct.clone() }
    }

    /// Returns the names of packages with extras, which a constraint cannot have.
    pub(super) fn with_extras(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|line| !line.extras.is_empty()).map(|line| &*line.name)
    }

    fn applying(&self, platform: &Platform) -> impl Iterator<Item = &Requirement> {
        self.lines.iter().filter(|line| line.marker.as_ref().is_none_or(|marker| marker.holds(platform)))
    }
}

impl fmt::Display for Requirements {
    /// Writes the lines of a `requirements.txt`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.direct.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Requirement {
    fn is_satisfied_by<'a>(&self, version_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        let version = version_of(&self.name).and_then(|version| Version::from_str(version).ok());
        self.extras.is_empty()
            && self.hashes.is_empty()
            && version.is_some_and(|version| {
                let mut clauses = self.versions.iter().map(|clause| VersionSpecifiers::from_str(clause));
                clauses.all(|clause| clause.is_ok_and(|clause| clause.contains(&version)))
            })
    }

    fn without_marker(&self) -> Requirement {
        Requirement { marker: None, ..self.clone() }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |parts: &BTreeSet<String>| parts.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        f.write_str(&self.name)?;
        if !self.extras.is_empty() {
            write!(f, "[{}]", join(&self.extras))?;
        }
        f.write_str(&join(&self.versions))?;
        self.marker.iter().try_for_each(|marker| write!(f, " ; {marker}"))?;
        self.hashes.iter().try_for_each(|hash| write!(f, "{HASH}{hash}"))
    }
}

/// What stands before a hash, behind a requirement.
pub(super) const HASH: &str = " --hash=";

/// Returns the normalised form of a name (PEP 503), if it is one.
pub(super) fn normalised(name: &str) -> Option<String> {
    PackageName::new(name.to_owned()).ok().map(|name| name.to_string())
}

fn refused(number: usize, line: &str, why: &str) -> Error {
    Error::invalid(format!("requirements, line {number} ({}): {why}", shown(line.trim())))
}

fn too_many() -> Error {
    Error::invalid(format!("the requirements have more than {LINES_MAX} lines or {BYTES_MAX} bytes: remove some"))
}

#[cfg(test)]
#[path = "requirements/tests.rs"]
mod tests;
