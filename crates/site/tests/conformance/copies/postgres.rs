//! Of a site on PostgreSQL.

use std::fs;

use usher_site::{CopyError, PostgresSite, Site, SiteError, SitePlace};
use usher_testing::postgres::Postgres;

use super::{collects_again_what_came_after_the_copy, copied, restored, restored_if};
use crate::common::*;
use crate::leading::{LONG, lead};
use crate::postgres::{address, begun, opened};

fn place(cluster: &Postgres, database: &str) -> SitePlace {
    SitePlace::Postgres(Box::new(address(cluster, database)))
}

/// A checksum of the rows of each table, but for those of what goes on in a database itself.
fn rows(cluster: &Postgres, database: &str) -> String {
    let sql = "SELECT relname FROM pg_class WHERE relkind = 'r' \
               AND relnamespace = 'public'::regnamespace AND relname NOT IN \
               ('site_calls', 'site_leader', 'site_views') ORDER BY relname";
    let tables = cluster.sql(database, sql).unwrap();
    let each = tables.lines().map(|table| {
        format!(
            "SELECT '{table}', count(*), md5(coalesce(string_agg(t::text, '|' \
             ORDER BY t::text COLLATE \"C\"), '')) FROM {table} t"
        )
    });
    let all: Vec<String> = each.collect();
    cluster.sql(database, &all.join(" UNION ALL ")).unwrap()
}

fn epoch(cluster: &Postgres, database: &str) -> i64 {
    let found = cluster
        .sql(database, "SELECT epoch FROM site_leader")
        .unwrap();
    found.parse().unwrap()
}

