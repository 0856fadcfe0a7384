//! Checkouts, renewals, checkins and tickets: who gets a seat.

use std::sync::Arc;

use smallvec::SmallVec;

use super::denials::{Asker, Folded};
use super::event::{EndCause, Event};
use super::*;

/// A checkout whose names are looked up.
pub(super) struct Asked {
    pub product: ProductNumber,
    pub subject: SubjectId,
    pub computer: ComputerId,
    pub session: Option<SessionKey>,
    pub seats: u32,
    pub ttl_seconds: u32,
    pub waits: bool,
    pub priority: i8,
    pub program: Option<Arc<str>>,
}

impl Asked {
    fn asker(&self) -> Asker {
        Asker {
            product: self.product,
            subject: self.subject,
            computer: self.computer,
        }
    }
}

/// How a checkout would be granted.
pub(super) struct Plan {
    draws: SmallVec<[Draw; 1]>,
    life_ms: u64,
    scene: Scene,
    shared: bool,
    /// The lease of another life whose seats these are.
    pub takes_over: Option<Shown>,
}

impl Ledger {
    pub(super) fn checkout(&mut self, checkout: Checkout) -> Reply {
        let Some((product, pool)) = self.product(&checkout.product) else {
            return Reply::UnknownProduct;
        };
        let max_ttl_seconds = pool.listing.spec.max_ttl_seconds;
        let ttl_seconds = checkout
            .ttl_seconds
            .unwrap_or(DEFAULT_TTL_SECONDS.min(max_ttl_seconds));
        if ttl_seconds > max_ttl_seconds {
            return Reply::TtlTooLong { max_ttl_seconds };
        }
        if let Some(until) = self.hold_until.filter(|until| *until > self.now.steady) {
            return Reply::Held {
                for_seconds: until.since_ms(self.now.steady).div_ceil(1_000),
            };
        }
        if self.paused {
            return Reply::Paused;
        }
        self.serve_waiting(product);
        let (subject, computer) = self.asker(&checkout);
        let asked = Asked {
            product,
            subject,
            computer,
            session: None,
            seats: checkout.seats,
            ttl_seconds,
            waits: checkout.wait,
            priority: checkout.priority,
            program: checkout.program,
        };
        match self.grant(&asked) {
            Ok(lease) => Reply::Granted(lease),
            Err(Reason::NoSeat) if checkout.wait => self.queue(&asked),
            Err(reason) => self.deny(&asked, reason),
        }
    }

    /// From where seats would be granted and how long they may be held, or why not.
    pub(super) fn plan(&self, asked: &Asked) -> Result<Plan, Reason> {
        let pool = self.open_pool(asked)?;
        if self.is_held() {
            return Err(Reason::Undecided);
        }
        // Nobody overtakes: free seats belong to the first who waits with as high a priority.
        let waits_before = pool
            .queue
            .first()
            .is_some_and(|(first, _)| first.0 >= asked.priority);
        if waits_before {
            return Err(Reason::NoSeat);
        }
        self.draw_from(pool, asked)
    }

    /// From where seats would come, whoever waits.
    pub(super) fn draw(&self, asked: &Asked) -> Result<Plan, Reason> {
        self.draw_from(self.open_pool(asked)?, asked)
    }

    /// The product's seats, where any may be granted at all.
    fn open_pool(&self, asked: &Asked) -> Result<&Pool, Reason> {
        let pool = self.pools.get(&asked.product);
        let pool = pool.ok_or(Reason::NoEntitlement)?;
        match pool.closed(self.now) {
            Some(reason) => Err(reason),
            None => Ok(pool),
        }
    }

    fn draw_from(&self, pool: &Pool, asked: &Asked) -> Result<Plan, Reason> {
        let now = self.now;
        let ttl_ms = u64::from(asked.ttl_seconds) * 1_000;
        let (draws, life_ms) = pool
            .draw_more(asked.seats, ttl_ms, now)
            .ok_or(Reason::NoSeat)?;
        let shared = pool.listing.spec.shared_by_subject;
        Ok(Plan {
            draws,
            life_ms,
            scene: pool.scene(now),
            shared,
            takes_over: None,
        })
    }

    /// Grants what is asked for, or says why not.
    pub(super) fn grant(&mut self, asked: &Asked) -> Result<Lease, Reason> {
        let plan = self.plan(asked)?;
        Ok(self.carry_out(asked, plan))
    }

    /// Grants as it was planned.
    pub(super) fn carry_out(&mut self, asked: &Asked, plan: Plan) -> Lease {
        let now = self.now;
        let Plan {
            draws,
            life_ms,
            scene,
            shared,
            takes_over,
        } = plan;
        let granted = takes_over.map_or(now, |shown| shown.granted(now));
        let holders = match asked.session {
            Some(session) if shared => Box::from([session]),
            _ => Box::default(),
        };
        let lease = Lease {
            id: self.next_lease_id(),
            product: asked.product,
            subject: asked.subject,
            computer: asked.computer,
            seats: asked.seats,
            ttl_seconds: asked.ttl_seconds,
            deadline: Steady(now.steady.0 + life_ms),
            granted_at: granted.wall,
            granted: granted.steady,
            draws,
            session: asked.session,
            ticket: None,
            holders,
            graced: false,
            program: asked.program.clone(),
        };
        let ask = Some(self.ask(asked));
        self.emit(Event::Granted {
            lease: lease.clone(),
            scene,
            ask,
        });
        if let Some(shown) = takes_over {
            self.emit(Event::Adopted {
                lease: lease.id.number,
                former: shown.lease,
            });
        }
        lease
    }

