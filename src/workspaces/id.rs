//! Ids: 21 characters that fit into a path, with 126 random bits.

use crate::{Error, Result};

const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const LENGTH: usize = 21;

/// Makes a new id.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::caused("the system has no random numbers", error.to_string()))?;
    Ok(bytes.iter().filter_map(|byte| CHARACTERS.get(usize::from(byte & 63))).map(|&byte| char::from(byte)).collect())
}

/// Returns whether a text has the form of an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| CHARACTERS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_form_and_differ() {
        let ids: std::collections::BTreeSet<_> = (0..100).map(|_| random().expect("an id")).collect();
        assert!(ids.len() == 100 && ids.iter().all(|id| is_id(id)));
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
