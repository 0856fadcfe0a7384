//! How long a restored server grants nothing: as long as a lease that it does not know may be in use.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

/// The longest ttl that the product allows, unless it is changed.
const LONGEST: u64 = 86_400;

/// Asks for one seat of `cad`, for so long.
fn asks_for(user: &str, ttl_seconds: u32) -> Command {
    match asks("cad", user, false) {
        Command::Checkout(asked) => Command::Checkout(Checkout {
            ttl_seconds: Some(ttl_seconds),
            ..asked
        }),
        other => other,
    }
}

fn lease(engine: &Engine, user: &str, ttl_seconds: u32) -> Lease {
    match engine.execute(asks_for(user, ttl_seconds)).unwrap().reply {
        Reply::Granted { lease, .. } => lease,
        other => panic!("{other:?}"),
    }
}

fn allow(engine: &Engine, max_ttl_seconds: u32) {
    let put = move |spec: ProductSpec| Command::PutProduct {
        spec: ProductSpec {
            max_ttl_seconds,
            ..spec
        },
        new: false,
    };
    let spec = ledger(engine)
        .product("cad")
        .unwrap()
        .1
        .listing
        .spec
        .clone();
    engine.execute(put(spec)).unwrap();
}

/// A closed data file with a copy of when nobody held a seat, and leases since.
fn closed(clock: &Arc<TestClock>, since: &[u32]) -> (tempfile::TempDir, PathBuf) {
    let data = tempfile::tempdir().unwrap();
    let engine = open(data.path(), clock);
    product(&engine, "cad", 9);
    let copy = data.path().join("copy.db");
    engine.backup(&copy).unwrap();
    for ttl_seconds in since {
        lease(&engine, "ada", *ttl_seconds);
    }
    engine.close();
    (data, copy)
}

fn restored(data: &Path, copy: &Path) -> (u64, WaitsFor) {
    let done = restore(data, copy, RestoreOptions::default()).unwrap();
    (done.hold_seconds, done.waits_for)
}

#[test]
fn in_the_place_of_a_file_that_its_server_left_whole_a_restore_waits_for_the_leases_that_it_knows()
{
    let clock = TestClock::new();
    let (data, copy) = closed(&clock, &[60, 900, 300]);
    assert_eq!(restored(data.path(), &copy), (900, WaitsFor::LastLease));
    let (data, copy) = closed(&clock, &[]);
    assert_eq!(restored(data.path(), &copy), (0, WaitsFor::LastLease));
    // A renewal, a lease that was given back, and one whose time is over by now.
    let (data, copy) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    let long = lease(&engine, "ada", 3_600);
    let renewed = lease(&engine, "bob", 600);
    lease(&engine, "cyd", 60);
    clock.pass(100);
    let access = Access::Anyone;
    let renew = Command::Renew {
        lease: renewed.id,
        access: access.clone(),
    };
    engine.execute(renew).unwrap();
    engine
        .execute(Command::Checkin {
            lease: long.id,
            access,
        })
        .unwrap();
    engine.close();
    assert_eq!(restored(data.path(), &copy), (600, WaitsFor::LastLease));
}

