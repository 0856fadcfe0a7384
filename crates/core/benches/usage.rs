//! Usage of a large site: 10 million sessions of 90 days, 200 products and 10,000 people.
//!
//! `cargo bench -p usher-core --bench usage`: the peak of every product from rows alone, the making
//! of all nodes, and the figures of every product for each day from nodes. It takes about 2 GB.

use std::sync::LazyLock;

use divan::counter::ItemsCount;
use jiff::tz::TimeZone;
use usher_core::usage::made_up::MadeUp;
use usher_core::usage::{Bucket, Gaps, Grain, Level, Span, Timeline, Walk, buckets, peak};

fn main() {
    divan::main();
}

const MADE_UP_SEED: u64 = 18;
const DAY_MS: i64 = 86_400_000;

/// The sessions of each product.
static SESSIONS: LazyLock<Vec<Vec<Span>>> = LazyLock::new(|| {
    let made_up = MadeUp::quarter_of_a_large_site(MADE_UP_SEED);
    let mut products = vec![Vec::new(); made_up.products as usize];
    for session in made_up.iter() {
        products[session.product as usize].push(session.span);
    }
    products
});

fn sessions() -> usize {
    SESSIONS.iter().map(Vec::len).sum()
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn peaks_of_all_products_from_rows(bencher: divan::Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(sessions()))
        .bench_local(|| {
            let peaks = SESSIONS.iter().map(|spans| peak(spans.iter().copied()));
            peaks.flatten().map(|(seats, _)| seats).sum::<u64>()
        });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn nodes_of_all_products_from_rows(bencher: divan::Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(sessions()))
        .bench_local(|| {
            let nodes = SESSIONS.iter().map(|spans| {
                let timeline = Timeline::of(spans.iter().copied());
                timeline.nodes().count()
            });
            nodes.sum::<usize>()
        });
}

fn days() -> Vec<Bucket> {
    let made_up = MadeUp::quarter_of_a_large_site(MADE_UP_SEED);
    let to_ms = made_up.from_ms + i64::from(made_up.days) * DAY_MS;
    let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
    buckets(made_up.from_ms, to_ms, Grain::Day, &zone).unwrap_or_default()
}

fn timelines() -> Vec<Timeline> {
    let made = SESSIONS.iter().map(|spans| {
        let timeline = Timeline::of(spans.iter().copied());
        // Nodes are made when they are first asked for.
        assert!(timeline.nodes().count() > 0);
        timeline
    });
    made.collect()
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn peaks_of_each_day_of_all_products_from_nodes(bencher: divan::Bencher<'_, '_>) {
    let (timelines, days) = (timelines(), days());
    bencher
        .counter(ItemsCount::new(timelines.len()))
        .bench_local(|| {
            let peaks = timelines.iter().flat_map(|timeline| {
                let mut walk = Walk::along(timeline);
                let each = days
                    .iter()
                    .map(move |day| walk.step(day.from_ms, day.to_ms));
                each.map(|(opening, node)| node.peak(opening).0)
            });
            peaks.sum::<u64>()
        });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn p95_of_all_products_from_edges(bencher: divan::Bencher<'_, '_>) {
    let (timelines, days, gaps) = (timelines(), days(), Gaps::default());
    let first_ms = days.first().map_or(0, |day| day.from_ms);
    let to_ms = days.last().map_or(0, |day| day.to_ms);
    bencher
        .counter(ItemsCount::new(timelines.len()))
        .bench_local(|| {
            let tallies = timelines
                .iter()
                .map(|timeline| timeline.tally(Level::default(), first_ms, to_ms, &gaps));
            tallies.map(|tally| tally.p95()).sum::<u64>()
        });
}
