//! Bodies of rows, and summaries that fit into one.

use jiff::Timestamp;
use usher_api::{Imported, ImportedDenial, ImportedFeature, ImportedPeak, ImportedReason};

use super::*;

fn row(number: usize) -> ImportRow {
    ImportRow {
        key: format!("{number:032x}:0"),
        what: Imported::Denial(ImportedDenial {
            product: "d:f".to_owned(),
            user: "x".repeat(200),
            computer: "pc".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            seats: 1,
            version: None,
            reason: ImportedReason::NoSeat,
            words: "no".to_owned(),
        }),
    }
}

#[test]
fn no_body_is_larger_than_a_manager_reads_and_no_row_is_lost() {
    let (bodies, mut coming) = mpsc::channel::<Body>(1_000);
    let mut packed = Packed::new(bodies);
    let rows = 9_000;
    for number in 0..rows {
        packed.row(&row(number));
    }
    packed.flush();
    packed.flush();
    drop(packed);
    let (mut count, mut bodies) = (0, 0);
    while let Ok(rows) = coming.try_recv() {
        count += rows.len();
        bodies += 1;
        let body = Numbered { number: 1, rows };
        assert!(serde_json::to_vec(&body).unwrap().len() <= BODY_LIMIT_BYTES);
    }
    assert_eq!(count, rows);
    assert!(bodies > 1);
}

#[test]
fn a_summary_that_is_too_long_leaves_features_out_and_counts_them() {
    let feature = |number: usize| ImportedFeature {
        product: format!("daemon:{number:0>200}"),
        checkouts: Some(1),
        checkins: Some(1),
        denials: Some(0),
        queued: 0,
        unsupported: 0,
        users: 1,
        users_at_least: false,
        peak: ImportedPeak::default(),
        open_at_end: 0,
        owned: None,
    };
    let summary = ImportSummary {
        kind: ImportKind::FlexnetLog,
        lines: 1,
        understood: 1,
        not_understood: Vec::new(),
        not_understood_more: 0,
        features: (0..10_000).map(feature).collect(),
        features_more: 0,
        from: None,
        to: None,
        time_zone: "UTC".to_owned(),
        dates_from: None,
        clock_changes: 0,
        unobserved_seconds: 0,
        daemon_peak: None,
        daemon_peaks: Vec::new(),
        rows: 1,
        left_out: 0,
        notes: Vec::new(),
    };
    let short = shortened(summary);
    assert!(serde_json::to_vec(&short).unwrap().len() <= BODY_LIMIT_BYTES);
    assert!(!short.features.is_empty());
    assert_eq!(short.features.len() as u64 + short.features_more, 10_000);
}
