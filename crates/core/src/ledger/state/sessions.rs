//! How events change agents' sessions that run without a seat.

use crate::ledger::kept::seatings::Seating;
use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn set_unseated(
        &mut self,
        session: SessionKey,
        entry: Option<Unseated>,
    ) -> Option<Unseated> {
        let before = match self.sessions.get(&session) {
            Some(Seating::Unseated(before)) => Some((**before).clone()),
            _ => None,
        };
        if let Some(before) = &before {
            self.unseated_deadlines.remove(&(before.deadline, session));
            self.sessions.remove(&session);
            if let Some(pool) = self.pools.get_mut(before.product) {
                pool.unseated = pool.unseated.saturating_sub(1);
            }
        }
        if let Some(entry) = entry {
            self.unseated_deadlines.insert((entry.deadline, session));
            if let Some(pool) = self.pools.get_mut(entry.product) {
                pool.unseated += 1;
            }
            self.sessions
                .insert(session, Seating::Unseated(Box::new(entry)));
        }
        before
    }
}
