//! A question while it is answered.

use rusqlite::Connection;
use usher_core::usage::Bucket;

use crate::columns::unsigned;
use crate::used::UsedAsked;

/// What is asked, and where.
pub(super) struct About<'a> {
    pub(super) connection: &'a Connection,
    pub(super) asked: &'a UsedAsked,
    /// The product's number.
    pub(super) product: i64,
    /// All buckets, up to now.
    pub(super) time: Bucket,
}

/// A surrogate of the site.
pub(crate) fn surrogate(id: Option<i64>) -> Option<u64> {
    id.map(unsigned)
}
