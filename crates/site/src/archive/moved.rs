//! The rows that are to be moved next.

use super::table::Table;

/// Rows whose time is over, all that a transaction removes, and the number of the next file.
#[derive(Debug)]
pub struct Overdues {
    pub(crate) next: i64,
    pub(crate) sessions: Table,
    pub(crate) leases: Table,
}

impl Overdues {
    /// Whether there are none: all were moved.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.leases.len()
    }
}
