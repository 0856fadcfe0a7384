//! The ledger for replays: one product, judged, queued and counted as ever, without what a server
//! keeps beside that: events, leases, names.
//!
//! A replay asks a ledger millions of times and wants only the answers. So the judgement
//! ([`judge`](super::judge)), the pool and the order of the queue are the ledger's own; only the
//! record of what was decided is left out. A property test compares it with a whole ledger.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::*;
use crate::ledger::judge::ask::{AskPart, Plans, Way};
use crate::ledger::kept::pool::Place;

/// The id of the only product.
const PRODUCT: &str = "replayed";
/// Seconds that a lease of a replay lives: it is given back before, whatever it is.
const TTL_SECONDS: u32 = 300;

/// Who asks a [`Lean`] ledger for seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeanAsk {
    /// Who is counted.
    pub subject: SubjectId,
    /// Where the seats are used.
    pub computer: ComputerId,
    /// Seats, 1 or more.
    pub seats: u32,
    /// Whether to queue if no seat is free.
    pub wait: bool,
    /// Higher is served first.
    pub priority: i8,
}

/// What a [`Lean`] ledger answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeanReply {
    /// The seats are held until they are given back.
    Granted,
    /// A place in the queue, by its number.
    Queued(EventNumber),
    /// Refused.
    Denied(Reason),
}

/// A ledger of one product with one concurrent entitlement that has no dates. Who waits is taken to
/// poll until it leaves, and to fetch its seats at once.
#[derive(Debug)]
pub struct Lean {
    ledger: Ledger,
    product: ProductNumber,
    allotment: AllotmentNumber,
    waiting: FxHashMap<EventNumber, LeanAsk>,
    next_ticket: u64,
}

impl Lean {
    /// A ledger with so many seats owned, so many beyond them allowed, and a queue in which at most
    /// `queue_limit` wait.
    pub fn new(seats: u32, overdraft: u32, queue_limit: u32) -> Lean {
        let mut ledger = Ledger::new(Incarnation::default());
        let id: Arc<str> = Arc::from(PRODUCT);
        let spec = ProductSpec {
            id: id.clone(),
            enabled: true,
            max_ttl_seconds: TTL_SECONDS,
            queue_limit,
            shared_by_subject: false,
            impossible_seconds: DEFAULT_IMPOSSIBLE_SECONDS,
            document: Arc::from(""),
        };
        ledger.apply(Now::default(), Command::PutProduct { spec, new: true });
        let terms = EntitlementTerms {
            product: id,
            model: Model::Concurrent { seats, overdraft },
            from: None,
            to: None,
            details: None,
        };
        ledger.apply(Now::default(), Command::AddEntitlement(terms));
        ledger.seal();
        // A new ledger takes its first product and entitlement. Numbers that name nothing would
        // refuse everybody.
        let nothing = (ProductNumber(0), AllotmentNumber(0));
        let (product, allotment) = ledger.product(PRODUCT).map_or(nothing, |(product, pool)| {
            let lent = pool.lent.first();
            (
                product,
                lent.map_or(nothing.1, |lent| lent.allotment.number),
            )
        });
        Lean {
            product,
            allotment,
            waiting: FxHashMap::default(),
            next_ticket: 1,
            ledger,
        }
    }

    /// Seats in use.
    pub fn in_use(&self) -> u64 {
        self.pool().map_or(0, |pool| pool.in_use)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Asks for seats: granted, queued or refused, as a checkout is.
    pub fn ask(&mut self, now: Now, ask: LeanAsk) -> LeanReply {
        self.ledger.now = now;
        let part = [self.part(ask, Way::New)];
        match self.ledger.judge(&part, now) {
            Ok(plans) => {
                self.take(&plans);
                LeanReply::Granted
            }
            Err(lacking) if ask.wait && lacking.reason.waiting_helps() => {
                match self.ledger.may_wait(&part) {
                    Ok(()) => LeanReply::Queued(self.queue(ask)),
                    Err(lacking) => LeanReply::Denied(lacking.reason),
                }
            }
            Err(lacking) => LeanReply::Denied(lacking.reason),
        }
    }

    /// Holds seats without asking: of a use that ran before there was this ledger. More may be held
    /// so than are owned; then nobody gets in until fewer are.
    pub fn hold(&mut self, seats: u32) {
        let draw = self.draw(seats);
        if let Some(pool) = self.ledger.pools.get_mut(self.product) {
            pool.take(&[draw]);
        }
    }

    /// Gives seats back and serves whoever waits for them; adds the tickets that are served to
    /// `served`, in their order.
    pub fn give_back(&mut self, now: Now, seats: u32, served: &mut Vec<EventNumber>) {
        self.ledger.now = now;
        let draw = self.draw(seats);
        if let Some(pool) = self.ledger.pools.get_mut(self.product) {
            pool.give_back(&[draw]);
        }
        self.serve(now, served);
    }

    /// Leaves the queue, and serves whoever waited behind for fewer seats.
    pub fn leave(&mut self, now: Now, ticket: EventNumber, served: &mut Vec<EventNumber>) {
        self.ledger.now = now;
        let Some(ask) = self.waiting.remove(&ticket) else {
            return;
        };
        if let Some(pool) = self.ledger.pools.get_mut(self.product) {
            pool.queue.remove(&place(&ask, ticket));
        }
        self.serve(now, served);
    }

    fn serve(&mut self, now: Now, served: &mut Vec<EventNumber>) {
        while let Some((_, first)) = self.pool().and_then(|pool| pool.queue.first()).copied() {
            let Some(ask) = self.waiting.get(&first).copied() else {
                return;
            };
            let ticket = TicketId {
                incarnation: Incarnation::default(),
                number: first,
            };
            let part = [self.part(ask, Way::Waiting(ticket))];
            let Ok(plans) = self.ledger.judge(&part, now) else {
                return;
            };
            self.take(&plans);
            if let Some(pool) = self.ledger.pools.get_mut(self.product) {
                pool.queue.remove(&place(&ask, first));
            }
            self.waiting.remove(&first);
            served.push(first);
        }
    }

    fn queue(&mut self, ask: LeanAsk) -> EventNumber {
        let ticket = EventNumber(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        if let Some(pool) = self.ledger.pools.get_mut(self.product) {
            pool.queue.insert(place(&ask, ticket));
        }
        self.waiting.insert(ticket, ask);
        ticket
    }

    fn take(&mut self, plans: &Plans) {
        if let Some(pool) = self.ledger.pools.get_mut(self.product) {
            for plan in plans {
                pool.take(&plan.draws);
            }
        }
    }

    fn pool(&self) -> Option<&Pool> {
        self.ledger.pools.get(self.product)
    }

    /// There is one allotment, so all seats come from it.
    fn draw(&self, seats: u32) -> Draw {
        Draw {
            allotment: self.allotment,
            seats,
        }
    }

    fn part(&self, ask: LeanAsk, way: Way) -> AskPart {
        AskPart {
            product: self.product,
            subject: ask.subject,
            computer: ask.computer,
            session: None,
            seats: ask.seats,
            ttl_seconds: TTL_SECONDS,
            waits: ask.wait,
            priority: ask.priority,
            program: None,
            also: Box::default(),
            way,
        }
    }
}

/// The place of an ask in the queue.
fn place(ask: &LeanAsk, ticket: EventNumber) -> Place {
    (Reverse(ask.priority), ticket)
}
