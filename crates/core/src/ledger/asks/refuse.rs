//! Refusals: the answer, and the record of it.

use crate::ledger::judge::ask::{AskPart, Lacking};
use crate::ledger::kept::denials::{Asker, Folded};
use crate::ledger::kept::pool::Place;
use crate::ledger::words::event::Event;
use crate::ledger::*;

impl Ledger {
    /// Refuses all parts of an ask, for the reason of the part that failed.
    pub(in crate::ledger) fn deny(&mut self, parts: &[AskPart], lacking: Lacking) -> Reply {
        let reason = lacking.reason;
        let Some(asked) = parts.get(lacking.part) else {
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

    /// Records the refusal; a repeat within a minute is only counted.
    pub(in crate::ledger) fn record_denial(
        &mut self,
        asked: &AskPart,
        reason: Reason,
    ) -> (DecisionId, Scene) {
        let asker = asked.asker();
        let fold = asker.refused_for(reason);
        let scene = self.scene_for(asked.product, asked.subject);
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

    /// The counts of a product as the refused person reads them: their own waiting requests do not
    /// count as those of others.
    pub(in crate::ledger) fn scene_for(&self, product: ProductNumber, subject: SubjectId) -> Scene {
        const READ_UP_TO: u32 = 64;
        let Some(pool) = self.pools.get(product) else {
            return Scene::default();
        };
        let mut scene = pool.scene(self.now);
        if (1..=READ_UP_TO).contains(&scene.queued) {
            let waits = |(_, number): &Place| {
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

    /// What is recorded about how the seats were asked for.
    pub(in crate::ledger) fn ask(&self, asked: &AskPart) -> Ask {
        Ask {
            waits: asked.waits,
            repeats: self.denials.retried(&asked.asker(), self.now.steady),
            also: asked.also.clone(),
        }
    }
}
