//! Environment markers (PEP 508): `python_version < "3.11" and sys_platform == "linux"`.
//!
//! They are read and evaluated here, and uv gets only what applies. A parser that simplifies them takes time and memory
//! that grow exponentially with what a stranger writes, and remembers all of it.

use super::platform::{Platform, Target};
use pep508_rs::pep440_rs::{Version, VersionSpecifier};
use std::{fmt, str::FromStr};

/// Parentheses within parentheses.
const DEPTH_MAX: u32 = 20;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Marker {
    All(Vec<Marker>),
    Any(Vec<Marker>),
    Compare(Value, Operator, Value),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Variable(Variable),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operator {
    Version(&'static str),
    In,
    NotIn,
}

/// The operators of versions; those that start like another come first.
const COMPARISONS: [&str; 8] = ["===", "==", "!=", "~=", "<=", ">=", "<", ">"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variable {
    ImplementationName,
    ImplementationVersion,
    OsName,
    PlatformMachine,
    PlatformPythonImplementation,
    PlatformRelease,
    PlatformSystem,
    PlatformVersion,
    PythonFullVersion,
    PythonVersion,
    SysPlatform,
}

/// Names of variables; of those with several, the one of the standard first.
const VARIABLES: [(&str, Variable); 17] = [
    ("implementation_name", Variable::ImplementationName),
    ("implementation_version", Variable::ImplementationVersion),
    ("os_name", Variable::OsName),
    ("platform_machine", Variable::PlatformMachine),
    ("platform_python_implementation", Variable::PlatformPythonImplementation),
    ("platform_release", Variable::PlatformRelease),
    ("platform_system", Variable::PlatformSystem),
    ("platform_version", Variable::PlatformVersion),
    ("python_full_version", Variable::PythonFullVersion),
    ("python_version", Variable::PythonVersion),
    ("sys_platform", Variable::SysPlatform),
    ("os.name", Variable::OsName),
    ("platform.machine", Variable::PlatformMachine),
    ("platform.python_implementation", Variable::PlatformPythonImplementation),
    ("platform.version", Variable::PlatformVersion),
    ("python_implementation", Variable::PlatformPythonImplementation),
    ("sys.platform", Variable::SysPlatform),
];

impl Marker {
    /// Returns whether the requirement applies there.
    pub(super) fn holds(&self, platform: &Platform) -> bool {
        match self {
            Marker::All(parts) => parts.iter().all(|part| part.holds(platform)),
            Marker::Any(parts) => parts.iter().any(|part| part.holds(platform)),
            Marker::Compare(left, operator, right) => {
                let is_version = |value: &Value| matches!(value, Value::Variable(variable) if variable.is_version());
                let (versions, reversed) = (is_version(left) || is_version(right), is_version(right));
                compare(&left.on(platform), *operator, &right.on(platform), versions, reversed)
            }
        }
    }
}

/// Compares values as versions where they are such, else as text.
fn compare(left: &str, operator: Operator, right: &str, versions: bool, reversed: bool) -> bool {
    let operator = match operator {
        Operator::In => return right.contains(left),
        Operator::NotIn => return !right.contains(left),
        Operator::Version(operator) => operator,
    };
    if versions {
        let (version, operator, bound) = match (reversed, operator) {
            (false, operator) => (left, operator, right),
            (true, "<") => (right, ">", left),
            (true, ">") => (right, "<", left),
            (true, "<=") => (right, ">=", left),
            (true, ">=") => (right, "<=", left),
            (true, operator) => (right, operator, left),
        };
        let parsed = (Version::from_str(version), VersionSpecifier::from_str(&format!("{operator}{bound}")));
        if let (Ok(version), Ok(specifier)) = parsed {
            return specifier.contains(&version);
        }
    }
    match operator {
        "==" | "===" | "~=" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        _ => left >= right,
    }
}

impl Value {
    fn on(&self, platform: &Platform) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Variable(variable) => variable.on(platform),
        }
    }
}

impl Variable {
    fn is_version(self) -> bool {
        matches!(self, Variable::ImplementationVersion | Variable::PythonFullVersion | Variable::PythonVersion)
    }

    /// Returns the variable's value, as far as it is known beforehand: of the kernel nothing is.
    fn on(self, platform: &Platform) -> String {
        match self {
            Variable::ImplementationName => "cpython".to_owned(),
            Variable::ImplementationVersion | Variable::PythonFullVersion => platform.python_full_version(),
            Variable::OsName => "posix".to_owned(),
            Variable::PlatformMachine => match platform.target {
                Target::Linux { machine, .. } => machine.name().to_owned(),
                Target::Wasm => "wasm32".to_owned(),
            },
            Variable::PlatformPythonImplementation => "CPython".to_owned(),
            Variable::PlatformRelease | Variable::PlatformVersion => String::new(),
            Variable::PlatformSystem => "Linux".to_owned(),
            Variable::PythonVersion => platform.python(),
            Variable::SysPlatform => "linux".to_owned(),
        }
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Marker::Compare(left, operator, right) => return write!(f, "{left} {operator} {right}"),
            Marker::All(parts) => (parts, " and "),
            Marker::Any(parts) => (parts, " or "),
        };
        for (n, part) in parts.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { word })?;
            match part {
                Marker::Compare(..) => write!(f, "{part}")?,
                _ => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) if text.contains('"') => write!(f, "'{text}'"),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Variable(variable) => {
                let name = VARIABLES.iter().find(|(_, known)| known == variable).map_or("", |(name, _)| name);
                f.write_str(name)
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Version(operator) => operator,
            Operator::In => "in",
            Operator::NotIn => "not in",
        })
    }
}

