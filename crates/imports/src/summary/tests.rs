//! Facts that no file of the other tests says.

use jiff::civil::date;
use usher_api::{ImportRow, Imported};

use super::*;
use crate::fact::{Ask, Held, Holder, Snapshot};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn feature(name: &str) -> Feature {
    Feature {
        daemon: Some("d".to_owned()),
        name: name.to_owned(),
    }
}

fn holder(user: &str) -> Holder {
    Holder {
        user: user.to_owned(),
        host: "pc".to_owned(),
        display: None,
    }
}

fn ask(second: i64, user: &str) -> Ask {
    Ask {
        at: at(second),
        feature: feature("f"),
        holder: holder(user),
        seats: 1,
        version: None,
        handle: None,
        package: None,
    }
}

fn snapshot(second: i64, server: &str, users: &[&str]) -> Snapshot {
    let held = users.iter().map(|user| Held {
        holder: holder(user),
        seats: 1,
        version: None,
        since: None,
        linger_seconds: None,
        borrowed_until: None,
    });
    Snapshot {
        at: at(second),
        server: Some(server.to_owned()),
        feature: feature("f"),
        issued: Some(5),
        in_use: Some(u64::try_from(users.len()).unwrap()),
        held: held.collect(),
        reserved: vec![("user eve".to_owned(), 1)],
        queued: Vec::new(),
        trouble: None,
    }
}

fn seen(snapshot: Snapshot) -> Fact {
    Fact::Snapshot(Box::new(snapshot))
}

fn summed_up(facts: &[Fact]) -> (Vec<Imported>, ImportSummary) {
    let mut rows = Vec::new();
    let mut sink = |row: ImportRow| rows.push(row.what);
    let today = date(2026, 11, 30);
    let map = ProductMap::default();
    let mut summary = Summary::new(ImportKind::Lmstat, map, &[], today);
    for fact in facts {
        summary.take(fact, &mut sink);
    }
    let told = Told {
        dates_from: None,
        time_zone: "UTC".to_owned(),
        notes: Vec::new(),
    };
    let answer = summary.finish(&Counts::default(), told, &mut sink);
    (rows, answer)
}

/// User, start and end of each use.
fn uses(rows: &[Imported]) -> Vec<(&str, i64, Option<i64>)> {
    let second = |at: Timestamp| at.as_second();
    let uses = rows.iter().filter_map(|row| match row {
        Imported::Use(it) => Some((
            it.user.as_str(),
            second(it.started_at),
            it.ended_at.map(second),
        )),
        _ => None,
    });
    uses.collect()
}

#[test]
fn a_server_that_does_not_answer_ends_no_use() {
    let silent = Fact::Silent {
        at: at(20),
        server: Some("1@a".to_owned()),
        daemon: None,
        why: "down".to_owned(),
    };
    let facts = [
        seen(snapshot(10, "1@a", &["ann"])),
        silent,
        seen(Snapshot {
            in_use: None,
            trouble: Some("cannot be asked".to_owned()),
            ..snapshot(25, "1@a", &[])
        }),
        seen(snapshot(30, "1@a", &["ann"])),
        seen(snapshot(40, "1@a", &[])),
    ];
    let (rows, answer) = summed_up(&facts);
    assert_eq!(uses(&rows), [("ann", 10, Some(30))]);
    let silences = rows
        .iter()
        .filter(|row| matches!(row, Imported::Silence(_)));
    assert_eq!(silences.count(), 1);
    assert_eq!((answer.from, answer.to), (Some(at(10)), Some(at(40))));
    assert_eq!(answer.features[0].open_at_end, 0);
}

#[test]
fn the_count_of_one_server_is_never_added_to_that_of_another() {
    let facts = [
        seen(snapshot(10, "1@a", &["ann", "bob"])),
        seen(snapshot(10, "1@b", &["eve"])),
    ];
    let (rows, answer) = summed_up(&facts);
    assert_eq!(uses(&rows).len(), 3);
    let peak = answer.features[0].peak;
    assert_eq!((peak.lines, peak.seats), (2, Some(2)));
    assert_eq!(answer.features[0].open_at_end, 3);
    let reserved = rows.iter().find_map(|row| match row {
        Imported::Level(level) => Some((level.reserved, level.issued)),
        _ => None,
    });
    assert_eq!(reserved, Some((1, Some(5))));
}

