//! `usher notify`: shows users the notices of this computer's agent.

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
use crate::output::{line, print_json, quoted, tame};

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
Who stops --when-free before leaves the queue; who gets a seat in another way meanwhile waits no
more. --when-free is of this account and takes no token: with one, `usher run --wait` waits as its
user.")]
pub(crate) struct Notify {
    /// Wait for a seat of a product, and end when it is kept for the next start
    #[arg(long, value_name = "PRODUCT", group = "what")]
    when_free: Option<String>,
    /// Print what was told in the last day, also before a restart of the agent, and end
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
        return line("There were no notices in the last day.");
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
    if context.token_given {
        return Err(of_a_token(product));
    }
    let failed = |error: std::io::Error| Failure::failed(format!("cannot wait: {error}"));
    let mut stop = Stop::take(Told::AlsoByTerminal).map_err(failed)?;
    // What comes from now on is news.
    reader.kept(context).await?;
    let Some(agent) = reader.agent(context).await else {
        return Err(Failure::new(exit::NO_SERVER, "the agent has just ended"));
    };
    let told = notify::tell_me(&agent, product).await?;
    if let Some(lease) = &told.held {
        return held(product, lease, context);
    }
    if told.state == TicketState::Granted {
        let seconds = told.kept_seconds.unwrap_or(told.claim_seconds);
        return kept(product, seconds, context);
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

/// Refuses a token: a token names the user, but the agent keeps seats for accounts.
fn of_a_token(product: &str) -> Failure {
    let id = quoted(&tame(product));
    Failure::usage(
        "a token is given (--token, USHER_TOKEN or the settings file), so that `usher run` asks as \
         its user; `usher notify` keeps a seat for this account, which may be another person to the \
         server",
    )
    .next(format!(
        "By the token: usher run --product {id} --wait -- PROGRAM\n  As this account, without the \
         token: env -u USHER_TOKEN usher notify --when-free {id}"
    ))
}

async fn seat(reader: &mut Reader, product: &str, context: &Context) -> Result<(), Failure> {
    loop {
        let news = reader.next(context).await;
        let mut of_this = news.iter().filter(|notice| notice.product == product);
        let ends = |notice: &&Notice| {
            use NoticeKind::{Free, Missed, Seated};
            matches!(notice.kind, Free | Missed | Seated)
        };
        match of_this.find(ends) {
            Some(notice) if notice.kind == NoticeKind::Missed => {
                return Err(Failure::new(exit::WAITED, card::as_text(notice)));
            }
            Some(notice) => return show(notice, context),
            None => {}
        }
    }
}

/// The text if there is nothing to wait for: the next program that is started shares a seat.
fn held(product: &str, lease: &str, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(&serde_json::json!({"product": product, "held": lease}));
    }
    line(format!(
        "You hold a seat of {product} here: start it now, it shares it."
    ))
}

fn kept(product: &str, seconds: u32, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(&serde_json::json!({"product": product, "kept_seconds": seconds}));
    }
    line(format!(
        "A seat of {product} is kept for you for {}: start it now.",
        card::in_words(seconds)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_a_token_is_told_whose_seat_each_command_keeps() {
        let said = of_a_token("cad");
        assert_eq!(said.code(), exit::USAGE);
        insta::assert_snapshot!(said, @r"
        usher: a token is given (--token, USHER_TOKEN or the settings file), so that `usher run` asks as its user; `usher notify` keeps a seat for this account, which may be another person to the server
          By the token: usher run --product cad --wait -- PROGRAM
          As this account, without the token: env -u USHER_TOKEN usher notify --when-free cad
        ");
    }
}
