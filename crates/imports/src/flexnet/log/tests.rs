//! Whole logs, in the shapes that servers write them, with made-up names.

use jiff::civil::date;

mod any;
mod clocks;
mod listed;

use super::*;
use crate::pairing::{Ending, Groupings, Pairing, Totals, Use};
use crate::reading::{Counts, read_all};

fn reference(file_time: &str, site: &str) -> Reference {
    Reference {
        file_time: file_time.parse().expect("an instant"),
        first_day: None,
        zone: None,
        site_zone: TimeZone::get(site).expect("a zone"),
    }
}

fn utc() -> Reference {
    reference("2024-06-01T12:00:00Z", "UTC")
}

struct Read {
    facts: Vec<Fact>,
    counts: Counts,
    uses: Vec<Use>,
    totals: Totals,
    log: Log,
}

impl Read {
    fn of(mut log: Log, text: &str) -> Read {
        let (facts, counts) = read_all(&mut log, text);
        let mut uses = Vec::new();
        let mut pairing = Pairing::new(Groupings::default());
        for fact in &facts {
            pairing.take(fact, &mut |used| uses.push(used));
        }
        let totals = pairing.finish(&mut |used| uses.push(used));
        Read {
            facts,
            counts,
            uses,
            totals,
            log,
        }
    }

    fn spans(&self) -> Vec<(String, Option<String>)> {
        let text = |at: Timestamp| at.to_string();
        self.uses
            .iter()
            .map(|used| (text(used.from), used.until.map(text)))
            .collect()
    }

    fn clock_sets(&self) -> Vec<i64> {
        let seconds = |fact: &Fact| match fact {
            Fact::ClockSet { seconds, .. } => Some(*seconds),
            _ => None,
        };
        self.facts.iter().filter_map(seconds).collect()
    }

    fn all_understood(&self) {
        let missed: Vec<String> = self
            .counts
            .not_understood()
            .into_iter()
            .map(|missed| missed.example)
            .collect();
        assert_eq!(missed, Vec::<String>::new());
        assert_eq!(self.counts.lines, self.counts.understood);
    }
}

fn read(text: &str) -> Read {
    Read::of(Log::new(utc()), text)
}

fn span(from: &str, until: &str) -> (String, Option<String>) {
    (from.to_owned(), Some(until.to_owned()))
}

const START: &str = "\
10:55:13 (lmgrd) -----------------------------------------------
10:55:13 (lmgrd)   Please Note:
10:55:13 (lmgrd)\x20
10:55:13 (lmgrd)   This log is intended for debug purposes only.
10:55:13 (lmgrd)   In order to capture accurate license
10:55:13 (lmgrd)   usage data into an organized repository,
10:55:13 (lmgrd)   please enable report logging. Use the vendor's
10:55:13 (lmgrd)   software license administration  solution,
10:55:13 (lmgrd)   to  readily gain visibility
10:55:13 (lmgrd) -----------------------------------------------
10:55:13 (lmgrd) Server's System Date and Time: Wed Jul 17 2019 10:55:13 -05
10:55:13 (lmgrd) SLOG: Summary LOG statistics is enabled.
10:55:13 (lmgrd) FlexNet Licensing (v11.14.1.2 build 208719 x64_lsb) started on srv (linux) (7/17/2019)
10:55:13 (lmgrd) Copyright (c) 1988-2017 Example. All Rights Reserved.
10:55:13 (lmgrd) World Wide Web:  http://www.example.com
10:55:13 (lmgrd) License file(s): /var/tmp/lic.dat
10:55:13 (lmgrd) lmgrd tcp-port 27000
10:55:13 (lmgrd) (@lmgrd-SLOG@) ===============================================
10:55:13 (lmgrd) (@lmgrd-SLOG@) === LMGRD ===
10:55:13 (lmgrd) (@lmgrd-SLOG@) Start-Date: Wed Jul 17 2019 10:55:13 -05
10:55:13 (lmgrd) (@lmgrd-SLOG@) PID: 14118
10:55:13 (lmgrd) Starting vendor daemons ...
10:55:13 (lmgrd) Started MLM (internet tcp_port 42249 pid 10861)
10:55:13 (MLM) FlexNet Licensing version v11.14.1.2 build 208719 x64_lsb
10:55:13 (MLM) Server started on srv for:\tMATLAB\t\t
10:55:13 (MLM) Bioinformatics_Toolbox Statistics_Toolbox\x20
10:55:13 (MLM) EXTERNAL FILTERS are OFF
10:55:13 (lmgrd) MLM using TCP-port 42249
10:55:14 (MLM) (@MLM-SLOG@) === Vendor Daemon ===
10:55:14 (MLM) (@MLM-SLOG@) Start-Date: Wed Jul 17 2019 10:55:14 -05
10:55:50 (MLM) TCP_NODELAY NOT enabled
";

