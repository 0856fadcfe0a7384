//! One replay: all wishes, decided by the ledger with one number of seats and one draw.
//!
//! At one instant seats come back first, then those whose patience is over leave the queue, then
//! come those who ask, in the order of the recording. After the end of the recording nobody asks any
//! more, and who waits then is still served.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::ledger::{
    ComputerId, EventNumber, Lean, LeanAsk, LeanReply, Now, Steady, SubjectId, Wall,
};
use crate::replay::calm::{Draw, Stretch};
use crate::replay::ends::{End, Ends};
use crate::replay::figures::{Figures, Percentiles};
use crate::replay::parameters::{OnFull, Parameters};
use crate::replay::recording::Waits;
use crate::replay::wishes::{Attempt, Prepared};

/// After how many asks a replay says how far it has come.
pub const STEP_ASKS: u64 = 4_096;

/// The replay was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the replay was told to stop")]
pub struct Cancelled;

/// What is known of a wish during a replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// It has had its seats, or waits for them: later asks of it do not happen.
    is_taken: bool,
    /// It was refused, and will be asked for again.
    is_open: bool,
    has_waited: bool,
}

/// Who waits.
#[derive(Debug, Clone, Copy)]
struct Waiter {
    wish: u32,
    since_ms: i64,
}

struct Run<'a> {
    prepared: &'a Prepared,
    draw: &'a Draw,
    on_full: OnFull,
    seats: u32,
    overdraft: u32,
    queue_limit: u32,
    /// The longest delay, in milliseconds, that the service level allows.
    in_time_ms: u64,
    ledger: Lean,
    ends: Ends,
    /// When those who wait leave, the earliest first. One that was served is passed over.
    leaves: BinaryHeap<Reverse<(i64, EventNumber)>>,
    waiting: FxHashMap<EventNumber, Waiter>,
    /// By the place of the wish.
    states: Vec<State>,
    /// The room in which the ledger says who is served.
    served: Vec<EventNumber>,
    waits_ms: Vec<u64>,
    /// Wishes that were refused and will be asked for again.
    open: usize,
    /// Whether everybody has seats as the draw's stretches say; then the ledger and the ends are not
    /// kept up.
    is_calm: bool,
    found: Figures,
}

impl Prepared {
    /// Decides all wishes with so many seats, in a draw. Depends on its arguments alone. `go_on` is
    /// told after each [`STEP_ASKS`] asks how many are decided, and says whether to go on.
    pub fn replay(
        &self,
        seats: u32,
        parameters: &Parameters,
        draw: &Draw,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Figures, Cancelled> {
        let level = parameters.service_level;
        let mut run = Run {
            prepared: self,
            draw,
            on_full: parameters.on_full,
            seats,
            overdraft: parameters.overdraft,
            queue_limit: parameters.queue_limit,
            in_time_ms: level.map_or(0, |level| level.within_seconds.saturating_mul(1_000)),
            ledger: Lean::new(seats, parameters.overdraft, parameters.queue_limit),
            ends: Ends::default(),
            leaves: BinaryHeap::new(),
            waiting: FxHashMap::default(),
            states: vec![State::default(); self.wishes.len()],
            served: Vec::new(),
            waits_ms: Vec::new(),
            open: 0,
            is_calm: false,
            found: Figures::default(),
        };
        run.seat_running();
        for (number, attempts) in self.attempts.chunks(draw.stretch_asks).enumerate() {
            let first = number.saturating_mul(draw.stretch_asks);
            let done = first as u64;
            if done > 0 && done.is_multiple_of(STEP_ASKS) && !go_on(done) {
                return Err(Cancelled);
            }
            if run.takes_whole(draw.stretches.get(number)) {
                continue;
            }
            for (place, attempt) in (first..).zip(attempts) {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                run.pass_to(attempt.at_ms, place);
                run.ask(place, attempt);
            }
        }
        run.pass_to(i64::MAX, u32::MAX);
        Ok(run.figures())
    }
}

impl Run<'_> {
    fn now(&self, at_ms: i64) -> Now {
        let since_ms = at_ms.saturating_sub(self.prepared.from_ms);
        Now {
            steady: Steady(u64::try_from(since_ms).unwrap_or(0)),
            wall: Wall(at_ms),
        }
    }

    fn seat_running(&mut self) {
        let prepared = self.prepared;
        for (until_ms, seats) in prepared.ends_of_running() {
            self.ledger.hold(seats);
            self.ends.push(End {
                at_ms: until_ms,
                seats,
                wish: None,
            });
        }
        self.note_peak();
    }

