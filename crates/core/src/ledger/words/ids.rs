//! Ids and units of the ledger.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds on the ledger's own clock: it counts sleep, nobody can set it, and it goes on
/// across restarts and reboots. The shell derives it from (boot id, CLOCK_BOOTTIME).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Steady(pub u64);

impl Steady {
    /// This instant and `seconds` more.
    #[must_use]
    pub fn plus_seconds(self, seconds: u64) -> Steady {
        Steady(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this instant; 0 if it is not earlier.
    pub fn since_ms(self, earlier: Steady) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds since 1970-01-01 UTC on the wall clock, which people set: for calendar dates and
/// for display, never for durations.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Wall(pub i64);

/// An instant on both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For durations.
    pub steady: Steady,
    /// For dates and display.
    pub wall: Wall,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub $inner);
    )*};
}

numbers! {
    /// A product within one ledger, in order of creation; its id for people is text.
    ProductNumber(u64);
    /// An entitlement within one ledger: the number of the event that entered it.
    EntitlementNumber(u64);
    /// An allotment within one ledger.
    AllotmentNumber(u64);
    /// The random surrogate of a person: names stand in the directory only.
    SubjectId(u64);
    /// The random surrogate of a computer.
    ComputerId(u64);
    /// The number of an event: grows by one with each, never given twice in one data file.
    EventNumber(u64);
}

/// Which life of a data file made an id: random, new after a restore, so that two copies of one
/// file never make the same id.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u32);

/// An id that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id")]
pub struct NotAnId(pub String);

/// The bytes of an id at the most: a letter, 8 hexadecimal digits, `-` and 20 digits.
const ID_BYTES: usize = 30;

/// The text of an id. Most answers hold some: the formatter would take ten times as long.
fn written(
    letter: char,
    Incarnation(incarnation): Incarnation,
    EventNumber(number): EventNumber,
    room: &mut [u8; ID_BYTES],
) -> &str {
    let mut at = room.len();
    let mut put = |byte: u8| {
        at -= 1;
        room[at] = byte;
    };
    let mut digits = itoa::Buffer::new();
    for digit in digits.format(number).bytes().rev() {
        put(digit);
    }
    put(b'-');
    for shift in (0..32).step_by(4) {
        put(b"0123456789abcdef"[((incarnation >> shift) & 0xf) as usize]);
    }
    put(letter as u8);
    str::from_utf8(&room[at..]).unwrap_or_default()
}

/// Reads what follows an id's letter. Only the canonical text is an id.
fn read(text: &str) -> Option<(Incarnation, EventNumber)> {
    let (incarnation, number) = text.split_at_checked(8)?;
    let number = number.strip_prefix('-')?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let is_canonical = incarnation.bytes().all(is_hex)
        && is_number
        && (number.len() == 1 || !number.starts_with('0'));
    let incarnation = u32::from_str_radix(incarnation, 16);
    is_canonical.then_some((
        Incarnation(incarnation.ok()?),
        EventNumber(number.parse().ok()?),
    ))
}

macro_rules! outer_ids {
    ($($(#[$doc:meta])* $name:ident, $letter:literal;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name {
            /// Which life of the data file made it.
            pub incarnation: Incarnation,
            /// The number of the event that made it.
            pub number: EventNumber,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut room = [0; ID_BYTES];
                f.write_str(written($letter, self.incarnation, self.number, &mut room))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let read = text.strip_prefix($letter).and_then(read);
                let id = read.map(|(incarnation, number)| $name {
                    incarnation,
                    number,
                });
                id.ok_or_else(|| NotAnId(text.chars().take(64).collect()))
            }
        }
    )*};
}

outer_ids! {
    /// A lease.
    LeaseId, 'L';
    /// A ticket.
    TicketId, 'T';
    /// A decision: the number is that of the lease, ticket or denial that it made.
    DecisionId, 'D';
}

#[cfg(test)]
mod tests;
