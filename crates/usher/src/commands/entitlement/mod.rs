//! `usher entitlement`: the seats that the site owns.

mod add;
mod cells;
mod changed;
mod columns;
pub(crate) mod details;
mod edit;
mod gaps;
mod import;
mod licence;
pub(crate) mod list;
pub(crate) mod losses;
pub(crate) mod named;
mod notice;
mod overlap;
mod remove;
mod rows;
#[cfg(test)]
mod samples;
mod settle;
mod sheet;
mod spans;
mod sums;
mod totals;
pub(crate) mod validity;

use clap::Subcommand;
use clap::builder::RangedI64ValueParser;
use usher_api::rights::Right;
use usher_core::policy::{Range, Terms};

use crate::context::Context;
use crate::failure::{Failure, Needed};

/// What is owned: seats of products, with their dates
#[derive(Debug, Subcommand)]
pub(crate) enum Entitlement {
    Add(add::Add),
    List(list::List),
    Edit(edit::Edit),
    Remove(remove::Remove),
    Import(import::Import),
}

impl Entitlement {
    /// What it needs of a server.
    pub(crate) fn needs(&self) -> Needed {
        match self {
            Entitlement::List(_) => SEE,
            _ => Needed::of(&[Right::Own], "change what is owned"),
        }
    }
}

/// What looking at what is owned needs of a server.
pub(crate) const SEE: Needed = Needed::of(&[Right::SeeCounts], "see what is owned");

/// Reads how many seats are owned, or may be overdrawn.
pub(crate) fn seats_owned() -> RangedI64ValueParser<u32> {
    let Range { least, most, .. } = Terms::SEATS;
    RangedI64ValueParser::new().range(i64::from(least)..=i64::from(most))
}

pub(crate) fn run(args: Entitlement, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = context.client()?;
        match args {
            Entitlement::Add(args) => add::run(args, context, &client).await,
            Entitlement::List(args) => list::run(&args, context, &client).await,
            Entitlement::Edit(args) => edit::run(args, context, &client).await,
            Entitlement::Remove(args) => remove::run(&args, &client).await,
            Entitlement::Import(args) => import::run(&args, context, &client).await,
        }
    })
}
