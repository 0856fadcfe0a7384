//! `usher usage by-product`: the sums for each product, beside what is owned of it.

use usher_api::client::Client;
use usher_api::{Page, Price, Session, Usage as Line};

use super::Usage;
use crate::commands::entitlement::details::core_price;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, fetch, must_exist, show_as};
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
    show_as(args.form, context, &page, empty, usage_table)?;
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

fn usage_table(items: &[Line]) -> Table {
    // Who sees only their own is not told what is owned.
    let has_seats = items.iter().any(|item| item.seats.is_some());
    let has_prices = items.iter().any(|item| !item.prices.is_empty());
    let mut headings = vec![
        "PRODUCT",
        ">SESSIONS",
        ">RUNNING",
        ">UNSEATED",
        ">USERS",
        ">COMPUTERS",
        ">TIME",
        ">UNSEATED FOR",
        "LAST USED",
    ];
    headings.extend(has_seats.then_some(">SEATS"));
    headings.extend(has_prices.then_some("PRICE"));
    let mut table = Table::new(&headings);
    for item in items {
        let mut cells = vec![
            item.product.clone(),
            item.sessions.to_string(),
            item.running.to_string(),
            item.unseated.to_string(),
            item.users.to_string(),
            item.computers.to_string(),
            time::span(item.total_seconds),
            time::span(item.unseated_seconds),
            item.last_used_at
                .map_or_else(|| "never".to_owned(), time::local),
        ];
        let seats = || {
            item.seats
                .map_or_else(|| "-".to_owned(), |it| it.to_string())
        };
        cells.extend(has_seats.then(seats));
        cells.extend(has_prices.then(|| prices(&item.prices)));
        table.row(cells);
    }
    table
}

fn prices(prices: &[Price]) -> String {
    let said: Vec<String> = prices.iter().map(|it| core_price(it).to_string()).collect();
    match said.is_empty() {
        true => "-".to_owned(),
        false => said.join(" + "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(product: &str, sessions: u64) -> Line {
        let last = (sessions > 0).then(|| "2026-03-01T09:00:00Z".parse().unwrap());
        Line {
            product: product.into(),
            sessions,
            running: 0,
            unseated: 0,
            users: sessions,
            computers: sessions,
            total_seconds: sessions * 90,
            unseated_seconds: 0,
            last_used_at: last,
            seats: None,
            prices: Vec::new(),
        }
    }

    fn shown(items: &[Line]) -> String {
        let last = time::local("2026-03-01T09:00:00Z".parse().unwrap());
        usage_table(items).text().replace(&last, "NINE O'CLOCK")
    }

    #[test]
    fn what_is_owned_and_was_never_used_stands_beside_what_was() {
        let price = |text: &str| serde_json::from_str(text).unwrap();
        let owned = Line {
            seats: Some(4),
            prices: vec![
                price(r#"{"amount": 5000, "currency": "EUR", "per": "year"}"#),
                price(r#"{"amount": 99.5, "currency": "USD", "per": "once"}"#),
            ],
            ..used("fea", 0)
        };
        let both = Line {
            seats: Some(2),
            ..used("cad", 3)
        };
        insta::assert_snapshot!(shown(&[both, owned]), @r"
        PRODUCT  SESSIONS  RUNNING  UNSEATED  USERS  COMPUTERS        TIME  UNSEATED FOR  LAST USED            SEATS  PRICE
        cad             3        0         0      3          3  4 min 30 s           0 s  NINE O'CLOCK      2  -
        fea             0        0         0      0          0         0 s           0 s  never                    4  5000 EUR/year + 99.50 USD once
        ");
        let own = shown(&[used("cad", 3)]);
        assert!(!own.contains("SEATS") && !own.contains("PRICE"), "{own}");
    }
}
