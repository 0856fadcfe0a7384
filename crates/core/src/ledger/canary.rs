//! The canary: a checkout that shows whether seats can be granted at all.
//!
//! Its product is reserved: made for the moment, with a single seat of its own, in no list, count
//! or history. It is judged by the same rules as any other, and its event has to become durable
//! like any other.

use super::event::Event;
use super::pool::{Listing, Pool};
use super::*;

const TTL_MS: u64 = 1_000;

impl Ledger {
    pub(super) fn canary(&mut self) -> Reply {
        let mut pool = reserved(self.now);
        if let Some(reason) = pool.closed(self.now) {
            return Reply::Canary(Err(reason));
        }
        let Some((draws, _)) = pool.draw_more(1, TTL_MS, self.now) else {
            return Reply::Canary(Err(Reason::NoSeat));
        };
        pool.take(&draws);
        pool.give_back(&draws);
        self.emit(Event::CanarySeated);
        Reply::Canary(Ok(()))
    }
}

fn reserved(now: Now) -> Pool {
    let product = ProductNumber(0);
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
        product,
        entitlement: EntitlementNumber(0),
        seats: 1,
        from: None,
        to: None,
        deadline: None,
    });
    pool
}
