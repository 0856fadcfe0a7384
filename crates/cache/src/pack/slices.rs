//! One pack from its beginning, or from where it was cut off, to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::check::{self, Verdict};
use super::kept::{self, PACKED_BY_VERSION, Position};
use super::purge::{self, Table};
use super::{PackOptions, PackReport, PackResult, Skipped};
use crate::engine::Failure;
use crate::inbox::Shared;
use crate::schema::{connect, put_text};

/// How long the writer should be held by a slice, about; the next is made larger or smaller.
const SLICE: Duration = Duration::from_millis(3);
/// A slice's rows or pages.
const SIZES: std::ops::RangeInclusive<u32> = 8..=4_096;
/// Between slices, at least; and so many times as long as the slice took.
const PAUSE: Duration = Duration::from_millis(4);
const PAUSE_TIMES: u32 = 3;
/// Slices after which the write-ahead log is taken into the file.
const SLICES_PER_CHECKPOINT: u32 = 64;
/// Rows of each index that the statistics look at.
const ANALYSIS_LIMIT_ROWS: u32 = 400;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What a pack does, in this order; the numbers are kept in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Leases = 1,
    Tickets = 2,
    Sessions = 3,
    Denials = 4,
    Compact = 5,
    Statistics = 6,
    Check = 7,
}

impl Stage {
    const ALL: [Stage; 7] = [
        Stage::Leases,
        Stage::Tickets,
        Stage::Sessions,
        Stage::Denials,
        Stage::Compact,
        Stage::Statistics,
        Stage::Check,
    ];

    /// The stage of a number in a file.
    pub(super) fn of(number: u8) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| *stage as u8 == number)
    }
}

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
    slices: u32,
    /// Until the next slice.
    rest: Duration,
    skipped: Vec<Skipped>,
    damaged: bool,
}

