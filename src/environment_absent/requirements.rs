//! Stands for `environment/requirements.rs` where nothing installs packages: it keeps what is asked for as it is written,
//! for the refusal.

use super::Platform;
use crate::{Error, Result};
use std::{collections::BTreeSet, fmt, iter};

/// Lines of all lists together.
const LINES_MAX: usize = 500;

/// A list of requirements. A job that has any cannot run here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    lines: BTreeSet<String>,
}

impl Requirements {
    /// Reads a `requirements.txt`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJob`] when there are too many lines.
    pub fn parse(text: &str) -> Result<Requirements> {
        Requirements::from_list(text.lines())
    }

    /// Reads requirements, each in an element.
    ///
    /// # Errors
    ///
    /// As [`Requirements::parse`].
    pub fn from_list<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Requirements> {
        Requirements::default().merge(list)
    }

    /// Adds packages by their names.
    ///
    /// # Errors
    ///
    /// As [`Requirements::parse`].
    pub fn merge<'a>(mut self, detected: impl IntoIterator<Item = &'a str>) -> Result<Requirements> {
        for line in detected.into_iter().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.lines.insert(line.to_owned());
            if self.lines.len() > LINES_MAX {
                return Err(Error::invalid(format!("more than {LINES_MAX} packages are required")));
            }
        }
        Ok(self)
    }

    /// Adds requirements, each in an element.
    ///
    /// # Errors
    ///
    /// As [`Requirements::parse`].
    pub fn and<S: AsRef<str>>(&self, more: &[S]) -> Result<Requirements> {
        self.clone().merge(more.iter().map(AsRef::as_ref))
    }

    /// Returns whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn direct(&self) -> impl Iterator<Item = &str> {
        iter::empty()
    }

    pub(crate) fn names(&self, _platform: &Platform) -> Vec<&str> {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        self.lines.iter().map(|line| line.split(|c| !is_of_name(c)).next().unwrap_or_default()).collect()
    }

    pub(crate) fn without<'a>(
        &self,
        _platform: &Platform,
        _version_of: impl Fn(&str) -> Option<&'a str>,
    ) -> Requirements {
        self.clone()
    }
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
