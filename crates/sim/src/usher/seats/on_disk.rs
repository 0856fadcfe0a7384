//! A ledger in the shipped store on a made-up disk: with every process that is killed the power
//! fails, and what the next one finds is judged by what was answered.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use usher_core::ledger::*;
use usher_store::{Clock, Stepped, SteppedOptions};

use super::kept::KeptLedger;
use crate::clock::Moment;
use crate::disk::Disk;
use crate::rng::Rng;

/// Operations of the disk within which the power fails, once it is to: a commit takes about ten.
const CUT_WITHIN: u64 = 15;
/// How many slices it takes at most to bring the tables up to a commit.
const SLICES: u32 = 64;

/// A ledger that is kept in the store.
pub(super) struct OnDisk {
    disk: Disk,
    clock: Arc<StoreClock>,
    identity: [u64; 2],
    durable: Arc<Mutex<Durable>>,
    /// None while there is no process.
    store: Option<Stepped>,
    /// What was being made durable when the power failed, and the ledger with it.
    cut_off: Option<(Ledger, Batch)>,
    rng: Rng,
    wrong_recoveries: u64,
}

/// What the store has said to be durable.
#[derive(Debug, Default)]
struct Durable {
    /// None before the first process.
    ledger: Option<Ledger>,
    /// Leases that have ended.
    ended: BTreeSet<EventNumber>,
}

impl OnDisk {
    pub(super) fn new(seed: u64) -> OnDisk {
        let mut rng = Rng::new(seed, 7);
        OnDisk {
            disk: Disk::new(rng.next()),
            clock: Arc::new(StoreClock::new()),
            identity: [rng.next(), rng.next()],
            durable: Arc::default(),
            store: None,
            cut_off: None,
            rng,
            wrong_recoveries: 0,
        }
    }

    /// A planted fault: from now on its disk says that it has synced when it has not.
    pub(super) fn lie_about_syncs(&mut self) {
        self.disk.lie_about_syncs();
    }

    /// The store at that moment, opened if it is not open.
    fn store(&mut self, now: Moment) -> Option<&mut Stepped> {
        self.clock.set(now);
        if self.store.is_none() {
            let told = self.durable.clone();
            let opened = Stepped::open(SteppedOptions {
                vfs: Disk::VFS,
                path: self.disk.path("cache.db"),
                clock: self.clock.clone(),
                on_durable: Box::new(move |batch| lock(&told).take(batch)),
                identity: self.identity,
            });
            match opened {
                Ok((store, _)) => {
                    self.judge(now, store.ledger());
                    self.store = Some(store);
                }
                Err(_) => self.wrong_recoveries += 1,
            }
        }
        self.store.as_mut()
    }

    /// Whether what a new process has found is what was answered: with or without what was cut off,
    /// for nobody knows what became of that.
    fn judge(&mut self, now: Moment, found: &Ledger) {
        let cut_off = self.cut_off.take();
        let mut durable = lock(&self.durable);
        let known = durable.ledger.replace(found.clone());
        if known.is_none_or(|known| is_same(&known, found, now)) {
            return;
        }
        match cut_off {
            Some((with, batch)) if is_same(&with, found, now) => durable.note_ends(&batch),
            _ => self.wrong_recoveries += 1,
        }
    }

    /// The power fails soon, in the middle of that.
    fn begin_to_cut_off(&mut self, now: Moment, command: Command) {
        let mut ledger = lock(&self.durable).ledger.clone().unwrap_or_default();
        ledger.apply(now.now(), command);
        let batch = ledger.seal();
        self.cut_off = Some((ledger, batch));
        self.disk.cut_after(self.rng.within(0..=CUT_WITHIN));
    }
}

impl KeptLedger for OnDisk {
    fn open(&mut self, now: Moment) {
        self.store(now);
    }

    fn commit(&mut self, now: Moment, command: Command) -> Option<Reply> {
        let store = self.store(now)?;
        // Between two requests there was time for the tables.
        for _ in 0..SLICES {
            if store.behind() == 0 {
                break;
            }
            store.step();
        }
        Some(store.execute(command).ok()?.reply)
    }

    fn cut_off(&mut self, now: Moment, command: Command, committed: bool) {
        if committed {
            self.commit(now, command);
        } else if self.store(now).is_some() {
            self.begin_to_cut_off(now, command.clone());
            self.commit(now, command);
        }
        self.disk.cut();
    }

    fn close(&mut self, now: Moment) {
        self.clock.set(now);
        if let Some(store) = self.store.take() {
            store.close();
        }
    }

    fn kill(&mut self, now: Moment) {
        self.clock.set(now);
        let Some(mut store) = self.store.take() else {
            return;
        };
        // Half of those that are killed when nobody asks are so in the middle of their upkeep.
        if !self.disk.is_cut() && self.rng.chance(50) {
            self.begin_to_cut_off(now, Command::Tick);
            for _ in 0..2 {
                store.step();
            }
        }
        self.disk.cut();
        drop(store);
        self.disk.crash();
    }

    fn has_ended(&self, lease: EventNumber) -> bool {
        lock(&self.durable).ended.contains(&lease)
    }

    fn wrong_recoveries(&self) -> u64 {
        self.wrong_recoveries
    }
}

impl fmt::Debug for OnDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDisk")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

impl Durable {
    fn take(&mut self, batch: &Batch) {
        if let Some(ledger) = &mut self.ledger {
            for (number, event) in (batch.first..).zip(batch.events.iter()) {
                ledger.absorb(batch.at, EventNumber(number), event);
            }
            ledger.seal();
        }
        self.note_ends(batch);
    }

    fn note_ends(&mut self, batch: &Batch) {
        let ends = batch.events.iter().filter_map(|event| match event {
            Event::Ended { lease, .. } => Some(*lease),
            _ => None,
        });
        self.ended.extend(ends);
    }
}

/// Whether two ledgers say the same at that instant: what is past is forgotten in passing, by one
/// sooner than by the other.
fn is_same(one: &Ledger, other: &Ledger, now: Moment) -> bool {
    let [one, other] = [one, other].map(|ledger| {
        let mut ledger = ledger.clone();
        ledger.apply(now.now(), Command::Tick);
        ledger.seal();
        ledger
    });
    one == other
}

/// A panic elsewhere leaves what it guards whole: the simulator is one thread, and ends with it.
fn lock(durable: &Mutex<Durable>) -> MutexGuard<'_, Durable> {
    durable.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The virtual clock as a store reads one. Its computer is never booted: a reboot as a cure is
/// SP3's.
#[derive(Debug)]
struct StoreClock {
    began: Instant,
    steady: AtomicU64,
    wall: AtomicI64,
}

impl StoreClock {
    fn new() -> StoreClock {
        StoreClock {
            began: Instant::now(),
            steady: AtomicU64::new(0),
            wall: AtomicI64::new(0),
        }
    }

    fn set(&self, now: Moment) {
        self.steady.store(now.steady, Ordering::Relaxed);
        self.wall.store(now.wall, Ordering::Relaxed);
    }
}

impl Clock for StoreClock {
    fn boot_id(&self) -> String {
        "the only boot".to_owned()
    }

    fn boot_ms(&self) -> u64 {
        self.steady.load(Ordering::Relaxed)
    }

    fn wall_ms(&self) -> i64 {
        self.wall.load(Ordering::Relaxed)
    }

    fn instant(&self) -> Instant {
        self.began + Duration::from_millis(self.boot_ms())
    }
}
