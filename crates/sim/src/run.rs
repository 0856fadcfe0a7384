//! Lets a plan happen to an installation.

use crate::clients::{Answer, Ask, Clients};
use crate::clock::{Clock, Moment};
use crate::plan::{Outside, Plan};
use crate::tally::Tally;

/// A server and its manager.
pub(crate) trait Installation {
    /// What it hands out.
    type Seat: PartialEq;
    /// Something happens to it.
    fn happens(&mut self, now: Moment, what: Outside, clock: &Clock);
    /// Its manager looks at it.
    fn poll(&mut self, now: Moment, clock: &Clock);
    /// A client asks it.
    fn ask(&mut self, now: Moment, ask: Ask<'_, Self::Seat>, clock: &Clock) -> Answer<Self::Seat>;
    /// When it next does something by itself.
    fn next_wake(&self, clock: &Clock) -> Option<u64>;
    /// Does what is due by now.
    fn wake(&mut self, now: Moment, clock: &Clock);
    /// Its counts.
    fn tally(&mut self) -> &mut Tally;
}

/// How often in one millisecond an installation may do something by itself.
const WAKES_LIMIT: u32 = 10_000;

/// Lets everything happen, in the order of time; at the same instant first what the installation
/// does by itself, then what happens to it, then the poll, then the clients.
pub(crate) fn run<I: Installation>(plan: &Plan, site: &mut I) {
    let mut clock = Clock::new(plan.start_wall, plan.zone.clone());
    let mut clients = Clients::new(plan);
    let mut counted = Tally::default();
    let mut outside = plan.outside.iter().peekable();
    let mut poll_at = plan.poll_first;
    let mut last = 0;
    let mut wakes = 0;
    loop {
        // What became due by a step of the wall clock is due now.
        let wake = site.next_wake(&clock).map_or(u64::MAX, |at| at.max(last));
        let event = outside.peek().map_or(u64::MAX, |(at, _)| *at);
        let client = clients.next().unwrap_or(u64::MAX);
        let at = wake.min(event).min(poll_at).min(client).max(last);
        if at >= plan.length {
            break;
        }
        wakes = if at == last { wakes } else { 0 };
        last = at;
        let now = clock.at(at);
        if wakes >= WAKES_LIMIT {
            counted.broken_off += 1;
            break;
        }
        if wake == at {
            wakes += 1;
            site.wake(now, &clock);
        } else if event <= at {
            let Some((_, what)) = outside.next() else {
                continue;
            };
            if let Outside::ClockStep { by } = what {
                clock.step(*by);
            }
            site.happens(clock.at(at), *what, &clock);
        } else if poll_at <= at {
            poll_at += plan.poll_every;
            site.poll(now, &clock);
        } else {
            clients.ask(now, &mut counted, |ask| site.ask(now, ask, &clock));
        }
    }
    site.tally().add(&counted);
}
