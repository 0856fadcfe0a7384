//! What other licence servers count, in buckets: what its rows say, and only of imports that are
//! finished.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::sync::Arc;
use usher_core::usage::{
    Account, Beside, Bucket, Counted, Denied, Gaps, Grain, Quantity, Row, Span, UsageItem, Wait,
    buckets, judged, usage,
};
use usher_site::{
    ElsewhereDenial, ElsewhereEntitlement, ElsewhereWait, ToldElsewhere, UsedAsked, UsedParts,
    UsedProduct,
};

use super::*;
use crate::usage::found;

/// Histories that are imported, each of a product of its own.
const HISTORIES: usize = 100;
/// Many things happen at one instant, and at the beginning of a bucket.
const STEP_MS: i64 = 300_000;

#[derive(Debug, Clone)]
struct Use {
    who: (u64, u64),
    seats: u32,
    started_ms: i64,
    known: Known,
}

#[derive(Debug, Clone)]
struct Imported {
    uses: Vec<Use>,
    /// The person and computer, and the instant, in Unix milliseconds.
    denials: Vec<((u64, u64), i64)>,
    /// The first instant, and that after the last; Unix milliseconds.
    waits: Vec<(i64, Option<i64>)>,
    from_ms: i64,
    to_ms: i64,
    now_ms: i64,
}

fn steps(range: std::ops::Range<i64>) -> impl Strategy<Value = i64> {
    range.prop_map(|steps| steps * STEP_MS)
}

fn who() -> impl Strategy<Value = (u64, u64)> {
    (0..4_u64, 0..3_u64)
}

fn any_use() -> impl Strategy<Value = Use> {
    let known = (0..5, steps(0..40));
    (who(), 1..4_u32, steps(-24..60), known).prop_map(|(who, seats, started_ms, (how, ms))| Use {
        who,
        seats,
        started_ms,
        known: match how {
            0 => Known::Runs,
            1 => Known::Seen(started_ms + ms),
            _ => Known::Ended(started_ms + ms),
        },
    })
}

fn any_import() -> impl Strategy<Value = Imported> {
    let wait = (steps(-10..50), proptest::option::of(steps(0..9)));
    let wait = wait.prop_map(|(from_ms, long)| (from_ms, long.map(|ms| from_ms + ms)));
    (
        proptest::collection::vec(any_use(), 0..12),
        proptest::collection::vec((who(), steps(-10..50)), 0..8),
        proptest::collection::vec(wait, 0..5),
        (steps(0..20), steps(1..40), steps(5..60)),
    )
        .prop_map(
            |(uses, denials, waits, (from_ms, long_ms, now_ms))| Imported {
                uses,
                denials,
                waits,
                from_ms,
                to_ms: from_ms + long_ms,
                now_ms,
            },
        )
}

fn holder((person, computer): (u64, u64)) -> Holder {
    Holder {
        user: format!("user{person}"),
        computer: format!("pc{computer}"),
    }
}

impl Imported {
    fn rows(&self, product: &str) -> Vec<ElsewhereRow> {
        let uses = self.uses.iter().map(|it| {
            let mut row = used("", product, it.started_ms, it.known);
            if let Elsewhere::Use(found) = &mut row.what {
                found.holder = holder(it.who);
                found.seats = it.seats;
            }
            row.what
        });
        let denials = self.denials.iter().map(|(who, at_ms)| {
            Elsewhere::Denial(ElsewhereDenial {
                product: product.to_owned(),
                holder: holder(*who),
                seats: 1,
                version: None,
                at_ms: *at_ms,
                reason: "no_seat".to_owned(),
                words: String::new(),
            })
        });
        let waits = self.waits.iter().map(|(queued_ms, ended_ms)| {
            Elsewhere::Wait(ElsewhereWait {
                product: product.to_owned(),
                holder: holder((0, 0)),
                seats: 1,
                queued_ms: *queued_ms,
                ended_ms: *ended_ms,
                seen_ms: None,
                granted: None,
            })
        });
        let rows = uses.chain(denials).chain(waits).enumerate();
        rows.map(|(number, what)| ElsewhereRow {
            key: format!("{product}:{number}"),
            what,
        })
        .collect()
    }

