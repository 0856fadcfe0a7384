//! A model that exists only for tests: one person can have a limited number of seats. It shows that
//! adding a model takes one file.

use super::constraints::{Constraint, Hearing};
use super::tests::{Bench, NOW};
use crate::ledger::judge::ask::AskPart;
use crate::ledger::kept::lent::Most;
use crate::ledger::*;

/// Seats of which one person may hold only so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerUser {
    /// Seats owned.
    pub seats: u32,
    /// Seats that one person may have.
    pub each: u32,
}

impl Constraint for PerUser {
    fn allows(&self, asked: &AskPart, at: &Hearing<'_>) -> Result<Most, Reason> {
        let has = |lease: &Lease| lease.subject == asked.subject && lease.product == asked.product;
        let held: u32 = at
            .ledger
            .leases()
            .filter(|lease| has(lease))
            .map(|lease| lease.seats)
            .sum();
        match self.each.checked_sub(held) {
            Some(left) if left >= asked.seats => Ok(Most {
                seats: left,
                ..Most::ALL
            }),
            _ => Err(Reason::Quota),
        }
    }
}

#[test]
fn one_person_gets_no_more_seats_than_their_quota_and_others_get_theirs() {
    let mut bench = Bench::new();
    bench.own(Model::PerUser(PerUser { seats: 5, each: 2 }));
    let first = bench.granted("ann", NOW);
    bench.granted("ann", NOW);
    assert_eq!(bench.refused("ann", NOW), Reason::Quota);
    bench.granted("bob", NOW);
    bench.give_back(first, NOW);
    bench.granted("ann", NOW);
}

#[test]
fn who_waits_beyond_their_quota_is_not_queued() {
    let mut bench = Bench::new();
    bench.own(Model::PerUser(PerUser { seats: 5, each: 1 }));
    bench.granted("ann", NOW);
    assert_eq!(bench.refused_to_wait("ann", NOW), Reason::Quota);
}

#[test]
fn what_is_left_comes_from_an_entitlement_of_another_model() {
    let mut bench = Bench::new();
    bench.own(Model::PerUser(PerUser { seats: 5, each: 1 }));
    bench.own(Model::concurrent(1));
    bench.granted("ann", NOW);
    bench.granted("ann", NOW);
    assert_eq!(bench.refused("ann", NOW), Reason::Quota);
}
