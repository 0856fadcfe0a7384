//! A day of polls each second under load, packs, slow disks and wrong clocks: an alarm that is not
//! so is a fault, and so is a trouble that the next poll does not tell.

use jiff::Span;

use super::{Options, ends};
use crate::clock::{DAY, HOUR, MINUTE, SECOND, timestamp};
use crate::log::Log;
use crate::plan::{self, Outside, Plan};
use crate::report::{Column, Report};
use crate::rng::Rng;
use crate::run::run;
use crate::usher::{self, Usher};
use usher_core::lifecycle::Control;

pub(super) const NAME: &str = "false-alarms";

pub(super) fn play(options: &Options) -> Report {
    let plan = plan(options.seed);
    let (clock, first, last) = ends(&plan);
    // A poll each second asks for two commits each.
    let log = Log::of(options.log, options.planted, Log::Memory);
    let mut usher = Usher::new(&plan, first, false, log, options.planted);
    run(&plan, &mut usher);
    let (mut tally, moments) = usher.into_parts();
    // The day is a Saturday at noon to a Sunday at noon: one pack by the calendar.
    tally.packs_due = 1;

    let mut faults = tally.faults();
    // While a server is in trouble, requests fail: that is what is told. None is answered wrongly.
    faults.retain(|fault| !fault.ends_with("requests failed"));
    if tally.troubles == 0 || tally.troubles != tally.troubles_told {
        faults.push(format!(
            "{} of {} troubles were told at the next poll",
            tally.troubles_told, tally.troubles
        ));
    }
    let left_out = moments.left_out();
    Report {
        scenario: NAME,
        seed: options.seed,
        log,
        from: clock.local(first),
        to: clock.local(last),
        timeline: moments.into_entries().collect(),
        left_out,
        columns: vec![Column {
            name: usher::NAME,
            tally,
        }],
        faults,
    }
}

fn plan(seed: u64) -> Plan {
    let mut rng = Rng::new(seed, 11);
    let zone = plan::new_york();
    let monday = zone
        .to_datetime(timestamp(plan::monday(&mut rng, &zone)))
        .date();
    let saturday = monday.saturating_add(Span::new().days(5)).at(12, 0, 0, 0);
    let start_wall = zone
        .to_timestamp(saturday)
        .map_or(0, |at| at.as_millisecond());
    let mut outside = Vec::new();
    let mut at = rng.within(MINUTE..=10 * MINUTE);
    // One trouble after the other, far enough apart for each to be healed.
    while at + 40 * MINUTE < DAY {
        happening(&mut rng, &mut outside, at);
        at += rng.within(22 * MINUTE..=40 * MINUTE);
    }
    outside.sort_by_key(|(at, _)| *at);
    Plan {
        seed,
        zone,
        start_wall,
        length: DAY,
        poll_first: rng.within(1..=SECOND),
        poll_every: SECOND,
        seats: vec![12, 8],
        ttl_seconds: 3_600,
        uses: plan::uses(&mut rng, DAY, 20),
        outside,
        leak_kb: rng.within(6..=40),
        patience: Vec::new(),
    }
}

fn happening(rng: &mut Rng, outside: &mut Vec<(u64, Outside)>, at: u64) {
    let short = rng.within(3 * SECOND..=10 * MINUTE);
    match rng.within(0..=11) {
        0 | 1 => outside.push((at, Outside::Kill)),
        2 | 3 => outside.push((at, Outside::Freeze { ms: short })),
        4 => outside.push((at, Outside::HangDisk { ms: short })),
        5 => outside.push((at, Outside::Cut { ms: short })),
        // Within the limits and beyond.
        6 | 7 => {
            let commit_ms = rng.within(10..=4_900);
            outside.push((
                at,
                Outside::SlowDisk {
                    commit_ms,
                    ms: short,
                },
            ));
        }
        8 => {
            let commit_ms = rng.within(5 * SECOND..=MINUTE);
            outside.push((
                at,
                Outside::SlowDisk {
                    commit_ms,
                    ms: short,
                },
            ));
        }
        9 => plan::pause(outside, at, 20 * SECOND),
        10 => plan::restart(outside, at, 10 * SECOND),
        _ => {
            outside.push((at, Outside::Control(Control::Interrogate)));
            let by = i64::try_from(rng.within(MINUTE..=HOUR)).unwrap_or(0);
            let by = if rng.chance(50) { by } else { -by };
            outside.push((at, Outside::ClockStep { by }));
            outside.push((at + 20 * MINUTE, Outside::ClockStep { by: -by }));
        }
    }
}
