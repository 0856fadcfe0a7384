//! What is said if a manager answers where a metering server is asked: it has none of a server's
//! seats, sessions and controls.

use std::time::Duration;

use tokio::time::timeout;
use usher_api::client::Client;
use usher_api::{Health, Listener, Page, WatchedServer};

use crate::context::Context;
use crate::failure::{About, Failure};
use crate::output::tame;

/// How long looking may take: it is an extra.
const WITHIN: Duration = Duration::from_secs(2);
/// Servers that are named; the rest are counted.
const NAMED: usize = 3;

/// That it is one.
pub(crate) fn is_one(url: &str) -> String {
    format!(
        "what answers at {} is a manager, not a metering server",
        tame(url)
    )
}

/// What to ask instead.
pub(crate) fn instead(url: &str) -> String {
    let url = tame(url);
    format!(
        "`usher servers list --manager {url}` shows the servers that it watches, and how they are. \
         Ask one of them with --server URL."
    )
}

/// The same of `health`: whether a manager gave it.
pub(crate) fn has_said(health: &Health) -> bool {
    health.is_of(Listener::Manager) == Some(true)
}

/// The failure, or what is wrong if it came of asking a manager; `of_a_server`: what was asked is a
/// server's alone.
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

/// The servers of the manager, as far as who asks may see them; none: it is no manager.
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
