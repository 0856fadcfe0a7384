//! `usher usage`: each session.

use std::cmp::Reverse;

use usher_api::Session;

use super::Usage;
use super::form::Durations;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{must_exist, show_as};
use crate::mine::of_another;
use crate::output::Table;
use crate::time;

pub(super) async fn show_all(args: &Usage, context: &Context) -> Result<(), Failure> {
    let query = args
        .query("/v1/sessions")?
        .with("product", args.product.as_ref())
        .with("user", args.user.as_ref())
        .with("computer", args.computer.as_ref())
        .with("running", args.running.then_some("true"));
    let asked = args.through.ask(context).await?;
    let mut page = asked.list(&query, &args.extent, session_id).await?;
    // Of two lists that are shown as one.
    page.items
        .sort_by_key(|session| Reverse(session.started_at));
    if page.items.is_empty() {
        must_exist(&asked.client, args.product.as_deref()).await?;
    }
    let anothers = of_another(page.only.as_ref(), args.user.as_deref());
    let empty = match (&page.only, args.asks_for_all()) {
        _ if anothers.is_some() => anothers.as_deref().unwrap_or_default(),
        (Some(_), true) => "You have used nothing yet.",
        (Some(_), false) => "Nothing that you used matches what was asked for.",
        (None, true) => "No sessions yet.",
        (None, false) => "No session matches what was asked for.",
    };
    let durations = Durations::of(args.form);
    show_as(args.form, context, &page, empty, |sessions| {
        session_table(sessions, durations)
    })?;
    asked.say_whose(page.only.as_ref());
    Ok(())
}

fn session_id(session: &Session) -> &str {
    &session.id
}

fn session_table(sessions: &[Session], durations: Durations) -> Table {
    let lasted = durations.heading(">LASTED", ">LASTED SECONDS");
    let mut table = Table::new(&[
        "PRODUCT", "USER", "COMPUTER", "PROGRAM", "STARTED", "ENDED", lasted, "SEAT",
    ]);
    for session in sessions {
        let user = match &session.real_user {
            Some(real) => format!("{} (as {real})", session.user),
            None => session.user.clone(),
        };
        table.row([
            session.product.clone(),
            user,
            session.computer.clone(),
            session.program.clone().unwrap_or_else(|| "-".to_owned()),
            time::local(session.started_at),
            session
                .ended_at
                .map_or_else(|| "running".to_owned(), time::local),
            durations.cell(session.duration_seconds),
            session
                .lease
                .clone()
                .unwrap_or_else(|| "unseated".to_owned()),
        ]);
    }
    table
}
