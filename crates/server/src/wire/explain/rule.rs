//! Which rule decided, in words.

use usher_api::Reason;
use usher_core::concerns::counted;
use usher_store::{DecisionKind, DecisionRow};

use crate::wire::records::was_were;

/// The rule, with what else was asked for.
pub(super) fn rule(row: &DecisionRow, reason: Option<Reason>) -> String {
    let rule = rule_of_one(row, reason);
    if row.also.is_empty() {
        return rule;
    }
    let together = format!(
        "It was asked for together with {}: all are granted, or none.",
        others(row)
    );
    match waits_for_others(row) {
        true => format!(
            "{together} Of {} there were enough seats; it was told to wait for the rest.",
            row.product
        ),
        false => format!("{rule} {together}"),
    }
}

/// What else was asked for, in words.
pub(super) fn others(row: &DecisionRow) -> String {
    let of = |(product, asked): &(String, u32)| {
        format!("{} of {product}", counted(u64::from(*asked), "seat"))
    };
    row.also.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// Whether there were enough seats of this product, and it waits for what else was asked for.
pub(super) fn waits_for_others(row: &DecisionRow) -> bool {
    let free = row.scene.seats.saturating_sub(row.scene.in_use);
    row.kind == DecisionKind::Queued
        && !row.also.is_empty()
        && row.scene.queued == 0
        && free >= u64::from(row.seats)
}

fn rule_of_one(row: &DecisionRow, reason: Option<Reason>) -> String {
    let count = u64::from(row.seats);
    let (product, asked) = (&row.product, counted(count, "seat"));
    let (total, in_use) = (row.scene.seats, row.scene.in_use);
    let Some(reason) = reason else {
        let why = match row.waited {
            true => "it was first in the queue",
            false => "nobody waited before it",
        };
        return format!(
            "Seats are granted while enough are free: {in_use} of {} of {product} {} in use, \
             {asked} asked for, and {why}.",
            counted(total, "seat"),
            was_were(total)
        );
    };
    let no_seat = || {
        let free = total.saturating_sub(in_use);
        match (count > total, free >= count) {
            (true, _) => format!(
                "No more seats are granted than there are: {asked} of {product} {} asked for, and \
                 there {} {total} in all.",
                was_were(count),
                was_were(total)
            ),
            (false, true) => format!(
                "Nobody overtakes those who wait: {in_use} of {} of {product} {} in use, and the \
                 {free} free belonged to {} that waited before.",
                counted(total, "seat"),
                was_were(total),
                counted(u64::from(row.scene.queued), "request")
            ),
            (false, false) if in_use > total => format!(
                "No seat is granted while more are in use than there are: {in_use} of {product} \
                 were in use, and {total} {} left of those that were owned.",
                was_were(total)
            ),
            (false, false) => format!(
                "No more seats are in use than there are: {in_use} of {} of {product} {} in use, \
                 which left {free} for the {asked} asked for.",
                counted(total, "seat"),
                was_were(total)
            ),
        }
    };
    match (row.kind, reason) {
        (DecisionKind::Queued, _) => {
            let before = match row.scene.queued {
                0 => "nobody".to_owned(),
                many => counted(u64::from(many), "request"),
            };
            format!("{} It was told to wait, behind {before}.", no_seat())
        }
        (_, Reason::NoSeat) => no_seat(),
        (_, Reason::NoEntitlement) => format!(
            "Seats come from entitlements only: the organisation owned no seats of {product}."
        ),
        (_, Reason::EntitlementExpired) => format!(
            "An entitlement counts between its dates only: those of {product} had ended by then."
        ),
        (_, Reason::NotYetValid) => {
            format!("An entitlement counts between its dates only: those of {product} begin later.")
        }
        (_, Reason::ProductDisabled) => {
            format!("A product that is switched off grants nothing: {product} was.")
        }
        (_, Reason::QueueFull) => format!(
            "The queue of a product has a limit: {in_use} of {} of {product} {} in use and {} \
             waited.",
            counted(total, "seat"),
            was_were(total),
            counted(u64::from(row.scene.queued), "request")
        ),
        (_, Reason::Impossible) => format!(
            "A request for more seats than there are keeps its place for a while and is then \
             refused: {asked} of {product} {} asked for, and there {} {total} in all.",
            was_were(count),
            was_were(total)
        ),
        (_, Reason::NotPermitted) => format!("{} may not use {product}.", row.user),
        (_, Reason::OutsideAccessHours) => {
            format!("{product} may be used in its access hours only.")
        }
        (_, Reason::Quota) => format!("{} had as many seats as they may.", row.user),
    }
}
