//! The embedded engine's settings: what a manager sets and reads back as it is, by name.

use rusqlite::{Connection, OptionalExtension, Result};

/// The message rules.
pub(crate) const RULES: &str = "message_rules";
/// The thresholds.
pub(crate) const THRESHOLDS: &str = "thresholds";
/// The tokens of the manager's own.
pub(crate) const TOKENS: &str = "tokens";
/// What is written to show that something can be.
pub(crate) const ALIVE: &str = "alive_ms";

/// What tells this site from others.
const SITE_ID: &str = "site_id";

/// The site's id, which it gets when it is first asked for.
pub(crate) fn site_id(connection: &Connection) -> Result<String> {
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?1, lower(hex(randomblob(8)))) \
         ON CONFLICT (name) DO NOTHING",
        [SITE_ID],
    )?;
    let sql = "SELECT value FROM settings WHERE name = ?1";
    connection.query_row(sql, [SITE_ID], |row| row.get(0))
}

pub(crate) fn get(connection: &Connection, name: &str) -> Result<Option<String>> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    connection
        .query_row(sql, [name], |row| row.get(0))
        .optional()
}

pub(crate) fn put(connection: &Connection, name: &str, value: &str) -> Result<()> {
    connection
        .execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = ?2",
            [name, value],
        )
        .map(drop)
}
