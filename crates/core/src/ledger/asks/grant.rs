//! Turns seats that were judged free into leases: of a checkout, of tickets whose turn has come, of
//! an agent's session, or in place of leases that were shown after a restore.

use smallvec::SmallVec;

use crate::ledger::judge::ask::{AskPart, Plan, Plans, Way};
use crate::ledger::words::event::Event;
use crate::ledger::*;

impl Ledger {
    /// Grants all parts of an ask as they were judged; answers the leases, in the order of the
    /// parts.
    pub(in crate::ledger) fn grant(
        &mut self,
        parts: &[AskPart],
        plans: Plans,
    ) -> SmallVec<[Lease; 1]> {
        let bundle = self.next_bundle(parts.len());
        parts
            .iter()
            .zip(plans)
            .map(|(part, plan)| self.grant_part(part, plan, bundle))
            .collect()
    }

    fn grant_part(&mut self, asked: &AskPart, plan: Plan, bundle: Option<Bundle>) -> Lease {
        let now = self.now;
        let granted = match asked.way {
            Way::Shown(shown) => shown.granted(now),
            _ => now,
        };
        let (ticket, ask) = match asked.way {
            Way::Waiting(ticket) => (Some(ticket), None),
            _ => (None, Some(self.ask(asked))),
        };
        let holders = match asked.session {
            Some(session) if plan.shared => Box::from([session]),
            _ => Box::default(),
        };
        let lease = Lease {
            id: self.next_lease_id(),
            product: asked.product,
            subject: asked.subject,
            computer: asked.computer,
            seats: asked.seats,
            ttl_seconds: asked.ttl_seconds,
            deadline: Steady(now.steady.0 + plan.life_ms),
            granted_at: granted.wall,
            granted: granted.steady,
            draws: plan.draws,
            session: asked.session,
            ticket,
            holders,
            graced: false,
            program: asked.program.clone(),
            bundle,
        };
        self.emit(Event::Granted {
            lease: lease.clone(),
            scene: plan.scene,
            ask,
        });
        if let Way::Shown(shown) = asked.way {
            self.emit(Event::Adopted {
                lease: lease.id.number,
                former: shown.lease,
            });
        }
        lease
    }
}
