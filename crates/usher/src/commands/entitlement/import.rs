//! `usher entitlement import`: adds entitlements from a CSV file.
//!
//! It adds seats, and says to which; it never replaces a count (KB Q226842). The whole file is
//! checked before anything is written. Rows that exist already, as after a second import of the
//! same file, stop the import unless an option says what to do with them.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Entitlement, Product, ProductView};

use super::cells::{Row, Zone};
use super::columns::COLUMNS;
use super::list;
use super::named::called;
use super::overlap;
use super::rows::{Fault, Parsed, as_owned, parse};
use super::settle::{Duplicates, Settled, settle};
use super::sums::{changes, table};
use super::validity::here;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::host;
use crate::listing::{Query, eprintln_quiet};
use crate::output::{counted, line, print_json, tame};
use crate::owned;
use crate::sending::sent;

/// How many faults are shown; the rest are counted.
const FAULTS_TOLD: usize = 50;
/// How many rows are shown; the rest are counted.
const ROWS_SHOWN: usize = 20;

/// Add what a CSV file says is owned
#[derive(Debug, Args)]
#[command(after_help = "\
The first line names the columns, in any order: product and seats, and if wanted metric, from, to,
time_zone, overdraft, name, price, currency, per, contract, cost_centre, notice_days, note. Blanks,
_, - and capitals make no difference; id and in_use, which a list writes, are passed over.
A price is one column (12000 EUR/year), or three: an amount, a currency (EUR) and per (year, month,
once). 12000,50 and 12.000,50 are read, with the sign of the currency, too, as spreadsheets show it;
12.000 is not read, as it may be twelve thousand or twelve.
Columns are set apart by commas, semicolons or tabs, as spreadsheets save them. Dates are days
(2026-12-31, 31.12.2026), of this computer's time zone or of --time-zone, or RFC 3339 instants. Each
row is added to what is owned; nothing is replaced. All that is wrong in the file is told at once,
and then nothing is written.

Examples:
  usher entitlement import owned.csv --dry-run
  usher entitlement import owned.csv
  printf 'product,seats,to\\ncad,25,2026-12-31\\n' | usher entitlement import -")]
pub(crate) struct Import {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check the file and show what would be added
    #[arg(long)]
    dry_run: bool,
    /// What to do with rows that are owned already
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Duplicates::Refuse)]
    duplicates: Duplicates,
    /// Pass over a column of the file that is none of those; may be given again
    #[arg(long, value_name = "NAME")]
    ignore_column: Vec<String>,
    /// The time zone in which days are meant, such as Europe/Berlin [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

pub(super) async fn run(args: &Import, context: &Context, client: &Client) -> Result<(), Failure> {
    let parsed = read(args)?;
    let there = match there(client).await {
        Ok(there) => there,
        // What is wrong in the file is known all the same.
        Err(_) if !parsed.faults.is_empty() => There::default(),
        Err(failure) => return Err(failure),
    };
    let Parsed { rows, mut faults } = parsed;
    let is_known = faults.is_empty() || !there.products.is_empty();
    let settled = match is_known {
        true => settle(rows, &there.owned, &there.products, args.duplicates),
        false => Settled::default(),
    };
    faults.extend(settled.faults);
    if !faults.is_empty() || !settled.again.is_empty() {
        let again = Again {
            rows: settled.again,
            has_name: settled.is_again_by_name,
        };
        return Err(refused(args, faults, again));
    }
    for it in &settled.differing {
        eprintln_quiet(&format!("usher: left out: {}", placed(args, it)));
    }
    let added = match args.dry_run {
        true => as_owned(&settled.new),
        false => write(args, client, &settled.new).await?,
    };
    let left_out = settled.left_out + settled.differing.len();
    told(args, context, &added, left_out, &there.owned)
}

/// The products and entitlements of a server.
#[derive(Default)]
struct There {
    products: Vec<Product>,
    owned: Vec<Entitlement>,
}

