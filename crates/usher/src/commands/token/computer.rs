//! Whether the computer that an agent's token is made for can exist.

use usher_api::client::Client;
use usher_api::{ComputerStatus, Status};

use crate::listing::eprintln_quiet;
use crate::output::tame;

/// What the ids of agents begin with; hexadecimal digits follow.
const BEGIN: &str = "c-";

/// Warns if no agent can have that id: no agent could use a token that is made for a computer's
/// name.
pub(super) async fn note(client: &Client, computer: &str) {
    if is_an_id(computer) {
        return;
    }
    let known = client.get::<Status>("/v1/status").await;
    let known = known.map(|status| status.computers).unwrap_or_default();
    if let Some(note) = note_on(computer, &known) {
        eprintln_quiet(&note);
    }
}

fn is_an_id(computer: &str) -> bool {
    let digits = computer.strip_prefix(BEGIN).unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
}

fn note_on(computer: &str, known: &[ComputerStatus]) -> Option<String> {
    if known.iter().any(|it| it.id == computer) {
        return None;
    }
    let named: Vec<String> = known
        .iter()
        .filter(|it| it.name == computer)
        .map(|it| tame(&it.id))
        .collect();
    let ids = match &named[..] {
        [] => {
            "on that computer `usher agent --print-computer-id` tells the id, with the --data of \
               the agent if it has one"
                .to_owned()
        }
        [id] => format!("the agent on the computer of that name has the id {id}"),
        ids => format!(
            "agents on computers of that name have the ids {}",
            ids.join(", ")
        ),
    };
    Some(format!(
        "Note: {} is the id of no agent, and an id is like c-1f2e90...: no agent will be let in \
         with this token; {ids}.",
        tame(computer)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, name: &str) -> ComputerStatus {
        let computer = serde_json::json!({
            "id": id, "name": name, "watching": "polling", "last_seen_at": "2026-11-30T00:00:00Z",
        });
        serde_json::from_value(computer).unwrap()
    }

    #[test]
    fn a_name_of_a_computer_is_told_from_the_id_of_its_agent() {
        assert!(is_an_id("c-1f2e"));
        for name in ["box-tadm4", "c-box", "c-", ""] {
            assert!(!is_an_id(name), "{name}");
        }
        let there = [known("c-1", "box"), known("site-7", "other")];
        assert_eq!(
            note_on("site-7", &there),
            None,
            "an agent has it all the same"
        );
        let note = note_on("box", &there).unwrap();
        assert!(note.contains("has the id c-1"), "{note}");
        let note = note_on("elsewhere", &there).unwrap();
        assert!(note.contains("--print-computer-id"), "{note}");
    }
}
