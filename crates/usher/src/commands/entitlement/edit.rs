//! `usher entitlement edit`: changes an entitlement.

use clap::Args;
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Entitlement as Wire, EntitlementRequest};

use super::add::{say_dates, without_seats};
use super::details::Details;
use super::named::{find, path};
use super::sums::{is_valid, usable};
use super::validity::{Validity, here};
use super::{changed, losses, notice};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json};

/// Change an entitlement; what is not named stays as it is
///
/// Fewer seats than are in use throw nobody out: nobody new gets in until it fits.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher entitlement edit E1 --seats 12
  usher entitlement edit E1 --to 2027-12-31
  usher entitlement edit E1 --to ''             for ever
  usher entitlement edit E1 --name cad-2026 --price '12000 EUR/year'
  usher entitlement edit cad-2026 --to today    ends with this day
  usher entitlement edit E1 --note ''           nothing is said any more")]
pub(crate) struct Edit {
    /// Its name, or its id
    #[arg(value_name = "NAME")]
    id: String,
    /// Seats owned; with 0 it is kept, and nobody may use a seat of it
    #[arg(long, value_name = "N", value_parser = super::seats_owned())]
    seats: Option<u32>,
    /// First day (or RFC 3339 instant) of validity; empty: always was
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day (or the RFC 3339 instant at which it ends); empty: for ever
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// The time zone in which days are meant, such as Europe/Berlin [default: as before]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Seats beyond those owned that may be in use
    #[arg(long, value_name = "N", value_parser = super::seats_owned())]
    overdraft: Option<u32>,
    #[command(flatten)]
    details: Details,
}

impl Edit {
    fn says_nothing(&self) -> bool {
        let texts = [&self.from, &self.to, &self.time_zone];
        let numbers = [&self.seats, &self.overdraft];
        texts.iter().all(|it| it.is_none())
            && numbers.iter().all(|it| it.is_none())
            && self.details == Details::default()
    }
}

pub(super) async fn run(args: Edit, context: &Context, client: &Client) -> Result<(), Failure> {
    if args.says_nothing() {
        return Err(
            Failure::usage(format!("it is not said what to change of {}", args.id))
                .next("`usher entitlement edit --help` lists what can be changed."),
        );
    }
    let dates_change = args.from.is_some() || args.to.is_some() || args.time_zone.is_some();
    let old: Wire = find(client, &args.id).await?;
    let zone = args.time_zone.or_else(|| old.time_zone.clone());
    let new = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let typed = Validity::read(new(&args.from).as_deref(), new(&args.to).as_deref(), zone);
    let typed = typed.map_err(Failure::usage)?;
    let date = |is_typed, new: Option<String>, day: Option<String>, at: Option<jiff::Timestamp>| {
        match is_typed {
            true => new,
            false => day.or_else(|| at.map(|time| time.to_string())),
        }
    };
    let mut request = EntitlementRequest {
        product: old.product.clone(),
        metric: old.metric,
        seats: args.seats.unwrap_or(old.seats),
        overdraft: args.overdraft.unwrap_or(old.overdraft),
        from: date(
            args.from.is_some(),
            typed.from,
            old.from_day.clone(),
            old.from,
        ),
        to: date(args.to.is_some(), typed.to, old.to_day.clone(), old.to),
        time_zone: typed.time_zone,
        ..EntitlementRequest::default()
    };
    let notice_changes = dates_change || args.details.has_notice();
    args.details.apply(&mut request);
    let new: Wire = client.put(&path(&old)?, &request).await?;
    if context.json() {
        return print_json(&new);
    }
    line(changed::said(&old, &new, &here()))?;
    let now = Timestamp::now();
    if grants(&old, now) && !grants(&new, now) {
        let used = (new.in_use > 0).then(|| losses::still_used(new.in_use));
        let waited = losses::waited_for(client, &new.product).await;
        for lost in used.into_iter().chain(waited) {
            line(format!("{lost}."))?;
        }
    }
    if old.seats != new.seats || old.overdraft != new.overdraft {
        without_seats(&new).map_or(Ok(()), line)?;
    }
    if dates_change {
        say_dates(client, &new).await?;
    }
    let told = notice_changes.then(|| notice::told(&new, now));
    told.flatten().map_or(Ok(()), line)
}

/// Whether a seat of it may be used now.
fn grants(it: &Wire, now: Timestamp) -> bool {
    is_valid(it, now) && usable(it) > 0
}
