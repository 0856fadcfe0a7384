//! The history that is collected: each item once, whatever brings it a second time.

use usher_core::replay::{MadeBy, Past};
use usher_site::{
    Appended, Ended, EndedDenial, EndedLease, EndedSession, EndedWait, HistoryBatch,
    HistoryComputer, HistoryItem, HistoryPerson, Made, PastAsked, Place, Point, Run, Site,
    SqliteSite,
};

use crate::common::*;

pub(crate) fn point(incarnation: u32, event: u64) -> Point {
    Point { incarnation, event }
}

pub(crate) fn made(incarnation: u32, event: u64) -> Made {
    Made { incarnation, event }
}

fn item(at: Point, what: Ended) -> HistoryItem {
    HistoryItem {
        at,
        product: "cad".to_owned(),
        person: "P1".to_owned(),
        computer: "C1".to_owned(),
        what,
    }
}

pub(crate) fn session(at: Point, number: u64) -> HistoryItem {
    let what = Ended::Session(EndedSession {
        key: Run {
            computer: "pc1".to_owned(),
            incarnation: u64::MAX,
            session: number,
        },
        program: "cad.bin".to_owned(),
        version: None,
        real_person: Some("P2".to_owned()),
        started_ms: 1_000,
        ended_ms: 5_000,
        duration_ms: 4_000,
        unseated_ms: 0,
        lease: Some(made(7, 3)),
    });
    item(at, what)
}

pub(crate) fn lease(at: Point, key: Made, ended_ms: i64) -> HistoryItem {
    let what = Ended::Lease(EndedLease {
        key,
        seats: 2,
        program: None,
        session: None,
        kept: false,
        granted_ms: 1_000,
        ended_ms,
        held_ms: 4_000,
        cause: "checked_in".to_owned(),
        ticket: None,
        with: Some(key),
        retry: false,
    });
    item(at, what)
}

fn denial(at: Point, key: Made) -> HistoryItem {
    let what = Ended::Denial(EndedDenial {
        key,
        seats: 1,
        reason: "no_seat".to_owned(),
        count: 3,
        retries: 2,
        waits: None,
        first_ms: 1_000,
        last_ms: 2_000,
    });
    item(at, what)
}

fn wait(at: Point, key: Made) -> HistoryItem {
    let what = Ended::Wait(EndedWait {
        key,
        seats: 1,
        priority: -1,
        outcome: "granted".to_owned(),
        reason: None,
        lease: Some(made(7, 9)),
        with: None,
        queued_ms: 1_000,
        decided_ms: None,
        waited_ms: Some(250),
        retry: true,
    });
    item(at, what)
}

pub(crate) fn batch(
    server: &str,
    asked: Option<Point>,
    from: Option<Point>,
    through: Point,
    items: Vec<HistoryItem>,
) -> HistoryBatch {
    let person = |id: &str, account: &str| HistoryPerson {
        id: id.to_owned(),
        realm: "corp.example".to_owned(),
        account: account.to_owned(),
        name: account.to_uppercase(),
    };
    HistoryBatch {
        server: server.to_owned(),
        asked,
        from,
        through,
        cursor: cursor(server, through),
        head_event: through.event + 5,
        at_ms: 9_000,
        people: vec![person("P1", "ann"), person("P2", "root")],
        computers: vec![HistoryComputer {
            id: "C1".to_owned(),
            key: "pc1".to_owned(),
            name: "lab-1".to_owned(),
        }],
        items,
    }
}

fn cursor(server: &str, point: Point) -> String {
    format!("{server} {} {}", point.incarnation, point.event)
}

/// Appends a batch; added, already there, gone.
pub(crate) async fn append(site: &dyn Site, batch: HistoryBatch) -> (u64, u64, u64) {
    let done = site.append_history(batch).await.unwrap();
    assert!(!done.is_stale);
    (done.added, done.already, done.gone)
}

pub(crate) async fn places(site: &dyn Site, server: &str) -> Vec<Place> {
    site.collected(server.to_owned()).await.unwrap()
}

fn place(server: &str, point: Point) -> Place {
    Place {
        point,
        cursor: cursor(server, point),
    }
}

