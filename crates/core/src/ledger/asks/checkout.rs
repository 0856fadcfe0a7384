//! Checkouts: seats now, a place in the queue, or a refusal.

use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn checkout(&mut self, checkout: Checkout) -> Reply {
        let wanted = match self.wanted(&checkout) {
            Ok(wanted) => wanted,
            Err(unknown) => return unknown.into(),
        };
        let pools = wanted
            .iter()
            .filter_map(|part| self.pools.get(part.product));
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
        match self.judge(&parts, self.now) {
            Ok(plans) => match self.grant(&parts, plans).into_iter().next() {
                Some(lease) => Reply::Granted {
                    also: self.held_with(&lease),
                    lease,
                },
                None => Reply::UnknownProduct,
            },
            Err(lacking) if checkout.wait && lacking.reason.waiting_helps() => self.queue(&parts),
            Err(lacking) => self.deny(&parts, lacking),
        }
    }
}
