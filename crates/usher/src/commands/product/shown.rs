//! How products are shown: with their rules, to those who may see them; and without a token,
//! through the agent, with only their counts.

use std::collections::BTreeMap;

use usher_api::client::{Client, ClientError};
use usher_api::{
    Code, Entitlement, Mode, Page, Product, ProductStatus, ProductView, Status, Usage,
};

use super::{List, Show, path};
use crate::commands::{entitlement, usage};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, show_as};
use crate::mine::in_all;
use crate::output::{Table, counted, line, print_json, tame};
use crate::owned;
use crate::time;

/// Lists the products.
pub(super) async fn list(args: &List, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    if !asked.by_agent {
        let query = Query::new("/v1/products");
        let listed = owned::list::<ProductView>(&asked.client, &query, &args.extent).await?;
        let empty = "No products yet: `usher product add ID --program RULE --seats N` adds one.";
        let waiting = match context.json() {
            true => Waiting::new(),
            false => waiting(&asked.client).await,
        };
        return listed.show(args.form, context, empty, |products| {
            table(products, &waiting)
        });
    }
    let status: Status = asked.client.get("/v1/status").await?;
    let all = status.products.len();
    let mut page = Page {
        items: status.products,
        next: None,
        only: None,
        time: None,
    };
    if args.extent.limit > 0 {
        page.items.truncate(args.extent.limit as usize);
    }
    show_as(
        args.form,
        context,
        &page,
        "There are no products yet.",
        counts,
    )?;
    let left_out = all - page.items.len();
    if left_out > 0 {
        let left_out = counted(left_out as u64, "product");
        eprintln_quiet(&format!("{left_out} more; --limit 0 shows all."));
    }
    Ok(())
}

/// Shows one product.
pub(super) async fn one(args: &Show, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    if !asked.by_agent {
        return whole(&args.id, context, &asked.client).await;
    }
    // Says of a product that is none that it is none.
    let _: serde::de::IgnoredAny = asked.client.get(&path(&args.id)?).await?;
    let status: Status = asked.client.get("/v1/status").await?;
    let mut found = status.products.into_iter();
    let product = found.find(|it| it.id == args.id).ok_or_else(|| {
        Failure::failed(format!("there is no product {}", args.id))
            .next("`usher product list` shows them.")
    })?;
    if context.json() {
        return print_json(&product);
    }
    line(tame(&product.name))?;
    line(in_all(&product))
}

