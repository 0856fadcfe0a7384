//! Read access to a ledger.

use std::sync::Arc;

use super::kept::held::Held;
use super::*;

impl Ledger {
    /// The incarnation, with which ids of this life begin.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The number that the next event will have.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// The number of the last event that changed a product; 0 before the first. It grows with
    /// each change and is never used twice.
    pub fn catalogue_version(&self) -> u64 {
        self.catalogue_version
    }

    /// The product of that id, unless it was removed.
    pub fn product(&self, id: &str) -> Option<(ProductNumber, &Pool)> {
        let number = *self.product_by_id.get(id)?;
        let pool = self.pools.get(number)?;
        (!pool.listing.removed).then_some((number, pool))
    }

    /// The pool of that number, removed or not.
    pub fn pool(&self, number: ProductNumber) -> Option<&Pool> {
        self.pools.get(number)
    }

    /// All pools by number, those of removed products too.
    pub fn pools(&self) -> impl Iterator<Item = (ProductNumber, &Pool)> {
        self.pools.iter()
    }

    /// All entitlements by number.
    pub fn entitlements(&self) -> impl Iterator<Item = &Entitlement> {
        self.entitlements.values()
    }

    /// The entitlement with that number, and its seats in use.
    pub fn entitlement(&self, number: EntitlementNumber) -> Option<EntitlementView> {
        let entitlement = self.entitlements.get(&number)?;
        let pool = self.pools.get(entitlement.product)?;
        let lent = pool
            .lent
            .iter()
            .find(|l| l.allotment.number == entitlement.allotment);
        Some(EntitlementView {
            entitlement: entitlement.clone(),
            product: pool.listing.spec.id.clone(),
            in_use: lent.map_or(0, |l| l.in_use),
            details: self.described.get(number),
        })
    }

    /// The name, price and contract of the entitlement with that number.
    pub fn details(&self, number: EntitlementNumber) -> Details {
        self.described.get(number)
    }

    /// The lease with that number, if it is held.
    pub fn lease(&self, number: EventNumber) -> Option<Lease> {
        self.leases.get(number).map(Held::lease)
    }

    /// All leases that are held.
    pub fn leases(&self) -> impl Iterator<Item = Lease> {
        self.leases.iter().map(Held::lease)
    }

    /// Leases of a product that are kept for a later start, and that no session has claimed yet.
    pub fn kept(&self, product: ProductNumber) -> impl Iterator<Item = Lease> {
        let pool = self.pools.get(product).into_iter();
        let kept = pool.flat_map(|pool| &pool.kept);
        kept.filter_map(|number| self.lease(*number))
    }

    /// How many leases are held.
    pub fn lease_count(&self) -> usize {
        self.leases.len()
    }

    /// The ticket with that number, unless it is forgotten.
    pub fn ticket(&self, number: EventNumber) -> Option<&Ticket> {
        self.tickets.get(&number)
    }

    /// The waiting requests of a product, in the order in which they will be served; those that are
    /// passed over are in their places.
    pub fn waiting(&self, product: ProductNumber) -> impl Iterator<Item = &Ticket> {
        let pool = self.pools.get(product).into_iter();
        let places = pool.flat_map(Pool::places);
        places.filter_map(|(_, number)| self.tickets.get(&number))
    }

    /// The directory of people.
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// The directory of computers.
    pub fn computers(&self) -> &Computers {
        &self.computers
    }

    /// How far the items of a computer's agent are applied.
    pub fn mark(&self, computer: ComputerId) -> Mark {
        self.marks.get(&computer).copied().unwrap_or_default()
    }

    /// Until when nothing is granted after a restore; none: no hold.
    pub fn hold_until(&self) -> Option<Steady> {
        self.hold_until
    }

    /// The longest ttl that any product allows, in seconds.
    pub fn longest_ttl_seconds(&self) -> u32 {
        self.pools
            .values()
            .map(|p| p.listing.spec.max_ttl_seconds)
            .max()
            .unwrap_or(0)
    }

    pub(super) fn product_id(&self, number: ProductNumber) -> Arc<str> {
        self.pools
            .get(number)
            .map(|pool| pool.listing.spec.id.clone())
            .unwrap_or_default()
    }

    pub(super) fn user_name(&self, id: SubjectId) -> Arc<str> {
        self.subjects
            .get(id)
            .map(|subject| subject.name.clone())
            .unwrap_or_default()
    }

    pub(super) fn computer_name(&self, id: ComputerId) -> Arc<str> {
        self.computers
            .get(id)
            .map(|computer| computer.name.clone())
            .unwrap_or_default()
    }
}
