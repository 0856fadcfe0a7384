//! A server's own view, for `usher check`.

use tokio::time::{Instant, timeout_at};
use usher_api::Status;
use usher_api::client::{Client, ClientError};

use super::finding::{Finding, Level, one_line, unknown};
use super::{Check, WITHIN, failed};
use crate::context::Context;
use crate::failure::{Asker, Failure};
use crate::manager_there;
use crate::mine::Answerer;
use crate::output::counted;

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

/// The server's own view: it asks the server that `usher status` asks. `no_manager`: the address
/// at which a manager was looked for before, and none answers.
pub(super) async fn alone(args: &Check, context: &Context, no_manager: Option<&str>) -> Finding {
    let until = Instant::now() + WITHIN;
    let mut finding = match args.through.ask(context).await {
        Ok(whom) => match timeout_at(until, asked(args, &whom, context, no_manager)).await {
            Ok(finding) => finding,
            Err(_) => silent("server", &whom.server),
        },
        Err(failure) => unknown(&failed::of_failure(&failure)),
    };
    finding.text.push_str(" (server only)");
    finding
}

/// Who says nothing for so long took the connection: otherwise that would be known by now.
pub(super) fn silent(who: &str, url: &str) -> Finding {
    let seconds = WITHIN.as_secs();
    Finding {
        level: Level::Critical,
        text: one_line(&format!(
            "the {who} at {url} took the connection and has not answered in {seconds} s: its \
             process hangs, or its computer is overloaded"
        )),
        figures: None,
    }
}

async fn asked(
    args: &Check,
    whom: &Answerer<'_>,
    context: &Context,
    no_manager: Option<&str>,
) -> Finding {
    let client = &whom.client;
    if whom.by_agent {
        return by_status(args, client, context).await;
    }
    match client.health().await {
        Ok(health) if manager_there::has_said(&health) => {
            let url = &whom.server;
            return unknown(&format!(
                "{}: --manager {url} asks it for its view of the site",
                manager_there::is_one(url)
            ));
        }
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
        Err(error) => {
            let is_absent = matches!(error, ClientError::Unreachable { .. });
            let mut finding = without_status(error, context);
            if let Some(url) = no_manager.filter(|_| is_absent) {
                finding.text.push_str(&format!(
                    "; no manager answers at {url} either: --server or --manager URL says where one \
                     is"
                ));
            }
            return finding;
        }
    }
    by_status(args, client, context).await
}

async fn by_status(args: &Check, client: &Client, context: &Context) -> Finding {
    match client.get::<Status>("/v1/status").await {
        Ok(status) => judge(args, &status),
        Err(error) => without_status(error, context),
    }
}

pub(super) fn without_status(error: ClientError, context: &Context) -> Finding {
    let level = match &error {
        ClientError::Unreachable { .. } => Level::Critical,
        ClientError::Problem(problem) if problem.status >= 500 => Level::Critical,
        _ => Level::Unknown,
    };
    let text = match error {
        ClientError::Problem(_) => {
            let token_file = context.token_file();
            failed::of_failure(&Failure::from(error).for_asker(Asker {
                shows_token: context.shows_token(),
                token_file: token_file.as_deref(),
                ..Asker::default()
            }))
        }
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
mod tests;
