//! Messages on PostgreSQL.

use usher_core::messages::Message;

use super::db::Db;
use super::failure::Result;
use super::values::{Param, Row, ToParam, params};
use crate::columns::{severity_number, signed, unsigned};
use crate::messages::ids_of_component;
use crate::open::OPEN;
use crate::record::Kept;
use crate::rows::{MESSAGES_LIMIT, MessageFilter, MessageRow};

const COLUMNS: &str = "record_id, id, computer, site, server, process_id, first_ms, \
     last_ms, vals, count, recovered_ms, keep_until_ms, summarised";

fn message(row: &Row) -> Result<MessageRow> {
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
pub(super) fn add(db: &Db, it: &MessageRow) -> Result<i64> {
    let message = &it.message;
    let entry = message.entry();
    db.one(
        "INSERT INTO messages (id, severity, component, computer, site, server, \
         process_id, first_ms, last_ms, vals, count, recovered_ms, keep_until_ms, \
         summarised) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
         RETURNING record_id",
        &params![
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
pub(super) fn count(db: &Db, record: i64, count: u64, last_ms: i64) -> Result<()> {
    db.run(
        "UPDATE messages SET count = $2, last_ms = greatest(last_ms, $3), \
         keep_until_ms = keep_until_ms + greatest(0, $3 - last_ms) WHERE record_id = $1",
        &params![record, signed(count), last_ms],
    )
    .map(drop)
}

/// Replaces the values of a message whose trouble goes on.
pub(super) fn reword(
    db: &Db,
    record: i64,
    values: &[String],
    count: u64,
    last_ms: i64,
) -> Result<()> {
    db.run(
        "UPDATE messages SET vals = $2, count = $3, last_ms = greatest(last_ms, $4), \
         keep_until_ms = keep_until_ms + greatest(0, $4 - last_ms) WHERE record_id = $1",
        &params![record, text_of(values), signed(count), last_ms],
    )
    .map(drop)
}

/// Opens a message: its trouble begins, or comes back just after the message was closed.
pub(super) fn open_again(db: &Db, kept: &Kept) -> Result<()> {
    let Some(record) = kept.record_id else {
        return Ok(());
    };
    let sql = "UPDATE messages SET recovered_ms = NULL WHERE record_id = $1 \
               AND recovered_ms IS NOT NULL";
    db.run(sql, &params![record]).map(drop)
}

/// Closes a message: its trouble is over.
pub(super) fn close(db: &Db, record: i64, recovered_ms: i64) -> Result<()> {
    let sql = "UPDATE messages SET recovered_ms = $2 WHERE record_id = $1";
    db.run(sql, &params![record, recovered_ms]).map(drop)
}

pub(super) fn find(db: &Db, record: i64) -> Result<Option<MessageRow>> {
    let sql = format!("SELECT {COLUMNS} FROM messages WHERE record_id = $1");
    db.optional(&sql, &params![record], message)
}

pub(super) fn list(db: &Db, filter: &MessageFilter) -> Result<Vec<MessageRow>> {
    let mut wheres = vec!["true".to_owned()];
    let mut values: Vec<Param> = Vec::new();
    let mut given = |text: &str, value: Option<Param>| {
        if let Some(value) = value {
            values.push(value);
            wheres.push(format!("{text} ${}", values.len()));
        }
    };
    given("last_ms >=", filter.since_ms.map(|it| it.to_param()));
    given("first_ms <", filter.until_ms.map(|it| it.to_param()));
    let severity = filter.severity_at_least.map(severity_number);
    given("severity >=", severity.map(|it| it.to_param()));
    given("id =", filter.id.map(|it| it.to_param()));
    let server = filter.server.as_deref();
    given("server =", server.map(ToParam::to_param));
    given("record_id <", filter.below_record.map(|it| it.to_param()));
    given("record_id >", filter.above_record.map(|it| it.to_param()));
    if let Some(component) = &filter.component {
        // Messages of an earlier version have the component that they had then.
        values.push(component.to_param());
        let ids = ids_of_component(component);
        let is_of = match ids.is_empty() {
            true => String::new(),
            false => format!(" OR id IN ({ids})"),
        };
        wheres.push(format!("(component = ${}{is_of})", values.len()));
    }
    if filter.open {
        wheres.push(OPEN.to_owned());
    }
    let limit = filter.limit.clamp(1, MESSAGES_LIMIT);
    let sql = format!(
        "SELECT {COLUMNS} FROM messages WHERE {} ORDER BY record_id DESC LIMIT {limit}",
        wheres.join(" AND ")
    );
    db.all(&sql, &values, message)
}

/// Removes messages that are past their time and not open; answers how many.
pub(super) fn purge(db: &Db, now_ms: i64, limit: u32) -> Result<u64> {
    let sql = format!(
        "DELETE FROM messages WHERE record_id IN (SELECT record_id FROM messages \
         WHERE keep_until_ms < $1 AND NOT {OPEN} LIMIT $2)"
    );
    db.run(&sql, &params![now_ms, limit])
}
