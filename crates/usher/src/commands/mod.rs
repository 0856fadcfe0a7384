//! One file per subcommand: its options, its help, and what it does.

#[cfg(target_os = "linux")]
pub(crate) mod agent;
pub(crate) mod at;
pub(crate) mod backup;
#[cfg(target_os = "linux")]
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod checkin;
pub(crate) mod checkout;
pub(crate) mod completions;
pub(crate) mod denials;
#[cfg(target_os = "linux")]
pub(crate) mod doctor;
#[cfg(target_os = "linux")]
pub(crate) mod enforcement;
pub(crate) mod entitlement;
#[cfg(target_os = "linux")]
mod gate;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod leases;
mod log;
pub(crate) mod man;
pub(crate) mod managed;
#[cfg(target_os = "linux")]
pub(crate) mod manager;
pub(crate) mod messages;
#[cfg(target_os = "linux")]
pub(crate) mod notify;
pub(crate) mod pack;
pub(crate) mod policy;
pub(crate) mod product;
pub(crate) mod queue;
pub(crate) mod renew;
pub(crate) mod report;
#[cfg(target_os = "linux")]
pub(crate) mod restore;
mod rules;
#[cfg(target_os = "linux")]
pub(crate) mod run;
#[cfg(target_os = "linux")]
pub(crate) mod server;
pub(crate) mod servers;
#[cfg(target_os = "linux")]
pub(crate) mod service;
pub(crate) mod sim;
#[cfg(target_os = "linux")]
mod site;
pub(crate) mod standing;
pub(crate) mod status;
pub(crate) mod tls;
pub(crate) mod token;
#[cfg(target_os = "linux")]
pub(crate) mod up;
#[cfg(target_os = "linux")]
pub(crate) mod upgrade;
pub(crate) mod usage;
pub(crate) mod watch;
pub(crate) mod whatif;
pub(crate) mod why;
#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub(crate) use windows::{
    agent, bench, doctor, manager, notify, restore, run, server, service, up, upgrade,
};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::listing::eprintln_quiet;

/// A parser of the words of an API enum. People write them with `-`; `_` is understood too.
pub(crate) fn one_of<T>(words: &[&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let values = words
        .iter()
        .map(|word| PossibleValue::new(*word).alias(word.replace('-', "_")));
    PossibleValuesParser::new(values).try_map(|word| {
        serde_json::from_value::<T>(serde_json::Value::String(word.replace('-', "_")))
    })
}

/// Starts the log of a role on stderr, and has a panic that ends the role recorded in `data`, for
/// its next start. `USHER_LOG` sets how much is logged: `info`, `debug`, or a level for each
/// module.
pub(crate) fn start_log(role: &str, data: &std::path::Path) {
    usher_vital::install(role, env!("CARGO_PKG_VERSION"), data);
    let given = std::env::var("USHER_LOG").unwrap_or_default();
    let filter = log::filter(&given).unwrap_or_else(|| {
        eprintln_quiet(&format!(
            "usher: USHER_LOG is {given:?}, and info is used: it can be info or debug"
        ));
        log::default_filter()
    });
    let log = tracing_subscriber::fmt()
        // The filter alone decides.
        .with_max_level(LevelFilter::TRACE)
        .with_writer(|| usher_vital::log::Lines)
        .fmt_fields(log::Fields::default())
        // It would report by `eprintln!`, which panics if standard error cannot be written.
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .finish()
        .with(filter);
    // A second log would be a mistake of this program, and is none of the user's business.
    drop(log.try_init());
}
