//! A question while it is answered.

use usher_core::usage::Bucket;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use crate::used::UsedAsked;

/// What is asked, and the database that answers.
pub(super) struct About<'a> {
    pub(super) db: &'a Db,
    pub(super) asked: &'a UsedAsked,
    /// The product's number.
    pub(super) product: i64,
    /// All buckets, up to now.
    pub(super) time: Bucket,
}

/// Of a product that there never was: numbers begin with 1.
const NO_PRODUCT: i64 = 0;

/// The number of a product; one that no row has if nothing is known of it.
pub(super) fn product_number(db: &Db, product: &str) -> Result<i64> {
    let sql = "SELECT number FROM history_products WHERE product = $1";
    let number: Option<i64> = db.optional(sql, &params![product], |row| row.get(0))?;
    Ok(number.unwrap_or(NO_PRODUCT))
}
