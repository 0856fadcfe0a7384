//! `usher doctor`: looks at everything that can be wrong, and says what to do.

mod faults;
mod mounts;
mod people;

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use usher_api::client::{Client, ClientError};
use usher_api::{
    AgentStatus, Code, EnforcementStatus, GateStatus, GrantsNothing, Page, Status, TokenInfo,
    Watching, Withheld,
};

use super::gate;
use crate::context::Context;
use crate::failure::{Failure, exit, find_server, is_of_tls};
use crate::output::{Tone, counted, line, print_json, tame, toned};
use crate::run::door;
use crate::supervisor::control;

/// Below this much room, writing may soon fail.
const LITTLE_ROOM_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this much, it is about to.
const NO_ROOM_BYTES: u64 = 64 * 1024 * 1024;
/// Clocks that differ by more are worth a look.
const CLOCK_SECONDS: i64 = 30;

/// Look at everything that can be wrong, and say what to do about it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher doctor
  usher doctor --server https://licences.example.org:8470

Exit code 1 where something does not work; warnings alone are 0.")]
pub(crate) struct Doctor {
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
    /// Say which of the mounts on stdin answer
    #[arg(long, hide = true)]
    look_at_mounts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    /// To be known; there is nothing to mend.
    Note,
    Warn,
    Fail,
}

/// What was looked at and found.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    verdict: Verdict,
    what: &'static str,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Ok,
            what,
            found: found.into(),
            next: None,
        }
    }

    fn note(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Note,
            what,
            found: found.into(),
            next: None,
        }
    }

    fn warn(what: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Warn,
            what,
            found: found.into(),
            next: Some(next.into()),
        }
    }

    fn fail(what: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Fail,
            what,
            found: found.into(),
            next: Some(next.into()),
        }
    }
}

/// Does it; returns the exit code.
pub(crate) fn run(args: &Doctor, context: &Context) -> Result<u8, Failure> {
    if args.look_at_mounts {
        mounts::look_at_those_on_stdin();
        return Ok(exit::DONE);
    }
    let findings = context.block_on(async { Ok(look(args, context).await) })?;
    if context.json() {
        print_json(&findings)?;
    } else {
        for finding in &findings {
            line(describe(finding))?;
        }
    }
    let failed = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Fail);
    Ok(if failed { exit::FAILED } else { exit::DONE })
}

fn describe(finding: &Finding) -> String {
    let word = match finding.verdict {
        Verdict::Ok => toned(Tone::Good, "ok  "),
        Verdict::Note => "note".to_owned(),
        Verdict::Warn => toned(Tone::Warn, "warn"),
        Verdict::Fail => toned(Tone::Bad, "FAIL"),
    };
    let mut text = format!("{word}  {:<11} {}", finding.what, tame(&finding.found));
    if let Some(next) = &finding.next {
        text.push_str(&format!("\n                  {next}"));
    }
    text
}

async fn look(args: &Doctor, context: &Context) -> Vec<Finding> {
    let mut findings = vec![data(context.data(), context.data_given)];
    findings.extend(room(context.data()));
    findings.extend(given_up(context.data()).await);
    let found = door::agent(args.agent_socket.as_deref(), context).await;
    let agent = found.ok().flatten().map(|(_, status)| status);
    let url = match &agent {
        Some(agent) if !context.server_given => &agent.server,
        _ => context.server(),
    };
    match context.client_of(url, context.token_for(url)) {
        Ok(client) => findings.extend(server(&client, url, agent.is_some(), context).await),
        Err(failure) => findings.push(Finding::fail(
            "server",
            failure.to_string(),
            "Mend the option.",
        )),
    }
    findings.extend(match &agent {
        Some(status) => watching(status),
        None => vec![Finding::warn(
            "agent",
            "none answers on this computer: programs that nobody wrapped are not seen here",
            match rustix::process::geteuid().is_root() {
                true => "`usher service install agent` makes it a service of this computer.",
                false => {
                    "Ask whoever administers this computer for one: `usher service install agent`."
                }
            },
        )],
    });
    findings.extend(mounts::findings(agent.as_ref()));
    findings
}

