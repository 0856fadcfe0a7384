//! How many messages came, and for how long trouble lasted, on PostgreSQL.

use std::collections::BTreeMap;

use usher_core::messages::Severity;

use super::db::Db;
use super::failure::Result;
use super::values::params;
use crate::columns::{severity_number, severity_of, unsigned};
use crate::open::OPEN;
use crate::rows::{SPELLS_LIMIT, Spell, Tally};
use crate::tallies::{LASTS, OVER, component};

/// Whether a message came since, or trouble lasted then: one that is open is not written at each look.
fn since() -> String {
    format!("(last_ms >= $1 OR recovered_ms >= $1 OR {OPEN})")
}

pub(super) fn tally(db: &Db, since_ms: i64) -> Result<Vec<Tally>> {
    let sql = format!(
        "SELECT id, component, severity, sum(many)::bigint, \
         sum(CASE WHEN is_over THEN many ELSE 0 END)::bigint \
         FROM (SELECT id, component, severity, CASE WHEN {LASTS} THEN 1 ELSE count END AS many, \
         {OVER} AS is_over FROM messages WHERE {} AND summarised) AS told \
         GROUP BY id, component, severity",
        since()
    );
    let mut counts: BTreeMap<(String, i64), (u64, u64)> = BTreeMap::new();
    db.each(&sql, &params![since_ms], |row| {
        let key = (component(row.get(0)?, row.get(1)?), row.get(2)?);
        let sum = counts.entry(key).or_default();
        sum.0 += unsigned(row.get(3)?);
        sum.1 += unsigned(row.get(4)?);
        Ok(())
    })?;
    let tally = |((component, severity), (count, over))| Tally {
        component,
        severity: severity_of(severity),
        count,
        over,
    };
    Ok(counts.into_iter().map(tally).collect())
}

pub(super) fn spells(db: &Db, since_ms: i64) -> Result<Vec<Spell>> {
    let sql = format!(
        "SELECT id, component, severity, first_ms, \
         CASE WHEN {OPEN} THEN NULL ELSE coalesce(recovered_ms, last_ms) END FROM messages \
         WHERE {} AND summarised AND ({OPEN} OR (severity >= $2 AND {LASTS})) \
         ORDER BY {OPEN} DESC, first_ms DESC LIMIT {SPELLS_LIMIT}",
        since()
    );
    let least = severity_number(Severity::Warning);
    let mut spells = db.all(&sql, &params![since_ms, least], |row| {
        Ok(Spell {
            component: component(row.get(0)?, row.get(1)?),
            severity: severity_of(row.get(2)?),
            from_ms: row.get(3)?,
            to_ms: row.get(4)?,
        })
    })?;
    spells.sort_by_key(|spell| spell.from_ms);
    Ok(spells)
}