async fn whole(id: &str, context: &Context, client: &Client) -> Result<(), Failure> {
    let view: ProductView = client.get(&path(id)?).await?;
    if context.json() {
        return print_json(&view);
    }
    let used = last_used(id, client).await;
    line(describe(&view, used))?;
    let query = Query::new("/v1/entitlements").with("product", Some(id));
    let owned = match fetch::<Entitlement>(client, &query, &Extent::ALL).await {
        Ok(owned) => owned.items,
        // Who may see a product may not see what was paid for it.
        Err(ClientError::Problem(problem)) if problem.is(Code::Forbidden) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    line("")?;
    match owned.is_empty() {
        true => line(format!(
            "Nothing is owned of it: `usher entitlement add {} --seats N`.",
            tame(id)
        )),
        false => entitlement::list::table(&owned).print(),
    }
}

/// When a product was last in use; if it never was, since when that is recorded. `None` if the user
/// may not see the use of all.
async fn last_used(id: &str, client: &Client) -> Option<String> {
    let query = Query::new("/v1/usage")
        .with("product", Some(id))
        .with("owned", Some("true"))
        .with("since", Some("1970-01-01"));
    let page: Page<Usage> = fetch(client, &query, &Extent { limit: 1 }).await.ok()?;
    let item = page.items.first().filter(|_| page.only.is_none())?;
    let begun = page.time.and_then(|of| of.recorded_since);
    let known = usage::last_used(item);
    Some(match begun.filter(|_| item.last_used_at.is_none()) {
        Some(begun) => format!("{known} (recorded since {})", time::local(begun)),
        None => known,
    })
}

fn describe(view: &ProductView, used: Option<String>) -> String {
    let product = &view.product;
    let word = |value: serde_json::Result<serde_json::Value>| {
        value
            .ok()
            .and_then(|value| value.as_str().map(|word| word.replace('_', "-")))
            .unwrap_or_default()
    };
    let mut rows = vec![
        ("id", product.id.clone()),
        ("name", product.name.clone()),
        ("publisher", product.publisher.clone()),
        ("mode", word(serde_json::to_value(product.mode))),
        (
            "enabled",
            if product.enabled { "yes" } else { "no" }.to_owned(),
        ),
        ("seats", format!("{} of {} in use", view.in_use, view.seats)),
        ("counting", word(serde_json::to_value(product.counting))),
        ("queue limit", product.queue_limit.to_string()),
        (
            "impossible after",
            time::span(product.impossible_seconds.into()),
        ),
        ("longest ttl", time::span(product.max_ttl_seconds.into())),
        (
            "on unreachable",
            word(serde_json::to_value(product.on_unreachable)),
        ),
        (
            "on lost lease",
            word(serde_json::to_value(product.on_lost_lease)),
        ),
        ("claim within", time::span(product.claim_seconds.into())),
        (
            "idle after",
            match product.idle_seconds {
                0 => String::new(),
                seconds => time::span(seconds.into()),
            },
        ),
        ("on idle", word(serde_json::to_value(product.on_idle))),
        ("grace", time::span(product.grace_seconds.into())),
        (
            "holders shown",
            if product.show_holders { "yes" } else { "" }.to_owned(),
        ),
        ("added", time::local(view.created_at)),
        ("last used", used.unwrap_or_default()),
    ];
    rows.extend(
        product
            .programs
            .iter()
            .map(|rule| ("program", rule.clone())),
    );
    rows.retain(|(_, value)| !value.is_empty());
    let lines: Vec<String> = rows
        .iter()
        .map(|(title, value)| format!("{title:<18}{}", tame(value)))
        .collect();
    lines.join("\n")
}

/// How many requests wait for a product, by its id.
pub(super) type Waiting = BTreeMap<String, u64>;

/// By product; empty if that is not known.
pub(super) async fn waiting(client: &Client) -> Waiting {
    let status: Option<Status> = client.get("/v1/status").await.ok();
    let products = status.into_iter().flat_map(|status| status.products);
    products.map(|shown| (shown.id, shown.queued)).collect()
}

fn table(products: &[ProductView], waiting: &Waiting) -> Table {
    let mut table = Table::new(&[
        "PRODUCT", ">SEATS", ">IN USE", ">WAITING", "NAME", "MODE", "PROGRAMS",
    ]);
    for view in products {
        let mode = match view.product.mode {
            _ if !view.product.enabled => "disabled",
            Mode::Track => "track",
            Mode::Enforce => "enforce",
        };
        let mut programs: Vec<String> = view.product.programs.iter().take(3).cloned().collect();
        if view.product.programs.len() > 3 {
            programs.push(format!("and {} more", view.product.programs.len() - 3));
        }
        table.row([
            view.product.id.clone(),
            view.seats.to_string(),
            view.in_use.to_string(),
            waiting
                .get(&view.product.id)
                .map_or_else(|| "-".to_owned(), u64::to_string),
            name_of(&view.product),
            mode.to_owned(),
            programs.join(" "),
        ]);
    }
    table
}

/// The name for people: the id if the product has no other.
fn name_of(product: &Product) -> String {
    match product.name.is_empty() {
        true => product.id.clone(),
        false => product.name.clone(),
    }
}

/// The counts, without rules and other people, for users who may see no more.
fn counts(products: &[ProductStatus]) -> Table {
    let mut table = Table::new(&["PRODUCT", ">SEATS", ">IN USE", ">WAITING", "NAME"]);
    for product in products {
        table.row([
            product.id.clone(),
            product.seats.to_string(),
            product.in_use.to_string(),
            product.queued.to_string(),
            product.name.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::{plain, traits::Traits};
    use super::*;

    fn view() -> ProductView {
        let mut product = plain("gimp").unwrap();
        let traits = Traits {
            name: Some("GIMP".into()),
            program: vec![
                "gimp-2.10".into(),
                "script-fu,role=helper".into(),
                "c".into(),
                "d".into(),
            ],
            ..Traits::default()
        };
        traits.apply(&mut product);
        ProductView {
            product,
            seats: 10,
            in_use: 2,
            created_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn products_are_listed_with_the_first_of_their_rules() {
        let mut unnamed = view();
        unnamed.product.id = "cad".into();
        unnamed.product.name = String::new();
        let waiting = Waiting::from([("gimp".to_owned(), 3)]);
        insta::assert_snapshot!(table(&[view(), unnamed], &waiting).text(), @r"
        PRODUCT  SEATS  IN USE  WAITING  NAME  MODE   PROGRAMS
        gimp        10       2        3  GIMP  track  gimp-2.10 script-fu,role=helper c and 1 more
        cad         10       2        -  cad   track  gimp-2.10 script-fu,role=helper c and 1 more
        ");
    }
}
