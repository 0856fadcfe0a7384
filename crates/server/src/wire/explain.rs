//! The reasons for a decision in words: which rule decided, and what would have to change.

use usher_api::{Also, Decision, Holder, LeaseEnd, Reason};
use usher_core::concerns::counted;
use usher_core::ledger::{LeaseId, TicketId};
use usher_store::{DecisionKind, DecisionRow, HolderRow};

use crate::base::time::timestamp;
use crate::wire::words::{self, was_were};

/// Who reads an explanation: what would help is put in terms of what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Somebody who sees what is their own: they may wait, ask for less, or ask an administrator.
    Person,
    /// Somebody who sees the decisions of all, as who administers products and entitlements.
    Administrator,
}

impl Reader {
    fn is_person(self) -> bool {
        self == Reader::Person
    }
}

/// A decision as it was kept, explained.
pub(crate) fn explain(row: DecisionRow, reader: Reader) -> Decision {
    let reason = match row.kind {
        DecisionKind::Granted => None,
        DecisionKind::Queued => Some(Reason::NoSeat),
        DecisionKind::Denied => Some(
            row.reason
                .as_deref()
                .and_then(words::kept_reason)
                .unwrap_or(Reason::NoSeat),
        ),
    };
    let rule = rule(&row, reason);
    let what_would_help = what_would_help(&row, reason, reader);
    let decision = match row.kind {
        DecisionKind::Granted => "granted",
        DecisionKind::Queued => "queued",
        DecisionKind::Denied => "denied",
    };
    let lease = LeaseId {
        incarnation: row.id.incarnation,
        number: row.id.number,
    };
    let ticket = TicketId {
        incarnation: row.id.incarnation,
        number: row.id.number,
    };
    Decision {
        decision_id: row.id.to_string(),
        decision: decision.to_owned(),
        seats: row.seats,
        at: timestamp(row.at),
        reason,
        rule,
        seats_total: row.scene.seats,
        seats_in_use: row.scene.in_use,
        queued: u64::from(row.scene.queued),
        what_would_help,
        lease: (row.kind == DecisionKind::Granted).then(|| lease.to_string()),
        ticket: (row.kind == DecisionKind::Queued).then(|| ticket.to_string()),
        joined: 0,
        unnamed_leases: None,
        longest_since: row
            .holders
            .iter()
            .map(|holder| holder.granted_at)
            .min()
            .map(timestamp),
        only: None,
        ended: row.ended.map(|(at, cause)| LeaseEnd {
            at: timestamp(at),
            cause,
        }),
        holders: row.holders.into_iter().map(holder).collect(),
        also: row
            .also
            .into_iter()
            .map(|(product, seats)| Also {
                product,
                seats,
                lease: None,
            })
            .collect(),
        product: row.product,
        user: row.user,
        computer: row.computer,
    }
}

fn holder(row: HolderRow) -> Holder {
    Holder {
        lease: row.lease.to_string(),
        user: row.user,
        computer: row.computer,
        seats: row.seats,
        granted_at: timestamp(row.granted_at),
        ended_at: row.ended_at.map(timestamp),
    }
}