/// Only a server needs the folder: where nobody named one, there need be none, nor need whoever
/// asks be allowed to look into it.
fn data(data: &Path, is_named: bool) -> Finding {
    let name = data.display();
    match std::fs::metadata(data) {
        Ok(facts) if facts.is_dir() => Finding::ok("data", format!("{name} is there")),
        Ok(_) => Finding::fail(
            "data",
            format!("{name} is not a folder"),
            "Name another with --data DIR.",
        ),
        Err(error) if !is_named => {
            let found = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    format!("{name} is not there, and only a server needs it")
                }
                _ => format!("{name}: {error}; only a server needs it"),
            };
            Finding::note("data", found)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::warn(
            "data",
            format!("{name} is not there: no server ran with it on this computer"),
            "A server makes it at its first start. For a server elsewhere it is not needed.",
        ),
        Err(error) => Finding::warn(
            "data",
            format!("{name}: {error}"),
            "Another account may look.",
        ),
    }
}

/// Roles of an `usher up` that are not started again.
async fn given_up(data: &Path) -> Vec<Finding> {
    let said = control::given_up(data).await;
    let finding = |said| {
        let next = "Its log says why; when that is mended, restart `usher up`.";
        Finding::fail("roles", said, next)
    };
    said.into_iter().map(finding).collect()
}

fn room(data: &Path) -> Option<Finding> {
    let facts = rustix::fs::statvfs(data).ok()?;
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let found = format!("{} MiB free under {}", free / 1024 / 1024, data.display());
    Some(match free {
        _ if free < NO_ROOM_BYTES => Finding::fail(
            "disk",
            found,
            "Make room: without it nothing can be granted.",
        ),
        _ if free < LITTLE_ROOM_BYTES => {
            Finding::warn("disk", found, "Make room before it is full.")
        }
        _ => Finding::ok("disk", found),
    })
}

