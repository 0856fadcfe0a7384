//! How many messages came, and for how long trouble lasted, in the embedded engine.

use rusqlite::Connection;
use usher_core::messages::Severity;

use crate::SPELLS_LIMIT;
use crate::columns::{severity_number, severity_of, unsigned};
use crate::rows::{Spell, Tally};

/// Whether a message is of trouble that lasts or lasted: it was seen at each look, which says
/// nothing of how much of it there was.
const LASTS: &str = "(recovered_ms IS NOT NULL \
    OR record_id IN (SELECT record_id FROM concerns WHERE record_id IS NOT NULL) \
    OR record_id IN (SELECT record_id FROM episodes WHERE record_id IS NOT NULL))";

/// Whether a message came since, or trouble lasted then: one that is open is not written at each look.
const SINCE: &str = "(last_ms >= ?1 OR recovered_ms >= ?1 \
    OR (recovered_ms IS NULL AND (record_id IN (SELECT record_id FROM concerns \
    WHERE record_id IS NOT NULL) OR record_id IN (SELECT record_id FROM episodes \
    WHERE record_id IS NOT NULL))))";

pub(crate) fn tally(connection: &Connection, since_ms: i64) -> rusqlite::Result<Vec<Tally>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT component, severity, sum(CASE WHEN {LASTS} THEN 1 ELSE count END) \
         FROM messages WHERE {SINCE} AND summarised GROUP BY component, severity \
         ORDER BY component, severity"
    ))?;
    let rows = statement.query_map([since_ms], |row| {
        Ok(Tally {
            component: row.get(0)?,
            severity: severity_of(row.get(1)?),
            count: unsigned(row.get(2)?),
        })
    })?;
    rows.collect()
}

pub(crate) fn spells(connection: &Connection, since_ms: i64) -> rusqlite::Result<Vec<Spell>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT component, first_ms, recovered_ms FROM messages \
         WHERE {SINCE} AND summarised AND severity >= ?2 AND {LASTS} \
         ORDER BY first_ms DESC LIMIT {SPELLS_LIMIT}"
    ))?;
    let least = severity_number(Severity::Warning);
    let rows = statement.query_map([since_ms, least], |row| {
        Ok(Spell {
            component: row.get(0)?,
            from_ms: row.get(1)?,
            to_ms: row.get(2)?,
        })
    })?;
    let mut spells = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    spells.reverse();
    Ok(spells)
}
