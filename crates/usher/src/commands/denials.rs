//! `usher denials`: what was refused, to whom, and why.

use clap::Args;
use jiff::Timestamp;
use usher_api::Denial;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, Query, must_exist, show_as};
use crate::mine::Through;
use crate::output::Table;
use crate::time;

/// Show what was refused, to whom, and why
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher denials --since 7d
  usher denials --product gimp --since 2026-01-01 --json

`usher why DECISION` tells how the seats were held at that instant.

Without a token, on a computer with an agent, it shows what you were refused there.")]
pub(crate) struct Denials {
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only since then: a time (07:30), a day, the first day of "last week", or how long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    since: Option<Timestamp>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    through: Through,
}

/// Does it.
pub(crate) fn run(args: &Denials, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let asked = args.through.ask(context).await?;
        let query = Query::new("/v1/denials")
            .with("product", args.product.as_ref())
            .with("since", args.since.map(|since| since.to_string()));
        let page = asked.list(&query, &args.extent, decision_id).await?;
        if page.items.is_empty() {
            must_exist(&asked.client, args.product.as_deref()).await?;
        }
        let empty = match &page.only {
            Some(_) => "You were refused nothing.",
            None => "Nothing was refused.",
        };
        show_as(args.form, context, &page, empty, table)?;
        asked
            .say_cut(page.only.as_ref(), args.product.as_deref())
            .await;
        Ok(())
    })
}

fn decision_id(denial: &Denial) -> &str {
    &denial.decision_id
}

fn table(denials: &[Denial]) -> Table {
    let mut table = Table::new(&[
        "LAST", ">TIMES", "PRODUCT", "USER", "COMPUTER", ">SEATS", "REASON", "DECISION",
    ]);
    for denial in denials {
        table.row([
            time::local(denial.last_at),
            denial.count.to_string(),
            denial.product.clone(),
            denial.user.clone(),
            denial.computer.clone(),
            denial.seats.to_string(),
            denial.reason.as_str().to_owned(),
            denial.decision_id.clone(),
        ]);
    }
    table
}
