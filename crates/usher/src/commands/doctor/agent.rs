//! How the agent of this computer is: whether it reports, what it can miss, whether it enforces.

use usher_api::{AgentStatus, EnforcementStatus, GateStatus, Watching};

use super::finding::Finding;
use super::people;
use crate::commands::gate;
use crate::output::counted;

/// What this computer's agent says of itself; `other` is the server that is looked at, if that is not
/// the agent's.
pub(super) fn findings(status: &AgentStatus, other: Option<&str>) -> Vec<Finding> {
    let mut findings = vec![match (status.connected, other) {
        (true, None) => Finding::ok("agent", format!("reports to {}", status.server)),
        (true, Some(other)) => Finding::warn(
            "agent",
            format!("reports to {}, and not to {other}", status.server),
            "What runs on this computer is metered there. Without --server and USHER_SERVER that \
             server is looked at.",
        ),
        (false, _) => Finding::fail(
            "agent",
            match &status.not_connected {
                Some(why) => format!("{why}; {}", waiting(status.outbox)),
                None => format!(
                    "has no answer from {}; {}",
                    status.server,
                    waiting(status.outbox)
                ),
            },
            "`usher agent status` tells when it is connected.",
        ),
    }];
    let can_miss = status.can_miss.join("; ");
    findings.push(match status.watching {
        Watching::Ebpf => Finding::ok("watching", format!("by eBPF; can miss: {can_miss}")),
        Watching::KernelEvents => Finding::ok(
            "watching",
            format!("by kernel events; can miss: {can_miss}"),
        ),
        Watching::Polling => Finding::warn(
            "watching",
            format!("by polling; can miss: {can_miss}"),
            "Run it as root to see every start.",
        ),
    });
    findings.extend(status.enforcement.as_ref().map(enforcement));
    findings.extend(status.gate.as_ref().and_then(held));
    findings.extend(status.people.as_ref().map(people::finding));
    findings
}

fn waiting(items: u64) -> String {
    let wait = if items == 1 { "waits" } else { "wait" };
    format!("{} {wait} on disk", counted(items, "item"))
}

fn enforcement(state: &EnforcementStatus) -> Finding {
    match (state.on, &state.why_off) {
        (true, _) => Finding::ok("enforcement", "is on"),
        (false, why) => Finding::warn(
            "enforcement",
            format!(
                "is off: {}",
                why.as_deref().unwrap_or("it does not say why")
            ),
            "No start is refused here. `usher agent enforcement on` switches it on.",
        ),
    }
}

/// The state of the gate, if there is anything to hold.
fn held(gate: &GateStatus) -> Option<Finding> {
    let found = gate::describe(gate);
    Some(match gate {
        GateStatus { wanted: false, .. } => return None,
        GateStatus { serving: false, .. } => Finding::fail(
            "gate",
            found,
            "Mend what it lacks (`usher service install agent` writes a unit that has it) and \
             restart the agent.",
        ),
        GateStatus {
            guard_stands_apart: false,
            ..
        } => Finding::warn("gate", found, gate::FREE_THE_GUARD),
        GateStatus {
            file_systems: 0, ..
        } => Finding::warn("gate", found, "See the mounts below for why."),
        _ => Finding::ok("gate", found),
    })
}

#[cfg(test)]
mod tests;
