//! `usher doctor`: looks at everything that can be wrong, and says what to do.

mod agent;
mod faults;
mod finding;
mod groups;
mod manager;
mod mounts;
mod people;
mod server;
mod unseen;

use std::path::{Path, PathBuf};

use clap::Args;
use usher_platform::account::is_administrator;
use usher_platform::files;

use self::finding::{Finding, Verdict};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{line, print_json};
use crate::run::door;
use crate::supervisor::control;

/// With less free space than this, writing may soon fail.
const LITTLE_ROOM_BYTES: u64 = 1024 * 1024 * 1024;
/// With less than this, writing is about to fail.
const NO_ROOM_BYTES: u64 = 64 * 1024 * 1024;

/// Look at everything that can be wrong, and say what to do about it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher doctor
  usher doctor --server https://licences.example.org:8470
  usher doctor --all                       each mount in a line of its own, the good ones too

Exit code 1 if something does not work; warnings alone are 0.")]
pub(crate) struct Doctor {
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
    /// The manager to look at, too [default: as `usher check` finds it]
    #[arg(long, value_name = "URL")]
    manager: Option<String>,
    /// Show each of what is as it should be, which is counted otherwise
    #[arg(long)]
    all: bool,
    /// Say which of the mounts on stdin answer
    #[arg(long, hide = true)]
    look_at_mounts: bool,
}

/// Runs the command; returns the exit code.
pub(crate) fn run(args: &Doctor, context: &Context) -> Result<u8, Failure> {
    if args.look_at_mounts {
        mounts::look_at_those_on_stdin();
        return Ok(exit::DONE);
    }
    let findings = context.block_on(async { Ok(look(args, context).await) })?;
    let failed = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Fail);
    if context.json() {
        print_json(&findings)?;
    } else {
        let shown = match args.all {
            true => findings,
            false => Finding::folded(findings),
        };
        for finding in &shown {
            line(finding.describe())?;
        }
    }
    Ok(if failed { exit::FAILED } else { exit::DONE })
}

async fn look(args: &Doctor, context: &Context) -> Vec<Finding> {
    let mut findings = vec![data(context.data(), context.data_given)];
    findings.extend(room(context.data()));
    findings.extend(given_up(context.data()).await);
    let found = door::agent(args.agent_socket.as_deref(), context).await;
    let found = found.ok().flatten();
    // Whom `usher status` asks: without a token the server of the agent, through it.
    let through = found
        .as_ref()
        .filter(|(_, status)| context.token().is_none() && door::is_meant(status, context));
    match (through, context.client()) {
        (Some((agent, status)), _) => findings.extend(server::by_agent(agent, status).await),
        (None, Ok(client)) => {
            findings.extend(server::findings(&client, context.server(), context).await);
        }
        (None, Err(failure)) => findings.push(Finding::fail(
            "server",
            failure.to_string(),
            "Mend the option.",
        )),
    }
    let agent = found.map(|(_, status)| status);
    findings.extend(manager::finding(args.manager.as_deref(), context).await);
    findings.extend(groups::findings(args.manager.as_deref(), context).await);
    findings.extend(match &agent {
        Some(status) => {
            let other = (!door::is_meant(status, context)).then(|| context.server());
            agent::findings(status, other)
        }
        None => vec![Finding::warn(
            "agent",
            "none answers on this computer: programs that nobody wrapped are not seen here",
            match is_administrator() {
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

/// Checks the data directory. Only a server needs it: if none was named, it need not exist, and the
/// user need not be allowed to read it.
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

/// The roles that `usher up` has given up and does not start again.
async fn given_up(data: &Path) -> Vec<Finding> {
    let said = control::given_up(data).await;
    let finding = |said| {
        let next = "Its log says why; when that is mended, restart `usher up`.";
        Finding::fail("roles", said, next)
    };
    said.into_iter().map(finding).collect()
}

fn room(data: &Path) -> Option<Finding> {
    let free = files::room(data).ok()?.free;
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
