//! Whole files, from bytes to rows and the answer.

mod again;
mod live;

use jiff::civil::date;
use usher_api::{DatesFrom, ImportRow, Imported, ImportedReason, ImportedUse};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn how(kind: Kind) -> How {
    How {
        kind,
        time_zone: None,
        site_zone: TimeZone::UTC,
        first_day: None,
        day_first: false,
        server: None,
        written: at("2026-11-30T18:00:00Z"),
        today: date(2026, 11, 30),
    }
}

/// The rows and the answer of files that follow each other, an hour apart.
fn imported(import: Import, files: &[&str]) -> (Vec<ImportRow>, ImportSummary) {
    let mut import = import;
    let mut rows = Vec::new();
    let mut sink = |row: ImportRow| rows.push(row);
    for (hours, file) in (0..).zip(files) {
        let written = at("2026-11-30T18:00:00Z") + jiff::SignedDuration::from_hours(hours);
        import
            .file(&mut file.as_bytes(), written, &mut sink)
            .unwrap();
    }
    let summary = import.finish(&mut sink);
    assert_eq!(summary.rows, u64::try_from(rows.len()).unwrap());
    (rows, summary)
}

fn of(kind: Kind, files: &[&str]) -> (Vec<ImportRow>, ImportSummary) {
    imported(Import::new(how(kind), ProductMap::default(), &[]), files)
}

fn uses(rows: &[ImportRow]) -> Vec<&ImportedUse> {
    let uses = rows.iter().filter_map(|row| match &row.what {
        Imported::Use(used) => Some(used),
        _ => None,
    });
    uses.collect()
}

const LOG: &str = "\
 8:00:00 (lmgrd) TIMESTAMP 11/30/2026
 8:00:01 (MLM) OUT: \"Simulink\" ann@pc1
 8:10:00 (MLM) OUT: \"Simulink\" bob@pc2 (2 licenses)
 8:20:00 (MLM) DENIED: \"Simulink\" eve@pc3 (Licensed number of users already reached. (-4,342))
 8:21:00 (MLM) QUEUED: \"Simulink\" eve@pc3
 8:30:00 (MLM) IN: \"Simulink\" ann@pc1
 8:30:00 (MLM) DEQUEUED: \"Simulink\" eve@pc3
 8:30:01 (MLM) OUT: \"Simulink\" eve@pc3
 8:40:00 (MLM) FROB: \"Simulink\" ann@pc1 kim
";

#[test]
fn a_log_becomes_uses_refusals_and_waits_and_says_what_it_did_not_understand() {
    let (rows, summary) = of(Kind::FlexnetLog, &[LOG]);
    let uses = uses(&rows);
    assert_eq!(uses.len(), 3);
    assert_eq!(
        (uses[0].product.as_str(), uses[0].user.as_str()),
        ("MLM:Simulink", "ann")
    );
    assert_eq!(uses[0].ended_at, Some(at("2026-11-30T08:30:00Z")));
    assert_eq!(uses[0].ending.as_deref(), Some("checkin"));
    let bob = uses.iter().find(|used| used.user == "bob").unwrap();
    assert_eq!((bob.seats, bob.ended_at), (2, None));
    assert_eq!(bob.seen_until, Some(at("2026-11-30T08:30:01Z")));
    let denials = rows.iter().filter_map(|row| match &row.what {
        Imported::Denial(denial) => Some(denial.reason),
        _ => None,
    });
    assert_eq!(denials.collect::<Vec<_>>(), [ImportedReason::NoSeat]);
    let waits = rows.iter().filter_map(|row| match &row.what {
        Imported::Wait(wait) => Some((wait.ended_at, wait.granted)),
        _ => None,
    });
    let granted = (Some(at("2026-11-30T08:30:00Z")), Some(true));
    assert_eq!(waits.collect::<Vec<_>>(), [granted]);

    assert_eq!((summary.lines, summary.understood), (9, 8));
    assert_eq!(summary.not_understood[0].shape, "# (MLM) FROB: \"\" @ *");
    assert_eq!(
        summary.not_understood[0].example,
        "8:40:00 (MLM) FROB: \"\" USER@HOST NAME"
    );
    let [feature] = summary.features.as_slice() else {
        panic!("{:?}", summary.features);
    };
    assert_eq!((feature.checkouts, feature.checkins), (Some(3), Some(1)));
    assert_eq!(
        (feature.denials, feature.queued, feature.users),
        (Some(1), 1, 3)
    );
    assert_eq!((feature.peak.lines, feature.peak.users_hosts), (2, 2));
    assert_eq!((feature.peak.seats, feature.open_at_end), (None, 2));
    assert_eq!(summary.dates_from, Some(DatesFrom::Timestamp));
    assert_eq!(summary.time_zone, "UTC");
    assert_eq!(summary.from, Some(at("2026-11-30T08:00:01Z")));
    assert_eq!(summary.daemon_peak, None);
}

