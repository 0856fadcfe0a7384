//! What the outbox promises, on real files.

use usher_core::sessions::{AccountKey, Counting, Program, SessionId, Who};

use usher_api::SyncAction;

use super::*;

fn renew(session: u64) -> SyncAction<'static> {
    SyncAction::Renew {
        session,
        untouched_seconds: None,
    }
}

fn open(folder: &tempfile::TempDir) -> Outbox {
    Outbox::open(folder.path()).unwrap()
}

fn sequences(outbox: &mut Outbox) -> Vec<(u64, Option<u64>)> {
    let batch = outbox.next_batch(1000, 1 << 20).unwrap();
    batch
        .iter()
        .map(|item| (item.sequence, item.session))
        .collect()
}

#[test]
fn an_item_keeps_its_number_over_a_crash_until_the_server_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox
        .change(|change| {
            change.enqueue(&renew(7))?;
            change.enqueue(&renew(8))
        })
        .unwrap();
    assert_eq!(sequences(&mut outbox), [(1, Some(7)), (2, Some(8))]);
    drop(outbox);
    let mut outbox = open(&folder);
    outbox.change(|change| change.enqueue(&renew(9))).unwrap();
    outbox.change(|change| change.acknowledge(1)).unwrap();
    assert_eq!(sequences(&mut outbox), [(2, Some(8)), (3, Some(9))]);
    assert_eq!(outbox.waiting().unwrap(), 2);
}

#[test]
fn what_is_changed_together_is_on_disk_once_it_is_committed_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.begin().unwrap();
    outbox.change(|change| change.enqueue(&renew(1))).unwrap();
    let failed: Result<()> = outbox.change(|change| {
        change.enqueue(&renew(2))?;
        Err(rusqlite::Error::InvalidQuery.into())
    });
    failed.unwrap_err();
    assert_eq!(sequences(&mut outbox), [(1, Some(1))], "one fails alone");
    assert!(outbox.is_begun());
    let others = Connection::open(folder.path().join("agent.db")).unwrap();
    assert_eq!(items::count(&others).unwrap(), 0);
    outbox.commit().unwrap();
    assert!(!outbox.is_begun());
    assert_eq!(items::count(&others).unwrap(), 1);
}

#[test]
fn what_was_never_sent_can_be_taken_back_and_leaves_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.change(|change| change.enqueue(&renew(1))).unwrap();
    assert_eq!(sequences(&mut outbox).len(), 1);
    outbox.change(|change| change.enqueue(&renew(2))).unwrap();
    let taken = |outbox: &mut Outbox, session| {
        outbox
            .change(|change| change.take_back(ItemKind::Renew, session))
            .unwrap()
    };
    assert!(!taken(&mut outbox, 1));
    assert!(taken(&mut outbox, 2));
    outbox.change(|change| change.enqueue(&renew(3))).unwrap();
    assert_eq!(sequences(&mut outbox), [(1, Some(1)), (2, Some(3))]);
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    let failed: Result<()> = outbox.change(|change| {
        change.enqueue(&renew(1))?;
        Err(OutboxError::Newer { found: 2, known: 1 })
    });
    assert!(failed.is_err());
    assert_eq!(outbox.waiting().unwrap(), 0);
}

#[test]
fn at_the_bound_counts_of_programs_go_first_and_it_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.items_limit = 3;
    for session in 1..=3 {
        outbox
            .change(|change| change.enqueue(&renew(session)))
            .unwrap();
    }
    outbox
        .change(|change| change.enqueue(&SyncAction::Programs { counts: Vec::new() }))
        .unwrap();
    assert_eq!(outbox.waiting().unwrap(), 3);
    assert_eq!(outbox.dropped().unwrap(), 1);
    assert!(
        sequences(&mut outbox)
            .iter()
            .all(|(_, session)| session.is_some())
    );
}

#[test]
fn a_large_batch_is_cut_by_number_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox
        .change(|change| (0..50).try_for_each(|session| change.enqueue(&renew(session))))
        .unwrap();
    assert_eq!(outbox.next_batch(20, 1 << 20).unwrap().len(), 20);
    assert!(outbox.next_batch(50, 100).unwrap().len() < 10);
    assert_eq!(outbox.next_batch(50, 0).unwrap().len(), 1);
}

#[test]
fn a_new_incarnation_numbers_what_waits_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.change(|change| change.enqueue(&renew(1))).unwrap();
    sequences(&mut outbox);
    outbox.change(|change| change.acknowledge(1)).unwrap();
    outbox.change(|change| change.enqueue(&renew(2))).unwrap();
    assert_eq!(sequences(&mut outbox), [(2, Some(2))]);
    outbox
        .change(|change| change.begin_incarnation(99))
        .unwrap();
    assert_eq!(sequences(&mut outbox), [(1, Some(2))]);
    assert_eq!(outbox.number("incarnation").unwrap(), 99);
}

