//! A ledger with a clock of the test's own, and short ways to tell it things.

use std::sync::Arc;

use usher_core::ledger::*;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) now: Now,
    /// Every event so far, with its number and instant.
    pub(crate) events: Vec<(Now, EventNumber, Event)>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            ledger: Ledger::new(Incarnation(7)),
            now: Now {
                steady: Steady(1_000_000),
                wall: Wall(1_700_000_000_000),
            },
            events: Vec::new(),
        }
    }

    pub(crate) fn tell(&mut self, command: Command) -> Reply {
        let reply = self.ledger.apply(self.now, command);
        let batch = self.ledger.seal();
        for (number, event) in (batch.first..).zip(batch.events.iter()) {
            self.events
                .push((batch.at, EventNumber(number), event.clone()));
        }
        reply
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now.steady.0 += ms;
        self.now.wall.0 += ms as i64;
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.pass_ms(seconds * 1_000);
        self.tell(Command::Tick);
    }

    pub(crate) fn product(&mut self, id: &str, seats: u32) -> Option<EntitlementNumber> {
        self.tell(Command::PutProduct {
            spec: spec(id),
            new: true,
        });
        (seats > 0).then(|| self.own(id, seats))
    }

    pub(crate) fn own(&mut self, product: &str, seats: u32) -> EntitlementNumber {
        match self.tell(Command::AddEntitlement(terms(product, seats))) {
            Reply::Entitlement(view) => view.entitlement.number,
            other => panic!("no entitlement: {other:?}"),
        }
    }

    pub(crate) fn checkout(&mut self, product: &str, user: &str) -> Reply {
        self.tell(Command::Checkout(asks(product, user, 1, false, 0)))
    }

    pub(crate) fn granted(&mut self, product: &str, user: &str) -> Lease {
        match self.checkout(product, user) {
            Reply::Granted { lease, .. } => lease,
            other => panic!("{user} was not granted {product}: {other:?}"),
        }
    }

    pub(crate) fn queued(&mut self, product: &str, user: &str) -> TicketId {
        self.queued_with(product, user, 1, 0)
    }

    pub(crate) fn queued_with(
        &mut self,
        product: &str,
        user: &str,
        seats: u32,
        priority: i8,
    ) -> TicketId {
        match self.tell(Command::Checkout(asks(
            product, user, seats, true, priority,
        ))) {
            Reply::Queued(view) => view.ticket.id,
            other => panic!("{user} was not queued for {product}: {other:?}"),
        }
    }

    pub(crate) fn checkin(&mut self, lease: LeaseId) -> Reply {
        self.tell(Command::Checkin {
            lease,
            access: Access::Anyone,
        })
    }

    pub(crate) fn renew(&mut self, lease: LeaseId) -> Reply {
        self.tell(Command::Renew {
            lease,
            access: Access::Anyone,
        })
    }

    pub(crate) fn poll(&mut self, ticket: TicketId) -> TicketView {
        let poll = Command::Poll {
            ticket,
            access: Access::Anyone,
            keep_seconds: 30,
        };
        match self.tell(poll) {
            Reply::Ticket { view, .. } => *view,
            other => panic!("no ticket: {other:?}"),
        }
    }

    /// The ledger that recovery would build from the events.
    pub(crate) fn recovered(&self) -> Ledger {
        let mut ledger = Ledger::new(Incarnation(7));
        for (at, number, event) in &self.events {
            ledger.absorb(*at, *number, event);
        }
        ledger
    }

    /// Whether recovery builds the same ledger.
    pub(crate) fn recovers(&self) -> bool {
        let mut recovered = self.recovered();
        let mut ledger = self.ledger.clone();
        // Both forget what is old at the same instant.
        for ledger in [&mut recovered, &mut ledger] {
            ledger.apply(self.now, Command::Tick);
            ledger.seal();
        }
        recovered == ledger
    }
}

pub(crate) fn spec(id: &str) -> ProductSpec {
    ProductSpec {
        id: id.into(),
        enabled: true,
        max_ttl_seconds: 86_400,
        queue_limit: 5,
        shared_by_subject: false,
        impossible_seconds: 60,
        document: "{}".into(),
    }
}

pub(crate) fn terms(product: &str, seats: u32) -> EntitlementTerms {
    EntitlementTerms {
        product: product.into(),
        model: Model::concurrent(seats),
        from: None,
        to: None,
        details: None,
    }
}

pub(crate) fn asks(product: &str, user: &str, seats: u32, wait: bool, priority: i8) -> Checkout {
    Checkout {
        product: product.into(),
        also: Vec::new(),
        subject: subject(user),
        computer: computer("pc1"),
        seats,
        ttl_seconds: Some(300),
        wait,
        priority,
        program: None,
    }
}

pub(crate) fn subject(user: &str) -> SubjectRef {
    SubjectRef {
        authority: "usher".into(),
        key: user.into(),
        name: user.into(),
        candidate: surrogate(user),
    }
}

pub(crate) fn computer(key: &str) -> ComputerRef {
    ComputerRef {
        key: key.into(),
        candidate: surrogate(key),
    }
}

fn surrogate(text: &str) -> u64 {
    text.bytes().fold(11, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    })
}

pub(crate) fn of(user: &str) -> Access {
    Access::Subject {
        authority: "usher".into(),
        key: Arc::from(user),
    }
}
