//! Random lives of a site, with copies that are restored in all places.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use usher_core::ledger::*;
use usher_store::*;

use crate::holds::{allow, asks_for};
use crate::support::*;

/// One step of a site's life.
#[derive(Debug, Clone)]
enum Step {
    Ask {
        ttl_seconds: u32,
    },
    Renew {
        lease: usize,
    },
    GiveBack {
        lease: usize,
    },
    Pass {
        seconds: u64,
    },
    Allow {
        max_ttl_seconds: u32,
    },
    Copy,
    Restart,
    /// A copy in the place of what there is.
    Restore {
        copy: usize,
        place: Place,
    },
}

/// Where a copy is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Over the file that its server has left.
    Left,
    /// Over the file of a killed server.
    Killed,
    /// The same without its log: it does not know what was granted last.
    LogLost,
    /// Where there is nothing.
    Elsewhere,
    /// Copied over the file that its server has left, by hand.
    ByHand,
}

fn step() -> impl Strategy<Value = Step> {
    let ttl = prop_oneof![Just(30_u32), Just(300), Just(3_600)];
    let place = prop_oneof![
        Just(Place::Left),
        Just(Place::Killed),
        Just(Place::LogLost),
        Just(Place::Elsewhere),
        Just(Place::ByHand)
    ];
    prop_oneof![
        8 => ttl.clone().prop_map(|ttl_seconds| Step::Ask { ttl_seconds }),
        3 => any::<usize>().prop_map(|lease| Step::Renew { lease }),
        2 => any::<usize>().prop_map(|lease| Step::GiveBack { lease }),
        4 => (1_u64..400).prop_map(|seconds| Step::Pass { seconds }),
        3 => ttl.prop_map(|max_ttl_seconds| Step::Allow { max_ttl_seconds }),
        2 => Just(Step::Copy),
        1 => Just(Step::Restart),
        5 => (any::<usize>(), place).prop_map(|(copy, place)| Step::Restore { copy, place }),
    ]
}

const SEATS: u32 = 2;

/// A server, its copies, and the leases that their holders have, whatever it knows of them.
struct Site {
    folder: tempfile::TempDir,
    lives: usize,
    clock: Arc<TestClock>,
    engine: Engine,
    /// Copies, with the longest ttl that was allowed then, and whether a longer one was since.
    copies: Vec<(PathBuf, u32, bool)>,
    allowed: u32,
    held: Vec<(LeaseId, u64)>,
}

impl Site {
    fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(&folder.path().join("0"), &clock);
        product(&engine, "cad", SEATS);
        let mut site = Site {
            folder,
            lives: 0,
            clock,
            engine,
            copies: Vec::new(),
            allowed: 86_400,
            held: Vec::new(),
        };
        site.go(&Step::Copy);
        site
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join(self.lives.to_string())
    }

    fn now(&self) -> u64 {
        self.clock.boot_ms.load(Ordering::SeqCst)
    }

    fn holds(&mut self, lease: LeaseId, ttl_seconds: u32) {
        let until = self.now() + u64::from(ttl_seconds) * 1_000;
        self.held.retain(|(held, _)| *held != lease);
        self.held.push((lease, until));
    }

    fn pick(&self, index: usize) -> Option<LeaseId> {
        let index = index.checked_rem(self.held.len())?;
        Some(self.held[index].0)
    }

    fn is_allowed(&mut self, seconds: u32) {
        self.allowed = seconds;
        for (_, allowed, is_longer_since) in &mut self.copies {
            *is_longer_since |= *allowed < seconds;
        }
    }

    fn restore(&mut self, copy: usize, place: Place) {
        let (copy, allowed, is_longer_since) = self.copies[copy % self.copies.len()].clone();
        // Nothing that is left tells of a ttl that was allowed after the copy.
        let is_told = matches!(place, Place::Left | Place::Killed);
        if is_longer_since && !is_told {
            return;
        }
        let before = self.data();
        if !matches!(place, Place::Left | Place::ByHand) {
            self.lives += 1;
            std::fs::create_dir(self.data()).unwrap();
        }
        let left: &[&str] = match place {
            Place::Left | Place::ByHand | Place::Elsewhere => &[],
            Place::Killed => &["cache.db", "cache.db-wal"],
            Place::LogLost => &["cache.db"],
        };
        for name in left {
            std::fs::copy(before.join(name), self.data().join(name)).unwrap();
        }
        self.engine.close();
        match place {
            Place::ByHand => {
                std::fs::copy(&copy, self.data().join("cache.db")).unwrap();
            }
            _ => {
                restore(&self.data(), &copy, RestoreOptions::default()).unwrap();
            }
        }
        self.engine = open(&self.data(), &self.clock);
        self.is_allowed(allowed);
    }

    fn go(&mut self, step: &Step) {
        let access = Access::Anyone;
        match step {
            Step::Ask { ttl_seconds } => {
                let asked = self.engine.execute(asks_for("ada", *ttl_seconds)).unwrap();
                if let Reply::Granted { lease, .. } = asked.reply {
                    self.holds(lease.id, lease.ttl_seconds);
                }
            }
            Step::Renew { lease } => {
                let Some(lease) = self.pick(*lease) else {
                    return;
                };
                let renewed = self
                    .engine
                    .execute(Command::Renew { lease, access })
                    .unwrap();
                match renewed.reply {
                    Reply::Renewed { lease, .. } => self.holds(lease.id, lease.ttl_seconds),
                    // Its holder is told that it has none.
                    _ => self.held.retain(|(held, _)| *held != lease),
                }
            }
            Step::GiveBack { lease } => {
                let Some(lease) = self.pick(*lease) else {
                    return;
                };
                self.engine
                    .execute(Command::Checkin { lease, access })
                    .unwrap();
                self.held.retain(|(held, _)| *held != lease);
            }
            Step::Pass { seconds } => self.clock.pass(*seconds),
            Step::Allow { max_ttl_seconds } => {
                allow(&self.engine, *max_ttl_seconds);
                self.is_allowed(*max_ttl_seconds);
            }
            Step::Copy => {
                let copy = self
                    .folder
                    .path()
                    .join(format!("copy-{}.db", self.copies.len()));
                self.engine.backup(&copy).unwrap();
                self.copies.push((copy, self.allowed, false));
            }
            Step::Restart => {
                self.engine.close();
                self.engine = open(&self.data(), &self.clock);
            }
            Step::Restore { copy, place } => self.restore(*copy, *place),
        }
        let now = self.now();
        self.held.retain(|(_, until)| *until > now);
        assert!(
            self.held.len() <= SEATS as usize,
            "{} of {SEATS} seats are in use: {:?}",
            self.held.len(),
            self.held
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_seat_is_in_use_twice_whichever_copy_is_restored_and_however_the_server_ended(
        steps in proptest::collection::vec(step(), 1..48),
    ) {
        let mut site = Site::new();
        steps.iter().for_each(|step| site.go(step));
        site.engine.close();
    }
}
