//! What-ifs case by case.

use super::*;

fn waits(ask: Ask) -> Ask {
    Ask {
        waits: Waits::UntilServed,
        ..ask
    }
}

#[test]
fn retries_of_one_person_are_one_ask_that_a_larger_number_grants_at_once() {
    let asks = vec![
        granted(0, 1, 10),
        refused(2, 2),
        refused(7, 2),
        granted(12, 2, 30),
    ];
    let answer = answer(&recording(60, asks), &Parameters::of([2, 0, 1, 1]));
    assert_eq!(
        (answer.asks, answer.unknown_lengths, answer.draws),
        (2, 0, 1)
    );
    assert!(answer.fit);
    let seats: Vec<u32> = answer.results.iter().map(|result| result.seats).collect();
    assert_eq!(seats, [0, 1, 2]);
    let came_to =
        |result: &SeatsResult| (result.granted, result.denied, result.in_time, result.peak);
    assert_eq!(came_to(&answer.results[0]), (0, 2, 0, 0));
    assert_eq!(
        came_to(&answer.results[1]),
        (2, 0, 1, 1),
        "the second ten minutes later"
    );
    assert_eq!(came_to(&answer.results[2]), (2, 0, 2, 2));
}

#[test]
fn who_asks_again_after_a_quarter_of_an_hour_wants_something_else() {
    let asks = |again| vec![granted(0, 1, 10), refused(2, 2), granted(again, 2, 30)];
    assert_eq!(Prepared::of(&recording(60, asks(16))).asks(), 2);
    assert_eq!(Prepared::of(&recording(60, asks(17))).asks(), 3);
}

#[test]
fn who_asks_for_another_number_of_seats_wants_something_else() {
    let mut more = granted(5, 2, 30);
    more.seats = 2;
    let asks = vec![granted(0, 1, 10), refused(2, 2), more];
    assert_eq!(Prepared::of(&recording(60, asks)).asks(), 3);
}

/// One ask of unknown length, by a person with that number, that another hangs on.
fn with_unknown(person: u64) -> Recording {
    let asks = vec![
        granted(0, 1, 10),
        refused(5, person),
        granted(20, 2, 100),
        // There is a second seat for it unless the unknown one is held for long.
        granted(40, 3, 10),
        granted(500, 4, 10),
        granted(700, 5, 100),
        granted(900, 6, 10),
        granted(1_100, 7, 100),
    ];
    recording(2_000, asks)
}

#[test]
fn an_unknown_length_is_drawn_and_the_answer_has_a_median_and_a_range() {
    let answer = answer(&with_unknown(9), &Parameters::of([2]));
    assert_eq!(
        (answer.asks, answer.unknown_lengths, answer.draws),
        (8, 1, DRAWS)
    );
    let result = &answer.results[0];
    assert_eq!(result.denied_range, Range { low: 0, high: 1 });
    assert_eq!(
        result.range,
        Range {
            low: 0.0,
            high: 0.125
        }
    );
    assert_eq!(result.granted + result.denied, 8);
    let said = answer.assumptions.join(" ");
    assert!(said.contains("drawn, 20 times, from seed 0"), "{said}");
    assert!(said.contains("median"), "{said}");
}

#[test]
fn an_unknown_length_is_drawn_from_the_persons_own_uses_first() {
    for (person, denied) in [(4, 0), (5, 1)] {
        let answer = answer(&with_unknown(person), &Parameters::of([2]));
        let always = Range {
            low: denied,
            high: denied,
        };
        assert_eq!(answer.results[0].denied_range, always, "person {person}");
    }
}

#[test]
fn a_recording_of_which_too_much_is_unknown_is_not_fit() {
    let of = |refusals: u64| {
        let mut asks: Vec<Ask> = (0..8).map(|person| granted(0, person, 5)).collect();
        asks.extend((0..refusals).map(|person| refused(1, 100 + person)));
        answer(&recording(60, asks), &Parameters::of([8]))
    };
    assert!(of(2).fit, "two of ten");
    let over = of(3);
    assert!(!over.fit);
    let why = over.why.unwrap();
    assert!(why.starts_with("3 of 11 asks got no seat"), "{why}");
    assert_eq!(over.results.len(), 1, "it is answered all the same");
}

#[test]
fn a_recording_with_gaps_or_of_nothing_is_not_fit() {
    let gap = |from, until| Gap {
        from_ms: minutes(from),
        until_ms: minutes(until),
    };
    let mut with_gaps = recording(100, vec![granted(0, 1, 5)]);
    with_gaps.gaps = vec![gap(10, 14), gap(12, 15), gap(200, 300), gap(-20, 0)];
    assert!(
        answer(&with_gaps, &Parameters::of([1])).fit,
        "five of a hundred minutes"
    );
    with_gaps.gaps.push(gap(99, 120));
    let why = answer(&with_gaps, &Parameters::of([1])).why.unwrap();
    assert_eq!(
        why,
        "nothing was recorded for 6.0 % of the time: more than 5 %"
    );
    let why = answer(&recording(100, Vec::new()), &Parameters::of([1])).why;
    assert_eq!(why.as_deref(), Some("nobody asked for a seat in that time"));
}

