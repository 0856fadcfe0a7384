//! Sessions and leases whose time is over, moved to Parquet files by month, which reports go on reading.
//!
//! A file is written whole before the transaction that removes its rows, and that transaction also enters
//! it as a part: so each row is in the tables or in one known part, whenever the manager is killed. A file
//! that no part names holds rows that are still in the tables, and is never read. What a part says is read
//! only if its length and SHA-256 are those that were entered.
//!
//! People and computers have the site's numbers in a file: their names stand in the database only.

mod folder;
mod known;
mod moved;
mod part;
mod patience;
mod reading;
mod sound;
mod table;
mod told;
mod uses;
mod written;

pub use folder::Archive;
pub use moved::Overdues;
pub use told::{Archived, MissingPart};
pub use written::Written;

pub(crate) use known::parts;
pub(crate) use part::{PART_COLUMNS, Part};
pub(crate) use reading::Reading;
pub(crate) use table::{Cell, Moving, Table};
pub(crate) use uses::ArchivedUse;
