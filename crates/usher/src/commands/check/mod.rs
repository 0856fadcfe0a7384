//! `usher check`: one line and an exit code, in the manner of Nagios.
//!
//! Where a manager is, its view of the site; else the server's own.

mod lines;
mod site;

use clap::Args;
use usher_api::client::ClientError;
use usher_api::{Status, client::Client};

use super::managed::{self, MANAGER};
use super::status;
use crate::context::Context;
use crate::failure::{Asker, Failure};
use crate::output::{counted, line, print_json, tame};

/// Print one line and exit 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN), for Nagios and its kin
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher check
  usher check --server-only --warning-queued 5 --critical-queued 50
  usher check --manager https://usher.example.org:8480

Where a manager answers, its view of the site: CRITICAL where a server is stopped or stuck or an
error is open, WARNING where one is degraded or unreachable, grants nothing because it is paused or
was restored, or a warning is open. Else, with
--server-only, and where --server names one and --manager does not, the server's own: CRITICAL where
nobody answers or it cannot serve, WARNING where it serves with trouble or a threshold is passed.
UNKNOWN: it cannot be told, such as with a token that is not valid, or that the manager does not
take: it has tokens of its own (`usher token create --role viewer --at-manager`). A line about a
server alone says so.")]
pub(crate) struct Check {
    /// The manager whose view it is [default: http://127.0.0.1:8480, where one is]
    #[arg(long, value_name = "URL", conflicts_with = "server_only")]
    manager: Option<String>,
    /// Ask the server alone, though a manager may be there
    #[arg(long)]
    server_only: bool,
    /// WARNING where so many wait
    #[arg(long, value_name = "N")]
    warning_queued: Option<u64>,
    /// CRITICAL where so many wait
    #[arg(long, value_name = "N")]
    critical_queued: Option<u64>,
    /// WARNING where so many programs run without a seat
    #[arg(long, value_name = "N")]
    warning_unseated: Option<u64>,
    /// CRITICAL where so many programs run without a seat
    #[arg(long, value_name = "N")]
    critical_unseated: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Ok => "OK",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
            Level::Unknown => "UNKNOWN",
        }
    }
}

struct Finding {
    level: Level,
    text: String,
    /// In the form of Nagios' performance data.
    figures: Option<String>,
}

#[derive(Default)]
struct Figures {
    products: u64,
    seats: u64,
    in_use: u64,
    unseated: u64,
    queued: u64,
    denied: u64,
}

impl Figures {
    fn text(&self) -> String {
        format!(
            "products={} seats={} in_use={};;;0;{} unseated={} queued={} denied_24h={}",
            self.products,
            self.seats,
            self.in_use,
            self.seats,
            self.unseated,
            self.queued,
            self.denied
        )
    }
}

