//! Imports: what their rows say counts once they are finished, each key of a source once, and an import
//! can be taken out again.

mod any;
pub(crate) mod figures;
pub(crate) mod live;
pub(crate) mod now;
mod states;

use usher_site::{
    Begun, CountedElsewhere, Elsewhere, ElsewhereRow, ElsewhereUse, Finish, Holder, ImportBatch,
    ImportEnd, ImportRecord, NewImport, OPEN_IMPORTS_LIMIT, RowsTaken, Site, SqliteSite, UsesAsked,
};

use crate::common::*;

/// Until when a use was seen, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Seen(i64),
    Runs,
    Ended(i64),
}

fn used(key: &str, product: &str, started_ms: i64, known: Known) -> ElsewhereRow {
    let (ended_ms, seen_ms) = match known {
        Known::Seen(at_ms) => (None, Some(at_ms)),
        Known::Runs => (None, None),
        Known::Ended(at_ms) => (Some(at_ms), None),
    };
    ElsewhereRow {
        key: key.to_owned(),
        what: Elsewhere::Use(ElsewhereUse {
            product: product.to_owned(),
            holder: Holder {
                user: "ann".to_owned(),
                computer: "pc1".to_owned(),
            },
            seats: 2,
            program: None,
            version: Some("7.0".to_owned()),
            started_ms,
            ended_ms,
            seen_ms,
            ending: None,
        }),
    }
}

async fn begin(site: &dyn Site, id: &str, source: &str, at_ms: i64) {
    begin_import(site, (id, source, "flexnet-log"), at_ms).await;
}

async fn begin_of_kind(site: &dyn Site, id: &str, source: &str, kind: &str) {
    begin_import(site, (id, source, kind), 1_000).await;
}

async fn begin_import(site: &dyn Site, (id, source, kind): (&str, &str, &str), at_ms: i64) {
    let new = NewImport {
        id: id.to_owned(),
        request: None,
        kind: kind.to_owned(),
        source: source.to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
        at_ms,
        live: false,
    };
    assert_eq!(site.begin_import(new).await.unwrap(), Begun::New);
}

async fn rows(site: &dyn Site, id: &str, number: u64, rows: Vec<ElsewhereRow>) -> RowsTaken {
    let batch = ImportBatch {
        id: id.to_owned(),
        number,
        at_ms: 1_000,
        rows,
        told_ms: None,
    };
    site.import_rows(batch).await.unwrap()
}

fn taken(next_number: u64) -> RowsTaken {
    RowsTaken::Taken { next_number }
}

async fn finish(site: &dyn Site, id: &str, bodies: u64) -> Finish {
    let end = ImportEnd {
        id: id.to_owned(),
        bodies,
        summary: format!("what {id} says"),
        from_ms: Some(0),
        to_ms: Some(9_000),
        at_ms: 2_000,
    };
    site.finish_import(end).await.unwrap()
}

/// A whole import of one body; added, already there, completed.
async fn import(
    site: &dyn Site,
    id: &str,
    source: &str,
    with: Vec<ElsewhereRow>,
) -> (u64, u64, u64) {
    begin(site, id, source, 1_000).await;
    assert_eq!(rows(site, id, 1, with).await, taken(2));
    counts(finish(site, id, 1).await)
}

fn counts(finish: Finish) -> (u64, u64, u64) {
    let Finish::Done { import, .. } = finish else {
        panic!("it is not finished: {finish:?}");
    };
    (import.added, import.already_there, import.completed)
}

async fn listed(site: &dyn Site, product: &str) -> Vec<CountedElsewhere> {
    let asked = UsesAsked {
        product: product.to_owned(),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        after: None,
        limit: 1_000,
    };
    site.uses_elsewhere(asked).await.unwrap()
}

/// What counts of a product: starts, and until when each use is known.
async fn counted(site: &dyn Site, product: &str) -> Vec<(i64, Known)> {
    let known = |it: &CountedElsewhere| match (it.ended_ms, it.seen_ms) {
        (Some(at_ms), _) => Known::Ended(at_ms),
        (None, Some(at_ms)) => Known::Seen(at_ms),
        (None, None) => Known::Runs,
    };
    let uses = listed(site, product).await;
    let mut uses: Vec<_> = uses.iter().map(|it| (it.started_ms, known(it))).collect();
    uses.sort_by_key(|it| it.0);
    uses
}