#[test]
fn two_pools_of_a_report_are_one_and_end_no_use_of_each_other() {
    let facts = [
        seen(snapshot(10, "1@a", &["ann"])),
        seen(snapshot(10, "1@a", &["bob"])),
        seen(snapshot(20, "1@a", &["bob"])),
        seen(snapshot(20, "1@a", &["ann"])),
    ];
    let (rows, answer) = summed_up(&facts);
    assert_eq!(uses(&rows), [("ann", 10, None), ("bob", 10, None)]);
    assert_eq!(answer.features[0].peak.lines, 2);
    assert_eq!(answer.features[0].owned, Some(10));
}

#[test]
fn a_wait_came_to_a_seat_if_a_checkout_follows_and_to_none_if_the_daemon_ended() {
    let facts = [
        Fact::Queued(ask(10, "ann")),
        Fact::Queued(ask(11, "bob")),
        Fact::Queued(ask(12, "eve")),
        Fact::Queued(ask(13, "kim")),
        Fact::Dequeued(ask(20, "ann")),
        Fact::Checkout(ask(21, "ann")),
        Fact::Dequeued(ask(22, "bob")),
        Fact::Checkout(ask(25, "eve")),
        Fact::Checkout(ask(40, "bob")),
        Fact::Ended {
            at: at(50),
            daemon: None,
        },
    ];
    let (rows, answer) = summed_up(&facts);
    let mut waits: Vec<(&str, Option<i64>, Option<bool>)> = rows
        .iter()
        .filter_map(|row| match row {
            Imported::Wait(it) => {
                let ended = it.ended_at.map(|at| at.as_second());
                Some((it.user.as_str(), ended, it.granted))
            }
            _ => None,
        })
        .collect();
    waits.sort_unstable();
    assert_eq!(
        waits,
        [
            ("ann", Some(20), Some(true)),
            ("bob", Some(22), None),
            ("eve", Some(25), Some(true)),
            ("kim", Some(50), Some(false)),
        ]
    );
    assert_eq!(answer.features[0].queued, 4);
}

#[test]
fn a_daemons_peak_stands_beside_ours() {
    let peak = |feature: Option<&str>, seats| Fact::DaemonPeak {
        daemon: Some("d".to_owned()),
        feature: feature.map(str::to_owned),
        seats,
        at: None,
    };
    let facts = [
        Fact::Checkout(ask(10, "ann")),
        peak(Some("f"), 3),
        peak(None, 9),
        peak(Some("f"), 2),
    ];
    let (rows, answer) = summed_up(&facts);
    assert_eq!(answer.daemon_peak, Some(9));
    let beside: Vec<(Option<&str>, u64, Option<u64>)> = answer
        .daemon_peaks
        .iter()
        .map(|it| (it.product.as_deref(), it.seats, it.ours))
        .collect();
    assert_eq!(beside, [(None, 9, None), (Some("d:f"), 3, Some(1))]);
    let rows = rows
        .iter()
        .filter(|row| matches!(row, Imported::DaemonPeak(_)));
    assert_eq!(rows.count(), 2);
}

#[test]
fn a_name_that_is_too_long_keeps_its_row_alone_from_crossing() {
    let long = "x".repeat(300);
    let facts = [
        Fact::Denied(ask(10, &long), "no".to_owned()),
        Fact::Denied(ask(10, "ann"), "no".to_owned()),
    ];
    let (rows, answer) = summed_up(&facts);
    assert_eq!((rows.len(), answer.rows, answer.left_out), (1, 1, 1));
    assert_eq!(answer.features[0].denials, Some(2));
}

#[test]
fn sums_tell_how_many_people_and_make_no_peak() {
    let summed = |user: &str, starts| {
        Fact::Summed(Box::new(Summed {
            product: Product::Foreign(Feature {
                daemon: None,
                name: "Paint".to_owned(),
            }),
            holder: Some(holder(user)),
            version: None,
            from: Some(at(0)),
            to: Some(at(100)),
            starts: Some(starts),
            seconds: None,
            users: None,
            last_used: Some(at(50)),
            row: 1,
        }))
    };
    let (rows, answer) = summed_up(&[summed("ann", 3), summed("bob", 1), summed("ann", 4)]);
    assert_eq!(rows.len(), 3);
    let feature = &answer.features[0];
    assert_eq!(
        (feature.product.as_str(), feature.users),
        ("unknown:Paint", 2)
    );
    assert_eq!((feature.checkouts, feature.peak.lines), (None, 0));
}
