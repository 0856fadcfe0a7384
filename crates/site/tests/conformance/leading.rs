//! Managers on one database: one leads at a time, and what an earlier lead would still write is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use usher_site::{Candidate, Election, PostgresSite, Site, SiteError};
use usher_testing::postgres::Postgres;

use crate::common::*;
use crate::postgres::{address, sql};

/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(300);
const DEADLINE: Duration = Duration::from_secs(30);

fn candidate(name: &str, lease: Duration) -> Candidate {
    Candidate {
        name: name.to_owned(),
        address: format!("http://{name}:8480"),
        lease,
        ended: None,
    }
}

/// Takes the lead, which nobody has.
pub(crate) async fn lead(site: &PostgresSite, lease: Duration) -> i64 {
    match site.stand(candidate("pc", lease)).await.unwrap() {
        Election::Leads { epoch, .. } => epoch,
        Election::Follows(leader) => panic!("{leader:?} leads"),
    }
}

/// Stands for the lead until it has it; its number, and who led before.
async fn wins(site: &PostgresSite, lease: Duration) -> (i64, usher_site::Leader) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let stood = site.stand(candidate("pc2", lease)).await.unwrap();
        if let Election::Leads { epoch, before, .. } = stood {
            return (epoch, before);
        }
        assert!(Instant::now() < deadline, "{stood:?}");
    }
}

async fn two() -> (Postgres, PostgresSite, PostgresSite) {
    let cluster = Postgres::start().unwrap();
    let open = async || {
        let site = PostgresSite::open(address(&cluster, "postgres")).await;
        site.unwrap()
    };
    let (first, second) = (open().await, open().await);
    (cluster, first, second)
}

fn is_fenced<T>(answer: &Result<T, SiteError>) -> bool {
    matches!(answer, Err(SiteError::NotLeading(_)))
}

#[tokio::test]
async fn the_lease_of_a_process_that_has_ended_is_not_waited_for() {
    let (_cluster, first, second) = two().await;
    let epoch = lead(&first, LONG).await;
    let after = |ended: &str| Candidate {
        ended: Some(ended.to_owned()),
        ..candidate("pc", LONG)
    };
    // Another process has ended, and not the one that leads.
    let stood = second.stand(after("0123456789abcdef")).await.unwrap();
    assert!(matches!(stood, Election::Follows(_)), "{stood:?}");
    match second.stand(after(first.holder())).await.unwrap() {
        Election::Leads { epoch: next, .. } => assert!(next > epoch),
        Election::Follows(leader) => panic!("{leader:?} leads"),
    }
    // It was no longer there to write anything; if it were, it could not.
    let leader = first.under(Some(epoch));
    assert!(is_fenced(&leader.watch(server("alpha")).await));
}

#[tokio::test]
async fn one_manager_leads_and_the_others_read() {
    let (_cluster, first, second) = two().await;
    assert!(is_fenced(&first.watch(server("alpha")).await));
    let epoch = lead(&first, LONG).await;
    let leader = first.under(Some(epoch));
    leader.watch(server("alpha")).await.unwrap();
    match second.stand(candidate("pc2", LONG)).await.unwrap() {
        Election::Follows(leader) => {
            assert_eq!((leader.epoch, &*leader.name), (epoch, "pc"));
            assert!(leader.leads() && !leader.gave_up);
        }
        leads => panic!("{leads:?}"),
    }
    assert_eq!(second.resume().await.unwrap().servers, [server("alpha")]);
    second.note_alive(7).await.unwrap();
    // The number alone opens nothing: the lead is another process's.
    let stolen = second.under(Some(epoch));
    assert!(is_fenced(&stolen.watch(server("beta")).await));
    assert!(!second.renew(epoch, LONG).await.unwrap());
    // It is given up by who has it, and the next need not wait.
    second.give_up_lead(epoch).await.unwrap();
    assert!(first.renew(epoch, LONG).await.unwrap());
    first.give_up_lead(epoch).await.unwrap();
    assert!(!first.renew(epoch, LONG).await.unwrap());
    assert!(is_fenced(&leader.watch(server("beta")).await));
    let (next, before) = wins(&second, LONG).await;
    assert!(next > epoch && before.gave_up);
    second
        .under(Some(next))
        .watch(server("beta"))
        .await
        .unwrap();
}

#[tokio::test]
async fn who_stands_again_leads_anew_and_what_waited_of_its_earlier_lead_is_not_written() {
    let (_cluster, first, _second) = two().await;
    let epoch = lead(&first, LONG).await;
    let before = first.under(Some(epoch));
    let again = lead(&first, LONG).await;
    assert!(again > epoch);
    assert!(is_fenced(&before.watch(server("alpha")).await));
    first
        .under(Some(again))
        .watch(server("alpha"))
        .await
        .unwrap();
}

