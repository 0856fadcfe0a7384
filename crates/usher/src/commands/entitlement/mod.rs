//! `usher entitlement`: what is owned.

mod changed;
pub(crate) mod details;
mod import;
mod overlap;
mod rows;
mod sheet;
mod sums;

use clap::{Args, Subcommand};
use usher_api::client::Client;
use usher_api::{Entitlement as Wire, EntitlementRequest, Metric, Page};

use self::details::Details;
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, fetch, must_exist, segment, show};
use crate::output::{Table, counted, line, print_json};
use crate::time;
use crate::time::Bound;

/// The metrics that this version can count.
const METRICS: [&str; 1] = ["concurrent"];

/// What is owned: seats of products, with their dates
#[derive(Debug, Subcommand)]
pub(crate) enum Entitlement {
    Add(Add),
    List(List),
    Edit(Edit),
    Remove(Remove),
    Import(import::Import),
}

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
    /// Seats owned
    #[arg(long, value_name = "N")]
    seats: u32,
    /// How use is counted
    #[arg(long, value_name = "METRIC", default_value = "concurrent",
        value_parser = super::one_of::<Metric>(&METRICS))]
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
    #[arg(long, value_name = "N", default_value_t = 0)]
    overdraft: u32,
    #[command(flatten)]
    details: Details,
}

/// List what is owned
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    #[command(flatten)]
    extent: Extent,
}

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
  usher entitlement edit E1 --note ''           nothing is said any more")]
pub(crate) struct Edit {
    /// Entitlement id
    #[arg(value_name = "ID")]
    id: String,
    /// Seats owned
    #[arg(long, value_name = "N")]
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
    #[arg(long, value_name = "N")]
    overdraft: Option<u32>,
    #[command(flatten)]
    details: Details,
}

/// Remove an entitlement; leases that are out stay until they end
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Entitlement id
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) fn run(args: Entitlement, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = context.client()?;
        match args {
            Entitlement::Add(args) => add(args, context, &client).await,
            Entitlement::List(args) => {
                let query = Query::new("/v1/entitlements").with("product", args.product.as_ref());
                let page: Page<Wire> = fetch(&client, &query, &args.extent).await?;
                if page.items.is_empty() {
                    must_exist(&client, args.product.as_deref()).await?;
                }
                let empty = match &args.product {
                    Some(_) => "Nothing is owned of it: `usher entitlement add PRODUCT --seats N`.",
                    None => "Nothing is owned yet: `usher entitlement add PRODUCT --seats N`.",
                };
                show(context, &page, empty, table)
            }
            Entitlement::Edit(args) => edit(args, context, &client).await,
            Entitlement::Remove(args) => {
                client.delete(&path(&args.id)?).await?;
                eprintln_quiet(&format!("Entitlement {} is removed.", args.id));
                Ok(())
            }
            Entitlement::Import(args) => import::run(&args, context, &client).await,
        }
    })
}

fn path(id: &str) -> Result<String, Failure> {
    Ok(format!("/v1/entitlements/{}", segment(id)?))
}

/// The ends of a validity as they were typed, read.
struct Validity {
    from: Option<String>,
    to: Option<String>,
    /// Of what days are; none if no day is said.
    time_zone: Option<String>,
}

impl Validity {
    /// Reads them; days are of `zone`, or of this computer's time zone.
    fn read(from: Option<&str>, to: Option<&str>, zone: Option<String>) -> Result<Self, String> {
        if from.is_none() && to.is_none() {
            return Ok(Validity {
                from: None,
                to: None,
                time_zone: zone,
            });
        }
        let now = time::now_in(zone.as_deref())?;
        let end = |text: Option<&str>, is_first| {
            text.map(|text| time::bound(text, is_first, &now))
                .transpose()
        };
        let (from, to) = (end(from, true)?, end(to, false)?);
        let is_day = |end: &Option<Bound>| matches!(end, Some(Bound::Day(_)));
        let time_zone = match zone {
            None if is_day(&from) || is_day(&to) => Some(zone_of_days()?),
            zone => zone,
        };
        Ok(Validity {
            from: from.map(Bound::text),
            to: to.map(Bound::text),
            time_zone,
        })
    }
}

/// The time zone that days are of where none is named.
fn zone_of_days() -> Result<String, String> {
    time::zone_here().ok_or_else(|| {
        "this computer's time zone has no name that a server knows; give --time-zone, such as \
         Europe/Berlin"
            .to_owned()
    })
}

async fn add(args: Add, context: &Context, client: &Client) -> Result<(), Failure> {
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
        made.id,
        counted(made.seats.into(), "seat"),
        made.product
    ))?;
    say_overlaps(client, &made).await
}

/// Says when others of the product count, too. It is done all the same where they cannot be read.
async fn say_overlaps(client: &Client, entitlement: &Wire) -> Result<(), Failure> {
    let told = overlap::told(client, entitlement).await.unwrap_or_default();
    told.into_iter().try_for_each(line)
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

async fn edit(args: Edit, context: &Context, client: &Client) -> Result<(), Failure> {
    if args.says_nothing() {
        return Err(
            Failure::usage(format!("it is not said what to change of {}", args.id))
                .next("`usher entitlement edit --help` lists what can be changed."),
        );
    }
    let dates_change = args.from.is_some() || args.to.is_some() || args.time_zone.is_some();
    let old: Wire = client.get(&path(&args.id)?).await?;
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
    args.details.apply(&mut request);
    let new: Wire = client.put(&path(&args.id)?, &request).await?;
    if context.json() {
        return print_json(&new);
    }
    line(changed::said(&old, &new, &here()))?;
    match dates_change {
        true => say_overlaps(client, &new).await,
        false => Ok(()),
    }
}

/// One end of a validity: the day as it was said, with its zone unless that is `here`, or the
/// instant here.
fn end(
    day: Option<&String>,
    zone: Option<&String>,
    at: Option<jiff::Timestamp>,
    here: &str,
) -> String {
    match (day, zone) {
        (Some(day), Some(zone)) if zone != here => format!("{day} ({zone})"),
        (Some(day), _) => day.clone(),
        (None, _) => time::local_or_dash(at),
    }
}

/// The time zone that is not named beside days.
fn here() -> String {
    time::zone_here().unwrap_or_default()
}

fn table(items: &[Wire]) -> Table {
    let here = here();
    let said = details::columns(items);
    let mut headings = vec![
        "ENTITLEMENT",
        "PRODUCT",
        "METRIC",
        ">SEATS",
        ">OVERDRAFT",
        ">IN USE",
        "FROM",
        "TO",
    ];
    headings.extend(said.iter().map(|column| column.heading));
    let mut table = Table::new(&headings);
    for item in items {
        let (from_day, to_day) = (item.from_day.as_ref(), item.to_day.as_ref());
        let zone = item.time_zone.as_ref();
        let cells = [
            item.id.clone(),
            item.product.clone(),
            metric(item.metric).to_owned(),
            item.seats.to_string(),
            item.overdraft.to_string(),
            item.in_use.to_string(),
            end(from_day, zone, item.from, &here),
            end(to_day, zone, item.to, &here),
        ];
        let said = said.iter().map(|column| (column.of)(item));
        table.row(
            cells
                .into_iter()
                .chain(said.map(|text| text.unwrap_or_else(|| "-".to_owned()))),
        );
    }
    table
}

fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Concurrent => "concurrent",
        Metric::NamedUser => "named-user",
        Metric::Device => "device",
        Metric::Core => "core",
        Metric::Token => "token",
    }
}
