//! `usher agent`: starts the agent alone, or shows the state of this computer's agent.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use usher_agent::{AgentError, AgentOptions, AgentReady, GateOptions, Realms};
use usher_api::{AgentStatus, Watching};
use usher_platform::account::is_administrator;
use usher_platform::files;
use usher_vital::log;

use super::enforcement::{self, Enforcement};
use super::gate;
use super::leases;
use super::status::watching;
use crate::bond;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{Tone, counted, line, print, print_json, shown_path, tame, toned};
use crate::run::door;
use crate::supervisor::TOKEN_FILE;
use crate::time;

/// Start an agent alone, or ask this computer's agent for its state
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher agent --print-computer-id     add the --data that the agent has, if it has one
  usher token create --role agent --computer ID --to agent.token   at the server
  usher agent --server https://licences.example.org:8470 --token-file agent.token
  usher agent status

As root it sees every start by the kernel's events. As any other account it looks at the processes
again and again, and says what it can miss. When it watches and has asked the server once, it prints
one line, `ready computer=... data=...`, and tells systemd. If it is not connected, the line
says why.")]
pub(crate) struct Agent {
    #[command(subcommand)]
    command: Option<AgentCommand>,
    /// A file with the agent's token, read again while the server refuses the token [default:
    /// <data>/agent/agent.token]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The socket for everyone on the computer [default: for root /run/usher/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
    /// How to see programs [default: the first of these that the kernel allows]
    #[arg(long, value_name = "HOW",
        value_parser = super::one_of::<Watching>(&["ebpf", "kernel-events", "polling"]))]
    watching: Option<Watching>,
    /// Hold starts only on the file systems of these paths, such as that of the metered programs
    /// [default: on all local file systems]
    #[arg(long, value_name = "PATH")]
    gate_only: Vec<PathBuf>,
    #[command(flatten)]
    people: People,
    #[command(flatten)]
    id: SharedId,
    /// Print the id that agents use for this computer, and end
    #[arg(long)]
    print_computer_id: bool,
    /// The process that this one is not to outlive
    #[arg(long, hide = true, value_name = "PID")]
    supervisor: Option<i32>,
}

/// The realms of this computer's accounts.
#[derive(Debug, Args)]
pub(crate) struct People {
    /// Which directory a name service's accounts belong to, such as sss=corp.example: an account is
    /// then the same person on all computers of that directory. NAME is a service of
    /// /etc/nsswitch.conf, or a domain as written in names (CORP of CORP\ann)
    #[arg(long, value_name = "NAME=REALM", value_delimiter = ',')]
    people_realms: Vec<String>,
}

impl People {
    /// The realms.
    pub(crate) fn realms(&self) -> Result<Realms, Failure> {
        Realms::parse(&self.people_realms).map_err(|why| {
            Failure::usage(format!("--people-realms: {why}"))
                .next("In usher.toml it is `realms` of the table [people].")
        })
    }

    /// The options, for another process.
    pub(crate) fn words(&self) -> impl Iterator<Item = OsString> {
        let option = || OsString::from("--people-realms");
        let realms = self.people_realms.iter();
        realms.flat_map(move |realm| [option(), realm.into()])
    }
}

/// Where the id of this computer is.
#[derive(Debug, Args)]
pub(crate) struct SharedId {
    /// The file with the id of this computer, which all its agents share
    /// [default: for root /var/lib/usher-agent/computer-id, for others none]
    #[arg(long, value_name = "FILE")]
    computer_id_file: Option<PathBuf>,
}

impl SharedId {
    /// The file, if there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let is_root = is_administrator();
        let usual = || is_root.then(|| PathBuf::from(usher_agent::COMPUTER_ID_FILE));
        self.computer_id_file.clone().or_else(usual)
    }

    /// The option, for another process.
    pub(crate) fn words(&self) -> impl Iterator<Item = OsString> {
        let file = self.computer_id_file.iter();
        file.flat_map(|file| ["--computer-id-file".into(), file.into()])
    }
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    Status(Status),
    Enforcement(Enforcement),
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

pub(crate) fn run(args: Agent, context: &Context) -> Result<(), Failure> {
    match args.command {
        Some(AgentCommand::Status(args)) => context.block_on(status(args, context)),
        Some(AgentCommand::Enforcement(args)) => {
            context.block_on(enforcement::run(args, &folder(context), context))
        }
        None if args.print_computer_id => context.block_on(print_computer_id(&args.id, context)),
        None => serve(args, context),
    }
}

async fn print_computer_id(id: &SharedId, context: &Context) -> Result<(), Failure> {
    let folder = folder(context);
    // One that runs has the folder to itself, but tells.
    let socket = folder.join("agent.sock");
    let named = context.data_given.then_some(&*socket);
    match door::agent(named, context).await? {
        Some((_, status)) => line(status.computer),
        None => {
            let id = usher_agent::computer_id(&folder, id.file().as_deref());
            line(id.map_err(failure)?)
        }
    }
}

