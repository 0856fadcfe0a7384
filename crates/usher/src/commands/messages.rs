//! `usher messages`: the manager's status messages.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use usher_api::{Page, StatusMessage};
use usher_core::messages::{CATALOGUE, Entry, Severity};

use super::managed::ManagerAt;
use super::{one_of, rules, servers, standing};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch, show};
use crate::output::{Table, line, print, print_json, tame};
use crate::time::{self, Period};

/// Show status messages, or explain one
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  usher messages
  usher messages --severity warning --follow
  usher messages --about alpha --since 'last week'     from its Monday until now
  usher messages --during yesterday
  usher messages explain 9406     what it means, what to check, what Usher does itself
  usher messages summary          how the site and its components stand
  usher messages thresholds       the values from which on trouble is reported
  usher messages rules            what becomes of messages: mails, webhooks, programs")]
pub(crate) struct Messages {
    #[command(subcommand)]
    command: Option<Command>,
    /// Last raised at that time or later
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    since: Option<Timestamp>,
    /// First raised before the end of that time
    #[arg(long, value_name = "TIME", value_parser = time::up_to, conflicts_with = "follow")]
    until: Option<Timestamp>,
    /// Raised in that time: yesterday, "last week", "this month", 2026-01, a day
    #[arg(long, value_name = "PERIOD", value_parser = time::during,
        conflicts_with_all = ["since", "until", "follow"])]
    during: Option<Period>,
    /// As severe as that, or more
    #[arg(long, value_name = "SEVERITY", value_parser = one_of::<Severity>(&["informational", "warning", "error"]))]
    severity: Option<Severity>,
    /// Of that component
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// About that metering server
    #[arg(long = "about", value_name = "SERVER")]
    about: Option<String>,
    /// Only of trouble that goes on
    #[arg(long)]
    open: bool,
    /// Go on with new ones as they come
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    manager: ManagerAt,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what a message means, what to check, and what Usher does itself
    Explain {
        /// Its number; without one all are listed
        #[arg(value_name = "ID")]
        id: Option<u16>,
    },
    /// Show how the site and its components stand, by the messages since a set time
    Summary(ManagerAt),
    Thresholds(standing::Thresholds),
    Rules(Box<rules::Rules>),
}

pub(crate) fn run(args: Messages, context: &Context) -> Result<(), Failure> {
    match args.command {
        Some(Command::Explain { id: Some(id) }) => return explain(id, context),
        Some(Command::Explain { id: None }) => return explain_all(context),
        Some(Command::Summary(at)) => return standing::summary(&at, context),
        Some(Command::Thresholds(args)) => return standing::thresholds(args, context),
        Some(Command::Rules(args)) => return rules::run(*args, context),
        None => {}
    }
    context.block_on(async {
        let client = args.manager.client(context).await?;
        let query = args.query()?;
        let page: Page<StatusMessage> = fetch(&client, &query, &args.extent).await?;
        servers::note_unknown(&client, args.about.as_deref()).await;
        if !args.follow {
            return show(context, &page, args.none(), table);
        }
        let mut last = 0;
        let mut fresh = page.items;
        loop {
            for message in fresh.iter().rev() {
                last = last.max(message.record_id);
                if context.json() {
                    line(serde_json::to_string(message).unwrap_or_default())?;
                } else {
                    line(sentence(message))?;
                }
            }
            let query = args
                .query()?
                .with("after", Some(last.to_string()))
                .with("wait_seconds", Some("30"));
            let extent = Extent { limit: 1_000 };
            let page: Page<StatusMessage> = fetch(&client, &query, &extent).await?;
            fresh = page.items;
        }
    })
}

impl Messages {
    /// The text for an empty list.
    fn none(&self) -> &'static str {
        let is_cut = self.since.is_some() || self.until.is_some() || self.during.is_some();
        let is_chosen = self.severity.is_some() || self.component.is_some() || self.about.is_some();
        match (self.open, is_cut || is_chosen) {
            (true, false) => "No message is open. `usher messages` shows earlier ones.",
            (true, true) => "No such message is open.",
            (false, true) => "There are no such messages.",
            (false, false) => "There are no messages.",
        }
    }

    fn query(&self) -> Result<Query, Failure> {
        Ok(Query::new("/v1/messages")
            .in_time(self.since, self.until, self.during)?
            .with("severity", self.severity.map(Severity::name))
            .with("component", self.component.as_ref())
            .with("server", self.about.as_ref())
            .with("open", self.open.then_some("true")))
    }
}

fn table(messages: &[StatusMessage]) -> Table {
    let mut table = Table::new(&[
        "NUMBER", "SEVERITY", "FIRST", "LAST", ">COUNT", "OVER", "MESSAGE",
    ]);
    for message in messages {
        table.row([
            message.id.to_string(),
            message.severity.clone(),
            time::local(message.first_at),
            time::local(message.last_at),
            message.count.to_string(),
            message.recovered_at.map_or("-".to_owned(), time::local),
            message.text.clone(),
        ]);
    }
    table
}

fn sentence(message: &StatusMessage) -> String {
    format!(
        "{} {} {} {}",
        time::local(message.time),
        message.severity,
        message.id,
        tame(&message.text)
    )
}

/// Every message that there is.
fn explain_all(context: &Context) -> Result<(), Failure> {
    if context.json() {
        let all: Vec<_> = CATALOGUE.iter().map(explained).collect();
        return print_json(&serde_json::json!({ "items": all }));
    }
    let mut table = Table::new(&["ID", "SEVERITY", "COMPONENT", "WHAT IT MEANS"]);
    for entry in CATALOGUE {
        table.row([
            entry.id.to_string(),
            entry.severity.name().to_owned(),
            entry.component.to_owned(),
            entry.meaning.to_owned(),
        ]);
    }
    table.print()
}

fn origin(entry: &Entry) -> &'static str {
    match entry.is_of_sms() {
        true => "SMS 2.0",
        false => "Usher",
    }
}

fn explained(entry: &Entry) -> usher_api::CatalogueEntry {
    usher_api::CatalogueEntry {
        id: entry.id,
        severity: entry.severity.name().to_owned(),
        kind: entry.kind.name().to_owned(),
        component: entry.component.to_owned(),
        origin: origin(entry).to_owned(),
        text: entry.shown(),
        fields: entry.fields().iter().map(|&it| it.to_owned()).collect(),
        meaning: entry.meaning.to_owned(),
        check: entry.check.to_owned(),
        does: entry.does.to_owned(),
    }
}

fn explain(id: u16, context: &Context) -> Result<(), Failure> {
    let found = CATALOGUE.iter().find(|entry| entry.id == id);
    let Some(entry) = found else {
        let known: Vec<String> = CATALOGUE.iter().map(|entry| entry.id.to_string()).collect();
        return Err(Failure::failed(format!("there is no message {id}"))
            .next(format!("Those that there are: {}.", known.join(", "))));
    };
    let origin = origin(entry);
    if context.json() {
        return print_json(&explained(entry));
    }
    print(&format!(
        "{} ({}, {}, {}; a number of {origin})\n\n  {}\n\nWhat it means\n  {}\n\nWhat to check\n  \
         {}\n\nWhat Usher does itself\n  {}\n",
        entry.id,
        entry.severity.name(),
        entry.kind.name(),
        entry.component,
        entry.worded(),
        entry.meaning,
        entry.check,
        entry.does
    ))
}
