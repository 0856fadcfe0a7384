//! Random histories: rows come late, twice, in a form that was true for a time, or not at all.

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use usher_core::usage::{
    Account, Beside, Counted, Gaps, Grain, QUARTER_MS, Quantity, Row, Span, UsageItem, buckets,
    usage,
};

use crate::naive::{Figures, Naive};
use crate::{MINUTE_MS, at};

/// Zones, and an instant at which the clock of most of them is changed.
const PLACES: &[(&str, &str)] = &[
    ("UTC", "2026-12-31T23:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Pacific/Chatham", "2026-04-04T14:00:00Z"),
    ("America/St_Johns", "2026-03-08T05:30:00Z"),
    ("Asia/Kathmandu", "2026-11-30T18:15:00Z"),
    ("Asia/Kolkata", "2026-11-30T18:30:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
];

const QUANTITIES: &[Quantity] = &[
    Quantity::InUse,
    Quantity::InUse,
    Quantity::Running,
    Quantity::Running,
    Quantity::Unseated,
    Quantity::Reserved,
    Quantity::Waiting,
    Quantity::Overdraft,
    Quantity::Owned,
];

/// How a row comes to light.
#[derive(Debug, Clone, Copy)]
enum Arrival {
    Once,
    Twice,
    /// First as one that still runs.
    Grows,
    /// It never comes.
    Missing,
    /// It comes, and is taken out again.
    TakenOut,
}

#[derive(Debug, Clone)]
struct History {
    zone: &'static str,
    counted: Counted,
    grain: Grain,
    /// From and to of the question.
    asked: (i64, i64),
    now_ms: i64,
    gaps: Vec<(i64, i64)>,
    rows: Vec<(Row, Arrival)>,
    /// In which the rows arrive, by their places.
    order: Vec<usize>,
}

/// Around 0: on a quarter of an hour, on a minute, or on any millisecond.
fn any_distance(minutes: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        (-minutes / 15..=minutes / 15).prop_map(|quarters| quarters * QUARTER_MS),
        (-minutes..=minutes).prop_map(|minutes| minutes * MINUTE_MS),
        -minutes * MINUTE_MS..=minutes * MINUTE_MS,
    ]
}

fn any_length() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        1 => Just(Some(0_i64)),
        1 => Just(None),
        8 => any_distance(600).prop_map(|length| Some(length.abs())),
    ]
}

fn any_row() -> impl Strategy<Value = (Row, Arrival)> {
    let who = (1_u64..5, 1_u64..4);
    let when = (any_distance(2_000), any_length(), 1_u32..4);
    let one_use = proptest::option::of(1_u128..4);
    let arrival = prop_oneof![
        6 => Just(Arrival::Once),
        2 => Just(Arrival::Twice),
        2 => Just(Arrival::Grows),
        1 => Just(Arrival::Missing),
        1 => Just(Arrival::TakenOut),
    ];
    let quantity = prop::sample::select(QUANTITIES);
    let all = (quantity, one_use, who, when, arrival);
    all.prop_map(|(quantity, one_use, (person, computer), when, arrival)| {
        let (from_ms, length_ms, seats) = when;
        let row = Row {
            quantity,
            // What is counted of the others is counted by rows here.
            one_use: one_use.filter(|_| quantity == Quantity::InUse),
            person,
            computer,
            span: Span {
                from_ms,
                until_ms: length_ms.map_or(i64::MAX, |length_ms| from_ms + length_ms),
                seats,
            },
            active_ms: None,
        };
        (row, arrival)
    })
}

