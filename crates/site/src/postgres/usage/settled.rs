//! Refusals of which it is known how they ended, by who told of them and by product.

use std::collections::HashMap;

use usher_core::usage::Denied;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use super::running::runs;
use crate::columns::unsigned;
use crate::now::{Settled, SettledAsked, SettledTime};
use crate::usage::{
    Times, UNKNOWN, granted_within, nobody, of_product, refused_since, running_of, surrogate,
    to_those, told_times, whole,
};

/// What became of the refusals in the times that are asked about. Whoever was refused and holds a
/// lease that is not among those that run, and not ended, got no seat.
pub(in crate::postgres) fn settled(db: &Db, asked: &SettledAsked) -> Result<Vec<Settled>> {
    let mut found = Vec::new();
    for tables in [HERE, ELSEWHERE] {
        found.extend(tables.settled(db, asked)?);
    }
    Ok(found)
}

/// Where refusals and grants of one kind of teller are.
#[derive(Clone, Copy)]
struct Tables {
    is_here: bool,
    /// The numbers and names of tellers.
    teller: &'static str,
    /// Whether a product was refused to anybody between two instants.
    any: &'static str,
    /// Refusals of a product, from behind an instant up to another.
    denials: &'static str,
    /// Whom a product was granted to, from an instant on up to another.
    granted: &'static str,
}

const HERE: Tables = Tables {
    is_here: true,
    teller: "SELECT number, server FROM history_sources WHERE server = ANY ($1::text[])",
    any: "SELECT p.number, p.product FROM history_products p WHERE EXISTS \
        (SELECT 1 FROM history_denials d WHERE d.product = p.number \
        AND d.first_ms > $1 AND d.first_ms <= $2) ORDER BY p.number",
    denials: "SELECT source, person, computer, first_ms, last_ms, count FROM history_denials \
        WHERE product = $1 AND first_ms > $2 AND first_ms <= $3",
    granted: "SELECT person, granted_ms FROM history_leases WHERE NOT kept \
        AND cause <> 'unclaimed' AND product = $1 AND granted_ms >= $2 AND granted_ms <= $3",
};

const ELSEWHERE: Tables = Tables {
    is_here: false,
    teller: "SELECT number, source FROM import_sources WHERE source = ANY ($1::text[])",
    any: "SELECT p.number, p.product FROM history_products p WHERE EXISTS \
        (SELECT 1 FROM elsewhere_denials d WHERE d.product = p.number \
        AND d.at_ms > $1 AND d.at_ms <= $2) ORDER BY p.number",
    denials: "SELECT source, person, computer, at_ms, at_ms, 1::bigint, number \
        FROM elsewhere_denials WHERE product = $1 AND at_ms > $2 AND at_ms <= $3",
    granted: "SELECT person, started_ms FROM elsewhere_uses \
        WHERE product = $1 AND started_ms >= $2 AND started_ms <= $3",
};

impl Tables {
    fn settled(self, db: &Db, asked: &SettledAsked) -> Result<Vec<Settled>> {
        let times = self.times(db, asked)?;
        let Some((from_ms, to_ms)) = whole(&times) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for (product, id) in self.refused(db, from_ms, to_ms)? {
            let denied = self.denied(db, product, refused_since(from_ms), to_ms)?;
            let granted = self.granted(db, product, &denied, asked, &id)?;
            found.extend(of_product(&id, &times, &denied, granted));
        }
        Ok(found)
    }

    /// The times by the numbers of their tellers; those that are empty, or of which nothing was ever
    /// told, are left out.
    fn times<'a>(self, db: &Db, asked: &'a SettledAsked) -> Result<Times<'a>> {
        let mut times = HashMap::new();
        let told: HashMap<&String, &SettledTime> = told_times(asked, self.is_here).collect();
        if told.is_empty() {
            return Ok(times);
        }
        let names: Vec<Vec<Param>> = told.keys().map(|name| params![name].to_vec()).collect();
        db.each(self.teller, Arrays::of(&names).params(), |row| {
            let name: String = row.get(1)?;
            if let Some(time) = told.get(&name) {
                times.insert(row.get(0)?, *time);
            }
            Ok(())
        })?;
        Ok(times)
    }

    fn refused(self, db: &Db, from_ms: i64, to_ms: i64) -> Result<Vec<(i64, String)>> {
        let values = params![from_ms, to_ms];
        db.all(self.any, &values, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Refusals in their order, each with the number of who told of it.
    fn denied(
        self,
        db: &Db,
        product: i64,
        since_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<(Denied, i64)>> {
        let values = params![product, since_ms, to_ms];
        let mut denied = db.all(self.denials, &values, |row| {
            let nobody = match self.is_here {
                true => UNKNOWN,
                false => nobody(row.get(6)?),
            };
            let denied = Denied {
                person: surrogate(row.get(1)?).unwrap_or(nobody),
                computer: surrogate(row.get(2)?).unwrap_or(UNKNOWN),
                first_ms: row.get(3)?,
                last_ms: row.get(4)?,
                count: unsigned(row.get(5)?),
            };
            Ok((denied, row.get(0)?))
        })?;
        denied.sort_unstable();
        Ok(denied)
    }

    /// Whom of those that were refused seats were granted to, and when.
    fn granted(
        self,
        db: &Db,
        product: i64,
        denied: &[(Denied, i64)],
        asked: &SettledAsked,
        id: &str,
    ) -> Result<Vec<(u64, i64)>> {
        let Some((first_ms, until_ms)) = granted_within(denied) else {
            return Ok(Vec::new());
        };
        let mut granted = match self.is_here {
            true => runs(db, product, running_of(asked, id))?.granted,
            false => Vec::new(),
        };
        db.each(self.granted, &params![product, first_ms, until_ms], |row| {
            if let Some(person) = surrogate(row.get(0)?) {
                granted.push((person, row.get(1)?));
            }
            Ok(())
        })?;
        Ok(to_those(denied, granted))
    }
}
