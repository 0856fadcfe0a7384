//! `usher check`: one line and an exit code, in the manner of Nagios.
//!
//! If there is a manager, it shows the manager's view of the site; otherwise the server's own
//! state.

mod failed;
mod finding;
mod server;
mod site;

use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use usher_api::client::{Client, ClientError};

use self::finding::{Finding, Level, sentence, unknown};
use super::managed;
use super::status;
use crate::context::Context;
use crate::failure::Failure;
use crate::mine::Through;
use crate::output::{line, print_json};

/// How long all answers may take together. Monitors give a check 10 s (NRPE) to 60 s (Nagios); a
/// failed connection is known sooner.
const WITHIN: Duration = Duration::from_secs(9);

/// Print one line and exit 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN), for Nagios and its kin
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher check
  usher check --server-only --warning-queued 5 --critical-queued 50
  usher check --manager https://usher.example.org:8480

If a manager answers, its view of the site: CRITICAL if a server is stopped or stuck or an error is
open, WARNING if one is degraded or unreachable, grants nothing because it is paused or was
restored, or a warning is open. Else, with --server-only, and if --server names a server and
--manager no manager, the server's own view: CRITICAL if it does not answer within 9 s or cannot
serve, WARNING if it serves with trouble or a threshold is passed.
Without a token the agent of this computer is asked for the server, as by `usher status`.
UNKNOWN: it cannot be told, such as with a token that is not valid, or that the manager does not
take: it has tokens of its own (`usher token create --role viewer --at-manager`). A line about a
server alone says so.")]
pub(crate) struct Check {
    /// The manager whose view it is [default: that of `usher up`, else port 8480]
    #[arg(long, value_name = "URL", conflicts_with = "server_only")]
    manager: Option<String>,
    /// Ask the server alone, though a manager may be there
    #[arg(long)]
    server_only: bool,
    /// WARNING if so many wait
    #[arg(long, value_name = "N")]
    warning_queued: Option<u64>,
    /// CRITICAL if so many wait
    #[arg(long, value_name = "N")]
    critical_queued: Option<u64>,
    /// WARNING if so many programs run without a seat
    #[arg(long, value_name = "N")]
    warning_unseated: Option<u64>,
    /// CRITICAL if so many programs run without a seat
    #[arg(long, value_name = "N")]
    critical_unseated: Option<u64>,
    #[command(flatten)]
    through: Through,
}

/// Runs the command; returns the exit code.
pub(crate) fn run(args: &Check, context: &Context) -> Result<u8, Failure> {
    args.in_order()?;
    let finding = context.block_on(async {
        let mut finding = match of_site(args, context).await {
            Site::Seen(finding) => finding,
            Site::NotAsked => server::alone(args, context, None).await,
            Site::Absent(url) => server::alone(args, context, Some(&url)).await,
        };
        finding.adds_given_up(&status::given_up(context).await);
        Ok::<_, Failure>(finding)
    })?;
    if context.json() {
        print_json(&serde_json::json!({
            "state": finding.level.word().to_lowercase(),
            "text": finding.text,
        }))?;
    } else {
        line(sentence(&finding))?;
    }
    Ok(finding.level as u8)
}

/// Prints why nothing could be asked, which is UNKNOWN, on standard output, where a monitor reads
/// it; returns the exit code.
pub(crate) fn asked_nobody(failure: &Failure, json: bool) -> u8 {
    let finding = unknown(&failed::of_failure(failure));
    // Nobody can be told that stdout is closed.
    drop(match json {
        true => print_json(&serde_json::json!({ "state": "unknown", "text": finding.text })),
        false => line(sentence(&finding)),
    });
    Level::Unknown as u8
}

impl Check {
    /// Refuses a critical threshold that is below the warning threshold.
    fn in_order(&self) -> Result<(), Failure> {
        let pairs = [
            ("queued", self.warning_queued, self.critical_queued),
            ("unseated", self.warning_unseated, self.critical_unseated),
        ];
        for (what, warning, critical) in pairs {
            if let (Some(warning), Some(critical)) = (warning, critical)
                && warning > critical
            {
                return Err(Failure::usage(format!(
                    "--warning-{what} {warning} is above --critical-{what} {critical}: \
                     it would never warn"
                )));
            }
        }
        Ok(())
    }
}

