//! What other licence servers hold now, and what became of refusals, counted here or elsewhere.

use usher_core::usage::{Denials, RETRY_MS};
use usher_site::{
    ElsewhereDenial, ElsewhereEntitlement, ElsewhereLevel, ElsewhereWait, Ended, EndedDenial,
    EndedLease, EntitlementNow, HistoryBatch, HistoryComputer, HistoryItem, HistoryPerson, Made,
    Point, ProductNow, Running, RunningUse, Settled, SettledAsked, SettledTime, SourceNow, Teller,
};

use super::*;

async fn now(site: &dyn Site, fresh_ms: i64, source: &str) -> Option<SourceNow> {
    let found = site.sources_now(fresh_ms, 10_000).await.unwrap();
    found.into_iter().find(|it| it.source == source)
}

fn row(key: &str, what: Elsewhere) -> ElsewhereRow {
    ElsewhereRow {
        key: key.to_owned(),
        what,
    }
}

fn holder(user: &str) -> Holder {
    Holder {
        user: user.to_owned(),
        computer: "pc1".to_owned(),
    }
}

fn owned(seats: Option<u32>, to_day: Option<&str>, set_aside: Option<&str>) -> Elsewhere {
    Elsewhere::Entitlement(ElsewhereEntitlement {
        product: "now-p".to_owned(),
        version: None,
        seats,
        overdraft: 1,
        from_day: None,
        to_day: to_day.map(str::to_owned),
        grouping: None,
        host_id: None,
        components: Vec::new(),
        set_aside: set_aside.map(str::to_owned),
        note: None,
    })
}

fn level(product: &str, server: &str, at_ms: i64, in_use: u64) -> Elsewhere {
    Elsewhere::Level(ElsewhereLevel {
        product: product.to_owned(),
        server: Some(server.to_owned()),
        at_ms,
        issued: Some(10),
        in_use: Some(in_use),
        reserved: 1,
        queued: 2,
        trouble: None,
    })
}

fn product(product: &str, seats: Option<u64>, in_use: u64, waiting: u64) -> ProductNow {
    ProductNow {
        product: product.to_owned(),
        server: None,
        seats,
        in_use: Some(in_use),
        reserved: None,
        waiting,
    }
}

pub(crate) async fn tells_what_a_log_says_of_now(site: &dyn Site) {
    let wait = ElsewhereWait {
        product: "now-p".to_owned(),
        holder: holder("bob"),
        seats: 1,
        queued_ms: 100,
        ended_ms: None,
        seen_ms: None,
        granted: None,
    };
    let log = vec![
        used("a", "now-p", 10, Known::Ended(9_000)),
        used("b", "now-p", 30, Known::Seen(9_000)),
        used("c", "now-p", 40, Known::Runs),
        used("d", "now-p", 50, Known::Seen(8_000)),
        used("e", "now-q", 10, Known::Ended(20)),
        row("w", Elsewhere::Wait(wait)),
    ];
    import(site, "i-now-log", "now-log", log).await;
    let known = now(site, 8_999, "now-log").await.unwrap();
    let expected = SourceNow {
        source: "now-log".to_owned(),
        until_ms: Some(9_000),
        imported_ms: 2_000,
        imports_of_week: 1,
        days_of_week: 1,
        products: Some(vec![
            product("now-p", None, 4, 1),
            product("now-q", None, 0, 0),
        ]),
        entitlements: Vec::new(),
    };
    assert_eq!(known, expected);
    let stale = now(site, 9_000, "now-log").await.unwrap();
    assert_eq!(stale.products, None, "that is too long ago");
    // The licence file is another source.
    let licence = vec![
        row("e1", owned(Some(5), Some("1970-06-01"), None)),
        row("e2", owned(Some(9), None, Some("it is superseded"))),
        row("e3", owned(Some(7), Some("1969-12-31"), None)),
    ];
    import(site, "i-now-licence", "now-licence", licence).await;
    let known = now(site, 8_999, "now-log").await.unwrap();
    assert_eq!(known.products.unwrap()[0], product("now-p", Some(6), 4, 1));
    let mut entitlements = now(site, 0, "now-licence").await.unwrap().entitlements;
    entitlements.sort_by_key(|it| it.seats);
    let entitlement = |seats, to_day: &str| EntitlementNow {
        product: "now-p".to_owned(),
        seats,
        from_day: None,
        to_day: Some(to_day.to_owned()),
    };
    let expected = [entitlement(6, "1970-06-01"), entitlement(8, "1969-12-31")];
    assert_eq!(entitlements, expected);
    removed(site, "i-now-log").await;
    removed(site, "i-now-licence").await;
    assert_eq!(now(site, 0, "now-log").await, None);
    tells_what_has_lasted_long(site).await;
}

