//! Watched servers in the embedded engine.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::open;
use crate::rows::{ServerRow, Unwatched};

const COLUMNS: &str = "name, url, token, unit, data, added_ms";

fn server(row: &Row<'_>) -> Result<ServerRow> {
    Ok(ServerRow {
        name: row.get(0)?,
        url: row.get(1)?,
        token: row.get(2)?,
        unit: row.get(3)?,
        data: row.get(4)?,
        added_ms: row.get(5)?,
    })
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<ServerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM servers ORDER BY name");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([], server)?;
    rows.collect()
}

pub(crate) fn find(connection: &Connection, name: &str) -> Result<Option<ServerRow>> {
    let sql = format!("SELECT {COLUMNS} FROM servers WHERE name = ?1");
    connection.query_row(&sql, [name], server).optional()
}

/// Adds a server; answers whether its name was free.
pub(crate) fn add(connection: &Connection, it: &ServerRow) -> Result<bool> {
    let added = connection.execute(
        "INSERT INTO servers (name, url, token, unit, data, added_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING",
        params![it.name, it.url, it.token, it.unit, it.data, it.added_ms],
    )?;
    Ok(added > 0)
}

/// Changes a server; answers whether there is one of that name.
pub(crate) fn change(connection: &Connection, it: &ServerRow) -> Result<bool> {
    let changed = connection.execute(
        "UPDATE servers SET url = ?2, token = ?3, unit = ?4, data = ?5 WHERE name = ?1",
        params![it.name, it.url, it.token, it.unit, it.data],
    )?;
    Ok(changed > 0)
}

/// Closes everything that is open about a server.
pub(crate) fn remove(connection: &Connection, name: &str, at_ms: i64) -> Result<Unwatched> {
    let removed = connection.execute("DELETE FROM servers WHERE name = ?1", [name])?;
    Ok(Unwatched {
        was_watched: removed > 0,
        closed: open::close_all_of(connection, name, at_ms)?,
    })
}
