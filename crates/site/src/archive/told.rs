//! What an answer has read of the archive.

use std::collections::BTreeSet;

/// The most files that an answer names which could not be read.
const NAMED: usize = 8;

/// What an answer has read of the archive, and what it could not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archived {
    /// The numbers of the files that were read.
    pub files: BTreeSet<i64>,
    /// Files that are not there, or not as they were written; the first of them.
    pub missing: Vec<MissingPart>,
    /// How many more there are.
    pub missing_more: u64,
    /// When the last row of all these ended, in Unix milliseconds; none: all files were read.
    pub missing_until_ms: Option<i64>,
}

/// A file of the archive that could not be read. It may have rows that the answer should have counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPart {
    /// Its path from the archive's folder on.
    pub file: String,
    /// How many rows it has, of all products.
    pub rows: u64,
    /// When the first of them began, in Unix milliseconds.
    pub first_ms: i64,
    /// When the last of them ended, in Unix milliseconds.
    pub last_ms: i64,
    /// Why it could not be read.
    pub why: String,
}

impl Archived {
    pub(super) fn misses(&mut self, part: MissingPart) {
        self.missing_until_ms = self.missing_until_ms.max(Some(part.last_ms));
        match self.missing.len() < NAMED {
            true => self.missing.push(part),
            false => self.missing_more += 1,
        }
    }
}
