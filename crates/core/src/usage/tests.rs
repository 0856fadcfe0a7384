//! Demand case by case, and beside a slow way of finding it that looks at every instant.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Wants of one seat: holder, from, until. Those of one holder share.
fn shared(of: &[(u64, i64, i64)]) -> Vec<Want> {
    let one = |(holder, from_ms, until_ms): &(u64, i64, i64)| Want {
        holder: *holder,
        is_own: false,
        seats: 1,
        from_ms: *from_ms,
        until_ms: *until_ms,
    };
    of.iter().map(one).collect()
}

fn lease(holder: u64, seats: u32, from_ms: i64, until_ms: i64) -> Want {
    Want {
        holder,
        is_own: true,
        seats,
        from_ms,
        until_ms,
    }
}

fn refused(wants: &[Want], seats: u64) -> Vec<usize> {
    demand(wants).refused(seats).collect()
}

fn peak(wants: &[Want]) -> (u64, Option<i64>) {
    let found = demand(wants);
    (found.peak, found.peak_at_ms)
}

#[test]
fn who_begins_while_all_seats_are_held_is_refused() {
    let wants = shared(&[
        (1, 0, 100),
        (2, 10, 50),
        (3, 20, 30),
        (4, 60, 70),
        (5, 65, 66),
    ]);
    assert_eq!(refused(&wants, 2), [2, 4]);
    assert_eq!(peak(&wants), (3, Some(20)));
    assert_eq!(refused(&wants, 3), [0; 0]);
    assert_eq!(refused(&wants, 0), [0, 1, 2, 3, 4]);
}

#[test]
fn what_was_refused_holds_no_seat() {
    let wants = shared(&[(1, 0, 10), (2, 5, 1_000), (3, 20, 30)]);
    assert_eq!(refused(&wants, 1), [1]);
}

#[test]
fn a_seat_is_free_at_the_instant_at_which_its_use_ends() {
    let wants = shared(&[(1, 0, 10), (2, 10, 20)]);
    assert_eq!((refused(&wants, 1).len(), peak(&wants).0), (0, 1));
}

#[test]
fn what_one_holder_wants_at_once_shares_a_seat() {
    let wants = shared(&[
        (1, 0, 100),
        (1, 10, 200),
        (2, 150, 160),
        (1, 155, 156),
        (2, 200, 201),
    ]);
    assert_eq!(refused(&wants, 1), [2]);
    assert_eq!(peak(&wants).0, 2);
}

#[test]
fn leases_of_one_holder_take_a_seat_each_and_cover_what_else_the_holder_wants() {
    let mut wants = shared(&[(1, 0, 100)]);
    wants.push(lease(1, 1, 10, 50));
    assert_eq!(peak(&wants), (1, Some(0)), "the session of that lease");
    wants.push(lease(1, 2, 20, 30));
    assert_eq!(peak(&wants), (3, Some(20)));
    assert_eq!(refused(&wants, 1), [2]);
    // A program that runs on after its lease has ended still wants a seat, before a later one.
    let mut wants = shared(&[(1, 0, 20), (2, 10, 20)]);
    wants.push(lease(1, 1, 0, 10));
    assert_eq!(refused(&wants, 1), [1]);
}

#[test]
fn somebody_who_wants_many_seats_is_refused_with_fewer() {
    let wants = [
        lease(1, 1, 0, 100),
        lease(2, 100_000, 10, 20),
        lease(3, 2, 30, 40),
    ];
    assert_eq!(peak(&wants), (100_001, Some(10)));
    assert_eq!(refused(&wants, 100_000), [1]);
    assert_eq!(refused(&wants, 2), [1, 2]);
}

#[test]
fn nothing_wanted_is_nothing_refused() {
    assert_eq!(demand(&[]), Demand::default());
    let lasting = shared(&[(1, 5, i64::MAX), (2, i64::MAX, i64::MAX)]);
    assert_eq!(refused(&lasting, 1), [0; 0]);
}

const MINUTE_MS: i64 = 60_000;

fn refusal(holder: u64, first_minute: i64, last_minute: i64) -> Refusal {
    Refusal {
        holder,
        person: holder,
        seats: 1,
        first_ms: first_minute * MINUTE_MS,
        last_ms: last_minute * MINUTE_MS,
    }
}

