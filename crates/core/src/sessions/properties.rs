//! What holds over every history of events, however odd: sessions of one use never overlap, each
//! ends once, leases wanted are leases released, and a session is open exactly while a process of
//! it lives, or one that may run and has not yet. Nobody who is held is forgotten, nobody whom a
//! lease covers is refused, and what was held for nothing leaves nothing behind.

mod steps;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use self::steps::{Answer, Step, event, steps};
use super::*;

/// What has to be so, as the effects tell it.
#[derive(Default)]
struct Ledger {
    open: BTreeMap<u64, Session>,
    held: BTreeMap<u64, Session>,
    ever: BTreeSet<u64>,
    /// Seats were asked for, and not given back.
    wanted: BTreeSet<u64>,
    /// Of those: a server has something of it that has to be given back.
    entered: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    /// Questions that were not answered yet, of processes that are held.
    asked: BTreeMap<u64, u32>,
    /// Such of processes whose end nobody saw: they may be answered or not.
    unseen: BTreeSet<u64>,
    last_ask: u64,
}

impl Ledger {
    fn begins(&mut self, session: &Session) -> Result<(), TestCaseError> {
        prop_assert!(self.ever.insert(session.id.0), "a number was used twice");
        let overlaps = self.open.values().chain(self.held.values()).any(|other| {
            session.counting == Counting::UserOnComputer
                && other.counting == session.counting
                && other.product == session.product
                && other.who.counted == session.who.counted
                && other.cover == session.cover
        });
        prop_assert!(!overlaps, "{session:?} overlaps another");
        Ok(())
    }

    fn wants(&mut self, id: u64, gate: bool) -> Result<(), TestCaseError> {
        let session = self.open.get(&id).or(self.held.get(&id));
        prop_assert!(session.is_some(), "what is not there wants a seat");
        let is_covered = session.is_some_and(|session| session.cover.is_some());
        prop_assert!(!is_covered, "a second seat under a cover");
        self.wanted.insert(id);
        self.refused.remove(&id);
        if !gate {
            self.entered.insert(id);
        }
        Ok(())
    }

    fn take(&mut self, effects: &[Effect]) -> Result<(), TestCaseError> {
        for effect in effects {
            match effect {
                Effect::Held(session) => {
                    self.begins(session)?;
                    self.held.insert(session.id.0, session.clone());
                }
                Effect::Opened(session) => {
                    if self.held.remove(&session.id.0).is_none() {
                        self.begins(session)?;
                    }
                    self.open.insert(session.id.0, session.clone());
                }
                Effect::WantLease { session, gate } => self.wants(session.0, *gate)?,
                Effect::ReleaseLease(id) => {
                    prop_assert!(self.wanted.remove(&id.0), "released what was not wanted");
                    prop_assert!(!self.refused.contains(&id.0), "released what it never had");
                }
                Effect::Ended(session, at) => {
                    prop_assert!(self.open.remove(&session.id.0).is_some(), "ended twice");
                    prop_assert!(!self.owes(session.id.0), "ended with its seat");
                    prop_assert!(at.boot_ms >= session.started.boot_ms);
                }
                Effect::GoesOn { ended, by } => {
                    let ended = self.open.remove(&ended.0);
                    prop_assert!(ended.is_some(), "ended twice");
                    prop_assert!(!self.owes(ended.as_ref().map_or(0, |it| it.id.0)));
                    let (ended, by) = (ended.as_ref(), self.open.get(&by.0));
                    let of_use = |it: &Session| (it.product.clone(), it.who.counted, it.counting);
                    prop_assert_eq!(ended.map(of_use), by.map(of_use), "of another use");
                    let is_covered = |it: &Session| it.cover.is_some();
                    prop_assert_ne!(ended.map(is_covered), by.map(is_covered));
                }
                Effect::Dropped(id) => {
                    prop_assert!(
                        self.held.remove(&id.0).is_some(),
                        "dropped what was not held"
                    );
                    prop_assert!(!self.owes(id.0), "dropped with its seat");
                }
                Effect::Allow(ask) => {
                    prop_assert!(self.is_answered(*ask), "allowed, and not held");
                }
                Effect::Refuse { ask, .. } => {
                    prop_assert!(self.is_answered(*ask), "refused, and not held");
                }
            }
        }
        Ok(())
    }

