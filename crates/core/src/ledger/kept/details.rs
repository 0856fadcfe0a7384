//! Entitlements' names and details, by number and by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ledger::words::details::Details;
use crate::ledger::words::ids::EntitlementNumber;

/// The details of all entitlements that have any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::ledger) struct Described {
    by_number: BTreeMap<EntitlementNumber, Details>,
    by_name: FxHashMap<Arc<str>, EntitlementNumber>,
}

impl Described {
    /// The details of an entitlement.
    pub(in crate::ledger) fn get(&self, number: EntitlementNumber) -> Details {
        self.by_number.get(&number).cloned().unwrap_or_default()
    }

    /// The entitlement of that name.
    pub(in crate::ledger) fn named(&self, name: &str) -> Option<EntitlementNumber> {
        self.by_name.get(name).copied()
    }

    /// Replaces the details of an entitlement; answers the former ones.
    pub(in crate::ledger) fn put(
        &mut self,
        number: EntitlementNumber,
        details: Details,
    ) -> Details {
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
