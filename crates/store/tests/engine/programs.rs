//! Programs that were seen to run, as the tables tell them.

use usher_core::ledger::*;
use usher_store::Clock;

use crate::support::*;

#[test]
fn a_program_that_goes_on_under_another_name_is_found_and_its_helpers_are_not() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    product(&engine, "sim", 1);
    let now = clock.wall_ms();
    let used = |session, product: &str, program: &str, ago_ms| ReportItem::Finished {
        session,
        product: product.into(),
        program: program.into(),
        version: None,
        subject: SubjectRef {
            authority: "computer:pc9".into(),
            key: "1000".into(),
            name: "ada".into(),
            candidate: 12,
        },
        real_subject: None,
        started_at: Wall(now - ago_ms - 1_000),
        ended_at: Wall(now - ago_ms),
        duration_ms: 1_000,
        unseated_ms: 0,
        lease: None,
        first_reported: None,
    };
    let started = |names: &[&str]| ReportItem::Programs {
        counts: names.iter().map(|name| program(name, 1, 0)).collect(),
    };
    report(&engine, vec![(1, started(&["cad-helper", "simulate"]))]);
    clock.pass(86_400);
    report(
        &engine,
        vec![
            (2, used(1, "cad", "cad12", 0)),
            (3, used(2, "sim", "sim", -86_400_000)),
        ],
    );
    clock.pass(86_400);
    report(
        &engine,
        vec![(4, started(&["cad13", "cad-helper", "sim", "simulate"]))],
    );
    engine.settle().unwrap();
    let changed = |before| engine.history().changed_programs(before).unwrap();
    let found = changed(now + 3_600_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&*found[0].program, &*found[0].seen_as, found[0].computers),
        ("cad12", "cad13", 1)
    );
    assert_eq!(found[0].seen_since, now + 2 * 86_400_000);
    // A name that is another product's no more, under the same name.
    let found = changed(now + 10 * 86_400_000);
    assert!(found.iter().any(|it| it.seen_as == "sim"), "{found:?}");
    assert_eq!(changed(now - 1), [], "used since");
    engine.close();
}

#[test]
fn programs_that_ran_longest_come_first_and_then_those_started_most() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
    let engine = open(folder.path(), &clock);
    let seen = |counts| ReportItem::Programs { counts };
    let once = vec![
        program("ls", 40, 0),
        program("vim", 1, 60),
        program("cat", 50, 0),
    ];
    let again = vec![program("vim", 0, 600), program("blender", 1, 120)];
    report(&engine, vec![(1, seen(once)), (2, seen(again))]);
    engine.settle().unwrap();
    let rows = engine.history().programs(0, 10).unwrap().rows;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let package = row.package.as_deref();
            (&*row.program, row.starts, row.run_seconds, package)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("vim", 1, 660, Some("vim")),
            ("blender", 1, 120, Some("blender")),
            ("cat", 50, 0, None),
            ("ls", 40, 0, None),
        ]
    );
    engine.close();
}
