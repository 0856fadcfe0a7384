//! Restores in random histories: no seat is in use twice, in truth and not only in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use usher_core::ledger::*;

use super::{TTL_SECONDS, new_life, only, report, wants};
use crate::world::*;

/// One step of a site's life: before the snapshot, between it and the restore, or after that.
#[derive(Debug, Clone)]
enum Step {
    Pass {
        ms: u64,
    },
    Start {
        at: u8,
    },
    Renew {
        session: u8,
    },
    End {
        session: u8,
    },
    Direct,
    /// A session shows its lease, as after a restore.
    Show {
        session: u8,
    },
    /// The last report once more.
    Replay,
    /// An agent shows a lease that is another's.
    Forge {
        at: u8,
        session: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..120_000).prop_map(|ms| Step::Pass { ms }),
        8 => (0_u8..3).prop_map(|at| Step::Start { at }),
        8 => any::<u8>().prop_map(|session| Step::Renew { session }),
        4 => any::<u8>().prop_map(|session| Step::End { session }),
        2 => Just(Step::Direct),
        8 => any::<u8>().prop_map(|session| Step::Show { session }),
        3 => Just(Step::Replay),
        1 => (0_u8..3, any::<u8>()).prop_map(|(at, session)| Step::Forge { at, session }),
    ]
}

/// What an agent knows of a session's seat.
#[derive(Debug, Clone, Copy)]
struct Held {
    at: u8,
    lease: LeaseId,
    granted_at: Wall,
    until: Steady,
}

/// A site: its server's ledger, and what really is in use.
struct Site {
    w: World,
    held: BTreeMap<u64, Held>,
    direct: Vec<Steady>,
    sessions: u64,
    sequence: u64,
    last: Option<Command>,
    forged: bool,
    adopted: BTreeSet<LeaseId>,
}

const SEATS: u32 = 3;

impl Site {
    fn new() -> Site {
        let mut w = World::new();
        w.product("cad", SEATS);
        Site {
            w,
            held: BTreeMap::new(),
            direct: Vec::new(),
            sessions: 0,
            sequence: 0,
            last: None,
            forged: false,
            adopted: BTreeSet::new(),
        }
    }

    fn tells(&mut self, at: u8, item: ReportItem) -> ItemReply {
        self.sequence += 1;
        let command = report(at, self.sequence, item);
        self.last = Some(command.clone());
        only(self.w.tell(command))
    }

    fn asks(&mut self, at: u8, session: u64, shown: Option<Shown>) {
        let now = self.w.now;
        let until = now.steady.plus_seconds(u64::from(TTL_SECONDS));
        match self.tells(at, wants(session, shown)) {
            ItemReply::Granted { lease, .. } => {
                let granted_at = self.held.get(&session).map_or(now.wall, |h| h.granted_at);
                let held = Held {
                    at,
                    lease,
                    granted_at,
                    until,
                };
                self.held.insert(session, held);
            }
            _ => drop(self.held.remove(&session)),
        }
    }

    fn pick(&self, index: u8) -> Option<(u64, Held)> {
        let all: Vec<_> = self.held.iter().collect();
        let (session, held) = all.get(usize::from(index) % all.len().max(1))?;
        Some((**session, **held))
    }

    fn go(&mut self, step: &Step) {
        match step {
            Step::Pass { ms } => {
                self.w.pass_ms(*ms);
                self.w.tell(Command::Tick);
            }
            Step::Start { at } => {
                self.sessions += 1;
                self.asks(*at, self.sessions, None);
            }
            Step::Renew { session } => {
                if let Some((session, held)) = self.pick(*session)
                    && let ItemReply::Renewed { ttl_seconds } =
                        self.tells(held.at, ReportItem::Renew { session })
                {
                    let until = self.w.now.steady.plus_seconds(u64::from(ttl_seconds));
                    self.held.insert(session, Held { until, ..held });
                }
            }
            Step::End { session } => {
                if let Some((session, held)) = self.pick(*session) {
                    self.tells(held.at, ReportItem::Checkin { session });
                    self.held.remove(&session);
                }
            }
            Step::Direct => {
                if let Reply::Granted { lease, .. } = self.w.checkout("cad", "dan") {
                    self.direct.push(lease.deadline);
                }
            }
            Step::Show { session } => {
                if let Some((session, held)) = self.pick(*session) {
                    let shown = self.shown(&held);
                    self.asks(held.at, session, Some(shown));
                }
            }
            Step::Replay => {
                if let Some(command) = self.last.clone() {
                    self.w.tell(command);
                }
            }
            Step::Forge { at, session } => {
                if let Some((_, held)) = self.pick(*session) {
                    self.forged = true;
                    let shown = self.shown(&held);
                    self.sessions += 1;
                    self.asks(*at, self.sessions, Some(shown));
                }
            }
        }
        self.check();
    }

    fn shown(&self, held: &Held) -> Shown {
        let left_ms = held.until.since_ms(self.w.now.steady);
        Shown {
            lease: held.lease,
            granted_at: held.granted_at,
            remaining_seconds: u32::try_from(left_ms / 1_000).unwrap(),
        }
    }

    fn check(&mut self) {
        let now = self.w.now.steady;
        self.held.retain(|_, held| held.until > now);
        self.direct.retain(|until| *until > now);
        let (_, pool) = self.w.ledger.product("cad").unwrap();
        assert!(pool.in_use <= u64::from(SEATS), "I1 in the ledger");
        let really = self.held.len() + self.direct.len();
        assert!(
            self.forged || really <= SEATS as usize,
            "I1 in truth: {really} of {SEATS} seats are in use: {:?}",
            self.held
        );
        let adopted: Vec<_> = self.w.events.iter().collect();
        for (_, _, event) in adopted {
            if let Event::Adopted { former, .. } = event {
                assert!(
                    self.adopted.insert(*former),
                    "{former} was taken over twice"
                );
            }
        }
        self.w.events.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_restore_in_any_history_seats_no_more_than_there_are_seats(
        before in proptest::collection::vec(step(), 0..40),
        lost in proptest::collection::vec(step(), 0..40),
        after in proptest::collection::vec(step(), 0..60),
        down_ms in 0_u64..200_000,
        reboot in any::<bool>(),
    ) {
        let mut site = Site::new();
        before.iter().for_each(|step| site.go(step));
        let snapshot = site.w.ledger.clone();
        lost.iter().for_each(|step| site.go(step));
        site.w.pass_ms(down_ms);
        new_life(&mut site.w, snapshot);
        if reboot {
            site.w.tell(Command::Rebooted);
        }
        site.check();
        after.iter().for_each(|step| site.go(step));
    }
}
