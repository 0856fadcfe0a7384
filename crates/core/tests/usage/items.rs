//! The figures of a product, case by case.

use std::sync::Arc;

use usher_core::usage::{
    Account, Beside, Bucket, Counted, Denied, Gaps, Judged, Quantity, Row, Span, UsageItem, Wait,
    judged, usage,
};

use crate::{MINUTE_MS, minutes};

fn row(quantity: Quantity, person: u64, span: Span) -> Row {
    Row {
        quantity,
        one_use: None,
        person,
        computer: person,
        span,
        active_ms: None,
    }
}

/// Of an hour each, from 0 on.
fn hours(many: i64) -> Vec<Bucket> {
    let hour = |hour| Bucket {
        from_ms: hour * 60 * MINUTE_MS,
        to_ms: (hour + 1) * 60 * MINUTE_MS,
    };
    (0..many).map(hour).collect()
}

#[derive(Default)]
struct Given {
    gaps: Gaps,
    denials: Vec<Judged>,
    waits: Vec<Wait>,
}

fn items(account: &Account, many: i64, now_minute: i64, given: &Given) -> Vec<UsageItem> {
    let beside = Beside {
        product: &Arc::from("cad"),
        gaps: &given.gaps,
        denials: &given.denials,
        waits: &given.waits,
        now_ms: now_minute * MINUTE_MS,
        known_until_ms: now_minute * MINUTE_MS,
    };
    usage(account, &hours(many), &beside)
}

fn account(rows: &[Row]) -> Account {
    let mut account = Account::new(Counted::Here);
    for (key, row) in (0..).zip(rows) {
        account.put(key, *row);
    }
    account
}

#[test]
fn leases_and_what_runs_unseated_are_wanted_and_all_else_is_apart() {
    let account = account(&[
        row(Quantity::InUse, 1, minutes(0, 30)),
        row(Quantity::Running, 1, minutes(0, 30)),
        row(Quantity::Unseated, 2, minutes(10, 20)),
        row(Quantity::Running, 2, minutes(10, 20)),
        row(Quantity::Running, 3, minutes(15, 25)),
        row(Quantity::Reserved, 4, minutes(0, 60)),
        row(Quantity::Waiting, 5, minutes(0, 60)),
    ]);
    let item = &items(&account, 1, 60, &Given::default())[0];
    assert_eq!((item.peak, item.running_peak), (2, 3));
    assert_eq!(item.peak_at.unwrap().as_millisecond(), 10 * MINUTE_MS);
    assert_eq!(
        (item.sessions, item.unseated_sessions, item.reserved),
        (3, 1, 1)
    );
    assert_eq!((item.users, item.computers), (3, 3));
    assert_eq!(item.open_seconds, 50.0 * 60.0);
}

#[test]
fn sessions_that_share_a_lease_are_one_use_of_its_seats() {
    let shared = |span| Row {
        one_use: Some(7),
        ..row(Quantity::InUse, 1, Span { seats: 2, ..span })
    };
    let rows = [
        shared(minutes(0, 20)),
        shared(minutes(10, 30)),
        shared(minutes(12, 14)),
    ];
    let account = account(&rows);
    let item = &items(&account, 1, 60, &Given::default())[0];
    assert_eq!((item.peak, item.mean), (2, 1.0));
}

#[test]
fn a_product_that_another_server_counts_has_its_checkouts_for_sessions() {
    let mut account = Account::new(Counted::Elsewhere);
    account.put(1, row(Quantity::InUse, 1, minutes(0, 20)));
    account.put(2, row(Quantity::Unseated, 2, minutes(0, 20)));
    let item = &items(&account, 1, 60, &Given::default())[0];
    assert_eq!((item.sessions, item.peak), (1, 1));
}

#[test]
fn p95_and_mean_are_of_the_observed_time() {
    let account = account(&[row(Quantity::InUse, 1, minutes(30, 60))]);
    let given = Given {
        gaps: Gaps::of(vec![(0, 20 * MINUTE_MS)]),
        ..Given::default()
    };
    let item = &items(&account, 1, 60, &given)[0];
    assert_eq!((item.p95, item.mean), (1, 0.75));
    assert_eq!(item.unobserved_seconds, 20.0 * 60.0);
}

#[test]
fn an_empty_bucket_has_zeros_and_one_to_come_has_no_uses() {
    let running = Span {
        until_ms: i64::MAX,
        ..minutes(70, 0)
    };
    let account = account(&[
        row(Quantity::InUse, 1, running),
        row(Quantity::Running, 1, running),
    ]);
    let items = items(&account, 3, 100, &Given::default());
    let sessions = items.iter().map(|item| (item.sessions, item.peak));
    assert_eq!(sessions.collect::<Vec<_>>(), [(0, 0), (1, 1), (0, 0)]);
    assert_eq!(items[0].peak_at, None);
    assert_eq!(items[1].open_seconds, 30.0 * 60.0);
    assert_eq!(items[1].mean, 0.75);
}

#[test]
fn active_time_is_shared_out_over_the_buckets_of_a_session() {
    let session = Row {
        active_ms: Some(30 * MINUTE_MS.unsigned_abs()),
        ..row(Quantity::Running, 1, minutes(40, 100))
    };
    let items = items(&account(&[session]), 3, 180, &Given::default());
    let active = items.iter().map(|item| item.active_seconds);
    assert_eq!(
        active.collect::<Vec<_>>(),
        [Some(600.0), Some(1_200.0), None]
    );
}

#[test]
fn refusals_and_waits_count_where_they_began() {
    let denied = |minute: i64| Denied {
        person: 1,
        computer: 1,
        first_ms: minute * MINUTE_MS,
        last_ms: minute * MINUTE_MS,
        count: 1,
    };
    let wait = |queued: i64, until: i64| Wait {
        queued_ms: queued * MINUTE_MS,
        until_ms: until.saturating_mul(MINUTE_MS),
    };
    let denials = [denied(10), denied(20), denied(59), denied(61)];
    let given = Given {
        denials: judged(&denials, [(1, 65 * MINUTE_MS)], 120 * MINUTE_MS),
        waits: vec![wait(50, 70), wait(61, i64::MAX)],
        ..Given::default()
    };
    let items = items(&account(&[]), 2, 120, &given);
    let classes = items.iter().map(|item| {
        let denials = item.denials;
        (denials.for_good, denials.satisfied_later, denials.retries)
    });
    assert_eq!(classes.collect::<Vec<_>>(), [(1, 1, 1), (0, 0, 1)]);
    let waits = items.iter().map(|item| item.waits.longest_seconds);
    assert_eq!(waits.collect::<Vec<_>>(), [20.0 * 60.0, 59.0 * 60.0]);
    let provisional: Vec<bool> = items.iter().map(|item| item.provisional).collect();
    assert_eq!(provisional, [false, true]);
}