async fn removed(site: &dyn Site, id: &str) -> Option<ImportRecord> {
    site.remove_import(id.to_owned()).await.unwrap()
}

async fn clean(site: &dyn Site, untouched_ms: i64) {
    while site.clean_imports(untouched_ms, 2).await.unwrap() > 0 {}
}

pub(crate) async fn takes_rows_in_their_order_and_once(site: &dyn Site) {
    assert_eq!(
        rows(site, "i-none", 1, Vec::new()).await,
        RowsTaken::Unknown
    );
    assert_eq!(finish(site, "i-none", 0).await, Finish::Unknown);
    assert_eq!(removed(site, "i-none").await, None);
    begin(site, "i-order", "order", 900).await;
    let first = || vec![used("a", "order", 10, Known::Ended(20))];
    let second = || vec![used("b", "order", 30, Known::Ended(40))];
    let missing = RowsTaken::Missing { next_number: 1 };
    assert_eq!(rows(site, "i-order", 2, second()).await, missing);
    assert_eq!(rows(site, "i-order", 1, first()).await, taken(2));
    assert_eq!(rows(site, "i-order", 1, first()).await, taken(2));
    assert_eq!(rows(site, "i-order", 2, second()).await, taken(3));
    assert_eq!(rows(site, "i-order", 1, first()).await, taken(3));
    for bodies in [0, 1, 3] {
        let missing = Finish::Missing { next_number: 3 };
        assert_eq!(finish(site, "i-order", bodies).await, missing);
    }
    assert_eq!(counted(site, "order").await, []);
    let expected = ImportRecord {
        number: 0,
        id: "i-order".to_owned(),
        kind: "flexnet-log".to_owned(),
        source: "order".to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
        begun_ms: 900,
        finished_ms: Some(2_000),
        live: false,
        next_number: 3,
        added: 2,
        already_there: 0,
        completed: 0,
        summary: Some("what i-order says".to_owned()),
    };
    for is_new in [true, false] {
        let done = finish(site, "i-order", 2).await;
        let Finish::Done { import, is_new: it } = done else {
            panic!("it is not finished: {done:?}");
        };
        assert_eq!(it, is_new);
        let expected = ImportRecord {
            number: import.number,
            ..expected.clone()
        };
        assert_eq!(import, expected);
        let found = site.import("i-order".to_owned()).await.unwrap();
        assert_eq!(found, Some(expected));
    }
    assert_eq!(rows(site, "i-order", 2, second()).await, taken(3));
    assert_eq!(
        rows(site, "i-order", 3, second()).await,
        RowsTaken::Finished
    );
    let all = [(10, Known::Ended(20)), (30, Known::Ended(40))];
    assert_eq!(counted(site, "order").await, all);
}