    fn queue(&mut self, asked: &Asked) -> Reply {
        let Some(pool) = self.pools.get(&asked.product) else {
            return Reply::UnknownProduct;
        };
        let scene = pool.scene(self.now);
        // More than there are at all would wait for ever, and stop all behind it.
        if u64::from(asked.seats) > scene.seats {
            return self.deny(asked, Reason::NoSeat);
        }
        if scene.queued >= pool.listing.spec.queue_limit {
            return self.deny(asked, Reason::QueueFull);
        }
        let id = self.next_ticket_id();
        let alive_until = self.now.steady.plus_seconds(super::time::KEEP_SECONDS);
        let ticket = Ticket {
            id,
            product: asked.product,
            subject: asked.subject,
            computer: asked.computer,
            seats: asked.seats,
            ttl_seconds: asked.ttl_seconds,
            priority: asked.priority,
            queued_at: self.now.wall,
            state: TicketState::Waiting {
                alive_until,
                aside: None,
            },
            program: asked.program.clone(),
        };
        let ask = self.ask(asked);
        self.emit(Event::Queued {
            ticket: ticket.clone(),
            scene,
            ask,
        });
        Reply::Queued(self.view(&ticket))
    }

    fn deny(&mut self, asked: &Asked, reason: Reason) -> Reply {
        let (decision, scene) = self.record_denial(asked, reason);
        Reply::Denied {
            decision,
            reason,
            scene,
        }
    }

    /// Keeps that it was refused; a repeat within a minute is counted.
    pub(super) fn record_denial(&mut self, asked: &Asked, reason: Reason) -> (DecisionId, Scene) {
        let asker = asked.asker();
        let fold = asker.refused_for(reason);
        let scene = self
            .pools
            .get(&asked.product)
            .map(|pool| pool.scene(self.now))
            .unwrap_or_default();
        if let Some(Folded { id, count, .. }) = self.denials.repeated(&fold, self.now.steady) {
            let Asker {
                product,
                subject,
                computer,
            } = asker;
            let count = count + 1;
            let ask = self.ask(asked);
            self.emit(Event::DeniedAgain {
                denial: id.number,
                product,
                subject,
                computer,
                reason,
                count,
                ask,
            });
            return (id, scene);
        }
        let id = self.next_decision_id();
        let denial = Denial {
            id,
            product: asked.product,
            subject: asked.subject,
            computer: asked.computer,
            seats: asked.seats,
            reason,
            scene,
        };
        let ask = self.ask(asked);
        self.emit(Event::Denied { denial, ask });
        (id, scene)
    }

    /// What is kept of how it was asked.
    fn ask(&self, asked: &Asked) -> Ask {
        Ask {
            waits: asked.waits,
            repeats: self.denials.retried(&asked.asker(), self.now.steady),
        }
    }

