//! Converts a page of a server's history for the site database.

use usher_api::{self as api, Timestamp};
use usher_site as site;

/// A page as a batch. Items of unknown kinds are left out.
pub(super) fn batch(
    asked: Option<site::Point>,
    page: api::HistoryPage,
    at_ms: i64,
) -> site::HistoryBatch {
    let through = through(&page);
    let items = page.items.into_iter();
    site::HistoryBatch {
        server: page.server_id,
        asked,
        from: page.from.map(|it| site::Point {
            incarnation: it.incarnation,
            event: it.event,
        }),
        through,
        cursor: page.cursor,
        head_event: page.head_event,
        at_ms,
        people: page.people.into_iter().map(person).collect(),
        computers: page.computers.into_iter().map(computer).collect(),
        items: items.filter_map(item).collect(),
    }
}

/// The point up to which a page is complete.
fn through(page: &api::HistoryPage) -> site::Point {
    site::Point {
        incarnation: page.through_incarnation,
        event: page.through_event,
    }
}

fn person(it: api::HistoryPerson) -> site::HistoryPerson {
    site::HistoryPerson {
        id: it.id,
        realm: it.realm,
        account: it.account,
        name: it.name,
    }
}

fn computer(it: api::HistoryComputer) -> site::HistoryComputer {
    site::HistoryComputer {
        id: it.id,
        key: it.key,
        name: it.name,
    }
}

fn item(it: api::HistoryItem) -> Option<site::HistoryItem> {
    let what = match it.what {
        api::Ended::Session(it) => site::Ended::Session(session(it)),
        api::Ended::Lease(it) => site::Ended::Lease(lease(it)),
        api::Ended::Denial(it) => site::Ended::Denial(denial(it)),
        api::Ended::Wait(it) => site::Ended::Wait(wait(it)),
        api::Ended::Unknown => return None,
    };
    Some(site::HistoryItem {
        at: site::Point {
            incarnation: it.incarnation,
            event: it.event,
        },
        product: it.product,
        person: it.person,
        computer: it.computer,
        what,
    })
}

fn session(it: api::EndedSession) -> site::EndedSession {
    site::EndedSession {
        key: run(it.key),
        program: it.program,
        version: it.version,
        real_person: it.real_person,
        started_ms: unix_ms(it.started_at),
        ended_ms: unix_ms(it.ended_at),
        duration_ms: millis(it.duration_seconds),
        unseated_ms: millis(it.unseated_seconds),
        lease: it.lease.map(made),
    }
}

fn lease(it: api::EndedLease) -> site::EndedLease {
    site::EndedLease {
        key: made(it.key),
        seats: it.seats,
        program: it.program,
        session: it.session.map(run),
        kept: it.kept,
        granted_ms: unix_ms(it.granted_at),
        ended_ms: unix_ms(it.ended_at),
        held_ms: millis(it.held_seconds),
        cause: it.cause,
        ticket: it.ticket.map(made),
        with: it.with.map(made),
        retry: it.retry,
    }
}

fn denial(it: api::EndedDenial) -> site::EndedDenial {
    site::EndedDenial {
        key: made(it.key),
        seats: it.seats,
        reason: it.reason.as_str().to_owned(),
        count: it.count,
        retries: it.retries,
        waits: it.waits,
        first_ms: unix_ms(it.first_at),
        last_ms: unix_ms(it.last_at),
    }
}

fn wait(it: api::EndedWait) -> site::EndedWait {
    site::EndedWait {
        key: made(it.key),
        seats: it.seats,
        priority: it.priority,
        outcome: it.outcome,
        reason: it.reason.map(|reason| reason.as_str().to_owned()),
        lease: it.lease.map(made),
        with: it.with.map(made),
        queued_ms: unix_ms(it.queued_at),
        decided_ms: it.decided_at.map(unix_ms),
        waited_ms: it.waited_seconds.map(millis),
        retry: it.retry,
    }
}

fn run(it: api::SeenBy) -> site::Run {
    site::Run {
        computer: it.computer,
        incarnation: it.incarnation,
        session: it.session,
    }
}

fn made(it: api::MadeBy) -> site::Made {
    site::Made {
        incarnation: it.incarnation,
        event: it.event,
    }
}

fn unix_ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// Seconds in whole milliseconds; NaN becomes 0.
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}
