//! usher-parquet: tables as Parquet files, which programs for data read without being told what is in
//! them.
//!
//! A table has named columns of a few kinds ([`Column`]), and any cell may be null. It is written and
//! read group by group ([`Writer`], [`Reader`]): a group is a number of rows that are held in memory
//! together, and of which the least and the greatest value of each column are known without reading
//! them. It knows nothing of what a table says, and opens no files: it is given what to write to and
//! read from.

#![forbid(unsafe_code)]

mod error;
mod read;
mod schema;
mod table;
mod write;

pub use bytes::Bytes;
pub use error::ParquetError;
pub use read::{Reader, Source};
pub use table::{Column, Kind, Values};
pub use write::Writer;
