//! How many first answers are kept, and for how long.

use super::*;

fn answer(body: u64, at: u64) -> Remembered {
    Remembered {
        body,
        reply: Box::new(Reply::Done),
        at: Steady(at),
    }
}

fn body(memory: &Memory, key: u128) -> Option<u64> {
    memory.get(key).map(|remembered| remembered.body)
}

#[test]
fn the_newest_half_a_million_are_kept_and_their_table_never_becomes_large() {
    let mut memory = Memory::default();
    let count = 5 * KEYS_LIMIT as u64;
    for number in 0..count {
        memory.put(u128::from(number), answer(number, 0));
        memory.prune(Steady(1));
    }
    assert_eq!(memory.kept.len(), KEYS_LIMIT);
    assert_eq!(memory.places.len(), KEYS_LIMIT);
    let oldest = count - KEYS_LIMIT as u64;
    assert_eq!(body(&memory, u128::from(oldest) - 1), None);
    for number in [oldest, count - 1] {
        assert_eq!(body(&memory, u128::from(number)), Some(number));
    }
    let bytes = memory.places.allocation_size();
    assert!(bytes <= 20 << 20, "{bytes} bytes of places");
}

#[test]
fn a_key_that_was_forgotten_may_be_used_again_and_an_undone_one_too() {
    let mut memory = Memory::default();
    memory.put(7, answer(1, 0));
    memory.put(8, answer(2, 10));
    memory.put(7, answer(3, 20));
    assert_eq!(body(&memory, 7), Some(3));
    // Its first answer is too old; its second is not.
    memory.prune(Steady(KEPT_SECONDS * 1_000 + 5));
    assert_eq!((body(&memory, 7), body(&memory, 8)), (Some(3), Some(2)));
    memory.undo(7);
    assert_eq!((body(&memory, 7), body(&memory, 8)), (None, Some(2)));
    memory.put(7, answer(4, 30));
    memory.prune(Steady(2 * KEPT_SECONDS * 1_000));
    assert_eq!((body(&memory, 7), body(&memory, 8)), (None, None));
    assert_eq!(memory.places.len(), 0);
}
