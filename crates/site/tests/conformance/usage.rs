//! Use as it is rolled up: whatever comes late, again or never, it is what the rows say.

use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use usher_core::usage::{
    Account, Beside, Bucket, Counted, Gaps, Grain, UsageItem, buckets, items, judged, usage,
};
use usher_site::{
    Appended, Ended, EndedLease, HistoryBatch, HistoryComputer, HistoryItem, HistoryPerson, Made,
    Point, Running, RunningUse, Site, SqliteSite, UsedAsked, UsedParts, UsedProduct,
};

use crate::common::embedded;
use crate::histories::{Arrival, History, any_history};
use crate::reported;

/// Histories that are played, each of a product of its own.
const HISTORIES: usize = 400;

/// The next batch of a server.
pub(crate) struct Server {
    name: String,
    last: Option<Point>,
}

impl Server {
    pub(crate) fn new(name: &str) -> Server {
        Server {
            name: name.to_owned(),
            last: None,
        }
    }

    fn batch(&mut self, items: Vec<HistoryItem>) -> HistoryBatch {
        let event = self.last.map_or(0, |point| point.event) + 1_000;
        let through = Point {
            incarnation: 1,
            event,
        };
        let people = (0..6).map(|number| HistoryPerson {
            id: format!("P{number}"),
            realm: "usage.example".to_owned(),
            account: format!("person{number}"),
            name: format!("Person{number}"),
        });
        let computers = (0..4).map(|number| HistoryComputer {
            id: format!("C{number}"),
            key: format!("usage-{number}"),
            name: format!("lab-{number}"),
        });
        HistoryBatch {
            server: self.name.clone(),
            asked: self.last,
            from: self.last,
            through,
            cursor: event.to_string(),
            head_event: event,
            at_ms: 9_000,
            people: people.collect(),
            computers: computers.collect(),
            items,
        }
    }

    pub(crate) async fn tells(&mut self, site: &dyn Site, items: Vec<HistoryItem>) -> Appended {
        let batch = self.batch(items);
        let through = batch.through;
        let done = site.append_history(batch).await.unwrap();
        assert!(!done.is_stale);
        self.last = Some(through);
        done
    }
}

pub(crate) fn asked(product: &str, buckets: &[Bucket], now_ms: i64) -> UsedAsked {
    UsedAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        buckets: buckets.to_vec(),
        now_ms,
        gaps: Gaps::default(),
        running: Vec::new(),
        parts: UsedParts::ALL,
    }
}

pub(crate) async fn found(site: &dyn Site, asked: UsedAsked) -> Vec<UsageItem> {
    let used = site.used(asked.clone()).await.unwrap();
    let denials = judged(&used.denials, used.granted.iter().copied(), asked.now_ms);
    let beside = Beside {
        product: &Arc::from(&*asked.product),
        gaps: &asked.gaps,
        denials: &denials,
        waits: &used.waits,
        now_ms: asked.now_ms,
        known_until_ms: asked.now_ms,
    };
    items(
        asked.counted,
        &asked.buckets,
        &used.lines,
        &used.who,
        &beside,
    )
}

/// What a look at each row says.
fn expected(history: &History, product: &str, buckets: &[Bucket]) -> Vec<UsageItem> {
    let mut account = Account::new(Counted::Here);
    for (key, row) in (0..).zip(history.rows()) {
        account.put(key, row);
    }
    let denials = judged(&history.denied(), history.granted(), history.now_ms);
    let beside = Beside {
        product: &Arc::from(product),
        gaps: &Gaps::default(),
        denials: &denials,
        waits: &history.waits(),
        now_ms: history.now_ms,
        known_until_ms: history.now_ms,
    };
    usage(&account, buckets, &beside)
}

pub(crate) async fn rolls_up_what_the_rows_say(site: &dyn Site) {
    let mut runner = TestRunner::deterministic();
    let (mut one, mut other) = (Server::new("usage-1"), Server::new("usage-2"));
    for number in 0..HISTORIES {
        let product = format!("usage-{number}");
        let history = any_history().new_tree(&mut runner).unwrap().current();
        // What comes first is known; what comes again, also from another server, changes nothing.
        let told = history.told(&product, number, Arrival::is_told);
        for items in told.chunks(8) {
            one.tells(site, items.to_vec()).await;
            // What comes later is of days that are packed.
            packs_what_is_over(site).await;
        }
        one.tells(site, history.told_again(&product, number)).await;
        let sessions = history.told(&product, number, Arrival::comes_again);
        let is_session = |item: &HistoryItem| matches!(item.what, Ended::Session(_));
        let sessions = sessions.into_iter().filter(is_session).collect();
        other.tells(site, sessions).await;
        let is_packed = number % 3 > 0;
        if is_packed {
            packs_what_is_over(site).await;
        }
        let zone = TimeZone::get(history.zone).unwrap();
        let (from_ms, to_ms) = history.asked;
        let buckets = buckets(from_ms, to_ms, history.grain, &zone).unwrap();
        let found = found(site, asked(&product, &buckets, history.now_ms)).await;
        let expected = expected(&history, &product, &buckets);
        assert_eq!(found, expected, "history {number}: {history:?}");
        // A page of it says the same as the whole.
        let page = &buckets[buckets.len() / 3..];
        let of_page = self::found(site, asked(&product, page, history.now_ms)).await;
        assert_eq!(of_page, expected[buckets.len() / 3..], "history {number}");
        // Who used it, together, is the whole.
        let whole = Bucket { from_ms, to_ms };
        let items = self::found(site, asked(&product, &[whole], history.now_ms)).await;
        let to_ms = to_ms.min(history.now_ms);
        let context = format!("history {number}: {history:?}");
        reported::adds_up_to(&items[0], site, &product, (from_ms, to_ms), &context).await;
    }
}

