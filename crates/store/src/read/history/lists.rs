//! Leases that are held, and requests that wait.

use rusqlite::{OptionalExtension, Row, params};
use usher_core::ledger::{EventNumber, Incarnation, LeaseId, Steady, TicketId};

use super::{History, Rows, page};
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// Whose rows to list. Each part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// The person: realm and account, in the form in which they are compared.
    pub person: Option<(String, String)>,
    /// The computer's key.
    pub computer: Option<String>,
}

impl Owner {
    /// Whether a row with these values belongs to the owner.
    pub fn has(&self, authority: &str, key: &str, computer: &str) -> bool {
        let person = self.person.as_ref();
        person.is_none_or(|(realm, account)| realm == authority && account == key)
            && self.computer.as_deref().is_none_or(|own| own == computer)
    }

    pub(super) fn realm(&self) -> Option<&str> {
        self.person.as_ref().map(|(realm, _)| &**realm)
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.person.as_ref().map(|(_, account)| &**account)
    }
}

/// A filter for leases. Each part that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct LeaseFilter {
    /// Whose leases to list.
    pub owner: Owner,
    /// Product id.
    pub product: Option<String>,
    /// Name of the person who is counted; for accounts of a directory, case is ignored.
    pub user: Option<String>,
    /// The computer's key or name.
    pub computer: Option<String>,
}

/// A lease that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The id of the lease.
    pub id: LeaseId,
    /// Product id.
    pub product: String,
    /// The name of the person who is counted.
    pub user: String,
    /// The realm of that user.
    pub authority: String,
    /// That user's account, as it is compared.
    pub key: String,
    /// The computer's name.
    pub computer: String,
    /// The computer's key.
    pub computer_key: String,
    /// Seats held.
    pub seats: u32,
    /// When it was granted; Unix milliseconds, wall clock.
    pub granted_at: i64,
    /// When it ends without renewal, on the ledger's clock.
    pub deadline: Steady,
    /// Its ttl, in seconds.
    pub ttl_seconds: u32,
    /// The numbers of the allotments that its seats come from.
    pub allotments: Vec<u64>,
    /// The first of the leases that it is held with, if the request was for several products.
    pub with: Option<LeaseId>,
    /// Whether it is kept for a later start, and no session has claimed it yet.
    pub kept: bool,
    /// The session that holds it, as the agent of its computer numbers it; none: none does, or
    /// several share it.
    pub session: Option<u64>,
}

/// A waiting request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// The id of the ticket.
    pub id: TicketId,
    /// Product id.
    pub product: String,
    /// The name of the person who waits.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// The priority; a higher one is served first.
    pub priority: i8,
    /// Place in its product's queue, from 1.
    pub position: u32,
    /// When it was queued; Unix milliseconds, wall clock.
    pub queued_at: i64,
    /// The first of the tickets that it waits with, if the request was for several products.
    pub with: Option<TicketId>,
}

/// Since when the oldest lease of a product has been held, and its oldest request has waited; Unix
/// milliseconds, wall clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Longest {
    /// When the oldest lease was granted, in Unix milliseconds; `None`: there are no leases.
    pub held: Option<i64>,
    /// When the oldest waiting request came, in Unix milliseconds; `None`: no request waits.
    pub waiting: Option<i64>,
}

