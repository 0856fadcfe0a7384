//! What holds after each step: I1, I4, and what each session, bundle and pause is promised.

use usher_core::ledger::*;

use crate::world::*;

/// Whether a command asks for a seat for a program that is held.
pub(super) fn is_gated(command: &Command) -> bool {
    let Command::Report(report) = command else {
        return false;
    };
    let gated = |item: &ReportItem| matches!(item, ReportItem::Checkout { gate: true, .. });
    report.items.iter().any(|(_, item)| gated(item))
}

/// The product and person for which a report asks for a seat.
pub(super) fn asked_for(command: &Command) -> Option<(String, String)> {
    let Command::Report(report) = command else {
        return None;
    };
    match &report.items.first()?.1 {
        ReportItem::Checkout {
            product, subject, ..
        } => Some((product.to_string(), subject.name.to_string())),
        _ => None,
    }
}

/// A session is never told of a seat of another product or person, whatever its agent's state
/// was rolled back to.
pub(super) fn check_own(world: &World, asked: Option<&(String, String)>, reply: &Reply) {
    let (Some((product, user)), Reply::Report { items, .. }) = (asked, reply) else {
        return;
    };
    for item in items {
        let ItemReply::Granted { lease, .. } = item else {
            continue;
        };
        let lease = world.ledger.lease(lease.number).unwrap();
        let of = world.ledger.pool(lease.product).unwrap();
        let whose = world.ledger.subjects().get(lease.subject).unwrap();
        assert_eq!(
            (&*of.listing.spec.id, &*whose.name),
            (&**product, &**user),
            "a session got the lease of another"
        );
    }
}

/// Who waited before a command, product by product, in the order in which they must be served.
pub(super) struct Queues(Vec<(ProductNumber, Vec<Ticket>)>);

impl Queues {
    pub(super) fn of(world: &World) -> Queues {
        let ledger = &world.ledger;
        let mut queues: Vec<(ProductNumber, Vec<Ticket>)> = ledger
            .pools()
            .map(|(number, _)| (number, ledger.waiting(number).cloned().collect()))
            .collect();
        for (_, queue) in &mut queues {
            queue.sort_by_key(|t| (std::cmp::Reverse(t.priority), t.id.number));
        }
        Queues(queues)
    }

    /// I4: whoever was served came before everyone who still waits, but for those who ask for more
    /// than there is.
    pub(super) fn check_order(&self, world: &World, from: usize, asked: i8) {
        for (_, _, event) in &world.events[from..] {
            let Event::Granted { lease, .. } = event else {
                continue;
            };
            let Some((_, queue)) = self.0.iter().find(|(p, _)| *p == lease.product) else {
                continue;
            };
            let served = lease
                .ticket
                .and_then(|id| queue.iter().find(|t| t.id == id));
            let may_be_served = |t: &&Ticket| there_is_enough(&world.ledger, t, world.now);
            for waiting in queue
                .iter()
                .filter(|t| still_waits(world, t.id))
                .filter(may_be_served)
            {
                match served {
                    Some(served) => assert!(
                        (std::cmp::Reverse(served.priority), served.id.number)
                            < (std::cmp::Reverse(waiting.priority), waiting.id.number),
                        "{served:?} was served before {waiting:?}"
                    ),
                    // A new request overtakes only by a higher priority.
                    None => assert!(
                        lease.ticket.is_some() || asked > waiting.priority,
                        "{lease:?} overtook {waiting:?}"
                    ),
                }
            }
        }
    }
}

pub(super) fn still_waits(world: &World, id: TicketId) -> bool {
    world
        .ledger
        .ticket(id.number)
        .is_some_and(|t| matches!(t.state, TicketState::Waiting { .. }))
}

pub(super) fn check_invariants(world: &World, from: usize) {
    let ledger = &world.ledger;
    let granted: Vec<&Lease> = world.events[from..]
        .iter()
        .filter_map(|(_, _, event)| match event {
            Event::Granted { lease, .. } => Some(lease),
            _ => None,
        })
        .collect();
    for (number, pool) in ledger.pools() {
        let held: Vec<Lease> = ledger.leases().filter(|l| l.product == number).collect();
        let seats: u64 = held.iter().map(|l| u64::from(l.seats)).sum();
        assert_eq!(pool.in_use, seats, "seats in use are those of the leases");
        for lent in &pool.lent {
            let drawn: u64 = held
                .iter()
                .flat_map(|l| l.draws.iter())
                .filter(|d| d.allotment == lent.allotment.number)
                .map(|d| u64::from(d.seats))
                .sum();
            assert_eq!(
                lent.in_use, drawn,
                "an allotment's seats in use are those drawn from it"
            );
            // I1: a grant leaves every allotment that it drew on within its seats.
            let drew = granted.iter().any(|l| {
                ledger.lease(l.id.number).is_some()
                    && l.draws.iter().any(|d| d.allotment == lent.allotment.number)
            });
            assert!(
                !drew || drawn <= u64::from(lent.allotment.seats),
                "I1: {drawn} of {} seats are in use after a grant",
                lent.allotment.seats
            );
        }
        // And the product within what there is at that instant, whatever became of the allotments
        // of those who were seated before.
        let more = granted
            .iter()
            .any(|l| l.product == number && ledger.lease(l.id.number).is_some());
        let owned = pool.seats(world.now);
        assert!(
            !more || pool.in_use <= owned,
            "I1: {} of {owned} seats are in use after a grant",
            pool.in_use
        );
        check_nobody_starves(ledger, pool, number, world.now);
    }
    check_bundles(ledger);
    for lease in ledger.leases() {
        assert!(
            lease.deadline > world.now.steady,
            "a lease whose time is over is held"
        );
        let drawn: u32 = lease.draws.iter().map(|d| d.seats).sum();
        assert_eq!(
            drawn, lease.seats,
            "a lease draws as many seats as it holds"
        );
    }
}