/// Packs all days of all products that are told of, but the last of them.
pub(crate) async fn packs_what_is_over(site: &dyn Site) {
    while site.pack_days(2 * 86_400_000, 50).await.unwrap() > 0 {}
}

fn hours(many: i64) -> Vec<Bucket> {
    buckets(0, many * 3_600_000, Grain::Hour, &TimeZone::UTC).unwrap()
}

pub(crate) fn lease(product: &str, key: Made, granted_ms: i64, ended_ms: i64) -> HistoryItem {
    HistoryItem {
        at: Point {
            incarnation: key.incarnation,
            event: key.event,
        },
        product: product.to_owned(),
        person: "P1".to_owned(),
        computer: "C1".to_owned(),
        what: Ended::Lease(EndedLease {
            key,
            seats: 2,
            program: None,
            session: None,
            kept: false,
            granted_ms,
            ended_ms,
            held_ms: ended_ms.abs_diff(granted_ms),
            cause: "checked_in".to_owned(),
            ticket: None,
            with: None,
            retry: false,
        }),
    }
}

pub(crate) async fn counts_what_still_runs_until_it_has_ended(site: &dyn Site) {
    let mut server = Server::new("usage-3");
    let key = Made {
        incarnation: 1,
        event: 7,
    };
    let hour_ms = 3_600_000;
    let running = |what, from_ms| RunningUse {
        what,
        from_ms,
        realm: None,
        user: "Person1".to_owned(),
        computer: "lab-1".to_owned(),
    };
    let leased = Running::Lease {
        server: "usage-3".to_owned(),
        key,
        seats: 2,
    };
    let unseated = RunningUse {
        user: "nobody yet".to_owned(),
        ..running(Running::Session { lease: None }, 2 * hour_ms + 1)
    };
    let asked = UsedAsked {
        running: vec![running(leased, hour_ms), unseated],
        ..asked("usage-runs", &hours(4), 3 * hour_ms)
    };
    let figures = |items: &[UsageItem]| -> Vec<(u64, u64, u64, u64)> {
        let figures = items.iter();
        figures
            .map(|it| (it.peak, it.users, it.computers, it.sessions))
            .collect()
    };
    let items = found(site, asked.clone()).await;
    let expected = [(0, 0, 0, 0), (2, 1, 1, 0), (3, 2, 1, 1), (0, 0, 0, 0)];
    assert_eq!(figures(&items), expected);
    // What has ended after the server said that it runs counts once.
    let ended = lease("usage-runs", key, hour_ms, 2 * hour_ms);
    server.tells(site, vec![ended]).await;
    let items = found(site, asked).await;
    let expected = [(0, 0, 0, 0), (2, 1, 1, 1), (1, 1, 1, 1), (0, 0, 0, 0)];
    assert_eq!(figures(&items), expected);
}

pub(crate) async fn knows_what_is_collected_and_of_which_products(site: &dyn Site) {
    let mut server = Server::new("usage-4");
    let key = |event| Made {
        incarnation: 1,
        event,
    };
    let items = [("usage-y", 7), ("usage-z", 8)];
    let items = items.map(|(product, event)| lease(product, key(event), 1, 2));
    server.tells(site, items.to_vec()).await;
    let products = site.used_products("usage-y".to_owned(), 2).await.unwrap();
    let known = |product: &str| UsedProduct {
        product: product.to_owned(),
        counted: Counted::Here,
    };
    assert_eq!(products, [known("usage-y"), known("usage-z")]);
    let record = site.used_record().await.unwrap();
    assert!(record.first_day_ms.is_some_and(|ms| ms % 86_400_000 == 0));
    let of_it = record
        .sources
        .iter()
        .find(|it| it.server == "usage-4")
        .unwrap();
    let point = (of_it.through.incarnation, of_it.through.event);
    assert_eq!((point, of_it.at_ms), ((1, 1_000), 9_000));
    let nothing = found(site, asked("usage-never", &hours(2), i64::MAX)).await;
    assert_eq!(
        (nothing.len(), nothing[0].peak, nothing[1].users),
        (2, 0, 0)
    );
}

#[tokio::test]
async fn roll_ups_are_made_of_what_a_version_without_them_has_collected() {
    let (folder, site) = embedded();
    let mut server = Server::new("usage-5");
    let mut runner = TestRunner::deterministic();
    let mut before = Vec::new();
    for number in 0..20 {
        let product = format!("usage-{number}");
        let history = any_history().new_tree(&mut runner).unwrap().current();
        let told = history.told(&product, number, Arrival::is_told);
        server.tells(&site, told).await;
        let asked = asked(&product, &hours(5), i64::MAX);
        before.push((asked.clone(), found(&site, asked).await));
    }
    let peaks = before.iter().flat_map(|(_, items)| items);
    assert!(peaks.map(|item| item.peak).sum::<u64>() > 20);
    drop(site);
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    connection
        .execute_batch(
            "DELETE FROM usage_quarters; DELETE FROM usage_days; \
             DELETE FROM settings WHERE name = 'usage_rolled_up';",
        )
        .unwrap();
    drop(connection);
    let site = SqliteSite::open(folder.path()).unwrap();
    for (asked, before) in before {
        assert_eq!(found(&site, asked).await, before);
    }
}
