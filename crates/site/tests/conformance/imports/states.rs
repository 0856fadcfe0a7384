//! The kinds of rows in the embedded engine's tables: what counts of each is in its view.

use usher_site::{
    ElsewhereDenial, ElsewhereEntitlement, ElsewhereLevel, ElsewhereLimit, ElsewherePeak,
    ElsewhereSilence, ElsewhereSum, ElsewhereWait, IMPORTS_LIMIT,
};

use super::*;
use crate::postgres;

fn holder() -> Holder {
    Holder {
        user: "ann".to_owned(),
        computer: String::new(),
    }
}

fn row(key: &str, what: Elsewhere) -> ElsewhereRow {
    ElsewhereRow {
        key: key.to_owned(),
        what,
    }
}

fn owned(key: &str, seats: u32) -> ElsewhereRow {
    let what = ElsewhereEntitlement {
        product: "MLM:Simulink".to_owned(),
        version: Some("45".to_owned()),
        seats: Some(seats),
        overdraft: 0,
        from_day: None,
        to_day: Some("2027-01-31".to_owned()),
        grouping: Some("UHD".to_owned()),
        host_id: None,
        components: vec!["MLM:A".to_owned()],
        set_aside: None,
        note: None,
    };
    row(key, Elsewhere::Entitlement(what))
}

fn sum(seconds: u64) -> ElsewhereRow {
    let what = ElsewhereSum {
        product: "cad".to_owned(),
        user: None,
        computer: Some("pc1".to_owned()),
        version: None,
        from_ms: Some(0),
        to_ms: Some(100),
        starts: Some(1),
        seconds: Some(seconds),
        users: None,
        last_used_ms: None,
    };
    row("s", Elsewhere::Sum(what))
}

fn each_kind() -> Vec<ElsewhereRow> {
    let denial = ElsewhereDenial {
        product: "cad".to_owned(),
        holder: holder(),
        seats: 1,
        version: None,
        at_ms: 30,
        reason: "no_seat".to_owned(),
        words: "all are in use".to_owned(),
    };
    let wait = ElsewhereWait {
        product: "cad".to_owned(),
        holder: holder(),
        seats: 1,
        queued_ms: 30,
        ended_ms: Some(40),
        seen_ms: None,
        granted: Some(true),
    };
    let level = ElsewhereLevel {
        product: "cad".to_owned(),
        server: None,
        at_ms: 30,
        issued: Some(u64::MAX),
        in_use: None,
        reserved: 2,
        queued: 0,
        trouble: None,
    };
    let silence = ElsewhereSilence {
        from_ms: 50,
        to_ms: 50,
        server: Some("27000@lic1".to_owned()),
        daemon: None,
        why: None,
    };
    let peak = ElsewherePeak {
        product: None,
        daemon: Some("MLM".to_owned()),
        seats: 7,
        at_ms: None,
    };
    let limit = ElsewhereLimit {
        product: None,
        rule: "reserve".to_owned(),
        amount: Some(2),
        whom: Some("group staff".to_owned()),
        text: "Two seats are reserved for the group staff.".to_owned(),
    };
    // One key may be of several kinds.
    vec![
        used("a", "cad", 10, Known::Ended(20)),
        row("a", Elsewhere::Denial(denial)),
        row("a", Elsewhere::Wait(wait)),
        row("a", Elsewhere::Level(level)),
        sum(60),
        row("a", Elsewhere::Silence(silence)),
        row("a", Elsewhere::Peak(peak)),
        owned("a", 5),
        row("a", Elsewhere::Limit(limit)),
    ]
}

const VIEWS: [&str; 9] = [
    "uses",
    "denials",
    "waits",
    "levels",
    "sums",
    "silences",
    "peaks",
    "entitlements",
    "limits",
];