    /// Of a session that is no more: whether a server still has something of it.
    fn owes(&mut self, session: u64) -> bool {
        self.wanted.remove(&session) && !self.refused.contains(&session)
    }

    fn answered(&mut self, session: u64, answer: Answer) {
        if !self.held.contains_key(&session) && !self.open.contains_key(&session) {
            return;
        }
        match answer {
            Answer::Seat | Answer::Ungate => {
                self.entered.insert(session);
            }
            Answer::Deny if !self.entered.contains(&session) => {
                self.refused.insert(session);
            }
            Answer::Deny | Answer::Away | Answer::Lose => {}
        }
    }

    fn is_answered(&mut self, ask: AskId) -> bool {
        self.asked.remove(&ask.0).is_some() || self.unseen.remove(&ask.0)
    }

    fn forget(&mut self, gone: u32) {
        self.asked.retain(|_, pid| *pid != gone);
    }

    /// What a step does to processes and answers to sessions, before the machine hears of it.
    fn expect(&mut self, step: &Step) {
        match step {
            Step::Ask { pid, .. } => {
                self.last_ask += 1;
                self.asked.insert(self.last_ask, *pid);
            }
            Step::Exit { pid } => self.forget(*pid),
            Step::Seat { session } => self.answered(*session, Answer::Seat),
            Step::Answer {
                session, answer, ..
            } => self.answered(*session, *answer),
            _ => {}
        }
    }
}

/// An answer comes for one of the sessions that wait for one; a late one for any.
fn aimed(step: &Step, sessions: &Sessions, ledger: &Ledger) -> Step {
    let Step::Answer {
        session,
        late: false,
        answer,
    } = step
    else {
        return step.clone();
    };
    let all = ledger.held.keys().chain(ledger.open.keys()).copied();
    let waiting: Vec<u64> = all
        .filter(|id| sessions.is_asking(SessionId(*id)))
        .collect();
    let session = match waiting.len() {
        0 => *session,
        waits => waiting[*session as usize % waits],
    };
    Step::Answer {
        session,
        late: false,
        answer: *answer,
    }
}

/// Who was held for which product, to see whom a lease covers by now.
fn refuses_nobody_whom_a_lease_covers(
    sessions: &Sessions,
    ledger: &Ledger,
    effects: &[Effect],
) -> Result<(), TestCaseError> {
    for effect in effects {
        let Effect::Refuse {
            ask,
            session: Some(session),
        } = effect
        else {
            continue;
        };
        let of = ledger.held.get(&session.0).or(ledger.open.get(&session.0));
        let (Some(pid), Some(of)) = (ledger.asked.get(&ask.0), of) else {
            continue;
        };
        let is_covered = sessions.is_covered(*pid, 0, &of.product);
        prop_assert!(!is_covered, "{pid} is covered");
    }
    Ok(())
}

