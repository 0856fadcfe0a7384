//! What is said of an agent, line by line.

use super::*;

#[test]
fn each_finding_is_a_line_with_its_next_step() {
    let status = AgentStatus {
        computer: "c1".into(),
        watching: Watching::Polling,
        can_miss: vec!["programs that end within 50 ms".into()],
        server: "http://127.0.0.1:8470".into(),
        connected: false,
        not_connected: None,
        outbox: 3,
        sessions: 0,
        leases: Vec::new(),
        released: Vec::new(),
        enforcement: Some(EnforcementStatus {
            on: false,
            why_off: Some("it was switched off".into()),
        }),
        marks: None,
        gate: Some(GateStatus {
            wanted: true,
            serving: true,
            why_not: None,
            file_systems: 2,
            guard_stands_apart: false,
        }),
        people: None,
    };
    let elsewhere = AgentStatus {
        connected: true,
        ..status.clone()
    };
    let elsewhere = findings(&elsewhere, Some("http://127.0.0.1:8572")).remove(0);
    insta::assert_snapshot!(elsewhere.describe(), @r"
        warn  agent       reports to http://127.0.0.1:8470, and not to http://127.0.0.1:8572
                          What runs on this computer is metered there. Without --server and USHER_SERVER that server is looked at.
        ");
    let lines: Vec<String> = findings(&status, None)
        .iter()
        .map(Finding::describe)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
        FAIL  agent       has no answer from http://127.0.0.1:8470; 3 items wait on disk
                          `usher agent status` tells when it is connected.
        warn  watching    by polling; can miss: programs that end within 50 ms
                          Run it as root to see every start.
        warn  enforcement is off: it was switched off
                          No start is refused here. `usher agent enforcement on` switches it on.
        warn  gate        serves, and holds starts on 2 file systems; its guard could not leave the agent's control group: whoever freezes that group, by `systemctl freeze` or by pausing its container, holds up every start on this computer until it is thawed
                          Let the agent write to /sys/fs/cgroup (control groups of version 2, not read-only; no ProtectControlGroups= in its unit) and restart it. Until then, do not freeze it.
        ");
}
