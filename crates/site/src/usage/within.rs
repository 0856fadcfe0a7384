//! The rows of a product that overlap a time.
//!
//! Rows are found by when they began. Of those that began before the time it is known from the
//! roll-ups how many last into it, so the look back ends with the first of them.

use rusqlite::{Connection, Result, Row, params};
use usher_core::usage::{Counted, quarter_of};

use super::about::surrogate;
use super::alone::IS_ALONE;
use super::level::levels_before;
use super::line::{Adds, LeaseRow, Line, SessionRow, of_archived, of_lease, of_session};
use super::quarter::number_of;
use crate::archive::{Archive, Reading, parts};

const SESSIONS_BEFORE: &str = "SELECT started_ms, ended_ms, person, computer, unseated_ms, \
    lease_made_in IS NOT NULL FROM history_sessions WHERE product = ?1 AND started_ms < ?2 \
    ORDER BY started_ms DESC";
const SESSIONS_WITHIN: &str = "SELECT started_ms, ended_ms, person, computer, unseated_ms, \
    lease_made_in IS NOT NULL FROM history_sessions WHERE product = ?1 AND started_ms >= ?2 \
    AND started_ms < ?3";
const ELSEWHERE: &str = "SELECT started_ms, coalesce(ended_ms, seen_ms, ?4), person, computer, \
    seats, 1 FROM elsewhere_uses WHERE product = ?1 AND started_ms < ?3 \
    AND (started_ms >= ?2 OR coalesce(ended_ms, seen_ms, ?4) > ?2)";

/// Each with whether it is a session itself; of those that ended before the time that is not looked
/// up.
fn leases_before() -> String {
    format!(
        "SELECT granted_ms, ended_ms, person, computer, seats, \
         CASE WHEN ended_ms >= ?2 THEN {IS_ALONE} ELSE 0 END FROM history_leases l \
         WHERE kept = 0 AND cause <> 'unclaimed' AND product = ?1 AND granted_ms < ?2 \
         ORDER BY granted_ms DESC"
    )
}

fn leases_within() -> String {
    format!(
        "SELECT granted_ms, ended_ms, person, computer, seats, {IS_ALONE} FROM history_leases l \
         WHERE kept = 0 AND cause <> 'unclaimed' AND product = ?1 AND granted_ms >= ?2 \
         AND granted_ms < ?3"
    )
}

/// What a row of a session adds.
fn of_session_row(row: &Row<'_>) -> Result<Adds> {
    Ok(of_session(SessionRow {
        started_ms: row.get(0)?,
        ended_ms: row.get(1)?,
        unseated_ms: row.get(4)?,
        has_lease: row.get(5)?,
    }))
}

/// What a row of a lease, or of a checkout elsewhere, adds.
fn of_lease_row(row: &Row<'_>) -> Result<Adds> {
    Ok(of_lease(LeaseRow {
        granted_ms: row.get(0)?,
        ended_ms: row.get(1)?,
        seats: row.get(4)?,
        is_session: row.get(5)?,
    }))
}

/// More people than that are not named in SQL.
const NAMED_LIMIT: usize = 500;

/// That `person` is one of these, as the end of SQL; nothing if they are many.
pub(crate) fn person_among(people: &[u64]) -> String {
    if people.len() > NAMED_LIMIT {
        return String::new();
    }
    let numbers: Vec<String> = people
        .iter()
        .map(|number| number.cast_signed().to_string())
        .collect();
    match numbers.is_empty() {
        true => " AND false".to_owned(),
        false => format!(" AND person IN ({})", numbers.join(", ")),
    }
}

/// A person or a computer; none: it is not known any more which.
pub(crate) type Whose = Option<u64>;

/// Takes the person and the computer of a row, and what it adds.
type Take<'a> = dyn FnMut(Whose, Whose, Adds) + 'a;

/// How a row is read.
type Read = fn(&Row<'_>) -> Result<Adds>;

/// Where rows are looked up.
pub(super) struct Look<'a> {
    connection: &'a Connection,
    product: i64,
    /// Where the quarter of an hour begins in which the time does.
    begin_ms: i64,
    to_ms: i64,
    /// A condition on the person of those that began within the time; empty: there is none.
    whose: String,
}

impl<'a> Look<'a> {
    /// Of a product by its number, from an instant to the first behind the time.
    pub(super) fn new(
        connection: &'a Connection,
        product: i64,
        (from_ms, to_ms): (i64, i64),
    ) -> Look<'a> {
        Look {
            connection,
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
        let known = parts(self.connection, (self.begin_ms, self.to_ms))?;
        Ok(Reading::new(archive, known))
    }

    /// Has sessions and leases taken, and a few that ended just before the time.
    pub(super) fn here(&self, reading: &mut Reading<'_>, take: &mut Take<'_>) -> Result<()> {
        let of = (self.product, Counted::Here);
        let levels = levels_before(self.connection, of, number_of(self.begin_ms))?;
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
        let mut statement = self.connection.prepare_cached(ELSEWHERE)?;
        let asked = params![self.product, self.begin_ms, self.to_ms, i64::MAX];
        let mut rows = statement.query(asked)?;
        while let Some(row) = rows.next()? {
            hand_over(row, of_lease_row(row)?, take)?;
        }
        Ok(())
    }

    /// Those that began before and last into the time, of which there are so many. How many of them
    /// are sessions.
    fn back(&self, sql: &str, read: Read, many: i64, take: &mut Take<'_>) -> Result<i64> {
        let (mut left, mut sessions) = (many, 0);
        if many <= 0 {
            return Ok(sessions);
        }
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.product, self.begin_ms])?;
        while left > 0
            && let Some(row) = rows.next()?
        {
            let (from_ms, until_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            // One that ends just there is among them, and not in the time.
            if from_ms < until_ms && until_ms >= self.begin_ms {
                let adds = read(row)?;
                left -= 1;
                sessions += i64::from(adds.iter().flatten().any(|add| add.0 == Line::Running));
                hand_over(row, adds, take)?;
            }
        }
        Ok(sessions)
    }

    /// Those that began since.
    fn within(&self, sql: &str, read: Read, take: &mut Take<'_>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.product, self.begin_ms, self.to_ms])?;
        while let Some(row) = rows.next()? {
            hand_over(row, read(row)?, take)?;
        }
        Ok(())
    }
}

fn hand_over(row: &Row<'_>, adds: Adds, take: &mut Take<'_>) -> Result<()> {
    take(surrogate(row.get(2)?), surrogate(row.get(3)?), adds);
    Ok(())
}
