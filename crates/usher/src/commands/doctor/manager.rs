//! The state of the manager: if one is named, answers at the usual place, or has run on this
//! computer.

use std::path::PathBuf;
use std::time::Duration;

use usher_api::client::ClientError;
use usher_api::{Health, Listener, Page, WatchedServer};
use usher_core::health::Verdict;
use usher_core::messages::Standing;

use super::finding::Finding;
use crate::commands::managed;
use crate::context::{ADMIN_TOKEN, Context, manager_data};
use crate::output::{counted, tame};

/// How long the manager may take to answer.
const WITHIN: Duration = Duration::from_secs(5);
/// How many servers are named; the rest are counted.
const NAMED: usize = 3;
/// The folder of the manager in the data directory of `usher up`.
const BESIDE: &str = "manager";

/// One line on the manager at `named`, or at the usual place; `None`: nothing says that there is
/// one.
pub(super) async fn finding(named: Option<&str>, context: &Context) -> Option<Finding> {
    let usual = managed::usual(context).await;
    let url = named.unwrap_or(&usual);
    let has_run = has_run(context);
    let is_expected = named.is_some() || has_run.is_some();
    let client = match context.client_of(url, None) {
        Ok(client) => client.within(WITHIN),
        Err(failure) => {
            return Some(Finding::fail(
                "manager",
                failure.to_string(),
                "Mend the option.",
            ));
        }
    };
    match client.health().await {
        Ok(health) => answers(&health, url, is_expected, context).await,
        Err(error) if error.is_of_one_that_hangs() => Some(hangs(url, is_expected)),
        Err(error) => silent(&error, url, named.is_some(), has_run),
    }
}

/// The data directory of a manager that has run on this computer.
fn has_run(context: &Context) -> Option<PathBuf> {
    let places = [manager_data(), context.data().join(BESIDE)];
    let is_one =
        |place: &PathBuf| place.join(ADMIN_TOKEN).exists() || place.join("site.db").exists();
    places.into_iter().find(is_one)
}

async fn answers(
    health: &Health,
    url: &str,
    is_expected: bool,
    context: &Context,
) -> Option<Finding> {
    match health.is_of(Listener::Manager) {
        Some(true) => {}
        // One of an earlier version does not say what it is.
        None if is_expected => {}
        _ if is_expected => {
            return Some(Finding::fail(
                "manager",
                format!("what answers at {url} is not a manager"),
                "Name the manager's URL with --manager, whose port is usually 8480.",
            ));
        }
        _ => return None,
    }
    let watched = match managed::client(url, context).await {
        Ok(client) => client.get::<Page<WatchedServer>>("/v1/servers").await.ok(),
        Err(_) => None,
    };
    Some(match watched {
        Some(page) => watches(url, &page.items),
        None => Finding::ok(
            "manager",
            format!("{url} answers; what it watches it tells with a token of its own"),
        ),
    })
}

/// The state of the servers that the manager watches.
fn watches(url: &str, servers: &[WatchedServer]) -> Finding {
    let is_well = |it: &WatchedServer| {
        let verdict = Verdict::of_name(&it.verdict);
        verdict.is_some_and(|it| it != Verdict::Unknown && it.standing() == Standing::Ok)
    };
    let unwell: Vec<&WatchedServer> = servers.iter().filter(|it| !is_well(it)).collect();
    let watched = counted(servers.len() as u64, "server");
    if unwell.is_empty() {
        return Finding::ok("manager", format!("{url} watches {watched}"));
    }
    let named = unwell.iter().take(NAMED);
    let mut said: Vec<String> = named
        .map(|it| format!("{} is {}", tame(&it.name), it.verdict))
        .collect();
    let more = unwell.len().saturating_sub(NAMED);
    said.extend((more > 0).then(|| format!("and {more} more")));
    Finding::warn(
        "manager",
        format!("{url} watches {watched}: {}", said.join(", ")),
        "`usher servers list` and `usher messages --open` say more.",
    )
}

fn hangs(url: &str, is_expected: bool) -> Finding {
    let found = format!("{url} took the connection and does not answer: its process hangs");
    let next = "Restart it: `systemctl restart usher-manager`. The manager of an `usher up` is \
                started again if its process is killed.";
    match is_expected {
        true => Finding::fail("manager", found, next),
        false => Finding::warn("manager", found, "Another program may have that port."),
    }
}

fn silent(
    error: &ClientError,
    url: &str,
    is_named: bool,
    has_run: Option<PathBuf>,
) -> Option<Finding> {
    let why = match error {
        ClientError::Unreachable { why, .. } => why.clone(),
        error => error.to_string(),
    };
    let next = "`usher service start manager` starts one that is installed; --manager URL says where \
                it is if it listens elsewhere.";
    if is_named {
        let found = format!("none answers at {url}: {why}");
        return Some(Finding::fail("manager", found, next));
    }
    let data = has_run?;
    let found = format!(
        "none answers at {url} ({why}), and one has run on this computer ({})",
        data.display()
    );
    Some(Finding::warn("manager", found, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, verdict: &str) -> WatchedServer {
        serde_json::from_value(serde_json::json!({
            "name": name, "url": "http://a:1", "verdict": verdict, "since": "2026-11-25T10:00:00Z",
            "polled_at": null, "evidence": [], "service": null, "episode": null,
        }))
        .unwrap()
    }

    #[test]
    fn the_servers_that_are_not_well_are_named_with_their_verdicts() {
        let servers = ["a", "b"].map(|name| server(name, "running"));
        let stuck = ["c", "d", "e", "f"].map(|name| server(name, "stuck"));
        let all: Vec<WatchedServer> = servers.into_iter().chain(stuck).collect();
        let lines = [
            watches("http://m:8480", &all[..2]),
            watches("http://m:8480", &all),
            hangs("http://m:8480", true),
        ];
        insta::assert_snapshot!(lines.map(|it| it.describe()).join("\n"), @r"
        ok    manager     http://m:8480 watches 2 servers
        warn  manager     http://m:8480 watches 6 servers: c is stuck, d is stuck, e is stuck, and 1 more
                          `usher servers list` and `usher messages --open` say more.
        FAIL  manager     http://m:8480 took the connection and does not answer: its process hangs
                          Restart it: `systemctl restart usher-manager`. The manager of an `usher up` is started again if its process is killed.
        ");
    }
}
