//! Upkeep of the simulated server: when it is due by the shipped schedule, and how far it is. It
//! has a state of its own, and the service's state knows nothing of it.

use jiff::tz::TimeZone;
use usher_core::schedule::Schedule;

use crate::clock::{Clock, MINUTE, Moment};
use crate::rng::Rng;

#[derive(Debug)]
pub(super) struct Pack {
    zone: TimeZone,
    /// When the next is due on the wall clock.
    due: i64,
    run: Option<Run>,
    rng: Rng,
}

#[derive(Debug)]
struct Run {
    whole: u64,
    left: u64,
    /// Since when it moves; none: nothing moves, for the server does not serve.
    moving_since: Option<u64>,
}

impl Pack {
    pub(super) fn new(now: Moment, zone: TimeZone, rng: Rng) -> Pack {
        Pack {
            due: due_after(now.wall, &zone),
            zone,
            run: None,
            rng,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.run.is_some()
    }

    pub(super) fn percent(&self, now: Moment) -> Option<u8> {
        let run = self.run.as_ref()?;
        let done = run.whole - run.left + run.moved(now.steady);
        u8::try_from((done * 100 / run.whole.max(1)).min(100)).ok()
    }

    /// When it next begins or ends, while the server serves.
    pub(super) fn next_wake(&self, clock: &Clock) -> Option<u64> {
        match &self.run {
            Some(run) => Some(run.moving_since? + run.left),
            None => Some(clock.steady_of(self.due)),
        }
    }

    /// Whether one is to begin.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.run.is_none() && self.due <= now.wall
    }

    /// Begins, and fixes the next date: a wall clock that is set back brings none twice.
    pub(super) fn begin(&mut self, now: Moment) {
        self.skip(now);
        let whole = self.rng.within(3 * MINUTE..=25 * MINUTE);
        self.run = Some(Run {
            whole,
            left: whole,
            moving_since: Some(now.steady),
        });
    }

    /// Lets this date pass.
    pub(super) fn skip(&mut self, now: Moment) {
        self.due = due_after(now.wall.max(self.due), &self.zone);
    }

    /// Whether the one under way is done now.
    pub(super) fn end(&mut self, now: Moment) -> bool {
        let is_done = self
            .run
            .as_ref()
            .is_some_and(|run| run.moved(now.steady) >= run.left);
        if is_done {
            self.run = None;
        }
        is_done
    }

    /// The server serves no more: what is done of it is kept.
    pub(super) fn hold(&mut self, now: Moment) {
        if let Some(run) = &mut self.run {
            run.left = run.left.saturating_sub(run.moved(now.steady));
            run.moving_since = None;
        }
    }

    /// It serves again.
    pub(super) fn resume(&mut self, now: Moment) {
        if let Some(run) = &mut self.run {
            run.moving_since.get_or_insert(now.steady);
        }
    }
}

impl Run {
    fn moved(&self, now: u64) -> u64 {
        self.moving_since
            .map_or(0, |since| now.saturating_sub(since))
    }
}

/// The next Sunday 01:59:59 after this instant, by the shipped schedule.
fn due_after(wall: i64, zone: &TimeZone) -> i64 {
    use jiff::civil::{Weekday, time};
    let schedule = Schedule::weekly(Weekday::Sunday, time(1, 59, 59, 0));
    let next = schedule.next_after(crate::clock::timestamp(wall), zone);
    next.map_or(i64::MAX, |due| due.as_millisecond())
}
