//! `usher usage by-user` and `by-day`: sums of use by person and by day.

use usher_api::{DayUsage, Only, Page, UserUsage};

use super::Usage;
use super::form::{Durations, say_time};
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, eprintln_quiet, fetch, must_exist, show_as};
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
mod tests {
    use usher_api::OfTime;

    use super::*;
    use crate::listing::Form;

    #[test]
    fn sums_are_shown_by_person_and_by_day() {
        let at = "2026-03-01T09:00:00Z".parse().unwrap();
        let people = Durations::of(Form::default());
        let users = [UserUsage {
            user: "anna".into(),
            authority: "corp.example".into(),
            products: 2,
            sessions: 7,
            running: 1,
            computers: 1,
            total_seconds: 5_400,
            unseated_seconds: 60,
            last_used_at: Some(at),
        }];
        let text = users_table(&users, people)
            .text()
            .replace(&time::local(at), "NINE O'CLOCK");
        insta::assert_snapshot!(text, @r"
        USER  REALM         PRODUCTS  SESSIONS  RUNNING  COMPUTERS        TIME  UNSEATED FOR  LAST USED
        anna  corp.example         2         7        1          1  1 h 30 min         1 min  NINE O'CLOCK
        ");
        let days = [DayUsage {
            day: "2026-03-01".into(),
            from: at,
            to: at,
            sessions: 3,
            users: 2,
            computers: 2,
            products: 1,
            total_seconds: 90,
            unseated_seconds: 0,
        }];
        insta::assert_snapshot!(days_table(&days, people).text(), @r"
        DAY         PRODUCTS  SESSIONS  USERS  COMPUTERS        TIME  UNSEATED FOR
        2026-03-01         1         3      2          2  1 min 30 s           0 s
        ");
    }
    fn day(day: &str, from: &str, to: &str) -> DayUsage {
        DayUsage {
            day: day.into(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            sessions: 0,
            users: 0,
            computers: 0,
            products: 0,
            total_seconds: 90,
            unseated_seconds: 0,
        }
    }

    #[test]
    fn days_before_anything_was_recorded_are_left_out_and_count_for_no_limit() {
        let page = |limit| {
            let mut page = Page {
                items: vec![
                    day("1", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"),
                    day("2", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
                    day("3", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"),
                ],
                next: None,
                only: None,
                time: Some(OfTime {
                    since: "2026-03-01T00:00:00Z".parse().unwrap(),
                    until: "2026-03-04T00:00:00Z".parse().unwrap(),
                    recorded_since: Some("2026-03-02T07:30:00Z".parse().unwrap()),
                }),
            };
            leave_out_unrecorded(&mut page, &Extent { limit });
            let days: Vec<String> = page.items.into_iter().map(|it| it.day).collect();
            (days.join(" "), page.next)
        };
        assert_eq!(page(0), ("2 3".to_owned(), None));
        assert_eq!(page(1), ("2".to_owned(), Some("2".to_owned())));
    }

    #[test]
    fn a_spreadsheet_is_given_durations_as_numbers() {
        let days = [day("1", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")];
        let form = Durations::of(Form { csv: true });
        insta::assert_snapshot!(days_table(&days, form).csv().unwrap(), @r"
        day,products,sessions,users,computers,time_seconds,unseated_seconds
        1,0,0,0,0,90,0
        ");
    }
}
