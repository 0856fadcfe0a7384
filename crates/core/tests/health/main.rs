//! Evidence, verdicts, episodes and healing, case by case.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod episodes;
mod healing;
mod memory;

use std::time::Duration;

use usher_core::health::{
    ApiAnswer, Judgement, Observation, ServiceManagerWord, ServiceWord, WorkSeen, span, weigh,
};
use usher_core::lifecycle::ServiceState;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// systemd's word of a service that is in `state` for five seconds.
fn word(state: ServiceState) -> ServiceWord {
    ServiceWord {
        state,
        age: at(5),
        checkpoint: 0,
        wait_hint: Duration::ZERO,
        error: None,
        on_purpose: false,
        has_process: state != ServiceState::Stopped,
        restarts_itself: false,
        text: String::new(),
    }
}

fn running() -> Observation {
    Observation {
        service_manager: ServiceManagerWord::Says(word(ServiceState::Running)),
        api: ApiAnswer::Well {
            state: ServiceState::Running,
            pack: None,
        },
        work: WorkSeen::Moves(Duration::from_millis(3)),
    }
}

fn silent(state: ServiceState) -> Observation {
    Observation {
        service_manager: ServiceManagerWord::Says(word(state)),
        api: ApiAnswer::Silent(at(5)),
        work: WorkSeen::NotTried,
    }
}

fn killed() -> Observation {
    let mut word = word(ServiceState::Stopped);
    word.error = Some(1067);
    Observation {
        service_manager: ServiceManagerWord::Says(word),
        api: ApiAnswer::Refused,
        work: WorkSeen::NotTried,
    }
}

fn judged(seen: &Observation) -> Judgement {
    weigh(seen)
}

#[test]
fn a_span_of_a_few_minutes_is_said_with_its_seconds() {
    let said: Vec<String> = [90, 160, 300, 599, 650, 7_300]
        .map(|seconds| span(at(seconds)))
        .to_vec();
    assert_eq!(
        said,
        [
            "90 s",
            "2 min 40 s",
            "5 min",
            "9 min 59 s",
            "10 min",
            "2 h 1 min"
        ]
    );
}
