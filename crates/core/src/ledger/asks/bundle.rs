//! One request for several products: all are granted, or none.
//!
//! Each product has a lease of its own, or a ticket of its own in its queue, so that what is in
//! use, who waits and what was refused are counted there like those of any other ask. What makes
//! them one is [`Bundle`]: they change together. A bundle is served when it is first in all of its
//! queues and there are seats in all; its tickets have numbers that follow one another, so two
//! bundles stand in the same order wherever both wait, and none waits for the other in a circle.

use smallvec::SmallVec;

use crate::ledger::judge::ask::{AskPart, Parts, Way};
use crate::ledger::kept::held::Held;
use crate::ledger::*;

/// The largest number of products in one request.
pub const BUNDLE_LIMIT: usize = 16;

/// The products of a request and the seats of each; usually one.
pub(in crate::ledger) type Wanted = SmallVec<[Other; 1]>;

/// Which product of a request does not exist.
pub(in crate::ledger) enum Unknown {
    /// The one that was named first.
    First,
    /// A further one, by its id.
    Other(Arc<str>),
}

impl From<Unknown> for Reply {
    fn from(unknown: Unknown) -> Reply {
        match unknown {
            Unknown::First => Reply::UnknownProduct,
            Unknown::Other(product) => Reply::UnknownOther(product),
        }
    }
}

impl Ledger {
    /// Looks up the products of a checkout.
    pub(in crate::ledger) fn wanted(&self, checkout: &Checkout) -> Result<Wanted, Unknown> {
        let (product, _) = self.product(&checkout.product).ok_or(Unknown::First)?;
        let seats = checkout.seats;
        let mut wanted = Wanted::new();
        wanted.push(Other { product, seats });
        for with in &checkout.also {
            let (product, _) = self
                .product(&with.product)
                .ok_or_else(|| Unknown::Other(with.product.clone()))?;
            let seats = with.seats;
            wanted.push(Other { product, seats });
        }
        Ok(wanted)
    }

    /// The parts of a checkout for these products.
    pub(in crate::ledger) fn parts(
        checkout: &Checkout,
        wanted: &[Other],
        (subject, computer): (SubjectId, ComputerId),
        ttl_seconds: u32,
    ) -> Parts {
        let part = |own: &Other| AskPart {
            product: own.product,
            subject,
            computer,
            session: None,
            seats: own.seats,
            ttl_seconds,
            waits: checkout.wait,
            priority: checkout.priority,
            program: checkout.program.clone(),
            also: wanted
                .iter()
                .copied()
                .filter(|other| other.product != own.product)
                .collect(),
            way: Way::New,
        };
        wanted.iter().map(part).collect()
    }

    /// The bundle of so many events from the next one on; none if it is one event.
    pub(in crate::ledger) fn next_bundle(&self, count: usize) -> Option<Bundle> {
        let count = u8::try_from(count).ok().filter(|count| *count > 1)?;
        Some(Bundle {
            first: EventNumber(self.next_number),
            count,
        })
    }

    /// The further products that are held with a lease.
    pub fn held_with(&self, lease: &Lease) -> Box<[Also]> {
        let Some(bundle) = lease.bundle else {
            return Box::default();
        };
        let others = bundle.numbers().filter(|other| *other != lease.id.number);
        others
            .filter_map(|number| self.leases.get(number))
            .map(|other| Also {
                product: self.product_id(other.product),
                seats: other.seats,
                lease: Some(other.id()),
            })
            .collect()
    }

    /// The further products that a ticket waits for or was granted.
    pub(in crate::ledger) fn waits_with(&self, ticket: &Ticket) -> Box<[Also]> {
        let Some(bundle) = ticket.bundle else {
            return Box::default();
        };
        let others = bundle.numbers().filter(|other| *other != ticket.id.number);
        others
            .filter_map(|number| self.tickets.get(&number))
            .map(|other| Also {
                product: self.product_id(other.product),
                seats: other.seats,
                lease: match other.state {
                    TicketState::Granted { lease, .. } => {
                        self.leases.get(lease.number).map(Held::id)
                    }
                    _ => None,
                },
            })
            .collect()
    }

    /// The leases that one is held with, itself among them, in order.
    pub(in crate::ledger) fn leases_with(&self, number: EventNumber) -> SmallVec<[EventNumber; 1]> {
        let Some(lease) = self.leases.get(number) else {
            return SmallVec::new();
        };
        match lease.bundle() {
            None => SmallVec::from_elem(number, 1),
            Some(bundle) => {
                let is_held = |number: &EventNumber| self.leases.get(*number).is_some();
                bundle.numbers().filter(is_held).collect()
            }
        }
    }

    /// The tickets that one waits with, itself among them, in order.
    pub(in crate::ledger) fn tickets_with(
        &self,
        number: EventNumber,
    ) -> SmallVec<[EventNumber; 1]> {
        let bundle = self.tickets.get(&number).and_then(|ticket| ticket.bundle);
        let kept = |number: &EventNumber| self.tickets.contains_key(number);
        Bundle::all_of(bundle, number).filter(kept).collect()
    }
}