#[test]
fn a_log_with_its_start_is_dated_and_zoned_by_it_and_understood_to_the_last_line() {
    let text = format!(
        "\u{feff}{START}\
11:00:00 (MLM) OUT: \"MATLAB\" ann@pc1.example  \n\
23:59:59 (MLM) OUT: \"Statistics_Toolbox\" bob@pc2\n\
 0:10:00 (MLM) IN: \"MATLAB\" ann@pc1.example  \n\
 0:20:00 (lmgrd) Rereading license file...\n\
 1:00:00 (MLM) IN: \"Statistics_Toolbox\" bob@pc2  (INACTIVE)\n\
 4:55:13 (lmgrd) TIMESTAMP 7/18/2019\n"
    );
    let read = read(&text);
    read.all_understood();
    assert_eq!(
        read.spans(),
        [
            span("2019-07-17T16:00:00Z", "2019-07-18T05:10:00Z"),
            span("2019-07-18T04:59:59Z", "2019-07-18T06:00:00Z"),
        ]
    );
    assert_eq!(read.uses[1].ending, Ending::Inactive);
    assert_eq!(read.clock_sets(), Vec::<i64>::new());
    assert_eq!(read.log.dates_from(), Some(DatesFrom::Timestamp));
    let starts = read
        .facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Began { .. }))
        .count();
    assert_eq!(starts, 2);
}

#[test]
fn a_zone_that_is_asked_for_wins_over_the_logs_and_that_over_the_sites() {
    let line = "11:00:00 (MLM) OUT: \"MATLAB\" ann@pc1\n";
    let text = format!("{START}{line}");
    let begun = |reference: Reference, text: &str| {
        let read = Read::of(Log::new(reference), text);
        read.uses[0].from.to_string()
    };
    let berlin = reference("2024-06-01T12:00:00Z", "Europe/Berlin");
    assert_eq!(begun(berlin.clone(), &text), "2019-07-17T16:00:00Z");
    let asked = Reference {
        zone: Some(TimeZone::get("Asia/Tokyo").expect("a zone")),
        ..berlin.clone()
    };
    assert_eq!(begun(asked, &text), "2019-07-17T02:00:00Z");
    let plain = format!("10:00:00 (lmgrd) TIMESTAMP 7/17/2019\n{line}");
    assert_eq!(begun(berlin, &plain), "2019-07-17T09:00:00Z");
}

#[test]
fn a_log_that_was_cut_at_its_top_gets_its_first_day_from_the_first_date() {
    let text = "\
22:00:00 (d) OUT: \"f\" ann@pc1
 1:00:00 (d) IN: \"f\" ann@pc1
 3:00:00 (lmgrd) TIMESTAMP 3/2/2021
 5:00:00 (d) OUT: \"f\" bob@pc2
 6:00:00 (d) IN: \"f\" bob@pc2
";
    let read = read(text);
    assert_eq!(
        read.spans(),
        [
            span("2021-03-01T22:00:00Z", "2021-03-02T01:00:00Z"),
            span("2021-03-02T05:00:00Z", "2021-03-02T06:00:00Z"),
        ]
    );
    let found = read.log.found().expect("dates were found");
    assert_eq!(found.first_day, date(2021, 3, 1));
    let again = Read::of(Log::again(utc(), found), text);
    assert_eq!(again.spans(), read.spans());
}

