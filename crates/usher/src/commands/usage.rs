//! `usher usage`: sessions, use by product, and programs of no product.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Page, ProgramCount, Session};
use usher_core::identify::is_of_base_system;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, Query, eprintln_quiet, fetch, must_exist, show_as};
use crate::mine::{Through, of_another};
use crate::output::{Table, counted as counted_as};
use crate::time::{self, Period};

/// Show who used what, when and how long
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher usage                              every session, running ones too
  usher usage --product gimp --since 30d
  usher usage --during 'last week'         from its Monday to its Sunday
  usher usage --since 'last week'          from its Monday until now
  usher usage --since 2026-01-01 --until 2026-03-31
  usher usage --running
  usher usage by-product --since 2026-01-01   sums for each product
  usher usage programs                     programs of no product, what ran longest first
  usher usage programs --all               those that scripts are made of, too

A session is unseated if it had no seat, as where none was free, or where it ended before one was
asked for. Without a token, on a computer with an agent, it shows what you used there.")]
pub(crate) struct Usage {
    /// What to show
    #[arg(value_enum, default_value_t = View::Sessions)]
    view: View,
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only of this user (sessions)
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only on this computer (sessions)
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    /// Only since then: a time (07:30), a day, the first day of "last week", or how long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    since: Option<Timestamp>,
    /// Only until then, to the end of a day
    #[arg(long, value_name = "TIME", value_parser = time::up_to)]
    until: Option<Timestamp>,
    /// Only in that time: yesterday, "last week", "this month", 2026-01, a day
    #[arg(long, value_name = "PERIOD", value_parser = time::during,
        conflicts_with_all = ["since", "until"])]
    during: Option<Period>,
    /// Only what runs now (sessions)
    #[arg(long)]
    running: bool,
    /// Programs of the operating system's base too, such as cat and bash (programs)
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    through: Through,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// Each session
    Sessions,
    /// Sums for each product
    ByProduct,
    /// Starts of programs of no product
    Programs,
}

impl View {
    /// As it is typed.
    fn word(self) -> &'static str {
        match self {
            View::Sessions => "sessions",
            View::ByProduct => "by-product",
            View::Programs => "programs",
        }
    }
}

impl Usage {
    /// Options of `usher usage`, each with the views in which it has an effect.
    const WHERE: [(&str, &[View]); 8] = [
        ("product", &[View::Sessions, View::ByProduct]),
        ("user", &[View::Sessions]),
        ("computer", &[View::Sessions]),
        ("since", &[View::Sessions, View::ByProduct]),
        ("until", &[View::Sessions, View::ByProduct]),
        ("during", &[View::Sessions, View::ByProduct]),
        ("running", &[View::Sessions]),
        ("all", &[View::Programs]),
    ];

    /// Whether nothing narrows the sessions that are asked for.
    fn asks_for_all(&self) -> bool {
        let texts = [&self.product, &self.user, &self.computer];
        let times = [&self.since, &self.until];
        let nothing = texts.iter().all(|it| it.is_none()) && times.iter().all(|it| it.is_none());
        nothing && self.during.is_none() && !self.running
    }

    /// The query at `path` about the time that is asked for.
    fn query(&self, path: &str) -> Result<Query, Failure> {
        let ends = Period::ends(self.since, self.until, self.during);
        let (since, until) = ends.map_err(Failure::usage)?;
        Ok(Query::new(path)
            .with("since", since.map(|since| since.to_string()))
            .with("until", until.map(|until| until.to_string())))
    }

    /// Refuses what was typed and has no effect in the view that is asked for.
    pub(crate) fn refuse_without_effect(
        &self,
        is_typed: &dyn Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        let idle = Self::WHERE
            .iter()
            .find(|(option, views)| is_typed(option) && !views.contains(&self.view));
        let Some((option, views)) = idle else {
            return Ok(());
        };
        let views: Vec<&str> = views.iter().map(|view| view.word()).collect();
        Err(Failure::usage(format!(
            "--{option} has no effect in `usher usage {}`",
            self.view.word()
        ))
        .next(format!("It has one in: {}.", views.join(", "))))
    }
}

/// Does it.
pub(crate) fn run(args: &Usage, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match args.view {
            View::Sessions => sessions(args, context).await,
            View::ByProduct => by_product(args, context).await,
            // Of all computers: for who may see them, with a token.
            View::Programs => programs(args, context, &context.client()?).await,
        }
    })
}

