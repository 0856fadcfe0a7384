//! Live imports: what they have counts while more comes.

use super::*;

async fn begin_live(site: &dyn Site, id: &str, source: &str) {
    let new = NewImport {
        id: id.to_owned(),
        request: None,
        kind: "flexnet-log".to_owned(),
        source: source.to_owned(),
        time_zone: None,
        at_ms: 1_000,
        live: true,
    };
    assert_eq!(site.begin_import(new).await.unwrap(), Begun::New);
}

async fn record(site: &dyn Site, id: &str) -> ImportRecord {
    site.import(id.to_owned()).await.unwrap().unwrap()
}

pub(crate) async fn counts_what_a_live_import_has_before_it_is_finished(site: &dyn Site) {
    begin_live(site, "i-live", "live").await;
    let seen = |at_ms| vec![used("k", "live", 10, Known::Seen(at_ms))];
    assert_eq!(rows(site, "i-live", 1, seen(20)).await, taken(2));
    assert_eq!(counted(site, "live").await, [(10, Known::Seen(20))]);
    assert_eq!(rows(site, "i-live", 2, seen(30)).await, taken(3));
    assert_eq!(rows(site, "i-live", 2, seen(40)).await, taken(3));
    assert_eq!(counted(site, "live").await, [(10, Known::Seen(30))]);
    // A log of the same source that is imported meanwhile knows more.
    let ended = vec![used("k", "live", 10, Known::Ended(35))];
    assert_eq!(import(site, "i-beside", "live", ended).await, (0, 0, 1));
    assert_eq!(rows(site, "i-live", 3, seen(50)).await, taken(4));
    assert_eq!(counted(site, "live").await, [(10, Known::Ended(35))]);
    assert!(record(site, "i-live").await.live);

    assert_eq!(counts(finish(site, "i-live", 3).await), (1, 1, 1));
    assert!(!record(site, "i-live").await.live);
    assert_eq!(rows(site, "i-live", 4, seen(60)).await, RowsTaken::Finished);
    removed(site, "i-beside").await;
    assert_eq!(counted(site, "live").await, [(10, Known::Seen(30))]);
    removed(site, "i-live").await;
    assert_eq!(counted(site, "live").await, []);
    clean(site, 0).await;
}

pub(crate) async fn ends_a_live_import_into_which_nothing_comes(site: &dyn Site) {
    begin_live(site, "i-left", "left").await;
    let batch = |number, told_ms| ImportBatch {
        id: "i-left".to_owned(),
        number,
        at_ms: 1_000,
        rows: vec![used("k", "left", 10, Known::Ended(20))],
        told_ms,
    };
    let told = batch(1, Some((5, 20)));
    assert_eq!(site.import_rows(told).await.unwrap(), taken(2));
    let told = batch(2, Some((7, 90)));
    assert_eq!(site.import_rows(told).await.unwrap(), taken(3));
    clean(site, 1_000).await;
    assert!(record(site, "i-left").await.live);
    clean(site, 1_001).await;
    let left = record(site, "i-left").await;
    assert_eq!((left.live, left.finished_ms), (false, Some(1_000)));
    assert_eq!(counted(site, "left").await, [(10, Known::Ended(20))]);
    let late = batch(3, None);
    assert_eq!(site.import_rows(late).await.unwrap(), RowsTaken::Finished);
    removed(site, "i-left").await;
    clean(site, 0).await;
}
