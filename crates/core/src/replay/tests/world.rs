//! A site that is simulated minute by minute, without a ledger: what it records is replayed.

use super::*;

/// What somebody wants: how long they would hold seats, and wait for them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    pub(super) at: i64,
    pub(super) person: u64,
    pub(super) seats: u32,
    pub(super) hold: i64,
    pub(super) waits: Waits,
}

struct Waiter {
    place: usize,
    leaves: Option<i64>,
}

struct Site<'a> {
    free: u32,
    wants: &'a [Want],
    /// When seats come back, and how many.
    ends: Vec<(i64, u32)>,
    queue: Vec<Waiter>,
    outcomes: Vec<Option<Outcome>>,
}

impl Site<'_> {
    fn seat(&mut self, at: i64, place: usize) {
        let want = self.wants[place];
        self.free -= want.seats;
        self.ends.push((at + want.hold, want.seats));
        self.outcomes[place] = Some(Outcome::Granted {
            held_ms: Some(minutes(want.hold).unsigned_abs()),
        });
    }

    fn serve(&mut self, at: i64) {
        while let Some(first) = self.queue.first() {
            let place = first.place;
            if self.wants[place].seats > self.free {
                return;
            }
            self.queue.remove(0);
            self.seat(at, place);
        }
    }

    /// What ends or leaves by that minute: seats come back before anybody leaves.
    fn settle(&mut self, at: i64) {
        loop {
            let end = self.ends.iter().position(|(end, _)| *end <= at);
            let is_over = |waiter: &Waiter| waiter.leaves.is_some_and(|leaves| leaves <= at);
            let leave = self.queue.iter().position(is_over);
            if let Some(end) = end {
                let (_, seats) = self.ends.remove(end);
                self.free += seats;
            } else if let Some(leave) = leave {
                let waiter = self.queue.remove(leave);
                self.outcomes[waiter.place] = Some(Outcome::LeftQueue);
            } else {
                return;
            }
            self.serve(at);
        }
    }
}

/// What a site with so many seats records of these wants, which are in the order of their minutes.
/// It lasts until nobody waits any more; `length` is the recording's, in minutes.
pub(super) fn recorded(seats: u32, wants: &[Want], length: i64) -> Recording {
    let mut site = Site {
        free: seats,
        wants,
        ends: Vec::new(),
        queue: Vec::new(),
        outcomes: vec![None; wants.len()],
    };
    let mut next = 0;
    let mut at = 0;
    while next < wants.len() || !site.queue.is_empty() {
        site.settle(at);
        while next < wants.len() && wants[next].at == at {
            site.settle(at);
            let want = wants[next];
            if site.queue.is_empty() && want.seats <= site.free {
                site.seat(at, next);
            } else if want.waits == Waits::No || want.seats > seats {
                site.outcomes[next] = Some(Outcome::Refused);
            } else {
                let leaves = match want.waits {
                    Waits::ForMs(ms) => Some(at + ms as i64 / MINUTE_MS),
                    _ => None,
                };
                site.queue.push(Waiter {
                    place: next,
                    leaves,
                });
            }
            next += 1;
        }
        // Who waits for no time at all is served in that minute, or leaves in it.
        site.settle(at);
        at += 1;
    }
    let asks = wants.iter().zip(&site.outcomes).map(|(want, outcome)| Ask {
        at_ms: minutes(want.at),
        person: want.person,
        computer: want.person,
        seats: want.seats,
        waits: want.waits,
        priority: 0,
        outcome: outcome.unwrap(),
    });
    recording(length, asks.collect())
}
