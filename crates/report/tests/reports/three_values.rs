//! Used, never used, not known; short, covered, not known.

use usher_api::{Cell, CountedBy, GroupBy, LastUse, Report, ReportName, Section};
use usher_report::{
    CostInput, ExpiringInput, Figures, GroupUses, Need, PositionInput, ROWS_LIMIT, UnusedInput,
    UsageInput, cost, expiring, holders, position, unused, usage,
};

use crate::each_report::report;
use crate::made_up::{asked, at, entitlements, figures, item, owned, product_use, use_of};

fn section<'a>(report: &'a Report, key: &str) -> &'a Section {
    report.sections.iter().find(|it| it.key == key).unwrap()
}

/// The texts of a column.
fn column(section: &Section, key: &str) -> Vec<String> {
    let place = section.columns.iter().position(|it| it.key == key).unwrap();
    let cells = section.rows.iter().map(|row| match &row[place] {
        Cell::Null => "-".to_owned(),
        Cell::Whole(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::NotKnown { .. } => "?".to_owned(),
    });
    cells.collect()
}

#[test]
fn what_was_used_before_a_time_in_which_nobody_looked_is_not_called_unused() {
    let before = LastUse::used(at("2026-03-01T12:00:00Z"));
    let mut looked_away = product_use("cad", Some(10), before.clone());
    looked_away.unobserved_seconds = 60.0;
    let input = UnusedInput {
        products: vec![looked_away, product_use("plotter", Some(2), before)],
    };
    let report = unused(&asked(), input);
    let not_in_time = section(&report, "not_in_time");
    assert_eq!(column(not_in_time, "product"), ["plotter"]);
    assert_eq!(column(section(&report, "not_known"), "product"), ["cad"]);
    assert!(section(&report, "never").rows.is_empty());
}

#[test]
fn each_product_is_in_one_place_of_owned_by_used() {
    let report = report(ReportName::Unused);
    let table = section(&report, "two_ways");
    let counts = ["in_time", "before", "never", "not_known"].map(|key| column(table, key));
    let expected = [
        ["1", "1", "0"],
        ["1", "0", "0"],
        ["1", "0", "0"],
        ["0", "0", "1"],
    ];
    assert_eq!(
        counts.map(|it| it.join(",")),
        expected.map(|it| it.join(","))
    );
}

#[test]
fn a_person_who_was_refused_came_back_or_not_or_nobody_knows() {
    let report = report(ReportName::GaveUp);
    let table = section(&report, "products");
    let counts = ["refused", "came_back", "never", "not_known"].map(|key| column(table, key));
    assert_eq!(counts.concat(), ["3", "1", "1", "1"]);
    assert_eq!(column(section(&report, "never"), "user"), ["berta"]);
    assert_eq!(column(section(&report, "not_known"), "came_back_at"), ["?"]);
}

#[test]
fn a_product_whose_people_were_refused_is_not_called_covered() {
    let report = report(ReportName::Position);
    let now = section(&report, "now");
    assert_eq!(
        column(now, "product"),
        ["acme:solver", "cad", "old", "viewer"]
    );
    assert_eq!(column(now, "owned"), ["?", "10", "0", "20"]);
    assert_eq!(column(now, "used"), ["6", "10", "?", "0"]);
    let states = ["not_known", "not_known", "not_known", "covered"];
    assert_eq!(column(now, "state"), states);
    assert_eq!(
        column(now, "need"),
        ["exactly", "at_least", "not_known", "exactly"]
    );
}

#[test]
fn what_was_worked_out_says_how_much_is_missing_now_and_after_the_next_end() {
    let input = PositionInput {
        entitlements: entitlements(),
        figures: figures(),
        needs: vec![Need {
            product: "cad".to_owned(),
            seats: 12,
            why: "what-if over 900 asks".to_owned(),
        }],
    };
    let report = position(&asked(), input);
    let now = section(&report, "now");
    assert_eq!(column(now, "shortfall")[1], "2");
    assert_eq!(column(now, "state")[1], "short");
    let by_date = section(&report, "by_date");
    assert_eq!(column(by_date, "at"), ["2026-12-31T23:00:00Z"]);
    let before_after = (
        column(by_date, "owned_before"),
        column(by_date, "owned_after"),
    );
    assert_eq!(before_after, (vec!["10".to_owned()], vec!["7".to_owned()]));
    assert_eq!(column(by_date, "shortfall"), ["5"]);
}

#[test]
fn more_use_than_is_owned_is_a_shortfall_by_its_metric() {
    let mut used = item("viewer", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", 2);
    used.users = 25;
    let mut named = owned("E3", "viewer", 20);
    named.entitlement.metric = usher_api::Metric::NamedUser;
    let input = PositionInput {
        entitlements: vec![named],
        figures: Figures {
            whole: vec![used],
            by_time: Vec::new(),
        },
        needs: Vec::new(),
    };
    let report = position(&asked(), input);
    let now = section(&report, "now");
    assert_eq!(column(now, "metric"), ["named_user"]);
    assert_eq!(column(now, "used"), ["25"]);
    assert_eq!(column(now, "shortfall"), ["5"]);
}

#[test]
fn rows_beyond_the_limit_are_left_off_and_that_is_said() {
    let one = item("cad", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", 2);
    let figures = Figures {
        whole: vec![one; ROWS_LIMIT + 1],
        by_time: Vec::new(),
    };
    let input = UsageInput {
        figures,
        ..UsageInput::default()
    };
    let report = usage(&asked(), input);
    assert_eq!(section(&report, "products").rows.len(), ROWS_LIMIT);
    assert_eq!(report.cut.last().unwrap().what, "rows of products");
}

fn money(text: &str) -> f64 {
    text.parse().unwrap()
}

#[test]
fn a_share_of_a_cost_is_by_seat_time_and_all_shares_are_the_cost() {
    let mut asked = asked();
    asked.parameters.group_by = Some(GroupBy::User);
    let input = CostInput {
        entitlements: entitlements(),
        figures: figures(),
        uses: vec![use_of("berta", "cad", 30.0), use_of("anna", "cad", 90.0)],
        groups: GroupUses::default(),
    };
    let report = cost(&asked, input);
    let products = section(&report, "products");
    assert_eq!(column(products, "product"), ["cad", "old"]);
    let shares = section(&report, "shares");
    assert_eq!(column(shares, "user"), ["anna", "berta", "-"]);
    assert_eq!(column(shares, "share"), ["0.75", "0.25", "1"]);
    let cost: f64 = column(products, "cost").iter().map(|it| money(it)).sum();
    let shared: f64 = column(shares, "cost").iter().map(|it| money(it)).sum();
    assert!((cost - shared).abs() < 1e-6, "{cost} {shared}");
    // 12000 a year over 30 of 365 days, and 300 for the month.
    let cad = money(&column(products, "cost")[0]);
    assert!(
        (cad - (12_000.0 * 30.0 / 365.0 + 300.0)).abs() < 0.01,
        "{cad}"
    );
}

#[test]
fn a_group_pays_for_all_of_its_people_and_who_is_in_two_is_paid_for_twice() {
    let report = report(ReportName::Cost);
    let shares = section(&report, "shares");
    let groups = column(shares, "group");
    assert_eq!(groups, ["design", "physics", "in no group", "?", "-"]);
    let membership = ["group", "group", "none", "not_known", "-"];
    assert_eq!(column(shares, "membership"), membership);
    let share = ["0.75", "0.25", "0.1667", "0.0833", "1"];
    assert_eq!(column(shares, "share"), share, "of 120 hours in all");
    let cost = money(&column(section(&report, "products"), "cost")[0]);
    let design = money(&column(shares, "cost")[0]);
    assert!((design - cost * 0.75).abs() < 0.01, "{design} of {cost}");
    assert!(
        report
            .notes
            .iter()
            .any(|it| it.contains("more than the whole"))
    );
    // Their peaks are at different instants, and of one it is not known.
    let peaks = crate::each_report::report(ReportName::Peaks);
    let groups = section(&peaks, "groups");
    assert_eq!(column(groups, "peak"), ["4", "4", "4", "?"]);
    assert_eq!(column(groups, "mean")[0], "0.1255", "90 hours of 717");
}

#[test]
fn a_seat_is_only_called_idle_or_not_if_its_agent_says_so() {
    let report = report(ReportName::Holders);
    let idle = section(&report, "idle");
    assert_eq!(column(idle, "user"), ["anna"]);
    assert_eq!(column(idle, "idle_seconds"), ["7260"]);
    assert_eq!(column(section(&report, "products"), "idle"), ["1"]);
    let mut silent = crate::each_report::holding();
    silent.held[0].idle_seconds = None;
    let report = holders(&asked(), silent.clone());
    assert!(section(&report, "idle").rows.is_empty());
    assert_eq!(column(section(&report, "products"), "idle"), ["?"]);
    silent.held[0].idle_seconds = Some(60);
    let report = holders(&asked(), silent);
    assert_eq!(column(section(&report, "products"), "idle"), ["0"]);
}

#[test]
fn a_person_is_shown_in_each_of_their_groups() {
    let report = report(ReportName::People);
    let groups = section(&report, "groups");
    assert_eq!(
        column(groups, "group"),
        ["design", "physics", "in no group"]
    );
    assert_eq!(column(groups, "user"), ["anna", "anna", "berta"]);
    let summary = "1 person in 2 groups; 1 person in no group; of 0 people it is not known.";
    assert_eq!(groups.summary, summary);
    assert!(
        report
            .notes
            .iter()
            .any(|it| it.contains("more than the whole"))
    );
}

#[test]
fn an_end_is_called_by_how_near_it_and_its_notice_are() {
    let report = report(ReportName::Expiring);
    let ends = section(&report, "ends");
    assert_eq!(column(ends, "product"), ["old", "cad"]);
    assert_eq!(column(ends, "state"), ["ended", "notice_soon"]);
    assert_eq!(column(ends, "notice_by"), ["-", "2026-12-17"]);
    assert_eq!(column(ends, "last_day"), ["2026-11-10", "2026-12-31"]);
    assert_eq!(column(ends, "seats_after"), ["0", "7"]);
}

#[test]
fn what_is_owned_is_not_known_as_long_as_a_server_is_silent() {
    let mut figures = figures();
    for it in &mut figures.whole {
        it.owned = None;
    }
    let input = PositionInput {
        entitlements: entitlements(),
        figures,
        needs: Vec::new(),
    };
    let report = position(&asked(), input);
    let now = section(&report, "now");
    assert_eq!(column(now, "product")[1], "cad");
    assert_eq!(column(now, "owned")[1], "?");
    assert_eq!(column(now, "state")[1], "not_known");
    assert!(section(&report, "by_date").rows.is_empty());
    let input = ExpiringInput {
        entitlements: entitlements(),
        is_owned_known: false,
    };
    let report = expiring(&asked(), input);
    let ends = section(&report, "ends");
    assert_eq!(column(ends, "seats_after"), ["?", "?"]);
}

#[test]
fn a_cost_of_which_no_rows_say_whose_it_is_is_not_called_that_of_nobody() {
    let input = CostInput {
        entitlements: entitlements(),
        figures: figures(),
        ..CostInput::default()
    };
    for (group_by, key) in [(GroupBy::User, "user"), (GroupBy::Group, "group")] {
        let mut asked = asked();
        asked.parameters.group_by = Some(group_by);
        let report = cost(&asked, input.clone());
        let shares = section(&report, "shares");
        assert_eq!(column(shares, "product"), ["cad", "old"]);
        assert_eq!(column(shares, key), ["?", "-"]);
    }
}

#[test]
fn of_a_product_that_is_counted_twice_the_larger_use_stands_beside_what_is_owned() {
    let (from, to) = ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");
    let mut elsewhere = item("cad", from, to, 12);
    elsewhere.counted = CountedBy::Elsewhere;
    elsewhere.owned = None;
    let input = PositionInput {
        entitlements: vec![owned("E1", "cad", 10)],
        figures: Figures {
            whole: vec![item("cad", from, to, 0), elsewhere],
            by_time: Vec::new(),
        },
        needs: Vec::new(),
    };
    let report = position(&asked(), input);
    let now = section(&report, "now");
    assert_eq!(column(now, "used"), ["12"]);
    assert_eq!(column(now, "shortfall"), ["2"]);
}

#[test]
fn what_only_rows_say_is_not_known_of_a_time_whose_rows_were_removed() {
    let removed = Some(at("2026-11-15T00:00:00Z"));
    let mut asked = asked();
    asked.kept.sessions = removed;
    asked.kept.waits = removed;
    let input = UsageInput {
        figures: figures(),
        by: Vec::new(),
        groups: GroupUses::default(),
    };
    let report = usage(&asked, input);
    let here = |key: &str| column(section(&report, "products"), key).remove(1);
    for key in ["users", "computers", "waits", "wait_p95_seconds"] {
        assert_eq!(here(key), "?", "{key}");
    }
    // Roll-ups say it, or its rows are kept.
    for (key, expected) in [("sessions", "40"), ("peak", "10"), ("denials_final", "3")] {
        assert_eq!(here(key), expected, "{key}");
    }
    // Nothing that another licence server counts was removed.
    assert_ne!(column(section(&report, "products"), "users")[0], "?");
}
