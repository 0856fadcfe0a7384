//! Held starts, and whatever becomes of them while rules come and go: each
//! session is of a process that lives and runs its product, or is held for it, or was let go and has
//! not run yet. Told is only what a watcher tells: what products' programs do, and what processes do
//! that the machine wants to hear of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::identify::ProgramRole;

const START_MS: u64 = 100;
/// Programs 0 and 1 are of product 0, 2 and 3 of product 1, which is counted by process; the rules
/// of 1 and 3 come and go. The last is nobody's.
const PROGRAMS: u8 = 5;

#[derive(Debug, Clone)]
enum Step {
    /// A process, a new one if there is none, is about to run a program.
    Exec {
        pid: u32,
        program: u8,
    },
    /// What was let go runs, or its exec fails and the process goes on as it was.
    Outcome {
        pid: u32,
        runs: bool,
    },
    End {
        pid: u32,
    },
    /// The gate waits no longer for an answer.
    Silence {
        pid: u32,
    },
    Rules {
        products: u8,
        seconds: u8,
    },
    Answer {
        which: usize,
        answer: Answer,
    },
    Wait {
        ms: u64,
    },
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Seat,
    Deny,
    Ungate,
    Away,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pid = 1..9_u32;
    let answer = prop_oneof![
        4 => Just(Answer::Seat),
        2 => Just(Answer::Deny),
        1 => Just(Answer::Ungate),
        1 => Just(Answer::Away),
    ];
    let step = prop_oneof![
        8 => (pid.clone(), 0..PROGRAMS).prop_map(|(pid, program)| Step::Exec { pid, program }),
        8 => (pid.clone(), proptest::bool::weighted(0.8))
            .prop_map(|(pid, runs)| Step::Outcome { pid, runs }),
        3 => pid.clone().prop_map(|pid| Step::End { pid }),
        1 => pid.prop_map(|pid| Step::Silence { pid }),
        4 => (0..8_u8, 0..4_u8).prop_map(|(products, seconds)| Step::Rules { products, seconds }),
        8 => (any::<usize>(), answer).prop_map(|(which, answer)| Step::Answer { which, answer }),
        1 => (0..2 * START_MS).prop_map(|ms| Step::Wait { ms }),
    ];
    proptest::collection::vec(step, 0..120)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Runs,
    Held { program: u8, ask: u64 },
    LetGo { program: u8 },
}

#[derive(Debug)]
struct Life {
    start: u64,
    image: u8,
    state: State,
    /// When something became of a start that nothing tells of: the gate did not wait for the answer,
    /// or the exec failed.
    untold_ms: Option<u64>,
}

struct World {
    sessions: Sessions,
    now: Stamp,
    ticked_ms: u64,
    lives: BTreeMap<u32, Life>,
    made: u64,
    asks: u64,
    products: u8,
    seconds: u8,
    wanted: BTreeSet<u64>,
    refused: BTreeSet<u64>,
}

impl World {
    fn new() -> World {
        let limits = Limits {
            start_ms: START_MS,
            ..Limits::default()
        };
        World {
            sessions: Sessions::new(limits, 0),
            now: Stamp::default(),
            ticked_ms: 0,
            lives: BTreeMap::new(),
            made: 0,
            asks: 0,
            products: 3,
            seconds: 3,
            wanted: BTreeSet::new(),
            refused: BTreeSet::new(),
        }
    }

    /// The product of a program, as the rules are.
    fn product(&self, program: u8) -> Option<u8> {
        let product = program / 2;
        let is_ruled = program.is_multiple_of(2) || self.seconds & (1 << product) != 0;
        (program < PROGRAMS - 1 && self.products & (1 << product) != 0 && is_ruled)
            .then_some(product)
    }

    fn process(&self, pid: u32, program: u8, is_found: bool) -> Process {
        let start = self.lives[&pid].start;
        // Two users, who start programs from shells of no product.
        let user = pid % 2;
        Process {
            key: ProcessKey { pid, start },
            parent: 1_000 + user,
            who: Who {
                counted: AccountKey::new(user),
                real: AccountKey::new(user),
            },
            program: Program {
                name: program.to_string().into(),
                version: None,
            },
            uses: self.product(program).map(|product| Use {
                product: product.to_string().into(),
                counting: match product {
                    0 => Counting::UserOnComputer,
                    _ => Counting::Process,
                },
                role: ProgramRole::Main,
            }),
            since: is_found.then_some(Stamp::default()),
        }
    }

