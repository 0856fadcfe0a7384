//! `usher queue`: who waits for what.

use clap::Args;
use usher_api::QueueEntry;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch, must_exist, show};
use crate::output::{Table, time};

/// Show who waits for a seat
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher queue
  usher queue --product gimp")]
pub(crate) struct Queue {
    /// Only for this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    #[command(flatten)]
    extent: Extent,
}

/// Does it.
pub(crate) fn run(args: &Queue, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = context.client()?;
        let query = Query::new("/v1/queue").with("product", args.product.as_ref());
        let page = fetch(&client, &query, &args.extent).await?;
        if page.items.is_empty() {
            must_exist(&client, args.product.as_deref()).await?;
        }
        show(context, &page, "Nobody waits.", table)
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
            entry
                .expected_wait_seconds
                .map_or_else(|| "not known".to_owned(), time::span),
            entry.id.clone(),
        ]);
    }
    table
}
