//! usher-manager: watches the metering servers of a site and never cries wolf.
//!
//! Each server has a watch: a task that polls it on a cycle, listens to it between polls, weighs
//! the evidence with `core::health` and tells what is worth telling as status messages, which go
//! through the site's rules into the site database and to whom the rules name. It takes in what
//! other licence servers count. It serves `/v1` and a plain page. What it knows is in the site database,
//! so a restart goes on with the episodes that were under way, and so does another manager that shares
//! the database, if this one no longer leads.

#![forbid(unsafe_code)]

mod app;
mod archive_place;
mod asker;
mod book;
mod clock;
mod collect;
mod counting;
mod data_lock;
mod day_upkeep;
mod delivery;
mod dispatch;
mod elsewhere;
mod ended;
mod facts;
mod faults;
mod follow;
mod former;
mod gathering;
mod groups;
mod healing;
mod identities;
mod import_upkeep;
mod kept_replays;
mod leading;
mod lease;
mod led;
mod levels;
mod listener;
mod logged;
mod mail;
mod outlook;
mod page;
mod probe;
mod problem;
mod queues;
mod reach;
mod refused;
mod reported;
mod requests;
mod retention;
mod routes;
mod secrets;
mod serve;
mod server_watch;
mod share;
mod shared_token;
mod smtp;
mod source_watch;
mod sources;
mod summary;
mod targets;
mod term;
mod terms;
mod thresholds;
mod tokens;
mod tools;
mod turns;
mod undelivered;
mod view;
mod vital;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use usher_core::health::{EpisodeOptions, HealingOptions, MemoryOptions, ServiceManagerWord};
use usher_core::lifecycle::ServiceManager as Watchdog;

pub use groups::GroupOptions;
pub use mail::MailOptions;
pub use retention::RetentionOptions;
pub use serve::run;
pub use smtp::{Relay, RelayTls};
pub use targets::{Targets, Webhook};
pub use usher_site::Archive;
pub use usher_site::PostgresAddress;
pub use usher_tls::ServerFiles as TlsFiles;
pub use usher_watch::{Origin, Watched};

/// The service manager of this computer, as far as a manager of servers needs it. Calls may take
/// time; they are made on threads of their own.
pub trait ServiceManager: Send + Sync {
    /// What it says about a unit.
    fn ask(&self, unit: &str) -> ServiceManagerWord;

    /// Asks it to stop a unit; does not wait for the end.
    ///
    /// # Errors
    /// What it says.
    fn stop(&self, unit: &str) -> Result<(), String>;

    /// Ends the process of a unit by force, after checking that it is still the unit's.
    ///
    /// # Errors
    /// What it says.
    fn end(&self, unit: &str) -> Result<(), String>;

    /// Asks it to start a unit; does not wait until it is ready.
    ///
    /// # Errors
    /// What it says.
    fn start(&self, unit: &str) -> Result<(), String>;

    /// Has it restart a unit without refusing anybody, and waits until that is ready again.
    ///
    /// # Errors
    /// What it says, or that connections would be refused meanwhile; then nothing is done.
    fn restart(&self, unit: &str) -> Result<(), String>;
}

/// For a computer without a service manager.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoServiceManager;

impl ServiceManager for NoServiceManager {
    fn ask(&self, _: &str) -> ServiceManagerWord {
        ServiceManagerWord::NoAnswer("this computer has none that usher knows".to_owned())
    }

    fn stop(&self, _: &str) -> Result<(), String> {
        Err("there is no service manager".to_owned())
    }

    fn end(&self, _: &str) -> Result<(), String> {
        Err("there is no service manager".to_owned())
    }

    fn start(&self, _: &str) -> Result<(), String> {
        Err("there is no service manager".to_owned())
    }

    fn restart(&self, _: &str) -> Result<(), String> {
        Err("there is no service manager".to_owned())
    }
}

/// A metering server that is watched without being added: the one beside the manager under `usher
/// up`.
#[derive(Debug, Clone)]
pub struct OwnServer {
    /// The name that the manager gives it.
    pub name: String,
    /// The URL of its API.
    pub url: String,
    /// The file with a token of it, which is read again if the token is refused.
    pub token_file: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
}

/// Another licence server that the manager itself watches, as the settings file of its computer says.
#[derive(Debug, Clone)]
pub struct WatchedSource {
    /// What is watched.
    pub watched: Watched,
    /// It is told of if it fails, or a server does not answer, for longer.
    pub failing_after: Duration,
    /// It is told of if a log does not grow for longer; none: a log may be silent.
    pub silent_after: Option<Duration>,
}

/// Where the site database of a manager is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In its data directory: the file `site.db`.
    InData,
    /// In that SQLite file, and its lock beside it.
    Sqlite(PathBuf),
    /// On a PostgreSQL.
    Postgres(Box<PostgresAddress>),
}

/// The options of a manager.
pub struct ManagerOptions {
    /// Its data directory.
    pub data: PathBuf,
    /// Where its site database is.
    pub database: Database,
    /// For how long a manager leads a site that others share unless it renews that; from 3 s to 10 min.
    pub lease: Duration,
    /// The file that holds the admin's token; none: `admin.token` in its data directory, which is
    /// made if there is none.
    pub admin_token_file: Option<PathBuf>,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Whether to listen on any free port if that one is taken.
    pub or_any_port: bool,
    /// The certificate and key for TLS; none: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is explicitly allowed on addresses other than loopback.
    pub plain_http: bool,
    /// How often each server is polled; at least a second.
    pub poll: Duration,
    /// How servers that do not recover by themselves are restarted, and how often; none: never.
    pub healing: Option<HealingOptions>,
    /// When a server's memory is a reason to restart it; none: never.
    pub memory: Option<MemoryOptions>,
    /// When trouble is reported and repeated.
    pub watching: EpisodeOptions,
    /// The name of the site.
    pub site: String,
    /// A server that is watched without being added.
    pub own: Option<OwnServer>,
    /// The service manager of this computer.
    pub service_manager: Arc<dyn ServiceManager>,
    /// The watchdog to tell that the manager is alive.
    pub watchdog: Option<Arc<dyn Watchdog>>,
    /// A URL that is fetched after each cycle, so that an outside monitor notices if the manager
    /// dies.
    pub beat_url: Option<String>,
    /// The programs and webhooks that message rules may name.
    pub targets: Targets,
    /// How mail is sent.
    pub mail: MailOptions,
    /// Other licence servers that it watches.
    pub sources: Vec<WatchedSource>,
    /// A certificate authority (PEM) to trust besides the system's own.
    pub authority: Option<Vec<u8>>,
    /// Which groups of people it knows.
    pub groups: GroupOptions,
    /// For how long it keeps what it has collected.
    pub retention: RetentionOptions,
}

/// Why a manager ended.
#[derive(Debug, Error)]
pub enum ManagerError {
    /// The options are not valid, for this reason.
    #[error("{0}")]
    Usage(String),
    /// It could not start, or failed, for this reason.
    #[error("{0}")]
    Failed(String),
}
