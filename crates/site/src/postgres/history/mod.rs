//! The collected history on PostgreSQL. A batch is appended completely or not at all, and an item that
//! arrives twice is stored once. What was put back on a server is marked before, in several transactions
//! if it is much.

pub(super) mod days;
mod items;
mod marks;
mod names;
mod past;
mod places;

use super::db::Db;
use super::failure::Result;
use super::since;
use super::usage::RollUp;
use super::values::params;
use crate::collected::{Appended, Ended, HistoryBatch, HistoryItem};
use crate::columns::signed;
use crate::history::up_to;

use items::Teller;
pub(super) use names::Names;
pub(super) use past::{page as past_page, sources};
pub(super) use places::of as places_of;

/// Appends a batch if it continues the collected history; none: nothing is appended yet, because more is
/// to be marked first, in another transaction.
pub(super) fn append(db: &Db, batch: &HistoryBatch) -> Result<Option<Appended>> {
    let mut known = places::of(db, &batch.server)?;
    known.reverse();
    let Some(before) = up_to(&known, batch.asked) else {
        return Ok(Some(Appended {
            is_stale: true,
            ..Appended::default()
        }));
    };
    let mut done = Appended::default();
    let is_put_back = before.len() < known.len() || batch.from != batch.asked;
    if let Some(source) = known_source(db, &batch.server)?
        && (is_put_back || marks::is_under_way(db, source)?)
    {
        let target = marks::Target {
            source,
            from: batch.from,
            left: &known[before.len()..],
        };
        match marks::put_back(db, &target, batch.at_ms)? {
            Some(gone) => done.gone = gone,
            None => return Ok(None),
        }
    }
    let source = source(db, batch)?;
    places::write(db, source, before, batch)?;
    note_first(db, &batch.items)?;
    let mut names = Names::enter(db, batch)?;
    let since = since::since(db)?;
    let items = batch.items.iter().filter(|it| !since.is_before(&it.what));
    let items: Vec<&HistoryItem> = items.collect();
    done.past = batch.items.len().abs_diff(items.len()) as u64;
    done.added = put_in(db, source, (batch.at_ms, &items), &mut names)?;
    done.already = (items.len() as u64).saturating_sub(done.added);
    Ok(Some(done))
}

/// Puts the items into their tables, and what is new of them into the roll-ups; how many are new.
fn put_in<'d>(
    db: &'d Db,
    source: i64,
    (at_ms, items): (i64, &[&HistoryItem]),
    names: &mut Names<'d>,
) -> Result<u64> {
    let (mut sessions, mut leases) = (Vec::new(), Vec::new());
    let (mut denials, mut waits) = (Vec::new(), Vec::new());
    for item in items.iter().copied() {
        match &item.what {
            Ended::Session(it) => sessions.push((item, it)),
            Ended::Lease(it) => leases.push((item, it)),
            Ended::Denial(it) => denials.push((item, it)),
            Ended::Wait(it) => waits.push((item, it)),
        }
    }
    let mut from = Teller {
        db,
        source,
        at_ms,
        names,
    };
    let mut roll_up = RollUp::new(db);
    let new = from.sessions(&sessions)?;
    let mut added = new.len();
    let mut ended = Vec::with_capacity(new.len());
    for (item, it) in new {
        ended.push((from.names.product(&item.product)?, it));
    }
    // Before the leases of the batch are there: they are counted as what they are at once.
    roll_up.add_sessions(&ended)?;
    let new = from.leases(&leases)?;
    added += new.len();
    let mut ended = Vec::with_capacity(new.len());
    for (item, it) in new {
        ended.push((from.names.product(&item.product)?, it));
    }
    roll_up.add_leases(&ended)?;
    added += from.denials(&denials)?.len();
    added += from.waits(&waits)?.len();
    roll_up.write()?;
    Ok(added as u64)
}

/// The number of a server, if something was collected from it.
fn known_source(db: &Db, server: &str) -> Result<Option<i64>> {
    let sql = "SELECT number FROM history_sources WHERE server = $1";
    db.optional(sql, &params![server], |row| row.get(0))
}

/// The number of a server; it is assigned with the first batch.
fn source(db: &Db, batch: &HistoryBatch) -> Result<i64> {
    db.one(
        "INSERT INTO history_sources (server, head_event, collected_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (server) DO UPDATE SET head_event = excluded.head_event, \
         collected_ms = excluded.collected_ms RETURNING number",
        &params![batch.server, signed(batch.head_event), batch.at_ms],
        |row| row.get(0),
    )
}

/// Notes when the first of all began.
fn note_first(db: &Db, items: &[HistoryItem]) -> Result<()> {
    let Some(first_ms) = items.iter().map(HistoryItem::begun_ms).min() else {
        return Ok(());
    };
    let sql = "INSERT INTO history_first (one, first_ms) VALUES (true, $1) \
               ON CONFLICT (one) DO UPDATE SET first_ms = excluded.first_ms \
               WHERE history_first.first_ms > excluded.first_ms";
    db.run(sql, &params![first_ms]).map(drop)
}
