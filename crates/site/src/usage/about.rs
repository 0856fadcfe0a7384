//! A question while it is answered.

use rusqlite::{Connection, OptionalExtension, Result};
use usher_core::usage::Bucket;

use crate::columns::unsigned;
use crate::used::UsedAsked;

/// What is asked, and the database that answers.
pub(super) struct About<'a> {
    pub(super) connection: &'a Connection,
    pub(super) asked: &'a UsedAsked,
    /// The product's number.
    pub(super) product: i64,
    /// All buckets, up to now.
    pub(super) time: Bucket,
}

/// Of a product that there never was: numbers begin with 1.
const NO_PRODUCT: i64 = 0;

/// The number of a product; one that no row has if nothing is known of it.
pub(super) fn product_number(connection: &Connection, product: &str) -> Result<i64> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT number FROM history_products WHERE product = ?1")?
        .query_row([product], |row| row.get(0))
        .optional()?;
    Ok(number.unwrap_or(NO_PRODUCT))
}

/// A surrogate of the site.
pub(crate) fn surrogate(id: Option<i64>) -> Option<u64> {
    id.map(unsigned)
}
