//! `usher usage by-product`: the sums for each product, beside what is owned of it.

use std::collections::BTreeSet;

use usher_api::client::Client;
use usher_api::{Page, Price, Session, UnseenUse, Usage as Line};

use super::Usage;
use super::form::{Durations, say_time};
use crate::commands::entitlement::details::core_price;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Form, fetch, must_exist, show_as};
use crate::output::Table;
use crate::time;

pub(super) async fn show_all(args: &Usage, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    let query = args
        .query("/v1/usage")?
        .with("product", args.product.as_ref())
        .with("owned", Some("true"));
    let (mut page, more) = asked.sums(&query, &args.extent).await?;
    if let Some(more) = more {
        by_both(&asked.client, args, &mut page, more).await?;
    }
    if page.items.is_empty() {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    let empty = match &page.only {
        Some(_) => "You have used nothing in this time.",
        None => "No product is owned or was used in this time.",
    };
    show_as(args.form, context, &page, empty, |items| {
        usage_table(items, args.form)
    })?;
    let has_seats = page.items.iter().any(|item| item.seats.is_some());
    let of_now = match has_seats {
        true => " SEATS and PRICE are those of now.",
        false => "",
    };
    say_time(context, page.time.as_ref(), of_now);
    asked.say_whose(page.only.as_ref());
    Ok(())
}

/// Adds what a person used by the agent of this computer to what they used by their token.
async fn by_both(
    by_token: &Client,
    args: &Usage,
    page: &mut Page<Line>,
    more: Page<Line>,
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

fn usage_table(items: &[Line], form: Form) -> Table {
    let durations = Durations::of(form);
    // Who sees only their own is not told what is owned.
    let has_seats = items.iter().any(|item| item.seats.is_some());
    let amounts = match (has_seats, form.csv) {
        (true, true) => units(items),
        _ => Vec::new(),
    };
    let mut headings = vec![
        "PRODUCT",
        ">SESSIONS",
        ">RUNNING",
        ">UNSEATED",
        ">USERS",
        ">COMPUTERS",
        durations.heading(">TIME", ">TIME SECONDS"),
        durations.heading(">UNSEATED FOR", ">UNSEATED SECONDS"),
        "LAST USED",
    ];
    headings.extend(form.csv.then_some("REMOVED"));
    headings.extend(has_seats.then_some(">SEATS"));
    let priced: Vec<String> = amounts
        .iter()
        .map(|unit| format!(">PRICE {unit}"))
        .collect();
    headings.extend(priced.iter().map(String::as_str));
    headings.extend((has_seats && !form.csv).then_some("PRICE"));
    let mut table = Table::new(&headings);
    for item in items {
        let mut cells = vec![
            match item.removed && !form.csv {
                true => format!("{} (removed)", item.product),
                false => item.product.clone(),
            },
            item.sessions.to_string(),
            item.running.to_string(),
            item.unseated.to_string(),
            item.users.to_string(),
            item.computers.to_string(),
            durations.cell(item.total_seconds),
            durations.cell(item.unseated_seconds),
            last_used(item),
        ];
        let dash = || "-".to_owned();
        cells.extend(form.csv.then(|| match item.removed {
            true => "removed".to_owned(),
            false => dash(),
        }));
        cells.extend(has_seats.then(|| item.seats.map_or_else(dash, |it| it.to_string())));
        cells.extend(amounts.iter().map(|unit| {
            let mut prices = item.prices.iter().map(amount);
            prices
                .find(|(_, of)| of == unit)
                .map_or_else(dash, |it| it.0)
        }));
        cells.extend((has_seats && !form.csv).then(|| prices(&item.prices)));
        table.row(cells);
    }
    table
}

/// When a product was last in use, or what is known of that.
pub(crate) fn last_used(item: &Line) -> String {
    match (item.last_used_at, item.unseen) {
        (Some(at), _) if item.sessions == 0 => format!("{} (not in this time)", time::local(at)),
        (Some(at), _) => time::local(at),
        (None, Some(why)) => unknown(why).to_owned(),
        (None, None) => "never used".to_owned(),
    }
}

/// What stands for a last use that nothing could see.
fn unknown(why: UnseenUse) -> &'static str {
    match why {
        UnseenUse::NoProgramRule => "not known: no program rule",
        UnseenUse::NotWatched => "not known: not watched",
    }
}

fn prices(prices: &[Price]) -> String {
    let said: Vec<String> = prices.iter().map(|it| core_price(it).to_string()).collect();
    match said.is_empty() {
        true => "-".to_owned(),
        false => said.join(" + "),
    }
}

/// A price as a number, and what it is of: `99.50` and `USD once`.
fn amount(price: &Price) -> (String, String) {
    let said = core_price(price).to_string();
    let (amount, unit) = said.split_once(' ').unwrap_or((&said, ""));
    (amount.to_owned(), unit.replace('/', " "))
}

/// What prices are of, each once.
fn units(items: &[Line]) -> Vec<String> {
    let prices = items.iter().flat_map(|item| &item.prices);
    let units: BTreeSet<String> = prices.map(|price| amount(price).1).collect();
    units.into_iter().collect()
}

#[cfg(test)]
mod tests;
