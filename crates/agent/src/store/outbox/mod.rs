//! The agent's durable state: one SQLite file, `agent.db`, in its data directory.
//!
//! - *Items* that the server does not have yet, in order. An item gets its sequence number when it
//!   is first put into a request, and that is on disk before the request is sent: so numbers have
//!   no gaps, what was never sent can still be taken back, and what was sent keeps its number
//!   until the server has it.
//! - *Kept* sessions that the server has acknowledged, should it come back from a snapshot.
//! - *Sessions* that run and their seats, so that a crash or an upgrade loses none.
//! - Covers, leases that local users hold through the socket, places in the queue that are to be left,
//!   what people were told in the last day, the policy, the computer's id.
//!
//! A change and the items that tell of it are one transaction. Items are bounded by
//! [`ITEMS_LIMIT`]: at the bound counts of programs of no product are dropped first, then the
//! oldest finished sessions that were never sent; both are counted and said.

mod items;
mod kept;
mod notices;
mod schema;
mod seats;
mod tickets;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use usher_core::sessions::{AccountKey, ProcessKey, Session, Stamp};

use crate::base::clock;

pub(crate) use items::ItemKind;
pub(crate) use kept::Had;
pub(crate) use notices::SavedNotice;
pub(crate) use seats::SavedSeat;

/// Items that are kept while the server is away: years of an ordinary computer.
pub(crate) const ITEMS_LIMIT: u64 = 500_000;

/// Processes of a session that are written down; more are found again by their product.
const MEMBERS_LIMIT: usize = 64;

/// Why the agent's state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboxError {
    #[error("the agent's state cannot be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the agent's state is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error(
        "the agent's state was written by a newer version of usher (schema {found}, this \
             version knows {known}); install that version again"
    )]
    Newer { found: usize, known: usize },
    #[error(
        "the agent's state was written by a development build of usher: it has this version's \
         schema number, but {0}; go on with the build that wrote it, or stop the agent and move \
         agent.db away, which loses what the server was not told yet"
    )]
    OtherBuild(String),
}

type Result<T> = std::result::Result<T, OutboxError>;

/// A cover that `usher run` asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cover {
    pub(crate) root: ProcessKey,
    pub(crate) lease: String,
    pub(crate) product: String,
    /// Whether the lease ends with the root.
    pub(crate) keeps: bool,
    /// The proof that opens the lease at the server, if another computer holds it.
    pub(crate) proof: Option<String>,
}

/// A session as it is written down.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct SavedSession {
    pub(crate) session: Session,
    pub(crate) members: Vec<ProcessKey>,
}

/// The state file.
#[derive(Debug)]
pub(crate) struct Outbox {
    connection: Connection,
    items_limit: u64,
}

