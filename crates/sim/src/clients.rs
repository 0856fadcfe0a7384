//! Those who ask for seats: the same people with the same patience at every installation, and what
//! is right to answer them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::clock::{MINUTE, Moment, SECOND};
use crate::plan::{Plan, Use};
use crate::tally::Tally;

/// How long a client asks again before it counts as failed. Usher's own client waits as long.
const PATIENCE: u64 = MINUTE;
/// How long it waits between two times.
const AGAIN: u64 = 2 * SECOND;

/// What is asked of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a, Seat> {
    /// A seat. The key is the same when the same is asked again.
    Checkout {
        key: u128,
        product: usize,
        person: u64,
    },
    /// To keep a seat.
    Renew(&'a Seat),
    /// To give a seat back.
    Checkin(&'a Seat),
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer<Seat> {
    Granted(Seat),
    /// Every seat is in use, it says.
    Denied,
    Done,
    /// It knows of no such seat, or answers something that nobody asked for.
    Wrong,
    /// Nobody answered, or the answer was to ask again.
    Nobody {
        /// An administrator has stopped or paused it.
        on_purpose: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Checkout,
    Renew,
    Checkin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: u64,
    index: usize,
    step: Step,
    asked_first: u64,
    /// It was asked before, and somebody had stopped the server on purpose.
    met_purpose: bool,
}

#[derive(Debug)]
pub(crate) struct Clients<'a, Seat> {
    plan: &'a Plan,
    next_use: usize,
    due: BinaryHeap<Reverse<Due>>,
    /// What is held by each use, and until when it lives without renewal.
    seats: Vec<Option<(Seat, u64)>>,
    /// The uses that hold a seat.
    holding: Vec<usize>,
    /// How many seats are held of each product, as those who hold them know.
    held: Vec<u32>,
    /// Seats whose checkin was lost: the server counts them until then at the latest.
    lingering: Vec<(u64, usize)>,
    /// Checkouts of each product that were sent and not answered: each may hold a seat.
    in_doubt: Vec<u32>,
}

impl<'a, Seat: PartialEq> Clients<'a, Seat> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Clients {
            plan,
            next_use: 0,
            due: BinaryHeap::new(),
            seats: plan.uses.iter().map(|_| None).collect(),
            holding: Vec::new(),
            held: vec![0; plan.seats.len()],
            lingering: Vec::new(),
            in_doubt: vec![0; plan.seats.len()],
        }
    }

    /// When somebody asks next.
    pub(crate) fn next(&self) -> Option<u64> {
        let new = self.plan.uses.get(self.next_use).map(|it| it.at);
        let known = self.due.peek().map(|Reverse(due)| due.at);
        [new, known].into_iter().flatten().min()
    }

    /// Lets the next one ask.
    pub(crate) fn ask(
        &mut self,
        now: Moment,
        tally: &mut Tally,
        server: impl FnOnce(Ask<'_, Seat>) -> Answer<Seat>,
    ) {
        let new = self.plan.uses.get(self.next_use).map(|it| it.at);
        let is_known = self
            .due
            .peek()
            .is_some_and(|Reverse(due)| new.is_none_or(|at| due.at <= at));
        let due = if is_known {
            let Some(Reverse(due)) = self.due.pop() else {
                return;
            };
            due
        } else {
            self.next_use += 1;
            Due {
                at: now.steady,
                index: self.next_use - 1,
                step: Step::Checkout,
                asked_first: now.steady,
                met_purpose: false,
            }
        };
        let Some(it) = self.plan.uses.get(due.index).copied() else {
            return;
        };
        let is_repeat = due.asked_first != now.steady;
        if !is_repeat {
            tally.requests += 1;
        } else if due.step == Step::Checkout {
            self.in_doubt[it.product] -= 1;
        }
        let seat = self.seats[due.index].as_ref().map(|(seat, _)| seat);
        let answer = match (due.step, seat) {
            (Step::Renew, Some(seat)) => server(Ask::Renew(seat)),
            (Step::Checkin, Some(seat)) => server(Ask::Checkin(seat)),
            _ => server(Ask::Checkout {
                key: (u128::from(self.plan.seed) << 64) | due.index as u128,
                product: it.product,
                person: it.person,
            }),
        };
        self.take(now, tally, due, it, answer);
    }

    fn take(&mut self, now: Moment, tally: &mut Tally, due: Due, it: Use, answer: Answer<Seat>) {
        let owned = self.plan.seats[it.product];
        match answer {
            Answer::Granted(seat) => {
                self.held[it.product] += 1;
                if self.held[it.product] > owned {
                    tally.over_granted += 1;
                }
                let is_anothers = |index: &usize| {
                    let other = self.seats[*index].as_ref();
                    other.is_some_and(|(other, _)| *other == seat)
                };
                if self.holding.iter().any(is_anothers) {
                    tally.requests_wrong += 1;
                }
                self.holding.push(due.index);
                self.seats[due.index] = Some((seat, now.steady + self.ttl_ms()));
                self.go_on(now, due.index, it);
            }
            Answer::Denied => match self.may_be_taken(now, it.product) >= owned {
                true => tally.denied += 1,
                false => tally.requests_wrong += 1,
            },
            Answer::Done if due.step == Step::Renew => {
                let until = now.steady + self.ttl_ms();
                if let Some((_, lives_until)) = &mut self.seats[due.index] {
                    *lives_until = until;
                }
                self.go_on(now, due.index, it);
            }
            Answer::Done => self.give_back(due.index, it),
            Answer::Wrong => {
                let lives = self.seats[due.index]
                    .as_ref()
                    .is_none_or(|(_, until)| now.steady < *until);
                match lives {
                    true => tally.requests_wrong += 1,
                    // It could not be renewed in time, and its seat has gone to others.
                    false => tally.requests_failed += 1,
                }
                self.give_back(due.index, it);
            }
            Answer::Nobody { on_purpose } if now.steady - due.asked_first >= PATIENCE => {
                match on_purpose || due.met_purpose {
                    true => tally.requests_while_stopped += 1,
                    false => tally.requests_failed += 1,
                }
                match due.step {
                    Step::Checkout => {}
                    // The program runs on, and its next renewal may be heard.
                    Step::Renew => self.go_on(now, due.index, it),
                    Step::Checkin => {
                        let until = now.steady + self.ttl_ms();
                        self.lingering.push((until, it.product));
                        self.give_back(due.index, it);
                    }
                }
            }
            Answer::Nobody { on_purpose } => {
                if due.step == Step::Checkout {
                    self.in_doubt[it.product] += 1;
                }
                self.due.push(Reverse(Due {
                    at: now.steady + AGAIN,
                    met_purpose: due.met_purpose || on_purpose,
                    ..due
                }));
            }
        }
    }

    fn ttl_ms(&self) -> u64 {
        u64::from(self.plan.ttl_seconds) * SECOND
    }

    /// Seats of a product that the server may rightly see as taken.
    fn may_be_taken(&mut self, now: Moment, product: usize) -> u32 {
        self.lingering.retain(|(until, _)| *until > now.steady);
        let lingering = self.lingering.iter().filter(|(_, it)| *it == product);
        let lingering = u32::try_from(lingering.count()).unwrap_or(u32::MAX);
        (self.held[product] + self.in_doubt[product]).saturating_add(lingering)
    }

    /// The next renewal, or the end.
    fn go_on(&mut self, now: Moment, index: usize, it: Use) {
        let end = (it.at + it.length).max(now.steady + 1);
        let renewal = now.steady + self.ttl_ms() / 3;
        let (at, step) = match renewal < end {
            true => (renewal, Step::Renew),
            false => (end, Step::Checkin),
        };
        self.due.push(Reverse(Due {
            at,
            index,
            step,
            asked_first: at,
            met_purpose: false,
        }));
    }

    fn give_back(&mut self, index: usize, it: Use) {
        if self.seats[index].take().is_some() {
            self.holding.retain(|it| *it != index);
            self.held[it.product] -= 1;
        }
    }
}
