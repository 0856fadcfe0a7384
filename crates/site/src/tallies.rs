//! How many messages came, and for how long trouble lasted, in the embedded engine.

use std::collections::BTreeMap;

use rusqlite::Connection;
use usher_core::messages::{Severity, entry};

use crate::columns::{severity_number, severity_of, unsigned};
use crate::open::OPEN;
use crate::rows::{SPELLS_LIMIT, Spell, Tally};

/// Whether a message is of trouble that lasts or lasted: it was seen at each look, which says
/// nothing of how much of it there was.
pub(crate) const LASTS: &str = "(recovered_ms IS NOT NULL \
    OR record_id IN (SELECT record_id FROM concerns WHERE record_id IS NOT NULL) \
    OR record_id IN (SELECT record_id FROM episodes WHERE record_id IS NOT NULL))";

/// Whether a message is of trouble that is over, or says what was done against trouble of a server
/// that has none now: a step of healing (9420 to 9424) is closed with nothing of its own.
pub(crate) const OVER: &str = "(recovered_ms IS NOT NULL \
    OR (id BETWEEN 9420 AND 9424 AND server IS NOT NULL AND NOT EXISTS (SELECT 1 FROM episodes \
    WHERE episodes.server = messages.server AND episodes.ended_ms IS NULL)))";

/// Whether a message came since, or trouble lasted then: one that is open is not written at each look.
fn since() -> String {
    format!("(last_ms >= ?1 OR recovered_ms >= ?1 OR {OPEN})")
}

pub(crate) fn tally(connection: &Connection, since_ms: i64) -> rusqlite::Result<Vec<Tally>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, component, severity, sum(many), sum(CASE WHEN is_over THEN many ELSE 0 END) \
         FROM (SELECT id, component, severity, CASE WHEN {LASTS} THEN 1 ELSE count END AS many, \
         {OVER} AS is_over FROM messages WHERE {} AND summarised) \
         GROUP BY id, component, severity",
        since()
    ))?;
    let rows = statement.query_map([since_ms], |row| {
        let key = (component(row.get(0)?, row.get(1)?), row.get(2)?);
        Ok((key, (unsigned(row.get(3)?), unsigned(row.get(4)?))))
    })?;
    let mut counts: BTreeMap<(String, i64), (u64, u64)> = BTreeMap::new();
    for row in rows {
        let (key, (count, over)) = row?;
        let sum = counts.entry(key).or_default();
        *sum = (sum.0 + count, sum.1 + over);
    }
    let tally = |((component, severity), (count, over))| Tally {
        component,
        severity: severity_of(severity),
        count,
        over,
    };
    Ok(counts.into_iter().map(tally).collect())
}

/// The component of a message: as the catalogue has it, for a message of an earlier version, too;
/// as it was kept if a newer version has raised it.
pub(crate) fn component(id: u16, kept: String) -> String {
    let entry = entry(id);
    match entry.id == id {
        true => entry.component.to_owned(),
        false => kept,
    }
}

pub(crate) fn spells(connection: &Connection, since_ms: i64) -> rusqlite::Result<Vec<Spell>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, component, severity, first_ms, \
         CASE WHEN {OPEN} THEN NULL ELSE coalesce(recovered_ms, last_ms) END FROM messages \
         WHERE {} AND summarised AND ({OPEN} OR (severity >= ?2 AND {LASTS})) \
         ORDER BY {OPEN} DESC, first_ms DESC LIMIT {SPELLS_LIMIT}",
        since()
    ))?;
    let least = severity_number(Severity::Warning);
    let rows = statement.query_map([since_ms, least], |row| {
        Ok(Spell {
            component: component(row.get(0)?, row.get(1)?),
            severity: severity_of(row.get(2)?),
            from_ms: row.get(3)?,
            to_ms: row.get(4)?,
        })
    })?;
    let mut spells = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    spells.sort_by_key(|spell| spell.from_ms);
    Ok(spells)
}
