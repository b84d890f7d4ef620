//! Ids: 21 characters that fit into a path, with 126 random bits.

use crate::{Error, Result};
use sha2::{Digest, Sha256};

const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const LENGTH: usize = 21;

/// Makes a new id.
pub(super) fn random() -> Result<String> {
    loop {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::caused("the system has no random numbers", error.to_string()))?;
        let id = written(&bytes);
        // Commands would take it for a flag.
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

/// Returns the id of what an owner calls by a name: always the same one, and nobody else's.
pub(super) fn of_name(owner: &str, name: &str) -> String {
    let mut digest = Sha256::new();
    digest.update((owner.len() as u64).to_le_bytes());
    digest.update(owner);
    digest.update(name);
    let digest: [u8; 32] = digest.finalize().into();
    written(&digest)
}

fn written(bytes: &[u8]) -> String {
    let characters = bytes.iter().take(LENGTH).filter_map(|byte| CHARACTERS.get(usize::from(byte & 63)));
    characters.map(|&byte| char::from(byte)).collect()
}

/// Returns whether a text has the form of an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| CHARACTERS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_id_for_each_owner() {
        let id = of_name("alice", "../..");
        assert!(is_id(&id), "{id}");
        assert_eq!(id, of_name("alice", "../.."));
        for (owner, name) in [("bob", "../.."), ("alice", ".."), ("alice.", "./.."), ("", "alice../..")] {
            assert_ne!(id, of_name(owner, name));
        }
    }

    #[test]
    fn ids_have_one_form_and_differ() {
        let ids: std::collections::BTreeSet<_> = (0..5000).map(|_| random().expect("an id")).collect();
        assert!(ids.len() == 5000 && ids.iter().all(|id| is_id(id) && !id.starts_with('-')));
        for other in [
            "",
            "..",
            "aaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaaaaa/",
            "ä0123456789012345678",
        ] {
            assert!(!is_id(other), "{other}");
        }
    }
}
