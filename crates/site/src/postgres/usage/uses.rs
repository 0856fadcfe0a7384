//! Who used a product, from the days that are packed and from the rows of all other time: people and
//! computers of two buckets do not add up to those of both.

use usher_core::usage::{Bucket, Who};

use super::super::failure::Result;
use super::about::About;
use super::days;
use super::rows::each_use;
use crate::archive::Reading;
use crate::usage::{Found, Runs, not_packed};

/// People and computers in each bucket.
pub(super) fn who(about: &About<'_>, runs: &Runs, reading: &mut Reading<'_>) -> Result<Who> {
    let (db, product) = (about.db, about.product);
    let mut found = Found::new(&about.asked.buckets, about.asked.now_ms);
    let Bucket { from_ms, to_ms } = about.time;
    let packed = found.whole(days::packed(db, product, (from_ms, to_ms))?);
    days::each_who(db, product, &packed, |day, bytes| found.add_day(day, bytes))?;
    for time in not_packed((from_ms, to_ms), &packed) {
        each_use(db, product, time, |person, computer, span| {
            found.add(person, computer, span);
        })?;
    }
    found.archived(product, about.time, reading);
    Ok(found.with(runs))
}
