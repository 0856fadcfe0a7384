//! Builds a ledger from the rows of tables.

use super::*;
use crate::ledger::kept::denials::{Asker, Folded};
use crate::ledger::kept::memory::Remembered;

/// What a ledger is rebuilt from, before the events of the journal are absorbed.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The incarnation, with which ids begin.
    pub incarnation: Incarnation,
    /// Nothing is granted before this instant; none: nothing is held back.
    pub hold_until: Option<Steady>,
    /// Whether the server is paused.
    pub paused: bool,
    /// The number of the event by which this life began; 0 in the first.
    pub life_began: u64,
    /// Leases of another life that were taken over in this one.
    pub adopted: Vec<LeaseId>,
    /// The number that the next event will have.
    pub next_number: u64,
    /// The number of the last event that changed a product.
    pub catalogue_version: u64,
    /// All products, removed ones included, with their numbers.
    pub products: Vec<(ProductNumber, Listing)>,
    /// All entitlements.
    pub entitlements: Vec<Entitlement>,
    /// Names, prices and contracts of entitlements.
    pub details: Vec<(EntitlementNumber, Details)>,
    /// All allotments, empty ones included.
    pub allotments: Vec<Allotment>,
    /// All tickets that are not forgotten yet.
    pub tickets: Vec<Ticket>,
    /// Sessions that run without a seat.
    pub unseated: Vec<Unseated>,
    /// The directory of people.
    pub subjects: Vec<Subject>,
    /// The directory of computers.
    pub computers: Vec<Computer>,
    /// How far each sender's items are applied.
    pub marks: Vec<(ComputerId, Mark)>,
    /// Refusals of the last quarter of an hour, oldest first.
    pub denials: Vec<Repeated>,
    /// Answers under idempotency keys, oldest first: hash of the key, hash of the body, the answer,
    /// its instant on the ledger's clock.
    pub memory: Vec<(u128, u64, Reply, Steady)>,
}

/// A refusal and its repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// The first refusal.
    pub denial: Denial,
    /// When that was, on the ledger's clock.
    pub first: Steady,
    /// When the last one was, on the ledger's clock.
    pub last: Steady,
    /// How many refusals there are, the first included.
    pub count: u64,
}

impl Ledger {
    /// Builds the ledger that `snapshot` describes. `leases` are those that are held, in the order of
    /// their numbers; there may be millions, so each is added as it is read.
    ///
    /// # Errors
    /// The first lease that cannot be read.
    pub fn restore<E>(
        snapshot: Snapshot,
        leases: impl IntoIterator<Item = Result<Lease, E>>,
    ) -> Result<Ledger, E> {
        let mut ledger = Ledger::new(snapshot.incarnation);
        ledger.hold_until = snapshot.hold_until;
        ledger.paused = snapshot.paused;
        ledger.life_began = snapshot.life_began;
        ledger.adopted.extend(snapshot.adopted);
        ledger.next_number = snapshot.next_number.max(1);
        ledger.first_number = ledger.next_number;
        ledger.catalogue_version = snapshot.catalogue_version;
        for (number, listing) in snapshot.products {
            ledger.product_by_id.insert(listing.spec.id.clone(), number);
            ledger.pools.insert(number, Pool::new(listing));
        }
        for entitlement in snapshot.entitlements {
            ledger.entitlements.insert(entitlement.number, entitlement);
        }
        for (number, details) in snapshot.details {
            ledger.described.put(number, details);
        }
        for allotment in snapshot.allotments {
            ledger.put_allotment(allotment);
        }
        ledger.restore_leases(leases)?;
        for ticket in snapshot.tickets {
            ledger.add_ticket(ticket);
        }
        for entry in snapshot.unseated {
            ledger.set_unseated(entry.session, Some(entry));
        }
        for subject in snapshot.subjects {
            ledger.subjects.put(subject);
        }
        for computer in snapshot.computers {
            ledger.computers.put(computer);
        }
        ledger.marks.extend(snapshot.marks);
        for repeated in snapshot.denials {
            let denial = repeated.denial;
            let asker = Asker {
                product: denial.product,
                subject: denial.subject,
                computer: denial.computer,
            };
            let (reason, fold) = (denial.reason, asker.refused_for(denial.reason));
            let first = Folded::first(denial.id, repeated.first, denial.seats);
            ledger.denials.put(asker, reason, first, repeated.first);
            if let (Some(first), true) = (ledger.denials.get(&fold), repeated.count > 1) {
                let again = Folded {
                    count: repeated.count,
                    ..first
                };
                ledger.denials.put(asker, reason, again, repeated.last);
            }
        }
        for (key, body, reply, at) in snapshot.memory {
            ledger.memory.put(
                key,
                Remembered {
                    body,
                    reply: Box::new(reply),
                    at,
                },
            );
        }
        Ok(ledger)
    }
}