impl FromStr for Marker {
    type Err = String;

    fn from_str(text: &str) -> Result<Marker, String> {
        let mut parser = Parser { rest: text.trim(), depth: 0 };
        let marker = parser.any()?;
        if parser.rest.is_empty() { Ok(marker) } else { Err(parser.unexpected("'and' or 'or'")) }
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Marker, String> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Marker::Any(parts) })
    }

    fn all(&mut self) -> Result<Marker, String> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Marker::All(parts) })
    }

    fn one(&mut self) -> Result<Marker, String> {
        if self.symbol("(") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err("the marker is nested too deeply".to_owned());
            }
            let marker = self.any()?;
            self.depth -= 1;
            return if self.symbol(")") { Ok(marker) } else { Err(self.unexpected("')'")) };
        }
        let left = self.value()?;
        let operator = self.operator()?;
        let right = self.value()?;
        match (&left, &right) {
            (Value::Text(_), Value::Text(_)) => Err("the marker compares two texts".to_owned()),
            _ => Ok(Marker::Compare(left, operator, right)),
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        for quote in ["\"", "'"] {
            if self.symbol_exactly(quote) {
                let (text, rest) =
                    self.rest.split_once(quote).ok_or_else(|| format!("the marker has a {quote} without an end"))?;
                self.rest = rest.trim_start();
                return Ok(Value::Text(text.to_owned()));
            }
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        match VARIABLES.iter().find(|(known, _)| *known == name) {
            Some(&(_, variable)) => {
                self.rest = rest.trim_start();
                Ok(Value::Variable(variable))
            }
            None if name == "extra" => Err("'extra' means nothing in a requirement of a job".to_owned()),
            None => Err(self.unexpected("a variable such as python_version, or a text in quotes")),
        }
    }

    fn operator(&mut self) -> Result<Operator, String> {
        if let Some(operator) = COMPARISONS.into_iter().find(|operator| self.symbol(operator)) {
            return Ok(Operator::Version(operator));
        }
        if self.word("in") {
            return Ok(Operator::In);
        }
        if self.word("not") && self.word("in") {
            return Ok(Operator::NotIn);
        }
        Err(self.unexpected("a comparison such as '<'"))
    }

    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.symbol_exactly(symbol);
        if found {
            self.rest = self.rest.trim_start();
        }
        found
    }

    fn symbol_exactly(&mut self, symbol: &str) -> bool {
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        match found.is_empty() {
            true => format!("the marker ends where {wanted} should follow"),
            false => format!("the marker has {found:?} where {wanted} should be"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::platform::{Libc, Machine};
    use super::*;

    fn holds(marker: &str, python: (u8, u8)) -> bool {
        let target = Target::Linux { machine: Machine::X86_64, libc: Libc::Glibc { major: 2, minor: 36 } };
        marker.parse::<Marker>().unwrap().holds(&Platform { python, target })
    }

    #[test]
    fn markers_mean_what_they_mean_to_pip() {
        for (marker, on_3_11) in [
            ("python_version < '3.12'", true),
            ("python_version<'3.9'", false),
            ("python_version >= \"3.9\"", true),
            ("'3.9' <= python_version", true),
            ("'3.12' <= python_version", false),
            ("python_version == '3.*'", true),
            ("python_version ~= '3.10'", true),
            ("python_version not in '2.7 3.9'", true),
            ("python_full_version < '3.11.1'", true),
            ("sys_platform == 'linux'", true),
            ("sys.platform == 'win32'", false),
            ("os_name == 'posix' and platform_system == 'Linux'", true),
            ("os_name == 'nt' or platform_machine == 'x86_64'", true),
            ("os_name == 'nt' and os_name == 'x' or os_name == 'posix'", true),
            ("os_name == 'nt' and (os_name == 'x' or os_name == 'posix')", false),
            ("'64' in platform_machine", true),
            ("platform_python_implementation != 'PyPy'", true),
            ("implementation_name === 'cpython'", true),
        ] {
            assert_eq!(holds(marker, (3, 11)), on_3_11, "{marker}");
        }
        assert!(holds("python_version > '3.9'", (3, 10)), "3.10 is more than 3.9");
    }

    #[test]
    fn the_canonical_text_means_the_same() {
        let text = "(os.name=='posix'and python_version>'3')or(sys_platform  not  in \"it's\")";
        let marker: Marker = text.parse().unwrap();
        let canonical = r#"(os_name == "posix" and python_version > "3") or sys_platform not in "it's""#;
        assert_eq!(marker.to_string(), canonical);
        assert_eq!(canonical.parse::<Marker>().unwrap(), marker);
    }

    #[test]
    fn malformed_markers_are_refused() {
        let deep = format!("{}os_name == 'x'{}", "(".repeat(21), ")".repeat(21));
        for (marker, reason) in [
            ("", "ends where"),
            ("python_version", "a comparison"),
            ("python_version <", "ends where"),
            ("python_version < 3.9", "\"3.9\" where a variable"),
            ("python_version < '3.9", "without an end"),
            ("'a' == 'b'", "two texts"),
            ("os_name == 'x' os_name", "'and' or 'or'"),
            ("(os_name == 'x'", "')'"),
            ("extra == 'test'", "'extra' means nothing"),
            ("secret == 'x'", "a variable"),
            ("os_name not 'x'", "a comparison"),
            (&deep, "nested too deeply"),
        ] {
            let error = marker.parse::<Marker>().unwrap_err();
            assert!(error.contains(reason), "{marker}: {error}");
        }
    }
}
