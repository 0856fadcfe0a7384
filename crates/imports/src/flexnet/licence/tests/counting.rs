//! Which lines count, and what a package gives.

use super::*;
use crate::fact::{Component, SetAside};

#[test]
fn increments_of_one_name_add_up() {
    let text = "INCREMENT a d 1.0 permanent 5\nINCREMENT a d 1.0 permanent 7\nFEATURE a d 1.0 permanent 1\n";
    let owned = owned(text);
    assert_eq!(
        seats(&owned),
        [
            ("a", Some(5), true),
            ("a", Some(7), true),
            ("a", Some(1), true)
        ]
    );
}

#[test]
fn only_the_first_feature_line_of_a_name_counts_by_the_daemons_order() {
    let text = "\
FEATURE a d 1.0 permanent 5 ISSUED=1-jan-2026
FEATURE a d 2.0 permanent 3
FEATURE a d 2.0 permanent 4 ISSUED=1-jan-2026
FEATURE a other 1.0 permanent 9
FEATURE a d 1.0 permanent uncounted HOSTID=1
FEATURE a d 1.0 permanent uncounted HOSTID=2
";
    let owned = owned(text);
    let counts: Vec<bool> = owned.iter().map(counts).collect();
    assert_eq!(counts, [false, false, true, true, true, true]);
    let why = owned[0].written.set_aside.unwrap();
    assert_eq!(why.to_string(), "only the FEATURE of line 3 counts");
}

#[test]
fn a_line_with_sort_comes_before_newer_versions() {
    let owned = owned("FEATURE a d 2.0 permanent 5\nFEATURE a d 1.0 permanent 3 sort=10\n");
    assert_eq!(seats(&owned), [("a", Some(5), false), ("a", Some(3), true)]);
}

#[test]
fn a_newer_line_supersedes_older_ones_of_its_name_and_those_of_its_day_are_pooled() {
    let text = "\
INCREMENT f1 d 1.0 permanent 1 ISSUED=1-jan-2008
INCREMENT f1 d 1.0 permanent 4 SUPERSEDE ISSUED=1-jan-2009
INCREMENT f1 d 1.0 permanent 3 SUPERSEDE START=1-jan-2009
INCREMENT f1 d 1.0 permanent 2
INCREMENT f1 other 1.0 permanent 6 ISSUED=1-jan-2008
";
    let owned = owned(text);
    let counts: Vec<bool> = owned.iter().map(counts).collect();
    assert_eq!(counts, [false, true, true, false, true]);
    assert_eq!(
        owned[0].written.set_aside.unwrap().to_string(),
        "superseded by line 2"
    );
}

#[test]
fn a_line_with_a_list_supersedes_those_names_and_not_its_own() {
    let text = "\
FEATURE f1 d 1.0 permanent 1 ISSUED=1-jan-2008
FEATURE f2 d 1.0 permanent 1 ISSUED=1-jan-2008
INCREMENT f3 d 1.0 permanent 2 ISSUED=1-jan-2008
INCREMENT f3 d 1.0 permanent 4 SUPERSEDE=\"f1 f2\" ISSUED=2-jan-2009
";
    let expected = [
        ("f1", Some(1), false),
        ("f2", Some(1), false),
        ("f3", Some(2), true),
        ("f3", Some(4), true),
    ];
    assert_eq!(seats(&owned(text)), expected);
}

#[test]
fn a_line_may_supersede_all_features_of_its_daemon() {
    let text = "\
INCREMENT f1 d 1.0 permanent 1 ISSUED=1-jan-2008
INCREMENT f2 d 1.0 permanent 1 ISSUED=1-jan-2010
INCREMENT f3 d 1.0 permanent 4 SUPERSEDE=*ALL* ISSUED=2-jan-2009
INCREMENT f1 other 1.0 permanent 1 ISSUED=1-jan-2008
";
    let owned = owned(text);
    let counts: Vec<bool> = owned.iter().map(counts).collect();
    assert_eq!(counts, [false, true, true, true]);
}

#[test]
fn a_line_without_a_day_supersedes_nothing() {
    let text = "INCREMENT a d 1.0 permanent 1 ISSUED=1-jan-2008\nINCREMENT a d 1.0 permanent 4 SUPERSEDE\n";
    assert_eq!(
        seats(&owned(text)),
        [("a", Some(1), true), ("a", Some(4), true)]
    );
}

