//! The failure if no agent answers on this computer.

use std::path::Path;

use super::answered::GIVE_TOKEN;
use super::{Failure, exit};

/// Where units of services are installed.
const UNITS: [&str; 3] = [
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Exists if systemd started this computer.
const BOOTED_BY_SYSTEMD: &str = "/run/systemd/system";

/// No agent answers, through which no token would be needed; `starts` is the command that was to be
/// started.
pub(crate) fn no_agent(starts: Option<&str>) -> Failure {
    let failure = Failure::new(
        exit::NO_SERVER,
        "no Usher agent answers on this computer, and without one the server asks for a token",
    )
    .next(GIVE_TOKEN)
    .first(&ask_for_agent());
    match starts {
        Some(name) => failure.first(&holds_no_start(name)),
        None => failure,
    }
}

/// What a user can still do if no agent runs, so that no seat can be asked for.
pub(super) fn holds_no_start(name: &str) -> String {
    format!(
        "While no agent runs no start is held: {name} can be started without `usher run`. What runs \
         already goes on."
    )
}

/// Who starts the agent, and where to look: only what exists on this computer.
pub(crate) fn ask_for_agent() -> String {
    let is_there = |folder: &&str| Path::new(folder).join("usher-agent.service").exists();
    let look = match Path::new(BOOTED_BY_SYSTEMD).exists() && UNITS.iter().any(is_there) {
        true => " (`systemctl status usher-agent`)",
        false => "",
    };
    format!(
        "Whoever administers this computer starts the agent{look}: through it you need no token for \
         what is yours."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_agent_it_is_said_that_a_program_can_be_started_all_the_same() {
        let said = no_agent(Some("cad")).to_string();
        assert!(
            said.contains("cad can be started without `usher run`"),
            "{said}"
        );
        assert!(said.contains("starts the agent"), "{said}");
        let said = no_agent(None).to_string();
        assert!(!said.contains("usher run"), "{said}");
    }
}
