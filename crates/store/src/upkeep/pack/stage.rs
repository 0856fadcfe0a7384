//! The stages of a pack.

/// The stages of a pack, in their order. Data files store the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Leases = 1,
    Tickets = 2,
    Sessions = 3,
    Denials = 4,
    Changes = 5,
    Directory = 6,
    Compact = 7,
    Statistics = 8,
    Check = 9,
}

impl Stage {
    pub(super) const ALL: [Stage; 9] = [
        Stage::Leases,
        Stage::Tickets,
        Stage::Sessions,
        Stage::Denials,
        Stage::Changes,
        Stage::Directory,
        Stage::Compact,
        Stage::Statistics,
        Stage::Check,
    ];

    /// The stage with that number.
    pub(super) fn of(number: u8) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| *stage as u8 == number)
    }
}
