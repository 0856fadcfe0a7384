//! What was held, wanted and refused of one product, read page by page in the order of the beginnings, by
//! the indexes that the tables have by product and beginning.
//!
//! A page looks through a number of rows, and the calls of others have their turn between two pages.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use usher_core::ledger::Reason;
use usher_core::replay::{MadeBy, Past, PastLease, PastRefusal, PastSession, PastWait, Who};
use usher_core::usage::seats_help;

use crate::columns::unsigned;
use crate::past::{PastAsked, PastPage, PastPlace, SourceRow};

/// Rows that a page looks through: some hundredths of a second.
const PAGE_ROWS: u32 = 20_000;

/// Where a page ends within a table: the beginning, and the three columns of the key.
type Place = [i64; 4];
/// Before all of them.
const BEGIN: Place = [i64::MIN; 4];

/// A table of the history, and what a row of it says.
struct Table {
    /// Its first columns are the key, the product, the server and the beginning. `?1` is the product,
    /// `?2` before when it began, `?3` to `?6` the place after which the page begins, `?7` how many
    /// rows are wanted.
    sql: &'static str,
    /// What a row tells, and the end of that.
    read: fn(&Row<'_>, i64) -> Result<(Past, i64)>,
}

const TABLES: [Table; 5] = [
    Table {
        sql: "SELECT source, made_in, made_by, product, source, granted_ms, person, computer, \
              seats, held_ms, kept, cause, ticket_made_in, ticket_made_by FROM history_leases \
              WHERE kept = 0 AND cause <> 'unclaimed' \
              AND product = ?1 AND granted_ms < ?2 AND granted_ms >= ?3 \
              AND (granted_ms, source, made_in, made_by) > (?3, ?4, ?5, ?6) \
              ORDER BY granted_ms, source, made_in, made_by LIMIT ?7",
        read: lease,
    },
    // Those that nobody used have an index of their own.
    Table {
        sql: "SELECT source, made_in, made_by, product, source, granted_ms, person, computer, \
              seats, held_ms, kept, cause, ticket_made_in, ticket_made_by FROM history_leases \
              WHERE (kept <> 0 OR cause = 'unclaimed') \
              AND product = ?1 AND granted_ms < ?2 AND granted_ms >= ?3 \
              AND (granted_ms, source, made_in, made_by) > (?3, ?4, ?5, ?6) \
              ORDER BY granted_ms, source, made_in, made_by LIMIT ?7",
        read: lease,
    },
    Table {
        sql: "SELECT computer, agent_incarnation, session, product, source, started_ms, person, \
              duration_ms, unseated_ms, lease_made_in, lease_made_by FROM history_sessions \
              WHERE product = ?1 AND started_ms < ?2 AND started_ms >= ?3 \
              AND (started_ms, computer, agent_incarnation, session) > (?3, ?4, ?5, ?6) \
              ORDER BY started_ms, computer, agent_incarnation, session LIMIT ?7",
        read: session,
    },
    Table {
        sql: "SELECT source, made_in, made_by, product, source, queued_ms, person, computer, \
              seats, waited_ms, decided_ms, outcome, lease_made_in, lease_made_by, priority \
              FROM history_waits WHERE product = ?1 AND queued_ms < ?2 AND queued_ms >= ?3 \
              AND (queued_ms, source, made_in, made_by) > (?3, ?4, ?5, ?6) \
              ORDER BY queued_ms, source, made_in, made_by LIMIT ?7",
        read: wait,
    },
    Table {
        sql: "SELECT source, made_in, made_by, product, source, first_ms, person, computer, \
              seats, last_ms, waits, reason FROM history_denials \
              WHERE product = ?1 AND first_ms < ?2 AND first_ms >= ?3 \
              AND (first_ms, source, made_in, made_by) > (?3, ?4, ?5, ?6) \
              ORDER BY first_ms, source, made_in, made_by LIMIT ?7",
        read: refusal,
    },
];

/// A page of what is known of a product in a time; nothing of one of which nothing was collected.
pub(crate) fn page(connection: &Connection, asked: &PastAsked) -> Result<PastPage> {
    look(connection, asked, PAGE_ROWS)
}

/// The same, looking through so many rows.
fn look(connection: &Connection, asked: &PastAsked, rows: u32) -> Result<PastPage> {
    let mut page = PastPage::default();
    let product: Option<i64> = connection
        .prepare_cached("SELECT number FROM history_products WHERE product = ?1")?
        .query_row([&asked.product], |row| row.get(0))
        .optional()?;
    let Some(product) = product else {
        return Ok(page);
    };
    page.is_known = true;
    if asked.after.is_none() {
        page.first_ms = connection
            .prepare_cached("SELECT first_ms FROM history_first")?
            .query_row([], |row| row.get(0))
            .optional()?;
    }
    let (first, mut after) = place(asked.after.as_ref());
    let mut left = rows;
    for (number, table) in TABLES.iter().enumerate().skip(first) {
        let mut statement = connection.prepare_cached(table.sql)?;
        let [begun, one, two, three] = after;
        let values = params![product, asked.until_ms, begun, one, two, three, left];
        let mut found = statement.query(values)?;
        while let Some(row) = found.next()? {
            left = left.saturating_sub(1);
            let begin_ms: i64 = row.get(5)?;
            after = [begin_ms, row.get(0)?, row.get(1)?, row.get(2)?];
            let (past, end_ms) = (table.read)(row, begin_ms)?;
            if end_ms >= asked.from_ms {
                page.items.push(past);
                page.servers.insert(unsigned(row.get(4)?));
            }
        }
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
        Some([table, begun, one, two, three]) => {
            let table = usize::try_from(*table).unwrap_or(TABLES.len());
            (table, [*begun, *one, *two, *three])
        }
        _ => (0, BEGIN),
    }
}

fn next(table: usize, [begun, one, two, three]: Place) -> PastPlace {
    let table = i64::try_from(table).unwrap_or(i64::MAX);
    PastPlace(vec![table, begun, one, two, three])
}

/// The servers whose history is collected.
pub(crate) fn sources(connection: &Connection) -> Result<Vec<SourceRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, server, collected_ms FROM history_sources ORDER BY number",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(SourceRow {
            number: unsigned(row.get(0)?),
            server: row.get(1)?,
            collected_ms: row.get(2)?,
        })
    })?;
    rows.collect()
}

