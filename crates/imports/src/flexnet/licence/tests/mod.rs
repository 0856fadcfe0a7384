//! Licence files as vendors write them, with names, numbers and signatures replaced.

mod counting;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::fact::{Owned, Until};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Owned>, Counts, Licence) {
    let mut reader = Licence::new();
    let (facts, counts) = read_all(&mut reader, text);
    let owned = facts.into_iter().map(|fact| match fact {
        Fact::Owned(owned) => *owned,
        other => panic!("{other:?}"),
    });
    (owned.collect(), counts, reader)
}

/// What is owned, of a file that is understood as a whole.
fn owned(text: &str) -> Vec<Owned> {
    let (owned, counts, _) = read(text);
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    owned
}

/// Name, seats and whether they count.
fn seats(owned: &[Owned]) -> Vec<(&str, Option<u32>, bool)> {
    let of = |owned: &'_ Owned| (owned.seats, owned.written.set_aside.is_none());
    let names = owned.iter().map(|owned| owned.feature.name.as_str());
    let rest = owned.iter().map(of);
    names
        .zip(rest)
        .map(|(name, (seats, counts))| (name, seats, counts))
        .collect()
}

fn counts(owned: &Owned) -> bool {
    owned.written.set_aside.is_none()
}

#[test]
fn a_file_with_continued_lines_and_broken_strings_is_read() {
    let text = "\
# Licence of Example Works
SERVER lic1.example.org 005056aabbcc 27000
VENDOR exlmd /opt/ex/exlmd OPTIONS=/opt/ex/exlmd.opt PORT=27001
USE_SERVER

FEATURE Modeller exlmd 15.5 31-jan-2028 4 BORROW=744 \\
\tISSUED=4-NOV-2026 START=5-NOV-2026 SIGN=\"15D9 5C5C FA82 83EE \\
\t3A6B EBD9 7732\"
INCREMENT Solver exlmd 2026.06 permanent 25 DUP_GROUP=UHD OVERDRAFT=3 \\
  NOTICE=\"Licensed to
  Example Works\" SN=42-7 SIGN=0123456789AB
";
    let (owned, counts, reader) = read(text);
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    let [modeller, solver] = owned.as_slice() else {
        panic!("{owned:?}");
    };
    assert_eq!(modeller.feature.product_id(), "exlmd:Modeller");
    assert_eq!(modeller.version.as_deref(), Some("15.5"));
    assert_eq!(modeller.seats, Some(4));
    assert_eq!(modeller.from, Some(date(2026, 11, 5)));
    assert_eq!(modeller.until, Until::Day(date(2028, 1, 31)));
    assert_eq!(modeller.written.issued, Some(date(2026, 11, 4)));
    assert_eq!(modeller.written.place.to_string(), "line 6");
    assert_eq!(solver.until, Until::Permanent);
    assert_eq!((solver.seats, solver.overdraft), (Some(25), 3));
    assert_eq!(solver.grouping.as_deref(), Some("UHD"));
    let note = "NOTICE=Licensed to Example Works; SN=42-7";
    assert_eq!(solver.note.as_deref(), Some(note));
    assert_eq!(reader.servers().len(), 1);
    assert_eq!(reader.servers()[0].port, Some(27000));
    let vendor = &reader.vendors()[0];
    assert_eq!(vendor.options.as_deref(), Some("/opt/ex/exlmd.opt"));
    assert_eq!(
        (vendor.daemon.as_str(), vendor.port),
        ("exlmd", Some(27001))
    );
}

#[test]
fn lines_of_many_vendors_are_read() {
    for (line, seats, until) in [
        (
            "INCREMENT 10001CAD_2026_0F cadflex 1.000 permanent 100 VENDOR_STRING=commercial:permanent SUPERSEDE \
          DUP_GROUP=UH SUITE_DUP_GROUP=UHV ISSUED=01-janv-2026 BORROW=4320 SN=111-11111111 TS_OK \
          SIGN=\"1745 D487\" SIGN2=\"100D 7553\"",
            Some(100),
            Until::Permanent,
        ),
        (
            "INCREMENT Signal_Toolbox MLM 45 31-dec-2026 12 0123456789ABCDEF0123 HOSTID=DEMO USER_BASED DUP_GROUP=UH \
          SN=123456",
            Some(12),
            Until::Day(date(2026, 12, 31)),
        ),
        (
            "FEATURE f0 demo 1.0 31-dec-2030 1 0 HOSTID=any",
            Some(1),
            Until::Day(date(2030, 12, 31)),
        ),
        (
            "FEATURE synth altd 2026.12 1-jan-0000 uncounted ABCDEF012345 HOSTID=0050aabbccdd",
            None,
            Until::Permanent,
        ),
        (
            "INCREMENT fea fealmd 1.0 1-jan-0 0 VENDOR_STRING=\"^Y+ x\" HOSTID=\"0050aabbccdd 0050aabbccde\" ck=77",
            None,
            Until::Permanent,
        ),
        (
            "FEATURE old olmd 2.000 1-jan-00 5 8BCDEF012345 \"a vendor string\" 12345678",
            Some(5),
            Until::Permanent,
        ),
        (
            "INCREMENT NXMODEL unxlmd 2026.06 09-jun-2027 4 SUPERSEDE DUP_GROUP=UHD",
            Some(4),
            Until::Day(date(2027, 6, 9)),
        ),
        (
            "INCREMENT meba ansd 9999.9999 15-Mrz-2027 32 VENDOR_STRING=customer:00123456 ISSUED=14-Mrz-2026 \
          START=14-Mrz-2026 SIGN=\"00\"",
            Some(32),
            Until::Day(date(2027, 3, 15)),
        ),
        (
            "INCREMENT sim ja_lmd 3.0 31-12月-2027 2 NOTICE=株式会社例 SIGN=0",
            Some(2),
            Until::Day(date(2027, 12, 31)),
        ),
        (
            "FEATURE pcb cdsd 23.1 20-DEC-2027 7 sort=10 user_info=\"Lab 3\" PLATFORMS=i86_n AUTH={x} ISSUER=Ex",
            Some(7),
            Until::Day(date(2027, 12, 20)),
        ),
    ] {
        let owned = owned(line);
        assert_eq!(owned.len(), 1, "{line}");
        assert_eq!((owned[0].seats, owned[0].until), (seats, until), "{line}");
        assert_eq!(owned[0].written.set_aside, None, "{line}");
    }
}

