//! `usher import`: what other licence servers know, into a manager's site.
//!
//! The files are read here, with the rights of who imports; the manager is sent rows, and opens no path
//! that it is given.

mod answer;
pub(super) mod files;
mod listed;
mod progress;
mod sent;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use usher_imports::{Kind, ProductMap};

use self::files::Given;
use super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{print_json, tame};

/// Take in what other licence servers know: what is owned there, and who used it
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "usher import [OPTIONS] KIND FILE...\n       usher import list|remove",
    after_help = "\
Examples:
  usher import flexnet-licence license.dat --source lic1
  usher import flexnet-log debug.log.1 debug.log --licence license.dat --source lic1
  usher import flexnet-log debug.log --licence license.dat --dry-run     asks no manager
  lmutil lmstat -a -c 27000@lic1 | usher import lmstat - --source lic1
  usher import sessions-csv uses.csv --json
  usher import list
  usher import remove i-0eb292ce4887503d

The same file again, or one that has grown, adds only what is new. Lines that are not understood
are counted and shown by their shape, with names replaced; the rest is taken in. Logs are given in
their order, the oldest first. What is taken in counts as counted elsewhere, and takes no seat here.

A feature is the product DAEMON:FEATURE. --map FILE names others: a table with the first line
feature,product and rows such as MLM:Simulink,simulink.

Exit code 1 says that nothing in the files was understood; then nothing is taken in."
)]
pub(crate) struct Import {
    #[command(subcommand)]
    command: Option<Known>,
    /// What kind of file it is
    #[arg(value_name = "KIND", required = true, value_parser = kinds())]
    kind: Option<Kind>,
    /// The files; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A FlexNet licence file, which says what shares a seat; may be given again (flexnet-log,
    /// flexnet-options)
    #[arg(long, value_name = "FILE")]
    licence: Vec<PathBuf>,
    /// The daemon's options file, which says what the log leaves out (flexnet-log)
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// Which products features are
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Whose files they are; one name for each licence server [default: KIND]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The time zone of the files, such as Europe/Berlin [default: what they say, else this computer's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The day of the first line of a log that says no date (flexnet-log)
    #[arg(long, value_name = "DATE")]
    first_day: Option<Date>,
    /// In dates such as 3/4/2026 the day comes first (configmgr)
    #[arg(long)]
    day_first: bool,
    /// Read the files and show what they say; nothing is taken in
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    manager: ManagerAt,
}

/// What was taken in.
#[derive(Debug, Subcommand)]
enum Known {
    List(listed::List),
    Remove(listed::Remove),
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.map(Kind::word))
        .try_map(|word| Kind::of_word(&word).ok_or("there is no such kind"))
}

pub(crate) fn run(args: Import, context: &Context) -> Result<(), Failure> {
    match args.command {
        Some(Known::List(list)) => listed::list(&list, context),
        Some(Known::Remove(remove)) => listed::remove(&remove, context),
        None => take_in(args, context),
    }
}

fn take_in(args: Import, context: &Context) -> Result<(), Failure> {
    // The parser requires both if there is no subcommand.
    let Some(kind) = args.kind else {
        return Err(Failure::usage("the kind of the files is missing"));
    };
    refuse_without_effect(kind, &args)?;
    let source = args.source.as_deref().unwrap_or(kind.word()).to_owned();
    check_source(&source)?;
    let (manager, time_zone) = (args.manager, args.time_zone);
    let given = Given {
        kind,
        files: args.files,
        licences: args.licence,
        options: args.options,
        map: match &args.map {
            Some(path) => files::map(path)?,
            None => ProductMap::default(),
        },
        zone: time_zone.as_deref().map(files::zone).transpose()?,
        first_day: args.first_day,
        day_first: args.day_first,
    };
    let prepared = given.prepared()?;
    let outcome = context.block_on(async {
        match args.dry_run {
            true => sent::dry(prepared).await,
            false => {
                let client = manager.client(context).await?;
                sent::send(prepared, source, time_zone, &client).await
            }
        }
    })?;
    match context.json() {
        true => print_json(&outcome.answer)?,
        false => answer::print(&outcome.answer)?,
    }
    match outcome.nothing {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

/// Refuses what is no name of a source.
pub(super) fn check_source(source: &str) -> Result<(), Failure> {
    let limit = usher_api::NAME_LIMIT_BYTES;
    let is_seen = !source.is_empty() && source.trim() == source;
    if !is_seen || source.len() > limit || source.chars().any(usher_api::is_unseen) {
        return Err(Failure::usage(format!(
            "--source {:?} is no name: give 1 to {limit} bytes that can be seen, without blanks around",
            tame(source)
        )));
    }
    Ok(())
}

/// Refuses options that the kind has no use for: who typed them means something by it.
fn refuse_without_effect(kind: Kind, args: &Import) -> Result<(), Failure> {
    let by_licence = matches!(kind, Kind::FlexnetLog | Kind::FlexnetOptions);
    let given = [
        ("--licence", !args.licence.is_empty(), by_licence),
        (
            "--options",
            args.options.is_some(),
            kind == Kind::FlexnetLog,
        ),
        (
            "--first-day",
            args.first_day.is_some(),
            kind == Kind::FlexnetLog,
        ),
        ("--day-first", args.day_first, kind == Kind::Configmgr),
    ];
    let idle = given
        .into_iter()
        .find(|(_, is_given, has_effect)| *is_given && !has_effect);
    match idle {
        None => Ok(()),
        Some(("--licence", ..)) if kind == Kind::FlexnetLicence => Err(Failure::usage(
            "--licence has no effect with flexnet-licence",
        )
        .next("Give all licence files of a server as FILE.")),
        Some((option, ..)) => {
            Err(Failure::usage(format!("{option} has no effect with {kind}")).next("Leave it out."))
        }
    }
}
