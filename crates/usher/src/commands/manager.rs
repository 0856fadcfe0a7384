//! `usher manager`: watches metering servers.

pub(super) mod database;
mod groups;
mod retention;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use usher_core::health::{
    EpisodeOptions, HealingOptions, MemoryOptions, ServiceManagerWord, ServiceWord,
};
use usher_core::lifecycle::{Refusal, ServiceState};
use usher_core::messages::is_address;
use usher_manager::{
    MailOptions, ManagerError, ManagerOptions, OwnServer, Relay, RelayTls, ServiceManager, Targets,
    TlsFiles,
};
use usher_service::Unit;
use usher_vital::log;

use super::watch::configured;
use crate::bond;
use crate::context::{ADMIN_TOKEN, Context, default_data};
use crate::failure::Failure;
use crate::listening;
use crate::listing::eprintln_quiet;
use crate::output::{line, shown_path, times};
use crate::supervisor::{StopSignals, account};
use crate::time;

use database::SiteDatabase;

/// Watch metering servers, report trouble, and restart servers that do not recover
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher manager
  usher manager --poll 10s --heal off
  usher manager --console 0.0.0.0:8480 --tls-cert cert.pem --tls-key key.pem
  usher manager --database postgres://usher@db1.example,db2.example/site

`usher servers add` adds a server to watch. When the manager watches, it prints one line, such as
`ready console=http://127.0.0.1:8480 data=/var/lib/usher-manager`. Its own admin.token is in its
data directory; the console asks a browser for it as a password.")]
pub(crate) struct Manager {
    /// Where the console and its API listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480",
        value_parser = listening::address)]
    console: SocketAddr,
    /// Certificate chain (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen beyond loopback without TLS: others can read tokens and names on the network
    #[arg(long)]
    plain_http: bool,
    /// How often to look at each server; a second or more
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = every)]
    poll: Duration,
    /// Whether to restart servers that nothing else restarts; never one that was stopped on purpose
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    heal: Switch,
    /// Restart a server of a systemd unit at a good moment if its resident memory is above this
    /// many megabytes; connections wait meanwhile
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    memory_limit: Option<u64>,
    /// How long to wait for a good moment for --memory-limit
    #[arg(long, value_name = "DURATION", default_value = "1h", requires = "memory_limit",
        value_parser = time::duration)]
    memory_wait: Duration,
    /// The name of the site
    #[arg(long, value_name = "NAME", default_value = "site")]
    site: String,
    #[command(flatten)]
    database: SiteDatabase,
    /// If managers share a site database on PostgreSQL: for how long the one that leads may be silent
    /// before another takes over; 3s to 10m
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = time::duration)]
    lease_time: Duration,
    /// A URL that the manager fetches after each look, so that something outside notices if it
    /// stops
    #[arg(long, value_name = "URL", value_parser = listening::web_address)]
    beat_url: Option<String>,
    /// A program that message rules may name, as `NAME=/PATH ARGUMENT...`; may be repeated
    #[arg(long, value_name = "NAME=COMMAND")]
    message_program: Vec<String>,
    /// A webhook that message rules may name, as `NAME=URL SECRET_FILE`; may be repeated
    #[arg(long, value_name = "NAME=WEBHOOK")]
    message_webhook: Vec<String>,
    #[command(flatten)]
    mail: Mail,
    #[command(flatten)]
    groups: groups::Groups,
    #[command(flatten)]
    retention: retention::Retention,
    /// Take any free port if the one of --console is taken
    #[arg(long, hide = true)]
    or_any_port: bool,
    /// The account that the manager takes if root starts it [default: usher, if there is one]
    #[arg(long, value_name = "USER")]
    run_as: Option<String>,
    /// The server beside it, which it watches without being told
    #[arg(long, hide = true, value_name = "URL", requires = "own_data")]
    own_server: Option<String>,
    /// That server's data directory, whose admin's token opens the manager, too
    #[arg(long, hide = true, value_name = "DIR", requires = "own_server")]
    own_data: Option<PathBuf>,
    /// The process that this one is not to outlive
    #[arg(long, hide = true, value_name = "PID")]
    supervisor: Option<i32>,
}

