//! What every command needs: where the server, the token and the data are, and how to print.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use clap::Args;
use usher_api::client::{Client, Endpoint, check_url, is_here};

use crate::config::Origins;
use crate::failure::Failure;

/// The default address of a server.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:8470";

/// The file that holds the administrator's token.
pub(crate) const ADMIN_TOKEN: &str = "admin.token";

/// A limit: every token is shorter.
const TOKEN_LIMIT_BYTES: u64 = 4_096;

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Globals {
    /// The metering server to ask
    #[arg(long, global = true, value_name = "URL", default_value = DEFAULT_SERVER)]
    pub(crate) server: String,
    /// The access token to show; else <data>/admin.token is read
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// A certificate authority (PEM) to trust besides the system's own
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Data directory [default: ~/.local/share/usher, for root /var/lib/usher; of a manager
    /// usher-manager in the same folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Settings file (TOML)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON with the field names of the API
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Which options of every command somebody gave, rather than that they are the default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) server: bool,
    pub(crate) token: bool,
    pub(crate) data: bool,
}

/// The options of every command, and what they result in.
#[derive(Debug)]
pub(crate) struct Context {
    globals: Globals,
    origins: Origins,
    /// Whether somebody named the server, rather than that it is the default.
    pub(crate) server_given: bool,
    /// Whether somebody gave a token.
    pub(crate) token_given: bool,
    /// Whether somebody named the data directory.
    pub(crate) data_given: bool,
    /// Whether an agent was looked for and none answered.
    misses_agent: AtomicBool,
    /// Whether a request was sent with a token.
    shows_token: AtomicBool,
    /// The file that the token was read from last, if nobody gave one.
    token_file: RwLock<Option<PathBuf>>,
    /// What `usher run` is to start.
    starts: OnceLock<String>,
    /// The server that a manager is asked for.
    at: OnceLock<String>,
    data: PathBuf,
}

impl Context {
    /// Makes the context of a command from its options.
    pub(crate) fn new(
        globals: Globals,
        usual_data: PathBuf,
        given: Given,
        origins: Origins,
    ) -> Self {
        let data = globals.data.clone().unwrap_or(usual_data);
        // It is told to other processes and to people, who may be elsewhere.
        let data = std::path::absolute(&data).unwrap_or(data);
        Context {
            globals,
            origins,
            server_given: given.server,
            token_given: given.token,
            data_given: given.data,
            misses_agent: AtomicBool::new(false),
            shows_token: AtomicBool::new(false),
            token_file: RwLock::default(),
            starts: OnceLock::new(),
            at: OnceLock::new(),
            data,
        }
    }

    /// The failure, with the origin of each option that it names.
    pub(crate) fn with_origins(&self, failure: Failure) -> Failure {
        self.origins.told(failure)
    }

    /// What a manager watches of other licence servers by the settings file, and that file.
    #[allow(dead_code, reason = "a manager runs on Linux alone")]
    pub(crate) fn watches(&self) -> (&Path, &crate::config::Watches) {
        self.origins.watches()
    }

    /// Remembers that an agent was looked for and none answered.
    pub(crate) fn miss_agent(&self) {
        self.misses_agent.store(true, Ordering::Relaxed);
    }

    /// Whether an agent was looked for and none answered.
    pub(crate) fn misses_agent(&self) -> bool {
        self.misses_agent.load(Ordering::Relaxed)
    }

    /// Whether a request was sent with a token.
    pub(crate) fn shows_token(&self) -> bool {
        self.shows_token.load(Ordering::Relaxed)
    }

    /// The file that the token was read from, if nobody gave one.
    pub(crate) fn token_file(&self) -> Option<PathBuf> {
        let file = self.token_file.read();
        file.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the command that is to be started.
    pub(crate) fn is_to_start(&self, name: String) {
        // One command line starts one.
        let _ = self.starts.set(name);
    }

    /// The command that is to be started.
    pub(crate) fn starts(&self) -> Option<&str> {
        self.starts.get().map(String::as_str)
    }

    /// Remembers the server that a manager is asked for.
    pub(crate) fn asks_of(&self, server: &str) {
        // One command line names one.
        let _ = self.at.set(server.to_owned());
    }

    /// The server that a manager is asked for.
    pub(crate) fn at(&self) -> Option<&str> {
        self.at.get().map(String::as_str)
    }

    /// Whether programs read the output.
    pub(crate) fn json(&self) -> bool {
        self.globals.json
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        &self.globals.server
    }

    /// The settings file, if one was named.
    pub(crate) fn config(&self) -> Option<&Path> {
        self.globals.config.as_deref()
    }

    /// The certificate authority to trust besides the system's own.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.globals.ca_file.as_deref()
    }

