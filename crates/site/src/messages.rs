//! Messages in the embedded engine.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, Row, params, params_from_iter};
use usher_core::messages::{CATALOGUE, Message};

use crate::columns::{severity_number, signed, unsigned};
use crate::open::OPEN;
use crate::record::Kept;
use crate::rows::{MESSAGES_LIMIT, MessageFilter, MessageRow};

const COLUMNS: &str = "record_id, id, computer, site, server, process_id, first_ms, \
     last_ms, vals, count, recovered_ms, keep_until_ms, summarised";

fn message(row: &Row<'_>) -> Result<MessageRow> {
    let values: String = row.get(8)?;
    Ok(MessageRow {
        record_id: row.get(0)?,
        message: Message {
            id: row.get(1)?,
            computer: row.get(2)?,
            site: row.get(3)?,
            server: row.get(4)?,
            process_id: row.get(5)?,
            time_ms: row.get(6)?,
            values: serde_json::from_str(&values).unwrap_or_default(),
        },
        last_ms: row.get(7)?,
        count: unsigned(row.get(9)?),
        recovered_ms: row.get(10)?,
        keep_until_ms: row.get(11)?,
        summarised: row.get(12)?,
    })
}

fn text_of(values: &[String]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// Stores a message; answers the number of its record.
pub(crate) fn add(connection: &Connection, it: &MessageRow) -> Result<i64> {
    let message = &it.message;
    let entry = message.entry();
    connection.query_row(
        "INSERT INTO messages (id, severity, component, computer, site, server, \
         process_id, first_ms, last_ms, vals, count, recovered_ms, keep_until_ms, \
         summarised) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         RETURNING record_id",
        params![
            message.id,
            severity_number(entry.severity),
            entry.component,
            message.computer,
            message.site,
            message.server,
            message.process_id,
            message.time_ms,
            it.last_ms,
            text_of(&message.values),
            signed(it.count),
            it.recovered_ms,
            it.keep_until_ms,
            it.summarised
        ],
        |row| row.get(0),
    )
}

/// Records that a message was raised again: its count, and its last time.
pub(crate) fn count(connection: &Connection, record: i64, count: u64, last_ms: i64) -> Result<()> {
    connection
        .execute(
            "UPDATE messages SET count = ?2, last_ms = max(last_ms, ?3), \
             keep_until_ms = keep_until_ms + max(0, ?3 - last_ms) WHERE record_id = ?1",
            params![record, signed(count), last_ms],
        )
        .map(drop)
}

/// Replaces the values of a message whose trouble goes on.
pub(crate) fn reword(
    connection: &Connection,
    record: i64,
    values: &[String],
    count: u64,
    last_ms: i64,
) -> Result<()> {
    connection
        .execute(
            "UPDATE messages SET vals = ?2, count = ?3, last_ms = max(last_ms, ?4), \
             keep_until_ms = keep_until_ms + max(0, ?4 - last_ms) WHERE record_id = ?1",
            params![record, text_of(values), signed(count), last_ms],
        )
        .map(drop)
}

/// Opens a message: its trouble begins, or comes back just after the message was closed.
pub(crate) fn open_again(connection: &Connection, kept: &Kept) -> Result<()> {
    let Some(record) = kept.record_id else {
        return Ok(());
    };
    let sql = "UPDATE messages SET recovered_ms = NULL WHERE record_id = ?1 \
               AND recovered_ms IS NOT NULL";
    connection.execute(sql, [record]).map(drop)
}

/// Closes a message: its trouble is over.
pub(crate) fn close(connection: &Connection, record: i64, recovered_ms: i64) -> Result<()> {
    connection
        .execute(
            "UPDATE messages SET recovered_ms = ?2 WHERE record_id = ?1",
            params![record, recovered_ms],
        )
        .map(drop)
}

pub(crate) fn find(connection: &Connection, record: i64) -> Result<Option<MessageRow>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE record_id = ?1");
    connection.query_row(&sql, [record], message).optional()
}

pub(crate) fn list(connection: &Connection, filter: &MessageFilter) -> Result<Vec<MessageRow>> {
    let of_component = of_component(filter.component.as_deref().unwrap_or_default());
    let mut wheres = vec!["1"];
    let mut values: Vec<Value> = Vec::new();
    let mut given = |text, value: Option<Value>| {
        if let Some(value) = value {
            wheres.push(text);
            values.push(value);
        }
    };
    given("last_ms >= ?", filter.since_ms.map(Value::from));
    given("first_ms < ?", filter.until_ms.map(Value::from));
    given(
        "severity >= ?",
        filter
            .severity_at_least
            .map(|severity| Value::from(severity_number(severity))),
    );
    given(&of_component, filter.component.clone().map(Value::from));
    given("id = ?", filter.id.map(Value::from));
    given("server = ?", filter.server.clone().map(Value::from));
    given("record_id < ?", filter.below_record.map(Value::from));
    given("record_id > ?", filter.above_record.map(Value::from));
    if filter.open {
        wheres.push(OPEN);
    }
    let limit = filter.limit.clamp(1, MESSAGES_LIMIT);
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE {} ORDER BY record_id DESC LIMIT {limit}",
        wheres.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(&values), message)?;
    rows.collect()
}

/// A filter for messages of a component. Messages of an earlier version have the component that
/// they had then.
fn of_component(component: &str) -> String {
    format!("(component = ? OR id IN ({}))", ids_of_component(component))
}

/// The catalogue numbers of a component's messages, with commas between them.
pub(crate) fn ids_of_component(component: &str) -> String {
    let ids = CATALOGUE.iter().filter(|entry| entry.is_of(component));
    let ids: Vec<String> = ids.map(|entry| entry.id.to_string()).collect();
    ids.join(", ")
}

/// Removes messages that are past their time and not open; answers how many.
pub(crate) fn purge(connection: &Connection, now_ms: i64, limit: u32) -> Result<u64> {
    connection
        .execute(
            &format!(
                "DELETE FROM messages WHERE record_id IN (SELECT record_id FROM messages \
                 WHERE keep_until_ms < ?1 AND NOT {OPEN} LIMIT ?2)"
            ),
            params![now_ms, limit],
        )
        .map(|removed| removed as u64)
}
