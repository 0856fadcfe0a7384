//! The ledger's records in the words of the wire.

use usher_api as api;
use usher_core::concerns::counted;
use usher_core::ledger::{self, AllotmentNumber, EntitlementNumber, LeaseId, Now, ProductSpec};

use crate::base::hex::hex;
use crate::base::time::timestamp;
use crate::secrets::proof::Proof;

/// A reason.
pub(crate) fn reason(reason: ledger::Reason) -> api::Reason {
    match reason {
        // Who is undecided is refused nothing, and told so in another way.
        ledger::Reason::NoSeat | ledger::Reason::Undecided => api::Reason::NoSeat,
        ledger::Reason::NoEntitlement => api::Reason::NoEntitlement,
        ledger::Reason::EntitlementExpired => api::Reason::EntitlementExpired,
        ledger::Reason::ProductDisabled => api::Reason::ProductDisabled,
        ledger::Reason::QueueFull => api::Reason::QueueFull,
        ledger::Reason::Impossible => api::Reason::Impossible,
        ledger::Reason::NotYetValid => api::Reason::NotYetValid,
    }
}

/// Why seats were refused, and what to do; `next` is for who might have one another time.
pub(crate) fn denial(
    product: &str,
    seats: u32,
    next: &str,
    reason: ledger::Reason,
    scene: ledger::Scene,
) -> String {
    let ledger::Scene {
        seats: total,
        in_use,
        queued,
    } = scene;
    match reason {
        ledger::Reason::NoSeat if u64::from(seats) > total => format!(
            "{} of {product} {} asked for, and there {} in all: ask for fewer",
            counted(u64::from(seats), "seat"),
            was_were(u64::from(seats)),
            is_are(total)
        ),
        ledger::Reason::NoSeat => {
            let others = match queued {
                0 => String::new(),
                1 => ", and 1 other waits already".to_owned(),
                n => format!(", and {n} others wait already"),
            };
            let taken = taken(product, seats, total, in_use);
            format!("{taken}{others}: {next}")
        }
        ledger::Reason::NoEntitlement => format!(
            "the organisation owns no seats of {product}: add them with `usher entitlement add \
             {product} --seats N`"
        ),
        ledger::Reason::EntitlementExpired => format!(
            "the seats of {product} are valid no more: look at their dates with `usher \
             entitlement list`"
        ),
        ledger::Reason::NotYetValid => format!(
            "the seats of {product} are not valid yet: `usher entitlement list` shows from when \
             on they are"
        ),
        ledger::Reason::ProductDisabled => {
            format!("product {product} is switched off: ask who administers it")
        }
        ledger::Reason::Undecided => {
            format!("nobody is granted a seat of {product} for now: ask again later")
        }
        ledger::Reason::Impossible => format!(
            "it waited for {} of {product}, and there {} in all: ask for fewer, or look at what is \
             owned with `usher entitlement list`",
            counted(u64::from(seats), "seat"),
            is_are(total)
        ),
        ledger::Reason::QueueFull => format!(
            "{in_use} of {} of {product} {} in use and {} {}, which is the most that may wait: try \
             again later",
            counted(total, "seat"),
            if total == 1 { "is" } else { "are" },
            counted(u64::from(queued), "request"),
            if queued == 1 { "waits" } else { "wait" }
        ),
    }
}

pub(crate) fn was_were(count: u64) -> &'static str {
    match count {
        1 => "was",
        _ => "were",
    }
}

fn is_are(count: u64) -> String {
    match count {
        1 => "is 1".to_owned(),
        many => format!("are {many}"),
    }
}

/// Where the seats are that somebody asked for in vain.
fn taken(product: &str, seats: u32, total: u64, in_use: u64) -> String {
    let free = total.saturating_sub(in_use);
    match (total, free) {
        (1, 0) => format!("the only seat of {product} is in use"),
        (_, 0) => format!("all {total} seats of {product} are in use"),
        (_, 1) if seats > 1 => {
            format!("only 1 of {total} seats of {product} is free, and {seats} were asked for")
        }
        _ if u64::from(seats) > free => {
            format!(
                "only {free} of {total} seats of {product} are free, and {seats} were asked for"
            )
        }
        _ => format!("the free seats of {product} belong to those who wait"),
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

/// The same, of a program that was held for a seat.
pub(crate) fn held_program_denied(denied: &ledger::DeniedItem) -> String {
    let next = "start it again later, or wait for a seat with `usher run --wait`";
    let (seats, reason, scene) = (denied.seats, denied.reason, denied.scene);
    denial(&denied.product, seats, next, reason, scene)
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

/// A product for those who may be of the version before: what came since is said only where it is
/// not as it would be without.
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
        proof: Some(hex(&proof)),
        joined: 0,
        also: Vec::new(),
        with: None,
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

/// A lease's id, where the text is one.
pub(crate) fn lease_id(text: &str) -> Option<LeaseId> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
