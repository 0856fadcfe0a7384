//! A question while it is answered.

use usher_core::usage::Bucket;

use super::super::db::Db;
use crate::used::UsedAsked;

/// What is asked, and where.
pub(super) struct About<'a> {
    pub(super) db: &'a Db,
    pub(super) asked: &'a UsedAsked,
    /// The product's number.
    pub(super) product: i64,
    /// All buckets, up to now.
    pub(super) time: Bucket,
}
