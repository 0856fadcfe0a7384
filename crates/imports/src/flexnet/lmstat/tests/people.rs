//! What is read of those who hold, wait and have reservations.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{at, feature};
use crate::fact::Held;

/// The one holder in a line.
fn held(line: &str) -> Held {
    let [held] = <[Held; 1]>::try_from(feature(line).held).unwrap();
    held
}

fn who(line: &str) -> (String, String, Option<String>) {
    let holder = held(line).holder;
    (holder.user, holder.host, holder.display)
}

fn named(user: &str, host: &str, display: &str) -> (String, String, Option<String>) {
    let display = (!display.is_empty()).then(|| display.to_owned());
    (user.to_owned(), host.to_owned(), display)
}

#[test]
fn a_name_with_blanks_ends_where_the_computer_is_known() {
    let tail = "(v1.0) (lic1.example.org/27000 101), start Mon 11/30 9:05";
    for (line, expected) in [
        ("ann pc1 pc1", named("ann", "pc1", "pc1")),
        ("ann pc1", named("ann", "pc1", "")),
        ("ann pc1 pc2", named("ann", "pc1", "pc2")),
        ("Ann van Lee PC7 PC7", named("Ann van Lee", "PC7", "PC7")),
        ("Ann  Lee pc7 pc70.0", named("Ann  Lee", "pc7", "pc70.0")),
        (
            "Jürgen Groß pc7 pc7:0.0",
            named("Jürgen Groß", "pc7", "pc7:0.0"),
        ),
        (
            "ann host-01 host-01:0.0 data_1",
            named("ann", "host-01", "host-01:0.0 data_1"),
        ),
        (
            "ann lee node1.example.org /dev/pts/3",
            named("ann lee", "node1.example.org", "/dev/pts/3"),
        ),
        ("ann node1 :0 x", named("ann", "node1", ":0 x")),
        (
            "Ann Lee Lee_PC \"U,K$`Ct`0'\"C iQwg<&!",
            named("Ann Lee", "Lee_PC", "\"U,K$`Ct`0'\"C iQwg<&!"),
        ),
        (
            "\"Ann Lee\" pc1 /dev/pts/101",
            named("Ann Lee", "pc1", "/dev/pts/101"),
        ),
        ("\"ann pc1 pc1", named("\"ann", "pc1", "pc1")),
        (
            "ann pc1 |)8<fZ)=Y[<7L$lY-p\\<6nn^Y",
            named("ann", "pc1", "|)8<fZ)=Y[<7L$lY-p\\<6nn^Y"),
        ),
    ] {
        assert_eq!(who(&format!("    {line} {tail}")), expected, "{line}");
    }
}

#[test]
fn a_computer_that_another_line_shows_ends_a_name() {
    let tail = "(v1.0) (lic1.example.org/27000 101), start Mon 11/30 9:05";
    let snapshot = feature(&format!(
        "    ann host500 host500 {tail}\n    Bob B host500 display A501 {tail}"
    ));
    let bob = &snapshot.held[1].holder;
    assert_eq!((bob.user.as_str(), bob.host.as_str()), ("Bob B", "host500"));
    assert_eq!(bob.display.as_deref(), Some("display A501"));
}

#[test]
fn a_line_may_lack_a_version_or_a_handle() {
    let bare = held("    ann pc1 pc1 (lic1.example.org/27000 101), start Mon 11/30 9:05");
    assert_eq!((bare.holder.host.as_str(), bare.version), ("pc1", None));
    let no_handle =
        held("    ann pc1 pc1 (v6.4) (lic1.example.org/27000), start Mon 11/30 9:05, PID: 7");
    assert_eq!(no_handle.version.as_deref(), Some("6.4"));
}

#[test]
fn a_start_without_a_year_is_read_against_the_report() {
    for (start, expected) in [
        ("Mon 11/30 9:05", "2026-11-30T09:05:00Z"),
        ("Mon 11/30 09:05:07", "2026-11-30T09:05:07Z"),
        // The clocks differ: a time of the next day is no year ago.
        ("Tue 12/1 8:06", "2026-12-01T08:06:00Z"),
        ("Wed 12/31 23:59", "2025-12-31T23:59:00Z"),
        ("Wed 12/3 7:00", "2025-12-03T07:00:00Z"),
        // Only 2024 of the years before had that day.
        ("Thu 2/29 7:00", "2024-02-29T07:00:00Z"),
        ("Mo. 11/30 9:05", "2026-11-30T09:05:00Z"),
        ("11/30 9:05", "2026-11-30T09:05:00Z"),
        ("Mon 11/30/2020 9:05", "2020-11-30T09:05:00Z"),
    ] {
        let line = format!("    ann pc1 pc1 (v1.0) (lic1/27000 101), start {start}");
        assert_eq!(held(&line).since, Some(at(expected)), "{start}");
    }
    // The weekday tells the year; if none of the years before has it, the seat is held and since when
    // is not known.
    let odd = held("    ann pc1 pc1 (v1.0) (lic1/27000 101), start Wed 11/29 9:05");
    assert_eq!(odd.since, Some(at("2023-11-29T09:05:00Z")));
    let never = held("    ann pc1 pc1 (v1.0) (lic1/27000 101), start Thu 11/29 9:05");
    assert_eq!((never.since, never.seats), (None, 1));
}

