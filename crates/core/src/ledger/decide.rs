//! Checkouts, renewals and checkins: who gets a seat.

use std::sync::Arc;

use smallvec::SmallVec;

use super::asked::{Asked, Lacking, Plan};
use super::denials::{Asker, Folded};
use super::event::{EndCause, Event};
use super::*;

/// How long a lease may live on.
struct Life {
    ms: u64,
    /// The allotments that it must move to for that.
    moved: Option<SmallVec<[Draw; 1]>>,
}

impl Ledger {
    pub(super) fn checkout(&mut self, checkout: Checkout) -> Reply {
        let wanted = match self.wanted(&checkout) {
            Ok(wanted) => wanted,
            Err(unknown) => return unknown.into(),
        };
        let pools = wanted
            .iter()
            .filter_map(|part| self.pools.get(&part.product));
        let allowed = pools.map(|pool| pool.listing.spec.max_ttl_seconds);
        let max_ttl_seconds = allowed.min().unwrap_or(0);
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
        for part in &wanted {
            self.serve_waiting(part.product);
        }
        let who = self.asker(&checkout, &wanted);
        let parts = Ledger::parts(&checkout, &wanted, who, ttl_seconds);
        match self.plan_all(&parts) {
            Ok(plans) => match self.carry_out_all(&parts, plans) {
                Some(lease) => Reply::Granted {
                    also: self.held_with(&lease),
                    lease,
                },
                None => Reply::UnknownProduct,
            },
            Err((_, Reason::NoSeat)) if checkout.wait => self.queue(&parts),
            Err(lacking) => self.deny(&parts, lacking),
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

    /// Grants as it was planned.
    pub(super) fn carry_out(&mut self, asked: &Asked, plan: Plan, bundle: Option<Bundle>) -> Lease {
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
            bundle,
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

    /// Refuses all parts of an ask, for the one that there is none to be had of.
    pub(super) fn deny(&mut self, parts: &[Asked], (place, reason): Lacking) -> Reply {
        let Some(asked) = parts.get(place) else {
            return Reply::UnknownProduct;
        };
        let (decision, scene) = self.record_denial(asked, reason);
        Reply::Denied {
            product: self.product_id(asked.product),
            seats: asked.seats,
            decision,
            reason,
            scene,
        }
    }

    /// Keeps that it was refused; a repeat within a minute is counted.
    pub(super) fn record_denial(&mut self, asked: &Asked, reason: Reason) -> (DecisionId, Scene) {
        let asker = asked.asker();
        let fold = asker.refused_for(reason);
        let scene = self.scene_for(asker.product, asker.subject);
        if let Some(Folded { id, count, .. }) =
            self.denials.repeated(&fold, asked.seats, self.now.steady)
        {
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

    /// The counts of a product for who is refused: among so few who wait that somebody reads the number,
    /// their own requests are none of others.
    pub(super) fn scene_for(&self, product: ProductNumber, subject: SubjectId) -> Scene {
        const READ_UP_TO: u32 = 64;
        let Some(pool) = self.pools.get(&product) else {
            return Scene::default();
        };
        let mut scene = pool.scene(self.now);
        if (1..=READ_UP_TO).contains(&scene.queued) {
            let waits = |(_, number): &pool::Place| {
                let ticket = self.tickets.get(number);
                ticket.is_some_and(|ticket| ticket.subject == subject)
            };
            let own = pool.places().filter(waits).count();
            scene.queued = scene
                .queued
                .saturating_sub(u32::try_from(own).unwrap_or(u32::MAX));
        }
        scene
    }

    /// What is kept of how it was asked.
    pub(super) fn ask(&self, asked: &Asked) -> Ask {
        Ask {
            waits: asked.waits,
            repeats: self.denials.retried(&asked.asker(), self.now.steady),
            also: asked.also.clone(),
        }
    }

    pub(super) fn renew(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) || !self.renew_lease(id.number) {
            return Reply::UnknownLease;
        }
        match self.leases.get(&id.number) {
            Some(lease) => self.renewed_reply(lease.clone(), self.held_with(lease)),
            None => Reply::UnknownLease,
        }
    }

    pub(super) fn renewed_reply(&self, lease: Lease, also: Box<[Also]>) -> Reply {
        Reply::Renewed {
            product: self.product_id(lease.product),
            user: self.user_name(lease.subject),
            computer: self.computer_name(lease.computer),
            lease,
            also,
        }
    }

    /// Gives a lease, and those that it is held with, another ttl, cut to what their allotments
    /// allow; moves them to others where these would end them sooner than they must. False where
    /// its time is over.
    pub(super) fn renew_lease(&mut self, number: EventNumber) -> bool {
        let now = self.now;
        let Some(lease) = self.leases.get(&number) else {
            return false;
        };
        if lease.deadline <= now.steady {
            return false;
        }
        let (before, ttl_ms) = (lease.deadline, u64::from(lease.ttl_seconds) * 1_000);
        let together = self.leases_with(number);
        let lives: Option<SmallVec<[Life; 1]>> = together
            .iter()
            .map(|number| self.life(*number, ttl_ms))
            .collect();
        let Some(lives) = lives else {
            return false;
        };
        let life_ms = lives.iter().map(|life| life.ms).min().unwrap_or(0);
        // Its allotments end: it lives as long as it was told, and no longer.
        let deadline =
            Steady(now.steady.0 + life_ms).max(before.min(Steady(now.steady.0 + ttl_ms)));
        for (lease, life) in together.into_iter().zip(lives) {
            if let Some(draws) = life.moved {
                self.emit(Event::Redrawn { lease, draws });
            }
            self.emit(Event::Renewed { lease, deadline });
        }
        true
    }

    /// How long a lease may live on, at most `ttl_ms`.
    fn life(&self, number: EventNumber, ttl_ms: u64) -> Option<Life> {
        let lease = self.leases.get(&number)?;
        let pool = self.pools.get(&lease.product)?;
        let ms = pool
            .lifetime_ms(&lease.draws, self.now)
            .map_or(ttl_ms, |ms| ms.min(ttl_ms));
        let longer = match ms < ttl_ms {
            true => pool.draw(lease.seats, ttl_ms, self.now),
            false => None,
        };
        Some(match longer.filter(|(_, longer_ms)| *longer_ms > ms) {
            Some((draws, ms)) => Life {
                ms,
                moved: Some(draws),
            },
            None => Life { ms, moved: None },
        })
    }

    pub(super) fn checkin(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) {
            return Reply::UnknownLease;
        }
        self.end_lease(id.number, EndCause::CheckedIn);
        Reply::Done
    }

    fn may_touch_lease(&self, id: LeaseId, access: &Access) -> bool {
        self.leases
            .get(&id.number)
            .is_some_and(|l| l.id == id && self.may_touch(l.subject, l.computer, access))
    }

    pub(super) fn may_touch(
        &self,
        subject: SubjectId,
        computer: ComputerId,
        access: &Access,
    ) -> bool {
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