/// How mails of message rules are sent.
#[derive(Debug, Args)]
struct Mail {
    /// The mail relay, as HOST or HOST:PORT [default: none, /usr/sbin/sendmail is used]
    #[arg(long, value_name = "HOST[:PORT]")]
    smtp_relay: Option<String>,
    /// How the connection to the relay is encrypted: usually tls on port 465, starttls on port 587
    #[arg(long, value_name = "HOW", default_value = "starttls")]
    smtp_tls: Security,
    /// The user name for the relay
    #[arg(long, value_name = "NAME", requires_all = ["smtp_relay", "smtp_password_file"])]
    smtp_user: Option<String>,
    /// The file with the password for the relay
    #[arg(long, value_name = "FILE", requires = "smtp_user")]
    smtp_password_file: Option<PathBuf>,
    /// The sender of mails [default: usher@ and this computer's name]
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The URL of the console, for the link in mails [default: that of --console, unless it is a
    /// loopback or unspecified address]
    #[arg(long, value_name = "URL", value_parser = listening::web_address)]
    console_url: Option<String>,
}

/// Reads how often something is looked at.
fn every(text: &str) -> Result<Duration, String> {
    time::within(text, 1, None).map(Duration::from_secs)
}

/// The file that a manager keeps.
const SITE_FILE: &str = "site.db";

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Security {
    Tls,
    Starttls,
    None,
}

impl Mail {
    fn options(self, console: SocketAddr, scheme: &str) -> Result<MailOptions, Failure> {
        let tls = match self.smtp_tls {
            Security::Tls => RelayTls::Tls,
            Security::Starttls => RelayTls::StartTls,
            Security::None => RelayTls::Plain,
        };
        let login = match (self.smtp_user, self.smtp_password_file) {
            (Some(user), Some(file)) => Some((user, file)),
            (None, None) => None,
            (user, _) => {
                let (given, missing) = match user {
                    Some(_) => ("--smtp-user", "--smtp-password-file"),
                    None => ("--smtp-password-file", "--smtp-user"),
                };
                return Err(Failure::usage(format!(
                    "{given} is given without {missing}: a login at the relay needs both"
                )));
            }
        };
        let relay = self
            .smtp_relay
            .map(|text| Relay::parse(&text, tls, login))
            .transpose();
        if let Some(from) = self.mail_from.as_ref().filter(|from| !is_address(from)) {
            return Err(Failure::usage(format!(
                "--mail-from {from:?} is no address such as usher@example.org"
            )));
        }
        let ip = console.ip();
        let seen =
            (!ip.is_loopback() && !ip.is_unspecified()).then(|| format!("{scheme}://{console}/"));
        Ok(MailOptions {
            relay: relay.map_err(Failure::usage)?,
            from: self.mail_from,
            link: self.console_url.or(seen),
        })
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// The manager's data directory. Earlier versions used a server's data directory unless another was
/// given; if the data are there, they stay there.
fn data_of(usual: &Path, before: PathBuf, is_given: bool) -> PathBuf {
    let has_kept = |data: &Path| data.join(SITE_FILE).exists();
    if is_given || has_kept(usual) || !has_kept(&before) {
        return usual.to_owned();
    }
    eprintln_quiet(&format!(
        "usher: this manager keeps its data in {}, as managers of before did, and goes on there. To \
         give it its own place, stop it, move {SITE_FILE} and what begins with that name, and copy admin.token from there to {}; \
         --data {} keeps it where it is without this line.",
        before.display(),
        usual.display(),
        before.display()
    ));
    before
}

/// Watches until it is told to stop.
pub(crate) fn run(args: Manager, context: &Context) -> Result<(), Failure> {
    let given = usher_service::of_this_process().map_err(Failure::failed)?;
    let account = account::choose(args.run_as.as_deref())?;
    let data = data_of(context.data(), default_data(), context.data_given);
    account::prepare_data(&data, account.as_ref())?;
    // What it writes is nobody else's to read: tokens of servers.
    usher_platform::process::keep_what_is_made_private();
    if let Some(account) = &account {
        account.take()?;
    }
    bond::tie_to(args.supervisor)?;
    super::start_log("manager", &data);
    let tls = listening::tls_files(args.tls_cert, args.tls_key)?
        .map(|(cert, key)| TlsFiles { cert, key });
    let scheme = if tls.is_some() { "https" } else { "http" };
    let authority = match context.ca_file() {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the --ca-file {}: {error}",
                path.display()
            ))
        })?),
    };
    let mail = args.mail.options(args.console, scheme)?;
    let targets = Targets::parse(&args.message_program, &args.message_webhook);
    let options = ManagerOptions {
        targets: targets.map_err(Failure::usage)?,
        mail,
        data: data.clone(),
        database: args.database.options()?,
        lease: args.lease_time,
        admin_token_file: args.own_data.as_ref().map(|data| data.join(ADMIN_TOKEN)),
        listen: args.console,
        or_any_port: args.or_any_port,
        tls,
        plain_http: args.plain_http,
        poll: args.poll,
        healing: match args.heal {
            Switch::On => Some(HealingOptions::default()),
            Switch::Off => None,
        },
        memory: args.memory_limit.map(|mb| MemoryOptions {
            latest_after: args.memory_wait,
            ..MemoryOptions::limited_to(mb * 1_000_000)
        }),
        watching: EpisodeOptions::default(),
        site: args.site,
        own: args
            .own_server
            .zip(args.own_data)
            .map(|(url, data)| OwnServer {
                name: OWN_NAME.to_owned(),
                url,
                token_file: data.join(ADMIN_TOKEN),
                data,
            }),
        service_manager: Arc::new(Systemd),
        watchdog: given.manager,
        beat_url: args.beat_url,
        sources: configured::sources(context)?,
        authority,
        groups: args.groups.options()?,
        retention: args.retention.options(),
    };
    let ready = move |address: SocketAddr| {
        let said = line(format!(
            "ready console={scheme}://{address} data={}",
            shown_path(&data)
        ));
        // The manager watches even if nobody reads the line.
        if let Err(failure) = said {
            log::line(&failure.to_string());
        }
        usher_service::tell_ready();
    };
    usher_vital::main(|| {
        context.block_on(async {
            let mut stop = StopSignals::take()?;
            usher_manager::run(options, ready, stop.next())
                .await
                .map_err(|error| match error {
                    ManagerError::Usage(why) => Failure::usage(why),
                    ManagerError::Failed(why) => Failure::failed(why),
                })
        })
    })
}

