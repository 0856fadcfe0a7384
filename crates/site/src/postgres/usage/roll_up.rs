//! Keeps the roll-ups on PostgreSQL, as [`crate::usage`] does in the embedded engine: the quarters that a
//! batch changes are read together, and written together.

use std::collections::{BTreeMap, HashMap, HashSet};

use usher_core::usage::{Counted, Edge, Level, Node, QUARTER_MS, Span};

use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Arrays, Param, params};
use crate::collected::{EndedLease, EndedSession, Made};
use crate::columns::signed;
use crate::usage::{
    Adds, CHANGED_LIMIT, LeaseRow, Line, Of, QUARTERS_OF_DAY, apply, clamped, is_use, number_of,
    of_lease, of_session, pack, unpack,
};

/// A lease, as its server numbers it.
type LeaseKey = (i64, i64);

fn key_of(lease: Made) -> LeaseKey {
    (lease.incarnation.into(), signed(lease.event))
}

/// What changes in a transaction, and is not written yet.
pub(in crate::postgres) struct RollUp<'d> {
    db: &'d Db,
    /// For each quarter how many times each edge is added to it (or, below 0, taken out).
    changed: BTreeMap<(Of, i64), BTreeMap<Edge, i64>>,
}

impl<'d> RollUp<'d> {
    /// A roll-up with no change in it.
    pub(in crate::postgres) fn new(db: &'d Db) -> RollUp<'d> {
        RollUp {
            db,
            changed: BTreeMap::new(),
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
    fn change(&mut self, product: i64, adds: Adds, times: i64) -> Result<()> {
        for (line, span) in adds.into_iter().flatten() {
            let of = Of {
                product,
                counted: Counted::Here,
                line,
            };
            self.change_span(of, span, times);
        }
        match self.changed.len() < CHANGED_LIMIT {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn change_span(&mut self, of: Of, span: Span, times: i64) {
        let (begin, end) = span.edges();
        for edge in [Some(begin), end].into_iter().flatten() {
            let quarter = self.changed.entry((of, number_of(edge.at_ms)));
            *quarter.or_default().entry(edge).or_default() += times;
        }
    }

    /// Writes what has changed.
    pub(in crate::postgres) fn write(&mut self) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return Ok(());
        }
        let mut known = self.edges(changed.keys())?;
        let mut days: BTreeMap<(Of, i64), Level> = BTreeMap::new();
        let (mut written, mut empty) = (Vec::new(), Vec::new());
        for ((of, quarter), changes) in changed {
            let from_ms = quarter.saturating_mul(QUARTER_MS);
            let packed = known.remove(&columns(of, quarter)).unwrap_or_default();
            let mut edges = unpack(from_ms, &packed)?;
            let day = quarter.div_euclid(QUARTERS_OF_DAY);
            let level = days.entry((of, day)).or_default();
            for (edge, times) in changes {
                let changed = apply(&mut edges, edge, times);
                let seats = changed.saturating_mul(edge.seats_change());
                level.seats = level.seats.saturating_add(seats);
                let uses = changed.saturating_mul(edge.uses_change());
                level.uses = level.uses.saturating_add(uses);
            }
            edges.sort_unstable();
            match edges.is_empty() {
                true => empty.push(place(of, quarter)),
                false => written.push(quarter_row(of, quarter, &edges)),
            }
        }
        self.put(&written)?;
        self.delete(&empty)?;
        self.add_to_days(&days)
    }

    /// The packed edges of those of these quarters that have any.
    fn edges<'k>(
        &self,
        quarters: impl Iterator<Item = &'k (Of, i64)>,
    ) -> Result<HashMap<[i64; 4], Vec<u8>>> {
        let rows: Vec<Vec<Param>> = quarters.map(|(of, quarter)| place(*of, *quarter)).collect();
        let sql = "SELECT q.product, q.counted, q.line, q.quarter, q.edges \
                   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
                   AS k(product, counted, line, quarter) \
                   JOIN usage_quarters q USING (product, counted, line, quarter)";
        let mut edges = HashMap::with_capacity(rows.len());
        self.db.each(sql, Arrays::of(&rows).params(), |row| {
            let key = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            edges.insert(key, row.get(4)?);
            Ok(())
        })?;
        Ok(edges)
    }

    fn put(&self, rows: &[Vec<Param>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "INSERT INTO usage_quarters (product, counted, line, quarter, seats_change, \
                   uses_change, best_over, best_at_ms, seat_ms, use_ms, begun, ended_at_once, edges) \
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], \
                   $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[]) \
                   ON CONFLICT (product, counted, line, quarter) DO UPDATE SET \
                   seats_change = excluded.seats_change, uses_change = excluded.uses_change, \
                   best_over = excluded.best_over, best_at_ms = excluded.best_at_ms, \
                   seat_ms = excluded.seat_ms, use_ms = excluded.use_ms, begun = excluded.begun, \
                   ended_at_once = excluded.ended_at_once, edges = excluded.edges";
        self.db.run(sql, Arrays::of(rows).params()).map(drop)
    }

    fn delete(&self, rows: &[Vec<Param>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM usage_quarters q \
                   USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) \
                   AS k(product, counted, line, quarter) WHERE q.product = k.product \
                   AND q.counted = k.counted AND q.line = k.line AND q.quarter = k.quarter";
        self.db.run(sql, Arrays::of(rows).params()).map(drop)
    }

    fn add_to_days(&self, days: &BTreeMap<(Of, i64), Level>) -> Result<()> {
        let row = |((of, day), level): (&(Of, i64), &Level)| {
            let mut row = place(*of, *day);
            row.extend(params![level.seats, level.uses]);
            row
        };
        let rows: Vec<Vec<Param>> = days.iter().map(row).collect();
        let sql = "INSERT INTO usage_days (product, counted, line, day, seats_change, uses_change) \
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
                   $5::bigint[], $6::bigint[]) ON CONFLICT (product, counted, line, day) \
                   DO UPDATE SET seats_change = usage_days.seats_change + excluded.seats_change, \
                   uses_change = usage_days.uses_change + excluded.uses_change";
        self.db.run(sql, Arrays::of(&rows).params()).map(drop)
    }
}

fn columns(of: Of, quarter: i64) -> [i64; 4] {
    let [product, counted, line] = of.columns();
    [product, counted, line, quarter]
}

/// A quarter or a day of a quantity.
fn place(of: Of, number: i64) -> Vec<Param> {
    columns(of, number).map(|it| Param::Int(Some(it))).to_vec()
}

fn quarter_row(of: Of, quarter: i64, edges: &[Edge]) -> Vec<Param> {
    let from_ms = quarter.saturating_mul(QUARTER_MS);
    let node = Node::of(from_ms, from_ms.saturating_add(QUARTER_MS), edges);
    let mut row = place(of, quarter);
    row.extend(params![
        node.change,
        node.uses_change,
        node.best.map(|best| best.over),
        node.best.map(|best| best.at_ms),
        clamped(node.seat_ms),
        clamped(node.use_ms),
        signed(node.begun),
        signed(node.ended_at_once),
        pack(from_ms, edges),
    ]);
    row
}
