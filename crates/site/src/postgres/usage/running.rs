//! Uses that still run, as servers tell them: whose they are here, and which have ended meanwhile.

use std::collections::BTreeSet;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use crate::collected::Made;
use crate::columns::signed;
use crate::usage::{Names, Runs, surrogate};
use crate::used::{Running, RunningUse};

/// Those that the history does not have yet: what ended after the server told it is in both.
pub(super) fn runs(db: &Db, product: i64, running: &[RunningUse]) -> Result<Runs> {
    let mut found = Runs::default();
    if running.is_empty() {
        return Ok(found);
    }
    let mut names = known_names(db, running)?;
    for (place, it) in running.iter().enumerate() {
        let who = (names.person(it), names.computer(it));
        let has_ended = match &it.what {
            Running::Lease { server, key, .. } => lease_ended(db, server, *key)?,
            Running::Session { lease } => {
                let has_ended = match lease {
                    Some((server, key)) => lease_ended(db, server, *key)?,
                    None => false,
                };
                // No computer of the site has a number above those of a bigint.
                let here = i64::try_from(who.1).unwrap_or(-1);
                has_ended || session_ended(db, product, it.from_ms, here)?
            }
        };
        if !has_ended {
            found.add(place, it, who);
        }
    }
    Ok(found)
}

fn session_ended(db: &Db, product: i64, started_ms: i64, computer: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM history_sessions \
               WHERE product = $1 AND started_ms = $2 AND computer = $3 LIMIT 1";
    db.exists(sql, &params![product, started_ms, computer])
}

fn lease_ended(db: &Db, server: &str, key: Made) -> Result<bool> {
    let sql = "SELECT 1 FROM history_leases WHERE made_in = $2 AND made_by = $3 \
               AND source = (SELECT number FROM history_sources WHERE server = $1)";
    db.exists(sql, &params![server, key.incarnation, signed(key.event)])
}

/// Looks once through the names.
fn known_names(db: &Db, running: &[RunningUse]) -> Result<Names> {
    let mut names = Names::new();
    let users: BTreeSet<&str> = running.iter().map(|it| &*it.user).collect();
    let computers: BTreeSet<&str> = running.iter().map(|it| &*it.computer).collect();
    let rows = |all: BTreeSet<&str>| -> Vec<Vec<Param>> {
        all.into_iter().map(|it| params![it].to_vec()).collect()
    };
    let sql = "SELECT name, realm, id FROM history_people WHERE name = ANY($1::text[])";
    db.each(sql, Arrays::of(&rows(users)).params(), |row| {
        if let Some(id) = surrogate(row.get(2)?) {
            names.know_person(row.get(0)?, row.get(1)?, id);
        }
        Ok(())
    })?;
    let sql = "SELECT name, id FROM history_computers WHERE name = ANY($1::text[])";
    db.each(sql, Arrays::of(&rows(computers)).params(), |row| {
        if let Some(id) = surrogate(row.get(1)?) {
            names.know_computer(row.get(0)?, id);
        }
        Ok(())
    })?;
    Ok(names)
}
