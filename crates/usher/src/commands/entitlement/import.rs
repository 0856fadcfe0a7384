//! `usher entitlement import`: what is owned, from a CSV file.
//!
//! Adds, and says what it adds to what; it never replaces a count (KB Q226842). The whole file is
//! checked before anything is written, and rows that are owned already, as after a second import of
//! the same file, stop it unless it is said what to do with them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use usher_api::client::Client;
use usher_api::{Entitlement, EntitlementRequest, ProductView};

use super::rows::{Zone, as_owned, parse, row_as_owned};
use super::sums::{changes, table};
use super::{here, overlap};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, fetch};
use crate::output::{counted, line, print_json};

/// Add what a CSV file says is owned
#[derive(Debug, Args)]
#[command(after_help = "\
The first line names the columns: product and seats, and where wanted metric, from, to, overdraft,
name, price, currency, per (year, month, once), contract, cost_centre, notice_days, note. A price
may stand in one column, too: 12000 EUR/year.
Columns are set apart by commas, semicolons or tabs, as spreadsheets save them. Dates are days
(2026-12-31, 31.12.2026), of this computer's time zone or of --time-zone, or RFC 3339 instants. Each
row is added to what is owned; nothing is replaced.

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
    /// The time zone in which days are meant, such as Europe/Berlin [default: this computer's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Duplicates {
    /// Import nothing
    Refuse,
    /// Leave these rows out
    Skip,
    /// Add them once more
    Add,
}

pub(super) async fn run(args: &Import, context: &Context, client: &Client) -> Result<(), Failure> {
    let rows = read(args)?;
    let products = fetch::<ProductView>(client, &Query::new("/v1/products"), &Extent::ALL)
        .await?
        .items;
    for (line, row) in &rows {
        if !products.iter().any(|view| view.product.id == row.product) {
            return Err(no_product(*line, &row.product, &products));
        }
    }
    let owned = fetch::<Entitlement>(client, &Query::new("/v1/entitlements"), &Extent::ALL)
        .await?
        .items;
    let rows = settle_duplicates(rows, &owned, args.duplicates, &args.file)?;
    let added = as_owned(&rows);
    let now = Timestamp::now();
    let changes = changes(&added, &owned, now, &here());
    if !args.dry_run {
        write(client, &rows).await?;
    }
    if context.json() {
        return print_json(&serde_json::json!({ "dry_run": args.dry_run, "products": changes }));
    }
    if changes.is_empty() {
        eprintln_quiet("There is nothing to add.");
        return Ok(());
    }
    table(&changes).print()?;
    let told = overlaps(&added, &owned, now, &here());
    if told.has_renewal {
        line("AT MOST leaves out the days on which a renewal and what it renews both count.")?;
    }
    told.sentences.into_iter().try_for_each(line)?;
    if args.dry_run {
        eprintln_quiet("Nothing was written, as --dry-run was given.");
    }
    Ok(())
}

/// A row names no product by its id; a name that one is shown by leads to the id.
fn no_product(line: u64, named: &str, products: &[ProductView]) -> Failure {
    let failure = Failure::usage(format!(
        "line {line}: there is no product {named:?}; nothing was imported"
    ));
    let called = |view: &&ProductView| view.product.name.eq_ignore_ascii_case(named);
    failure.next(match products.iter().find(called) {
        Some(view) => format!(
            "That is the name of {id}: write {id} in the column product.",
            id = view.product.id
        ),
        None => "`usher product list` shows the ids, and `usher product add ID` adds one.".into(),
    })
}

fn read(args: &Import) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
    let name = args.file.display().to_string();
    let source: Box<dyn std::io::Read> = match name.as_str() {
        "-" => Box::new(std::io::stdin()),
        _ => Box::new(
            std::fs::File::open(&args.file)
                .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?,
        ),
    };
    let zone = Zone::of(args.time_zone.as_deref()).map_err(Failure::usage)?;
    parse(&name, source, &zone)
}

