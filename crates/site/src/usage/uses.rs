//! Who used a product, from the days that are packed and from the rows of all other time: people and
//! computers of two buckets do not add up to those of both.

use rusqlite::Result;
use usher_core::usage::{Bucket, Distinct, Span, Who};

use super::about::About;
use super::day_who::{add_day, places};
use super::days;
use super::packed::Unreadable;
use super::parts::not_packed;
use super::quarter::DAY_MS;
use super::rows::each_use;
use super::running::Runs;
use super::within::Whose;
use crate::archive::Reading;

/// People and computers in each bucket.
pub(super) fn who(about: &About<'_>, runs: &Runs, reading: &mut Reading<'_>) -> Result<Who> {
    let (connection, product) = (about.connection, about.product);
    let mut found = Found::new(&about.asked.buckets, about.asked.now_ms);
    let Bucket { from_ms, to_ms } = about.time;
    let packed = days::packed(connection, product, (from_ms, to_ms))?;
    let packed = found.whole(packed);
    days::each_who(connection, product, &packed, |day, bytes| {
        found.add_day(day, bytes)
    })?;
    for time in not_packed((from_ms, to_ms), &packed) {
        each_use(connection, product, time, |person, computer, span| {
            found.add(person, computer, span);
        })?;
    }
    found.archived(product, about.time, reading);
    Ok(found.with(runs))
}

/// Who used it in each bucket, as far as uses were looked at.
pub(crate) struct Found<'a> {
    buckets: &'a [Bucket],
    users: Distinct<'a>,
    computers: Distinct<'a>,
    now_ms: i64,
}

impl<'a> Found<'a> {
    /// Nobody yet.
    pub(crate) fn new(buckets: &'a [Bucket], now_ms: i64) -> Found<'a> {
        Found {
            buckets,
            users: Distinct::new(buckets),
            computers: Distinct::new(buckets),
            now_ms,
        }
    }

    /// Those, and who has what still runs.
    pub(crate) fn with(mut self, runs: &Runs) -> Who {
        for run in runs.each() {
            self.add(Some(run.person), Some(run.computer), run.span);
        }
        Who {
            users: self.users.counts(),
            computers: self.computers.counts(),
            active_ms: Vec::new(),
        }
    }

    /// Adds those of a time that are in the archive; who used it twice counts once.
    pub(crate) fn archived(&mut self, product: i64, time: Bucket, reading: &mut Reading<'_>) {
        reading.overlapping(product, (time.from_ms, time.to_ms), &mut |it| {
            let span = Span {
                from_ms: it.from_ms,
                until_ms: it.until_ms.max(it.from_ms),
                seats: 1,
            };
            self.add(it.person, it.computer, span);
        });
    }

    /// Those of these days that are over, and whose hours no bucket cuts.
    pub(crate) fn whole(&self, mut days: Vec<i64>) -> Vec<i64> {
        days.retain(|day| {
            let end_ms = day.saturating_add(1).saturating_mul(DAY_MS);
            end_ms <= self.now_ms && places(self.buckets, *day).is_some()
        });
        days
    }

    /// Adds what is packed of a day that is whole.
    pub(crate) fn add_day(
        &mut self,
        day: i64,
        bytes: &[u8],
    ) -> std::result::Result<(), Unreadable> {
        let places = places(self.buckets, day).unwrap_or_default();
        add_day(bytes, &places, (&mut self.users, &mut self.computers))
    }

    /// Adds a use. Whoever is not known any more is nobody.
    pub(crate) fn add(&mut self, person: Whose, computer: Whose, span: Span) {
        let Some(span) = span.before(self.now_ms) else {
            return;
        };
        if let Some(person) = person {
            self.users.add(person, span);
        }
        if let Some(computer) = computer {
            self.computers.add(computer, span);
        }
    }
}
