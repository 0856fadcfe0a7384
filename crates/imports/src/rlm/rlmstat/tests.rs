//! What rlmstat prints, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::Rlmstat;
use crate::fact::{Fact, Snapshot};
use crate::reading::{Counts, read_all};
use crate::taken::Taken;

const REPORT: &str = "
Setting license file path to 4101@RLM1.example.org
rlmutil v15.2
Copyright (C) 2006-2023, Reprise Software, Inc. All rights reserved.


\trlm status on RLM1.example.org (port 4101), up 5d 14:26:14
\trlm software version v12.2 (build:2)
\trlm comm version: v1.2
\tStartup time: Mon Mar 25 12:29:40 2024
\tTodays Statistics (22:55:53), init time: Sat Mar 30 04:00:01 2024
\tRecent Statistics (00:23:38), init time: Sun Mar 31 02:32:16 2024

\t             Recent Stats         Todays Stats         Total Stats
\t              00:23:38             22:55:53          5d 14:26:14
\tMessages:    1462 (1/sec)           64739 (0/sec)          316966 (0/sec)
\tConnections: 1093 (0/sec)           48291 (0/sec)          243624 (0/sec)

\t--------- ISV servers ----------
\t   Name           Port Running Restarts
\tpaint            49679   Yes      0
\tsculpt               0   No       3

\t------------------------


\tpaint ISV server status on RLM1.example.org (port 49679), up 5d 14:26:14
\tpaint software version v12.2 (build: 2)
\tpaint comm version: v1.2
\tpaint Debug log filename: C:\\ProgramData\\RLM\\log\\\\paint.dlog
\tpaint Report log filename: <stdout>
\tStartup time: Mon Mar 25 12:29:41 2024
\tTodays Statistics (22:55:54), init time: Sat Mar 30 04:00:01 2024
\tRecent Statistics (00:23:38), init time: Sun Mar 31 02:32:17 2024

\t             Recent Stats         Todays Stats         Total Stats
\t              00:23:38             22:55:54          5d 14:26:14
\tMessages:    1590 (1/sec)           71852 (0/sec)          598788 (1/sec)
\tConnections: 725 (0/sec)           31843 (0/sec)          170593 (0/sec)
\tCheckouts:   24 (0/sec)           1333 (0/sec)          61732 (0/sec)
\tDenials:     0 (0/sec)           0 (0/sec)          1230 (0/sec)
\tRemovals:    0 (0/sec)           0 (0/sec)          358 (0/sec)


\t------------------------

\tpaint license pool status on RLM1.example.org (port 49679)

\tpaint_i v2024.0331, pool: 3
\t\tcount: 1, # reservations: 0, inuse: 1, exp: permanent
\t\tobsolete: 0, min_remove: 120, total checkouts: 2321
\tpaint_i v2024.0701, pool: 6
\t\tcount: 22, # reservations: 2, inuse: 3, exp: 1-jul-2024
\t\tobsolete: 0, min_remove: 120, total checkouts: 25854
\tpaint_gui v1.0
\t\tcount: 45, # reservations: 0, inuse: 0, exp: 31-jan-2025
\t\tobsolete: 0, min_remove: 120, total checkouts: 26
\tviewer v1.0, pool: 9
\t\tUNCOUNTED, exp: permanent
\t\tobsolete: 0, min_remove: 120, total checkouts: 0


\t------------------------

\tpaint license usage status on RLM1.example.org (port 49679)

\tpaint_i v2024.0331: ann.lee@pc-01 1/0 at 03/28 21:44  (handle: 36a5) 
\tpaint_i v2024.0701: bob lee@pc-02.example.org 29/0 at 03/30 20:41  (handle: 374d) 
\tpaint_i v2024.0701: cy@example.org@pc-03 0/2 at 12/30 20:41  (handle: 37s) 
";

fn read(text: &str) -> (Vec<Fact>, Counts) {
    read_all(&mut Rlmstat::new(TimeZone::UTC, Taken::Written(None)), text)
}

