//! Keeps the roll-ups on PostgreSQL, as [`crate::usage`] does in the embedded engine: what a batch adds to
//! quarters is put behind what they have, by one statement.

use std::collections::{HashMap, HashSet};

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use super::days;
use crate::collected::{EndedLease, EndedSession, Made};
use crate::columns::signed;
use crate::usage::{
    Adds, Changes, Days, LeaseRow, Line, Mark, Place, begin_of, by_quarters, carry_out,
    counted_number, is_use, of_lease, of_session, only_adds, pack, unpack,
};

/// A lease, as its server numbers it.
type LeaseKey = (i64, i64);

fn key_of(lease: Made) -> LeaseKey {
    (lease.incarnation.into(), signed(lease.event))
}

/// What changes in a transaction, and is not written yet.
pub(in crate::postgres) struct RollUp<'d> {
    db: &'d Db,
    changes: Changes,
}

impl<'d> RollUp<'d> {
    /// A roll-up with no change in it.
    pub(in crate::postgres) fn new(db: &'d Db) -> RollUp<'d> {
        RollUp {
            db,
            changes: Changes::default(),
        }
    }

    /// Sessions that are new in the history, and there already, with the numbers of their products. The
    /// leases that came with them are not there yet.
    pub(in crate::postgres) fn add_sessions(
        &mut self,
        sessions: &[(i64, &EndedSession)],
    ) -> Result<()> {
        for (product, it) in sessions {
            self.change(*product, of_session((*it).into()), 1)?;
        }
        // A lease that no session held counted as one itself: until the first that held it.
        let mut new: HashMap<LeaseKey, i64> = HashMap::new();
        for lease in sessions.iter().filter_map(|(_, it)| it.lease) {
            *new.entry(key_of(lease)).or_default() += 1;
        }
        let held = self.sessions_of(new.keys())?;
        let first = new
            .iter()
            .filter(|(key, many)| held.get(key) == Some(many))
            .map(|(key, _)| *key);
        for (product, adds) in self.alone(first)? {
            self.change(product, adds, -1)?;
        }
        Ok(())
    }

    /// Leases that are new in the history, with the numbers of their products. All sessions that came
    /// with them are there.
    pub(in crate::postgres) fn add_leases(&mut self, leases: &[(i64, &EndedLease)]) -> Result<()> {
        let of_none = leases.iter().filter(|(_, it)| it.session.is_none());
        let keys: HashSet<LeaseKey> = of_none.map(|(_, it)| key_of(it.key)).collect();
        let held = self.sessions_of(keys.iter())?;
        for (product, it) in leases.iter().filter(|(_, it)| is_use(it)) {
            let is_session = it.session.is_none() && !held.contains_key(&key_of(it.key));
            let lease = LeaseRow {
                seats: it.seats,
                granted_ms: it.granted_ms,
                ended_ms: it.ended_ms,
                is_session,
            };
            self.change(*product, of_lease(lease), 1)?;
        }
        Ok(())
    }

    /// How many sessions are known that held each of these leases.
    fn sessions_of<'k>(
        &self,
        leases: impl Iterator<Item = &'k LeaseKey>,
    ) -> Result<HashMap<LeaseKey, i64>> {
        let mut many = HashMap::new();
        let rows: Vec<Vec<Param>> = leases.map(|(of, by)| params![*of, *by].to_vec()).collect();
        if rows.is_empty() {
            return Ok(many);
        }
        let sql = "SELECT s.lease_made_in, s.lease_made_by, count(*) \
                   FROM unnest($1::bigint[], $2::bigint[]) AS k(made_in, made_by) \
                   JOIN history_session_keys s ON s.lease_made_in = k.made_in \
                   AND s.lease_made_by = k.made_by GROUP BY 1, 2";
        self.db.each(sql, Arrays::of(&rows).params(), |row| {
            many.insert((row.get(0)?, row.get(1)?), row.get(2)?);
            Ok(())
        })?;
        Ok(many)
    }