async fn sessions(args: &Usage, context: &Context) -> Result<(), Failure> {
    let query = args
        .query("/v1/sessions")?
        .with("product", args.product.as_ref())
        .with("user", args.user.as_ref())
        .with("computer", args.computer.as_ref())
        .with("running", args.running.then_some("true"));
    let asked = args.through.ask(context).await?;
    let page = asked.list(&query, &args.extent, session_id).await?;
    if page.items.is_empty() {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    let anothers = of_another(page.only.as_ref(), args.user.as_deref());
    let empty = match (&page.only, args.asks_for_all()) {
        _ if anothers.is_some() => anothers.as_deref().unwrap_or_default(),
        (Some(_), true) => "You have used nothing yet.",
        (Some(_), false) => "You have used nothing that was asked for.",
        (None, true) => "No sessions yet.",
        (None, false) => "No session is as it was asked for.",
    };
    show_as(args.form, context, &page, empty, session_table)?;
    asked.say_whose(page.only.as_ref());
    Ok(())
}

fn session_id(session: &Session) -> &str {
    &session.id
}

async fn by_product(args: &Usage, context: &Context) -> Result<(), Failure> {
    let query = args
        .query("/v1/usage")?
        .with("product", args.product.as_ref());
    let asked = args.through.ask(context).await?;
    let (mut page, more) = asked.sums(&query, &args.extent).await?;
    if let Some(more) = more {
        by_both(&asked.client, args, &mut page, more).await?;
    }
    if page.items.is_empty() {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    let empty = match &page.only {
        Some(_) => "You have used nothing in this time.",
        None => "No product was used in this time.",
    };
    show_as(args.form, context, &page, empty, usage_table)?;
    asked.say_whose(page.only.as_ref());
    Ok(())
}

/// Adds what a person used by the agent of this computer to what they used by their token.
async fn by_both(
    by_token: &Client,
    args: &Usage,
    page: &mut Page<usher_api::Usage>,
    more: Page<usher_api::Usage>,
) -> Result<(), Failure> {
    let here = more.only.and_then(|only| only.computer);
    for item in more.items {
        let Some(known) = page.items.iter_mut().find(|it| it.product == item.product) else {
            page.items.push(item);
            continue;
        };
        // The computer itself may be among those of the token.
        let query = args
            .query("/v1/sessions")?
            .with("product", Some(&item.product))
            .with("computer", here.as_ref());
        let there: Page<Session> = fetch(by_token, &query, &Extent { limit: 1 }).await?;
        let is_counted = here.is_some() && !there.items.is_empty();
        known.sessions += item.sessions;
        known.running += item.running;
        known.unseated += item.unseated;
        known.computers += item.computers - u64::from(is_counted).min(item.computers);
        known.total_seconds += item.total_seconds;
        known.unseated_seconds += item.unseated_seconds;
        known.last_used_at = known.last_used_at.max(item.last_used_at);
    }
    page.items.sort_by(|a, b| a.product.cmp(&b.product));
    Ok(())
}

async fn programs(args: &Usage, context: &Context, client: &Client) -> Result<(), Failure> {
    let query = Query::new("/v1/programs");
    if args.all {
        let page = fetch(client, &query, &args.extent).await?;
        return show_as(args.form, context, &page, NO_PROGRAMS, program_table);
    }
    // A server keeps some thousands of names at the most, and many are the base system's.
    let all: Page<ProgramCount> = fetch(client, &query, &Extent::ALL).await?;
    let counted = all.items.len();
    let mut items = all.items;
    items.retain(|item| !is_of_base_system(&item.program));
    let left_out = counted - items.len();
    let limit = args.extent.limit as usize;
    if limit > 0 {
        items.truncate(limit);
    }
    show_as(
        args.form,
        context,
        &Page {
            items,
            next: None,
            only: None,
        },
        NO_PROGRAMS,
        program_table,
    )?;
    if left_out > 0 && !context.json() {
        eprintln_quiet(&format!(
            "{} of the operating system's base {} left out; --all shows them.",
            counted_as(left_out as u64, "program"),
            if left_out == 1 { "is" } else { "are" }
        ));
    }
    Ok(())
}

const NO_PROGRAMS: &str = "No programs were counted yet: an agent counts them.";

fn session_table(sessions: &[Session]) -> Table {
    let mut table = Table::new(&[
        "PRODUCT", "USER", "COMPUTER", "PROGRAM", "STARTED", "ENDED", ">LASTED", "SEAT",
    ]);
    for session in sessions {
        let user = match &session.real_user {
            Some(real) => format!("{} (as {real})", session.user),
            None => session.user.clone(),
        };
        table.row([
            session.product.clone(),
            user,
            session.computer.clone(),
            session.program.clone().unwrap_or_else(|| "-".to_owned()),
            time::local(session.started_at),
            session
                .ended_at
                .map_or_else(|| "running".to_owned(), time::local),
            time::span(session.duration_seconds),
            session
                .lease
                .clone()
                .unwrap_or_else(|| "unseated".to_owned()),
        ]);
    }
    table
}

fn usage_table(items: &[usher_api::Usage]) -> Table {
    let mut table = Table::new(&[
        "PRODUCT",
        ">SESSIONS",
        ">RUNNING",
        ">UNSEATED",
        ">USERS",
        ">COMPUTERS",
        ">TIME",
        ">UNSEATED FOR",
        "LAST USED",
    ]);
    for item in items {
        table.row([
            item.product.clone(),
            item.sessions.to_string(),
            item.running.to_string(),
            item.unseated.to_string(),
            item.users.to_string(),
            item.computers.to_string(),
            time::span(item.total_seconds),
            time::span(item.unseated_seconds),
            time::local_or_dash(item.last_used_at),
        ]);
    }
    table
}

fn program_table(items: &[ProgramCount]) -> Table {
    let mut table = Table::new(&[
        "PROGRAM",
        "NAME",
        "PACKAGE",
        ">RAN FOR",
        ">STARTS",
        ">COMPUTERS",
        "FIRST",
        "LAST",
    ]);
    for item in items {
        table.row([
            item.program.clone(),
            item.desktop_name.clone().unwrap_or_else(|| "-".to_owned()),
            item.package.clone().unwrap_or_else(|| "-".to_owned()),
            time::span(item.run_seconds),
            item.starts.to_string(),
            item.computers.to_string(),
            time::local(item.first_at),
            time::local(item.last_at),
        ]);
    }
    table
}
