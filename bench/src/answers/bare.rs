//! The control of what a site does with sessions: the same rows into a bare table of SQLite, in the same
//! transactions, without a key, an index, names or roll-ups.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use usher_core::usage::made_up::{MadeUp, MadeUpSession};

use super::past::in_order_of_ends;
use super::progress::Progress;

/// The columns of the site's `history_sessions`, in a file that is as safe as the site's.
const TABLE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE sessions (
        computer INTEGER NOT NULL, agent_incarnation INTEGER NOT NULL, session INTEGER NOT NULL,
        source INTEGER NOT NULL, incarnation INTEGER NOT NULL, event INTEGER NOT NULL,
        gone_ms INTEGER, product INTEGER NOT NULL, person INTEGER, real_person INTEGER,
        program TEXT NOT NULL, version TEXT, started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL, unseated_ms INTEGER NOT NULL, lease_made_in INTEGER,
        lease_made_by INTEGER
    ) STRICT;";
const INSERT: &str = "INSERT INTO sessions VALUES (?1, 1, ?2, 1, 1, ?2, NULL, ?3, ?4, NULL, \
    'solver-17.exe', '12.1', ?5, ?6, ?7, ?7, NULL, NULL)";
/// Transactions that are made ahead.
const AHEAD: usize = 2;

/// Inserts the sessions, so many in a transaction; how long that took.
pub(super) fn insert(folder: &Path, made_up: MadeUp, limit: u32) -> Result<Duration, String> {
    let failed = |error: rusqlite::Error| format!("cannot fill the bare table: {error}");
    let mut file = Connection::open(folder.join("bare.db")).map_err(failed)?;
    file.execute_batch(TABLE).map_err(failed)?;
    let mut progress = Progress::new("sessions inserted into the bare table", made_up.sessions);
    let began = Instant::now();
    thread::scope(|scope| {
        let (send, made) = sync_channel(AHEAD);
        scope.spawn(move || {
            let mut sessions = in_order_of_ends(&made_up);
            loop {
                let page: Vec<MadeUpSession> = sessions.by_ref().take(limit as usize).collect();
                // Whoever takes them has failed, and says so.
                if page.is_empty() || send.send(page).is_err() {
                    return;
                }
            }
        });
        let mut done = 0;
        while let Ok(page) = made.recv() {
            insert_page(&mut file, &page, done).map_err(failed)?;
            done += page.len() as i64;
            progress.at(done.unsigned_abs());
        }
        Ok::<(), String>(())
    })?;
    Ok(began.elapsed())
}

fn insert_page(file: &mut Connection, page: &[MadeUpSession], done: i64) -> rusqlite::Result<()> {
    let transaction = file.transaction()?;
    let mut insert = transaction.prepare_cached(INSERT)?;
    for (number, it) in (done + 1..).zip(page) {
        let span = it.span;
        insert.execute(params![
            it.computer,
            number,
            it.product,
            it.person,
            span.from_ms,
            span.until_ms,
            span.until_ms - span.from_ms
        ])?;
    }
    drop(insert);
    transaction.commit()
}
