//! The key of a row: a hash of the fields that stay the same while a file grows, and the row's ordinal
//! among rows that have these in common. The same file read again makes the same keys, and a grown file
//! makes them for the rows that it had.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};

/// Hashes of a generation. Of two rows that have their fields in common, and more than a generation of
/// others between them, the second is taken for the first.
const GENERATION_LIMIT: usize = 1_000_000;

/// The keys that were made; remembers the last one or two million.
#[derive(Debug, Default)]
pub(super) struct Keys {
    recent: HashMap<u128, u32>,
    older: HashMap<u128, u32>,
    /// Set while rows are made of what is not over: how many of a hash there are of these.
    ahead: Option<HashMap<u128, u32>>,
    /// Ordinals of what is followed from report to report, by hash.
    claimed: HashMap<u128, BTreeSet<u32>>,
}

/// A key that is kept for one as long as reports show it: of two that are alike, the one that stays has
/// the same key in the next report, whichever ends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    hash: u128,
    ordinal: u32,
}

impl Claim {
    pub(super) fn key(self) -> String {
        written(self.hash, self.ordinal)
    }
}

impl Keys {
    /// The key of the next row that has these fields.
    pub(super) fn next(&mut self, fields: &[Option<&str>]) -> String {
        self.next_of(hash(fields))
    }

    /// The key of the next row of that hash.
    pub(super) fn next_of(&mut self, hash: u128) -> String {
        let known = self.recent.get(&hash).or_else(|| self.older.get(&hash));
        let ordinal = known.map_or(0, |last| last.saturating_add(1));
        if let Some(ahead) = &mut self.ahead {
            let before = ahead.entry(hash).or_default();
            let ordinal = ordinal.saturating_add(*before);
            *before = before.saturating_add(1);
            return written(hash, ordinal);
        }
        if self.recent.len() >= GENERATION_LIMIT && !self.recent.contains_key(&hash) {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(hash, ordinal);
        written(hash, ordinal)
    }

    /// Until [`Keys::look_back`], rows are of what is not over: they have the keys that they get if all
    /// of them end in this order, and the keys of later rows are as if these were not made.
    pub(super) fn look_ahead(&mut self) {
        self.ahead = Some(HashMap::new());
    }

    /// Rows are of what is over again.
    pub(super) fn look_back(&mut self) {
        self.ahead = None;
    }

    /// The lowest key of that hash that nobody has.
    pub(super) fn claim(&mut self, hash: u128) -> Claim {
        let claimed = self.claimed.entry(hash).or_default();
        let free = (0_u32..)
            .zip(claimed.iter())
            .find(|(ordinal, taken)| ordinal != *taken);
        let length = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let ordinal = free.map_or(length, |(ordinal, _)| ordinal);
        claimed.insert(ordinal);
        Claim { hash, ordinal }
    }

    /// Whoever had the key has ended.
    pub(super) fn release(&mut self, claim: Claim) {
        if let Some(claimed) = self.claimed.get_mut(&claim.hash) {
            claimed.remove(&claim.ordinal);
            if claimed.is_empty() {
                self.claimed.remove(&claim.hash);
            }
        }
    }

    /// Another file begins, of which rows may be in the one before: ordinals begin anew.
    pub(super) fn next_file(&mut self) {
        self.recent.clear();
        self.older.clear();
    }
}

fn written(hash: u128, ordinal: u32) -> String {
    format!("{hash:032x}:{ordinal}")
}

/// The first half of SHA-256 over the fields, each with its length before it.
pub(super) fn hash(fields: &[Option<&str>]) -> u128 {
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

    #[test]
    fn what_is_not_over_has_the_keys_that_it_gets_at_its_end() {
        let mut keys = Keys::default();
        keys.next(&[Some("use")]);
        keys.look_ahead();
        let ahead = [keys.next(&[Some("use")]), keys.next(&[Some("use")])];
        keys.look_back();
        assert_eq!(
            [keys.next(&[Some("use")]), keys.next(&[Some("use")])],
            ahead
        );
    }

    #[test]
    fn a_claim_stays_while_others_of_its_hash_come_and_go() {
        let mut keys = Keys::default();
        let (first, second, third) = (keys.claim(7), keys.claim(7), keys.claim(7));
        assert_eq!([first, second, third].map(|claim| claim.ordinal), [0, 1, 2]);
        keys.release(second);
        assert_eq!(keys.claim(7), second);
        assert_eq!(keys.claim(7).ordinal, 3);
        assert_eq!(keys.claim(8).ordinal, 0);
        for claim in [first, second, third] {
            keys.release(claim);
        }
        assert_eq!(keys.claim(7), first);
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
