//! What holds over every history of events, however odd: sessions of one use never overlap, each
//! ends once, leases wanted are leases released, and a session is open exactly while a process of
//! it lives.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::identify::ProgramRole;

#[derive(Debug, Clone)]
enum Step {
    Run {
        pid: u32,
        parent: u32,
        user: u32,
        product: Option<(u8, bool)>,
    },
    Fork {
        parent: u32,
        child: u32,
    },
    Exit {
        pid: u32,
    },
    Reuse {
        pid: u32,
    },
    Cover {
        pid: u32,
        product: u8,
    },
    Products {
        mask: u8,
    },
    Seat {
        session: u64,
    },
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pid = 1..24_u32;
    let step = prop_oneof![
        8 => (pid.clone(), pid.clone(), 0..3_u32, proptest::option::of((0..3_u8, any::<bool>())))
            .prop_map(|(pid, parent, user, product)| Step::Run { pid, parent, user, product }),
        6 => (pid.clone(), pid.clone()).prop_map(|(parent, child)| Step::Fork { parent, child }),
        6 => pid.clone().prop_map(|pid| Step::Exit { pid }),
        1 => pid.clone().prop_map(|pid| Step::Reuse { pid }),
        2 => (pid, 0..3_u8).prop_map(|(pid, product)| Step::Cover { pid, product }),
        1 => any::<u8>().prop_map(|mask| Step::Products { mask }),
        1 => (1..40_u64).prop_map(|session| Step::Seat { session }),
        1 => Just(Step::Settle),
    ];
    proptest::collection::vec(step, 0..300)
}

/// Product 2 is counted by process.
fn counting(product: u8) -> Counting {
    if product == 2 {
        Counting::Process
    } else {
        Counting::UserOnComputer
    }
}

#[derive(Default)]
struct Ledger {
    open: BTreeMap<u64, Session>,
    ever: BTreeSet<u64>,
    wanted: BTreeSet<u64>,
}

impl Ledger {
    fn take(&mut self, effects: &[Effect]) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Opened(session) => {
                    prop_assert!(self.ever.insert(session.id.0), "a number was used twice");
                    let overlaps = self.open.values().any(|other| {
                        session.counting == Counting::UserOnComputer
                            && other.counting == session.counting
                            && other.product == session.product
                            && other.who.counted == session.who.counted
                            && other.cover == session.cover
                    });
                    prop_assert!(!overlaps, "{session:?} overlaps another");
                    self.open.insert(session.id.0, session.clone());
                }
                Effect::WantLease(id) => {
                    prop_assert!(self.open.contains_key(&id.0));
                    prop_assert!(
                        self.open[&id.0].cover.is_none(),
                        "a second seat under a cover"
                    );
                    prop_assert!(self.wanted.insert(id.0), "wanted twice");
                }
                Effect::ReleaseLease(id) => {
                    prop_assert!(self.wanted.remove(&id.0), "released what was not wanted");
                }
                Effect::Ended(session, at) => {
                    prop_assert!(self.open.remove(&session.id.0).is_some(), "ended twice");
                    prop_assert!(!self.wanted.contains(&session.id.0), "ended with its seat");
                    prop_assert!(at.boot_ms >= session.started.boot_ms);
                }
            }
        }
        Ok(())
    }
}

