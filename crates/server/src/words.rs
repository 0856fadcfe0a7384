//! The ledger's records in the words of the wire.

use usher_api as api;
use usher_core::ledger::{self, AllotmentNumber, EntitlementNumber, LeaseId, Now, ProductSpec};

use crate::input::timestamp;

/// A reason.
pub(crate) fn reason(reason: ledger::Reason) -> api::Reason {
    match reason {
        ledger::Reason::NoSeat => api::Reason::NoSeat,
        ledger::Reason::NoEntitlement => api::Reason::NoEntitlement,
        ledger::Reason::EntitlementExpired => api::Reason::EntitlementExpired,
        ledger::Reason::ProductDisabled => api::Reason::ProductDisabled,
        ledger::Reason::QueueFull => api::Reason::QueueFull,
    }
}

/// A reason as the tables hold it.
pub(crate) fn kept_reason(word: &str) -> Option<api::Reason> {
    serde_json::from_value(serde_json::Value::from(word)).ok()
}

/// A product's document, as the ledger carries it without looking into it.
pub(crate) fn document(product: &api::Product) -> String {
    serde_json::to_string(product).unwrap_or_default()
}

/// The product out of its document; what the ledger itself holds is taken from there.
pub(crate) fn product(spec: &ProductSpec) -> api::Product {
    let read = serde_json::from_str::<api::Product>(&spec.document);
    let product = read.unwrap_or_else(|_| api::Product {
        // A later version wrote what this one cannot read: what decides is still known.
        id: String::new(),
        name: String::new(),
        publisher: String::new(),
        programs: Vec::new(),
        mode: api::Mode::Track,
        enabled: true,
        max_ttl_seconds: 0,
        queue_limit: 0,
        counting: match spec.shared_by_subject {
            true => api::Counting::User,
            false => api::Counting::UserOnComputer,
        },
        on_unreachable: api::OnUnreachable::Run,
        on_lost_lease: api::OnLostLease::Run,
        force: false,
    });
    api::Product {
        id: spec.id.to_string(),
        enabled: spec.enabled,
        max_ttl_seconds: spec.max_ttl_seconds,
        queue_limit: spec.queue_limit,
        ..product
    }
}

/// What the ledger must know of a product, and its document.
pub(crate) fn product_spec(product: &api::Product) -> ProductSpec {
    ProductSpec {
        id: product.id.as_str().into(),
        enabled: product.enabled,
        max_ttl_seconds: product.max_ttl_seconds,
        queue_limit: product.queue_limit,
        shared_by_subject: product.counting == api::Counting::User,
        document: document(product).into(),
    }
}

/// An entitlement's id.
pub(crate) fn entitlement_id(number: EntitlementNumber) -> String {
    format!("E{}", number.0)
}

/// The entitlement of that id.
pub(crate) fn entitlement_number(id: &str) -> Option<EntitlementNumber> {
    let number = EntitlementNumber(id.strip_prefix('E')?.parse().ok()?);
    (entitlement_id(number) == id).then_some(number)
}

/// An allotment's id.
pub(crate) fn allotment_id(number: AllotmentNumber) -> String {
    format!("A{}", number.0)
}

/// An entitlement.
pub(crate) fn entitlement(view: &ledger::EntitlementView) -> api::Entitlement {
    let entitlement = &view.entitlement;
    api::Entitlement {
        id: entitlement_id(entitlement.number),
        product: view.product.to_string(),
        metric: api::Metric::Concurrent,
        seats: entitlement.seats,
        overdraft: entitlement.overdraft,
        from: entitlement.from.map(|from| timestamp(from.0)),
        to: entitlement.to.map(|to| timestamp(to.0)),
        in_use: view.in_use,
        allotment: allotment_id(entitlement.allotment),
    }
}

/// The wall clock's time of a later instant, as an estimate.
pub(crate) fn estimate(deadline: ledger::Steady, now: Now) -> api::Timestamp {
    let left_ms = i64::try_from(deadline.since_ms(now.steady)).unwrap_or(i64::MAX);
    timestamp(now.wall.0.saturating_add(left_ms))
}

/// Whole seconds from now to an instant.
pub(crate) fn seconds_left(deadline: ledger::Steady, now: Now) -> u32 {
    u32::try_from(deadline.since_ms(now.steady) / 1_000).unwrap_or(u32::MAX)
}

/// A lease, with its time counted from `now`.
pub(crate) fn lease(
    lease: &ledger::Lease,
    now: Now,
    product: &str,
    user: &str,
    computer: &str,
) -> api::Lease {
    api::Lease {
        id: lease.id.to_string(),
        product: product.to_owned(),
        user: user.to_owned(),
        computer: computer.to_owned(),
        seats: lease.seats,
        granted_at: timestamp(lease.granted_at.0),
        expires_at: estimate(lease.deadline, now),
        ttl_seconds: seconds_left(lease.deadline, now),
        allotments: Vec::new(),
    }
}

/// A lease's id, where the text is one.
pub(crate) fn lease_id(text: &str) -> Option<LeaseId> {
    text.parse().ok()
}
