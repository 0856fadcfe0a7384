//! The recording that a past makes, and what was assumed of it.

use super::known::Known;
use super::unseated::Unseated;
use super::{Past, PastLease, PastRefusal, PastWait, Who};
use crate::concerns::counted;
use crate::replay::recording::{Ask, Outcome, Recording, Running, Waits};

/// A recording that was made of a past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The recording.
    pub recording: Recording,
    /// What was assumed or left out, a sentence each.
    pub notes: Vec<String>,
}

/// Makes a recording of a past. `frame` is the recording without what ran and what was asked for;
/// `past` is what touches its time, in any order. A lease may be there twice, once as it was while
/// it was held: then its end counts.
pub fn recorded(frame: Recording, past: &[Past]) -> Recorded {
    let known = Known::of(past);
    let unseated = Unseated::of(past, &known);
    let mut making = Making {
        known,
        unseated,
        recording: frame,
        strangers: 0,
        without_seat: 0,
        taken_as_patient: 0,
        left_out: 0,
    };
    for it in past {
        match it {
            Past::Lease(lease) => making.lease(lease),
            Past::Wait(wait) => making.wait(wait),
            Past::Refusal(refusal) => making.refusal(refusal),
            // Those without a seat follow; the others are told by their leases.
            Past::Session(_) => {}
        }
    }
    let runs: Vec<(Who, (i64, i64))> = making.unseated.each().collect();
    for (who, (from_ms, until_ms)) in runs {
        making.run(who, from_ms, until_ms);
    }
    // In an order of its own, so that the same past gives the same answer however it was read.
    let order = |ask: &Ask| {
        (
            ask.at_ms,
            ask.outcome.is_granted(),
            ask.person,
            ask.computer,
        )
    };
    making.recording.asks.sort_by_key(order);
    making.done()
}

struct Making {
    known: Known,
    unseated: Unseated,
    recording: Recording,
    /// How many people there were of whom nobody knows who they are.
    strangers: u64,
    without_seat: u64,
    taken_as_patient: u64,
    left_out: u64,
}

impl Making {
    fn lease(&mut self, lease: &PastLease) {
        if !lease.was_used || self.known.is_superseded(lease) {
            return;
        }
        let (from_ms, until_ms) = (self.recording.from_ms, self.recording.until_ms);
        let granted_ms = lease.granted_ms;
        let end_ms = lease
            .held_ms
            .map(|held_ms| granted_ms.saturating_add(signed(held_ms)));
        if end_ms.is_some_and(|end_ms| end_ms <= from_ms) && granted_ms < from_ms {
            return;
        }
        if granted_ms < from_ms {
            self.recording.running.push(Running {
                seats: lease.seats,
                until_ms: end_ms,
            });
            return;
        }
        let queued = self.known.queued(lease);
        let unseated_ms = signed(self.known.unseated_ms(lease.key));
        let began_ms = match queued {
            Some((queued_ms, _)) => queued_ms,
            None => granted_ms.saturating_sub(unseated_ms),
        };
        let at_ms = began_ms.min(granted_ms).max(from_ms);
        if at_ms >= until_ms {
            return;
        }
        // Who ran without a seat before has needed one from then on.
        let held_ms = match queued {
            Some(_) => lease.held_ms,
            None => end_ms.map(|end_ms| end_ms.saturating_sub(at_ms).max(0).unsigned_abs()),
        };
        let waits = match queued.is_some() || lease.ticket.is_some() {
            true => Waits::UntilServed,
            false => self.waits_at_once(lease.who),
        };
        self.ask(Ask {
            at_ms,
            waits,
            priority: queued.map_or(0, |(_, priority)| priority),
            outcome: Outcome::Granted { held_ms },
            ..of(lease.who, lease.seats)
        });
    }

    /// Whether somebody who was granted seats at once would have waited for them.
    fn waits_at_once(&mut self, who: Who) -> Waits {
        match self.known.is_patient(who.person) {
            true => {
                self.taken_as_patient += 1;
                Waits::UntilServed
            }
            false => Waits::No,
        }
    }