#[test]
fn a_licence_beside_a_log_makes_seats_of_its_checkouts() {
    let licence = "INCREMENT Simulink MLM 1.0 permanent 5 DUP_GROUP=UH\n";
    let (owned, missed) = licences([&mut licence.as_bytes() as &mut dyn Read]).unwrap();
    assert!(missed.is_empty());
    let import = Import::new(how(Kind::FlexnetLog), ProductMap::default(), &owned);
    let (_, summary) = imported(import, &[LOG]);
    let feature = &summary.features[0];
    assert_eq!((feature.peak.seats, feature.owned), (Some(3), Some(5)));
}

#[test]
fn a_use_that_is_open_at_the_end_of_a_log_ends_in_the_next() {
    let more = " 9:00:00 (MLM) IN: \"Simulink\" bob@pc2 (2 licenses)\n";
    let (rows, summary) = of(Kind::FlexnetLog, &[LOG, more]);
    let uses = uses(&rows);
    let bob = uses.iter().find(|used| used.user == "bob").unwrap();
    assert_eq!(bob.ended_at, Some(at("2026-11-30T09:00:00Z")));
    assert_eq!(summary.features[0].open_at_end, 1);
}

#[test]
fn a_map_names_products_and_leaves_the_keys_as_they_are() {
    let map = ProductMap::read("feature,product\nMLM:Simulink,sim\n").unwrap();
    let (mapped, summary) = imported(Import::new(how(Kind::FlexnetLog), map, &[]), &[LOG]);
    let (plain, _) = of(Kind::FlexnetLog, &[LOG]);
    assert_eq!(uses(&mapped)[0].product, "sim");
    assert_eq!(summary.features[0].product, "sim");
    let keys =
        |rows: &[ImportRow]| -> Vec<String> { rows.iter().map(|row| row.key.clone()).collect() };
    assert_eq!(keys(&mapped), keys(&plain));
}

#[test]
fn a_licence_file_says_what_is_owned_and_no_use() {
    let text = "INCREMENT a d 1.0 permanent 5\nINCREMENT a d 1.0 permanent 3\n\
                INCREMENT old d 1.0 1-jan-2020 3\nFEATURE u d 1.0 permanent uncounted HOSTID=ANY\n";
    let (rows, summary) = of(Kind::FlexnetLicence, &[text]);
    assert_eq!(rows.len(), 4);
    let owned: Vec<(&str, Option<u64>)> = summary
        .features
        .iter()
        .map(|feature| (feature.product.as_str(), feature.owned))
        .collect();
    assert_eq!(owned, [("d:a", Some(8)), ("d:old", Some(0)), ("d:u", None)]);
    let first = &summary.features[0];
    assert_eq!(
        (first.checkouts, first.checkins, first.denials),
        (None, None, None)
    );
    assert_eq!(summary.dates_from, None);
}

#[test]
fn a_file_of_one_statement_is_understood_once_it_is_over() {
    for (kind, text) in [
        (Kind::FlexnetLicence, "INCREMENT a d 1.0 permanent 5\n"),
        (Kind::FlexnetOptions, "MAX 1 b USER ann\n"),
    ] {
        let mut import = Import::new(how(kind), ProductMap::default(), &[]);
        let mut sink = |_: ImportRow| {};
        import
            .file(&mut text.as_bytes(), at("2026-11-30T18:00:00Z"), &mut sink)
            .unwrap();
        import.end(&mut sink);
        assert!(import.is_any_understood(), "{kind}");
    }
}