async fn server(client: &Client, url: &str, by_agent: bool, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    match client.health().await {
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
                format!("no word with the server at {url}: {what}"),
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
    match client.get::<Status>("/v1/status").await {
        Ok(status) => findings.extend(serving(url, &status)),
        Err(error) => {
            findings.push(Finding::ok("server", format!("{url} answers")));
            findings.push(no_status(&error, by_agent, context));
            return findings;
        }
    }
    findings.push(
        match client.get::<Page<TokenInfo>>("/v1/tokens?limit=1").await {
            Ok(_) => Finding::ok("token", "is an administrator's"),
            Err(_) => Finding::ok("token", "may see, but not administer"),
        },
    );
    findings.extend(clock(client).await);
    findings
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
            "They understand each other one version apart; bring both to the same soon.",
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
            "`usher entitlement add PRODUCT --seats N` adds some.",
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

/// Why a server that answers grants nothing, and what ends that.
fn granting(says: &GrantsNothing) -> Finding {
    let next = match says.reason {
        Withheld::Paused => "`usher service continue server` ends the pause.",
        Withheld::Restored => {
            "Leases of before live until then. Stop the server, `usher restore --accept-risk`, \
             start it: it grants at once, and a seat may be in use twice."
        }
        Withheld::Storage | Withheld::Other => "See the server's log.",
    };
    Finding::warn("seats", format!("none is granted: {}", says.why), next)
}

fn no_status(error: &ClientError, by_agent: bool, context: &Context) -> Finding {
    let file = context.data().join("admin.token");
    match error.problem() {
        Some(problem)
            if problem.is(Code::Unauthorized) && context.token().is_none() && by_agent =>
        {
            Finding::ok(
                "token",
                "none is needed for `usher run`: the agent knows who asks",
            )
        }
        Some(problem) if problem.is(Code::Unauthorized) && context.token().is_none() => {
            Finding::fail(
                "token",
                format!("there is none, and {} cannot be read", file.display()),
                "Give one with --token or USHER_TOKEN, or name the server's --data.",
            )
        }
        Some(problem) if problem.is(Code::Unauthorized) => Finding::fail(
            "token",
            "the server does not take it",
            "Is it of this server, revoked, expired? `usher token create` makes one.",
        ),
        Some(problem) if problem.is(Code::Forbidden) => Finding::ok(
            "token",
            "is valid, for seats only: it may not see the status",
        ),
        _ => Finding::fail("token", error.to_string(), "See the server's log."),
    }
}

/// Compares the clocks, by the time that the server's answer bears.
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

fn watching(status: &AgentStatus) -> Vec<Finding> {
    let mut findings = vec![match status.connected {
        true => Finding::ok("agent", format!("reports to {}", status.server)),
        false => Finding::fail(
            "agent",
            match &status.not_connected {
                Some(why) => format!("{why}; {}", waiting(status.outbox)),
                None => format!(
                    "has no answer from {}; {}",
                    status.server,
                    waiting(status.outbox)
                ),
            },
            "`usher agent status` tells when it is connected.",
        ),
    }];
    let can_miss = status.can_miss.join("; ");
    findings.push(match status.watching {
        Watching::Ebpf => Finding::ok("watching", format!("by eBPF; can miss: {can_miss}")),
        Watching::KernelEvents => Finding::ok(
            "watching",
            format!("by kernel events; can miss: {can_miss}"),
        ),
        Watching::Polling => Finding::warn(
            "watching",
            format!("by polling; can miss: {can_miss}"),
            "Run it as root to see every start.",
        ),
    });
    findings.extend(status.enforcement.as_ref().map(enforcement));
    findings.extend(status.gate.as_ref().and_then(held));
    findings.extend(status.people.as_ref().map(people::finding));
    findings
}

fn waiting(items: u64) -> String {
    let wait = if items == 1 { "waits" } else { "wait" };
    format!("{} {wait} on disk", counted(items, "item"))
}

fn enforcement(state: &EnforcementStatus) -> Finding {
    match (state.on, &state.why_off) {
        (true, _) => Finding::ok("enforcement", "is on"),
        (false, why) => Finding::warn(
            "enforcement",
            format!(
                "is off: {}",
                why.as_deref().unwrap_or("it does not say why")
            ),
            "No start is refused here. `usher agent enforcement on` switches it on.",
        ),
    }
}

/// How the gate is, where there is something to hold.
fn held(gate: &GateStatus) -> Option<Finding> {
    let found = gate::describe(gate);
    Some(match gate {
        GateStatus { wanted: false, .. } => return None,
        GateStatus { serving: false, .. } => Finding::fail(
            "gate",
            found,
            "Mend what it lacks (`usher service install agent` writes a unit that has it) and \
             restart the agent.",
        ),
        GateStatus {
            guard_stands_apart: false,
            ..
        } => Finding::warn("gate", found, gate::FREE_THE_GUARD),
        GateStatus {
            file_systems: 0, ..
        } => Finding::warn("gate", found, "See the mounts below for why."),
        _ => Finding::ok("gate", found),
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
        insta::assert_snapshot!(lines.map(|it| describe(&it)).join("\n"), @r"
        warn  seats       none is granted: it is paused
                          `usher service continue server` ends the pause.
        warn  seats       none is granted: it was restored
                          Leases of before live until then. Stop the server, `usher restore --accept-risk`, start it: it grants at once, and a seat may be in use twice.
        ");
    }

    #[test]
    fn each_finding_is_a_line_with_its_next_step() {
        let status = AgentStatus {
            computer: "c1".into(),
            watching: Watching::Polling,
            can_miss: vec!["programs that end within 50 ms".into()],
            server: "http://127.0.0.1:8470".into(),
            connected: false,
            not_connected: None,
            outbox: 3,
            sessions: 0,
            leases: Vec::new(),
            released: Vec::new(),
            enforcement: Some(EnforcementStatus {
                on: false,
                why_off: Some("it was switched off".into()),
            }),
            marks: None,
            gate: Some(GateStatus {
                wanted: true,
                serving: true,
                why_not: None,
                file_systems: 2,
                guard_stands_apart: false,
            }),
            people: None,
        };
        let lines: Vec<String> = watching(&status).iter().map(describe).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        FAIL  agent       has no answer from http://127.0.0.1:8470; 3 items wait on disk
                          `usher agent status` tells when it is connected.
        warn  watching    by polling; can miss: programs that end within 50 ms
                          Run it as root to see every start.
        warn  enforcement is off: it was switched off
                          No start is refused here. `usher agent enforcement on` switches it on.
        warn  gate        serves, and holds starts on 2 file systems; its guard could not leave the agent's control group: whoever freezes that group, by `systemctl freeze` or by pausing its container, holds up every start on this computer until it is thawed
                          Let the agent write to /sys/fs/cgroup (control groups of version 2, not read-only; no ProtectControlGroups= in its unit) and restart it. Until then, do not freeze it.
        ");
    }
}