#[test]
fn seats_are_what_the_line_says_wherever_it_says_it() {
    for (tail, seats) in [
        ("", 1),
        (", 1 license", 1),
        (", 212 licenses", 212),
        (", 16 licenses  (linger: 600)", 16),
        (" (linger: 600), 3 licenses", 3),
        (", 2 licenses, PID: 99", 2),
        (", PID: 894483 ", 1),
    ] {
        let line = format!("    ann pc1 pc1 (v1.0) (lic1/27000 101), start Mon 11/30 10:40{tail}");
        assert_eq!(held(&line).seats, seats, "{tail}");
    }
}

#[test]
fn a_seat_lingers_for_what_is_left_and_is_borrowed_if_it_lingers_for_days() {
    let line =
        |tail| format!("    ann pc1 pc1 (v1.0) (lic1/27000 101), start Mon 11/30 10:33{tail}");
    // 600 s are over since 10:33; the report is of 10:43.
    let all = held(&line("  (linger: 900)"));
    assert_eq!((all.linger_seconds, all.borrowed_until), (Some(300), None));
    let left = held(&line("  (linger: 250 / 900)"));
    assert_eq!(
        (left.linger_seconds, left.borrowed_until),
        (Some(250), None)
    );
    let over = held(&line(" (linger: 60)"));
    assert_eq!(over.linger_seconds, Some(0));
    let borrowed = held(&line(" (linger: 432000)"));
    assert_eq!(borrowed.linger_seconds, None);
    assert_eq!(borrowed.borrowed_until, Some(at("2026-12-05T10:33:00Z")));
    let borrowed = held(&line("  (linger: 86400 / 1340160)"));
    assert_eq!(borrowed.borrowed_until, Some(at("2026-12-01T10:43:00Z")));
    let far = held(&line(" (linger: 18446744073709551615)"));
    assert_eq!(far.borrowed_until, Some(Timestamp::MAX));
}

#[test]
fn who_waits_is_not_among_who_holds() {
    let snapshot = feature(
        "    ann pc1 /dev/pts/101 (v1.0) (lic1/27000 102) queued for 1 license
    Bob Lee pc2 pc2:0.0 2029.01 (v2029.01) (lic1/27000 103)  queued for 12 licenses",
    );
    assert!(snapshot.held.is_empty());
    let waiting: Vec<(&str, u32)> = snapshot
        .queued
        .iter()
        .map(|(who, seats)| (who.user.as_str(), *seats))
        .collect();
    assert_eq!(waiting, [("ann", 1), ("Bob Lee", 12)]);
}

#[test]
fn reservations_say_for_whom() {
    let snapshot = feature(
        "\t1 RESERVATION for USER Ann Lee (lic1.example.org/27000)
\t7 RESERVATIONs for HOST_GROUP farm (big) (lic1/27000)
      3 RESERVATIONS for HOST node1.example.org (lic1/27000)",
    );
    let expected = [
        ("USER Ann Lee", 1),
        ("HOST_GROUP farm (big)", 7),
        ("HOST node1.example.org", 3),
    ];
    let reserved: Vec<(&str, u32)> = snapshot
        .reserved
        .iter()
        .map(|(whom, seats)| (whom.as_str(), *seats))
        .collect();
    assert_eq!(reserved, expected);
}

proptest! {
    #[test]
    fn a_user_of_any_name_holds_a_seat_on_the_computer_that_its_display_repeats(
        user in "[a-zäöü\"(,:]{1,9}( [a-z]{1,5}){0,3}", host in "[a-z]{4,8}[0-9]{1,3}"
    ) {
        let words: Vec<&str> = user.split(' ').collect();
        prop_assume!(!user.starts_with('"'));
        prop_assume!(words.windows(2).all(|pair| pair[0] != pair[1]));
        let line = format!("    {user} {host} {host}:0 (v1.0) (lic1/27000 101), start Mon 11/30 9:05");
        prop_assert_eq!(who(&line), named(&user, &host, &format!("{host}:0")));
    }
}
