//! `usher checkout`: takes a seat, for scripts that keep it themselves.

use clap::Args;
use usher_platform::signals::{Stop, Told};

use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::eprintln_quiet;
use crate::mine::Through;
use crate::output::{line, print_json};
use crate::run::ask::{Ask, Away, Wait};
use crate::run::door::of_another;
use crate::run::seat::acquire;
use crate::time;

/// Take a seat and print the lease; it ends with its ttl unless it is renewed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  LEASE=$(usher checkout gimp --ttl 1h)
  usher checkout solver --wait=10m --seats 4 --json
  usher checkout solver --also hpc-pack=2 --wait      both, or neither
  usher checkout gimp --user anna --computer pc7      needs a token that may ask for her

Without a token the agent of this computer asks for you. Keep it with `usher renew LEASE`, give it
back with `usher checkin LEASE`. `usher run` does both. Exit codes: 77 refused, 75 waited as long as
asked, or not now (paused, holding after a restore), 69 no server.")]
pub(crate) struct Checkout {
    /// Product id
    #[arg(value_name = "PRODUCT")]
    product: String,
    /// A further product that is needed too, and how many seats of it: all are granted, or none
    #[arg(long, value_name = "PRODUCT[=N]", value_parser = also)]
    also: Vec<(String, u32)>,
    /// Who is counted [default: you]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The computer [default: this one]
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    /// How many seats
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(usher_api::SEATS_LIMIT)))]
    seats: u32,
    /// How long the seat is held after the last renewal [default: 5m, or the product's maximum]
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<u32>,
    /// Wait for a seat if none is free, at most so long [without a value: for ever]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
        default_missing_value = "forever", value_parser = Wait::read)]
    wait: Option<Wait>,
    /// Place in the queue before arrival counts, -100 to 100 (operators and admins)
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true,
        value_parser = clap::value_parser!(i8).range(-100..=100)
    )]
    priority: i8,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: Checkout, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let asked = args.through.ask(context).await?;
        let is_of_another = args.user.is_some() || args.computer.is_some() || args.priority != 0;
        if asked.by_agent && is_of_another {
            return Err(of_another());
        }
        let mut stop = Stop::take(Told::AlsoByTerminal)
            .map_err(|error| Failure::failed(format!("cannot watch signals: {error}")))?;
        let ask = Ask {
            one_use: false,
            begun: tokio::time::Instant::now(),
            away: Away::Wait,
            product: args.product,
            also: args.also,
            user: args.user.unwrap_or_else(host::user),
            computer: args.computer.unwrap_or_else(host::computer),
            seats: args.seats,
            ttl_seconds: args.ttl,
            priority: args.priority,
            program: None,
            wait: args.wait,
        };
        let lease = acquire(&asked.client, &ask, stop.next()).await?;
        if context.json() {
            return print_json(&lease);
        }
        line(&lease.id)?;
        let mut held = vec![seats_of(lease.seats, &lease.product)];
        held.extend(
            lease
                .also
                .iter()
                .map(|other| seats_of(other.seats, &other.product)),
        );
        let last = held.pop().unwrap_or_default();
        let held = match held.is_empty() {
            true => last,
            false => format!("{} and {last}", held.join(", ")),
        };
        eprintln_quiet(&format!(
            "{} holds {held} for {}, and longer if it is renewed.",
            lease.user,
            time::span(lease.ttl_seconds.into())
        ));
        Ok(())
    })
}

fn seats_of(seats: u32, product: &str) -> String {
    match seats {
        1 => format!("a seat of {product}"),
        seats => format!("{seats} seats of {product}"),
    }
}

/// Reads a further product: `PRODUCT` or `PRODUCT=N`.
pub(crate) fn also(text: &str) -> Result<(String, u32), String> {
    let Some((product, seats)) = text.rsplit_once('=') else {
        return Ok((text.to_owned(), 1));
    };
    let within = |seats: &u32| (1..=usher_api::SEATS_LIMIT).contains(seats);
    match seats.parse().ok().filter(within) {
        Some(seats) => Ok((product.to_owned(), seats)),
        None => Err(format!(
            "`{seats}` is not a number of seats: give PRODUCT=N, with N from 1 to {}",
            usher_api::SEATS_LIMIT
        )),
    }
}

/// Reads a ttl.
pub(crate) fn ttl(text: &str) -> Result<u32, String> {
    let seconds = time::duration(text)?.as_secs();
    match u32::try_from(seconds) {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("a ttl is at least a second, and at most what the product allows".to_owned()),
    }
}
