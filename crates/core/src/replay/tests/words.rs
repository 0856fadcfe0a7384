//! The advice, as people read it.

use super::*;

fn advised(recording: &Recording, parameters: &Parameters, today: Option<u32>) -> String {
    advice(&answer(recording, parameters), parameters, today)
}

/// Two people at once for most of the time, and once three.
fn quiet() -> Recording {
    let asks = vec![
        granted(0, 1, 30),
        granted(10, 2, 30),
        granted(20, 3, 5),
        granted(50, 1, 5),
    ];
    recording(60, asks)
}

#[test]
fn the_smallest_number_is_advised_that_was_enough_for_all() {
    assert_eq!(
        advised(&quiet(), &Parameters::of(1..6), Some(5)),
        "Keep 3 seats of cad, 2 fewer than the 5 that are owned today. With 3 seats, none of 4 asks \
         would have been refused; the peak was 3 seats. With 2 seats, 1 of 4 asks (25.0 %) would have \
         been refused; the peak was 2 seats. This is what was asked for in the \
         past; more people or more work need more."
    );
}

#[test]
fn if_no_number_was_enough_the_advice_is_to_try_more() {
    assert_eq!(
        advised(&quiet(), &Parameters::of([1]), None),
        "None of the numbers of seats of cad that were tried would have been enough for everybody at \
         once. With 1 seat, 2 of 4 asks (50.0 %) would have been refused; the peak was 1 \
         seat. Try more than 1 seat."
    );
}

#[test]
fn a_service_level_decides_what_is_advised() {
    let parameters = Parameters {
        service_level: Some("75% within 0s".parse().unwrap()),
        ..Parameters::of([2, 3])
    };
    let text = advised(&quiet(), &parameters, Some(2));
    assert!(
        text.starts_with("Keep 2 seats of cad, as many as are owned today."),
        "{text}"
    );
    assert!(text.contains("Fewer than 2 seats were not tried"), "{text}");
}

#[test]
fn there_is_no_advice_from_a_recording_that_is_not_fit() {
    assert_eq!(
        advised(&recording(60, Vec::new()), &Parameters::of([1]), None),
        "No advice on cad: nobody asked for a seat in that time."
    );
}
