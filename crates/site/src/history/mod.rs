//! The collected history in the embedded engine. A batch is appended completely or not at all, and
//! an item that arrives twice is stored once.

mod items;
mod known;
mod marks;
mod names;
mod past;
mod places;
mod ranges;

use rusqlite::{Connection, Result, params};

use crate::collected::{Appended, Ended, HistoryBatch, HistoryItem};
use crate::columns::signed;
use crate::retention;
use crate::usage::RollUp;

use items::Teller;
pub(crate) use names::{ELSEWHERE, Names};
pub(crate) use past::{page as past_page, sources};
pub(crate) use places::{follow, of as places_of, up_to};

/// Appends a batch if it continues the collected history.
pub(crate) fn append(connection: &Connection, batch: &HistoryBatch) -> Result<Appended> {
    let mut known = places::of(connection, &batch.server)?;
    known.reverse();
    let Some(before) = places::up_to(&known, batch.asked) else {
        return Ok(Appended {
            is_stale: true,
            ..Appended::default()
        });
    };
    let source = source(connection, batch)?;
    let mut done = Appended::default();
    let is_put_back = before.len() < known.len() || batch.from != batch.asked;
    if is_put_back {
        done.gone = marks::put_back(
            connection,
            source,
            batch.from,
            &known[before.len()..],
            batch.at_ms,
        )?;
    }
    places::write(connection, source, before, batch)?;
    note_first(connection, &batch.items)?;
    let mut names = Names::enter(connection, batch)?;
    let since = retention::since(connection)?;
    let items = batch.items.iter().filter(|it| !since.is_before(&it.what));
    let items: Vec<&HistoryItem> = items.collect();
    done.past = batch.items.len().abs_diff(items.len()) as u64;
    done.added = put_in(connection, source, &items, &mut names)?;
    done.already = (items.len() as u64).saturating_sub(done.added);
    Ok(done)
}

/// Puts the items into their tables, and what is new of them into the roll-ups; how many are new.
fn put_in<'c>(
    connection: &'c Connection,
    source: i64,
    items: &[&HistoryItem],
    names: &mut Names<'c>,
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
        connection,
        source,
        names,
    };
    let mut roll_up = RollUp::new(connection);
    let new = from.sessions(&sessions)?;
    let mut added = new.len() as u64;
    // Before the leases of the batch are there: they are counted as what they are at once.
    roll_up.add_sessions(&new)?;
    let new = from.leases(&leases)?;
    added += new.len() as u64;
    roll_up.add_leases(&new)?;
    added += from.denials(&denials)?;
    added += from.waits(&waits)?;
    roll_up.write()?;
    Ok(added)
}

/// Notes when the first of all began.
fn note_first(connection: &Connection, items: &[HistoryItem]) -> Result<()> {
    let Some(first_ms) = items.iter().map(HistoryItem::begun_ms).min() else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO history_first (one, first_ms) VALUES (1, ?1) \
             ON CONFLICT (one) DO UPDATE SET first_ms = ?1 WHERE first_ms > ?1",
        )?
        .execute([first_ms])
        .map(drop)
}

/// The number of a server; it is assigned with the first batch.
fn source(connection: &Connection, batch: &HistoryBatch) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO history_sources (server, head_event, collected_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (server) DO UPDATE SET head_event = ?2, collected_ms = ?3 \
             RETURNING number",
        )?
        .query_row(
            params![batch.server, signed(batch.head_event), batch.at_ms],
            |row| row.get(0),
        )
}