    fn expected(&self, product: &str, buckets: &[Bucket]) -> Vec<UsageItem> {
        let mut account = Account::new(Counted::Elsewhere);
        for (key, it) in (0..).zip(&self.uses) {
            let until_ms = match it.known {
                Known::Runs => i64::MAX,
                Known::Seen(at_ms) | Known::Ended(at_ms) => at_ms,
            };
            let row = Row {
                quantity: Quantity::InUse,
                one_use: None,
                person: it.who.0,
                computer: it.who.1,
                span: Span {
                    from_ms: it.started_ms,
                    until_ms,
                    seats: it.seats,
                },
                active_ms: None,
            };
            account.put(key, row);
        }
        // Nothing counts from now on.
        let denials = self.denials.iter().filter(|it| it.1 < self.now_ms);
        let denied = denials.map(|((person, computer), at_ms)| Denied {
            person: *person,
            computer: *computer,
            first_ms: *at_ms,
            last_ms: *at_ms,
            count: 1,
        });
        let denied: Vec<Denied> = denied.collect();
        let granted = self.uses.iter().map(|it| (it.who.0, it.started_ms));
        let waits = self.waits.iter().filter(|it| it.0 < self.now_ms);
        let waits = waits.map(|(queued_ms, ended_ms)| Wait {
            queued_ms: *queued_ms,
            until_ms: ended_ms.unwrap_or(i64::MAX),
        });
        let waits: Vec<Wait> = waits.collect();
        let beside = Beside {
            product: &Arc::from(product),
            gaps: &Gaps::default(),
            denials: &judged(&denied, granted, self.now_ms),
            waits: &waits,
            now_ms: self.now_ms,
            known_until_ms: self.now_ms,
        };
        usage(&account, buckets, &beside)
    }
}

fn asked(product: &str, buckets: &[Bucket], now_ms: i64) -> UsedAsked {
    UsedAsked {
        product: product.to_owned(),
        counted: Counted::Elsewhere,
        buckets: buckets.to_vec(),
        now_ms,
        gaps: Gaps::default(),
        running: Vec::new(),
        parts: UsedParts::ALL,
    }
}

pub(crate) async fn puts_what_is_counted_elsewhere_into_buckets(site: &dyn Site) {
    let mut runner = TestRunner::deterministic();
    for number in 0..HISTORIES {
        let product = format!("figures-{number}");
        let imported = any_import().new_tree(&mut runner).unwrap().current();
        let id = format!("i-figures-{number}");
        import(site, &id, "figures", imported.rows(&product)).await;
        let (from_ms, to_ms) = (imported.from_ms, imported.to_ms);
        let buckets = buckets(from_ms, to_ms, Grain::Hour, &TimeZone::UTC).unwrap();
        let found = found(site, asked(&product, &buckets, imported.now_ms)).await;
        let expected = imported.expected(&product, &buckets);
        assert_eq!(found, expected, "import {number}: {imported:?}");
    }
}

pub(crate) async fn tells_use_counted_elsewhere_of_finished_imports_apart(site: &dyn Site) {
    const HOUR_MS: i64 = 3_600_000;
    let product = "figures-apart";
    let hour = buckets(0, HOUR_MS, Grain::Whole, &TimeZone::UTC).unwrap();
    let known = async || {
        let known = site.used_products(product.to_owned(), 2).await.unwrap();
        let of_it = known.into_iter().filter(|it| it.product == product);
        of_it.map(|it| it.counted).collect::<Vec<_>>()
    };
    let asked = |counted| UsedAsked {
        counted,
        ..asked(product, &hour, HOUR_MS)
    };
    let peak = async |counted| found(site, asked(counted)).await[0].peak;
    begin(site, "i-apart", "apart", 1_000).await;
    let row = used("a", product, 10, Known::Ended(5_000));
    assert_eq!(rows(site, "i-apart", 1, vec![row]).await, taken(2));
    assert_eq!(known().await, []);
    assert_eq!(peak(Counted::Elsewhere).await, 0);
    counts(finish(site, "i-apart", 1).await);
    assert_eq!(known().await, [Counted::Elsewhere]);
    assert_eq!(peak(Counted::Elsewhere).await, 2);
    assert_eq!(peak(Counted::Here).await, 0);
    let told = site.used(asked(Counted::Elsewhere)).await.unwrap().told;
    let of_source = ToldElsewhere {
        source: "apart".to_owned(),
        until_ms: Some(9_000),
        untold: vec![(9_000, HOUR_MS)],
    };
    assert_eq!(told, [of_source]);
    // Each id is answered, however many there are before it that are not known any more.
    removed(site, "i-apart").await;
    assert_eq!(known().await, []);
    assert_eq!(peak(Counted::Elsewhere).await, 0);
    let next: Vec<UsedProduct> = site.used_products(product.to_owned(), 1).await.unwrap();
    assert_eq!(next.len(), 1, "another product is the first behind it");
}

