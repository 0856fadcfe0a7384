//! What has come to its end, as the wire shows it.

use rustc_hash::FxHashMap;
use usher_api as api;
use usher_core::ledger::{ComputerId, DecisionId, LeaseId, SubjectId, TicketId};
use usher_store as store;

use super::cursor;
use super::records::kept_reason;
use crate::base::time::timestamp;

/// The program that a lease names if its seats are kept for a start to come.
const KEPT: &str = "(kept)";

/// A page; whether there is more that it does not tell yet.
pub(crate) fn page(server_id: &str, page: store::FinishedPage, behind: bool) -> api::HistoryPage {
    let keys: FxHashMap<ComputerId, String> = page
        .computers
        .iter()
        .map(|it| (it.id, it.key.clone()))
        .collect();
    let items = page.items.into_iter();
    api::HistoryPage {
        server_id: server_id.to_owned(),
        incarnation: page.incarnation.0,
        began_after: page.began_after.map(point),
        from: page.from.map(point),
        items: items.map(|it| item(it, &keys)).collect(),
        people: page.people.into_iter().map(named_person).collect(),
        computers: page.computers.into_iter().map(named_computer).collect(),
        cursor: cursor::write(server_id, page.through),
        through_incarnation: page.through.incarnation.0,
        through_event: page.through.event.0,
        head_event: page.head_event,
        behind,
    }
}

fn point(point: store::HistoryPoint) -> api::HistoryPoint {
    api::HistoryPoint {
        incarnation: point.incarnation.0,
        event: point.event.0,
    }
}

fn named_person(it: store::NamedPerson) -> api::HistoryPerson {
    api::HistoryPerson {
        id: person(it.id),
        realm: it.realm,
        account: it.account,
        name: it.name,
    }
}

fn named_computer(it: store::NamedComputer) -> api::HistoryComputer {
    api::HistoryComputer {
        id: computer(it.id),
        key: it.key,
        name: it.name,
    }
}

fn person(id: SubjectId) -> String {
    format!("P{:016x}", id.0)
}

fn computer(id: ComputerId) -> String {
    format!("C{:016x}", id.0)
}

fn item(item: store::FinishedItem, keys: &FxHashMap<ComputerId, String>) -> api::HistoryItem {
    // One that is not in the directory has nothing better than its surrogate.
    let key = || keys.get(&item.computer).cloned();
    let key = || key().unwrap_or_else(|| computer(item.computer));
    api::HistoryItem {
        event: item.at.event.0,
        incarnation: item.at.incarnation.0,
        product: item.product,
        person: person(item.person),
        computer: computer(item.computer),
        what: match item.what {
            store::Finished::Session(it) => api::Ended::Session(session(it, key())),
            store::Finished::Lease(it) => api::Ended::Lease(lease(it, key)),
            store::Finished::Refusal(it) => api::Ended::Denial(denial(it)),
            store::Finished::Wait(it) => api::Ended::Wait(wait(it)),
        },
    }
}

fn session(it: store::FinishedSession, computer: String) -> api::EndedSession {
    api::EndedSession {
        key: api::SeenBy {
            computer,
            incarnation: it.agent_incarnation,
            session: it.session,
        },
        program: it.program,
        version: it.version,
        real_person: it.real_person.map(person),
        started_at: timestamp(it.started_at),
        ended_at: timestamp(it.ended_at),
        duration_seconds: seconds(it.duration_ms),
        unseated_seconds: seconds(it.unseated_ms),
        lease: it.lease.map(of_lease),
    }
}

fn lease(it: store::FinishedLease, computer: impl FnOnce() -> String) -> api::EndedLease {
    let kept = it.session.is_none() && it.program.as_deref() == Some(KEPT);
    api::EndedLease {
        key: of_lease(it.id),
        seats: it.seats,
        program: it.program.filter(|_| !kept),
        session: it.session.map(|(incarnation, session)| api::SeenBy {
            computer: computer(),
            incarnation,
            session,
        }),
        kept,
        granted_at: timestamp(it.granted_at),
        ended_at: timestamp(it.ended_at),
        held_seconds: seconds(it.held_ms),
        cause: it.cause,
        ticket: it.ticket.map(of_ticket),
        with: it.with.map(of_lease),
        retry: it.retry,
    }
}

fn denial(it: store::FinishedRefusal) -> api::EndedDenial {
    let DecisionId {
        incarnation,
        number,
    } = it.id;
    api::EndedDenial {
        key: api::MadeBy {
            incarnation: incarnation.0,
            event: number.0,
        },
        seats: it.seats,
        reason: kept_reason(&it.reason).unwrap_or(api::Reason::NoSeat),
        count: it.count,
        retries: it.retries,
        waits: it.waits,
        first_at: timestamp(it.first_at),
        last_at: timestamp(it.last_at),
    }
}

fn wait(it: store::FinishedWait) -> api::EndedWait {
    api::EndedWait {
        key: of_ticket(it.id),
        seats: it.seats,
        priority: it.priority,
        outcome: it.outcome,
        reason: it.reason.as_deref().and_then(kept_reason),
        lease: it.lease.map(of_lease),
        with: it.with.map(of_ticket),
        queued_at: timestamp(it.queued_at),
        decided_at: it.decided_at.map(timestamp),
        waited_seconds: it.waited_ms.map(seconds),
        retry: it.retry,
    }
}

fn of_lease(id: LeaseId) -> api::MadeBy {
    api::MadeBy {
        incarnation: id.incarnation.0,
        event: id.number.0,
    }
}

fn of_ticket(id: TicketId) -> api::MadeBy {
    api::MadeBy {
        incarnation: id.incarnation.0,
        event: id.number.0,
    }
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
