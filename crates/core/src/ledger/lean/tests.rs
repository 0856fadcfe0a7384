//! The lean ledger beside a whole one: whatever happens, both decide the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Ask {
        seats: u32,
        wait: bool,
        priority: i8,
    },
    /// Of those who hold seats, the one of this place in the order of their asks.
    GiveBack { nth: usize },
    /// Of those who wait.
    Leave { nth: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..4, any::<bool>(), -1_i8..2)
            .prop_map(|(seats, wait, priority)| Step::Ask { seats, wait, priority }),
        3 => any::<usize>().prop_map(|nth| Step::GiveBack { nth }),
        1 => any::<usize>().prop_map(|nth| Step::Leave { nth }),
    ]
}

/// What became of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Holds,
    Waits,
    Gone,
    Denied(Reason),
}

/// A whole ledger that is told the same. Its clock stands still, so nothing expires.
struct Whole {
    ledger: Ledger,
    asks: BTreeMap<usize, (u32, WholeState)>,
}

#[derive(Debug, Clone, Copy)]
enum WholeState {
    Lease(LeaseId),
    Ticket(TicketId),
    Gone,
    Denied(Reason),
}

impl Whole {
    fn new(seats: u32, overdraft: u32, queue_limit: u32) -> Whole {
        let mut ledger = Ledger::new(Incarnation(3));
        let product: Arc<str> = Arc::from("cad");
        let spec = ProductSpec {
            id: product.clone(),
            enabled: true,
            max_ttl_seconds: 86_400,
            queue_limit,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: Arc::from("{}"),
        };
        ledger.apply(NOW, Command::PutProduct { spec, new: true });
        let terms = EntitlementTerms {
            product,
            model: Model::Concurrent { seats, overdraft },
            from: None,
            to: None,
            details: None,
        };
        ledger.apply(NOW, Command::AddEntitlement(terms));
        ledger.seal();
        Whole {
            ledger,
            asks: BTreeMap::new(),
        }
    }

    fn ask(&mut self, number: usize, seats: u32, wait: bool, priority: i8) {
        let name: Arc<str> = Arc::from(format!("user-{number}"));
        let reply = self.ledger.apply(
            NOW,
            Command::Checkout(Checkout {
                product: Arc::from("cad"),
                also: Vec::new(),
                subject: SubjectRef {
                    authority: Arc::from("usher"),
                    key: name.clone(),
                    name,
                    candidate: number as u64 + 10,
                },
                computer: ComputerRef {
                    key: Arc::from("pc1"),
                    candidate: 7,
                },
                seats,
                ttl_seconds: Some(3_600),
                wait,
                priority,
                program: None,
            }),
        );
        self.ledger.seal();
        let state = match reply {
            Reply::Granted { lease, .. } => WholeState::Lease(lease.id),
            Reply::Queued(view) => WholeState::Ticket(view.ticket.id),
            Reply::Denied { reason, .. } => WholeState::Denied(reason),
            other => panic!("{other:?}"),
        };
        self.asks.insert(number, (seats, state));
    }

    fn end(&mut self, number: usize) {
        let Some((_, state)) = self.asks.get_mut(&number) else {
            return;
        };
        let access = Access::Anyone;
        let command = match *state {
            WholeState::Lease(lease) => Command::Checkin { lease, access },
            WholeState::Ticket(ticket) => {
                let found = self.ledger.ticket(ticket.number).map(|ticket| ticket.state);
                match found {
                    Some(TicketState::Granted { lease, .. }) => Command::Checkin { lease, access },
                    _ => Command::Cancel { ticket, access },
                }
            }
            WholeState::Gone | WholeState::Denied(_) => return,
        };
        *state = WholeState::Gone;
        self.ledger.apply(NOW, command);
        self.ledger.seal();
    }

