//! The engine on PostgreSQL: a real one, started for each test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use usher_core::usage::Bucket;
use usher_site::{
    Appended, Change, Ended, EndedSession, HistoryBatch, HistoryItem, Point, PostgresAddress,
    PostgresSite, Run, Site, SiteError,
};
use usher_testing::postgres::Postgres;

use crate::common::*;
use crate::usage::{asked, found};

/// A database with nothing in it.
pub(crate) async fn begun() -> (Postgres, PostgresSite) {
    let cluster = Postgres::start().unwrap();
    let site = opened(&cluster, "postgres").await.unwrap();
    (cluster, site)
}

pub(crate) fn address(cluster: &Postgres, database: &str) -> PostgresAddress {
    PostgresAddress::parse(&cluster.url(database)).unwrap()
}

/// As the manager that leads.
pub(crate) async fn opened(cluster: &Postgres, database: &str) -> Result<PostgresSite, SiteError> {
    let site = PostgresSite::open(address(cluster, database)).await?;
    let lead = crate::leading::lead(&site, crate::leading::LONG).await;
    Ok(site.under(Some(lead)))
}

pub(crate) fn sql(cluster: &Postgres, sql: &str) -> String {
    cluster.sql("postgres", sql).unwrap()
}

#[tokio::test]
async fn what_is_kept_on_postgresql_is_there_after_a_restart() {
    let (cluster, site) = begun().await;
    site.watch(server("alpha")).await.unwrap();
    // Another database of the same server is another site.
    let database = cluster.database().unwrap();
    let other = opened(&cluster, &database).await.unwrap();
    assert_eq!(other.resume().await.unwrap().servers, []);
    site.give_up_lead(1).await.unwrap();
    drop(site);
    let again = opened(&cluster, "postgres").await.unwrap();
    let servers = again.resume().await.unwrap().servers;
    assert_eq!(servers, [server("alpha")]);
}

#[tokio::test]
async fn tables_on_postgresql_that_another_version_has_made_are_left_as_they_are() {
    let (cluster, site) = begun().await;
    drop(site);
    sql(&cluster, "INSERT INTO site_schema VALUES (99, 'later')");
    let tables = "SELECT count(*), sum(length(made)) FROM site_schema";
    let before = sql(&cluster, tables);
    let newer = opened(&cluster, "postgres").await.err().unwrap();
    assert!(
        matches!(newer, SiteError::Newer { found: 99, .. }),
        "{newer}"
    );
    let said = newer.to_string();
    assert!(
        said.contains("/postgres was written by a newer version"),
        "{said}"
    );
    assert_eq!(sql(&cluster, tables), before);
    sql(&cluster, "DELETE FROM site_schema WHERE step = 99");
    sql(
        &cluster,
        "UPDATE site_schema SET made = 'other' WHERE step = 1",
    );
    let other = opened(&cluster, "postgres").await.err().unwrap();
    assert!(
        matches!(other, SiteError::OtherTables { step: 1, .. }),
        "{other}"
    );
    let first = "SELECT made FROM site_schema WHERE step = 1";
    assert_eq!(sql(&cluster, first), "other");
}

/// Sessions as the first step kept them: the tables are made by its text, which a database keeps.
#[tokio::test]
async fn roll_ups_on_postgresql_are_made_of_what_a_version_with_others_has_collected() {
    let (cluster, site) = begun().await;
    drop(site);
    let step = sql(&cluster, "SELECT made FROM site_schema WHERE step = 1");
    // What reads it takes the line break at its end.
    let step = format!("{step}\n");
    let database = cluster.database().unwrap();
    let made = format!(
        "CREATE TABLE site_schema (step bigint PRIMARY KEY, made text NOT NULL); {step}; \
         INSERT INTO site_schema VALUES (1, $made${step}$made$); \
         INSERT INTO history_products (product) VALUES ('cad'); \
         INSERT INTO history_sessions (computer, agent_incarnation, session, source, product, \
         person, program, started_ms, ended_ms, duration_ms, unseated_ms) \
         SELECT 1, 1, n, 1, 1, n, 'cad.bin', n * 60000, n * 60000 + 90000, 90000, 90000 \
         FROM generate_series(1, 30) n; \
         INSERT INTO history_leases (source, made_in, made_by, incarnation, event, product, seats, \
         kept, granted_ms, ended_ms, held_ms, cause, retry) \
         VALUES (1, 1, 1, 1, 1, 1, 5, false, 60000, 1860000, 1800000, 'checked_in', false);"
    );
    cluster.sql(&database, &made).unwrap();
    let site = opened(&cluster, &database).await.unwrap();
    let all = [Bucket {
        from_ms: 0,
        to_ms: 3_600_000,
    }];
    let items = found(&site, asked("cad", &all, i64::MAX)).await;
    // Two sessions at once, and five seats beside them.
    let figures = (items[0].sessions, items[0].peak, items[0].running_peak);
    assert_eq!(figures, (31, 7, 3));
}

