//! Versions of Python, and which of them a requirement allows.

use std::{fmt, str::FromStr};

/// A version of Python that jobs can run on, 3.10 to 3.14. Made from text: `"3.11".parse()`.
// The minor number of Python 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Python(u8);

impl Python {
    pub(crate) const V3_10: Python = Python(10);
    pub(crate) const V3_11: Python = Python(11);
    pub(crate) const V3_12: Python = Python(12);
    pub(crate) const V3_13: Python = Python(13);
    pub(crate) const V3_14: Python = Python(14);

    /// The one in the wasm tier.
    pub const WASM: Python = Python::V3_14;

    /// Returns all versions, the newest first.
    pub(crate) fn all() -> impl Iterator<Item = Python> {
        (Python::V3_10.0..=Python::V3_14.0).rev().map(Python)
    }

    /// Returns the major and the minor version.
    pub fn numbers(self) -> (u8, u8) {
        (3, self.0)
    }

    /// Returns the newest, of those up to `at_most`, that a `requires-python` allows.
    pub(crate) fn newest_allowed(requirement: &Requirement, at_most: Python) -> Option<Python> {
        Python::all().find(|&python| python <= at_most && requirement.allows(python))
    }
}

impl Python {
    /// Returns the oldest that a `requires-python` allows.
    pub(crate) fn oldest_allowed(requirement: &Requirement) -> Option<Python> {
        Python::all().filter(|&python| requirement.allows(python)).last()
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}", self.0)
    }
}

/// The text is not `3.10` to `3.14`; says so in the words of the wire.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported python_version {asked:?}; supported versions: 3.10, 3.11, 3.12, 3.13, 3.14")]
pub struct UnsupportedPython {
    asked: String,
}

impl FromStr for Python {
    type Err = UnsupportedPython;

    fn from_str(text: &str) -> Result<Python, UnsupportedPython> {
        Python::all()
            .find(|python| python.to_string() == text)
            .ok_or_else(|| UnsupportedPython { asked: text.chars().take(32).collect() })
    }
}

/// A `requires-python`: clauses of PEP 440, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    text: String,
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    release: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    More,
    Less,
    Equal,
    NotEqual,
    StartsWith,
    StartsNotWith,
    Compatible,
}

/// Micro versions that a clause may tell apart.
const MICRO_MAX: u32 = 40;

impl Requirement {
    /// Returns whether some release of that version satisfies it.
    fn allows(&self, python: Python) -> bool {
        (0..=MICRO_MAX).any(|micro| {
            let version = [3, u32::from(python.0), micro];
            self.clauses.iter().all(|clause| clause.holds(version))
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Requirement, String> {
        let clauses = text.split(',').map(str::trim).filter(|clause| !clause.is_empty()).map(Clause::parse);
        match clauses.collect() {
            Some(clauses) => Ok(Requirement { text: text.trim().to_owned(), clauses }),
            None => Err(format!("{text:?} is not a version requirement, such as \">=3.11\"")),
        }
    }
}

impl Clause {
    fn parse(text: &str) -> Option<Clause> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (operator, version) = text.split_at(digits);
        let (version, any) = version.strip_suffix(".*").map_or((version, false), |prefix| (prefix, true));
        let operator = match (operator.trim(), any) {
            ("==", true) => Operator::StartsWith,
            ("!=", true) => Operator::StartsNotWith,
            ("==" | "===", false) => Operator::Equal,
            ("!=", false) => Operator::NotEqual,
            (">=", false) => Operator::AtLeast,
            ("<=", false) => Operator::AtMost,
            (">", false) => Operator::More,
            ("<", false) => Operator::Less,
            ("~=", false) => Operator::Compatible,
            _ => return None,
        };
        let release: Vec<u32> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        if operator == Operator::Compatible && release.len() < 2 {
            return None;
        }
        Some(Clause { operator, release })
    }

    fn holds(&self, version: [u32; 3]) -> bool {
        let starts_with = |prefix: &[u32]| {
            let padded = version.iter().chain(std::iter::repeat(&0));
            prefix.iter().zip(padded).all(|(wanted, part)| wanted == part)
        };
        let length = self.release.len().max(version.len());
        let padded = |parts: &[u32]| -> Vec<u32> { parts.iter().copied().chain([0; 3]).take(length.max(3)).collect() };
        let (ours, theirs) = (padded(&version), padded(&self.release));
        match self.operator {
            Operator::AtLeast => ours >= theirs,
            Operator::AtMost => ours <= theirs,
            Operator::More => ours > theirs,
            Operator::Less => ours < theirs,
            Operator::Equal => ours == theirs,
            Operator::NotEqual => ours != theirs,
            Operator::StartsWith => starts_with(&self.release),
            Operator::StartsNotWith => !starts_with(&self.release),
            Operator::Compatible => {
                ours >= theirs && self.release.split_last().is_some_and(|(_, prefix)| starts_with(prefix))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_supported_versions_are_read() {
        assert_eq!("3.11".parse(), Ok(Python::V3_11));
        for bad in ["2.7", "3.9", "3.15", "3", "3.11.2", "", "3.011", "latest"] {
            let error = bad.parse::<Python>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("unsupported python_version {bad:?}; supported versions: 3.10")),
                "{error}"
            );
        }
    }

    #[test]
    fn requirements_choose_the_newest_version_they_allow() {
        for (requirement, newest) in [
            ("", Some("3.14")),
            (">=3.9", Some("3.14")),
            (">=3.11,<3.13", Some("3.12")),
            ("<3.12", Some("3.11")),
            ("<=3.12", Some("3.12")),
            (">3.12", Some("3.14")),
            ("==3.11.*", Some("3.11")),
            ("==3.11.4", Some("3.11")),
            ("== 3.12", Some("3.12")),
            ("~=3.11", Some("3.14")),
            ("~=3.11.0", Some("3.11")),
            ("!=3.14.*", Some("3.13")),
            ("!=3.14.1", Some("3.14")),
            (">=3", Some("3.14")),
            ("<4.0", Some("3.14")),
            (">=3.15", None),
            ("<3.8", None),
            ("==2.*", None),
        ] {
            let parsed: Requirement = requirement.parse().unwrap();
            let found = Python::newest_allowed(&parsed, Python::V3_14).map(|python| python.to_string());
            assert_eq!(found.as_deref(), newest, "{requirement}");
        }
    }

    #[test]
    fn an_upper_bound_from_elsewhere_is_kept() {
        let requirement: Requirement = ">=3.11".parse().unwrap();
        assert_eq!(Python::newest_allowed(&requirement, Python::V3_12), Some(Python::V3_12));
        assert_eq!(Python::newest_allowed(&requirement, Python::V3_10), None);
    }

    #[test]
    fn malformed_requirements_are_refused() {
        for bad in ["3.11", ">=", ">=x", "=>3.11", "~=3", ">=3.11.*", ">=3..1", ">=99999999999", "python"] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }
}
