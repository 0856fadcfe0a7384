//! Converts the ledger's records to types of the API.

use data_encoding::HEXLOWER;
use usher_api as api;
use usher_core::ledger::{self, AllotmentNumber, EntitlementNumber, LeaseId, Now, ProductSpec};

use crate::base::time::timestamp;
use crate::secrets::proof::Proof;

/// A reason.
pub(crate) fn reason(reason: ledger::Reason) -> api::Reason {
    api::Reason::of_word(reason.wire_word()).unwrap_or(api::Reason::NotPermitted)
}

/// Why seats were refused, and what to do; `next` is for who might have one another time. `kept` of
/// those in use are kept for a start to come.
pub(crate) fn denial(
    product: &str,
    seats: u32,
    next: &str,
    reason: ledger::Reason,
    (scene, kept): (ledger::Scene, u64),
) -> String {
    reason.sentence(&ledger::Refused {
        product,
        seats,
        total: scene.seats,
        in_use: scene.in_use,
        queued: scene.queued,
        kept,
        next,
    })
}

pub(crate) fn was_were(count: u64) -> &'static str {
    match count {
        1 => "was",
        _ => "were",
    }
}

/// Why others are served before somebody who waits, for one product or for several.
pub(crate) fn passed_over(product: &str, seats: u32, also: &[ledger::Also]) -> String {
    if !also.is_empty() {
        let mut products = product.to_owned();
        for other in also {
            products.push_str(if other == also.last().unwrap_or(other) {
                " or "
            } else {
                ", "
            });
            products.push_str(&other.product);
        }
        return format!(
            "of {products} fewer seats are owned now than were asked for, in use or not, or one is \
             switched off, so others are served first"
        );
    }
    let fewer = match seats {
        1 => "no seat is owned now".to_owned(),
        asked => format!("fewer than {asked} seats are owned now"),
    };
    format!("of {product} {fewer}, in use or not, so others are served first")
}

/// The same, of a program that was held for a seat; so many of the seats in use are only kept.
pub(crate) fn held_program_denied(denied: &ledger::DeniedItem, kept: u64) -> String {
    let run = waiting_run(&denied.product, denied.seats, "");
    let next = format!("start it again later, or wait for a seat with `{run}`");
    let (seats, reason, scene) = (denied.seats, denied.reason, denied.scene);
    denial(&denied.product, seats, &next, reason, (scene, kept))
}

/// The command that waits for seats of a product, to be typed with the program's own in the place of
/// PROGRAM; `also` is what else is asked for, as options.
pub(crate) fn waiting_run(product: &str, seats: u32, also: &str) -> String {
    let seats = match seats {
        1 => String::new(),
        many => format!(" --seats {many}"),
    };
    format!("usher run --product {product}{seats}{also} --wait -- PROGRAM")
}

/// A reason as the tables hold it.
pub(crate) fn kept_reason(word: &str) -> Option<api::Reason> {
    // Not as answers are read: there a word that is not known is taken as a refusal.
    api::Reason::of_word(word)
}

/// A product's document, as the ledger carries it without looking into it.
pub(crate) fn document(product: &api::Product) -> String {
    serde_json::to_string(&for_others(product)).unwrap_or_default()
}

/// A product for readers that may be of the version before: a newer field is written only if it
/// differs from its default.
pub(crate) fn for_others(product: &api::Product) -> serde_json::Value {
    let since: [(&str, serde_json::Value); 6] = [
        ("claim_seconds", api::DEFAULT_CLAIM_SECONDS.into()),
        ("idle_seconds", 0.into()),
        ("on_idle", "nothing".into()),
        ("grace_seconds", api::DEFAULT_GRACE_SECONDS.into()),
        ("impossible_seconds", api::DEFAULT_IMPOSSIBLE_SECONDS.into()),
        ("show_holders", false.into()),
    ];
    let mut value = serde_json::to_value(product).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        for (field, default) in since {
            if fields.get(field) == Some(&default) {
                fields.remove(field);
            }
        }
    }
    value
}

/// The product out of its document; what the ledger itself holds is taken from there.
pub(crate) fn product(spec: &ProductSpec) -> api::Product {
    let read = serde_json::from_str::<api::KnownProduct>(&spec.document);
    let product = read
        .map(|known| known.product)
        .unwrap_or_else(|_| api::Product {
            // A later version wrote what this one cannot read: what decides is still known.
            id: String::new(),
            name: String::new(),
            publisher: String::new(),
            programs: Vec::new(),
            mode: api::Mode::Track,
            enabled: true,
            max_ttl_seconds: 0,
            queue_limit: 0,
            impossible_seconds: 0,
            counting: match spec.shared_by_subject {
                true => api::Counting::User,
                false => api::Counting::UserOnComputer,
            },
            on_unreachable: api::OnUnreachable::Run,
            on_lost_lease: api::OnLostLease::Run,
            claim_seconds: api::DEFAULT_CLAIM_SECONDS,
            idle_seconds: 0,
            on_idle: api::OnIdle::Nothing,
            grace_seconds: api::DEFAULT_GRACE_SECONDS,
            show_holders: false,
            force: false,
        });
    api::Product {
        id: spec.id.to_string(),
        enabled: spec.enabled,
        max_ttl_seconds: spec.max_ttl_seconds,
        queue_limit: spec.queue_limit,
        impossible_seconds: spec.impossible_seconds,
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
        impossible_seconds: product.impossible_seconds,
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
    proof: Proof,
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
        proof: Some(HEXLOWER.encode(&proof)),
        joined: 0,
        also: Vec::new(),
        with: None,
        kept_seconds: None,
        idle_seconds: None,
    }
}

/// A further product of the same ask.
pub(crate) fn also(other: &ledger::Also) -> api::Also {
    api::Also {
        product: other.product.to_string(),
        seats: other.seats,
        lease: other.lease.map(|lease| lease.to_string()),
    }
}

/// The text as a lease's id; none if it is not one.
pub(crate) fn lease_id(text: &str) -> Option<LeaseId> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_knows_every_reason_of_the_ledger() {
        for known in ledger::Reason::ALL {
            let word = known.wire_word();
            assert_eq!(reason(*known).as_str(), word);
        }
    }

    #[test]
    fn a_product_is_read_back_whole_also_with_what_a_later_version_says_of_it() {
        let plain = r#"{"id": "cad", "programs": ["name=cad"], "mode": "enforce"}"#;
        let mut cad: api::Product = serde_json::from_str(plain).unwrap();
        for since in [
            "claim_seconds",
            "idle_seconds",
            "on_idle",
            "grace_seconds",
            "show_holders",
        ] {
            let is_said = document(&cad).contains(since);
            assert!(!is_said, "{since} is as it would be without");
        }
        cad.on_idle = api::OnIdle::Release;
        cad.idle_seconds = 1_800;
        cad.grace_seconds = 60;
        cad.claim_seconds = 7;
        cad.show_holders = true;
        let mut spec = product_spec(&cad);
        assert_eq!(product(&spec), cad);
        let later = spec.document.replacen('{', r#"{"colour": "red", "#, 1);
        spec.document = later.as_str().into();
        assert_eq!(product(&spec), cad);
        let policy = format!(r#"{{"version": 1, "products": [{later}]}}"#);
        let policy: api::Policy = serde_json::from_str(&policy).unwrap();
        assert_eq!(policy.products, [cad]);
    }
}
