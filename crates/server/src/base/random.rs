//! Random numbers for the surrogates of people and computers.
//!
//! A surrogate must not tell who it stands for; it need not be secret. So a fast generator, seeded
//! from the system on each thread, is enough.

use std::cell::Cell;

use crate::base::clock::wall_ms;

/// How many of a surrogate's bits are random; those before it are a time, which lasts for 139 years
/// from 1970.
const RANDOM_BITS: u32 = 21;

/// For how many surrogates a time is good, beside the one that looks at the clock: two come with
/// each request, and few are kept.
const TIME_SURROGATES: u32 = 31;

thread_local! {
    static STATE: Cell<u64> = Cell::new(seed());
    /// For how many surrogates the last time is still good, and that time.
    static TIME: Cell<(u32, i64)> = const { Cell::new((0, 0)) };
}

fn seed() -> u64 {
    let mut bytes = [0u8; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        // The hasher of the standard library is seeded from the system too.
        Err(_) => {
            use std::hash::{BuildHasher, Hasher};
            std::collections::hash_map::RandomState::new()
                .build_hasher()
                .finish()
        }
    }
}

/// A new surrogate, below 2^63, as the tables hold numbers: about the time in milliseconds and random
/// bits, as a UUID of version 7 is built (RFC 9562, 5.7). Whoever comes after another is kept behind
/// them in the tables, whose last page then takes all who are new. It tells when somebody first
/// came, which the first row of theirs tells too.
pub(crate) fn surrogate() -> u64 {
    let (left, ms) = TIME.get();
    if left > 0 {
        TIME.set((left - 1, ms));
        return surrogate_at(ms);
    }
    let ms = wall_ms();
    TIME.set((TIME_SURROGATES, ms));
    surrogate_at(ms)
}

fn surrogate_at(wall_ms: i64) -> u64 {
    let random = random() >> (u64::BITS - RANDOM_BITS);
    ((wall_ms.cast_unsigned() << RANDOM_BITS) | random) & i64::MAX.cast_unsigned()
}

/// A random number (splitmix64).
fn random() -> u64 {
    STATE.with(|state| {
        let seed = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(seed);
        let mut mixed = seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_grow_with_time_and_fit_into_a_table() {
        let now_ms = 1_800_000_000_000;
        let mut before = 0;
        for ms in now_ms..now_ms + 1_000 {
            let next = surrogate_at(ms);
            assert!(next > before, "{next} after {before}");
            before = next;
        }
        for ms in [i64::MIN, -1, 0, i64::MAX] {
            assert!(i64::try_from(surrogate_at(ms)).is_ok(), "{ms}");
        }
    }

    #[test]
    fn surrogates_of_one_millisecond_differ() {
        let made: std::collections::BTreeSet<u64> = (0..100).map(|_| surrogate_at(7)).collect();
        // Two of a hundred are the same once in four hundred times, three hardly ever.
        assert!(made.len() >= 98, "{}", made.len());
    }
}