impl<'a> Run<'a> {
    /// A new pack, or what is left of one that was cut off.
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        options: &'a PackOptions,
    ) -> Result<Run<'a>, Failure> {
        let now_ms = shared.clock.wall_ms();
        let (cut_off, bytes) =
            shared.with_reader(|connection| Ok((kept::stage(connection)?, bytes(connection)?)))?;
        let keep_ms = i64::from(options.keep_days.max(1)) * DAY_MS;
        Ok(Run {
            shared,
            version: &options.version,
            limit_ms: now_ms.saturating_sub(keep_ms),
            at: cut_off.unwrap_or(Position {
                stage: Stage::Leases,
                cursor: -1,
                started_at: now_ms,
                purged_rows: 0,
                bytes_before: bytes,
            }),
            size: *SIZES.start() * 4,
            slices: 0,
            rest: PAUSE,
            skipped: Vec::new(),
            damaged: false,
        })
    }

    /// Does all of it and keeps what it did.
    pub(super) fn through(mut self) -> Result<PackReport, Failure> {
        let outcome = self.stages();
        let result = match outcome {
            Ok(()) if !self.damaged => PackResult::Done,
            Ok(()) => PackResult::Failed,
            Err(Cut::Stopped) => PackResult::Stopped,
            Err(Cut::Failed(Failure::Stopping)) => return Err(Failure::Stopping),
            Err(Cut::Failed(failure)) => {
                self.skip("the rest", format!("{failure:?}"));
                PackResult::Failed
            }
        };
        self.checkpoint()?;
        let report = PackReport {
            started_at: self.at.started_at,
            ended_at: self.shared.clock.wall_ms(),
            result,
            purged_rows: self.at.purged_rows,
            bytes_before: self.at.bytes_before,
            bytes_after: self.shared.with_reader(bytes)?,
            skipped: self.skipped,
        };
        let (kept, version) = (report.clone(), self.version.to_owned());
        self.shared.with_connection(move |connection| {
            kept::put_last(connection, &kept)?;
            match kept.result {
                PackResult::Done => put_text(connection, PACKED_BY_VERSION, &version),
                PackResult::Stopped | PackResult::Failed => Ok(()),
            }
        })?;
        Ok(report)
    }

    fn stages(&mut self) -> Result<(), Cut> {
        let first = self.at.stage as u8;
        for stage in Stage::ALL.into_iter().filter(|stage| *stage as u8 >= first) {
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
                Stage::Compact => self.compact()?,
                Stage::Statistics => self.statistics()?,
                Stage::Check => self.check()?,
            }
        }
        Ok(())
    }

    fn purge(&mut self, table: &'static Table) -> Result<(), Cut> {
        let newest = self.shared.with_reader(|connection| {
            let newest = format!("SELECT coalesce(max(number), 0) FROM {}", table.name);
            connection.query_row(&newest, [], |row| row.get::<_, i64>(0))
        })?;
        loop {
            let (mut at, rows, limit_ms) = (self.at, self.size, self.limit_ms);
            let (at, more) = self.slice(move |connection| {
                let window = purge::window(connection, table, at.cursor, rows, limit_ms)?;
                at.purged_rows += window.purged_rows;
                at.cursor = window.cursor.unwrap_or(at.cursor);
                kept::put_position(connection, &at)?;
                Ok((at, window.cursor.is_some()))
            })?;
            self.at = at;
            if !more {
                return Ok(());
            }
            self.show(at.cursor as f64 / newest.max(1) as f64);
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
            self.skip(
                "compact",
                "the file was made by a version that did not prepare it for shrinking: the room \
                 of what was purged is used again, and the file stays as large as it is"
                    .to_owned(),
            );
            return Ok(());
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
        for table in self.shared.with_reader(check::tables)? {
            let at = self.at;
            self.slice(move |connection| {
                connection.execute_batch(&format!(
                    "PRAGMA analysis_limit = {ANALYSIS_LIMIT_ROWS}; ANALYZE {table}"
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
        for (place, name) in tables.iter().enumerate() {
            self.show(place as f64 / tables.len() as f64);
            match check::table(&connection, self.shared, name) {
                Verdict::Whole => {}
                Verdict::Stopped => return Err(Cut::Stopped),
                Verdict::LeftOut(skipped) => self.skipped.push(skipped),
                Verdict::Damaged(why) => {
                    self.damaged = true;
                    self.skip(
                        &format!("check of {name}"),
                        format!("it is damaged ({why}): restore from a backup"),
                    );
                }
            }
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Lets others have their turn, carries out one slice on the writer's thread, and fits the size
    /// of the next to the time it took.
    fn slice<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Cut> {
        if self.shared.pack.pause(self.rest) {
            return Err(Cut::Stopped);
        }
        let (done, took) = self.shared.with_connection(move |connection| {
            let began = Instant::now();
            work(connection).map(|done| (done, began.elapsed()))
        })?;
        let size = match took {
            took if took > SLICE => self.size / 2,
            took if took < SLICE / 2 => self.size.saturating_mul(2),
            _ => self.size,
        };
        self.size = size.clamp(*SIZES.start(), *SIZES.end());
        self.slices += 1;
        if self.slices.is_multiple_of(SLICES_PER_CHECKPOINT) {
            self.checkpoint()?;
        }
        self.rest = PAUSE.max(took * PAUSE_TIMES);
        Ok(done)
    }

    /// Takes the write-ahead log into the file: nearly all of it on a connection beside the
    /// writer's, so that the writer has little left to do before it can begin the log anew.
    fn checkpoint(&self) -> Result<(), Failure> {
        let beside = connect(&self.shared.path)
            .map_err(|error| error.to_string())
            .and_then(|connection| passive(&connection).map_err(|error| error.to_string()));
        beside.map_err(Failure::Storage)?;
        self.shared.outside_transaction(passive)
    }

    fn show(&self, part: f64) {
        let before = f64::from(self.at.stage as u8 - 1);
        let stages = Stage::ALL.len() as f64;
        self.shared
            .pack
            .show((before + part.clamp(0.0, 1.0)) / stages);
    }

    fn skip(&mut self, what: &str, why: String) {
        let what = what.to_owned();
        self.skipped.push(Skipped { what, why });
    }
}

fn passive(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let value: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
    Ok(value.cast_unsigned())
}

fn bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")? * pragma(connection, "page_size")?)
}
