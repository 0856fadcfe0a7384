//! The tables do not depend on how the journal was cut into slices.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value;
use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

/// Each lease's row, without the incarnation, which is random.
fn lease_rows(data: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(data.join("cache.db")).unwrap();
    let mut statement = connection
        .prepare("SELECT * FROM leases ORDER BY number")
        .unwrap();
    let columns: Vec<usize> = (0..statement.column_count())
        .filter(|&column| {
            !statement
                .column_name(column)
                .unwrap()
                .ends_with("incarnation")
        })
        .collect();
    let rows = statement
        .query_map([], |row| {
            let values = columns.iter().map(|&column| row.get::<_, Value>(column));
            Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
        })
        .unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn session_starts(session: u64) -> ReportItem {
    ReportItem::Checkout {
        session,
        product: "suite".into(),
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: "gus".into(),
            name: "gus".into(),
            candidate: 1 << 30,
        },
        seats: 1,
        ttl_seconds: 300,
        shown: None,
        gate: false,
        claim: None,
        program: None,
    }
}

/// A life of leases: renewed, shared, left, redrawn, expired, given back, held on.
fn lives(clock: &Arc<TestClock>, engine: &Engine, between: &dyn Fn(&Engine)) {
    product(engine, "cad", 3);
    shared_product(engine, "suite", 2);
    let ada = granted(engine, "cad", "ada");
    between(engine);
    granted(engine, "cad", "bob");
    report(engine, vec![(1, session_starts(1))]);
    between(engine);
    report(engine, vec![(2, session_starts(2))]);
    between(engine);
    clock.pass(100);
    let renew = Command::Renew {
        lease: ada.id,
        access: Access::Anyone,
    };
    engine.execute(renew).unwrap();
    between(engine);
    report(engine, vec![(3, ReportItem::Checkin { session: 1 })]);
    between(engine);
    // Bob and the agent's session are over their time, Ada is not.
    clock.pass(250);
    granted(engine, "cad", "cyd");
    between(engine);
    let checkin = Command::Checkin {
        lease: ada.id,
        access: Access::Anyone,
    };
    engine.execute(checkin).unwrap();
    granted(engine, "cad", "dan");
}

fn rows_after(between: &dyn Fn(&Engine)) -> Vec<String> {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    lives(&clock, &engine, between);
    engine.settle().unwrap();
    let rows = lease_rows(data.path());
    engine.close();
    rows
}

#[test]
fn a_lease_has_the_same_row_whether_it_lived_in_one_slice_or_over_many() {
    let many = rows_after(&|engine| engine.settle().unwrap());
    let one = rows_after(&|_| {});
    assert_eq!(one.len(), 5);
    assert_eq!(one, many);
    assert_eq!(one.iter().filter(|row| row.contains("expired")).count(), 2);
}
