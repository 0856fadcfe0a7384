//! Settings on PostgreSQL: texts by name, which a manager writes and reads back unchanged.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::settings::SITE_ID;

/// The site's id; it is made when it is first asked for.
pub(super) fn site_id(db: &Db) -> Result<String> {
    // Ids of version 4 are random but for six bits, none of which is among these.
    db.run(
        "INSERT INTO settings (name, value) \
         VALUES ($1, right(replace(gen_random_uuid()::text, '-', ''), 15) || \
         left(gen_random_uuid()::text, 1)) ON CONFLICT (name) DO NOTHING",
        &params![SITE_ID],
    )?;
    let sql = "SELECT value FROM settings WHERE name = $1";
    db.one(sql, &params![SITE_ID], |row| row.get(0))
}

pub(super) fn get(db: &Db, name: &str) -> Result<Option<String>> {
    let sql = "SELECT value FROM settings WHERE name = $1";
    db.optional(sql, &params![name], |row| row.get(0))
}

pub(super) fn put(db: &Db, name: &str, value: &str) -> Result<()> {
    db.run(
        "INSERT INTO settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &params![name, value],
    )
    .map(drop)
}