/// What was wanted by whom, in minutes, if a session lasts for so many.
fn wanted(
    refusals: &[Refusal],
    granted: &[(u64, i64)],
    session_minutes: u64,
) -> Vec<(u64, i64, i64)> {
    let granted = granted.iter().map(|(who, at)| (*who, at * MINUTE_MS));
    let found = refused_wants(refusals, granted, session_minutes * 60_000);
    found
        .iter()
        .map(|RefusedWant { want, .. }| {
            let minutes = (want.from_ms / MINUTE_MS, want.until_ms / MINUTE_MS);
            (want.holder, minutes.0, minutes.1)
        })
        .collect()
}

#[test]
fn a_refused_person_wants_a_seat_for_as_long_as_a_session_lasts() {
    let of = [refusal(1, 0, 1), refusal(2, 3, 3)];
    assert_eq!(wanted(&of, &[], 30), [(1, 0, 31), (2, 3, 33)]);
}

#[test]
fn refusals_within_a_quarter_of_an_hour_are_one_want_and_a_later_one_is_another() {
    let of = [refusal(1, 0, 0), refusal(1, 14, 14), refusal(1, 28, 28)];
    assert_eq!(wanted(&of, &[], 5), [(1, 0, 33)]);
    let of = [refusal(1, 0, 0), refusal(1, 16, 16)];
    assert_eq!(wanted(&of, &[], 5), [(1, 0, 5), (1, 16, 21)]);
    assert_eq!(wanted(&of, &[], 60), [(1, 0, 16), (1, 16, 76)]);
}

#[test]
fn who_is_granted_a_seat_later_wants_none_besides() {
    let of = [refusal(1, 0, 0), refusal(1, 5, 5)];
    assert_eq!(wanted(&of, &[(1, 3)], 60), [(1, 0, 3), (1, 5, 65)]);
    assert_eq!(wanted(&of, &[(1, 9), (2, 1)], 60), [(1, 0, 9)]);
}

#[test]
fn who_asks_for_another_number_of_seats_wants_that_instead() {
    let fewer = refusal(1, 5, 5);
    let more = Refusal {
        seats: 9,
        ..refusal(1, 0, 0)
    };
    assert_eq!(wanted(&[more, fewer], &[], 60), [(1, 0, 5), (1, 5, 65)]);
}

#[test]
fn half_of_the_sessions_are_no_longer_than_the_median() {
    assert_eq!(median_ms(vec![]), None);
    assert_eq!(median_ms(vec![7]), Some(7));
    assert_eq!(median_ms(vec![9, 1, 5]), Some(5));
    assert_eq!(median_ms(vec![9, 1, 5, 7]), Some(5));
}

fn any_wants() -> impl Strategy<Value = Vec<Want>> {
    let one = (0_u64..6, any::<bool>(), 1_u32..4, 0_i64..40, 0_i64..15);
    let one = one.prop_map(|(holder, is_own, seats, from_ms, lasts)| Want {
        holder,
        is_own,
        seats,
        from_ms,
        until_ms: from_ms + lasts,
    });
    proptest::collection::vec(one, 0..40)
}

/// Leases of one seat.
fn any_leases() -> impl Strategy<Value = Vec<Want>> {
    let one = (0_i64..40, 0_i64..15);
    let one = one.prop_map(|(from_ms, lasts)| lease(0, 1, from_ms, from_ms + lasts));
    proptest::collection::vec(one, 0..40)
}

/// What lasts at an instant.
fn at(wants: &[Want], at_ms: i64) -> impl Iterator<Item = &Want> {
    let lasts = move |want: &&Want| want.from_ms <= at_ms && at_ms < want.until_ms;
    wants.iter().filter(lasts)
}

/// Seats that are wanted by what lasts, holder by holder.
fn wanted_by<'a>(lasting: impl Iterator<Item = &'a Want>) -> u64 {
    let mut of: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for want in lasting {
        let (own, others) = of.entry(want.holder).or_default();
        let seats = u64::from(want.seats);
        match want.is_own {
            true => *own += seats,
            false => *others = seats.max(*others),
        }
    }
    of.values().map(|(own, others)| *own.max(others)).sum()
}