pub(crate) async fn tells_what_the_last_report_says_of_now(site: &dyn Site) {
    let report = vec![
        row("a", level("now-r", "27000@a", 8_500, 3)),
        row("b", level("now-r", "27000@a", 8_900, 4)),
        row("c", level("now-r", "27000@b", 8_900, 7)),
        row("d", level("now-s", "27000@a", 8_900, 0)),
        used("u", "now-s", 10, Known::Runs),
    ];
    import(site, "i-now-report", "now-report", report).await;
    let reported = |id: &str, server: Option<&str>, in_use| ProductNow {
        server: server.map(str::to_owned),
        reserved: Some(1),
        ..product(id, Some(10), in_use, 2)
    };
    let known = now(site, 8_000, "now-report").await.unwrap();
    let expected = [
        reported("now-r", Some("27000@a"), 4),
        reported("now-r", Some("27000@b"), 7),
        // What it says itself holds, whatever uses are seen.
        reported("now-s", None, 0),
    ];
    assert_eq!(known.products.unwrap(), expected);
    // A level that stays the same is not told with each report.
    let known = now(site, 8_999, "now-report").await.unwrap();
    assert_eq!(known.products.unwrap(), expected);
    removed(site, "i-now-report").await;
    let old = vec![
        row("e", level("now-r", "27000@a", 8_999 - 20 * MINUTE_MS, 3)),
        row("f", level("now-s", "27000@a", 9_000 - 20 * MINUTE_MS, 5)),
    ];
    import(site, "i-now-old", "now-report", old).await;
    let known = now(site, 8_999, "now-report").await.unwrap();
    assert_eq!(known.products.unwrap(), [reported("now-s", None, 5)]);
    removed(site, "i-now-old").await;
}

/// Uses that began long ago count for as long as an import tells of them.
async fn tells_what_has_lasted_long(site: &dyn Site) {
    let day_ms = 24 * 60 * MINUTE_MS;
    let log = vec![
        used("a", "now-old", -400 * day_ms, Known::Seen(9_000)),
        used("b", "now-old", -400 * day_ms, Known::Ended(9_000)),
        used("c", "now-gone", -400 * day_ms, Known::Ended(-399 * day_ms)),
    ];
    import(site, "i-now-long", "now-long", log).await;
    // Of another source, and no part of the first.
    let other = vec![used("a", "now-old", 10, Known::Runs)];
    import(site, "i-now-other", "now-other", other).await;
    let known = now(site, 8_999, "now-long").await.unwrap();
    let expected = [
        product("now-gone", None, 0, 0),
        product("now-old", None, 2, 0),
    ];
    assert_eq!(known.products.unwrap(), expected);
    // When the last instant is 90 days after the import's, nothing of that import is looked for.
    let at_ms = 9_000 + 90 * day_ms;
    begin(site, "i-now-late", "now-long", 1_000).await;
    let end = ImportEnd {
        id: "i-now-late".to_owned(),
        bodies: 0,
        summary: "later".to_owned(),
        from_ms: Some(at_ms),
        to_ms: Some(at_ms),
        at_ms: 2_000,
    };
    assert!(matches!(
        site.finish_import(end).await.unwrap(),
        Finish::Done { .. }
    ));
    let found = site.sources_now(at_ms - 1, at_ms).await.unwrap();
    let known = found.into_iter().find(|it| it.source == "now-long");
    assert_eq!(known.unwrap().products, Some(Vec::new()));
    for id in ["i-now-late", "i-now-long", "i-now-other"] {
        removed(site, id).await;
    }
}

const MINUTE_MS: i64 = 60_000;

fn item(event: u64, person: &str, what: Ended) -> HistoryItem {
    HistoryItem {
        at: Point {
            incarnation: 1,
            event,
        },
        product: "settled".to_owned(),
        person: person.to_owned(),
        computer: "C".to_owned(),
        what,
    }
}

fn made(event: u64) -> Made {
    Made {
        incarnation: 1,
        event,
    }
}

fn refused(event: u64, person: &str, minute: i64, count: u64) -> HistoryItem {
    let what = Ended::Denial(EndedDenial {
        key: made(event),
        seats: 1,
        reason: "no_seat".to_owned(),
        count,
        retries: count - 1,
        waits: None,
        first_ms: minute * MINUTE_MS,
        last_ms: minute * MINUTE_MS,
    });
    item(event, person, what)
}

fn granted(event: u64, person: &str, minute: i64) -> HistoryItem {
    let what = Ended::Lease(EndedLease {
        key: made(event),
        seats: 1,
        program: None,
        session: None,
        kept: false,
        granted_ms: minute * MINUTE_MS,
        ended_ms: (minute + 5) * MINUTE_MS,
        held_ms: 300_000,
        cause: "checked_in".to_owned(),
        ticket: None,
        with: None,
        retry: false,
    });
    item(event, person, what)
}

