//! The answers of the hot routes, written straight into one buffer. They say exactly what the
//! types of usher-api say; a test holds the two against each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_core::ledger::{self, Also, DecisionId, ItemReply, Now, TicketView};

use crate::secrets::proof::Proof;
use crate::wire::text::Writer;

/// The names that a lease shows, which the ledger's own record does not hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Product id.
    pub(crate) product: &'a str,
    /// The person's name.
    pub(crate) user: &'a str,
    /// The computer's name.
    pub(crate) computer: &'a str,
}

/// Writes `also`, the further products of the same ask; nothing if there are none.
fn also(to: &mut Writer, also: &[Also]) {
    for (place, other) in also.iter().enumerate() {
        to.raw(if place == 0 { ",\"also\":[" } else { "," });
        to.raw("{\"product\":").string(&other.product);
        to.raw(",\"seats\":").number(u64::from(other.seats));
        if let Some(lease) = other.lease {
            to.raw(",\"lease\":").lease_id(lease);
        }
        to.raw("}");
    }
    if !also.is_empty() {
        to.raw("]");
    }
}

/// A lease and what is held with it, with its time counted from `now`; its proof only for who has
/// just been granted it.
pub(crate) fn lease(
    to: &mut Writer,
    lease: &ledger::Lease,
    held_with: &[Also],
    now: Now,
    names: Names<'_>,
    proof: Option<Proof>,
) {
    let left_ms = lease.deadline.since_ms(now.steady);
    let expires_at = now
        .wall
        .0
        .saturating_add(i64::try_from(left_ms).unwrap_or(i64::MAX));
    to.raw("{\"id\":").lease_id(lease.id);
    to.raw(",\"product\":").string(names.product);
    to.raw(",\"user\":").string(names.user);
    to.raw(",\"computer\":").string(names.computer);
    to.raw(",\"seats\":").number(u64::from(lease.seats));
    to.raw(",\"granted_at\":").instant(lease.granted_at.0);
    to.raw(",\"expires_at\":").instant(expires_at);
    to.raw(",\"ttl_seconds\":").number(left_ms / 1_000);
    if let Some(proof) = proof {
        to.raw(",\"proof\":").hex(&proof);
    }
    also(to, held_with);
    to.raw("}");
}

/// 201 of a checkout. Its time counts from the grant, so that a repeat is the same answer.
pub(crate) fn granted(
    granted: &ledger::Lease,
    held_with: &[Also],
    names: Names<'_>,
    proof: Proof,
) -> Vec<u8> {
    let mut to = Writer::with_capacity(368 + names.user.len() + names.computer.len());
    let at = Now {
        steady: granted.granted,
        wall: granted.granted_at,
    };
    let decision = DecisionId {
        incarnation: granted.id.incarnation,
        number: granted.id.number,
    };
    to.raw("{\"decision\":\"granted\",\"decision_id\":")
        .decision_id(decision)
        .raw(",\"lease\":");
    lease(&mut to, granted, held_with, at, names, Some(proof));
    to.raw("}");
    to.into_bytes()
}

/// 200 of a renewal.
pub(crate) fn renewed(
    renewed: &ledger::Lease,
    held_with: &[Also],
    now: Now,
    names: Names<'_>,
) -> Vec<u8> {
    let mut to = Writer::with_capacity(256 + names.user.len() + names.computer.len());
    lease(&mut to, renewed, held_with, now, names, None);
    to.into_bytes()
}

/// 202 of a checkout. `expires_at` counts from when it was queued, as that of a repeat does.
pub(crate) fn queued(view: &TicketView, product: &str) -> Vec<u8> {
    let mut to = Writer::with_capacity(320);
    let ticket = &view.ticket;
    let expires_at = ticket
        .queued_at
        .0
        .saturating_add_unsigned(ledger::KEEP_SECONDS * 1_000);
    let decision = DecisionId {
        incarnation: ticket.id.incarnation,
        number: ticket.id.number,
    };
    to.raw("{\"decision\":\"queued\",\"decision_id\":")
        .decision_id(decision)
        .raw(",\"ticket\":{\"id\":")
        .id(b'T', ticket.id.incarnation.0, ticket.id.number.0)
        .raw(",\"product\":")
        .string(product)
        .raw(",\"position\":")
        .number(u64::from(view.position))
        .raw(",\"expected_wait_seconds\":");
    match view.expected_wait_seconds {
        Some(seconds) => to.number(seconds),
        None => to.raw("null"),
    };
    to.raw(",\"expires_at\":").instant(expires_at);
    also(&mut to, &view.also);
    to.raw("}}");
    to.into_bytes()
}

