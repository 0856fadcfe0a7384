//! The seats of the shipped ledger: what clients and canaries ask, and what they are answered.

mod kept;
mod memory;
mod on_disk;

use std::sync::Arc;

use usher_core::ledger::*;

use crate::clients::{Answer, Ask};
use crate::clock::Moment;
use crate::log::Log;
use crate::plan::Plan;
use crate::planted::Planted;
use kept::KeptLedger;
use memory::Memory;
use on_disk::OnDisk;

/// The product that only canaries ask for.
const CANARY: &str = "usher-canary";

#[derive(Debug)]
pub(super) struct Seats {
    ledger: Box<dyn KeptLedger>,
    products: Vec<Arc<str>>,
    ttl_seconds: u32,
}

impl Seats {
    pub(super) fn new(plan: &Plan, now: Moment, log: Log, planted: Option<Planted>) -> Seats {
        let ledger: Box<dyn KeptLedger> = match log {
            Log::Memory => Box::new(Memory::new(planted == Some(Planted::EarlyAnswers))),
            Log::Store => {
                let mut on_disk = OnDisk::new(plan.seed);
                on_disk.open(now);
                if planted == Some(Planted::FalseSync) {
                    on_disk.lie_about_syncs();
                }
                Box::new(on_disk)
            }
        };
        let mut seats = Seats {
            ledger,
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
            seats.ledger.commit(now, put(product.clone()));
            seats.ledger.commit(now, own(product, number));
        }
        seats
    }

    /// The process begins.
    pub(super) fn open(&mut self, now: Moment) {
        self.ledger.open(now);
    }

    /// The process ends after all was written.
    pub(super) fn close(&mut self, now: Moment) {
        self.ledger.close(now);
    }

    /// The process is gone: what was not durable is, too.
    pub(super) fn kill(&mut self, now: Moment) {
        self.ledger.kill(now);
    }

    /// How often a process found something else than what the one before had answered.
    pub(super) fn wrong_recoveries(&self) -> u64 {
        self.ledger.wrong_recoveries()
    }

    /// A request that nobody hears the answer of, because the process ends in the middle of it.
    pub(super) fn cut_off(&mut self, now: Moment, ask: Ask<'_, LeaseId>, committed: bool) {
        let command = self.command(ask);
        self.ledger.cut_off(now, command, committed);
    }

    /// A request and its answer.
    pub(super) fn ask(&mut self, now: Moment, ask: Ask<'_, LeaseId>) -> Answer<LeaseId> {
        let command = self.command(ask);
        let reply = match self.ledger.commit(now, command) {
            Some(Reply::Replayed(first)) => *first,
            Some(reply) => reply,
            None => return Answer::Wrong,
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
            (Ask::Checkin(asked), Reply::UnknownLease) if self.ledger.has_ended(asked.number) => {
                Answer::Done
            }
            _ => Answer::Wrong,
        }
    }

    /// A canary: seated and given back on its own product; what was said instead.
    pub(super) fn canary(&mut self, now: Moment) -> Result<(), String> {
        let asked = checkout(CANARY.into(), u64::MAX, 60);
        let lease = match self.ledger.commit(now, Command::Checkout(asked)) {
            Some(Reply::Granted { lease, .. }) => lease.id,
            other => return Err(format!("{other:?}")),
        };
        match self.ledger.commit(now, checkin(lease)) {
            Some(Reply::Done) => Ok(()),
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