fn any_history() -> impl Strategy<Value = History> {
    let grain = prop::sample::select(vec![
        Grain::Hour,
        Grain::Day,
        Grain::Week,
        Grain::Month,
        Grain::Whole,
    ]);
    let counted = prop::sample::select(vec![Counted::Here, Counted::Here, Counted::Elsewhere]);
    let place = prop::sample::select(PLACES);
    let asked = (any_distance(1_500), any_distance(1_500));
    let gaps = proptest::collection::vec((any_distance(2_000), any_distance(120)), 0..4);
    let rows = proptest::collection::vec(any_row(), 0..25);
    let order = (0..25_usize).collect::<Vec<usize>>();
    let all = (
        place,
        (grain, counted),
        asked,
        any_distance(2_500),
        gaps,
        rows,
        Just(order).prop_shuffle(),
    );
    all.prop_map(|(place, (grain, counted), asked, now, gaps, rows, order)| {
        let around_ms = at(place.1);
        let mut rows = rows;
        for (row, _) in &mut rows {
            row.span.from_ms += around_ms;
            row.span.until_ms = row.span.until_ms.saturating_add(around_ms);
            if counted == Counted::Elsewhere {
                row.one_use = None;
            }
        }
        let gap = |(from_ms, length_ms): (i64, i64)| {
            let from_ms = around_ms + from_ms;
            (from_ms, from_ms + length_ms.abs())
        };
        History {
            zone: place.0,
            counted,
            grain,
            asked: (
                around_ms + asked.0.min(asked.1),
                around_ms + asked.0.max(asked.1),
            ),
            now_ms: around_ms + now,
            gaps: gaps.into_iter().map(gap).collect(),
            rows,
            order,
        }
    })
}

fn account(history: &History) -> Account {
    let mut account = Account::new(history.counted);
    let with_key = || {
        let rows = history.rows.iter().enumerate();
        rows.map(|(place, (row, arrival))| (place as u128, row, arrival))
    };
    for (key, row, _) in with_key().filter(|it| matches!(it.2, Arrival::Grows)) {
        let span = Span {
            until_ms: i64::MAX,
            ..row.span
        };
        account.put(key, Row { span, ..*row });
    }
    let arriving = history.order.iter().filter_map(|place| {
        let (row, arrival) = history.rows.get(*place)?;
        Some((*place as u128, row, arrival))
    });
    for (key, row, arrival) in arriving {
        match arrival {
            Arrival::Once | Arrival::Grows | Arrival::TakenOut => {
                account.put(key, *row);
            }
            Arrival::Twice => {
                account.put(key, *row);
                assert!(!account.put(key, *row), "it is there already");
            }
            Arrival::Missing => {}
        }
    }
    for (key, _, _) in with_key().filter(|it| matches!(it.2, Arrival::TakenOut)) {
        assert!(account.take_out(key));
    }
    account
}

/// What both ways must agree on.
fn figures(item: &UsageItem) -> Figures {
    let ms = |seconds: f64| (seconds * 1_000.0).round() as u64;
    Figures {
        sessions: item.sessions,
        users: item.users,
        computers: item.computers,
        open_ms: ms(item.open_seconds),
        peak: (item.peak, item.peak_at.map(|at| at.as_millisecond())),
        running_peak: item.running_peak,
        p95: item.p95,
        mean: item.mean,
        owned: item.owned,
        reserved: item.reserved,
        unseated: item.unseated_sessions,
        unobserved_ms: ms(item.unobserved_seconds),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn roll_ups_equal_a_look_at_every_row(history in any_history()) {
        let zone = TimeZone::get(history.zone).unwrap();
        let (from_ms, to_ms) = history.asked;
        let buckets = buckets(from_ms, to_ms, history.grain, &zone).unwrap();
        let account = account(&history);
        let items = usage(&account, &buckets, &Beside {
            product: &Arc::from("cad"),
            gaps: &Gaps::of(history.gaps.clone()),
            denials: &[],
            waits: &[],
            now_ms: history.now_ms,
            known_until_ms: history.now_ms,
        });
        let there = history.rows.iter().filter(|(_, arrival)| {
            !matches!(arrival, Arrival::Missing | Arrival::TakenOut)
        });
        let rows: Vec<Row> = there.map(|(row, _)| *row).collect();
        let naive = Naive {
            counted: history.counted,
            rows: &rows,
            gaps: &history.gaps,
            now_ms: history.now_ms,
        };
        let expected = naive.figures(&buckets);
        prop_assert_eq!(items.len(), expected.len());
        for (item, expected) in items.iter().zip(expected) {
            let mut found = figures(item);
            prop_assert!((found.mean - expected.mean).abs() < 1e-9, "{found:?} {expected:?}");
            found.mean = expected.mean;
            prop_assert_eq!(found, expected, "{} to {}", item.from, item.to);
        }
    }
}
