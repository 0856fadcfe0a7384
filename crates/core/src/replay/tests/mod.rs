//! What-ifs case by case, beside formulas whose answers are known, and their properties.

mod cases;
mod formulas;
mod known;
mod past;
mod properties;
mod words;
mod world;

use super::*;

pub(super) const MINUTE_MS: i64 = 60_000;

/// Minutes in milliseconds.
pub(super) fn minutes(minutes: i64) -> i64 {
    minutes * MINUTE_MS
}

/// One seat that was granted and held for so many minutes.
pub(super) fn granted(at: i64, person: u64, held: u64) -> Ask {
    Ask {
        at_ms: minutes(at),
        person,
        computer: person,
        seats: 1,
        waits: Waits::No,
        priority: 0,
        outcome: Outcome::Granted {
            held_ms: Some(held * 60_000),
        },
    }
}

/// One seat that was refused.
pub(super) fn refused(at: i64, person: u64) -> Ask {
    Ask {
        outcome: Outcome::Refused,
        ..granted(at, person, 0)
    }
}

/// A recording of so many minutes.
pub(super) fn recording(length: i64, asks: Vec<Ask>) -> Recording {
    Recording {
        product: "cad".to_owned(),
        from_ms: 0,
        until_ms: minutes(length),
        asks,
        ..Recording::default()
    }
}

/// The answer, whatever is told meanwhile.
pub(super) fn answer(recording: &Recording, parameters: &Parameters) -> Answer {
    what_if(recording, parameters, &mut |_| true).unwrap()
}
