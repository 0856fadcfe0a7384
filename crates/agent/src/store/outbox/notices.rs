//! What people were told: so that a restart of the agent forgets none of it.

use rusqlite::params;
use usher_core::sessions::{AccountKey, Who};

use super::{Change, Outbox, Result};

/// A notice as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SavedNotice {
    pub(crate) number: u64,
    /// Its id is made of that and the number.
    pub(crate) run: i64,
    pub(crate) who: Who,
    /// When it was said, in milliseconds since 1970 by the wall clock.
    pub(crate) at_wall_ms: i64,
    /// What was said, as JSON.
    pub(crate) body: String,
}

impl Change<'_> {
    pub(crate) fn save_notice(&self, notice: &SavedNotice) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO notices (number, run, counted, real, at_wall_ms, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                notice.number as i64,
                notice.run,
                notice.who.counted.number(),
                notice.who.real.number(),
                notice.at_wall_ms,
                notice.body
            ])?;
        Ok(())
    }

    pub(crate) fn forget_notice(&self, number: u64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM notices WHERE number = ?1")?
            .execute([number as i64])?;
        Ok(())
    }
}

impl Outbox {
    /// All that were written down, oldest first.
    pub(crate) fn notices(&self) -> Result<Vec<SavedNotice>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, run, counted, real, at_wall_ms, body FROM notices ORDER BY number",
        )?;
        let notices = statement.query_map([], |row| {
            Ok(SavedNotice {
                number: row.get::<_, i64>(0)? as u64,
                run: row.get(1)?,
                who: Who {
                    counted: AccountKey::new(row.get(2)?),
                    real: AccountKey::new(row.get(3)?),
                },
                at_wall_ms: row.get(4)?,
                body: row.get(5)?,
            })
        })?;
        Ok(notices.collect::<rusqlite::Result<_>>()?)
    }
}
