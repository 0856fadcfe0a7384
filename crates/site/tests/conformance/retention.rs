//! What is kept for a time: rows go when it is over, what the roll-ups say of them stays.

use jiff::tz::TimeZone;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use usher_core::usage::{Bucket, UsageItem, buckets};
use usher_site::{Appended, Extent, HistoryItem, Overdue, Retained, RetainedSince, Site};

use crate::common::embedded;
use crate::histories::{Arrival, History, any_history};
use crate::usage::{Server, asked, found, packs_what_is_over};
use crate::{postgres, reported};

/// Histories that are played, each of a product of its own.
const HISTORIES: usize = 60;
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// All of a history is within so many hours of 0.
pub(crate) const HOURS: i64 = 50;

#[tokio::test]
async fn the_embedded_engine_keeps_rows_for_a_time() {
    let (_folder, site) = embedded();
    keeps_what_the_roll_ups_say_of_rows_that_are_removed(&site).await;
}

#[tokio::test]
async fn the_engine_on_postgresql_keeps_rows_for_a_time() {
    let (_cluster, site) = postgres::begun().await;
    keeps_what_the_roll_ups_say_of_rows_that_are_removed(&site).await;
}

/// A history as a site is told it.
pub(crate) struct Played {
    pub(crate) product: String,
    pub(crate) number: usize,
    pub(crate) history: History,
}

impl Played {
    pub(crate) fn told(&self) -> Vec<HistoryItem> {
        let is_told = Arrival::is_told;
        self.history.told(&self.product, self.number, is_told)
    }

    fn buckets(&self) -> Vec<Bucket> {
        let zone = TimeZone::get(self.history.zone).unwrap();
        let (from_ms, to_ms) = self.history.asked;
        buckets(from_ms, to_ms, self.history.grain, &zone).unwrap()
    }

    pub(crate) async fn figures(&self, site: &dyn Site) -> Vec<UsageItem> {
        let now_ms = self.history.now_ms;
        found(site, asked(&self.product, &self.buckets(), now_ms)).await
    }

    /// What is asked about from that instant on.
    async fn figures_from(&self, site: &dyn Site, from_ms: i64) -> Vec<UsageItem> {
        let asked_from = |bucket: &Bucket| Bucket {
            from_ms: bucket.from_ms.max(from_ms),
            ..*bucket
        };
        let all = self.buckets();
        let later = all.iter().filter(|it| it.to_ms > from_ms).map(asked_from);
        let later: Vec<Bucket> = later.collect();
        found(site, asked(&self.product, &later, self.history.now_ms)).await
    }
}

/// Removes all rows of a kind before that instant, a few at a time.
pub(crate) async fn retire(site: &dyn Site, what: Retained, before_ms: i64) -> u64 {
    let overdue = Overdue {
        what,
        before_ms,
        limit: 7,
    };
    let mut removed = 0;
    loop {
        match site.retire(overdue).await.unwrap() {
            0 => return removed,
            // Beside rows, an engine may count what they were in.
            many => removed += many,
        }
    }
}

/// How many people there were.
async fn users(played: &[Played], site: &dyn Site) -> Vec<u64> {
    let mut users = Vec::new();
    for it in played {
        users.extend(it.figures(site).await.iter().map(|item| item.users));
    }
    users
}

/// What the roll-ups say: all but people, refusals and waits.
fn rolled_up(items: &[UsageItem]) -> Vec<UsageItem> {
    let without = items.iter().map(|item| UsageItem {
        users: 0,
        computers: 0,
        waits: Default::default(),
        denials: Default::default(),
        ..item.clone()
    });
    without.collect()
}

async fn keeps_what_the_roll_ups_say_of_rows_that_are_removed(site: &dyn Site) {
    let mut runner = TestRunner::deterministic();
    let mut server = Server::new("retention-1");
    let mut played = Vec::new();
    for number in 0..HISTORIES {
        let history = any_history().new_tree(&mut runner).unwrap().current();
        let product = format!("retention-{number}");
        let it = Played {
            product,
            number,
            history,
        };
        server.tells(site, it.told()).await;
        played.push(it);
    }
    packs_what_is_over(site).await;
    let nothing = RetainedSince::default();
    assert_eq!(site.retained().await.unwrap(), nothing);
    for before_ms in [-20 * HOUR_MS, 5, 20 * HOUR_MS + 1] {
        let (mut before, mut later) = (Vec::new(), Vec::new());
        for it in &played {
            before.push(it.figures(site).await);
            later.push(it.figures_from(site, before_ms).await);
        }
        for what in Retained::ALL {
            let removed = retire(site, what, before_ms).await;
            assert!(removed > 5, "{what:?} {removed}");
        }
        let since = Some(before_ms);
        let expected = RetainedSince {
            sessions_ms: since,
            denials_ms: since,
            waits_ms: since,
            archived_ms: None,
        };
        assert_eq!(site.retained().await.unwrap(), expected);
        // Who used something in a time of which rows have gone is what the others say.
        let of_rows = users(&played, site).await;
        packs_what_is_over(site).await;
        assert_eq!(users(&played, site).await, of_rows);
        for (place, it) in played.iter().enumerate() {
            let context = format!("{before_ms} {}: {:?}", it.number, it.history);
            let now = it.figures(site).await;
            assert_eq!(rolled_up(&now), rolled_up(&before[place]), "{context}");
            let now = it.figures_from(site, before_ms).await;
            assert_eq!(now, later[place], "{context}");
            // What was removed does not come back, and what is there is not there twice.
            let told = it.told();
            let many = told.len() as u64;
            let again = server.tells(site, told).await;
            let expected = Appended {
                already: many - again.past,
                past: again.past,
                ..Appended::default()
            };
            assert_eq!(again, expected, "{context}");
            let now = it.figures(site).await;
            assert_eq!(rolled_up(&now), rolled_up(&before[place]), "{context}");
            let time = (before_ms, it.history.now_ms.max(before_ms));
            let whole = Bucket {
                from_ms: time.0,
                to_ms: time.1.max(time.0 + 1),
            };
            let whole = found(site, asked(&it.product, &[whole], it.history.now_ms)).await;
            reported::adds_up_to(&whole[0], site, &it.product, time, &context).await;
        }
    }
    // An instant that was noted does not go back.
    assert_eq!(retire(site, Retained::Waits, -90 * HOUR_MS).await, 0);
    let since = site.retained().await.unwrap();
    assert_eq!(since.of(Retained::Waits), Some(20 * HOUR_MS + 1));
    let there = site.extent(Retained::Waits).await.unwrap();
    let Some(Extent { first_ms, last_ms }) = there else {
        panic!("some waits are there");
    };
    assert!(first_ms > 20 * HOUR_MS && last_ms >= first_ms, "{there:?}");
    for what in Retained::ALL {
        retire(site, what, HOURS * HOUR_MS).await;
        assert_eq!(site.extent(what).await.unwrap(), None, "{what:?}");
    }
}
