//! Imports in any order: of each key of a source what is known best counts, and once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::postgres;

const CASES: u32 = 24;
const IMPORTS: usize = 4;
const KEYS: usize = 3;

/// A step: rows into an import, or its end.
#[derive(Debug, Clone)]
enum Step {
    Rows(usize, Vec<(usize, Known)>),
    Finish(usize),
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        (10_i64..20).prop_map(Known::Seen),
        Just(Known::Runs),
        // The same end for all: which of two ends is the first depends on more than the rows.
        Just(Known::Ended(50)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let rows = proptest::collection::vec((0..KEYS, known()), 1..4);
    prop_oneof![
        3 => (0..IMPORTS, rows).prop_map(|(import, rows)| Step::Rows(import, rows)),
        1 => (0..IMPORTS).prop_map(Step::Finish),
    ]
}

fn rank(known: Known) -> i64 {
    match known {
        Known::Seen(at_ms) => at_ms,
        Known::Runs => 1_000,
        Known::Ended(_) => 2_000,
    }
}

/// What is known best of each key.
type Best = BTreeMap<usize, Known>;

fn learn(best: &mut Best, key: usize, known: Known) {
    let held = best.entry(key).or_insert(known);
    if rank(known) > rank(*held) {
        *held = known;
    }
}

fn started(key: usize) -> i64 {
    i64::try_from(key).unwrap()
}

/// Carries out the steps, and holds what counts against what was told by imports that are finished.
async fn play(site: &dyn Site, steps: &[Step]) {
    let mut told: [Best; IMPORTS] = Default::default();
    let mut bodies = [0_u64; IMPORTS];
    let mut is_finished = [false; IMPORTS];
    for import in 0..IMPORTS {
        begin(site, &import.to_string(), "any", 1_000).await;
    }
    for step in steps {
        match step {
            Step::Rows(import, _) if is_finished[*import] => {}
            Step::Rows(import, with) => {
                let row = |(key, known): &(usize, Known)| {
                    used(&key.to_string(), "any", started(*key), *known)
                };
                bodies[*import] += 1;
                let with_keys = with.iter().map(row).collect();
                let id = import.to_string();
                let took = rows(site, &id, bodies[*import], with_keys).await;
                assert_eq!(took, taken(bodies[*import] + 1));
                for (key, known) in with {
                    learn(&mut told[*import], *key, *known);
                }
            }
            Step::Finish(import) => {
                let done = finish(site, &import.to_string(), bodies[*import]).await;
                assert!(matches!(done, Finish::Done { .. }), "{done:?}");
                is_finished[*import] = true;
            }
        }
        let mut best = Best::new();
        for (told, is_finished) in told.iter().zip(is_finished) {
            for (key, known) in told.iter().filter(|_| is_finished) {
                learn(&mut best, *key, *known);
            }
        }
        let best: Vec<(i64, Known)> = best.iter().map(|(key, it)| (started(*key), *it)).collect();
        assert_eq!(counted(site, "any").await, best, "after {step:?}");
    }
}

/// Takes the imports out, one after another: no key counts twice, and at the end nothing does, and no
/// row is left.
async fn undo(site: &dyn Site, order: &[usize], left: impl FnOnce(&str) -> i64) {
    for import in order {
        removed(site, &import.to_string()).await;
        let counted = counted(site, "any").await;
        let twice = counted.windows(2).any(|pair| pair[0].0 == pair[1].0);
        assert!(!twice, "{counted:?} without {import}");
        assert!(counted.len() <= KEYS);
    }
    assert_eq!(counted(site, "any").await, []);
    clean(site, 0).await;
    assert_eq!(left("SELECT count(*) FROM import_uses"), 0);
}

/// What is done to a site, and in which order the imports are taken out.
fn plan() -> impl Strategy<Value = (Vec<Step>, Vec<usize>)> {
    let order = Just((0..IMPORTS).collect::<Vec<_>>()).prop_shuffle();
    (proptest::collection::vec(step(), 1..16), order)
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap()
}

/// Each on a database of its own.
#[test]
fn of_each_key_what_is_known_best_counts_and_once_on_postgresql() {
    let cluster = usher_testing::postgres::Postgres::start().unwrap();
    let mut runner = TestRunner::deterministic();
    for _ in 0..CASES {
        let (steps, order) = plan().new_tree(&mut runner).unwrap().current();
        let database = cluster.database().unwrap();
        runtime().block_on(async {
            let site = postgres::opened(&cluster, &database).await.unwrap();
            play(&site, &steps).await;
            let left = |sql: &str| cluster.sql(&database, sql).unwrap().parse().unwrap();
            undo(&site, &order, left).await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn of_each_key_what_is_known_best_counts_and_once(
        (steps, order) in plan(),
    ) {
        runtime().block_on(async {
            let (folder, site) = embedded();
            play(&site, &steps).await;
            let left = |sql: &str| {
                let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
                connection.query_row(sql, [], |row| row.get(0)).unwrap()
            };
            undo(&site, &order, left).await;
        });
    }
}
