//! `usher agent`: what the agent of this computer says of itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use usher_api::AgentStatus;

use super::leases;
use super::status::watching;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{Tone, line, print, print_json, tame, toned};
use crate::run::door;

/// The agent of this computer
#[derive(Debug, Args)]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    Status(Status),
}

/// Show how the agent of this computer watches, what it can miss, and what it holds
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher agent status
  usher agent status --json | jq .outbox")]
struct Status {
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

/// Does it.
pub(crate) fn run(args: Agent, context: &Context) -> Result<(), Failure> {
    let AgentCommand::Status(args) = args.command;
    context.block_on(status(args, context))
}

async fn status(args: Status, context: &Context) -> Result<(), Failure> {
    let socket = args.agent_socket.as_deref();
    let Some((_, status)) = door::agent(socket, context).await? else {
        let places: Vec<String> = door::sockets(socket, context)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(Failure::new(
            exit::NO_SERVER,
            format!(
                "no Usher agent answers on this computer (looked at {})",
                places.join(" and ")
            ),
        )
        .next("`usher up` starts one; --agent-socket names another place."));
    };
    if context.json() {
        return print_json(&status);
    }
    line(describe(&status))?;
    if !status.leases.is_empty() {
        print(&format!("\n{}", leases::table(&status.leases).text()))?;
    }
    Ok(())
}

fn describe(status: &AgentStatus) -> String {
    let server = match status.connected {
        true => format!(
            "{} ({})",
            tame(&status.server),
            toned(Tone::Good, "connected")
        ),
        false => format!(
            "{} ({})",
            tame(&status.server),
            toned(Tone::Bad, "no answer at the last try")
        ),
    };
    let mut lines = vec![
        format!("computer   {}", tame(&status.computer)),
        format!("server     {server}"),
        format!("watching   {}", watching(status.watching)),
        format!("sessions   {} running", status.sessions),
        format!(
            "outbox     {} items that the server does not have yet",
            status.outbox
        ),
    ];
    lines.extend(
        status
            .can_miss
            .iter()
            .map(|what| format!("can miss   {}", tame(what))),
    );
    lines.join("\n")
}
