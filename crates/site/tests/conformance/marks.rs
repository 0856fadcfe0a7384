//! What is marked on PostgreSQL after a restore of a server with much history: in pieces, because a
//! statement that takes long is ended.

use usher_site::{
    Appended, Ended, EndedDenial, EndedSession, HistoryBatch, HistoryItem, Made, Overdue, Point,
    Retained, Run, Site, SiteError,
};
use usher_testing::postgres::Postgres;

use crate::postgres::{begun, sql};

/// More than are looked at in one transaction.
const MANY: u64 = 7_000;
/// What is left on the server.
const LEFT: u64 = 10;

fn point(incarnation: u32, event: u64) -> Point {
    Point { incarnation, event }
}

fn item(at: Point, what: Ended) -> HistoryItem {
    HistoryItem {
        at,
        product: "cad".to_owned(),
        person: "P".to_owned(),
        computer: "C".to_owned(),
        what,
    }
}

fn denial(incarnation: u32, event: u64) -> HistoryItem {
    let what = EndedDenial {
        key: Made { incarnation, event },
        seats: 1,
        reason: "no_seat".to_owned(),
        count: 1,
        retries: 0,
        waits: None,
        first_ms: 1_000,
        last_ms: 1_000,
    };
    item(point(incarnation, event), Ended::Denial(what))
}

fn session(event: u64) -> HistoryItem {
    let what = EndedSession {
        key: Run {
            computer: "pc1".to_owned(),
            incarnation: 1,
            session: event,
        },
        program: "cad.bin".to_owned(),
        version: None,
        real_person: None,
        started_ms: 1_000,
        ended_ms: 2_000,
        duration_ms: 1_000,
        unseated_ms: 0,
        lease: None,
    };
    item(point(1, event), Ended::Session(what))
}

fn batch(asked: Option<Point>, from: Option<Point>, items: Vec<HistoryItem>) -> HistoryBatch {
    let through = items.last().unwrap().at;
    HistoryBatch {
        server: "s1".to_owned(),
        asked,
        from,
        through,
        cursor: format!("{through:?}"),
        head_event: through.event,
        at_ms: 9_000,
        people: Vec::new(),
        computers: Vec::new(),
        items,
    }
}

/// All refusals of the first life: one an event.
async fn refuse_many(site: &dyn Site) {
    let items = (1..=MANY).map(|event| denial(1, event)).collect();
    let done = site.append_history(batch(None, None, items)).await.unwrap();
    assert_eq!(done.added, MANY);
}

/// The server was restored from a copy at its event [`LEFT`], and another life began.
async fn restored(site: &dyn Site) -> Result<Appended, SiteError> {
    let (asked, from) = (Some(point(1, MANY)), Some(point(1, LEFT)));
    let items = vec![denial(2, LEFT + 5)];
    site.append_history(batch(asked, from, items)).await
}

/// Has statements that change refusals checked by the body of a function in PL/pgSQL.
fn check_changes(cluster: &Postgres, table: &str, body: &str) {
    sql(
        cluster,
        &format!(
            "CREATE OR REPLACE FUNCTION checked() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN {body} RETURN NULL; END $$; \
             CREATE TRIGGER checked AFTER UPDATE ON {table} REFERENCING NEW TABLE AS changed \
             FOR EACH STATEMENT EXECUTE FUNCTION checked();"
        ),
    );
}

fn gone(cluster: &Postgres, table: &str) -> u64 {
    let query = format!("SELECT count(*) FROM {table} WHERE gone_ms IS NOT NULL");
    sql(cluster, &query).parse().unwrap()
}

