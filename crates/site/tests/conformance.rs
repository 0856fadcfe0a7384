//! What every engine of the site database has to do, run on each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};

use usher_core::messages::{Message, Severity, entry};
use usher_site::{
    CALLS_LIMIT, Change, ConcernRow, DeliveryRow, DestinationRow, EpisodeRow, Kept, MessageFilter,
    MessageRow, NewDelivery, NewMessage, Once, Resumed, Said, ServerRow, ServerTrouble, Site,
    SiteError, Spell, SqliteSite, Tally,
};

fn embedded() -> (tempfile::TempDir, SqliteSite) {
    let folder = tempfile::tempdir().unwrap();
    let site = SqliteSite::open(folder.path()).unwrap();
    (folder, site)
}

fn server(name: &str) -> ServerRow {
    ServerRow {
        name: name.to_owned(),
        url: format!("http://{name}:8470"),
        token: "secret".to_owned(),
        unit: Some("usher-server.service".to_owned()),
        data: None,
        added_ms: 5,
    }
}

fn message(id: u16, at: i64, server: Option<&str>) -> MessageRow {
    MessageRow {
        record_id: 0,
        message: Message {
            id,
            computer: "m-1".to_owned(),
            site: "HQ".to_owned(),
            server: server.map(str::to_owned),
            process_id: 42,
            time_ms: at,
            values: vec!["alpha".to_owned(), "it \"fell\"\n".to_owned()],
        },
        count: 1,
        last_ms: at,
        recovered_ms: None,
        keep_until_ms: at + 1_000,
        summarised: true,
    }
}

fn said(row: MessageRow) -> Said {
    Said::New(Box::new(NewMessage {
        row,
        is_kept: true,
        deliveries: Vec::new(),
    }))
}

fn again(record_id: i64, count: u64, last_ms: i64) -> Change<Said> {
    Change::Message(Said::Again {
        record_id,
        count,
        last_ms,
    })
}

fn episode(server: &str, number: u64, record_id: Option<i64>) -> EpisodeRow {
    EpisodeRow {
        server: server.to_owned(),
        number,
        verdict: "stopped".to_owned(),
        record_id,
        message_id: 9406,
        count: 3,
        first_ms: 10,
        last_ms: 30,
        ended_ms: None,
    }
}

fn concern(server: &str, message_id: u16, record_id: Option<i64>, count: u64) -> ConcernRow {
    ConcernRow {
        server: server.to_owned(),
        message_id,
        about: String::new(),
        record_id,
        count,
    }
}

/// Records one change; the record of its message.
async fn one(site: &dyn Site, change: Change<Said>) -> Option<i64> {
    let kept = site.record(vec![change]).await.unwrap().remove(0);
    kept.record_id
}

async fn keep(site: &dyn Site, row: MessageRow) -> i64 {
    one(site, Change::Message(said(row))).await.unwrap()
}

async fn rows(site: &dyn Site, filter: MessageFilter) -> Vec<MessageRow> {
    let limit = if filter.limit == 0 { 100 } else { filter.limit };
    let filter = MessageFilter { limit, ..filter };
    site.messages(filter).await.unwrap()
}

async fn records(site: &dyn Site, filter: MessageFilter) -> Vec<i64> {
    let rows = rows(site, filter).await;
    rows.iter().map(|row| row.record_id).collect()
}

async fn open_of(site: &dyn Site, server: &str) -> Vec<i64> {
    let filter = MessageFilter {
        server: Some(server.to_owned()),
        open: true,
        ..MessageFilter::default()
    };
    records(site, filter).await
}

