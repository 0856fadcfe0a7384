//! What happens in a quarter of an hour in few bytes: runs, one behind another. A run begins with the
//! number of its marks; each has the milliseconds since the one before it, or since the beginning of the
//! quarter, and its seats with what happens to which quantities, as numbers of 7 bits a byte.
//!
//! So what a transaction adds is put behind what is there, without a look at it.

use usher_core::usage::{Change, Edge};

use super::mark::{LineSet, Mark};

/// Bits in which it is said what happens.
const CHANGE_BITS: u32 = 2;
/// Bits in which it is said to which quantities.
const LINE_BITS: u32 = 3;

/// The bytes are none that were packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is packed of a quarter of an hour or of a day cannot be read")]
pub(crate) struct Unreadable;

/// A run: `marks` are in their order and begin at `from_ms` or later.
pub(crate) fn pack(from_ms: i64, marks: &[Mark]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(marks.len().saturating_mul(5).saturating_add(2));
    put(&mut bytes, marks.len() as u64);
    let mut before_ms = from_ms;
    for Mark { edge, of } in marks {
        put(&mut bytes, edge.at_ms.abs_diff(before_ms));
        let change = match edge.change {
            Change::End => 0,
            Change::Begin => 1,
            Change::InstantEnd => 2,
        };
        let what = u64::from(of.bits()) << CHANGE_BITS | change;
        put(
            &mut bytes,
            u64::from(edge.seats) << (CHANGE_BITS + LINE_BITS) | what,
        );
        before_ms = edge.at_ms;
    }
    bytes
}

/// The marks of a quarter that begins at `from_ms`, in their order.
pub(crate) fn unpack(from_ms: i64, bytes: &[u8]) -> Result<Vec<Mark>, Unreadable> {
    let mut marks = Vec::with_capacity(bytes.len() / 4);
    let (mut runs, mut rest) = (0, bytes);
    while !rest.is_empty() {
        runs += 1;
        let mut at_ms = from_ms;
        for _ in 0..take(&mut rest).ok_or(Unreadable)? {
            let mark = mark(at_ms, &mut rest).ok_or(Unreadable)?;
            at_ms = mark.edge.at_ms;
            marks.push(mark);
        }
    }
    if runs > 1 {
        marks.sort_unstable();
    }
    Ok(marks)
}

/// The next mark of a run.
fn mark(before_ms: i64, rest: &mut &[u8]) -> Option<Mark> {
    let later_ms = i64::try_from(take(rest)?).ok()?;
    let at_ms = before_ms.checked_add(later_ms)?;
    let number = take(rest)?;
    let change = match number & 3 {
        0 => Change::End,
        1 => Change::Begin,
        2 => Change::InstantEnd,
        _ => return None,
    };
    let of = LineSet::of_bits((number >> CHANGE_BITS) as u8 & 7)?;
    let seats = u32::try_from(number >> (CHANGE_BITS + LINE_BITS)).ok()?;
    let edge = Edge {
        at_ms,
        change,
        seats,
    };
    Some(Mark { edge, of })
}

/// Appends a number, 7 bits a byte.
pub(super) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The lowest 7 bits, and that more follow.
        bytes.push(((number & 0x7f) as u8) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number that [`put`] has written; none: there is none.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let placed = bits.checked_shl(shift)?;
        if placed >> shift != bits {
            return None;
        }
        number |= placed;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
    None
}

/// The same of a number that may be below 0: small ones of either sign take few bytes.
pub(super) fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Takes a number that [`put_signed`] has written.
pub(super) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let number = take(bytes)?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at_ms: i64, change: Change, seats: u32, bits: u8) -> Mark {
        Mark {
            edge: Edge {
                at_ms,
                change,
                seats,
            },
            of: LineSet::of_bits(bits).unwrap(),
        }
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let marks = [
            mark(-900_000, Change::End, 1, 7),
            mark(-900_000, Change::Begin, u32::MAX, 1),
            mark(-900_000, Change::InstantEnd, 0, 2),
            mark(-899_999, Change::Begin, 40, 5),
            mark(-1, Change::End, 3, 1),
            mark(-1, Change::End, 3, 1),
        ];
        let bytes = pack(-900_000, &marks);
        assert_eq!(unpack(-900_000, &bytes), Ok(marks.to_vec()));
        assert!(bytes.len() < 25, "{}", bytes.len());
        assert_eq!(unpack(0, &[]), Ok(Vec::new()));
        assert_eq!(unpack(0, &[0]), Ok(Vec::new()));
    }

    #[test]
    fn runs_behind_one_another_are_read_as_one() {
        let (first, second) = (mark(70, Change::Begin, 1, 7), mark(5, Change::End, 2, 1));
        let bytes = [pack(0, &[first]), pack(0, &[second])].concat();
        assert_eq!(unpack(0, &bytes), Ok(vec![second, first]));
    }

    #[test]
    fn numbers_of_either_sign_are_read_as_they_were_written() {
        for number in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, number);
            assert_eq!(bytes.len() == 1, (-64..64).contains(&number), "{number}");
            let mut rest = &*bytes;
            assert_eq!(take_signed(&mut rest), Some(number));
            assert!(rest.is_empty());
        }
    }

    #[test]
    fn what_are_no_marks_is_refused() {
        for bytes in [
            &[1][..],
            &[1, 1],
            &[0x80],
            // Three for what happens, and no quantity.
            &[1, 0, 0b111],
            &[1, 0, 1],
            &[1, 0, 0x80],
            &[2, 0, 5],
            &[0xff; 12],
            &[1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            assert_eq!(unpack(0, bytes), Err(Unreadable), "{bytes:?}");
        }
        assert_eq!(unpack(i64::MAX, &[1, 1, 5]), Err(Unreadable));
    }
}