/// A grown log, of which each import brings what the one before it did not have.
pub(crate) async fn knows_nothing_of_the_time_of_an_import_that_was_taken_out(site: &dyn Site) {
    const HOUR_MS: i64 = 3_600_000;
    let product = "figures-out";
    let whole = buckets(0, HOUR_MS, Grain::Whole, &TimeZone::UTC).unwrap();
    let untold = async || {
        let asked = asked(product, &whole, HOUR_MS);
        let told = site.used(asked).await.unwrap().told;
        let of_it = told.into_iter().filter(|it| it.source == "figures-out");
        of_it.map(|it| it.untold).next().unwrap_or_default()
    };
    let day = async |id: &str, upto: i64, to_ms: i64| {
        begin(site, id, "figures-out", 1_000).await;
        let all = 0..upto;
        let all = all.map(|at| used(&format!("k{at}"), product, at, Known::Ended(at + 1)));
        assert_eq!(rows(site, id, 1, all.collect()).await, taken(2));
        let end = ImportEnd {
            id: id.to_owned(),
            bodies: 1,
            summary: String::new(),
            from_ms: Some(0),
            to_ms: Some(to_ms),
            at_ms: 2_000,
        };
        counts(site.finish_import(end).await.unwrap())
    };
    assert_eq!(day("i-out-1", 1, 1_000).await, (1, 0, 0));
    assert_eq!(day("i-out-2", 2, 2_000).await, (1, 1, 0));
    assert_eq!(day("i-out-3", 3, 3_000).await, (1, 2, 0));
    assert_eq!(untold().await, [(3_000, HOUR_MS)]);
    // What the second brought the third had left out.
    removed(site, "i-out-2").await;
    let without = [(1_000, 2_000), (3_000, HOUR_MS)];
    assert_eq!(untold().await, without);
    clean(site, 0).await;
    assert_eq!(untold().await, without);
    // Imported again, it is known again.
    assert_eq!(day("i-out-4", 2, 2_000).await, (1, 1, 0));
    assert_eq!(untold().await, [(3_000, HOUR_MS)]);
    for id in ["i-out-4", "i-out-3", "i-out-1"] {
        removed(site, id).await;
    }
    clean(site, 0).await;
}

pub(crate) async fn tells_what_is_owned_elsewhere(site: &dyn Site) {
    let owned = |key: &str, product: &str, seats| ElsewhereRow {
        key: key.to_owned(),
        what: Elsewhere::Entitlement(ElsewhereEntitlement {
            product: product.to_owned(),
            version: Some("45".to_owned()),
            seats,
            overdraft: 1,
            from_day: None,
            to_day: Some("2027-01-01".to_owned()),
            grouping: None,
            host_id: None,
            components: Vec::new(),
            set_aside: None,
            note: None,
        }),
    };
    let listed = async |product: Option<&str>, limit| {
        let product = product.map(str::to_owned);
        let all = site.owned_elsewhere(product, limit).await.unwrap();
        all.into_iter()
            .filter(|it| it.source == "owned")
            .map(|it| (it.product, it.seats))
            .collect::<Vec<_>>()
    };
    let both = vec![owned("a", "owned-b", Some(5)), owned("b", "owned-a", None)];
    import(site, "i-owned", "owned", both).await;
    let expected = [
        ("owned-a".to_owned(), None),
        ("owned-b".to_owned(), Some(5)),
    ];
    assert_eq!(listed(None, 10_000).await, expected);
    assert_eq!(listed(Some("owned-b"), 10).await, expected[1..]);
    // The last file is what is valid.
    let grown = vec![owned("a", "owned-b", Some(7))];
    import(site, "i-owned-2", "owned", grown).await;
    assert_eq!(
        listed(None, 10_000).await,
        [("owned-b".to_owned(), Some(7))]
    );
    // A licence file of the same server tells of the same seats, and of some that it did not say.
    let file = vec![
        owned("x", "owned-b", Some(6)),
        owned("y", "owned-b", Some(2)),
        owned("z", "owned-c", Some(3)),
    ];
    begin_of_kind(site, "i-owned-3", "owned", "flexnet-licence").await;
    assert_eq!(rows(site, "i-owned-3", 1, file).await, taken(2));
    counts(finish(site, "i-owned-3", 1).await);
    let expected = [("owned-b", 7), ("owned-c", 3)];
    let expected = expected.map(|(product, seats)| (product.to_owned(), Some(seats)));
    assert_eq!(listed(None, 10_000).await, expected);
    assert_eq!(listed(Some("owned-b"), 1).await, expected[..1]);
    let found = site.sources_now(0, 9_000).await.unwrap();
    let now = found.into_iter().find(|it| it.source == "owned").unwrap();
    let now: Vec<(&str, u64)> = now
        .entitlements
        .iter()
        .map(|it| (&*it.product, it.seats))
        .collect();
    // With what may be used beyond.
    assert_eq!(now, [("owned-b", 8), ("owned-c", 4)]);
    // Without the report it is as the file says.
    for id in ["i-owned", "i-owned-2"] {
        removed(site, id).await;
    }
    let expected = [("owned-b", 6), ("owned-b", 2), ("owned-c", 3)];
    let expected = expected.map(|(product, seats)| (product.to_owned(), Some(seats)));
    assert_eq!(listed(None, 10_000).await, expected);
}
