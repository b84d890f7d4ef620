//! What packages are asked for: the lines of a `requirements.txt`, of which only names, extras, versions and markers are
//! accepted.
//!
//! An installer takes more from such a file: options that run code (`-e .`), read files (`-r /etc/passwd`) or choose
//! another index, URLs and paths. None of it reaches uv: what is handed on is written anew from what was understood.

use super::{families, marker::Marker, platform::Platform};
use crate::{Error, Result};
use pep508_rs::{
    PackageName, VerbatimUrl, VersionOrUrl,
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
/// One requirement, in bytes.
const LINE_BYTES_MAX: usize = 2000;

/// A list of requirements, normalised: two that mean the same are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Sorted, each once.
    lines: Vec<Requirement>,
    /// Lines that only pip understands, in a container: addresses of packages, and where an index is.
    direct: BTreeSet<String>,
}

/// Says what a line asks for.
enum Line {
    Named(Requirement),
    Direct(String),
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

impl Line {
    /// Reads a line; a comment is `None`.
    fn parse(line: &str) -> Result<Option<Line>, String> {
        let line = without_comment(line).trim();
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("the line has more than {LINE_BYTES_MAX} bytes"));
        }
        if is_direct(line) {
            return Ok(Some(Line::Direct(line.to_owned())));
        }
        let (line, hashes) = without_hashes(line)?;
        refuse_what_installers_also_take(line)?;
        let (head, marker) = match line.split_once(';') {
            Some((head, marker)) => (head.trim(), Some(marker.parse()?)),
            None => (line, None),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || " \t.-_[](),<>=!~*+".contains(c);
        if let Some(other) = head.chars().find(|&c| !allowed(c)) {
            return Err(format!("{other:?} has no place in a requirement; {FORM}"));
        }
        check_ends_of_names(head)?;
        let parsed = pep508_rs::Requirement::<VerbatimUrl>::from_str(head)
            .map_err(|error| format!("{}; {FORM}", shown(&error.message.to_string())))?;
        let versions = match parsed.version_or_url {
            None => BTreeSet::new(),
            Some(VersionOrUrl::VersionSpecifier(clauses)) => clauses.iter().map(ToString::to_string).collect(),
            Some(VersionOrUrl::Url(_)) => return Err(URL.to_owned()),
        };
        let extras = parsed.extras.iter().map(ToString::to_string).collect();
        let is_exact = |clause: &String| clause.starts_with("==") && !clause.ends_with('*');
        let is_pinned = versions.len() == 1 && versions.iter().all(is_exact);
        if !hashes.is_empty() && !is_pinned {
            return Err("a hash is of one version: write it before the hash, as in name==1.0".to_owned());
        }
        Ok(Some(Line::Named(Requirement { name: parsed.name.to_string(), extras, versions, marker, hashes })))
    }
}

/// Refuses names that end in punctuation, at which the parser would panic.
fn check_ends_of_names(head: &str) -> Result<(), String> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let (name, rest) = head.split_at(head.find(|c| !in_name(c)).unwrap_or(head.len()));
    let extras = rest.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
    let mut names = extras.split(|c: char| c == ',' || c.is_whitespace()).chain([name]);
    match names.find(|name| name.ends_with(['.', '-', '_'])) {
        Some(name) => Err(format!("{} does not end in a letter or a digit, as names do; {FORM}", shown(name))),
        None => Ok(()),
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

const FORM: &str = "write a name, with extras, versions and a marker if need be: requests[socks]>=2.31,<3 ; \
                    python_version < \"3.13\"";
const URL: &str = "URLs are not accepted: name the package, and a version such as name==1.0; it comes from the package \
                   index of this service";
const FILE: &str = "paths are not accepted: name a package of the package index, or put the code into the project and \
                    import it";

/// Returns whether a line has the address of a package, or says where an index is. One of a file on this machine is
/// neither.
fn is_direct(line: &str) -> bool {
    // With a backslash at its end it would swallow the next line wherever it is written down.
    if line.chars().any(|c| c.is_control() || !c.is_ascii() || c == '\\') {
        return false;
    }
    let words: Vec<_> = line.split_whitespace().collect();
    let option = words[0].split_once('=').unwrap_or((words[0], words.get(1).copied().unwrap_or_default()));
    let count = if words[0].contains('=') { 1 } else { 2 };
    match option {
        ("-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links", address) => {
            words.len() == count && is_remote(address)
        }
        _ => {
            let address = match line.split_once('@') {
                Some((name, address)) if is_name(name) => address.trim_start(),
                _ => line,
            };
            is_remote(address)
        }
    }
}

/// Returns a name with extras.
fn is_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.[], ".contains(c))
}

