//! `usher queue`: who waits for what.

use clap::Args;
use usher_api::QueueEntry;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, must_exist, show};
use crate::mine::{Through, ticket_id};
use crate::output::Table;
use crate::run::progress::expected_wait;
use crate::time;

/// Show who waits for a seat
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher queue
  usher queue --product gimp

Without a token, on a computer with an agent, it shows what you wait for there with your place, and
how many wait in all.")]
pub(crate) struct Queue {
    /// Only for this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Queue, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let asked = args.through.ask_briefly(context).await?;
        let query = Query::new("/v1/queue").with("product", args.product.as_ref());
        let page = asked.list(&query, &args.extent, ticket_id).await?;
        if page.items.is_empty() {
            must_exist(&asked.client, args.product.as_deref()).await?;
        }
        let empty = match &page.only {
            Some(_) => "You wait for no seat.",
            None => "Nobody waits.",
        };
        show(context, &page, empty, table)?;
        asked
            .say_cut(page.only.as_ref(), args.product.as_deref())
            .await;
        Ok(())
    })
}

fn table(entries: &[QueueEntry]) -> Table {
    let mut table = Table::new(&[
        "PRODUCT",
        ">PLACE",
        "USER",
        "COMPUTER",
        ">SEATS",
        "SINCE",
        "EXPECTED WAIT",
        "TICKET",
    ]);
    for entry in entries {
        table.row([
            entry.product.clone(),
            entry.position.to_string(),
            entry.user.clone(),
            entry.computer.clone(),
            entry.seats.to_string(),
            time::local(entry.queued_at),
            expected_wait(entry.expected_wait_seconds),
            entry.id.clone(),
        ]);
    }
    table
}
