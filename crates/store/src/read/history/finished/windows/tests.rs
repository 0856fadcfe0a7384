//! Windows are found by an index.

use std::path::Path;

use super::*;
use crate::base::schema::{Saved, migrate};

#[test]
fn the_next_event_and_the_items_behind_it_are_found_without_reading_a_table_through() {
    let mut connection = Connection::open_in_memory().unwrap();
    let nobody = |_: &Connection, _: &Path| Ok(());
    migrate(&mut connection, Path::new("new"), Saved::Elsewhere, nobody).unwrap();
    for (sql, indexes) in [
        (NEXT, &["leases_ended", "tickets_settled"][..]),
        (items::LEASES, &["leases_ended"]),
        (items::WAITS, &["tickets_settled"]),
        (items::SESSIONS, &[]),
        (items::REFUSALS, &[]),
    ] {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let none: Vec<Option<i64>> = vec![None; statement.parameter_count()];
        let steps = statement.query_map(rusqlite::params_from_iter(none), |row| row.get(3));
        let steps: Vec<String> = steps.unwrap().collect::<Result<_, _>>().unwrap();
        for index in indexes {
            let is_used = steps.iter().any(|step| step.contains(index));
            assert!(is_used, "{index}: {steps:#?}");
        }
        // Of products all are looked at: they are few. And of what was found before.
        let read_through = |step: &&String| {
            step.starts_with("SCAN") && !step.starts_with("SCAN p") && !step.contains("CONSTANT")
        };
        let read_through: Vec<_> = steps.iter().filter(read_through).collect();
        assert!(
            read_through.iter().all(|step| step.contains("subquery")),
            "{steps:#?}"
        );
    }
}
