//! Rows that are in files now, and are to be removed from the tables.

use super::part::Part;
use super::table::{Moving, Table};

/// Files that hold rows, and which these are. They are entered, and the rows removed, in one transaction.
#[derive(Debug, Default)]
pub struct Written {
    pub(crate) parts: Vec<Part>,
    /// By the primary key of their table.
    pub(crate) sessions: Vec<[i64; 5]>,
    pub(crate) leases: Vec<[i64; 3]>,
}

impl Written {
    /// Files that were written.
    pub fn files(&self) -> usize {
        self.parts.len()
    }

    /// Rows that are in them.
    pub fn rows(&self) -> usize {
        self.sessions.len() + self.leases.len()
    }

    pub(super) fn add(&mut self, table: &Table, rows: &[usize]) {
        let name = |place: usize| table.what.key().get(place).copied().unwrap_or_default();
        let cell = |row: usize, place: usize| table.whole(name(place), row).unwrap_or(0);
        match table.what {
            Moving::Sessions => {
                let keys = rows
                    .iter()
                    .map(|row| [0, 1, 2, 3, 4].map(|at| cell(*row, at)));
                self.sessions.extend(keys);
            }
            Moving::Leases => {
                let keys = rows.iter().map(|row| [0, 1, 2].map(|at| cell(*row, at)));
                self.leases.extend(keys);
            }
        }
    }
}
