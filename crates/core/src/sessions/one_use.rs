//! One use is recorded once: if a person runs programs on one lease, started directly and by `usher
//! run`, these are two sessions while they run, and one in the history.

use super::state::{Sessions, UseKey};
use super::{Counting, Session, SessionId, Stamp};

impl Sessions {
    /// Another session that runs and is of the same use as one that ends: of its product and person,
    /// and on its lease. Of the two, `usher run` started what is in the one, and not in the other.
    pub(super) fn goes_on_by(&self, ended: &Session) -> Option<SessionId> {
        if ended.counting != Counting::UserOnComputer {
            return None;
        }
        let lease = ended.lease.as_ref()?;
        let other = UseKey {
            product: ended.product.clone(),
            user: ended.who.counted,
            cover: match ended.cover {
                None => Some(lease.clone()),
                Some(_) => None,
            },
        };
        let other = self.get(*self.by_use.get(&other)?)?;
        let is_of_use = !other.held && other.lease.as_ref() == Some(lease);
        is_of_use.then_some(other.id)
    }

    /// A session goes on with the use that another began or shared, which has ended at `at`.
    pub(super) fn take_over(&mut self, by: SessionId, ended: &Session, at: Stamp) {
        let Some(open) = self.sessions.get_mut(&by) else {
            return;
        };
        let session = &mut open.session;
        session.unseated_ms += ended.unseated_ms_at(at);
        if ended.started.boot_ms < session.started.boot_ms {
            session.started = ended.started;
            session.program = ended.program.clone();
        }
        // One of which no process is known at present may be over, but not before the use was.
        let seen = open.emptied.or(open.last_seen);
        if open.processes == 0
            && let Some(seen) = seen
        {
            open.emptied = Some(if seen.boot_ms < at.boot_ms { at } else { seen });
        }
    }
}
