//! The canary: a checkout that shows whether seats can be granted at all.
//!
//! Its product is reserved: made for the moment, with a single seat of its own, in no list, count
//! or history. It is judged by the same rules as any other, and its event has to become durable
//! like any other.

use super::*;
use crate::ledger::judge::ask::{AskPart, Way};
use crate::ledger::kept::pool::{Listing, Pool};
use crate::ledger::words::event::Event;

/// The seats that a canary asks for.
fn asked() -> AskPart {
    AskPart {
        product: PRODUCT,
        subject: SubjectId(0),
        computer: ComputerId(0),
        session: None,
        seats: 1,
        ttl_seconds: 1,
        waits: false,
        priority: 0,
        program: None,
        also: Box::default(),
        way: Way::Canary,
    }
}

/// The reserved product.
const PRODUCT: ProductNumber = ProductNumber(0);

impl Ledger {
    pub(super) fn canary(&mut self) -> Reply {
        let mut pool = reserved(self.now);
        let plans = match self.judge_in(&[asked()], self.now, |_| Some(&pool)) {
            Ok(plans) => plans,
            Err(lacking) => return Reply::Canary(Err(lacking.reason)),
        };
        for plan in plans {
            pool.take(&plan.draws);
            pool.give_back(&plan.draws);
        }
        self.emit(Event::CanarySeated);
        Reply::Canary(Ok(()))
    }
}

fn reserved(now: Now) -> Pool {
    let mut pool = Pool::new(Listing {
        spec: ProductSpec {
            id: "".into(),
            enabled: true,
            max_ttl_seconds: 1,
            queue_limit: 0,
            shared_by_subject: false,
            impossible_seconds: DEFAULT_IMPOSSIBLE_SECONDS,
            document: "".into(),
        },
        created_at: now.wall,
        removed: false,
    });
    pool.put_allotment(Allotment {
        number: AllotmentNumber(0),
        product: PRODUCT,
        entitlement: EntitlementNumber(0),
        seats: 1,
        from: None,
        to: None,
        deadline: None,
    });
    pool
}