    fn wait(&mut self, wait: &PastWait) {
        if self.known.is_told_by_its_lease(wait) {
            return;
        }
        let from_ms = self.recording.from_ms;
        let end_ms = wait.queued_ms.saturating_add(signed(wait.waited_ms));
        let at_ms = wait.queued_ms.max(from_ms);
        if at_ms >= self.recording.until_ms || (wait.queued_ms < from_ms && end_ms <= from_ms) {
            return;
        }
        let (waits, outcome) = match self.known.was_in_vain(wait) {
            true => {
                let patience_ms = end_ms.saturating_sub(at_ms).max(0).unsigned_abs();
                (Waits::ForMs(patience_ms), Outcome::LeftQueue)
            }
            // Its lease came to no end yet, or was granted after the time.
            false => (Waits::UntilServed, Outcome::Granted { held_ms: None }),
        };
        self.ask(Ask {
            at_ms,
            waits,
            priority: wait.priority,
            outcome,
            ..of(wait.who, wait.seats)
        });
    }

    fn refusal(&mut self, refusal: &PastRefusal) {
        let time = self.recording.from_ms..self.recording.until_ms;
        let mut times_ms = vec![refusal.first_ms];
        if refusal.last_ms > refusal.first_ms {
            times_ms.push(refusal.last_ms);
        }
        times_ms.retain(|at_ms| time.contains(at_ms));
        if times_ms.is_empty() {
            return;
        }
        if !refusal.seats_help {
            self.left_out += 1;
            return;
        }
        // Who is refused and runs it all the same wants one thing.
        if self.unseated.runs(refusal.who, refusal.first_ms) {
            return;
        }
        let waits = match refusal.would_wait {
            Some(true) => Waits::UntilServed,
            Some(false) | None => Waits::No,
        };
        let ask = Ask {
            waits,
            outcome: Outcome::Refused,
            ..self.named(of(refusal.who, refusal.seats))
        };
        let asks = times_ms.into_iter().map(|at_ms| Ask { at_ms, ..ask });
        self.recording.asks.extend(asks);
    }

    /// A run without a seat, and without one that the same person held there.
    fn run(&mut self, who: Who, begin_ms: i64, end_ms: i64) {
        let (from_ms, until_ms) = (self.recording.from_ms, self.recording.until_ms);
        if begin_ms >= until_ms || (begin_ms < from_ms && end_ms <= from_ms) {
            return;
        }
        self.without_seat += 1;
        if begin_ms < from_ms {
            self.recording.running.push(Running {
                seats: 1,
                until_ms: Some(end_ms),
            });
            return;
        }
        let held_ms = end_ms.saturating_sub(begin_ms).max(0).unsigned_abs();
        self.ask(Ask {
            at_ms: begin_ms,
            outcome: Outcome::Granted {
                held_ms: Some(held_ms),
            },
            ..of(who, 1)
        });
    }

    fn ask(&mut self, ask: Ask) {
        let ask = self.named(ask);
        self.recording.asks.push(ask);
    }

    /// The same, of somebody else than all others if nobody knows who it was.
    fn named(&mut self, mut ask: Ask) -> Ask {
        if ask.person == UNKNOWN {
            // Numbers of people are below 2^63, and there are fewer strangers than that.
            ask.person = UNKNOWN.saturating_sub(self.strangers).saturating_sub(1);
            self.strangers = self.strangers.saturating_add(1);
        }
        ask
    }

    fn done(self) -> Recorded {
        let mut notes = Vec::new();
        if self.without_seat > 0 {
            notes.push(format!(
                "{} without a seat {} asks for one, for as long as the program ran. Of what one \
                 person ran on one computer at the same time, one counts.",
                counted(self.without_seat, "use"),
                if self.without_seat == 1 {
                    "counts among the"
                } else {
                    "count as"
                },
            ));
        }
        if self.taken_as_patient > 0 {
            notes.push(format!(
                "Nothing says whether somebody who was granted a seat at once would have waited for \
                 it. Who waited at another time is taken to: {}.",
                counted(self.taken_as_patient, "ask")
            ));
        }
        if self.left_out > 0 {
            notes.push(format!(
                "{} for other reasons than the number of seats {} left out.",
                counted(self.left_out, "refusal"),
                if self.left_out == 1 { "is" } else { "are" },
            ));
        }
        Recorded {
            recording: self.recording,
            notes,
        }
    }
}

/// The number of a person of whom nobody knows who it was, before it is made one of its own.
const UNKNOWN: u64 = u64::MAX;

/// An ask of somebody who does not wait, at no time yet.
fn of(who: Who, seats: u32) -> Ask {
    Ask {
        at_ms: 0,
        person: who.person.unwrap_or(UNKNOWN),
        computer: who.computer.unwrap_or(UNKNOWN),
        seats,
        waits: Waits::No,
        priority: 0,
        outcome: Outcome::Refused,
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
