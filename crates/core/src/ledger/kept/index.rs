//! Which slots hold values, by the hash of the values' keys.
//!
//! The table is cut into shards, each of which grows on its own: no insert waits until a table of a
//! million entries is copied. The shards are of different sizes, up to twice the smallest: those of
//! one size would all double within the same few inserts, and a load would slow down for as long.

use std::sync::LazyLock;

use hashbrown::HashTable;

const SHARDS: usize = 256;
/// Parts of the range of hashes, each of which belongs to one shard.
const PARTS: usize = 1 << 14;

/// Slots by hashes.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Index {
    shards: Box<[HashTable<u32>]>,
}

impl Default for Index {
    fn default() -> Index {
        Index {
            shards: (0..SHARDS).map(|_| HashTable::new()).collect(),
        }
    }
}

impl Index {
    /// The slot of that hash that is the one that is meant.
    pub(in crate::ledger) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let shard = self.shards.get(shard(hash))?;
        shard.find(hash, |slot| is_it(*slot)).copied()
    }

    /// Enters a slot whose key is not in it. `hash_of` says the hash of any slot's key.
    pub(in crate::ledger) fn insert(&mut self, hash: u64, slot: u32, hash_of: impl Fn(u32) -> u64) {
        if let Some(shard) = self.shards.get_mut(shard(hash)) {
            shard.insert_unique(hash, slot, |slot| hash_of(*slot));
        }
    }

    /// Takes the slot that is meant out.
    pub(in crate::ledger) fn remove(
        &mut self,
        hash: u64,
        is_it: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let shard = self.shards.get_mut(shard(hash))?;
        let entry = shard.find_entry(hash, |slot| is_it(*slot)).ok()?;
        Some(entry.remove().0)
    }
}

/// The shard of each part: the next one has a 256th of an octave more parts, so whatever the number
/// of entries, equally many shards are about to double.
static SHARD_OF_PART: LazyLock<Box<[u8]>> = LazyLock::new(|| {
    let shard = |part: usize| (1.0 + part as f64 / PARTS as f64).log2() * SHARDS as f64;
    (0..PARTS).map(|part| shard(part) as u8).collect()
});

/// A table tells its entries apart by the highest and the lowest bits of a hash; these are others.
fn shard(hash: u64) -> usize {
    let part = (hash >> 40) as usize % PARTS;
    SHARD_OF_PART.get(part).copied().map_or(0, usize::from)
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use rustc_hash::FxBuildHasher;

    use super::*;

    #[test]
    fn entries_are_found_by_their_own_keys_and_no_shard_is_much_fuller_than_the_others() {
        let mut index = Index::default();
        let hash = |key: u64| FxBuildHasher.hash_one(key);
        // Slots are counted, keys are numbers of events with gaps.
        let key = |slot: u32| u64::from(slot) * 3 + 1_000_000;
        for slot in 0..100_000 {
            index.insert(hash(key(slot)), slot, |slot| hash(key(slot)));
        }
        for slot in (0..100_000).step_by(2) {
            let removed = index.remove(hash(key(slot)), |other| other == slot);
            assert_eq!(removed, Some(slot));
        }
        for slot in 0..100_000 {
            let found = index.find(hash(key(slot)), |other| other == slot);
            assert_eq!(found, (slot % 2 == 1).then_some(slot));
        }
        let fullest = index.shards.iter().map(HashTable::len).max();
        assert!(fullest < Some(2 * 50_000 / SHARDS), "{fullest:?}");
    }

    #[test]
    fn shards_double_at_different_times() {
        let mut index = Index::default();
        let hash = |slot: u32| FxBuildHasher.hash_one(u64::from(slot));
        let moved = std::cell::Cell::new(0);
        let mut moved_by_inserts = Vec::new();
        for slot in 0..400_000_u32 {
            index.insert(hash(slot), slot, |slot| {
                moved.set(moved.get() + 1);
                hash(slot)
            });
            if slot % 20_000 == 19_999 {
                moved_by_inserts.push(moved.replace(0));
            }
        }
        // Each doubling moves all entries once: from 200,000 to 400,000 that is 1.44 an insert.
        for moved in &moved_by_inserts[10..] {
            assert!((20_000..40_000).contains(moved), "{moved_by_inserts:?}");
        }
    }

    #[test]
    fn no_insert_waits_until_more_than_a_shard_is_laid_out_afresh() {
        let mut index = Index::default();
        let mut most = 0;
        for slot in 0..300_000_u32 {
            let moved = std::cell::Cell::new(0);
            let hash = |slot: u32| FxBuildHasher.hash_one(u64::from(slot));
            index.insert(hash(slot), slot, |slot| {
                moved.set(moved.get() + 1);
                hash(slot)
            });
            most = most.max(moved.get());
        }
        assert!(most < 2 * 300_000 / SHARDS, "{most} entries in one insert");
    }
}
