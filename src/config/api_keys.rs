//! API keys: how they are written, and what is kept of them.

use sha2::{Digest, Sha256};
use std::{fmt, fs::File, io::Read, os::unix::fs::MetadataExt, path::Path};

/// Counts the bytes of its digest in the name of a key that has none.
const NAMING_BYTES: usize = 6;
/// Shorter keys can be guessed.
const KEY_LENGTH_MIN: usize = 16;
/// Longer ones do not belong into a header.
const KEY_LENGTH_MAX: usize = 256;
const NAME_LENGTH_MAX: usize = 64;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Someone who may use the server. The key itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names its owner, in logs, metrics and what is kept: the part before the colon, or `key-` and the beginning of the
    /// key's digest, which is the same wherever it is in the list.
    pub name: String,
    /// [`ApiKey::digest_of`] the key.
    pub digest: [u8; 32],
}

impl ApiKey {
    /// Returns the SHA-256 of a key: all that is kept of it, compared in constant time.
    pub fn digest_of(key: &str) -> [u8; 32] {
        Sha256::digest(key.as_bytes()).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Adds keys, each written as `key` or `name:key`. What is wrong is told by position only: a part of a key in an error
/// would end up in a log.
pub(super) fn add<'a>(
    keys: &mut Vec<ApiKey>,
    entries: impl IntoIterator<Item = (String, &'a str)>,
) -> Result<(), String> {
    let mut problems = Vec::new();
    for (place, entry) in entries {
        match parse(entry).and_then(|key| new(key, keys)) {
            Ok(key) => keys.push(key),
            Err(problem) => problems.push(format!("{place} {problem}")),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// Adds the keys of a file that only its owner can read: one per line, `#` at the start of a line for a comment.
pub(super) fn add_file(keys: &mut Vec<ApiKey>, path: &Path) -> Result<(), String> {
    let fail = |e| format!("cannot read it: {e}");
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.mode() & 0o066 != 0 {
        return Err(format!("other users can read or change it\nhint: chmod 600 {}", path.display()));
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(fail)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err("is larger than 1 MiB".to_owned());
    }
    let entries: Vec<_> = text
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| (format!("line {}", index + 1), line))
        .collect();
    if entries.is_empty() {
        return Err("there is no key in it: write one per line, as key or name:key".to_owned());
    }
    add(keys, entries)
}

fn parse(entry: &str) -> Result<ApiKey, String> {
    let (name, key) = match entry.split_once(':') {
        Some((name, key)) => (name.to_owned(), key),
        None => (own_name(entry), entry),
    };
    let nameable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(nameable) {
        return Err(format!(
            "has no proper name before its colon: letters, digits, '-', '_' and '.', at most {NAME_LENGTH_MAX}"
        ));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
        return Err("has characters that cannot be in a key: use ASCII without spaces and commas".to_owned());
    }
    if !(KEY_LENGTH_MIN..=KEY_LENGTH_MAX).contains(&key.len()) {
        return Err(format!(
            "is {} characters long: a key has at least {KEY_LENGTH_MIN} and at most {KEY_LENGTH_MAX}\nhint: openssl \
             rand -hex 24",
            key.len()
        ));
    }
    Ok(ApiKey { name, digest: ApiKey::digest_of(key) })
}

/// Names a key that has no name.
fn own_name(key: &str) -> String {
    let digest = ApiKey::digest_of(key);
    digest.iter().take(NAMING_BYTES).fold("key-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn new(key: ApiKey, keys: &[ApiKey]) -> Result<ApiKey, String> {
    if keys.iter().any(|other| other.digest == key.digest) {
        return Err("is the same key as one before".to_owned());
    }
    if keys.iter().any(|other| other.name == key.name) {
        return Err("has the same name as a key before: write name:key to name it".to_owned());
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    const KEY: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    fn keys(entries: &[&str]) -> Result<Vec<ApiKey>, String> {
        let mut keys = Vec::new();
        add(&mut keys, entries.iter().enumerate().map(|(i, entry)| (format!("key {}", i + 1), *entry)))?;
        Ok(keys)
    }

    #[test]
    fn keys_have_a_name_or_get_one() {
        let keys = keys(&[KEY, &format!("alice:{OTHER}")]).unwrap();
        assert_eq!(keys[0], ApiKey { name: own_name(KEY), digest: ApiKey::digest_of(KEY) });
        assert_eq!(keys[1], ApiKey { name: "alice".to_owned(), digest: ApiKey::digest_of(OTHER) });
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_key() {
        let debug = format!("{:?}", keys(&[KEY]).unwrap());
        assert_eq!(debug, format!("[ApiKey {{ name: \"{}\", .. }}]", own_name(KEY)));
        assert_eq!(own_name(KEY), "key-9f9f5111f7b2");
        for entries in [&["shorty"][..], &["secret name:0123456789abcdef"], &[KEY, KEY], &["naïve-naïve-naïve"]] {
            let error = keys(entries).unwrap_err();
            assert!(entries.iter().all(|entry| !error.contains(entry)) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn short_keys_are_refused_and_every_bad_one_is_named() {
        let error = keys(&["0123456789abcde", KEY, "x:short"]).unwrap_err();
        assert!(error.contains("key 1 is 15 characters long: a key has at least 16"), "{error}");
        assert!(error.contains("key 3 is 5 characters long"), "{error}");
    }

    #[test]
    fn the_same_key_or_name_twice_is_refused() {
        assert!(keys(&[KEY, &format!("x:{KEY}")]).unwrap_err().contains("key 2 is the same key as one before"));
        let error = keys(&[&format!("x:{KEY}"), &format!("x:{OTHER}")]).unwrap_err();
        assert!(error.contains("key 2 has the same name as a key before"), "{error}");
    }

    #[test]
    fn a_file_of_keys_is_read_only_when_it_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, format!("# ours\n\n  alice:{KEY}\n{OTHER}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = add_file(&mut Vec::new(), &path).unwrap_err();
        assert!(error.ends_with(&format!("chmod 600 {}", path.display())), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let mut keys = Vec::new();
        add_file(&mut keys, &path).unwrap();
        assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["alice", &*own_name(OTHER)]);
        let error = add_file(&mut keys, &path).unwrap_err();
        assert!(error.starts_with("line 3 is the same key as one before"), "{error}");
    }

    #[test]
    fn a_file_without_keys_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(add_file(&mut Vec::new(), file.path()).unwrap_err().contains("no key in it"));
        assert!(add_file(&mut Vec::new(), Path::new("/nowhere")).unwrap_err().contains("cannot read it"));
    }
}