/// An item's outcome in the answer to an agent, after its `sequence` field. `kept` says of products
/// how many seats are only kept for a start to come.
pub(crate) fn outcome(to: &mut Writer, reply: &ItemReply, kept: &BTreeMap<Arc<str>, u64>) {
    match reply {
        ItemReply::Granted { lease, ttl_seconds } => {
            to.raw("\"outcome\":\"granted\",\"lease\":")
                .lease_id(*lease)
                .raw(",\"ttl_seconds\":")
                .number(u64::from(*ttl_seconds));
        }
        ItemReply::Unseated(reason) => {
            to.raw("\"outcome\":\"unseated\",\"reason\":")
                .string(crate::wire::records::reason(*reason).as_str());
            if *reason == ledger::Reason::Undecided {
                to.raw(",\"undecided\":true");
            }
        }
        ItemReply::Renewed { ttl_seconds } => {
            to.raw("\"outcome\":\"renewed\",\"ttl_seconds\":")
                .number(u64::from(*ttl_seconds));
        }
        ItemReply::Done => {
            to.raw("\"outcome\":\"done\"");
        }
        ItemReply::UnknownSession => {
            to.raw("\"outcome\":\"unknown_session\"");
        }
        ItemReply::UnknownProduct => {
            to.raw("\"outcome\":\"unknown_product\"");
        }
        ItemReply::Denied(denied) => {
            let kept = kept.get(&denied.product).copied().unwrap_or(0);
            to.raw("\"outcome\":\"denied\",\"reason\":")
                .string(crate::wire::records::reason(denied.reason).as_str())
                .raw(",\"decision_id\":")
                .decision_id(denied.decision)
                .raw(",\"detail\":")
                .string(&crate::wire::records::held_program_denied(denied, kept));
        }
        ItemReply::Undecided => {
            to.raw("\"outcome\":\"undecided\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{CheckoutAnswer, SyncOutcome, SyncResult, Timestamp};
    use usher_core::ledger::*;

    fn a_lease() -> ledger::Lease {
        ledger::Lease {
            id: LeaseId {
                incarnation: Incarnation(0xab),
                number: EventNumber(7),
            },
            product: ProductNumber(1),
            subject: SubjectId(1),
            computer: ComputerId(1),
            seats: 2,
            ttl_seconds: 300,
            deadline: Steady(305_000),
            granted_at: Wall(1_700_000_000_123),
            granted: Steady(5_000),
            draws: Default::default(),
            session: None,
            ticket: None,
            holders: Box::default(),
            graced: false,
            program: None,
            bundle: None,
        }
    }

    fn a_pack() -> [Also; 2] {
        [
            Also {
                product: "pack \"A\"".into(),
                seats: 4,
                lease: Some(LeaseId {
                    incarnation: Incarnation(0xab),
                    number: EventNumber(8),
                }),
            },
            Also {
                product: "pack B".into(),
                seats: 1,
                lease: None,
            },
        ]
    }

    const NAMES: Names<'static> = Names {
        product: "cad",
        user: "ann \"the\\boss\" Ünal",
        computer: "pc1",
    };

    #[test]
    fn a_grant_says_what_the_type_says() {
        let written = granted(&a_lease(), &a_pack(), NAMES, [0x0c; 16]);
        let answer: CheckoutAnswer = serde_json::from_slice(&written).unwrap();
        let CheckoutAnswer::Granted { decision_id, lease } = &answer else {
            panic!("{answer:?}");
        };
        assert_eq!(decision_id, "D000000ab-7");
        assert_eq!(lease.id, a_lease().id.to_string());
        assert_eq!((lease.user.as_str(), lease.seats), (NAMES.user, 2));
        assert_eq!(lease.granted_at.as_millisecond(), 1_700_000_000_123);
        assert_eq!(lease.expires_at.as_millisecond(), 1_700_000_300_123);
        assert_eq!(lease.ttl_seconds, 300);
        assert_eq!(lease.proof, Some("0c".repeat(16)));
        assert_eq!(lease.also[0].product, "pack \"A\"");
        assert_eq!(lease.also[0].lease.as_deref(), Some("L000000ab-8"));
        assert_eq!((lease.also[1].seats, &lease.also[1].lease), (1, &None));
        assert_same(&written, &answer);
    }

    #[test]
    fn a_place_in_the_queue_says_what_the_type_says() {
        let lease = a_lease();
        for expected_wait_seconds in [None, Some(12)] {
            let view = TicketView {
                ticket: ledger::Ticket {
                    id: TicketId {
                        incarnation: lease.id.incarnation,
                        number: lease.id.number,
                    },
                    product: lease.product,
                    subject: lease.subject,
                    computer: lease.computer,
                    seats: 1,
                    ttl_seconds: 300,
                    priority: 0,
                    queued_at: lease.granted_at,
                    state: ledger::TicketState::Waiting {
                        alive_until: Steady(35_000),
                        aside: None,
                    },
                    program: None,
                    bundle: None,
                },
                also: Box::from(a_pack()),
                position: 3,
                expected_wait_seconds,
                lease: None,
            };
            let written = queued(&view, "cad");
            let answer: CheckoutAnswer = serde_json::from_slice(&written).unwrap();
            let CheckoutAnswer::Queued { ticket, .. } = &answer else {
                panic!("{answer:?}");
            };
            assert_eq!((ticket.position, ticket.id.as_str()), (3, "T000000ab-7"));
            assert_eq!(ticket.also.len(), 2);
            assert_eq!(ticket.expires_at.as_millisecond(), 1_700_000_030_123);
            assert_same(&written, &answer);
        }
    }

    #[test]
    fn outcomes_say_what_the_type_says() {
        let lease = a_lease().id;
        let replies = [
            (
                ItemReply::Granted {
                    lease,
                    ttl_seconds: 300,
                },
                SyncOutcome::Granted {
                    lease: lease.to_string(),
                    ttl_seconds: 300,
                },
            ),
            (
                ItemReply::Unseated(ledger::Reason::NoSeat),
                SyncOutcome::Unseated {
                    reason: usher_api::Reason::NoSeat,
                    undecided: false,
                },
            ),
            (
                ItemReply::Unseated(ledger::Reason::Undecided),
                SyncOutcome::Unseated {
                    reason: usher_api::Reason::NoSeat,
                    undecided: true,
                },
            ),
            (
                ItemReply::Renewed { ttl_seconds: 9 },
                SyncOutcome::Renewed { ttl_seconds: 9 },
            ),
            (ItemReply::Done, SyncOutcome::Done),
            (ItemReply::UnknownSession, SyncOutcome::UnknownSession),
            (ItemReply::UnknownProduct, SyncOutcome::UnknownProduct),
            (
                ItemReply::Denied(Box::new(ledger::DeniedItem {
                    decision: DecisionId {
                        incarnation: lease.incarnation,
                        number: lease.number,
                    },
                    reason: ledger::Reason::NoSeat,
                    product: "cad".into(),
                    seats: 1,
                    scene: ledger::Scene {
                        seats: 2,
                        in_use: 2,
                        queued: 0,
                    },
                })),
                SyncOutcome::Denied {
                    reason: usher_api::Reason::NoSeat,
                    decision_id: "D000000ab-7".to_owned(),
                    detail: "all 2 seats of cad are in use: start it again later, or wait for a \
                             seat with `usher run --product cad --wait -- PROGRAM`"
                        .to_owned(),
                },
            ),
            (ItemReply::Undecided, SyncOutcome::Undecided),
        ];
        for (reply, said) in replies {
            let mut to = Writer::with_capacity(64);
            to.raw("{\"sequence\":").number(4).raw(",");
            outcome(&mut to, &reply, &BTreeMap::new());
            to.raw("}");
            let read: SyncResult = serde_json::from_slice(&to.into_bytes()).unwrap();
            assert_eq!((read.sequence, read.outcome), (4, said));
        }
    }

    /// The same fields and values as serde would write, instants aside, whose fraction may be
    /// written longer.
    fn assert_same(written: &[u8], answer: &impl serde::Serialize) {
        fn instants_as_numbers(value: &mut serde_json::Value) {
            match value {
                serde_json::Value::Object(fields) => {
                    fields.values_mut().for_each(instants_as_numbers);
                }
                serde_json::Value::String(text) => {
                    if let Ok(instant) = text.parse::<Timestamp>() {
                        *value = instant.as_millisecond().into();
                    }
                }
                _ => {}
            }
        }
        let mut ours: serde_json::Value = serde_json::from_slice(written).unwrap();
        let mut theirs = serde_json::to_value(answer).unwrap();
        instants_as_numbers(&mut ours);
        instants_as_numbers(&mut theirs);
        assert_eq!(ours, theirs);
    }
}
