//! The policy for agents: written and signed once for each version of the products.

use std::sync::{Arc, PoisonError, RwLock};

use usher_core::ledger::ProductSpec;

use crate::secrets::signing::PolicyKey;
use crate::wire::records;

/// The policy that agents follow, as JSON.
#[derive(Debug, Clone)]
pub(crate) struct PolicyText {
    /// The version of the policy.
    pub(crate) version: u64,
    /// The policy as a JSON object.
    pub(crate) json: Arc<str>,
    /// The signature of that text.
    pub(crate) signature: Arc<str>,
    /// Products in mode `enforce`, whose programs the gate holds.
    enforced: Arc<[String]>,
    changes: u64,
}

#[cfg(test)]
impl PolicyText {
    /// A policy of that text and signature.
    pub(crate) fn of(version: u64, json: &str, signature: &str) -> Self {
        PolicyText {
            version,
            json: json.into(),
            signature: signature.into(),
            enforced: Arc::new([]),
            changes: 0,
        }
    }
}

impl PolicyText {
    /// Whether the gate holds programs of the product.
    pub(crate) fn is_enforced(&self, product: &str) -> bool {
        let at = |known: &String| known.as_str().cmp(product);
        self.enforced.binary_search_by(at).is_ok()
    }
}

/// The policy as it is sent: products in a form that agents of the previous version can read.
#[derive(serde::Serialize)]
struct Policy {
    version: u64,
    products: Vec<serde_json::Value>,
}

/// The last policy, and the key that signs policies.
pub(crate) struct Policies {
    last: RwLock<Option<PolicyText>>,
    key: PolicyKey,
}

impl Policies {
    /// A book without a policy.
    pub(crate) fn new(key: PolicyKey) -> Policies {
        Policies {
            last: RwLock::default(),
            key,
        }
    }

    /// The key that signs it.
    pub(crate) fn key(&self) -> &PolicyKey {
        &self.key
    }

    /// The policy after so many changes of the products, if it is the last one.
    pub(crate) fn known(&self, changes: u64) -> Option<PolicyText> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.clone().filter(|known| known.changes == changes)
    }

    /// Writes and signs the policy for the products after so many changes.
    pub(crate) fn write(&self, version: u64, specs: &[ProductSpec], changes: u64) -> PolicyText {
        let products: Vec<usher_api::Product> = specs.iter().map(records::product).collect();
        let policy = Policy {
            version,
            products: products.iter().map(records::for_others).collect(),
        };
        let held = |product: &usher_api::Product| product.mode == usher_api::Mode::Enforce;
        let enforced = products.into_iter().filter(held).map(|product| product.id);
        let mut enforced: Vec<String> = enforced.collect();
        enforced.sort_unstable();
        let json = serde_json::to_string(&policy).unwrap_or_default();
        let fresh = PolicyText {
            version,
            signature: self.key.sign(&json).into(),
            json: json.into(),
            enforced: enforced.into(),
            changes,
        };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        fresh
    }
}
