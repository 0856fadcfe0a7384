//! The server was restored from a snapshot: reports again what it no longer knows.
//!
//! Each answer says which life of the server's data it comes from, and how much of this agent's
//! reports it had before. In a new life, finished sessions that it lacks are sent again, and
//! leases that live are shown. Whether the server did know of them, it tells apart itself.

use usher_api::{ShownLease, SyncAnswer};
use usher_core::sessions::SessionId;

use super::Agent;
use crate::base::clock;
use crate::model::link::LIFE;
use crate::store::outbox::{Had, ItemKind, OutboxError};

impl Agent {
    /// Whether the server's data began a new life since its last answer. If so, finished sessions
    /// that were kept are queued again before the rest of the answer is used.
    pub(crate) fn notice_life(&mut self, answer: &SyncAnswer) -> Result<bool, OutboxError> {
        let known = self.link.life;
        self.link.life = answer.incarnation;
        if known == answer.incarnation {
            return Ok(false);
        }
        // Another server never had them, and its site has them from the one before.
        let is_same = self.outbox.meta("server")?.as_deref() == Some(&*answer.server);
        let is_restored = is_same && known.is_some() && answer.incarnation.is_some();
        let had = match is_restored {
            true => Some(self.had(answer)?),
            false => None,
        };
        let text = answer.incarnation.map(|life| life.to_string());
        let sent = self.outbox.change(|change| {
            // An older version of the server tells none.
            change.set_meta(LIFE, text.as_deref().unwrap_or_default())?;
            had.map_or(Ok(0), |had| change.send_again(had))
        })?;
        if is_restored {
            tracing::warn!(
                sessions = sent,
                "the server was restored from a snapshot: reporting again what it may lack"
            );
        }
        Ok(is_restored)
    }

    /// How much of this agent's reports the server had when its new life began.
    fn had(&self, answer: &SyncAnswer) -> Result<Had, OutboxError> {
        let own = self.outbox.number("incarnation")?;
        let Some(mark) = answer.before else {
            return Ok(Had::Unknown);
        };
        // A report that the new life took, and whose answer was lost, has moved its mark.
        if mark.incarnation == own && mark.sequence > self.outbox.acknowledged()? {
            return Ok(Had::Unknown);
        }
        Ok(Had::UpTo {
            incarnation: mark.incarnation,
            sequence: mark.sequence,
        })
    }

    /// Asks again for the seats of all sessions that hold one, and shows their leases.
    pub(crate) fn show_leases(&mut self) -> Result<(), OutboxError> {
        let is_seated = |id: &SessionId| self.sessions.get(*id).is_some_and(|of| of.seated);
        let seated = self.seats.sessions().into_iter().filter(is_seated);
        let seated: Vec<SessionId> = seated.collect();
        let mut asked = Vec::new();
        for id in seated {
            if self.lease_shown(id).is_some()
                && let Some(action) = self.checkout_action(id)
            {
                asked.push((id, action));
            }
        }
        self.outbox.change(|change| {
            for (id, action) in &asked {
                if !change.waits(ItemKind::Checkout, id.0)? {
                    change.enqueue(action)?;
                }
            }
            Ok(())
        })
    }

    /// The lease of a session, if it is alive and may be shown to the server.
    pub(crate) fn lease_shown(&self, id: SessionId) -> Option<ShownLease<'static>> {
        self.link.life?;
        let session = self.sessions.get(id)?;
        self.seats.lease_shown(session, clock::boot_ms())
    }
}
