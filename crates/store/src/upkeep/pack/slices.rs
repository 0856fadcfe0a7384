//! One pack, from its beginning or its saved position to its end.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use usher_core::ledger::Command;

use super::check::{self, Verdict};
use super::kept::{self, PACKED_BY_VERSION, Position};
use super::purge::{self, Table};
use super::stage::Stage;
use super::{PackOptions, PackPlan, PackReport, PackResult, Skipped, plan};
use super::{held, unreferenced};
use crate::base::meta::put_text;
use crate::file::holders;
use crate::queue::requests::Failure;
use crate::queue::shared::{Cost, Shared};
use crate::write::checkpoint;

/// How long the writer should be held by a slice, about, while others ask it, and while nobody
/// does; the next is made larger or smaller.
const BUSY_SLICE: Duration = Duration::from_micros(400);
const IDLE_SLICE: Duration = Duration::from_millis(3);
/// A slice's rows or pages.
const SIZES: std::ops::RangeInclusive<u32> = 8..=4_096;
/// The first of a stage.
const FIRST_SIZE: u32 = 16;
/// Between slices, at least.
const PAUSE: Duration = Duration::from_millis(1);
/// While others ask, a pack rests so many times as long as its slice took, and writes at most so
/// many pages a second: what it writes, it writes twice, and the disk has a commit wait for it.
const BUSY_TIMES: u32 = 30;
const BUSY_PAGES_PER_SECOND: u32 = 3_000;
/// Before a slice is offered again to a writer that has too much waiting.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// Rows of each index that the statistics look at.
const ANALYSIS_LIMIT_ROWS: u32 = 100;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How a stage ended otherwise than well.
enum Cut {
    Stopped,
    Failed(Failure),
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Cut {
        Cut::Failed(failure)
    }
}

/// One pack.
pub(super) struct Run<'a> {
    shared: &'a Arc<Shared>,
    version: &'a str,
    limit_ms: i64,
    at: Position,
    size: u32,
    /// Commits of others that there were at the last slice.
    commits: u64,
    /// Until the next slice.
    rest: Duration,
    skipped: Vec<Skipped>,
}