#[tokio::test]
async fn any_text_comes_back_and_ids_are_in_the_order_of_their_bytes() {
    let (_cluster, site) = begun().await;
    let odd = "a\0b\u{10ffff}\u{10ffff}0";
    site.set_tokens(odd.to_owned()).await.unwrap();
    let tokens = site.resume().await.unwrap().tokens;
    assert_eq!(tokens.as_deref(), Some(odd));
    // A text of an agent, and two names that only what PostgreSQL refuses tells apart.
    let names = ["\0", "B", "a", "\u{e4}", "\u{10ffff}"];
    for name in names.iter().rev() {
        site.watch(server(name)).await.unwrap();
    }
    let servers = site.resume().await.unwrap().servers;
    let found: Vec<&str> = servers.iter().map(|it| &*it.name).collect();
    // What was a NUL is behind all others.
    assert_eq!(found, ["B", "a", "\u{e4}", "\0", "\u{10ffff}"]);
    let one = site.watched("\0".to_owned()).await.unwrap();
    assert_eq!(one, Some(server("\0")));
}

#[tokio::test]
async fn what_was_tried_is_told_of_each_host() {
    let cluster = Postgres::start().unwrap();
    let nowhere = "%2Fproc%2Fnone";
    let url = format!("postgres://nobody@{},{nowhere}/postgres", cluster.host());
    let address = PostgresAddress::parse(&url).unwrap();
    let failed = PostgresSite::open(address).await.err().unwrap().to_string();
    for said in [
        "role \"nobody\" does not exist [28000]",
        "/proc/none:5432: ",
        "No such file",
    ] {
        assert!(failed.contains(said), "{failed}");
    }
}

fn session(number: u64, started_ms: i64) -> HistoryItem {
    HistoryItem {
        at: Point {
            incarnation: 1,
            event: number,
        },
        product: "cad".to_owned(),
        person: "P".to_owned(),
        computer: "C".to_owned(),
        what: Ended::Session(EndedSession {
            key: Run {
                computer: "pc1".to_owned(),
                incarnation: 1,
                session: number,
            },
            program: "cad\0bin".to_owned(),
            version: None,
            real_person: None,
            started_ms,
            ended_ms: started_ms + 5,
            duration_ms: 5,
            unseated_ms: 0,
            lease: None,
        }),
    }
}

fn batch(after: Option<u64>, at_ms: i64, items: Vec<HistoryItem>) -> HistoryBatch {
    let point = |event| Point {
        incarnation: 1,
        event,
    };
    let through = items.last().unwrap().at;
    HistoryBatch {
        server: "s1".to_owned(),
        asked: after.map(point),
        from: after.map(point),
        through,
        cursor: through.event.to_string(),
        head_event: through.event,
        at_ms,
        people: Vec::new(),
        computers: Vec::new(),
        items,
    }
}

