//! `usher product add`: a product, and seats of it at once.

use clap::Args;
use usher_api::client::Client;
use usher_api::{Entitlement, EntitlementRequest, Metric, Mode, ProductView};

use super::traits::Traits;
use super::{Enforcing, danger, plain, rehearsal};
use crate::commands::entitlement::seats_owned;
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::eprintln_quiet;
use crate::output::{counted, line, print_json};
use crate::run::door::ToldAgent;

/// Add a product
#[derive(Debug, Args)]
#[command(after_help = "\
A RULE is name=GLOB (file name), path=GLOB (whole path), package=NAME, sha256=HEX,
original-name=NAME or publisher=NAME, each with an optional ,version=RANGE. Without a key it is a
path if it contains a /, else a file name. ,role=helper marks programs that are recorded but
neither take nor keep a seat.

Examples:
  usher product add gimp --name GIMP --program gimp-2.10 --seats 10
  usher product add cad --program 'path=/opt/cad/bin/*' --program 'name=cad-helper,role=helper'
  usher product learn cad -- /opt/cad/start     finds the rules for you")]
pub(crate) struct Add {
    /// Product id: short, without spaces and /
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    traits: Traits,
    /// Add a concurrent entitlement of so many seats at once
    #[arg(long, value_name = "N", value_parser = seats_owned())]
    seats: Option<u32>,
    #[command(flatten)]
    enforcing: Enforcing,
    #[command(flatten)]
    told: ToldAgent,
}

impl Add {
    /// Whether it only looks.
    pub(super) fn is_dry_run(&self) -> bool {
        self.enforcing.dry_run
    }

    /// Adds a product of these programs, with the defaults for the rest.
    pub(super) fn of_programs(id: String, programs: Vec<String>, seats: Option<u32>) -> Self {
        let traits = Traits {
            program: programs,
            ..Traits::default()
        };
        Add {
            id,
            traits,
            seats,
            enforcing: Enforcing::default(),
            told: ToldAgent::default(),
        }
    }
}

/// Adds a product, and its seats; `quiet` says so on stderr only.
pub(super) async fn run(
    args: Add,
    context: &Context,
    client: &Client,
    quiet: bool,
) -> Result<(), Failure> {
    let mut product = plain(&args.id)?;
    args.traits.apply(&mut product);
    let Enforcing { force, dry_run } = args.enforcing;
    danger::check(None, &product, force)?;
    if dry_run || product.mode == Mode::Enforce {
        let seats = rehearsal::Seats {
            owned: args.seats.unwrap_or(0).into(),
            tried: None,
            since: None,
        };
        rehearsal::tell(client, &product, seats, dry_run, context).await?;
    }
    if dry_run {
        return Ok(());
    }
    product.force = force && product.mode == Mode::Enforce;
    let mut view: ProductView = client
        .post_keyed("/v1/products", &host::request_key(), &product)
        .await?;
    if let Some(seats) = args.seats {
        let request = EntitlementRequest {
            product: args.id.clone(),
            metric: Metric::Concurrent,
            seats,
            ..EntitlementRequest::default()
        };
        let made = client
            .post_keyed::<_, Entitlement>("/v1/entitlements", &host::request_key(), &request)
            .await;
        if let Err(error) = made {
            return Err(Failure::from(error)
                .next(format!("The product is added, its seats are not: `usher entitlement add {} --seats {seats}` adds them.", args.id)));
        }
        view.seats = seats.into();
    }
    args.told.products_changed(context).await;
    if context.json() && !quiet {
        return print_json(&view);
    }
    let said = format!("Product {} is added, with {}.", args.id, seats(view.seats));
    if quiet {
        eprintln_quiet(&said);
        return Ok(());
    }
    line(said)
}

fn seats(seats: u64) -> String {
    match seats {
        0 => "no seats yet".to_owned(),
        some => counted(some, "seat"),
    }
}