/// Returns whether an address is one of another machine.
fn is_remote(address: &str) -> bool {
    const SCHEMES: [&str; 6] = ["https", "http", "git+https", "git+http", "git+ssh", "hg+https"];
    address.split_once("://").is_some_and(|(scheme, rest)| {
        SCHEMES.contains(&&*scheme.to_ascii_lowercase())
            && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
    })
}

/// Returns the subject of a line that only pip understands, in a word.
pub(super) fn name_in(line: &str) -> String {
    if line.starts_with('-') {
        return "another package index".to_owned();
    }
    let name = match line.split_once('@') {
        Some((name, _)) if is_name(name) => name.split('[').next().unwrap_or(name).trim(),
        _ => {
            let place = line.split([';', ' ', '#', '?']).next().unwrap_or(line).trim_end_matches('/');
            place.rsplit('/').next().unwrap_or(place)
        }
    };
    let name: String = name.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    if name.is_empty() { "a package".to_owned() } else { name }
}

/// Returns why a line that only pip understands is not followed.
pub(super) fn refused_direct(line: &str) -> String {
    let why = if line.starts_with('-') {
        refused_option(line.split_whitespace().next().unwrap_or(line))
    } else {
        URL.to_owned()
    };
    format!("requirements ({}): {why}", shown(line))
}

/// Returns a line without the hashes at its end, and these.
fn without_hashes(line: &str) -> Result<(&str, BTreeSet<String>), String> {
    let option = HASH.trim().trim_end_matches('=');
    let is_option = |&(at, _): &(usize, &str)| {
        let before = line[..at].chars().next_back().is_some_and(char::is_whitespace);
        before && line[at + option.len()..].starts_with(|c: char| c == '=' || c.is_whitespace())
    };
    let Some((start, _)) = line.match_indices(option).find(is_option) else { return Ok((line, BTreeSet::new())) };
    let mut words = line[start..].split_whitespace();
    let mut hashes = BTreeSet::new();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix(option) {
            Some("") => words.next().unwrap_or_default(),
            Some(value) if value.starts_with('=') => &value[1..],
            _ => return Err(refused_option(word)),
        };
        let digits = match value.split_once(':') {
            Some(("sha256", digits)) if digits.len() == 64 => digits,
            Some(("sha384", digits)) if digits.len() == 96 => digits,
            Some(("sha512", digits)) if digits.len() == 128 => digits,
            _ => "",
        };
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(format!("{} is no hash: write sha256: and 64 hexadecimal digits", shown(value)));
        }
        hashes.insert(value.to_ascii_lowercase());
    }
    Ok((line[..start].trim_end(), hashes))
}

/// Says by name what is no requirement but that an installer would act upon.
fn refuse_what_installers_also_take(line: &str) -> Result<(), String> {
    let option = line
        .split_whitespace()
        .enumerate()
        .find(|(n, word)| word.starts_with("--") || *n == 0 && word.starts_with('-'));
    if let Some((_, word)) = option {
        return Err(refused_option(word));
    }
    let head = line.split_once(';').map_or(line, |(head, _)| head).trim();
    let scheme = ["git+", "hg+", "svn+", "bzr+"].iter().any(|scheme| head.starts_with(scheme));
    if head.contains("://") || head.contains('@') || scheme || head.to_ascii_lowercase().starts_with("file:") {
        return Err(URL.to_owned());
    }
    let archive = [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".egg", ".txt", ".toml", ".py"];
    let name = head.split(['[', ' ', '\t', '=', '<', '>', '!', '~']).next().unwrap_or(head).to_ascii_lowercase();
    if head.starts_with(['.', '~']) || head.contains(['/', '\\']) || archive.iter().any(|ending| name.ends_with(ending))
    {
        return Err(FILE.to_owned());
    }
    Ok(())
}

