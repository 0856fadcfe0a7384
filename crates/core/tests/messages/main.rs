//! Messages: the catalogue is whole, floods are folded, rules decide in their order.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use usher_core::messages::{
    Action, CATALOGUE, Criteria, DELIVERY_TRIED_HOURS, Folded, Folder, FolderOptions, Message,
    Rule, Severity, Standing, Summary, SummaryOptions, Thresholds, decide, default_rules, entry,
};

fn message(id: u16, time_ms: i64, values: &[&str]) -> Message {
    Message {
        id,
        computer: "site-1".to_owned(),
        site: "HQ".to_owned(),
        server: Some("alpha".to_owned()),
        process_id: 1,
        time_ms,
        values: values.iter().map(|text| (*text).to_owned()).collect(),
    }
}

#[test]
fn the_catalogue_is_in_order_and_says_what_it_has_to_of_each() {
    let ids: Vec<u16> = CATALOGUE.iter().map(|entry| entry.id).collect();
    let ordered: BTreeSet<u16> = ids.iter().copied().collect();
    assert_eq!(ids, ordered.into_iter().collect::<Vec<_>>());
    for entry in CATALOGUE {
        assert!(
            entry.is_of_sms() || (9410..=9499).contains(&entry.id),
            "{} is neither of SMS nor in our range",
            entry.id
        );
        for text in [entry.text, entry.meaning, entry.check, entry.does] {
            assert!(!text.is_empty(), "{}", entry.id);
        }
        // Each placeholder is one of 0, 1, 2 ... without a gap.
        let shown = entry.shown();
        assert_eq!(shown.matches('{').count(), entry.values(), "{}", entry.id);
        assert!(!shown.contains(['#', '|']), "{shown}");
        // And is said in words.
        let worded = entry.worded();
        assert!(!worded.contains(['{', '}', '#', '|']), "{worded}");
        assert_eq!(entry.fields().len(), entry.values(), "{}", entry.id);
    }
}

#[test]
fn for_how_long_a_delivery_is_tried_is_said_as_it_is() {
    let hours = format!("{DELIVERY_TRIED_HOURS} hours");
    assert!(entry(9448).does.contains(&hours));
    assert!(entry(9454).meaning.contains(&hours));
}

#[test]
fn a_word_that_follows_a_count_is_as_it_is_for_so_many() {
    let ends = |seats, left| {
        let told = message(9430, 0, &["E7", "CAD", seats, "2026-12-24", left]);
        told.text()
    };
    assert_eq!(
        [ends("1", "40"), ends("40", "1")],
        [
            "The entitlement E7 of CAD with 1 seat ends on 2026-12-24: from then on 40 seats are left",
            "The entitlement E7 of CAD with 40 seats ends on 2026-12-24: from then on 1 seat is left",
        ]
    );
    assert!(entry(9430).shown().contains("with {2} seats ends on {3}"));
    assert_eq!(
        entry(9432).worded(),
        "The agent on <computer> has not reported to <server> for <how long>"
    );
}

#[test]
fn what_to_check_names_what_the_message_is_about_in_its_commands() {
    let check = |id: u16, values: &[&str]| {
        let values: Vec<String> = values.iter().map(|it| (*it).to_owned()).collect();
        entry(id).check_of(&values)
    };
    let low = check(9431, &["CAD T (tcad)", "9", "10", "0", "0"]);
    assert!(
        low.starts_with("`usher leases --product tcad` shows"),
        "{low}"
    );
    assert!(low.contains("`usher denials --product tcad`"), "{low}");
    assert!(check(9431, &["tcad"]).contains("--product tcad`"));
    assert!(check(9413, &["alpha"]).contains("`usher servers show alpha`"));
    assert!(check(9448, &["ops"]).contains("`usher messages rules test ops`"));
    for called in [
        "cad-2026 (E7, contract A-4711)",
        "E7 (contract A 4711)",
        "E7",
    ] {
        let notice = check(9429, &[called, "CAD T (tcad)"]);
        assert!(
            notice.contains("`usher entitlement edit E7 --notice-days ''`"),
            "{notice}"
        );
        assert!(
            notice.contains("`usher entitlement add tcad --seats N --from DAY`"),
            "{notice}"
        );
    }
    for odd in ["", "a; reboot", "$(reboot)", "--all", "a b"] {
        assert_eq!(check(9431, &[odd]), entry(9431).check, "{odd}");
    }
}

#[test]
fn a_text_takes_its_values_and_reads_none_of_them_again() {
    let told = message(9406, 0, &["{1}{0}", "it was killed"]);
    assert_eq!(
        told.text(),
        "The software metering server service is not running on {1}{0}: it was killed"
    );
    assert_eq!(entry(9_406).severity, Severity::Error);
    let missing = message(9406, 0, &[]);
    assert!(missing.text().ends_with("not running on : "));
    assert_eq!(entry(1).id, 9499);
}