#[test]
fn an_options_file_names_the_daemon_that_a_licence_beside_it_has() {
    let licence = "INCREMENT a d 1.0 permanent 5\n";
    let (owned, _) = licences([&mut licence.as_bytes() as &mut dyn Read]).unwrap();
    let import = Import::new(how(Kind::FlexnetOptions), ProductMap::default(), &owned);
    let text = "RESERVE 2 a USER ann\nMAX 1 b USER ann\nEXCLUDEALL HOST pc1\n";
    let (rows, summary) = imported(import, &[text]);
    let limits: Vec<(Option<&str>, &str)> = rows
        .iter()
        .filter_map(|row| match &row.what {
            Imported::Limit(limit) => Some((limit.product.as_deref(), limit.rule.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        limits,
        [
            (Some("d:a"), "reserve"),
            (Some("unknown:b"), "at_most"),
            (None, "exclude"),
        ]
    );
    assert!(!summary.notes.is_empty());
}

#[test]
fn whom_a_report_shows_and_the_next_does_not_has_ended() {
    let one = "LicenseName=cad@lic1\n    Total=5 Used=2 Free=3 Reserved=0 Remote=yes\n";
    let (rows, summary) = of(Kind::Slurm, &[one, one]);
    let levels = rows
        .iter()
        .filter(|row| matches!(row.what, Imported::Level(_)));
    assert_eq!(levels.count(), 2);
    let feature = &summary.features[0];
    assert_eq!((feature.checkouts, feature.peak.seats), (None, Some(2)));
    assert_eq!(feature.owned, Some(5));
    assert_eq!(summary.dates_from, Some(DatesFrom::FileTime));

    let report = |people: &str| {
        format!(
            "LM-X License Server on 6200@lic1:\nServer version: v5.1 Uptime: 1 day(s)\n\
             Feature: f Version: 1.0 Vendor: V\n{people}"
        )
    };
    let ann = "1 license(s) used by ann@pc1 [192.0.2.1]\n    Login time: 2026-11-30 08:00   Checkout time: 2026-11-30 08:00\n";
    let bob = "2 license(s) used by bob@pc2 [192.0.2.2]\n    Login time: 2026-11-30 09:00   Checkout time: 2026-11-30 09:00\n";
    let (first, second) = (report(&format!("{ann}{bob}")), report(bob));
    let (rows, summary) = of(Kind::Lmx, &[&first, &second]);
    let uses = uses(&rows);
    assert_eq!(uses.len(), 2, "{uses:?}");
    assert_eq!(
        (uses[0].user.as_str(), uses[0].ending.as_deref()),
        ("ann", Some("not_seen"))
    );
    assert_eq!(uses[0].ended_at, Some(at("2026-11-30T18:00:00Z")));
    assert_eq!((uses[1].user.as_str(), uses[1].ended_at), ("bob", None));
    assert_eq!(uses[1].seen_until, Some(at("2026-11-30T19:00:00Z")));
    let feature = &summary.features[0];
    assert_eq!((feature.peak.lines, feature.peak.users_hosts), (2, 2));
    assert_eq!((feature.users, feature.open_at_end), (2, 1));
}

#[test]
fn a_table_of_uses_is_counted_whatever_its_order_and_says_which_rows_are_wrong() {
    let text = "product,user,computer,started_at,ended_at,seats\n\
                cad,bob,pc2,2026-11-30T09:00:00Z,2026-11-30T11:00:00Z,2\n\
                cad,ann,pc1,2026-11-30T08:00:00Z,2026-11-30T10:00:00Z,1\n\
                cad,ann,pc1,2026-11-30T12:00:00Z,,1\n\
                cad,ann,pc1,yesterday,,1\n";
    let (rows, summary) = of(Kind::SessionsCsv, &[text]);
    assert_eq!(rows.len(), 3);
    let feature = &summary.features[0];
    assert_eq!((feature.checkouts, feature.checkins), (Some(3), Some(2)));
    assert_eq!(feature.peak.seats, Some(3));
    assert_eq!(feature.peak.seats_at, Some(at("2026-11-30T09:00:00Z")));
    assert_eq!((feature.users, feature.open_at_end), (2, 1));
    assert!(
        summary.notes[0].starts_with("line 5:"),
        "{:?}",
        summary.notes
    );
    assert_eq!((summary.lines, summary.understood), (5, 4));
}

#[test]
fn a_file_in_which_nothing_is_understood_is_known_for_it() {
    let mut import = Import::new(how(Kind::FlexnetLog), ProductMap::default(), &[]);
    let mut sink = |_: ImportRow| {};
    let text = "once upon a time\n\n\nthere was a log\n";
    import
        .file(&mut text.as_bytes(), at("2026-11-30T18:00:00Z"), &mut sink)
        .unwrap();
    import.end(&mut sink);
    assert!(!import.is_any_understood());
    assert_eq!(import.lines(), 4);
    import
        .file(&mut LOG.as_bytes(), at("2026-11-30T18:00:00Z"), &mut sink)
        .unwrap();
    assert!(import.is_any_understood());
}
