//! Writes durable events, with names, for those who follow them live.

use std::fmt::Write;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use usher_core::ledger::{
    ComputerId, EndCause, Event, EventNumber, Incarnation, LeaseId, Ledger, ProductNumber,
    SubjectId, Ticket, TicketState,
};

use crate::base::time::timestamp;
use crate::engine::feed::{Facts, Feed, Item};
use crate::state::app::App;
use crate::state::live::ServiceState;
use crate::wire::records;

/// How many leases are remembered with their names until they end.
const LEASES_LIMIT: usize = 65_536;

/// How many events have their names looked up together, while everything else waits.
const FACTS_A_LOOK: usize = 1_024;

/// Remembered leases: one that has ended is no longer in the ledger, so its data come from its
/// grant, or from the tables.
type Leases = FxHashMap<EventNumber, Value>;

/// Writes events for ever.
pub(crate) async fn run(app: Arc<App>) {
    let mut leases = Leases::default();
    loop {
        let (facts, missed) = app.live.feed.arrived().await;
        if !app.live.feed.has_listeners() {
            leases.clear();
            continue;
        }
        let count = facts.len() as u64;
        match write_out(&app, facts, &mut leases).await {
            Some(texts) => {
                for text in texts {
                    app.live.feed.send(Item::Event(text.into()));
                }
                if missed > 0 {
                    app.live.feed.send(Item::Missed(missed));
                }
            }
            // The names could not be had; they are not made up.
            None => app.live.feed.send(Item::Missed(count + missed)),
        }
    }
}

/// Sends an event about a change of the server's state. Never waits.
pub(crate) fn state_changed(feed: &Feed, state: &ServiceState) {
    if !feed.has_listeners() {
        return;
    }
    let data = json!({
        "at": timestamp(state.since_ms),
        "state": state.word,
        "why": state.why,
    });
    feed.send(Item::Event(
        format!("event: state\ndata: {data}\n\n").into(),
    ));
}

async fn write_out(app: &Arc<App>, facts: Facts, leases: &mut Leases) -> Option<Vec<String>> {
    let mut looked = Vec::with_capacity(facts.len());
    let mut facts = facts.into_iter().peekable();
    while facts.peek().is_some() {
        let some: Facts = facts.by_ref().take(FACTS_A_LOOK).collect();
        let names = app
            .look(move |ledger, _| {
                let seen = some.into_iter().map(|(number, at_ms, event)| {
                    let names = Names::of(ledger, &event);
                    (number, at_ms, event, names)
                });
                (ledger.incarnation(), seen.collect::<Vec<_>>())
            })
            .await
            .ok()?;
        let (incarnation, seen) = names;
        looked.extend(
            seen.into_iter()
                .filter_map(|(number, at_ms, event, names)| {
                    let text = named(incarnation, names?, number, event)?;
                    Some((number, at_ms, text))
                }),
        );
    }
    let unknown = remember(&looked, leases);
    if !unknown.is_empty() {
        leases.extend(from_tables(app, unknown).await?);
    }
    let mut texts = Vec::with_capacity(looked.len());
    for (number, at_ms, (kind, mut data)) in looked {
        if let Some(lease) = data["ended"].as_u64() {
            let gone = leases.remove(&EventNumber(lease)).unwrap_or(json!({}));
            let cause = data["cause"].take();
            data = gone;
            data["cause"] = cause;
        }
        data["at"] = json!(timestamp(at_ms));
        let mut text = String::with_capacity(256);
        // Writing to a string does not fail.
        let _ = write!(text, "id: {}\nevent: {kind}\ndata: {data}\n\n", number.0);
        texts.push(text);
    }
    Some(texts)
}

/// Remembers grants; answers the ended leases that are not remembered.
fn remember(looked: &[(EventNumber, i64, (&str, Value))], leases: &mut Leases) -> Vec<EventNumber> {
    let mut unknown = Vec::new();
    for (number, _, (kind, data)) in looked {
        if *kind == "grant" {
            if leases.len() >= LEASES_LIMIT {
                leases.clear();
            }
            let mut lease = data.clone();
            if let Some(fields) = lease.as_object_mut() {
                fields.remove("decision_id");
                fields.remove("ticket");
            }
            leases.insert(*number, lease);
        } else if let Some(lease) = data["ended"].as_u64()
            && !leases.contains_key(&EventNumber(lease))
        {
            unknown.push(EventNumber(lease));
        }
    }
    unknown
}

async fn from_tables(app: &Arc<App>, unknown: Vec<EventNumber>) -> Option<Leases> {
    app.history(move |history| {
        let mut found = Leases::default();
        for number in unknown {
            if let Some((row, _)) = history.lease(number)? {
                let lease = json!({
                    "lease": row.id.to_string(),
                    "product": row.product,
                    "user": row.user,
                    "computer": row.computer,
                    "seats": row.seats,
                });
                found.insert(number, lease);
            }
        }
        Ok(found)
    })
    .await
    .ok()
}