async fn keeps_servers(site: &dyn Site) {
    site.watch(server("beta")).await.unwrap();
    site.watch(server("alpha")).await.unwrap();
    let taken = site.watch(server("beta")).await.unwrap_err();
    assert!(matches!(taken, SiteError::NameTaken(name) if name == "beta"));
    let servers = async || site.resume().await.unwrap().servers;
    assert_eq!(servers().await, [server("alpha"), server("beta")]);
    let moved = ServerRow {
        url: "https://new:8470".to_owned(),
        token: "other".to_owned(),
        unit: None,
        data: Some("/srv".to_owned()),
        ..server("alpha")
    };
    assert!(site.change_watched(moved.clone()).await.unwrap());
    assert!(!site.change_watched(server("gone")).await.unwrap());
    assert_eq!(site.watched("alpha".to_owned()).await.unwrap(), Some(moved));
    assert_eq!(site.watched("gone".to_owned()).await.unwrap(), None);
    assert!(site.unwatch("beta".to_owned()).await.unwrap());
    assert!(!site.unwatch("beta".to_owned()).await.unwrap());
    assert!(site.change_watched(server("alpha")).await.unwrap());
    assert_eq!(servers().await, [server("alpha")]);
    assert!(!format!("{:?}", server("alpha")).contains("secret"));
}