#[test]
fn running_sessions_and_covers_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    let session = Session {
        id: SessionId(5),
        product: "app".into(),
        counting: Counting::UserOnComputer,
        who: Who {
            counted: AccountKey::new(1000),
            real: AccountKey::new(0),
        },
        program: Program {
            name: "run".into(),
            version: Some("3".into()),
        },
        started: Stamp {
            boot_ms: 1,
            wall_ms: 2,
        },
        cover: None,
        lease: Some("L".into()),
        held: false,
        seated: true,
        unseated_ms: 7,
        unseated_since_boot_ms: None,
    };
    let key = ProcessKey {
        pid: 4,
        start: u64::MAX,
    };
    let cover = Cover {
        root: key,
        lease: "L".to_owned(),
        product: "app".to_owned(),
        keeps: true,
        proof: Some("0c".to_owned()),
    };
    outbox
        .change(|change| {
            change.save_session(&session, &[key])?;
            change.save_cover(&cover)?;
            change.save_grant("L", AccountKey::new(1000), "app", None)
        })
        .unwrap();
    drop(outbox);
    let mut outbox = open(&folder);
    let saved = outbox.sessions().unwrap();
    assert_eq!(saved[0].session, session);
    assert_eq!(saved[0].members, [key]);
    assert_eq!(outbox.covers().unwrap(), [cover]);
    assert_eq!(
        outbox.grant("L").unwrap(),
        Some((AccountKey::new(1000), "app".to_owned()))
    );
    outbox
        .change(|change| {
            change.forget_session(5)?;
            change.end_covers_of(4)
        })
        .unwrap();
    assert!(outbox.sessions().unwrap().is_empty());
    assert!(outbox.covers().unwrap().is_empty());
    assert_eq!(outbox.grant("M").unwrap(), None);
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    Connection::open(folder.path().join("agent.db"))
        .unwrap()
        .execute_batch(
            "PRAGMA user_version = 9; UPDATE meta SET value = 9 WHERE key = 'oldest_writer'",
        )
        .unwrap();
    let error = Outbox::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("newer version"), "{error}");
}

#[test]
fn what_is_sent_is_an_item_as_the_server_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.change(|change| change.enqueue(&renew(7))).unwrap();
    let batch = outbox.next_batch(10, 1000).unwrap();
    let item: usher_api::SyncItem<'_> = serde_json::from_str(batch[0].json.get()).unwrap();
    assert_eq!(item.sequence, 1);
    assert!(matches!(item.action, SyncAction::Renew { session: 7, .. }));
}

#[test]
fn a_newer_file_that_this_version_may_still_write_is_used_and_an_older_one_is_brought_up() {
    let folder = tempfile::tempdir().unwrap();
    let set = |sql: &str| {
        let path = folder.path().join("agent.db");
        Connection::open(path).unwrap().execute_batch(sql).unwrap();
    };
    let mut outbox = open(&folder);
    outbox.change(|change| change.enqueue(&renew(1))).unwrap();
    drop(outbox);
    set("PRAGMA user_version = 9");
    assert_eq!(open(&folder).waiting().unwrap(), 1);
    set("PRAGMA user_version = 1; DROP TABLE kept; DROP TABLE seats;
         ALTER TABLE covers DROP COLUMN proof; ALTER TABLE grants DROP COLUMN one_use_of;
         DROP TABLE notices; DROP TABLE left_tickets;
         DELETE FROM meta WHERE key = 'oldest_writer'");
    let mut outbox = open(&folder);
    assert_eq!(sequences(&mut outbox), [(1, Some(1))]);
    outbox.change(|change| change.acknowledge(1)).unwrap();
    assert_eq!(outbox.waiting().unwrap(), 0);
    assert!(outbox.seats().unwrap().is_empty());
}

#[test]
fn a_file_with_other_tables_under_the_same_number_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let file = Connection::open(folder.path().join("agent.db")).unwrap();
    file.execute_batch("ALTER TABLE covers DROP COLUMN proof")
        .unwrap();
    let said = Outbox::open(folder.path()).unwrap_err().to_string();
    for word in ["table covers has no column `proof`", "agent.db"] {
        assert!(said.contains(word), "{said}");
    }
}

fn finished(session: u64) -> SyncAction<'static> {
    let subject = usher_api::Subject {
        authority: "computer:c".into(),
        id: "1000".into(),
        name: "ada".into(),
    };
    SyncAction::Finished(usher_api::FinishedSession {
        session,
        product: "cad".into(),
        program: "cad.bin".into(),
        version: None,
        subject,
        real_subject: None,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        ended_at: jiff::Timestamp::UNIX_EPOCH,
        duration_seconds: 0,
        duration_ms: Some(9),
        unseated_ms: Some(0),
        lease: None,
        incarnation: None,
    })
}

