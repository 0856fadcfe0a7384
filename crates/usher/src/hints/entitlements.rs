//! Hints for words that people try with entitlements.

use super::Hint;

/// An option that the command does not have.
pub(super) fn option(name: &str, option: &str) -> Option<Hint> {
    match (name, option) {
        ("entitlement edit", "--product") => Hint::new(
            "an entitlement keeps its product: its price and contract are of that",
            "Enter another with `usher entitlement add`, and end this one with \
             `usher entitlement edit NAME --to DAY`, or remove it.",
        ),
        ("entitlement list", "--name" | "--contract" | "--cost-centre" | "--price" | "--to") => {
            Hint::new(
                format!(
                    "`usher entitlement list` takes no {option}: it chooses by --product alone"
                ),
                "--csv writes it for a spreadsheet, which chooses and sorts.",
            )
        }
        _ => None,
    }
}

/// Other names of what is done with an entitlement, and the command that does it.
pub(super) fn word(name: &str, word: &str) -> Option<Hint> {
    if name != "entitlement" {
        return None;
    }
    let next = match word {
        "end" | "cancel" | "stop" | "close" | "expire" | "terminate" => {
            "`usher entitlement edit NAME --to DAY` ends it with that day, and keeps what is known \
             of it; `usher entitlement remove NAME` removes it."
        }
        "renew" | "extend" | "prolong" => {
            "`usher entitlement add PRODUCT --seats N --from DAY` enters a renewal, as an \
             entitlement of its own; `usher entitlement edit NAME --to DAY` lets this one last \
             longer."
        }
        "show" | "get" => "`usher entitlement list` shows all that is known of each.",
        "export" => "`usher entitlement list --csv` writes what an import reads.",
        _ => return None,
    };
    Hint::new(format!("there is no `usher entitlement {word}`"), next)
}
