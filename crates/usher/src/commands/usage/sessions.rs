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
    let table = |sessions: &[Session]| session_table(sessions, durations, args.form.csv);
    show_as(args.form, context, &page, empty, table)?;
    asked.say_whose(page.only.as_ref());
    Ok(())
}

fn session_id(session: &Session) -> &str {
    &session.id
}

fn session_table(sessions: &[Session], durations: Durations, is_csv: bool) -> Table {
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
            match is_csv {
                true => lease_of(session),
                false => seat(session),
            },
        ]);
    }
    table
}

fn lease_of(session: &Session) -> String {
    let lease = session.lease.clone();
    lease.unwrap_or_else(|| "unseated".to_owned())
}

/// The lease, and how long it ran without one.
fn seat(session: &Session) -> String {
    match (&session.lease, session.unseated_seconds) {
        (Some(lease), without @ 1..) => format!("{lease}, {} unseated", time::span(without)),
        _ => lease_of(session),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_had_its_seat_for_a_part_of_its_time_says_for_how_long_it_had_none() {
        let session = |lease: Option<&str>, unseated_seconds: u64| -> Session {
            let session = serde_json::json!({
                "id": "S1", "product": "cad", "program": "cad", "user": "anna", "authority": "usher",
                "computer": "pc", "started_at": "2026-01-01T00:00:00Z", "ended_at": null,
                "duration_seconds": 12, "unseated_seconds": unseated_seconds, "lease": lease,
            });
            serde_json::from_value(session).unwrap()
        };
        assert_eq!(seat(&session(Some("L1-2"), 5)), "L1-2, 5 s unseated");
        assert_eq!(seat(&session(Some("L1-2"), 0)), "L1-2");
        assert_eq!(seat(&session(None, 12)), "unseated");
        assert_eq!(lease_of(&session(Some("L1-2"), 5)), "L1-2");
    }
}
