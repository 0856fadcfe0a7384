//! Uses and waits from their records: what begins is remembered by its handle until it ends.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Report;
use super::record::{self, Kind, Record};
use super::words::Word;
use crate::fact::{Ask, Fact, Holder};
use crate::reading::Out;

/// Uses and waits that are remembered; the ends of further ones are told from their own lines, if these
/// say enough.
pub const OPEN_LIMIT: usize = 1_000_000;
/// Why a check-in was: the server took the license back after its timeout.
const TIMED_OUT: i32 = 4;
/// A server's status: it does not serve the product.
const NOT_SERVED: i32 = -18;

/// A use or a wait that is open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    ask: Ask,
    pool: Option<String>,
}

impl Report {
    /// Takes in a record whose first word is gone; whether it was understood.
    pub(super) fn record(&mut self, kind: Kind, words: &[Word<'_>], out: &mut Out<'_>) -> bool {
        let Some(record) = record::read(kind, words) else {
            return false;
        };
        let Some(at) = self.at(record.when) else {
            return false;
        };
        let handle = record.handle.map(str::to_owned);
        let open = handle.as_deref().and_then(|handle| match kind {
            Kind::In | Kind::InUse => self.uses.get(handle),
            Kind::Out | Kind::Queue | Kind::Dequeue => self.waits.get(handle),
            Kind::Deny => None,
        });
        let (open_ask, open_pool) = match open {
            Some(open) => (Some(open.ask.clone()), open.pool.clone()),
            None => (None, None),
        };
        let pool = record.pool.map(str::to_owned).or(open_pool);
        let is_open = open_ask.is_some();
        let Some(ask) = self.ask(&record, at, open_ask) else {
            return false;
        };
        if let (Some((free, reserved)), Some(pool)) = (record.in_use, &pool) {
            self.pools
                .used(&ask.feature, pool, free.saturating_add(reserved), at);
        }
        match kind {
            Kind::Out => {
                if let Some(mut waited) = handle
                    .as_deref()
                    .and_then(|handle| self.waits.remove(handle))
                {
                    waited.ask.at = at;
                    out.say(Fact::Dequeued(waited.ask));
                }
                remember(&mut self.uses, handle, &ask, pool);
                out.say(Fact::Checkout(ask));
            }
            Kind::InUse if is_open => (),
            Kind::InUse => {
                remember(&mut self.uses, handle, &ask, pool);
                out.say(Fact::Checkout(ask));
            }
            Kind::In => {
                if let Some(handle) = handle {
                    self.uses.remove(&handle);
                }
                out.say(match record.why {
                    Some(TIMED_OUT) => Fact::Inactive(ask),
                    _ => Fact::Checkin(ask),
                });
            }
            Kind::Deny => match record.why {
                // The application asks another server: this is no refusal of the application.
                _ if !record.is_last => (),
                Some(NOT_SERVED) => out.say(Fact::Unsupported(ask)),
                status => out.say(Fact::Denied(ask, denial(status))),
            },
            Kind::Queue => {
                remember(&mut self.waits, handle, &ask, None);
                out.say(Fact::Queued(ask));
            }
            Kind::Dequeue => {
                if let Some(handle) = handle {
                    self.waits.remove(&handle);
                }
                out.say(Fact::Dequeued(ask));
            }
        }
        true
    }

    /// What a record asks or gives back: what its line says and, for fields that it omits, what the
    /// line that began it says. None: neither names a product.
    fn ask(&self, record: &Record<'_>, at: Timestamp, open: Option<Ask>) -> Option<Ask> {
        let (feature, holder, version) = match (record.product, open) {
            (Some(product), _) => {
                let nobody = || Holder {
                    user: String::new(),
                    host: String::new(),
                    display: None,
                };
                let holder = record.holder.clone().unwrap_or_else(nobody);
                (
                    self.feature(product),
                    holder,
                    record.version.map(str::to_owned),
                )
            }
            (None, Some(open)) => (open.feature, open.holder, open.version),
            (None, None) => return None,
        };
        Some(Ask {
            at,
            feature,
            holder,
            seats: record.seats,
            version,
            handle: record.handle.map(str::to_owned),
            package: None,
        })
    }
}

fn remember(
    open: &mut HashMap<String, Open>,
    handle: Option<String>,
    ask: &Ask,
    pool: Option<String>,
) {
    if let Some(handle) = handle
        && open.len() < OPEN_LIMIT
    {
        let ask = ask.clone();
        open.insert(handle, Open { ask, pool });
    }
}

/// Why it was refused: RLM's status, with words for those that a busy server gives.
fn denial(status: Option<i32>) -> String {
    let Some(status) = status else {
        return "no status".to_owned();
    };
    let words = match status {
        -1 => ": no authorization for product",
        -3 => ": authorization has expired",
        -22 => ": all licenses in use",
        _ => "",
    };
    format!("status {status}{words}")
}
