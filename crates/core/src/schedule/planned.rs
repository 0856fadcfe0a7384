//! When a job that runs by a schedule is due next.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Schedule;

/// How far the clock of a time zone may be changed, besides changes of the wall clock itself.
const LEEWAY: SignedDuration = SignedDuration::from_hours(48);

/// A schedule in its zone, and the date of the next run. A date that has passed stays due until
/// [`Planned::pass`]: so a run that was missed is made up for, and however many were missed are
/// made up for by one.
#[derive(Debug, Clone)]
pub struct Planned {
    schedule: Schedule,
    zone: TimeZone,
    next: Option<Timestamp>,
}

impl Planned {
    /// A job whose first run is the schedule's first one after `now`.
    pub fn new(schedule: Schedule, zone: TimeZone, now: Timestamp) -> Planned {
        let next = schedule.next_after(now, &zone);
        Planned::kept(schedule, zone, next)
    }

    /// A job whose runs keep step with a given past or future run.
    pub fn in_step(schedule: Schedule, zone: TimeZone, run: Timestamp, now: Timestamp) -> Planned {
        let next = schedule.next_in_step(run, now, &zone);
        Planned::kept(schedule, zone, next)
    }

    /// A job whose next date was stored.
    pub fn kept(schedule: Schedule, zone: TimeZone, next: Option<Timestamp>) -> Planned {
        Planned {
            schedule,
            zone,
            next,
        }
    }

    /// The schedule.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The date of the next run; none if the calendar ends before it.
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Whether a run is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// Marks the due run as begun or skipped. If the wall clock is set back over its date, it does
    /// not run a second time.
    pub fn pass(&mut self, now: Timestamp) {
        let Some(next) = self.next else { return };
        self.next = self.schedule.next_in_step(next, next.max(now), &self.zone);
    }

    /// Discards a date that no run of the schedule can have, because the wall clock was far ahead
    /// when it was computed. Answers whether there was such a date.
    pub fn settle(&mut self, now: Timestamp) -> bool {
        let at_most = self.schedule.period() * 2 + LEEWAY;
        let is_far = |next: Timestamp| next.duration_since(now) > at_most;
        let wrong = self.next.is_some_and(is_far);
        if wrong {
            self.next = self.schedule.next_after(now, &self.zone);
        }
        wrong
    }
}