    fn states(&self) -> BTreeMap<usize, State> {
        let state = |state: &WholeState| match state {
            WholeState::Lease(_) => State::Holds,
            WholeState::Ticket(ticket) => {
                match self.ledger.ticket(ticket.number).map(|found| found.state) {
                    Some(TicketState::Granted { .. }) => State::Holds,
                    Some(TicketState::Waiting { .. }) => State::Waits,
                    _ => State::Gone,
                }
            }
            WholeState::Gone => State::Gone,
            WholeState::Denied(reason) => State::Denied(*reason),
        };
        let asks = self.asks.iter();
        asks.map(|(number, (_, own))| (*number, state(own)))
            .collect()
    }
}

const NOW: Now = Now {
    steady: Steady(1_000_000),
    wall: Wall(1_700_000_000_000),
};

/// The number of the nth of those in that state.
fn nth(states: &BTreeMap<usize, State>, wanted: State, nth: usize) -> Option<usize> {
    let of: Vec<usize> = states
        .iter()
        .filter(|(_, state)| **state == wanted)
        .map(|(number, _)| *number)
        .collect();
    let place = nth.checked_rem(of.len())?;
    of.get(place).copied()
}

proptest! {
    #[test]
    fn a_lean_ledger_decides_as_a_whole_one(
        seats in 0_u32..5,
        overdraft in 0_u32..2,
        queue_limit in 0_u32..4,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut whole = Whole::new(seats, overdraft, queue_limit);
        let mut lean = Lean::new(seats, overdraft, queue_limit);
        let mut states: BTreeMap<usize, State> = BTreeMap::new();
        let mut seats_of: BTreeMap<usize, u32> = BTreeMap::new();
        let mut tickets: BTreeMap<EventNumber, usize> = BTreeMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            let mut served = Vec::new();
            match step {
                Step::Ask { seats, wait, priority } => {
                    whole.ask(number, seats, wait, priority);
                    let reply = lean.ask(NOW, LeanAsk {
                        subject: SubjectId(number as u64),
                        computer: ComputerId(7),
                        seats,
                        wait,
                        priority,
                    });
                    seats_of.insert(number, seats);
                    states.insert(number, match reply {
                        LeanReply::Granted => State::Holds,
                        LeanReply::Queued(ticket) => {
                            tickets.insert(ticket, number);
                            State::Waits
                        }
                        LeanReply::Denied(reason) => State::Denied(reason),
                    });
                }
                Step::GiveBack { nth: place } => {
                    if let Some(who) = nth(&states, State::Holds, place) {
                        whole.end(who);
                        states.insert(who, State::Gone);
                        lean.give_back(NOW, seats_of[&who], &mut served);
                    }
                }
                Step::Leave { nth: place } => {
                    if let Some(who) = nth(&states, State::Waits, place) {
                        whole.end(who);
                        states.insert(who, State::Gone);
                        let ticket = tickets.iter().find(|(_, other)| **other == who);
                        lean.leave(NOW, *ticket.unwrap().0, &mut served);
                    }
                }
            }
            for ticket in served {
                states.insert(tickets[&ticket], State::Holds);
            }
            prop_assert_eq!(&states, &whole.states());
            let (_, pool) = whole.ledger.product("cad").unwrap();
            prop_assert_eq!(lean.in_use(), pool.in_use);
            prop_assert_eq!(lean.waiting(), pool.queued() as usize);
        }
    }
}

#[test]
fn what_ran_before_holds_its_seats_even_beyond_those_that_are_owned() {
    let mut lean = Lean::new(1, 0, u32::MAX);
    lean.hold(1);
    lean.hold(1);
    let ask = LeanAsk {
        subject: SubjectId(1),
        computer: ComputerId(1),
        seats: 1,
        wait: false,
        priority: 0,
    };
    assert_eq!(lean.in_use(), 2);
    let mut served = Vec::new();
    lean.give_back(NOW, 1, &mut served);
    assert_eq!(lean.ask(NOW, ask), LeanReply::Denied(Reason::NoSeat));
    lean.give_back(NOW, 1, &mut served);
    assert_eq!(lean.ask(NOW, ask), LeanReply::Granted);
    assert!(served.is_empty());
}
