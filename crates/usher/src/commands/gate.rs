//! Texts about the gate of this computer's agent.

use usher_api::GateStatus;

use crate::output::{Tone, tame, toned};

/// What it means that the guard is in the agent's control group.
pub(super) const GUARD_IN_GROUP: &str = "its guard could not leave the agent's control group: \
     whoever freezes that group, by `systemctl freeze` or by pausing its container, holds up every \
     start on this computer until it is thawed";
/// The next step for a guard that cannot act.
pub(super) const FREE_THE_GUARD: &str = "Let the agent write to /sys/fs/cgroup (control groups of \
     version 2, not read-only; no ProtectControlGroups= in its unit) and restart it. Until then, \
     do not freeze it.";

/// What the gate does, as the end of a sentence that begins with its name.
pub(super) fn describe(gate: &GateStatus) -> String {
    match (gate.serving, &gate.why_not) {
        (true, _) => {
            let held = match gate.file_systems {
                0 => toned(Tone::Warn, "serves, and holds starts on no file system"),
                1 => toned(Tone::Good, "serves, and holds starts on 1 file system"),
                n => toned(
                    Tone::Good,
                    &format!("serves, and holds starts on {n} file systems"),
                ),
            };
            match gate.guard_stands_apart {
                true => held,
                false => format!("{held}; {}", toned(Tone::Warn, GUARD_IN_GROUP)),
            }
        }
        (false, Some(why)) => format!(
            "{}, no start is refused: {}",
            toned(Tone::Bad, "does not serve"),
            tame(why)
        ),
        (false, None) if gate.wanted => toned(Tone::Warn, "is being started"),
        (false, None) => "has nothing to hold: no product is enforced here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_a_gate_is_a_sentence() {
        let none = GateStatus {
            wanted: false,
            serving: false,
            why_not: None,
            file_systems: 0,
            guard_stands_apart: false,
        };
        let serves = |file_systems, guard_stands_apart| GateStatus {
            wanted: true,
            serving: true,
            file_systems,
            guard_stands_apart,
            ..none.clone()
        };
        let states = [
            none.clone(),
            GateStatus {
                wanted: true,
                ..none.clone()
            },
            GateStatus {
                wanted: true,
                why_not: Some("the agent does not run as root".into()),
                ..none.clone()
            },
            serves(0, true),
            serves(1, true),
            serves(3, false),
        ];
        let told = states.map(|state| format!("The gate {}.", describe(&state)));
        insta::assert_snapshot!(told.join("\n"), @r"
        The gate has nothing to hold: no product is enforced here.
        The gate is being started.
        The gate does not serve, no start is refused: the agent does not run as root.
        The gate serves, and holds starts on no file system.
        The gate serves, and holds starts on 1 file system.
        The gate serves, and holds starts on 3 file systems; its guard could not leave the agent's control group: whoever freezes that group, by `systemctl freeze` or by pausing its container, holds up every start on this computer until it is thawed.
        ");
    }
}
