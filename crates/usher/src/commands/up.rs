//! `usher up`: everything on one machine.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::agent::{People, SharedId};
use super::server::Listening;
use crate::context::Context;
use crate::failure::Failure;
use crate::listening;
use crate::supervisor::{self, Plan, account};

/// Start everything on this machine: a metering server, a manager that watches it, and an agent
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher up
  usher up --data /srv/usher --listen 127.0.0.1:0     a free port; the ready line tells which
  usher up --listen 0.0.0.0:8470 --tls-cert cert.pem --tls-key key.pem

When everything serves, one line says so on standard output:
  ready api=http://127.0.0.1:8470 console=http://127.0.0.1:8480 data=/var/lib/usher
SIGTERM and Ctrl-C stop it cleanly. Each role is a process of its own. `usher up` restarts a role
that dies, and all roles end with `usher up`, however it ends. A role that dies five times within
ten minutes is not restarted: `usher status` and `usher doctor` say so, and `usher up` ends with 1.
The first start makes <data>/admin.token, which the other commands find by themselves.")]
pub(crate) struct Up {
    #[command(flatten)]
    listening: Listening,
    /// Where the console listens [default: 127.0.0.1:8480, or a free port if that is taken]
    #[arg(long, value_name = "ADDR", value_parser = listening::address)]
    console: Option<SocketAddr>,
    /// Start no agent
    #[arg(long)]
    no_agent: bool,
    /// The agent's socket for everyone on the computer [default: for root /run/usher/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
    #[command(flatten)]
    people: People,
    #[command(flatten)]
    id: SharedId,
}

/// Runs the command; returns the exit code.
pub(crate) fn run(args: Up, context: &Context) -> Result<u8, Failure> {
    let mut agent_options: Vec<OsString> = Vec::new();
    if let Some(socket) = args.agent_socket {
        agent_options.extend(["--agent-socket".into(), socket.into_os_string()]);
    }
    args.people.realms()?;
    let files = (
        args.listening.tls_cert.clone(),
        args.listening.tls_key.clone(),
    );
    let names = match listening::tls_files(files.0, files.1)? {
        Some((cert, key)) => {
            let read = usher_tls::ServerFiles { cert, key }.read();
            let (_, identity) = read.map_err(|refused| Failure::usage(refused.to_string()))?;
            identity.names
        }
        None => Vec::new(),
    };
    agent_options.extend(args.people.words());
    agent_options.extend(args.id.words());
    let plan = Plan {
        listen: args.listening.listen,
        server_options: args.listening.words(),
        begin_anew: args.listening.begin_anew,
        names,
        certificate: args.listening.tls_cert.clone(),
        console: args.console,
        computer_id_file: args.id.file(),
        agent_options: (!args.no_agent).then_some(agent_options),
        account: account::choose(args.listening.run_as.as_deref())?,
    };
    usher_vital::install("up", env!("CARGO_PKG_VERSION"), context.data());
    usher_vital::main(|| context.block_on(supervisor::run(plan, context)))
}
