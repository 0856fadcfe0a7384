//! SMS 2.0 SP3 as its articles describe it: Remodbc with the hotfix of KB Q245271, and its manager.
//!
//! A model, and a charitable one: its manager starts again what it finds stopped, its seats are
//! never miscounted, and "not running" counts as true of a process that hangs. What it shows is
//! KB Q299261: at the pack the service says "stopping" and does not stop, so that every control is
//! refused with 1061, and the manager reads any error as "not running" (9406) at each poll. Only
//! the end of the process helps; a control cannot bring it about.

mod server;

use std::collections::VecDeque;

use usher_core::lifecycle::{Control, ServiceState};

use crate::clients::{Answer, Ask};
use crate::clock::{Clock, DAY, Moment, SECOND, WEEK};
use crate::plan::{Outside, Plan};
use crate::rng::Rng;
use crate::run::Installation;
use crate::tally::Tally;
use crate::timeline::{Entry, Timeline};
use server::{Seat, Server};

/// Its name in a timeline.
pub(crate) const NAME: &str = "SP3";
/// Where the manager restarts it (KB Q245271), in kilobytes.
const MEMORY_LIMIT_KB: u64 = 50 * 1_024;

#[derive(Debug)]
pub(crate) struct Sp3 {
    server: Server,
    rng: Rng,
    poll_every: u64,
    patience: VecDeque<Option<u64>>,
    /// How long until somebody reboots it, once it cannot be steered.
    reboot_at: Option<u64>,
    tally: Tally,
    timeline: Timeline,
    /// False messages 9406 of the last 24 hours, by time.
    lately: VecDeque<u64>,
    /// The manager's last word was 9406; whether that was in a false stop.
    said: Option<bool>,
}

impl Sp3 {
    /// Runs from the beginning; `pack_time` is in Unix seconds, as in Remodbc.ini.
    pub(crate) fn new(plan: &Plan, pack_time: i64) -> Sp3 {
        Sp3 {
            server: Server::new(plan, pack_time),
            rng: Rng::new(plan.seed, 3),
            poll_every: plan.poll_every,
            patience: plan.patience.iter().copied().collect(),
            reboot_at: None,
            tally: Tally::default(),
            timeline: Timeline::default(),
            lately: VecDeque::new(),
            said: None,
        }
    }

    pub(crate) fn into_parts(self) -> (Tally, Timeline) {
        (self.tally, self.timeline)
    }

    fn note(&mut self, now: Moment, clock: &Clock, what: impl Into<String>) {
        self.timeline.add(Entry {
            at_ms: now.steady,
            time: clock.local(now),
            who: NAME,
            what: what.into(),
        });
    }

    /// Sends a control; whether it was taken, or the error.
    fn control(&mut self, now: Moment, control: Control) -> Result<(), u32> {
        self.tally.controls += 1;
        let must_take = self.server.doing().must_take(control);
        let taken = self.server.state.take(control).map_err(|it| it.number());
        if taken.is_err() {
            if must_take {
                self.tally.controls_wrongly_refused += 1;
            }
            return taken;
        }
        match control {
            Control::Stop => self.stop(now),
            Control::Pause => self.server.state = ServiceState::Paused,
            Control::Continue => self.server.state = ServiceState::Running,
            Control::Interrogate => {}
        }
        Ok(())
    }

    fn stop(&mut self, now: Moment) {
        self.server.stop(now, &mut self.rng);
        self.tally.stops_hung += u64::from(self.server.hung);
    }

    /// Says 9406: the manager reads every error so.
    fn say_not_running(&mut self, now: Moment, clock: &Clock, error: u32) {
        self.tally.messages += 1;
        let is_false = self.server.serves();
        if is_false {
            self.tally.false_messages += 1;
            self.tally.false_9406 += 1;
            self.tally.unknown_ms += self.poll_every;
            self.lately.push_back(now.steady);
            while self.lately.front().is_some_and(|at| now.steady - at >= DAY) {
                self.lately.pop_front();
            }
            let today = self.lately.len() as u64;
            self.tally.most_false_9406_a_day = self.tally.most_false_9406_a_day.max(today);
        }
        let in_false_stop = self.server.false_stop;
        if in_false_stop {
            self.tally.told_in_false_stop += 1;
        }
        // The timeline has the first of many.
        if self.said.replace(in_false_stop) == Some(in_false_stop) {
            return;
        }
        let what = match in_false_stop {
            true => "at each poll from now on; it serves on",
            false => "and it serves nobody",
        };
        let text = format!("9406 \"is not running\" (interrogate gets {error}), {what}");
        self.note(now, clock, text);
    }

