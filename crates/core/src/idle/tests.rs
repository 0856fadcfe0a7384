//! When a place counts as touched, one behaviour a test.

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000;

#[test]
fn input_that_the_kernel_does_not_date_is_never_held_against_a_terminal() {
    // Typed at 100 s and, unseen as of the same step, at 103 s.
    let mut terminal = Terminal::seen(50 * SECOND, 100, 96);
    terminal.look(60 * SECOND, 104);
    terminal.look(67 * SECOND, 104);
    assert_eq!(terminal.untouched_ms(67 * SECOND), 0);
    assert_eq!(terminal.untouched_ms(78 * SECOND), 10 * SECOND);
}

#[test]
fn a_terminal_that_was_left_alone_before_it_was_seen_says_so() {
    let terminal = Terminal::seen(5_000 * SECOND, 1_000, 0);
    assert_eq!(terminal.untouched_ms(5_000 * SECOND), 992 * SECOND);
}

#[test]
fn a_wall_clock_that_jumps_makes_nobody_idle_or_busy() {
    let mut terminal = Terminal::seen(50 * SECOND, 1_000, 1_000);
    // Whatever the clock says now, the device says the same as before.
    terminal.look(78 * SECOND, 1_000);
    assert_eq!(terminal.untouched_ms(78 * SECOND), 20 * SECOND);
    // It was set back by ten minutes, and somebody types.
    terminal.look(80 * SECOND, 400);
    assert_eq!(terminal.untouched_ms(80 * SECOND), 0);
    // If a terminal's last input is in the future, only that is known of it.
    let terminal = Terminal::seen(0, 400, 1_000);
    assert_eq!(terminal.untouched_ms(9 * SECOND), SECOND);
}

#[test]
fn a_report_counts_for_as_long_as_it_says_and_then_nothing_is_known() {
    let display = Display::reported(100 * SECOND, 40 * SECOND, 10 * SECOND);
    assert_eq!(display.untouched_ms(105 * SECOND), Some(45 * SECOND));
    assert_eq!(display.untouched_ms(111 * SECOND), None);
}

#[test]
fn input_at_any_place_is_input_and_what_is_not_known_is_in_use() {
    let of = |places: &[Option<u64>]| untouched_ms(places.iter().copied());
    assert_eq!(of(&[Some(70), Some(30)]), 30);
    assert_eq!(of(&[Some(70), None]), 0);
    assert_eq!(of(&[]), 0);
}

#[test]
fn a_display_has_one_name_for_all_its_screens_and_whoever_names_it() {
    let of = |pairs: &'static [(&str, &str)]| {
        let find = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value)
        };
        displays_of(find).join(" ")
    };
    assert_eq!(of(&[("DISPLAY", ":0")]), ":0");
    assert_eq!(of(&[("DISPLAY", "unix:0.1")]), ":0");
    assert_eq!(of(&[("DISPLAY", "localhost:10.0")]), "localhost:10");
    assert_eq!(
        of(&[
            ("WAYLAND_DISPLAY", "wayland-0"),
            ("XDG_RUNTIME_DIR", "/run/user/7/")
        ]),
        "/run/user/7/wayland-0"
    );
    assert_eq!(
        of(&[
            ("WAYLAND_DISPLAY", "/w"),
            ("XDG_RUNTIME_DIR", "/run"),
            ("DISPLAY", ":1")
        ]),
        ":1 /w"
    );
    assert_eq!(of(&[("WAYLAND_DISPLAY", "wayland-0")]), "wayland-0");
    assert_eq!(of(&[("DISPLAY", "")]), "");
}

#[test]
fn what_nothing_is_known_of_is_in_use_and_not_known_for_the_record() {
    for (places, untouched, known) in [
        (&[Some(7), Some(5), Some(9)][..], 5, Some(5)),
        (&[Some(7), None], 0, None),
        (&[None, Some(7)], 0, None),
        (&[], 0, None),
    ] {
        assert_eq!(untouched_ms(places.iter().copied()), untouched);
        assert_eq!(known_untouched_ms(places.iter().copied()), known);
    }
}

proptest! {
    #[test]
    fn no_terminal_is_taken_for_touched_longer_ago_than_it_was(
        steps in proptest::collection::vec((0..6_u64, any::<bool>(), any::<bool>()), 1..200),
        wall_ahead in -100..100_i64,
    ) {
        let mut now = 1_000;
        let mut typed = now;
        // As the kernel keeps it.
        let mut dated = now as i64 + wall_ahead;
        let mut terminal = Terminal::seen(now * SECOND, dated, dated);
        for (passed, types, looks) in steps {
            now += passed;
            let wall = now as i64 + wall_ahead;
            if types {
                typed = now;
                if (wall ^ dated) & !7 != 0 {
                    dated = wall;
                }
            }
            if looks {
                terminal.look(now * SECOND, dated);
                prop_assert!(terminal.untouched_ms(now * SECOND) <= (now - typed) * SECOND);
            }
        }
    }
}
