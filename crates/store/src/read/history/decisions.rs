//! The inputs of one decision: the counts at its instant, and who held the seats then.

use rusqlite::{OptionalExtension, params};
use usher_core::ledger::{DecisionId, EventNumber, Incarnation, LeaseId, Scene};

use super::History;
use super::lists::number;
use crate::base::columns::{from_i64, read_also};
use crate::queue::requests::Failure;

/// The decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionKind {
    /// Seats were granted.
    Granted,
    /// The request was queued.
    Queued,
    /// The request was refused.
    Denied,
}

/// A decision with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// The id, which `usher why` takes.
    pub id: DecisionId,
    /// The decision.
    pub kind: DecisionKind,
    /// Product id.
    pub product: String,
    /// The person who asked.
    pub user: String,
    /// The realm of that user.
    pub authority: String,
    /// That user's account, as it is compared.
    pub key: String,
    /// The computer's name.
    pub computer: String,
    /// The computer's key.
    pub computer_key: String,
    /// Seats asked for.
    pub seats: u32,
    /// The further products of the request, by id, and their seats.
    pub also: Vec<(String, u32)>,
    /// When it was decided; Unix milliseconds, wall clock.
    pub at: i64,
    /// Why it was refused, in the word of the API.
    pub reason: Option<String>,
    /// The counts of the product just before the decision.
    pub scene: Scene,
    /// Whether the lease was granted after a wait in the queue.
    pub waited: bool,
    /// When the granted lease ended, in Unix milliseconds, and why; none while it is held.
    pub ended: Option<(i64, String)>,
    /// Who held the seats; at most 1,000.
    pub holders: Vec<HolderRow>,
}

/// Who held seats at the instant of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderRow {
    /// The id of the lease.
    pub lease: LeaseId,
    /// The name of its holder.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats held.
    pub seats: u32,
    /// When it was granted; Unix milliseconds, wall clock.
    pub granted_at: i64,
    /// When it ended; Unix milliseconds, wall clock; none while it is held.
    pub ended_at: Option<i64>,
    /// Whether it is kept for a later start, and no session has claimed it yet.
    pub kept: bool,
}

const HEAD: &str = "p.id, s.name, s.authority, c.name, c.key, d.seats";
const JOINS: &str = "JOIN products p ON p.number = d.product JOIN subjects s ON s.id = d.subject \
                     JOIN computers c ON c.id = d.computer WHERE d.number = ?1 AND d.incarnation = ?2";

impl History {
    /// The decision of that id, if it is kept.
    pub fn decision(&self, id: DecisionId) -> Result<Option<DecisionRow>, Failure> {
        self.query(|connection| {
            let sources = [
                (
                    DecisionKind::Granted,
                    "leases",
                    "d.granted_at, NULL, d.ticket IS NOT NULL, d.ended_at, d.cause, d.also",
                ),
                (
                    DecisionKind::Queued,
                    "tickets",
                    "d.queued_at, NULL, 0, NULL, NULL, d.also",
                ),
                (
                    DecisionKind::Denied,
                    "denials",
                    "d.first_at, d.reason, 0, NULL, NULL, d.also",
                ),
            ];
            for (kind, table, columns) in sources {
                let sql = format!(
                    "SELECT {HEAD}, {columns}, d.scene_seats, d.scene_in_use, d.scene_queued, \
                     d.product, s.key FROM {table} d {JOINS}"
                );
                let found = connection
                    .prepare_cached(&sql)?
                    .query_row(params![id.number.0 as i64, id.incarnation.0], |row| {
                        let decision = DecisionRow {
                            id,
                            kind,
                            product: row.get(0)?,
                            user: row.get(1)?,
                            authority: row.get(2)?,
                            key: row.get(16)?,
                            computer: row.get(3)?,
                            computer_key: row.get(4)?,
                            seats: row.get(5)?,
                            at: row.get(6)?,
                            reason: row.get(7)?,
                            waited: row.get(8)?,
                            scene: Scene {
                                seats: from_i64(row.get(12)?),
                                in_use: from_i64(row.get(13)?),
                                queued: row.get(14)?,
                            },
                            ended: match (row.get(9)?, row.get(10)?) {
                                (Some(at), Some(cause)) => Some((at, cause)),
                                _ => None,
                            },
                            also: Vec::new(),
                            holders: Vec::new(),
                        };
                        let also: Option<String> = row.get(11)?;
                        Ok((decision, row.get::<_, i64>(15)?, also))
                    })
                    .optional()?;
                if let Some((mut decision, product, also)) = found {
                    decision.also = named(connection, also.as_deref().unwrap_or_default())?;
                    decision.holders = holders(connection, product, id.number)?;
                    return Ok(Some(decision));
                }
            }
            Ok(None)
        })
    }
}

/// The further products of the request, by id.
fn named(connection: &rusqlite::Connection, also: &str) -> rusqlite::Result<Vec<(String, u32)>> {
    let mut statement = connection.prepare_cached("SELECT id FROM products WHERE number = ?1")?;
    let mut named = Vec::new();
    for (product, seats) in read_also(also) {
        let id = statement.query_row([product.cast_signed()], |row| row.get(0));
        named.extend(id.optional()?.map(|id| (id, seats)));
    }
    Ok(named)
}

/// Who held seats of a product at the event of that number. This is exact, because events are
/// numbered in their order.
fn holders(
    connection: &rusqlite::Connection,
    product: i64,
    at: EventNumber,
) -> rusqlite::Result<Vec<HolderRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT l.number, l.incarnation, s.name, c.name, l.seats, l.granted_at, l.ended_at, \
         l.session IS NULL AND l.program IS '(kept)' FROM leases l JOIN subjects s ON s.id = l.subject JOIN computers c ON c.id = l.computer \
         WHERE l.product = ?1 AND l.number < ?2 AND (l.ended IS NULL OR l.ended > ?2) \
         ORDER BY l.number LIMIT 1000",
    )?;
    let rows = statement.query_map(params![product, at.0 as i64], |row| {
        Ok(HolderRow {
            lease: LeaseId {
                incarnation: Incarnation(row.get(1)?),
                number: number(row, 0)?,
            },
            user: row.get(2)?,
            computer: row.get(3)?,
            seats: row.get(4)?,
            granted_at: row.get(5)?,
            ended_at: row.get(6)?,
            kept: row.get(7)?,
        })
    })?;
    rows.collect()
}
