//! `usher policy`: products and entitlements as files.

mod apply;
mod check;
mod convert;
mod diff;
mod export;
pub(super) mod files;
mod held;
mod losses;
mod plan;
mod shown;

use clap::Subcommand;
use usher_api::rights::Right;

use crate::commands::entitlement::SEE;
use crate::context::Context;
use crate::failure::{Failure, Needed, exit};

/// Products, rules and entitlements as files: checked, compared, applied, written out
#[derive(Debug, Subcommand)]
#[command(after_help = "\
A policy is one file in TOML, or several, or the files *.toml of a folder; - is standard input:
  policy = 1

  [[product]]
  id = \"cad\"
  programs = [\"path=/opt/cad/bin/*\"]

  [[entitlement]]
  name = \"cad-2026\"
  product = \"cad\"
  seats = 25
  to = 2026-12-31

Keys are those of the API; what is not said of a product is as it usually is. An entitlement is
known by its name, on the server too: one that nobody named has its id (E12) as its name. To rename
one, say was = \"OLD NAME\" beside the new name.")]
pub(crate) enum Policy {
    Check(check::Check),
    Diff(diff::Diff),
    Apply(apply::Apply),
    Export(export::Export),
}

impl Policy {
    /// Which rights it needs at a server; `None` if it asks no server.
    pub(crate) fn needs(&self) -> Option<Needed> {
        const APPLY: Needed = Needed::of(
            &[Right::ChangePolicy, Right::Own],
            "change products and what is owned",
        );
        match self {
            Policy::Check(_) => None,
            Policy::Diff(_) | Policy::Export(_) => Some(SEE),
            Policy::Apply(_) => Some(APPLY),
        }
    }
}

/// Runs the command; returns the exit code.
pub(crate) fn run(args: Policy, context: &Context) -> Result<u8, Failure> {
    match args {
        // It needs no server.
        Policy::Check(args) => check::run(&args, context),
        Policy::Diff(args) => context.block_on(diff::run(&args, context)),
        Policy::Apply(args) => {
            context.block_on(apply::run(&args, context))?;
            Ok(exit::DONE)
        }
        Policy::Export(args) => {
            context.block_on(export::run(&args, context))?;
            Ok(exit::DONE)
        }
    }
}
