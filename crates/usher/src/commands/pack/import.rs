//! `usher pack import-ini`: takes over the pack schedule of an old installation.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use usher_api::client::Client;

use super::remodbc::{self, Did, Line};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Table, line, print, print_json, tame};

/// How much of a file is read: a Remodbc.ini has a few hundred bytes.
const FILE_LIMIT_BYTES: u64 = 1024 * 1024;

/// Take over the pack schedule of SMS 2.0, and say what each line became
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher pack import-ini Remodbc.ini --dry-run
  usher pack import-ini Remodbc.ini --time-zone America/New_York

Remodbc.ini is the settings file of SMS 2.0's metering server. PackTime and PackInterval of its
section [DS] become the schedule. For the keys of [Logging] the command says what Usher has in their
place. PackTime is an instant without a time zone: give that of the old server.")]
pub(crate) struct ImportIni {
    /// The Remodbc.ini of the old installation
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The time zone of the old server [default: that of the present schedule]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Only say what each line would become, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(
    args: &ImportIni,
    client: &Client,
    context: &Context,
) -> Result<(), Failure> {
    let text = read(&args.file)?;
    let zone_name = match &args.time_zone {
        Some(name) => name.clone(),
        None => client.get::<usher_api::Pack>("/v1/pack").await?.time_zone,
    };
    let zone = TimeZone::get(&zone_name).map_err(|_| {
        Failure::usage(format!("the time zone {zone_name} is not known here"))
            .next("Give one such as --time-zone Europe/Berlin, or install tzdata.")
    })?;
    let (schedule, lines) = remodbc::read(&text, &zone, &zone_name);
    let pack = match &schedule {
        Some(schedule) if !args.dry_run => {
            let put = client.put("/v1/pack/schedule", schedule).await?;
            Some::<usher_api::Pack>(put)
        }
        _ => None,
    };
    if context.json() {
        return print_json(&serde_json::json!({
            "schedule": schedule, "lines": lines, "pack": pack,
        }));
    }
    print(&table(&lines).text())?;
    match (pack, schedule) {
        (Some(pack), _) => print(&format!("\n{}", super::text(&pack))),
        (None, Some(_)) => line("\nNothing was changed."),
        (None, None) => line("\nNothing was changed: it does not say when to pack."),
    }
}

/// The file's text, whatever code page it was written in: everything that matters is ASCII.
fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    if bytes.len() as u64 > FILE_LIMIT_BYTES {
        return Err(Failure::usage(format!(
            "{} has more than {FILE_LIMIT_BYTES} bytes: that is no Remodbc.ini",
            path.display()
        )));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new(&[">LINE", "SAYS", "WAS", "WHY"]);
    for line in lines {
        let did = match line.did {
            Did::TakenOver => "taken over",
            Did::Mapped => "mapped",
            Did::NoEquivalent => "left out",
            Did::NotUnderstood => "not understood",
        };
        table.row([
            line.number.to_string(),
            tame(&line.text),
            did.to_owned(),
            line.why.clone(),
        ]);
    }
    table
}