impl Outbox {
    /// Opens the state in the folder `data`, and makes it if there is none.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        let connection = Connection::open(data.join("agent.db"))?;
        schema::prepare(&connection)?;
        let mut outbox = Outbox {
            connection,
            items_limit: ITEMS_LIMIT,
        };
        outbox.forget_old(clock::wall_ms())?;
        Ok(outbox)
    }

    /// Runs `change` as one transaction: all of it is on disk when this returns, or nothing.
    /// After [`begin`](Self::begin): all of it will be with what is changed besides, or nothing.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&Change<'_>) -> Result<T>) -> Result<T> {
        let limit = self.items_limit;
        // One that stands alone is a transaction, another a part of one.
        let part = self.connection.savepoint()?;
        let result = change(&Change { connection: &part })?;
        items::keep_within(&part, limit)?;
        part.commit()?;
        Ok(result)
    }

    /// What is changed from now on is on disk together, once it is [committed](Self::commit).
    pub(crate) fn begin(&mut self) -> Result<()> {
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    /// Whether changes wait to be committed.
    pub(crate) fn is_begun(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// All that was changed since the beginning is on disk when this returns, or nothing.
    pub(crate) fn commit(&mut self) -> Result<()> {
        let committed = self.connection.execute_batch("COMMIT");
        if committed.is_err() && self.is_begun() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(committed?)
    }

    /// As on a full disk: what is there can be read, and nothing is written.
    #[cfg(test)]
    pub(crate) fn is_full(&self, yes: bool) {
        self.connection
            .pragma_update(None, "query_only", yes)
            .unwrap();
    }

    /// As on a disk that fills up: what is there can be changed, and the file does not grow.
    #[cfg(test)]
    pub(crate) fn has_no_room(&self, yes: bool) {
        let pages = if yes { 1 } else { i64::from(u32::MAX) - 1 };
        self.connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    }

    /// A value that was set.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<String>> {
        meta(&self.connection, key)
    }

    /// A number that was set; 0 if none was.
    pub(crate) fn number(&self, key: &str) -> Result<u64> {
        let text = self.meta(key)?;
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Items that the server does not have.
    pub(crate) fn waiting(&self) -> Result<u64> {
        items::count(&self.connection)
    }

    /// Items that were dropped at the bound, since ever.
    pub(crate) fn dropped(&self) -> Result<u64> {
        self.number("dropped")
    }

    /// All sessions that were written down, oldest first.
    pub(crate) fn sessions(&self) -> Result<Vec<SavedSession>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT body FROM sessions ORDER BY number")?;
        let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
        bodies
            .map(|body| Ok(serde_json::from_str(&body?)?))
            .collect()
    }

    /// All covers that were written down.
    pub(crate) fn covers(&self) -> Result<Vec<Cover>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT pid, start, lease, product, keeps, proof FROM covers ORDER BY rowid",
        )?;
        let covers = statement.query_map([], |row| {
            Ok(Cover {
                root: ProcessKey {
                    pid: row.get(0)?,
                    start: row.get::<_, i64>(1)? as u64,
                },
                lease: row.get(2)?,
                product: row.get(3)?,
                keeps: row.get(4)?,
                proof: row.get(5)?,
            })
        })?;
        Ok(covers.collect::<rusqlite::Result<_>>()?)
    }

    /// How many covers were written down.
    pub(crate) fn count_covers(&self) -> Result<u64> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM covers")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Whether a cover by that lease stands, and it is of that product.
    pub(crate) fn is_covering(&self, lease: &str, product: &str) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM covers WHERE lease = ?1 AND product = ?2 LIMIT 1")?;
        Ok(statement.exists([lease, product])?)
    }

    /// Leases whose keeper has ended without giving them back.
    pub(crate) fn left_behind(&self) -> Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT lease FROM left_behind ORDER BY rowid")?;
        let leases = statement.query_map([], |row| row.get(0))?;
        Ok(leases.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether that lease is one of these.
    pub(crate) fn is_left_behind(&self, lease: &str) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM left_behind WHERE lease = ?1")?;
        Ok(statement.exists([lease])?)
    }

    /// Who made a lease or ticket through the socket, and of which product.
    pub(crate) fn grant(&self, id: &str) -> Result<Option<(AccountKey, String)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT uid, product FROM grants WHERE id = ?1")?;
        let grant =
            statement.query_row([id], |row| Ok((AccountKey::new(row.get(0)?), row.get(1)?)));
        Ok(grant.optional()?)
    }
}

impl Outbox {
    /// Whether a lease was made through the socket for all that a person starts of a product.
    pub(crate) fn is_one_use(&self, id: &str, product: &str, counted: AccountKey) -> Result<bool> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM grants WHERE id = ?1 AND product = ?2 AND one_use_of = ?3",
        )?;
        Ok(statement.exists(params![id, product, counted.number()])?)
    }
}

/// A transaction under way.
pub(crate) struct Change<'c> {
    pub(super) connection: &'c Connection,
}

/// Leases and tickets of local users that are remembered; the oldest are forgotten first.
const GRANTS_LIMIT: i64 = 65_536;
/// Leases that were left behind and are still to be given back.
const LEFT_BEHIND_LIMIT: i64 = 1_024;

