//! `usher leases`: who holds which seats.

use clap::Args;
use usher_api::Lease;

use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Extent, Query, must_exist, show};
use crate::mine::{Through, lease_id, of_another};
use crate::output::Table;
use crate::time;

/// Show who holds which seats now
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher leases
  usher leases --product gimp
  usher leases --user anna --json | jq -r '.items[].id'

Without a token, on a computer with an agent, it shows the seats that you hold, on other computers
too, and how many are in use in all. UNTIL says of a seat that is kept for somebody's next start,
and not in use yet, for how long it is.

JOINED counts the commands that joined the lease on computers with an agent, such as the ranks of an
MPI job, since the server's start.")]
pub(crate) struct Leases {
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only on this computer
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    through: Through,
}

pub(crate) fn run(args: &Leases, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let asked = args.through.ask_briefly(context).await?;
        let query = Query::new("/v1/leases")
            .with("product", args.product.as_ref())
            .with("user", args.user.as_ref())
            .with("computer", args.computer.as_ref());
        let page = asked.list(&query, &args.extent, lease_id).await?;
        if page.items.is_empty() {
            must_exist(&asked.client, args.product.as_deref()).await?;
        }
        let is_narrowed = [&args.product, &args.user, &args.computer]
            .iter()
            .any(|it| it.is_some());
        let anothers = of_another(page.only.as_ref(), args.user.as_deref());
        let empty = match (&page.only, is_narrowed) {
            _ if anothers.is_some() => anothers.as_deref().unwrap_or_default(),
            (Some(_), false) => "You hold no seat.",
            (Some(_), true) => "No seat that you hold matches what was asked for.",
            (None, false) => "No seat is in use.",
            (None, true) => "No seat in use matches what was asked for.",
        };
        let is_own = page
            .only
            .as_ref()
            .is_some_and(|only| only.account.is_some());
        show(context, &page, empty, |leases| table_of(leases, is_own))?;
        asked
            .say_cut(page.only.as_ref(), args.product.as_deref())
            .await;
        Ok(())
    })
}

/// Leases as a table, for administrators.
pub(crate) fn table(leases: &[Lease]) -> Table {
    table_of(leases, false)
}

/// The same; `is_own`: the table is for their holder.
fn table_of(leases: &[Lease], is_own: bool) -> Table {
    let mut table = Table::new(&[
        "LEASE", "PRODUCT", "USER", "COMPUTER", ">SEATS", ">JOINED", "SINCE", "UNTIL",
    ]);
    for lease in leases {
        table.row([
            lease.id.clone(),
            lease.product.clone(),
            lease.user.clone(),
            lease.computer.clone(),
            lease.seats.to_string(),
            lease.joined.to_string(),
            time::local(lease.granted_at),
            until(lease, is_own),
        ]);
    }
    table
}

/// When a lease ends without renewal, or for how long it is kept for a start to come.
fn until(lease: &Lease, is_own: bool) -> String {
    match lease.kept_seconds {
        Some(left) if is_own => format!(
            "not in use: kept for your next start for {}",
            time::span(left.into())
        ),
        Some(left) => format!(
            "not in use: kept for {} for {}",
            lease.user,
            time::span(left.into())
        ),
        None => time::local(lease.expires_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_seat_is_told_from_one_in_use_to_its_holder_and_to_others() {
        let mut lease: Lease = serde_json::from_value(serde_json::json!({
            "id": "L1", "product": "cad", "user": "ben", "computer": "pc", "seats": 1,
            "granted_at": "2026-03-01T09:00:00Z", "expires_at": "2026-03-01T09:05:00Z",
            "ttl_seconds": 300, "kept_seconds": 299,
        }))
        .unwrap();
        assert_eq!(
            [until(&lease, true), until(&lease, false)],
            [
                "not in use: kept for your next start for 4 min 59 s",
                "not in use: kept for ben for 4 min 59 s"
            ]
        );
        lease.kept_seconds = None;
        assert_eq!(until(&lease, false), time::local(lease.expires_at));
    }
}
