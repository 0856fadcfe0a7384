//! How events change products, entitlements and allotments.

use crate::ledger::kept::pool::Listing;
use crate::ledger::state::undo::Undo;
use crate::ledger::*;

impl Ledger {
    pub(super) fn change_product(
        &mut self,
        event: EventNumber,
        number: ProductNumber,
        spec: &ProductSpec,
    ) -> Undo {
        let created_at = self.now.wall;
        let version_before = std::mem::replace(&mut self.catalogue_version, event.0);
        if let Some(pool) = self.pools.get_mut(number) {
            let created_at = if pool.listing.removed {
                created_at
            } else {
                pool.listing.created_at
            };
            let listing = Listing {
                spec: spec.clone(),
                created_at,
                removed: false,
            };
            let before = std::mem::replace(&mut pool.listing, listing);
            return Undo::Product {
                product: number,
                before: Some(Box::new(before)),
                version_before,
            };
        }
        self.product_by_id.insert(spec.id.clone(), number);
        let listing = Listing {
            spec: spec.clone(),
            created_at,
            removed: false,
        };
        self.pools.insert(number, Pool::new(listing));
        Undo::Product {
            product: number,
            before: None,
            version_before,
        }
    }

    pub(super) fn undo_product(&mut self, number: ProductNumber, before: Option<Listing>) {
        match before {
            Some(before) => {
                if let Some(pool) = self.pools.get_mut(number) {
                    pool.listing = before;
                }
            }
            None => {
                if let Some(pool) = self.pools.remove(number) {
                    self.product_by_id.remove(&pool.listing.spec.id);
                }
            }
        }
    }

    pub(super) fn drop_product(&mut self, event: EventNumber, product: ProductNumber) -> Undo {
        let Some(pool) = self.pools.get_mut(product) else {
            return Undo::Nothing;
        };
        let before = pool.listing.clone();
        pool.listing.removed = true;
        Undo::Product {
            product,
            before: Some(Box::new(before)),
            version_before: std::mem::replace(&mut self.catalogue_version, event.0),
        }
    }

    /// Puts an entitlement in the place of the one with its number, or removes that; answers the
    /// former.
    pub(in crate::ledger) fn set_entitlement(
        &mut self,
        number: EntitlementNumber,
        entitlement: Option<Entitlement>,
    ) -> Option<Entitlement> {
        let before = match entitlement {
            Some(entitlement) => self.entitlements.insert(number, entitlement),
            None => self.entitlements.remove(&number),
        };
        let now = self.entitlements.get(&number);
        if let Some(product) = now.or(before.as_ref()).map(|it| it.product)
            && let Some(pool) = self.pools.get_mut(product)
        {
            pool.set_model(number, now.map(|entitlement| &entitlement.model));
        }
        before
    }

    pub(in crate::ledger) fn put_allotment(&mut self, allotment: Allotment) -> Undo {
        let (product, number) = (allotment.product, allotment.number);
        let entitlement = allotment.entitlement;
        let Some(pool) = self.pools.get_mut(product) else {
            return Undo::Nothing;
        };
        let before = pool.put_allotment(allotment);
        let owned = self.entitlements.get(&entitlement);
        pool.set_model(entitlement, owned.map(|entitlement| &entitlement.model));
        Undo::Allotment {
            product,
            number,
            before: before.map(Box::new),
        }
    }

    pub(super) fn undo_allotment(
        &mut self,
        product: ProductNumber,
        number: AllotmentNumber,
        before: Option<Allotment>,
    ) {
        if let Some(before) = before {
            self.put_allotment(before);
        } else if let Some(pool) = self.pools.get_mut(product) {
            pool.drop_allotment(number);
        }
    }
}