pub(crate) async fn adds_of_the_same_or_a_grown_file_only_what_is_new(site: &dyn Site) {
    let of = |many: usize| {
        let row = |at: usize| {
            let started_ms = 10 * i64::try_from(at).unwrap();
            used(
                &format!("k{at}"),
                "grown",
                started_ms,
                Known::Ended(started_ms + 5),
            )
        };
        (0..many).map(row).collect::<Vec<_>>()
    };
    assert_eq!(import(site, "i-grown", "grown", of(3)).await, (3, 0, 0));
    assert_eq!(import(site, "i-same", "grown", of(3)).await, (0, 3, 0));
    assert_eq!(import(site, "i-more", "grown", of(5)).await, (2, 3, 0));
    assert_eq!(counted(site, "grown").await.len(), 5);
    // A key is compared within its source.
    assert_eq!(import(site, "i-else", "grown-2", of(1)).await, (1, 0, 0));
    let uses = listed(site, "grown").await;
    assert_eq!(uses.len(), 6);
    let one = &uses[0];
    assert_eq!((one.seats, &*one.source), (2, "grown"));
    assert!(one.person.is_some() && one.computer.is_some());
    // It is the same person and computer in whatever file.
    let is_same = |it: &CountedElsewhere| (it.person, it.computer) == (one.person, one.computer);
    assert!(uses.iter().all(is_same), "{uses:?}");
    let asked = |from_ms, to_ms, after: Option<&CountedElsewhere>| UsesAsked {
        product: "grown".to_owned(),
        from_ms,
        to_ms,
        after: after.map(|it| (it.started_ms, it.number)),
        limit: 2,
    };
    let page = site.uses_elsewhere(asked(0, 100, None)).await.unwrap();
    assert_eq!(page, uses[..2]);
    let page = site.uses_elsewhere(asked(0, 100, page.last())).await;
    assert_eq!(page.unwrap(), uses[2..4]);
    let page = site.uses_elsewhere(asked(15, 30, None)).await.unwrap();
    let starts: Vec<i64> = page.iter().map(|it| it.started_ms).collect();
    assert_eq!(starts, [20], "what ended at 15 does not last then");
}

pub(crate) async fn completes_what_had_no_end(site: &dyn Site) {
    let row = |known| vec![used("a", "done", 10, known)];
    let steps = [
        ("i-1", Known::Seen(50), (1, 0, 0)),
        ("i-2", Known::Seen(50), (0, 1, 0)),
        ("i-3", Known::Seen(80), (0, 0, 1)),
        ("i-4", Known::Seen(60), (0, 1, 0)),
        ("i-5", Known::Runs, (0, 0, 1)),
        ("i-6", Known::Ended(90), (0, 0, 1)),
        // What is known stays.
        ("i-7", Known::Ended(95), (0, 1, 0)),
        ("i-8", Known::Runs, (0, 1, 0)),
    ];
    for (id, known, expected) in steps {
        assert_eq!(
            import(site, id, "done", row(known)).await,
            expected,
            "{id} {known:?}"
        );
    }
    assert_eq!(counted(site, "done").await, [(10, Known::Ended(90))]);
    // Without what completed it, it is as it was.
    assert!(removed(site, "i-6").await.is_some());
    assert_eq!(counted(site, "done").await, [(10, Known::Runs)]);
    // What added it is taken out, and what completed it has all that it says.
    assert!(removed(site, "i-1").await.is_some());
    assert_eq!(counted(site, "done").await, [(10, Known::Runs)]);
    assert!(removed(site, "i-5").await.is_some());
    assert_eq!(counted(site, "done").await, []);
    clean(site, 0).await;
    // In one import a row may come again, too.
    begin(site, "i-9", "done", 1_000).await;
    for (number, known) in [(1, Known::Seen(20)), (2, Known::Ended(30))] {
        rows(site, "i-9", number, row(known)).await;
    }
    assert_eq!(counts(finish(site, "i-9", 2).await), (1, 0, 1));
    assert_eq!(counted(site, "done").await, [(10, Known::Ended(30))]);
}

pub(crate) async fn counts_nothing_of_what_was_never_finished_and_removes_it(site: &dyn Site) {
    let all = || {
        let row = |key| used(key, "never", 10, Known::Ended(20));
        vec![row("a"), row("b"), row("c")]
    };
    begin(site, "i-killed", "never", 500).await;
    assert_eq!(rows(site, "i-killed", 1, all()).await, taken(2));
    assert_eq!(counted(site, "never").await, []);
    // The same file once more: nothing of it is there.
    assert_eq!(import(site, "i-again", "never", all()).await, (3, 0, 0));
    assert_eq!(counted(site, "never").await.len(), 3);
    // It was given rows at 1,000.
    clean(site, 1_000).await;
    assert_eq!(rows(site, "i-killed", 1, all()).await, taken(2));
    clean(site, 1_001).await;
    assert_eq!(
        rows(site, "i-killed", 2, all()).await,
        RowsTaken::Unknown,
        "it was given nothing since then"
    );
    assert_eq!(finish(site, "i-killed", 1).await, Finish::Unknown);
    assert_eq!(site.import("i-killed".to_owned()).await.unwrap(), None);
    assert_eq!(counted(site, "never").await.len(), 3);
}

