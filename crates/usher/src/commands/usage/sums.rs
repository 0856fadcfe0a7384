//! `usher usage by-user` and `by-day`: sums of use by person and by day.

use usher_api::{DayUsage, Only, Page, UserUsage};

use super::Usage;
use super::form::{Durations, say_time};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, eprintln_quiet, fetch, must_exist, show_as};
use crate::output::{Table, tame};
use crate::time;

/// Prints the sums for each person.
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
        |users| users_table(users, Durations::of(args.form)),
    )?;
    say_time(context, page.time.as_ref(), "");
    asked.say_whose(page.only.as_ref());
    Ok(())
}

/// Of what is cut to one account, each row is of another realm.
fn realm(item: &UserUsage) -> &str {
    &item.authority
}

/// Each day's, in this computer's time zone; none of those before anything was recorded.
pub(super) async fn by_day(args: &Usage, context: &Context) -> Result<(), Failure> {
    let asked = args.through.ask(context).await?;
    let query = args
        .query("/v1/usage/days")?
        .with("product", args.product.as_ref())
        .with("time_zone", time::zone_here());
    let mut page: Page<DayUsage> = fetch(&asked.client, &query, &Extent::ALL).await?;
    leave_out_unrecorded(&mut page, &args.extent);
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
            "There is no day in this time of which anything is recorded.",
            |days| days_table(days, Durations::of(args.form)),
        )?,
        // Rows of zeros say no more.
        false => eprintln_quiet(unused(page.only.as_ref())),
    }
    say_time(context, page.time.as_ref(), "");
    asked.say_whose(page.only.as_ref());
    if let (Some(only), true) = (
        &page.only,
        is_for_people && apart.is_some_and(|it| is_used(&it)),
    ) {
        eprintln_quiet(&not_summed(only));
    }
    Ok(())
}

/// Days that ended before anything was recorded are no days without use. Of the rest at most as many
/// as are wanted.
fn leave_out_unrecorded(page: &mut Page<DayUsage>, extent: &Extent) {
    let all = page.items.len();
    if let Some(recorded) = page.time.as_ref().and_then(|of| of.recorded_since) {
        page.items.retain(|day| day.to > recorded);
    }
    let limit = extent.limit as usize;
    if limit > 0 && page.items.len() > limit {
        let left_out = all - page.items.len();
        page.next = Some((left_out + limit).to_string());
        page.items.truncate(limit);
    }
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

fn users_table(items: &[UserUsage], durations: Durations) -> Table {
    let mut table = Table::new(&[
        "USER",
        "REALM",
        ">PRODUCTS",
        ">SESSIONS",
        ">RUNNING",
        ">COMPUTERS",
        durations.heading(">TIME", ">TIME SECONDS"),
        durations.heading(">UNSEATED FOR", ">UNSEATED SECONDS"),
        "LAST USED",
    ]);
    for item in items {
        table.row([
            item.user.clone(),
            durations.realm(&item.authority),
            item.products.to_string(),
            item.sessions.to_string(),
            item.running.to_string(),
            item.computers.to_string(),
            durations.cell(item.total_seconds),
            durations.cell(item.unseated_seconds),
            time::local_or_dash(item.last_used_at),
        ]);
    }
    table
}

fn days_table(items: &[DayUsage], durations: Durations) -> Table {
    let mut table = Table::new(&[
        "DAY",
        ">PRODUCTS",
        ">SESSIONS",
        ">USERS",
        ">COMPUTERS",
        durations.heading(">TIME", ">TIME SECONDS"),
        durations.heading(">UNSEATED FOR", ">UNSEATED SECONDS"),
    ]);
    for item in items {
        table.row([
            item.day.clone(),
            item.products.to_string(),
            item.sessions.to_string(),
            item.users.to_string(),
            item.computers.to_string(),
            durations.cell(item.total_seconds),
            durations.cell(item.unseated_seconds),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
