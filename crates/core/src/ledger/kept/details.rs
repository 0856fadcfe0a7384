//! What is said of entitlements besides their seats and dates: a name of the organisation's own, and
//! what the ledger carries without looking into it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::ledger::words::ids::EntitlementNumber;

/// What is said of an entitlement besides its seats and dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// A name that no other entitlement of the ledger has; none if nobody gave one.
    pub name: Option<Arc<str>>,
    /// Price, contract and their like, opaque here; empty if nothing is said.
    pub document: Arc<str>,
}

impl Details {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.document.is_empty()
    }
}

/// The details of all entitlements of which anything is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Described {
    by_number: BTreeMap<EntitlementNumber, Details>,
    by_name: FxHashMap<Arc<str>, EntitlementNumber>,
}

impl Described {
    /// What is said of an entitlement.
    pub(in crate::ledger) fn get(&self, number: EntitlementNumber) -> Details {
        self.by_number.get(&number).cloned().unwrap_or_default()
    }

    /// The entitlement of that name.
    pub(in crate::ledger) fn named(&self, name: &str) -> Option<EntitlementNumber> {
        self.by_name.get(name).copied()
    }

    /// Says something else of an entitlement; what was said of it before.
    pub(in crate::ledger) fn put(&mut self, number: EntitlementNumber, details: Details) -> Details {
        let before = self.by_number.remove(&number).unwrap_or_default();
        if let Some(name) = &before.name
            && self.named(name) == Some(number)
        {
            self.by_name.remove(name);
        }
        if let Some(name) = &details.name {
            self.by_name.insert(name.clone(), number);
        }
        if !details.is_empty() {
            self.by_number.insert(number, details);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Details {
        Details {
            name: Some(name.into()),
            ..Details::default()
        }
    }

    #[test]
    fn a_name_leads_to_its_entitlement_until_that_has_another_or_none() {
        let (one, two) = (EntitlementNumber(1), EntitlementNumber(2));
        let mut described = Described::default();
        assert_eq!(described.put(one, named("cad-2026")), Details::default());
        assert_eq!(described.named("cad-2026"), Some(one));
        assert_eq!(described.put(one, named("cad-2027")), named("cad-2026"));
        assert_eq!(described.named("cad-2026"), None);
        described.put(two, named("cad-2026"));
        described.put(one, Details::default());
        assert_eq!(described.named("cad-2027"), None);
        assert_eq!(described.named("cad-2026"), Some(two));
        described.put(two, Details::default());
        assert_eq!(
            described,
            Described::default(),
            "nothing is kept of nothing"
        );
    }
}
