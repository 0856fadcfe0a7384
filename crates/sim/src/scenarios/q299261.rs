//! KB Q299261, played again: four weeks of a site with SMS 2.0 SP3, and the same four weeks with
//! Usher.

use jiff::Span;
use jiff::civil::time;
use usher_core::lifecycle::Control;

use super::{Options, ends};
use crate::clock::{DAY, HOUR, MINUTE, SECOND, WEEK, timestamp};
use crate::log::Log;
use crate::plan::{self, Outside, Plan};
use crate::report::{Column, Report};
use crate::rng::Rng;
use crate::run::run;
use crate::sp3::{self, Sp3};
use crate::tally::Tally;
use crate::usher::{self, Usher};

pub(super) const NAME: &str = "q299261";
const WEEKS: u64 = 4;

pub(super) fn play(options: &Options) -> Report {
    let plan = plan(options.seed);
    let (clock, first, last) = ends(&plan);
    let dues = packs_due(&plan);

    let first_pack = dues.first().copied().unwrap_or(i64::MAX);
    let mut sp3 = Sp3::new(&plan, first_pack.div_euclid(1_000));
    run(&plan, &mut sp3);
    let (mut old, old_moments) = sp3.into_parts();

    let log = Log::of(options.log, options.planted, Log::Store);
    let mut usher = Usher::new(&plan, first, true, log, options.planted);
    run(&plan, &mut usher);
    let (mut new, new_moments) = usher.into_parts();

    for tally in [&mut old, &mut new] {
        tally.packs_due = dues.len() as u64;
    }
    // Its service manager cures them within seconds, and the next poll is minutes away.
    new.troubles = 0;
    new.troubles_told = 0;
    let left_out = old_moments.left_out() + new_moments.left_out();
    let mut timeline: Vec<_> = old_moments
        .into_entries()
        .chain(new_moments.into_entries())
        .collect();
    timeline.sort_by_key(|entry| entry.at_ms);
    Report {
        scenario: NAME,
        seed: options.seed,
        log,
        from: clock.local(first),
        to: clock.local(last),
        timeline,
        left_out,
        faults: faults(&old, &new),
        columns: vec![
            Column {
                name: sp3::NAME,
                tally: old,
            },
            Column {
                name: usher::NAME,
                tally: new,
            },
        ],
    }
}

/// Usher's column must be clean, and SP3's must show what the article tells: else nothing was
/// played.
fn faults(old: &Tally, new: &Tally) -> Vec<String> {
    let mut faults = new.faults();
    // A server that hangs in an earlier stop comes to no pack.
    let is_shown = old.polls_in_false_stop > 0 || old.stops_hung > 0;
    if !is_shown || old.polls_in_false_stop != old.told_in_false_stop {
        faults.push(format!(
            "the model of SP3 said 9406 at {} of {} polls in a false stop: it is not that of the article",
            old.told_in_false_stop, old.polls_in_false_stop
        ));
    }
    faults
}

/// Every Sunday 01:59:59 of the four weeks, counted on a calendar and not by the schedule that is
/// tested.
fn packs_due(plan: &Plan) -> Vec<i64> {
    let monday = plan.zone.to_datetime(timestamp(plan.start_wall)).date();
    (0..i32::try_from(WEEKS).unwrap_or(0))
        .filter_map(|week| {
            let sunday = monday.saturating_add(Span::new().weeks(week).days(6));
            let due = sunday.to_datetime(time(1, 59, 59, 0));
            Some(plan.zone.to_timestamp(due).ok()?.as_millisecond())
        })
        .collect()
}

fn plan(seed: u64) -> Plan {
    let mut rng = Rng::new(seed, 1);
    let zone = plan::new_york();
    let length = WEEKS * WEEK;
    let start_wall = plan::monday(&mut rng, &zone);
    let poll_every = 15 * MINUTE;
    let mut plan = Plan {
        seed,
        zone,
        start_wall,
        length,
        poll_first: plan::poll_first(&mut rng, poll_every),
        poll_every,
        seats: vec![12, 8],
        ttl_seconds: 3_600,
        uses: plan::uses(&mut rng, length, 20),
        outside: Vec::new(),
        leak_kb: rng.within(8..=24),
        patience: Vec::new(),
    };
    plan.outside = outside(&mut rng, &plan);
    plan.patience = (0..WEEKS)
        .map(|_| rng.chance(80).then(|| rng.within(DAY..=6 * DAY)))
        .collect();
    plan
}

/// An administrator's day, and what befalls a server in four weeks.
fn outside(rng: &mut Rng, plan: &Plan) -> Vec<(u64, Outside)> {
    let mut outside = Vec::new();
    let mut spare = Rng::new(rng.next(), 2);
    for day in 0..WEEKS * 7 {
        let morning = day * DAY + 9 * HOUR + spare.within(0..=HOUR);
        outside.push((morning, Outside::Control(Control::Interrogate)));
        let noon = day * DAY + 12 * HOUR + spare.within(0..=HOUR);
        let gap = spare.within(5 * SECOND..=40 * SECOND);
        match spare.within(0..=29) {
            0 => plan::restart(&mut outside, noon, gap),
            1 | 2 => plan::pause(&mut outside, noon, gap),
            3 => outside.push((noon, plan::kill(&mut spare))),
            4 | 5 => {
                let ms = spare.within(5 * SECOND..=40 * SECOND);
                outside.push((noon, Outside::Freeze { ms }));
            }
            6 | 7 => plan::wrong_clock(&mut spare, &mut outside, noon + 7 * HOUR),
            _ => {}
        }
    }
    for (week, due) in packs_due(plan).into_iter().enumerate() {
        let pack = u64::try_from(due - plan.start_wall).unwrap_or(0);
        during_pack(&mut spare, &mut outside, pack);
        // On a Tuesday evening it stays stopped for a while, on purpose.
        if week == 1 {
            let evening = WEEK + DAY + 20 * HOUR;
            let gap = spare.within(5 * MINUTE..=15 * MINUTE);
            plan::restart(&mut outside, evening, gap);
        }
    }
    outside.sort_by_key(|(at, _)| *at);
    outside
}

/// What comes while the pack runs: controls of all kinds, now and then a kill or a clock that is
/// set.
fn during_pack(rng: &mut Rng, outside: &mut Vec<(u64, Outside)>, pack: u64) {
    let mut at = pack + rng.within(SECOND..=20 * SECOND);
    for _ in 0..rng.within(2..=5) {
        match rng.within(0..=29) {
            0..=9 => outside.push((at, Outside::Control(Control::Interrogate))),
            10..=18 => plan::pause(outside, at, 10 * SECOND),
            19..=27 => plan::restart(outside, at, 5 * SECOND),
            28 => outside.push((at, plan::kill(rng))),
            _ => plan::wrong_clock(rng, outside, at),
        }
        at += rng.within(MINUTE..=3 * MINUTE);
    }
    if rng.chance(20) {
        let before = pack - rng.within(MINUTE..=2 * HOUR);
        plan::wrong_clock(rng, outside, before);
    }
}
