//! `usher product remove`: removes a product and its entitlements.

use clap::Args;
use usher_api::client::Client;
use usher_api::{Entitlement, ProductView};

use super::path;
use super::shown::waiting;
use crate::agreed;
use crate::commands::entitlement::details;
use crate::commands::entitlement::losses;
use crate::commands::entitlement::named::{called, described};
use crate::commands::entitlement::validity::here;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Query, eprintln_quiet};
use crate::output::{counted, tame};
use crate::owned;
use crate::run::door::ToldAgent;

/// How many entitlements are named; the rest are counted.
const NAMED: usize = 20;

/// Remove a product and what is owned of it; leases that are out end by themselves
///
/// Nothing brings it back: on a terminal it asks first. Elsewhere a product of which an entitlement
/// has a name, a price or the like is removed only with --yes. `edit --disable` hands out no more
/// seats, and keeps all of it.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Product id
    #[arg(value_name = "ID")]
    id: String,
    /// Remove it without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    told: ToldAgent,
}

pub(super) async fn run(args: &Remove, context: &Context, client: &Client) -> Result<(), Failure> {
    let path = path(&args.id)?;
    let view: ProductView = client.get(&path).await?;
    let id = tame(&view.product.id);
    let query = Query::new("/v1/entitlements").with("product", Some(&view.product.id));
    let owned: Vec<Entitlement> = owned::all(client, &query).await?;
    let waits = waiting(client).await.get(&view.product.id).copied();
    let goes = goes_with(&owned, view.in_use, waits.unwrap_or(0));
    if !args.yes {
        let is_known = |it: &Entitlement| it.name.is_some() || !details::said(it).is_empty();
        if agreed::can_be_asked() {
            goes.iter().for_each(|it| eprintln_quiet(it));
            if !agreed::asked(&format!("Remove product {id}?"))? {
                return Err(Failure::failed("nothing was removed"));
            }
        } else if owned.iter().any(is_known) {
            let what = goes.join("\n  ");
            return Err(Failure::usage(format!(
                "nothing was removed: it asks before it removes {id} with what is known of its \
                 entitlements, and there is no terminal to ask on\n  {what}"
            ))
            .next(format!(
                "--yes removes it without asking; `usher product edit {id} --disable` hands out no \
                 more seats, and keeps all of it."
            )));
        }
    }
    client.delete(&path).await?;
    args.told.products_changed(context).await;
    eprintln_quiet(&format!("Product {id} is removed."));
    // Who was asked knows it.
    if args.yes || !agreed::can_be_asked() {
        goes.iter().for_each(|it| eprintln_quiet(it));
    }
    Ok(())
}

/// What is removed with a product, one line for each.
fn goes_with(owned: &[Entitlement], in_use: u64, waits: u64) -> Vec<String> {
    let here = here();
    let mut lines: Vec<String> = owned
        .iter()
        .take(NAMED)
        .map(|it| format!("With it goes {}: {}.", called(it), described(it, &here)))
        .collect();
    let more = owned.len().saturating_sub(NAMED);
    if more > 0 {
        let more = counted(more as u64, "more entitlement");
        lines.push(format!("With it goes what is known of {more}."));
    }
    let used = (in_use > 0).then(|| losses::still_used(in_use));
    let waited = (waits > 0).then(|| losses::waiting(waits));
    lines.extend(used.into_iter().chain(waited).map(|it| format!("{it}.")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_with_a_product_is_named() {
        let owned: Entitlement = serde_json::from_value(serde_json::json!({
            "id": "E21", "product": "t3", "metric": "concurrent", "seats": 5, "overdraft": 0,
            "in_use": 1, "allotment": "A1", "name": "t3-2026", "contract": "Rahmen 7",
            "price": { "amount": 5000, "currency": "EUR", "per": "year" },
        }))
        .unwrap();
        insta::assert_snapshot!(goes_with(&[owned], 1, 2).join("\n"), @r"
        With it goes t3-2026 (E21): 5 seats of t3, 5000 EUR/year, contract Rahmen 7.
        1 seat of it is in use, and stays so until it is given back.
        2 requests wait for a seat of it, and are then refused.
        ");
        assert!(goes_with(&[], 0, 0).is_empty());
    }
}
