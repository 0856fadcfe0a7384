//! Items for the server: queued, numbered, sent, acknowledged.

use rusqlite::{Connection, params};
use serde_json::value::RawValue;
use usher_api::SyncAction;

use super::{Change, Outbox, Result, meta};
use crate::base::clock;

/// What an item is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Checkout,
    Renew,
    Checkin,
    Finished,
    Programs,
}

impl ItemKind {
    fn as_str(self) -> &'static str {
        match self {
            ItemKind::Checkout => "checkout",
            ItemKind::Renew => "renew",
            ItemKind::Checkin => "checkin",
            ItemKind::Finished => "finished",
            ItemKind::Programs => "programs",
        }
    }

    fn of(action: &SyncAction<'_>) -> Self {
        match action {
            SyncAction::Checkout(_) => ItemKind::Checkout,
            SyncAction::Renew { .. } => ItemKind::Renew,
            SyncAction::Checkin { .. } | SyncAction::Released { .. } => ItemKind::Checkin,
            SyncAction::Finished(_) => ItemKind::Finished,
            SyncAction::Programs { .. } => ItemKind::Programs,
        }
    }

    fn named(word: &str) -> Option<Self> {
        [
            ItemKind::Checkout,
            ItemKind::Renew,
            ItemKind::Checkin,
            ItemKind::Finished,
            ItemKind::Programs,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

fn session_of(action: &SyncAction<'_>) -> Option<u64> {
    match action {
        SyncAction::Checkout(checkout) => Some(checkout.session),
        SyncAction::Renew { session, .. }
        | SyncAction::Checkin { session }
        | SyncAction::Released { session } => Some(*session),
        SyncAction::Finished(finished) => Some(finished.session),
        SyncAction::Programs { .. } => None,
    }
}

/// An item to be sent.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) sequence: u64,
    pub(crate) kind: ItemKind,
    pub(crate) session: Option<u64>,
    /// The item as a request carries it: with its `sequence`.
    pub(crate) json: Box<RawValue>,
}

impl Change<'_> {
    /// Puts an item behind the others.
    pub(crate) fn enqueue(&self, action: &SyncAction<'_>) -> Result<()> {
        let body = serde_json::to_string(action)?;
        let kind = ItemKind::of(action).as_str();
        self.connection
            .prepare_cached("INSERT INTO items (kind, session, body) VALUES (?1, ?2, ?3)")?
            .execute(params![kind, session_of(action).map(|n| n as i64), body])?;
        Ok(())
    }

    /// Removes the items of one kind about a session that were never sent; `true` if there were
    /// any.
    pub(crate) fn take_back(&self, kind: ItemKind, session: u64) -> Result<bool> {
        let taken = self
            .connection
            .prepare_cached(
                "DELETE FROM items WHERE session = ?1 AND kind = ?2 AND sequence IS NULL",
            )?
            .execute(params![session as i64, kind.as_str()])?;
        Ok(taken > 0)
    }

    /// Whether an item of one kind about a session is not acknowledged yet, sent or not.
    pub(crate) fn waits(&self, kind: ItemKind, session: u64) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM items WHERE session = ?1 AND kind = ?2 LIMIT 1")?;
        Ok(statement.exists(params![session as i64, kind.as_str()])?)
    }

    /// Whether an item that was never sent asks for a seat.
    pub(crate) fn is_to_ask(&self, session: u64) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM items WHERE session = ?1 AND kind = ?2 AND sequence IS NULL LIMIT 1",
        )?;
        let kind = ItemKind::Checkout.as_str();
        Ok(statement.exists(params![session as i64, kind])?)
    }

    /// The server has acknowledged all items up to a sequence: they are deleted, finished sessions
    /// only after a while.
    pub(crate) fn acknowledge(&self, up_to: u64) -> Result<()> {
        let up_to = i64::try_from(up_to).unwrap_or(i64::MAX);
        self.keep_finished(up_to, clock::wall_ms())?;
        self.connection
            .prepare_cached("DELETE FROM items WHERE sequence <= ?1")?
            .execute([up_to])?;
        Ok(())
    }

    /// Deletes an item that the server will never accept.
    pub(crate) fn drop_item(&self, sequence: u64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM items WHERE sequence = ?1")?
            .execute([sequence as i64])?;
        Ok(())
    }

    /// Puts an item that the server has not accepted behind the others, as one that was never sent.
    pub(crate) fn send_anew(&self, sequence: u64) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO items (kind, session, body)
                 SELECT kind, session, body FROM items WHERE sequence = ?1",
            )?
            .execute([sequence as i64])?;
        self.drop_item(sequence)
    }

    /// Begins a new incarnation, in which the numbers start again at 1.
    pub(crate) fn begin_incarnation(&self, incarnation: u64) -> Result<()> {
        self.connection
            .execute("UPDATE items SET sequence = NULL", [])?;
        self.set_meta("incarnation", &incarnation.to_string())?;
        self.set_meta("last_sequence", "0")
    }
}