#[test]
fn a_log_without_any_date_is_read_against_the_files_own_time() {
    let text = "\
23:00:00 (d) OUT: \"f\" ann@pc1
 7:00:00 (d) IN: \"f\" ann@pc1
 9:30:00 (d) OUT: \"f\" bob@pc1
 9:40:00 (d) IN: \"f\" bob@pc1
";
    let read = Read::of(Log::new(reference("2021-03-02T09:41:00Z", "UTC")), text);
    assert_eq!(
        read.spans()[0],
        span("2021-03-01T23:00:00Z", "2021-03-02T07:00:00Z")
    );
    assert_eq!(read.log.dates_from(), Some(DatesFrom::FileTime));
    let told = Reference {
        first_day: Some(date(2020, 2, 28)),
        ..utc()
    };
    let read = Read::of(Log::new(told), text);
    assert_eq!(
        read.spans()[0],
        span("2020-02-28T23:00:00Z", "2020-02-29T07:00:00Z")
    );
    assert_eq!(read.log.dates_from(), Some(DatesFrom::Option));
}

#[test]
fn several_daemons_share_a_log_and_the_end_of_one_ends_only_its_uses() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 4/8/2019
 8:01:00 (alpha) OUT: \"f\" ann@pc1
 8:02:00 (beta_2) OUT: \"f\" ann@pc1  (3 licenses)
 8:03:00 (alpha) daemon shutdown requested - shutting down
 8:03:00 (lmgrd) alpha exited with status 58 (Killed)
 8:04:00 (beta) IN: \"f\" ann@pc1  (3 licenses)
 8:05:00 (beta) OUT: \"f\" bob@pc1
 8:06:00 (lmgrd) EXITING DUE TO SIGNAL 15
";
    let read = read(text);
    read.all_understood();
    let of: Vec<(&str, u32, Ending)> = read
        .uses
        .iter()
        .map(|used| {
            (
                used.feature.daemon.as_deref().unwrap_or(""),
                used.seats,
                used.ending,
            )
        })
        .collect();
    assert_eq!(
        of,
        [
            ("alpha", 1, Ending::Daemon),
            ("beta", 3, Ending::Checkin),
            ("beta", 1, Ending::Daemon),
        ]
    );
}

#[test]
fn refusals_waits_and_features_that_are_not_served_are_counted() {
    let text = "\
18:49:27 (lmgrd) TIMESTAMP 4/28/2023
18:50:22 (LM) DENIED: \"solver\" ann@n3.example  (25 licenses) (Users are queued for this feature. (-24,332))
18:50:23 (LM) DENIED: \"solver\" ann@n3.example  (Licensed number of users already reached. (-4,342:10054 \"\"))
18:50:24 (LM) QUEUED: \"solver\" ann@n3.example  (25 licenses)
18:51:00 (LM) DEQUEUED: \"solver\" ann@n3.example  (25 licenses)
18:51:00 (LM) OUT: \"solver\" ann@n3.example  (25 licenses)
18:52:00 (LM) UNSUPPORTED: \"x.y\" (PORT_AT_HOST_PLUS   ) LOCAL SERVICE@DESK  (No such feature exists. (-5,346))
18:53:00 (LM) IN: \"solver\" ann@n3.example  (25 licenses) (SHUTDOWN)
18:54:00 (LM) 1682693477/1/6.17-1/30/sta_par/9179/kim/unknown/n350
";
    let read = read(text);
    let [solver, other] = read.totals.features.as_slice() else {
        panic!("two features: {:?}", read.totals.features);
    };
    assert_eq!(
        (
            solver.denials,
            solver.queued,
            solver.checkouts,
            solver.checkins
        ),
        (2, 1, 1, 1)
    );
    assert_eq!((other.unsupported, other.checkouts), (1, 0));
    assert_eq!(read.uses[0].seats, 25);
    let missed = read.counts.not_understood();
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].count, 1);
}

