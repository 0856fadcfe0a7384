//! Settings in the embedded engine: texts by name, which a manager writes and reads back unchanged.

use rusqlite::{Connection, OptionalExtension, Result};

/// The name of the message rules.
pub(crate) const RULES: &str = "message_rules";
/// The name of the thresholds.
pub(crate) const THRESHOLDS: &str = "thresholds";
/// The name of the manager's own tokens.
pub(crate) const TOKENS: &str = "tokens";
/// The name of the value that is written to prove that the database accepts writes.
pub(crate) const ALIVE: &str = "alive_ms";

/// The name of the administrator's token, if managers share it.
pub(crate) const ADMIN_TOKEN: &str = "admin_token";

/// The name of the site's id.
pub(crate) const SITE_ID: &str = "site_id";

/// The site's id; it is made when it is first asked for.
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
