//! What a watch gives while a log grows or reports keep coming is what an import of all of it gives.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::again::line;
use super::*;

/// What a site has after the rows: what says more takes the place of what is there.
fn keep(site: &mut BTreeMap<String, ImportedUse>, rows: &[ImportRow]) {
    for row in rows {
        let Imported::Use(used) = &row.what else {
            continue;
        };
        let known = site.entry(row.key.clone()).or_insert_with(|| used.clone());
        let is_more = used.ended_at.is_some() || used.seen_until > known.seen_until;
        if known.ended_at.is_none() && is_more {
            *known = used.clone();
        }
    }
}

fn live(kind: Kind) -> Import {
    Import::live(how(kind), ProductMap::default(), &[])
}

fn minute(minutes: i64) -> Timestamp {
    at("2026-11-30T08:00:00Z") + jiff::SignedDuration::from_mins(minutes)
}

/// A report with these holders, each with the minute of the start.
fn report(holders: &[(&str, u32)]) -> String {
    let used = holders.len();
    let lines: String = holders
        .iter()
        .map(|(user, start)| {
            format!("    {user} pc1 :0 (v1) (lic1/27000 101), start Mon 11/30 7:{start:02}\n")
        })
        .collect();
    format!(
        "lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved.\n\
         Flexible License Manager status on Mon 11/30/2026 8:00\n\n\
         License server status: 27000@lic1\n\n   lic1: license server UP (MASTER) v11.19.6\n\n\
         Vendor daemon status (on lic1):\n\n  d: UP v11.19.6\nFeature usage info:\n\n\
         Users of f:  (Total of 9 licenses issued;  Total of {used} licenses in use)\n\n  \
         \"f\" v1, vendor: d, expiry: 01-jan-2030\n  floating license\n\n{lines}\n"
    )
}

/// Takes in a report of that minute, and what goes on; the rows.
fn asked(import: &mut Import, text: &str, minutes: i64) -> Vec<ImportRow> {
    let mut rows = Vec::new();
    let mut sink = |row: ImportRow| rows.push(row);
    assert!(import.report(text.as_bytes(), minute(minutes), &mut sink));
    import.so_far(true, &mut sink);
    rows
}

fn ends(site: &BTreeMap<String, ImportedUse>) -> Vec<(&str, Option<Timestamp>, Option<Timestamp>)> {
    let mut ends: Vec<_> = site
        .values()
        .map(|used| (used.user.as_str(), used.ended_at, used.seen_until))
        .collect();
    ends.sort_unstable();
    ends
}

#[test]
fn of_two_seats_in_the_same_words_one_goes_on_whatever_becomes_of_the_other() {
    let mut import = live(Kind::Lmstat);
    let mut site = BTreeMap::new();
    let two = [("ann", 1), ("ann", 1)];
    for (minutes, holders) in [
        (0, &two[..]),
        (1, &two[..1]),
        (2, &two[..1]),
        (3, &two[..1]),
    ] {
        keep(&mut site, &asked(&mut import, &report(holders), minutes));
    }
    let expected = [
        ("ann", None, Some(minute(3))),
        ("ann", Some(minute(0)), None),
    ];
    assert_eq!(ends(&site), expected);
    keep(&mut site, &asked(&mut import, &report(&[]), 4));
    let expected = [
        ("ann", Some(minute(0)), None),
        ("ann", Some(minute(3)), None),
    ];
    assert_eq!(ends(&site), expected);
}

fn silences(rows: &[ImportRow]) -> Vec<(Timestamp, Timestamp, Option<&str>)> {
    let silences = rows.iter().filter_map(|row| match &row.what {
        Imported::Silence(it) => Some((it.from, it.to, it.server.as_deref())),
        _ => None,
    });
    silences.collect()
}

#[test]
fn a_time_without_a_report_is_a_silence_and_ends_nobody() {
    let mut import = live(Kind::Lmstat);
    let mut site = BTreeMap::new();
    import.last_report_was(minute(-30));
    let first = asked(&mut import, &report(&[("ann", 1)]), 0);
    assert_eq!(silences(&first), [(minute(-30), minute(0), None)]);
    keep(&mut site, &first);
    import.no_report(minute(1), "it hangs");
    import.no_report(minute(2), "it hangs");
    let mut none = Vec::new();
    assert!(
        !import.report(b"segmentation fault\n", minute(3), &mut |row| none
            .push(row))
    );
    import.no_report(minute(3), "nothing is understood");
    assert_eq!(none, []);
    assert_eq!(import.span().1, Some(minute(0)));
    let back = asked(&mut import, &report(&[("ann", 1)]), 4);
    assert_eq!(silences(&back), [(minute(0), minute(4), None)]);
    keep(&mut site, &back);
    assert_eq!(ends(&site), [("ann", None, Some(minute(4)))]);
    assert_eq!(import.span(), (Some(minute(0)), Some(minute(4))));
}

