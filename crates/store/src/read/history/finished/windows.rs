//! Which events a page goes over: windows of so many, from the next that has ended something on, so
//! that neither a long history without items nor one full of them makes a page read more than a
//! bound.

use rusqlite::Connection;
use usher_core::ledger::{FOLD_SECONDS, Steady};

use super::items::{self, FinishedItem};
use crate::base::columns::from_i64;

/// Events that are looked at at once.
const WINDOW: u64 = 10_000;
/// Windows in a page at the most.
const WINDOWS_LIMIT: u32 = 16;

/// What was read.
pub(super) struct Read {
    pub(super) items: Vec<FinishedItem>,
    /// Nothing up to this event is left out.
    pub(super) through: u64,
}

/// Reads on after an event, to the last that there is at most.
pub(super) fn read(
    connection: &Connection,
    after: u64,
    head: u64,
    limit: u32,
    now: Steady,
) -> rusqlite::Result<Read> {
    let mut read = Read {
        items: Vec::new(),
        through: after,
    };
    for _ in 0..WINDOWS_LIMIT {
        let left = limit.saturating_sub(u32::try_from(read.items.len()).unwrap_or(u32::MAX));
        if left == 0 || read.through >= head {
            break;
        }
        let Some(next) = next_event(connection, read.through)?.filter(|next| *next <= head) else {
            read.through = head;
            break;
        };
        let window_end = head.min((next - 1).saturating_add(WINDOW));
        let open = open_refusal(connection, next - 1, window_end, now)?;
        let end = open.map_or(window_end, |open| open - 1);
        let mut found = items::between(connection, next - 1, end, left)?;
        found.sort_by_key(|item| item.at.event);
        read.through = match cut(&mut found, left) {
            true => found.last().map_or(end, |last| last.at.event.0),
            false => end,
        };
        read.items.append(&mut found);
        if open.is_some() {
            break;
        }
    }
    Ok(read)
}

/// Cuts a page down to its limit, but no two items of one event apart; whether anything was cut.
fn cut(items: &mut Vec<FinishedItem>, limit: u32) -> bool {
    let limit = limit as usize;
    if items.len() <= limit {
        return false;
    }
    let last = items[limit - 1].at.event;
    let keep = items.partition_point(|item| item.at.event <= last);
    let is_cut = keep < items.len();
    items.truncate(keep);
    is_cut
}

/// The next event that has ended something. Each part is one step in an index; of leases one for
/// each product.
const NEXT: &str = "SELECT min(event) FROM ( \
    SELECT min(number) AS event FROM sessions WHERE number > ?1 \
    UNION ALL SELECT min(number) FROM denials WHERE number > ?1 \
    UNION ALL SELECT min(settled) FROM tickets WHERE settled > ?1 \
    UNION ALL SELECT min((SELECT l.ended FROM leases l INDEXED BY leases_ended \
        WHERE l.product = p.number AND l.ended IS NOT NULL AND l.ended > ?1 \
        ORDER BY l.ended LIMIT 1)) FROM products p)";

fn next_event(connection: &Connection, after: u64) -> rusqlite::Result<Option<u64>> {
    let next: Option<i64> = connection
        .prepare_cached(NEXT)?
        .query_row([after.cast_signed()], |row| row.get(0))?;
    Ok(next.map(from_i64))
}

/// The first refusal to which a repeat may still be counted.
fn open_refusal(
    connection: &Connection,
    after: u64,
    end: u64,
    now: Steady,
) -> rusqlite::Result<Option<u64>> {
    // A new file's clock begins at zero: this may be before it.
    let settled = now.0.cast_signed() - FOLD_SECONDS.cast_signed() * 1_000;
    let first: Option<i64> = connection
        .prepare_cached(
            "SELECT min(number) FROM denials WHERE number > ?1 AND number <= ?2 AND first > ?3",
        )?
        .query_row([after.cast_signed(), end.cast_signed(), settled], |row| {
            row.get(0)
        })?;
    Ok(first.map(from_i64))
}

#[cfg(test)]
mod tests;