/// Reports finished sessions and has them acknowledged.
fn tell_finished(outbox: &mut Outbox, sessions: std::ops::RangeInclusive<u64>) {
    outbox
        .change(|change| {
            sessions
                .clone()
                .try_for_each(|n| change.enqueue(&finished(n)))
        })
        .unwrap();
    let last = sequences(outbox).last().unwrap().0;
    outbox.change(|change| change.acknowledge(last)).unwrap();
}

/// Sends again what a restored server lacks; the sessions with the incarnations that they name.
fn again(outbox: &mut Outbox, had: Had) -> Vec<(u64, Option<u64>)> {
    outbox.change(|change| change.send_again(had)).unwrap();
    let batch = outbox.next_batch(100, 1 << 20).unwrap();
    let read = |item: &items::Item| {
        let item: usher_api::SyncItem<'_> = serde_json::from_str(item.json.get()).unwrap();
        match item.action {
            SyncAction::Finished(finished) => (finished.session, finished.incarnation),
            other => panic!("{other:?}"),
        }
    };
    let told = batch.iter().map(read).collect();
    let last = batch.last().map_or(0, |item| item.sequence);
    outbox.change(|change| change.acknowledge(last)).unwrap();
    told
}

#[test]
fn what_a_restored_server_lacks_is_sent_again_with_new_numbers_as_often_as_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    outbox.change(|change| change.begin_incarnation(5)).unwrap();
    tell_finished(&mut outbox, 1..=4);
    let had = Had::UpTo {
        incarnation: 5,
        sequence: 2,
    };
    assert_eq!(again(&mut outbox, had), [(3, None), (4, None)]);
    assert_eq!(again(&mut outbox, had), [(3, None), (4, None)]);
    assert_eq!(outbox.number("last_sequence").unwrap(), 8);
    let all = Had::UpTo {
        incarnation: 5,
        sequence: 8,
    };
    assert_eq!(again(&mut outbox, all), []);
    assert_eq!(again(&mut outbox, Had::Unknown).len(), 4);
    // In another incarnation of the agent they say in which they were recorded first.
    outbox.change(|change| change.begin_incarnation(6)).unwrap();
    tell_finished(&mut outbox, 1..=1);
    let told = again(&mut outbox, Had::Unknown);
    assert_eq!(told.len(), 5);
    assert_eq!(
        told.iter().filter(|(_, first)| *first == Some(5)).count(),
        4
    );
    let told = again(&mut outbox, Had::Unknown);
    assert_eq!(
        told.iter().filter(|(_, first)| *first == Some(5)).count(),
        4
    );
}

#[test]
fn sessions_are_kept_up_to_a_number_and_an_age() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    tell_finished(&mut outbox, 1..=3);
    let path = folder.path().join("agent.db");
    let other = Connection::open(path).unwrap();
    let kept = || -> Vec<i64> {
        let mut statement = other
            .prepare("SELECT session FROM kept ORDER BY id")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(|row| row.unwrap()).collect()
    };
    let age = kept::KEPT_MS + 1;
    let sql = "UPDATE kept SET acknowledged_at = acknowledged_at - ?1 WHERE session < 3";
    other.execute(sql, [age]).unwrap();
    drop(outbox);
    let mut outbox = open(&folder);
    assert_eq!(kept(), [3]);
    let sql = "UPDATE kept SET id = id + ?1";
    other.execute(sql, [kept::KEPT_LIMIT as i64]).unwrap();
    other
        .execute(
            "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM kept)",
            [],
        )
        .unwrap();
    tell_finished(&mut outbox, 4..=4);
    assert_eq!(kept(), [3, 4]);
    let limit = kept::KEPT_LIMIT as i64 - 1;
    other
        .execute("UPDATE kept SET id = id - ?1 WHERE session = 3", [limit])
        .unwrap();
    tell_finished(&mut outbox, 5..=5);
    assert_eq!(kept(), [4, 5]);
}

#[test]
fn what_was_acknowledged_is_told_by_what_still_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = open(&folder);
    assert_eq!(outbox.acknowledged().unwrap(), 0);
    tell_finished(&mut outbox, 1..=3);
    assert_eq!(outbox.acknowledged().unwrap(), 3);
    outbox.change(|change| change.enqueue(&renew(1))).unwrap();
    assert_eq!(outbox.acknowledged().unwrap(), 3);
    sequences(&mut outbox);
    assert_eq!(outbox.acknowledged().unwrap(), 3);
}

#[test]
fn whose_something_is_stands_in_the_file_as_plain_numbers() {
    let who = Who {
        counted: AccountKey::new(1000),
        real: AccountKey::new(0),
    };
    let text = serde_json::to_string(&who).unwrap();
    assert_eq!(text, r#"{"counted":1000,"real":0}"#);
    assert_eq!(serde_json::from_str::<Who>(&text).unwrap(), who);
}
