//! Refusals case by case, and beside a slow way of finding them that looks at every pair.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn uses(of: &[(u64, i64, i64)]) -> Vec<Use> {
    of.iter()
        .map(|(holder, from_ms, until_ms)| Use {
            holder: *holder,
            from_ms: *from_ms,
            until_ms: *until_ms,
        })
        .collect()
}

#[test]
fn who_begins_while_all_seats_are_held_is_refused() {
    let uses = uses(&[
        (1, 0, 100),
        (2, 10, 50),
        (3, 20, 30),
        (4, 60, 70),
        (5, 65, 66),
    ]);
    let forecast = refusals(&uses, 2);
    assert_eq!(forecast.refused, [2, 4]);
    assert_eq!((forecast.peak, forecast.peak_at_ms), (3, Some(20)));
    assert_eq!(refusals(&uses, 3).refused, [0; 0]);
    assert_eq!(refusals(&uses, 0).refused, [0, 1, 2, 3, 4]);
}

#[test]
fn what_was_refused_holds_no_seat() {
    let uses = uses(&[(1, 0, 10), (2, 5, 1_000), (3, 20, 30)]);
    assert_eq!(refusals(&uses, 1).refused, [1]);
}

#[test]
fn a_seat_is_free_at_the_instant_at_which_its_use_ends() {
    let uses = uses(&[(1, 0, 10), (2, 10, 20)]);
    let forecast = refusals(&uses, 1);
    assert_eq!((forecast.refused.len(), forecast.peak), (0, 1));
}

#[test]
fn uses_of_one_holder_share_a_seat() {
    let uses = uses(&[
        (1, 0, 100),
        (1, 10, 200),
        (2, 150, 160),
        (1, 155, 156),
        (2, 200, 201),
    ]);
    assert_eq!(refusals(&uses, 1).refused, [2]);
    assert_eq!(refusals(&uses, 1).peak, 2);
}

#[test]
fn nothing_used_is_nothing_refused() {
    assert_eq!(refusals(&[], 0), Forecast::default());
    let lasting = uses(&[(1, 5, i64::MAX), (2, i64::MAX, i64::MAX)]);
    assert_eq!(refusals(&lasting, 1).refused, [0; 0]);
}

fn any_uses() -> impl Strategy<Value = Vec<Use>> {
    let one = (0_u64..6, 0_i64..40, 0_i64..15).prop_map(|(holder, from_ms, lasts)| Use {
        holder,
        from_ms,
        until_ms: from_ms + lasts,
    });
    proptest::collection::vec(one, 0..40)
}

/// Holders of `uses` at an instant, but for the use at `but`.
fn holders_at(uses: &[Use], which: impl Fn(usize) -> bool, at_ms: i64) -> BTreeSet<u64> {
    let lasting = uses
        .iter()
        .enumerate()
        .filter(|(at, one)| which(*at) && one.from_ms <= at_ms && at_ms < one.until_ms);
    lasting.map(|(_, one)| one.holder).collect()
}

proptest! {
    #[test]
    fn those_let_in_never_hold_more_than_the_seats(uses in any_uses(), seats in 0_u64..5) {
        let refused: BTreeSet<usize> = refusals(&uses, seats).refused.into_iter().collect();
        for at_ms in 0..60 {
            let held = holders_at(&uses, |at| !refused.contains(&at), at_ms);
            prop_assert!(held.len() as u64 <= seats, "{held:?} at {at_ms}");
        }
    }

    #[test]
    fn nobody_is_refused_while_a_seat_is_free(uses in any_uses(), seats in 1_u64..5) {
        let refused: BTreeSet<usize> = refusals(&uses, seats).refused.into_iter().collect();
        for at in &refused {
            let one = uses[*at];
            let held = holders_at(&uses, |other| !refused.contains(&other), one.from_ms);
            // Uses that begin at the same instant came before or after it.
            prop_assert!(held.len() as u64 >= seats, "{one:?} with {held:?}");
            prop_assert!(!held.contains(&one.holder) || one.until_ms == one.from_ms
                || uses.iter().enumerate().any(|(o, other)| !refused.contains(&o)
                    && other.holder == one.holder && other.from_ms == one.from_ms));
        }
    }

    #[test]
    fn as_many_seats_as_were_used_at_once_refuse_nobody_and_one_less_somebody(uses in any_uses()) {
        let peak = refusals(&uses, 0).peak;
        prop_assert!(refusals(&uses, peak).refused.is_empty());
        let instants = 0..60;
        let most = instants.map(|at| holders_at(&uses, |_| true, at).len()).max();
        prop_assert!(peak >= most.unwrap_or(0) as u64);
        if peak > 0 {
            prop_assert!(!refusals(&uses, peak - 1).refused.is_empty());
        }
    }
}