/// The name of the server that runs beside a manager.
const OWN_NAME: &str = "local";

/// systemd, as the manager asks and controls it.
#[derive(Debug, Clone, Copy)]
struct Systemd;

impl ServiceManager for Systemd {
    fn ask(&self, unit: &str) -> ServiceManagerWord {
        match usher_service::query(unit) {
            Err(error) => ServiceManagerWord::NoAnswer(error.to_string()),
            Ok(unit) if !unit.exists => {
                ServiceManagerWord::NoAnswer(format!("there is no unit {}", unit.name))
            }
            Ok(unit) => ServiceManagerWord::Says(word(&unit)),
        }
    }

    fn stop(&self, unit: &str) -> Result<(), String> {
        usher_service::ask_to_stop(unit).map_err(|error| error.to_string())
    }

    fn end(&self, unit: &str) -> Result<(), String> {
        // systemd knows the processes of a unit by its control group: it ends no other.
        usher_service::kill(unit).map_err(|error| error.to_string())
    }

    fn start(&self, unit: &str) -> Result<(), String> {
        usher_service::ask_to_start(unit).map_err(|error| error.to_string())
    }

    fn restart(&self, unit: &str) -> Result<(), String> {
        let found = usher_service::query(unit).map_err(|error| error.to_string())?;
        if !found.has_socket {
            return Err(format!(
                "no socket of systemd holds the address of {unit}, so that a restart would refuse \
                 connections: `usher service install server` installs one"
            ));
        }
        usher_service::restart(&[unit]).map_err(|error| error.to_string())
    }
}

fn word(unit: &Unit) -> ServiceWord {
    let stopped = unit.state == ServiceState::Stopped;
    let failed = stopped && unit.result != "success" && !unit.result.is_empty();
    let mut text = unit.words.clone();
    if failed {
        text += &format!(", result {}", unit.result);
        if let Some(status) = unit.exit_status {
            text += &format!(" {status}");
        }
    }
    if unit.restarts > 0 {
        text += &format!(", started again {}", times(unit.restarts.into()));
    }
    ServiceWord {
        state: unit.state,
        age: unit.age.unwrap_or_default(),
        checkpoint: 0,
        wait_hint: match unit.state.is_pending() {
            true => PENDING_PATIENCE,
            false => Duration::ZERO,
        },
        error: match (stopped, failed) {
            (true, true) => Some(Refusal::ProcessAborted.number()),
            (true, false) => Some(Refusal::NotActive.number()),
            (false, _) => None,
        },
        on_purpose: stopped && !failed,
        has_process: unit.main_pid.is_some(),
        restarts_itself: unit.restarts_itself,
        text,
    }
}

/// How long a unit may be in a pending state: systemd gives no wait hint.
const PENDING_PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_has_a_place_of_its_own_and_goes_on_where_its_data_are() {
        assert_ne!(crate::context::manager_data(), default_data());
        let folder = tempfile::tempdir().unwrap();
        let (usual, before) = (folder.path().join("manager"), folder.path().join("usher"));
        for place in [&usual, &before] {
            std::fs::create_dir(place).unwrap();
        }
        // A server's data are nothing of a manager's.
        std::fs::write(before.join("cache.db"), "").unwrap();
        assert_eq!(data_of(&usual, before.clone(), false), usual);
        std::fs::write(before.join(SITE_FILE), "").unwrap();
        assert_eq!(data_of(&usual, before.clone(), false), before);
        assert_eq!(data_of(&usual, before.clone(), true), usual);
        std::fs::write(usual.join(SITE_FILE), "").unwrap();
        assert_eq!(data_of(&usual, before, false), usual);
    }
}
