//! Renewals and checkins of leases.

use smallvec::SmallVec;

use crate::ledger::kept::lent::Most;
use crate::ledger::words::event::{EndCause, Event};
use crate::ledger::*;

/// How long a lease may live after a renewal.
struct Life {
    ms: u64,
    /// The allotments that it must move to for that.
    moved: Option<SmallVec<[Draw; 1]>>,
}

impl Ledger {
    pub(in crate::ledger) fn renew(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) || !self.renew_lease(id.number) {
            return Reply::UnknownLease;
        }
        match self.leases.get(id.number) {
            Some(held) => {
                let lease = held.lease();
                let also = self.held_with(&lease);
                self.renewed_reply(lease, also)
            }
            None => Reply::UnknownLease,
        }
    }

    pub(in crate::ledger) fn renewed_reply(&self, lease: Lease, also: Box<[Also]>) -> Reply {
        Reply::Renewed {
            product: self.product_id(lease.product),
            user: self.user_name(lease.subject),
            computer: self.computer_name(lease.computer),
            lease,
            also,
        }
    }

    /// Gives a lease, and those that it is held with, another ttl, cut to what their allotments
    /// allow; moves them to others if these would end them sooner than they must. False if
    /// its time is over.
    pub(in crate::ledger) fn renew_lease(&mut self, number: EventNumber) -> bool {
        let now = self.now;
        let Some(lease) = self.leases.get(number) else {
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
        let lease = self.leases.get(number)?;
        let pool = self.pools.get(lease.product)?;
        let ms = pool
            .lifetime_ms(lease.draws(), self.now)
            .map_or(ttl_ms, |ms| ms.min(ttl_ms));
        let longer = match ms < ttl_ms {
            true => pool.draw(lease.seats, ttl_ms, self.now, |_| Most::ALL),
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

    pub(in crate::ledger) fn checkin(&mut self, id: LeaseId, access: &Access) -> Reply {
        if !self.may_touch_lease(id, access) {
            return Reply::UnknownLease;
        }
        self.end_lease(id.number, EndCause::CheckedIn);
        Reply::Done
    }

    fn may_touch_lease(&self, id: LeaseId, access: &Access) -> bool {
        self.leases
            .get(id.number)
            .is_some_and(|l| l.id() == id && self.may_touch(l.subject, l.computer, access))
    }

    pub(in crate::ledger) fn may_touch(
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
}
