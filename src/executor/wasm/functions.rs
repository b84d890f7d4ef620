//! Compiled functions by what they were compiled from. Images differ in the memory they start with, and not in their code:
//! with the functions of one, the next is compiled in a fraction of the time.

use crate::sync::lock;
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Functions that there are, and those that are added.
///
/// As bytes: for each function length of the key, length of the function (32-bit little-endian), key, function.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    bytes: Bytes,
    places: HashMap<Box<[u8]>, Range<usize>>,
    added: Mutex<Vec<u8>>,
}

impl Functions {
    /// Reads what [`Functions::into_bytes`] gave. What is damaged is left out: it is compiled again.
    pub(crate) fn open(bytes: Bytes) -> Functions {
        let mut places = HashMap::new();
        let mut at = 0;
        let number =
            |at: usize| -> Option<usize> { Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize) };
        while let (Some(key_length), Some(length)) = (number(at), number(at + 4)) {
            let key = at + 8..at + 8 + key_length;
            let function = key.end..key.end + length;
            at = function.end;
            let Some(key) = bytes.get(key).filter(|_| at <= bytes.len()) else { break };
            places.insert(key.into(), function);
        }
        Functions { bytes, places, added: Mutex::default() }
    }

    /// Returns the functions that were added.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.added.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl wasmtime::CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.bytes.get(self.places.get(key)?.clone()).map(Cow::Borrowed)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let (Ok(key_length), Ok(length)) = (u32::try_from(key.len()), u32::try_from(value.len())) else { return false };
        let mut added = lock(&self.added);
        for part in [&key_length.to_le_bytes()[..], &length.to_le_bytes(), key, &value] {
            added.extend_from_slice(part);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::CacheStore;

    #[test]
    fn what_was_added_is_found_next_time() {
        let first = Functions::default();
        assert!(first.insert(b"key", b"code".to_vec()) && first.insert(b"other", Vec::new()));
        assert_eq!(first.get(b"key"), None);
        let next = Functions::open(first.into_bytes().into());
        assert_eq!(next.get(b"key").as_deref(), Some(&b"code"[..]));
        assert_eq!(next.get(b"other").as_deref(), Some(&b""[..]));
        assert_eq!(next.get(b"none"), None);
    }

    #[test]
    fn damage_is_left_out() {
        let first = Functions::default();
        first.insert(b"key", b"code".to_vec());
        let bytes = first.into_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Functions::open(Bytes::copy_from_slice(&bytes[..length])).get(b"key"), None);
        }
        let mut odd = bytes;
        odd[0] = 0xff;
        assert_eq!(Functions::open(odd.into()).get(b"key"), None);
    }
}
