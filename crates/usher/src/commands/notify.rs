//! `usher notify`: what the agent of this computer has to say to its users.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use usher_api::client::{Client, ClientError};
use usher_api::{Notice, NoticeKind, Notices, TicketState};
use usher_platform::signals::{Stop, Told};

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{eprintln_quiet, segment};
use crate::notify::{self, Reader, autostart, card};
use crate::output::{line, print_json};

/// How long leaving the queue may take.
const LEAVE: Duration = Duration::from_secs(2);

/// Show on the desktop why a program was not started, and tell when a seat is free
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher notify                        shows notices of this session's user until the session ends
  usher notify --when-free solver     waits for a seat of solver, and tells when it is kept for you
  usher notify --list                 what was told in the last day
  sudo usher notify --autostart       begins with every desktop session of this computer

Without a desktop notices are printed. A seat that came free is kept for your next start, for as
long as the product says (claim_seconds); `usher leases` shows it, `usher checkin` gives it back.
Who stops --when-free before leaves the queue.")]
pub(crate) struct Notify {
    /// Wait for a seat of a product, and end when it is kept for the next start
    #[arg(long, value_name = "PRODUCT", group = "what")]
    when_free: Option<String>,
    /// Print what the agent has told in the last day, and end
    #[arg(long, group = "what")]
    list: bool,
    /// Wait for the next notice, print it, and end
    #[arg(long, group = "what")]
    once: bool,
    /// Begin with each desktop session from now on: as root of all users, else of this one
    #[arg(long, group = "what")]
    autostart: bool,
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
}

/// Does it.
pub(crate) fn run(args: Notify, context: &Context) -> Result<(), Failure> {
    if args.autostart {
        return autostart::for_whoever_asks();
    }
    context.block_on(async {
        let mut reader = Reader::new(args.agent_socket.clone());
        match args.when_free {
            Some(product) => return when_free(&mut reader, &product, context).await,
            None if args.list => {
                let items = reader.kept(context).await?;
                return list(items, context);
            }
            None if args.once => reader.kept(context).await?,
            None => return notify::serve(args.agent_socket, context).await,
        };
        let next = reader.next(context).await;
        next.first().map_or(Ok(()), |notice| show(notice, context))
    })
}

fn list(items: Vec<Notice>, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(&Notices { items });
    }
    if items.is_empty() {
        return line("Nothing was told in the last day.");
    }
    items
        .iter()
        .try_for_each(|notice| line(card::as_record(notice)))
}

fn show(notice: &Notice, context: &Context) -> Result<(), Failure> {
    match context.json() {
        true => print_json(notice),
        false => line(card::as_text(notice)),
    }
}

/// Waits for a seat; leaves the queue when it is told to end.
async fn when_free(reader: &mut Reader, product: &str, context: &Context) -> Result<(), Failure> {
    segment(product)?;
    let failed = |error: std::io::Error| Failure::failed(format!("cannot wait: {error}"));
    let mut stop = Stop::take(Told::AlsoByTerminal).map_err(failed)?;
    // What comes from now on is news.
    reader.kept(context).await?;
    let Some(agent) = reader.agent(context).await else {
        return Err(Failure::new(exit::NO_SERVER, "the agent has just ended"));
    };
    let told = notify::tell_me(&agent, product).await?;
    if told.state == TicketState::Granted {
        return kept(product, told.claim_seconds, context);
    }
    if !context.json() {
        line(format!(
            "You wait for a seat of {product}. Ctrl-C leaves the queue."
        ))?;
    }
    tokio::select! {
        ended = seat(reader, product, context) => ended,
        signal = stop.next() => {
            leave(&agent, product).await;
            Err(Failure::Quiet(signal.exit_code()))
        }
    }
}

async fn seat(reader: &mut Reader, product: &str, context: &Context) -> Result<(), Failure> {
    loop {
        let news = reader.next(context).await;
        let mut of_this = news.iter().filter(|notice| notice.product == product);
        let end = of_this.find(|n| matches!(n.kind, NoticeKind::Free | NoticeKind::Missed));
        match end {
            Some(notice) if notice.kind == NoticeKind::Free => return show(notice, context),
            Some(notice) => return Err(Failure::new(exit::WAITED, card::as_text(notice))),
            None => {}
        }
    }
}

fn kept(product: &str, seconds: u32, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(&serde_json::json!({"product": product, "kept_seconds": seconds}));
    }
    line(format!(
        "A seat of {product} is kept for you for {}: start it now.",
        crate::time::span(seconds.into())
    ))
}

async fn leave(agent: &Client, product: &str) {
    let path = notify::tell_me_path(product);
    let left = tokio::time::timeout(LEAVE, agent.delete(&path)).await;
    if let Ok(Err(ClientError::Problem(problem))) = left {
        eprintln_quiet(&format!(
            "usher: the queue was not left: {}",
            problem.detail
        ));
    }
}