/// The result of asking a manager.
enum Site {
    /// Its view, or why the view is not known.
    Seen(Finding),
    /// The server is to be asked.
    NotAsked,
    /// No manager was named, and none answers at the usual place: the server is to be asked.
    Absent(String),
}

/// The manager's view. If the manager refuses, it is there, but its view is not known.
async fn of_site(args: &Check, context: &Context) -> Site {
    if args.server_only || (context.server_given && args.manager.is_none()) {
        return Site::NotAsked;
    }
    // Thresholds are of a server's figures.
    let of_server = [
        args.warning_queued,
        args.critical_queued,
        args.warning_unseated,
        args.critical_unseated,
    ];
    if args.manager.is_none() && of_server.iter().any(Option::is_some) {
        return Site::NotAsked;
    }
    let url = match &args.manager {
        Some(url) => url.clone(),
        None => managed::usual(context).await,
    };
    let url = &*url;
    let is_named = args.manager.is_some();
    let Ok(asked) = tokio::time::timeout(WITHIN, ask_manager(url, context)).await else {
        // Nobody named another computer, and here a port without a manager refuses at once: one
        // that is silent hangs.
        return Site::Seen(server::silent("manager", url));
    };
    let seen = match asked {
        Ok(Ok(view)) => Some(site::judge(&view, &TimeZone::system())),
        Ok(Err(error)) if error.is_of_one_that_hangs() => Some(server::silent("manager", url)),
        Ok(Err(error)) => refused(&error, url)
            .or_else(|| is_named.then(|| server::without_status(error, context))),
        Err(failure) => is_named.then(|| unknown(&failed::of_failure(&failure))),
    };
    match seen {
        Some(finding) => Site::Seen(finding),
        None => Site::Absent(url.to_owned()),
    }
}

/// The view of the manager at `url`; the outer error is about this computer's own settings.
async fn ask_manager(
    url: &str,
    context: &Context,
) -> Result<Result<site::View, ClientError>, Failure> {
    let client: Client = managed::client(url, context).await?;
    Ok(site::ask(&client).await)
}

/// The text for a manager that refused the request.
fn refused(error: &ClientError, url: &str) -> Option<Finding> {
    let problem = error.problem()?;
    if problem.status >= 500 {
        return None;
    }
    // What else it says is how to make a token, as this does.
    let why = problem.detail.split([':', ';']).next().unwrap_or_default();
    Some(unknown(&format!(
        "the manager at {url} refuses: {why}; `usher token create --role viewer \
         --at-manager={url}` makes a token for it, and --server-only asks the server alone"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::managed::MANAGER;

    fn args() -> Check {
        Check {
            manager: None,
            server_only: true,
            warning_queued: Some(5),
            critical_queued: Some(50),
            warning_unseated: None,
            critical_unseated: None,
            through: Through::default(),
        }
    }

    #[test]
    fn a_manager_that_refuses_is_unknown_and_one_that_fails_is_not_said_to_refuse() {
        let problem = |code| {
            let problem = usher_api::Problem::new(code, "no token was shown");
            ClientError::Problem(Box::new(problem))
        };
        let said = refused(&problem(usher_api::Code::Unauthorized), MANAGER).unwrap();
        assert_eq!(said.level, Level::Unknown);
        assert!(said.text.contains("--at-manager"), "{}", said.text);
        assert!(refused(&problem(usher_api::Code::StorageFailed), MANAGER).is_none());
    }

    #[test]
    fn thresholds_of_which_the_worse_comes_first_are_refused() {
        let mut reversed = args();
        (reversed.warning_queued, reversed.critical_queued) = (Some(50), Some(5));
        let said = reversed.in_order().unwrap_err().to_string();
        assert!(said.contains("--warning-queued 50"), "{said}");
        let mut same = args();
        (same.warning_unseated, same.critical_unseated) = (Some(5), Some(5));
        assert!(same.in_order().is_ok() && args().in_order().is_ok());
    }
}
