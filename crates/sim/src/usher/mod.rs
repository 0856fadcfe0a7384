//! Usher's installation: a metering server made of shipped decisions on a made-up computer, and
//! its manager.

mod looks;
mod manager;
mod pack;
mod seats;
mod service;

use std::time::Duration;

use usher_core::health::{
    HealingStep, MemoryGuard, MemoryOptions, MemorySeen, MemoryStep, Observation,
};
use usher_core::ledger::LeaseId;
use usher_core::lifecycle::Control;
use usher_core::messages::Message;

use crate::clients::{Answer, Ask};
use crate::clock::{Clock, Moment, SECOND};
use crate::log::Log;
use crate::plan::{Outside, Plan};
use crate::planted::Planted;
use crate::rng::Rng;
use crate::run::Installation;
use crate::tally::Tally;
use crate::timeline::{Entry, Timeline};
use crate::truth::{Doing, Truth};
use manager::Manager;
use pack::Pack;
use seats::Seats;
use service::{News, Service};

/// Its name in a timeline.
pub(crate) const NAME: &str = "Usher";
/// What happens to all of a site, in a timeline.
const SITE: &str = "all";
/// From here on it is restarted when it harms nobody, in kilobytes: well before SP3 has to be, at
/// 50 MB.
const MEMORY_LIMIT_KB: u64 = 40 * 1_024;
/// Requests a second by day, and at night.
const BUSY: [u64; 2] = [100, 0];
/// How long the manager waits for an answer.
const PROBE_MS: u64 = 5 * SECOND;

#[derive(Debug)]
pub(crate) struct Usher {
    service: Service,
    seats: Seats,
    pack: Pack,
    manager: Manager,
    planted: Option<Planted>,
    first_good_look: Option<Observation>,
    poll_every: u64,
    leak_kb: u64,
    memory_kb: u64,
    memory: MemoryGuard,
    /// To be started again when it has stopped: its memory was the reason.
    restarting: bool,
    slow_disk: Option<(u64, u64)>,
    cut_until: u64,
    /// The next request is cut off, after it was committed or before.
    kill_in_request: Option<bool>,
    /// Troubles that no poll has seen yet.
    unseen: u64,
    tally: Tally,
    timeline: Timeline,
}

impl Usher {
    /// Starts at the beginning. `restarts_itself`: its service manager restarts what fails and has
    /// a watchdog; else its own manager heals it.
    pub(crate) fn new(
        plan: &Plan,
        now: Moment,
        restarts_itself: bool,
        log: Log,
        planted: Option<Planted>,
    ) -> Usher {
        Usher {
            service: Service::new(now, restarts_itself, Rng::new(plan.seed, 4)),
            seats: Seats::new(plan, now, log, planted),
            pack: Pack::new(now, plan.zone.clone(), Rng::new(plan.seed, 5)),
            manager: Manager::new(now),
            planted,
            first_good_look: None,
            poll_every: plan.poll_every,
            leak_kb: plan.leak_kb,
            memory_kb: 0,
            memory: MemoryGuard::new(MemoryOptions {
                latest_after: Duration::from_secs(86_400),
                ..MemoryOptions::limited_to(MEMORY_LIMIT_KB * 1_024)
            }),
            restarting: false,
            slow_disk: None,
            cut_until: 0,
            kill_in_request: None,
            unseen: 0,
            tally: Tally::default(),
            timeline: Timeline::default(),
        }
    }

