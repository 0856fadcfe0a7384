//! Finished sessions that the server has acknowledged, kept in case the server is restored from a
//! snapshot that was made before that.
//!
//! Their number and age are limited. Counts of programs of no product are not kept: the server adds
//! them up, and could not tell a repeated one from a new one.

use rusqlite::params;

use super::{Change, Outbox, Result};

/// How many sessions are kept; the oldest are deleted first.
pub(crate) const KEPT_LIMIT: u64 = 20_000;
/// How long they are kept after the server acknowledged them.
pub(crate) const KEPT_MS: i64 = 45 * 24 * 3_600 * 1_000;
/// How many sessions that are too old one acknowledgement deletes at most.
const PURGED_AT_ONCE: i64 = 256;

/// Which of this agent's items a restored server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Had {
    /// Those of an incarnation up to a sequence, and perhaps some of other incarnations.
    UpTo {
        /// The incarnation.
        incarnation: u64,
        /// The sequence.
        sequence: u64,
    },
    /// The answer is not known.
    Unknown,
}

impl Change<'_> {
    /// Keeps the finished sessions among the items up to a sequence, which are about to be deleted.
    pub(super) fn keep_finished(&self, up_to: i64, wall_ms: i64) -> Result<()> {
        let incarnation: u64 = super::meta(self.connection, "incarnation")?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let kept = self
            .connection
            .prepare_cached(
                "INSERT OR REPLACE INTO kept
                     (first, session, incarnation, sequence, acknowledged_at, body)
                 SELECT ifnull(json_extract(body, '$.incarnation'), ?2), session, ?2, sequence,
                     ?3, body
                 FROM items WHERE sequence <= ?1 AND kind = 'finished' ORDER BY id",
            )?
            .execute(params![up_to, incarnation as i64, wall_ms])?;
        if kept == 0 {
            return Ok(());
        }
        self.connection
            .prepare_cached("DELETE FROM kept WHERE id <= (SELECT max(id) FROM kept) - ?1")?
            .execute([KEPT_LIMIT as i64])?;
        self.forget_old(wall_ms)
    }

    /// Deletes some of the sessions that are too old: they are stored in the order of their age.
    fn forget_old(&self, wall_ms: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM kept WHERE acknowledged_at < ?1
                 AND id IN (SELECT id FROM kept ORDER BY id LIMIT ?2)",
            )?
            .execute([wall_ms.saturating_sub(KEPT_MS), PURGED_AT_ONCE])?;
        Ok(())
    }

    /// Puts the kept sessions that a restored server may lack behind the other items, and returns
    /// how many. A session that was first reported in an earlier incarnation says so: the server
    /// records each session once for its incarnation and number.
    pub(crate) fn send_again(&self, had: Had) -> Result<u64> {
        let (incarnation, sequence) = match had {
            Had::UpTo {
                incarnation,
                sequence,
            } => (incarnation, sequence),
            // No item has this number.
            Had::Unknown => (0, 0),
        };
        let current: u64 = super::meta(self.connection, "incarnation")?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let sent = self.connection.execute(
            "INSERT INTO items (kind, session, body)
             SELECT 'finished', session,
                 CASE first WHEN ?3 THEN body ELSE json_set(body, '$.incarnation', first) END
             FROM kept WHERE NOT (incarnation = ?1 AND sequence <= ?2) ORDER BY id",
            params![incarnation as i64, sequence as i64, current as i64],
        )?;
        Ok(sent as u64)
    }
}

impl Outbox {
    /// Deletes the sessions that are too old, also if there is no new acknowledgement.
    pub(super) fn forget_old(&mut self, wall_ms: i64) -> Result<()> {
        self.change(|change| change.forget_old(wall_ms))
    }

    /// The highest sequence that was acknowledged: numbers have no gaps, and acknowledged items are
    /// deleted.
    pub(crate) fn acknowledged(&self) -> Result<u64> {
        let lowest: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(sequence) FROM items")?
            .query_row([], |row| row.get(0))?;
        match lowest {
            Some(lowest) => Ok((lowest as u64).saturating_sub(1)),
            None => self.number("last_sequence"),
        }
    }
}