pub(crate) async fn appends_what_is_collected_once(site: &dyn Site) {
    assert_eq!(places(site, "s1").await, []);
    let through = point(7, 20);
    let items = || {
        vec![
            session(point(7, 10), 1),
            lease(point(7, 12), made(7, 3), 5_000),
            denial(point(7, 14), made(7, 14)),
            wait(point(7, 16), made(7, 5)),
        ]
    };
    let first = batch("s1", None, None, through, items());
    assert_eq!(append(site, first.clone()).await, (4, 0, 0));
    assert_eq!(places(site, "s1").await, [place("s1", through)]);
    // The same agent reported the same run to another server.
    let other = batch("s2", None, None, point(3, 8), vec![session(point(3, 8), 1)]);
    assert_eq!(append(site, other).await, (0, 1, 0));
    // Its leases are others, though they are called the same.
    let other = lease(point(3, 9), made(7, 3), 5_000);
    let other = batch(
        "s2",
        Some(point(3, 8)),
        Some(point(3, 8)),
        point(3, 9),
        vec![other],
    );
    assert_eq!(append(site, other).await, (1, 0, 0));
    // What a page brings that does not go on from there is not taken.
    let stale = batch(
        "s1",
        Some(point(7, 4)),
        Some(point(7, 4)),
        point(7, 9),
        items(),
    );
    let done = site.append_history(stale).await.unwrap();
    let nothing = Appended {
        is_stale: true,
        ..Appended::default()
    };
    assert_eq!(done, nothing);
    assert_eq!(places(site, "s1").await, [place("s1", through)]);
    let unknown = batch("s9", Some(through), Some(through), point(7, 30), items());
    assert!(site.append_history(unknown).await.unwrap().is_stale);
    assert_eq!(places(site, "s9").await, []);
}

pub(crate) async fn goes_on_from_where_a_server_was_put_back_to(site: &dyn Site) {
    let at = |event| lease(point(7, event), made(7, event - 1), 5_000);
    let first = batch(
        "s3",
        None,
        None,
        point(7, 120),
        vec![at(50), at(90), at(110)],
    );
    assert_eq!(append(site, first).await, (3, 0, 0));
    // Restored from a copy at event 100: one is not on the server any more, and stays.
    let asked = Some(point(7, 120));
    let next = batch(
        "s3",
        asked,
        Some(point(7, 100)),
        point(8, 130),
        vec![lease(point(8, 125), made(8, 123), 5_000)],
    );
    assert_eq!(append(site, next).await, (1, 0, 1));
    let mut older = place("s3", point(7, 120));
    older.point = point(7, 100);
    assert_eq!(
        places(site, "s3").await,
        [place("s3", point(8, 130)), older]
    );
    // Restored again, from a copy at event 60 of the first life: the second is not known there.
    let back = batch(
        "s3",
        Some(point(7, 100)),
        Some(point(7, 60)),
        point(9, 70),
        // It had ended otherwise before: what was known first stays.
        vec![lease(point(9, 65), made(7, 89), 6_000)],
    );
    assert_eq!(append(site, back).await, (0, 1, 2));
    let events: Vec<Point> = places(site, "s3").await.iter().map(|it| it.point).collect();
    assert_eq!(events, [point(9, 70), point(7, 60)]);
    // From the beginning, as nothing else is known: all is marked, and comes back.
    let anew = batch("s3", None, None, point(9, 80), vec![at(50)]);
    assert_eq!(append(site, anew).await, (0, 1, 2));
    let events: Vec<Point> = places(site, "s3").await.iter().map(|it| it.point).collect();
    assert_eq!(events, [point(9, 80)]);
}

pub(crate) async fn knows_what_is_there_again_after_another_restore(site: &dyn Site) {
    let at = |life, event| lease(point(life, event), made(life, event - 1), 5_000);
    let first = vec![at(7, 90), at(7, 105), at(7, 115)];
    let first = batch("s4", None, None, point(7, 120), first);
    assert_eq!(append(site, first).await, (3, 0, 0));
    let (asked, from) = (Some(point(7, 120)), Some(point(7, 100)));
    let second = batch(
        "s4",
        asked,
        from,
        point(8, 140),
        vec![at(8, 103), at(8, 130)],
    );
    assert_eq!(append(site, second).await, (2, 0, 2));
    // Now from a later copy of the first life than the first time.
    let (asked, from) = (Some(point(7, 100)), Some(point(7, 110)));
    let third = batch("s4", asked, from, point(9, 120), vec![at(9, 118)]);
    assert_eq!(append(site, third).await, (1, 0, 2));
}

