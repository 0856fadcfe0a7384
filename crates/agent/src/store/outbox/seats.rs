//! Seats of sessions as the server last confirmed them, so that the agent still knows its leases
//! after a restart.

use rusqlite::params;
use usher_core::sessions::{SessionId, Stamp};

use super::{Change, Outbox, Result};

/// A seat that was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SavedSeat {
    /// The session that holds the seat.
    pub(crate) session: SessionId,
    /// Since when the session has held the seat.
    pub(crate) granted: Stamp,
    /// How long its lease lives without renewal, in milliseconds since boot.
    pub(crate) until_boot_ms: u64,
    /// The lease's ttl in seconds, which each renewal gives it.
    pub(crate) ttl_seconds: u32,
}

impl Change<'_> {
    pub(crate) fn save_seat(&self, seat: &SavedSeat) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO seats
                     (session, granted_boot_ms, granted_wall_ms, until_boot_ms, ttl_seconds)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                seat.session.0 as i64,
                seat.granted.boot_ms as i64,
                seat.granted.wall_ms,
                seat.until_boot_ms as i64,
                seat.ttl_seconds
            ])?;
        Ok(())
    }

    pub(crate) fn forget_seat(&self, session: u64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM seats WHERE session = ?1")?
            .execute([session as i64])?;
        Ok(())
    }
}

impl Outbox {
    /// All seats that were confirmed and not deleted since.
    pub(crate) fn seats(&self) -> Result<Vec<SavedSeat>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT session, granted_boot_ms, granted_wall_ms, until_boot_ms, ttl_seconds
             FROM seats",
        )?;
        let seats = statement.query_map([], |row| {
            Ok(SavedSeat {
                session: SessionId(row.get::<_, i64>(0)? as u64),
                granted: Stamp {
                    boot_ms: row.get::<_, i64>(1)? as u64,
                    wall_ms: row.get(2)?,
                },
                until_boot_ms: row.get::<_, i64>(3)? as u64,
                ttl_seconds: row.get(4)?,
            })
        })?;
        Ok(seats.collect::<rusqlite::Result<_>>()?)
    }
}
