//! Messages: kept, found, counted.

use usher_core::messages::Severity;
use usher_site::{Change, Kept, MessageFilter, MessageRow, NewMessage, Once, Said, Site};

use crate::common::*;

pub(crate) async fn keeps_messages_and_finds_them(site: &dyn Site) {
    let down = keep(site, message(9406, 100, Some("alpha"))).await;
    let cut = keep(site, message(9412, 200, Some("beta"))).await;
    let audit = keep(site, message(9440, 300, None)).await;
    let by = async |filter| records(site, filter).await;
    let any = MessageFilter::default;
    assert_eq!(by(any()).await, [audit, cut, down], "the newest first");
    let expected = MessageRow {
        record_id: down,
        ..message(9406, 100, Some("alpha"))
    };
    let stored = rows(
        site,
        MessageFilter {
            id: Some(9406),
            limit: 1,
            ..any()
        },
    );
    assert_eq!(stored.await, std::slice::from_ref(&expected));
    assert_eq!(site.message(down).await.unwrap(), Some(expected));
    assert_eq!(site.message(audit + 1).await.unwrap(), None);
    let filter = MessageFilter {
        since_ms: Some(200),
        ..any()
    };
    assert_eq!(by(filter).await, [audit, cut]);
    let filter = MessageFilter {
        until_ms: Some(200),
        ..any()
    };
    assert_eq!(by(filter).await, [down]);
    let filter = MessageFilter {
        severity_at_least: Some(Severity::Warning),
        ..any()
    };
    assert_eq!(by(filter).await, [cut, down]);
    let filter = MessageFilter {
        server: Some("beta".into()),
        ..any()
    };
    assert_eq!(by(filter).await, [cut]);
    let of = async |component: &str| {
        let component = Some(component.into());
        by(MessageFilter { component, ..any() }).await
    };
    assert_eq!(of("nobody").await, [0_i64; 0]);
    assert_eq!(of("metering_server").await, [cut, down]);
    // What the manager says of a server was the manager's.
    assert_eq!(of("server_manager").await, [audit, cut, down]);
    let filter = MessageFilter {
        below_record: Some(audit),
        limit: 1,
        ..any()
    };
    assert_eq!(by(filter).await, [cut]);
    let filter = MessageFilter {
        above_record: Some(down),
        ..any()
    };
    assert_eq!(by(filter).await, [audit, cut]);
}

pub(crate) async fn counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(
    site: &dyn Site,
) {
    let row = message(9442, 400, None);
    let before = records(site, MessageFilter::default()).await;
    let dropped = Said::New(Box::new(NewMessage {
        row: row.clone(),
        is_kept: false,
        deliveries: Vec::new(),
    }));
    let changes = vec![
        Change::Message(dropped),
        Change::Message(Said::Nothing),
        Change::Message(said(row)),
    ];
    let kept = site.record(changes).await.unwrap();
    assert_eq!(kept[..2], [Kept::default(), Kept::default()]);
    let record = kept[2].record_id.unwrap();
    assert_eq!(one(site, again(record, 96, 900)).await, Some(record));
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!((row.count, row.last_ms), (96, 900));
    // It is kept for as long as after it was first told.
    assert_eq!(row.keep_until_ms, 1_900);
    let all = records(site, MessageFilter::default()).await;
    assert_eq!(all.len(), before.len() + 1);
}

pub(crate) async fn tells_once_what_is_told_once(site: &dyn Site) {
    let tell = async |which: &str| {
        let once = Once {
            what: "told_end",
            which: which.to_owned(),
        };
        let said = said(message(9450, 50, None));
        site.record_once(once, said).await.unwrap()
    };
    let first = tell("a").await.unwrap().record_id;
    assert!(first.is_some());
    assert_eq!(tell("a").await, None);
    assert!(tell("b").await.unwrap().record_id > first);
}

#[tokio::test]
async fn all_of_a_record_is_kept_or_nothing() {
    let (folder, site) = embedded();
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON episodes \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END;";
    connection.execute_batch(fails).unwrap();
    let changes = || {
        let began = said(message(9406, 100, Some("alpha")));
        vec![
            Change::Message(said(message(9440, 90, None))),
            Change::EpisodeBegan(episode("alpha", 1, None), began),
        ]
    };
    let failed = site.record(changes()).await.unwrap_err();
    assert!(failed.to_string().contains("no room"), "{failed}");
    assert_eq!(records(&site, MessageFilter::default()).await, [0_i64; 0]);
    connection.execute_batch("DROP TRIGGER fails;").unwrap();
    site.record(changes()).await.unwrap();
    assert_eq!(records(&site, MessageFilter::default()).await.len(), 2);
}