/// Does it; returns the exit code.
pub(crate) fn run(args: &Check, context: &Context) -> Result<u8, Failure> {
    args.in_order()?;
    let finding = context.block_on(async {
        let mut finding = match of_site(args, context).await {
            Some(finding) => finding,
            None => alone(args, context).await,
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

/// Says why it could ask nobody, which is UNKNOWN, where a monitor reads it: on standard output;
/// returns the exit code.
pub(crate) fn asked_nobody(failure: &Failure, json: bool) -> u8 {
    let finding = unknown(&lines::of_failure(failure));
    // Nobody can be told that stdout is closed.
    drop(match json {
        true => print_json(&serde_json::json!({ "state": "unknown", "text": finding.text })),
        false => line(sentence(&finding)),
    });
    Level::Unknown as u8
}

impl Check {
    /// Refuses thresholds of which the worse comes first.
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

fn sentence(finding: &Finding) -> String {
    let text = format!("USHER {} - {}", finding.level.word(), tame(&finding.text));
    let mut lines = lines::wrapped(&text).into_iter();
    let mut said = lines.next().unwrap_or_default();
    // The figures are the first line's.
    if let Some(figures) = &finding.figures {
        said.push_str(&format!("|{figures}"));
    }
    for line in lines {
        said.push('\n');
        said.push_str(&line);
    }
    said
}

fn unknown(why: &str) -> Finding {
    Finding {
        level: Level::Unknown,
        text: one_line(why),
        figures: None,
    }
}

impl Finding {
    /// A role that is not started again is no reason to call all well, whoever else answers.
    fn adds_given_up(&mut self, said: &[String]) {
        if said.is_empty() {
            return;
        }
        let said = said.join("; ");
        self.text = format!("{}; {}", one_line(&said), self.text);
        if matches!(self.level, Level::Ok | Level::Unknown) {
            self.level = Level::Warning;
        }
    }
}

/// The server's own view.
async fn alone(args: &Check, context: &Context) -> Finding {
    let mut finding = match context.client() {
        Ok(client) => look(args, &client, context).await,
        Err(failure) => unknown(&lines::of_failure(&failure)),
    };
    finding.text.push_str(" (server only)");
    finding
}

/// The manager's view. None if the server is to be asked: nobody has named a manager, and none
/// answers. One that refuses is there, so that its view is not known.
async fn of_site(args: &Check, context: &Context) -> Option<Finding> {
    if args.server_only || (context.server_given && args.manager.is_none()) {
        return None;
    }
    // Thresholds are of a server's figures.
    let of_server = [
        args.warning_queued,
        args.critical_queued,
        args.warning_unseated,
        args.critical_unseated,
    ];
    if args.manager.is_none() && of_server.iter().any(Option::is_some) {
        return None;
    }
    let url = args.manager.as_deref().unwrap_or(MANAGER);
    let client = match managed::client(url, context).await {
        Ok(client) => client,
        Err(failure) => {
            let is_named = args.manager.is_some();
            return is_named.then(|| unknown(&lines::of_failure(&failure)));
        }
    };
    match site::ask(&client).await {
        Ok(view) => Some(site::judge(&view)),
        Err(error) => refused(&error, url).or_else(|| {
            let is_named = args.manager.is_some();
            is_named.then(|| without_status(error, context))
        }),
    }
}

/// What is said if a manager answered that it refuses.
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

fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "/")
}

async fn look(args: &Check, client: &Client, context: &Context) -> Finding {
    match client.health().await {
        // What it says of itself beside it is in its status, too.
        Ok(health) if health.status == "ok" || health.status == "degraded" => {}
        Ok(health) => {
            let why = health
                .why
                .unwrap_or_else(|| "it does not say why".to_owned());
            return Finding {
                level: Level::Critical,
                text: one_line(&format!("the server cannot serve: {why}")),
                figures: None,
            };
        }
        Err(error) => return without_status(error, context),
    }
    match client.get::<Status>("/v1/status").await {
        Ok(status) => judge(args, &status),
        Err(error) => without_status(error, context),
    }
}

fn without_status(error: ClientError, context: &Context) -> Finding {
    let level = match &error {
        ClientError::Unreachable { .. } => Level::Critical,
        ClientError::Problem(problem) if problem.status >= 500 => Level::Critical,
        _ => Level::Unknown,
    };
    let text = match error {
        ClientError::Problem(_) => lines::of_failure(&Failure::from(error).for_asker(Asker {
            shows_token: context.shows_token(),
            ..Asker::default()
        })),
        error => error.to_string(),
    };
    Finding {
        level,
        text: one_line(&text),
        figures: None,
    }
}

fn judge(args: &Check, status: &Status) -> Finding {
    let mut f = Figures {
        products: status.products.len() as u64,
        ..Figures::default()
    };
    for product in &status.products {
        f.seats += product.seats;
        f.in_use += product.in_use;
        f.unseated += product.unseated;
        f.queued += product.queued;
        f.denied += product.denied_last_24h;
    }
    let over = |value: u64, limit: Option<u64>| limit.is_some_and(|limit| value >= limit);
    let mut level = Level::Ok;
    let mut text = format!(
        "{}, {} of {} in use, {} waiting",
        counted(f.products, "product"),
        f.in_use,
        counted(f.seats, "seat"),
        f.queued
    );
    if status.server.state != "running" {
        level = Level::Warning;
        let why = status
            .server
            .why
            .as_deref()
            .unwrap_or("it does not say why");
        text = one_line(&format!(
            "the server is {}: {why}; {text}",
            status.server.state
        ));
    }
    // A state that serves and grants nothing all the same.
    if let Some(says) = &status.server.grants_nothing
        && level == Level::Ok
    {
        level = Level::Warning;
        text = one_line(&format!("no seat is granted: {}; {text}", says.why));
    }
    if over(f.queued, args.warning_queued) || over(f.unseated, args.warning_unseated) {
        level = level.max(Level::Warning);
    }
    if over(f.queued, args.critical_queued) || over(f.unseated, args.critical_unseated) {
        level = Level::Critical;
    }
    Finding {
        level,
        text,
        figures: Some(f.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::{GrantsNothing, ProductStatus, ServerStatus, Withheld};

    fn status(state: &str, queued: u64) -> Status {
        Status {
            server: ServerStatus {
                id: "s1".into(),
                version: "1".into(),
                state: state.into(),
                since: jiff::Timestamp::UNIX_EPOCH,
                why: (state != "running").then(|| "the disk | is full".to_owned()),
                pack: None,
                upgrade: None,
                last_backup_at: None,
                grants_nothing: None,
                faults: usher_api::Faults::default(),
                held_log: None,
            },
            products: vec![ProductStatus {
                id: "gimp".into(),
                name: "GIMP".into(),
                seats: 10,
                in_use: 3,
                unseated: 1,
                queued,
                denied_last_24h: 2,
                held_since: None,
                waiting_since: None,
            }],
            computers: Vec::new(),
        }
    }

    fn args() -> Check {
        Check {
            manager: None,
            server_only: true,
            warning_queued: Some(5),
            critical_queued: Some(50),
            warning_unseated: None,
            critical_unseated: None,
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

    #[test]
    fn a_long_line_keeps_its_figures_in_the_first_and_the_rest_follows() {
        let mut long = status("degraded", 0);
        long.server.why = Some("the disk is full, ".repeat(30));
        let said = sentence(&judge(&args(), &long));
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() > 2, "{said}");
        let (first, figures) = lines[0].split_once('|').unwrap();
        assert!(first.starts_with("USHER WARNING - ") && figures.starts_with("products=1 "));
        let others = lines[1..].iter().copied();
        for line in others.chain([first]) {
            assert!(line.chars().count() <= 200 && !line.contains('|'), "{line}");
        }
    }

    #[test]
    fn a_server_in_order_is_ok_with_figures() {
        let finding = judge(&args(), &status("running", 0));
        insta::assert_snapshot!(sentence(&finding), @"USHER OK - 1 product, 3 of 10 seats in use, 0 waiting|products=1 seats=10 in_use=3;;;0;10 unseated=1 queued=0 denied_24h=2");
    }

    #[test]
    fn a_server_that_grants_nothing_is_a_warning_whatever_it_calls_its_state() {
        let why = "it was restored from a backup and grants nothing until 2026-11-26T10:00:00Z";
        let mut held = status("degraded", 0);
        held.server.why = Some(why.to_owned());
        for state in ["degraded", "running", "paused"] {
            held.server.state = state.to_owned();
            held.server.grants_nothing = Some(GrantsNothing {
                reason: Withheld::Restored,
                why: why.to_owned(),
                until: None,
            });
            let finding = judge(&args(), &held);
            assert_eq!(finding.level, Level::Warning, "{state}");
            assert!(finding.text.contains(why), "{}", finding.text);
        }
    }

    #[test]
    fn thresholds_and_trouble_raise_the_level() {
        assert_eq!(judge(&args(), &status("running", 5)).level, Level::Warning);
        assert_eq!(
            judge(&args(), &status("running", 50)).level,
            Level::Critical
        );
        let degraded = judge(&args(), &status("degraded", 0));
        assert_eq!(degraded.level, Level::Warning);
        // A bar would begin the figures.
        assert!(
            degraded.text.contains("the disk / is full"),
            "{}",
            degraded.text
        );
    }
}