fn lease(row: &Row<'_>, granted_ms: i64) -> Result<(Past, i64)> {
    let held_ms: i64 = row.get(9)?;
    let kept: bool = row.get(10)?;
    let cause: String = row.get(11)?;
    let lease = PastLease {
        key: key(row)?,
        who: who(row)?,
        seats: row.get(8)?,
        granted_ms,
        held_ms: Some(unsigned(held_ms)),
        ticket: made(row, 12)?,
        was_used: !kept && cause != "unclaimed",
    };
    Ok((Past::Lease(lease), granted_ms.saturating_add(held_ms)))
}

fn session(row: &Row<'_>, started_ms: i64) -> Result<(Past, i64)> {
    let duration_ms: i64 = row.get(7)?;
    let session = PastSession {
        who: Who {
            person: number(row, 6)?,
            computer: number(row, 0)?,
        },
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

fn wait(row: &Row<'_>, queued_ms: i64) -> Result<(Past, i64)> {
    let waited_ms: Option<i64> = row.get(9)?;
    let decided_ms: Option<i64> = row.get(10)?;
    let outcome: String = row.get(11)?;
    // Of a server's earlier version neither is known: then it waited for no time.
    let waited_ms = waited_ms
        .or_else(|| decided_ms.map(|ms| ms.saturating_sub(queued_ms)))
        .unwrap_or(0);
    let wait = PastWait {
        key: key(row)?,
        who: who(row)?,
        seats: row.get(8)?,
        priority: row.get(14)?,
        queued_ms,
        waited_ms: unsigned(waited_ms),
        was_granted: outcome == "granted",
        lease: made(row, 12)?,
    };
    Ok((Past::Wait(wait), queued_ms.saturating_add(waited_ms)))
}

fn refusal(row: &Row<'_>, first_ms: i64) -> Result<(Past, i64)> {
    let last_ms: i64 = row.get(9)?;
    let reason: String = row.get(11)?;
    let mut reasons = Reason::ALL.iter().copied();
    let reason = reasons.find(|known| known.wire_word() == reason);
    let refusal = PastRefusal {
        who: who(row)?,
        seats: row.get(8)?,
        first_ms,
        last_ms,
        would_wait: row.get(10)?,
        seats_help: reason.is_some_and(seats_help),
    };
    Ok((Past::Refusal(refusal), last_ms.max(first_ms)))
}

fn key(row: &Row<'_>) -> Result<MadeBy> {
    Ok(MadeBy {
        server: unsigned(row.get(0)?),
        incarnation: row.get(1)?,
        event: unsigned(row.get(2)?),
    })
}

/// What the server of this row made, from that column on; none: nothing.
fn made(row: &Row<'_>, column: usize) -> Result<Option<MadeBy>> {
    let incarnation: Option<u32> = row.get(column)?;
    let event: Option<i64> = row.get(column + 1)?;
    let server = unsigned(row.get(4)?);
    Ok(incarnation.zip(event).map(|(incarnation, event)| MadeBy {
        server,
        incarnation,
        event: unsigned(event),
    }))
}

fn who(row: &Row<'_>) -> Result<Who> {
    Ok(Who {
        person: number(row, 6)?,
        computer: number(row, 7)?,
    })
}

fn number(row: &Row<'_>, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::STEPS;

    fn tables() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        STEPS
            .iter()
            .try_for_each(|step| connection.execute_batch(step))
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO history_products VALUES (1, 'cad'), (2, 'cam');
                 INSERT INTO history_sources VALUES (1, 'a', 9, 100), (2, 'b', 9, 200);
                 INSERT INTO history_first VALUES (1, 60);",
            )
            .unwrap();
        connection
    }

    fn refused(connection: &Connection, event: i64, product: i64, at_ms: i64) {
        connection
            .execute(
                "INSERT INTO history_denials VALUES (1, 7, ?1, 7, ?1, NULL, ?2, 5, 6, 1, 'no_seat', \
                 1, 0, NULL, ?3, ?3)",
                params![event, product, at_ms],
            )
            .unwrap();
    }

    fn asked(after: Option<PastPlace>) -> PastAsked {
        PastAsked {
            product: "cad".to_owned(),
            from_ms: 100,
            until_ms: 200,
            after,
        }
    }

    #[test]
    fn pages_of_any_size_bring_what_touches_the_time_once() {
        let connection = tables();
        for event in 0..40 {
            refused(&connection, event, 1 + event % 2, 90 + event * 4);
        }
        for event in 0..5 {
            connection
                .execute(
                    "INSERT INTO history_leases VALUES (2, 8, ?1, 8, ?1, NULL, 1, 5, 6, 1, NULL, \
                     NULL, NULL, 0, ?2, ?2 + 30, 30, 'checked_in', NULL, NULL, NULL, NULL, 0)",
                    params![event, 60 + event * 10],
                )
                .unwrap();
        }
        let whole = look(&connection, &asked(None), 1_000).unwrap();
        assert_eq!(whole.next, None);
        assert_eq!((whole.is_known, whole.first_ms), (true, Some(60)));
        // Leases end at 90, 100, 110, 120 and 130; refusals of the product are each 8 ms.
        let leases = whole.items.iter().filter(|it| matches!(it, Past::Lease(_)));
        assert_eq!((leases.count(), whole.items.len()), (4, 4 + 12));
        assert_eq!(whole.servers.into_iter().collect::<Vec<_>>(), [1, 2]);
        for rows in [1, 2, 7, 45, 46] {
            let mut items = Vec::new();
            let mut after = None;
            loop {
                let page = look(&connection, &asked(after), rows).unwrap();
                items.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(items, whole.items, "{rows} rows a page");
        }
    }

    #[test]
    fn a_page_is_found_by_an_index_of_the_product_and_the_beginning() {
        let connection = tables();
        for table in TABLES {
            let sql = format!("EXPLAIN QUERY PLAN {}", table.sql);
            let mut statement = connection.prepare(&sql).unwrap();
            let values = params![1, 200, 100, 0, 0, 0, 10];
            let plan: Vec<String> = statement
                .query_map(values, |row| row.get(3))
                .unwrap()
                .collect::<Result<_>>()
                .unwrap();
            let plan = plan.join("\n");
            let by_index = plan.starts_with("SEARCH history_") && plan.contains("(product=? AND ");
            assert!(by_index && !plan.contains("SCAN"), "{plan}\n{sql}");
        }
    }

    #[test]
    fn what_was_never_collected_is_not_known() {
        let connection = tables();
        let other = PastAsked {
            product: "cae".to_owned(),
            ..asked(None)
        };
        assert!(!look(&connection, &other, 10).unwrap().is_known);
        let nothing = look(&connection, &asked(None), 10).unwrap();
        assert!(nothing.is_known && nothing.items.is_empty());
        let all = sources(&connection).unwrap();
        assert_eq!((all.len(), all[1].collected_ms), (2, 200));
    }
}
