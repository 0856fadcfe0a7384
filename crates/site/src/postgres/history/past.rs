//! What was held, wanted and refused of one product, read page by page in the order of the beginnings,
//! by the indexes that the tables have by product and beginning.

use usher_core::ledger::Reason;
use usher_core::replay::{MadeBy, Past, PastLease, PastRefusal, PastSession, PastWait, Who};
use usher_core::usage::seats_help;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Row, params};
use crate::columns::unsigned;
use crate::past::{PastAsked, PastPage, PastPlace, SourceRow};

/// Rows of a page.
const PAGE_ROWS: u32 = 20_000;

/// Where a page ends within a table: the beginning, and the three columns of the key.
type Place = [i64; 4];
/// Before all of them.
const BEGIN: Place = [i64::MIN; 4];

/// A table of the history, and what a row of it says.
struct Table {
    /// Its columns are the beginning, the key, the server, the person and the computer, and what `read`
    /// takes. `$1` is the product, `$2` before when it began, `$3` to `$6` the place after which the page
    /// begins, `$7` how many rows are wanted.
    sql: &'static str,
    /// What a row tells, and the end of that.
    read: fn(&Row, i64) -> Result<(Past, i64)>,
}

const TABLES: [Table; 4] = [
    Table {
        sql: "SELECT granted_ms, source, made_in, made_by, source, person, computer, seats, held_ms, \
              kept, cause, ticket_made_in, ticket_made_by FROM history_leases \
              WHERE product = $1 AND granted_ms < $2 AND granted_ms >= $3 \
              AND (granted_ms, source, made_in, made_by) > ($3, $4, $5, $6) \
              ORDER BY granted_ms, source, made_in, made_by LIMIT $7",
        read: lease,
    },
    Table {
        sql: "SELECT started_ms, computer, agent_incarnation, session, source, person, computer, \
              duration_ms, unseated_ms, lease_made_in, lease_made_by FROM history_sessions \
              WHERE product = $1 AND started_ms < $2 AND started_ms >= $3 \
              AND (started_ms, computer, agent_incarnation, session) > ($3, $4, $5, $6) \
              ORDER BY started_ms, computer, agent_incarnation, session LIMIT $7",
        read: session,
    },
    Table {
        sql: "SELECT queued_ms, source, made_in, made_by, source, person, computer, seats, waited_ms, \
              decided_ms, outcome, lease_made_in, lease_made_by, priority FROM history_waits \
              WHERE product = $1 AND queued_ms < $2 AND queued_ms >= $3 \
              AND (queued_ms, source, made_in, made_by) > ($3, $4, $5, $6) \
              ORDER BY queued_ms, source, made_in, made_by LIMIT $7",
        read: wait,
    },
    Table {
        sql: "SELECT first_ms, source, made_in, made_by, source, person, computer, seats, last_ms, \
              waits, reason FROM history_denials \
              WHERE product = $1 AND first_ms < $2 AND first_ms >= $3 \
              AND (first_ms, source, made_in, made_by) > ($3, $4, $5, $6) \
              ORDER BY first_ms, source, made_in, made_by LIMIT $7",
        read: refusal,
    },
];

/// A page of what is known of a product in a time; nothing of one of which nothing was collected.
pub(in crate::postgres) fn page(db: &Db, asked: &PastAsked) -> Result<PastPage> {
    let mut page = PastPage::default();
    let sql = "SELECT number FROM history_products WHERE product = $1";
    let product: Option<i64> = db.optional(sql, &params![asked.product], |row| row.get(0))?;
    let Some(product) = product else {
        return Ok(page);
    };
    page.is_known = true;
    if asked.after.is_none() {
        let sql = "SELECT first_ms FROM history_first";
        page.first_ms = db.optional(sql, &[], |row| row.get(0))?;
    }
    let (first, mut after) = place(asked.after.as_ref());
    let mut left = PAGE_ROWS;
    for (number, table) in TABLES.iter().enumerate().skip(first) {
        let [one, two, three, four] = after;
        let values = params![product, asked.until_ms, one, two, three, four, left];
        db.each(table.sql, &values, |row| {
            left = left.saturating_sub(1);
            let begin_ms = row.get(0)?;
            after = [begin_ms, row.get(1)?, row.get(2)?, row.get(3)?];
            let (past, end_ms) = (table.read)(row, begin_ms)?;
            if end_ms >= asked.from_ms {
                page.items.push(past);
                page.servers.insert(unsigned(row.get(4)?));
            }
            Ok(())
        })?;
        if left == 0 {
            page.next = Some(next(number, after));
            return Ok(page);
        }
        after = BEGIN;
    }
    Ok(page)
}

