//! The edges of a quarter of an hour in few bytes: for each, the milliseconds since the one before
//! and its seats with what happens, as numbers of 7 bits a byte.

use usher_core::usage::{Change, Edge};

/// Bits in which it is said what happens.
const CHANGE_BITS: u32 = 2;

/// The bytes are none that [`pack`] has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the edges of a quarter of an hour cannot be read")]
pub(crate) struct Unreadable;

/// `edges` are in their order and begin at `from_ms` or later.
pub(crate) fn pack(from_ms: i64, edges: &[Edge]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(edges.len().saturating_mul(4));
    let mut before_ms = from_ms;
    for edge in edges {
        put(&mut bytes, edge.at_ms.abs_diff(before_ms));
        let change = match edge.change {
            Change::End => 0,
            Change::Begin => 1,
            Change::InstantEnd => 2,
        };
        put(&mut bytes, (u64::from(edge.seats) << CHANGE_BITS) | change);
        before_ms = edge.at_ms;
    }
    bytes
}

/// The edges of a quarter that begins at `from_ms`.
pub(crate) fn unpack(from_ms: i64, bytes: &[u8]) -> Result<Vec<Edge>, Unreadable> {
    let mut edges = Vec::new();
    let (mut at_ms, mut rest) = (from_ms, bytes);
    while !rest.is_empty() {
        let later_ms = take(&mut rest).ok_or(Unreadable)?;
        let later_ms = i64::try_from(later_ms).map_err(|_| Unreadable)?;
        at_ms = at_ms.checked_add(later_ms).ok_or(Unreadable)?;
        let number = take(&mut rest).ok_or(Unreadable)?;
        let change = match number & 3 {
            0 => Change::End,
            1 => Change::Begin,
            2 => Change::InstantEnd,
            _ => return Err(Unreadable),
        };
        let seats = u32::try_from(number >> CHANGE_BITS).map_err(|_| Unreadable)?;
        edges.push(Edge {
            at_ms,
            change,
            seats,
        });
    }
    Ok(edges)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The lowest 7 bits, and that more follow.
        bytes.push(((number & 0x7f) as u8) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(at_ms: i64, change: Change, seats: u32) -> Edge {
        Edge {
            at_ms,
            change,
            seats,
        }
    }

    #[test]
    fn edges_are_read_as_they_were_written() {
        let edges = [
            edge(-900_000, Change::End, 1),
            edge(-900_000, Change::Begin, u32::MAX),
            edge(-900_000, Change::InstantEnd, 0),
            edge(-899_999, Change::Begin, 40),
            edge(-1, Change::End, 40),
            edge(-1, Change::End, 40),
        ];
        let bytes = pack(-900_000, &edges);
        assert_eq!(unpack(-900_000, &bytes), Ok(edges.to_vec()));
        assert!(bytes.len() < 25, "{}", bytes.len());
        assert_eq!(unpack(0, &[]), Ok(Vec::new()));
    }

    #[test]
    fn what_are_no_edges_is_refused() {
        for bytes in [
            &[1][..],
            &[0x80],
            &[0, 3],
            &[0, 0x80],
            &[0xff; 12],
            &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        ] {
            assert_eq!(unpack(0, bytes), Err(Unreadable), "{bytes:?}");
        }
        assert_eq!(unpack(i64::MAX, &[1, 1]), Err(Unreadable));
    }
}
