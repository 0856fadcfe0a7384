//! The table of kept answers: those that are also kept in memory.

use rusqlite::Connection;
use usher_core::ledger::{Batch, KEPT_SECONDS, KEYS_LIMIT};

use super::signed;
use crate::base::meta::{number, put};

/// After how many new answers the table is cleaned; more often would be too expensive.
const LOOK_EVERY: u64 = 50_000;
/// The name in `meta` of the number of answers since the last cleaning.
const SINCE: &str = "answers_since_look";

/// Removes answers that are too old, and the oldest if there are too many. The table may hold up to
/// [`LOOK_EVERY`] more than the limit.
pub(super) fn forget(
    connection: &Connection,
    came: u64,
    last: Option<&Batch>,
) -> rusqlite::Result<()> {
    let Some(last) = last.filter(|_| came > 0) else {
        return Ok(());
    };
    let since = number(connection, SINCE)?.unwrap_or(0).saturating_add(came);
    if since < LOOK_EVERY {
        return put(connection, SINCE, since);
    }
    let oldest = last.at.steady.0.saturating_sub(KEPT_SECONDS * 1_000);
    connection
        .prepare_cached("DELETE FROM answers WHERE steady < ?1")?
        .execute([signed(oldest)])?;
    connection
        .prepare_cached(
            "DELETE FROM answers WHERE number <= \
             (SELECT number FROM answers ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([signed(KEYS_LIMIT as u64)])?;
    put(connection, SINCE, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::{Now, Steady, Wall};

    #[test]
    fn the_table_of_answers_holds_no_more_than_are_kept_and_one_look() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
                 CREATE TABLE answers (number INTEGER PRIMARY KEY, steady INTEGER NOT NULL);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 560000)
                 INSERT INTO answers SELECT i * 3, 1000 FROM n;",
            )
            .unwrap();
        let batch = Batch {
            at: Now {
                steady: Steady(2_000),
                wall: Wall(0),
            },
            ..Batch::default()
        };
        let count = || -> u64 {
            connection
                .query_row("SELECT count(*) FROM answers", [], |row| {
                    row.get::<_, i64>(0)
                })
                .unwrap() as u64
        };
        forget(&connection, LOOK_EVERY - 1, Some(&batch)).unwrap();
        assert_eq!(count(), 560_000, "not each slice looks");
        forget(&connection, 1, Some(&batch)).unwrap();
        assert_eq!(count(), KEYS_LIMIT as u64);
        let oldest: i64 = connection
            .query_row("SELECT min(number) FROM answers", [], |row| row.get(0))
            .unwrap();
        assert_eq!(oldest, 60_001 * 3, "the newest stay");
        // A day later they are all too old.
        let later = Batch {
            at: Now {
                steady: Steady(2_000 + KEPT_SECONDS * 1_000),
                wall: Wall(0),
            },
            ..Batch::default()
        };
        forget(&connection, LOOK_EVERY, Some(&later)).unwrap();
        assert_eq!(count(), 0);
    }
}
