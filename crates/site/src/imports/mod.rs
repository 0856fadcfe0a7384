//! The embedded engine's imports: their rows come in numbered bodies, count for nothing before the
//! import is finished unless it is live, and can be taken out again.

mod clean;
mod keyed;
mod kinds;
mod known;
mod owned;
mod rank;
mod removals;
mod rows;
mod state;
mod uses;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::columns::{signed, unsigned};
use crate::imported::{
    Begun, Finish, IMPORTS_LIMIT, ImportBatch, ImportEnd, ImportRecord, LIVE_IMPORTS_LIMIT,
    NewImport, OPEN_IMPORTS_LIMIT,
};

pub(crate) use clean::clean;
pub(crate) use keyed::TABLES as KEYED;
pub(crate) use known::{Kept, Known};
pub(crate) use owned::owned;
pub(crate) use rank::{Figures, WHOLE, of_end};
pub(crate) use rows::take;
pub(crate) use state::{STATES_KEPT, TABLES as STATES};
pub(crate) use uses::list as uses;

/// Rows may follow.
pub(crate) const OPEN: i64 = 0;
/// It counts. Rows may follow if it has no time at which it was finished.
pub(crate) const FINISHED: i64 = 1;
/// It counts no more, and its rows are being removed.
pub(crate) const REMOVED: i64 = 2;

const COLUMNS: &str = "i.number, i.id, i.kind, s.source, i.time_zone, i.begun_ms, i.finished_ms, \
     i.next_number, i.added, i.already_there, i.completed, i.state = 1 AND i.finished_ms IS NULL";