    pub(crate) fn into_parts(mut self) -> (Tally, Timeline) {
        self.tally.wrong_recoveries = self.seats.wrong_recoveries();
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

    /// Sends a control; a refusal is judged by the truth.
    fn control(&mut self, now: Moment, control: Control) -> bool {
        self.tally.controls += 1;
        let must_take = self.service.doing().must_take(control);
        let taken = self.service.control(now, control).is_ok();
        if !taken && must_take {
            self.tally.controls_wrongly_refused += 1;
        }
        taken
    }

    fn trouble(&mut self, took_effect: bool) {
        if took_effect {
            self.tally.troubles += 1;
            self.unseen += 1;
        }
    }

    fn kill(&mut self, now: Moment) -> bool {
        let killed = self.service.kill(now);
        self.trouble(killed);
        killed
    }

    fn tell(&mut self, now: Moment, clock: &Clock, truth: Truth, message: &Message) {
        self.tally.messages += 1;
        let is_false = match (message.id, manager::verdict(message.id)) {
            (_, Some(verdict)) => !truth.bears(verdict),
            (9414, None) => !truth.is_good(),
            _ => false,
        };
        if is_false {
            self.tally.false_messages += 1;
            if message.id == 9406 {
                self.tally.false_9406 += 1;
            }
        }
        let mark = if is_false { "FALSE " } else { "" };
        self.note(
            now,
            clock,
            format!("{mark}{} \"{}\"", message.id, message.text()),
        );
    }

    fn heal(&mut self, now: Moment, clock: &Clock, truth: Truth, step: HealingStep) {
        if truth.is_good() {
            self.tally.needless_healing += 1;
        }
        let refused = match step {
            HealingStep::AskToStop => self.service.control(now, Control::Stop).err(),
            HealingStep::Start => self.service.start(now).err(),
            HealingStep::EndProcess => {
                self.service.kill(now);
                None
            }
            HealingStep::GiveUp => None,
        };
        if let Some(refusal) = refused
            && let Some(message) = self.manager.failed(now, refusal.meaning().to_owned())
        {
            self.tell(now, clock, truth, &message);
        }
    }

    /// Counts and tells what became of the process.
    fn hear(&mut self, now: Moment, clock: &Clock) {
        for news in std::mem::take(&mut self.service.news) {
            match news {
                News::Ended { asked } => {
                    self.memory_kb = 0;
                    if asked {
                        self.seats.close(now);
                    } else {
                        self.seats.kill(now);
                        self.tally.kills += 1;
                        self.note(now, clock, "its process has ended unasked");
                    }
                    if std::mem::take(&mut self.restarting) {
                        self.service.want_start();
                    }
                }
                News::Serves => self.seats.open(now),
                News::FalseState(state) => {
                    self.tally.false_states += 1;
                    let doing = self.service.doing();
                    self.note(now, clock, format!("FALSE state {state}: it is {doing:?}"));
                }
            }
        }
    }

    fn keep_up(&mut self, now: Moment, clock: &Clock) {
        let moves = matches!(
            self.service.doing(),
            Doing::Serving | Doing::Pausing | Doing::Paused | Doing::Continuing
        ) && !self.service.is_still(now)
            && !self.service.disk_hangs(now);
        if !moves {
            return self.pack.hold(now);
        }
        self.pack.resume(now);
        if self.pack.end(now) {
            self.tally.packs_done += 1;
            self.note(now, clock, "pack: done, all of it");
        }
        if !self.pack.is_due(now) {
            return;
        }
        match self.planted {
            Some(Planted::SkippedPack) => {
                self.pack.skip(now);
                self.tally.packs_skipped += 1;
            }
            planted => {
                self.pack.begin(now);
                self.note(now, clock, "pack: begins; the service is and says running");
                if planted == Some(Planted::FalseStop) {
                    self.service.lie_stopping(now);
                }
            }
        }
    }

    /// A server that grows is restarted at night and outside its pack, or when it must be.
    fn watch_memory(&mut self, now: Moment, clock: &Clock) {
        if self.restarting {
            return;
        }
        let is_night = (3..5).contains(&clock.local_hour(now));
        let seen = MemorySeen {
            resident_bytes: self.memory_kb * 1_024,
            requests: BUSY[usize::from(is_night)],
            pack_runs: self.pack.is_running(),
        };
        while let Some(step) = self.memory.next(now.span(), &seen) {
            let MemoryStep::Restart { at_latest } = step else {
                continue;
            };
            if self.service.control(now, Control::Stop).is_ok() {
                self.restarting = true;
                self.tally.memory_restarts += 1;
                let mb = self.memory_kb / 1_024;
                let when = if at_latest {
                    "at latest"
                } else {
                    "at a quiet hour"
                };
                self.note(now, clock, format!("at {mb} MB: restarted {when}"));
            }
            return;
        }
    }
}

impl Installation for Usher {
    type Seat = LeaseId;