    /// Takes a stretch as a whole if everybody has seats as it says and there are enough for all of
    /// it. Else the ledger has what is held before it, and is asked.
    fn takes_whole(&mut self, stretch: Option<&Stretch>) -> bool {
        let Some(stretch) = stretch else {
            // The last stretch that is kept was not taken, so the ledger is kept up.
            return false;
        };
        let there_are = u64::from(self.seats.saturating_add(self.overdraft));
        if stretch.peak > there_are || !(self.is_calm || self.agrees_with(stretch)) {
            if self.is_calm {
                self.wake(stretch);
            }
            return false;
        }
        self.is_calm = true;
        self.found.granted += stretch.granted;
        self.found.in_time += stretch.granted;
        self.found.peak = self.found.peak.max(stretch.peak);
        for wish in &stretch.asked_again {
            if let Some(state) = self.states.get_mut(*wish as usize) {
                state.is_taken = true;
            }
        }
        true
    }

    /// Whether the uses at this moment are those that a stretch begins with.
    fn agrees_with(&self, stretch: &Stretch) -> bool {
        if self.open > 0 || self.ledger.waiting() > 0 {
            return false;
        }
        let ends = self.ends.iter();
        let mut held: Vec<(u32, i64)> = ends
            .filter_map(|end| Some((end.wish?, end.at_ms)))
            .collect();
        if held.len() != stretch.held.len() {
            return false;
        }
        held.sort_unstable();
        let is_same = |((wish, end_ms), other): (&(u32, i64), &u32)| {
            wish == other && self.end_if_at_once(*wish) == Some(*end_ms)
        };
        held.iter().zip(&stretch.held).all(is_same)
    }

    /// When a wish ends that was granted when it was first asked for.
    fn end_if_at_once(&self, wish_place: u32) -> Option<i64> {
        let wish = self.prepared.wishes.get(wish_place as usize)?;
        let end_ms = self
            .draw
            .until_ms(self.prepared, wish.first_ms, wish_place, wish);
        Some(end_ms)
    }

    /// Begins to ask the ledger again, with what is held before a stretch.
    fn wake(&mut self, stretch: &Stretch) {
        let prepared = self.prepared;
        self.is_calm = false;
        self.ledger = Lean::new(self.seats, self.overdraft, self.queue_limit);
        self.ends.clear();
        // Numbers of tickets begin again with the ledger, and nobody waits.
        self.leaves.clear();
        self.waiting.clear();
        let running = prepared.ends_of_running();
        for (until_ms, seats) in running.filter(|(until_ms, _)| *until_ms > stretch.before_ms) {
            self.ledger.hold(seats);
            self.ends.push(End {
                at_ms: until_ms,
                seats,
                wish: None,
            });
        }
        for wish_place in &stretch.held {
            let wish = prepared.wishes.get(*wish_place as usize);
            if let (Some(wish), Some(end_ms)) = (wish, self.end_if_at_once(*wish_place)) {
                self.ledger.hold(wish.seats);
                self.ends.push(End {
                    at_ms: end_ms,
                    seats: wish.seats,
                    wish: Some(*wish_place),
                });
            }
        }
    }

    fn note_peak(&mut self) {
        self.found.peak = self.found.peak.max(self.ledger.in_use());
    }

    /// Lets time pass to an instant, that itself included. `next` is the place of the ask to come.
    fn pass_to(&mut self, to_ms: i64, next: u32) {
        loop {
            let end = self.ends.peek();
            let leave = self.leaves.peek().map(|Reverse(leave)| *leave);
            match (end, leave) {
                (Some(end), leave)
                    if end.at_ms <= to_ms
                        && leave.is_none_or(|(leave_ms, _)| end.at_ms <= leave_ms) =>
                {
                    self.ends.pop();
                    self.end(end.at_ms, end.seats);
                }
                (_, Some((leave_ms, ticket))) if leave_ms <= to_ms => {
                    self.leaves.pop();
                    self.leave(leave_ms, ticket, next);
                }
                _ => return,
            }
        }
    }

    fn end(&mut self, at_ms: i64, seats: u32) {
        let mut served = std::mem::take(&mut self.served);
        let now = self.now(at_ms);
        self.ledger.give_back(now, seats, &mut served);
        self.seat_served(at_ms, served);
    }

