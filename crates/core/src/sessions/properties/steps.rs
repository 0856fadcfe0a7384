//! Odd histories of events, made up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::identify::ProgramRole;
use crate::sessions::*;

#[derive(Debug, Clone)]
pub(super) enum Step {
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
    Ask {
        pid: u32,
        parent: u32,
        user: u32,
        product: u8,
        run: bool,
    },
    /// What comes of what was asked: of one of the sessions that wait, as a rule.
    Answer {
        session: u64,
        late: bool,
        answer: Answer,
    },
    Wait {
        ms: u64,
    },
    Settle,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    Seat,
    Deny,
    Ungate,
    Away,
    Lose,
}

impl Answer {
    pub(super) fn event(self, session: u64) -> Event {
        let session = SessionId(session);
        match self {
            Answer::Seat => Event::Seated {
                session,
                lease: lease_of(session.0).into(),
            },
            Answer::Deny => Event::Denied { session },
            Answer::Ungate => Event::Ungated { session },
            Answer::Away => Event::Unreachable { session },
            Answer::Lose => Event::Unseated { session },
        }
    }
}

/// Now and then it is one that a cover holds.
pub(super) fn lease_of(session: u64) -> String {
    format!("L{}", session % 24)
}

pub(super) fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Seat),
        4 => Just(Answer::Deny),
        1 => Just(Answer::Ungate),
        2 => Just(Answer::Away),
        1 => Just(Answer::Lose),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pid = 1..24_u32;
    let pid_again = pid.clone();
    let step = prop_oneof![
        8 => (pid.clone(), pid.clone(), 0..3_u32, proptest::option::of((0..3_u8, any::<bool>())))
            .prop_map(|(pid, parent, user, product)| Step::Run { pid, parent, user, product }),
        6 => (pid.clone(), pid.clone()).prop_map(|(parent, child)| Step::Fork { parent, child }),
        6 => pid.clone().prop_map(|pid| Step::Exit { pid }),
        1 => pid.clone().prop_map(|pid| Step::Reuse { pid }),
        2 => (pid, 0..3_u8).prop_map(|(pid, product)| Step::Cover { pid, product }),
        1 => any::<u8>().prop_map(|mask| Step::Products { mask }),
        1 => (1..40_u64).prop_map(|session| Step::Seat { session }),
        8 => (pid_again.clone(), pid_again, 0..3_u32, 0..3_u8, any::<bool>()).prop_map(
            |(pid, parent, user, product, run)| Step::Ask { pid, parent, user, product, run }),
        8 => (0..40_u64, proptest::bool::weighted(0.2), answers())
            .prop_map(|(session, late, answer)| Step::Answer { session, late, answer }),
        1 => (0..80_u64).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Settle),
    ];
    proptest::collection::vec(step, 0..300)
}

/// Product 2 is counted by process.
pub(super) fn counting(product: u8) -> Counting {
    if product == 2 {
        Counting::Process
    } else {
        Counting::UserOnComputer
    }
}

pub(super) fn a_process(
    key: ProcessKey,
    parent: u32,
    user: u32,
    product: Option<(u8, bool)>,
) -> Process {
    Process {
        key,
        parent,
        who: Who {
            counted: AccountKey::new(user),
            real: AccountKey::new(0),
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
    }
}

pub(super) fn event(step: &Step, epoch: &BTreeMap<u32, u64>, ask: u64) -> Event {
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
        } => Event::Runs(a_process(key(*pid), *parent, *user, *product)),
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
            lease: lease_of(*session).into(),
        },
        Step::Ask {
            pid,
            parent,
            user,
            product,
            run,
        } => Event::Asked {
            ask: AskId(ask),
            process: a_process(key(*pid), *parent, *user, Some((*product, false))),
            unanswered: match run {
                true => Unanswered::Run,
                false => Unanswered::Refuse,
            },
        },
        Step::Answer {
            session, answer, ..
        } => answer.event(*session),
        Step::Wait { .. } => Event::Tick,
        Step::Settle => Event::Settled,
    }
}