fn settle_duplicates(
    rows: Vec<(u64, EntitlementRequest)>,
    owned: &[Entitlement],
    what: Duplicates,
    file: &Path,
) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
    let mut of_product: BTreeMap<&str, Vec<&Entitlement>> = BTreeMap::new();
    for have in owned {
        of_product.entry(&have.product).or_default().push(have);
    }
    let is_there = |row: &EntitlementRequest| {
        let there = of_product.get(&*row.product).map_or(&[][..], Vec::as_slice);
        let row = row_as_owned(0, row);
        there.iter().any(|have| is_same(&row, have))
    };
    let (again, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| is_there(row));
    match what {
        Duplicates::Refuse if !again.is_empty() => {
            let lines: Vec<String> = again
                .iter()
                .take(10)
                .map(|(line, _)| line.to_string())
                .collect();
            let more = if again.len() > 10 { " and more" } else { "" };
            Err(Failure::new(
                exit::FAILED,
                format!(
                    "{}, line {}{more}: such an entitlement is there already; nothing was imported",
                    file.display(),
                    lines.join(", ")
                ),
            )
            .next("--duplicates skip leaves these rows out, --duplicates add adds them once more."))
        }
        Duplicates::Add => Ok([again, new].concat()),
        Duplicates::Refuse | Duplicates::Skip => Ok(new),
    }
}

fn is_same(row: &Entitlement, have: &Entitlement) -> bool {
    // A day is the same day, whatever zone it was entered in.
    let same = |days: [&Option<String>; 2], ends: [Option<Timestamp>; 2]| {
        ends[0] == ends[1] || days[0].is_some() && days[0] == days[1]
    };
    row.product == have.product
        && row.metric == have.metric
        && row.seats == have.seats
        && row.overdraft == have.overdraft
        && same([&row.from_day, &have.from_day], [row.from, have.from])
        && same([&row.to_day, &have.to_day], [row.to, have.to])
}

/// Sentences about times on which rows count together with others, and about rows that are over;
/// the rest are counted.
const OVERLAPS_TOLD: usize = 10;

/// What is said of the rows together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    sentences: Vec<String>,
    /// Whether one of the sentences is about a renewal and what it renews.
    has_renewal: bool,
}

