//! One line of a `requirements.txt`: what is accepted, and why the rest is not.

use super::{HASH, Requirement};
use pep508_rs::{VerbatimUrl, VersionOrUrl};
use std::{collections::BTreeSet, str::FromStr};

/// One requirement, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 2000;

const FORM: &str = "write a name, with extras, versions and a marker if need be: requests[socks]>=2.31,<3 ; \
                    python_version < \"3.13\"";
const URL: &str = "URLs are not accepted: name the package, and a version such as name==1.0; it comes from the package \
                   index of this service";
const FILE: &str = "paths are not accepted: name a package of the package index, or put the code into the project and \
                    import it";

/// Says what a line asks for.
pub(super) enum Line {
    Named(Requirement),
    Direct(String),
}

impl Line {
    /// Reads a line; a comment is `None`.
    pub(super) fn parse(line: &str) -> Result<Option<Line>, String> {
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
pub(in crate::environment) fn name_in(line: &str) -> String {
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
pub(in crate::environment) fn refused_direct(line: &str) -> String {
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
pub(super) fn logical_lines(text: &str) -> Vec<(usize, String)> {
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

/// Shortens a stranger's text, and puts it on one line.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 100;
    let short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    // In quotes of the text nothing has to be escaped.
    let short = short.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(SHOWN).is_some() { format!("{short}…") } else { short }
}
