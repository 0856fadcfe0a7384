//! A file of the archive, as the table `archive_parts` has it.

use super::table::Moving;

/// A file whose rows were removed from the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) number: i64,
    pub(crate) what: Moving,
    /// Its path from the archive's folder on, with `/`.
    pub(crate) file: String,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
    pub(crate) bytes: i64,
    pub(crate) rows: i64,
    /// When the first of its rows began, and the last ended: Unix milliseconds.
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// The columns of a part, in the order of its fields.
pub(crate) const PART_COLUMNS: &str = "number, what, file, sha256, bytes, rows, first_ms, last_ms";
