//! Uses that still run, as servers tell them: whose they are here, and which have ended meanwhile.

use std::collections::{BTreeSet, HashSet};

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
    let who: Vec<(u64, u64)> = running
        .iter()
        .map(|it| (names.person(it), names.computer(it)))
        .collect();
    let leases = ended_leases(db, running)?;
    let sessions = ended_sessions(db, product, running, &who)?;
    for (place, (it, who)) in running.iter().zip(who).enumerate() {
        let lease = lease_of(it);
        let mut has_ended = lease.is_some_and(|(server, made_in, made_by)| {
            leases.contains(&(server.to_owned(), made_in, made_by))
        });
        if let Running::Session { .. } = it.what {
            has_ended |= sessions.contains(&(it.from_ms, here(who.1)));
        }
        if !has_ended {
            found.add(place, it, who);
        }
    }
    Ok(found)
}

/// A lease, as its server numbers it.
type LeaseKey<'r> = (&'r str, i64, i64);

fn lease_of(it: &RunningUse) -> Option<LeaseKey<'_>> {
    let (server, key): (&str, Made) = match &it.what {
        Running::Lease { server, key, .. } => (&**server, *key),
        Running::Session { lease } => lease.as_ref().map(|(server, key)| (&**server, *key))?,
    };
    Some((server, key.incarnation.into(), signed(key.event)))
}

/// No computer of the site has a number above those of a bigint.
fn here(computer: u64) -> i64 {
    i64::try_from(computer).unwrap_or(-1)
}

/// Those of the leases that have ended.
fn ended_leases(db: &Db, running: &[RunningUse]) -> Result<HashSet<(String, i64, i64)>> {
    let asked: HashSet<LeaseKey<'_>> = running.iter().filter_map(lease_of).collect();
    let mut ended = HashSet::new();
    if asked.is_empty() {
        return Ok(ended);
    }
    let rows: Vec<Vec<Param>> = asked
        .iter()
        .map(|(server, made_in, made_by)| params![server, made_in, made_by].to_vec())
        .collect();
    let sql = "SELECT k.server, k.made_in, k.made_by \
               FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS k(server, made_in, made_by) \
               JOIN history_sources s ON s.server = k.server \
               JOIN history_leases l ON l.source = s.number AND l.made_in = k.made_in \
               AND l.made_by = k.made_by";
    db.each(sql, Arrays::of(&rows).params(), |row| {
        ended.insert((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(())
    })?;
    Ok(ended)
}

/// Those of the sessions that have ended, by their beginnings and computers.
fn ended_sessions(
    db: &Db,
    product: i64,
    running: &[RunningUse],
    who: &[(u64, u64)],
) -> Result<HashSet<(i64, i64)>> {
    let sessions = running.iter().zip(who);
    let sessions = sessions.filter(|(it, _)| matches!(it.what, Running::Session { .. }));
    let rows: Vec<Vec<Param>> = sessions
        .map(|(it, who)| params![product, it.from_ms, here(who.1)].to_vec())
        .collect();
    let mut ended = HashSet::new();
    if rows.is_empty() {
        return Ok(ended);
    }
    let sql = "SELECT k.started_ms, k.computer FROM unnest($1::bigint[], $2::bigint[], \
               $3::bigint[]) AS k(product, started_ms, computer) WHERE EXISTS (SELECT 1 \
               FROM history_sessions t WHERE t.product = k.product \
               AND t.started_ms = k.started_ms AND t.computer = k.computer)";
    db.each(sql, Arrays::of(&rows).params(), |row| {
        ended.insert((row.get(0)?, row.get(1)?));
        Ok(())
    })?;
    Ok(ended)
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
