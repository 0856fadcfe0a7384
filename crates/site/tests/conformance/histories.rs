//! Random histories of a product: what a site is told, and the rows that it is told of.

use proptest::prelude::*;
use proptest::sample::select;
use usher_core::usage::{Denied, Grain, QUARTER_MS, Quantity, Row, Span, Wait};
use usher_site::{
    Ended, EndedDenial, EndedLease, EndedSession, EndedWait, HistoryItem, Made, Point, Run,
};

const MINUTE_MS: i64 = 60_000;
/// Of most of them the clock is changed soon after the beginning of Unix time or before it; all
/// have buckets that begin in a quarter of an hour.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "America/St_Johns",
    "Africa/Monrovia",
];

/// How something comes to light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    Once,
    /// And otherwise than the first time.
    Again,
    Missing,
}

impl Arrival {
    pub(crate) fn is_told(self) -> bool {
        self != Arrival::Missing
    }

    pub(crate) fn comes_again(self) -> bool {
        self == Arrival::Again
    }
}

/// What has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thing {
    what: What,
    person: u64,
    computer: u64,
    seats: u32,
    from_ms: i64,
    until_ms: i64,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Session {
        unseated_ms: u64,
        has_lease: bool,
    },
    Lease {
        kept: bool,
        unclaimed: bool,
        held: bool,
    },
    Denial {
        count: u64,
    },
    Wait {
        is_known: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) zone: &'static str,
    pub(crate) grain: Grain,
    /// From and to of the question.
    pub(crate) asked: (i64, i64),
    pub(crate) now_ms: i64,
    things: Vec<(Thing, Arrival)>,
}

/// Around 0: on a quarter of an hour, on a minute, or on any millisecond.
fn any_distance(minutes: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        (-minutes / 15..=minutes / 15).prop_map(|quarters| quarters * QUARTER_MS),
        (-minutes..=minutes).prop_map(|minutes| minutes * MINUTE_MS),
        -minutes * MINUTE_MS..=minutes * MINUTE_MS,
    ]
}

fn any_what() -> impl Strategy<Value = What> {
    let minutes = 0_u64..90;
    prop_oneof![
        4 => (minutes, any::<bool>()).prop_map(|(minutes, has_lease)| What::Session {
            unseated_ms: minutes * 60_000,
            has_lease,
        }),
        4 => (select(vec![false, false, true]), select(vec![false, false, true]), any::<bool>())
            .prop_map(|(kept, unclaimed, held)| What::Lease { kept, unclaimed, held }),
        2 => (1_u64..4).prop_map(|count| What::Denial { count }),
        1 => any::<bool>().prop_map(|is_known| What::Wait { is_known }),
    ]
}

fn any_thing() -> impl Strategy<Value = (Thing, Arrival)> {
    let who = (0_u64..6, 0_u64..4, 1_u32..4);
    // Some clocks are set back meanwhile, and some uses have no length.
    let length = prop_oneof![1 => Just(0_i64), 1 => Just(-5_i64), 8 => any_distance(600)];
    let arrival = select(vec![
        Arrival::Once,
        Arrival::Once,
        Arrival::Again,
        Arrival::Missing,
    ]);
    let all = (any_what(), who, any_distance(2_000), length, arrival);
    all.prop_map(
        |(what, (person, computer, seats), from_ms, length_ms, arrival)| {
            let length_ms = match what {
                // Repeats within a minute are one.
                What::Denial { .. } => length_ms.rem_euclid(MINUTE_MS),
                What::Wait { .. } => length_ms.abs(),
                What::Session { .. } | What::Lease { .. } if length_ms == -5 => -5,
                What::Session { .. } | What::Lease { .. } => length_ms.abs(),
            };
            let thing = Thing {
                what,
                person,
                computer,
                seats,
                from_ms,
                until_ms: from_ms + length_ms,
            };
            (thing, arrival)
        },
    )
}

pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let grain = select(vec![
        Grain::Hour,
        Grain::Day,
        Grain::Week,
        Grain::Month,
        Grain::Whole,
    ]);
    let time = (
        any_distance(1_500),
        any_distance(1_500),
        any_distance(2_000),
    );
    let things = proptest::collection::vec(any_thing(), 0..40);
    let all = (select(ZONES), grain, time, things);
    all.prop_map(
        |(zone, grain, (one_ms, other_ms, now_ms), things)| History {
            zone,
            grain,
            asked: (one_ms.min(other_ms), one_ms.max(other_ms) + 1),
            now_ms,
            things,
        },
    )
}

impl History {
    /// What is told of those that come to light so.
    pub(crate) fn told(
        &self,
        product: &str,
        number: usize,
        is_told: impl Fn(Arrival) -> bool,
    ) -> Vec<HistoryItem> {
        let numbered = (0_u64..).zip(&self.things);
        let told = numbered.filter(|(_, (_, arrival))| is_told(*arrival));
        told.map(|(event, (thing, _))| item(product, number, event, thing))
            .collect()
    }

    /// What comes a second time, as if it had lasted longer.
    pub(crate) fn told_again(&self, product: &str, number: usize) -> Vec<HistoryItem> {
        let mut other = self.clone();
        for (thing, _) in &mut other.things {
            thing.until_ms += 1;
        }
        other.told(product, number, Arrival::comes_again)
    }

    fn known(&self) -> impl Iterator<Item = &Thing> {
        let known = self.things.iter().filter(|(_, arrival)| arrival.is_told());
        known.map(|(thing, _)| thing)
    }

