//! Who gets a seat: the one judgement for all ways of asking.
//!
//! A checkout, a ticket that has its turn, a lease that is shown after a restore and the canary are
//! judged alike: each part of the ask by the constraints of every product ([`constraints`]), then
//! by the model of each entitlement whose seats could be drawn. All parts are granted, or none.
//!
//! A model is added in a file here that says what it [allows](Constraint::allows), with an arm in
//! [`limit`]; its data is a variant of [`Model`], its reasons are rows in the table of reasons.

#[cfg(test)]
mod as_before;
pub(super) mod ask;
mod constraints;
#[cfg(test)]
mod histories;
#[cfg(test)]
pub(super) mod hours;
#[cfg(test)]
pub(super) mod per_user;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use super::*;
use crate::ledger::kept::lent::{Lent, Most};
use crate::ledger::kept::pool::Pool;
use ask::{AskPart, Lacking, Plan, Plans, Verdict};
use constraints::{Constraint, EACH_PRODUCT, Hearing};

impl Ledger {
    /// Whether an ask is granted now, all parts of it, and how; else which part there is none to
    /// be had of, and why.
    pub(super) fn judge(&self, asked: &[AskPart], now: Now) -> Verdict {
        self.judge_in(asked, now, |product| self.pools.get(product))
    }

    /// The same, of pools that may be others than the ledger's own.
    pub(super) fn judge_in<'a>(
        &'a self,
        asked: &[AskPart],
        now: Now,
        pool_of: impl Fn(ProductNumber) -> Option<&'a Pool>,
    ) -> Verdict {
        let mut plans = Plans::new();
        // Which part cannot be had now, and whether there are as many seats of it at all.
        let mut lacking: Option<(Lacking, bool)> = None;
        for (part, asked) in asked.iter().enumerate() {
            let pool = pool_of(asked.product);
            let judged = match pool {
                Some(pool) => self.judge_part(asked, pool, now),
                None => Err(Reason::NoEntitlement),
            };
            match judged {
                Ok(plan) => plans.push(plan),
                Err(reason) if reason.waiting_helps() => {
                    let is_vain =
                        pool.is_some_and(|pool| u64::from(asked.seats) > pool.scene(now).seats);
                    // What waiting does not bring goes before what is in use.
                    lacking = match lacking {
                        Some((before, was_vain)) if was_vain || !is_vain => {
                            Some((before, was_vain))
                        }
                        _ => Some((Lacking { part, reason }, is_vain)),
                    };
                }
                // What nobody could even wait for goes before what is in use.
                Err(reason) => return Err(Lacking { part, reason }),
            }
        }
        if let Some((lacking, _)) = lacking {
            return Err(lacking);
        }
        // What is held together ends together.
        if let Some(life_ms) = plans.iter().map(|plan| plan.life_ms).min() {
            plans.iter_mut().for_each(|plan| plan.life_ms = life_ms);
        }
        Ok(plans)
    }

    fn judge_part(&self, asked: &AskPart, pool: &Pool, now: Now) -> Result<Plan, Reason> {
        let at = Hearing {
            ledger: self,
            pool,
            now,
        };
        let mut life_ms = u64::from(asked.ttl_seconds) * 1_000;
        for constraint in EACH_PRODUCT {
            let most = constraint.allows(asked, &at)?;
            if most.seats < asked.seats {
                return Err(Reason::NoSeat);
            }
            life_ms = life_ms.min(most.life_ms);
        }
        let refused = Cell::new(None);
        let most = |lent: &Lent| match limit(lent) {
            None => Most::ALL,
            Some(model) => model.allows(asked, &at).unwrap_or_else(|reason| {
                refused.set(refused.get().or(Some(reason)));
                Most::NOTHING
            }),
        };
        let drawn = pool.draw_more(asked.seats, life_ms, now, most);
        let (draws, life_ms) = drawn.ok_or_else(|| refused.get().unwrap_or(Reason::NoSeat))?;
        Ok(Plan {
            draws,
            life_ms,
            scene: pool.scene(now),
            shared: pool.listing.spec.shared_by_subject,
        })
    }
}

/// What limits the seats of an allotment beside their number; none: nothing does.
fn limit(lent: &Lent) -> Option<&dyn Constraint> {
    match lent.model.as_ref()? {
        Model::Concurrent { .. } => None,
        #[cfg(test)]
        Model::PerUser(model) => Some(model),
        #[cfg(test)]
        Model::Hours(model) => Some(model),
    }
}