fn number(folder: &tempfile::TempDir, query: &str) -> i64 {
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

fn all_are(folder: &tempfile::TempDir, prefix: &str, many: i64) {
    for view in VIEWS {
        let query = format!("SELECT count(*) FROM {prefix}_{view}");
        assert_eq!(number(folder, &query), many, "{prefix}_{view}");
    }
}

#[tokio::test]
async fn each_kind_of_row_counts_once_and_is_removed_with_its_import() {
    let (folder, site) = embedded();
    assert_eq!(import(&site, "i-1", "s", each_kind()).await, (9, 0, 0));
    all_are(&folder, "elsewhere", 1);
    assert_eq!(import(&site, "i-2", "s", each_kind()).await, (0, 9, 0));
    all_are(&folder, "elsewhere", 1);
    let span = "SELECT count(*) FROM elsewhere_spans WHERE from_ms = 0 AND to_ms = 9000";
    assert_eq!(number(&folder, span), 2);
    // Nobody is named if the file names nobody.
    let nobody = "SELECT count(*) FROM elsewhere_denials WHERE computer IS NULL AND person > 0";
    assert_eq!(number(&folder, nobody), 1);
    for id in ["i-1", "i-2"] {
        removed(&site, id).await;
    }
    all_are(&folder, "elsewhere", 0);
    clean(&site, 0).await;
    all_are(&folder, "import", 0);
    assert_eq!(number(&folder, "SELECT count(*) FROM imports"), 0);
}

#[tokio::test]
async fn what_is_owned_is_what_the_last_finished_import_of_a_source_and_kind_says() {
    let (folder, site) = embedded();
    let seats = || number(&folder, "SELECT sum(seats) FROM elsewhere_entitlements");
    let first = vec![owned("a", 5), owned("b", 7)];
    assert_eq!(import(&site, "i-1", "s", first).await, (2, 0, 0));
    assert_eq!(seats(), 12);
    begin(&site, "i-open", "s", 1_000).await;
    rows(&site, "i-open", 1, vec![owned("z", 100)]).await;
    assert_eq!(seats(), 12);
    // One that is no longer in the file is no longer owned.
    let second = vec![owned("b", 7), owned("c", 1)];
    assert_eq!(import(&site, "i-2", "s", second).await, (1, 1, 0));
    assert_eq!(seats(), 8);
    removed(&site, "i-2").await;
    assert_eq!(seats(), 12);
    finish(&site, "i-open", 1).await;
    assert_eq!(seats(), 100);
    for number in 0..20 {
        let rows = vec![owned("a", number)];
        import(&site, &format!("i-n{number}"), "s", rows).await;
    }
    assert_eq!(seats(), 19);
    let kept = number(&folder, "SELECT count(*) FROM import_entitlements");
    assert!(kept <= 10, "{kept} states are kept");
}

#[tokio::test]
async fn a_sum_of_a_month_that_was_not_over_is_completed() {
    let (folder, site) = embedded();
    let seconds = || number(&folder, "SELECT sum(seconds) FROM elsewhere_sums");
    assert_eq!(import(&site, "i-1", "s", vec![sum(60)]).await, (1, 0, 0));
    assert_eq!(import(&site, "i-2", "s", vec![sum(90)]).await, (0, 0, 1));
    assert_eq!(seconds(), 90);
    assert_eq!(import(&site, "i-3", "s", vec![sum(60)]).await, (0, 1, 0));
    removed(&site, "i-2").await;
    assert_eq!(seconds(), 60);
}

#[tokio::test]
async fn a_use_that_is_seen_again_and_again_has_few_rows() {
    let (folder, site) = embedded();
    for at in 0..20 {
        let row = used("a", "cad", 10, Known::Seen(100 + at));
        import(&site, &format!("i-{at}"), "s", vec![row]).await;
    }
    assert_eq!(counted(&site, "cad").await, [(10, Known::Seen(119))]);
    let kept = number(&folder, "SELECT count(*) FROM import_uses");
    assert!(kept <= 3, "{kept} rows are kept");
    removed(&site, "i-19").await;
    assert_eq!(counted(&site, "cad").await, [(10, Known::Seen(118))]);
}

/// Each statement is a way there and back, and a body has thousands of rows.
#[tokio::test]
async fn the_rows_of_a_body_are_put_into_postgresql_together() {
    const MANY: i64 = 500;
    let (cluster, site) = postgres::begun().await;
    postgres::sql(
        &cluster,
        "CREATE SEQUENCE changes; CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM nextval('changes'); RETURN NULL; END $$; \
         CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON import_uses \
         FOR EACH STATEMENT EXECUTE FUNCTION counted(); \
         CREATE TRIGGER counted AFTER INSERT OR UPDATE ON history_people \
         FOR EACH STATEMENT EXECUTE FUNCTION counted();",
    );
    let whose = |at: i64, known| {
        let mut row = used(&format!("k{at}"), "many", at, known);
        if let Elsewhere::Use(it) = &mut row.what {
            it.holder.user = format!("u{at}");
        }
        row
    };
    let all = |known: fn(i64) -> Known| (0..MANY).map(|at| whose(at, known(at))).collect();
    let many = u64::try_from(MANY).unwrap();
    let first = import(&site, "i-1", "s", all(|_| Known::Seen(1_000))).await;
    assert_eq!(first, (many, 0, 0));
    let second = import(&site, "i-2", "s", all(|at| Known::Ended(at + 1))).await;
    assert_eq!(second, (0, 0, many));
    let statements = postgres::sql(&cluster, "SELECT last_value FROM changes");
    let statements: u32 = statements.parse().unwrap();
    assert!(statements < 10, "{statements} statements");
    assert_eq!(counted(&site, "many").await.len(), 500);
}

/// Whatever one body says twice: it is as if its rows came one after another.
#[tokio::test]
async fn what_a_body_says_twice_counts_as_on_the_embedded_engine() {
    let body = || {
        vec![
            used("k", "twice", 10, Known::Seen(20)),
            used("k", "twice", 10, Known::Seen(15)),
            used("k", "twice", 10, Known::Ended(30)),
            used("k", "twice", 10, Known::Runs),
            sum(60),
            sum(90),
            sum(80),
            owned("e", 5),
            owned("e", 7),
        ]
    };
    let (_cluster, on_postgres) = postgres::begun().await;
    let (_folder, embedded) = embedded();
    let both: [&dyn Site; 2] = [&on_postgres, &embedded];
    for site in both {
        assert_eq!(import(site, "i-1", "s", body()).await, (3, 4, 2));
        assert_eq!(counted(site, "twice").await, [(10, Known::Ended(30))]);
        let owned = site.owned_elsewhere(None, 10).await.unwrap();
        assert_eq!((owned.len(), owned[0].seats), (1, Some(5)));
    }
}

#[tokio::test]
async fn there_is_room_for_so_many_imports_in_all_and_one_more_is_refused() {
    let (folder, site) = embedded();
    let connection = rusqlite::Connection::open(folder.path().join("site.db")).unwrap();
    let fill = format!(
        "INSERT INTO import_sources (number, source) VALUES (1, 's'); \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {IMPORTS_LIMIT}) \
         INSERT INTO imports (id, kind, source, state, begun_ms, touched_ms, finished_ms, \
         finish_order, next_number, added, already_there, completed) \
         SELECT 'i-' || i, 'lmstat', 1, 1, 1, 1, 1, i, 1, 1, 0, 0 FROM n;"
    );
    connection.execute_batch(&fill).unwrap();
    let new = |id: &str| NewImport {
        id: id.to_owned(),
        request: None,
        kind: "lmstat".to_owned(),
        source: "s".to_owned(),
        time_zone: None,
        at_ms: 1_000,
        live: true,
    };
    let begun = site.begin_import(new("i-more")).await.unwrap();
    assert_eq!(begun, Begun::TooMany);
    removed(&site, "i-7").await;
    clean(&site, 0).await;
    let begun = site.begin_import(new("i-more")).await.unwrap();
    assert_eq!(begun, Begun::New);
}