    /// The token for the server: see [`Context::token_for`].
    pub(crate) fn token(&self) -> Option<String> {
        self.token_for(self.server())
    }

    /// The token that was given, else the one in `<data>/admin.token`, else none. The file's token
    /// is not sent to another computer, unless the data directory was named: otherwise a server at
    /// a mistyped name would get it.
    pub(crate) fn token_for(&self, url: &str) -> Option<String> {
        if let Some(token) = &self.globals.token {
            return Some(token.trim().to_owned()).filter(|token| !token.is_empty());
        }
        match self.may_show_own(url) {
            true => self.admin_token(&self.data),
            false => None,
        }
    }

    /// The administrator's token in that data directory.
    fn admin_token(&self, data: &Path) -> Option<String> {
        // The directory may be another account's: a link of its would have root show a secret.
        let file = data.join(ADMIN_TOKEN);
        let text = usher_platform::files::read_own_text(&file, TOKEN_LIMIT_BYTES).ok()?;
        let token = Some(text.trim().to_owned()).filter(|token| !token.is_empty())?;
        *self
            .token_file
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(file);
        Some(token)
    }

    /// The tokens that the manager at `url` may accept: the one that was given, else the one in a
    /// manager's own data directory and, as with `usher up`, the server's. The rule of
    /// [`Context::token_for`] applies.
    pub(crate) fn tokens_for_manager(&self, url: &str) -> Vec<String> {
        let usual = self.token_for(url);
        if self.globals.token.is_some() || self.data_given || !self.may_show_own(url) {
            return usual.into_iter().collect();
        }
        let own = self.admin_token(&manager_data());
        let own = own.filter(|own| usual.as_ref() != Some(own));
        own.into_iter().chain(usual).collect()
    }

    /// The file that the administrator's token of the server is read from, if it may be shown to it.
    pub(crate) fn admin_token_file(&self) -> Option<PathBuf> {
        let may = self.may_show_own(self.server());
        may.then(|| self.data.join(ADMIN_TOKEN))
    }

    /// Whether `<data>/admin.token` may be shown to the server at `url`.
    pub(crate) fn may_show_own(&self, url: &str) -> bool {
        self.data_given || is_here(url)
    }

    /// A client of the server, with the token; if that is a manager, for the server that is named
    /// with --at.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let client = self.client_of(self.server(), self.token())?;
        Ok(match self.at() {
            Some(name) => client.of_server(name),
            None => client,
        })
    }

    /// A client of the server at `url`, with `token`.
    pub(crate) fn client_of(&self, url: &str, token: Option<String>) -> Result<Client, Failure> {
        let named = match url == self.server() {
            true => "the URL of --server",
            false => "the URL",
        };
        check_url(url).map_err(|why| match url.contains('@') {
            // What it holds may be a password.
            true => Failure::usage(format!("{named} {why}")),
            false => Failure::usage(format!("{named}, {url}, {why}")),
        })?;
        let ca = match self.ca_file() {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                Failure::usage(format!(
                    "cannot read the --ca-file {}: {error}",
                    path.display()
                ))
            })?),
            None => None,
        };
        self.shows_token
            .fetch_or(token.is_some(), Ordering::Relaxed);
        let client = Client::new(Endpoint::Url(url.to_owned()), token, ca.as_deref())?;
        Ok(told_of(client))
    }

    /// Runs a command's asynchronous part on the main thread.
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // In a box without its type: else the runtime's loop is compiled for each command's work.
        let work: Pin<Box<dyn Future<Output = Result<T, Failure>> + '_>> = Box::pin(work);
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::failed(format!("cannot start: {error}")))?
            .block_on(work)
    }
}

/// How long a server may take before the user is told that there is no answer yet.
const WORDLESS: Duration = Duration::from_secs(2);

/// The client, which says that there is no answer yet if one takes long. It says so even without a
/// terminal, so that a job that waits shows the reason in its own output.
pub(crate) fn told_of(client: Client) -> Client {
    client.telling(WORDLESS, |endpoint| {
        let whom = match endpoint {
            Endpoint::Url(url) => url.clone(),
            Endpoint::Socket(_) => "the server, by the agent of this computer".to_owned(),
        };
        // Nobody can be told that stderr is closed.
        drop(writeln!(
            std::io::stderr(),
            "usher: asking {whom}: no answer yet"
        ));
    })
}

/// `$XDG_DATA_HOME/usher`, for root `/var/lib/usher`.
pub(crate) fn default_data() -> PathBuf {
    usual_data("usher")
}

/// `$XDG_DATA_HOME/usher-manager`, for root `/var/lib/usher-manager`: a manager has its own data
/// directory.
pub(crate) fn manager_data() -> PathBuf {
    usual_data("usher-manager")
}

fn usual_data(name: &str) -> PathBuf {
    usher_platform::host::data_home().join(name)
}
