//! The key of a row: a hash of the fields that stay the same while a file grows, and the row's ordinal
//! among rows that have these in common. The same file read again makes the same keys, and a grown file
//! makes them for the rows that it had.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// Hashes of a generation. Of two rows that have their fields in common, and more than a generation of
/// others between them, the second is taken for the first.
const GENERATION_LIMIT: usize = 1_000_000;

/// The keys that were made; remembers the last one or two million.
#[derive(Debug, Default)]
pub(super) struct Keys {
    recent: HashMap<u128, u32>,
    older: HashMap<u128, u32>,
}

impl Keys {
    /// The key of the next row that has these fields.
    pub(super) fn next(&mut self, fields: &[Option<&str>]) -> String {
        let hash = hash(fields);
        let known = self.recent.get(&hash).or_else(|| self.older.get(&hash));
        let ordinal = known.map_or(0, |last| last.saturating_add(1));
        if self.recent.len() >= GENERATION_LIMIT && !self.recent.contains_key(&hash) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(hash, ordinal);
        format!("{hash:032x}:{ordinal}")
    }

    /// Another file begins, of which rows may be in the one before: ordinals begin anew.
    pub(super) fn next_file(&mut self) {
        self.recent.clear();
        self.older.clear();
    }
}

/// The first half of SHA-256 over the fields, each with its length before it.
fn hash(fields: &[Option<&str>]) -> u128 {
    let mut hasher = Sha256::new();
    for field in fields {
        let length = field.map_or(u64::MAX, |text| {
            u64::try_from(text.len()).unwrap_or(u64::MAX)
        });
        hasher.update(length.to_be_bytes());
        hasher.update(field.unwrap_or_default().as_bytes());
    }
    let bytes: [u8; 32] = hasher.finalize().into();
    bytes
        .iter()
        .take(16)
        .fold(0, |hash, byte| (hash << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_rows_are_told_apart_by_their_ordinal_and_a_file_begins_anew() {
        let mut keys = Keys::default();
        let first = keys.next(&[Some("use"), None]);
        let second = keys.next(&[Some("use"), None]);
        assert!(first.ends_with(":0") && second.ends_with(":1"));
        assert_eq!(first.split(':').next(), second.split(':').next());
        assert!(second.len() <= usher_api::IMPORT_KEY_LIMIT_BYTES);
        keys.next_file();
        assert_eq!(keys.next(&[Some("use"), None]), first);
    }

    proptest! {
        #[test]
        fn different_fields_have_different_hashes(
            one in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..4),
            other in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..4),
        ) {
            let fields = |all: &[Option<String>]| {
                let all: Vec<Option<&str>> = all.iter().map(Option::as_deref).collect();
                hash(&all)
            };
            prop_assert_eq!(one == other, fields(&one) == fields(&other));
        }
    }
}
