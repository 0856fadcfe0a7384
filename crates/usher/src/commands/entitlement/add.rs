//! `usher entitlement add`: adds seats that the site owns.

use clap::Args;
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Entitlement as Wire, EntitlementRequest, Metric};

use super::details::Details;
use super::named::{called, word};
use super::sums::usable;
use super::validity::Validity;
use super::{notice, overlap};
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::output::{counted, line, print_json};

/// The metrics that this version can count.
const METRICS: [&str; 1] = ["concurrent"];

/// Add seats of a product
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher entitlement add gimp --seats 10
  usher entitlement add cad --seats 25 --from 2026-01-01 --to 2026-12-31 --overdraft 2
  usher entitlement add cad --seats 5 --from tomorrow --to 'in 30 days'
  usher entitlement add cad --seats 5 --name cad-lab --price '1200 EUR/year' --cost-centre 4200

Days are those of this computer's time zone, or of --time-zone, and stay days: a list shows them as
they were given, with their zone if it is another than the reader's. DATE may also be said in words:
today, tomorrow, friday, 'next month' (from its first day, to its last), 'in 2 weeks'.")]
pub(crate) struct Add {
    /// Product id
    #[arg(value_name = "PRODUCT")]
    product: String,
    /// Seats owned; with 0 it is kept, and nobody may use a seat of it
    #[arg(long, value_name = "N", value_parser = super::seats_owned())]
    seats: u32,
    /// How use is counted
    #[arg(long, value_name = "METRIC", default_value = "concurrent",
        value_parser = crate::commands::one_of::<Metric>(&METRICS))]
    metric: Metric,
    /// First day (or RFC 3339 instant) of validity
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day (or the RFC 3339 instant at which it ends)
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// The time zone in which days are meant, such as Europe/Berlin [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Seats beyond those owned that may be in use
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::seats_owned())]
    overdraft: u32,
    #[command(flatten)]
    details: Details,
}

pub(super) async fn run(args: Add, context: &Context, client: &Client) -> Result<(), Failure> {
    let (from, to) = (args.from.as_deref(), args.to.as_deref());
    let valid = Validity::read(from, to, args.time_zone).map_err(Failure::usage)?;
    let mut request = EntitlementRequest {
        product: args.product,
        metric: args.metric,
        seats: args.seats,
        overdraft: args.overdraft,
        from: valid.from,
        to: valid.to,
        time_zone: valid.time_zone,
        ..EntitlementRequest::default()
    };
    args.details.apply(&mut request);
    let made: Wire = client
        .post_keyed("/v1/entitlements", &host::request_key(), &request)
        .await?;
    if context.json() {
        return print_json(&made);
    }
    line(format!(
        "Entitlement {} is added: {} of {}.",
        called(&made),
        counted(made.seats.into(), "seat"),
        made.product
    ))?;
    without_seats(&made).map_or(Ok(()), line)?;
    say_dates(client, &made).await?;
    notice::told(&made, Timestamp::now()).map_or(Ok(()), line)
}

/// Warns that nobody may use an entitlement without seats.
pub(super) fn without_seats(it: &Wire) -> Option<String> {
    (usable(it) == 0).then(|| {
        format!(
            "It has no seat that may be used, until `usher entitlement edit {} --seats N` gives it \
             some.",
            word(it)
        )
    })
}

/// Says when other entitlements of the product are valid at the same time, and when none is. If
/// they cannot be read, the entitlement is added all the same.
pub(super) async fn say_dates(client: &Client, entitlement: &Wire) -> Result<(), Failure> {
    let told = overlap::told(client, entitlement).await.unwrap_or_default();
    told.into_iter().try_for_each(line)
}
