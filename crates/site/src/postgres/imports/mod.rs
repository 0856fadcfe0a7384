//! Imports on PostgreSQL: their rows come in numbered bodies, count for nothing before the import is
//! finished unless it is live, and can be taken out again.

mod clean;
mod keyed;
mod kinds;
mod owned;
mod removals;
mod rows;
mod state;
mod table;
mod uses;

use super::db::Db;
use super::failure::Result;
use super::values::{Row, params};
use crate::columns::{signed, unsigned};
use crate::imported::{
    Begun, Finish, IMPORTS_LIMIT, ImportBatch, ImportEnd, ImportRecord, LIVE_IMPORTS_LIMIT,
    NewImport, OPEN_IMPORTS_LIMIT,
};
use crate::imports::{Counts, FINISHED, OPEN, REMOVED};

pub(super) use clean::clean;
pub(super) use owned::owned;
pub(super) use rows::take;
pub(super) use uses::list as uses;

const COLUMNS: &str = "i.number, i.id, i.kind, s.source, i.time_zone, i.begun_ms, i.finished_ms, \
     i.next_number, i.added, i.already_there, i.completed, i.state = 1 AND i.finished_ms IS NULL";

fn record(row: &Row) -> Result<ImportRecord> {
    Ok(ImportRecord {
        number: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        source: row.get(3)?,
        time_zone: row.get(4)?,
        begun_ms: row.get(5)?,
        finished_ms: row.get(6)?,
        next_number: unsigned(row.get(7)?),
        added: unsigned(row.get(8)?),
        already_there: unsigned(row.get(9)?),
        completed: unsigned(row.get(10)?),
        live: row.get(11)?,
        summary: row.get(12)?,
    })
}

/// Begins an import, unless the request has begun it.
pub(super) fn begin(db: &Db, new: &NewImport) -> Result<Begun> {
    if let Some(request) = &new.request
        && let Some(begun) = begun(db, request, new)?
    {
        return Ok(begun);
    }
    let (state, limit) = match new.live {
        true => (FINISHED, LIVE_IMPORTS_LIMIT),
        false => (OPEN, OPEN_IMPORTS_LIMIT),
    };
    let sql = "SELECT count(*) FROM imports WHERE state = $1 AND finished_ms IS NULL";
    let open: i64 = db.one(sql, &params![state], |row| row.get(0))?;
    if unsigned(open) >= limit {
        return Ok(Begun::Full);
    }
    let all: i64 = db.one("SELECT count(*) FROM imports", &[], |row| row.get(0))?;
    if unsigned(all) >= IMPORTS_LIMIT {
        return Ok(Begun::TooMany);
    }
    let source: i64 = db.one(
        "INSERT INTO import_sources (source) VALUES ($1) \
         ON CONFLICT (source) DO UPDATE SET source = excluded.source RETURNING number",
        &params![new.source],
        |row| row.get(0),
    )?;
    let number: i64 = db.one(
        "INSERT INTO imports (id, request, kind, source, time_zone, state, begun_ms, \
         touched_ms, next_number, added, already_there, completed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1, 0, 0, 0) RETURNING number",
        &params![
            new.id,
            new.request,
            new.kind,
            source,
            new.time_zone,
            state,
            new.at_ms
        ],
        |row| row.get(0),
    )?;
    if new.live {
        order(db, number)?;
    }
    Ok(Begun::New)
}

/// What the same request has begun.
fn begun(db: &Db, request: &str, new: &NewImport) -> Result<Option<Begun>> {
    let sql = "SELECT i.id, i.kind = $2 AND s.source = $3 \
               AND i.time_zone IS NOT DISTINCT FROM $4 FROM imports i \
               JOIN import_sources s ON s.number = i.source WHERE i.request = $1";
    let values = params![request, new.kind, new.source, new.time_zone];
    db.optional(sql, &values, |row| {
        let id = row.get(0)?;
        Ok(match row.get(1)? {
            true => Begun::Again { id },
            false => Begun::Other,
        })
    })
}