fn rule(row: &DecisionRow, reason: Option<Reason>) -> String {
    let rule = rule_of_one(row, reason);
    if row.also.is_empty() {
        return rule;
    }
    let together = format!(
        "It was asked for together with {}: all is granted, or nothing.",
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
fn others(row: &DecisionRow) -> String {
    let of = |(product, asked): &(String, u32)| {
        format!("{} of {product}", counted(u64::from(*asked), "seat"))
    };
    row.also.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// Whether there were enough seats of this product, and it waits for what else was asked for.
fn waits_for_others(row: &DecisionRow) -> bool {
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
            true => "it was the first that waited, and its turn had come",
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
                 {free} free belonged to the {} that waited before.",
                counted(total, "seat"),
                was_were(total),
                row.scene.queued
            ),
            (false, false) if in_use > total => format!(
                "None is granted while more seats are in use than there are: {in_use} of {product} \
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
            "No more may wait than the product's queue limit: {in_use} of {} of {product} {} in \
             use and {} waited.",
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

fn what_would_help(row: &DecisionRow, reason: Option<Reason>, reader: Reader) -> Vec<String> {
    if waits_for_others(row) {
        return vec![format!("What is missing of {} coming free.", others(row))];
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
                help.push(format!(
                    "{} given back by those who hold them.",
                    capital(&counted(more, "seat"))
                ));
                help.push(own_more(product, more, reader));
            } else {
                help.push("Those who waited before being served, or giving up.".to_owned());
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
                    "More time to put it right: `usher product edit {product} \
                     --impossible-seconds DURATION`."
                ));
            }
            help
        }
        Reason::EntitlementExpired | Reason::NotYetValid => vec![match reader {
            Reader::Person => format!("An entitlement whose dates hold that day: {ASK}."),
            Reader::Administrator => "An entitlement whose dates hold that day: look at them with \
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
            let mut help = vec![
                format!(
                    "{} given back by those who hold them.",
                    capital(&counted(more, "seat"))
                ),
                own_more(product, more, reader),
            ];
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
    words::waiting_run(&row.product, row.seats, &also)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::ledger::{EventNumber, Incarnation, Scene};

    fn row(kind: DecisionKind, reason: Option<&str>, seats: u32, scene: Scene) -> DecisionRow {
        DecisionRow {
            id: usher_core::ledger::DecisionId {
                incarnation: Incarnation(0xab),
                number: EventNumber(7),
            },
            kind,
            product: "cad".into(),
            user: "ann".into(),
            authority: "usher".into(),
            key: "ann".into(),
            computer: "pc1".into(),
            computer_key: "pc1".into(),
            seats,
            also: Vec::new(),
            at: 0,
            reason: reason.map(str::to_owned),
            scene,
            waited: false,
            ended: None,
            holders: Vec::new(),
        }
    }

    fn scene(seats: u64, in_use: u64, queued: u32) -> Scene {
        Scene {
            seats,
            in_use,
            queued,
        }
    }

    #[test]
    fn every_decision_says_its_rule_and_what_would_help() {
        use DecisionKind::{Denied, Granted, Queued};
        let mut waited = row(Granted, None, 1, scene(2, 1, 1));
        waited.waited = true;
        let with = |row: DecisionRow| DecisionRow {
            also: vec![("pack".into(), 2), ("library".into(), 1)],
            ..row
        };
        let cases = [
            row(Granted, None, 1, scene(2, 1, 0)),
            with(row(Granted, None, 1, scene(2, 1, 0))),
            with(row(Queued, None, 1, scene(2, 1, 0))),
            with(row(Denied, Some("no_seat"), 1, scene(2, 2, 0))),
            waited,
            row(Queued, None, 1, scene(2, 2, 0)),
            row(Queued, None, 2, scene(3, 2, 4)),
            row(Denied, Some("no_seat"), 1, scene(2, 2, 0)),
            row(Denied, Some("no_seat"), 5, scene(2, 0, 0)),
            row(Denied, Some("no_seat"), 1, scene(4, 2, 1)),
            row(Denied, Some("no_entitlement"), 1, scene(0, 0, 0)),
            row(Denied, Some("entitlement_expired"), 1, scene(0, 0, 0)),
            row(Denied, Some("not_yet_valid"), 1, scene(0, 0, 0)),
            row(Denied, Some("product_disabled"), 1, scene(2, 0, 0)),
            row(Denied, Some("queue_full"), 1, scene(2, 2, 3)),
        ];
        let mut text = String::new();
        for case in cases {
            let decision = explain(case, Reader::Administrator);
            text.push_str(&format!(
                "{} {}\n  {}\n",
                decision.decision,
                decision.reason.map_or("", Reason::as_str),
                decision.rule
            ));
            for help in decision.what_would_help {
                text.push_str(&format!("  - {help}\n"));
            }
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn who_may_change_nothing_is_told_what_they_may_do() {
        let mut help = Vec::new();
        for (reason, seats, there) in [
            ("no_seat", 1, scene(2, 2, 0)),
            ("no_seat", 5, scene(2, 0, 0)),
            ("no_entitlement", 1, scene(0, 0, 0)),
            ("impossible", 3, scene(2, 2, 0)),
            ("entitlement_expired", 1, scene(0, 0, 0)),
            ("product_disabled", 1, scene(2, 0, 0)),
            ("queue_full", 1, scene(2, 2, 3)),
        ] {
            let denied = row(DecisionKind::Denied, Some(reason), seats, there);
            help.extend(explain(denied, Reader::Person).what_would_help);
        }
        let mut several = row(DecisionKind::Denied, Some("no_seat"), 2, scene(2, 2, 0));
        several.also = vec![("pack".into(), 3)];
        help.extend(explain(several, Reader::Person).what_would_help.pop());
        let text = help.join("\n");
        for command in ["usher entitlement", "usher product"] {
            assert!(!text.contains(command), "{text}");
        }
        insta::assert_snapshot!(text, @r"
        1 seat given back by those who hold them.
        1 seat more owned: ask the administrator of the licences.
        Waiting in the queue: `usher run --product cad --wait -- PROGRAM`.
        Asking for at most 2 seats at once.
        3 seats more owned: ask the administrator of the licences.
        1 seat more owned: ask the administrator of the licences.
        Asking for at most 2 seats at once.
        1 seat more owned: ask the administrator of the licences.
        An entitlement whose dates hold that day: ask the administrator of the licences.
        The product switched on again: ask the administrator of the licences.
        1 seat given back by those who hold them.
        1 seat more owned: ask the administrator of the licences.
        Waiting in the queue: `usher run --product cad --seats 2 --also pack=3 --wait -- PROGRAM`.
        ");
    }

    /// `1 seats`, `1 requests` and their kin.
    fn is_wrong(text: &str) -> bool {
        let words: Vec<&str> = text.split(' ').collect();
        words.windows(3).any(|three| {
            let plural = three[2].trim_end_matches(['.', ',', ':', ';']);
            let is_plural = plural.ends_with('s') && !["is", "was", "waits"].contains(&plural);
            let said = three[1] == "1" && is_plural;
            said || (three[0] == "1" && three[1] != "of" && ["were", "are"].contains(&three[2]))
        })
    }

    #[test]
    fn one_of_a_thing_is_said_as_one() {
        assert!(is_wrong("for 1 seats.") && is_wrong("there 1 seat were"));
        use usher_core::ledger::Reason as Why;
        let reasons = [
            Why::NoSeat,
            Why::NoEntitlement,
            Why::EntitlementExpired,
            Why::NotYetValid,
            Why::ProductDisabled,
            Why::QueueFull,
            Why::Impossible,
        ];
        for (seats, total) in [(1, 0), (1, 1), (2, 1), (1, 3)] {
            for (in_use, queued) in [(0, 0), (0, 1), (1, 1), (2, 1)] {
                let there = scene(total, in_use.min(total), queued);
                for reason in reasons {
                    let word = words::reason(reason).as_str();
                    let denied = row(DecisionKind::Denied, Some(word), seats, there);
                    let denied = explain(denied, Reader::Administrator);
                    let text = format!("{} {}", denied.rule, denied.what_would_help.join(" "));
                    assert!(!is_wrong(&text), "{text}");
                    let text = words::denial("cad", seats, "ask again later", reason, there);
                    assert!(!is_wrong(&text), "{text}");
                }
                let queued = row(DecisionKind::Queued, None, seats, there);
                let queued = explain(queued, Reader::Administrator);
                assert!(!is_wrong(&queued.rule), "{}", queued.rule);
            }
        }
    }
}
