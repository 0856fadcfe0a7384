//! Lends a session's seat to a `usher run` of the same use.

use usher_api::Lease;
use usher_core::sessions::{AccountKey, Session};

use super::Agent;
use super::sharing::is_one_use;
use crate::base::clock::{self, timestamp};
use crate::model::shares::{Held, Lent};
use crate::store::outbox::OutboxError;

impl Agent {
    /// Lends a session's seat to a `usher run` of the same use. None: no session has a lease.
    pub(crate) fn lend(
        &mut self,
        product: &str,
        counted: AccountKey,
    ) -> Result<Option<Lease>, OutboxError> {
        let is_it = |session: &&Session| {
            is_one_use(session)
                && session.seated
                && *session.product == *product
                && session.who.counted == counted
                && self.shares.held.joined(session.id).is_none()
        };
        let open = self.sessions.open().find(is_it);
        let own = open.and_then(|of| Some((of.lease.as_ref()?.to_string(), of.id)));
        let left = || {
            let (lease, lent) = self.shares.held.left_of(product, counted)?;
            Some((lease.to_owned(), lent.session))
        };
        let Some((lease, session)) = own.or_else(left) else {
            return Ok(None);
        };
        let is_left = self.shares.held.is_left(session);
        let lent = Lent {
            session,
            product: product.to_owned(),
            counted,
            is_left,
        };
        let mut held = self.shares.held.clone();
        held.lend(&lease, lent);
        let Some(shown) = self.as_lent(&lease, &held) else {
            return Ok(None);
        };
        let boot_id = &self.boot_id;
        self.outbox.change(|change| held.write(boot_id, change))?;
        self.shares.held = held;
        Ok(Some(shown))
    }

    /// A session's lease that others were given, if it lives: the exchange renews it.
    pub(crate) fn lent(&self, lease: &str) -> Option<Lease> {
        self.as_lent(lease, &self.shares.held)
    }

    fn as_lent(&self, lease: &str, held: &Held) -> Option<Lease> {
        let lent = held.lent(lease)?;
        let is_own = |session: &Session| session.seated && session.lease.as_deref() == Some(lease);
        let is_held = lent.is_left || self.sessions.get(lent.session).is_some_and(is_own);
        let seat = self.seats.get(lent.session).filter(|_| is_held)?;
        let now = clock::now();
        let left_ms = seat.until_boot_ms.saturating_sub(now.boot_ms);
        let ttl_seconds = u32::try_from(left_ms / 1_000).unwrap_or(u32::MAX);
        let expires_ms = now.wall_ms.saturating_add_unsigned(left_ms);
        (ttl_seconds > 0).then(|| Lease {
            id: lease.to_owned(),
            product: lent.product.clone(),
            user: self.here.subject(lent.counted).name.into_owned(),
            computer: self.here.computer.name.clone(),
            seats: 1,
            granted_at: timestamp(seat.granted.map_or(now.wall_ms, |granted| granted.wall_ms)),
            expires_at: timestamp(expires_ms),
            ttl_seconds,
            allotments: Vec::new(),
            proof: None,
            joined: 0,
            also: Vec::new(),
            with: None,
            kept_seconds: None,
            idle_seconds: None,
        })
    }
}
