//! The file that a copy of a site on PostgreSQL is: a header, the rows of each table as PostgreSQL copies
//! them, and checksums.
//!
//! ```text
//! "usher site copy\n"                      16 bytes
//! version                                  4 bytes; all numbers are big-endian
//! length of the header                     4 bytes
//! header                                   JSON: see Header
//! SHA-256 of all before this
//! for each table of the header, in its order:
//!     length, bytes                        4 bytes and as many as these say; again and again
//!     0                                    4 bytes
//!     number of rows, of bytes             8 bytes each
//!     SHA-256 of the table's bytes
//! SHA-256 of the header's and of what is behind each table's zero
//! ```
//!
//! Both sides hold one piece of a table at a time.

mod read;
mod write;

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use read::{Next, Reader};
pub(crate) use write::Writer;

/// What such a file begins with.
pub(crate) const MAGIC: &[u8; 16] = b"usher site copy\n";
/// The version of this format.
const VERSION: u32 = 1;
/// The longest header: that of some hundred thousand tables.
const HEADER_LIMIT_BYTES: u32 = 64 * 1024 * 1024;
/// The longest piece of a table.
const PIECE_LIMIT_BYTES: usize = 64 * 1024;
/// Of a checksum.
const SUM_BYTES: usize = 32;

/// What is said of a copy before its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of usher that has written it.
    pub(crate) usher: String,
    /// The text of each step of the schema that was carried out, from the first on.
    pub(crate) schema: Vec<String>,
    pub(crate) site_id: Option<String>,
    /// When the copy was made, by the clock of the database; Unix milliseconds.
    pub(crate) taken_ms: i64,
    /// How often the lead of the site was taken.
    pub(crate) epoch: i64,
    pub(crate) tables: Vec<TableHeader>,
    pub(crate) sequences: Vec<Sequence>,
}

/// A table of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableHeader {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

/// The numbers that a table gives out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sequence {
    pub(crate) table: String,
    pub(crate) column: String,
    /// The last that was given out; 0: none.
    pub(crate) last: i64,
}

/// What was said behind the rows of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TableEnd {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// Why such a file cannot be read.
#[derive(Debug, Error)]
pub(crate) enum FrameError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// It begins with something else.
    #[error("it does not begin as one does")]
    Other,
    /// It has another version of the format.
    #[error("it has version {0} of the format, and this version of usher reads version 1")]
    Version(u32),
    /// It ends too early.
    #[error("it ends in the middle of {0}: it was cut off")]
    Cut(String),
    /// A checksum is another.
    #[error("the checksum of {0} is wrong")]
    Sum(String),
    /// A length or a text cannot be.
    #[error("{0} cannot be read")]
    Garbled(String),
}

#[cfg(test)]
mod tests;
