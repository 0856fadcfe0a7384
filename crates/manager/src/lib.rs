//! usher-manager: watches the metering servers of a site and never cries wolf.
//!
//! Each server has a watch: a task that polls it on a cycle, listens to it between polls, weighs
//! the evidence with `core::health` and tells what is worth telling as status messages, which go
//! through the site's rules into the site database and to whom the rules name. It serves `/v1` and
//! a plain page. What it knows is in the site database, so a restart goes on with the episodes
//! that were under way.

#![forbid(unsafe_code)]

mod app;
mod asker;
mod book;
mod clock;
mod collect;
mod data_lock;
mod delivery;
mod dispatch;
mod ended;
mod facts;
mod faults;
mod healing;
mod listener;
mod logged;
mod mail;
mod outlook;
mod page;
mod probe;
mod problem;
mod queues;
mod reach;
mod requests;
mod routes;
mod secrets;
mod serve;
mod server_watch;
mod smtp;
mod summary;
mod targets;
mod thresholds;
mod tokens;
mod tools;
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

pub use mail::MailOptions;
pub use serve::run;
pub use smtp::{Relay, RelayTls};
pub use targets::{Targets, Webhook};
pub use usher_tls::ServerFiles as TlsFiles;

/// The service manager of this computer, as far as a manager of servers needs it. Calls may take
/// time; they are made on threads of their own.
pub trait ServiceManager: Send + Sync {
    /// What it says of a unit.
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

/// Where there is no service manager.
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

/// A metering server that is watched without having been added: the one beside it under `usher up`.
#[derive(Debug, Clone)]
pub struct OwnServer {
    /// The name that the manager gives it.
    pub name: String,
    /// Where its API is.
    pub url: String,
    /// The file that holds a token of it; read again if it is refused.
    pub token_file: PathBuf,
    /// Its data directory.
    pub data: PathBuf,
}

/// How a manager runs.
pub struct ManagerOptions {
    /// Its data directory.
    pub data: PathBuf,
    /// The file that holds the admin's token; none: `admin.token` in its data directory, which is
    /// made if there is none.
    pub admin_token_file: Option<PathBuf>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Listen on any free port if that one is taken.
    pub or_any_port: bool,
    /// For TLS.
    pub tls: Option<TlsFiles>,
    /// Listen beyond loopback without TLS.
    pub plain_http: bool,
    /// How often each server is polled: from a second on.
    pub poll: Duration,
    /// Whether servers that do not help themselves are helped; how, and how often.
    pub healing: Option<HealingOptions>,
    /// When a server's memory is a reason to restart it; none: never.
    pub memory: Option<MemoryOptions>,
    /// When trouble is told and repeated.
    pub watching: EpisodeOptions,
    /// The name of the site.
    pub site: String,
    /// A server that is watched without being told.
    pub own: Option<OwnServer>,
    /// The service manager of this computer.
    pub service_manager: Arc<dyn ServiceManager>,
    /// Who wants to hear that the manager is alive.
    pub watchdog: Option<Arc<dyn Watchdog>>,
    /// A URL that is fetched after each cycle, so that somebody outside notices when it is not.
    pub beat_url: Option<String>,
    /// The programs and webhooks that message rules may name.
    pub targets: Targets,
    /// How mails are sent.
    pub mail: MailOptions,
    /// A certificate authority (PEM) to trust besides the system's own.
    pub authority: Option<Vec<u8>>,
}

/// Why a manager ended.
#[derive(Debug, Error)]
pub enum ManagerError {
    /// It was told something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// It could not start, or failed.
    #[error("{0}")]
    Failed(String),
}
