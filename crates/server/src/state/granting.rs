//! Whether seats are granted, and why not: a server that answers and grants nothing has to say so
//! wherever it is asked how it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use usher_api::{GrantsNothing, Timestamp, Withheld};
use usher_core::lifecycle::ServiceState::{ContinuePending, PausePending, Paused};
use usher_store::{Clock, Engine, Failure, Health, SystemClock};

use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::upkeep::lifecycle::ServiceLife;

/// How long at most the end of a hold goes unnoticed: there are no timers on the clock that counts
/// sleep.
const LOOK: Duration = Duration::from_secs(30);

/// If two estimates of the same end differ by more, the wall clock was set.
const CLOCK_SET_MS: u64 = 2_000;

/// The hold after a restore, during which nothing is granted, on the clock that counts sleep.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    until_boot_ms: u64,
    /// Whether a copy was found that `usher restore` did not put there.
    is_copy: bool,
    /// The end that was last reported, in Unix milliseconds, so that two reports are the same.
    told_wall_ms: AtomicI64,
}

impl Hold {
    /// The hold of the data that was opened; `is_copy`: of a copy that was found there.
    pub(crate) fn of(engine: &Engine, is_copy: bool) -> Result<Hold, Failure> {
        let left_ms = engine.read(|ledger, now| {
            let until = ledger.hold_until()?;
            Some(until.since_ms(now.steady))
        })?;
        Ok(Hold {
            until_boot_ms: left_ms.map_or(0, |left_ms| SystemClock.boot_ms() + left_ms),
            is_copy,
            told_wall_ms: AtomicI64::new(0),
        })
    }

    /// The time that is left; zero: the hold is over, or there is none.
    pub(crate) fn left(&self) -> Duration {
        Duration::from_millis(self.until_boot_ms.saturating_sub(SystemClock.boot_ms()))
    }

    fn why(&self, until: Timestamp) -> String {
        let what = match self.is_copy {
            true => "a copy was put in the place of its data, so it counts as restored",
            false => "it was restored from a backup",
        };
        format!("{what} and grants nothing until {until}, when every lease of before has ended")
    }

    /// When the hold will be over.
    fn ends_at(&self) -> Option<Timestamp> {
        let left = self.left();
        if left.is_zero() {
            return None;
        }
        let left_ms = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        let ends_ms = wall_ms().saturating_add(left_ms);
        let mut told_ms = self.told_wall_ms.load(Ordering::Relaxed);
        if told_ms.abs_diff(ends_ms) > CLOCK_SET_MS {
            told_ms = ends_ms;
            self.told_wall_ms.store(ends_ms, Ordering::Relaxed);
        }
        // In whole seconds, and not too early.
        Some(timestamp(told_ms.saturating_add(999) / 1_000 * 1_000))
    }
}

/// Why a server grants nothing now; none: it grants.
pub(crate) fn grants_nothing(
    engine: &Engine,
    life: &ServiceLife,
    hold: &Hold,
) -> Option<GrantsNothing> {
    let says = |reason, why, until| GrantsNothing { reason, why, until };
    match engine.health() {
        Health::Ok => {}
        Health::Degraded { why, .. } => return Some(says(Withheld::Storage, why, None)),
        Health::Stuck { why, for_seconds } => {
            let why = format!("{why}, for {for_seconds} s");
            return Some(says(Withheld::Storage, why, None));
        }
    }
    let state = life.seen().report.status.state;
    if matches!(state, PausePending | Paused | ContinuePending) {
        let why = "it is paused and grants nothing until `usher service continue server`";
        return Some(says(Withheld::Paused, why.to_owned(), None));
    }
    let until = hold.ends_at()?;
    Some(says(Withheld::Restored, hold.why(until), Some(until)))
}

/// Logs that nothing is granted after a restore, and when that is over.
pub(crate) async fn tell(hold: Arc<Hold>) {
    let Some(until) = hold.ends_at() else {
        return;
    };
    tracing::warn!(%until, "the server holds: {}", hold.why(until));
    while !hold.left().is_zero() {
        tokio::time::sleep(hold.left().min(LOOK)).await;
    }
    tracing::info!("the hold after the restore is over: seats are granted again");
}
