//! What holds of every recording.

use proptest::prelude::*;

use super::world::{Want, recorded};
use super::*;

const LENGTH: i64 = 120;

fn waits() -> impl Strategy<Value = Waits> {
    prop_oneof![
        3 => Just(Waits::No),
        2 => (0_u64..30).prop_map(|minutes| Waits::ForMs(minutes * 60_000)),
        1 => Just(Waits::UntilServed),
    ]
}

fn want() -> impl Strategy<Value = Want> {
    (0..LENGTH, 0_u64..6, 1_u32..4, 0_i64..60, waits()).prop_map(
        |(at, person, seats, hold, waits)| Want {
            at,
            person,
            seats,
            hold,
            waits,
        },
    )
}

fn wants() -> impl Strategy<Value = Vec<Want>> {
    prop::collection::vec(want(), 0..60).prop_map(|mut wants| {
        wants.sort_by_key(|want| want.at);
        wants
    })
}

/// Asks for one seat, each of another person, so that none is a retry.
fn single_asks() -> impl Strategy<Value = Vec<Ask>> {
    let ask = (0..LENGTH, 0_u64..60, any::<bool>());
    prop::collection::vec(ask, 0..60).prop_map(|asks| {
        let numbered = (0..).zip(asks);
        numbered
            .map(|(person, (at, held, was_granted))| match was_granted {
                true => granted(at, person, held),
                false => refused(at, person),
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn todays_seats_give_what_was_recorded(seats in 1_u32..6, wants in wants()) {
        let recording = recorded(seats, &wants, LENGTH);
        let prepared = Prepared::of(&recording);
        let figures = prepared
            .replay(seats, &Parameters::of([seats]), &prepared.draw(0, 0), &mut |_| true)
            .unwrap();
        prop_assert_eq!(figures.granted, prepared.granted_as_recorded());
        prop_assert_eq!(figures.denied, prepared.asks() - prepared.granted_as_recorded());
        prop_assert!(figures.peak <= u64::from(seats));
    }

    #[test]
    fn more_seats_refuse_no_more(asks in single_asks(), seed in any::<u64>()) {
        let parameters = Parameters {
            on_full: OnFull::Deny,
            seed,
            draws: 3,
            ..Parameters::of(0..8)
        };
        let answer = answer(&recording(LENGTH, asks), &parameters);
        prop_assert_eq!(answer.results.len(), 8);
        for pair in answer.results.windows(2) {
            prop_assert!(pair[1].denied <= pair[0].denied, "{:?}", pair);
            prop_assert!(pair[1].denied_range.high <= pair[0].denied_range.high, "{:?}", pair);
            prop_assert!(pair[1].peak >= pair[0].peak, "{:?}", pair);
        }
        for result in &answer.results {
            prop_assert!(result.peak <= u64::from(result.seats));
            prop_assert_eq!(result.granted + result.denied, answer.asks);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_answer_in_whatever_order_it_is_worked_out(
        wants in wants(),
        seed in any::<u64>(),
    ) {
        let recording = recorded(2, &wants, LENGTH);
        let parameters = Parameters { seed, draws: 3, ..Parameters::of(1..5) };
        let one_by_one = answer(&recording, &parameters);
        prop_assert_eq!(&one_by_one, &answer(&recording, &parameters));
        let prepared = Prepared::of(&recording);
        let results = (1..5).rev().filter_map(|seats| {
            let draws = (0..prepared.draws(&parameters)).rev();
            let figures: Vec<Figures> = draws
                .map(|draw| {
                    let draw = prepared.draw(seed, draw);
                    prepared.replay(seats, &parameters, &draw, &mut |_| true).unwrap()
                })
                .collect();
            prepared.result(seats, &figures)
        });
        prop_assert_eq!(one_by_one, prepared.answer(&parameters, results.collect()));
    }

    #[test]
    fn stretches_that_are_taken_as_a_whole_come_to_what_the_ledger_says_ask_by_ask(
        wants in wants(),
        seed in any::<u64>(),
        stretch_asks in 1_usize..8,
        kept_limit in prop_oneof![Just(usize::MAX), 0_usize..40],
        on_full in prop_oneof![Just(OnFull::AsRecorded), Just(OnFull::Deny), Just(OnFull::Wait)],
    ) {
        let mut recording = recorded(2, &wants, LENGTH);
        recording.running = vec![
            Running { seats: 1, until_ms: Some(minutes(30)) },
            Running { seats: 2, until_ms: None },
        ];
        let prepared = Prepared::of(&recording);
        let by_stretches = prepared.draw_by(seed, 0, stretch_asks, kept_limit);
        let thorough = Draw::thorough(seed, 0);
        for seats in 0..12 {
            let parameters = Parameters { on_full, ..Parameters::of([seats]) };
            let figures = |draw: &Draw| {
                prepared.replay(seats, &parameters, draw, &mut |_| true).unwrap()
            };
            prop_assert_eq!(figures(&by_stretches), figures(&thorough), "{} seats", seats);
        }
    }

    #[test]
    fn no_recording_makes_a_replay_panic(
        times in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u64>(), any::<u32>()), 0..20),
        from_ms in any::<i64>(),
        until_ms in any::<i64>(),
        seats in any::<u32>(),
    ) {
        let ask = |(at_ms, _, held_ms, seats): &(i64, i64, u64, u32)| Ask {
            at_ms: *at_ms,
            person: held_ms % 3,
            computer: 1,
            seats: *seats,
            waits: Waits::ForMs(*held_ms),
            priority: 0,
            outcome: match held_ms % 4 {
                0 => Outcome::Refused,
                1 => Outcome::LeftQueue,
                2 => Outcome::Granted { held_ms: None },
                _ => Outcome::Granted { held_ms: Some(*held_ms) },
            },
        };
        let recording = Recording {
            product: "cad".to_owned(),
            from_ms,
            until_ms,
            seats_today: None,
            running: times
                .iter()
                .map(|(_, until_ms, _, seats)| Running { seats: *seats, until_ms: Some(*until_ms) })
                .collect(),
            asks: times.iter().map(ask).collect(),
            gaps: times
                .iter()
                .map(|(from_ms, until_ms, _, _)| Gap { from_ms: *from_ms, until_ms: *until_ms })
                .collect(),
        };
        let parameters = Parameters { draws: 2, on_full: OnFull::Wait, ..Parameters::of([seats]) };
        let answer = answer(&recording, &parameters);
        let _ = advice(&answer, &parameters, recording.seats_today);
    }
}
