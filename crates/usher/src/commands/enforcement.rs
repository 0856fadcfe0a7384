//! `usher agent enforcement`: the administrator of a computer decides whether programs may be
//! refused there, even without a server or a running agent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::time::timeout;
use usher_agent::{ENFORCEMENT_FILE, keep_enforcement, why_switched_off};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, EnforcementRequest, EnforcementStatus, GateStatus};

use super::gate;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::eprintln_quiet;
use crate::output::{Tone, line, print_json, tame, toned};
use crate::run::door;

/// How long the agent may take to answer; after that, its file is written instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// Show or set whether programs may be refused on this computer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher agent enforcement           shows the setting
  sudo usher agent enforcement off  no start is refused here any more, also after restarts
  sudo usher agent enforcement on

It needs no server. If no agent answers, the command writes the setting into the agent's data
directory, and the agent uses it from its next start on.")]
pub(crate) struct Enforcement {
    /// The new setting; without it, the setting is shown
    #[arg(value_enum, value_name = "on|off")]
    to: Option<Switch>,
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Products in mode enforce are enforced
    On,
    /// No start is refused
    Off,
}

/// Runs the command; `folder` is the agent's data directory.
pub(crate) async fn run(
    args: Enforcement,
    folder: &Path,
    context: &Context,
) -> Result<(), Failure> {
    let agent = door::agent(args.agent_socket.as_deref(), context).await?;
    let (state, gate) = match (args.to, agent) {
        (None, Some((_, status))) => (status.enforcement.ok_or_else(too_old)?, status.gate),
        (None, None) => (kept(folder)?, None),
        (Some(to), Some((client, _))) => (switch(&client, to, folder).await?, None),
        (Some(to), None) => (write(to, folder)?, None),
    };
    if context.json() {
        return print_json(&Shown { state, gate });
    }
    line(format!("Enforcement is {}.", describe(&state)))?;
    match gate.filter(|_| state.on) {
        None => Ok(()),
        Some(gate) => line(format!("The gate {}.", gate::describe(&gate))),
    }
}

/// The setting, and the gate's state if that is shown.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    state: EnforcementStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<GateStatus>,
}

/// On, or off and why.
pub(crate) fn describe(state: &EnforcementStatus) -> String {
    match (state.on, &state.why_off) {
        (true, _) => toned(Tone::Good, "on"),
        (false, None) => toned(Tone::Warn, "off"),
        (false, Some(why)) => format!("{}: {}", toned(Tone::Warn, "off"), tame(why)),
    }
}

fn too_old() -> Failure {
    Failure::failed("the agent of this computer is too old to refuse programs")
}

async fn switch(client: &Client, to: Switch, folder: &Path) -> Result<EnforcementStatus, Failure> {
    let request = EnforcementRequest {
        on: to == Switch::On,
    };
    let asked = client.put("/v1/enforcement", &request);
    match timeout(PATIENCE, asked).await {
        Ok(Ok(state)) => Ok(state),
        Ok(Err(ClientError::Problem(problem))) if problem.is(Code::Forbidden) => {
            Err(not_allowed(&problem.detail))
        }
        Ok(Err(ClientError::Problem(problem))) if problem.is(Code::NotFound) => Err(too_old()),
        Ok(Err(ClientError::Problem(problem))) => Err(Failure::failed(problem.detail)),
        // It died, or hangs: it reads the file when it can.
        Ok(Err(_)) | Err(_) => write(to, folder),
    }
}

fn not_allowed(why: &str) -> Failure {
    Failure::new(exit::REFUSED, why).next("Put sudo before the command.")
}

/// The setting in the file, if no agent answers.
fn kept(folder: &Path) -> Result<EnforcementStatus, Failure> {
    must_be_there(folder, exit::NO_SERVER)?;
    eprintln_quiet("No agent answers on this computer; this is what its next start goes by.");
    Ok(setting(folder))
}

fn write(to: Switch, folder: &Path) -> Result<EnforcementStatus, Failure> {
    // It needs no agent, and is not done.
    must_be_there(folder, exit::FAILED)?;
    keep_enforcement(folder, to == Switch::On).map_err(|error| {
        let path = folder.join(ENFORCEMENT_FILE);
        let failed = format!("cannot write {}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => not_allowed(&failed),
            _ => Failure::failed(failed),
        }
    })?;
    eprintln_quiet(&format!(
        "No agent answers on this computer; the setting is kept in {} for when one does.",
        folder.join(ENFORCEMENT_FILE).display()
    ));
    Ok(setting(folder))
}

fn setting(folder: &Path) -> EnforcementStatus {
    let why_off = why_switched_off(folder);
    EnforcementStatus {
        on: why_off.is_none(),
        why_off,
    }
}

/// Fails with the exit code `code` if the folder is no agent's: a setting there would have no
/// effect.
fn must_be_there(folder: &Path, code: u8) -> Result<(), Failure> {
    match std::fs::metadata(folder) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(not_allowed(
            &format!("cannot look into {}: {error}", folder.display()),
        )),
        Err(_) => Err(Failure::new(
            code,
            format!(
                "no Usher agent answers on this computer, and there is no setting of one in {}",
                folder.display()
            ),
        )
        .next(
            "If one runs, or ran, elsewhere: name its socket with --agent-socket PATH, or its data \
             directory with --data DIR (root's is /var/lib/usher).",
        )),
    }
}
