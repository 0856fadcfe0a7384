//! Random numbers by place: what one ask draws depends on the seed, the draw and the ask alone.
//!
//! So each number of seats is tried on the same demand, in whatever order and on whatever thread,
//! and what differs between two of them is due to the seats. The mixing function is SplitMix64's
//! (Steele, Lea, Flood 2014).

/// A random number for one ask in one draw.
pub(super) fn number(seed: u64, draw: u32, ask: u32) -> u64 {
    let place = (u64::from(draw) << 32) | u64::from(ask);
    mix(mix(seed).wrapping_add(mix(place ^ 0x6a09_e667_f3bc_c908)))
}

/// A number from 0 to the one before `below`; 0 if that is 0.
pub(super) fn below(number: u64, below: usize) -> usize {
    let wide = u128::from(number).saturating_mul(below as u128) >> 64;
    // The product of a 64-bit number and `below`, shifted by 64 bits, is less than `below`.
    usize::try_from(wide).unwrap_or(0)
}

fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly_and_come_again_with_the_same_place() {
        let mut counts = [0_u32; 10];
        for ask in 0..10_000 {
            counts[below(number(7, 3, ask), 10)] += 1;
        }
        assert!(
            counts.iter().all(|count| (800..1_200).contains(count)),
            "{counts:?}"
        );
        assert_eq!(number(7, 3, 5), number(7, 3, 5));
        assert_ne!(number(7, 3, 5), number(7, 4, 5));
        assert_ne!(number(7, 3, 5), number(8, 3, 5));
        assert_eq!(below(u64::MAX, 3), 2);
        assert_eq!(below(u64::MAX, 0), 0);
    }
}