pub(crate) async fn counts_once_what_two_imports_bring_side_by_side(site: &dyn Site) {
    let first = || used("a", "twice", 10, Known::Ended(20));
    let open = |known| used("b", "twice", 30, known);
    for id in ["i-left", "i-right"] {
        begin(site, id, "twice", 1_000).await;
    }
    rows(site, "i-left", 1, vec![first(), open(Known::Ended(70))]).await;
    rows(site, "i-right", 1, vec![first(), open(Known::Seen(60))]).await;
    assert_eq!(counts(finish(site, "i-right", 1).await), (2, 0, 0));
    let early = [(10, Known::Ended(20)), (30, Known::Seen(60))];
    assert_eq!(counted(site, "twice").await, early);
    // Of what was not there when it came it says that it is new; it counts once all the same.
    assert_eq!(counts(finish(site, "i-left", 1).await), (2, 0, 0));
    let both = [(10, Known::Ended(20)), (30, Known::Ended(70))];
    assert_eq!(counted(site, "twice").await, both);
    removed(site, "i-left").await;
    assert_eq!(counted(site, "twice").await, early);
    clean(site, 0).await;
    assert_eq!(counted(site, "twice").await, early);
    removed(site, "i-right").await;
    assert_eq!(counted(site, "twice").await, []);
}

pub(crate) async fn takes_an_import_out_and_in_again(site: &dyn Site) {
    let row = |key: &str| used(key, "out", 10, Known::Ended(20));
    let two = || vec![row("a"), row("b")];
    assert_eq!(import(site, "i-out", "out", two()).await, (2, 0, 0));
    let three = vec![row("a"), row("b"), row("c")];
    assert_eq!(import(site, "i-later", "out", three).await, (1, 2, 0));
    let was = removed(site, "i-out").await.unwrap();
    assert_eq!((was.added, was.next_number), (2, 2));
    assert_eq!(removed(site, "i-out").await, None);
    assert_eq!(site.import("i-out".to_owned()).await.unwrap(), None);
    // Exactly what it had added is gone.
    assert_eq!(counted(site, "out").await.len(), 1);
    // Whether its rows are removed by now or not.
    assert_eq!(import(site, "i-in", "out", two()).await, (2, 0, 0));
    removed(site, "i-in").await;
    clean(site, 0).await;
    assert_eq!(import(site, "i-in-2", "out", two()).await, (2, 0, 0));
    assert_eq!(counted(site, "out").await.len(), 3);
}

pub(crate) async fn begins_an_import_once_for_a_request(site: &dyn Site) {
    let begin = async |id: &str, request: &str, source: &str, time_zone: Option<&str>| {
        let new = NewImport {
            id: id.to_owned(),
            request: Some(request.to_owned()),
            kind: "lmstat".to_owned(),
            source: source.to_owned(),
            time_zone: time_zone.map(str::to_owned),
            at_ms: 1_000,
            live: false,
        };
        site.begin_import(new).await.unwrap()
    };
    let again = |id: &str| Begun::Again { id: id.to_owned() };
    assert_eq!(begin("i-r1", "r1", "asked", None).await, Begun::New);
    assert_eq!(begin("i-r2", "r1", "asked", None).await, again("i-r1"));
    assert_eq!(begin("i-r3", "r1", "other", None).await, Begun::Other);
    assert_eq!(
        begin("i-r4", "r1", "asked", Some("UTC")).await,
        Begun::Other
    );
    assert_eq!(begin("i-r5", "r2", "asked", Some("UTC")).await, Begun::New);
    assert_eq!(
        begin("i-r6", "r2", "asked", Some("UTC")).await,
        again("i-r5")
    );
    for id in ["i-r1", "i-r5"] {
        removed(site, id).await;
    }
    clean(site, 0).await;
    // It is as long known as the import.
    assert_eq!(begin("i-r7", "r1", "asked", None).await, Begun::New);
    removed(site, "i-r7").await;
    clean(site, 0).await;
}