fn refused_option(word: &str) -> String {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    // A short option may have its value right behind it.
    let name = if name.starts_with("--") { name } else { name.get(..2).unwrap_or(name) };
    let advice = match name {
        "-e" | "--editable" => "put the code into the project and import it",
        "-r" | "--requirement" | "--requirements" => "write the lines of that file here",
        "-c" | "--constraint" | "--constraints" => "write the versions here, as in name<2",
        "-i" | "--index-url" | "--extra-index-url" | "--index" | "--default-index" | "--no-index" | "-f"
        | "--find-links" | "--trusted-host" => "remove it; the settings of whoever runs the job name the package index",
        "--hash" | "--require-hashes" => "remove it, and name the version, as in name==1.0",
        "--only-binary" | "--no-binary" | "--prefer-binary" => "remove it; wheels are what is installed",
        "--pre" => "remove it, and name the version, as in name==2.0rc1",
        _ => "remove it",
    };
    format!("the option {} is not accepted: {advice}", shown(name))
}

/// Returns numbered lines, those that end in a backslash joined with the next.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        // A comment does not go on, and ends what would.
        let comment = line.trim_start().starts_with('#');
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) if !comment => (part, true),
            _ => (line, false),
        };
        match found.last_mut().filter(|_| open) {
            Some((_, last)) if comment => last.push_str(&format!(" {part}")),
            Some((_, last)) => last.push_str(part),
            None => found.push((n + 1, part.to_owned())),
        }
        open = goes_on;
    }
    found
}

/// Removes a comment, which starts the line or follows a blank.
fn without_comment(line: &str) -> &str {
    let start = line.match_indices('#').find(|&(at, _)| line[..at].chars().next_back().is_none_or(char::is_whitespace));
    start.map_or(line, |(at, _)| &line[..at])
}

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

