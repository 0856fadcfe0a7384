//! What is said if no agent answers on this computer.

use std::path::Path;

use super::answered::GIVE_TOKEN;
use super::{Failure, exit};

/// Where units of services are installed.
const UNITS: [&str; 3] = [
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// What is there if systemd started this computer.
const BOOTED_BY_SYSTEMD: &str = "/run/systemd/system";

/// No agent answers, by which no token is needed; `starts` is a command that was to be started.
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

/// What who cannot ask for a seat may do all the same, if no agent runs.
pub(super) fn holds_no_start(name: &str) -> String {
    format!(
        "While no agent runs no start is held: {name} can be started without `usher run`. What runs \
         already goes on."
    )
}

/// Who starts the agent, and where they look: only what is there.
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