#[tokio::test]
async fn a_copy_of_a_database_comes_back_row_for_row_while_managers_go_on() {
    let (cluster, site) = begun().await;
    crate::does_what_every_engine_has_to(&site).await;
    collects_again_what_came_after_the_copy(&site, false).await;
    // Whatever texts hold.
    let odd = "a\0b\\N\t\r\n\u{10ffff}\"\u{1f600}";
    site.set_tokens(odd.to_owned()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let (facts, bytes) = copied(&place(&cluster, "postgres"), &copy).await.unwrap();
    assert_eq!(fs::metadata(&copy).unwrap().len(), bytes);
    assert_eq!(facts.site_id, Some(site.site_id().await.unwrap()));
    assert!(
        facts.sessions > 0 && facts.schema == facts.known_schema,
        "{facts:?}"
    );
    let kept = rows(&cluster, "postgres");
    site.watch(server("later")).await.unwrap();
    let last = keep(&site, message(9406, 10, None)).await;

    // Into an empty database.
    let database = cluster.database().unwrap();
    let done = restored(&place(&cluster, &database), &copy).await.unwrap();
    assert_eq!(done.outlook.present, None);
    assert_eq!(rows(&cluster, &database), kept);
    let other = opened(&cluster, &database).await.unwrap();
    assert_eq!(other.resume().await.unwrap().tokens.as_deref(), Some(odd));
    collects_again_what_came_after_the_copy(&other, true).await;
    drop(other);

    // Into the one that it came from, from which others read.
    let grants = "CREATE ROLE reader; GRANT SELECT ON messages, elsewhere_uses TO reader; \
                  GRANT SELECT ON history_sessions TO PUBLIC";
    cluster.sql("postgres", grants).unwrap();
    let given = "SELECT has_table_privilege('reader', 'messages', 'SELECT'), \
                 has_table_privilege('reader', 'elsewhere_uses', 'SELECT'), \
                 has_table_privilege('reader', 'history_sessions', 'SELECT'), \
                 has_table_privilege('reader', 'settings', 'SELECT')";
    let before = epoch(&cluster, "postgres");
    drop(site);
    let done = restored(&place(&cluster, "postgres"), &copy).await.unwrap();
    assert!(done.outlook.present.unwrap().servers > facts.servers);
    assert_eq!(rows(&cluster, "postgres"), kept);
    assert_eq!(cluster.sql("postgres", given).unwrap(), "t|t|t|f");
    assert!(epoch(&cluster, "postgres") > before);
    let again = opened(&cluster, "postgres").await.unwrap();
    // Numbers that were given out since are no other message's.
    assert!(keep(&again, message(9406, 20, None)).await > last);
    collects_again_what_came_after_the_copy(&again, true).await;
}

#[tokio::test]
async fn each_table_that_a_site_has_is_in_a_copy_unless_it_is_of_the_database_itself() {
    let (cluster, _site) = begun().await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    copied(&place(&cluster, "postgres"), &copy).await.unwrap();
    let bytes = fs::read(&copy).unwrap();
    let length = u32::from_be_bytes(bytes[20..24].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[24..24 + length]).unwrap();
    let tables = header["tables"].as_array().unwrap().iter();
    let mut copied: Vec<&str> = tables
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    copied.extend(["site_calls", "site_leader", "site_schema", "site_views"]);
    copied.sort_unstable();
    let sql = "SELECT relname FROM pg_class WHERE relkind = 'r' \
               AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE \"C\"";
    let there = cluster.sql("postgres", sql).unwrap();
    assert_eq!(there.lines().collect::<Vec<_>>(), copied);
}

#[tokio::test]
async fn a_database_that_a_manager_uses_is_not_restored_and_the_manager_is_named() {
    let (cluster, site) = begun().await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let place = place(&cluster, "postgres");
    copied(&place, &copy).await.unwrap();
    let refused = restored(&place, &copy).await.unwrap_err();
    assert!(matches!(refused, CopyError::Running { .. }), "{refused}");
    let said = refused.to_string();
    assert!(
        said.contains("in use: usher manager ") && said.contains("(session "),
        "{said}"
    );
    drop(site);
    restored(&place, &copy).await.unwrap();
}

#[tokio::test]
async fn a_leader_that_was_cut_off_during_a_restore_writes_nothing_more() {
    let cluster = Postgres::start().unwrap();
    let site = PostgresSite::open(address(&cluster, "postgres"))
        .await
        .unwrap();
    let epoch = lead(&site, LONG).await;
    let leader = site.under(Some(epoch));
    leader.watch(server("alpha")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let place = place(&cluster, "postgres");
    copied(&place, &copy).await.unwrap();
    // As a computer that lost its network: the server has given its sessions up, and it has not noticed.
    let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
               WHERE application_name LIKE 'usher manager%'";
    assert_ne!(cluster.sql("postgres", cut).unwrap(), "0");
    restored(&place, &copy).await.unwrap();
    let fenced = leader.watch(server("beta")).await.unwrap_err();
    assert!(matches!(fenced, SiteError::NotLeading(_)), "{fenced}");
    // The first try finds out that its connection is gone.
    let renewed = match site.renew(epoch, LONG).await {
        Err(_) => site.renew(epoch, LONG).await,
        renewed => renewed,
    };
    assert!(!renewed.unwrap());
    // It stands for the lead again, and goes on with what is there.
    let next = lead(&site, LONG).await;
    assert!(next > epoch + 1, "{next} after {epoch}");
    site.under(Some(next)).watch(server("beta")).await.unwrap();
    let servers = site.resume().await.unwrap().servers;
    assert_eq!(servers, [server("alpha"), server("beta")]);
}

#[tokio::test]
async fn what_is_no_whole_copy_of_a_database_changes_nothing() {
    let (cluster, site) = begun().await;
    crate::does_what_every_engine_has_to(&site).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let place = place(&cluster, "postgres");
    copied(&place, &copy).await.unwrap();
    site.watch(server("later")).await.unwrap();
    drop(site);
    let before = rows(&cluster, "postgres");
    let whole = fs::read(&copy).unwrap();
    let told = async |bytes: &[u8]| {
        fs::write(&copy, bytes).unwrap();
        let refused = restored(&place, &copy).await.unwrap_err().to_string();
        assert_eq!(rows(&cluster, "postgres"), before, "{refused}");
        refused.replace(&copy.display().to_string(), "COPY")
    };
    let cut = told(&whole[..whole.len() - 100]).await;
    assert!(
        cut.starts_with("COPY is damaged: it ends in the middle of table "),
        "{cut}"
    );
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 4;
    let damaged = told(&other).await;
    assert!(damaged.starts_with("COPY is damaged: "), "{damaged}");
    let embedded = told(b"SQLite format 3\0").await;
    assert!(
        embedded.contains("of a site in a SQLite file, and this site is on"),
        "{embedded}"
    );
    let older = told(b"usher site copy\n\0\0\0\x02").await;
    assert!(older.contains("it has version 2 of the format"), "{older}");
    fs::write(&copy, &whole).unwrap();
    let asked = restored_if(&place, &copy, false).await.unwrap_err();
    assert!(matches!(asked, CopyError::NotAgreed), "{asked}");
    assert_eq!(rows(&cluster, "postgres"), before);
    // Something of others' stands on a table: all of it stays as it was.
    let view = "CREATE VIEW theirs AS SELECT name FROM servers";
    cluster.sql("postgres", view).unwrap();
    let refused = restored(&place, &copy).await.unwrap_err().to_string();
    assert!(
        refused.contains("view theirs depends on table servers"),
        "{refused}"
    );
    assert_eq!(rows(&cluster, "postgres"), before);
    // The lock is free again.
    PostgresSite::open(address(&cluster, "postgres"))
        .await
        .unwrap();
}

/// The tables of before are made by the text of the first step, which a database keeps.
#[tokio::test]
async fn a_copy_of_an_earlier_version_of_a_database_is_brought_up_to_date() {
    let (cluster, site) = begun().await;
    drop(site);
    let step = cluster
        .sql("postgres", "SELECT made FROM site_schema WHERE step = 1")
        .unwrap();
    let step = format!("{step}\n");
    let database = cluster.database().unwrap();
    let made = format!(
        "CREATE TABLE site_schema (step bigint PRIMARY KEY, made text NOT NULL); {step}; \
         INSERT INTO site_schema VALUES (1, $made${step}$made$); \
         INSERT INTO servers VALUES ('alpha', 'http://alpha:8470', 'secret', \
         'usher-server.service', NULL, 5);"
    );
    cluster.sql(&database, &made).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let (facts, _) = copied(&place(&cluster, &database), &copy).await.unwrap();
    assert_eq!((facts.schema, facts.servers), (1, 1));
    let into = cluster.database().unwrap();
    restored(&place(&cluster, &into), &copy).await.unwrap();
    let steps = cluster
        .sql(&into, "SELECT count(*) FROM site_schema")
        .unwrap();
    assert_eq!(steps, facts.known_schema.to_string());
    let site = opened(&cluster, &into).await.unwrap();
    assert_eq!(site.resume().await.unwrap().servers, [server("alpha")]);
    // A database of nobody is told.
    let empty = cluster.database().unwrap();
    let other = folder.path().join("other");
    let absent = copied(&place(&cluster, &empty), &other).await.unwrap_err();
    assert!(matches!(absent, CopyError::Absent(_)), "{absent}");
    assert!(!other.exists());
}