impl Change<'_> {
    pub(crate) fn set_meta(&self, key: &str, value: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
            .execute([key, value])?;
        Ok(())
    }

    pub(crate) fn save_session(&self, session: &Session, members: &[ProcessKey]) -> Result<()> {
        let saved = SavedSession {
            session: session.clone(),
            members: members.iter().copied().take(MEMBERS_LIMIT).collect(),
        };
        let body = serde_json::to_string(&saved)?;
        self.connection
            .prepare_cached(
                "INSERT INTO sessions (number, body) VALUES (?1, ?2)
                 ON CONFLICT (number) DO UPDATE SET body = excluded.body",
            )?
            .execute(params![session.id.0 as i64, body])?;
        Ok(())
    }

    /// Whether a seat for the session was ever asked for in a request.
    pub(crate) fn was_asked_for(&self, number: u64) -> Result<bool> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM sessions WHERE number = ?1 AND asked")?;
        Ok(statement.exists([number as i64])?)
    }

    /// All of it belongs to another computer, which tells of it itself.
    pub(crate) fn forget_everything(&self) -> Result<()> {
        self.connection.execute_batch(
            "DELETE FROM items; DELETE FROM kept; DELETE FROM sessions; DELETE FROM seats; \
             DELETE FROM covers; DELETE FROM grants; DELETE FROM notices; \
             DELETE FROM left_tickets;",
        )?;
        Ok(())
    }

    pub(crate) fn forget_session(&self, number: u64) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM sessions WHERE number = ?1")?
            .execute([number as i64])?;
        self.forget_seat(number)
    }

    /// Writes down when all that runs was last seen running.
    pub(crate) fn seen_running(&self, boot_id: &str, at: Stamp) -> Result<()> {
        self.set_meta("boot_id", boot_id)?;
        self.set_meta("seen_boot_ms", &at.boot_ms.to_string())?;
        self.set_meta("seen_wall_ms", &at.wall_ms.to_string())
    }

    /// A cover; a lease that it keeps is left behind no more.
    pub(crate) fn save_cover(&self, cover: &Cover) -> Result<()> {
        if cover.keeps {
            self.connection
                .prepare_cached("DELETE FROM left_behind WHERE lease = ?1")?
                .execute([&cover.lease])?;
        }
        self.connection
            .prepare_cached(
                "INSERT INTO covers (pid, start, lease, product, keeps, proof)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                cover.root.pid,
                cover.root.start as i64,
                cover.lease,
                cover.product,
                cover.keeps,
                cover.proof
            ])?;
        Ok(())
    }

    /// The root of covers has ended; what it kept and did not give back is left behind.
    pub(crate) fn end_covers_of(&self, pid: u32) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO left_behind (lease) \
                 SELECT lease FROM covers c WHERE pid = ?1 AND keeps AND NOT EXISTS \
                 (SELECT 1 FROM covers o WHERE o.lease = c.lease AND o.keeps AND o.pid <> c.pid)",
            )?
            .execute([pid])?;
        self.connection
            .prepare_cached("DELETE FROM covers WHERE pid = ?1")?
            .execute([pid])?;
        self.forget_left_behind()
    }

    /// A lease is to be given back.
    pub(crate) fn leave_behind(&self, lease: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO left_behind (lease) VALUES (?1)")?
            .execute([lease])?;
        self.forget_left_behind()
    }

    /// While the server is away these gather; the oldest have long ended there.
    fn forget_left_behind(&self) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM left_behind WHERE rowid <= (SELECT max(rowid) FROM left_behind) - ?1",
            )?
            .execute([LEFT_BEHIND_LIMIT])?;
        Ok(())
    }

    /// Somebody runs on a lease whose keeper has ended.
    pub(crate) fn is_taken_up(&self, lease: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM left_behind WHERE lease = ?1")?
            .execute([lease])?;
        Ok(())
    }

    /// A root keeps a lease no more, which another one keeps.
    pub(crate) fn keeps_no_more(&self, pid: u32, lease: &str) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE covers SET keeps = 0 WHERE pid = ?1 AND lease = ?2")?
            .execute(params![pid, lease])?;
        Ok(())
    }

    /// A lease was given back: nobody keeps it, and it is not left behind.
    pub(crate) fn given_back(&self, lease: &str) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE covers SET keeps = 0 WHERE lease = ?1")?
            .execute([lease])?;
        self.connection
            .prepare_cached("DELETE FROM left_behind WHERE lease = ?1")?
            .execute([lease])?;
        Ok(())
    }

    /// Somebody was given a lease or ticket; `one_use_of`: whom it is counted for, if all that they
    /// start of the product may run on it.
    pub(crate) fn save_grant(
        &self,
        id: &str,
        account: AccountKey,
        product: &str,
        one_use_of: Option<AccountKey>,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO grants (id, uid, product, one_use_of)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                id,
                account.number(),
                product,
                one_use_of.map(AccountKey::number)
            ])?;
        self.connection
            .prepare_cached(
                "DELETE FROM grants WHERE rowid <= (SELECT max(rowid) FROM grants) - ?1",
            )?
            .execute([GRANTS_LIMIT])?;
        Ok(())
    }
}

fn meta(connection: &Connection, key: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests;
