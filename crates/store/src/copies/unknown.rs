//! How long leases that a restored file does not know may still be in use.
//!
//! What was granted after a copy was made is known to the file that the copy takes the place of, if
//! that file is whole: as its server left it, of the same life, and further than the copy. Then its
//! leases say how long, as they would if that file were served again. Of any other file it is known
//! only how long a lease could be at the most.

use std::path::Path;

use rusqlite::Connection;
use usher_core::ledger::Steady;

use crate::base::meta;
use crate::file::closed;
use crate::read::inventory;
use crate::tables::load::{Loaded, load};

/// Under which name a file keeps [`Known::unknown_until`].
pub(crate) const UNKNOWN_UNTIL: &str = "unknown_until";

/// Why a restored server waits as long as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The last lease that the data file of before knew, or what that one waited for itself.
    LastLease,
    /// The longest ttl that a product allows: nobody knows what else was granted.
    LongestTtl,
}

/// How long, in seconds, and by what that is known. `there` is the data file that the restored one
/// takes the place of.
pub(crate) fn seconds(restored: &Known, there: &Path) -> (u64, WaitsFor) {
    let there = There::read(there).filter(|there| there.known.server_id == restored.server_id);
    match there {
        Some(there) if there.is_whole && there.known.is_further_than(restored) => {
            (there.known.seconds_left(), WaitsFor::LastLease)
        }
        // What it tells may not be all, and is no less for that.
        other => {
            let known = [Some(restored), other.as_ref().map(|there| &there.known)];
            let seconds = known.into_iter().flatten().map(Known::longest_seconds);
            (seconds.max().unwrap_or(0), WaitsFor::LongestTtl)
        }
    }
}

/// What a data file knows.
pub(crate) struct Known {
    server_id: Option<String>,
    /// Until when leases of lives before its own may be in use.
    unknown_until: Steady,
    pub(crate) loaded: Loaded,
}

impl Known {
    /// What the file at `path` knows, of which `loaded` was read.
    pub(crate) fn of(connection: &Connection, loaded: Loaded) -> rusqlite::Result<Known> {
        let unknown_until = meta::number(connection, UNKNOWN_UNTIL)?;
        Ok(Known {
            server_id: meta::text(connection, "server_id")?,
            unknown_until: Steady(unknown_until.unwrap_or(0)),
            loaded,
        })
    }

    /// Until when leases of lives before its own may be in use, where that is to be waited for and
    /// where it is not.
    pub(crate) fn unknown_until(&self) -> Steady {
        let waited_for = self.loaded.ledger.hold_until();
        self.unknown_until.max(waited_for.unwrap_or_default())
    }

    /// Whether the copy was made of this very life, at an instant that this one has left behind.
    fn is_further_than(&self, copy: &Known) -> bool {
        let (here, there) = (&self.loaded, &copy.loaded);
        here.ledger.incarnation() == there.ledger.incarnation()
            && here.ledger.next_number() >= there.ledger.next_number()
            && here.last.steady >= there.last.steady
    }

    /// How long after its last commit a lease may be in use that it knows of, or one of a life
    /// before: the time since then is not taken off, for no clock proves it.
    fn seconds_left(&self) -> u64 {
        let leases = self.loaded.ledger.leases().map(|lease| lease.deadline);
        leases
            .chain([self.unknown_until()])
            .map(|until| until.since_ms(self.loaded.last.steady).div_ceil(1_000))
            .max()
            .unwrap_or(0)
    }

    /// How long a lease may be in use that was granted or renewed after what it knows. A lease keeps
    /// the ttl that it was granted with, also where its product allows less since.
    pub(crate) fn longest_seconds(&self) -> u64 {
        let ledger = &self.loaded.ledger;
        let waiting = ledger
            .pools()
            .flat_map(|(product, _)| ledger.waiting(product));
        let asked = waiting.map(|ticket| ticket.ttl_seconds);
        let granted = ledger.leases().map(|lease| lease.ttl_seconds);
        let longest = granted.chain(asked).max().unwrap_or(0);
        let allowed = ledger.longest_ttl_seconds();
        u64::from(longest.max(allowed)).max(self.seconds_left())
    }
}

/// The data file that is there, as far as it can be read.
struct There {
    is_whole: bool,
    known: Known,
}

impl There {
    fn read(path: &Path) -> Option<There> {
        std::fs::metadata(path).ok().filter(|file| file.len() > 0)?;
        let connection = inventory::open(path).ok()?;
        let loaded = load(&connection, path, &|_| {}).ok()?;
        Some(There {
            is_whole: closed::is_as_left(&connection, path),
            known: Known::of(&connection, loaded).ok()?,
        })
    }
}
