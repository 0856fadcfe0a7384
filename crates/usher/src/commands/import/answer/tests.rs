//! What people read of an import.

use usher_api::{ImportKind, NotUnderstood};

use super::*;

fn at(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn answer() -> ImportAnswer {
    ImportAnswer {
        summary: ImportSummary {
            kind: ImportKind::FlexnetLog,
            lines: 12,
            understood: 9,
            not_understood: vec![NotUnderstood {
                shape: "FROB *".to_owned(),
                count: 2,
                example: "FROB NAME".to_owned(),
            }],
            not_understood_more: 1,
            features: vec![ImportedFeature {
                product: "MLM:Simulink".to_owned(),
                checkouts: Some(3),
                checkins: Some(1),
                denials: Some(1),
                queued: 0,
                unsupported: 0,
                users: 2,
                users_at_least: false,
                peak: ImportedPeak {
                    lines: 3,
                    lines_at: at("2026-11-30T08:00:00Z"),
                    users_hosts: 2,
                    users_hosts_at: at("2026-11-30T08:00:00Z"),
                    seats: None,
                    seats_at: None,
                },
                open_at_end: 2,
                owned: None,
            }],
            features_more: 0,
            from: at("2026-11-30T08:00:00Z"),
            to: at("2026-11-30T18:00:00Z"),
            time_zone: "UTC".to_owned(),
            dates_from: Some(DatesFrom::StartDate),
            clock_changes: 1,
            unobserved_seconds: 7_200,
            daemon_peak: Some(4),
            daemon_peaks: vec![DaemonPeakBeside {
                product: Some("MLM:Simulink".to_owned()),
                daemon: Some("MLM".to_owned()),
                seats: 4,
                at: None,
                ours: Some(3),
            }],
            rows: 5,
            left_out: 1,
            notes: vec!["A note\u{1b}.".to_owned()],
        },
        id: Some("i-0eb292ce4887503d".to_owned()),
        added: Some(4),
        already_there: Some(1),
        completed: Some(0),
    }
}

#[test]
fn an_answer_says_what_was_understood_and_what_is_uncertain() {
    let text = text(&answer());
    for said in [
        "9 of 12 lines understood.\n",
        "From 2026-11-30 08:00:00 UTC to 2026-11-30 18:00:00 UTC, dated by the start of a server in the file.\n",
        "The clock was set once.\n",
        "Of 2 h nothing was recorded.\n",
        " 2-3  2026-11-30 08:00:00 UTC",
        "MLM counts 4 of MLM:Simulink at once at the most; the lines come to 3.\n",
        "    2  FROB NAME\nand 1 line of other forms\n",
        "A note\\u{1b}.\n",
        "Import i-0eb292ce4887503d: 4 rows new, 1 known already. 1 row left out: a name is longer than 255 bytes, or a product's id has a blank or /.\n",
    ] {
        assert!(text.contains(said), "{said:?} is not in:\n{text}");
    }
}

#[test]
fn what_is_owned_alone_is_a_short_table_and_a_dry_run_takes_in_nothing() {
    let mut answer = answer();
    let feature = &mut answer.summary.features[0];
    feature.checkouts = None;
    feature.users = 0;
    feature.peak = ImportedPeak::default();
    feature.owned = Some(25);
    (answer.id, answer.added) = (None, None);
    let text = text(&answer);
    assert!(
        text.contains("PRODUCT       SEATS\nMLM:Simulink     25\n"),
        "{text}"
    );
    assert!(
        text.contains("Nothing was taken in; it would be 5 rows."),
        "{text}"
    );
}