    pub(super) fn renew(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) || !self.renew_lease(id.number) {
            return Reply::UnknownLease;
        }
        match self.leases.get(&id.number) {
            Some(lease) => self.renewed_reply(lease.clone()),
            None => Reply::UnknownLease,
        }
    }

    pub(super) fn renewed_reply(&self, lease: Lease) -> Reply {
        Reply::Renewed {
            product: self.product_id(lease.product),
            user: self.user_name(lease.subject),
            computer: self.computer_name(lease.computer),
            lease,
        }
    }

    /// Gives a lease another ttl, cut to what its allotments allow; moves it to others where
    /// these would end it sooner than they must. False where its time is over.
    pub(super) fn renew_lease(&mut self, number: EventNumber) -> bool {
        let now = self.now;
        let Some(lease) = self.leases.get(&number) else {
            return false;
        };
        if lease.deadline <= now.steady {
            return false;
        }
        let ttl_ms = u64::from(lease.ttl_seconds) * 1_000;
        let Some(pool) = self.pools.get(&lease.product) else {
            return false;
        };
        let mut life_ms = pool
            .lifetime_ms(&lease.draws, now)
            .map_or(ttl_ms, |ms| ms.min(ttl_ms));
        let mut moved = None;
        if life_ms < ttl_ms
            && let Some((draws, longer_ms)) = pool.draw(lease.seats, ttl_ms, now)
            && longer_ms > life_ms
        {
            life_ms = longer_ms;
            moved = Some(draws);
        }
        // Its allotments end: it lives as long as it was told, and no longer.
        let deadline =
            Steady(now.steady.0 + life_ms).max(lease.deadline.min(Steady(now.steady.0 + ttl_ms)));
        if let Some(draws) = moved {
            self.emit(Event::Redrawn {
                lease: number,
                draws,
            });
        }
        self.emit(Event::Renewed {
            lease: number,
            deadline,
        });
        true
    }

    pub(super) fn checkin(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) {
            return Reply::UnknownLease;
        }
        self.end_lease(id.number, EndCause::CheckedIn);
        Reply::Done
    }

    pub(super) fn poll(&mut self, id: TicketId, access: &Access, keep_seconds: u32) -> Reply {
        if !self.may_touch_ticket(id, access) {
            return Reply::UnknownTicket;
        }
        let now = self.now.steady;
        match self.tickets.get(&id.number).map(|ticket| ticket.state) {
            Some(TicketState::Waiting { alive_until, aside }) => {
                let keep = now.plus_seconds(u64::from(keep_seconds));
                if keep > alive_until {
                    let state = TicketState::Waiting {
                        alive_until: keep,
                        aside,
                    };
                    self.emit(Event::TicketChanged {
                        ticket: id.number,
                        state,
                    });
                }
            }
            Some(TicketState::Granted { .. }) => self.fetch(id.number),
            _ => {}
        }
        match self.tickets.get(&id.number) {
            Some(ticket) => self.ticket_reply(self.view(ticket)),
            None => Reply::UnknownTicket,
        }
    }

    pub(super) fn cancel(&mut self, id: TicketId, access: &Access) -> Reply {
        if !self.may_touch_ticket(id, access) {
            return Reply::UnknownTicket;
        }
        let Some(ticket) = self.tickets.get(&id.number) else {
            return Reply::UnknownTicket;
        };
        let (product, former) = (ticket.product, ticket.state);
        let forget_at = self.now.steady.plus_seconds(super::time::FORGET_SECONDS);
        let state = TicketState::Cancelled { forget_at };
        match former {
            TicketState::Waiting { .. } => {
                self.emit(Event::TicketChanged {
                    ticket: id.number,
                    state,
                });
                self.promote(product);
            }
            TicketState::Granted { lease, .. } => {
                self.emit(Event::TicketChanged {
                    ticket: id.number,
                    state,
                });
                // A session that has taken the lease over needs it still.
                let in_use = |lease: &Lease| lease.session.is_some();
                if !self.leases.get(&lease.number).is_some_and(in_use) {
                    self.end_lease(lease.number, EndCause::CheckedIn);
                }
            }
            TicketState::Expired { .. }
            | TicketState::Cancelled { .. }
            | TicketState::Denied { .. } => {}
        }
        Reply::Done
    }

    pub(super) fn ticket_reply(&self, view: TicketView) -> Reply {
        Reply::Ticket {
            product: self.product_id(view.ticket.product),
            user: self.user_name(view.ticket.subject),
            computer: self.computer_name(view.ticket.computer),
            view: Box::new(view),
        }
    }

    /// A ticket as it stands.
    pub fn view(&self, ticket: &Ticket) -> TicketView {
        let pool = self.pools.get(&ticket.product);
        let position = pool.map_or(0, |pool| pool.position(super::state::place_of(ticket)));
        let passed_over = matches!(ticket.state, TicketState::Waiting { aside: Some(_), .. });
        let expected_wait_seconds = match position {
            0 => None,
            _ if passed_over => None,
            place => pool.and_then(|pool| pool.expected_wait_seconds(place, self.now)),
        };
        let lease = match ticket.state {
            TicketState::Granted { lease, .. } => self.leases.get(&lease.number).cloned(),
            _ => None,
        };
        TicketView {
            ticket: ticket.clone(),
            position,
            expected_wait_seconds,
            lease,
        }
    }

    fn may_touch_lease(&self, id: LeaseId, access: &Access) -> bool {
        self.leases
            .get(&id.number)
            .is_some_and(|l| l.id == id && self.may_touch(l.subject, l.computer, access))
    }

    fn may_touch_ticket(&self, id: TicketId, access: &Access) -> bool {
        self.tickets
            .get(&id.number)
            .is_some_and(|t| t.id == id && self.may_touch(t.subject, t.computer, access))
    }

    fn may_touch(&self, subject: SubjectId, computer: ComputerId, access: &Access) -> bool {
        match access {
            Access::Anyone => true,
            Access::Subject { authority, key } => self
                .subjects
                .find(authority, key)
                .is_some_and(|found| found.id == subject),
            Access::Computer(key) => self
                .computers
                .find(key)
                .is_some_and(|found| found.id == computer),
        }
    }

    pub(super) fn product_id(&self, number: ProductNumber) -> Arc<str> {
        self.pools
            .get(&number)
            .map(|pool| pool.listing.spec.id.clone())
            .unwrap_or_default()
    }

    fn user_name(&self, id: SubjectId) -> Arc<str> {
        self.subjects
            .get(id)
            .map(|subject| subject.name.clone())
            .unwrap_or_default()
    }

    fn computer_name(&self, id: ComputerId) -> Arc<str> {
        self.computers
            .get(id)
            .map(|computer| computer.name.clone())
            .unwrap_or_default()
    }
}
