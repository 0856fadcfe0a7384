//! What would have to change for another decision, in words.

use usher_api::Reason;
use usher_core::concerns::counted;
use usher_store::{DecisionKind, DecisionRow};

use super::Reader;
use super::rule::{others, waits_for_others};
use crate::wire::records;

/// What would help, in the terms of what `reader` may do.
pub(super) fn what_would_help(
    row: &DecisionRow,
    reason: Option<Reason>,
    reader: Reader,
) -> Vec<String> {
    if waits_for_others(row) {
        return vec![format!(
            "As many free seats as were asked for: {}.",
            others(row)
        )];
    }
    let product = &row.product;
    let asked = u64::from(row.seats);
    let free = row.scene.seats.saturating_sub(row.scene.in_use);
    // More may be in use than there are: what was owned has ended since they were granted.
    let more = (row.scene.in_use + asked)
        .saturating_sub(row.scene.seats)
        .max(1);
    let Some(reason) = reason else {
        return Vec::new();
    };
    match reason {
        Reason::NoSeat if asked > row.scene.seats => vec![
            format!(
                "Asking for at most {} at once.",
                counted(row.scene.seats, "seat")
            ),
            own_more(product, asked - row.scene.seats, reader),
        ],
        Reason::NoSeat => {
            let mut help = Vec::new();
            if free < asked {
                help.push(given_back(more));
                help.push(own_more(product, more, reader));
            } else {
                help.push("Earlier requests being served or withdrawn.".to_owned());
            }
            if row.kind == DecisionKind::Denied {
                help.push(format!("Waiting in the queue: `{}`.", waiting(row)));
            }
            help
        }
        Reason::NoEntitlement => vec![own_more(product, asked, reader)],
        Reason::Impossible => {
            let mut help = vec![
                match row.scene.seats {
                    0 if reader.is_person() => format!("Seats of {product}: none is owned."),
                    0 => format!("Seats of {product}: look with `usher entitlement list`."),
                    most => format!("Asking for at most {} at once.", counted(most, "seat")),
                },
                own_more(
                    product,
                    asked.saturating_sub(row.scene.seats).max(1),
                    reader,
                ),
            ];
            if !reader.is_person() {
                help.push(format!(
                    "More time before such a request is refused: `usher product edit {product} \
                     --impossible-seconds DURATION`."
                ));
            }
            help
        }
        Reason::EntitlementExpired | Reason::NotYetValid => vec![match reader {
            Reader::Person => format!("An entitlement that is valid on that day: {ASK}."),
            Reader::Administrator => "An entitlement that is valid on that day: look at them with \
                 `usher entitlement list`, and correct them with `usher entitlement edit`."
                .to_owned(),
        }],
        Reason::ProductDisabled => vec![match reader {
            Reader::Person => {
                format!("The product switched on again: {ASK}.")
            }
            Reader::Administrator => {
                format!("The product switched on again: `usher product edit {product} --enable`.")
            }
        }],
        Reason::QueueFull => {
            let mut help = vec![given_back(more), own_more(product, more, reader)];
            if !reader.is_person() {
                help.push(format!(
                    "A longer queue: `usher product edit {product} --queue-limit N`."
                ));
            }
            help
        }
        Reason::NotPermitted | Reason::OutsideAccessHours | Reason::Quota => Vec::new(),
    }
}

fn given_back(seats: u64) -> String {
    match seats {
        1 => "1 seat given back by a holder.".to_owned(),
        _ => format!(
            "{} given back by their holders.",
            capital(&counted(seats, "seat"))
        ),
    }
}

/// What somebody does who may not change what is owned.
const ASK: &str = "ask the administrator of the licences";

fn own_more(product: &str, more: u64, reader: Reader) -> String {
    let owned = format!("{} more owned", capital(&counted(more, "seat")));
    match reader {
        Reader::Person => format!("{owned}: {ASK}."),
        Reader::Administrator => {
            format!("{owned}: `usher entitlement add {product} --seats {more}`.")
        }
    }
}

/// The command that would have waited for what was asked for.
fn waiting(row: &DecisionRow) -> String {
    let also: String = row
        .also
        .iter()
        .map(|(product, seats)| format!(" --also {product}={seats}"))
        .collect();
    records::waiting_run(&row.product, row.seats, &also)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