    /// The rows of uses.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let numbered = (0_u64..).zip(&self.things);
        let known = numbered.filter(|(_, (_, arrival))| arrival.is_told());
        let held = known
            .clone()
            .filter_map(|(event, (thing, _))| match thing.what {
                What::Session {
                    has_lease: true, ..
                } => Some(held_by(event)),
                _ => None,
            });
        let held: Vec<u64> = held.collect();
        known
            .flat_map(|(event, (thing, _))| rows(thing, held.contains(&event)))
            .collect()
    }

    pub(crate) fn denied(&self) -> Vec<Denied> {
        let denied = self.known().filter_map(|thing| match thing.what {
            What::Denial { count } if thing.from_ms < self.now_ms => Some(Denied {
                person: thing.person,
                computer: thing.computer,
                first_ms: thing.from_ms,
                last_ms: thing.until_ms,
                count,
            }),
            _ => None,
        });
        denied.collect()
    }

    pub(crate) fn granted(&self) -> Vec<(u64, i64)> {
        let leases = self.rows().into_iter();
        let leases = leases.filter(|row| row.quantity == Quantity::InUse);
        leases.map(|row| (row.person, row.span.from_ms)).collect()
    }

    pub(crate) fn waits(&self) -> Vec<Wait> {
        let waits = self.known().filter_map(|thing| match thing.what {
            What::Wait { is_known } if thing.from_ms < self.now_ms => Some(Wait {
                queued_ms: thing.from_ms,
                until_ms: if is_known {
                    thing.until_ms
                } else {
                    thing.from_ms
                },
            }),
            _ => None,
        });
        waits.collect()
    }
}

/// The lease of a session: the thing before it, or behind it.
fn held_by(event: u64) -> u64 {
    match event % 2 {
        0 => event + 1,
        _ => event - 1,
    }
}

/// `has_session`: a session that is known held it.
fn rows(thing: &Thing, has_session: bool) -> Vec<Row> {
    let row = |quantity, until_ms: i64, seats| Row {
        quantity,
        one_use: None,
        person: thing.person,
        computer: thing.computer,
        span: Span {
            from_ms: thing.from_ms,
            until_ms: until_ms.max(thing.from_ms),
            seats,
        },
        active_ms: None,
    };
    match thing.what {
        What::Session {
            unseated_ms,
            has_lease,
        } => {
            let mut rows = vec![row(Quantity::Running, thing.until_ms, 1)];
            let unseated_ms = i64::try_from(unseated_ms).unwrap();
            let until_ms = match has_lease {
                true => thing.until_ms.min(thing.from_ms + unseated_ms),
                false => thing.until_ms,
            };
            if !has_lease || unseated_ms > 0 {
                rows.push(row(Quantity::Unseated, until_ms, 1));
            }
            rows
        }
        What::Lease {
            kept: false,
            unclaimed: false,
            held,
        } => {
            let mut rows = vec![row(Quantity::InUse, thing.until_ms, thing.seats)];
            if !held && !has_session {
                rows.push(row(Quantity::Running, thing.until_ms, 1));
            }
            rows
        }
        What::Lease { .. } | What::Denial { .. } | What::Wait { .. } => Vec::new(),
    }
}

fn item(product: &str, number: usize, event: u64, thing: &Thing) -> HistoryItem {
    let key = Made {
        incarnation: u32::try_from(number).unwrap(),
        event,
    };
    let what = match thing.what {
        What::Session {
            unseated_ms,
            has_lease,
        } => Ended::Session(EndedSession {
            key: Run {
                computer: format!("usage-{}", thing.computer),
                incarnation: u64::from(key.incarnation),
                session: event,
            },
            program: "cad.bin".to_owned(),
            version: None,
            real_person: None,
            started_ms: thing.from_ms,
            ended_ms: thing.until_ms,
            duration_ms: 0,
            unseated_ms,
            lease: has_lease.then_some(Made {
                event: held_by(event),
                ..key
            }),
        }),
        What::Lease {
            kept,
            unclaimed,
            held,
        } => Ended::Lease(EndedLease {
            key,
            seats: thing.seats,
            program: None,
            session: held.then(|| Run {
                computer: "usage-0".to_owned(),
                incarnation: 0,
                session: event,
            }),
            kept,
            granted_ms: thing.from_ms,
            ended_ms: thing.until_ms,
            held_ms: 0,
            cause: if unclaimed { "unclaimed" } else { "expired" }.to_owned(),
            ticket: None,
            with: None,
            retry: false,
        }),
        What::Denial { count } => Ended::Denial(EndedDenial {
            key,
            seats: thing.seats,
            reason: "no_seat".to_owned(),
            count,
            retries: 0,
            waits: None,
            first_ms: thing.from_ms,
            last_ms: thing.until_ms,
        }),
        What::Wait { is_known } => Ended::Wait(EndedWait {
            key,
            seats: thing.seats,
            priority: 0,
            outcome: "granted".to_owned(),
            reason: None,
            lease: None,
            with: None,
            queued_ms: thing.from_ms,
            decided_ms: None,
            waited_ms: is_known.then(|| thing.until_ms.abs_diff(thing.from_ms)),
            retry: false,
        }),
    };
    HistoryItem {
        at: Point {
            incarnation: 1,
            event,
        },
        product: product.to_owned(),
        person: format!("P{}", thing.person),
        computer: format!("C{}", thing.computer),
        what,
    }
}
