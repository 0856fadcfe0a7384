//! The words of each decision.

use usher_core::ledger::{EventNumber, Incarnation, Scene};

use super::*;

fn row(kind: DecisionKind, reason: Option<&str>, seats: u32, scene: Scene) -> DecisionRow {
    DecisionRow {
        id: usher_core::ledger::DecisionId {
            incarnation: Incarnation(0xab),
            number: EventNumber(7),
        },
        kind,
        product: "cad".into(),
        user: "ann".into(),
        authority: "usher".into(),
        key: "ann".into(),
        computer: "pc1".into(),
        computer_key: "pc1".into(),
        seats,
        also: Vec::new(),
        at: 0,
        reason: reason.map(str::to_owned),
        scene,
        waited: false,
        ended: None,
        holders: Vec::new(),
    }
}

fn scene(seats: u64, in_use: u64, queued: u32) -> Scene {
    Scene {
        seats,
        in_use,
        queued,
    }
}

#[test]
fn every_decision_says_its_rule_and_what_would_help() {
    use DecisionKind::{Denied, Granted, Queued};
    let mut waited = row(Granted, None, 1, scene(2, 1, 1));
    waited.waited = true;
    let with = |row: DecisionRow| DecisionRow {
        also: vec![("pack".into(), 2), ("library".into(), 1)],
        ..row
    };
    let cases = [
        row(Granted, None, 1, scene(2, 1, 0)),
        with(row(Granted, None, 1, scene(2, 1, 0))),
        with(row(Queued, None, 1, scene(2, 1, 0))),
        with(row(Denied, Some("no_seat"), 1, scene(2, 2, 0))),
        waited,
        row(Queued, None, 1, scene(2, 2, 0)),
        row(Queued, None, 2, scene(3, 2, 4)),
        row(Denied, Some("no_seat"), 1, scene(2, 2, 0)),
        row(Denied, Some("no_seat"), 5, scene(2, 0, 0)),
        row(Denied, Some("no_seat"), 1, scene(4, 2, 1)),
        row(Denied, Some("no_entitlement"), 1, scene(0, 0, 0)),
        row(Denied, Some("entitlement_expired"), 1, scene(0, 0, 0)),
        row(Denied, Some("not_yet_valid"), 1, scene(0, 0, 0)),
        row(Denied, Some("product_disabled"), 1, scene(2, 0, 0)),
        row(Denied, Some("queue_full"), 1, scene(2, 2, 3)),
    ];
    let mut text = String::new();
    for case in cases {
        let decision = explain(case, Reader::Administrator);
        text.push_str(&format!(
            "{} {}\n  {}\n",
            decision.decision,
            decision.reason.map_or("", Reason::as_str),
            decision.rule
        ));
        for help in decision.what_would_help {
            text.push_str(&format!("  - {help}\n"));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn who_may_change_nothing_is_told_what_they_may_do() {
    let mut help = Vec::new();
    for (reason, seats, there) in [
        ("no_seat", 1, scene(2, 2, 0)),
        ("no_seat", 5, scene(2, 0, 0)),
        ("no_entitlement", 1, scene(0, 0, 0)),
        ("impossible", 3, scene(2, 2, 0)),
        ("entitlement_expired", 1, scene(0, 0, 0)),
        ("product_disabled", 1, scene(2, 0, 0)),
        ("queue_full", 1, scene(2, 2, 3)),
    ] {
        let denied = row(DecisionKind::Denied, Some(reason), seats, there);
        help.extend(explain(denied, Reader::Person).what_would_help);
    }
    let mut several = row(DecisionKind::Denied, Some("no_seat"), 2, scene(2, 2, 0));
    several.also = vec![("pack".into(), 3)];
    help.extend(explain(several, Reader::Person).what_would_help.pop());
    let text = help.join("\n");
    for command in ["usher entitlement", "usher product"] {
        assert!(!text.contains(command), "{text}");
    }
    insta::assert_snapshot!(text, @r"
    1 seat given back by a holder.
    1 seat more owned: ask the administrator of the licences.
    Waiting in the queue: `usher run --product cad --wait -- PROGRAM`.
    Asking for at most 2 seats at once.
    3 seats more owned: ask the administrator of the licences.
    1 seat more owned: ask the administrator of the licences.
    Asking for at most 2 seats at once.
    1 seat more owned: ask the administrator of the licences.
    An entitlement that is valid on that day: ask the administrator of the licences.
    The product switched on again: ask the administrator of the licences.
    1 seat given back by a holder.
    1 seat more owned: ask the administrator of the licences.
    Waiting in the queue: `usher run --product cad --seats 2 --also pack=3 --wait -- PROGRAM`.
    ");
}

/// `1 seats`, `1 requests` and their kin.
fn is_wrong(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    words.windows(3).any(|three| {
        let plural = three[2].trim_end_matches(['.', ',', ':', ';']);
        let is_plural = plural.ends_with('s') && !["is", "was", "waits"].contains(&plural);
        let said = three[1] == "1" && is_plural;
        said || (three[0] == "1" && three[1] != "of" && ["were", "are"].contains(&three[2]))
    })
}

#[test]
fn one_of_a_thing_is_said_as_one() {
    assert!(is_wrong("for 1 seats.") && is_wrong("there 1 seat were"));
    use usher_core::ledger::Reason as Why;
    let reasons = [
        Why::NoSeat,
        Why::NoEntitlement,
        Why::EntitlementExpired,
        Why::NotYetValid,
        Why::ProductDisabled,
        Why::QueueFull,
        Why::Impossible,
    ];
    for (seats, total) in [(1, 0), (1, 1), (2, 1), (1, 3)] {
        for (in_use, queued) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
            let there = scene(total, in_use.min(total), queued);
            for reason in reasons {
                let word = records::reason(reason).as_str();
                let denied = row(DecisionKind::Denied, Some(word), seats, there);
                let denied = explain(denied, Reader::Administrator);
                let text = format!("{} {}", denied.rule, denied.what_would_help.join(" "));
                assert!(!is_wrong(&text), "{text}");
                let text = records::denial("cad", seats, "ask again later", reason, (there, 0));
                assert!(!is_wrong(&text), "{text}");
            }
            let queued = row(DecisionKind::Queued, None, seats, there);
            let queued = explain(queued, Reader::Administrator);
            assert!(!is_wrong(&queued.rule), "{}", queued.rule);
        }
    }
}
