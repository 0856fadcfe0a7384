//! When the store is packed: keeps the plan in the data file, starts what is due, and resumes an
//! interrupted pack.
//!
//! Promises: a run of the schedule happens once, also over a kill, a clock that is set and changes
//! to and from daylight saving; runs that were missed while the server was off are made up for by
//! one, at once after the start. A pack that a stop or a kill has cut off goes on at the next
//! start, and one that the disk refused after [`RETRY`]. The service's state is never touched.
//! What is known is told without a look at the disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_core::schedule::{Planned, Schedule};
use usher_store::{
    Engine, Failure, PackError, PackOptions, PackPlan, PackReport, PackResult, PackTurn, ServedBy,
    Skipped,
};

use crate::ServerError;
use crate::base::clock::wall_ms;
use crate::engine::feed::Feed;
use crate::upkeep::backups::Backups;
use crate::upkeep::report::pack_changed;
use crate::wire::problem::Refusal;

/// The default schedule, that of SMS 2.0.
const SCHEDULE: &str = "Sun 01:59:59";
/// After which time a pack that a disk error stopped resumes.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// The longest pause between two looks at the clock, because it may be set.
const LOOK: Duration = Duration::from_secs(1);
const DAY_MS: i64 = 86_400_000;

pub(crate) struct Upkeep {
    engine: Engine,
    feed: Arc<Feed>,
    backups: Arc<Backups>,
    keep_days: u32,
    known: Mutex<Known>,
    /// Held while the plan is changed, so that memory and file stay the same.
    planning: Mutex<()>,
}

struct Known {
    planned: Planned,
    time_zone: String,
    last: Option<PackReport>,
    /// When an interrupted pack resumes; `None`: no pack was interrupted.
    go_on_at: Option<Instant>,
    served: Option<Served>,
}

impl Known {
    /// Whether an interrupted pack has to resume now.
    fn goes_on(&self, now: Instant) -> bool {
        self.go_on_at.is_some_and(|at| at <= now)
    }
}

/// The version that serves, and the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) now: ServedBy,
    pub(crate) before: Option<String>,
}

/// Why a pack runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// It was due by the schedule.
    Schedule,
    /// It resumes after an interruption.
    Resumed,
    Hand,
}

/// The state of packs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackNow {
    /// The progress of the running pack; none: no pack runs.
    pub(crate) progress: Option<f64>,
    /// The schedule.
    pub(crate) plan: PackPlan,
    /// The report of the last pack.
    pub(crate) last: Option<PackReport>,
}

impl Upkeep {
    /// Reads what the file stores about packs, and fills in defaults.
    pub(crate) fn open(
        engine: &Engine,
        feed: Arc<Feed>,
        backups: Arc<Backups>,
        keep_days: u32,
    ) -> Result<Upkeep, ServerError> {
        let read = || {
            let pack = engine.pack();
            let (planned, time_zone) = match pack.plan()?.and_then(|plan| of_kept(&plan)) {
                Some(kept) => kept,
                None => {
                    let (planned, time_zone) = first_plan();
                    // A disk that is full keeps no server from starting.
                    keep(engine, plan(&planned, &time_zone));
                    (planned, time_zone)
                }
            };
            let is_unfinished = pack.is_unfinished()?;
            Ok(Known {
                planned,
                time_zone,
                last: pack.last()?,
                go_on_at: is_unfinished.then(Instant::now),
                served: served(engine.versions().list()?),
            })
        };
        let known = read().map_err(|failure: Failure| {
            ServerError::Failed(format!(
                "cannot read when to pack the store: {}",
                told(failure)
            ))
        })?;
        Ok(Upkeep {
            engine: engine.clone(),
            feed,
            backups,
            keep_days,
            known: Mutex::new(known),
            planning: Mutex::default(),
        })
    }

    /// The state of packs. Never waits for the disk. An interrupted pack that resumes at once
    /// counts as running, so that it does not seem idle after a restart.
    pub(crate) fn seen(&self) -> PackNow {
        let known = lock(&self.known);
        let goes_on = known.goes_on(Instant::now());
        let progress = self.engine.pack().progress();
        PackNow {
            progress: progress.or(goes_on.then_some(0.0)),
            plan: plan(&known.planned, &known.time_zone),
            last: known.last.clone(),
        }
    }

    /// The version that serves, and the one before. Never waits for the disk.
    pub(crate) fn versions(&self) -> Option<Served> {
        lock(&self.known).served.clone()
    }

    /// From when on ended rows are kept, in Unix milliseconds; a pack removes older ones.
    pub(crate) fn kept_from(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(i64::from(self.keep_days) * DAY_MS)
    }

    /// Starts a pack now, besides the schedule.
    pub(crate) fn begin(self: &Arc<Self>) -> Result<(), PackError> {
        let turn = self.engine.pack().begin()?;
        lock(&self.known).go_on_at = None;
        self.run(turn, By::Hand);
        Ok(())
    }

    /// Asks a running pack to stop after its slice; a pack that waits after a disk error is given
    /// up, too.
    pub(crate) fn stop(&self) {
        lock(&self.known).go_on_at = None;
        self.engine.pack().stop();
    }