fn numbers(folder: &tempfile::TempDir, query: &str) -> Vec<i64> {
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn what_is_no_longer_on_a_server_is_marked_until_a_server_has_it_again() {
    let (folder, site) = embedded();
    goes_on_from_where_a_server_was_put_back_to(&site).await;
    let leases = |which: &str| {
        let query = format!("SELECT made_by FROM history_leases WHERE {which} ORDER BY made_by");
        numbers(&folder, &query)
    };
    assert_eq!(leases("gone_ms IS NULL"), [49]);
    assert_eq!(leases("gone_ms IS NOT NULL"), [89, 109, 123]);
    assert_eq!(
        leases("ended_ms = 6000"),
        [0_i64; 0],
        "what was known first stays"
    );
}

#[tokio::test]
async fn what_a_later_copy_brings_back_is_marked_no_more() {
    let (folder, site) = embedded();
    knows_what_is_there_again_after_another_restore(&site).await;
    let query = "SELECT event FROM history_leases WHERE gone_ms IS NULL ORDER BY event";
    assert_eq!(numbers(&folder, query), [90, 105, 118]);
}

#[tokio::test]
async fn a_batch_is_appended_whole_or_not_at_all() {
    let (folder, site) = embedded();
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON history_waits \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END;";
    connection.execute_batch(fails).unwrap();
    let items = || vec![session(point(7, 10), 1), wait(point(7, 16), made(7, 5))];
    let all = || batch("s1", None, None, point(7, 20), items());
    let failed = site.append_history(all()).await.unwrap_err();
    assert!(failed.to_string().contains("no room"), "{failed}");
    assert_eq!(places(&site, "s1").await, []);
    let people = "SELECT count(*) FROM history_people";
    assert_eq!(numbers(&folder, people), [0]);
    connection.execute_batch("DROP TRIGGER fails;").unwrap();
    assert_eq!(append(&site, all()).await, (2, 0, 0));
    assert_eq!(numbers(&folder, people), [2]);
    drop(site);
    let again = SqliteSite::open(folder.path()).unwrap();
    assert_eq!(places(&again, "s1").await.len(), 1);
}

/// All pages of what is known of the product `past` in a time.
async fn past(site: &dyn Site, from_ms: i64, until_ms: i64) -> Vec<Past> {
    let mut asked = PastAsked {
        product: "past".to_owned(),
        from_ms,
        until_ms,
        after: None,
    };
    let mut items = Vec::new();
    loop {
        let page = site.past(asked.clone()).await.unwrap();
        assert!(page.is_known);
        items.extend(page.items);
        asked.after = page.next;
        if asked.after.is_none() {
            return items;
        }
    }
}

pub(crate) async fn tells_what_was_held_wanted_and_refused_of_a_product(site: &dyn Site) {
    let of = |item: HistoryItem| HistoryItem {
        product: "past".to_owned(),
        ..item
    };
    let items = vec![
        of(session(point(7, 10), 50)),
        of(lease(point(7, 12), made(7, 3), 5_000)),
        of(denial(point(7, 14), made(7, 14))),
        of(wait(point(7, 16), made(7, 5))),
    ];
    let first = batch("s7", None, None, point(7, 20), items);
    assert_eq!(append(site, first).await, (4, 0, 0));
    let sources = site.sources().await.unwrap();
    let source = sources.iter().find(|it| it.server == "s7").unwrap();
    assert_eq!(source.collected_ms, 9_000);
    let key = |event| MadeBy {
        server: source.number,
        incarnation: 7,
        event,
    };
    let all = past(site, 0, 10_000).await;
    assert_eq!(all.len(), 4);
    for it in &all {
        match it {
            Past::Lease(lease) => {
                assert_eq!((lease.key, lease.seats), (key(3), 2));
                assert_eq!((lease.granted_ms, lease.held_ms), (1_000, Some(4_000)));
                assert!(lease.was_used && lease.ticket.is_none());
                assert!(lease.who.person.is_some() && lease.who.computer.is_some());
            }
            Past::Session(session) => {
                assert_eq!((session.started_ms, session.duration_ms), (1_000, 4_000));
                assert_eq!((session.lease, session.unseated_ms), (Some(key(3)), 0));
            }
            Past::Wait(wait) => {
                assert_eq!((wait.key, wait.lease), (key(5), Some(key(9))));
                assert_eq!((wait.queued_ms, wait.waited_ms), (1_000, 250));
                assert!(wait.was_granted && wait.priority == -1);
            }
            Past::Refusal(refusal) => {
                assert_eq!((refusal.first_ms, refusal.last_ms), (1_000, 2_000));
                assert!(refusal.seats_help && refusal.would_wait.is_none());
            }
        }
    }
    assert_eq!(past(site, 3_000, 10_000).await.len(), 2);
    assert_eq!(past(site, 0, 1_000).await, []);
    assert_eq!(past(site, 5_001, 10_000).await, []);
    let other = PastAsked {
        product: "never".to_owned(),
        from_ms: 0,
        until_ms: 10_000,
        after: None,
    };
    assert!(!site.past(other).await.unwrap().is_known);
}

/// After histories that name ann and root were appended.
pub(crate) async fn tells_whom_it_knows_page_by_page(site: &dyn Site) {
    let all = site.known_people(None, 1_000).await.unwrap();
    assert!(all.is_sorted(), "{all:?}");
    let is_there = |account: &str| {
        let mut all = all.iter();
        all.any(|it| it.realm == "corp.example" && it.account == account)
    };
    assert!(is_there("ann") && is_there("root"), "{all:?}");
    let (mut pages, mut last) = (Vec::new(), None);
    loop {
        let page = site.known_people(last, 1).await.unwrap();
        last = page.last().cloned();
        pages.extend(page);
        if last.is_none() {
            break;
        }
    }
    assert_eq!(pages, all);
}
