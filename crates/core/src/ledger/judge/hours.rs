//! A model that is made up for tests: seats that may be used at some hours of the day only. It shows
//! that a model is added in one file.

use super::constraints::{Constraint, Hearing};
use super::tests::{Bench, NOW};
use crate::ledger::judge::ask::AskPart;
use crate::ledger::kept::lent::Most;
use crate::ledger::*;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Seats that may be used only at certain hours of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Seats owned.
    pub seats: u32,
    /// From this hour of the day, UTC.
    pub from: u64,
    /// To this one, which is later.
    pub to: u64,
}

impl Constraint for Hours {
    fn allows(&self, _: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        let time_ms = at.now.wall.0.rem_euclid(DAY_MS as i64).unsigned_abs();
        match self.from * HOUR_MS <= time_ms && time_ms < self.to * HOUR_MS {
            true => Ok(Most {
                life_ms: self.to * HOUR_MS - time_ms,
                ..Most::ALL
            }),
            false => Err(Reason::OutsideAccessHours),
        }
    }
}

/// That time of the day on which the tests begin.
fn at(hour: u64, minute: u64) -> Now {
    let ms = hour * HOUR_MS + minute * 60_000;
    Now {
        steady: Steady(NOW.steady.0 + ms),
        wall: Wall(NOW.wall.0 + ms as i64),
    }
}

#[test]
fn seats_are_granted_within_the_hours_and_no_lease_lasts_beyond_them() {
    let mut bench = Bench::new();
    bench.own(Model::Hours(Hours {
        seats: 2,
        from: 8,
        to: 18,
    }));
    assert_eq!(bench.refused("ann", at(7, 59)), Reason::OutsideAccessHours);
    let lease = bench.granted("ann", at(8, 0));
    assert_eq!(bench.life_ms(lease), 300_000, "the ttl that was asked for");
    let late = bench.granted("bob", at(17, 59));
    assert_eq!(bench.life_ms(late), 60_000, "to the end of the hours");
    assert_eq!(bench.refused("cyd", at(18, 0)), Reason::OutsideAccessHours);
}