#[test]
fn a_quarter_of_a_million_of_the_same_is_one_row_with_a_count() {
    let mut folder = Folder::new(FolderOptions::default());
    let first = message(9432, 0, &["pc-1", "1 h"]);
    assert_eq!(folder.take(&first), Folded::New);
    folder.stored(&first, 7);
    let mut last = Folded::New;
    for n in 1..250_000 {
        last = folder.take(&message(9432, n, &["pc-1", "1 h"]));
    }
    assert_eq!(
        last,
        Folded::Repeat {
            record: 7,
            count: 250_000
        }
    );
}

#[test]
fn a_flood_of_different_ones_is_counted_and_holds_up_no_other_number() {
    let mut folder = Folder::new(FolderOptions::default());
    let mut kept = 0;
    let mut more = 0;
    for n in 0..250_000 {
        let told = message(9432, n / 10, &[&format!("pc-{n}"), "1 h"]);
        match folder.take(&told) {
            Folded::New => {
                kept += 1;
                folder.stored(&told, n);
            }
            Folded::Flood { more: so_far } => more = so_far,
            Folded::Repeat { .. } => panic!("all differ"),
        }
    }
    assert_eq!(kept, 100);
    assert_eq!(more, 249_900);
    assert_eq!(folder.take(&message(9406, 25_000, &["a"])), Folded::New);
    let later = message(9432, 90_000, &["pc-x", "1 h"]);
    assert_eq!(folder.take(&later), Folded::New, "a new minute");
}

#[test]
fn rules_are_taken_in_order_and_the_higher_one_wins() {
    let rule = |name: &str, when: Criteria, actions: &[Action], stop| Rule {
        name: name.to_owned(),
        when,
        actions: actions.to_vec(),
        stop,
    };
    let errors = Criteria {
        severity_at_least: Some(Severity::Error),
        ..Criteria::default()
    };
    let alpha = Criteria {
        server: Some("alpha".to_owned()),
        ids: vec![9406, 9410],
        ..Criteria::default()
    };
    let rules = [
        rule("errors", errors, &[Action::Store { days: 90 }], false),
        rule("alpha", alpha, &[Action::SystemLog], true),
        rule(
            "all",
            Criteria::default(),
            &[Action::Store { days: 7 }, Action::DoNotSummarise],
            false,
        ),
    ];
    let down = decide(&rules, &message(9406, 0, &[]));
    assert_eq!(down.store_days(), Some(90));
    assert_eq!(down.actions.len(), 2, "{down:?}");
    assert!(
        down.is_summarised(),
        "the rule that says otherwise is below a stop"
    );
    let warning = decide(&rules, &message(9412, 0, &[]));
    assert_eq!(warning.store_days(), Some(7));
    assert!(!warning.is_summarised());
    assert_eq!(
        decide(&default_rules(), &message(9440, 0, &[])).store_days(),
        Some(180)
    );
}

#[test]
fn a_rule_for_a_message_that_there_is_not_is_told_with_the_nearest() {
    let rule = |when| Rule {
        name: "low".to_owned(),
        when,
        actions: vec![Action::SystemLog],
        stop: false,
    };
    let ids = |ids: &[u16]| Criteria {
        ids: ids.to_vec(),
        ..Criteria::default()
    };
    assert_eq!(rule(ids(&[9431, 9406])).names_none(), None);
    assert_eq!(
        rule(ids(&[9431, 9407])).names_none().unwrap(),
        format!(
            "no message has the number 9407; the nearest is 9406: {}",
            entry(9406).meaning
        )
    );
    let swapped = rule(ids(&[9341])).names_none().unwrap();
    assert!(swapped.contains("the nearest is 9431: "), "{swapped}");
    assert!(!swapped.contains('<'), "{swapped}");
    let of = |component: &str| Criteria {
        component: Some(component.to_owned()),
        ..Criteria::default()
    };
    assert_eq!(rule(of("licensing")).names_none(), None);
    let why = rule(of("licencing")).names_none().unwrap();
    assert!(why.contains("agents, licensing, metering_server"), "{why}");
}

#[test]
fn what_the_manager_says_of_a_server_is_the_servers_and_reaches_rules_for_the_manager_too() {
    assert_eq!(entry(9406).component, "metering_server");
    let rule = |component: &str| Rule {
        name: "it".to_owned(),
        when: Criteria {
            component: Some(component.to_owned()),
            ..Criteria::default()
        },
        actions: vec![Action::SystemLog],
        stop: false,
    };
    let is_for = |component: &str, id: u16| {
        let decision = decide(&[rule(component)], &message(id, 0, &[]));
        !decision.actions.is_empty()
    };
    for (id, of_server, of_manager) in [
        (9406, true, true),
        (9434, true, false),
        (9442, false, true),
        (9431, false, false),
    ] {
        assert_eq!(is_for("metering_server", id), of_server, "{id}");
        assert_eq!(is_for("server_manager", id), of_manager, "{id}");
    }
}

