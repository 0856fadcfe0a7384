//! What the tables tell of decisions and names.

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;

#[test]
fn history_tells_who_held_the_seats_at_the_instant_of_a_refusal() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "ada");
    let Reply::Denied { decision, .. } = engine.execute(asks("cad", "bob", false)).unwrap().reply
    else {
        panic!("not denied");
    };
    clock.pass(10);
    engine
        .execute(Command::Checkin {
            lease: held.id,
            access: Access::Anyone,
        })
        .unwrap();
    granted(&engine, "cad", "cyd");
    engine.settle().unwrap();
    let why = engine.history().decision(decision).unwrap().unwrap();
    let holders: Vec<&str> = why
        .holders
        .iter()
        .map(|holder| holder.user.as_str())
        .collect();
    assert_eq!(holders, ["ada"]);
    assert_eq!((why.scene.seats, why.scene.in_use), (1, 1));
    assert_eq!(why.reason.as_deref(), Some("no_seat"));
    engine.close();
}

#[test]
fn names_stand_in_their_own_tables_only() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    let token = TokenRow {
        id: "t1".to_owned(),
        hash: [7; 32],
        role: "client".to_owned(),
        name: "for the lab".to_owned(),
        user: Some("wilhelmina".to_owned()),
        account: Some("Wilhelmina".to_owned()),
        realm: Some("usher".to_owned()),
        computer: None,
        created_at: 1,
        expires_at: None,
        revoked_at: None,
    };
    engine.tokens().add(token.clone()).unwrap();
    assert_eq!(engine.tokens().list().unwrap(), [token]);
    engine.close();
    let connection = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut seen = 0;
    for table in tables {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let text: String = (0..columns)
                .map(|column| format!("{:?} ", row.get_ref(column).unwrap()))
                .collect();
            let bytes: Vec<u8> = (0..columns)
                .filter_map(|column| {
                    row.get_ref(column)
                        .unwrap()
                        .as_bytes()
                        .ok()
                        .map(<[u8]>::to_vec)
                })
                .flatten()
                .collect();
            for name in ["wilhelmina", "Wilhelmina", "lab-computer", "lab-9", "gus"] {
                let found =
                    text.contains(name) || bytes.windows(name.len()).any(|w| w == name.as_bytes());
                if ["subjects", "computers"].contains(&table.as_str()) {
                    seen += usize::from(found);
                } else {
                    assert!(!found, "{name} stands in {table}: {text}");
                }
            }
        }
    }
    assert!(seen >= 5, "the names are in the directory");
}

#[test]
fn a_reading_that_fails_says_that_it_is_one_and_not_that_nothing_can_be_written() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    let other = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    other
        .execute_batch("ALTER TABLE denials RENAME TO aside")
        .unwrap();
    let listed = engine.history().denials(&DenialFilter::default(), 0, 10);
    let Err(Failure::Unread(why)) = listed else {
        panic!("{listed:?}");
    };
    assert!(why.contains("denials"), "{why}");
    engine.close();
}

#[test]
fn a_lease_that_was_waited_for_tells_what_else_was_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "solver", 1);
    product(&engine, "pack", 3);
    let first = granted(&engine, "solver", "ada");
    let Reply::Queued(view) = engine.execute(asks_for_two("jon", true)).unwrap().reply else {
        panic!("not queued");
    };
    let checkin = Command::Checkin {
        lease: first.id,
        access: Access::Anyone,
    };
    engine.execute(checkin).unwrap();
    let ticket = view.ticket.id;
    let leases = engine
        .read(move |ledger, _| {
            let of_it = ledger.leases().filter(|lease| lease.ticket == Some(ticket));
            of_it.map(|lease| lease.id).collect::<Vec<_>>()
        })
        .unwrap();
    engine.settle().unwrap();
    let decision = DecisionId {
        incarnation: leases[0].incarnation,
        number: leases[0].number,
    };
    let why = engine.history().decision(decision).unwrap().unwrap();
    assert_eq!(why.also, [("pack".to_owned(), 2)]);
    engine.close();
}