    /// Somebody's patience is over, unless they were served meanwhile.
    fn leave(&mut self, at_ms: i64, ticket: EventNumber, next: u32) {
        let Some(waiter) = self.waiting.remove(&ticket) else {
            return;
        };
        let mut served = std::mem::take(&mut self.served);
        let now = self.now(at_ms);
        self.ledger.leave(now, ticket, &mut served);
        self.note_wait(at_ms, waiter);
        let index = waiter.wish as usize;
        if let (Some(wish), Some(state)) =
            (self.prepared.wishes.get(index), self.states.get_mut(index))
        {
            state.is_taken = false;
            if wish.last < next {
                self.found.denied += 1;
            } else {
                state.is_open = true;
                self.open += 1;
            }
        }
        self.seat_served(at_ms, served);
    }

    /// Seats those whom the ledger has served, and keeps the list's room.
    fn seat_served(&mut self, at_ms: i64, mut served: Vec<EventNumber>) {
        for ticket in served.drain(..) {
            if let Some(waiter) = self.waiting.remove(&ticket) {
                self.note_wait(at_ms, waiter);
                self.seat(at_ms, waiter.wish);
            }
        }
        self.served = served;
        self.note_peak();
    }

    fn note_wait(&mut self, at_ms: i64, waiter: Waiter) {
        let waited_ms = at_ms.saturating_sub(waiter.since_ms);
        self.waits_ms.push(u64::try_from(waited_ms).unwrap_or(0));
    }

    fn ask(&mut self, place: u32, attempt: &Attempt) {
        let (at_ms, wish_place) = (attempt.at_ms, attempt.wish);
        let now = self.now(at_ms);
        let prepared = self.prepared;
        let index = wish_place as usize;
        let (Some(wish), Some(state)) = (prepared.wishes.get(index), self.states.get_mut(index))
        else {
            return;
        };
        if state.is_taken {
            return;
        }
        if state.is_open {
            state.is_open = false;
            self.open = self.open.saturating_sub(1);
        }
        let waits = match (self.on_full, attempt.waits) {
            (OnFull::Deny, _) => Waits::No,
            (OnFull::Wait, Waits::No) => Waits::UntilServed,
            (OnFull::Wait | OnFull::AsRecorded, waits) => waits,
        };
        let asked = LeanAsk {
            subject: SubjectId(wish.person),
            computer: ComputerId(wish.computer),
            seats: wish.seats,
            wait: waits != Waits::No,
            priority: attempt.priority,
        };
        match self.ledger.ask(now, asked) {
            LeanReply::Granted => {
                state.is_taken = true;
                self.seat(at_ms, wish_place);
                self.note_peak();
            }
            LeanReply::Queued(ticket) => {
                state.is_taken = true;
                if !state.has_waited {
                    state.has_waited = true;
                    self.found.waited += 1;
                }
                let waiter = Waiter {
                    wish: wish_place,
                    since_ms: at_ms,
                };
                self.waiting.insert(ticket, waiter);
                if let Waits::ForMs(patience_ms) = waits {
                    let patience_ms = i64::try_from(patience_ms).unwrap_or(i64::MAX);
                    let leave_ms = at_ms.saturating_add(patience_ms);
                    self.leaves.push(Reverse((leave_ms, ticket)));
                }
            }
            LeanReply::Denied(_) if wish.last == place => self.found.denied += 1,
            LeanReply::Denied(_) => {
                state.is_open = true;
                self.open += 1;
            }
        }
    }

    /// The seats of a wish are held from now on.
    fn seat(&mut self, at_ms: i64, wish_place: u32) {
        let Some(wish) = self.prepared.wishes.get(wish_place as usize) else {
            return;
        };
        let until_ms = self.draw.until_ms(self.prepared, at_ms, wish_place, wish);
        self.ends.push(End {
            at_ms: until_ms,
            seats: wish.seats,
            wish: Some(wish_place),
        });
        self.found.granted += 1;
        let delay_ms = u64::try_from(at_ms.saturating_sub(wish.first_ms)).unwrap_or(0);
        if delay_ms <= self.in_time_ms {
            self.found.in_time += 1;
        }
    }

    fn figures(self) -> Figures {
        let waits = Percentiles::of(self.waits_ms);
        Figures {
            wait_p50_ms: waits.p50_ms,
            wait_p95_ms: waits.p95_ms,
            wait_longest_ms: waits.longest_ms,
            ..self.found
        }
    }
}
