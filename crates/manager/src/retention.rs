//! Removes what the site has kept for long enough, at a quiet pace.
//!
//! The instant before which rows go moves by a day at most with each look, and never beyond the last
//! rows that there are: so a clock that is wrong for a while takes little, and what comes in after it is
//! right again is taken in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usher_site::{Archive, Extent, Overdue, Retained, SiteError};

use crate::archive_place::Place;
use crate::clock::wall_ms;
use crate::logged::or_log;
use crate::tools::Tools;

const DAY_MS: i64 = 86_400_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(3_600);
/// Rows that are removed at once: other calls wait for no longer than these take.
const AT_ONCE: u32 = 2_000;
/// Rows that are moved to the archive at once: a file has no more.
const MOVED_AT_ONCE: u32 = 20_000;
/// Others have the database for so many times as long as a removal took, and for at least [`REST`].
const REST_SHARE: u32 = 4;
const REST: Duration = Duration::from_millis(50);
/// The shortest time for which something is kept.
const LEAST: Duration = Duration::from_secs(86_400);

/// For how long a manager keeps what it has collected.
#[derive(Debug, Clone)]
pub struct RetentionOptions {
    /// Sessions and leases, after they have ended; none: for ever.
    pub sessions: Option<Duration>,
    /// Refusals; none: for ever.
    pub denials: Option<Duration>,
    /// Waits, after they began; none: for ever.
    pub waits: Option<Duration>,
    /// Where sessions and leases go whose time is over; none: they are only removed.
    pub archive: Option<Arc<Archive>>,
}

impl RetentionOptions {
    /// All for ever.
    pub const FOR_EVER: RetentionOptions = RetentionOptions {
        sessions: None,
        denials: None,
        waits: None,
        archive: None,
    };

    fn of(&self, what: Retained) -> Option<Duration> {
        match what {
            Retained::Sessions => self.sessions,
            Retained::Denials => self.denials,
            Retained::Waits => self.waits,
        }
    }

    /// # Errors
    /// Why they make no sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (what, name) in [
            (Retained::Sessions, "--retention-sessions"),
            (Retained::Denials, "--retention-denials"),
            (Retained::Waits, "--retention-waits"),
        ] {
            if self.of(what).is_some_and(|age| age < LEAST) {
                return Err(format!(
                    "{name} is less than a day: give 1d or more, or forever"
                ));
            }
        }
        let archive = self.archive.as_ref().map(|it| it.folder());
        if let Some(folder) = archive.filter(|folder| !folder.is_absolute()) {
            return Err(format!(
                "--retention-archive is {}, which depends on where the manager is started: give a path \
                 from / on",
                folder.display()
            ));
        }
        Ok(())
    }
}

/// Removes what is over for as long as it runs.
pub(crate) async fn run(tools: Arc<Tools>, options: RetentionOptions) {
    let mut place = options.archive.clone().map(Place::new);
    loop {
        for what in Retained::ALL {
            if let Some(age) = options.of(what) {
                let place = place.as_mut().filter(|_| what == Retained::Sessions);
                or_log(look(&tools, what, age, place).await);
            }
        }
        let again = place.as_ref().and_then(Place::again);
        tokio::time::sleep(again.unwrap_or(PAUSE).min(PAUSE)).await;
    }
}

/// Removes what is over of one kind.
async fn look(
    tools: &Tools,
    what: Retained,
    age: Duration,
    place: Option<&mut Place>,
) -> Result<(), SiteError> {
    let site = &tools.site;
    let Some(extent) = site.extent(what).await? else {
        return Ok(());
    };
    let since_ms = site.retained().await?.of(what);
    let Some(before_ms) = next(since_ms, extent, over_ms(age)) else {
        return Ok(());
    };
    if let Some(place) = place {
        return moves(tools, before_ms, place).await;
    }
    let overdue = Overdue {
        what,
        before_ms,
        limit: AT_ONCE,
    };
    let mut all = 0;
    loop {
        let began = Instant::now();
        let removed = site.retire(overdue).await?;
        if removed == 0 {
            break;
        }
        all += removed;
        tokio::time::sleep((began.elapsed() * REST_SHARE).max(REST)).await;
    }
    if all > 0 {
        tracing::info!(
            ?what,
            before_ms,
            rows = all,
            "removed what was kept for long enough"
        );
    }
    Ok(())
}

