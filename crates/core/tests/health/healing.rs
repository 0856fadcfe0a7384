//! Helping within bounds.

use usher_core::health::{Healer, HealingOptions, HealingStep, Helpless, ServiceManagerWord};
use usher_core::lifecycle::ServiceState;

use super::{at, judged, killed, running, silent};

#[test]
fn a_stuck_server_is_asked_then_ended_then_started() {
    let mut healer = Healer::new(HealingOptions::default());
    let stuck = judged(&silent(ServiceState::Running));
    let mut steps = Vec::new();
    for second in 0..=95 {
        steps.extend(healer.next(at(second), &stuck).map(|step| (second, step)));
    }
    assert_eq!(
        steps,
        [(30, HealingStep::AskToStop), (90, HealingStep::EndProcess)]
    );
    assert_eq!(
        healer.next(at(96), &judged(&killed())),
        Some(HealingStep::Start)
    );
    assert_eq!(healer.next(at(97), &judged(&running())), None);
}

#[test]
fn what_cannot_be_helped_is_told_once_for_each_time_of_trouble() {
    let mut helpless = Helpless::new(&HealingOptions::default());
    let mut on_purpose = killed();
    if let ServiceManagerWord::Says(word) = &mut on_purpose.service_manager {
        word.on_purpose = true;
    }
    let mut told = Vec::new();
    for second in 0..1_000 {
        let seen = match second {
            0..100 => killed(),
            100..110 => running(),
            110..200 => silent(ServiceState::Running),
            200..300 => on_purpose.clone(),
            _ => running(),
        };
        if helpless.is_to_be_told(at(second), &judged(&seen)) {
            told.push(second);
        }
    }
    assert_eq!(told, [30, 140]);
}

#[test]
fn what_was_stopped_on_purpose_stays_stopped() {
    let mut seen = killed();
    if let ServiceManagerWord::Says(word) = &mut seen.service_manager {
        word.on_purpose = true;
    }
    let mut healer = Healer::new(HealingOptions::default());
    for second in 0..10_000 {
        assert_eq!(healer.next(at(second), &judged(&seen)), None);
    }
}

#[test]
fn where_the_service_manager_restarts_there_is_no_second_healer() {
    let mut seen = killed();
    if let ServiceManagerWord::Says(word) = &mut seen.service_manager {
        word.restarts_itself = true;
    }
    let mut healer = Healer::new(HealingOptions::default());
    for second in 0..10_000 {
        assert_eq!(healer.next(at(second), &judged(&seen)), None);
    }
}

#[test]
fn it_is_tried_three_times_an_hour_and_said_once_that_no_more_is_done() {
    let mut healer = Healer::new(HealingOptions::default());
    let mut starts = Vec::new();
    let mut gave_up = 0;
    for second in 0..3_600 {
        match healer.next(at(second), &judged(&killed())) {
            Some(HealingStep::Start) => starts.push(second),
            Some(HealingStep::GiveUp) => gave_up += 1,
            Some(other) => panic!("{other:?}"),
            None => {}
        }
    }
    assert_eq!(starts.len(), 3);
    assert_eq!(gave_up, 1);
    let again = (3_600..7_200)
        .find(|second| healer.next(at(*second), &judged(&killed())) == Some(HealingStep::Start));
    assert!(again.is_some());
}