/// A session has one seat at the most, one that is held at the gate is never entered as unseated,
/// and one that claims a lease gets no other.
pub(super) fn check_gate(world: &World, from: usize, gated: bool) {
    let mut seated = std::collections::BTreeSet::new();
    for lease in world.ledger.leases() {
        let own = lease.session.filter(|_| lease.holders.is_empty());
        for session in lease.holders.iter().copied().chain(own) {
            assert!(seated.insert(session), "{session:?} has two seats");
        }
    }
    let mut claims = 0;
    let mut grants = 0;
    for (_, _, event) in &world.events[from..] {
        match event {
            Event::Unseated(entry) => assert!(!gated, "{entry:?} was held at the gate"),
            Event::Claimed { .. } => claims += 1,
            Event::Granted { lease, .. } if lease.session.is_some() => grants += 1,
            _ => {}
        }
    }
    assert!(claims + grants <= 1, "one session got two seats");
}

/// The tickets of one ask, and whether something holds for each and its pool.
pub(super) fn all_parts(
    ledger: &Ledger,
    ticket: &Ticket,
    holds: impl Fn(&Ticket, &Pool) -> bool,
) -> bool {
    Bundle::all_of(ticket.bundle, ticket.id.number).all(|number| {
        let part = ledger.ticket(number).unwrap();
        let pool = ledger.pool(part.product).unwrap();
        holds(part, pool)
    })
}

/// Whether there are as many seats as a ticket waits for, of each of its products, in use or not.
pub(super) fn there_is_enough(ledger: &Ledger, ticket: &Ticket, now: Now) -> bool {
    all_parts(ledger, ticket, |part, pool| {
        let is_on = ticket.bundle.is_none() || pool.listing.spec.enabled;
        is_on && u64::from(part.seats) <= pool.seats(now)
    })
}

/// I4: of those who wait, the first whose seats there are at all is served as soon as they are
/// free; whoever asks for more than that is in nobody's way. Who waits for several products is
/// served when it is first for each.
pub(super) fn check_nobody_starves(ledger: &Ledger, pool: &Pool, number: ProductNumber, now: Now) {
    let first_of = |number| {
        let mut waiting = ledger.waiting(number);
        waiting.find(|ticket| there_is_enough(ledger, ticket, now))
    };
    let may_be_granted = |pool: &Pool| !pool.listing.removed && pool.listing.spec.enabled;
    let first = first_of(number).filter(|_| !ledger.is_paused() && may_be_granted(pool));
    let Some(ticket) = first else { return };
    let valid = |lent: &&Lent| {
        lent.from.is_none_or(|from| from <= now.wall) && lent.to.is_none_or(|to| to > now.wall)
    };
    let could_go = all_parts(ledger, ticket, |part, pool| {
        let free: u64 = pool
            .lent
            .iter()
            .filter(valid)
            .map(|l| u64::from(l.allotment.seats).saturating_sub(l.in_use))
            .sum();
        let free = free.min(pool.seats(now).saturating_sub(pool.in_use));
        let is_first = first_of(part.product).is_some_and(|first| first.id == part.id);
        free >= u64::from(part.seats) && is_first && may_be_granted(pool)
    });
    assert!(!could_go, "I4: its seats are free and {ticket:?} waits");
}

/// What was asked for at once is held and waits at once, and changes at once.
pub(super) fn check_bundles(ledger: &Ledger) {
    for lease in ledger.leases() {
        let Some(bundle) = lease.bundle else { continue };
        let mut products = std::collections::BTreeSet::new();
        for number in bundle.numbers() {
            let other = ledger.lease(number).unwrap();
            assert_eq!(other.bundle, Some(bundle));
            assert!(products.insert(other.product), "one lease for each product");
            assert_eq!(
                (other.deadline, other.ttl_seconds, other.graced),
                (lease.deadline, lease.ttl_seconds, lease.graced)
            );
            assert_eq!(
                (other.subject, other.computer),
                (lease.subject, lease.computer)
            );
        }
    }
    let products = ledger.pools().map(|(number, _)| number);
    for ticket in products.flat_map(|number| ledger.waiting(number)) {
        let as_one = all_parts(ledger, ticket, |part, _| {
            part.bundle == ticket.bundle
                && part.state == ticket.state
                && part.priority == ticket.priority
        });
        assert!(as_one, "{ticket:?} waits otherwise than what it waits with");
    }
}
