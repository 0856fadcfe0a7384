//! Another life of data that come from a copy: what was granted after the copy is not in them.
//!
//! It has an incarnation of its own, so that no id is made twice, and grants nothing while leases
//! may be in use that it does not know.

use std::path::Path;

use rusqlite::Connection;
use usher_core::ledger::{Command, Incarnation, Ledger, Now, Steady, Wall};

use crate::base::clock::Clock;
use crate::base::error::StoreError;
use crate::base::meta;
use crate::copies::unknown::{Known, UNKNOWN_UNTIL, Unknown};
use crate::file::open;
use crate::tables::journal;

/// Data that will begin another life.
pub(crate) struct NewLife<'a> {
    connection: &'a Connection,
    path: &'a Path,
    clock: &'a dyn Clock,
    ledger: Ledger,
    unknown_until: Steady,
    now: Now,
    offset_ms: i64,
    rebooted: bool,
}

impl<'a> NewLife<'a> {
    /// The data in the file at `path`, which `connection` has open, and what is known about unknown
    /// leases.
    pub(crate) fn of(
        connection: &'a Connection,
        path: &'a Path,
        known: Known,
        clock: &'a dyn Clock,
    ) -> Result<Self, StoreError> {
        let unknown_until = known.unknown_until();
        let loaded = known.loaded;
        let (offset_ms, rebooted) = open::clock_offset(connection, path, loaded.last, clock)?;
        let steady = clock.boot_ms().cast_signed().saturating_add(offset_ms);
        let now = Now {
            steady: Steady(u64::try_from(steady).unwrap_or(0)).max(loaded.last.steady),
            wall: Wall(clock.wall_ms()),
        };
        Ok(NewLife {
            connection,
            path,
            clock,
            ledger: loaded.ledger,
            unknown_until,
            now,
            offset_ms,
            rebooted,
        })
    }

    /// Whether the former life grants nothing now because of a restore.
    pub(crate) fn waits(&self) -> bool {
        let until = self.ledger.hold_until();
        until.is_some_and(|until| until > self.now.steady)
    }

    /// Begins it: it grants nothing for `hold_seconds`. What it does not know is kept in it, also if
    /// that is not waited for: a later restore must not take this life for all there is.
    pub(crate) fn begin(mut self, hold_seconds: u64, unknown: &Unknown) -> Result<(), StoreError> {
        let (connection, path, now) = (self.connection, self.path, self.now);
        let unknown_until = now.steady.plus_seconds(unknown.seconds);
        let unknown_until = self.unknown_until.max(unknown_until);
        meta::put(connection, UNKNOWN_UNTIL, unknown_until.0)
            .and_then(|()| unknown.ends.keep_in(connection))
            .map_err(|source| StoreError::Database {
                doing: "restore",
                path: path.into(),
                source,
            })?;
        let incarnation = Incarnation(open::new_incarnation(path)?);
        let hold_until = (hold_seconds > 0).then(|| now.steady.plus_seconds(hold_seconds));
        let restored = Command::Reincarnate {
            incarnation,
            hold_until,
        };
        self.ledger.apply(now, restored);
        // After that: what comes free because of it waits for the end of the hold as well.
        if self.rebooted {
            self.ledger.apply(now, Command::Rebooted);
        }
        let ledger = &self.ledger;
        let (first, events) = (ledger.pending_first(), ledger.pending());
        journal::commit(connection, first, now, events, &mut Vec::new()).map_err(|error| {
            StoreError::Damaged {
                path: path.into(),
                why: format!("{error:?}"),
            }
        })?;
        open::keep_clock(connection, path, self.offset_ms, self.clock)
    }
}
