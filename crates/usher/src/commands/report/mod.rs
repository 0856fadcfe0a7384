//! `usher report`: what a manager knows of the site, as tables, values or one page.

mod file;
mod listed;
mod times;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use usher_api::{GroupBy, Report as Made, ReportGrain, ReportName};
use usher_report::render;

use super::managed::ManagerAt;
use super::one_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::{Query, eprintln_quiet};
use crate::output::{print_bytes, shown_path};
use crate::waiting;

/// A manager gives one up after two minutes.
const WITHIN: Duration = Duration::from_secs(150);

/// Report use, peaks, refusals, holders, people, what is unused, owned or paid
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher report list
  usher report usage                                      the last 30 days
  usher report peaks --product gimp --from 'last month'
  usher report usage --group-by user --from 2026-11-01 --to 2026-11-30
  usher report heatmap --product gimp --output gimp.html  one page, to mail or print
  usher report unused --format csv > unused.csv
  usher report usage --grain day --output usage.parquet   typed columns, for programs
  usher report people --user anna
  usher report cost --group-by group --json

The manager makes it of what it has collected from its servers, of what was imported, and of what
the servers say now. It says as of which events of which servers it is, and what is not in it. Its
hash is the same for the same question as long as nothing came in since.

Days in figures are those of --time-zone, by default of the site's zone. What people call days, such
as yesterday, are this computer's if no zone is named.

--output writes the file whole or not at all, and for its owner alone: a report may name people.")]
pub(crate) struct Report {
    /// Which report
    #[arg(value_name = "NAME", value_parser = names())]
    what: What,
    /// Only this product
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Only this person (people, holders, gave-up)
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// What a row stands for (usage, cost; peaks and people by group)
    #[arg(long, value_name = "WHAT",
        value_parser = one_of::<GroupBy>(&["product", "user", "computer", "group"]))]
    group_by: Option<GroupBy>,
    /// Into which stretches the time is divided (usage, peaks, denials, waits) [default: what suits
    /// the time]
    #[arg(long, value_name = "GRAIN",
        value_parser = one_of::<ReportGrain>(&["hour", "day", "week", "month"]))]
    grain: Option<ReportGrain>,
    /// From that time on [default: 30 days before the end]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to the end of that time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The zone of its days, such as Europe/Berlin [default: the site's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// In which form [default: by the ending of --output, else a table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    manager: ManagerAt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The reports that there are.
    List,
    /// One of them.
    Report(ReportName),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables for people
    Table,
    /// Comma-separated values
    Csv,
    /// JSON with the field names of the API
    Json,
    /// One page with plots
    Html,
    /// A Parquet file with typed columns
    Parquet,
}

/// `list`, and the names of all reports as they are typed.
fn names() -> impl TypedValueParser<Value = What> {
    let reports = ReportName::ALL.into_iter().map(|name| {
        // The API's word is understood, too.
        PossibleValue::new(typed(name)).alias(name.word())
    });
    let values = reports.chain([PossibleValue::new("list")]);
    PossibleValuesParser::new(values).try_map(|word| match &*word {
        "list" => Ok(What::List),
        word => word.replace('-', "_").parse().map(What::Report),
    })
}

/// The name as it is typed.
fn typed(name: ReportName) -> &'static str {
    match name {
        ReportName::GaveUp => "gave-up",
        name => name.word(),
    }
}

pub(crate) fn run(args: &Report, context: &Context) -> Result<(), Failure> {
    let format = args.format(context)?;
    let name = match args.what {
        What::Report(name) => name,
        What::List => {
            args.must_be_plain()?;
            return args.deliver(listed::text(format)?.as_bytes());
        }
    };
    let path = args.path(name)?;
    let report: Made = context.block_on(async {
        let client = args.manager.client(context).await?.within(WITHIN);
        let work = client.get(&path);
        Ok(waiting::told(work, "makes the report", !context.json()).await?)
    })?;
    let width = match args.output {
        None => width(),
        Some(_) => usize::MAX,
    };
    args.deliver(&written(&report, format, width)?)?;
    if let Some(file) = &args.output
        && !context.json()
    {
        eprintln_quiet(&format!("{} is written.", shown_path(file)));
    }
    Ok(())
}

