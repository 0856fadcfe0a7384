//! The history of a made-up site: appending it with its roll-ups, and the use of each product by days.
//!
//! `cargo bench -p usher-site --bench usage`: 300,000 sessions of 200 products in nine days, in
//! batches of 1,000 as servers tell them, in the order of their ends.

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use usher_core::usage::made_up::MadeUp;
use usher_core::usage::{Bucket, Counted, Gaps, Grain, buckets};
use usher_site::{
    Ended, EndedSession, HistoryBatch, HistoryComputer, HistoryItem, HistoryPerson, Point, Run,
    Site, SqliteSite, UsedAsked, UsedParts,
};

const MADE_UP: MadeUp = MadeUp {
    seed: 18,
    sessions: 300_000,
    from_ms: 1_767_571_200_000,
    days: 9,
    products: 200,
    people: 10_000,
};
const BATCH: usize = 1_000;
const DAY_MS: i64 = 86_400_000;

fn main() {
    divan::main();
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let built = Builder::new_current_thread().build();
    built.unwrap_or_else(|error| panic!("no runtime: {error}"))
});

static BATCHES: LazyLock<Vec<HistoryBatch>> = LazyLock::new(|| {
    let mut sessions: Vec<_> = MADE_UP.iter().collect();
    sessions.sort_by_key(|session| session.span.until_ms);
    let mut events = 1_u64..;
    let mut last = None;
    let batches = sessions.chunks(BATCH).map(|sessions| {
        let items: Vec<HistoryItem> = sessions
            .iter()
            .zip(&mut events)
            .map(|(session, event)| HistoryItem {
                at: Point {
                    incarnation: 1,
                    event,
                },
                product: format!("product-{}", session.product),
                person: session.person.to_string(),
                computer: session.computer.to_string(),
                what: Ended::Session(EndedSession {
                    key: Run {
                        computer: format!("key-{}", session.computer),
                        incarnation: 1,
                        session: event,
                    },
                    program: "program".to_owned(),
                    version: None,
                    real_person: None,
                    started_ms: session.span.from_ms,
                    ended_ms: session.span.until_ms,
                    duration_ms: 0,
                    unseated_ms: 0,
                    lease: None,
                }),
            })
            .collect();
        let people = sessions.iter().map(|session| HistoryPerson {
            id: session.person.to_string(),
            realm: "made.up".to_owned(),
            account: session.person.to_string(),
            name: session.person.to_string(),
        });
        let computers = sessions.iter().map(|session| HistoryComputer {
            id: session.computer.to_string(),
            key: format!("key-{}", session.computer),
            name: session.computer.to_string(),
        });
        let asked = last;
        let through = items.last().map_or(
            Point {
                incarnation: 1,
                event: 0,
            },
            |item| item.at,
        );
        last = Some(through);
        HistoryBatch {
            server: "made-up".to_owned(),
            asked,
            from: asked,
            through,
            cursor: String::new(),
            head_event: through.event,
            at_ms: 0,
            people: people.collect(),
            computers: computers.collect(),
            items,
        }
    });
    batches.collect()
});

fn filled() -> (TempDir, SqliteSite) {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
    let opened = SqliteSite::open(folder.path());
    let site = opened.unwrap_or_else(|error| panic!("no site: {error}"));
    for batch in BATCHES.iter() {
        let appended = RUNTIME.block_on(site.append_history(batch.clone()));
        assert!(appended.is_ok_and(|done| !done.is_stale));
    }
    (folder, site)
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn sessions_are_appended(bencher: divan::Bencher<'_, '_>) {
    let sessions = BATCHES.iter().map(|batch| batch.items.len());
    bencher
        .counter(ItemsCount::new(sessions.sum::<usize>()))
        .bench_local(filled);
}

fn days() -> Vec<Bucket> {
    let to_ms = MADE_UP.from_ms + i64::from(MADE_UP.days) * DAY_MS;
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    buckets(MADE_UP.from_ms, to_ms, Grain::Day, &zone).unwrap_or_default()
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn use_of_all_products_by_days(bencher: divan::Bencher<'_, '_>) {
    let (_folder, site) = filled();
    let days = days();
    bencher
        .counter(ItemsCount::new(MADE_UP.products))
        .bench_local(|| {
            let peaks = (0..MADE_UP.products).map(|number| {
                let asked = UsedAsked {
                    product: format!("product-{number}"),
                    counted: Counted::Here,
                    buckets: days.clone(),
                    now_ms: i64::MAX,
                    gaps: Gaps::default(),
                    running: Vec::new(),
                    parts: UsedParts::ALL,
                };
                let used = RUNTIME.block_on(site.used(asked));
                used.map_or(0, |used| {
                    used.lines.wanted.iter().map(|it| it.peak().0).sum()
                })
            });
            peaks.sum::<u64>()
        });
}
