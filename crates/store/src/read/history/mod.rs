//! What happened, read from the tables: leases, the queue, denials, sessions, decisions.
//!
//! Every list is paged: at most `limit` rows after a cursor, with the cursor of the next page.
//! Reading never waits for the writer; [`crate::Engine::settle`] first, to see what is durable now.

mod changed;
mod decisions;
mod demand;
mod denials;
mod finished;
mod lists;
mod recorded;
mod sessions;
mod sums;
mod waits;

use std::sync::Arc;

use rusqlite::Connection;

use crate::queue::requests::Failure;
use crate::queue::shared::Shared;

pub use changed::ChangedProgram;
pub use decisions::{DecisionKind, DecisionRow, HolderRow};
pub use demand::{DemandFilter, DemandKind, DemandRow, DemandRows, Names};
pub use denials::{DenialFilter, DenialRow};
pub(crate) use finished::place;
pub use finished::{
    Finished, FinishedItem, FinishedLease, FinishedPage, FinishedRefusal, FinishedSession,
    FinishedWait, HistoryPoint, NamedComputer, NamedPerson, NotHere,
};
pub use lists::{LeaseFilter, LeaseRow, Longest, Owner, TicketRow};
pub use sessions::{
    NoPlace, ProgramRow, SessionFilter, SessionPlace, SessionRow, UsageFilter, UsageRow,
};
pub use sums::{DayUsageRow, UserUsageRow};
pub use waits::{WaitEnd, WaitRow};

/// One page of rows. `P` is the type of cursors of the list.
#[derive(Debug, Clone)]
pub struct Rows<T, P = u64> {
    /// The rows.
    pub rows: Vec<T>,
    /// The cursor of the next page; none at the end.
    pub next: Option<P>,
}

/// The tables of a data file.
pub struct History {
    shared: Arc<Shared>,
}

impl History {
    pub(crate) fn new(shared: Arc<Shared>) -> History {
        History { shared }
    }

    fn query<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        self.shared.with_reader(query)
    }
}

/// Makes a page from rows of which one more than its limit was read.
pub(crate) fn page<T, P>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> P) -> Rows<T, P> {
    let limit = limit as usize;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(key) } else { None };
    Rows { rows, next }
}
