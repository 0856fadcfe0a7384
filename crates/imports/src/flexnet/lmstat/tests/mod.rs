//! What is read of a report as a whole.

mod people;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::Lmstat;
use crate::fact::{Fact, Owned, Snapshot, Until};
use crate::reading::{Counts, read_all};
use crate::taken::Taken;

fn read(text: &str) -> (Vec<Fact>, Counts) {
    read_all(&mut Lmstat::new(TimeZone::UTC, Taken::Written(None)), text)
}

/// The snapshots of a report whose every line is understood.
fn snapshots(text: &str) -> Vec<Snapshot> {
    let (facts, counts) = read(text);
    let missed = counts.not_understood();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(counts.understood, counts.lines);
    facts
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Snapshot(snapshot) => Some(*snapshot),
            _ => None,
        })
        .collect()
}

/// The one feature of a report with these lines below its header.
fn feature(lines: &str) -> Snapshot {
    let head = "Users of solver:  (Total of 90 licenses issued;  Total of 9 licenses in use)";
    let text = format!("{HEAD}\n{head}\n\n{lines}\n");
    let [snapshot] = <[Snapshot; 1]>::try_from(snapshots(&text)).unwrap();
    snapshot
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const HEAD: &str = "\
lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved.
Flexible License Manager status on Mon 11/30/2026 10:43

[Detecting lmgrd processes...]
License server status: 27000@lic1.example.org
    License file(s) on lic1.example.org: /opt/flexlm/license.dat:

lic1.example.org: license server UP (MASTER) v11.19.6

Vendor daemon status (on lic1.example.org):

  vendd: UP v11.19.6
Feature usage info:
";

#[test]
fn a_report_of_a_three_server_set_names_all_three_and_the_daemon_of_a_pool() {
    let text = "\
lmutil - Copyright (c) 1989-2005 Some Company. All Rights Reserved.
Flexible License Manager status on Fri 10/20/2017 17:02

License server status: 27002@lic-1.example.org,27002@lic2.example.org,27002@lic3.example.org
    License file(s) on lic-1.example.org: /usr/local/flexlm/license.dat.app1:

lic-1.example.org: license server UP v11.10
lic2.example.org: license server UP (MASTER) v11.10
lic3.example.org: license server UP v11.10

Vendor daemon status (on lic2.example.org):

  VENDOR1: UP v11.10
  VENDOR2: UP v11.10

Feature usage info:

Users of solver:  (Total of 1814 licenses issued;  Total of 74 licenses in use)

  \"solver\" v61.9, vendor: VENDOR1
  floating license

\t48 RESERVATIONs for GROUP DESIGN (lic3.example.org/27002)
    ANN PC45823008 PC45823008 (v61.9) (lic3.example.org/27002 7086), start Fri 10/20 16:44, 5 licenses
    bob node0356 /dev/tty (v61.4) (lic3.example.org/27002 5621), start Fri 10/20 10:53

Users of mesher:  (Total of 1 license issued;  Total of 0 licenses in use)
";
    let all = snapshots(text);
    assert_eq!(all.len(), 2);
    let solver = &all[0];
    assert_eq!(solver.at, at("2017-10-20T17:02:00Z"));
    let servers = "27002@lic-1.example.org,27002@lic2.example.org,27002@lic3.example.org";
    assert_eq!(solver.server.as_deref(), Some(servers));
    assert_eq!(solver.feature.product_id(), "VENDOR1:solver");
    assert_eq!((solver.issued, solver.in_use), (Some(1_814), Some(74)));
    assert_eq!(solver.reserved, [("GROUP DESIGN".to_owned(), 48)]);
    let seats: Vec<u32> = solver.held.iter().map(|held| held.seats).collect();
    assert_eq!(seats, [5, 1]);
    assert_eq!(solver.held[0].version.as_deref(), Some("61.9"));
    assert_eq!(solver.held[0].since, Some(at("2017-10-20T16:44:00Z")));
    // With two daemons, nothing says which of them an unused feature is of.
    assert_eq!(all[1].feature.product_id(), "unknown:mesher");
    assert_eq!((all[1].issued, all[1].in_use), (Some(1), Some(0)));
}

#[test]
fn several_pools_of_a_feature_are_one_snapshot() {
    let snapshot = feature(
        "  \"solver\" v12, vendor: vendd, expiry: 01-jan-0000

  nodelocked license, locked to \"ID=1234\"

        1 RESERVATION for GROUP DED (lic1.example.org/27000)

  \"solver\" v53, vendor: vendd, expiry: 01-jan-2099

  vendor_string: vi=0:at=276:ae=1:lu=300:lo=NNU:

  nodelocked license, locked to \"ID=1234\"

    ann pc1 pc1 (v44) (lic1.example.org/27000 104), start Mon 11/30 8:13

  
\"solver\" v52, vendor: vendd, expiry: permanent(no expiration date)
  floating license

    bob pc2 pc2 (v48) (lic1.example.org/27000 901), start Mon 11/30 8:34, PID: 2924522 ",
    );
    assert_eq!(snapshot.feature.daemon.as_deref(), Some("vendd"));
    assert_eq!(snapshot.held.len(), 2);
    assert_eq!(snapshot.reserved, [("GROUP DED".to_owned(), 1)]);
}

#[test]
fn the_only_daemon_of_a_server_is_that_of_its_unused_features() {
    let snapshot = feature("");
    assert_eq!(snapshot.feature.product_id(), "vendd:solver");
    assert_eq!(snapshot.server.as_deref(), Some("27000@lic1.example.org"));
}

#[test]
fn an_uncounted_feature_has_users_and_no_count() {
    let text = format!(
        "{HEAD}
Users of SERIAL:  (Uncounted, node-locked)


\"SERIAL\" v6.3, vendor: vendd, expiry: permanent(no expiration date)
  vendor_string: secret
  uncounted nodelocked license locked to NOTHING (hostid=ANY)

    ann PC-5CG3 /dev/pts/0 (v5.6) (lic1.example.org/27000 1090), start Mon 11/30 10:07
"
    );
    let all = snapshots(&text);
    assert_eq!((all[0].issued, all[0].in_use), (None, None));
    assert_eq!(all[0].held.len(), 1);
    assert_eq!(all[0].trouble, None);
}

#[test]
fn a_feature_that_the_server_cannot_tell_of_says_why() {
    let text = format!(
        "{HEAD}
Users of FLOW:  (Error: 21 licenses, unsupported by licensed server)
Users of CAT: a b: Cannot get users of CAT: a b: No such feature exists. (-5,222)
"
    );
    let all = snapshots(&text);
    assert_eq!((all[0].issued, all[0].in_use), (Some(21), None));
    assert_eq!(
        all[0].trouble.as_deref(),
        Some("unsupported by licensed server")
    );
    assert_eq!(all[1].feature.name, "CAT: a b");
    assert_eq!(
        all[1].trouble.as_deref(),
        Some("No such feature exists. (-5,222)")
    );
}

#[test]
fn a_feature_name_may_hold_blanks_and_colons() {
    for name in ["a b", "a:b", "a:  b", "(a)", "Users of x"] {
        let line =
            format!("Users of {name}:  (Total of 5 licenses issued;  Total of 1 license in use)");
        let all = snapshots(&format!("{HEAD}{line}\n"));
        assert_eq!(all[0].feature.name, name);
        let line = format!("Users of {name}:               (Uncounted, node-locked)");
        let all = snapshots(&format!("{HEAD}{line}\n"));
        assert_eq!(all[0].feature.name, name);
    }
}

#[test]
fn times_are_those_of_the_zone_that_the_caller_gives() {
    let zone = TimeZone::fixed(Offset::from_hours(2).unwrap());
    let mut reader = Lmstat::new(zone, Taken::Written(None));
    let text =
        format!("{HEAD}Users of x:  (Total of 5 licenses issued;  Total of 1 license in use)\n");
    let (facts, _) = read_all(&mut reader, &text);
    let Fact::Snapshot(snapshot) = &facts[0] else {
        panic!("{facts:?}");
    };
    assert_eq!(snapshot.at, at("2026-11-30T08:43:00Z"));
}

#[test]
fn whoever_asked_knows_the_instant_better_than_the_report() {
    let asked = at("2026-11-30T10:43:21.5Z");
    let mut reader = Lmstat::new(TimeZone::UTC, Taken::At(asked));
    let text =
        format!("{HEAD}Users of x:  (Total of 5 licenses issued;  Total of 1 license in use)\n");
    let (facts, _) = read_all(&mut reader, &text);
    assert!(matches!(&facts[0], Fact::Snapshot(snapshot) if snapshot.at == asked));
}

#[test]
fn a_report_without_a_time_is_read_by_the_time_of_its_file_or_not_at_all() {
    let text = "Users of x:  (Total of 5 licenses issued;  Total of 1 license in use)\n";
    let (facts, counts) = read(text);
    assert_eq!((facts, counts.understood), (Vec::new(), 0));
    let written = at("2026-11-30T10:43:00Z");
    let mut reader = Lmstat::new(TimeZone::UTC, Taken::Written(Some(written)));
    let (facts, _) = read_all(&mut reader, text);
    assert!(matches!(&facts[0], Fact::Snapshot(snapshot) if snapshot.at == written));
}

#[test]
fn a_server_or_daemon_that_does_not_answer_is_silent_and_says_why() {
    let text = "\
Flexible License Manager status on Thu 11/23/2017 15:08

License server status: 28000@lic1,28000@lic2,28000@LIC3
    License file(s) on lic1: /usr/local/flexlm/license.dat:

lic1: license server UP v11.13.0
lic2: license server UP (MASTER) v11.13.0
lic3: Cannot connect to license server system. (-15,570:115 \"Operation now in progress\")

Vendor daemon status (on lic2):

   vendd: The desired vendor daemon is down. (-97,121)
----------------------------------------
License server status: 27000@lic9
Error getting status: Cannot connect to license server system. (-15,570:36 \"Connection refused\")
lmgrd is not running: License server machine is down or not responding.
";
    let (facts, counts) = read(text);
    let missed = counts.not_understood();
    assert!(missed.is_empty(), "{missed:?}");
    let silent: Vec<(Option<&str>, Option<&str>)> = facts
        .iter()
        .map(|fact| match fact {
            Fact::Silent { server, daemon, .. } => (server.as_deref(), daemon.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    let set = Some("28000@lic1,28000@lic2,28000@LIC3");
    let expected = [
        (Some("28000@LIC3"), None),
        (set, Some("vendd")),
        (Some("27000@lic9"), None),
        (Some("27000@lic9"), None),
    ];
    assert_eq!(silent, expected);
    assert!(matches!(&facts[1], Fact::Silent { why, .. } if why.contains("(-97,121)")));
}

#[test]
fn several_servers_and_several_reports_are_told_apart() {
    let one = "Users of x:  (Total of 5 licenses issued;  Total of 1 license in use)\n";
    let other = "License server status: 1999@lic2\n\nlic2: license server UP (MASTER) v11.14\n\n\
        Vendor daemon status (on lic2):\n\n   otherd: UP v11.14\nFeature usage info:\n";
    let later = HEAD.replace("10:43", "10:48");
    let all = snapshots(&format!("{HEAD}{one}{other}{one}{later}{one}"));
    let told: Vec<(String, Option<&str>, String)> = all
        .iter()
        .map(|snapshot| {
            let product = snapshot.feature.product_id();
            (snapshot.at.to_string(), snapshot.server.as_deref(), product)
        })
        .collect();
    let expected = [
        (
            "2026-11-30T10:43:00Z".to_owned(),
            Some("27000@lic1.example.org"),
            "vendd:x".to_owned(),
        ),
        (
            "2026-11-30T10:43:00Z".to_owned(),
            Some("1999@lic2"),
            "otherd:x".to_owned(),
        ),
        (
            "2026-11-30T10:48:00Z".to_owned(),
            Some("27000@lic1.example.org"),
            "vendd:x".to_owned(),
        ),
    ];
    assert_eq!(told, expected);
}

fn owned(text: &str) -> Vec<Owned> {
    let (facts, counts) = read(text);
    let missed = counts.not_understood();
    assert!(missed.is_empty(), "{missed:?}");
    let owned = facts.into_iter().filter_map(|fact| match fact {
        Fact::Owned(owned) => Some(*owned),
        _ => None,
    });
    owned.collect()
}

#[test]
fn the_table_of_i_is_what_is_owned_in_either_order_of_columns() {
    let last = "\
NOTE: lmstat -i does not give information from the server,
      but only reads the license file.  For this reason,
      lmstat -a is recommended instead.

Feature                         Version     #licenses    Expires      Vendor
_______                         _________   _________    __________   ______
feature12                       2018.12      50          31-dec-2018  vendor2
feature12                       2018.12      2           30-sep-2018  vendor2
feature with blanks             52           0           1-jan-0      vendor2
feature16                       0.1          1           01-jan-0000  vendor2
";
    let all = owned(last);
    assert_eq!(all.len(), 4);
    assert_eq!(all[0].feature.product_id(), "vendor2:feature12");
    assert_eq!(
        (all[0].version.as_deref(), all[0].seats),
        (Some("2018.12"), Some(50))
    );
    assert_eq!(all[0].until, Until::Day(jiff::civil::date(2018, 12, 31)));
    assert_eq!(all[2].feature.name, "feature with blanks");
    assert_eq!((all[2].seats, all[2].until), (None, Until::Permanent));
    let first = "\
Feature                         Version     #licenses    Vendor        Expires
_______                         _________   _________    ______        __________
SERIAL                          6.3          1           vendd         permanent(no expiration date)
";
    let all = owned(first);
    assert_eq!(all[0].feature.product_id(), "vendd:SERIAL");
    assert_eq!(all[0].until, Until::Permanent);
}

#[test]
fn the_table_of_i_names_the_daemon_of_an_unused_feature() {
    let text = "\
Flexible License Manager status on Mon 11/30/2026 10:43
License server status: 27000@lic1
lic1: license server UP (MASTER) v11.19.6
Vendor daemon status (on lic1):
   oned: UP v11.19.6
   twod: UP v11.19.6
Feature usage info:
Users of x:  (Total of 5 licenses issued;  Total of 0 licenses in use)
Feature                         Version     #licenses    Expires      Vendor
_______                         _________   _________    __________   ______
x                               1.0          5           31-dec-2026  twod
";
    assert_eq!(snapshots(text)[0].feature.product_id(), "twod:x");
}

#[test]
fn a_bad_line_is_counted_and_ends_nothing() {
    let text = format!(
        "{HEAD}Users of x:  (Total of 5 licenses issued;  Total of 1 license in use)
    what is this
    ann pc1 pc1 (v1.0) (lic1/27000 101), start Mon 11/30 9:05
"
    );
    let (facts, counts) = read(&text);
    assert_eq!(counts.not_understood().len(), 1);
    assert!(matches!(&facts[0], Fact::Snapshot(snapshot) if snapshot.held.len() == 1));
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in "(Users of |\"|\\(v1\\)|\\(h/1 2\\)|, start |Mon 2/29 9:05|queued for |[ a-zé/:,()0-9]|\n){0,60}") {
        let (_, counts) = read(&text);
        prop_assert_eq!(counts.lines, text.lines().count() as u64);
    }
}