#[tokio::test]
async fn sessions_are_kept_by_their_days_and_late_ones_apart() {
    const DAY_MS: i64 = 86_400_000;
    let (cluster, site) = begun().await;
    let today = 20_000 * DAY_MS;
    let items = vec![
        session(1, today + 7),
        session(2, today - DAY_MS),
        session(3, 5),
        session(4, today + 900 * DAY_MS),
        session(5, -3),
        session(6, today),
    ];
    let first = batch(None, today, items.clone());
    let done = site.append_history(first).await.unwrap();
    assert_eq!((done.added, done.already), (6, 0));
    let days = "SELECT tableoid::regclass, count(*) FROM history_sessions GROUP BY tableoid \
                ORDER BY tableoid::regclass::text COLLATE \"C\"";
    let expected = "history_sessions_d19999|1\nhistory_sessions_d20000|2\nhistory_sessions_late|3";
    assert_eq!(sql(&cluster, days), expected);
    // A second time none of them is new, whatever it says of its beginning.
    let mut again = items;
    if let Ended::Session(it) = &mut again[0].what {
        it.started_ms -= DAY_MS;
    }
    again.push(session(7, today + 900 * DAY_MS));
    // That day has come: what was ahead of it stays where it is, and the rest with it.
    let later = batch(Some(6), today + 900 * DAY_MS, again);
    let done = site.append_history(later).await.unwrap();
    assert_eq!((done.added, done.already), (1, 6));
    let expected = expected.replace("late|3", "late|4");
    assert_eq!(sql(&cluster, days), expected);
    let texts = "SELECT DISTINCT encode(convert_to(program, 'UTF8'), 'hex') FROM history_sessions";
    assert_eq!(sql(&cluster, texts), "636164f48fbfbf3062696e");
}

/// Who reads sessions for long, such as `pg_dump`, is in the way of a new partition, and of nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_a_new_day_are_taken_in_while_another_reads_all_sessions() {
    const DAY_MS: i64 = 86_400_000;
    const WITHIN: Duration = Duration::from_secs(10);
    let (cluster, site) = begun().await;
    let cluster = Arc::new(cluster);
    let today = 20_000 * DAY_MS;
    let first = batch(None, today, vec![session(1, today)]);
    assert_eq!(site.append_history(first).await.unwrap().added, 1);
    let reader = cluster.clone();
    let reads = std::thread::spawn(move || {
        let long = "BEGIN; SELECT count(*) FROM history_sessions; SELECT pg_sleep(600)";
        // It is ended below.
        reader.sql("postgres", long).is_err()
    });
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN%pg_sleep(600)' \
                  AND wait_event = 'PgSleep'";
    let deadline = Instant::now() + Duration::from_secs(30);
    while sql(&cluster, sleeps) != "1" {
        assert!(Instant::now() < deadline, "the reader does not read");
    }
    // Two days, so that both are left, and only one is waited for.
    let tomorrow = today + DAY_MS;
    let items = vec![session(2, tomorrow), session(3, tomorrow + DAY_MS)];
    let next = batch(Some(1), tomorrow, items);
    let done = tokio::time::timeout(WITHIN, site.append_history(next)).await;
    let ends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE query LIKE 'BEGIN%pg_sleep(600)'";
    assert_eq!(sql(&cluster, ends), "1");
    assert!(reads.join().unwrap());
    assert_eq!(done.unwrap().unwrap().added, 2);
    // Those days stay where they are, and the next has a partition again.
    let items = vec![session(4, tomorrow + 5), session(5, tomorrow + 2 * DAY_MS)];
    let last = batch(Some(3), tomorrow + 2 * DAY_MS, items);
    assert_eq!(site.append_history(last).await.unwrap().added, 2);
    let days = "SELECT tableoid::regclass, count(*) FROM history_sessions GROUP BY tableoid \
                ORDER BY tableoid::regclass::text COLLATE \"C\"";
    let expected = "history_sessions_d20000|1\nhistory_sessions_d20003|1\nhistory_sessions_late|3";
    assert_eq!(sql(&cluster, days), expected);
}

/// PostgreSQL looks through all late sessions when it makes a partition: however long that takes.
#[tokio::test]
async fn sessions_are_taken_in_if_the_partition_of_their_day_takes_too_long_to_make() {
    const DAY_MS: i64 = 86_400_000;
    let (cluster, site) = begun().await;
    sql(
        &cluster,
        "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_sleep(600); END $$; \
         CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE TABLE') \
         EXECUTE FUNCTION slow();",
    );
    let today = 20_000 * DAY_MS;
    let first = batch(None, today, vec![session(1, today)]);
    assert_eq!(site.append_history(first).await.unwrap().added, 1);
    let late = "SELECT count(*) FROM history_sessions_late";
    assert_eq!(sql(&cluster, late), "1");
}