proptest! {
    #[test]
    fn the_peak_is_the_most_that_was_wanted_at_any_instant(wants in any_wants()) {
        let (found, found_at) = peak(&wants);
        let lasting: Vec<Want> =
            wants.iter().copied().filter(|want| want.from_ms < want.until_ms).collect();
        let most = (0..60).map(|ms| wanted_by(at(&lasting, ms))).max().unwrap_or(0);
        // What ends as it begins counts at that instant.
        let with_instants = (0..60).map(|ms| {
            wanted_by(at(&wants, ms).chain(
                wants.iter().filter(|want| want.from_ms == ms && want.until_ms == ms),
            ))
        }).max().unwrap_or(0);
        prop_assert!((most..=with_instants).contains(&found), "{most} {found} {with_instants}");
        prop_assert_eq!(found, with_instants);
        prop_assert_eq!(found_at.is_some(), !wants.is_empty());
    }

    #[test]
    fn at_least_as_many_seats_as_were_leased_at_once_were_wanted(wants in any_wants()) {
        let leases: Vec<Want> = wants.iter().copied().filter(|want| want.is_own).collect();
        let leased = |ms| at(&leases, ms).map(|lease| u64::from(lease.seats)).sum::<u64>();
        let most = (0..60).map(leased).max().unwrap_or(0);
        prop_assert!(peak(&wants).0 >= most);
    }

    #[test]
    fn as_many_seats_as_were_wanted_at_once_refuse_nobody_and_one_less_somebody(
        wants in any_wants(),
    ) {
        let (peak, _) = peak(&wants);
        prop_assert!(refused(&wants, peak).is_empty());
        if peak > 0 {
            prop_assert!(!refused(&wants, peak - 1).is_empty());
            prop_assert!(!refused(&wants, 0).is_empty());
        }
    }

    #[test]
    fn more_seats_refuse_nobody_whom_fewer_do_not(wants in any_wants(), seats in 0_u64..9) {
        let fewer: BTreeSet<usize> = refused(&wants, seats).into_iter().collect();
        let more: BTreeSet<usize> = refused(&wants, seats + 1).into_iter().collect();
        prop_assert!(more.is_subset(&fewer), "{more:?} {fewer:?}");
    }

    #[test]
    fn those_let_in_never_hold_more_than_the_seats_and_nobody_is_refused_while_one_is_free(
        leases in any_leases(),
        seats in 1_u64..5,
    ) {
        let refused: BTreeSet<usize> = refused(&leases, seats).into_iter().collect();
        let let_in: Vec<Want> = (0..leases.len())
            .filter(|at| !refused.contains(at))
            .map(|at| leases[at])
            .collect();
        for ms in 0..60 {
            prop_assert!(at(&let_in, ms).count() as u64 <= seats, "at {ms}");
        }
        for at_start in refused.iter().map(|at| leases[*at].from_ms) {
            // What begins and ends at that very instant may have come before it.
            let instants = let_in
                .iter()
                .filter(|want| want.from_ms == at_start && want.until_ms == at_start);
            let held = at(&let_in, at_start).count() + instants.count();
            prop_assert!(held as u64 >= seats, "{held} at {at_start}");
        }
    }

    #[test]
    fn what_the_refused_wanted_begins_with_a_refusal_and_those_of_one_holder_do_not_overlap(
        of in proptest::collection::vec((0_u64..3, 0_i64..100, 0_i64..9, 1_u32..3), 0..20),
        granted in proptest::collection::vec((0_u64..3, 0_i64..120), 0..9),
        session in 0_u64..50,
    ) {
        let refusals: Vec<Refusal> = of
            .iter()
            .map(|(holder, first, lasts, seats)| Refusal {
                seats: *seats,
                ..refusal(*holder, *first, first + lasts)
            })
            .collect();
        let granted: Vec<(u64, i64)> =
            granted.iter().map(|(who, at)| (*who, at * MINUTE_MS)).collect();
        let found = refused_wants(&refusals, granted.iter().copied(), session * 60_000);
        for one in &found {
            let first = &refusals[one.first];
            prop_assert_eq!(
                (one.want.from_ms, one.want.holder, one.want.seats),
                (first.first_ms, first.holder, first.seats)
            );
            prop_assert!(one.want.until_ms >= one.want.from_ms);
        }
        for refusal in &refusals {
            let covers = found.iter().any(|it| it.want.holder == refusal.holder
                && it.want.from_ms <= refusal.first_ms && refusal.first_ms <= it.want.until_ms);
            prop_assert!(covers, "{refusal:?} is in none of {found:?}");
        }
        for (place, one) in found.iter().enumerate() {
            let later = found[place + 1..].iter().find(|it| it.want.holder == one.want.holder);
            if let Some(later) = later {
                prop_assert!(one.want.until_ms <= later.want.from_ms, "{one:?} {later:?}");
            }
        }
    }
}