/// An import that is not removed, with what was understood.
pub(super) fn find(db: &Db, id: &str) -> Result<Option<ImportRecord>> {
    let sql = format!(
        "SELECT {COLUMNS}, i.summary FROM imports i JOIN import_sources s ON s.number = i.source \
         WHERE i.id = $1 AND i.state <> $2"
    );
    db.optional(&sql, &params![id, REMOVED], record)
}

/// Imports that are not removed, the newest first, without what was understood.
pub(super) fn list(db: &Db, below: Option<i64>, limit: u32) -> Result<Vec<ImportRecord>> {
    let sql = format!(
        "SELECT {COLUMNS}, NULL::text FROM imports i \
         JOIN import_sources s ON s.number = i.source \
         WHERE i.state <> $1 AND i.number < $2 ORDER BY i.number DESC LIMIT $3"
    );
    let below = below.unwrap_or(i64::MAX);
    db.all(&sql, &params![REMOVED, below, limit], record)
}

/// What the rows of an import say counts from now on.
pub(super) fn finish(db: &Db, end: &ImportEnd) -> Result<Finish> {
    let Some(found) = find(db, &end.id)? else {
        return Ok(Finish::Unknown);
    };
    if end.bodies.saturating_add(1) != found.next_number {
        return Ok(Finish::Missing {
            next_number: found.next_number,
        });
    }
    if found.finished_ms.is_some() {
        return Ok(Finish::Done {
            import: found,
            is_new: false,
        });
    }
    db.run(
        // Of two of which one is NULL, the least and the greatest is the other.
        "UPDATE imports SET state = $2, finished_ms = $3, summary = $4, \
         from_ms = least(from_ms, $5), to_ms = greatest(to_ms, $6) WHERE number = $1",
        &params![
            found.number,
            FINISHED,
            end.at_ms,
            end.summary,
            end.from_ms,
            end.to_ms
        ],
    )?;
    if !found.live {
        order(db, found.number)?;
    }
    Ok(Finish::Done {
        import: ImportRecord {
            finished_ms: Some(end.at_ms),
            live: false,
            summary: Some(end.summary.clone()),
            ..found
        },
        is_new: true,
    })
}

/// The import is the last of its source and kind that counts.
fn order(db: &Db, number: i64) -> Result<()> {
    db.run(
        "UPDATE imports SET finish_order = (SELECT coalesce(max(f.finish_order), 0) + 1 \
         FROM imports f WHERE f.source = imports.source AND f.kind = imports.kind) \
         WHERE number = $1",
        &params![number],
    )?;
    state::forget_old(db, number)
}

/// An import counts no more; as it was, if there was one. Its rows are removed by [`clean()`]. Of what it told
/// nothing is known from now on, also if a later one was of the same time.
pub(super) fn remove(db: &Db, id: &str) -> Result<Option<ImportRecord>> {
    let Some(found) = find(db, id)? else {
        return Ok(None);
    };
    removals::note(db, found.number)?;
    let sql = "UPDATE imports SET state = $2 WHERE number = $1";
    db.run(sql, &params![found.number, REMOVED])?;
    removals::forget(db)?;
    Ok(Some(found))
}

/// Counts what rows came to.
fn count(db: &Db, import: i64, batch: &ImportBatch, counts: &Counts) -> Result<()> {
    let (from_ms, to_ms) = batch.told_ms.unzip();
    db.run(
        "UPDATE imports SET next_number = next_number + 1, touched_ms = greatest(touched_ms, $2), \
         added = added + $3, already_there = already_there + $4, completed = completed + $5, \
         from_ms = least(from_ms, $6), to_ms = greatest(to_ms, $7) WHERE number = $1",
        &params![
            import,
            batch.at_ms,
            signed(counts.added),
            signed(counts.already_there),
            signed(counts.completed),
            from_ms,
            to_ms
        ],
    )
    .map(drop)
}
