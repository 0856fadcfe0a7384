//! `usher entitlement list`: the entitlements as a table, as JSON, or as a file that an import
//! reads.

use clap::Args;
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Entitlement as Wire, Metric};

use super::sheet::written;
use super::validity::{end, here};
use super::{details, totals};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, Query, must_exist, say_if_cut};
use crate::output::{Table, line, print};
use crate::owned;

/// List what is owned
#[derive(Debug, Args)]
#[command(after_help = "\
--csv writes the columns that `usher entitlement import` reads, and the ids. Ids are given in order,
but not one by one: between two of them nothing is missing.

Examples:
  usher entitlement list --product cad
  usher entitlement list --csv --limit 0 > all.csv")]
pub(crate) struct List {
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    form: Form,
}

pub(super) async fn run(args: &List, context: &Context, client: &Client) -> Result<(), Failure> {
    let query = Query::new("/v1/entitlements").with("product", args.product.as_ref());
    let listed = owned::list::<Wire>(client, &query, &args.extent).await?;
    if listed.page.items.is_empty() {
        must_exist(client, args.product.as_deref()).await?;
    }
    if args.form.csv {
        // It is what an import reads, and an import is of one server.
        listed.must_be_of_one()?;
        print(&written(&listed.page.items)?)?;
        say_if_cut(&listed.page);
        return Ok(());
    }
    let empty = match &args.product {
        Some(_) => "Nothing is owned of it: `usher entitlement add PRODUCT --seats N`.",
        None => "Nothing is owned yet: `usher entitlement add PRODUCT --seats N`.",
    };
    listed.show(args.form, context, empty, table)?;
    // A part of what is owned has no sum that anybody could use.
    let totals = match listed.is_whole() && !context.json() {
        true => totals::lines(&listed.page.items, Timestamp::now()),
        false => Vec::new(),
    };
    if !totals.is_empty() {
        line("")?;
    }
    totals.into_iter().try_for_each(line)
}

/// The entitlements as a table.
pub(crate) fn table(items: &[Wire]) -> Table {
    let here = here();
    let said = details::columns(items);
    let mut headings = vec![
        "ENTITLEMENT",
        "PRODUCT",
        "METRIC",
        ">SEATS",
        ">OVERDRAFT",
        ">IN USE",
        "FROM",
        "TO",
    ];
    headings.extend(said.iter().map(|column| column.heading));
    let mut table = Table::new(&headings);
    for item in items {
        let (from_day, to_day) = (item.from_day.as_ref(), item.to_day.as_ref());
        let zone = item.time_zone.as_ref();
        let cells = [
            item.id.clone(),
            item.product.clone(),
            metric(item.metric).to_owned(),
            item.seats.to_string(),
            item.overdraft.to_string(),
            item.in_use.to_string(),
            end(from_day, zone, item.from, &here),
            end(to_day, zone, item.to, &here),
        ];
        let said = said.iter().map(|column| (column.of)(item));
        table.row(
            cells
                .into_iter()
                .chain(said.map(|text| text.unwrap_or_else(|| "-".to_owned()))),
        );
    }
    table
}

fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Concurrent => "concurrent",
        Metric::NamedUser => "named-user",
        Metric::Device => "device",
        Metric::Core => "core",
        Metric::Token => "token",
    }
}