pub(crate) async fn lists_imports_the_newest_first(site: &dyn Site) {
    let page = async |below, limit| site.imports(below, limit).await.unwrap();
    let before = page(None, 1_000).await.len();
    for id in ["i-x", "i-y", "i-z"] {
        begin(site, id, "listed", 1_000).await;
    }
    finish(site, "i-y", 0).await;
    removed(site, "i-x").await;
    let newest = page(None, 2).await;
    let ids: Vec<&str> = newest.iter().map(|it| &*it.id).collect();
    assert_eq!(ids, ["i-z", "i-y"]);
    assert_eq!(newest[1].finished_ms, Some(2_000));
    assert_eq!(newest[1].summary, None, "lists leave it out");
    let rest = page(Some(newest[1].number), 1_000).await;
    assert_eq!(rest.len(), before);
    assert!(rest.iter().all(|it| it.number < newest[1].number));
    removed(site, "i-z").await;
    clean(site, 0).await;
}

pub(crate) async fn has_room_for_so_many_imports_that_are_not_finished(site: &dyn Site) {
    let begin = async |id: String| {
        let new = NewImport {
            id,
            request: None,
            kind: "lmstat".to_owned(),
            source: "many".to_owned(),
            time_zone: None,
            at_ms: 1_000,
            live: false,
        };
        match site.begin_import(new).await.unwrap() {
            Begun::New => true,
            Begun::Full => false,
            other => panic!("{other:?}"),
        }
    };
    let mut begun = 0;
    while begin(format!("i-many-{begun}")).await {
        begun += 1;
        assert!(begun <= OPEN_IMPORTS_LIMIT);
    }
    finish(site, "i-many-0", 0).await;
    assert!(begin("i-one-more".to_owned()).await);
    assert!(!begin("i-too-many".to_owned()).await);
    clean(site, i64::MAX).await;
    assert!(begin("i-now".to_owned()).await);
}

pub(crate) async fn forgets_an_import_that_brought_nothing_once_a_later_one_tells_of_its_time(
    site: &dyn Site,
) {
    let same = || vec![used("k", "again", 10, Known::Ended(20))];
    for id in ["i-again-1", "i-again-2", "i-again-3"] {
        import(site, id, "again", same()).await;
    }
    let known = async || {
        let mut known = Vec::new();
        for id in ["i-again-1", "i-again-2", "i-again-3"] {
            known.push(site.import(id.to_owned()).await.unwrap().is_some());
        }
        known
    };
    clean(site, 2_000).await;
    assert_eq!(known().await, [true, true, true], "it is not a day ago");
    clean(site, 2_001).await;
    assert_eq!(known().await, [true, false, true]);
    assert_eq!(counted(site, "again").await, [(10, Known::Ended(20))]);
}

#[tokio::test]
async fn rows_are_taken_in_whole_or_not_at_all() {
    let (folder, site) = embedded();
    begin(&site, "i-whole", "whole", 1_000).await;
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON import_uses WHEN new.key = 'b' \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END;";
    connection.execute_batch(fails).unwrap();
    let both = || {
        let row = |key| used(key, "whole", 10, Known::Ended(20));
        vec![row("a"), row("b")]
    };
    let batch = ImportBatch {
        id: "i-whole".to_owned(),
        number: 1,
        at_ms: 1_000,
        rows: both(),
        told_ms: None,
    };
    let failed = site.import_rows(batch).await.unwrap_err();
    assert!(failed.to_string().contains("no room"), "{failed}");
    connection.execute_batch("DROP TRIGGER fails;").unwrap();
    assert_eq!(rows(&site, "i-whole", 1, both()).await, taken(2));
    // It is killed between rows and finish, and goes on.
    drop(site);
    let again = SqliteSite::open(folder.path()).unwrap();
    assert_eq!(rows(&again, "i-whole", 1, both()).await, taken(2));
    assert_eq!(counts(finish(&again, "i-whole", 1).await), (2, 0, 0));
    assert_eq!(counted(&again, "whole").await.len(), 2);
}
