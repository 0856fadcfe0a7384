//! What happens from outside, drawn from a seed before anything begins: the same for every
//! installation that is put under it.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use usher_core::lifecycle::Control;

use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::rng::Rng;

/// Something that happens to a server or is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// An administrator sends a control.
    Control(Control),
    /// An administrator wants it to run: asked again until it does.
    Start,
    /// An administrator wants it to go on after a pause: asked again until it does.
    GoOn,
    /// Its process is killed.
    Kill,
    /// Its process is killed in the middle of the next request.
    KillInRequest {
        /// After the request was made durable; else before.
        committed: bool,
    },
    /// Its process stands still for so long.
    Freeze { ms: u64 },
    /// Each commit takes so long, for so long.
    SlowDisk { commit_ms: u64, ms: u64 },
    /// No commit ends for so long.
    HangDisk { ms: u64 },
    /// Nobody reaches its computer for so long.
    Cut { ms: u64 },
    /// Somebody sets the wall clock of its computer.
    ClockStep { by: i64 },
}

/// One use of a product: a checkout, renewals, a checkin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) at: u64,
    pub(crate) length: u64,
    pub(crate) product: usize,
    pub(crate) person: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) zone: TimeZone,
    /// The wall clock at the beginning, a Monday at midnight.
    pub(crate) start_wall: i64,
    pub(crate) length: u64,
    pub(crate) poll_first: u64,
    pub(crate) poll_every: u64,
    /// Seats owned of each product.
    pub(crate) seats: Vec<u32>,
    pub(crate) ttl_seconds: u32,
    /// What people do, in order of time.
    pub(crate) uses: Vec<Use>,
    /// What happens from outside, in order of time.
    pub(crate) outside: Vec<(u64, Outside)>,
    /// What a request leaves behind in memory, in kilobytes.
    pub(crate) leak_kb: u64,
    /// After how long an administrator reboots a server that cannot be steered: for the first time
    /// and so on; never, if there is none.
    pub(crate) patience: Vec<Option<u64>>,
}

/// America/New_York as POSIX writes it: no time zone database decides what a seed gives.
const NEW_YORK: &str = "EST5EDT,M3.2.0,M11.1.0";

/// The zone of the site.
pub(crate) fn new_york() -> TimeZone {
    TimeZone::posix(NEW_YORK).unwrap_or(TimeZone::UTC)
}

/// Midnight on a Monday, as Unix milliseconds.
pub(crate) fn monday(rng: &mut Rng, zone: &TimeZone) -> i64 {
    // Half of all histories contain a switch of daylight saving time: on Sunday 8 March or on
    // Sunday 1 November 2026.
    let before = i32::try_from(rng.within(0..=3)).unwrap_or(0);
    let first = match rng.within(0..=3) {
        0 => Date::constant(2026, 3, 2).saturating_sub(jiff::Span::new().weeks(before)),
        1 => Date::constant(2026, 10, 26).saturating_sub(jiff::Span::new().weeks(before)),
        _ => {
            let weeks = i32::try_from(rng.within(0..=50)).unwrap_or(0);
            Date::constant(2026, 1, 5).saturating_add(jiff::Span::new().weeks(weeks))
        }
    };
    debug_assert_eq!(first.weekday(), Weekday::Monday);
    zone.to_timestamp(first.to_datetime(jiff::civil::Time::midnight()))
        .map_or(0, |at| at.as_millisecond())
}

/// People at work in daytime, and jobs that run day and night: somebody always asks.
pub(crate) fn uses(rng: &mut Rng, length: u64, people: u64) -> Vec<Use> {
    let mut uses = Vec::new();
    for day in (0..length).step_by(usize::try_from(DAY).unwrap_or(usize::MAX)) {
        let is_workday = day / DAY % 7 < 5;
        for person in 0..people {
            if is_workday || rng.chance(10) {
                let mut at = day + 8 * HOUR + rng.within(0..=4 * HOUR);
                for _ in 0..rng.within(1..=3) {
                    let length = rng.within(20 * MINUTE..=3 * HOUR);
                    let product = usize::from(rng.chance(30));
                    uses.push(Use {
                        at,
                        length,
                        product,
                        person,
                    });
                    at += length + rng.within(MINUTE..=HOUR);
                }
            }
        }
        let mut at = day + rng.within(0..=10 * MINUTE);
        while at < day + DAY {
            uses.push(Use {
                at,
                length: rng.within(MINUTE..=12 * MINUTE),
                product: 1,
                person: people,
            });
            // At night there are more of them.
            let is_night = (HOUR..4 * HOUR).contains(&(at % DAY));
            let pause = if is_night { 4 } else { 30 };
            at += rng.within(MINUTE..=pause * MINUTE);
        }
    }
    uses.retain(|it| it.at < length);
    uses.sort_by_key(|it| (it.at, it.person));
    uses
}

/// An administrator stops and starts it.
pub(crate) fn restart(outside: &mut Vec<(u64, Outside)>, at: u64, gap: u64) {
    outside.push((at, Outside::Control(Control::Stop)));
    outside.push((at + gap, Outside::Start));
}

/// An administrator pauses it and lets it go on.
pub(crate) fn pause(outside: &mut Vec<(u64, Outside)>, at: u64, gap: u64) {
    outside.push((at, Outside::Control(Control::Pause)));
    outside.push((at + gap, Outside::GoOn));
}

/// A wall clock that is wrong for some hours.
pub(crate) fn wrong_clock(rng: &mut Rng, outside: &mut Vec<(u64, Outside)>, at: u64) {
    let by = i64::try_from(rng.within(MINUTE..=3 * HOUR)).unwrap_or(0);
    let by = if rng.chance(50) { by } else { -by };
    outside.push((at, Outside::ClockStep { by }));
    let until = at + rng.within(HOUR..=6 * HOUR);
    outside.push((until, Outside::ClockStep { by: -by }));
}

/// A kill: of an idle process or in the middle of a request.
pub(crate) fn kill(rng: &mut Rng) -> Outside {
    match rng.within(0..=3) {
        0 | 1 => Outside::Kill,
        2 => Outside::KillInRequest { committed: false },
        _ => Outside::KillInRequest { committed: true },
    }
}

/// The offset of the first poll, and one each `every` from then on.
pub(crate) fn poll_first(rng: &mut Rng, every: u64) -> u64 {
    rng.within(0..=every.saturating_sub(SECOND))
}
