//! The steps of a pack.

/// What a pack does, in this order; the numbers are kept in files.
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

    /// The stage of a number in a file.
    pub(super) fn of(number: u8) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| *stage as u8 == number)
    }
}