#[test]
fn a_server_that_does_not_answer_is_told_in_pieces_while_it_lasts() {
    let mut import = live(Kind::Lmstat);
    asked(&mut import, &report(&[("ann", 1)]), 0);
    let down = "lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved.\n\
        Flexible License Manager status on Mon 11/30/2026 8:00\n\n\
        License server status: 27000@lic1\n\n\
        lmgrd is not running: Cannot connect to license server system. (-15,570:111 \"Connection refused\")\n";
    let mut told = Vec::new();
    for minutes in 1..=25 {
        told.extend(asked(&mut import, down, minutes));
    }
    assert_eq!(import.silent_now().len(), 1);
    told.extend(asked(&mut import, &report(&[("ann", 1)]), 26));
    assert!(import.silent_now().is_empty());
    let pieces: Vec<_> = silences(&told)
        .into_iter()
        .filter(|(from, to, _)| from < to)
        .map(|(from, to, _)| (from, to))
        .collect();
    let expected = [(0, 10), (10, 20), (20, 26)];
    assert_eq!(
        pieces,
        expected.map(|(from, to)| (minute(from), minute(to)))
    );
}

#[test]
fn a_level_that_stays_the_same_is_told_four_times_an_hour() {
    let mut import = live(Kind::Lmstat);
    let levels = |rows: &[ImportRow]| {
        let is_level = |row: &&ImportRow| matches!(row.what, Imported::Level(_));
        rows.iter().filter(is_level).count()
    };
    let mut told = 0;
    for minutes in 0..60 {
        told += levels(&asked(&mut import, &report(&[("ann", 1)]), minutes));
    }
    assert_eq!(told, 4);
    assert_eq!(levels(&asked(&mut import, &report(&[]), 60)), 1);
}

proptest! {
    /// Wherever a log is cut into parts, and whenever what is open is told.
    #[test]
    fn a_log_that_grows_comes_to_what_it_comes_to_at_once(
        events in proptest::collection::vec((0_u32..3, any::<bool>(), 0_u8..3), 1..40),
        cuts in proptest::collection::vec((1_usize..60, any::<bool>(), any::<bool>()), 1..20),
    ) {
        let mut second = 0;
        let mut text = " 8:00:00 (lmgrd) TIMESTAMP 11/30/2026\n".to_owned();
        for (later, begins, user) in &events {
            second += later;
            let word = if *begins { "OUT" } else { "IN" };
            text += &line(second, word, *user);
        }
        let mut import = live(Kind::FlexnetLog);
        let mut rows = Vec::new();
        let mut sink = |row: ImportRow| rows.push(row);
        let mut rest = text.as_bytes();
        for (length, tells, all) in cuts {
            let (part, more) = rest.split_at(length.min(rest.len()));
            rest = more;
            import.part(part, &mut sink);
            if tells {
                import.so_far(all, &mut sink);
            }
        }
        import.part(rest, &mut sink);
        import.part_is_over(&mut sink);
        import.so_far(true, &mut sink);
        let (whole, _) = of(Kind::FlexnetLog, &[&text]);
        let (mut grown, mut once) = (BTreeMap::new(), BTreeMap::new());
        keep(&mut grown, &rows);
        keep(&mut once, &whole);
        prop_assert_eq!(grown, once);
    }

    /// Whoever comes and goes: each report shows as many as run then.
    #[test]
    fn reports_that_keep_coming_come_to_what_an_import_of_all_of_them_comes_to(
        all in proptest::collection::vec(
            proptest::collection::vec((prop_oneof![Just("ann"), Just("bob")], 0_u32..2), 0..4),
            1..10,
        )
    ) {
        let mut import = live(Kind::Lmstat);
        let mut site = BTreeMap::new();
        for (minutes, holders) in (0_i64..).zip(&all) {
            keep(&mut site, &asked(&mut import, &report(holders), minutes));
            let run = site.values().filter(|used| used.seen_until == Some(minute(minutes)));
            prop_assert!(run.count() <= holders.len());
        }
        let mut whole = Import::new(how(Kind::Lmstat), ProductMap::default(), &[]);
        let mut rows = Vec::new();
        let mut sink = |row: ImportRow| rows.push(row);
        for (minutes, holders) in (0_i64..).zip(&all) {
            let text = report(holders).replace(" 8:00\n", &format!(" 8:{minutes:02}\n"));
            whole.file(&mut text.as_bytes(), minute(minutes), &mut sink).unwrap();
        }
        whole.finish(&mut sink);
        let mut once = BTreeMap::new();
        keep(&mut once, &rows);
        prop_assert_eq!(site, once);
    }
}
