//! What each stage of a pack does, slice by slice.

use rusqlite::Connection;
use usher_core::ledger::Command;

use super::check::{self, Verdict};
use super::purge::{self, Table};
use super::slices::{Cut, Run, pragma};
use super::{Skipped, held, kept, unreferenced};
use crate::queue::requests::Failure;

/// Rows of each index that the statistics look at.
const ANALYSIS_LIMIT_ROWS: u32 = 100;

impl Run<'_> {
    pub(super) fn purge(&mut self, table: &'static Table) -> Result<(), Cut> {
        let now = self.shared.clock.wall_ms();
        let (newest, held) = self.shared.with_reader(|connection| {
            let newest = format!("SELECT coalesce(max(number), 0) FROM {}", table.name);
            let newest = connection.query_row(&newest, [], |row| row.get::<_, i64>(0))?;
            Ok((newest, held::by_consumers(connection, now)?))
        })?;
        let limit = purge::Limit {
            over_ms: self.limit_ms,
            event: held.after,
        };
        loop {
            let (mut at, rows) = (self.at, self.size);
            let (at, more, is_held) = self.slice(move |connection| {
                let window = purge::window(connection, table, at.cursor, rows, limit)?;
                at.purged_rows += window.purged_rows;
                at.cursor = window.cursor.unwrap_or(at.cursor);
                kept::put_position(connection, &at)?;
                Ok((at, window.cursor.is_some(), window.is_held))
            })?;
            self.at = at;
            let kept = held.rows_are_kept();
            if is_held && !self.skipped.contains(&kept) {
                self.skip(kept)?;
            }
            if !more {
                return held.gone().into_iter().try_for_each(|it| self.skip(it));
            }
            self.show(at.cursor as f64 / newest.max(1) as f64);
        }
    }

    /// Forgets people and computers that nothing refers to any more.
    pub(super) fn directory(&mut self) -> Result<(), Cut> {
        let watch = |on| self.shared.execute(Command::WatchDirectory { on });
        watch(true)?;
        let forgotten = self.forget_unreferenced();
        // If it cannot be ended, the next pack starts it over.
        watch(false)?;
        forgotten?;
        self.keep_position()
    }

    fn forget_unreferenced(&self) -> Result<(), Cut> {
        // What was named before the watch began is in the tables then.
        self.shared.settle()?;
        let (subjects, computers) = self.shared.with_reader(unreferenced::find)?;
        let mut subjects = subjects.chunks(unreferenced::AT_ONCE);
        let mut computers = computers.chunks(unreferenced::AT_ONCE);
        loop {
            let some = (
                subjects.next().unwrap_or_default(),
                computers.next().unwrap_or_default(),
            );
            if some.0.is_empty() && some.1.is_empty() {
                return Ok(());
            }
            if self.shared.pack.pause(unreferenced::PAUSE) {
                return Err(Cut::Stopped);
            }
            self.shared.execute(Command::Forget {
                subjects: some.0.to_vec(),
                computers: some.1.to_vec(),
            })?;
        }
    }

    pub(super) fn compact(&mut self) -> Result<(), Cut> {
        let (mode, free) = self.shared.with_reader(|connection| {
            Ok((
                pragma(connection, "auto_vacuum")?,
                pragma(connection, "freelist_count")?,
            ))
        })?;
        if mode != 2 {
            return self.skip(Skipped {
                what: "compact".to_owned(),
                why: "the file was made by a version that did not prepare it for shrinking: the \
                      room of what was purged is used again, and the file stays as large as it is"
                    .to_owned(),
            });
        }
        loop {
            let (at, pages) = (self.at, self.size);
            let left = self.slice(move |connection| {
                let mut statement =
                    connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
                // Each step gives one page back.
                let mut rows = statement.query([])?;
                while rows.next()?.is_some() {}
                kept::put_position(connection, &at)?;
                pragma(connection, "freelist_count")
            })?;
            if left == 0 {
                return Ok(());
            }
            self.show(1.0 - left as f64 / free.max(1) as f64);
        }
    }

    pub(super) fn statistics(&mut self) -> Result<(), Cut> {
        // A table that has only partial indexes would be counted row by row.
        for index in self.shared.with_reader(indexes)? {
            let at = self.at;
            self.slice(move |connection| {
                connection.execute_batch(&format!(
                    "PRAGMA analysis_limit = {ANALYSIS_LIMIT_ROWS}; ANALYZE \"{index}\""
                ))?;
                kept::put_position(connection, &at)
            })?;
        }
        Ok(())
    }

    pub(super) fn check(&mut self) -> Result<(), Cut> {
        let storage = |error: rusqlite::Error| Failure::Storage(error.to_string());
        let connection = check::connection(self.shared).map_err(storage)?;
        let tables = check::tables(&connection).map_err(storage)?;
        let checked = usize::try_from(self.at.cursor).unwrap_or(0);
        for (place, name) in tables.iter().enumerate().skip(checked) {
            self.show(place as f64 / tables.len() as f64);
            let verdict = check::table(&connection, self.shared, name);
            if matches!(verdict, Verdict::Stopped) {
                return Err(Cut::Stopped);
            }
            self.at.cursor = place as i64 + 1;
            self.at.failed |= matches!(verdict, Verdict::Damaged(_) | Verdict::Unread(_));
            match verdict.skipped(name) {
                Some(skipped) => self.skip(skipped)?,
                None => self.keep_position()?,
            }
        }
        Ok(())
    }
}

fn indexes(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}
