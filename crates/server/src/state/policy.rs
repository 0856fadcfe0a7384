//! The policy for agents: written and signed once for each version of the products.

use std::sync::{Arc, PoisonError, RwLock};

use usher_core::ledger::ProductSpec;

use crate::secrets::signing::PolicyKey;
use crate::wire::records;

/// What agents go by, as the JSON of its answer.
#[derive(Debug, Clone)]
pub(crate) struct PolicyText {
    /// Its version.
    pub(crate) version: u64,
    /// The JSON object.
    pub(crate) json: Arc<str>,
    /// The signature of that text.
    pub(crate) signature: Arc<str>,
    /// Products whose programs are held at the gate.
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
    /// Whether programs of the product are held at the gate.
    pub(crate) fn is_enforced(&self, product: &str) -> bool {
        let at = |known: &String| known.as_str().cmp(product);
        self.enforced.binary_search_by(at).is_ok()
    }
}

/// What agents go by, on its way: products as those of the version before can read them.
#[derive(serde::Serialize)]
struct Policy {
    version: u64,
    products: Vec<serde_json::Value>,
}

/// The policy as it was last written, and the key that signs it.
pub(crate) struct Policies {
    last: RwLock<Option<PolicyText>>,
    key: PolicyKey,
}

impl Policies {
    /// None is written yet.
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

    /// The one that was written after so many changes of the products, if it is the last.
    pub(crate) fn known(&self, changes: u64) -> Option<PolicyText> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.clone().filter(|known| known.changes == changes)
    }

    /// Writes the policy of a version of the products, as they are after so many changes.
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
