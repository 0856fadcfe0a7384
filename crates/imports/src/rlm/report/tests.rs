//! Report logs of RLM in each format, with made-up names.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::{Clock, Report};
use crate::fact::{Ask, Fact};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    read_all(&mut Report::new(Clock::Site(TimeZone::UTC)), text)
}

/// The facts of a log whose every line is understood.
fn facts(text: &str) -> Vec<Fact> {
    let (facts, counts) = read(text);
    let missed = counts.not_understood();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(counts.understood, counts.lines);
    facts
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn head(format: u8) -> String {
    format!(
        "
RLM Report Log Format {format}, version 10.0, authenticated
ISV: demo, RLM version 10.0 BL2
Logfile format Copyright (C) 2006-2013 Reprise Software, Inc.
For documentation on this format, email somebody
You are encouraged to build tools to process this data.

START lic1 05/11/2013 15:16:49
LICENSE FILE C:\\RLM\\license.lic
"
    )
}

/// A line for each fact that concerns people.
fn told(facts: &[Fact]) -> Vec<String> {
    let ask = |what: &str, ask: &Ask| {
        let product = ask.feature.product_id();
        let holder = &ask.holder;
        format!(
            "{} {what} {product} {}@{} x{}",
            ask.at, holder.user, holder.host, ask.seats
        )
    };
    let lines = facts.iter().filter_map(|fact| match fact {
        Fact::Checkout(a) => Some(ask("out", a)),
        Fact::Checkin(a) => Some(ask("in", a)),
        Fact::Denied(a, why) => Some(format!("{} {why}", ask("deny", a))),
        Fact::Unsupported(a) => Some(ask("unsupported", a)),
        Fact::Queued(a) => Some(ask("queued", a)),
        Fact::Dequeued(a) => Some(ask("dequeued", a)),
        Fact::Inactive(a) => Some(ask("inactive", a)),
        Fact::Began { at, .. } => Some(format!("{at} began")),
        Fact::Ended { at, .. } => Some(format!("{at} ended")),
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_standard_log_is_understood_whole() {
    let text = format!(
        "{}PRODUCT simulator 3.12 1 1 0 1 \"\" \"\" \"\" \"\" \"\" \"\" 0 0 0 0 0 0 0 0 0
PRODUCT analytics 3.12 2 2 1 2 \"\" \"\" \"A B Ltd\" \"\" \"\" \"\" 0 0 0 0 0 0 0 0 0
05/11/2013 15:16
OUT analytics 2.09 2 cecil pc1 \"\" 1 1 0 41 41 1a14 \"\" \"\" \"\" 05/11 15:17:14
OUT simulator 2.12 1 terra pc2 \"\" 1 1 0 81 81 c79e \"\" \"\" \"\" 05/11 15:19:08
DENY simulator 2.1 cecil pc1 \"\" 1 -22 1 05/11 15:20
DENY simulator 2.1 cecil pc1 \"\" 1 -22 0 05/11 15:20
DENY painter 2.1 cecil pc1 \"\" 1 -18 1 05/11 15:20
IN 1 simulator 2.12 terra pc2 \"\" 1 0 0 81 05/11 15:22:13
REREAD automatic midnight 05/12 00:00:38
INUSE analytics 3.12 2 cecil pc1 \"\" 1 41 1a14 05/12 15:23:15
SHUTDOWN webuser lic1 05/12 15:23:15
END 05/12/2013 15:23
AUTH: 1 60pg4580jf8npa9xah1yjmdcg4x5e6htnbum40py08a0rr4k9q7qxex9rccgr7m3bdc9r98bq500
",
        head(0)
    );
    let facts = facts(&text);
    assert_eq!(
        told(&facts),
        [
            "2013-05-11T15:16:49Z began",
            "2013-05-11T15:17:14Z out demo:analytics cecil@pc1 x1",
            "2013-05-11T15:19:08Z out demo:simulator terra@pc2 x1",
            "2013-05-11T15:20:00Z deny demo:simulator cecil@pc1 x1 status -22: all licenses in use",
            "2013-05-11T15:20:00Z unsupported demo:painter cecil@pc1 x1",
            "2013-05-11T15:22:13Z in demo:simulator terra@pc2 x1",
            "2013-05-12T15:23:15Z ended",
        ]
    );
    let daemon = Some("demo".to_owned());
    assert!(facts.contains(&Fact::Reread {
        at: at("2013-05-12T00:00:38Z"),
        daemon
    }));
    let owned: Vec<(&str, Option<u64>, usize)> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Snapshot(snapshot) => {
                let name = snapshot.feature.name.as_str();
                Some((name, snapshot.issued, snapshot.reserved.len()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        owned,
        [("analytics", Some(3), 1), ("simulator", Some(1), 0)]
    );
}

#[test]
fn a_handle_pairs_the_records_of_a_use() {
    let text = format!(
        "{}OUT a 1.0 2 ann pc1 \"\" 2 2 0 0a1 0a1 1a14 \"\" \"\" \"\" 05/11 15:17:14
IN 2 a 1.0 ann pc1 \"\" 2 0 0 a1 05/11 15:22:13
",
        head(0)
    );
    let handles: Vec<Option<String>> = facts(&text)
        .into_iter()
        .filter_map(|fact| match fact {
            Fact::Checkout(ask) | Fact::Checkin(ask) => Some(ask.handle),
            _ => None,
        })
        .collect();
    assert_eq!(handles, [Some("a1".to_owned()), Some("a1".to_owned())]);
}

#[test]
fn a_small_log_says_the_rest_by_handle_and_its_day_by_what_is_near() {
    let text = format!(
        "{}OUT a 1.0 ann pc1 \"\" 3 41 41 23:50
QUE a 1.0 bob pc2 \"\" 1 c1 23:55
IN 1 3 41 00:10
OUT a 1.0 bob pc2 \"\" 1 c1 c1 00:10
05/12/2013 09:00
IN 4 1 c1 09:05
",
        head(1).replace("15:16:49", "23:16:49")
    );
    assert_eq!(
        told(&facts(&text))[1..],
        [
            "2013-05-11T23:50:00Z out demo:a ann@pc1 x3",
            "2013-05-11T23:55:00Z queued demo:a bob@pc2 x1",
            "2013-05-12T00:10:00Z in demo:a ann@pc1 x3",
            "2013-05-12T00:10:00Z dequeued demo:a bob@pc2 x1",
            "2013-05-12T00:10:00Z out demo:a bob@pc2 x1",
            "2013-05-12T09:05:00Z inactive demo:a bob@pc2 x1",
        ]
    );
}

#[test]
fn a_small_check_in_of_an_unknown_handle_is_not_understood() {
    let (facts, counts) = read(&format!("{}IN 1 3 41 16:10\n", head(1)));
    assert_eq!(counts.not_understood().len(), 1);
    assert_eq!(told(&facts).len(), 1);
}

#[test]
fn a_detailed_log_has_fractions_of_a_second() {
    let text = format!(
        "{}OUT a 1.0 2 ann pc1 \"cost 7\" 1 1 0 41 41 1a14 \"proj\" \"a\" \"1.0\" 05/11 15:17:14.1234 \"x64_l1 5.4\" \"/opt/a b\" 0 0 10.0.0.7
IN 1 a 1.0 ann pc1 \"cost 7\" 1 0 0 41 05/11 15:22:13.0000
QUE a 1.0 ann pc1 \"\" 1 81 \"\" \"\" \"\" 05/11 15:30:00.5000
DEQUE 6 a 1.0 ann pc1 \"\" 1 81 05/11 15:31:00.5000
DENY a 1.0 ann pc1 \"\" 1 -3 1 05/11 15:32:00.0001
",
        head(2)
    );
    assert_eq!(
        told(&facts(&text))[1..],
        [
            "2013-05-11T15:17:14.1234Z out demo:a ann@pc1 x1",
            "2013-05-11T15:22:13Z in demo:a ann@pc1 x1",
            "2013-05-11T15:30:00.5Z queued demo:a ann@pc1 x1",
            "2013-05-11T15:31:00.5Z dequeued demo:a ann@pc1 x1",
            "2013-05-11T15:32:00.0001Z deny demo:a ann@pc1 x1 status -3: authorization has expired",
        ]
    );
}

#[test]
fn users_may_have_blanks_and_empty_names_are_in_quotes() {
    let text = format!(
        "{}OUT a 1.0 2 Ann van Lee pc1.example.org \"\" 1 1 0 41 41 1a14 \"\" \"\" \"\" 05/11 15:17:14
OUT a 1.0 2 \"\" \"\" \"\" 1 2 0 81 81 1a14 \"\" \"\" \"\" 05/11 15:17:15
OUT a 1.0 2 Jürgen pc2 \"v 1 2\" 1 3 0 c1 c1 1a14 \"\" \"\" \"\" 05/11 15:17:16
",
        head(0)
    );
    assert_eq!(
        told(&facts(&text))[1..],
        [
            "2013-05-11T15:17:14Z out demo:a Ann van Lee@pc1.example.org x1",
            "2013-05-11T15:17:15Z out demo:a @ x1",
            "2013-05-11T15:17:16Z out demo:a Jürgen@pc2 x1",
        ]
    );
}

#[test]
fn the_year_follows_the_log_past_new_year() {
    let text = format!(
        "{}OUT a 1.0 2 ann pc1 \"\" 1 1 0 41 41 1 \"\" \"\" \"\" 12/31 23:59:59
IN 1 a 1.0 ann pc1 \"\" 1 0 0 41 01/01 00:00:01
",
        head(0).replace("05/11/2013", "12/30/2013")
    );
    assert_eq!(
        told(&facts(&text))[1..],
        [
            "2013-12-31T23:59:59Z out demo:a ann@pc1 x1",
            "2014-01-01T00:00:01Z in demo:a ann@pc1 x1",
        ]
    );
}

#[test]
fn what_ran_before_a_log_that_begins_anew_has_ended_and_a_switch_begins_nothing() {
    let next = head(0).replace("15:16:49", "16:00:00");
    let inuse = "INUSE a 1.0 2 ann pc1 \"\" 1 41 1a14 05/11 16:00:00\n";
    let out = "OUT a 1.0 2 ann pc1 \"\" 1 1 0 41 41 1a14 \"\" \"\" \"\" 05/11 15:17:14\n";
    let anew = told(&facts(&format!("{}{out}{next}{inuse}", head(0))));
    assert_eq!(
        anew[2..],
        [
            "2013-05-11T16:00:00Z began",
            "2013-05-11T16:00:00Z out demo:a ann@pc1 x1"
        ]
    );
    let switch = "SWITCH to next.rl\nEND 05/11/2013 16:00\nSWITCH from last.rl\n";
    let on = told(&facts(&format!("{}{out}{switch}{next}{inuse}", head(0))));
    assert_eq!(on.len(), 2, "{on:?}");
}

#[test]
fn a_pause_between_two_logs_is_not_observed() {
    let next = head(0).replace("15:16:49", "16:00:00");
    let all = facts(&format!("{}END 05/11/2013 15:30\n{next}", head(0)));
    let (from, to) = (at("2013-05-11T15:30:00Z"), at("2013-05-11T16:00:00Z"));
    assert!(all.contains(&Fact::Unobserved { from, to }));
}

#[test]
fn the_zone_that_somebody_asks_for_wins_over_that_of_the_log_and_this_over_the_sites() {
    let began = |clock, line: &str| {
        let text = head(0).replace("LICENSE FILE", line);
        let (facts, _) = read_all(&mut Report::new(clock), &text);
        told(&facts)[0].clone()
    };
    let fixed = |hours| TimeZone::fixed(Offset::from_hours(hours).unwrap());
    let west = "TIMEZONE 480 0 # PST\nLICENSE FILE";
    let summer = "TIMEZONE 480 1 # PST8PDT\nLICENSE FILE";
    assert_eq!(
        began(Clock::Site(fixed(1)), "LICENSE FILE"),
        "2013-05-11T14:16:49Z began"
    );
    assert_eq!(
        began(Clock::Site(fixed(1)), west),
        "2013-05-11T23:16:49Z began"
    );
    assert_eq!(
        began(Clock::Site(fixed(1)), summer),
        "2013-05-11T14:16:49Z began"
    );
    assert_eq!(
        began(Clock::Asked(fixed(1)), west),
        "2013-05-11T14:16:49Z began"
    );
}

#[test]
fn a_jump_of_the_clock_is_told() {
    for (jump, seconds) in [
        ("-30", -1_800),
        ("+45", 2_700),
        ("- 30", -1_800),
        ("45", 2_700),
    ] {
        let all = facts(&format!("{}TIMEJUMP {jump} 05/11 15:40:00\n", head(0)));
        let at = at("2013-05-11T15:40:00Z");
        assert!(all.contains(&Fact::ClockSet { at, seconds }), "{jump}");
    }
}

#[test]
fn the_servers_own_peak_is_over_all_pools() {
    let text = format!(
        "{}OUT a 1.0 1 ann pc1 \"\" 2 2 0 41 41 1 \"\" \"\" \"\" 05/11 15:17:00
OUT a 1.0 2 bob pc2 \"\" 1 1 1 81 81 1 \"\" \"\" \"\" 05/11 15:18:00
IN 1 a 1.0 ann pc1 \"\" 2 0 0 41 05/11 15:19:00
OUT a 1.0 2 cy pc3 \"\" 1 2 1 c1 c1 1 \"\" \"\" \"\" 05/11 15:20:00
",
        head(0)
    );
    let peaks: Vec<(u64, Option<Timestamp>)> = facts(&text)
        .iter()
        .filter_map(|fact| match fact {
            Fact::DaemonPeak { seats, at, .. } => Some((*seats, *at)),
            _ => None,
        })
        .collect();
    assert_eq!(peaks, [(4, Some(at("2013-05-11T15:18:00Z")))]);
}

#[test]
fn records_that_say_nothing_of_a_use_are_understood() {
    let text = format!(
        "{}METER_DEC 41 1 10 05/11/15:20:00
ROAM_EXTEND a 1.0 2 ann pc1 \"\" 4 41 ffffffff 05/11 15:21:00
DYNRES create ann pc1 2 1 \"id\" 05/11 15:22:00
log 05/11 15:23:00 anything at all
BADAUTH (1 errors, 2 sessions, 3 authentication sections)
AUTH 1 abc
",
        head(0).replace("ISV:", "REPROCESSED with rlmanon v10.0\nISV:")
    );
    assert_eq!(told(&facts(&text)).len(), 1);
}

#[test]
fn a_record_before_any_date_and_a_bad_line_are_counted_and_end_nothing() {
    let out = "OUT a 1.0 2 ann pc1 \"\" 1 1 0 41 41 1a14 \"\" \"\" \"\" 05/11 15:17:14\n";
    let (facts, counts) = read(&format!("{out}{}OUT of memory\n{out}", head(0)));
    assert_eq!(counts.not_understood().len(), 2);
    assert_eq!(told(&facts).len(), 2);
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(
        text in "(RLM Report Log Format 0|START h 02/29/2024 1:2|OUT a 1 1 u h \"\" 1 1 0 41 41 1|IN 1 1 41 1:2| 02/29 1:2:3|TIMEJUMP |TIMEZONE |-?[0-9]{1,19}|\"| |SWITCH to x|\n){0,40}"
    ) {
        let (_, counts) = read(&text);
        prop_assert_eq!(counts.lines, text.lines().count() as u64);
    }

    #[test]
    fn whoever_checks_out_and_in_by_any_name_is_one_use(user in "[a-zäö.@-]{1,8}( [a-zäö.-]{1,8}){0,2}", handle in "[1-9a-f][0-9a-f]{0,7}") {
        let text = format!(
            "{}OUT a 1.0 2 {user} pc1 \"\" 1 1 0 {handle} {handle} 1 \"\" \"\" \"\" 05/11 15:17:14\nIN 1 a 1.0 {user} pc1 \"\" 1 0 0 {handle} 05/11 15:18:14\n",
            head(0)
        );
        let asks: Vec<Ask> = facts(&text).into_iter().filter_map(|fact| match fact {
            Fact::Checkout(ask) | Fact::Checkin(ask) => Some(ask),
            _ => None,
        }).collect();
        prop_assert_eq!(asks.len(), 2);
        prop_assert_eq!(&asks[0].holder, &asks[1].holder);
        prop_assert_eq!(&asks[0].handle, &asks[1].handle);
        prop_assert_eq!(asks[0].holder.user.as_str(), user.as_str());
    }
}
