//! The why of a decision in words: which rule decided, and what would have to change.

mod help;
mod rule;
#[cfg(test)]
mod tests;

use usher_api::{Also, Decision, Holder, LeaseEnd, Reason};
use usher_core::ledger::{LeaseId, TicketId};
use usher_store::{DecisionKind, DecisionRow, HolderRow};

use crate::base::time::timestamp;
use crate::wire::records;

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
                .and_then(records::kept_reason)
                .unwrap_or(Reason::NoSeat),
        ),
    };
    let rule = rule::rule(&row, reason);
    let what_would_help = help::what_would_help(&row, reason, reader);
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
        seats_kept: row
            .holders
            .iter()
            .filter(|holder| holder.kept)
            .map(|holder| u64::from(holder.seats))
            .sum(),
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
        kept: row.kept,
    }
}
