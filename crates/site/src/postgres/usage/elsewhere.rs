//! Answers about what another licence server counts of a product: from the rows of finished imports, in
//! the order of their beginnings.

use std::collections::HashSet;

use usher_core::usage::{
    Bucket, Denied, Distinct, Level, Lines, RETRY_MS, Span, Stretch, Stretches, Wait, Who,
    quarter_of,
};

use super::super::failure::Result;
use super::super::values::params;
use super::about::About;
use super::told::told;
use crate::archive::Archived;
use crate::columns::unsigned;
use crate::usage::{Sweep, UNKNOWN, surrogate};
use crate::used::Used;

/// What is known of it in the buckets that are asked about.
pub(super) fn used(about: &About<'_>) -> Result<Used> {
    let (wanted, who) = about.checkouts()?;
    let denials = about.denials_elsewhere()?;
    Ok(Used {
        lines: Lines {
            wanted,
            ..Lines::default()
        },
        who,
        granted: about.granted_elsewhere(&denials)?,
        denials,
        waits: about.waits_elsewhere()?,
        told: told(about)?,
        archived: Archived::default(),
    })
}

impl About<'_> {
    /// Checkouts in each bucket, and whose they are, in one pass.
    fn checkouts(&self) -> Result<(Vec<Stretch>, Who)> {
        let asked = self.asked;
        let Bucket { from_ms, to_ms } = self.time;
        let begin_ms = quarter_of(from_ms);
        let mut sweep = Sweep::new(
            begin_ms,
            Stretches::new(&asked.buckets, asked.now_ms, &asked.gaps, Level::default()),
        );
        let mut users = Distinct::new(&asked.buckets);
        let mut computers = Distinct::new(&asked.buckets);
        let sql = "SELECT started_ms, coalesce(ended_ms, seen_ms, $4), seats, person, computer \
                   FROM elsewhere_uses WHERE product = $1 AND started_ms < $3 \
                   AND (started_ms >= $2 OR coalesce(ended_ms, seen_ms, $4) > $2) \
                   ORDER BY started_ms";
        let values = params![self.product, begin_ms, to_ms, i64::MAX];
        self.db.each(sql, &values, |row| {
            let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            let span = Span {
                from_ms,
                until_ms: until_ms.max(from_ms),
                seats: row.get(2)?,
            };
            sweep.take(span);
            let Some(span) = span.before(asked.now_ms) else {
                return Ok(());
            };
            // Whom the file does not name is nobody.
            if let Some(person) = surrogate(row.get(3)?) {
                users.add(person, span);
            }
            if let Some(computer) = surrogate(row.get(4)?) {
                computers.add(computer, span);
            }
            Ok(())
        })?;
        let who = Who {
            users: users.counts(),
            computers: computers.counts(),
            active_ms: Vec::new(),
        };
        Ok((sweep.end(to_ms), who))
    }

    /// Refusals in the time, and before it those by which one in it may be a retry.
    fn denials_elsewhere(&self) -> Result<Vec<Denied>> {
        let sql = "SELECT number, person, computer, at_ms FROM elsewhere_denials \
                   WHERE product = $1 AND at_ms >= $2 AND at_ms < $3";
        let since_ms = self.time.from_ms.saturating_sub(RETRY_MS);
        let asked = params![self.product, since_ms, self.time.to_ms];
        self.db.all(sql, &asked, |row| {
            // Two of whom nothing is known are not one person. Surrogates are below these numbers.
            let nobody = u64::MAX.saturating_sub(unsigned(row.get(0)?));
            let at_ms = row.get(3)?;
            Ok(Denied {
                person: surrogate(row.get(1)?).unwrap_or(nobody),
                computer: surrogate(row.get(2)?).unwrap_or(UNKNOWN),
                first_ms: at_ms,
                last_ms: at_ms,
                count: 1,
            })
        })
    }

    /// Whom of those that were refused checkouts were granted to.
    fn granted_elsewhere(&self, denials: &[Denied]) -> Result<Vec<(u64, i64)>> {
        let people: HashSet<u64> = denials.iter().map(|denied| denied.person).collect();
        let firsts = denials.iter().map(|denied| denied.first_ms);
        let Some((first_ms, last_ms)) = firsts.clone().min().zip(firsts.max()) else {
            return Ok(Vec::new());
        };
        let sql = "SELECT person, started_ms FROM elsewhere_uses \
                   WHERE product = $1 AND started_ms >= $2 AND started_ms <= $3";
        // What comes later satisfies none of them.
        let until_ms = last_ms.saturating_add(RETRY_MS);
        let mut granted = Vec::new();
        let asked = params![self.product, first_ms, until_ms];
        self.db.each(sql, &asked, |row| {
            let person = surrogate(row.get(0)?).filter(|person| people.contains(person));
            if let Some(person) = person {
                granted.push((person, row.get(1)?));
            }
            Ok(())
        })?;
        Ok(granted)
    }

    /// Waits that began in the time.
    fn waits_elsewhere(&self) -> Result<Vec<Wait>> {
        let sql = "SELECT queued_ms, coalesce(ended_ms, seen_ms, $4) FROM elsewhere_waits \
                   WHERE product = $1 AND queued_ms >= $2 AND queued_ms < $3";
        let Bucket { from_ms, to_ms } = self.time;
        let asked = params![self.product, from_ms, to_ms, i64::MAX];
        self.db.all(sql, &asked, |row| {
            Ok(Wait {
                queued_ms: row.get(0)?,
                until_ms: row.get(1)?,
            })
        })
    }
}