impl<'a> Run<'a> {
    /// A new pack, or what is left of one that was begun.
    pub(super) fn begin(
        shared: &'a Arc<Shared>,
        options: &'a PackOptions,
    ) -> Result<Run<'a>, Failure> {
        let (at, skipped) = keep_beginning(shared, None)?;
        let keep_ms = i64::from(options.keep_days.max(1)) * DAY_MS;
        Ok(Run {
            shared,
            version: &options.version,
            limit_ms: shared.clock.wall_ms().saturating_sub(keep_ms),
            at,
            size: FIRST_SIZE,
            commits: 0,
            rest: PAUSE,
            skipped,
        })
    }

    /// Runs all steps and keeps what they did. A pack that a disk error stopped resumes later from its
    /// saved position; its report so far is kept and answered all the same.
    pub(super) fn through(mut self) -> Result<PackReport, Failure> {
        let (result, refused) = match self.stages() {
            Ok(()) if !self.at.failed => (PackResult::Done, None),
            Ok(()) => (PackResult::Failed, None),
            Err(Cut::Stopped) => (PackResult::Stopped, None),
            Err(Cut::Failed(Failure::Stopping)) => return Err(Failure::Stopping),
            Err(Cut::Failed(failure)) => (PackResult::Failed, Some(failure)),
        };
        let mut report = PackReport {
            started_at: self.at.started_at,
            ended_at: self.shared.clock.wall_ms(),
            result,
            purged_rows: self.at.purged_rows,
            bytes_before: self.at.bytes_before,
            bytes_after: self.at.bytes_before,
            skipped: self.skipped.clone(),
        };
        let Some(failure) = refused else {
            report.skipped.extend(self.checkpoint()?);
            report.bytes_after = self.shared.with_reader(bytes)?;
            self.keep(&report, true)?;
            return Ok(report);
        };
        report.skipped.push(Skipped {
            what: "the rest".to_owned(),
            why: refusal(&failure),
        });
        report.bytes_after = self.shared.with_reader(bytes).unwrap_or(report.bytes_after);
        match self.keep(&report, false) {
            Err(Failure::Stopping) => Err(Failure::Stopping),
            // It could not be kept either, for the same reason.
            _ => Ok(report),
        }
    }

    fn keep(&self, report: &PackReport, is_over: bool) -> Result<(), Failure> {
        let (kept, version) = (report.clone(), self.version.to_owned());
        self.shared.with_connection(move |connection| {
            kept::put_last(connection, &kept)?;
            if is_over {
                kept::forget_position(connection)?;
            }
            match kept.result {
                PackResult::Done => put_text(connection, PACKED_BY_VERSION, &version),
                PackResult::Stopped | PackResult::Failed => Ok(()),
            }
        })
    }

    fn stages(&mut self) -> Result<(), Cut> {
        let first = self.at.stage as u8;
        for stage in Stage::ALL.into_iter().filter(|stage| *stage as u8 >= first) {
            // A page and a row take different times.
            self.size = FIRST_SIZE;
            if stage != self.at.stage {
                self.at.stage = stage;
                self.at.cursor = -1;
            }
            self.show(0.0);
            match stage {
                Stage::Leases => self.purge(&purge::LEASES)?,
                Stage::Tickets => self.purge(&purge::TICKETS)?,
                Stage::Sessions => self.purge(&purge::SESSIONS)?,
                Stage::Denials => self.purge(&purge::DENIALS)?,
                Stage::Changes => self.purge(&purge::CHANGES)?,
                Stage::Directory => self.directory()?,
                Stage::Compact => self.compact()?,
                Stage::Statistics => self.statistics()?,
                Stage::Check => self.check()?,
            }
        }
        Ok(())
    }

    fn purge(&mut self, table: &'static Table) -> Result<(), Cut> {
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
    fn directory(&mut self) -> Result<(), Cut> {
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

    fn compact(&mut self) -> Result<(), Cut> {
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

    fn statistics(&mut self) -> Result<(), Cut> {
        // A whole table would be counted to its last row where all its indexes are partial.
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

    fn check(&mut self) -> Result<(), Cut> {
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

    /// Lets others have their turn, carries out one slice on the writer's thread, and fits the size
    /// of the next to the time it took.
    fn slice<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Clone + Send + 'static,
    ) -> Result<T, Cut> {
        let mut rest = self.rest;
        let (done, cost) = loop {
            if self.shared.pack.pause(rest) {
                return Err(Cut::Stopped);
            }
            let work = work.clone();
            match self.shared.at_leisure(work) {
                // The users' requests go first; a pack has time.
                Err(Failure::Busy) => rest = BUSY_PAUSE,
                done => break done?,
            }
        };
        let (commits, _) = self.shared.commits();
        let is_busy = std::mem::replace(&mut self.commits, commits) != commits;
        let (slice, rest) = match is_busy {
            true => (BUSY_SLICE, busy_rest(cost)),
            false => (IDLE_SLICE, cost.took),
        };
        let size = match cost.took {
            took if took > slice => self.size / 2,
            took if took < slice / 2 => self.size.saturating_mul(2),
            _ => self.size,
        };
        self.size = size.clamp(*SIZES.start(), *SIZES.end());
        self.rest = PAUSE.max(rest);
        Ok(done)
    }

    /// Takes the write-ahead log into the file, so that it has the size that it has.
    /// What kept it out, if it could not be taken in.
    fn checkpoint(&self) -> Result<Option<Skipped>, Failure> {
        let is_held = checkpoint::beside(&self.shared.path)
            .map_err(|error| Failure::Storage(error.to_string()))?;
        if is_held {
            let readers = holders::of(&self.shared.path).join(", ");
            return Ok(Some(Skipped {
                what: "the write-ahead log".to_owned(),
                why: format!(
                    "it stays beside the file for as long as something reads that: {readers}; end \
                     the reader, and the log is taken in"
                ),
            }));
        }
        self.shared
            .outside_transaction(|connection| checkpoint::passive(connection).map(drop))
            .map(|()| None)
    }

    fn show(&self, part: f64) {
        let before = f64::from(self.at.stage as u8 - 1);
        let stages = Stage::ALL.len() as f64;
        self.shared
            .pack
            .show((before + part.clamp(0.0, 1.0)) / stages);
    }

    /// Notes what is left out, also for a run that goes on after a kill.
    fn skip(&mut self, skipped: Skipped) -> Result<(), Cut> {
        // A run that goes on may come by it a second time.
        if !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
        let (at, skipped) = (self.at, self.skipped.clone());
        self.slice(move |connection| {
            kept::put_position(connection, &at)?;
            kept::put_skipped(connection, &skipped)
        })
    }

    fn keep_position(&mut self) -> Result<(), Cut> {
        let at = self.at;
        self.slice(move |connection| kept::put_position(connection, &at))
    }
}

/// How long a pack rests after a slice while others ask.
fn busy_rest(cost: Cost) -> Duration {
    let pages = u32::try_from(cost.pages).unwrap_or(u32::MAX);
    let of_disk = Duration::from_secs(1) / BUSY_PAGES_PER_SECOND * pages;
    of_disk.max(cost.took * BUSY_TIMES)
}

/// Keeps that a pack has begun, where none was begun already, and the plan with it; answers how far
/// it is and what it has left out.
pub(super) fn keep_beginning(
    shared: &Shared,
    plan: Option<PackPlan>,
) -> Result<(Position, Vec<Skipped>), Failure> {
    let started_at = shared.clock.wall_ms();
    shared.with_connection(move |connection| {
        if let Some(plan) = plan {
            plan::keep(connection, &plan)?;
        }
        if let Some(at) = kept::stage(connection)? {
            return Ok((at, kept::skipped(connection)?));
        }
        let at = Position {
            stage: Stage::Leases,
            cursor: -1,
            started_at,
            purged_rows: 0,
            bytes_before: bytes(connection)?,
            failed: false,
        };
        kept::forget_position(connection)?;
        kept::put_position(connection, &at)?;
        Ok((at, Vec::new()))
    })
}

/// Why the rest of a pack was left, and what to do.
fn refusal(failure: &Failure) -> String {
    match failure {
        Failure::Storage(why) => format!(
            "the disk refused ({why}): look at its room and health; the next pack goes on here"
        ),
        Failure::Unread(why) => format!(
            "the data file cannot be read ({why}): look at the disk's health; the next pack goes \
             on here"
        ),
        Failure::OutcomeUnknown(why) => {
            format!("the disk failed ({why}): look at its health; the next pack goes on here")
        }
        Failure::Fault => {
            "a fault of the server's own, which its log tells: the next pack goes on here"
                .to_owned()
        }
        Failure::Busy | Failure::Stopping => {
            "the server had no time for it: the next pack goes on here".to_owned()
        }
    }
}

fn indexes(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let value: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
    Ok(value.cast_unsigned())
}

fn bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")? * pragma(connection, "page_size")?)
}
