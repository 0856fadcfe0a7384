//! Removes collected rows whose time is over, a few at a time. What the roll-ups say of them stays; what is
//! packed of their days forgets whose they were.

mod archived;
mod partitions;
mod rows;

use super::db::Db;
use super::failure::Result;
use super::{since, usage};
use crate::retained::{Overdue, Retained};

pub(super) use archived::{overdue, put_away};
pub(super) use rows::extent;

/// Removes at most so many rows that were over before that instant, or an earlier call's later one; how
/// many, 0: there are no more.
pub(super) fn retire(db: &Db, overdue: &Overdue) -> Result<u64> {
    let was = since::since(db)?;
    let since_ms = since::raise(db, overdue.what, overdue.before_ms)?;
    if overdue.what == Retained::Sessions && was.of(overdue.what) != Some(since_ms) {
        usage::forget_who(db, since_ms)?;
    }
    let before_ms = overdue.what.removed_before(since_ms);
    let removed = rows::remove(db, overdue.what, before_ms, overdue.limit)?;
    let left = u64::from(overdue.limit).saturating_sub(removed);
    let removed = match overdue.what {
        // After the leases that they held.
        Retained::Sessions => removed + partitions::remove(db, before_ms, left)?,
        Retained::Denials | Retained::Waits => removed,
    };
    if removed > 0 {
        since::leaves_out(db, overdue.what)?;
        // The archive may have raised the instant, for which nothing is forgotten.
        if overdue.what == Retained::Sessions && was.archived_ms.is_some() {
            usage::forget_who(db, since_ms)?;
        }
    }
    Ok(removed)
}