#[tokio::test]
async fn a_batch_on_postgresql_is_appended_whole_or_not_at_all() {
    let (cluster, site) = begun().await;
    sql(
        &cluster,
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE EXCEPTION 'no room'; END $$; \
         CREATE TRIGGER fails BEFORE INSERT ON usage_days EXECUTE FUNCTION fails();",
    );
    let all = || batch(None, 9, vec![session(1, 5)]);
    let failed = site.append_history(all()).await.unwrap_err().to_string();
    assert!(failed.contains("no room"), "{failed}");
    let rows = "SELECT (SELECT count(*) FROM history_sessions) + (SELECT count(*) \
                FROM history_places) + (SELECT count(*) FROM history_computers)";
    assert_eq!(sql(&cluster, rows), "0");
    sql(&cluster, "DROP TRIGGER fails ON usage_days");
    let done = site.append_history(all()).await.unwrap();
    assert_eq!((done.added, done.is_stale), (1, false));
    // It is there: what does not go on from it is not taken.
    let done = site
        .append_history(batch(Some(9), 9, vec![session(2, 5)]))
        .await;
    assert_eq!(
        done.unwrap(),
        Appended {
            is_stale: true,
            ..Appended::default()
        }
    );
}

/// Whatever ends the connections: each call is carried out once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_carried_out_once_while_their_connections_are_ended() {
    const ENDS: u64 = 25;
    let (cluster, site) = begun().await;
    let cluster = Arc::new(cluster);
    let ended = Arc::new(AtomicU64::new(0));
    let (ender, counted) = (cluster.clone(), ended.clone());
    let ends = std::thread::spawn(move || {
        while counted.load(Ordering::Relaxed) < ENDS {
            let backends = "SELECT count(pg_terminate_backend(pid)) \
                            FROM pg_stat_activity, pg_sleep(0.02) \
                            WHERE application_name LIKE 'usher manager%'";
            let ended = sql(&ender, backends).parse::<u64>().unwrap();
            counted.fetch_add(ended, Ordering::Relaxed);
        }
    });
    let mut calls = 0;
    while ended.load(Ordering::Relaxed) < ENDS {
        let told = Change::Message(said(message(9440, calls, None)));
        let record = one(&site, told).await.unwrap();
        let found = site.message(record).await.unwrap().unwrap();
        assert_eq!(found.message.time_ms, calls);
        calls += 1;
    }
    ends.join().unwrap();
    let times = "SELECT count(*), count(DISTINCT first_ms) FROM messages";
    assert_eq!(sql(&cluster, times), format!("{calls}|{calls}"));
}

/// A server that hangs is no manager that does: its service manager need not end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_not_answered_is_told_to_who_asks_for_a_sign_of_life() {
    // Before PostgreSQL itself gives up what waits for a lock.
    const WITHIN: Duration = Duration::from_secs(18);
    let (cluster, site) = begun().await;
    let cluster = Arc::new(cluster);
    let holder = cluster.clone();
    let holds = std::thread::spawn(move || {
        let long = "BEGIN; LOCK TABLE settings; SELECT pg_sleep(600)";
        // It is ended below.
        holder.sql("postgres", long).is_err()
    });
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN%pg_sleep(600)' \
                AND wait_event = 'PgSleep'";
    let deadline = Instant::now() + Duration::from_secs(30);
    while sql(&cluster, held) != "1" {
        assert!(Instant::now() < deadline, "the table is not locked");
    }
    let waits = tokio::spawn(site.set_tokens("t".to_owned()));
    let told = tokio::time::timeout(WITHIN, site.note_alive(5)).await;
    let ends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE query LIKE 'BEGIN%pg_sleep(600)'";
    assert_eq!(sql(&cluster, ends), "1");
    assert!(holds.join().unwrap());
    let told = told.unwrap().unwrap_err().to_string();
    assert!(told.contains("has not answered for 10 s"), "{told}");
    // It was waited for all the same, and what comes then is answered.
    waits.await.unwrap().unwrap();
    site.note_alive(6).await.unwrap();
}