async fn there(client: &Client) -> Result<There, Failure> {
    let products = owned::all::<ProductView>(client, &Query::new("/v1/products")).await?;
    Ok(There {
        products: products.into_iter().map(|view| view.product).collect(),
        owned: owned::all(client, &Query::new("/v1/entitlements")).await?,
    })
}

/// The file as messages name it.
fn called_file(args: &Import) -> String {
    match args.file.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => tame(&args.file.display().to_string()),
    }
}

fn read(args: &Import) -> Result<Parsed, Failure> {
    let source: Box<dyn std::io::Read> = match args.file.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(&args.file).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", called_file(args)))
        })?),
    };
    let zone = Zone::of(args.time_zone.as_deref()).map_err(Failure::usage)?;
    Ok(parse(source, &zone, &args.ignore_column))
}

/// A fault with its place.
fn placed(args: &Import, Fault { line, what }: &Fault) -> String {
    let file = called_file(args);
    match line {
        Some(line) => format!("{file}:{line}: {what}"),
        None => format!("{file}: {what}"),
    }
}

/// Rows that exist already.
struct Again {
    rows: Vec<Fault>,
    /// Whether one of them has the name of an existing entitlement.
    has_name: bool,
}

impl Again {
    /// What the user can do about them.
    fn step(&self) -> &'static str {
        match self.has_name {
            true => "--duplicates skip leaves out the rows that are there already.",
            false => {
                "--duplicates skip leaves out the rows that are there already, --duplicates add \
                 adds them once more."
            }
        }
    }
}

/// All that prevents an import.
fn refused(args: &Import, mut faults: Vec<Fault>, again: Again) -> Failure {
    let code = match faults.is_empty() {
        true => exit::FAILED,
        false => exit::USAGE,
    };
    let has = |part: &str| faults.iter().any(|fault| fault.what.contains(part));
    let mut steps = Vec::new();
    if has("there is no column") || has("is missing: the first line") {
        steps.push(format!("The columns are {}.", COLUMNS.join(", ")));
    }
    if has("there is no product") {
        let step = "`usher product list` shows the ids, and `usher product add ID` adds one.";
        steps.push(step.to_owned());
    }
    // What else is wrong is to be corrected first.
    if faults.is_empty() {
        steps.push(again.step().to_owned());
    }
    faults.extend(again.rows);
    faults.sort_by_key(|fault| fault.line);
    let mut lines = vec![format!(
        "{} cannot be imported as it is, and nothing was written:",
        called_file(args)
    )];
    let told = faults.iter().take(FAULTS_TOLD);
    lines.extend(told.map(|fault| format!("  {}", tame(&placed(args, fault)))));
    let more = faults.len().saturating_sub(FAULTS_TOLD);
    if more > 0 {
        lines.push(format!("  and {} more", counted(more as u64, "fault")));
    }
    let failure = Failure::new(code, lines.join("\n"));
    match steps.is_empty() {
        true => failure,
        false => failure.next(steps.join("\n  ")),
    }
}

/// Adds the rows, each by one request.
async fn write(args: &Import, client: &Client, rows: &[Row]) -> Result<Vec<Entitlement>, Failure> {
    let mut made: Vec<Entitlement> = Vec::with_capacity(rows.len());
    for row in rows {
        let key = host::request_key();
        let post = || client.post_keyed("/v1/entitlements", &key, &row.request);
        match sent(post).await {
            Ok(entitlement) => made.push(entitlement),
            Err(error) => {
                let failure = Failure::from(error);
                let fault = Fault {
                    line: Some(row.line),
                    what: failure.reason(),
                };
                let before = match made.is_empty() {
                    true => "Nothing was imported before it.".to_owned(),
                    false => format!(
                        "Imported before it: {}. The same with --duplicates skip goes on from \
                         there.",
                        names(&made)
                    ),
                };
                return Err(Failure::new(failure.code(), placed(args, &fault)).next(before));
            }
        }
    }
    Ok(made)
}

