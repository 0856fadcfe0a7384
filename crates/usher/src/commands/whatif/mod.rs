//! `usher whatif`: what other numbers of seats would have come to.

mod counts;
mod policy;
mod shown;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use usher_api::{OnFull, WhatIf, WhatIfRequest};
use usher_core::replay::ServiceLevel;

use self::counts::{Counts, counts};
use super::managed::ManagerAt;
use super::one_of;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{print_json, tame};
use crate::time::{self, Period};
use crate::waiting;

/// A manager gives one up after ten minutes.
const WITHIN: Duration = Duration::from_secs(630);

/// Decide again, with other numbers of seats, what was asked for in the past
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher whatif gimp --seats 1..8
  usher whatif gimp --seats 1..8 --service-level '95% within 5m'
  usher whatif gimp --seats 2,4,8 --on-full wait --from 'last month'
  usher whatif gimp --seats 10..200/10 --json

What the manager has collected from its servers is decided again by the rules of a server, ask by
ask. How long somebody who was refused would have held a seat is not known: it is drawn 20 times,
from the uses of the same person or from everybody's. Figures are then the median of all draws, and
RANGE is from the most favourable of them to the least.

It ends with 1 if too much is missing to decide by: more than 20 % of the asks got no seat, or
nothing was recorded for more than 5 % of the time.")]
pub(crate) struct Whatif {
    /// Product id
    #[arg(value_name = "PRODUCT")]
    product: String,
    /// The numbers of seats to try, at most 100: 5..12, 2,4,6 or 100..500/20 (each twentieth)
    #[arg(long, value_name = "SEATS", value_parser = counts)]
    seats: Counts,
    /// What somebody does who asks while no seat is free: what they did then, be refused, or wait
    #[arg(long, value_name = "WHAT", default_value = "as-recorded",
        value_parser = one_of::<OnFull>(&["as-recorded", "deny", "wait"]))]
    on_full: OnFull,
    /// Files, or a folder, of `usher policy`: their overdraft and limit of the queue hold, too
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// From that time on [default: 90 days before the end, or when the record begins]
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    from: Option<Timestamp>,
    /// Up to the end of that time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time::up_to)]
    to: Option<Timestamp>,
    /// Which share of the asks is to have a seat within which time, as in "95% within 5m"
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    service_level: Option<ServiceLevel>,
    /// From which number what is not known is drawn: the same gives the same answer
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    manager: ManagerAt,
}

fn level(text: &str) -> Result<ServiceLevel, String> {
    text.parse::<ServiceLevel>()
        .map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Whatif, context: &Context) -> Result<(), Failure> {
    let request = args.request()?;
    context.block_on(async {
        let client = args.manager.client(context).await?.within(WITHIN);
        let work = client.post("/v1/whatif", &request);
        let answer: WhatIf = waiting::told(work, "decides again", !context.json()).await?;
        match context.json() {
            true => print_json(&answer)?,
            false => shown::print(&answer)?,
        }
        match &answer.why {
            _ if answer.fit => Ok(()),
            // It is in what was printed.
            _ if context.json() => Err(Failure::Quiet(exit::FAILED)),
            why => Err(unfit(&answer.product, why.as_deref().unwrap_or_default())),
        }
    })
}

impl Whatif {
    fn request(&self) -> Result<WhatIfRequest, Failure> {
        let (from, to) = Period::ends(self.from, self.to, None).map_err(|_| {
            Failure::usage("--from is not before --to: there is no time between them")
        })?;
        Ok(WhatIfRequest {
            product: self.product.clone(),
            seats: self.seats.0.clone(),
            from: from.map(|from| from.to_string()),
            to: to.map(|to| to.to_string()),
            policy: policy::of(&self.policy, &self.product)?,
            on_full: self.on_full,
            service_level: self.service_level.map(|level| level.to_string()),
            seed: Some(self.seed),
        })
    }
}

fn unfit(product: &str, why: &str) -> Failure {
    Failure::failed(format!(
        "what was recorded of {} is not fit to decide by: {}",
        tame(product),
        tame(why)
    ))
    .next(
        "The figures are what it says all the same. --from and --to choose a time of which more is \
         recorded.",
    )
}