impl History {
    /// Leases that are held, oldest first.
    pub fn leases(
        &self,
        filter: &LeaseFilter,
        after: u64,
        limit: u32,
    ) -> Result<Rows<LeaseRow>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT l.number, l.incarnation, p.id, s.name, s.authority, c.name, c.key, \
                 l.seats, l.granted_at, l.deadline, l.ttl_seconds, l.draws, l.bundle, s.key, \
                 l.session IS NULL AND l.program IS '(kept)', \
                 CASE WHEN l.holders IN ('', l.computer || ':' || l.session || ':' \
                    || l.session_incarnation) THEN l.session END \
                 FROM leases l INDEXED BY leases_held JOIN products p ON p.number = l.product \
                 JOIN subjects s ON s.id = l.subject JOIN computers c ON c.id = l.computer \
                 WHERE l.ended IS NULL AND l.number > ?1 \
                 AND (?2 IS NULL OR p.id = ?2) AND (?3 IS NULL OR s.name = ?3 \
                    OR s.key = ?6 AND s.authority NOT IN ('usher', 'local') \
                    AND s.authority NOT GLOB 'computer:*') \
                 AND (?4 IS NULL OR c.key = ?4 OR c.name = ?4) \
                 AND (?7 IS NULL OR s.authority = ?7 AND s.key = ?8) \
                 AND (?9 IS NULL OR c.key = ?9) \
                 ORDER BY l.number LIMIT ?5",
            )?;
            let rows = statement.query_map(
                params![
                    after as i64,
                    filter.product,
                    filter.user,
                    filter.computer,
                    limit + 1,
                    filter.user.as_ref().map(|user| user.to_lowercase()),
                    filter.owner.realm(),
                    filter.owner.account(),
                    filter.owner.computer,
                ],
                lease_row,
            )?;
            Ok(page(
                rows.collect::<Result<_, _>>()?,
                limit,
                |row: &LeaseRow| row.id.number.0,
            ))
        })
    }

    /// The lease of that number, held or ended, and whether it has ended.
    pub fn lease(&self, number: EventNumber) -> Result<Option<(LeaseRow, bool)>, Failure> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT l.number, l.incarnation, p.id, s.name, s.authority, c.name, c.key, \
                     l.seats, l.granted_at, l.deadline, l.ttl_seconds, l.draws, l.bundle, \
                     s.key, l.session IS NULL AND l.program IS '(kept)', \
                     CASE WHEN l.holders IN ('', l.computer || ':' || l.session || ':' \
                        || l.session_incarnation) THEN l.session END, l.ended IS NOT NULL \
                     FROM leases l JOIN products p ON p.number = l.product \
                     JOIN subjects s ON s.id = l.subject JOIN computers c ON c.id = l.computer \
                     WHERE l.number = ?1",
                )?
                .query_row([number.0 as i64], |row| Ok((lease_row(row)?, row.get(16)?)))
                .optional()
        })
    }

    /// Requests that wait, product by product, in the order in which they will be served.
    /// `after` counts rows.
    pub fn queue(
        &self,
        product: Option<&str>,
        owner: &Owner,
        after: u64,
        limit: u32,
    ) -> Result<Rows<TicketRow>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                // A place is counted among all who wait, so whose they are is asked outside.
                "SELECT number, incarnation, product, name, computer, seats, priority, \
                 queued_at, place, bundle FROM ( \
                 SELECT t.number, t.incarnation, p.id AS product, s.name, c.name AS computer, \
                 t.seats, t.priority, t.queued_at, row_number() OVER (PARTITION BY t.product \
                 ORDER BY t.priority DESC, t.number) AS place, t.bundle, \
                 s.authority AS realm, s.key AS account, c.key AS computer_key \
                 FROM tickets t JOIN products p ON p.number = t.product \
                 JOIN subjects s ON s.id = t.subject JOIN computers c ON c.id = t.computer \
                 WHERE t.state = 'waiting' AND (?1 IS NULL OR p.id = ?1)) \
                 WHERE (?4 IS NULL OR realm = ?4 AND account = ?5) \
                 AND (?6 IS NULL OR computer_key = ?6) \
                 ORDER BY product, priority DESC, number LIMIT ?2 OFFSET ?3",
            )?;
            let (realm, account) = (owner.realm(), owner.account());
            let asked = params![
                product,
                limit + 1,
                after as i64,
                realm,
                account,
                owner.computer
            ];
            let rows = statement.query_map(asked, |row| {
                let incarnation = Incarnation(row.get(1)?);
                let bundle: Option<i64> = row.get(9)?;
                Ok(TicketRow {
                    id: TicketId {
                        incarnation,
                        number: number(row, 0)?,
                    },
                    with: bundle.map(|first| TicketId {
                        incarnation,
                        number: EventNumber(from_i64(first)),
                    }),
                    product: row.get(2)?,
                    user: row.get(3)?,
                    computer: row.get(4)?,
                    seats: row.get(5)?,
                    priority: row.get(6)?,
                    queued_at: row.get(7)?,
                    position: row.get(8)?,
                })
            })?;
            let mut found = page(rows.collect::<Result<_, _>>()?, limit, |_| 0);
            found.next = found.next.map(|_| after + u64::from(limit));
            Ok(found)
        })
    }

    /// For each product id, since when its oldest lease has been held and its oldest request has
    /// waited.
    pub fn longest(&self) -> Result<Vec<(String, Longest)>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.id, (SELECT l.granted_at FROM leases l INDEXED BY leases_open \
                 WHERE l.product = p.number AND l.ended IS NULL ORDER BY l.number LIMIT 1), \
                 (SELECT min(t.queued_at) FROM tickets t INDEXED BY tickets_kept \
                 WHERE t.product = p.number AND t.forgotten = 0 AND t.state = 'waiting') \
                 FROM products p",
            )?;
            let rows = statement.query_map([], |row| {
                let longest = Longest {
                    held: row.get(1)?,
                    waiting: row.get(2)?,
                };
                Ok((row.get(0)?, longest))
            })?;
            rows.collect()
        })
    }
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<EventNumber> {
    Ok(EventNumber(from_i64(row.get(column)?)))
}

fn lease_row(row: &Row<'_>) -> rusqlite::Result<LeaseRow> {
    let draws: String = row.get(11)?;
    let bundle: Option<i64> = row.get(12)?;
    let session: Option<i64> = row.get(15)?;
    let incarnation = Incarnation(row.get(1)?);
    Ok(LeaseRow {
        id: LeaseId {
            incarnation,
            number: number(row, 0)?,
        },
        with: bundle.map(|first| LeaseId {
            incarnation,
            number: EventNumber(from_i64(first)),
        }),
        product: row.get(2)?,
        user: row.get(3)?,
        authority: row.get(4)?,
        key: row.get(13)?,
        computer: row.get(5)?,
        computer_key: row.get(6)?,
        seats: row.get(7)?,
        granted_at: row.get(8)?,
        deadline: Steady(from_i64(row.get(9)?)),
        ttl_seconds: row.get(10)?,
        kept: row.get(14)?,
        session: session.map(from_i64),
        allotments: crate::base::columns::read_draws(&draws)
            .iter()
            .map(|d| d.allotment.0)
            .collect(),
    })
}