#[tokio::test]
async fn a_restore_of_a_big_server_is_marked_by_statements_that_each_change_few_rows() {
    let (cluster, site) = begun().await;
    refuse_many(&site).await;
    let sessions = (1..=MANY).map(|event| session(MANY + event)).collect();
    let last = Some(point(1, MANY));
    site.append_history(batch(last, last, sessions))
        .await
        .unwrap();
    for table in ["history_denials", "history_session_keys"] {
        let body = "IF (SELECT count(*) FROM changed) > 5000 \
                    THEN RAISE EXCEPTION 'too many rows at once'; END IF;";
        check_changes(&cluster, table, body);
    }
    let (asked, from) = (Some(point(1, 2 * MANY)), Some(point(1, LEFT)));
    let items = vec![denial(2, LEFT + 5)];
    let done = site.append_history(batch(asked, from, items)).await;
    let done = done.unwrap();
    assert_eq!((done.added, done.gone), (1, 2 * MANY - LEFT));
    assert_eq!(gone(&cluster, "history_denials"), MANY - LEFT);
    assert_eq!(gone(&cluster, "history_session_keys"), MANY);
    assert_eq!(sql(&cluster, "SELECT count(*) FROM history_marks"), "0");
}

/// Of the second statement that changes refusals.
const CUT_OFF: &str = "IF nextval('changes') = 2 THEN RAISE EXCEPTION 'cut off'; END IF;";

#[tokio::test]
async fn marking_that_is_cut_off_goes_on_where_it_was() {
    let (cluster, site) = begun().await;
    refuse_many(&site).await;
    sql(&cluster, "CREATE SEQUENCE changes");
    check_changes(&cluster, "history_denials", CUT_OFF);
    let failed = restored(&site).await.unwrap_err().to_string();
    assert!(failed.contains("cut off"), "{failed}");
    let first = gone(&cluster, "history_denials");
    assert!(first > 0 && first < MANY - LEFT, "{first}");
    // Nothing of the batch is there, and the place is the one before.
    let places = site.collected("s1".to_owned()).await.unwrap();
    let places: Vec<Point> = places.iter().map(|it| it.point).collect();
    assert_eq!(places, [point(1, MANY)]);
    let done = restored(&site).await.unwrap();
    assert_eq!((done.added, done.gone), (1, MANY - LEFT));
    assert_eq!(gone(&cluster, "history_denials"), MANY - LEFT);
}

#[tokio::test]
async fn marking_that_is_cut_off_is_taken_back_if_the_server_has_all_of_it_again() {
    let (cluster, site) = begun().await;
    refuse_many(&site).await;
    sql(&cluster, "CREATE SEQUENCE changes");
    check_changes(&cluster, "history_denials", CUT_OFF);
    restored(&site).await.unwrap_err();
    assert!(gone(&cluster, "history_denials") > 0);
    // The restore was of the wrong copy: what the server had before is put back.
    let last = Some(point(1, MANY));
    let items = vec![denial(1, MANY + 1)];
    let done = site.append_history(batch(last, last, items)).await;
    assert_eq!(done.unwrap().added, 1);
    assert_eq!(gone(&cluster, "history_denials"), 0);
}

/// Between two transactions of one append.
#[tokio::test]
async fn marking_ends_with_the_lead_and_nothing_of_the_history_changes_under_the_next() {
    let (cluster, site) = begun().await;
    refuse_many(&site).await;
    sql(&cluster, "CREATE SEQUENCE changes");
    let passes = "IF nextval('changes') = 1 THEN \
                  UPDATE site_leader SET epoch = epoch + 1, holder = 'another'; END IF;";
    check_changes(&cluster, "history_denials", passes);
    let refused = restored(&site).await;
    assert!(
        matches!(refused, Err(SiteError::NotLeading(_))),
        "{refused:?}"
    );
    let first = gone(&cluster, "history_denials");
    assert!(first > 0 && first < MANY - LEFT, "{first}");
    let overdue = Overdue {
        what: Retained::Denials,
        before_ms: 5_000,
        limit: 7,
    };
    let refused = site.retire(overdue).await;
    assert!(
        matches!(refused, Err(SiteError::NotLeading(_))),
        "{refused:?}"
    );
    assert_eq!(sql(&cluster, "SELECT count(*) FROM retained"), "0");
    let denials = sql(&cluster, "SELECT count(*) FROM history_denials");
    assert_eq!(denials, MANY.to_string());
}
