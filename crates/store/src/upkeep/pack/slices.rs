//! One pack, from its beginning or its saved position to its end.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::kept::{self, PACKED_BY_VERSION, Position};
use super::purge;
use super::stage::Stage;
use super::{PackOptions, PackPlan, PackReport, PackResult, Skipped, plan};
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
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// How a stage ended otherwise than well.
pub(super) enum Cut {
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
    pub(super) shared: &'a Arc<Shared>,
    version: &'a str,
    pub(super) limit_ms: i64,
    pub(super) at: Position,
    pub(super) size: u32,
    /// Commits of others that there were at the last slice.
    commits: u64,
    /// Until the next slice.
    rest: Duration,
    pub(super) skipped: Vec<Skipped>,
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

    /// Lets others have their turn, carries out one slice on the writer's thread, and fits the size
    /// of the next to the time it took.
    pub(super) fn slice<T: Send + 'static>(
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

    pub(super) fn show(&self, part: f64) {
        let before = f64::from(self.at.stage as u8 - 1);
        let stages = Stage::ALL.len() as f64;
        self.shared
            .pack
            .show((before + part.clamp(0.0, 1.0)) / stages);
    }

    /// Notes what is left out, also for a run that goes on after a kill.
    pub(super) fn skip(&mut self, skipped: Skipped) -> Result<(), Cut> {
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

    pub(super) fn keep_position(&mut self) -> Result<(), Cut> {
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

/// Stores that a pack has begun, and its plan, unless one was begun already; answers how far
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

pub(super) fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let value: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
    Ok(value.cast_unsigned())
}

fn bytes(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(pragma(connection, "page_count")? * pragma(connection, "page_size")?)
}