fn event(step: &Step, epoch: &BTreeMap<u32, u64>) -> Event {
    let key = |pid: u32| ProcessKey {
        pid,
        start: epoch.get(&pid).copied().unwrap_or(1),
    };
    match step {
        Step::Run {
            pid,
            parent,
            user,
            product,
        } => Event::Runs(Process {
            key: key(*pid),
            parent: *parent,
            who: Who {
                counted: *user,
                real: 0,
            },
            program: Program {
                name: "p".into(),
                version: None,
            },
            uses: product.map(|(product, helper)| Use {
                product: product.to_string().into(),
                counting: counting(product),
                role: if helper {
                    ProgramRole::Helper
                } else {
                    ProgramRole::Main
                },
            }),
            since: None,
        }),
        Step::Fork { parent, child } => Event::Forked {
            parent: *parent,
            child: key(*child),
        },
        Step::Exit { pid } | Step::Reuse { pid } => Event::Exited { pid: *pid },
        Step::Cover { pid, product } => Event::Covered {
            root: key(*pid),
            lease: format!("L{pid}").into(),
            product: product.to_string().into(),
        },
        Step::Products { mask } => Event::ProductsAre(
            (0..3_u8)
                .filter(|p| mask & (1 << p) != 0)
                .map(|p| p.to_string().into())
                .collect(),
        ),
        Step::Seat { session } => Event::Seated {
            session: SessionId(*session),
            lease: "S".into(),
        },
        Step::Settle => Event::Settled,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn sessions_never_overlap_end_once_and_release_what_they_wanted(steps in steps()) {
        let mut sessions = Sessions::new(Limits { processes: 16, covers: 4 }, 0);
        let mut ledger = Ledger::default();
        let mut epoch = BTreeMap::new();
        let mut now = Stamp::default();
        for step in &steps {
            now.boot_ms += 7;
            // A pid that is used again without its end having been seen: another start time.
            if let Step::Reuse { pid } = step {
                *epoch.entry(*pid).or_insert(1) += 1;
                continue;
            }
            let mut effects = Vec::new();
            sessions.apply(now, event(step, &epoch), &mut effects);
            ledger.take(&effects)?;

            let open: BTreeSet<u64> = sessions.open().map(|session| session.id.0).collect();
            prop_assert_eq!(&open, &ledger.open.keys().copied().collect());
            let alive: BTreeSet<u64> = sessions.members().map(|(id, _)| id.0).collect();
            prop_assert_eq!(&open, &alive, "a session is open exactly while a process of it lives");
            prop_assert!(sessions.members().count() <= 16);
        }
        for pid in 1..24 {
            let mut effects = Vec::new();
            sessions.apply(now, Event::Exited { pid }, &mut effects);
            ledger.take(&effects)?;
        }
        prop_assert!(ledger.open.is_empty());
        prop_assert!(ledger.wanted.is_empty());
        prop_assert!((1..24).all(|pid| !sessions.knows(pid)));
    }

    #[test]
    fn who_runs_a_product_uncovered_has_one_session_of_it(steps in steps()) {
        let mut sessions = Sessions::new(Limits::default(), 0);
        let mut running: BTreeMap<u32, (u32, u8)> = BTreeMap::new();
        let mut now = Stamp::default();
        for step in &steps {
            now.boot_ms += 1;
            match step {
                Step::Run { pid, user, product, .. } => match product {
                    Some((product, false)) => { running.insert(*pid, (*user, *product)); }
                    Some((_, true)) => { running.remove(pid); }
                    None => {}
                },
                Step::Exit { pid } => { running.remove(pid); }
                Step::Fork { .. } | Step::Cover { .. } | Step::Products { .. } | Step::Reuse { .. } => continue,
                Step::Seat { .. } | Step::Settle => {}
            }
            sessions.apply(now, event(step, &BTreeMap::new()), &mut Vec::new());
            let expected: BTreeSet<(u32, u8)> = running.values().copied().filter(|(_, p)| *p != 2).collect();
            let open: BTreeSet<(u32, u8)> = sessions
                .open()
                .filter(|session| session.counting == Counting::UserOnComputer)
                .map(|session| (session.who.counted, session.product.parse().unwrap()))
                .collect();
            prop_assert_eq!(open, expected);
        }
    }
}

/// Found by the histories above: the fork copied a session that the same step had ended.
#[test]
fn a_fork_onto_the_pid_of_its_parents_cover_joins_the_session_that_the_parent_moved_to() {
    let mut sessions = Sessions::new(Limits::default(), 0);
    let old = BTreeMap::new();
    let again = BTreeMap::from([(19, 2)]);
    let cover = Step::Cover {
        pid: 19,
        product: 2,
    };
    let launch = Step::Fork {
        parent: 19,
        child: 11,
    };
    let run = Step::Run {
        pid: 11,
        parent: 1,
        user: 0,
        product: Some((2, false)),
    };
    for step in [cover, launch, run] {
        sessions.apply(Stamp::default(), event(&step, &old), &mut Vec::new());
    }
    let reused = Step::Fork {
        parent: 11,
        child: 19,
    };
    sessions.apply(Stamp::default(), event(&reused, &again), &mut Vec::new());
    let open: BTreeSet<u64> = sessions.open().map(|session| session.id.0).collect();
    let alive: BTreeSet<u64> = sessions.members().map(|(id, _)| id.0).collect();
    assert_eq!((open.len(), &open), (1, &alive));
    assert_eq!(sessions.members().count(), 2);
}