/// The table and the place in it after which a page begins.
fn place(after: Option<&PastPlace>) -> (usize, Place) {
    match after.map(|after| &*after.0) {
        Some([table, one, two, three, four]) => {
            let table = usize::try_from(*table).unwrap_or(TABLES.len());
            (table, [*one, *two, *three, *four])
        }
        _ => (0, BEGIN),
    }
}

fn next(table: usize, [one, two, three, four]: Place) -> PastPlace {
    let table = i64::try_from(table).unwrap_or(i64::MAX);
    PastPlace(vec![table, one, two, three, four])
}

/// The servers whose history is collected.
pub(in crate::postgres) fn sources(db: &Db) -> Result<Vec<SourceRow>> {
    let sql = "SELECT number, server, collected_ms FROM history_sources ORDER BY number";
    db.all(sql, &[], |row| {
        Ok(SourceRow {
            number: unsigned(row.get(0)?),
            server: row.get(1)?,
            collected_ms: row.get(2)?,
        })
    })
}

fn lease(row: &Row, granted_ms: i64) -> Result<(Past, i64)> {
    let held_ms: i64 = row.get(8)?;
    let kept: bool = row.get(9)?;
    let cause: String = row.get(10)?;
    let lease = PastLease {
        key: key(row)?,
        who: who(row)?,
        seats: row.get(7)?,
        granted_ms,
        held_ms: Some(unsigned(held_ms)),
        ticket: made(row, 11)?,
        was_used: !kept && cause != "unclaimed",
    };
    Ok((Past::Lease(lease), granted_ms.saturating_add(held_ms)))
}

fn session(row: &Row, started_ms: i64) -> Result<(Past, i64)> {
    let duration_ms: i64 = row.get(7)?;
    let session = PastSession {
        who: who(row)?,
        started_ms,
        duration_ms: unsigned(duration_ms),
        unseated_ms: unsigned(row.get(8)?),
        lease: made(row, 9)?,
    };
    Ok((
        Past::Session(session),
        started_ms.saturating_add(duration_ms),
    ))
}

fn wait(row: &Row, queued_ms: i64) -> Result<(Past, i64)> {
    let waited_ms: Option<i64> = row.get(8)?;
    let decided_ms: Option<i64> = row.get(9)?;
    let outcome: String = row.get(10)?;
    // Of a server's earlier version neither is known: then it waited for no time.
    let waited_ms = waited_ms
        .or_else(|| decided_ms.map(|ms| ms.saturating_sub(queued_ms)))
        .unwrap_or(0);
    let wait = PastWait {
        key: key(row)?,
        who: who(row)?,
        seats: row.get(7)?,
        priority: row.get(13)?,
        queued_ms,
        waited_ms: unsigned(waited_ms),
        was_granted: outcome == "granted",
        lease: made(row, 11)?,
    };
    Ok((Past::Wait(wait), queued_ms.saturating_add(waited_ms)))
}

fn refusal(row: &Row, first_ms: i64) -> Result<(Past, i64)> {
    let last_ms: i64 = row.get(8)?;
    let reason: String = row.get(10)?;
    let mut reasons = Reason::ALL.iter().copied();
    let reason = reasons.find(|known| known.wire_word() == reason);
    let refusal = PastRefusal {
        who: who(row)?,
        seats: row.get(7)?,
        first_ms,
        last_ms,
        would_wait: row.get(9)?,
        seats_help: reason.is_some_and(seats_help),
    };
    Ok((Past::Refusal(refusal), last_ms.max(first_ms)))
}

fn key(row: &Row) -> Result<MadeBy> {
    Ok(MadeBy {
        server: unsigned(row.get(1)?),
        incarnation: row.get(2)?,
        event: unsigned(row.get(3)?),
    })
}

/// What the server of this row made, from that column on; none: nothing.
fn made(row: &Row, column: usize) -> Result<Option<MadeBy>> {
    let incarnation: Option<u32> = row.get(column)?;
    let event: Option<i64> = row.get(column + 1)?;
    let server = unsigned(row.get(4)?);
    Ok(incarnation.zip(event).map(|(incarnation, event)| MadeBy {
        server,
        incarnation,
        event: unsigned(event),
    }))
}

fn who(row: &Row) -> Result<Who> {
    Ok(Who {
        person: number(row, 5)?,
        computer: number(row, 6)?,
    })
}

fn number(row: &Row, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<Option<i64>>(column)?.map(unsigned))
}
