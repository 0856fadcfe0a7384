//! What the agent tells of its gate.

use std::sync::atomic::Ordering;

use usher_api::{GateStatus, Mode};

use crate::agent::Agent;

/// Why an agent without a gate of its own has none.
const NO_RIGHTS: &str = "the agent does not run as root";

impl Agent {
    /// Whether starts are to be held: there is something to enforce, and enforcement is on.
    pub(crate) fn wants_gate(&self) -> bool {
        let mut products = self.policy.products.iter();
        let enforces = products.any(|product| product.mode == Mode::Enforce);
        enforces && self.enforcement.state().why_off().is_none()
    }

    /// How the gate is.
    pub(crate) fn gate_status(&self) -> GateStatus {
        let wanted = self.wants_gate();
        let none = GateStatus {
            wanted,
            serving: false,
            why_not: None,
            file_systems: 0,
            guard_stands_apart: false,
        };
        match &self.gate {
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
}