async fn told(site: &dyn Site, server: &str, items: Vec<HistoryItem>) {
    let people = ["ann", "bob", "cid"].map(|name| HistoryPerson {
        id: name.to_owned(),
        realm: "settled.example".to_owned(),
        account: name.to_owned(),
        name: format!("settled-{name}"),
    });
    let batch = HistoryBatch {
        server: server.to_owned(),
        asked: None,
        from: None,
        through: Point {
            incarnation: 1,
            event: 1_000,
        },
        cursor: "1000".to_owned(),
        head_event: 1_000,
        at_ms: 9_000,
        people: people.to_vec(),
        computers: vec![HistoryComputer {
            id: "C".to_owned(),
            key: "settled-pc".to_owned(),
            name: "settled-pc".to_owned(),
        }],
        items,
    };
    assert!(!site.append_history(batch).await.unwrap().is_stale);
}

fn time(teller: &Teller, after_minute: i64, through_minute: i64) -> SettledTime {
    SettledTime {
        teller: teller.clone(),
        after_ms: after_minute * MINUTE_MS,
        through_ms: through_minute * MINUTE_MS,
    }
}

fn found(teller: &Teller, (for_good, satisfied_later, retries): (u64, u64, u64)) -> Settled {
    Settled {
        teller: teller.clone(),
        product: "settled".to_owned(),
        denials: Denials {
            for_good,
            satisfied_later,
            retries,
        },
    }
}

pub(crate) async fn tells_what_became_of_refusals_once(site: &dyn Site) {
    assert_eq!(RETRY_MS, 15 * MINUTE_MS);
    let one = Teller::Server("settled-1".to_owned());
    let other = Teller::Server("settled-2".to_owned());
    let first = vec![
        refused(10, "ann", 100, 3),
        refused(20, "ann", 110, 1),
        refused(30, "bob", 130, 1),
        refused(40, "cid", 140, 1),
    ];
    told(site, "settled-1", first).await;
    // A seat of another server satisfies a refusal, too.
    let second = vec![granted(10, "bob", 135), refused(20, "bob", 200, 1)];
    told(site, "settled-2", second).await;
    let settled = async |times: Vec<SettledTime>, running| {
        let asked = SettledAsked { times, running };
        let mut found = site.settled_denials(asked).await.unwrap();
        found.retain(|it| it.product == "settled");
        found
    };
    let nothing = || Vec::new();
    let all = vec![time(&one, 90, 300), time(&other, 90, 300)];
    assert_eq!(
        settled(all, nothing()).await,
        [found(&one, (2, 1, 3)), found(&other, (1, 0, 0))]
    );
    // Whoever still has the seat is in no history yet.
    let running = RunningUse {
        what: Running::Lease {
            server: "settled-2".to_owned(),
            key: made(99),
            seats: 1,
        },
        from_ms: 150 * MINUTE_MS,
        realm: None,
        user: "settled-cid".to_owned(),
        computer: "settled-pc".to_owned(),
    };
    let running = vec![("settled".to_owned(), vec![running])];
    let mut sum = Denials::default();
    for (after, through) in [(90, 105), (105, 110), (110, 139), (139, 300)] {
        for it in settled(vec![time(&one, after, through)], running.clone()).await {
            sum.for_good += it.denials.for_good;
            sum.satisfied_later += it.denials.satisfied_later;
            sum.retries += it.denials.retries;
        }
    }
    assert_eq!(sum, found(&one, (1, 2, 3)).denials, "piece by piece");
    assert_eq!(settled(vec![time(&one, 140, 300)], nothing()).await, []);
    assert_eq!(settled(vec![time(&one, 300, 90)], nothing()).await, []);
    let unknown = Teller::Server("settled-9".to_owned());
    assert_eq!(settled(vec![time(&unknown, 0, 300)], nothing()).await, []);
    // The same product, counted elsewhere.
    let source = Teller::Source("settled-source".to_owned());
    let denial = |key: &str, user: &str, minute: i64| {
        let what = Elsewhere::Denial(ElsewhereDenial {
            product: "settled".to_owned(),
            holder: holder(user),
            seats: 1,
            version: None,
            at_ms: minute * MINUTE_MS,
            reason: "no_seat".to_owned(),
            words: String::new(),
        });
        row(key, what)
    };
    let log = vec![
        denial("a", "", 100),
        denial("b", "", 101),
        denial("c", "ann", 102),
        denial("d", "ann", 103),
        used("e", "settled", 110 * MINUTE_MS, Known::Runs),
    ];
    import(site, "i-settled", "settled-source", log).await;
    assert_eq!(
        settled(vec![time(&source, 90, 300)], nothing()).await,
        [found(&source, (2, 1, 1))]
    );
    removed(site, "i-settled").await;
    assert_eq!(settled(vec![time(&source, 90, 300)], nothing()).await, []);
}
