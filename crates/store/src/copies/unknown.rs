//! How long leases that a restored file does not know may still be in use.
//!
//! The file that the copy replaces knows what was granted after the copy was made, if it is
//! undamaged, is as its server left it, and is further than the copy: of the same life, or of one
//! that followed it and knows how it ended. Then its leases say how long, as they would if that
//! file were served again. Of any other file only the longest possible ttl of a lease is known.

use std::path::Path;

use rusqlite::Connection;
use usher_core::ledger::Steady;

use crate::base::meta;
use crate::copies::ends::Ends;
use crate::file::closed;
use crate::read::inventory;
use crate::tables::load::{Loaded, load};

/// The name in `meta` of [`Known::unknown_until`].
pub(crate) const UNKNOWN_UNTIL: &str = "unknown_until";

/// Why a restored server waits as long as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// The last lease that the former data file knew.
    LastLease,
    /// Leases that the former data file did not know either, because of an earlier restore.
    EarlierRestore,
    /// The longest ttl that a product allows: nobody knows what else was granted.
    LongestTtl,
}

/// Leases that may be in use although a restored file does not know them.
pub(crate) struct Unknown {
    /// For how long the last of them may be in use.
    pub(crate) seconds: u64,
    /// What that follows from.
    pub(crate) waits_for: WaitsFor,
    /// Lives whose leases are among them, or are known to the restored file.
    pub(crate) ends: Ends,
}

impl Unknown {
    /// For the `restored` file, which replaces the one at `there`.
    pub(crate) fn of(restored: &Known, there: &Path) -> Unknown {
        let there = There::read(there).filter(|there| there.known.server_id == restored.server_id);
        let ends = restored.ends.clone();
        match there {
            Some(there) if there.is_whole && there.known.is_further_than(restored) => {
                let (seconds, waits_for) = there.known.left();
                let known = there.known;
                Unknown {
                    seconds,
                    waits_for,
                    ends: ends.joined(&known.ends).and(&known.loaded),
                }
            }
            // What it tells may not be all, and is no less for that.
            other => {
                let known = [Some(restored), other.as_ref().map(|there| &there.known)];
                let longest = known.into_iter().flatten().map(Known::longest);
                let (seconds, waits_for) = longest
                    .max_by_key(|(seconds, _)| *seconds)
                    .unwrap_or((0, WaitsFor::LongestTtl));
                Unknown {
                    seconds,
                    waits_for,
                    ends,
                }
            }
        }
    }

    /// For data at `there` that are used further, of which `known` is a copy: they know all leases.
    pub(crate) fn of_the_same(known: &Known, there: &Path) -> Unknown {
        let is_whole =
            inventory::open(there).is_ok_and(|connection| closed::is_as_left(&connection, there));
        let ends = known.ends.clone();
        Unknown {
            seconds: 0,
            waits_for: WaitsFor::LastLease,
            ends: match is_whole {
                true => ends.and(&known.loaded),
                false => ends,
            },
        }
    }

    /// For a file about whose predecessor nothing is known.
    pub(crate) fn of_copy(known: &Known) -> Unknown {
        let (seconds, waits_for) = known.longest();
        Unknown {
            seconds,
            waits_for,
            ends: known.ends.clone(),
        }
    }
}

/// What a data file knows about leases that may be in use.
pub(crate) struct Known {
    server_id: Option<String>,
    /// Until when leases of lives before its own may be in use.
    unknown_until: Steady,
    /// Lives before its own of which it is known how long their leases may be in use.
    ends: Ends,
    pub(crate) loaded: Loaded,
}

impl Known {
    /// What the file at `path` knows, from which `loaded` was read.
    pub(crate) fn of(connection: &Connection, loaded: Loaded) -> rusqlite::Result<Known> {
        let unknown_until = meta::number(connection, UNKNOWN_UNTIL)?;
        Ok(Known {
            server_id: meta::text(connection, "server_id")?,
            unknown_until: Steady(unknown_until.unwrap_or(0)),
            ends: Ends::kept_in(connection)?,
            loaded,
        })
    }

    /// Until when leases of lives before its own may be in use, if that is to be waited for and
    /// if it is not.
    pub(crate) fn unknown_until(&self) -> Steady {
        let waited_for = self.loaded.ledger.hold_until();
        self.unknown_until.max(waited_for.unwrap_or_default())
    }

    /// Whether the copy was made of this very life, at an instant that this one has left behind, or
    /// of one before it of which everything is known.
    fn is_further_than(&self, copy: &Known) -> bool {
        let (here, there) = (&self.loaded, &copy.loaded);
        let is_later = here.ledger.incarnation() == there.ledger.incarnation()
            && here.ledger.next_number() >= there.ledger.next_number()
            && here.last.steady >= there.last.steady;
        is_later || self.ends.cover(there)
    }

    /// How many seconds after its last commit a lease may be in use that it knows of, or one of a
    /// life before, and which of both: the time since then is not taken off, for no clock proves it.
    fn left(&self) -> (u64, WaitsFor) {
        let left = |until: Steady| until.since_ms(self.loaded.last.steady).div_ceil(1_000);
        let leases = self.loaded.ledger.leases();
        let leases = leases.map(|lease| left(lease.deadline)).max().unwrap_or(0);
        let before = left(self.unknown_until());
        match before > leases {
            true => (before, WaitsFor::EarlierRestore),
            false => (leases, WaitsFor::LastLease),
        }
    }

    /// How many seconds a lease may be in use that was granted or renewed after what it knows, and
    /// why. A lease keeps the ttl that it was granted with, also if its product allows less since.
    fn longest(&self) -> (u64, WaitsFor) {
        let ledger = &self.loaded.ledger;
        let waiting = ledger
            .pools()
            .flat_map(|(product, _)| ledger.waiting(product));
        let asked = waiting.map(|ticket| ticket.ttl_seconds);
        let granted = ledger.leases().map(|lease| lease.ttl_seconds);
        let longest = granted.chain(asked).max().unwrap_or(0);
        let longest = u64::from(longest.max(ledger.longest_ttl_seconds()));
        let left = self.left();
        match left.0 > longest {
            true => left,
            false => (longest, WaitsFor::LongestTtl),
        }
    }
}

/// The present data file, as far as it can be read.
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