/// Moves sessions and leases that were over before an instant to the archive. What was written, and not
/// removed, is written again with the next look.
async fn moves(tools: &Tools, before_ms: i64, place: &mut Place) -> Result<(), SiteError> {
    let site = &tools.site;
    let id: Arc<str> = site.site_id().await?.into();
    let (mut rows, mut files) = (0, 0);
    loop {
        let began = Instant::now();
        let overdue = site.overdue(before_ms, MOVED_AT_ONCE).await?;
        if overdue.is_empty() {
            break;
        }
        let Some(written) = place.write(tools, &id, overdue).await else {
            return Ok(());
        };
        rows += written.rows();
        files += written.files();
        usher_vital::plant::here("moves");
        site.put_away(written).await?;
        tokio::time::sleep((began.elapsed() * REST_SHARE).max(REST)).await;
    }
    if rows > 0 {
        let folder = place.folder();
        tracing::info!(before_ms, rows, files, %folder, "moved sessions to the archive");
    }
    Ok(())
}

/// The first instant of the day (UTC) so long ago, in Unix milliseconds.
fn over_ms(age: Duration) -> i64 {
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    day_of(wall_ms().saturating_sub(age_ms))
}

fn day_of(ms: i64) -> i64 {
    ms.div_euclid(DAY_MS).saturating_mul(DAY_MS)
}

/// Before which instant rows go next, if they have gone before `since_ms` and `over_ms` is how far they
/// may; none: no more are to go.
fn next(since_ms: Option<i64>, there: Extent, over_ms: i64) -> Option<i64> {
    let gone_ms = since_ms.unwrap_or(i64::MIN);
    let first_ms = day_of(there.first_ms).max(gone_ms);
    let next_ms = first_ms.saturating_add(DAY_MS);
    let next_ms = next_ms.min(over_ms).min(day_of(there.last_ms));
    let next_ms = next_ms.max(gone_ms);
    (there.first_ms < next_ms).then_some(next_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(first_day: i64, last_day: i64) -> Extent {
        Extent {
            first_ms: first_day * DAY_MS + 7,
            last_ms: last_day * DAY_MS + 9,
        }
    }

    fn day(days: i64) -> Option<i64> {
        Some(days * DAY_MS)
    }

    #[test]
    fn rows_go_a_day_at_a_time_until_those_are_left_that_stay() {
        let over_ms = 100 * DAY_MS;
        assert_eq!(next(None, there(3, 400), over_ms), day(4));
        assert_eq!(next(day(4), there(60, 400), over_ms), day(61));
        assert_eq!(next(day(99), there(99, 400), over_ms), day(100));
        assert_eq!(next(day(100), there(100, 400), over_ms), None);
        // It is kept for longer from now on: what has gone has gone.
        assert_eq!(next(day(100), there(100, 400), 50 * DAY_MS), None);
        // One that began long ago has ended late.
        assert_eq!(next(day(100), there(98, 400), over_ms), day(100));
        assert_eq!(next(None, there(100, 400), over_ms), None);
    }

    #[test]
    fn a_clock_that_is_ahead_takes_a_day_and_none_of_the_last() {
        let ahead_ms = 100_000 * DAY_MS;
        assert_eq!(next(day(100), there(100, 500), ahead_ms), day(101));
        assert_eq!(next(day(499), there(499, 500), ahead_ms), day(500));
        assert_eq!(next(day(500), there(500, 500), ahead_ms), None);
    }
}