#[test]
fn a_signature_that_is_named_is_superseded() {
    let text = "\
INCREMENT f1 d 1.0 permanent 1 SIGN=\"00D7 1111\"
INCREMENT f1 d 1.0 permanent 2 SIGN=\"00E8 2222\"
INCREMENT f2 d 1.0 permanent 3 SIGN=00FA3333
INCREMENT f1 d 1.0 permanent 4 SUPERSEDE_SIGN={\"f1:00d7 1111\" \"f2:00FA3333\"} SIGN=\"00F9 3333\"
";
    let owned = owned(text);
    let counts: Vec<bool> = owned.iter().map(counts).collect();
    assert_eq!(counts, [false, true, false, true]);
}

#[test]
fn a_newer_file_supersedes_an_older_one_of_the_same_server() {
    let mut reader = Licence::new();
    let (mut facts, mut counts) = (Vec::new(), Counts::default());
    let mut sink = |fact| facts.push(fact);
    let mut out = Out::new(&mut sink, &mut counts);
    reader.line("INCREMENT a d 1.0 permanent 1 ISSUED=1-jan-2025", &mut out);
    reader.next_file(&mut out);
    reader.line(
        "INCREMENT a d 1.0 permanent 4 SUPERSEDE ISSUED=1-jan-2026",
        &mut out,
    );
    reader.end(&mut out);
    assert_eq!(facts.len(), 2);
    let Fact::Owned(first) = &facts[0] else {
        panic!("{facts:?}");
    };
    let why = first.written.set_aside.unwrap();
    assert_eq!(why.to_string(), "superseded by line 1 of file 2");
}

#[test]
fn an_upgrade_moves_seats_to_the_new_version() {
    let text = "\
INCREMENT f1 d 1.000 1-jan-2030 5 SIGN=0
UPGRADE f1 d 1.000 2.000 1-jan-2030 2 SIGN=0
UPGRADE f1 d 1.000 2.000 1-jan-2030 9 SIGN=0
UPGRADE f2 d 1.000 2.000 1-jan-2030 1 SIGN=0
";
    let owned = owned(text);
    let expected = [
        ("f1", Some(3), false),
        ("f1", Some(2), true),
        ("f1", Some(3), true),
        ("f2", Some(1), false),
    ];
    assert_eq!(seats(&owned), expected);
    assert_eq!(owned[1].version.as_deref(), Some("2.000"));
    assert!(matches!(owned[0].written.set_aside, Some(SetAside::Upgraded(by)) if by.line == 3));
    assert_eq!(owned[3].written.set_aside, Some(SetAside::NothingToUpgrade));
}

#[test]
fn a_package_says_what_a_seat_of_it_gives() {
    let text = "\
PACKAGE suite d 1.0 COMPONENTS=\"apple:1.5:2 orange:3.0:4 \\
pear\" SIGN=0 ISSUED=1-jan-2025
PACKAGE suite d 1.0 SIGN=0 COMPONENTS=old ISSUED=1-jan-2024
PACKAGE set d COMPONENTS=\"100REV_F\\
200ACD_F\\
300INV_F\" OPTIONS=SUITE SUPERSEDE ISSUED=1-jan-2025
FEATURE suite d 1.000 permanent 3 SN=123
INCREMENT set d 1.0 permanent 2 SUITE_DUP_GROUP=UHV
INCREMENT suite d 2.0 permanent 2
";
    let owned = owned(text);
    let component = |name: &str, version: Option<&str>, seats| Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        seats,
    };
    let fruits = [
        component("apple", Some("1.5"), Some(2)),
        component("orange", Some("3.0"), Some(4)),
        component("pear", None, None),
    ];
    assert_eq!(owned[0].components, fruits);
    assert!(!owned[0].written.suite);
    let names: Vec<&str> = owned[1]
        .components
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["100REV_F", "200ACD_F", "300INV_F"]);
    assert!(owned[1].written.suite);
    assert_eq!(owned[1].written.suite_grouping.as_deref(), Some("UHV"));
    assert!(owned[2].components.is_empty());
}

proptest! {
    #[test]
    fn increments_without_supersede_all_count(seats in proptest::collection::vec(1u32..1000, 1..20)) {
        let lines = seats.iter().map(|seats| format!("INCREMENT a d 1.0 permanent {seats} ISSUED=1-jan-2026\n"));
        let owned = owned(&lines.collect::<String>());
        let read: Vec<u32> = owned.iter().filter_map(|owned| owned.seats).collect();
        prop_assert_eq!(read, seats);
        prop_assert!(owned.iter().all(|owned| owned.written.set_aside.is_none()));
    }
}