#[test]
fn a_line_goes_on_with_attributes_although_no_backslash_says_so() {
    let owned = owned(
        "FEATURE a d 1.0 permanent 5\n  HOSTID=0050aabbccdd SN=7\nSUPERSEDE ISSUED=1-jan-2026\n",
    );
    assert_eq!(owned[0].host_id.as_deref(), Some("0050aabbccdd"));
    assert_eq!(owned[0].written.issued, Some(date(2026, 1, 1)));
}

#[test]
fn lines_of_two_rights_that_an_editor_joined_are_not_understood() {
    let text = "INCREMENT a d 1.0 permanent 1 SN=1 INCREMENT b d 1.0 permanent 1 SN=1\n";
    let (owned, counts, _) = read(text);
    assert_eq!((owned.len(), counts.understood), (0, 0));
}

#[test]
fn keywords_and_keys_are_read_in_any_case() {
    let owned = owned(
        "Feature f1 d 1.0 PERMANENT 3 start=1-jan-2026 dup_group=uh SUITE_DUP_grouP=uH sign=0\n",
    );
    assert_eq!(owned[0].from, Some(date(2026, 1, 1)));
    assert_eq!(owned[0].grouping.as_deref(), Some("uh"));
    assert_eq!(owned[0].written.suite_grouping.as_deref(), Some("uH"));
}

#[test]
fn a_line_that_cannot_be_read_ends_nothing_and_is_counted() {
    let text = "\
Dear customer, your licence:
INCREMENT a d 1.0 31-feb-2026 5
INCREMENT a d 1.0 permanent many
INCREMENT a d 1.0 permanent
INCREMENT a d 1.0 permanent 5 START=soon
PACKAGE p d 1.0 OPTIONS=SUITE
INCREMENT a d 1.0 permanent 6 SIGN=\"no end
INCREMENT a d 1.0 permanent 7
d-f1-00737-55296-1825
";
    let (owned, counts, _) = read(text);
    assert_eq!(seats(&owned), [("a", Some(7), true)]);
    assert_eq!((counts.lines, counts.understood), (9, 1));
    let missed: u64 = counts
        .not_understood()
        .iter()
        .map(|missed| missed.count)
        .sum();
    assert_eq!(missed, 8);
}

#[test]
fn a_statement_that_never_ends_is_left_at_a_limit() {
    let mut text = "FEATURE a d 1.0 permanent 5 \\\n".to_owned();
    for _ in 0..STATEMENT_LINES_LIMIT {
        text.push_str("x \\\n");
    }
    text.push_str("INCREMENT b d 1.0 permanent 1\n");
    let (owned, counts, _) = read(&text);
    assert_eq!(seats(&owned), [("b", Some(1), true)]);
    assert_eq!(
        (counts.lines, counts.understood),
        (STATEMENT_LINES_LIMIT + 2, 1)
    );
}

#[test]
fn more_lines_than_the_limit_are_counted_as_not_understood() {
    let limit = u64::try_from(ENTRIES_LIMIT).unwrap();
    let text = "INCREMENT a d 1.0 permanent 1\n".repeat(ENTRIES_LIMIT + 3);
    let (owned, counts, _) = read(&text);
    assert_eq!(owned.len(), ENTRIES_LIMIT);
    assert_eq!((counts.lines, counts.understood), (limit + 3, limit));
}

proptest! {
    #[test]
    fn any_lines_are_read_and_each_is_counted_once(
        lines in proptest::collection::vec("(INCREMENT|FEATURE|PACKAGE|UPGRADE|SERVER|VENDOR|#|\")?[ -~é\"\\\\]{0,40}", 0..20)
    ) {
        let (_, counts, _) = read(&lines.join("\n"));
        let missed: u64 = counts.not_understood().iter().map(|missed| missed.count).sum();
        prop_assert_eq!(counts.understood + missed + counts.of_more_shapes, counts.lines);
    }
}
