//! The shipped ledger above a made-up disk: what was committed survives the process, nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use usher_core::ledger::*;

use crate::clients::{Answer, Ask};
use crate::clock::Moment;
use crate::plan::Plan;

/// The product that only canaries ask for.
const CANARY: &str = "usher-canary";

#[derive(Debug)]
pub(super) struct Seats {
    ledger: Ledger,
    /// What recovery would build from the disk: it absorbs what is committed and decides nothing.
    disk: Ledger,
    /// Leases that have ended, as the server's table of decisions tells.
    ended: BTreeSet<EventNumber>,
    /// A planted fault: a batch is answered before it is durable.
    answers_early: bool,
    in_memory_only: Vec<Batch>,
    products: Vec<Arc<str>>,
    ttl_seconds: u32,
}

impl Seats {
    pub(super) fn new(plan: &Plan, now: Moment, answers_early: bool) -> Seats {
        let ledger = Ledger::new(Incarnation(1));
        let mut seats = Seats {
            disk: ledger.clone(),
            ledger,
            ended: BTreeSet::new(),
            answers_early,
            in_memory_only: Vec::new(),
            products: (0..plan.seats.len())
                .map(|number| Arc::from(format!("product-{number}")))
                .collect(),
            ttl_seconds: plan.ttl_seconds,
        };
        let owned: Vec<(Arc<str>, u32)> = seats
            .products
            .iter()
            .cloned()
            .zip(plan.seats.iter().copied())
            .chain([(Arc::from(CANARY), 1)])
            .collect();
        for (product, number) in owned {
            seats.commit(now, put(product.clone()));
            seats.commit(now, own(product, number));
        }
        seats
    }

    /// Applies a command and makes it durable.
    fn commit(&mut self, now: Moment, command: Command) -> Reply {
        let reply = self.ledger.apply(now.now(), command);
        let batch = self.ledger.seal();
        self.in_memory_only.push(batch);
        if !self.answers_early {
            self.flush(0);
        }
        self.flush(1);
        reply
    }

    /// Writes all but the last so many batches.
    fn flush(&mut self, but: usize) {
        let until = self.in_memory_only.len().saturating_sub(but);
        for batch in self.in_memory_only.drain(..until) {
            for (number, event) in (batch.first..).zip(batch.events.iter()) {
                self.disk.absorb(batch.at, EventNumber(number), event);
                if let Event::Ended { lease, .. } = event {
                    self.ended.insert(*lease);
                }
            }
            self.disk.seal();
        }
    }

    /// The process ends after all was written.
    pub(super) fn close(&mut self) {
        self.flush(0);
        self.recover();
    }

    /// The process ends, or begins: what was not durable is gone.
    pub(super) fn recover(&mut self) {
        self.in_memory_only.clear();
        self.ledger = self.disk.clone();
    }

    /// A request that nobody hears the answer of, because the process ends in the middle of it.
    pub(super) fn cut_off(&mut self, now: Moment, ask: Ask<'_, LeaseId>, committed: bool) {
        let command = self.command(ask);
        if committed {
            self.commit(now, command);
        } else {
            self.ledger.apply(now.now(), command);
        }
    }

    /// A request and its answer.
    pub(super) fn ask(&mut self, now: Moment, ask: Ask<'_, LeaseId>) -> Answer<LeaseId> {
        let command = self.command(ask);
        let reply = match self.commit(now, command) {
            Reply::Replayed(first) => *first,
            reply => reply,
        };
        match (ask, reply) {
            (Ask::Checkout { .. }, Reply::Granted { lease, .. }) => Answer::Granted(lease.id),
            (
                Ask::Checkout { .. },
                Reply::Denied {
                    reason: Reason::NoSeat,
                    ..
                },
            ) => Answer::Denied,
            (Ask::Renew(asked), Reply::Renewed { lease, .. }) if lease.id == *asked => Answer::Done,
            (Ask::Checkin(_), Reply::Done) => Answer::Done,
            // To give back twice is no error: the first answer may have been lost.
            (Ask::Checkin(asked), Reply::UnknownLease) if self.ended.contains(&asked.number) => {
                Answer::Done
            }
            _ => Answer::Wrong,
        }
    }

    /// A canary: seated and given back on its own product; what was said instead.
    pub(super) fn canary(&mut self, now: Moment) -> Result<(), String> {
        let asked = checkout(CANARY.into(), u64::MAX, 60);
        let lease = match self.commit(now, Command::Checkout(asked)) {
            Reply::Granted { lease, .. } => lease.id,
            other => return Err(format!("{other:?}")),
        };
        match self.commit(now, checkin(lease)) {
            Reply::Done => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    fn command(&self, ask: Ask<'_, LeaseId>) -> Command {
        match ask {
            Ask::Checkout {
                key,
                product,
                person,
            } => Command::Once {
                key,
                body: person,
                command: Box::new(Command::Checkout(checkout(
                    self.products[product].clone(),
                    person,
                    self.ttl_seconds,
                ))),
            },
            Ask::Renew(lease) => Command::Renew {
                lease: *lease,
                access: Access::Anyone,
            },
            Ask::Checkin(lease) => checkin(*lease),
        }
    }
}

fn checkin(lease: LeaseId) -> Command {
    Command::Checkin {
        lease,
        access: Access::Anyone,
    }
}

fn checkout(product: Arc<str>, person: u64, ttl_seconds: u32) -> Checkout {
    let name: Arc<str> = Arc::from(format!("person-{person}"));
    Checkout {
        product,
        also: Vec::new(),
        subject: SubjectRef {
            authority: "site".into(),
            key: name.clone(),
            name: name.clone(),
            candidate: person,
        },
        computer: ComputerRef {
            key: name,
            candidate: person,
        },
        seats: 1,
        ttl_seconds: Some(ttl_seconds),
        wait: false,
        priority: 0,
        program: None,
    }
}

fn put(product: Arc<str>) -> Command {
    Command::PutProduct {
        spec: ProductSpec {
            id: product,
            enabled: true,
            max_ttl_seconds: 86_400,
            queue_limit: 100,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: "{}".into(),
        },
        new: true,
    }
}

fn own(product: Arc<str>, seats: u32) -> Command {
    Command::AddEntitlement(EntitlementTerms {
        product,
        model: Model::concurrent(seats),
        from: None,
        to: None,
        details: None,
    })
}
