//! `usher usage by-user` and `by-day`: sums of use by person and by day.

use usher_api::{DayUsage, Only, Page, UserUsage};

use super::Usage;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{eprintln_quiet, fetch, must_exist, show_as};
use crate::output::{Table, tame};
use crate::time;

/// Each person's.
pub(super) async fn by_user(args: &Usage, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    let query = args
        .query("/v1/usage/users")?
        .with("product", args.product.as_ref());
    let page = asked.list(&query, &args.extent, realm).await?;
    if page.items.is_empty() {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    show_as(
        args.form,
        context,
        &page,
        unused(page.only.as_ref()),
        users_table,
    )?;
    asked.say_whose(page.only.as_ref());
    Ok(())
}

/// Of what is cut to one account, each row is of another realm.
fn realm(item: &UserUsage) -> &str {
    &item.authority
}

/// Each day's, in this computer's time zone.
pub(super) async fn by_day(args: &Usage, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    let query = args
        .query("/v1/usage/days")?
        .with("product", args.product.as_ref())
        .with("time_zone", time::zone_here());
    let page: Page<DayUsage> = fetch(&asked.client, &query, &args.extent).await?;
    let apart = asked.apart(&query, &args.extent, &page).await?;
    if !is_used(&page) {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    let is_for_people = !args.form.csv && !context.json();
    match is_used(&page) || page.next.is_some() || !is_for_people {
        true => show_as(
            args.form,
            context,
            &page,
            "There is no day in this time.",
            days_table,
        )?,
        // Rows of zeros say no more.
        false => eprintln_quiet(unused(page.only.as_ref())),
    }
    asked.say_whose(page.only.as_ref());
    if let (Some(only), true) = (
        &page.only,
        is_for_people && apart.is_some_and(|it| is_used(&it)),
    ) {
        eprintln_quiet(&not_summed(only));
    }
    Ok(())
}

/// Days of two people are not added: whether a product or a computer is one of both is not known.
fn not_summed(only: &Only) -> String {
    let account = tame(only.account.as_deref().unwrap_or_default());
    format!(
        "What the account {account} used on this computer is not in these sums: without the token \
         they show it, and `usher usage` lists both."
    )
}

fn is_used(page: &Page<DayUsage>) -> bool {
    page.items.iter().any(|day| day.sessions > 0)
}

/// What is said if there is no use.
fn unused(only: Option<&Only>) -> &'static str {
    match only {
        Some(_) => "You have used nothing in this time.",
        None => "Nobody used anything in this time.",
    }
}

fn users_table(items: &[UserUsage]) -> Table {
    let mut table = Table::new(&[
        "USER",
        "REALM",
        ">PRODUCTS",
        ">SESSIONS",
        ">RUNNING",
        ">COMPUTERS",
        ">TIME",
        ">UNSEATED FOR",
        "LAST USED",
    ]);
    for item in items {
        table.row([
            item.user.clone(),
            item.authority.clone(),
            item.products.to_string(),
            item.sessions.to_string(),
            item.running.to_string(),
            item.computers.to_string(),
            time::span(item.total_seconds),
            time::span(item.unseated_seconds),
            time::local_or_dash(item.last_used_at),
        ]);
    }
    table
}

fn days_table(items: &[DayUsage]) -> Table {
    let mut table = Table::new(&[
        "DAY",
        ">PRODUCTS",
        ">SESSIONS",
        ">USERS",
        ">COMPUTERS",
        ">TIME",
        ">UNSEATED FOR",
    ]);
    for item in items {
        table.row([
            item.day.clone(),
            item.products.to_string(),
            item.sessions.to_string(),
            item.users.to_string(),
            item.computers.to_string(),
            time::span(item.total_seconds),
            time::span(item.unseated_seconds),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_shown_by_person_and_by_day() {
        let at = "2026-03-01T09:00:00Z".parse().unwrap();
        let users = users_table(&[UserUsage {
            user: "anna".into(),
            authority: "corp.example".into(),
            products: 2,
            sessions: 7,
            running: 1,
            computers: 1,
            total_seconds: 5_400,
            unseated_seconds: 60,
            last_used_at: Some(at),
        }]);
        let text = users.text().replace(&time::local(at), "NINE O'CLOCK");
        insta::assert_snapshot!(text, @r"
        USER  REALM         PRODUCTS  SESSIONS  RUNNING  COMPUTERS        TIME  UNSEATED FOR  LAST USED
        anna  corp.example         2         7        1          1  1 h 30 min         1 min  NINE O'CLOCK
        ");
        let days = days_table(&[DayUsage {
            day: "2026-03-01".into(),
            from: at,
            to: at,
            sessions: 3,
            users: 2,
            computers: 2,
            products: 1,
            total_seconds: 90,
            unseated_seconds: 0,
        }]);
        insta::assert_snapshot!(days.text(), @r"
        DAY         PRODUCTS  SESSIONS  USERS  COMPUTERS        TIME  UNSEATED FOR
        2026-03-01         1         3      2          2  1 min 30 s           0 s
        ");
    }
}
