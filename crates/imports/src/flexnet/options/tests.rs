//! Options files as sites write them, with names replaced.

use proptest::prelude::*;

use super::*;
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Options, Counts) {
    let mut reader = OptionsFile::new();
    let (facts, counts) = read_all(&mut reader, text);
    assert!(facts.is_empty());
    (reader.into_options(), counts)
}

/// An options file that is understood as a whole.
fn options(text: &str) -> Options {
    let (options, counts) = read(text);
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    options
}

fn whom(nature: Nature, name: &str) -> Whom {
    Whom {
        nature,
        names: vec![name.to_owned()],
    }
}

#[test]
fn what_a_simple_file_reserves_and_refuses_is_said_in_plain_words() {
    let options = options(
        "# Compilers\nRESERVE 1 compile USER ann\nRESERVE 3 compile HOST pc7\nEXCLUDE compile USER bob\nNOLOG QUEUED\n",
    );
    assert_eq!(options.reserved[0].whom, whom(Nature::User, "ann"));
    assert_eq!(options.reserved_seats().get("compile"), Some(&4));
    assert_eq!(
        options.summary(),
        [
            "1 seat of compile is reserved for user ann (line 2).",
            "3 seats of compile are reserved for host pc7 (line 3).",
            "In all, 4 seats of compile are reserved.",
            "These may not use compile: user bob.",
            "The debug log leaves out QUEUED.",
        ]
    );
}

#[test]
fn every_keyword_of_the_manual_is_understood() {
    let options = options(
        "\
GROUPCASEINSENSITIVE ON
GROUP stars ann bob \\
    cat
GROUP stars \"dan e\"
HOST_GROUP lab pc1 pc2
INCLUDE f1 GROUP stars
INCLUDE f1:VERSION=2.0 HOST_GROUP lab
INCLUDEALL PROJECT apollo
EXCLUDEALL INTERNET 192.0.2.*
INCLUDE_BORROW f1 USER ann
EXCLUDE_BORROW f1 DISPLAY tty1
EXCLUDE_ENTITLEMENT AB-1 USER bob
INCLUDEALL_ENTITLEMENT USER ann
RESERVE 2 f1:VENDOR_STRING=\"a b\" GROUP stars
MAX 5 f1 GROUP stars
MAX_OVERDRAFT f1 1
TIMEOUT f1 3600
TIMEOUTALL 7200
LINGER f1 60
BORROW_LOWWATER f1:VERSION=2.0 3
MAX_BORROW_HOURS f1 24
ACTIVATION_LOWWATER f1 1
DEBUGLOG +/var/log/d.log AUTO_ROLLOVER 10
REPORTLOG +/var/log/d.rl
NOLOG IN
NOLOG DENIED
AUTOMATIC_REREAD OFF
",
    );
    assert_eq!(
        options.groups["stars"].members,
        ["ann", "bob", "cat", "dan e"]
    );
    assert_eq!(options.groups["stars"].line, 2);
    assert_eq!(options.host_groups["lab"].members, ["pc1", "pc2"]);
    assert!(options.ignores_case_in_groups);
    assert_eq!(options.debug_log.as_deref(), Some("+/var/log/d.log"));
    assert_eq!(options.report_log.as_deref(), Some("+/var/log/d.rl"));
    assert_eq!(options.not_logged, ["IN", "DENIED"]);
    assert_eq!(options.other[0].keyword, "AUTOMATIC_REREAD");
    let quantities: Vec<Quantity> = options.limits.iter().map(|limit| limit.quantity).collect();
    assert_eq!(
        quantities,
        [
            Quantity::Overdraft(1),
            Quantity::TimeoutSeconds(3600),
            Quantity::TimeoutSeconds(7200),
            Quantity::LingerSeconds(60),
            Quantity::NotBorrowable(3),
            Quantity::BorrowHours(24),
            Quantity::NotActivatable(1),
        ]
    );
    assert_eq!(options.limits[2].feature, None);
    assert!(options.doubts.is_empty(), "{:?}", options.doubts);
    let summary = options.summary();
    for sentence in [
        "2 seats of f1 with VENDOR_STRING a b are reserved for group stars (line 14).",
        "At most 5 seats of f1 for group stars (line 15).",
        "Only these may use f1: group stars.",
        "Only these may use f1 with VERSION 2.0: host group lab.",
        "Only these may use any feature of this daemon: project apollo.",
        "These may not use any feature of this daemon: address 192.0.2.*.",
        "Only these may borrow f1: user ann.",
        "These may not activate AB-1: user bob.",
        "A seat of f1 is taken back after 3600 seconds without use (line 17).",
        "A seat of any feature of this daemon is taken back after 7200 seconds without use (line 18).",
        "A seat of f1 stays taken for 60 seconds after its use (line 19).",
        "3 seats of f1 with VERSION 2.0 cannot be borrowed (line 20).",
        "At most 1 seat of the overdraft of f1 may be used (line 16).",
        "Group stars has 4 members.",
        "The debug log leaves out IN, DENIED.",
    ] {
        assert!(
            summary.iter().any(|line| line == sentence),
            "{sentence}: {summary:#?}"
        );
    }
}