/// Which rows are over already, and when rows with dates count together with others of their
/// product.
fn overlaps(added: &[Entitlement], owned: &[Entitlement], now: Timestamp, here: &str) -> Told {
    let is_over = |it: &Entitlement| overlap::over(&it.id, it, now, here);
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

async fn write(client: &Client, rows: &[(u64, EntitlementRequest)]) -> Result<(), Failure> {
    for (done, (line, row)) in rows.iter().enumerate() {
        let made = client
            .post_keyed::<_, Entitlement>("/v1/entitlements", &host::request_key(), row)
            .await;
        if let Err(error) = made {
            let failure = Failure::from(error);
            return Err(
                Failure::new(failure.code(), format!("line {line}: {failure}")).next(format!(
                    "Imported before it: {}; `--duplicates skip` goes on from there.",
                    counted(done as u64, "row")
                )),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use usher_api::Metric;

    use super::*;

    fn owned() -> Vec<Entitlement> {
        vec![Entitlement {
            id: "e-1".into(),
            product: "cad".into(),
            metric: Metric::Concurrent,
            seats: 10,
            overdraft: 0,
            from: None,
            to: Some("2027-01-01T00:00:00Z".parse().unwrap()),
            from_day: None,
            to_day: Some("2026-12-31".into()),
            time_zone: Some("UTC".into()),
            in_use: 0,
            allotment: "a-1".into(),
            name: None,
            price: None,
            contract: None,
            cost_centre: None,
            notice_days: None,
            note: None,
        }]
    }

    fn now() -> Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    fn parsed(text: &str) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
        parse(
            "owned.csv",
            text.as_bytes(),
            &Zone::of(Some("UTC")).unwrap(),
        )
    }

    #[test]
    fn counts_are_added_to_what_is_owned_and_never_replaced() {
        let rows = parsed("product,seats,to\ncad,5,2026-12-31\ncad,2,\n").unwrap();
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let changes = changes(&as_owned(&rows), &owned(), now, "UTC");
        insta::assert_snapshot!(serde_json::to_string(&changes).unwrap(), @r#"[{"product":"cad","seats_before":10,"seats_added":7,"seats_after":17,"most_seats":17,"most_from":null,"entitlements_added":2}]"#);
        insta::assert_snapshot!(table(&changes).text(), @r"
        PRODUCT  TODAY  ROWS  THEN TODAY  AT MOST  FROM
        cad         10     2          17       17  today
        ");
    }

    #[test]
    fn a_renewal_that_counts_together_with_what_it_renews_says_on_which_days() {
        let rows =
            parsed("product,seats,from,to\ncad,12,2026-12-31,2027-12-30\ncad,1,,\n").unwrap();
        let told = overlaps(&as_owned(&rows), &owned(), now(), "UTC");
        assert!(!told.has_renewal);
        insta::assert_snapshot!(told.sentences.join("\n"), @r"
        cad: On 2026-12-31 e-1 (10 seats), line 2 (12 seats) and line 3 (1 seat) count together: 23 seats may then be used.
        cad: From 2027-01-01 to 2027-12-30 line 2 (12 seats) and line 3 (1 seat) count together: 13 seats may then be used.
        ");
        let renewal = parsed("product,seats,from,to\ncad,12,2026-12-31,2027-12-30\n").unwrap();
        let told = overlaps(&as_owned(&renewal), &owned(), now(), "UTC");
        assert!(told.has_renewal);
        insta::assert_snapshot!(told.sentences.join("\n"), @"cad: line 2 takes over from e-1 (10 seats): both count on 2026-12-31, and 22 seats may then be used.");
        let apart = parsed("product,seats,from,to\ncad,12,2027-01-01,2027-12-31\n").unwrap();
        assert_eq!(
            overlaps(&as_owned(&apart), &owned(), now(), "UTC"),
            Told::default()
        );
    }

    #[test]
    fn each_time_on_which_rows_count_together_is_told_once() {
        let rows = parsed(
            "product;seats;from;to\ncad;10;01.11.2026;31.12.2026\n\
             cad;10;01.12.2026;31.12.2027\ncad;10;15.12.2026;31.12.2027\n",
        );
        let told = overlaps(&as_owned(&rows.unwrap()), &[], now(), "UTC");
        insta::assert_snapshot!(told.sentences.join("\n"), @r"
        cad: From 2026-12-01 to 2026-12-14 line 2 (10 seats) and line 3 (10 seats) count together: 20 seats may then be used.
        cad: From 2026-12-15 to 2026-12-31 line 2 (10 seats), line 3 (10 seats) and line 4 (10 seats) count together: 30 seats may then be used.
        cad: From 2027-01-01 to 2027-12-31 line 3 (10 seats) and line 4 (10 seats) count together: 20 seats may then be used.
        ");
    }

    #[test]
    fn a_row_that_is_over_already_is_said_so() {
        let rows = parsed("product,seats,from,to\ncad,5,2025-01-01,2025-12-31\n").unwrap();
        let told = overlaps(&as_owned(&rows), &[], now(), "UTC");
        insta::assert_snapshot!(told.sentences.join("\n"), @"line 2 is over already: it was valid until 2025-12-31, and no seat of it may be used.");
    }

    #[test]
    fn a_row_that_is_owned_already_stops_the_import_unless_it_is_said_what_to_do() {
        let rows = || parsed("product,seats,to\ncad,10,2026-12-31\ncad,3,\n").unwrap();
        let failure =
            settle_duplicates(rows(), &owned(), Duplicates::Refuse, Path::new("owned.csv"))
                .unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usher: owned.csv, line 2: such an entitlement is there already; nothing was imported
          --duplicates skip leaves these rows out, --duplicates add adds them once more.
        ");
        assert_eq!(
            settle_duplicates(rows(), &owned(), Duplicates::Skip, Path::new("owned.csv"))
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            settle_duplicates(rows(), &owned(), Duplicates::Add, Path::new("owned.csv"))
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn a_day_that_was_entered_in_another_zone_is_the_same_day() {
        let berlin = Zone::of(Some("Europe/Berlin")).unwrap();
        let text = "product,seats,to\ncad,10,2026-12-31\n";
        let rows = parse("owned.csv", text.as_bytes(), &berlin).unwrap();
        assert_eq!(rows[0].1.time_zone.as_deref(), Some("Europe/Berlin"));
        assert!(is_same(&row_as_owned(2, &rows[0].1), &owned()[0]));
    }
}