/// What the ledger knows about the people and products in an event.
#[derive(Default)]
struct Names {
    product: Option<Arc<str>>,
    user: Option<Arc<str>>,
    computer: Option<Arc<str>>,
    ticket: Option<Ticket>,
}

impl Names {
    /// None: the ledger no longer knows it.
    fn of(ledger: &Ledger, event: &Event) -> Option<Names> {
        let product = |number: ProductNumber| {
            let pool = ledger.pool(number)?;
            Some(pool.listing.spec.id.clone())
        };
        let user = |id: SubjectId| {
            ledger
                .subjects()
                .get(id)
                .map(|subject| subject.name.clone())
        };
        let who = |number: ProductNumber, subject: SubjectId, computer: ComputerId| Names {
            product: product(number),
            user: user(subject),
            computer: ledger.computers().get(computer).map(|it| it.name.clone()),
            ticket: None,
        };
        Some(match event {
            Event::Granted { lease, .. } => who(lease.product, lease.subject, lease.computer),
            Event::Denied { denial, .. } => who(denial.product, denial.subject, denial.computer),
            Event::DeniedAgain {
                product,
                subject,
                computer,
                ..
            } => who(*product, *subject, *computer),
            Event::Queued { ticket, .. } => who(ticket.product, ticket.subject, ticket.computer),
            Event::TicketChanged { ticket, .. } => {
                let ticket = ledger.ticket(*ticket)?;
                Names {
                    ticket: Some(ticket.clone()),
                    ..who(ticket.product, ticket.subject, ticket.computer)
                }
            }
            Event::ProductRemoved { product: number } => Names {
                product: product(*number),
                ..Names::default()
            },
            _ => Names::default(),
        })
    }
}

/// An event's kind and data, as far as the ledger still knows.
fn named(
    incarnation: Incarnation,
    names: Names,
    number: EventNumber,
    event: Event,
) -> Option<(&'static str, Value)> {
    let who = || {
        json!({
            "product": names.product,
            "user": names.user,
            "computer": names.computer,
        })
    };
    Some(match event {
        Event::Granted { lease, .. } => {
            let mut data = who();
            data["lease"] = json!(lease.id.to_string());
            data["seats"] = json!(lease.seats);
            data["decision_id"] = json!(decision_id(lease.id));
            data["ticket"] = json!(lease.ticket.map(|ticket| ticket.to_string()));
            ("grant", data)
        }
        Event::Ended { lease, cause } => {
            let (kind, cause) = match cause {
                EndCause::CheckedIn => ("checkin", "checked_in"),
                EndCause::Expired => ("expire", "expired"),
                EndCause::Unclaimed => ("expire", "unclaimed"),
                EndCause::Idle => ("checkin", "idle"),
            };
            (kind, json!({ "ended": lease.0, "cause": cause }))
        }
        Event::Denied { denial, .. } => {
            let mut data = who();
            data["decision_id"] = json!(denial.id.to_string());
            data["seats"] = json!(denial.seats);
            data["reason"] = json!(records::reason(denial.reason));
            data["count"] = json!(1);
            ("denial", data)
        }
        Event::DeniedAgain {
            denial,
            reason,
            count,
            ..
        } => {
            let id = usher_core::ledger::DecisionId {
                incarnation,
                number: denial,
            };
            let mut data = who();
            data["decision_id"] = json!(id.to_string());
            data["reason"] = json!(records::reason(reason));
            data["count"] = json!(count);
            ("denial", data)
        }
        Event::Queued { ticket, .. } => {
            let mut data = who();
            data["ticket"] = json!(ticket.id.to_string());
            data["seats"] = json!(ticket.seats);
            data["state"] = json!("waiting");
            debug_assert_eq!(ticket.id.number, number);
            ("queue", data)
        }
        Event::TicketChanged { state, .. } => {
            let word = match state {
                // It was polled, which moves nobody.
                TicketState::Waiting { aside: None, .. } => return None,
                TicketState::Waiting { .. } => "passed_over",
                // It was fetched; that it was granted has been said.
                TicketState::Granted {
                    claim_until: None, ..
                } => return None,
                TicketState::Granted { .. } => "granted",
                TicketState::Expired { .. } => "expired",
                TicketState::Cancelled { .. } => "cancelled",
                TicketState::Denied { .. } => "denied",
            };
            let mut data = who();
            let ticket = names.ticket.as_ref()?;
            data["ticket"] = json!(ticket.id.to_string());
            data["seats"] = json!(ticket.seats);
            data["state"] = json!(word);
            ("queue", data)
        }
        Event::ProductPut { spec, .. } => {
            ("state", json!({ "product": &*spec.id, "change": "put" }))
        }
        Event::ProductRemoved { .. } => (
            "state",
            json!({ "product": names.product, "change": "removed" }),
        ),
        _ => return None,
    })
}

fn decision_id(lease: LeaseId) -> String {
    usher_core::ledger::DecisionId {
        incarnation: lease.incarnation,
        number: lease.number,
    }
    .to_string()
}