    /// What those of these leases that are known added as sessions, with their products.
    fn alone(&self, leases: impl Iterator<Item = LeaseKey>) -> Result<Vec<(i64, Adds)>> {
        let rows: Vec<Vec<Param>> = leases.map(|(of, by)| params![of, by].to_vec()).collect();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT l.product, l.granted_ms, l.ended_ms \
                   FROM unnest($1::bigint[], $2::bigint[]) AS k(made_in, made_by) \
                   CROSS JOIN history_sources s JOIN history_leases l ON l.source = s.number \
                   AND l.made_in = k.made_in AND l.made_by = k.made_by \
                   WHERE l.agent_incarnation IS NULL AND NOT l.kept AND l.cause <> 'unclaimed'";
        self.db.all(sql, Arrays::of(&rows).params(), |row| {
            let adds = of_lease(LeaseRow {
                seats: 1,
                granted_ms: row.get(1)?,
                ended_ms: row.get(2)?,
                is_session: true,
            });
            let of_session = adds.map(|add| add.filter(|(line, _)| *line == Line::Running));
            Ok((row.get(0)?, of_session))
        })
    }

    /// Adds what a row says so many times; less than 0: takes it out.
    pub(super) fn change(&mut self, product: i64, adds: Adds, times: i64) -> Result<()> {
        self.changes.add(product, Counted::Here, adds, times);
        match self.changes.is_full() {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Writes what has changed.
    pub(in crate::postgres) fn write(&mut self) -> Result<()> {
        days::unpack(self.db, &self.changes.take_spreads())?;
        let changes = self.changes.take();
        let read = by_quarters(&changes).filter(|(_, quarter)| !only_adds(quarter));
        let read: Vec<Key> = read.map(|(place, _)| key(place)).collect();
        let mut known = self.take_out(&read)?;
        let (mut days, mut runs) = (Days::default(), Vec::new());
        for (place, quarter) in by_quarters(&changes) {
            let key = key(place);
            let mut marks = known.remove(&key).unwrap_or_default();
            carry_out(quarter, &mut marks, &mut days);
            if !marks.is_empty() {
                let [product, counted, number] = key;
                let run = pack(begin_of(number), &marks);
                runs.push(params![product, counted, number, run].to_vec());
            }
        }
        self.put(&runs)?;
        self.add_to_days(&days)
    }

    /// Removes quarters; the marks that they had.
    fn take_out(&self, quarters: &[Key]) -> Result<HashMap<Key, Vec<Mark>>> {
        let mut marks = HashMap::new();
        if quarters.is_empty() {
            return Ok(marks);
        }
        let row = |[product, counted, quarter]: &Key| params![product, counted, quarter].to_vec();
        let rows: Vec<Vec<Param>> = quarters.iter().map(row).collect();
        let sql = "DELETE FROM usage_quarters q \
                   USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
                   AS k(product, counted, quarter) WHERE q.product = k.product \
                   AND q.counted = k.counted AND q.quarter = k.quarter \
                   RETURNING q.product, q.counted, q.quarter, q.edges";
        self.db.each(sql, Arrays::of(&rows).params(), |row| {
            let key: Key = [row.get(0)?, row.get(1)?, row.get(2)?];
            marks.insert(key, unpack(begin_of(key[2]), &row.get::<Vec<u8>>(3)?)?);
            Ok(())
        })?;
        Ok(marks)
    }

    fn put(&self, runs: &[Vec<Param>]) -> Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO usage_quarters (product, counted, quarter, edges) \
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
                   ON CONFLICT (product, counted, quarter) \
                   DO UPDATE SET edges = usage_quarters.edges || excluded.edges";
        self.db.run(sql, Arrays::of(runs).params()).map(drop)
    }

    fn add_to_days(&self, days: &Days) -> Result<()> {
        let rows: Vec<Vec<Param>> = days
            .rows()
            .map(|([product, counted, line, day], level)| {
                params![product, counted, line, day, level.seats, level.uses].to_vec()
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO usage_days (product, counted, line, day, seats_change, uses_change) \
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[], $6::bigint[]) ON CONFLICT (product, counted, line, day) \
                   DO UPDATE SET seats_change = usage_days.seats_change + excluded.seats_change, \
                   uses_change = usage_days.uses_change + excluded.uses_change";
        self.db.run(sql, Arrays::of(&rows).params()).map(drop)
    }
}

/// Product, who counts, and quarter.
type Key = [i64; 3];

fn key(place: Place) -> Key {
    [place.product, counted_number(place.counted), place.quarter]
}