/// The agent's own folder in a data directory.
fn folder(context: &Context) -> PathBuf {
    context.data().join("agent")
}

fn failure(error: AgentError) -> Failure {
    match error {
        AgentError::Usage(why) => Failure::usage(why),
        AgentError::Failed(why) => Failure::failed(why),
    }
}

/// Runs the agent until it is told to stop.
fn serve(args: Agent, context: &Context) -> Result<(), Failure> {
    bond::tie_to(args.supervisor)?;
    let folder = folder(context);
    super::start_log("agent", &folder);
    let is_root = is_administrator();
    let mut options = AgentOptions::new(folder.clone(), context.server().to_owned());
    match args.token_file {
        None if context.token_given => options.token = context.token(),
        file => options.token_file = Some(file.unwrap_or_else(|| folder.join(TOKEN_FILE))),
    }
    options.ca_file = context.ca_file().map(Path::to_owned);
    options.watching = args.watching;
    options.realms = args.people.realms()?;
    options.computer_id_file = args.id.file();
    options.gate = is_root.then(|| GateOptions {
        program: PathBuf::from("/proc/self/exe"),
        only: args.gate_only,
    });
    options.public_socket = args
        .agent_socket
        .or_else(|| is_root.then(|| PathBuf::from(door::SYSTEM_SOCKET)));
    let socket = options.public_socket.clone();
    let data = context.data().to_owned();
    let said = move |ready: AgentReady| {
        for what in &ready.can_miss {
            log::line(&format!("usher: what the agent can miss: {}", tame(what)));
        }
        if let Some((socket, folder)) = socket.as_deref().and_then(closed_to_others) {
            log::line(&format!(
                "usher: other accounts cannot reach the agent's socket {}: {} is closed to them; \
                 choose another place with --agent-socket, such as {}",
                socket.display(),
                folder.display(),
                door::SYSTEM_SOCKET
            ));
        }
        // The agent watches even if nobody reads the line.
        if let Err(failure) = line(ready_line(&ready, &data)) {
            log::line(&failure.to_string());
        }
        usher_service::tell_ready();
    };
    usher_vital::main(|| usher_agent::run(options, said)).map_err(failure)
}

/// The folder above a socket that other accounts may not enter.
fn closed_to_others(socket: &Path) -> Option<(&Path, PathBuf)> {
    let closed = |folder: &&Path| files::is_closed_to_others(folder).unwrap_or(false);
    let folder = socket.ancestors().skip(1).find(closed)?;
    Some((socket, folder.to_owned()))
}

fn ready_line(ready: &AgentReady, data: &Path) -> String {
    let how = watching(ready.watching).replace(' ', "-");
    let mut said = format!(
        "ready computer={} watching={how} data={}",
        ready.computer,
        shown_path(data)
    );
    if let Some(why) = &ready.not_connected {
        said.push_str(&format!(" (not connected: {})", tame(why)));
    }
    said
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
        .next(
            "Whoever administers this computer starts one; --agent-socket names another place.",
        ));
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
            toned(Tone::Bad, "not connected")
        ),
    };
    let why = status.not_connected.as_ref().filter(|_| !status.connected);
    let server = match why {
        Some(why) => format!("{server}\n             {}", tame(why)),
        None => server,
    };
    let mut lines = vec![
        format!("computer     {}", tame(&status.computer)),
        format!("server       {server}"),
        format!("watching     {}", watching(status.watching)),
        format!("sessions     {} running", status.sessions),
        format!(
            "outbox       {} that the server does not have yet",
            counted(status.outbox, "item")
        ),
    ];
    lines.extend(
        status
            .enforcement
            .as_ref()
            .map(|state| format!("enforcement  {}", enforcement::describe(state))),
    );
    lines.extend(status.released.iter().map(|released| {
        format!(
            "released     {} of {}, which nobody used: it runs without a seat since {}",
            tame(&released.product),
            tame(&released.user),
            time::local(released.since)
        )
    }));
    let is_on = status.enforcement.as_ref().is_some_and(|state| state.on);
    let gate = status.gate.as_ref().filter(|_| is_on);
    lines.extend(gate.map(|gate| format!("gate         {}", gate::describe(gate))));
    lines.extend(
        status
            .can_miss
            .iter()
            .map(|what| format!("can miss     {}", tame(what))),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_in_a_folder_that_is_closed_to_others_is_found() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("usher-closed-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let set = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&folder, mode).unwrap();
        };
        let socket = folder.join("agent.sock");
        set(0o700);
        let (_, closed) = closed_to_others(&socket).unwrap();
        assert_eq!(closed, folder);
        set(0o755);
        let closed = closed_to_others(&socket).map(|(_, closed)| closed);
        std::fs::remove_dir(&folder).unwrap();
        assert_ne!(closed, Some(folder));
    }
}