    fn pack(&mut self, now: Moment, clock: &Clock) {
        self.server.pack_time += i64::try_from(WEEK / SECOND).unwrap_or(0);
        // Nonlic.dbf is open as long as anybody's client is connected (KB Q263023).
        let skipped = self.server.is_used() || self.rng.chance(90);
        match skipped {
            true => self.tally.packs_skipped += 1,
            false => self.tally.packs_done += 1,
        }
        if self.server.state == ServiceState::StopPending {
            return;
        }
        let what = match skipped {
            true => "pack: Nonlic.dbf is in use and is left out, nobody is told",
            false => "pack: all tables",
        };
        self.note(now, clock, what);
        self.server.false_stop_at = Some(now.steady + SECOND);
    }

    fn false_stop(&mut self, now: Moment, clock: &Clock) {
        self.server.false_stop_at = None;
        if !self.server.serves() || self.server.state == ServiceState::StopPending {
            return;
        }
        self.server.state = ServiceState::StopPending;
        self.server.false_stop = true;
        self.tally.false_states += 1;
        self.note(
            now,
            clock,
            "the service says stop_pending; it does not stop, and every control gets 1061",
        );
        self.plan_reboot(now);
    }

    fn plan_reboot(&mut self, now: Moment) {
        if self.reboot_at.is_none() {
            let after = self.patience.pop_front().flatten();
            self.reboot_at = after.map(|after| now.steady + after);
        }
    }

    fn reboot(&mut self, now: Moment, clock: &Clock) {
        self.reboot_at = None;
        if self.server.state != ServiceState::StopPending {
            return;
        }
        self.tally.reboots += 1;
        self.note(
            now,
            clock,
            "somebody has had enough and reboots the computer",
        );
        self.server.reboot(now);
    }

    fn watch_memory(&mut self, now: Moment, clock: &Clock) {
        if self.server.state != ServiceState::Running || self.server.memory_kb <= MEMORY_LIMIT_KB {
            return;
        }
        self.tally.memory_restarts += 1;
        self.stop(now);
        self.server.wants_start = true;
        match self.server.hung {
            true => {
                self.note(
                    now,
                    clock,
                    "over 50 MB: told to stop, and hangs in it: nobody is served",
                );
                self.plan_reboot(now);
            }
            false => self.note(now, clock, "over 50 MB: restarted by its manager"),
        }
    }
}

impl Installation for Sp3 {
    type Seat = Seat;

    fn happens(&mut self, now: Moment, what: Outside, clock: &Clock) {
        match what {
            Outside::Control(control) => {
                match self.control(now, control) {
                    Ok(()) => {
                        self.server.on_purpose |= control != Control::Interrogate;
                    }
                    Err(error) if self.server.false_stop && control != Control::Interrogate => {
                        let text = format!(
                            "an administrator sends {}: refused, {error}",
                            control.name()
                        );
                        self.note(now, clock, text);
                    }
                    Err(_) => {}
                }
                if self.server.hung {
                    self.plan_reboot(now);
                }
            }
            Outside::Start => self.server.wants_start = !self.server.serves(),
            Outside::GoOn => {
                let taken = self.control(now, Control::Continue);
                if taken.is_ok() {
                    self.server.on_purpose = false;
                }
            }
            Outside::Kill | Outside::KillInRequest { .. } => {
                if self.server.end(now) {
                    self.tally.kills += 1;
                    self.reboot_at = None;
                    self.note(now, clock, "its process is killed");
                }
            }
            Outside::Freeze { ms } => self.server.frozen_until = now.steady + ms,
            Outside::ClockStep { .. }
            | Outside::SlowDisk { .. }
            | Outside::HangDisk { .. }
            | Outside::Cut { .. } => {}
        }
    }

    fn poll(&mut self, now: Moment, clock: &Clock) {
        self.tally.polls += 1;
        if self.server.false_stop {
            self.tally.polls_in_false_stop += 1;
        }
        match self.control(now, Control::Interrogate) {
            Ok(()) => self.said = None,
            Err(error) => self.say_not_running(now, clock, error),
        }
        self.watch_memory(now, clock);
        if self.server.state == ServiceState::Stopped {
            self.server.wants_start = true;
        }
    }

    fn ask(&mut self, now: Moment, ask: Ask<'_, Seat>, clock: &Clock) -> Answer<Seat> {
        if self.server.is_packing(now, clock) {
            self.tally.requests_during_packs += 1;
        }
        self.server.ask(now, ask)
    }

    fn next_wake(&self, clock: &Clock) -> Option<u64> {
        [self.server.next_wake(clock), self.reboot_at]
            .into_iter()
            .flatten()
            .min()
    }

    fn wake(&mut self, now: Moment, clock: &Clock) {
        self.server.wake(now);
        if self.server.pack_is_due(now) {
            self.pack(now, clock);
        }
        if self.server.false_stop_at.is_some_and(|at| at <= now.steady) {
            self.false_stop(now, clock);
        }
        if self.reboot_at.is_some_and(|at| at <= now.steady) {
            self.reboot(now, clock);
        }
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }
}
