//! Load against a metering server: checkouts and checkins, or agents' exchanges.

mod agents;
mod checkouts;
mod fixture;
mod report;
mod target;

use std::time::Duration;

use crate::engine::{self, Plan, Tally};

pub use fixture::Fixture;
pub use report::LoadReport;
pub use target::Target;

/// Connections at the most.
pub const CONNECTIONS_LIMIT: usize = 4_096;
/// Threads at the most.
pub const THREADS_LIMIT: usize = 64;
/// The longest that load is put on a server.
pub const DURATION_LIMIT: Duration = Duration::from_secs(600);
/// Requests at the most, if not fewer are asked for.
pub const REQUESTS_LIMIT: u64 = 1_000_000_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Each connection takes a seat and gives it back, again and again.
    Pairs,
    /// Each connection takes seats, and gives all of them back after the measured time.
    Checkouts,
    /// Each connection is an agent: exchanges of this many items, half checkouts, half checkins.
    Agents {
        /// Items an exchange, an even number up to 1,000.
        items: usize,
    },
}

/// What load, against what.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// `http://HOST:PORT`.
    pub url: String,
    /// A token of role operator or admin.
    pub token: String,
    /// What is asked.
    pub work: Work,
    /// The products asked for, in turn.
    pub products: Vec<String>,
    /// Connections, each with one request outstanding.
    pub connections: usize,
    /// Threads of the generator; one keeps up with most servers.
    pub threads: usize,
    /// What is not measured at first.
    pub warm_up: Duration,
    /// What is measured.
    pub duration: Duration,
    /// Requests at the most.
    pub requests_limit: u64,
    /// Requests a second at even intervals; none: as fast as answers come.
    pub rate: Option<f64>,
    /// How long a lease lives that was lost with its connection.
    pub ttl_seconds: u32,
    /// Whether each checkout carries an Idempotency-Key.
    pub keyed: bool,
    /// The server's process, if it runs on this machine: its processor time is reported.
    pub server_pid: Option<u32>,
    /// Said by the owner of a server beyond loopback, who alone may load it.
    pub i_own_this_server: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            url: "http://127.0.0.1:8470".to_owned(),
            token: String::new(),
            work: Work::Pairs,
            products: Vec::new(),
            connections: 64,
            threads: 1,
            warm_up: Duration::from_millis(500),
            duration: Duration::from_secs(5),
            requests_limit: REQUESTS_LIMIT,
            rate: None,
            ttl_seconds: 60,
            keyed: false,
            server_pid: None,
            i_own_this_server: false,
        }
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The options cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The load could not be put on, or broke off.
    #[error("{0}")]
    Failed(String),
}

/// Puts load on a server and reports. The products have to be there: see [`Fixture`].
pub fn run(options: &LoadOptions) -> Result<LoadReport, LoadError> {
    Ok(LoadReport::new(options, &measure(options)?))
}

/// The same; gives what was counted, for those who measure several times.
pub fn measure(options: &LoadOptions) -> Result<Tally, LoadError> {
    let target = check(options)?;
    let plan = Plan {
        connections: options.connections,
        threads: options.threads,
        warm_up: options.warm_up,
        duration: options.duration,
        requests_limit: options.requests_limit,
        rate: options.rate,
        server_pid: options.server_pid,
    };
    let tally = match options.work {
        Work::Pairs => engine::run(&checkouts::Checkouts::new(options, target, false), &plan),
        Work::Checkouts => engine::run(&checkouts::Checkouts::new(options, target, true), &plan),
        Work::Agents { items } => engine::run(&agents::Agents::new(options, target, items), &plan),
    };
    tally.map_err(LoadError::Failed)
}

fn check(options: &LoadOptions) -> Result<Target, LoadError> {
    let usage = |text: String| Err(LoadError::Usage(text));
    let target = Target::new(&options.url, options.i_own_this_server)?;
    if options.products.is_empty() {
        return usage("no product is named".to_owned());
    }
    if !(1..=CONNECTIONS_LIMIT).contains(&options.connections) {
        return usage(format!("connections go from 1 to {CONNECTIONS_LIMIT}"));
    }
    if !(1..=THREADS_LIMIT).contains(&options.threads) {
        return usage(format!("threads go from 1 to {THREADS_LIMIT}"));
    }
    if options.duration.is_zero() || options.warm_up + options.duration > DURATION_LIMIT {
        let longest = DURATION_LIMIT.as_secs();
        return usage(format!("load is put on for up to {longest} seconds"));
    }
    if options
        .rate
        .is_some_and(|rate| !(rate >= 1.0 && rate.is_finite()))
    {
        return usage("a rate is one request a second or more".to_owned());
    }
    if !(1..=REQUESTS_LIMIT).contains(&options.requests_limit) {
        return usage(format!("requests go from 1 to {REQUESTS_LIMIT}"));
    }
    if let Work::Agents { items } = options.work
        && (items % 2 != 0 || !(2..=usher_api::SYNC_ITEMS_LIMIT).contains(&items))
    {
        let most = usher_api::SYNC_ITEMS_LIMIT;
        return usage(format!("items are an even number from 2 to {most}"));
    }
    if let Some(name) = options
        .products
        .iter()
        .find(|name| !fixture::is_plain(name))
    {
        return usage(format!(
            "`{name}` cannot be a product of a benchmark: letters, digits, - . _"
        ));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut LoadOptions)) -> String {
        let mut options = LoadOptions {
            products: vec!["p".to_owned()],
            ..LoadOptions::default()
        };
        change(&mut options);
        match check(&options) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn load_is_bounded_in_count_and_time() {
        assert_eq!(refusal(|_| ()), "");
        assert!(refusal(|options| options.connections = 5_000).contains("connections"));
        assert!(refusal(|options| options.threads = 0).contains("threads"));
        assert!(refusal(|options| options.duration = Duration::from_secs(3_600)).contains("600"));
        assert!(refusal(|options| options.requests_limit = 0).contains("requests"));
        assert!(refusal(|options| options.rate = Some(0.0)).contains("rate"));
        assert!(refusal(|options| options.work = Work::Agents { items: 7 }).contains("even"));
        assert!(refusal(|options| options.products.clear()).contains("no product"));
        assert!(refusal(|options| options.products[0] = "a\"b".to_owned()).contains("a\"b"));
    }
}
