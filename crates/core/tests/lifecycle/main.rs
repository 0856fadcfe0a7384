//! The lifecycle machine: what it says in each state, that a model checker finds no trap in it,
//! and ten thousand random lives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behaviour;
mod lives;
mod model;

use std::time::Duration;

use usher_core::lifecycle::{Limit, Limits};

/// Short limits, in seconds, so that a checker meets all of them.
fn short_limits() -> Limits {
    let limit = |standstill, whole| Limit {
        standstill: Duration::from_secs(standstill),
        whole: Duration::from_secs(whole),
    };
    Limits {
        start: limit(2, 4),
        stop: limit(2, 3),
        pause: limit(1, 2),
    }
}