#[test]
fn rules_that_make_no_sense_are_named() {
    let with = |action: Action| {
        let rule = Rule {
            name: "r".to_owned(),
            when: Criteria::default(),
            actions: vec![action],
            stop: false,
        };
        Rule::check_all(&[rule]).map_err(|error| error.to_string())
    };
    let wrong = [
        with(Action::Store { days: 0 }),
        with(Action::Mail { to: "ops".into() }),
        with(Action::Mail {
            to: "ops@x.org\nBcc: all@x.org".into(),
        }),
        with(Action::Mail {
            to: "-f@x.org".into(),
        }),
        with(Action::Mail {
            to: "a@x.org, b@x.org".into(),
        }),
        with(Action::Mail {
            to: "@x.org".into(),
        }),
        with(Action::Run {
            program: "page".into(),
            timeout_seconds: 0,
        }),
        with(Action::Run {
            program: "/bin/true".into(),
            timeout_seconds: 1,
        }),
        with(Action::Webhook {
            target: "https://x".into(),
        }),
        with(Action::Webhook {
            target: String::new(),
        }),
    ]
    .map(Result::unwrap_err);
    insta::assert_snapshot!(wrong.join("\n"));
    assert!(Rule::check_all(&default_rules()).is_ok());
}

#[test]
fn a_component_stands_by_its_thresholds() {
    let mut summary = Summary::default();
    let thresholds = Thresholds::default();
    assert_eq!(summary.standing(&thresholds), Standing::Ok);
    summary.add(Severity::Error, 1);
    assert_eq!(summary.standing(&thresholds), Standing::Warning);
    summary.add(Severity::Error, 4);
    assert_eq!(summary.standing(&thresholds), Standing::Critical);
    let never = Thresholds {
        error: (0, 0),
        ..thresholds
    };
    assert_eq!(summary.standing(&never), Standing::Ok);
}

#[test]
fn open_trouble_is_never_ok_but_for_what_is_counted_never() {
    let usual = Thresholds::default();
    assert_eq!(usual.while_open(Severity::Error), Standing::Critical);
    assert_eq!(usual.while_open(Severity::Warning), Standing::Warning);
    assert_eq!(usual.while_open(Severity::Informational), Standing::Ok);
    let some_never = Thresholds {
        warning: (0, 0),
        error: (1, 0),
        ..usual
    };
    assert_eq!(some_never.while_open(Severity::Error), Standing::Warning);
    assert_eq!(some_never.while_open(Severity::Warning), Standing::Ok);
}

#[test]
fn messages_are_counted_since_a_time_of_day_whatever_the_clock_does() {
    let since = |at: &str, now: &str| {
        let options = SummaryOptions {
            since: at.to_owned(),
            ..SummaryOptions::default()
        };
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        options
            .counted_since(now.parse().unwrap(), &zone)
            .to_string()
    };
    let noon = "2026-07-01T10:00:00Z";
    assert_eq!(since("00:00", noon), "2026-06-30T22:00:00Z");
    assert_eq!(since("18:00", noon), "2026-06-30T16:00:00Z");
    assert_eq!(since("12:00", noon), noon);
    // The day of 25 hours, near its end.
    assert_eq!(
        since("00:00", "2026-10-25T22:59:00Z"),
        "2026-10-24T22:00:00Z"
    );
}

#[test]
fn thresholds_of_a_component_go_before_those_of_the_site_and_nonsense_is_refused() {
    let set = |warning, error| Thresholds {
        warning,
        error,
        ..Thresholds::default()
    };
    let options = SummaryOptions {
        site: set((3, 4), (1, 5)),
        components: [("agents".to_owned(), set((10, 50), (7, 9)))].into(),
        ..SummaryOptions::default()
    };
    assert_eq!(options.of("licensing").warning, (3, 4));
    assert_eq!(options.of("agents").error, (7, 9));
    assert_eq!(options.check(), Ok(()));
    let nonsense = SummaryOptions {
        since: "noon".to_owned(),
        ..options
    };
    let why = nonsense.check().unwrap_err();
    assert!(why.contains("`noon` is not a time of day"), "{why}");
    let reversed = SummaryOptions {
        components: [("agents".to_owned(), set((50, 10), (7, 9)))].into(),
        ..SummaryOptions::default()
    };
    let why = reversed.check().unwrap_err();
    assert!(
        why.contains("`summaries.components.agents.warning` is 50,10"),
        "{why}"
    );
    let never_critical = SummaryOptions {
        site: set((50, 0), (7, 7)),
        ..SummaryOptions::default()
    };
    assert_eq!(never_critical.check(), Ok(()));
}
