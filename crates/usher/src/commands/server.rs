//! `usher server`: the metering server alone.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use usher_server::{LocalAccounts, Managed, ServerOptions, TlsFiles};
use usher_vital::log;

use crate::bond;
use crate::context::Context;
use crate::failure::Failure;
use crate::listening;
use crate::output::line;
use crate::supervisor::{account, ready_line};
use crate::upgrade::arrival;

const BY_COMPUTER: &str = "by_computer";
const BY_NAME: &str = "by_name";

/// The words as they are written, also with `-` for `_`.
fn local_accounts_words() -> PossibleValuesParser {
    let word = |word, other| PossibleValue::new(word).alias(other);
    PossibleValuesParser::new([word(BY_COMPUTER, "by-computer"), word(BY_NAME, "by-name")])
}

/// Start a metering server alone
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher server --data /var/lib/usher
  usher server --listen 0.0.0.0:8470 --tls-cert cert.pem --tls-key key.pem

Beyond loopback it listens only with a certificate, or with an explicit --plain-http. When it
serves, it tells systemd and prints one line: `ready api=http://127.0.0.1:8470 data=/var/lib/usher`.")]
pub(crate) struct Server {
    #[command(flatten)]
    listening: Listening,
    /// The process that this one is not to outlive
    #[arg(long, hide = true, value_name = "PID")]
    supervisor: Option<i32>,
    /// The descriptor of a listener that the process before left open
    #[arg(long, hide = true, value_name = "NUMBER")]
    inherited_listener: Option<u16>,
}

/// How a server listens, and as whom.
#[derive(Debug, Args)]
pub(crate) struct Listening {
    /// Where the API listens; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470",
        value_parser = listening::address)]
    pub(crate) listen: SocketAddr,
    /// Certificate chain (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Listen beyond loopback without TLS: others can read tokens and names on the network
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// If the old data file is gone, start with an empty one: no products, no seats, no records
    #[arg(long)]
    pub(crate) begin_anew: bool,
    /// How many days ended leases, sessions and denials are kept; the next pack removes older ones
    #[arg(long, value_name = "DAYS", default_value_t = 400)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) keep_days: u32,
    /// How many snapshots of the data are kept in <data>/snapshots; each scheduled pack and each
    /// upgrade makes one first. 0 keeps none
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1_000))]
    pub(crate) keep_snapshots: u32,
    /// Whether accounts with the same name in several computers' own files are one person:
    /// by_computer means no; by_name means yes, as on a cluster
    #[arg(long, value_name = "HOW", default_value = BY_COMPUTER)]
    #[arg(value_parser = local_accounts_words())]
    pub(crate) people_local_accounts: String,
    /// The account that the server takes if root starts it [default: usher, if there is one]
    #[arg(long, value_name = "USER")]
    pub(crate) run_as: Option<String>,
}

impl Listening {
    fn local_accounts(&self) -> LocalAccounts {
        match self.people_local_accounts.replace('-', "_") == BY_NAME {
            true => LocalAccounts::ByName,
            false => LocalAccounts::ByComputer,
        }
    }

    /// The options besides the address and the account, for another process.
    pub(crate) fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        for (option, file) in [("--tls-cert", &self.tls_cert), ("--tls-key", &self.tls_key)] {
            if let Some(file) = file {
                words.extend([option.into(), file.clone().into_os_string()]);
            }
        }
        for (option, number) in [
            ("--keep-days", self.keep_days),
            ("--keep-snapshots", self.keep_snapshots),
        ] {
            words.extend([option.into(), number.to_string().into()]);
        }
        words.push("--people-local-accounts".into());
        words.push(self.people_local_accounts.clone().into());
        if self.plain_http {
            words.push("--plain-http".into());
        }
        words
    }
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Server, context: &Context) -> Result<(), Failure> {
    let account = account::choose(args.listening.run_as.as_deref())?;
    account::prepare_data(context.data(), account.as_ref())?;
    // What it writes is nobody else's to read: names, usage, the token of the administrator.
    usher_platform::process::keep_what_is_made_private();
    if let Some(account) = &account {
        account.take()?;
    }
    bond::tie_to(args.supervisor)?;
    let mut given = usher_service::of_this_process().map_err(Failure::failed)?;
    let inherited = args.inherited_listener.map(usher_service::inherited);
    let inherited = inherited.transpose().map_err(Failure::usage)?;
    let managed = Managed {
        listener: given.listeners.pop().or(inherited),
        manager: given.manager,
        prepare: arrival::prepare(context.data())?,
    };
    if !given.listeners.is_empty() {
        return Err(Failure::usage(
            "systemd passed more than one socket, and the server has one address",
        )
        .next("Leave one ListenStream= in usher-server.socket."));
    }
    super::start_log("server", context.data());
    let local_accounts = args.listening.local_accounts();
    let tls = listening::tls_files(args.listening.tls_cert, args.listening.tls_key)?
        .map(|(cert, key)| TlsFiles { cert, key });
    let scheme = if tls.is_some() { "https" } else { "http" };
    let options = ServerOptions {
        data: context.data().to_owned(),
        listen: args.listening.listen,
        tls,
        plain_http: args.listening.plain_http,
        begin_anew: args.listening.begin_anew,
        keep_days: args.listening.keep_days,
        keep_snapshots: args.listening.keep_snapshots,
        local_accounts,
    };
    let data = context.data().to_owned();
    let ready = move |address: SocketAddr| {
        // The server serves even if nobody reads the line.
        if let Err(failure) = line(ready_line(&format!("{scheme}://{address}"), &data)) {
            log::line(&failure.to_string());
        }
    };
    Ok(usher_vital::main(|| {
        usher_server::run(options, managed, ready)
    })?)
}
