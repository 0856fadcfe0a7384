//! The state of the server: whether it answers, serves and grants, and accepts the token.

use std::time::Duration;

use jiff::Timestamp;
use usher_api::client::{Client, ClientError};
use usher_api::{AgentStatus, Code, GrantsNothing, Page, Status, TokenInfo, Withheld};

use super::faults;
use super::finding::Finding;
use super::unseen;
use crate::context::Context;
use crate::failure::answered::find_server;
use crate::failure::is_of_tls;
use crate::manager_there;

/// How long the agent may take to get an answer of its server.
const WITHIN: Duration = Duration::from_secs(8);
/// Clocks that differ by more than this are a warning.
const CLOCK_SECONDS: i64 = 30;

/// Findings on the server at `url`, and whether it accepts the token.
pub(super) async fn findings(client: &Client, url: &str, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    match client.health().await {
        Ok(health) if manager_there::has_said(&health) => {
            return vec![Finding::fail(
                "server",
                manager_there::is_one(url),
                manager_there::instead(url),
            )];
        }
        Ok(health) if health.status == "ok" || health.status == "degraded" => {
            findings.extend(health.grants_nothing.as_ref().map(granting));
        }
        Ok(health) => {
            let why = health.why.unwrap_or_default();
            return vec![Finding::fail(
                "server",
                format!("{url} cannot serve: {why}"),
                "See the server's log.",
            )];
        }
        Err(ClientError::Unreachable { why, .. }) if is_of_tls(&why) => {
            // What is wrong, then what helps.
            let (what, cure) = why.split_once(": ").unwrap_or((&why, ""));
            return vec![Finding::fail(
                "server",
                format!("cannot talk to the server at {url}: {what}"),
                cure,
            )];
        }
        Err(ClientError::Unreachable { why, .. }) => {
            return vec![Finding::fail(
                "server",
                format!("nothing answers at {url}: {why}"),
                find_server(url, &why),
            )];
        }
        Err(error) => {
            return vec![Finding::fail(
                "server",
                error.to_string(),
                "Is it an Usher server of this version?",
            )];
        }
    }
    let sees_all = match client.get::<Status>("/v1/status").await {
        Ok(status) => {
            findings.extend(serving(url, &status));
            // The upkeep is shown only to who sees all.
            status.server.pack.is_some()
        }
        Err(error) => {
            findings.push(Finding::ok("server", format!("{url} answers")));
            findings.push(no_status(&error, context));
            return findings;
        }
    };
    findings.push(
        match client.get::<Page<TokenInfo>>("/v1/tokens?limit=1").await {
            Ok(_) => Finding::ok("token", "is an administrator's"),
            Err(_) if sees_all => Finding::ok("token", "may see, but not administer"),
            Err(_) => Finding::ok("token", "is for what is its user's or computer's own"),
        },
    );
    findings.extend(clock(client).await);
    if sees_all {
        findings.extend(unseen::findings(client).await);
    }
    findings
}

/// Findings on the agent's server, asked through the agent, which takes no token.
pub(super) async fn by_agent(agent: &Client, status: &AgentStatus) -> Vec<Finding> {
    let url = &status.server;
    let agent = agent.clone().within(WITHIN);
    let error = match agent.get::<Status>("/v1/status").await {
        Ok(status) => {
            let mut findings: Vec<Finding> = Vec::new();
            findings.extend(status.server.grants_nothing.as_ref().map(granting));
            findings.extend(serving(url, &status));
            findings.push(Finding::ok(
                "token",
                "none is needed for what is yours: the agent knows who asks",
            ));
            return findings;
        }
        Err(error) => error,
    };
    let why = match error.problem() {
        Some(problem) if problem.is(Code::Busy) => {
            let said = "the agent has asked its server too often for this account";
            return vec![Finding::warn("server", said, "Look again in a second.")];
        }
        Some(problem) => problem.detail.clone(),
        None => error.to_string(),
    };
    vec![Finding::fail(
        "server",
        format!("the agent has no answer from {url}: {why}"),
        "See the agent's line below.",
    )]
}

