//! What lstc_qrun prints, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    let mut reader = Lstc::new(Asked {
        at: "2020-03-18T09:00:00Z".parse().unwrap(),
        server: None,
        time_zone: TimeZone::UTC,
    });
    read_all(&mut reader, text)
}

fn pools(facts: &[Fact]) -> Vec<&Snapshot> {
    let pools = facts.iter().filter_map(|fact| match fact {
        Fact::Snapshot(pool) => Some(&**pool),
        _ => None,
    });
    pools.collect()
}

const TABLE: &str = "\
Using user specified server 31010@lic4.example.com

LICENSE INFORMATION

PROGRAM          EXPIRATION CPUS  USED   FREE    MAX | QUEUE
---------------- ----------      ----- ------ ------ | -----
MPPDYNA          12/30/2022          -     60    500 |     0
 ann        59005@node13.example.com  80
 bob       239793@node53.example.com  360
MPPDYNA_971      12/30/2022          0     60    500 |     2
                   LICENSE GROUP   440     60    500 |     0
";

#[test]
fn a_table_is_read_with_who_has_seats_and_its_group() {
    let (facts, counts) = read(TABLE);
    assert_eq!(counts.understood, counts.lines);
    let pools = pools(&facts);
    assert_eq!(pools.len(), 3);
    let first = pools[0];
    assert_eq!(first.feature.name, "MPPDYNA");
    assert_eq!(first.server.as_deref(), Some("31010@lic4.example.com"));
    assert_eq!((first.issued, first.in_use), (Some(500), Some(440)));
    assert_eq!(first.held[1].holder.user, "bob");
    assert_eq!(first.held[1].holder.host, "node53.example.com");
    assert_eq!(first.held[1].seats, 360);
    assert_eq!(pools[1].in_use, Some(0));
    assert_eq!(pools[1].queued.len(), 1);
    assert_eq!(pools[2].feature.name, GROUP);
    assert_eq!(pools[2].in_use, Some(440));
}

#[test]
fn a_list_of_what_runs_is_read_against_the_time_of_the_file() {
    let (facts, counts) = read(
        "Using user specified server 31011@lic\n\n\n                     Running Programs\n\n    User             Host          Program              Started       # procs\n-----------------------------------------------------------------------------\n     ann    84212@o0284.ten.exa.ed MPPDYNA          Tue Mar 17 16:18    28\nlongname    85606@o0579.ten.exa.ed MPPDYNA          Tue Mar 17 16:22    10\nNo programs queued\n",
    );
    assert_eq!(counts.understood, counts.lines);
    let pools = pools(&facts);
    let [pool] = pools.as_slice() else {
        panic!("{pools:?}");
    };
    assert_eq!((pool.issued, pool.in_use), (None, Some(38)));
    assert!(pool.trouble.is_some());
    let since: Timestamp = "2020-03-17T16:18:00Z".parse().unwrap();
    assert_eq!(pool.held[0].since, Some(since));
}

#[test]
fn a_server_that_does_not_answer_is_said_so() {
    let (facts, counts) =
        read("Using default server 31010@localhost\n*** ERROR failed to open server localhost\n");
    assert_eq!(counts.understood, 2);
    let [Fact::Silent { server, why, .. }] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(server.as_deref(), Some("31010@localhost"));
    assert_eq!(why, "failed to open server localhost");
}

#[test]
fn a_bad_line_ends_nothing() {
    let (facts, counts) =
        read("MPPDYNA soon 1 2 3 | 0\n| | |\nbob 1@pc 3\nA 12/30/2022 1 2 3 | 0\n");
    assert_eq!(counts.understood, 2);
    assert_eq!(pools(&facts).len(), 1);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(MPPDYNA|LICENSE GROUP|12/30/2022|Tue Mar 17 16:18|[0-9a@|\n -]){0,30}"
    ) {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
