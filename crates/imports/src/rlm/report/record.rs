//! The records that name a use or a wish for one: OUT, IN, DENY, QUE, DEQUE and INUSE.
//!
//! User and host stand without quotes, so a user may look like several words. The quoted field behind
//! them that a number follows tells where they end.

use crate::fact::Holder;
use crate::rlm::report::words::{Word, joined};
use crate::rlm::time;

/// When a record says that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Month, day and time.
    Day(i8, i8, jiff::civil::Time),
    /// A time alone, in the small format.
    Clock(jiff::civil::Time),
}

/// What the records have in common; what a format leaves out is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'l> {
    pub(super) product: Option<&'l str>,
    pub(super) version: Option<&'l str>,
    pub(super) pool: Option<&'l str>,
    pub(super) holder: Option<Holder>,
    pub(super) seats: u32,
    /// The server's handle of the use, without zeros in front.
    pub(super) handle: Option<&'l str>,
    /// Free seats and reserved seats of the pool that are in use after it.
    pub(super) in_use: Option<(u64, u64)>,
    /// Why: of a check-in or a dequeue its cause, of a denial its status.
    pub(super) why: Option<i32>,
    /// A denial: whether the application asks no other server.
    pub(super) is_last: bool,
    pub(super) when: When,
}

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Out,
    In,
    Deny,
    Queue,
    Dequeue,
    InUse,
}

/// Reads a record whose first word is gone.
pub(super) fn read<'l>(kind: Kind, words: &[Word<'l>]) -> Option<Record<'l>> {
    let (when_at, when) = when(words)?;
    let text = |at: usize| words.get(at).map(|word| word.text);
    if matches!(kind, Kind::In | Kind::Dequeue) && words.len() == 4 {
        // The small format: why, count, handle, time.
        return Some(Record {
            product: None,
            version: None,
            pool: None,
            holder: None,
            seats: text(1)?.parse().ok()?,
            handle: Some(handle(text(2)?)?),
            in_use: None,
            why: Some(text(0)?.parse().ok()?),
            is_last: false,
            when,
        });
    }
    let has_why = matches!(kind, Kind::In | Kind::Dequeue);
    let product_at = usize::from(has_why);
    let has_pool = match kind {
        Kind::Out => matches!(when, When::Day(..)),
        Kind::InUse => true,
        _ => false,
    };
    let user_at = product_at + 2 + usize::from(has_pool);
    let isv_at = (user_at + 2..when_at).find(|at| {
        words.get(*at).is_some_and(|word| word.quoted)
            && words
                .get(at + 1)
                .is_some_and(|word| !word.quoted && is_number(word.text))
    })?;
    let (host, user) = words.get(user_at..isv_at)?.split_last()?;
    let after = |place: usize| text(isv_at + place);
    let handle_at = match kind {
        // The standard and detailed formats have the figures in use before the handle.
        Kind::Out if has_pool => Some(4),
        Kind::In => Some(4),
        Kind::Out | Kind::Queue | Kind::Dequeue | Kind::InUse => Some(2),
        Kind::Deny => None,
    };
    let handle = match handle_at {
        Some(at) => Some(handle(after(at)?)?),
        None => None,
    };
    let figure = |place: usize| after(place).and_then(|text| text.parse().ok());
    Some(Record {
        product: text(product_at),
        version: text(product_at + 1),
        pool: has_pool.then(|| text(product_at + 2)).flatten(),
        holder: Some(Holder {
            user: joined(user),
            host: host.text.to_owned(),
            display: None,
        }),
        seats: after(1)?.parse().ok()?,
        handle,
        in_use: match handle_at {
            Some(4) => figure(2).zip(figure(3)),
            _ => None,
        },
        why: match kind {
            Kind::Deny => Some(after(2)?.parse().ok()?),
            _ if has_why => Some(text(0)?.parse().ok()?),
            _ => None,
        },
        is_last: kind == Kind::Deny && after(3) != Some("0"),
        when,
    })
}

/// Where a record's date stands, and what it says: the first date that a time follows, else a time at the
/// end.
pub(super) fn when(words: &[Word<'_>]) -> Option<(usize, When)> {
    let dated = words.windows(2).enumerate().find_map(|(at, pair)| {
        let [day, clock] = pair else {
            return None;
        };
        if day.quoted || clock.quoted {
            return None;
        }
        let (month, day, _) = time::date(day.text)?;
        Some((at, When::Day(month, day, time::clock(clock.text)?)))
    });
    dated.or_else(|| {
        let last = words.last().filter(|word| !word.quoted)?;
        Some((words.len() - 1, When::Clock(time::clock(last.text)?)))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A hexadecimal handle.
fn handle(text: &str) -> Option<&str> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| match text.trim_start_matches('0') {
        "" => "0",
        handle => handle,
    })
}
