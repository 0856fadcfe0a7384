//! Removes collected rows whose time is over, a few at a time. What the roll-ups say of them stays.
//!
//! The instant up to which rows go is noted before the first of them does, in the same transaction. From
//! then on nothing that was over before it is taken in, so a server that tells of it again does not
//! bring it back, and the roll-ups do not count it twice. What is packed of its days forgets whose it was.

mod archived;
mod rows;
mod since;

use rusqlite::{Connection, Result};

use crate::retained::{Overdue, Retained};
use crate::usage;

pub(crate) use archived::{overdue, put_away};
pub(crate) use rows::extent;
pub(crate) use since::since;

/// Removes at most so many rows that were over before that instant, or an earlier call's later one; how
/// many, 0: there are no more.
pub(crate) fn retire(connection: &Connection, overdue: &Overdue) -> Result<u64> {
    let what = overdue.what;
    let was = since(connection)?;
    let since_ms = since::raise(connection, what, overdue.before_ms)?;
    if what == Retained::Sessions && was.of(what) != Some(since_ms) {
        usage::forget_who(connection, since_ms)?;
    }
    let before_ms = what.removed_before(since_ms);
    let removed = rows::remove(connection, what, before_ms, overdue.limit)?;
    if removed > 0 {
        since::leaves_out(connection, what)?;
        // The archive may have raised the instant, for which nothing is forgotten.
        if what == Retained::Sessions && was.archived_ms.is_some() {
            usage::forget_who(connection, since_ms)?;
        }
    }
    Ok(removed)
}