/// `2 entitlements, cad-2026 (E12) and E13`.
fn names(some: &[Entitlement]) -> String {
    let all = counted(some.len() as u64, "entitlement");
    let mut named: Vec<String> = some.iter().take(ROWS_SHOWN).map(called).collect();
    let more = some.len().saturating_sub(ROWS_SHOWN);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let last = named.pop().unwrap_or_default();
    match named.is_empty() {
        true => format!("{all}, {last}"),
        false => format!("{all}, {} and {last}", named.join(", ")),
    }
}

/// Says what was added, or would be added.
fn told(
    args: &Import,
    context: &Context,
    added: &[Entitlement],
    left_out: usize,
    owned: &[Entitlement],
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let changes = changes(added, owned, now, &here());
    if context.json() {
        let ids: Vec<&str> = match args.dry_run {
            true => Vec::new(),
            false => added.iter().map(|it| &*it.id).collect(),
        };
        return print_json(&serde_json::json!({
            "dry_run": args.dry_run,
            "products": changes,
            "added": ids,
            "left_out": left_out,
        }));
    }
    if left_out > 0 {
        let rows = counted(left_out as u64, "row");
        eprintln_quiet(&format!("{rows} left out, as they are there already."));
    }
    if added.is_empty() {
        eprintln_quiet("There is nothing to add.");
        return Ok(());
    }
    list::table(&added[..added.len().min(ROWS_SHOWN)]).print()?;
    let more = added.len().saturating_sub(ROWS_SHOWN);
    if more > 0 {
        line(format!("and {}", counted(more as u64, "more row")))?;
    }
    line("")?;
    table(&changes).print()?;
    let told = overlaps(added, owned, now, &here());
    if told.has_renewal {
        line("AT MOST leaves out the days on which a renewal and what it renews both count.")?;
    }
    told.sentences.into_iter().try_for_each(line)?;
    match args.dry_run {
        true => eprintln_quiet("Nothing was written, as --dry-run was given."),
        false => line(format!("Added: {}.", names(added)))?,
    }
    Ok(())
}

/// How many sentences are shown about rows that are valid together with others, and about rows that
/// have expired; the rest are counted.
const OVERLAPS_TOLD: usize = 10;

/// What is said of the rows together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    sentences: Vec<String>,
    /// Whether one of the sentences is about a renewal and what it renews.
    has_renewal: bool,
}

/// Which rows have expired already, and when rows with dates are valid together with others of
/// their product.
fn overlaps(added: &[Entitlement], owned: &[Entitlement], now: Timestamp, here: &str) -> Told {
    let is_over = |it: &Entitlement| overlap::over(&called(it), it, now, here);
    let mut said: Vec<String> = added
        .iter()
        .filter_map(is_over)
        .take(OVERLAPS_TOLD)
        .collect();
    let over = added.iter().filter_map(is_over).count();
    if over > said.len() {
        let more = counted((over - said.len()) as u64, "more row");
        said.push(format!("The same is true of {more}."));
    }
    let mut of_product: BTreeMap<&str, Vec<&Entitlement>> = BTreeMap::new();
    for it in owned.iter().chain(added) {
        of_product.entry(&it.product).or_default().push(it);
    }
    // Rows are named by their lines, as no entitlement is that is there.
    let new: HashSet<&str> = added
        .iter()
        .filter(|it| it.from.is_some() || it.to.is_some())
        .map(|it| &*it.id)
        .collect();
    let (mut told, mut left, mut has_renewal) = (0, 0, false);
    for (product, all) in of_product {
        let is_new = |it: &Entitlement| new.contains(&*it.id);
        let limit = OVERLAPS_TOLD - told;
        let together = overlap::together(&all, is_new, limit, now, here);
        told += together.sentences.len();
        left += together.more;
        has_renewal |= together.has_renewal;
        let of_it = together.sentences.into_iter();
        said.extend(of_it.map(|it| format!("{product}: {it}")));
    }
    if left > 0 {
        let more = counted(left as u64, "more span");
        said.push(format!(
            "Rows count together with others in {more} of time, too."
        ));
    }
    Told {
        sentences: said,
        has_renewal,
    }
}

#[cfg(test)]
mod tests;
