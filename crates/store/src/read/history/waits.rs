//! Requests that waited in the queue and got no seat.

use rusqlite::named_params;
use usher_core::ledger::{DecisionId, Incarnation};

use super::denials::DenialFilter;
use super::lists::number;
use super::{History, Rows, page};
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// How a wait ended without a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitEnd {
    /// The requester left the queue.
    GaveUp,
    /// Nobody polled the ticket any more.
    TimedOut,
    /// A seat was granted, and nobody fetched it.
    NotFetched,
    /// The product was removed, and its queue with it.
    ProductRemoved,
}

/// A request that waited and got no seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRow {
    /// The id of the decision that it was to wait, which `usher why` takes.
    pub id: DecisionId,
    /// Product id.
    pub product: String,
    /// The name of the person who asked.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// How the wait ended.
    pub end: WaitEnd,
    /// When it was queued; Unix milliseconds, wall clock.
    pub queued_at: i64,
    /// When the wait ended; Unix milliseconds, wall clock.
    pub ended_at: i64,
    /// How long it waited, in milliseconds.
    pub waited_ms: u64,
}

/// Events behind the end of a ticket among which the end of its lease is: both are of one command,
/// with those of what else was asked for.
const WITH_ITS_LEASE: u32 = 256;
/// The same of the removal of its product, which comes after the end of all that waited for it.
const WITH_ITS_PRODUCT: u32 = 16_384;
/// Events before the end of a ticket among which another lease of the same person is looked for: who
/// had a seat otherwise left the queue soon.
const SEATED_OTHERWISE: u32 = 4_096;

/// The SQL query, with the limits above in it.
fn sql() -> String {
    format!(
        "SELECT t.number, t.incarnation, p.id, s.name, c.name, t.seats, t.queued_at, \
         coalesce(t.decided_at, t.queued_at), \
         coalesce(t.waited_ms, max(0, coalesce(t.decided_at, t.queued_at) - t.queued_at)), \
         t.settled_as, \
         EXISTS (SELECT 1 FROM leases l WHERE l.product = t.product AND l.ended IS NOT NULL \
            AND l.ended BETWEEN t.settled AND t.settled + {WITH_ITS_LEASE} \
            AND l.ticket = t.number AND l.ticket_incarnation = t.incarnation), \
         EXISTS (SELECT 1 FROM changes h WHERE h.what = 'product_removed' \
            AND h.number BETWEEN t.settled AND t.settled + {WITH_ITS_PRODUCT} AND h.at = t.decided_at \
            AND (h.product = t.product OR t.bundle IS NOT NULL)) \
         FROM tickets t JOIN products p ON p.number = t.product \
         JOIN subjects s ON s.id = t.subject JOIN computers c ON c.id = t.computer \
         WHERE t.settled IS NOT NULL AND t.settled_as IN ('expired', 'cancelled') \
         AND t.number < :before \
         AND (:realm IS NULL OR s.authority = :realm AND s.key = :account) \
         AND (:own IS NULL OR c.key = :own) \
         AND (:product IS NULL OR p.id = :product) \
         AND (:user IS NULL OR s.name = :user OR s.key = :key \
            AND s.authority NOT IN ('usher', 'local') AND s.authority NOT GLOB 'computer:*') \
         AND (:place IS NULL OR c.key = :place OR c.name = :place) \
         AND (:since IS NULL OR coalesce(t.decided_at, t.queued_at) >= :since) \
         AND (:until IS NULL OR t.queued_at < :until) \
         AND NOT EXISTS (SELECT 1 FROM leases l \
            WHERE l.number BETWEEN max(t.number, t.settled - {SEATED_OTHERWISE}) AND t.settled \
            AND l.product = t.product AND l.subject = t.subject AND l.computer = t.computer \
            AND l.ticket IS NOT t.number) \
         ORDER BY t.number DESC LIMIT :limit"
    )
}

impl History {
    /// Requests that waited and got no seat, newest first. `before` is the cursor: 0 begins at the
    /// newest. Who left the queue as they had a seat otherwise, as by another request, is none.
    pub fn waits_in_vain(
        &self,
        filter: &DenialFilter,
        before: u64,
        limit: u32,
    ) -> Result<Rows<WaitRow>, Failure> {
        let owner = &filter.owner;
        self.query(|connection| {
            let mut statement = connection.prepare_cached(&sql())?;
            let before = match before {
                0 => i64::MAX,
                before => before.cast_signed(),
            };
            let rows = statement.query_map(
                named_params! {
                    ":product": filter.product,
                    ":user": filter.user,
                    ":key": filter.user.as_ref().map(|user| user.to_lowercase()),
                    ":place": filter.computer,
                    ":since": filter.since,
                    ":until": filter.until,
                    ":before": before,
                    ":limit": limit + 1,
                    ":realm": owner.realm(),
                    ":account": owner.account(),
                    ":own": owner.computer,
                },
                |row| {
                    let settled_as: String = row.get(9)?;
                    let had_lease: bool = row.get(10)?;
                    let is_removed: bool = row.get(11)?;
                    Ok(WaitRow {
                        id: DecisionId {
                            incarnation: Incarnation(row.get(1)?),
                            number: number(row, 0)?,
                        },
                        product: row.get(2)?,
                        user: row.get(3)?,
                        computer: row.get(4)?,
                        seats: row.get(5)?,
                        queued_at: row.get(6)?,
                        ended_at: row.get(7)?,
                        waited_ms: from_i64(row.get(8)?),
                        end: match (&*settled_as, had_lease) {
                            ("expired", true) => WaitEnd::NotFetched,
                            ("expired", false) => WaitEnd::TimedOut,
                            _ if is_removed => WaitEnd::ProductRemoved,
                            _ => WaitEnd::GaveUp,
                        },
                    })
                },
            )?;
            Ok(page(
                rows.collect::<Result<_, _>>()?,
                limit,
                |row: &WaitRow| row.id.number.0,
            ))
        })
    }
}