    fn tell(&mut self, event: Event) -> Result<(), TestCaseError> {
        let mut effects = Vec::new();
        self.sessions.apply(self.now, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::WantLease { session, .. } => {
                    self.wanted.insert(session.0);
                    self.refused.remove(&session.0);
                }
                Effect::ReleaseLease(session) => {
                    prop_assert!(self.wanted.remove(&session.0));
                }
                Effect::Allow(ask) => self.answered(ask, true),
                Effect::Refuse { ask, .. } => self.answered(ask, false),
                Effect::Dropped(id)
                | Effect::Ended(Session { id, .. }, _)
                | Effect::GoesOn { ended: id, .. } => {
                    let owes = self.wanted.remove(&id.0) && !self.refused.contains(&id.0);
                    prop_assert!(!owes, "{id:?} is over, with its seat");
                }
                Effect::Opened(_) | Effect::Held(_) => {}
            }
        }
        Ok(())
    }

    fn answered(&mut self, answered: AskId, may_run: bool) {
        for life in self.lives.values_mut() {
            if let State::Held { program, ask } = life.state
                && ask == answered.0
            {
                life.state = match may_run {
                    true => State::LetGo { program },
                    false => State::Runs,
                };
            }
        }
    }

    /// A process runs a program from now on.
    fn runs(&mut self, pid: u32, program: u8) -> Result<(), TestCaseError> {
        let Some(life) = self.lives.get_mut(&pid) else {
            return Ok(());
        };
        life.image = program;
        life.state = State::Runs;
        match self.product(program).is_some() || self.sessions.knows(pid) {
            true => self.tell(Event::Runs(self.process(pid, program, false))),
            false => Ok(()),
        }
    }

    fn ends(&mut self, pid: u32) -> Result<(), TestCaseError> {
        let lived = self.lives.remove(&pid).is_some();
        match lived && self.sessions.knows(pid) {
            true => self.tell(Event::Exited { pid }),
            false => Ok(()),
        }
    }

    fn execs(&mut self, pid: u32, program: u8) -> Result<(), TestCaseError> {
        self.made += 1;
        let (start, nobodys) = (self.made, PROGRAMS - 1);
        let life = self.lives.entry(pid).or_insert(Life {
            start,
            image: nobodys,
            state: State::Runs,
            untold_ms: None,
        });
        if life.state != State::Runs {
            return Ok(());
        }
        if self.product(program).is_none() {
            return self.runs(pid, program);
        }
        self.asks += 1;
        let ask = self.asks;
        if let Some(life) = self.lives.get_mut(&pid) {
            life.state = State::Held { program, ask };
        }
        let unanswered = match ask % 2 {
            0 => Unanswered::Run,
            _ => Unanswered::Refuse,
        };
        let process = self.process(pid, program, false);
        self.tell(Event::Asked {
            ask: AskId(ask),
            process,
            unanswered,
        })
    }

    /// All that run are looked at by the new rules.
    fn rules_are(&mut self, products: u8, seconds: u8) -> Result<(), TestCaseError> {
        // Most often both products are there.
        self.products = if products > 3 { 3 } else { products };
        self.seconds = seconds;
        let known = (0..2_u8).filter(|product| self.products & (1 << product) != 0);
        let known = known.map(|product| product.to_string().into()).collect();
        self.tell(Event::ProductsAre(known))?;
        let pids: Vec<u32> = self.lives.keys().copied().collect();
        for pid in pids {
            let image = self.lives[&pid].image;
            if self.product(image).is_some() {
                self.tell(Event::Runs(self.process(pid, image, true)))?;
            }
        }
        self.tell(Event::Settled)
    }

    fn is_answered(&mut self, which: usize, answer: Answer) -> Result<(), TestCaseError> {
        let waiting: BTreeSet<SessionId> = self.sessions.starts().map(|(id, _)| id).collect();
        let waiting: Vec<SessionId> = waiting
            .into_iter()
            .filter(|id| self.sessions.is_asking(*id))
            .collect();
        let Some(session) = waiting.get(which % waiting.len().max(1)).copied() else {
            return Ok(());
        };
        if matches!(answer, Answer::Deny) {
            self.refused.insert(session.0);
        }
        self.tell(match answer {
            Answer::Seat => Event::Seated {
                session,
                lease: "L".into(),
            },
            Answer::Deny => Event::Denied { session },
            Answer::Ungate => Event::Ungated { session },
            Answer::Away => Event::Unreachable { session },
        })
    }

    fn does(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now.boot_ms += 3;
        match *step {
            Step::Exec { pid, program } => self.execs(pid, program),
            Step::Outcome { pid, runs } => match self.lives.get_mut(&pid) {
                Some(life) if let State::LetGo { program } = life.state => {
                    if runs {
                        return self.runs(pid, program);
                    }
                    life.state = State::Runs;
                    life.untold_ms = Some(self.now.boot_ms);
                    Ok(())
                }
                _ => Ok(()),
            },
            Step::End { pid } => self.ends(pid),
            Step::Silence { pid } => {
                if let Some(life) = self.lives.get_mut(&pid)
                    && let State::Held { program, .. } = life.state
                {
                    life.state = State::LetGo { program };
                    life.untold_ms = Some(self.now.boot_ms);
                }
                Ok(())
            }
            Step::Rules { products, seconds } => self.rules_are(products, seconds),
            Step::Answer { which, answer } => self.is_answered(which, answer),
            Step::Wait { ms } => {
                self.now.boot_ms += ms;
                self.ticked_ms = self.now.boot_ms;
                self.tell(Event::Tick)
            }
        }
    }

    fn keeps(&self) -> Result<(), TestCaseError> {
        for (id, key) in self.sessions.members() {
            let life = self.lives.get(&key.pid);
            let lives = life.is_some_and(|life| life.start == key.start);
            prop_assert!(lives, "{id:?} is of {key:?}, which is gone");
        }
        let mut alive: BTreeSet<SessionId> = self.sessions.members().map(|(id, _)| id).collect();
        for (id, key) in self.sessions.starts() {
            let life = self
                .lives
                .get(&key.pid)
                .filter(|life| life.start == key.start);
            prop_assert!(life.is_some(), "{id:?} waits for {key:?}, which is gone");
            alive.insert(id);
        }
        let open: BTreeSet<SessionId> = self.sessions.open().map(|session| session.id).collect();
        prop_assert!(open.is_subset(&alive), "{open:?} is open of {alive:?}");
        Ok(())
    }

    /// No start waits if its process runs something else, or nothing new any more: only
    /// what nothing tells of is left to time.
    fn waits_for_none_that_is_over(&self) -> Result<(), TestCaseError> {
        for (id, key) in self.sessions.starts() {
            let life = &self.lives[&key.pid];
            let is_pending = life.state != State::Runs;
            // For the answer at first, and then for what was let go by it.
            let is_over = |since_ms: u64| self.ticked_ms >= since_ms + 3 * START_MS;
            let is_untold = life.untold_ms.is_some_and(|since_ms| !is_over(since_ms));
            let state = life.state;
            prop_assert!(
                is_pending || is_untold,
                "{id:?} waits for {key:?}: {state:?}"
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, ..ProptestConfig::default() })]

    #[test]
    fn whatever_becomes_of_a_held_start_no_session_outlives_its_reason(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.does(step)?;
            world.keeps()?;
            world.waits_for_none_that_is_over()?;
        }
        world.does(&Step::Wait { ms: START_MS })?;
        world.does(&Step::Wait { ms: START_MS })?;
        world.keeps()?;
        for pid in 1..9 {
            world.does(&Step::End { pid })?;
            world.keeps()?;
        }
        prop_assert_eq!(world.sessions.open().count(), 0);
        prop_assert_eq!(world.sessions.starts().count(), 0);
        prop_assert!(world.wanted.is_subset(&world.refused), "{:?}", world.wanted);
    }
}
