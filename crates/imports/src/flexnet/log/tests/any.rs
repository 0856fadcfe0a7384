//! Any text at all, and logs of any gaps.

use proptest::prelude::*;

use super::read;

proptest! {
    #[test]
    fn no_text_breaks_the_reader_and_each_line_is_counted_once(text in "\\PC{0,40}(\n\\PC{0,60}){0,6}") {
        let read = read(&text);
        let missed: u64 = read.counts.not_understood().iter().map(|missed| missed.count).sum();
        prop_assert_eq!(read.counts.lines, read.counts.understood + missed);
    }

    #[test]
    fn nothing_that_looks_like_a_log_breaks_the_reader(
        lines in proptest::collection::vec(
            (0_u8..24, 0_u8..60, 0_usize..12, "[a-zé\"@() \\[\\]^:/0-9-]{0,30}"),
            0..40,
        ),
    ) {
        let words = [
            "OUT: \"f\" ", "IN: \"f\" ", "DENIED: ", "UNSUPPORTED: ", "QUEUED: ", "TIMESTAMP 2/29/2024",
            "(@d-SLOG@) Start-Date: ", "(@d-SLOG@) Peak ", "Server started on ", "EXITING DUE TO ",
            "P consisting of ", "Server's System Date and Time: Thu Feb 29 2024 ",
        ];
        let text: String = lines
            .iter()
            .map(|(hour, minute, word, rest)| format!("{hour}:{minute:02}:00 (d) {}{rest}\n", words[*word]))
            .collect();
        let read = read(&text);
        let missed: u64 = read.counts.not_understood().iter().map(|missed| missed.count).sum();
        prop_assert_eq!(read.counts.lines, read.counts.understood + missed);
    }

    #[test]
    fn days_are_counted_right_over_any_quiet_hours_between_dates(
        gaps in proptest::collection::vec(60_i64..20_000, 1..40),
    ) {
        // Lines at most 6 hours apart, as TIMESTAMP makes them, dated once at the top.
        let start: i64 = 1_614_556_800;
        let (mut now, mut text, mut expected) = (start, String::new(), Vec::new());
        let clock = |second: i64| {
            let of_day = second.rem_euclid(86_400);
            format!("{}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
        };
        text.push_str(&format!("{} (lmgrd) TIMESTAMP 3/1/2021\n", clock(now)));
        for (place, gap) in gaps.iter().enumerate() {
            now += gap;
            text.push_str(&format!("{} (d) OUT: \"f\" u{place}@pc\n", clock(now)));
            expected.push(now);
        }
        let read = read(&text);
        let mut found: Vec<i64> = read.uses.iter().map(|used| used.from.as_second()).collect();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}
