//! The texts for a command that asked a manager instead of a metering server: a manager has no
//! seats, sessions and controls of its own.

use std::time::Duration;

use tokio::time::timeout;
use usher_api::client::Client;
use usher_api::{Health, Listener, Page, WatchedServer};

use crate::context::Context;
use crate::failure::{About, Failure};
use crate::output::tame;

/// How long the look may take: the failure can be shown without it.
const WITHIN: Duration = Duration::from_secs(2);
/// How many servers are named; the rest are counted.
const NAMED: usize = 3;

/// Says that it is a manager.
pub(crate) fn is_one(url: &str) -> String {
    format!(
        "what answers at {} is a manager, not a metering server",
        tame(url)
    )
}

/// Says what to ask instead.
pub(crate) fn instead(url: &str) -> String {
    let url = tame(url);
    format!(
        "`usher servers list --manager {url}` shows the servers that it watches, and how they are. \
         Ask one of them with --server URL."
    )
}

/// Whether `health` is a manager's answer.
pub(crate) fn has_said(health: &Health) -> bool {
    health.is_of(Listener::Manager) == Some(true)
}

/// The failure, or, if a manager was asked by mistake, one that says so; `of_a_server`: only a
/// server has what was asked for.
pub(crate) fn told(failure: Failure, of_a_server: bool, context: &Context) -> Failure {
    let may_be = match failure.about_what() {
        Some(About::Route) => true,
        // Its tokens are not those of a server.
        Some(About::Token) => of_a_server,
        _ => false,
    };
    if !may_be {
        return failure;
    }
    let looked = context.block_on(async { Ok(timeout(WITHIN, look(context)).await) });
    match looked.ok().and_then(Result::ok).flatten() {
        Some(servers) => of_manager(context.server(), &servers),
        None => failure,
    }
}

/// The servers of the manager that the user may see; `None`: it is no manager.
async fn look(context: &Context) -> Option<Vec<WatchedServer>> {
    let client: Client = context.client().ok()?;
    let health = client.health().await.ok()?;
    has_said(&health).then_some(())?;
    let servers = client.get::<Page<WatchedServer>>("/v1/servers").await;
    Some(servers.map(|page| page.items).unwrap_or_default())
}

fn of_manager(url: &str, servers: &[WatchedServer]) -> Failure {
    let failure = Failure::usage(is_one(url)).next(instead(url));
    let named = servers.iter().take(NAMED);
    let mut named: Vec<String> = named
        .map(|server| format!("{} at {}", tame(&server.name), tame(&server.url)))
        .collect();
    let more = servers.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more")));
    match named.is_empty() {
        true => failure,
        false => failure.first(&format!("It watches {}.", named.join(", "))),
    }
}
