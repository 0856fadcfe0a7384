//! What the outbox promises, on real files.

use usher_core::sessions::{Counting, Program, SessionId, Who};

use usher_api::SyncAction;

use super::*;

fn renew(session: u64) -> SyncAction<'static> {
    SyncAction::Renew { session }
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
            counted: 1000,
            real: 0,
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
        seated: true,
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
    };
    outbox
        .change(|change| {
            change.save_session(&session, &[key])?;
            change.save_cover(&cover)?;
            change.save_grant("L", 1000, "app")
        })
        .unwrap();
    drop(outbox);
    let mut outbox = open(&folder);
    let saved = outbox.sessions().unwrap();
    assert_eq!(saved[0].session, session);
    assert_eq!(saved[0].members, [key]);
    assert_eq!(outbox.covers().unwrap(), [cover]);
    assert_eq!(outbox.grant("L").unwrap(), Some((1000, "app".to_owned())));
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
        .execute_batch("PRAGMA user_version = 9")
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
    assert!(matches!(item.action, SyncAction::Renew { session: 7 }));
}