/// As if the process was frozen in the middle of a transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_leader_has_under_way_when_its_lease_ends_is_ended_and_not_waited_for() {
    let (cluster, first, second) = two().await;
    let cluster = Arc::new(cluster);
    let holder = cluster.clone();
    let holds = std::thread::spawn(move || {
        let long = "BEGIN; LOCK TABLE settings; SELECT pg_sleep(600)";
        // It is ended below.
        holder.sql("postgres", long).is_err()
    });
    let asks = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN%pg_sleep(600)' \
                AND wait_event = 'PgSleep'";
    let deadline = Instant::now() + DEADLINE;
    while sql(&cluster, asks) != "1" {
        assert!(Instant::now() < deadline, "the table is not locked");
    }
    let epoch = lead(&first, SHORT * 10).await;
    let writes = tokio::spawn(first.under(Some(epoch)).set_tokens("old".to_owned()));
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                 AND application_name LIKE 'usher manager %'";
    while sql(&cluster, waits) != "1" {
        assert!(Instant::now() < deadline, "nothing waits for the table");
    }
    let (next, before) = wins(&second, LONG).await;
    assert!(next > epoch && !before.gave_up);
    let ends = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                WHERE query LIKE 'BEGIN%pg_sleep(600)'";
    assert_eq!(sql(&cluster, ends), "1");
    assert!(holds.join().unwrap());
    // It is tried on another connection, and refused there.
    assert!(is_fenced(&writes.await.unwrap()));
    assert_eq!(second.resume().await.unwrap().tokens, None);
    second
        .under(Some(next))
        .set_tokens("new".to_owned())
        .await
        .unwrap();
    let tokens = first.resume().await.unwrap().tokens;
    assert_eq!(tokens.as_deref(), Some("new"));
}

/// Whoever leads: each number that was written is by who led then, and none is there twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn leases_that_run_out_again_and_again_let_no_two_write_under_one_lead() {
    const LEADS: i64 = 6;
    let (cluster, first, second) = two().await;
    sql(
        &cluster,
        "CREATE TABLE written (epoch bigint, by_holder text); \
         CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO written SELECT epoch, holder FROM site_leader; RETURN NEW; END $$; \
         CREATE TRIGGER notes BEFORE INSERT OR UPDATE ON settings FOR EACH ROW \
         EXECUTE FUNCTION notes()",
    );
    let manages = |site: PostgresSite| async move {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let stood = site.stand(candidate("pc", SHORT)).await;
            // The one that led may have lost its connections to the one that leads.
            let Ok(Election::Leads { epoch, .. }) = stood else {
                assert!(Instant::now() < deadline);
                continue;
            };
            if epoch > LEADS {
                return;
            }
            let own = site.under(Some(epoch));
            // It never renews, and writes until it is refused.
            while own.set_tokens(epoch.to_string()).await.is_ok() {
                assert!(Instant::now() < deadline);
            }
        }
    };
    let one = tokio::spawn(manages(first));
    manages(second).await;
    one.await.unwrap();
    let twice = "SELECT count(*) FROM (SELECT epoch FROM written GROUP BY epoch \
                 HAVING count(DISTINCT by_holder) > 1) AS it";
    assert_eq!(sql(&cluster, twice), "0");
    let leads = sql(&cluster, "SELECT count(DISTINCT epoch) FROM written");
    assert!(leads.parse::<i64>().unwrap() >= 2, "{leads}");
}

#[tokio::test]
async fn what_the_leader_shows_is_read_by_the_others() {
    let (_cluster, first, second) = two().await;
    let leader = first.under(Some(lead(&first, LONG).await));
    leader.watch(server("alpha")).await.unwrap();
    let view = |name: &str, seen: &str| (name.to_owned(), seen.to_owned());
    let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let both = vec![view("alpha", "{1}"), view("beta", "{2}")];
    leader
        .put_views(both.clone(), names(&["alpha", "beta"]))
        .await
        .unwrap();
    leader.set_tokens("[]".to_owned()).await.unwrap();
    let shown = second.shown().await.unwrap();
    assert_eq!(shown.servers, [server("alpha")]);
    assert_eq!((shown.views, shown.tokens.as_deref()), (both, Some("[]")));
    assert_eq!((shown.rules, shown.last_record), (None, 0));
    let next = vec![view("alpha", "{3}")];
    leader
        .put_views(next.clone(), names(&["alpha"]))
        .await
        .unwrap();
    assert_eq!(second.views().await.unwrap(), next);
    let refused = second.put_views(next, names(&["alpha"])).await;
    assert!(is_fenced(&refused));
}

#[tokio::test]
async fn the_administrators_token_is_one_for_all_managers() {
    let (_cluster, first, second) = two().await;
    let text = str::to_owned;
    assert_eq!(first.admin_token().await.unwrap(), None);
    assert_eq!(first.have_admin_token(text("a")).await.unwrap(), "a");
    assert_eq!(second.have_admin_token(text("b")).await.unwrap(), "a");
    // One that knew the former one changes it, and one that did not is told.
    let changed = second.change_admin_token(text("a"), text("c")).await;
    assert_eq!(changed.unwrap(), "c");
    let changed = first.change_admin_token(text("a"), text("d")).await;
    assert_eq!(changed.unwrap(), "c");
    assert_eq!(first.have_admin_token(text("d")).await.unwrap(), "c");
    let token = second.admin_token().await.unwrap();
    assert_eq!(token.as_deref(), Some("c"));
}
