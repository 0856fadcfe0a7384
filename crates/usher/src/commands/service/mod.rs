//! `usher service`: roles as services of the operating system, and the steering of them.

mod failed;
mod nightly;
mod place;
mod steer;
mod tls;
mod told;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use usher_api::ServiceControl;
use usher_api::client::check_url;
use usher_api::rights::Right;
use usher_service::files::{self, Installation, Role};

use self::failed::{cannot, not_done};
use self::place::{UNIT_DIR, absolute};
use self::steer::{query, steer};
use crate::context::Context;
use crate::failure::{Failure, Needed};
use crate::listening;
use crate::notify::autostart;
use crate::output::{line, print};

/// Where polkit looks for what the administrator installs.
const POLKIT_DIR: &str = "/etc/polkit-1/rules.d";

/// Make a role a service of the operating system, and steer it
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  usher service install server --listen 127.0.0.1:8470
  usher service start server
  usher service pause server       grants nothing new; leases are kept
  usher service query server       what systemd says, and what the service says of itself

install, remove, start and stop need root, and systemd. pause and continue ask the server itself,
which is --server URL.")]
pub(crate) enum Service {
    Install(Install),
    #[command(name = "install-backup")]
    InstallBackup(nightly::InstallBackup),
    Remove(Remove),
    /// Start a role's service, and wait until it is ready
    Start(Which),
    /// Stop a role's service, and wait until it has stopped
    Stop(Which),
    /// Grant nothing more until told to go on; leases are kept
    Pause(Which),
    /// Grant again
    Continue(Which),
    /// Show how a role's service is, by systemd and by itself
    Query(Which),
}

/// Write a role's unit files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher service install server
  usher service install agent --server https://licences.example.org:8470
  usher service install server --listen 0.0.0.0:8470 --tls-cert server.pem --tls-key server.key
  usher service install agent --server https://licences.example.org:8470 --ca-file ca.pem
  usher service install server --print")]
pub(crate) struct Install {
    #[command(flatten)]
    which: Which,
    /// Where the metering server listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470",
        value_parser = listening::address)]
    listen: SocketAddr,
    /// Where the manager's console listens [default: as its settings say, else 127.0.0.1:8480]
    #[arg(long, value_name = "ADDR", value_parser = listening::address)]
    console: Option<SocketAddr>,
    /// Certificate chain (PEM) of the server or the manager, which systemd hands to the service
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM): readable to root alone, and the service has it all the same
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen beyond loopback without TLS: others can read tokens and names on the network
    #[arg(long)]
    plain_http: bool,
    /// Where the unit files are written
    #[arg(long, value_name = "DIR", default_value = UNIT_DIR)]
    unit_dir: PathBuf,
    /// A unit that the manager may steer, to heal it or restart it for its memory; may be repeated
    #[arg(long, value_name = "UNIT", default_value = "usher-server.service")]
    steers: Vec<String>,
    /// The folder for the rule that lets the manager steer units [default: polkit's, or --unit-dir
    /// if that is given]
    #[arg(long, value_name = "DIR")]
    polkit_dir: Option<PathBuf>,
    /// The folder for an agent's entry that starts `usher notify` in every desktop session
    /// [default: that of desktops, or --unit-dir if that is given]
    #[arg(long, value_name = "DIR")]
    autostart_dir: Option<PathBuf>,
    /// Print the unit files, and write nothing
    #[arg(long)]
    print: bool,
}

/// Stop a role's service and remove its unit files; its data stays
#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    which: Which,
    /// Where the unit files are
    #[arg(long, value_name = "DIR", default_value = UNIT_DIR)]
    unit_dir: PathBuf,
    /// Where the manager's rule for polkit is [default: as of install]
    #[arg(long, value_name = "DIR")]
    polkit_dir: Option<PathBuf>,
    /// Where the agent's entry for desktops is [default: as of install]
    #[arg(long, value_name = "DIR")]
    autostart_dir: Option<PathBuf>,
}

/// Which role.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The role
    #[arg(value_name = "ROLE")]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Server,
    Manager,
    Agent,
}

impl Which {
    fn role(&self) -> Role {
        match self.role {
            RoleName::Server => Role::Server,
            RoleName::Manager => Role::Manager,
            RoleName::Agent => Role::Agent,
        }
    }
}

impl Service {
    /// What it needs of a server; none if it asks systemd alone.
    pub(crate) fn needs(&self) -> Option<Needed> {
        match self {
            Service::Pause(_) | Service::Continue(_) | Service::Start(_) | Service::Stop(_) => {
                Some(Needed::of(&[Right::Operate], "steer the service"))
            }
            Service::Query(_) => Some(Needed::of(&[Right::SeeCounts], "see the service")),
            _ => None,
        }
    }
}

pub(crate) fn run(command: Service, context: &Context) -> Result<(), Failure> {
    match command {
        Service::Install(args) => install(&args, context),
        Service::InstallBackup(args) => nightly::install(&args, context),
        Service::Remove(args) => remove(&args),
        Service::Start(which) => {
            // The socket first: the service takes it over.
            let units: Vec<&str> = which.role().units().iter().rev().copied().collect();
            usher_service::start(&units).map_err(|error| not_done(error, which.role()))
        }
        Service::Stop(which) => {
            usher_service::stop(which.role().units()).map_err(|error| not_done(error, which.role()))
        }
        Service::Pause(which) => steer(which.role(), ServiceControl::Pause, context),
        Service::Continue(which) => steer(which.role(), ServiceControl::Continue, context),
        Service::Query(which) => query(which.role(), context),
    }
}