fn record(row: &Row<'_>) -> Result<ImportRecord> {
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
pub(crate) fn begin(connection: &Connection, new: &NewImport) -> Result<Begun> {
    if let Some(request) = &new.request
        && let Some(begun) = begun(connection, request, new)?
    {
        return Ok(begun);
    }
    let (state, limit) = match new.live {
        true => (FINISHED, LIVE_IMPORTS_LIMIT),
        false => (OPEN, OPEN_IMPORTS_LIMIT),
    };
    let open: i64 = connection
        .prepare_cached("SELECT count(*) FROM imports WHERE state = ?1 AND finished_ms IS NULL")?
        .query_row([state], |row| row.get(0))?;
    if unsigned(open) >= limit {
        return Ok(Begun::Full);
    }
    let all: i64 = connection
        .prepare_cached("SELECT count(*) FROM imports")?
        .query_row([], |row| row.get(0))?;
    if unsigned(all) >= IMPORTS_LIMIT {
        return Ok(Begun::TooMany);
    }
    let source: i64 = connection
        .prepare_cached(
            "INSERT INTO import_sources (source) VALUES (?1) \
             ON CONFLICT (source) DO UPDATE SET source = ?1 RETURNING number",
        )?
        .query_row([&new.source], |row| row.get(0))?;
    connection
        .prepare_cached(
            "INSERT INTO imports (id, request, kind, source, time_zone, state, begun_ms, \
             touched_ms, next_number, added, already_there, completed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 1, 0, 0, 0)",
        )?
        .execute(params![
            new.id,
            new.request,
            new.kind,
            source,
            new.time_zone,
            state,
            new.at_ms
        ])?;
    if new.live {
        order(connection, connection.last_insert_rowid())?;
    }
    Ok(Begun::New)
}

/// What the same request has begun.
fn begun(connection: &Connection, request: &str, new: &NewImport) -> Result<Option<Begun>> {
    connection
        .prepare_cached(
            "SELECT i.id, i.kind = ?2 AND s.source = ?3 AND i.time_zone IS ?4 FROM imports i \
             JOIN import_sources s ON s.number = i.source WHERE i.request = ?1",
        )?
        .query_row(
            params![request, new.kind, new.source, new.time_zone],
            |row| {
                let id = row.get(0)?;
                Ok(match row.get(1)? {
                    true => Begun::Again { id },
                    false => Begun::Other,
                })
            },
        )
        .optional()
}

/// An import that is not removed, with what was understood.
pub(crate) fn find(connection: &Connection, id: &str) -> Result<Option<ImportRecord>> {
    let sql = format!(
        "SELECT {COLUMNS}, i.summary FROM imports i JOIN import_sources s ON s.number = i.source \
         WHERE i.id = ?1 AND i.state <> ?2"
    );
    connection
        .prepare_cached(&sql)?
        .query_row(params![id, REMOVED], record)
        .optional()
}

/// Imports that are not removed, the newest first, without what was understood.
pub(crate) fn list(
    connection: &Connection,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<ImportRecord>> {
    let sql = format!(
        "SELECT {COLUMNS}, NULL FROM imports i JOIN import_sources s ON s.number = i.source \
         WHERE i.state <> ?1 AND i.number < ?2 ORDER BY i.number DESC LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let below = below.unwrap_or(i64::MAX);
    let rows = statement.query_map(params![REMOVED, below, limit], record)?;
    rows.collect()
}

/// What the rows of an import say counts from now on.
pub(crate) fn finish(connection: &Connection, end: &ImportEnd) -> Result<Finish> {
    let Some(found) = find(connection, &end.id)? else {
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
    connection
        .prepare_cached(
            "UPDATE imports SET state = ?2, finished_ms = ?3, summary = ?4, \
             from_ms = min(coalesce(from_ms, ?5), coalesce(?5, from_ms)), \
             to_ms = max(coalesce(to_ms, ?6), coalesce(?6, to_ms)) WHERE number = ?1",
        )?
        .execute(params![
            found.number,
            FINISHED,
            end.at_ms,
            end.summary,
            end.from_ms,
            end.to_ms
        ])?;
    if !found.live {
        order(connection, found.number)?;
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
fn order(connection: &Connection, number: i64) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE imports SET finish_order = (SELECT coalesce(max(f.finish_order), 0) + 1 \
             FROM imports f WHERE f.source = imports.source AND f.kind = imports.kind) \
             WHERE number = ?1",
        )?
        .execute([number])?;
    state::forget_old(connection, number)
}

/// An import counts no more; as it was, if there was one. Its rows are removed by [`clean()`]. Of what it told
/// nothing is known from now on, also if a later one was of the same time.
pub(crate) fn remove(connection: &Connection, id: &str) -> Result<Option<ImportRecord>> {
    let Some(found) = find(connection, id)? else {
        return Ok(None);
    };
    removals::note(connection, found.number)?;
    connection
        .prepare_cached("UPDATE imports SET state = ?2 WHERE number = ?1")?
        .execute(params![found.number, REMOVED])?;
    removals::forget(connection)?;
    Ok(Some(found))
}

/// Counts what rows came to.
fn count(connection: &Connection, import: i64, batch: &ImportBatch, counts: &Counts) -> Result<()> {
    let (from_ms, to_ms) = batch.told_ms.unzip();
    connection
        .prepare_cached(
            "UPDATE imports SET next_number = next_number + 1, touched_ms = max(touched_ms, ?2), \
             added = added + ?3, already_there = already_there + ?4, completed = completed + ?5, \
             from_ms = min(coalesce(from_ms, ?6), coalesce(?6, from_ms)), \
             to_ms = max(coalesce(to_ms, ?7), coalesce(?7, to_ms)) WHERE number = ?1",
        )?
        .execute(params![
            import,
            batch.at_ms,
            signed(counts.added),
            signed(counts.already_there),
            signed(counts.completed),
            from_ms,
            to_ms
        ])
        .map(drop)
}

/// What rows came to.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) added: u64,
    pub(crate) already_there: u64,
    pub(crate) completed: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, became: Became) {
        let which = match became {
            Became::Added => &mut self.added,
            Became::AlreadyThere => &mut self.already_there,
            Became::Completed => &mut self.completed,
        };
        *which = which.saturating_add(1);
    }
}

/// What a row came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// It is new.
    Added,
    /// It was there and says nothing new.
    AlreadyThere,
    /// It was there and says more.
    Completed,
}

/// The import that rows are taken into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Its number.
    pub(crate) import: i64,
    /// The import whose keys its rows share.
    pub(crate) source: i64,
    /// The import whose entitlements and limits are valid now.
    pub(crate) valid: Option<i64>,
}
