//! Clocks that are set, and silences.

use super::{read, span};

#[test]
fn lines_with_date_and_offset_are_exact_and_a_clock_that_is_set_is_told() {
    let text = "\
2023-09-07T12:11:00+0200 (SIEMBT) OUT: \"f\" ann@pc1
2023-09-07T12:21:00+0200 (SIEMBT) IN: \"f\" ann@pc1
2023-09-07T12:01:00+0200 (SIEMBT) OUT: \"f\" bob@pc1
";
    let read = read(text);
    assert_eq!(
        read.spans()[0],
        span("2023-09-07T10:11:00Z", "2023-09-07T10:21:00Z")
    );
    assert_eq!(read.clock_sets(), [-1200]);
    assert_eq!(read.totals.clock_changes, 1);
}

#[test]
fn a_clock_that_is_set_back_and_forth_between_dates_is_told() {
    let text = "\
10:00:00 (lmgrd) TIMESTAMP 3/1/2021
10:30:00 (d) OUT: \"f\" ann@pc1
10:10:00 (d) IN: \"f\" ann@pc1
10:20:00 (lmgrd) TIMESTAMP 3/3/2021
10:21:00 (lmgrd) TIMESTAMP 3/1/2021
";
    let read = read(text);
    assert_eq!(read.clock_sets(), [-1200, 172_800, -172_800]);
    assert_eq!(read.totals.unobserved_seconds, 0);
}

#[test]
fn a_silence_longer_than_the_daemons_are_silent_was_not_observed() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 3/1/2021
 8:30:00 (d) OUT: \"f\" ann@pc1
18:30:00 (d) IN: \"f\" ann@pc1
18:40:00 (lmgrd) EXITING DUE TO SIGNAL 15
 9:00:00 (lmgrd) FlexNet Licensing (v11.14 build 1 x64_lsb) started on srv (linux) (3/4/2021)
 9:00:05 (d) OUT: \"f\" bob@pc1
";
    let read = read(text);
    assert_eq!(read.totals.unobserved_seconds, 36_000);
    assert_eq!(read.clock_sets(), Vec::<i64>::new());
    assert_eq!(read.uses[1].from.to_string(), "2021-03-04T09:00:05Z");
}