    fn happens(&mut self, now: Moment, what: Outside, clock: &Clock) {
        match what {
            Outside::Control(control) => {
                let taken = self.control(now, control);
                self.service.on_purpose |= taken && control == Control::Stop;
                if self.pack.is_running() && control != Control::Interrogate {
                    let what = if taken { "taken" } else { "refused" };
                    let name = control.name();
                    let text = format!("an administrator sends {name} during the pack: {what}");
                    self.note(now, clock, text);
                }
            }
            Outside::Start => self.service.want_start(),
            Outside::GoOn => {
                self.tally.controls += 1;
                self.service.want_continue();
            }
            Outside::Kill => {
                self.kill(now);
            }
            Outside::KillInRequest { committed } => self.kill_in_request = Some(committed),
            Outside::Freeze { ms } => {
                let froze = self.service.freeze(now, ms);
                self.trouble(froze);
            }
            Outside::SlowDisk { commit_ms, ms } => {
                self.slow_disk = Some((commit_ms, now.steady + ms));
                self.trouble(commit_ms >= PROBE_MS && self.service.doing() != Doing::Nothing);
            }
            Outside::HangDisk { ms } => {
                let hangs = self.service.hang_disk(now, ms);
                self.trouble(hangs);
            }
            Outside::Cut { ms } => {
                self.cut_until = now.steady + ms;
                self.trouble(true);
            }
            Outside::ClockStep { by } => {
                self.timeline.add(Entry {
                    at_ms: now.steady,
                    time: clock.local(now),
                    who: SITE,
                    what: format!("the wall clock is set by {} min", by / 60_000),
                });
            }
        }
        self.hear(now, clock);
        self.keep_up(now, clock);
    }

    fn poll(&mut self, now: Moment, clock: &Clock) {
        self.tally.polls += 1;
        self.control(now, Control::Interrogate);
        let truth = self.truth(now);
        let seen = self.observe(now);
        let look = self.manager.look(now, &seen);
        let verdict = look.judgement.verdict;
        if !truth.bears(verdict) {
            self.tally.unknown_ms += self.poll_every;
        }
        if !verdict.is_good() {
            self.tally.troubles_told += self.unseen;
        }
        self.unseen = 0;
        for message in &look.messages {
            self.tell(now, clock, truth, message);
        }
        if let Some(step) = look.healing {
            self.heal(now, clock, truth, step);
        }
        self.hear(now, clock);
    }

    fn ask(&mut self, now: Moment, ask: Ask<'_, LeaseId>, clock: &Clock) -> Answer<LeaseId> {
        let doing = self.service.doing();
        let nobody = Answer::Nobody {
            on_purpose: self.service.on_purpose,
        };
        let hears = match doing {
            Doing::Serving | Doing::Continuing => true,
            // Leases live on; nothing is granted.
            Doing::Paused | Doing::Pausing => !matches!(ask, Ask::Checkout { .. }),
            Doing::Nothing | Doing::Opening | Doing::Draining => false,
        };
        if !hears || self.service.is_still(now) || self.commit_ms(now).is_none() {
            return nobody;
        }
        if self.pack.is_running() {
            self.tally.requests_during_packs += 1;
        }
        self.memory_kb += self.leak_kb;
        if let Some(committed) = self.kill_in_request.take() {
            self.seats.cut_off(now, ask, committed);
            self.kill(now);
            self.hear(now, clock);
            return nobody;
        }
        let answer = self.seats.ask(now, ask);
        self.watch_memory(now, clock);
        self.hear(now, clock);
        answer
    }

    fn next_wake(&self, clock: &Clock) -> Option<u64> {
        let pack = match self.service.doing() {
            Doing::Serving | Doing::Pausing | Doing::Paused | Doing::Continuing
                if !self.service.is_held() =>
            {
                self.pack.next_wake(clock)
            }
            _ => None,
        };
        [self.service.next_wake(), pack].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Moment, clock: &Clock) {
        self.service.wake(now);
        self.hear(now, clock);
        self.keep_up(now, clock);
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }
}