fn serving(url: &str, status: &Status) -> Vec<Finding> {
    let server = &status.server;
    let found = format!("{url} is {}, version {}", server.state, server.version);
    // That nothing is granted has a line of its own.
    let is_withheld = |says: &GrantsNothing| says.reason != Withheld::Storage;
    let mut findings = vec![match server.state.as_str() {
        "running" => Finding::ok("server", found),
        _ if server.grants_nothing.as_ref().is_some_and(is_withheld) => {
            Finding::warn("server", found, "See the line above.")
        }
        _ => Finding::fail(
            "server",
            format!(
                "{found}: {}",
                server.why.as_deref().unwrap_or("it does not say why")
            ),
            "See the server's log.",
        ),
    }];
    if server.version != env!("CARGO_PKG_VERSION") {
        findings.push(Finding::warn(
            "version",
            format!(
                "the server is {}, this is {}",
                server.version,
                env!("CARGO_PKG_VERSION")
            ),
            "They work together if they are one version apart; bring both to the same version soon.",
        ));
    }
    let empty: Vec<&str> = status
        .products
        .iter()
        .filter(|product| product.seats == 0)
        .map(|product| product.id.as_str())
        .collect();
    if !empty.is_empty() {
        findings.push(Finding::warn(
            "seats",
            format!("no seats are owned of {}", empty.join(", ")),
            match server.pack.is_some() {
                true => "`usher entitlement add PRODUCT --seats N` adds some.",
                // Who sees no more than their own may not.
                false => "Ask the administrator of the licences.",
            },
        ));
    }
    findings.extend(faults::findings(&server.faults));
    findings.extend(server.held_log.as_ref().map(faults::held_log));
    for computer in &status.computers {
        findings.extend(computer.warnings.iter().map(|warning| {
            Finding::warn(
                "computer",
                format!("{}: {warning}", computer.name),
                "See `usher status`.",
            )
        }));
    }
    findings
}

/// Why a server that answers grants nothing, and until when.
fn granting(says: &GrantsNothing) -> Finding {
    let next = match says.reason {
        Withheld::Paused => "`usher service continue server` ends the pause.",
        Withheld::Restored => {
            "Leases from before the restore live until then. Stop the server, `usher restore \
             --accept-risk`, start it: it grants at once, and a seat may be in use twice."
        }
        Withheld::Storage | Withheld::Other => "See the server's log.",
    };
    Finding::warn("seats", format!("none is granted: {}", says.why), next)
}

fn no_status(error: &ClientError, context: &Context) -> Finding {
    let file = context.data().join("admin.token");
    match error.problem() {
        Some(problem) if problem.is(Code::Unauthorized) && context.token().is_none() => {
            Finding::fail(
                "token",
                format!("there is none, and {} cannot be read", file.display()),
                "Give one with --token or USHER_TOKEN, or name the server's --data.",
            )
        }
        Some(problem) if problem.is(Code::Unauthorized) => Finding::fail(
            "token",
            "the server does not accept it",
            "Is it of this server, revoked, expired? `usher token create` makes one.",
        ),
        Some(problem) if problem.is(Code::Forbidden) => Finding::ok(
            "token",
            "is valid, for seats only: it may not see the status",
        ),
        _ => Finding::fail("token", error.to_string(), "See the server's log."),
    }
}

/// Compares the clocks, by the time in the server's answer.
async fn clock(client: &Client) -> Option<Finding> {
    let response = client.get_stream("/v1/health").await.ok()?;
    let date = response.headers().get("date")?.to_str().ok()?.to_owned();
    let there = jiff::fmt::rfc2822::parse(&date).ok()?.timestamp();
    let apart = (Timestamp::now().as_second() - there.as_second()).abs();
    Some(match apart {
        _ if apart > CLOCK_SECONDS => Finding::warn(
            "clock",
            format!("this computer's clock and the server's are {apart} s apart"),
            "Seats do not depend on it, but times in lists do: set the clocks by NTP.",
        ),
        _ => Finding::ok("clock", "agrees with the server's"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_grants_nothing_has_a_line_that_says_why_and_what_ends_it() {
        let says = |reason, why: &str| GrantsNothing {
            reason,
            why: why.to_owned(),
            until: None,
        };
        let lines = [
            granting(&says(Withheld::Paused, "it is paused")),
            granting(&says(Withheld::Restored, "it was restored")),
        ];
        insta::assert_snapshot!(lines.map(|it| it.describe()).join("\n"), @r"
        warn  seats       none is granted: it is paused
                          `usher service continue server` ends the pause.
        warn  seats       none is granted: it was restored
                          Leases from before the restore live until then. Stop the server, `usher restore --accept-risk`, start it: it grants at once, and a seat may be in use twice.
        ");
    }
}
