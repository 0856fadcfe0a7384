//! `usher policy diff`: what files and a server differ in.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::files::{self, Unread};
use super::held::Held;
use super::losses;
use super::plan::Plan;
use super::shown::{self, Report};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::print_json;

/// Say what an apply would add, change and remove, and what that means for seats by date
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 nothing differs, 1 something does, 2 the files make no policy, or one that an apply
would refuse.

Examples:
  usher policy diff policy.toml
  usher policy diff policy/ --prune     also what only the server has")]
pub(crate) struct Diff {
    /// Files, or folders with files *.toml; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Count what only the server has as to be removed
    #[arg(long)]
    prune: bool,
}

/// Does it; returns the exit code.
pub(super) async fn run(args: &Diff, context: &Context) -> Result<u8, Failure> {
    let read = files::policy(&args.files).map_err(Unread::failure)?;
    let client = context.client()?;
    let held = Held::of(&client).await?;
    let plan = Plan::of(&held, &read, args.prune, Timestamp::now());
    let losses = losses::of(&client, &held, &plan).await;
    match context.json() {
        true => print_json(&Report::of(&plan, losses))?,
        false => shown::plan(&plan, &losses)?,
    }
    if let Some(refusal) = plan.refusal("this could not be applied") {
        return Err(refusal);
    }
    Ok(match plan.difference.is_empty() {
        true => exit::DONE,
        false => exit::FAILED,
    })
}