fn snapshots(facts: &[Fact]) -> Vec<&Snapshot> {
    let snapshots = facts.iter().filter_map(|fact| match fact {
        Fact::Snapshot(snapshot) => Some(&**snapshot),
        _ => None,
    });
    snapshots.collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_report_is_understood_whole_and_its_time_is_its_start_and_how_long_it_is_up() {
    let (facts, counts) = read(REPORT);
    let missed = counts.not_understood();
    assert!(missed.is_empty(), "{missed:?}");
    let all = snapshots(&facts);
    let products: Vec<String> = all
        .iter()
        .map(|snapshot| snapshot.feature.product_id())
        .collect();
    assert_eq!(
        products,
        ["paint:paint_gui", "paint:paint_i", "paint:viewer"]
    );
    for snapshot in all {
        assert_eq!(snapshot.at, at("2024-03-31T02:55:55Z"));
        assert_eq!(snapshot.server.as_deref(), Some("4101@RLM1.example.org"));
        assert_eq!(snapshot.trouble, None);
    }
}

#[test]
fn the_pools_of_a_product_are_added_up_and_reserved_seats_are_among_what_there_is() {
    let (facts, _) = read(REPORT);
    let all = snapshots(&facts);
    assert_eq!((all[1].issued, all[1].in_use), (Some(25), Some(4)));
    assert_eq!(all[1].reserved, [("unknown".to_owned(), 2)]);
    assert_eq!((all[2].issued, all[2].in_use), (None, Some(0)));
}

#[test]
fn who_holds_is_told_with_seats_version_and_start() {
    let (facts, _) = read(REPORT);
    let all = snapshots(&facts);
    let told: Vec<(&str, &str, u32, Option<Timestamp>)> = all[1]
        .held
        .iter()
        .map(|held| {
            (
                held.holder.user.as_str(),
                held.holder.host.as_str(),
                held.seats,
                held.since,
            )
        })
        .collect();
    let expected = [
        ("ann.lee", "pc-01", 1, Some(at("2024-03-28T21:44:00Z"))),
        (
            "bob lee",
            "pc-02.example.org",
            29,
            Some(at("2024-03-30T20:41:00Z")),
        ),
        // The year before that of the report.
        (
            "cy@example.org",
            "pc-03",
            2,
            Some(at("2023-12-30T20:41:00Z")),
        ),
    ];
    assert_eq!(told, expected);
    assert_eq!(all[1].held[0].version.as_deref(), Some("2024.0331"));
}

#[test]
fn an_isv_server_that_does_not_run_is_silent() {
    let (facts, _) = read(REPORT);
    let silent: Vec<&Fact> = facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Silent { .. }))
        .collect();
    let [Fact::Silent { daemon, server, .. }] = silent[..] else {
        panic!("{silent:?}");
    };
    assert_eq!(daemon.as_deref(), Some("sculpt"));
    assert_eq!(server.as_deref(), Some("4101@RLM1.example.org"));
}

#[test]
fn a_report_that_reached_no_server_is_understood_as_a_whole() {
    let text = "rlmutil v12.2\n\n\nError connecting to \"rlm\" server\n\n\
                Connection attempted to host: \"\" on port 5053\n\nNo error\n";
    let mut reader = Rlmstat::new(TimeZone::UTC, Taken::At(Timestamp::UNIX_EPOCH));
    let (facts, counts) = read_all(&mut reader, text);
    assert_eq!(counts.not_understood(), []);
    assert!(matches!(facts[..], [Fact::Silent { .. }]), "{facts:?}");
}

#[test]
fn who_waits_is_not_among_who_holds() {
    let text = REPORT.replace("1/0 at 03/28", "1/0 queued at 03/28");
    let (facts, counts) = read(&text);
    assert!(counts.not_understood().is_empty());
    let all = snapshots(&facts);
    assert_eq!(all[1].held.len(), 2);
    assert_eq!(
        (all[1].queued[0].0.user.as_str(), all[1].queued[0].1),
        ("ann.lee", 1)
    );
}

#[test]
fn an_old_line_has_version_and_handle_at_the_computer_and_data_of_the_vendor_may_stand_behind() {
    let old =
        "paint_i v2024.0331: ann.lee@pc-01(v1.0) (809f418) 1/0 at 03/28 21:44 [I: queue at 5]";
    let text = REPORT.replace(
        "paint_i v2024.0331: ann.lee@pc-01 1/0 at 03/28 21:44  (handle: 36a5) ",
        old,
    );
    let (facts, counts) = read(&text);
    assert!(counts.not_understood().is_empty());
    let held = &snapshots(&facts)[1].held;
    assert_eq!((held.len(), held[0].holder.host.as_str()), (3, "pc-01"));
}

#[test]
fn a_list_of_users_alone_does_not_claim_what_there_is() {
    let text = "\tpaint license usage status on rlm1 (port 49679)\n\
        \tpaint_i v1.0: ann@pc1 1/0 at 03/28 21:44  (handle: 8b)\n";
    let written = at("2024-03-31T02:55:55Z");
    let mut reader = Rlmstat::new(TimeZone::UTC, Taken::Written(Some(written)));
    let (facts, _) = read_all(&mut reader, text);
    let all = snapshots(&facts);
    assert_eq!(
        (all[0].issued, all[0].in_use, all[0].held.len()),
        (None, None, 1)
    );
    assert!(all[0].trouble.is_some());
    // Without a time nothing can be said.
    assert!(read(text).0.is_empty());
}

#[test]
fn two_servers_are_told_apart() {
    let (facts, _) = read(&format!("{REPORT}{}", REPORT.replace("RLM1", "RLM2")));
    let servers: Vec<Option<&str>> = snapshots(&facts)
        .iter()
        .map(|snapshot| snapshot.server.as_deref())
        .collect();
    let (one, two) = (Some("4101@RLM1.example.org"), Some("4101@RLM2.example.org"));
    assert_eq!(servers, [one, one, one, two, two, two]);
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(
        text in "(x license usage status on h \\(port 1\\)|rlm status on h|, up 1d 1:2:3|a v1: |b@c 1/0 at 02/29 1:2|Startup time: Mon Feb 29 1:2:3 2024|count: 9|, inuse: 1|\n){0,40}"
    ) {
        let (_, counts) = read(&text);
        prop_assert_eq!(counts.lines, text.lines().count() as u64);
    }
}
