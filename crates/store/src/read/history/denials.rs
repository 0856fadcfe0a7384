//! Checkouts that were refused.

use rusqlite::named_params;
use usher_core::ledger::{DecisionId, Incarnation};

use super::lists::number;
use super::{History, Owner, Rows, page};
use crate::base::columns::from_i64;
use crate::queue::requests::Failure;

/// A filter for refusals. Each part that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct DenialFilter {
    /// Whose denials: everybody's, or those of one person or computer.
    pub owner: Owner,
    /// Product id.
    pub product: Option<String>,
    /// Name of the person who was refused; for accounts of a directory, case is ignored.
    pub user: Option<String>,
    /// The computer's key or name.
    pub computer: Option<String>,
    /// Only refusals whose last repeat was at or after this instant; Unix milliseconds, wall clock.
    pub since: Option<i64>,
    /// Only refusals that first happened before this instant; Unix milliseconds, wall clock.
    pub until: Option<i64>,
}

/// A refusal and its repeats within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenialRow {
    /// The id of the decision, which `usher why` takes.
    pub id: DecisionId,
    /// Product id.
    pub product: String,
    /// The person who asked.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats asked for.
    pub seats: u32,
    /// The reason, in the word of the API.
    pub reason: String,
    /// How often the request was made and refused.
    pub count: u64,
    /// When it was first refused; Unix milliseconds, wall clock.
    pub first_at: i64,
    /// When it was last refused; Unix milliseconds, wall clock.
    pub last_at: i64,
}

impl History {
    /// Refusals, newest first. `before` is the cursor: 0 begins at the newest.
    pub fn denials(
        &self,
        filter: &DenialFilter,
        before: u64,
        limit: u32,
    ) -> Result<Rows<DenialRow>, Failure> {
        let owner = &filter.owner;
        self.query(|connection| {
            let mut statement = connection.prepare_cached(&of(owner))?;
            let before = match before {
                0 => i64::MAX,
                before => before.cast_signed(),
            };
            let rows = statement.query_map(
                named_params! {
                    ":product": filter.product,
                    ":user": filter.user,
                    ":key": filter.user.as_ref().map(|user| user.to_lowercase()),
                    ":place": filter.computer,
                    ":since": filter.since,
                    ":until": filter.until,
                    ":before": before,
                    ":limit": limit + 1,
                    ":realm": owner.realm(),
                    ":account": owner.account(),
                    ":computer": owner.computer,
                },
                |row| {
                    Ok(DenialRow {
                        id: DecisionId {
                            incarnation: Incarnation(row.get(1)?),
                            number: number(row, 0)?,
                        },
                        product: row.get(2)?,
                        user: row.get(3)?,
                        computer: row.get(4)?,
                        seats: row.get(5)?,
                        reason: row.get(6)?,
                        count: from_i64(row.get(7)?),
                        first_at: row.get(8)?,
                        last_at: row.get(9)?,
                    })
                },
            )?;
            Ok(page(
                rows.collect::<Result<_, _>>()?,
                limit,
                |row: &DenialRow| row.id.number.0,
            ))
        })
    }

    /// Checkouts that were refused for want of a seat, by product id since an instant, repeats
    /// counted.
    pub fn refused_since(&self, since_wall_ms: i64) -> Result<Vec<(String, u64)>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.id, sum(d.count) FROM denials d JOIN products p ON p.number = d.product \
                 WHERE d.last_at >= ?1 AND d.reason IN ('no_seat', 'queue_full') GROUP BY p.id",
            )?;
            let rows = statement.query_map([since_wall_ms], |row| {
                Ok((row.get(0)?, from_i64(row.get(1)?)))
            })?;
            rows.collect()
        })
    }

    /// Refused checkouts by product id since an instant, repeats counted.
    pub fn denied_since(&self, since_wall_ms: i64) -> Result<Vec<(String, u64)>, Failure> {
        self.query(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.id, sum(d.count) FROM denials d JOIN products p ON p.number = d.product \
                 WHERE d.last_at >= ?1 GROUP BY p.id",
            )?;
            let rows = statement.query_map([since_wall_ms], |row| {
                Ok((row.get(0)?, from_i64(row.get(1)?)))
            })?;
            rows.collect()
        })
    }
}

/// The question for the refusals of an owner. What it is not asked for stands in it as well, for
/// every question has the same parameters; a person or a computer is looked for by its index.
fn of(owner: &Owner) -> String {
    let person = match owner.person {
        Some(_) => {
            "d.subject IN (SELECT id FROM subjects WHERE authority = :realm AND key = :account)"
        }
        None => ":realm IS NULL AND :account IS NULL",
    };
    let computer = match (&owner.computer, &owner.person) {
        (None, _) => ":computer IS NULL",
        (Some(_), None) => "d.computer IN (SELECT id FROM computers WHERE key = :computer)",
        // Of two indexes one is used: a person's refusals are fewer than those of a computer.
        (Some(_), Some(_)) => "+d.computer IN (SELECT id FROM computers WHERE key = :computer)",
    };
    format!(
        "SELECT d.number, d.incarnation, p.id, s.name, c.name, d.seats, d.reason, \
         d.count, d.first_at, d.last_at \
         FROM denials d JOIN products p ON p.number = d.product \
         JOIN subjects s ON s.id = d.subject JOIN computers c ON c.id = d.computer \
         WHERE {person} AND {computer} AND d.number < :before \
         AND (:product IS NULL OR p.id = :product) \
         AND (:user IS NULL OR s.name = :user OR s.key = :key \
            AND s.authority NOT IN ('usher', 'local') AND s.authority NOT GLOB 'computer:*') \
         AND (:place IS NULL OR c.key = :place OR c.name = :place) \
         AND (:since IS NULL OR d.last_at >= :since) \
         AND (:until IS NULL OR d.first_at < :until) \
         ORDER BY d.number DESC LIMIT :limit"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::base::schema::{Saved, migrate};

    /// How SQLite answers the question for the refusals of that owner.
    fn plan(owner: &Owner) -> String {
        let mut connection = Connection::open_in_memory().unwrap();
        let nobody = |_: &Connection, _: &Path| Ok(());
        migrate(&mut connection, Path::new("new"), Saved::Elsewhere, nobody).unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", of(owner)))
            .unwrap();
        let none: Vec<Option<i64>> = vec![None; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(none), |row| row.get(3));
        let steps: Vec<String> = steps.unwrap().collect::<Result<_, _>>().unwrap();
        steps.join("\n")
    }

    #[test]
    fn the_refusals_of_one_person_or_computer_are_found_without_reading_those_of_all() {
        let person = Some(("usher".to_owned(), "ann".to_owned()));
        let computer = Some("pc1".to_owned());
        for (person, computer, index) in [
            (person.clone(), None, "denials_subject"),
            (None, computer.clone(), "denials_computer"),
            (person, computer, "denials_subject"),
        ] {
            let plan = plan(&Owner { person, computer });
            assert!(
                plan.contains(&format!("SEARCH d USING INDEX {index} ")),
                "{plan}"
            );
            assert!(!plan.contains("SCAN"), "{plan}");
        }
        let all = plan(&Owner::default());
        assert!(
            !all.contains("TEMP B-TREE"),
            "a page of all is not sorted: {all}"
        );
    }
}