#[test]
fn a_feature_is_qualified_by_a_colon_or_in_quotes_and_may_have_colons_of_its_own() {
    for (written, name, only) in [
        ("f1", "f1", None),
        ("a:b", "a:b", None),
        ("a:b:VERSION=2.0", "a:b", Some(("VERSION", "2.0"))),
        (
            "a:b HOSTID=0050aabbccdd",
            "a:b",
            Some(("HOSTID", "0050aabbccdd")),
        ),
        ("f1:NOTICE=x:y=z", "f1", Some(("NOTICE", "x:y=z"))),
        ("f1:dist_info=Lab", "f1", Some(("dist_info", "Lab"))),
        ("f1:colour=red", "f1:colour=red", None),
        ("ü:KEY=1", "ü", Some(("KEY", "1"))),
    ] {
        let spec = FeatureSpec::read(written);
        assert_eq!(spec.name, name, "{written}");
        let read = spec
            .only
            .as_ref()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(read, only, "{written}");
    }
}

#[test]
fn what_a_daemon_may_read_otherwise_is_doubted() {
    let long = format!("GROUP big {}", "name ".repeat(1_000));
    let text = format!(
        "INCLUDE f1 USER ann bob\nEXCLUDE f1 GROUP nobody\nRESERVE 1 f1 USER ann # for Ann\nMAX 1 f1 GROUP Big\n{long}\n"
    );
    let doubts = options(&text).doubts;
    let lines: Vec<u64> = doubts.iter().map(|doubt| doubt.line).collect();
    assert_eq!(lines, [1, 3, 5, 4, 2]);
    assert_eq!(doubts[4].what, "the file defines no group nobody");
}

#[test]
fn a_line_that_cannot_be_read_ends_nothing_and_is_counted() {
    let text = "RESERVE many f1 USER ann\nMAX 1 f1 PERSON ann\nINCLUDE f1 USER\nTIMEOUT f1\nTIMEOUTALL f1 5\n\
        NOLOG ALL\nGROUPCASEINSENSITIVE PERHAPS\nSHARE f1\nGROUP\nMAX 2 f1 USER ann\n";
    let (options, counts) = read(text);
    assert_eq!(options.at_most.len(), 1);
    assert_eq!((counts.lines, counts.understood), (10, 1));
}

#[test]
fn a_statement_that_never_ends_is_left_at_a_limit() {
    let mut text = "GROUP g \\\n".to_owned();
    for _ in 0..STATEMENT_LINES_LIMIT {
        text.push_str("x \\\n");
    }
    text.push_str("\nMAX 2 f1 USER ann\n");
    let (options, counts) = read(&text);
    assert_eq!((options.groups.len(), options.at_most.len()), (0, 1));
    assert_eq!(
        (counts.lines, counts.understood),
        (STATEMENT_LINES_LIMIT + 3, 1)
    );
}

#[test]
fn a_summary_of_many_lines_is_cut_and_says_so() {
    let options = options(&"MAX 1 f1 USER ann\n".repeat(SUMMARY_LIMIT_LINES + 5));
    let summary = options.summary();
    assert_eq!(summary.len(), SUMMARY_LIMIT_LINES);
    assert_eq!(summary.last().map(String::as_str), Some("6 more."));
}

proptest! {
    #[test]
    fn any_lines_are_read_and_each_is_counted_once(
        lines in proptest::collection::vec("(RESERVE 1|MAX|INCLUDE|GROUP|TIMEOUT|#)?[ -~é\"\\\\]{0,40}", 0..20)
    ) {
        let (options, counts) = read(&lines.join("\n"));
        let missed: u64 = counts.not_understood().iter().map(|missed| missed.count).sum();
        prop_assert_eq!(counts.understood + missed + counts.of_more_shapes, counts.lines);
        let _ = options.summary();
    }

    #[test]
    fn what_is_reserved_is_the_sum_of_the_lines(seats in proptest::collection::vec(0u32..=u32::MAX, 1..20)) {
        let lines: String = seats.iter().map(|seats| format!("RESERVE {seats} f1 USER ann\n")).collect();
        let sum: u64 = seats.iter().map(|seats| u64::from(*seats)).sum();
        prop_assert_eq!(options(&lines).reserved_seats().get("f1").copied(), Some(sum));
    }
}
