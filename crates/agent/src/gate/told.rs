//! What the agent reports about its gate.

use std::sync::atomic::Ordering;

use usher_api::GateStatus;

use super::Shared;

/// Why an agent without a gate of its own has none.
const NO_RIGHTS: &str = "the agent does not run as root";

/// The state of the gate; `wanted`: whether one is needed.
pub(crate) fn status(gate: Option<&Shared>, wanted: bool) -> GateStatus {
    let none = GateStatus {
        wanted,
        serving: false,
        why_not: None,
        file_systems: 0,
        guard_stands_apart: false,
    };
    match gate {
        None => GateStatus {
            why_not: wanted.then(|| NO_RIGHTS.to_owned()),
            ..none
        },
        Some(gate) if gate.marks().is_none() => GateStatus {
            why_not: gate.trouble().filter(|_| wanted),
            ..none
        },
        Some(gate) => GateStatus {
            serving: true,
            file_systems: gate.file_systems.load(Ordering::Acquire),
            guard_stands_apart: gate.guard_stands_apart.load(Ordering::Acquire),
            ..none
        },
    }
}