#[test]
fn tokens_and_the_component_that_took_them_are_one_use() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 4/8/2019
 8:01:00 (telelogic) OUT: \"DOORS\" ann@pc1 [telelogic]\x20
 8:01:00 (telelogic) OUT: \"TLSTOK-token\" ann@pc1 [DOORS] (3 licenses)
 8:09:00 (telelogic) IN: \"TLSTOK-token\" ann@pc1 [DOORS] (3 licenses)
 8:09:00 (telelogic) IN: \"DOORS\" ann@pc1 [telelogic]\x20
";
    let read = read(text);
    read.all_understood();
    assert_eq!(read.uses.len(), 1);
    assert_eq!(read.uses[0].feature.name, "TLSTOK-token");
    assert_eq!(read.uses[0].components, ["DOORS"]);
    assert_eq!(read.totals.features.len(), 2);
}

#[test]
fn what_a_package_consists_of_makes_one_use_of_one_start() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 4/8/2019
 8:00:00 (d) Package \"Suite\" consisting of \"Draw\", \"Paint\"
 8:01:00 (d) OUT: \"Draw\" ann@pc1
 8:01:00 (d) OUT: \"Suite\" ann@pc1
 8:05:00 (d) OUT: \"Draw\" bob@pc2
 8:09:00 (d) IN: \"Draw\" ann@pc1
 8:09:00 (d) IN: \"Suite\" ann@pc1
 8:10:00 (d) IN: \"Draw\" bob@pc2
";
    let read = read(text);
    read.all_understood();
    let of: Vec<(&str, &str)> = read
        .uses
        .iter()
        .map(|used| (used.feature.name.as_str(), used.holder.user.as_str()))
        .collect();
    assert_eq!(of, [("Suite", "ann"), ("Draw", "bob")]);
}

#[test]
fn containers_and_journals_put_their_time_in_front_and_it_counts() {
    let text = "\
2024-05-01T12:00:00.123456789Z stdout F 14:00:00 (d) OUT: \"f\" ann@pc1
2024-05-01T12:30:00.123456789Z stdout F 14:30:00 (d) IN: \"f\" ann@pc1
";
    let read = Read::of(Log::new(utc()), text);
    read.all_understood();
    assert_eq!(
        read.spans(),
        [span("2024-05-01T12:00:00Z", "2024-05-01T12:30:00Z")]
    );
    let text = "\
Dec 31 23:50:00 srv lmgrd[77]: 23:50:00 (d) OUT: \"f\" ann@pc1
Jan  1 00:10:00 srv lmgrd[77]: 0:10:00 (d) IN: \"f\" ann@pc1
lmgrd_1    |  0:20:00 (d) OUT: \"f\" bob@pc1
";
    let read = Read::of(Log::new(reference("2024-01-05T00:00:00Z", "UTC")), text);
    assert_eq!(
        read.spans()[0],
        span("2023-12-31T23:50:00Z", "2024-01-01T00:10:00Z")
    );
    assert_eq!(read.uses[1].from.to_string(), "2024-01-01T00:20:00Z");
}

#[test]
fn the_daemons_own_peak_is_told() {
    let text = "\
10:00:00 (lmgrd) TIMESTAMP 7/22/2014
10:40:00 (d) (@d-SLOG@) Peak active connections #16 attempted at Tue Jul 22 2014 10:30:04 UTC
";
    let read = read(text);
    read.all_understood();
    assert_eq!(read.totals.daemon_peak, Some(16));
}

#[test]
fn bad_lines_are_counted_and_end_nothing() {
    let text = "\
garbage
10:00:00 (lmgrd) TIMESTAMP 7/22/2014
10:01:00 (d) OUT: \"f\" ann@pc1
10:01:00 (d) OUT: \"f
\u{0}\u{1}\u{fffd}
10:02:00 (d) IN: \"f\" ann@pc1
";
    let read = read(text);
    assert_eq!(read.uses.len(), 1);
    assert_eq!((read.counts.lines, read.counts.understood), (6, 3));
}
