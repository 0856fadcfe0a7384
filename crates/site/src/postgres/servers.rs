//! Watched servers on PostgreSQL.

use super::db::Db;
use super::failure::Result;
use super::open;
use super::values::{Row, params};
use crate::rows::{ServerRow, Unwatched};

const COLUMNS: &str = "name, url, token, unit, data, added_ms";

fn server(row: &Row) -> Result<ServerRow> {
    Ok(ServerRow {
        name: row.get(0)?,
        url: row.get(1)?,
        token: row.get(2)?,
        unit: row.get(3)?,
        data: row.get(4)?,
        added_ms: row.get(5)?,
    })
}

pub(super) fn list(db: &Db) -> Result<Vec<ServerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM servers ORDER BY name");
    db.all(&sql, &[], server)
}

pub(super) fn find(db: &Db, name: &str) -> Result<Option<ServerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM servers WHERE name = $1");
    db.optional(&sql, &params![name], server)
}

/// Adds a server; answers whether its name was free.
pub(super) fn add(db: &Db, it: &ServerRow) -> Result<bool> {
    let added = db.run(
        "INSERT INTO servers (name, url, token, unit, data, added_ms) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
        &params![it.name, it.url, it.token, it.unit, it.data, it.added_ms],
    )?;
    Ok(added > 0)
}

/// Changes a server; answers whether there is one of that name.
pub(super) fn change(db: &Db, it: &ServerRow) -> Result<bool> {
    let changed = db.run(
        "UPDATE servers SET url = $2, token = $3, unit = $4, data = $5 WHERE name = $1",
        &params![it.name, it.url, it.token, it.unit, it.data],
    )?;
    Ok(changed > 0)
}

/// Closes everything that is open about a server.
pub(super) fn remove(db: &Db, name: &str, at_ms: i64) -> Result<Unwatched> {
    let removed = db.run("DELETE FROM servers WHERE name = $1", &params![name])?;
    Ok(Unwatched {
        was_watched: removed > 0,
        closed: open::close_all_of(db, name, at_ms)?,
    })
}
