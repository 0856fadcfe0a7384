//! The rows of a product that overlap a time.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use usher_core::usage::{Counted, quarter_of};

use super::super::archive::parts;
use super::super::db::Db;
use super::super::failure::Result;
use super::super::values::{Param, Row, params};
use super::level::levels_before;
use crate::archive::{Archive, Reading};
use crate::usage::{
    Adds, LeaseRow, Line, SessionRow, Whose, number_of, of_archived, of_lease, of_session,
    person_among, surrogate,
};

/// Of those that last into the time `$2`, the `$3` that began last before it. One that ends just there
/// is among them, and not in the time.
const SESSIONS_BEFORE: &str = "SELECT started_ms, ended_ms, person, computer, unseated_ms, \
    lease_made_in IS NOT NULL FROM history_sessions WHERE product = $1 AND started_ms < $2 \
    AND ended_ms >= $2 ORDER BY started_ms DESC LIMIT $3";
const SESSIONS_WITHIN: &str = "SELECT started_ms, ended_ms, person, computer, unseated_ms, \
    lease_made_in IS NOT NULL FROM history_sessions WHERE product = $1 AND started_ms >= $2 \
    AND started_ms < $3";
const ELSEWHERE: &str = "SELECT started_ms, coalesce(ended_ms, seen_ms, $4), person, computer, \
    seats, true FROM elsewhere_uses WHERE product = $1 AND started_ms < $3 \
    AND (started_ms >= $2 OR coalesce(ended_ms, seen_ms, $4) > $2)";

/// Whether a lease of `history_leases l` is a session itself, as a condition.
pub(in crate::postgres) const IS_ALONE: &str = "(l.agent_incarnation IS NULL AND NOT EXISTS \
    (SELECT 1 FROM history_session_keys s WHERE s.lease_made_in = l.made_in \
    AND s.lease_made_by = l.made_by))";

fn leases_before() -> String {
    format!(
        "SELECT granted_ms, ended_ms, person, computer, seats, {IS_ALONE} FROM history_leases l \
         WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms < $2 \
         AND ended_ms >= $2 ORDER BY granted_ms DESC LIMIT $3"
    )
}

fn leases_within() -> String {
    format!(
        "SELECT granted_ms, ended_ms, person, computer, seats, {IS_ALONE} FROM history_leases l \
         WHERE NOT kept AND cause <> 'unclaimed' AND product = $1 AND granted_ms >= $2 \
         AND granted_ms < $3"
    )
}

/// What a row of a session adds.
fn of_session_row(row: &Row) -> Result<Adds> {
    Ok(of_session(SessionRow {
        started_ms: row.get(0)?,
        ended_ms: row.get(1)?,
        unseated_ms: row.get(4)?,
        has_lease: row.get(5)?,
    }))
}

/// What a row of a lease, or of a checkout elsewhere, adds.
fn of_lease_row(row: &Row) -> Result<Adds> {
    Ok(of_lease(LeaseRow {
        granted_ms: row.get(0)?,
        ended_ms: row.get(1)?,
        seats: row.get(4)?,
        is_session: row.get(5)?,
    }))
}

/// Takes the person and the computer of a row, and what it adds.
type Take<'a> = dyn FnMut(Whose, Whose, Adds) + 'a;

/// How a row is read.
type Read = fn(&Row) -> Result<Adds>;

/// Where rows are looked up.
pub(super) struct Look<'a> {
    db: &'a Db,
    product: i64,
    /// Where the quarter of an hour begins in which the time does.
    begin_ms: i64,
    to_ms: i64,
    /// A condition on the person of those that began within the time; empty: there is none.
    whose: String,
}

impl<'a> Look<'a> {
    /// Of a product by its number, from an instant to the first behind the time.
    pub(super) fn new(db: &'a Db, product: i64, (from_ms, to_ms): (i64, i64)) -> Look<'a> {
        Look {
            db,
            product,
            begin_ms: quarter_of(from_ms),
            to_ms,
            whose: String::new(),
        }
    }

    /// Need not look up what others began within the time: who takes it passes over them.
    pub(super) fn of_people(self, people: Option<&[u64]>) -> Look<'a> {
        let whose = people.map(person_among).unwrap_or_default();
        Look { whose, ..self }
    }

    /// The archive, for the time.
    pub(super) fn reading<'r>(&self, archive: Option<&'r Archive>) -> Result<Reading<'r>> {
        let known = parts(self.db, (self.begin_ms, self.to_ms))?;
        Ok(Reading::new(archive, known))
    }

    /// Has sessions and leases taken, and a few that ended just before the time.
    pub(super) fn here(&self, reading: &mut Reading<'_>, take: &mut Take<'_>) -> Result<()> {
        let of = (self.product, Counted::Here);
        let levels = levels_before(self.db, of, number_of(self.begin_ms))?;
        let open = |line| levels.of(line).uses;
        // Leases and sessions without a seat are wanted.
        let leases = open(Line::Wanted).saturating_sub(open(Line::Unseated));
        let time = (self.begin_ms, self.to_ms);
        let over = reading.overlapping(self.product, time, &mut |it| {
            take(it.person, it.computer, of_archived(it));
        });
        let leases = leases.saturating_sub(over.leases);
        let alone = self.back(&leases_before(), of_lease_row, leases, take)?;
        let whose = &self.whose;
        self.within(&(leases_within() + whose), of_lease_row, take)?;
        let alone = alone.saturating_add(over.sessions);
        let sessions = open(Line::Running).saturating_sub(alone);
        self.back(SESSIONS_BEFORE, of_session_row, sessions, take)?;
        self.within(&format!("{SESSIONS_WITHIN}{whose}"), of_session_row, take)
    }

    /// Has taken what another licence server counts.
    pub(super) fn elsewhere(&self, take: &mut Take<'_>) -> Result<()> {
        let values = params![self.product, self.begin_ms, self.to_ms, i64::MAX];
        self.each(ELSEWHERE, &values, of_lease_row, take).map(drop)
    }

    /// Those that began before and last into the time, of which there are so many. How many of them
    /// are sessions.
    fn back(&self, sql: &str, read: Read, many: i64, take: &mut Take<'_>) -> Result<i64> {
        if many <= 0 {
            return Ok(0);
        }
        self.each(sql, &params![self.product, self.begin_ms, many], read, take)
    }

    /// Those that began since.
    fn within(&self, sql: &str, read: Read, take: &mut Take<'_>) -> Result<()> {
        let values = params![self.product, self.begin_ms, self.to_ms];
        self.each(sql, &values, read, take).map(drop)
    }

    /// How many of the rows are sessions.
    fn each(&self, sql: &str, values: &[Param], read: Read, take: &mut Take<'_>) -> Result<i64> {
        let mut sessions = 0;
        self.db.each(sql, values, |row| {
            let adds = read(row)?;
            sessions += i64::from(adds.iter().flatten().any(|add| add.0 == Line::Running));
            take(surrogate(row.get(2)?), surrogate(row.get(3)?), adds);
            Ok(())
        })?;
        Ok(sessions)
    }
}