fn install(args: &Install, context: &Context) -> Result<(), Failure> {
    let role = args.which.role();
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot tell which program this is: {error}")))?;
    if let (Role::Agent, true) = (role, context.server_given) {
        let url = context.server();
        check_url(url).map_err(|why| Failure::usage(format!("--server {url} {why}")))?;
    }
    if let Some(file) = context.ca_file().filter(|_| role != Role::Server) {
        // As the role will read it when it starts.
        let pem = std::fs::read(file).map_err(|error| error.to_string());
        pem.and_then(|pem| usher_tls::authorities(&pem))
            .map_err(|why| {
                Failure::usage(format!(
                    "cannot use the --ca-file {}: {why}",
                    file.display()
                ))
            })?;
    }
    let installation = Installation {
        program: program.clone(),
        listen: args.listen.to_string(),
        server: context.server_given.then(|| context.server().to_owned()),
        console: args.console.map(|address| address.to_string()),
        tls: tls::files(args)?,
        plain_http: args.plain_http,
        authority: context.ca_file().map(absolute),
    };
    let units = files::of(role, &installation).map_err(Failure::usage)?;
    let rights = match role {
        Role::Manager => Some(files::rights(&args.steers).map_err(Failure::usage)?),
        Role::Server | Role::Agent => None,
    };
    if args.print {
        let rights = rights.map(|text| (files::RIGHTS, text));
        let entry = (role == Role::Agent).then(|| (autostart::ENTRY, autostart::text(&program)));
        for (name, text) in units.iter().chain(&rights).chain(&entry) {
            print(&format!("# {name}\n{text}\n"))?;
        }
        return Ok(());
    }
    place::must_be_there(&args.unit_dir, "--unit-dir")?;
    for (name, text) in &units {
        let path = args.unit_dir.join(name);
        std::fs::write(&path, text).map_err(|error| cannot("write", &path, &error))?;
        line(format!("wrote {}", path.display()))?;
    }
    if usher_service::has_manager() {
        usher_service::reload().map_err(|error| not_done(error, role))?;
    }
    if let Some(rights) = rights {
        let dir = beside_units(&args.polkit_dir, &args.unit_dir, POLKIT_DIR);
        give_rights(dir, args.polkit_dir.is_some(), &rights)?;
    }
    if role == Role::Agent {
        let dir = beside_units(&args.autostart_dir, &args.unit_dir, autostart::EVERYBODYS);
        let path = dir.join(autostart::ENTRY);
        autostart::write(dir, &program).map_err(|error| cannot("write", &path, &error))?;
        line(format!("wrote {}", path.display()))?;
    }
    let all: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let enable = format!("systemctl enable --now {}", all.join(" "));
    line(place::to_start(
        &args.unit_dir,
        &enable,
        usher_service::has_manager(),
    ))
}

/// Where a file that is no unit goes: nothing is written beside a folder that somebody named.
fn beside_units<'a>(
    given: &'a Option<PathBuf>,
    unit_dir: &'a Path,
    usual: &'static str,
) -> &'a Path {
    match given {
        Some(dir) => dir,
        None if unit_dir == Path::new(UNIT_DIR) => Path::new(usual),
        None => unit_dir,
    }
}

/// Lets the manager steer units, if this computer has polkit.
fn give_rights(polkit_dir: &Path, is_named: bool, text: &str) -> Result<(), Failure> {
    let path = polkit_dir.join(files::RIGHTS);
    if !polkit_dir.is_dir() {
        let shown = polkit_dir.display();
        return line(match is_named {
            true => format!(
                "--polkit-dir {shown} is not there, so {} was not written: without it the manager \
                 watches, and cannot restart anything. Make the folder, and install again",
                files::RIGHTS
            ),
            false => format!(
                "there is no {shown}: without polkit the manager watches, and cannot restart \
                 anything; --polkit-dir names another place"
            ),
        });
    }
    std::fs::write(&path, text).map_err(|error| cannot("write", &path, &error))?;
    line(format!("wrote {}", path.display()))
}

fn remove(args: &Remove) -> Result<(), Failure> {
    let role = args.which.role();
    let paths: Vec<PathBuf> = role
        .units()
        .iter()
        .map(|name| args.unit_dir.join(name))
        .filter(|path| path.exists())
        .collect();
    if paths.is_empty() {
        return Err(Failure::failed(format!(
            "the {} is no service: {} is not in {}",
            role.name(),
            role.service(),
            args.unit_dir.display()
        )));
    }
    if usher_service::has_manager() {
        usher_service::stop(role.units()).map_err(|error| not_done(error, role))?;
    }
    let other = match role {
        Role::Server => None,
        Role::Manager => {
            let dir = beside_units(&args.polkit_dir, &args.unit_dir, POLKIT_DIR);
            Some(dir.join(files::RIGHTS))
        }
        Role::Agent => {
            let usual = autostart::EVERYBODYS;
            let dir = beside_units(&args.autostart_dir, &args.unit_dir, usual);
            Some(dir.join(autostart::ENTRY))
        }
    };
    let other = other.filter(|path| path.exists());
    for path in paths.into_iter().chain(other) {
        std::fs::remove_file(&path).map_err(|error| cannot("remove", &path, &error))?;
        line(format!("removed {}", path.display()))?;
    }
    if usher_service::has_manager() {
        usher_service::reload().map_err(|error| not_done(error, role))?;
    }
    line("its data stays where it is")
}