/// What holds after every step.
fn keeps(sessions: &Sessions, ledger: &Ledger, limits: Limits) -> Result<(), TestCaseError> {
    let open: BTreeSet<u64> = sessions.open().map(|session| session.id.0).collect();
    prop_assert_eq!(&open, &ledger.open.keys().copied().collect());
    let started: BTreeSet<u64> = sessions.starts().map(|(id, _)| id.0).collect();
    let mut alive: BTreeSet<u64> = sessions.members().map(|(id, _)| id.0).collect();
    prop_assert!(alive.is_subset(&open), "what runs is open");
    alive.extend(&started);
    let mut all = open;
    all.extend(ledger.held.keys());
    prop_assert_eq!(
        &all,
        &alive,
        "a session is there exactly while a process of it is"
    );
    prop_assert!(sessions.members().count() <= limits.processes);
    prop_assert!(sessions.starts().count() <= limits.starts);
    let mut waiting = BTreeSet::new();
    for id in &all {
        let starts = sessions.asking_starts(SessionId(*id));
        prop_assert_eq!(!starts.is_empty(), sessions.is_asking(SessionId(*id)));
        let asks = starts.iter().map(|held| held.ask.0);
        waiting.extend(asks.filter(|ask| !ledger.unseen.contains(ask)));
    }
    let asked = ledger.asked.keys().copied().collect();
    prop_assert_eq!(&waiting, &asked, "who is held waits for an answer");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn sessions_never_overlap_end_once_and_release_what_they_wanted(steps in steps()) {
        let limits = Limits { processes: 16, covers: 4, starts: 6, start_ms: 100 };
        let mut sessions = Sessions::new(limits, 0);
        let mut ledger = Ledger::default();
        let mut epoch = BTreeMap::new();
        let mut now = Stamp::default();
        for step in &steps {
            now.boot_ms += 7;
            if let Step::Wait { ms } = step {
                now.boot_ms += ms;
            }
            // A pid that is used again without its end having been seen: another start time.
            if let Step::Reuse { pid } = step {
                *epoch.entry(*pid).or_insert(1) += 1;
                let gone = ledger.asked.iter().filter(|(_, of)| *of == pid);
                let gone: Vec<u64> = gone.map(|(ask, _)| *ask).collect();
                ledger.unseen.extend(gone);
                ledger.forget(*pid);
                continue;
            }
            let step = aimed(step, &sessions, &ledger);
            ledger.expect(&step);
            let mut effects = Vec::new();
            sessions.apply(now, event(&step, &epoch, ledger.last_ask), &mut effects);
            refuses_nobody_whom_a_lease_covers(&sessions, &ledger, &effects)?;
            ledger.take(&effects)?;
            keeps(&sessions, &ledger, limits)?;
        }
        // Held for ever is nobody.
        now.boot_ms += 1_000;
        for _ in 0..2 {
            let mut effects = Vec::new();
            sessions.apply(now, Event::Tick, &mut effects);
            ledger.take(&effects)?;
            now.boot_ms += 1_000;
        }
        prop_assert!(ledger.asked.is_empty(), "{:?} are held for ever", ledger.asked);
        let mut effects = Vec::new();
        sessions.apply(now, Event::Settled, &mut effects);
        ledger.take(&effects)?;
        prop_assert!(ledger.held.is_empty());
        for pid in 1..24 {
            let mut effects = Vec::new();
            sessions.apply(now, Event::Exited { pid }, &mut effects);
            ledger.take(&effects)?;
        }
        prop_assert!(ledger.open.is_empty());
        prop_assert!(ledger.wanted.is_empty());
        prop_assert!((1..24).all(|pid| !sessions.knows(pid)));
        prop_assert_eq!(sessions.next_due_boot_ms(), None);
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
                // However they were held and answered, what runs is what is open.
                Step::Seat { .. } | Step::Settle | Step::Ask { .. } | Step::Answer { .. }
                | Step::Wait { .. } => {}
            }
            sessions.apply(now, event(step, &BTreeMap::new(), now.boot_ms), &mut Vec::new());
            let expected: BTreeSet<(u32, u8)> = running.values().copied().filter(|(_, p)| *p != 2).collect();
            // One that only a start keeps has nothing that runs.
            let open: BTreeSet<(u32, u8)> = sessions
                .members()
                .filter_map(|(id, _)| sessions.get(id))
                .filter(|session| session.counting == Counting::UserOnComputer && !session.held)
                .map(|session| (session.who.counted.number(), session.product.parse().unwrap()))
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
        sessions.apply(Stamp::default(), event(&step, &old, 0), &mut Vec::new());
    }
    let reused = Step::Fork {
        parent: 11,
        child: 19,
    };
    sessions.apply(Stamp::default(), event(&reused, &again, 0), &mut Vec::new());
    let open: BTreeSet<u64> = sessions.open().map(|session| session.id.0).collect();
    let alive: BTreeSet<u64> = sessions.members().map(|(id, _)| id.0).collect();
    assert_eq!((open.len(), &open), (1, &alive));
    assert_eq!(sessions.members().count(), 2);
}