/// Shortens a stranger's text, and puts it on one line.
fn shown(text: &str) -> String {
    const SHOWN: usize = 100;
    let short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    // In quotes of the text nothing has to be escaped.
    let short = short.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(SHOWN).is_some() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::platform::{Libc, Machine, Target};

    fn linux(python: (u8, u8)) -> Platform {
        Platform {
            python,
            target: Target::Linux { machine: Machine::X86_64, libc: Libc::Glibc { major: 2, minor: 36 } },
        }
    }

    fn text(input: &str) -> String {
        Requirements::parse(input).unwrap().to_string()
    }

    fn problem(input: &str) -> String {
        Requirements::parse(input).unwrap_err().to_string()
    }

    #[test]
    fn names_that_end_in_punctuation_are_refused() {
        for line in
            ["gi.+x", "a_", "a-==1", "a.>=1", "a[b.]", "a [b, c_]", "a[b- c]", "a[b.", "a[x]; python_version < '3'"]
        {
            let refused = Requirements::parse(line).is_err();
            assert_eq!(refused, !line.contains(';'), "{line}");
        }
    }

    #[test]
    fn equal_requirements_have_one_text() {
        let messy = "\u{feff}# a comment\n\nRequests [Security,socks] >=2.31 , <3  # why\nPy_YAML\nnumpy ; python_version<'3.13'\npy.yaml\n\
                     Zope.Interface (>=5)\ncolor#ama\\\n==1\n"
            .replace("color#ama", "colorama");
        let canonical = "colorama==1\nnumpy ; python_version < \"3.13\"\npy-yaml\nrequests[security,socks]<3,>=2.31\n\
                         zope-interface>=5\n";
        assert_eq!(text(&messy), canonical);
        assert_eq!(text(&messy.replace('\n', "\r\n").replace("\\\r\n", "\\\n")), canonical);
        assert_eq!(text(canonical), canonical);
        assert_eq!(Requirements::from_list(canonical.lines()).unwrap().to_string(), canonical);
        assert!(Requirements::parse("\n# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn comments_and_continued_lines_are_read_as_pip_reads_them() {
        assert_eq!(text("numpy\\\n>=2\\\n,<3\n"), "numpy<3,>=2\n");
        assert_eq!(text("numpy \\\n# not this\nscipy"), "numpy\nscipy\n");
        assert_eq!(text("# ends in a backslash \\\nscipy"), "scipy\n");
        assert_eq!(text("numpy\\"), "numpy\n");
        assert!(problem("numpy#2").contains("'#' has no place"));
    }

    #[test]
    fn options_are_refused_by_name() {
        for (line, option, advice) in [
            ("-e .", "-e", "put the code into the project"),
            ("-e.", "-e", "put the code into the project"),
            ("--editable=/srv", "--editable", "put the code into the project"),
            ("-r /etc/passwd", "-r", "write the lines"),
            ("-r/etc/passwd", "-r", "write the lines"),
            ("--requirement=/etc/passwd", "--requirement", "write the lines"),
            ("-c limits.txt", "-c", "name<2"),
            ("--trusted-host evil.example", "--trusted-host", "the settings"),
            ("--index-url file:///etc", "--index-url", "the settings"),
            ("-i /etc", "-i", "the settings"),
            ("--extra-index-url=/etc", "--extra-index-url", "the settings"),
            ("--index-url https://evil.example --pre", "--index-url", "the settings"),
            ("--find-links /tmp", "--find-links", "the settings"),
            ("--hash=sha256:00", "--hash", "name==1.0"),
            ("numpy==2 --hashes=sha256:00", "--hashes", "remove it"),
            ("numpy --config-settings=x", "--config-settings", "remove it"),
            ("numpy ; os_name == 'posix' --global-option=x", "--global-option", "remove it"),
            ("--pre", "--pre", "2.0rc1"),
            ("-", "-", "remove it"),
            ("-é", "-é", "remove it"),
        ] {
            let problem = problem(line);
            assert!(problem.contains(&format!("the option {option} is not accepted: ")), "{line}: {problem}");
            assert!(problem.contains(advice), "{line}: {problem}");
        }
    }

    #[test]
    fn hashes_are_read_as_pip_reads_them() {
        let [one, two] = ["a", "B"].map(|digit| digit.repeat(64));
        let written = format!(
            "numpy==2 ; os_name=='posix' \\\n    --hash=sha256:{two} \\\n    --hash sha256:{one} # why\nrich==1 --hash=sha512:{one}{one}"
        );
        let list = Requirements::parse(&written).unwrap();
        let canonical = format!(
            "numpy==2 ; os_name == \"posix\" --hash=sha256:{one} --hash=sha256:{}\nrich==1 --hash=sha512:{one}{one}\n",
            two.to_lowercase()
        );
        assert_eq!(list.to_string(), canonical);
        assert_eq!(Requirements::parse(&canonical).unwrap(), list);
        let hashes = list.hashes(&linux((3, 13)));
        assert_eq!((hashes.len(), hashes["numpy"].len()), (2, 2));
        for line in ["numpy", "numpy>=2", "numpy==2.*", "numpy==2,!=3"] {
            assert!(problem(&format!("{line} --hash=sha256:{one}")).contains("as in name==1.0"), "{line}");
        }
        for hash in ["sha256:00", "md5:00", "", &format!("sha256:{}", "x".repeat(64)), &one] {
            assert!(problem(&format!("numpy==2 --hash={hash}")).contains("is no hash"), "{hash}");
        }
        assert!(problem(&format!("numpy==2 --hash=sha256:{one} --pre")).contains("the option --pre"));
    }

    #[test]
    fn addresses_are_kept_apart() {
        for line in [
            "https://example.com/x-1.0-py3-none-any.whl",
            "name @ https://example.com/x.whl",
            "name[extra]@git+ssh://git@example.com/x.git@v1",
            "git+https://example.com/x#egg=name",
            "name @ https://example.com/x.zip ; python_version < '4'",
            "--index-url https://example.com/simple",
            "-i https://example.com/simple",
            "--extra-index-url=https://example.com",
            "--find-links http://example.com/wheels",
        ] {
            let list = Requirements::parse(&format!("numpy\n{line} # why\n")).unwrap();
            assert_eq!(list.to_string(), format!("{line}\nnumpy\n"));
            assert_eq!((list.direct().collect::<Vec<_>>(), list.names(&linux((3, 13)))), (vec![line], vec!["numpy"]));
            let more = list.clone().merge(["rich"]).unwrap().and(&["tabulate"]).unwrap();
            assert_eq!(more.to_string(), format!("{line}\nnumpy\nrich\ntabulate\n"));
            assert!(!Requirements::parse(line).unwrap().is_empty());
            assert!(refused_direct(line).contains(if line.starts_with('-') { "the settings" } else { "URLs are not" }));
        }
    }

    #[test]
    fn an_address_that_would_swallow_the_next_line_is_refused() {
        assert!(problem("git+https://example.com/x\\ # why\nnumpy").contains("URLs are not accepted"));
        assert_eq!(text("git+https://example.com/x # why \\\nnumpy"), "git+https://example.com/x\n");
    }

    #[test]
    fn urls_and_paths_are_refused() {
        for line in [
            "https:///etc/passwd",
            "name @ file:///etc/passwd",
            "name @ ../x",
            "git+file:/srv/x",
            "file:x.whl",
            "FILE:/etc/passwd",
        ] {
            assert!(problem(line).contains("URLs are not accepted"), "{line}: {}", problem(line));
        }
        for line in [
            ".",
            "./x",
            "../x",
            "/etc/passwd",
            "~/x",
            "x/y",
            "C:\\x",
            "x.whl",
            "X-1.0-py3-none-any.WHL",
            "x.tar.gz",
            "x.zip[extra]",
            "requirements.txt",
            "setup.py",
        ] {
            assert!(problem(line).contains("paths are not accepted"), "{line}: {}", problem(line));
        }
    }

    #[test]
    fn what_is_no_requirement_is_refused_with_its_line() {
        for line in [
            "numpy scipy",
            "numpy==",
            "numpy=>1",
            "==1",
            "numpy[",
            "numpy[a",
            "numpy]",
            "numpy==1.x",
            "nümpy",
            "numpy\0",
            "numpy\u{1b}[31m",
            "${HOME}",
            "$(id)",
            "`id`",
            "numpy;",
            "numpy; extra == 'x'",
            "numpy | sh",
            "numpy>=1 <2",
            "a,b",
            "\"numpy\"",
            "numpy==99999999999999999999999",
        ] {
            let problem = problem(&format!("\n\n{line}\n"));
            assert!(problem.starts_with("requirements, line 3 ("), "{line}: {problem}");
            assert!(!problem.contains('\u{1b}') && !problem.contains('\0'), "{problem:?}");
            assert!(problem.len() < 600, "{problem}");
        }
        assert!(Requirements::from_list(["numpy\n-e ."]).is_err());
    }

    #[test]
    fn lists_are_bounded() {
        let lines = |count: usize| (0..count).map(|n| format!("p{n}\n")).collect::<String>();
        assert!(Requirements::parse(&lines(LINES_MAX)).is_ok());
        assert!(problem(&lines(LINES_MAX + 1)).contains("500 lines"));
        assert!(problem(&"\n".repeat(LINES_MAX + 1)).contains("500 lines"));
        assert!(problem(&"#".repeat(BYTES_MAX + 1)).contains("bytes"));
        assert!(problem(&"x".repeat(LINE_BYTES_MAX + 1)).contains("2000 bytes"));
        assert!(problem(&"x\\\n".repeat(LINES_MAX + 1)).contains("bytes"));
        let many: Vec<_> = (0..=LINES_MAX).map(|n| format!("p{n}")).collect();
        assert!(Requirements::from_list(many.iter().map(String::as_str)).is_err());
        assert!(Requirements::default().merge(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn a_name_in_the_list_wins_over_a_detected_one() {
        let list = Requirements::parse("PyYAML<6\nnumpy ; python_version < '3'").unwrap();
        let merged = list.merge(["pyyaml", "numpy", "Rich"]).unwrap();
        assert_eq!(merged.to_string(), "numpy ; python_version < \"3\"\npyyaml<6\nrich\n");
        assert_eq!(merged.names(&linux((3, 13))), ["pyyaml", "rich"]);
        assert!(Requirements::default().merge(["-e ."]).is_err());
    }

    #[test]
    fn packages_with_the_same_modules_are_not_both_installed() {
        let merged = |list: &str, names: &[&str]| {
            Requirements::parse(list).unwrap().merge(names.iter().copied()).unwrap().to_string()
        };
        for (list, names, both) in [
            ("", &["opencv-python-headless"][..], "opencv-python-headless\n"),
            ("opencv-python==4.9.0.80", &["opencv-python-headless"], "opencv-python-headless==4.9.0.80\n"),
            ("opencv-python-headless", &["opencv-python-headless"], "opencv-python-headless\n"),
            ("OpenCV_Contrib_Python", &["opencv-python-headless"], "opencv-contrib-python-headless\n"),
            ("opencv-python>4\nopencv-python-headless", &[], "opencv-python-headless\nopencv-python-headless>4\n"),
            (
                "opencv-python\nopencv-contrib-python<5",
                &[],
                "opencv-contrib-python-headless\nopencv-contrib-python-headless<5\n",
            ),
            ("psycopg2", &["psycopg2-binary", "psycopg2"], "psycopg2\n"),
            ("scikit-learn", &["scikit-learn", "numpy"], "numpy\nscikit-learn\n"),
            ("", &["setuptools"], "setuptools<82\n"),
            ("setuptools>=70", &["setuptools"], "setuptools>=70\n"),
        ] {
            assert_eq!(merged(list, names), both, "{list:?} {names:?}");
        }
        let more = Requirements::parse("opencv-contrib-python").unwrap().and(&["opencv-python"]).unwrap();
        assert_eq!(more.to_string(), "opencv-contrib-python-headless\n");
    }

    #[test]
    fn only_what_applies_is_handed_on() {
        let list =
            Requirements::parse("tomli ; python_version < '3.11'\nnumpy\nnumpy ; os_name == 'posix'\nnumpy>1").unwrap();
        assert_eq!(list.on(&linux((3, 13))), ["numpy", "numpy>1"]);
        assert_eq!(list.on(&linux((3, 10))), ["numpy", "numpy>1", "tomli"]);
        assert_eq!(list.names(&linux((3, 10))), ["numpy", "tomli"]);
    }

    #[test]
    fn installed_versions_satisfy_what_allows_them() {
        let version_of = |name: &str| (name == "numpy").then_some("2.1.0");
        for (list, satisfied) in [
            ("", true),
            ("numpy", true),
            ("numpy>=2,<3", true),
            ("numpy==2.1.*", true),
            ("numpy<2", false),
            ("numpy[extra]", false),
            ("scipy", false),
            ("scipy ; python_version < '3'", true),
        ] {
            let list = Requirements::parse(list).unwrap();
            assert_eq!(list.are_satisfied_by(&linux((3, 13)), version_of), satisfied, "{list}");
            assert_eq!(list.without(&linux((3, 13)), version_of).is_empty(), satisfied, "{list}");
        }
    }
}
