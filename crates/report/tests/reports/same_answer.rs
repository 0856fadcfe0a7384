//! The same question later gives the same hash, or it is said what came in.

use usher_api::{Cell, Report, ReportName};
use usher_report::{ExpiringInput, PeaksInput, expiring, hash, peaks, since};

use crate::each_report::report;
use crate::made_up::{asked, at, entitlements, figures, group_uses};

#[test]
fn a_report_that_went_through_json_has_its_hash() {
    for name in ReportName::ALL {
        let report = report(name);
        let text = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&text).unwrap();
        assert_eq!(hash(&read), report.hash, "{name}");
        assert_eq!(report.hash.len(), 64);
    }
}

#[test]
fn a_look_that_finds_nothing_new_changes_no_hash() {
    let first = report(ReportName::Peaks);
    let mut later = asked();
    later.as_of[0].time = at("2026-11-30T20:30:00Z");
    later.notes.push("Read it twice.".to_owned());
    let input = PeaksInput {
        figures: figures(),
        groups: group_uses(),
    };
    let second = peaks(&later, input);
    assert_eq!(first.hash, second.hash);
    assert_eq!(since(&first, &second), Vec::<String>::new());
}

#[test]
fn what_came_in_changes_the_hash_and_is_said() {
    let first = report(ReportName::Peaks);
    let mut later = asked();
    later.as_of[0].event += 5;
    later.as_of.push(usher_api::AsOf {
        server: "beta".to_owned(),
        ..later.as_of[0].clone()
    });
    let input = PeaksInput {
        figures: figures(),
        groups: group_uses(),
    };
    let second = peaks(&later, input);
    assert_ne!(first.hash, second.hash);
    let expected = [
        "alpha has told of events up to 4716, after 4711.",
        "beta is new, with events up to 4716.",
    ];
    assert_eq!(since(&first, &second), expected);
    let gone = since(&second, &first);
    assert_eq!(gone[1], "beta is not among the servers any more.");
}

#[test]
fn each_part_of_a_question_and_its_answer_changes_the_hash() {
    let one = report(ReportName::Peaks);
    let changes: [fn(&mut Report); 9] = [
        |it| it.parameters.product = Some("cad".to_owned()),
        |it| it.parameters.user = Some("cad".to_owned()),
        |it| it.parameters.grain = None,
        |it| it.to = it.from,
        |it| it.time_zone = "UTC".to_owned(),
        |it| it.cut.clear(),
        |it| it.as_of[0].incarnation += 1,
        |it| it.sections[0].rows[0][2] = Cell::Whole(99),
        |it| it.sections[0].rows.swap(0, 1),
    ];
    let mut seen = vec![one.hash.clone()];
    for change in changes {
        let mut other = one.clone();
        change(&mut other);
        let hash = hash(&other);
        assert!(!seen.contains(&hash));
        seen.push(hash);
    }
}

#[test]
fn how_near_an_end_is_changes_no_hash() {
    let first = report(ReportName::Expiring);
    let mut later = asked();
    later.now = at("2026-12-20T20:00:00Z");
    let input = ExpiringInput {
        entitlements: entitlements(),
        is_owned_known: true,
    };
    let second = expiring(&later, input);
    assert_ne!(first.sections[0].rows, second.sections[0].rows);
    assert_eq!(first.hash, second.hash);
}