impl Outbox {
    /// The oldest items, numbered; at most `limit` of them and about `bytes` of text. Their
    /// numbers are on disk when this returns.
    pub(crate) fn next_batch(&mut self, limit: usize, bytes: usize) -> Result<Vec<Item>> {
        self.change(|change| {
            let connection = change.connection;
            let last: u64 = meta(connection, "last_sequence")?
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            let mut next = last;
            let mut batch = Vec::new();
            let mut total = 0;
            let mut rows = connection.prepare_cached(
                "SELECT id, sequence, body, kind, session FROM items ORDER BY id LIMIT ?1",
            )?;
            let mut rows = rows.query([limit as i64])?;
            let mut number =
                connection.prepare_cached("UPDATE items SET sequence = ?1 WHERE id = ?2")?;
            let mut asked =
                connection.prepare_cached("UPDATE sessions SET asked = 1 WHERE number = ?1")?;
            while let Some(row) = rows.next()? {
                let body: String = row.get(2)?;
                total += body.len();
                if total > bytes && !batch.is_empty() {
                    break;
                }
                let sequence = match row.get::<_, Option<i64>>(1)? {
                    Some(sequence) => sequence as u64,
                    None => {
                        next += 1;
                        number.execute(params![next as i64, row.get::<_, i64>(0)?])?;
                        next
                    }
                };
                let kind = ItemKind::named(row.get_ref(3)?.as_str().unwrap_or_default());
                let kind = kind.ok_or(rusqlite::Error::InvalidQuery)?;
                let session = row.get::<_, Option<i64>>(4)?.map(|number| number as u64);
                if let (ItemKind::Checkout, Some(session)) = (kind, session) {
                    asked.execute([session as i64])?;
                }
                // The body is an object with a kind at least.
                let rest = body.get(1..).unwrap_or_default();
                let json = RawValue::from_string(format!("{{\"sequence\":{sequence},{rest}"))?;
                batch.push(Item {
                    sequence,
                    kind,
                    session,
                    json,
                });
            }
            if next != last {
                change.set_meta("last_sequence", &next.to_string())?;
            }
            Ok(batch)
        })
    }
}

pub(super) fn count(connection: &Connection) -> Result<u64> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM items")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
}

/// Deletes what is over the limit: counts of programs first, then the oldest finished sessions that
/// were never sent.
pub(super) fn keep_within(connection: &Connection, limit: u64) -> Result<()> {
    // Cheap for every ordinary change: ids are given in order.
    let mut span = connection.prepare_cached("SELECT ifnull(max(id) - min(id), 0) FROM items")?;
    let span: i64 = span.query_row([], |row| row.get(0))?;
    if (span as u64) < limit {
        return Ok(());
    }
    let over = count(connection)?.saturating_sub(limit);
    if over == 0 {
        return Ok(());
    }
    let mut dropped = 0;
    for kind in [ItemKind::Programs, ItemKind::Finished] {
        dropped += connection.execute(
            "DELETE FROM items WHERE id IN (
                SELECT id FROM items WHERE kind = ?1 AND sequence IS NULL ORDER BY id LIMIT ?2)",
            params![kind.as_str(), over.saturating_sub(dropped as u64) as i64],
        )?;
    }
    let before: u64 = meta(connection, "dropped")?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let change = Change { connection };
    change.set_meta("dropped", &(before + dropped as u64).to_string())?;
    tracing::warn!(
        dropped,
        limit,
        "the server was away too long: the oldest records are dropped"
    );
    Ok(())
}