#[test]
fn a_file_that_may_not_know_all_that_was_granted_is_not_gone_by() {
    let waits = (LONGEST, WaitsFor::LongestTtl);
    let clock = TestClock::new();
    // There is none, or an empty one, or one that cannot be read.
    let (_data, copy) = closed(&clock, &[60]);
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(restored(nothing.path(), &copy), waits);
    for bytes in [
        &b""[..],
        b"no database, but long enough to be looked at as one",
    ] {
        let (data, copy) = closed(&clock, &[60]);
        std::fs::write(data.path().join("cache.db"), bytes).unwrap();
        assert_eq!(restored(data.path(), &copy), waits, "{} bytes", bytes.len());
    }
    // Its server was killed.
    let (data, copy) = closed(&clock, &[60]);
    let engine = open(data.path(), &clock);
    let killed = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    assert_eq!(restored(killed.path(), &copy), waits);
    // The same where its log was removed, too.
    let (data, copy) = closed(&clock, &[60]);
    let engine = open(data.path(), &clock);
    assert!(
        !data.path().join("cache.db.closed").exists(),
        "it is taken away before anything is granted"
    );
    lease(&engine, "bob", 3_600);
    let killed = tempfile::tempdir().unwrap();
    std::fs::copy(data.path().join("cache.db"), killed.path().join("cache.db")).unwrap();
    engine.close();
    assert_eq!(restored(killed.path(), &copy).1, WaitsFor::LongestTtl);
    // All of the directory is a copy, of when its server had left it.
    let (data, copy) = closed(&clock, &[60]);
    let copied = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db.closed"] {
        std::fs::copy(data.path().join(name), copied.path().join(name)).unwrap();
    }
    assert_eq!(restored(copied.path(), &copy), waits);
    // An earlier state of it was put in its place.
    let (data, copy) = closed(&clock, &[60]);
    let file = data.path().join("cache.db");
    let earlier = std::fs::read(&file).unwrap();
    let engine = open(data.path(), &clock);
    lease(&engine, "bob", 3_600);
    engine.close();
    std::fs::write(&file, earlier).unwrap();
    assert_eq!(restored(data.path(), &copy), waits);
    // It is another server's.
    let (_data, copy) = closed(&clock, &[60]);
    let (others, _) = closed(&clock, &[60]);
    assert_eq!(restored(others.path(), &copy), waits);
    // The copy is of a later time than the file: they went on somewhere else.
    let (data, _) = closed(&clock, &[60]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::copy(
        data.path().join("cache.db"),
        elsewhere.path().join("cache.db"),
    )
    .unwrap();
    let engine = open(elsewhere.path(), &clock);
    lease(&engine, "bob", 60);
    let later = elsewhere.path().join("copy.db");
    engine.backup(&later).unwrap();
    lease(&engine, "bob", 3_600);
    engine.close();
    assert_eq!(restored(data.path(), &later), waits);
    // It is of another life than the copy: that one may have granted what neither knows.
    let (data, copy) = closed(&clock, &[600]);
    restore(data.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();
    open(data.path(), &clock).close();
    assert_eq!(restored(data.path(), &copy), waits);
}

#[test]
fn what_a_life_does_not_know_is_waited_for_also_in_the_copies_that_are_made_of_it() {
    for accept_risk in [false, true] {
        let clock = TestClock::new();
        let (data, copy) = closed(&clock, &[600]);
        let options = RestoreOptions { accept_risk };
        restore(data.path(), &copy, options).unwrap();
        if !accept_risk {
            end_hold(data.path()).unwrap();
        }
        let engine = open(data.path(), &clock);
        let copy = data.path().join("second.db");
        engine.backup(&copy).unwrap();
        engine.close();
        let (seconds, waits_for) = restored(data.path(), &copy);
        assert_eq!(waits_for, WaitsFor::LastLease);
        assert!(
            (590..=600).contains(&seconds),
            "{seconds} s of 600 are left"
        );
    }
}

#[test]
fn a_ttl_that_was_allowed_since_the_copy_is_waited_for_where_the_file_tells_of_it() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[]);
    let engine = open(data.path(), &clock);
    allow(&engine, 600);
    let copy = data.path().join("short.db");
    engine.backup(&copy).unwrap();
    allow(&engine, 7_200);
    lease(&engine, "ada", 7_200);
    let killed = tempfile::tempdir().unwrap();
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(data.path().join(name), killed.path().join(name)).unwrap();
    }
    engine.close();
    assert_eq!(
        restored(killed.path(), &copy),
        (7_200, WaitsFor::LongestTtl)
    );
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(restored(nothing.path(), &copy), (600, WaitsFor::LongestTtl));
}

#[test]
fn a_lease_that_keeps_a_longer_ttl_than_its_product_allows_is_waited_for() {
    let clock = TestClock::new();
    let (data, _) = closed(&clock, &[3_600]);
    let engine = open(data.path(), &clock);
    allow(&engine, 60);
    let copy = data.path().join("short.db");
    engine.backup(&copy).unwrap();
    engine.close();
    let nothing = tempfile::tempdir().unwrap();
    let waits = restored(nothing.path(), &copy);
    assert_eq!(waits, (3_600, WaitsFor::LongestTtl));
}

#[test]
fn a_copy_of_a_server_that_waits_itself_waits_as_long() {
    let clock = TestClock::new();
    let (_data, copy) = closed(&clock, &[]);
    let data = tempfile::tempdir().unwrap();
    let waits = restored(data.path(), &copy);
    assert_eq!(waits, (LONGEST, WaitsFor::LongestTtl));
    let engine = open(data.path(), &clock);
    allow(&engine, 60);
    let copy = data.path().join("second.db");
    engine.backup(&copy).unwrap();
    engine.close();
    let nothing = tempfile::tempdir().unwrap();
    let (seconds, _) = restored(nothing.path(), &copy);
    assert!((LONGEST - 10..=LONGEST).contains(&seconds), "{seconds}");
}

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
}

fn step() -> impl Strategy<Value = Step> {
    let ttl = prop_oneof![Just(30_u32), Just(300), Just(3_600)];
    let place = prop_oneof![
        Just(Place::Left),
        Just(Place::Killed),
        Just(Place::LogLost),
        Just(Place::Elsewhere)
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
        if place != Place::Left {
            self.lives += 1;
            std::fs::create_dir(self.data()).unwrap();
        }
        let left: &[&str] = match place {
            Place::Left | Place::Elsewhere => &[],
            Place::Killed => &["cache.db", "cache.db-wal"],
            Place::LogLost => &["cache.db"],
        };
        for name in left {
            std::fs::copy(before.join(name), self.data().join(name)).unwrap();
        }
        self.engine.close();
        restore(&self.data(), &copy, RestoreOptions::default()).unwrap();
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
