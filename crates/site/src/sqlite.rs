//! The embedded engine: one SQLite file.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use usher_core::messages::Message;
use usher_platform::{files, lock as locks};

use crate::columns::{severity_number, signed, unsigned};
use crate::rows::{ConcernRow, EpisodeRow, MessageFilter, MessageRow, ServerRow, Spell, Tally};
use crate::schema::STEPS;
use crate::{MESSAGES_LIMIT, Site, SiteError, concerns, tallies};

const FILE: &str = "site.db";
const LOCK: &str = "manager.lock";

/// A site database in one file.
pub struct SqliteSite {
    connection: Mutex<Connection>,
    /// Held while this is.
    _lock: File,
}

impl SqliteSite {
    /// Opens `site.db` in a directory, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// [`SiteError::InUse`], [`SiteError::Newer`], or what the disk says.
    pub fn open(folder: &Path) -> Result<Self, SiteError> {
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        let file = path.display().to_string();
        // SQLite would make it readable by others.
        files::open_private(&path).map_err(|error| failed("make the file", &error))?;
        let mut connection =
            Connection::open(&path).map_err(|error| failed("open the file", &error))?;
        prepare(&mut connection, &file)?;
        Ok(SqliteSite {
            connection: Mutex::new(connection),
            _lock: lock,
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(doing: &'static str, why: &dyn std::fmt::Display) -> SiteError {
    SiteError::Failed {
        doing,
        why: why.to_string(),
    }
}

fn lock(folder: &Path) -> Result<File, SiteError> {
    let path = folder.join(LOCK);
    let file = files::open_private(&path).map_err(|error| failed("make the lock", &error))?;
    match locks::take(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(SiteError::InUse(folder.display().to_string())),
        Err(error) => Err(failed("take the lock", &error)),
    }
}

fn prepare(connection: &mut Connection, file: &str) -> Result<(), SiteError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let version = |connection: &Connection| {
        connection
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(|error| failed("read the version", &error))
    };
    // Looked at before anything is changed: what a newer version wrote is left as it is.
    let found = version(connection)?;
    if found > known {
        return Err(SiteError::Newer {
            file: file.to_owned(),
            found,
            known,
        });
    }
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        .map_err(|error| failed("set up the file", &error))?;
    for (done, step) in (0_i64..).zip(STEPS) {
        if done < found {
            continue;
        }
        let next = done + 1;
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {step} PRAGMA user_version = {next}; COMMIT;"
            ))
            .map_err(|error| failed("bring the tables up to date", &error))?;
    }
    Ok(())
}

const MESSAGE_COLUMNS: &str = "record_id, id, computer, site, server, process_id, first_ms, \
     last_ms, vals, count, recovered_ms, keep_until_ms, summarised";

fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
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

impl Site for SqliteSite {
    fn servers(&self) -> Result<Vec<ServerRow>, SiteError> {
        let read = || {
            let connection = self.connection();
            let mut statement = connection.prepare_cached(
                "SELECT name, url, token, unit, data, added_ms FROM servers ORDER BY name",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(ServerRow {
                    name: row.get(0)?,
                    url: row.get(1)?,
                    token: row.get(2)?,
                    unit: row.get(3)?,
                    data: row.get(4)?,
                    added_ms: row.get(5)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| failed("read the servers", &error))
    }

    fn add_server(&self, server: &ServerRow) -> Result<(), SiteError> {
        let added = self
            .connection()
            .execute(
                "INSERT INTO servers (name, url, token, unit, data, added_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING",
                params![
                    server.name,
                    server.url,
                    server.token,
                    server.unit,
                    server.data,
                    server.added_ms
                ],
            )
            .map_err(|error| failed("add a server", &error))?;
        match added {
            0 => Err(SiteError::NameTaken(server.name.clone())),
            _ => Ok(()),
        }
    }

    fn remove_server(&self, name: &str) -> Result<bool, SiteError> {
        let remove = || {
            let mut connection = self.connection();
            let transaction = connection.transaction()?;
            let removed = transaction.execute("DELETE FROM servers WHERE name = ?1", [name])?;
            transaction.execute("DELETE FROM concerns WHERE server = ?1", [name])?;
            transaction.execute(
                "UPDATE episodes SET ended_ms = last_ms WHERE server = ?1 AND ended_ms IS NULL",
                [name],
            )?;
            transaction.commit()?;
            Ok(removed > 0)
        };
        remove().map_err(|error: rusqlite::Error| failed("remove a server", &error))
    }

    fn add_message(&self, row: &MessageRow) -> Result<i64, SiteError> {
        let message = &row.message;
        let entry = message.entry();
        let values = serde_json::to_string(&message.values).unwrap_or_default();
        self.connection()
            .query_row(
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
                    row.last_ms,
                    values,
                    signed(row.count),
                    row.recovered_ms,
                    row.keep_until_ms,
                    row.summarised
                ],
                |row| row.get(0),
            )
            .map_err(|error| failed("keep a message", &error))
    }

    fn count_message(&self, record: i64, count: u64, last_ms: i64) -> Result<(), SiteError> {
        self.connection()
            .execute(
                "UPDATE messages SET count = ?2, last_ms = max(last_ms, ?3), \
                 keep_until_ms = keep_until_ms + max(0, ?3 - last_ms) WHERE record_id = ?1",
                params![record, signed(count), last_ms],
            )
            .map(drop)
            .map_err(|error| failed("count a message", &error))
    }

    fn close_message(&self, record: i64, recovered_ms: i64) -> Result<(), SiteError> {
        self.connection()
            .execute(
                "UPDATE messages SET recovered_ms = ?2 WHERE record_id = ?1",
                params![record, recovered_ms],
            )
            .map(drop)
            .map_err(|error| failed("close a message", &error))
    }

    fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, SiteError> {
        let mut wheres = vec!["1"];
        let mut values: Vec<Value> = Vec::new();
        let mut given = |text: &'static str, value: Option<Value>| {
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
        given("component = ?", filter.component.clone().map(Value::from));
        given("id = ?", filter.id.map(Value::from));
        given("server = ?", filter.server.clone().map(Value::from));
        given("record_id < ?", filter.below_record.map(Value::from));
        given("record_id > ?", filter.above_record.map(Value::from));
        if filter.open {
            wheres.push(
                "recovered_ms IS NULL AND (record_id IN (SELECT record_id FROM concerns) OR \
                 record_id IN (SELECT record_id FROM episodes WHERE ended_ms IS NULL))",
            );
        }
        let limit = filter.limit.clamp(1, MESSAGES_LIMIT);
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages WHERE {} ORDER BY record_id DESC LIMIT {limit}",
            wheres.join(" AND ")
        );
        let read = || {
            let connection = self.connection();
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(&values), message_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| failed("read messages", &error))
    }

    fn purge_messages(&self, now_ms: i64, limit: u32) -> Result<u64, SiteError> {
        self.connection()
            .execute(
                "DELETE FROM messages WHERE record_id IN (SELECT record_id FROM messages \
                 WHERE keep_until_ms < ?1 AND record_id NOT IN (SELECT record_id FROM episodes \
                 WHERE ended_ms IS NULL AND record_id IS NOT NULL) AND record_id NOT IN \
                 (SELECT record_id FROM concerns WHERE record_id IS NOT NULL) LIMIT ?2)",
                params![now_ms, limit],
            )
            .map(|removed| removed as u64)
            .map_err(|error| failed("remove old messages", &error))
    }

    fn tally(&self, since_ms: i64) -> Result<Vec<Tally>, SiteError> {
        let read = tallies::tally(&self.connection(), since_ms);
        read.map_err(|error| failed("count messages", &error))
    }

    fn spells(&self, since_ms: i64) -> Result<Vec<Spell>, SiteError> {
        let read = tallies::spells(&self.connection(), since_ms);
        read.map_err(|error| failed("read what lasted", &error))
    }

    fn setting(&self, name: &str) -> Result<Option<String>, SiteError> {
        self.connection()
            .query_row(
                "SELECT value FROM settings WHERE name = ?1",
                [name],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| failed("read a setting", &error))
    }

    fn put_setting(&self, name: &str, value: &str) -> Result<(), SiteError> {
        self.connection()
            .execute(
                "INSERT INTO settings (name, value) VALUES (?1, ?2) \
                 ON CONFLICT (name) DO UPDATE SET value = ?2",
                [name, value],
            )
            .map(drop)
            .map_err(|error| failed("keep a setting", &error))
    }

    fn last_episode(&self, server: &str) -> Result<Option<EpisodeRow>, SiteError> {
        self.connection()
            .query_row(
                "SELECT server, number, verdict, record_id, message_id, count, first_ms, last_ms, \
                 ended_ms FROM episodes WHERE server = ?1 ORDER BY number DESC LIMIT 1",
                [server],
                |row| {
                    Ok(EpisodeRow {
                        server: row.get(0)?,
                        number: unsigned(row.get(1)?),
                        verdict: row.get(2)?,
                        record_id: row.get(3)?,
                        message_id: row.get(4)?,
                        count: unsigned(row.get(5)?),
                        first_ms: row.get(6)?,
                        last_ms: row.get(7)?,
                        ended_ms: row.get(8)?,
                    })
                },
            )
            .optional()
            .map_err(|error| failed("read an episode", &error))
    }

    fn put_episode(&self, episode: &EpisodeRow) -> Result<(), SiteError> {
        self.connection()
            .execute(
                "INSERT OR REPLACE INTO episodes (server, number, verdict, record_id, message_id, \
                 count, first_ms, last_ms, ended_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    episode.server,
                    signed(episode.number),
                    episode.verdict,
                    episode.record_id,
                    episode.message_id,
                    signed(episode.count),
                    episode.first_ms,
                    episode.last_ms,
                    episode.ended_ms
                ],
            )
            .map(drop)
            .map_err(|error| failed("keep an episode", &error))
    }

    fn reword_message(
        &self,
        record: i64,
        values: &[String],
        count: u64,
        last_ms: i64,
    ) -> Result<(), SiteError> {
        concerns::reword(&self.connection(), record, values, count, last_ms)
            .map_err(|error| failed("reword a message", &error))
    }

    fn concerns(&self, server: &str) -> Result<Vec<ConcernRow>, SiteError> {
        concerns::list(&self.connection(), server)
            .map_err(|error| failed("read the concerns", &error))
    }

    fn put_concern(&self, concern: &ConcernRow) -> Result<(), SiteError> {
        concerns::put(&self.connection(), concern).map_err(|error| failed("keep a concern", &error))
    }

    fn end_concern(&self, concern: &ConcernRow, ended_ms: i64) -> Result<(), SiteError> {
        concerns::end(&mut self.connection(), concern, ended_ms)
            .map_err(|error| failed("end a concern", &error))
    }
}
