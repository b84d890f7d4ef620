//! Names of images, as people write them.

use crate::{Error, Result};
use std::{fmt, str::FromStr};

const NAME_BYTES_MAX: usize = 255;

/// The name of an image, in the form that people use: `python:3.13-slim`, `ghcr.io/acme/base:1`. It has a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ImageName(String);

impl ImageName {
    /// Returns whether a pattern of [`DockerOptions::allowed_images`](super::DockerOptions::allowed_images) matches; in there `*` is anything.
    pub(crate) fn matches(&self, pattern: &str) -> bool {
        let (text, pattern) = (self.0.as_bytes(), pattern.as_bytes());
        let (mut at, mut next, mut star) = (0, 0, None);
        while at < text.len() {
            match pattern.get(next) {
                Some(b'*') => {
                    star = Some((next, at));
                    next += 1;
                }
                Some(byte) if *byte == text[at] => (at, next) = (at + 1, next + 1),
                // The last star takes one more.
                _ => match star {
                    Some((place, taken)) => {
                        star = Some((place, taken + 1));
                        (at, next) = (taken + 1, place + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[next..].iter().all(|byte| *byte == b'*')
    }

    /// Returns the name without its tag and its digest.
    pub(crate) fn repository(&self) -> &str {
        let tagged = self.0.split_once('@').map_or(self.0.as_str(), |(tagged, _)| tagged);
        match tagged.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => path,
            _ => tagged,
        }
    }

    /// Returns the name as the daemon lists it: with a digest it has no tag.
    pub(crate) fn as_listed(&self) -> ImageName {
        match self.0.split_once('@') {
            Some((_, digest)) => ImageName(format!("{}@{digest}", self.repository())),
            None => self.clone(),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ImageName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ImageName> {
        let wrong = |why: &str| {
            let start: String = text.chars().take(NAME_BYTES_MAX).collect();
            Error::invalid(format!(
                "{start:?} is not the name of an image ({why}): write one like \"python:3.13-slim\""
            ))
        };
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(wrong("it is empty or too long"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(wrong("its digest is not sha256:… with 64 hexadecimal digits"));
            }
        }
        // A colon before a slash belongs to a port.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let first = tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !first || tag.len() > 128 || !tag.bytes().all(inner) {
                return Err(wrong("its tag has other than letters, digits, '_', '.' and '-'"));
            }
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        let has_registry = parts.len() > 1 && (parts[0].contains(['.', ':']) || parts[0] == "localhost");
        if has_registry && !is_registry(parts[0]) {
            return Err(wrong("its registry is not a host name"));
        }
        if !parts[usize::from(has_registry)..].iter().all(|part| is_component(part)) {
            return Err(wrong("its path has other than small letters and digits, and single separators"));
        }
        // Three ways to write the same.
        if has_registry && matches!(parts[0], "docker.io" | "index.docker.io") {
            parts.remove(0);
            if parts.len() == 2 && parts[0] == "library" {
                parts.remove(0);
            }
        }
        let path = parts.join("/");
        Ok(ImageName(match (tag, digest) {
            (None, None) => format!("{path}:latest"),
            (Some(tag), None) => format!("{path}:{tag}"),
            (None, Some(digest)) => format!("{path}@{digest}"),
            (Some(tag), Some(digest)) => format!("{path}:{tag}@{digest}"),
        }))
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_label = |label: &str| {
        edge(label.bytes().next())
            && edge(label.bytes().last())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(is_label) && port.parse::<u16>().is_ok()
}

/// Returns whether a part of a name is small letters and digits, with separators between them.
fn is_component(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    edge(text.bytes().next()) && edge(text.bytes().last()) && text.bytes().all(inner) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for (text, expected) in [
            ("python", "python:latest"),
            ("python:3.13-slim", "python:3.13-slim"),
            ("docker.io/library/python:3.13", "python:3.13"),
            ("docker.io/acme/base:1", "acme/base:1"),
            ("localhost:5000/base", "localhost:5000/base:latest"),
            ("ghcr.io/a/b__c/d-e:X_1", "ghcr.io/a/b__c/d-e:X_1"),
        ] {
            assert_eq!(text.parse::<ImageName>().expect(text).to_string(), expected);
        }
        let digest = format!("python:3.13@sha256:{}", "a".repeat(64));
        let name = digest.parse::<ImageName>().expect("a name");
        assert_eq!(name.to_string(), digest);
        assert_eq!(name.as_listed().to_string(), digest.replace(":3.13", ""));
        for (text, repository) in [("python", "python"), ("localhost:5000/base:1", "localhost:5000/base")] {
            let name = text.parse::<ImageName>().expect(text);
            assert_eq!((name.repository(), name.as_listed()), (repository, name.clone()));
        }
        let long = "a".repeat(256);
        for wrong in [
            "",
            "Python",
            "python:",
            "python:-x",
            "python:a b",
            "-v",
            "--privileged",
            "../python",
            "a//b",
            "a/",
            "/a",
            "a..b",
            "a@sha256:1",
            "a\nb",
            "python:3.13;rm",
            "é",
            "a:b:c",
            "host:port/a",
            "http://x/y",
            "a/b:80/c",
            "-.x/a",
            &long,
        ] {
            assert!(wrong.parse::<ImageName>().is_err_and(|error| error.is_invalid_job()), "{wrong:?}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (name, pattern, expected) in [
            ("python:3.13", "python:*", true),
            ("python:3.13", "python:3.13", true),
            ("python:3.13-slim", "python:*-slim", true),
            ("python:3.13", "python:*-slim", false),
            ("pythons:3.13", "python:*", false),
            ("evil/python:3.13", "python:*", false),
            ("evil.io/python:3.13", "python:*", false),
            ("ghcr.io/acme/a/b:1", "ghcr.io/acme/*", true),
            ("ghcr.io/acmes/b:1", "ghcr.io/acme/*", false),
            ("anything", "*", true),
            ("anything", "", false),
        ] {
            assert_eq!(name.parse::<ImageName>().expect("a name").matches(pattern), expected, "{name} {pattern}");
        }
    }
}
