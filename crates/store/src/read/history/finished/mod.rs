//! The history as it is collected: what has come to its end, in the order of the events that ended
//! it, page by page from a point on.
//!
//! A session is at its end when its agent has reported it, a lease when it has ended, a wait when
//! its ticket was settled, and a refusal when no repeat is counted to it any more. So an item never
//! changes once it was read, and each has one event.

mod items;
mod names;
mod point;
mod windows;

pub use items::{
    Finished, FinishedItem, FinishedLease, FinishedRefusal, FinishedSession, FinishedWait,
};
pub use names::{NamedComputer, NamedPerson};
pub(crate) use point::place;
pub use point::{HistoryPoint, NotHere};

use rusqlite::Connection;
use usher_core::ledger::{Incarnation, Steady};

use super::History;
use crate::base::meta::number;
use crate::queue::requests::Failure;
use crate::tables::lives;

/// A page of what has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPage {
    /// The incarnation (life) of the data.
    pub incarnation: Incarnation,
    /// The point of an earlier life after which this life began; none: it is the first.
    pub began_after: Option<HistoryPoint>,
    /// The point after which the page begins, in the life that was asked for: earlier than the
    /// point that was asked for if the data were restored from a copy that is older; `None`: the
    /// beginning.
    pub from: Option<HistoryPoint>,
    /// The items, in the order of their events.
    pub items: Vec<FinishedItem>,
    /// The people in the items; those who are no longer in the directory are left out.
    pub people: Vec<NamedPerson>,
    /// The computers in the items, in the same way.
    pub computers: Vec<NamedComputer>,
    /// The point up to which the page is complete; the next page begins there.
    pub through: HistoryPoint,
    /// The number of the last event that the tables hold.
    pub head_event: u64,
}

impl History {
    /// What has come to its end after a point, or from the beginning; at most `limit` items, and a
    /// few more if one event has ended several. `now` is an instant before this is asked, on the
    /// ledger's clock: a refusal to which a repeat may be counted then, and all behind it, waits for
    /// a later page.
    ///
    /// # Errors
    /// [`Failure::Unread`]. [`NotHere`]: the point is none of this history.
    pub fn finished(
        &self,
        after: Option<HistoryPoint>,
        limit: u32,
        now: Steady,
    ) -> Result<Result<FinishedPage, NotHere>, Failure> {
        self.query(|connection| {
            // All questions see the same tables.
            let snapshot = connection.unchecked_transaction()?;
            let page = page(&snapshot, after, limit, now)?;
            snapshot.finish()?;
            Ok(page)
        })
    }

    /// The same as far as the tables are, whatever is durable besides: a refusal to which an event may
    /// add that they do not hold yet, and all behind it, waits for a later page. None: they may be before
    /// the point, and have to be filled first.
    ///
    /// # Errors
    /// [`Failure::Unread`].
    pub fn finished_so_far(
        &self,
        after: Option<HistoryPoint>,
        limit: u32,
    ) -> Result<Option<FinishedPage>, Failure> {
        self.query(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            // What the tables do not hold yet happened at that instant or later.
            let last = number(&snapshot, "last_steady")?.unwrap_or(0);
            let page = page(&snapshot, after, limit, Steady(last.saturating_sub(1)))?;
            snapshot.finish()?;
            Ok(page.ok())
        })
    }
}

fn page(
    connection: &Connection,
    after: Option<HistoryPoint>,
    limit: u32,
    now: Steady,
) -> rusqlite::Result<Result<FinishedPage, NotHere>> {
    let lives = lives::all(connection)?;
    let head_event = number(connection, "filled_to")?
        .unwrap_or(1)
        .saturating_sub(1);
    let from = match after
        .map(|after| place(&lives, after, head_event))
        .transpose()
    {
        Ok(from) => from,
        Err(not_here) => return Ok(Err(not_here)),
    };
    let start = from.map_or(0, |from| from.event.0);
    let read = windows::read(connection, start, head_event, limit, now)?;
    let mut items = read.items;
    for item in &mut items {
        item.at = point::at(&lives, item.at.event.0);
    }
    let (people, computers) = names::of(connection, &items)?;
    let began_after = match lives.as_slice() {
        [.., before, last] => Some(point::end_of(*before, *last)),
        _ => None,
    };
    Ok(Ok(FinishedPage {
        incarnation: lives.last().map_or(Incarnation(0), |life| life.incarnation),
        began_after,
        from,
        items,
        people,
        computers,
        through: point::at(&lives, read.through),
        head_event,
    }))
}
