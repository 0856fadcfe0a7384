//! Which seats of what a plan removes are in use, and who waits for them.

use std::collections::{BTreeMap, BTreeSet};

use usher_api::Status;
use usher_api::client::Client;
use usher_core::policy::Change;

use super::convert;
use super::held::Held;
use super::plan::Plan;
use crate::commands::entitlement::losses::{still_used, waiting};

/// A sentence for each removal that affects somebody. Who waits is not known if the server does not
/// give its status.
pub(super) async fn of(client: &Client, held: &Held, plan: &Plan) -> Vec<String> {
    let removed: BTreeSet<&str> = plan
        .difference
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::RemoveProduct { id, .. } => Some(&**id),
            _ => None,
        })
        .collect();
    let waiting: BTreeMap<String, u64> = match removed.is_empty() {
        true => BTreeMap::new(),
        false => {
            let status: Option<Status> = client.get("/v1/status").await.ok();
            let products = status.into_iter().flat_map(|status| status.products);
            products.map(|it| (it.id, it.queued)).collect()
        }
    };
    let mut told = Vec::new();
    for id in &removed {
        let in_use = held.in_use(id);
        let waits = waiting.get(*id).copied().unwrap_or(0);
        told.extend(of_product(id, in_use, waits));
    }
    for change in &plan.difference.changes {
        let Change::RemoveEntitlement { name, terms } = change else {
            continue;
        };
        let of_it = |it: &&usher_api::Entitlement| convert::name(it) == name;
        let in_use = held.entitlements.iter().find(of_it);
        let in_use = in_use.map_or(0, |it| it.in_use);
        if in_use > 0 && !removed.contains(&*terms.product) {
            told.push(format!("{name}: {}", still_used(in_use)));
        }
    }
    told
}

/// What happens to people who use a product that is removed, and to those who wait for it.
fn of_product(id: &str, in_use: u64, waits: u64) -> Option<String> {
    let used = (in_use > 0).then(|| still_used(in_use));
    let waited = (waits > 0).then(|| waiting(waits));
    let both: Vec<String> = used.into_iter().chain(waited).collect();
    (!both.is_empty()).then(|| format!("product {id}: {}", both.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_uses_or_waits_for_what_is_removed_is_counted() {
        assert_eq!(of_product("px", 0, 0), None);
        insta::assert_snapshot!(of_product("px", 1, 1).unwrap(), @"product px: 1 seat of it is in use, and stays so until it is given back; 1 request waits for a seat of it, and is then refused");
        insta::assert_snapshot!(of_product("px", 2, 3).unwrap(), @"product px: 2 seats of it are in use, and stay so until they are given back; 3 requests wait for a seat of it, and are then refused");
    }
}
