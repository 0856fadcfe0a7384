//! Commands about products and entitlements.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::ledger::words::event::Event;

impl Ledger {
    pub(super) fn put_product(&mut self, spec: ProductSpec, new: bool) -> Reply {
        let known = self.product_by_id.get(&spec.id).copied();
        let listed = self.product(&spec.id).is_some();
        if new && listed {
            return Reply::ProductExists;
        }
        if !new && !listed {
            return Reply::UnknownProduct;
        }
        let product = known.unwrap_or_else(|| self.pools.next_number());
        self.emit(Event::ProductPut {
            product,
            spec: spec.clone(),
        });
        self.promote(product);
        Reply::Product(spec)
    }

    pub(super) fn remove_product(&mut self, id: &str) -> Reply {
        let Some((product, pool)) = self.product(id) else {
            return Reply::UnknownProduct;
        };
        let waiting: Vec<EventNumber> = pool.places().map(|(_, number)| number).collect();
        let owned: Vec<EntitlementNumber> = self
            .entitlements
            .values()
            .filter(|entitlement| entitlement.product == product)
            .map(|entitlement| entitlement.number)
            .collect();
        let forget_at = self.now.steady.plus_seconds(super::time::FORGET_SECONDS);
        // Before its seats are taken away: nobody who waits is to be granted what is left of them.
        let mut others: BTreeSet<ProductNumber> = BTreeSet::new();
        for ticket in waiting {
            let together = self.tickets_with(ticket);
            self.set_tickets(&together, TicketState::Cancelled { forget_at });
            others.extend(self.products_of(&together));
        }
        for entitlement in owned {
            self.remove_entitlement(entitlement);
        }
        self.emit(Event::ProductRemoved { product });
        others.remove(&product);
        self.promote_each(others);
        Reply::Done
    }

    pub(super) fn add_entitlement(&mut self, terms: &EntitlementTerms) -> Reply {
        let Some((product, _)) = self.product(&terms.product) else {
            return Reply::UnknownProduct;
        };
        if let Some(taken) = self.has_name(None, terms) {
            return Reply::NameTaken(taken);
        }
        // Numbers are never given twice, not even after a removal: they are those of the events.
        let number = self.next_number;
        let (entitlement, allotment) = (EntitlementNumber(number), AllotmentNumber(number));
        self.own(entitlement, allotment, product, terms)
    }

    pub(super) fn change_entitlement(
        &mut self,
        number: EntitlementNumber,
        terms: &EntitlementTerms,
    ) -> Reply {
        let Some(before) = self.entitlements.get(&number) else {
            return Reply::UnknownEntitlement;
        };
        let (product, allotment) = (before.product, before.allotment);
        if self.product(&terms.product).map(|(number, _)| number) != Some(product) {
            return Reply::ProductFixed;
        }
        if let Some(taken) = self.has_name(Some(number), terms) {
            return Reply::NameTaken(taken);
        }
        self.own(number, allotment, product, terms)
    }

    /// The other entitlement that already has the name in `terms`, if there is one.
    fn has_name(
        &self,
        number: Option<EntitlementNumber>,
        terms: &EntitlementTerms,
    ) -> Option<EntitlementNumber> {
        let name = terms.details.as_ref()?.name.as_ref()?;
        let taken = self.described.named(name)?;
        (Some(taken) != number).then_some(taken)
    }

    /// Changes the details of an entitlement, if they differ.
    fn describe(&mut self, entitlement: EntitlementNumber, details: Details) {
        if details != self.described.get(entitlement) {
            self.emit(Event::EntitlementDescribed {
                entitlement,
                details,
            });
        }
    }

    /// Enters an entitlement, and lends its seats to this server itself.
    fn own(
        &mut self,
        number: EntitlementNumber,
        allotment: AllotmentNumber,
        product: ProductNumber,
        terms: &EntitlementTerms,
    ) -> Reply {
        let EntitlementTerms {
            model,
            from,
            to,
            details,
            product: _,
        } = terms.clone();
        let seats = model.seats_in_all();
        self.emit(Event::EntitlementPut(Entitlement {
            number,
            product,
            model,
            from: from.clone(),
            to: to.clone(),
            allotment,
        }));
        self.emit(Event::AllotmentPut(Allotment {
            number: allotment,
            product,
            entitlement: number,
            seats,
            from,
            to,
            deadline: None,
        }));
        if let Some(details) = details {
            self.describe(number, details);
        }
        self.promote(product);
        match self.entitlement(number) {
            Some(view) => Reply::Entitlement(view),
            None => Reply::UnknownEntitlement,
        }
    }

    pub(super) fn remove_entitlement(&mut self, number: EntitlementNumber) -> Reply {
        let Some(gone) = self.entitlements.get(&number).cloned() else {
            return Reply::UnknownEntitlement;
        };
        // Its leases live as long as they were told, or move to what else is owned; the empty
        // allotment counts them until the last has ended.
        self.emit(Event::AllotmentPut(Allotment {
            number: gone.allotment,
            product: gone.product,
            entitlement: number,
            seats: 0,
            from: None,
            to: None,
            deadline: None,
        }));
        self.describe(number, Details::default());
        self.emit(Event::EntitlementRemoved {
            entitlement: number,
        });
        // Who waits for more than is left is passed over from now on.
        self.promote(gone.product);
        Reply::Done
    }

    /// The id of an entitlement's product.
    pub fn product_of(&self, number: EntitlementNumber) -> Option<Arc<str>> {
        let entitlement = self.entitlements.get(&number)?;
        Some(self.pools.get(entitlement.product)?.listing.spec.id.clone())
    }
}
