//! A body of rows is taken in whole, in the order of its number, and once.

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::params;
use super::{count, kinds, state};
use crate::columns::unsigned;
use crate::imported::{ImportBatch, RowsTaken};
use crate::imports::{REMOVED, Target};

/// Takes in a body of rows if it is the next.
pub(in crate::postgres) fn take(db: &Db, batch: &ImportBatch) -> Result<RowsTaken> {
    let sql = "SELECT number, source, kind, finished_ms IS NOT NULL, next_number FROM imports \
               WHERE id = $1 AND state <> $2";
    let found = db.optional(sql, &params![batch.id, REMOVED], |row| {
        Ok(Found {
            import: row.get(0)?,
            source: row.get(1)?,
            kind: row.get(2)?,
            is_finished: row.get(3)?,
            next_number: unsigned(row.get(4)?),
        })
    })?;
    let Some(found) = found else {
        return Ok(RowsTaken::Unknown);
    };
    let next_number = found.next_number;
    if batch.number < next_number {
        return Ok(RowsTaken::Taken { next_number });
    }
    if found.is_finished {
        return Ok(RowsTaken::Finished);
    }
    if batch.number > next_number {
        return Ok(RowsTaken::Missing { next_number });
    }
    let target = Target {
        import: found.import,
        source: found.source,
        valid: state::valid(db, found.source, &found.kind)?,
    };
    let counts = kinds::take(db, target, &batch.rows)?;
    count(db, found.import, batch, &counts)?;
    Ok(RowsTaken::Taken {
        next_number: next_number.saturating_add(1),
    })
}

/// What is known of an import that takes in rows.
struct Found {
    import: i64,
    source: i64,
    kind: String,
    is_finished: bool,
    next_number: u64,
}
