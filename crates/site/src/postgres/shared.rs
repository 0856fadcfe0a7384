//! What managers on one database share beside the calls of [`crate::Site`]: how the leader sees each
//! server, and the administrator's token.

use super::db::Db;
use super::failure::Result;
use super::values::params;
use super::{servers, settings};
use crate::leader::Shown;
use crate::settings::{ADMIN_TOKEN, RULES, THRESHOLDS, TOKENS};

/// What a manager shows that does not lead.
pub(super) fn shown(db: &Db) -> Result<Shown> {
    let last = "SELECT coalesce(max(record_id), 0) FROM messages";
    Ok(Shown {
        servers: servers::list(db)?,
        views: views(db)?,
        rules: settings::get(db, RULES)?,
        thresholds: settings::get(db, THRESHOLDS)?,
        tokens: settings::get(db, TOKENS)?,
        last_record: db.one(last, &[], |row| row.get(0))?,
    })
}

/// How the leader saw each server when it last wrote that down.
pub(super) fn views(db: &Db) -> Result<Vec<(String, String)>> {
    let sql = "SELECT server, seen FROM site_views ORDER BY server";
    db.all(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Writes down how these servers are seen, and forgets those that are not among `watched`.
pub(super) fn put_views(db: &Db, views: &[(String, String)], watched: &[String]) -> Result<()> {
    let there = db.all("SELECT server FROM site_views", &[], |row| {
        row.get::<String>(0)
    })?;
    for gone in there.iter().filter(|name| !watched.contains(name)) {
        db.run("DELETE FROM site_views WHERE server = $1", &params![gone])?;
    }
    for (server, seen) in views {
        db.run(
            "INSERT INTO site_views (server, seen) VALUES ($1, $2) \
             ON CONFLICT (server) DO UPDATE SET seen = excluded.seen",
            &params![server, seen],
        )?;
    }
    Ok(())
}

/// The administrator's token; `candidate` is kept as it if there is none.
pub(super) fn have_admin_token(db: &Db, candidate: &str) -> Result<String> {
    db.run(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &params![ADMIN_TOKEN, candidate],
    )?;
    let sql = "SELECT value FROM settings WHERE name = $1";
    db.one(sql, &params![ADMIN_TOKEN], |row| row.get(0))
}

/// Replaces the administrator's token if it is `from` still; answers which there is then.
pub(super) fn change_admin_token(db: &Db, from: &str, to: &str) -> Result<String> {
    db.run(
        "UPDATE settings SET value = $3 WHERE name = $1 AND value = $2",
        &params![ADMIN_TOKEN, from, to],
    )?;
    have_admin_token(db, to)
}