    /// Changes the schedule. Blocks.
    pub(crate) fn plan_anew(&self, planned: Planned, time_zone: String) -> Result<(), Failure> {
        let _planning = lock(&self.planning);
        self.engine.pack().keep_plan(plan(&planned, &time_zone))?;
        let mut known = lock(&self.known);
        known.planned = planned;
        known.time_zone = time_zone;
        Ok(())
    }

    /// The name of the schedule's time zone.
    pub(crate) fn time_zone(&self) -> String {
        lock(&self.known).time_zone.clone()
    }

    /// Starts what is due, until the server ends.
    pub(crate) async fn keep(self: Arc<Self>) {
        loop {
            let (is_time, wait) = self.look(Timestamp::now());
            if is_time {
                let upkeep = self.clone();
                // It waits for the disk. A panic is in the log; the next look tries again.
                let act = move || usher_vital::catch("upkeep", || upkeep.act(Timestamp::now()));
                let _ = tokio::task::spawn_blocking(act).await;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// What to do now, and how long to wait until the next look.
    fn look(&self, now: Timestamp) -> (bool, Duration) {
        let known = lock(&self.known);
        let goes_on = known.goes_on(Instant::now());
        let is_wrong = known.planned.clone().settle(now);
        let next = known.planned.next();
        let left = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
        (
            known.planned.is_due(now) || goes_on || is_wrong,
            left.map_or(LOOK, |left| left.min(LOOK)),
        )
    }

    /// Does what the schedule asks for at `now`.
    fn act(self: &Arc<Self>, now: Timestamp) {
        let _planning = lock(&self.planning);
        let mut planned = lock(&self.known).planned.clone();
        if planned.settle(now) {
            tracing::warn!("the next pack was planned by a wall clock that was far ahead");
            return keep(&self.engine, self.follow(planned));
        }
        let is_due = planned.is_due(now);
        planned.pass(now);
        // The turn first: in between, a pack that goes on is neither running nor still to begin.
        let turn = self.engine.pack().begin();
        lock(&self.known).go_on_at = None;
        match turn {
            Ok(turn) if is_due => match turn.begin_by(self.follow(planned)) {
                Ok(()) => self.run(turn, By::Schedule),
                Err(failure) => self.ended(not_begun(wall_ms(), failure), true, turn),
            },
            Ok(turn) => self.run(turn, By::Resumed),
            // One that runs already is as good as the one that is due.
            Err(_) if is_due => keep(&self.engine, self.follow(planned)),
            Err(_) => {}
        }
    }

    /// Follows this plan from now on; returns it in the form in which it is stored.
    fn follow(&self, planned: Planned) -> PackPlan {
        let mut known = lock(&self.known);
        known.planned = planned;
        plan(&known.planned, &known.time_zone)
    }

    /// Runs a pack on a thread of its own; a scheduled one after a snapshot.
    fn run(self: &Arc<Self>, turn: PackTurn, by: By) {
        let upkeep = self.clone();
        let options = PackOptions {
            keep_days: self.keep_days,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let run = move || {
            usher_vital::plant::thread();
            let began_ms = wall_ms();
            tracing::info!("a pack of the store has begun");
            pack_changed(&upkeep.feed, "running", None);
            let no_snapshot = (by == By::Schedule)
                .then(|| upkeep.backups.before_pack())
                .flatten();
            match turn.run(&options) {
                // It goes on at the next start.
                Err(Failure::Stopping) => tracing::info!("the stop has interrupted the pack"),
                Err(failure) => upkeep.ended(not_begun(began_ms, failure), true, turn),
                Ok(mut report) => {
                    // What was cut off was the schedule's, as a rule.
                    if report.result == PackResult::Done && by != By::Hand {
                        upkeep.passed(report.ended_at);
                    }
                    report.skipped.extend(no_snapshot.map(no_snapshot_taken));
                    let failed = report.result == PackResult::Failed;
                    let goes_on = failed && upkeep.engine.pack().is_unfinished().unwrap_or(true);
                    upkeep.ended(report, goes_on, turn);
                }
            }
        };
        if let Err(error) = usher_vital::spawn("pack", run) {
            tracing::error!(%error, "no thread could be started for the pack");
            lock(&self.known).go_on_at = Some(Instant::now() + RETRY);
        }
    }

    /// Records that this version has done a scheduled pack: after the first one, the previous
    /// version can no longer take the data over.
    fn passed(&self, at: i64) {
        if let Err(failure) = self.engine.versions().packed(at) {
            let why = told(failure);
            tracing::warn!(why, "cannot record that this version has packed");
            return;
        }
        if let Some(served) = &mut lock(&self.known).served {
            served.now.packed_at.get_or_insert(at);
        }
    }

    /// Stores the report of a pack, and only then marks it as ended: whoever sees that none runs
    /// finds the report.
    fn ended(&self, report: PackReport, goes_on: bool, turn: PackTurn) {
        let skipped: Vec<_> = report.skipped.iter().map(|s| (&s.what, &s.why)).collect();
        let (result, purged_rows) = (report.result, report.purged_rows);
        let bytes = (report.bytes_before, report.bytes_after);
        match result {
            PackResult::Failed => {
                tracing::warn!(?result, purged_rows, ?bytes, ?skipped, "a pack has ended");
            }
            _ => tracing::info!(?result, purged_rows, ?bytes, ?skipped, "a pack has ended"),
        }
        {
            let mut known = lock(&self.known);
            known.last = Some(report.clone());
            known.go_on_at = goes_on.then(|| Instant::now() + RETRY);
        }
        drop(turn);
        pack_changed(&self.feed, "idle", Some(report));
    }
}

fn served(mut versions: Vec<ServedBy>) -> Option<Served> {
    let now = versions.pop()?;
    let before = versions.pop().map(|before| before.version);
    Some(Served { now, before })
}

/// Stores a plan. If the disk refuses, the plan is followed until the next start all the same.
fn keep(engine: &Engine, plan: PackPlan) {
    if let Err(failure) = engine.pack().keep_plan(plan) {
        let why = told(failure);
        tracing::warn!(why, "the date of the next pack could not be stored");
    }
}

/// Locks even after a panic: each change leaves the value consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plan(planned: &Planned, time_zone: &str) -> PackPlan {
    PackPlan {
        schedule: planned.schedule().to_string(),
        time_zone: time_zone.to_owned(),
        pack_time: planned.next().map(Timestamp::as_second),
    }
}

/// Reads a stored plan. If this computer no longer knows the time zone, UTC is used until it does,
/// and the stored date counts.
fn of_kept(plan: &PackPlan) -> Option<(Planned, String)> {
    let schedule = match Schedule::parse(&plan.schedule) {
        Ok(schedule) => schedule,
        Err(error) => {
            tracing::warn!(%error, "the stored schedule cannot be read; {SCHEDULE} is used");
            return None;
        }
    };
    let zone = TimeZone::get(&plan.time_zone).unwrap_or_else(|error| {
        tracing::warn!(%error, zone = plan.time_zone, "packs use UTC until this time zone is known");
        TimeZone::UTC
    });
    let next = plan
        .pack_time
        .and_then(|at| Timestamp::from_second(at).ok());
    let planned = match next {
        Some(_) => Planned::kept(schedule, zone, next),
        None => Planned::new(schedule, zone, Timestamp::now()),
    };
    Some((planned, plan.time_zone.clone()))
}

/// Sunday 01:59:59 on this computer's clock.
fn first_plan() -> (Planned, String) {
    use jiff::civil::{Weekday, time};
    let system = TimeZone::system();
    let (zone, name) = match system.iana_name().map(str::to_owned) {
        Some(name) => (system, name),
        None => (TimeZone::UTC, "UTC".to_owned()),
    };
    let schedule = Schedule::weekly(Weekday::Sunday, time(1, 59, 59, 0));
    debug_assert_eq!(schedule.to_string(), SCHEDULE);
    (Planned::new(schedule, zone, Timestamp::now()), name)
}

/// Logs that there is no snapshot; the pack runs all the same.
fn no_snapshot_taken(why: String) -> Skipped {
    Skipped {
        what: "the snapshot before the pack".to_owned(),
        why,
    }
}

/// The report of a pack whose beginning could not be stored.
fn not_begun(started_at: i64, failure: Failure) -> PackReport {
    PackReport {
        started_at,
        ended_at: wall_ms(),
        result: PackResult::Failed,
        purged_rows: 0,
        bytes_before: 0,
        bytes_after: 0,
        skipped: vec![Skipped {
            what: "everything".to_owned(),
            why: told(failure),
        }],
    }
}

fn told(failure: Failure) -> String {
    Refusal::from(failure).problem().detail.clone()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use usher_store::{EngineOptions, Snapshots, SystemClock};

    use super::*;

    fn engine(data: &Path) -> Engine {
        let options = EngineOptions {
            data: data.into(),
            clock: Arc::new(SystemClock),
            on_durable: Box::new(|_| {}),
        };
        Engine::open(options).unwrap().0
    }

    fn upkeep(data: &Path, engine: &Engine) -> Upkeep {
        let backups = Arc::new(Backups::open(engine, Snapshots::of(data), 1));
        Upkeep::open(engine, Arc::default(), backups, 400).unwrap()
    }

    #[test]
    fn a_pack_that_was_cut_off_is_seen_to_run_before_it_has_gone_on() {
        let folder = tempfile::tempdir().unwrap();
        let first = engine(folder.path());
        let plan = upkeep(folder.path(), &first).seen().plan;
        let turn = first.pack().begin().unwrap();
        turn.begin_by(plan).unwrap();
        drop(turn);
        first.close();

        let second = engine(folder.path());
        let upkeep = upkeep(folder.path(), &second);
        assert_eq!(upkeep.seen().progress, Some(0.0));
        upkeep.stop();
        assert_eq!(upkeep.seen().progress, None, "whoever stops it is obeyed");
        second.close();
    }
}
