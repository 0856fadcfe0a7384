//! The rules, one by one.

use std::time::Duration;

use usher_core::lifecycle::{
    Control, Effect, Input, Lifecycle, Limits, Refusal, ServiceState, Step, Work,
};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn running() -> Lifecycle {
    let mut service = Lifecycle::new(Limits::default(), at(0));
    service.apply(at(1), Input::Start).unwrap();
    service.apply(at(2), Input::Done).unwrap();
    assert_eq!(service.state(), ServiceState::Running);
    service
}

fn stopping() -> Lifecycle {
    let mut service = running();
    service
        .apply(at(10), Input::Control(Control::Stop))
        .unwrap();
    service
}

#[test]
fn each_state_takes_the_controls_of_the_table_and_refuses_others_by_their_numbers() {
    let table: Vec<String> = ServiceState::ALL
        .into_iter()
        .flat_map(|state| {
            Control::ALL.map(|control| {
                let answer = match state.take(control) {
                    Ok(()) => "taken".to_owned(),
                    Err(refusal) => refusal.number().to_string(),
                };
                format!("{state:<17} {:<12} {answer}", control.name())
            })
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn from_stopping_there_is_no_way_but_to_stopped() {
    for state in ServiceState::ALL {
        let allowed = matches!(state, ServiceState::StopPending | ServiceState::Stopped);
        assert_eq!(ServiceState::StopPending.may_become(state), allowed);
    }
    let mut service = stopping();
    for input in [Input::Start, Input::Control(Control::Continue)] {
        let refused = service.apply(at(11), input).unwrap_err();
        assert_eq!(refused, Refusal::CannotAcceptControl);
    }
    service.apply(at(12), Input::Done).unwrap();
    assert_eq!(service.state(), ServiceState::Stopped);
    assert_eq!(service.status().exit_code, 0);
}

#[test]
fn a_checkpoint_moves_when_work_does_and_not_by_time_or_by_a_repeated_report() {
    let mut service = stopping();
    let counted = Input::Moved(Work::new(Step::Drain, 7));
    service.apply(at(11), counted).unwrap();
    assert_eq!(service.status().checkpoint, 1, "a count is no progress");
    for second in 12..15 {
        service.apply(at(second), counted).unwrap();
        service.apply(at(second), Input::Tick).unwrap();
        assert_eq!(service.status().checkpoint, 1);
    }
    let effects = service
        .apply(at(15), Input::Moved(Work::new(Step::Drain, 6)))
        .unwrap();
    assert_eq!(effects, [Effect::Report]);
    assert_eq!(service.status().checkpoint, 2);
    service
        .apply(at(16), Input::Moved(Work::new(Step::Flush, 40)))
        .unwrap();
    assert_eq!(service.status().checkpoint, 3);
    // Back is no way forward.
    service.apply(at(17), counted).unwrap();
    assert_eq!(service.status().checkpoint, 3);
    service.apply(at(18), Input::Done).unwrap();
    assert_eq!(service.status().checkpoint, 0);
}

#[test]
fn a_pause_and_its_end_wait_for_the_ledger_and_for_no_request_or_address() {
    let mut service = Lifecycle::new(Limits::default(), at(0));
    service.apply(at(1), Input::Start).unwrap();
    service.apply(at(2), Input::Done).unwrap();
    for control in [Control::Pause, Control::Continue] {
        service.apply(at(3), Input::Control(control)).unwrap();
        let work = service.status().work.unwrap();
        assert_eq!(work, Work::new(Step::Settle, Work::UNCOUNTED));
        assert!(
            work.step.name().contains("the ledger"),
            "{}",
            work.step.name()
        );
        service.apply(at(4), Input::Done).unwrap();
    }
}

#[test]
fn work_that_stands_still_past_its_deadline_ends_the_process_by_force() {
    let mut service = stopping();
    let standstill = Limits::default().stop.standstill;
    assert_eq!(service.deadline(), Some(at(10) + standstill));
    assert!(service.apply(at(19), Input::Tick).unwrap().is_empty());
    let effects = service.apply(at(10) + standstill, Input::Tick).unwrap();
    assert_eq!(effects, [Effect::Report, Effect::EndProcess]);
    assert!(service.status().overdue);
    assert_eq!(service.deadline(), None, "it is asked for once");
    service.apply(at(21), Input::Done).unwrap();
    assert_eq!(service.state(), ServiceState::StopPending);
    service.apply(at(22), Input::Ended).unwrap();
    assert_eq!(service.state(), ServiceState::Stopped);
    assert_eq!(service.status().exit_code, Refusal::Timeout.number());
}

#[test]
fn work_that_moves_for_ever_is_ended_too() {
    let mut service = stopping();
    let mut left = 1_000_000;
    for second in 11.. {
        assert!(second <= 10 + Limits::default().stop.whole.as_secs());
        left -= 1;
        let effects = service
            .apply(at(second), Input::Moved(Work::new(Step::Drain, left)))
            .unwrap();
        if effects.contains(&Effect::EndProcess) {
            return;
        }
    }
}

#[test]
fn a_service_that_starts_hears_the_operating_system_though_no_control() {
    let mut service = Lifecycle::new(Limits::default(), at(0));
    service.apply(at(1), Input::Start).unwrap();
    let refused = service.apply(at(2), Input::Control(Control::Stop));
    assert_eq!(refused.unwrap_err(), Refusal::CannotAcceptControl);
    service.apply(at(3), Input::Terminate).unwrap();
    assert_eq!(service.state(), ServiceState::StopPending);
}

#[test]
fn a_process_that_ends_unasked_is_stopped_with_1067() {
    let mut service = running();
    service.apply(at(5), Input::Ended).unwrap();
    assert_eq!(service.state(), ServiceState::Stopped);
    assert_eq!(service.status().exit_code, 1067);
    assert_eq!(
        service
            .apply(at(6), Input::Control(Control::Interrogate))
            .unwrap_err(),
        Refusal::NotActive
    );
    service.apply(at(7), Input::Start).unwrap();
    assert_eq!(service.status().exit_code, 0);
}

#[test]
fn what_runs_is_not_started_again() {
    assert_eq!(
        running().apply(at(3), Input::Start).unwrap_err(),
        Refusal::AlreadyRunning
    );
}

#[test]
fn a_paused_service_continues_or_stops() {
    let mut service = running();
    service
        .apply(at(3), Input::Control(Control::Pause))
        .unwrap();
    service.apply(at(4), Input::Done).unwrap();
    assert_eq!(service.state(), ServiceState::Paused);
    let mut stopped = service.clone();
    stopped.apply(at(5), Input::Control(Control::Stop)).unwrap();
    assert_eq!(stopped.state(), ServiceState::StopPending);
    service
        .apply(at(5), Input::Control(Control::Continue))
        .unwrap();
    service.apply(at(6), Input::Done).unwrap();
    assert_eq!(service.state(), ServiceState::Running);
}