#[test]
fn uses_that_run_at_the_beginning_hold_their_seats_until_they_end() {
    let mut running = recording(60, vec![granted(5, 1, 5), granted(25, 2, 5)]);
    running.running = vec![
        Running {
            seats: 1,
            until_ms: Some(minutes(20)),
        },
        Running {
            seats: 1,
            until_ms: None,
        },
    ];
    let answer = answer(&running, &Parameters::of([1, 2, 3]));
    let granted: Vec<u64> = answer.results.iter().map(|result| result.granted).collect();
    assert_eq!(granted, [0, 1, 2]);
    let peaks: Vec<u64> = answer.results.iter().map(|result| result.peak).collect();
    assert_eq!(
        peaks,
        [2, 2, 3],
        "what runs already counts, whatever the number"
    );
}

#[test]
fn the_smallest_number_is_found_that_keeps_a_service_level() {
    let asks = [granted(0, 1, 10), granted(1, 2, 10), granted(2, 3, 10)].map(waits);
    let parameters = Parameters {
        service_level: Some("100% within 8m".parse().unwrap()),
        ..Parameters::of([1, 2, 3])
    };
    let answer = answer(&recording(60, asks.to_vec()), &parameters);
    assert_eq!(answer.smallest_for_service_level, Some(2));
    let one = &answer.results[0];
    assert_eq!((one.granted, one.waited, one.in_time), (3, 2, 1));
    let waited = [9, 18, 18].map(|wait| Some(minutes(wait).unsigned_abs()));
    let waits = [one.wait_p50_ms, one.wait_p95_ms, one.wait_longest_ms];
    assert_eq!(waits, waited);
    assert_eq!(answer.results[1].wait_longest_ms, Some(480_000));
    assert_eq!(answer.results[2].wait_longest_ms, None);
}

#[test]
fn who_waits_leaves_when_their_patience_is_over_unless_all_are_to_wait() {
    let patient = |minutes: u64| Ask {
        waits: Waits::ForMs(minutes * 60_000),
        ..granted(1, 2, 5)
    };
    let denied = |ask, on_full| {
        let parameters = Parameters {
            on_full,
            ..Parameters::of([1])
        };
        let recording = recording(60, vec![granted(0, 1, 10), ask]);
        answer(&recording, &parameters).results[0].denied
    };
    assert_eq!(denied(patient(8), OnFull::AsRecorded), 1);
    assert_eq!(
        denied(patient(9), OnFull::AsRecorded),
        0,
        "a seat comes back first"
    );
    assert_eq!(denied(patient(9), OnFull::Deny), 1);
    assert_eq!(denied(granted(1, 2, 5), OnFull::AsRecorded), 1);
    assert_eq!(denied(granted(1, 2, 5), OnFull::Wait), 0);
    assert_eq!(
        denied(patient(8), OnFull::Wait),
        1,
        "as long as is recorded"
    );
}

#[test]
fn overdraft_and_the_limit_of_the_queue_are_kept() {
    let asks = [granted(0, 1, 10), granted(1, 2, 10), granted(2, 3, 10)].map(waits);
    let parameters = Parameters {
        overdraft: 1,
        queue_limit: 0,
        ..Parameters::of([1])
    };
    let answer = answer(&recording(60, asks.to_vec()), &parameters);
    let result = &answer.results[0];
    assert_eq!((result.granted, result.denied, result.peak), (2, 1, 2));
}

#[test]
fn a_what_if_tells_how_far_it_is_and_stops_when_it_is_told_to() {
    let asks: Vec<Ask> = (0..10_000).map(|person| granted(0, person, 5)).collect();
    let recording = recording(60, asks);
    let parameters = Parameters::of([1, 2]);
    let mut told = Vec::new();
    let mut results = Vec::new();
    let whole = what_if(&recording, &parameters, &mut |progress| {
        told.push(progress.done);
        results.extend(progress.result.map(|result| result.seats));
        assert_eq!(progress.total, 20_000);
        true
    });
    assert!(whole.is_ok());
    assert_eq!(told, [0, 4_096, 8_192, 10_000, 14_096, 18_192, 20_000]);
    assert_eq!(results, [1, 2]);
    let mut calls = 0;
    let stopped = what_if(&recording, &parameters, &mut |_| {
        calls += 1;
        calls < 2
    });
    assert_eq!((stopped, calls), (Err(Cancelled), 2));
}

#[test]
fn who_waits_with_a_higher_priority_is_served_first() {
    let mut asks = [granted(0, 1, 10), granted(1, 2, 10), granted(2, 3, 10)].map(waits);
    let longest = |asks: [Ask; 3]| {
        let answer = answer(&recording(60, asks.to_vec()), &Parameters::of([1]));
        answer.results[0].wait_longest_ms
    };
    assert_eq!(longest(asks), Some(minutes(18).unsigned_abs()));
    asks[2].priority = 5;
    assert_eq!(longest(asks), Some(minutes(19).unsigned_abs()));
}