async fn keeps_messages_and_finds_them(site: &dyn Site) {
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

async fn counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(site: &dyn Site) {
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

async fn counts_what_repeats_each_time_and_trouble_that_lasts_once(site: &dyn Site) {
    let began = |id: u16, number: u64, at: i64| {
        let episode = EpisodeRow {
            message_id: id,
            ..episode("zeta", number, None)
        };
        Change::EpisodeBegan(episode, said(message(id, at, Some("zeta"))))
    };
    let over = one(site, began(9406, 1, 100_000)).await;
    let goes_on = EpisodeRow {
        count: 96,
        last_ms: 100_400,
        ..episode("zeta", 1, over)
    };
    one(site, Change::EpisodeGoesOn(goes_on.clone())).await;
    let ended = EpisodeRow {
        ended_ms: Some(100_400),
        ..goes_on
    };
    one(site, Change::EpisodeEnded(ended, Said::Nothing)).await;
    let down = one(site, began(9412, 2, 100_100)).await;
    let goes_on = EpisodeRow {
        message_id: 9412,
        count: 50,
        last_ms: 100_800,
        ..episode("zeta", 2, down)
    };
    one(site, Change::EpisodeGoesOn(goes_on)).await;
    let low = said(message(9431, 100_200, Some("zeta")));
    let low = one(
        site,
        Change::ConcernBegan(concern("zeta", 9431, None, 1), low),
    );
    let low = low.await;
    let goes_on = Change::ConcernGoesOn {
        concern: concern("zeta", 9431, low, 400),
        values: Vec::new(),
        last_ms: 100_950,
    };
    one(site, goes_on).await;
    let asked = keep(site, message(9440, 100_300, Some("zeta"))).await;
    one(site, again(asked, 7, 100_300)).await;

    let of = |id| entry(id).component.to_owned();
    let mut expected = [
        (of(9406), Severity::Error, 1),
        (of(9412), entry(9412).severity, 1),
        (of(9431), entry(9431).severity, 1),
        (of(9440), entry(9440).severity, 7),
    ];
    expected.sort();
    let standing = site.standing(100_000).await.unwrap();
    let tally = |it: &(String, Severity, u64)| Tally {
        component: it.0.clone(),
        severity: it.1,
        count: it.2,
    };
    let expected: Vec<Tally> = expected.iter().map(tally).collect();
    assert_eq!(standing.tallies, expected);
    let spell = |id, from_ms, to_ms| Spell {
        component: of(id),
        severity: entry(id).severity,
        from_ms,
        to_ms,
    };
    let all = [
        spell(9406, 100_000, Some(100_400)),
        spell(9412, 100_100, None),
        spell(9431, 100_200, None),
    ];
    assert_eq!(standing.spells, all);
    // What is open lasts, whenever it was seen last.
    assert_eq!(site.standing(100_900).await.unwrap().spells, all[1..]);
}

async fn keeps_an_open_episodes_message_beyond_its_time(site: &dyn Site) {
    let old = keep(site, message(9413, 1_000, Some("gamma"))).await;
    let began = said(message(9413, 1_001, Some("gamma")));
    let open = one(site, Change::EpisodeBegan(episode("gamma", 1, None), began));
    let open = open.await.unwrap();
    assert_eq!(open_of(site, "gamma").await, [open]);
    let trouble = async |name: &str| site.resume_server(name.to_owned()).await.unwrap();
    let kept = trouble("gamma").await.episode;
    assert_eq!(kept, Some(episode("gamma", 1, Some(open))));
    while site.purge(1_000_000, 1).await.unwrap() > 0 {}
    let left = records(site, MessageFilter::default()).await;
    assert!(left.contains(&open) && !left.contains(&old), "{left:?}");
    let ended = EpisodeRow {
        ended_ms: Some(1_040),
        ..episode("gamma", 1, Some(open))
    };
    let told = said(message(9414, 1_050, Some("gamma")));
    let end = one(site, Change::EpisodeEnded(ended.clone(), told)).await;
    assert!(end > Some(open), "another message tells of the end");
    assert_eq!(open_of(site, "gamma").await, [0_i64; 0]);
    let row = site.message(open).await.unwrap().unwrap();
    assert_eq!(row.recovered_ms, Some(1_040));
    assert_eq!(site.purge(1_000_000, 100).await.unwrap(), 2);
    assert_eq!(trouble("gamma").await.episode, Some(ended));
    let next = Change::EpisodeBegan(episode("gamma", 2, None), Said::Nothing);
    assert_eq!(one(site, next).await, None);
    assert_eq!(trouble("gamma").await.episode.unwrap().number, 2);
    assert_eq!(trouble("nobody").await, ServerTrouble::default());
}

async fn keeps_concerns_until_they_are_over(site: &dyn Site) {
    let low = said(message(9434, 5_000, Some("eta")));
    let began = Change::ConcernBegan(concern("eta", 9434, None, 1), low);
    let record = one(site, began).await.unwrap();
    let concerns = async |name: &str| {
        let trouble = site.resume_server(name.to_owned()).await.unwrap();
        trouble.concerns
    };
    assert_eq!(
        concerns("eta").await,
        [concern("eta", 9434, Some(record), 1)]
    );
    let words = ["gamma".to_owned(), "1 GB".to_owned()];
    let goes_on = Change::ConcernGoesOn {
        concern: concern("eta", 9434, Some(record), 7),
        values: words.to_vec(),
        last_ms: 5_500,
    };
    one(site, goes_on).await;
    assert_eq!(
        concerns("eta").await,
        [concern("eta", 9434, Some(record), 7)]
    );
    assert_eq!(concerns("alpha").await, []);
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!((&row.message.values[..], row.count), (&words[..], 7));
    assert_eq!((row.last_ms, row.keep_until_ms), (5_500, 6_500));
    site.purge(i64::MAX, 100).await.unwrap();
    assert_eq!(open_of(site, "eta").await, [record], "it goes on");
    let ended = Change::ConcernEnded {
        concern: concern("eta", 9434, Some(record), 7),
        ended_ms: 5_600,
    };
    one(site, ended).await;
    assert_eq!(concerns("eta").await, []);
    assert_eq!(open_of(site, "eta").await, [0_i64; 0]);
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!(row.recovered_ms, Some(5_600));
}

async fn leaves_nothing_open_of_a_server_that_is_removed(site: &dyn Site) {
    site.watch(server("delta")).await.unwrap();
    let about = |id| said(message(id, 9_000, Some("delta")));
    let changes = vec![
        Change::ConcernBegan(concern("delta", 9435, None, 1), about(9435)),
        Change::EpisodeBegan(episode("delta", 1, None), about(9406)),
    ];
    let kept = site.record(changes).await.unwrap();
    let kept: Vec<i64> = kept.iter().map(|it| it.record_id.unwrap()).collect();
    assert_eq!(open_of(site, "delta").await, [kept[1], kept[0]]);
    assert!(site.unwatch("delta".to_owned()).await.unwrap());
    assert_eq!(open_of(site, "delta").await, [0_i64; 0]);
}

async fn keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(site: &dyn Site) {
    let set = async || {
        let it = site.resume().await.unwrap();
        [it.rules, it.thresholds, it.tokens]
    };
    assert_eq!(set().await, [None, None, None]);
    let down = Change::EpisodeBegan(
        episode("theta", 1, None),
        said(message(9406, 10, Some("theta"))),
    );
    let down = one(site, down).await.unwrap();
    site.set_rules("[]".to_owned(), Vec::new()).await.unwrap();
    let open = site.set_rules("[1]".to_owned(), Vec::new());
    let open = open.await.unwrap();
    assert!(open.iter().any(|row| row.record_id == down), "{open:?}");
    assert!(open.iter().all(|row| row.recovered_ms.is_none()));
    site.set_thresholds("{}".to_owned()).await.unwrap();
    site.set_tokens("[2]".to_owned()).await.unwrap();
    site.note_alive(7).await.unwrap();
    let all = ["[1]", "{}", "[2]"].map(|text| Some(text.to_owned()));
    assert_eq!(set().await, all);
}

fn to(destination: &str) -> NewDelivery {
    NewDelivery {
        rule: "low".to_owned(),
        destination: destination.to_owned(),
        message: "{}".to_owned(),
        since_ms: 60,
    }
}

async fn keeps_what_waits_until_it_is_delivered_or_given_up(site: &dyn Site) {
    let message = |is_kept, to: Vec<NewDelivery>| {
        Said::New(Box::new(NewMessage {
            row: message(9442, 60, None),
            is_kept,
            deliveries: to,
        }))
    };
    let waits = async || {
        let it = site.resume().await.unwrap();
        (it.deliveries, it.destinations)
    };
    let changes = vec![
        Change::Message(message(true, vec![to("ann"), to("ben")])),
        Change::Message(message(false, vec![to("ann")])),
    ];
    let kept = site.record(changes).await.unwrap();
    let record = kept[0].record_id.unwrap();
    let again = site.deliver_again(record, vec![to("ben")]).await.unwrap();
    let ids = [&kept[0].deliveries[..], &kept[1].deliveries, &again].concat();
    let row = |at: usize, record_id, destination: &str| DeliveryRow {
        id: ids[at],
        record_id,
        rule: "low".to_owned(),
        destination: destination.to_owned(),
        message: "{}".to_owned(),
        since_ms: 60,
        is_told: false,
    };
    let all = [
        row(0, Some(record), "ann"),
        row(1, Some(record), "ben"),
        row(2, None, "ann"),
        row(3, Some(record), "ben"),
    ];
    assert_eq!(waits().await, (all.to_vec(), Vec::new()));
    let failing = |destination: &str, tries, given_up| DestinationRow {
        destination: destination.to_owned(),
        since_ms: 61,
        tries,
        why: "the relay is down".to_owned(),
        given_up,
    };
    let ann = |tries, given_up| failing("ann", tries, given_up);
    site.put_off(Some(ids[0]), true, ann(3, 0)).await.unwrap();
    site.put_off(None, false, failing("ben", 1, 0))
        .await
        .unwrap();
    let told = DeliveryRow {
        is_told: true,
        ..all[0].clone()
    };
    let (deliveries, destinations) = waits().await;
    assert_eq!(deliveries[0], told);
    assert_eq!(destinations, [ann(3, 0), failing("ben", 1, 0)]);
    // One is given up, and its destination goes on to take nothing.
    site.give_up(Some(ids[0]), Some(ann(3, 1))).await.unwrap();
    // Another is refused for itself alone.
    site.give_up(Some(ids[2]), None).await.unwrap();
    site.delivered(Some(ids[1]), "ben".to_owned())
        .await
        .unwrap();
    assert_eq!(waits().await, (vec![all[3].clone()], vec![ann(3, 1)]));
    let named = vec!["ann".to_owned()];
    site.set_rules("[]".to_owned(), named).await.unwrap();
    assert_eq!(waits().await.1, [ann(3, 1)]);
    site.set_rules("[]".to_owned(), Vec::new()).await.unwrap();
    assert_eq!(waits().await, (vec![all[3].clone()], Vec::new()));
    site.delivered(Some(ids[3]), "ben".to_owned())
        .await
        .unwrap();
    assert_eq!(waits().await, (Vec::new(), Vec::new()));
}

async fn tells_once_what_is_told_once(site: &dyn Site) {
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
async fn the_embedded_engine_does_what_every_engine_has_to() {
    let (_folder, site) = embedded();
    assert_eq!(site.resume().await.unwrap(), Resumed::default());
    keeps_servers(&site).await;
    keeps_messages_and_finds_them(&site).await;
    counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(&site).await;
    keeps_an_open_episodes_message_beyond_its_time(&site).await;
    counts_what_repeats_each_time_and_trouble_that_lasts_once(&site).await;
    keeps_concerns_until_they_are_over(&site).await;
    leaves_nothing_open_of_a_server_that_is_removed(&site).await;
    keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(&site).await;
    keeps_what_waits_until_it_is_delivered_or_given_up(&site).await;
    tells_once_what_is_told_once(&site).await;
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

/// Polls once.
fn poll(answer: &mut (impl Future + Unpin)) {
    let _ = std::pin::Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test]
async fn a_call_that_is_given_up_is_done_or_not_done() {
    let (_folder, site) = embedded();
    // Nothing is asked by one that nobody waits for.
    drop(site.watch(server("alpha")));
    // Once it has a place it is carried out.
    let mut asked = site.watch(server("beta"));
    poll(&mut asked);
    drop(asked);
    let servers = site.resume().await.unwrap().servers;
    assert_eq!(servers, [server("beta")]);
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_for_a_place_and_none_is_lost() {
    let (_folder, site) = embedded();
    let site = Arc::new(site);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..CALLS_LIMIT * 3 {
        let site = site.clone();
        calls.spawn(async move { site.watch(server(&format!("s{number}"))).await });
    }
    let done = calls.join_all().await;
    assert!(done.iter().all(Result::is_ok));
    let servers = site.resume().await.unwrap().servers;
    assert_eq!(servers.len(), CALLS_LIMIT * 3);
}

#[tokio::test]
async fn what_has_a_place_is_done_before_the_file_is_closed() {
    let (folder, site) = embedded();
    let late = site.watch(server("late"));
    // So many as one task may poll without a pause.
    let many = CALLS_LIMIT.min(100);
    let mut calls: Vec<_> = (0..many)
        .map(|number| site.watch(server(&format!("s{number}"))))
        .collect();
    calls.iter_mut().for_each(poll);
    drop(site);
    let closed = late.await.unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
    let again = SqliteSite::open(folder.path()).unwrap();
    let servers = again.resume().await.unwrap().servers;
    assert_eq!(servers.len(), many);
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn it_is_there_again_after_a_restart_and_not_for_two_at_once() {
    let (folder, site) = embedded();
    site.watch(server("alpha")).await.unwrap();
    let second = SqliteSite::open(folder.path()).err().unwrap();
    assert!(matches!(second, SiteError::InUse(_)), "{second}");
    drop(site);
    let again = SqliteSite::open(folder.path()).unwrap();
    let servers = again.resume().await.unwrap().servers;
    assert_eq!(servers, [server("alpha")]);
}

#[test]
fn its_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _site) = embedded();
    let mode = std::fs::metadata(folder.path().join("site.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn a_newer_versions_file_is_named_and_left_as_it_is() {
    let (folder, site) = embedded();
    drop(site);
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteSite::open(folder.path()).err().unwrap();
    assert!(
        matches!(refused, SiteError::Newer { found: 99, .. }),
        "{refused}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_with_other_tables_under_the_same_number_is_named_and_left_as_it_is() {
    let (folder, site) = embedded();
    drop(site);
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("ALTER TABLE servers DROP COLUMN unit;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteSite::open(folder.path()).err().unwrap();
    assert!(matches!(refused, SiteError::OtherBuild { .. }), "{refused}");
    let said = refused.to_string();
    for word in [
        "table servers has no column `unit`",
        "development build",
        "--data",
    ] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
