//! The process of Remodbc and its entry at the service manager.

use std::collections::BTreeMap;

use usher_core::lifecycle::ServiceState;

use crate::clients::{Answer, Ask};
use crate::clock::{Clock, MINUTE, Moment, SECOND};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::truth::Doing;

/// How long a stop takes, if it ends.
const STOP_MS: u64 = 5 * SECOND;
/// How long a start takes.
const START_MS: u64 = 10 * SECOND;
/// How long a reboot of the computer takes.
const REBOOT_MS: u64 = 3 * MINUTE;
/// In how many of a hundred cases a stop hangs (KB Q245271: "if the stop fails"; how often is our
/// guess).
const STOP_HANGS_PERCENT: u64 = 10;
/// How long the pack takes.
const PACK_MS: i64 = 5 * 60_000;

#[derive(Debug)]
pub(super) struct Server {
    /// What the service manager was last told.
    pub(super) state: ServiceState,
    /// It says that it stops, and serves on.
    pub(super) false_stop: bool,
    /// It hangs in a stop.
    pub(super) hung: bool,
    pub(super) false_stop_at: Option<u64>,
    pub(super) frozen_until: u64,
    /// Somebody wants it to run as soon as it is stopped.
    pub(super) wants_start: bool,
    /// An administrator has stopped or paused it.
    pub(super) on_purpose: bool,
    pub(super) memory_kb: u64,
    /// Unix seconds of the next pack.
    pub(super) pack_time: i64,
    stopped_at: Option<u64>,
    started_at: Option<u64>,
    leak_kb: u64,
    seats: Vec<u32>,
    /// Until when each seat is held, by product and number.
    in_use: Vec<BTreeMap<u64, u64>>,
    ttl_ms: u64,
    next_seat: u64,
}

/// A seat: its product and number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    product: usize,
    number: u64,
}

impl Server {
    pub(super) fn new(plan: &Plan, pack_time: i64) -> Server {
        Server {
            state: ServiceState::Running,
            false_stop: false,
            hung: false,
            false_stop_at: None,
            frozen_until: 0,
            wants_start: false,
            on_purpose: false,
            memory_kb: 0,
            pack_time,
            stopped_at: None,
            started_at: None,
            leak_kb: plan.leak_kb,
            seats: plan.seats.clone(),
            in_use: vec![BTreeMap::new(); plan.seats.len()],
            ttl_ms: u64::from(plan.ttl_seconds) * SECOND,
            next_seat: 1,
        }
    }

    /// What it does, whatever it reports.
    pub(super) fn doing(&self) -> Doing {
        match self.state {
            ServiceState::StopPending if self.false_stop => Doing::Serving,
            ServiceState::StopPending => Doing::Draining,
            ServiceState::Running => Doing::Serving,
            ServiceState::Paused => Doing::Paused,
            ServiceState::StartPending => Doing::Opening,
            _ => Doing::Nothing,
        }
    }

    pub(super) fn serves(&self) -> bool {
        matches!(self.doing(), Doing::Serving | Doing::Paused)
    }

    pub(super) fn is_used(&self) -> bool {
        self.in_use.iter().any(|seats| !seats.is_empty())
    }

    pub(super) fn stop(&mut self, now: Moment, rng: &mut Rng) {
        self.state = ServiceState::StopPending;
        self.hung = rng.chance(STOP_HANGS_PERCENT);
        self.stopped_at = (!self.hung).then_some(now.steady + STOP_MS);
    }

    /// Its process ends; whether there was one.
    pub(super) fn end(&mut self, now: Moment) -> bool {
        if self.state == ServiceState::Stopped {
            return false;
        }
        self.state = ServiceState::Stopped;
        self.false_stop = false;
        self.hung = false;
        self.false_stop_at = None;
        self.stopped_at = None;
        self.started_at = None;
        self.frozen_until = now.steady;
        self.memory_kb = 0;
        true
    }

    pub(super) fn reboot(&mut self, now: Moment) {
        self.end(now);
        self.state = ServiceState::StartPending;
        self.started_at = Some(now.steady + REBOOT_MS);
        self.on_purpose = false;
    }

    pub(super) fn pack_is_due(&self, now: Moment) -> bool {
        self.serves() && now.wall >= self.pack_time.saturating_mul(1_000)
    }

    /// Whether the last pack is still under way, if it were to take its whole time.
    pub(super) fn is_packing(&self, now: Moment, _: &Clock) -> bool {
        let week_ms = 604_800_000;
        let last = self.pack_time.saturating_mul(1_000) - week_ms;
        self.serves() && (last..last + PACK_MS).contains(&now.wall)
    }

    pub(super) fn ask(&mut self, now: Moment, ask: Ask<'_, Seat>) -> Answer<Seat> {
        let nobody = Answer::Nobody {
            on_purpose: self.on_purpose && !self.hung,
        };
        if !self.serves() || now.steady < self.frozen_until {
            return nobody;
        }
        self.memory_kb += self.leak_kb;
        let until = now.steady + self.ttl_ms;
        match ask {
            Ask::Checkout { .. } if self.state == ServiceState::Paused => nobody,
            Ask::Checkout { product, .. } => {
                let held = &mut self.in_use[product];
                held.retain(|_, until| *until > now.steady);
                if held.len() as u64 >= u64::from(self.seats[product]) {
                    return Answer::Denied;
                }
                let number = self.next_seat;
                self.next_seat += 1;
                held.insert(number, until);
                Answer::Granted(Seat { product, number })
            }
            Ask::Renew(seat) => match self.in_use[seat.product].get_mut(&seat.number) {
                Some(lives_until) => {
                    *lives_until = until;
                    Answer::Done
                }
                None => Answer::Wrong,
            },
            Ask::Checkin(seat) => {
                self.in_use[seat.product].remove(&seat.number);
                Answer::Done
            }
        }
    }

    pub(super) fn next_wake(&self, clock: &Clock) -> Option<u64> {
        let start = (self.wants_start && self.state == ServiceState::Stopped).then_some(0);
        let pack = self
            .serves()
            .then(|| clock.steady_of(self.pack_time.saturating_mul(1_000)));
        [
            self.stopped_at,
            self.started_at,
            self.false_stop_at,
            start,
            pack,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(super) fn wake(&mut self, now: Moment) {
        if self.stopped_at.is_some_and(|at| at <= now.steady) {
            self.end(now);
        }
        if self.wants_start && self.state == ServiceState::Stopped {
            self.wants_start = false;
            self.state = ServiceState::StartPending;
            self.started_at = Some(now.steady + START_MS);
        }
        if self.started_at.is_some_and(|at| at <= now.steady) {
            self.started_at = None;
            self.on_purpose = false;
            self.state = ServiceState::Running;
        }
    }
}
