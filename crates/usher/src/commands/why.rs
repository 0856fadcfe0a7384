//! `usher why`: explains a decision.

use clap::Args;
use usher_api::{Decision, Holder, LeaseEnd, Only, Timestamp};
use usher_core::people::TOKEN_REALM;

use crate::context::Context;
use crate::failure::Failure;
use crate::mine::{Answerer, Through, in_all, places_said};
use crate::output::{Table, counted, line, print, print_json, tame};
use crate::time;

/// Explain a decision: the rule, how the seats were held, what would help
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher why D1f2e3d4c-42
  usher why L1f2e3d4c-37     why that lease was granted, and how it ended
  usher denials --json | jq -r '.items[0].decision_id' | xargs usher why

Without a token, on a computer with an agent, it explains what you were refused there. Who held the
seats is named if the product says so (--show-holders), and to who sees all.")]
pub(crate) struct Why {
    /// The decision's id, as a refusal or `usher denials` shows it, or a lease's
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Why, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let asked = args.through.ask_briefly(context).await?;
        let decision = asked.decision(&args.id).await?;
        if context.json() {
            return print_json(&decision);
        }
        line(sentence(&decision))?;
        line(format!("Because: {}", tame(&decision.rule)))?;
        if let Some(end) = &decision.ended {
            line(ended(end))?;
        }
        if decision.joined > 0 {
            line(joined(decision.joined))?;
        }
        if !decision.holders.is_empty() {
            print(&format!(
                "\nWho held the seats then:\n{}",
                holders(&decision.holders).text()
            ))?;
        }
        if let Some(unnamed) = decision.unnamed_leases.filter(|unnamed| *unnamed > 0) {
            line(held_by(unnamed, decision.longest_since))?;
        }
        if let Some(only) = &decision.only {
            now(&asked, &decision.product).await?;
            if let Some(said) = realm_of_tokens(only) {
                line(said)?;
            }
        }
        if !decision.what_would_help.is_empty() {
            line("\nWhat would help:")?;
            for help in &decision.what_would_help {
                line(format!("  - {}", tame(help)))?;
            }
        }
        Ok(())
    })
}

/// The note that a token names a person of its own, not the account of that name on a computer.
fn realm_of_tokens(only: &Only) -> Option<String> {
    let account = only.account.as_deref()?;
    (only.realm.as_deref() == Some(TOKEN_REALM)).then(|| {
        let account = tame(account);
        format!(
            "{account} is whom this token names (realm {TOKEN_REALM}), and not the account \
             {account} of a computer: `usher token create --realm` makes a token for that one."
        )
    })
}

fn held_by(leases: u64, longest_since: Option<Timestamp>) -> String {
    let since = longest_since.map_or_else(String::new, |at| {
        format!(", the longest since {}", time::local(at))
    });
    let whose = "whose is not shown of this product";
    match leases {
        1 => format!("One lease held the seats then{since}; {whose}."),
        many => format!("{many} leases held the seats then{since}; {whose}."),
    }
}

/// How many hold and wait now, and the user's own place in the queue.
async fn now(asked: &Answerer<'_>, product: &str) -> Result<(), Failure> {
    let status: usher_api::Status = asked.client.get("/v1/status").await?;
    let Some(shown) = status.products.iter().find(|shown| shown.id == product) else {
        return Ok(());
    };
    line(format!("Now: {}", in_all(shown)))?;
    match places_said(&asked.places(product).await?) {
        Some(said) => line(said),
        None => Ok(()),
    }
}

fn ended(end: &LeaseEnd) -> String {
    let why = match &*end.cause {
        "checked_in" => "it was given back",
        "expired" => "it was not renewed in time",
        "unclaimed" => "who waited for it did not fetch it",
        "idle" => {
            "nobody used the program, which runs on without a seat and asks for one again when \
             somebody does"
        }
        other => other,
    };
    format!(
        "The seat was held until {}: {}.",
        time::local(end.at),
        tame(why)
    )
}

fn joined(times: u64) -> String {
    match times {
        1 => "The lease was joined once since the server's start.".to_owned(),
        many => format!("The lease was joined {many} times since the server's start."),
    }
}

fn sentence(decision: &Decision) -> String {
    let reason = decision
        .reason
        .map(|reason| format!(" ({})", reason.as_str()))
        .unwrap_or_default();
    let seats = counted(u64::from(decision.seats), "seat");
    let total = decision.seats_total;
    let were = if total == 1 { "was" } else { "were" };
    let kept = match decision.seats_kept {
        0 => String::new(),
        1 => " Of those in use 1 was kept for somebody's next start, and not used.".to_owned(),
        many => {
            format!(" Of those in use {many} were kept for somebody's next start, and not used.")
        }
    };
    format!(
        "{} on {} asked for {seats} of {} at {}: {}{reason}. Then {} of {} {were} in use and {} waited.{kept}",
        tame(&decision.user),
        tame(&decision.computer),
        tame(&decision.product),
        time::local(decision.at),
        tame(&decision.decision),
        decision.seats_in_use,
        counted(total, "seat"),
        decision.queued,
    )
}

fn holders(holders: &[Holder]) -> Table {
    let mut table = Table::new(&["USER", "COMPUTER", ">SEATS", "SINCE", "UNTIL", "LEASE"]);
    for holder in holders {
        table.row([
            holder.user.clone(),
            holder.computer.clone(),
            holder.seats.to_string(),
            time::local(holder.granted_at),
            match (holder.kept, holder.ended_at) {
                (true, None) => "kept, not used".to_owned(),
                (true, Some(at)) => format!("{}, kept and not used", time::local(at)),
                (false, None) => "still held".to_owned(),
                (false, Some(at)) => time::local(at),
            },
            holder.lease.clone(),
        ]);
    }
    table
}