/// The report in that form. `width` is that of the terminal.
fn written(report: &Made, format: Format, width: usize) -> Result<Vec<u8>, Failure> {
    // A zone that this computer does not know is shown as UTC, which the times say.
    let zone = TimeZone::get(&report.time_zone).unwrap_or(TimeZone::UTC);
    let failed = |error: render::RenderError| Failure::failed(error.to_string());
    Ok(match format {
        Format::Table => render::table(report, &zone, width).into_bytes(),
        Format::Html => render::html(report, &zone).into_bytes(),
        Format::Csv => render::csv(report).map_err(failed)?.into_bytes(),
        Format::Json => json(report)?.into_bytes(),
        Format::Parquet => render::parquet(report).map_err(failed)?,
    })
}

/// How many characters a line may have: on a terminal as many as it shows.
fn width() -> usize {
    let size = match io::stdout().is_terminal() {
        true => terminal_size::terminal_size(),
        false => None,
    };
    size.map_or(usize::MAX, |(width, _)| width.0.into())
}

/// As a document for programs.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Failure::failed(format!("cannot write JSON: {error}")))
}

impl Report {
    /// In which form it is wanted.
    fn format(&self, context: &Context) -> Result<Format, Failure> {
        let format = match (self.format, context.json()) {
            (Some(format), true) if format != Format::Json => {
                return Err(Failure::usage("--json and --format name different forms")
                    .next("Leave one of them out."));
            }
            (Some(format), _) => format,
            (None, true) => Format::Json,
            (None, false) => self.by_ending(),
        };
        if format == Format::Parquet && self.output.is_none() && io::stdout().is_terminal() {
            return Err(
                Failure::usage("a Parquet file is nothing to read on a terminal")
                    .next("Name a file with --output."),
            );
        }
        Ok(format)
    }

    /// The form that the file's name ends with.
    fn by_ending(&self) -> Format {
        let ending = self.output.as_deref().and_then(|file| file.extension());
        match ending.and_then(|ending| ending.to_str()) {
            Some("html" | "htm") => Format::Html,
            Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            Some("parquet") => Format::Parquet,
            _ => Format::Table,
        }
    }

    /// What is asked of the manager.
    fn path(&self, name: ReportName) -> Result<String, Failure> {
        let zone = self.time_zone.as_deref();
        let from = times::begin(self.from.as_deref(), zone)?;
        let to = times::end(self.to.as_deref(), zone)?;
        let query = Query::new(&format!("/v1/reports/{}", name.word()))
            .with("product", self.product.as_deref())
            .with("user", self.user.as_deref())
            .with("group_by", self.group_by.map(group_word))
            .with("grain", self.grain.map(grain_word))
            .with("from", from)
            .with("to", to)
            .with("time_zone", zone);
        Ok(query.path().to_owned())
    }

    /// Refuses what has no effect on the list of reports.
    fn must_be_plain(&self) -> Result<(), Failure> {
        let given = [
            ("--product", self.product.is_some()),
            ("--user", self.user.is_some()),
            ("--group-by", self.group_by.is_some()),
            ("--grain", self.grain.is_some()),
            ("--from", self.from.is_some()),
            ("--to", self.to.is_some()),
            ("--time-zone", self.time_zone.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => Err(Failure::usage(format!(
                "{option} has no effect in `usher report list`"
            ))
            .next("Leave it out, or name a report.")),
        }
    }

    /// Prints it, or writes it to the file.
    fn deliver(&self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.output {
            None => print_bytes(bytes),
            Some(path) => file::write(path, bytes),
        }
    }
}

fn group_word(group: GroupBy) -> &'static str {
    match group {
        GroupBy::Product => "product",
        GroupBy::User => "user",
        GroupBy::Computer => "computer",
        GroupBy::Group => "group",
    }
}

fn grain_word(grain: ReportGrain) -> &'static str {
    match grain {
        ReportGrain::Hour => "hour",
        ReportGrain::Day => "day",
        ReportGrain::Week => "week",
        ReportGrain::Month => "month",
    }
}
