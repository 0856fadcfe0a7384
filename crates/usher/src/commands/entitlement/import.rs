//! `usher entitlement import`: what is owned, from a CSV file.
//!
//! Adds, and says what it adds to what; it never replaces a count (KB Q226842). The whole file is
//! checked before anything is written, and rows that are owned already, as after a second import of
//! the same file, stop it unless it is said what to do with them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use usher_api::client::Client;
use usher_api::{Entitlement, EntitlementRequest, Metric, ProductView};

use super::sums::{changes, table};
use super::{here, overlap, sheet, zone_of_days};
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::host;
use crate::listing::{Extent, Query, eprintln_quiet, fetch};
use crate::output::{counted, line, print_json, time};

/// The most rows of a file.
const ROWS_LIMIT: usize = 100_000;

/// Add what a CSV file says is owned
#[derive(Debug, Args)]
#[command(after_help = "\
The first line names the columns: product and seats, and where wanted metric, from, to, overdraft.
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

/// What columns there are.
const COLUMNS: [&str; 6] = ["product", "seats", "metric", "from", "to", "overdraft"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Duplicates {
    /// Import nothing
    Refuse,
    /// Leave these rows out
    Skip,
    /// Add them once more
    Add,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    product: String,
    seats: String,
    #[serde(default)]
    metric: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    overdraft: Option<String>,
}

/// Does it.
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
    let changes = changes(&added, &owned, Timestamp::now(), &here());
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
    overlaps(&added, &owned, &here())
        .into_iter()
        .try_for_each(line)?;
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

/// The time zone that days are of.
struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    fn of(name: Option<&str>) -> Result<Zone, String> {
        let name = name.map_or_else(zone_of_days, |name| Ok(name.to_owned()))?;
        let zone = time::now_in(Some(&name))?.time_zone().clone();
        Ok(Zone { name, zone })
    }
}

fn parse(
    name: &str,
    source: impl std::io::Read,
    zone: &Zone,
) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
    let wrong = |why: String| Failure::usage(format!("{name}: {why}; nothing was imported"));
    let sheet = sheet::read(source, &COLUMNS).map_err(wrong)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(sheet.separator)
        .from_reader(sheet.text.as_bytes());
    let before = sheet.first_line - 1;
    let header = reader
        .headers()
        .map_err(|error| wrong(csv_error(&error, before)))?;
    let header: csv::StringRecord = header.iter().map(sheet::plain).collect();
    if let Some(other) = header.iter().find(|column| !COLUMNS.contains(column)) {
        return Err(wrong(format!(
            "line {}: there is no column {other:?}: the columns are {}",
            sheet.first_line,
            COLUMNS.join(", ")
        )));
    }
    reader.set_headers(header.clone());
    let mut rows = Vec::new();
    for (index, row) in reader.records().enumerate() {
        if index >= ROWS_LIMIT {
            return Err(Failure::usage(format!(
                "{name} has more than {ROWS_LIMIT} rows; nothing was imported"
            )));
        }
        let row = row.map_err(|error| wrong(csv_error(&error, before)))?;
        // A spreadsheet leaves such rows behind what was filled in.
        if row.iter().all(str::is_empty) {
            continue;
        }
        let row: Row = row
            .deserialize(Some(&header))
            .map_err(|error| wrong(csv_error(&error, before)))?;
        // Quoted line ends would be counted wrong, and none are of use.
        let line = index as u64 + sheet.first_line + 1;
        rows.push((
            line,
            request(row, zone).map_err(|why| wrong(format!("line {line}: {why}")))?,
        ));
    }
    Ok(rows)
}

/// What is wrong, by the line of the file, of which so many come before the header.
fn csv_error(error: &csv::Error, before: u64) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { pos, err } => {
            format!(
                "line {}: {}",
                before + pos.as_ref().map_or(0, csv::Position::line),
                err.kind()
            )
        }
        _ => error.to_string(),
    }
}

fn request(row: Row, zone: &Zone) -> Result<EntitlementRequest, String> {
    if row.product.is_empty() {
        return Err("the product is missing".to_owned());
    }
    let seats = count("seats", &row.seats)?;
    if seats == 0 {
        return Err("seats must be at least 1".to_owned());
    }
    let metric = match row.metric.filter(|word| !word.is_empty()) {
        Some(word) => serde_json::from_value(word.replace('-', "_").into())
            .map_err(|_| format!("there is no metric {word}"))?,
        None => Metric::Concurrent,
    };
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (from, to) = (date(filled(row.from))?, date(filled(row.to))?);
    let days = [&from, &to].map(|end| end.as_deref().is_some_and(is_day));
    let time_zone = days.contains(&true).then(|| zone.name.clone());
    let begins = start(from.as_deref(), &zone.zone)?;
    let ends = end(to.as_deref(), &zone.zone)?;
    if let (Some(begins), Some(ends)) = (begins, ends)
        && ends <= begins
    {
        return Err("it ends before it begins".to_owned());
    }
    let overdraft = match filled(row.overdraft) {
        Some(text) => count("overdraft", &text)?,
        None => 0,
    };
    Ok(EntitlementRequest {
        product: row.product,
        metric,
        seats,
        overdraft,
        from,
        to,
        time_zone,
    })
}

/// A date as a server reads it.
fn date(text: Option<String>) -> Result<Option<String>, String> {
    let Some(text) = text else { return Ok(None) };
    if let Some(day) = time::written(&text) {
        return Ok(Some(day.to_string()));
    }
    match text.parse::<Timestamp>() {
        Ok(_) => Ok(Some(text)),
        Err(_) if time::is_never(&text) => Ok(Some(text)),
        Err(_) => Err(format!(
            "{text} is not a date; write it like 2026-12-31 or 31.12.2026"
        )),
    }
}

fn is_day(text: &str) -> bool {
    time::written(text).is_some()
}

fn count(column: &str, text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("{column}: {text:?} is not a whole number from 0 on"))
}

/// The first instant of validity, as a server reads it.
fn start(text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    instant(text, false, zone)
}

/// The first instant that is no longer valid: the day itself is still valid.
fn end(text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, String> {
    instant(text, true, zone)
}

fn instant(
    text: Option<&str>,
    after_the_day: bool,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !(after_the_day && time::is_never(text))) else {
        return Ok(None);
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let wrong = |_| format!("{text} is not a date; write it like 2026-12-31");
    let day: jiff::civil::Date = text.parse().map_err(wrong)?;
    let day = match after_the_day {
        false => day,
        true => day.tomorrow().map_err(wrong)?,
    };
    let start = day.to_zoned_datetime(zone.clone()).map_err(wrong)?;
    Ok(Some(start.timestamp()))
}

fn settle_duplicates(
    rows: Vec<(u64, EntitlementRequest)>,
    owned: &[Entitlement],
    what: Duplicates,
    file: &Path,
) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
    let (again, new): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|(_, row)| owned.iter().any(|have| is_same(row, have)));
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

fn is_same(row: &EntitlementRequest, have: &Entitlement) -> bool {
    let row = row_as_owned(0, row);
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

/// Rows with dates whose overlaps are told; the rest are counted.
const OVERLAPS_TOLD: usize = 10;
/// Rows with dates that are compared with all others of their product.
const OVERLAPS_LOOKED: usize = 1_000;

/// When rows with dates count together with others of their product.
fn overlaps(added: &[Entitlement], owned: &[Entitlement], here: &str) -> Vec<String> {
    let mut of_product: HashMap<&str, Vec<&Entitlement>> = HashMap::new();
    for it in owned.iter().chain(added) {
        of_product.entry(&it.product).or_default().push(it);
    }
    let mut said = Vec::new();
    let mut left = 0_u64;
    let with_dates = added
        .iter()
        .filter(|it| it.from.is_some() || it.to.is_some());
    for it in with_dates.take(OVERLAPS_LOOKED) {
        let of_it = of_product.get(&*it.product).map_or(&[][..], Vec::as_slice);
        let told = overlap::sentences(it, of_it, here);
        match told.first() {
            None => {}
            Some(_) if said.len() >= OVERLAPS_TOLD => left += 1,
            Some(first) => said.push(format!("{}: {first}", it.id)),
        }
    }
    if left > 0 {
        let more = counted(left, "more row");
        said.push(format!("{more} count together with others, too."));
    }
    said
}

/// Rows as they are once they are imported, named by their lines.
fn as_owned(rows: &[(u64, EntitlementRequest)]) -> Vec<Entitlement> {
    let named = rows.iter().map(|(line, row)| row_as_owned(*line, row));
    named.collect()
}

fn row_as_owned(line: u64, row: &EntitlementRequest) -> Entitlement {
    // Days were looked at when the file was read.
    let at = |text: Result<Option<Timestamp>, String>| text.ok().flatten();
    let day = |text: &Option<String>| text.clone().filter(|text| is_day(text));
    let zone = row.time_zone.as_deref().map(TimeZone::get);
    let zone = zone.and_then(Result::ok).unwrap_or(TimeZone::UTC);
    Entitlement {
        id: format!("line {line}"),
        product: row.product.clone(),
        metric: row.metric,
        seats: row.seats,
        overdraft: row.overdraft,
        from: at(start(row.from.as_deref(), &zone)),
        to: at(end(row.to.as_deref(), &zone)),
        from_day: day(&row.from),
        to_day: day(&row.to),
        time_zone: row.time_zone.clone(),
        in_use: 0,
        allotment: String::new(),
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
        }]
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
        PRODUCT  TODAY  ADDED  THEN TODAY  AT MOST  FROM
        cad         10      7          17       17  today
        ");
    }

    #[test]
    fn a_renewal_that_counts_together_with_what_it_renews_says_on_which_days() {
        let rows =
            parsed("product,seats,from,to\ncad,12,2026-12-31,2027-12-30\ncad,1,,\n").unwrap();
        let told = overlaps(&as_owned(&rows), &owned(), "UTC");
        insta::assert_snapshot!(told.join("\n"), @"line 2: It takes over from e-1 (10 seats): both count on 2026-12-31, and 23 seats may then be used.");
        let apart = parsed("product,seats,from,to\ncad,12,2027-01-01,2027-12-31\n").unwrap();
        assert_eq!(
            overlaps(&as_owned(&apart), &owned(), "UTC"),
            Vec::<String>::new()
        );
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
    fn empty_rows_are_none() {
        let rows = parsed("product;seats;to\n;;\ncad;1;\n;;\n ; ;\n").unwrap();
        let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3]);
    }

    #[test]
    fn a_row_that_cannot_be_meant_names_its_line() {
        let say = |text: &str| parsed(text).unwrap_err().to_string();
        insta::assert_snapshot!(say("product,seats\ncad,1\ncad,-1\n"), @r#"usher: owned.csv: line 3: seats: "-1" is not a whole number from 0 on; nothing was imported"#);
        insta::assert_snapshot!(say("product,seats\ncad,0\n"), @"usher: owned.csv: line 2: seats must be at least 1; nothing was imported");
        insta::assert_snapshot!(say("product,seats,from,to\ncad,1,2026-02-01,2026-01-31\n"), @"usher: owned.csv: line 2: it ends before it begins; nothing was imported");
        insta::assert_snapshot!(say("product,seats,to\ncad,1,12/31/2026\n"), @"usher: owned.csv: line 2: 12/31/2026 is not a date; write it like 2026-12-31 or 31.12.2026; nothing was imported");
        insta::assert_snapshot!(say("sep=;\nproduct;seats\ncad;x\n"), @r#"usher: owned.csv: line 3: seats: "x" is not a whole number from 0 on; nothing was imported"#);
        insta::assert_snapshot!(say("product,seats,metric\ncad,1,cpu\n"), @"usher: owned.csv: line 2: there is no metric cpu; nothing was imported");
        insta::assert_snapshot!(say("product,seat\ncad,1\n"), @r#"usher: owned.csv: line 1: there is no column "seat": the columns are product, seats, metric, from, to, overdraft; nothing was imported"#);
        insta::assert_snapshot!(say("sep=;\nproduct;seats;Vendor\ncad;1;x\n"), @r#"usher: owned.csv: line 2: there is no column "vendor": the columns are product, seats, metric, from, to, overdraft; nothing was imported"#);
    }
    #[test]
    fn a_file_is_the_same_rows_however_a_spreadsheet_saved_it() {
        let read = |text: &str| format!("{:?}", parsed(text).unwrap());
        let plain = read("product,seats,to\ncad,5,2026-12-31\n");
        for text in [
            "\u{feff}Product;Seats;To\r\ncad;5;31.12.2026\r\n",
            "product\tseats\tto\ncad\t5\t2026-12-31\n",
            "\"product\";\"seats\";\"to\"\n\"cad\";\"5\";\"2026-12-31\"\n",
        ] {
            assert_eq!(read(text), plain, "{text}");
        }
    }

    #[test]
    fn a_day_that_was_entered_in_another_zone_is_the_same_day() {
        let berlin = Zone::of(Some("Europe/Berlin")).unwrap();
        let text = "product,seats,to\ncad,10,2026-12-31\n";
        let rows = parse("owned.csv", text.as_bytes(), &berlin).unwrap();
        assert_eq!(rows[0].1.time_zone.as_deref(), Some("Europe/Berlin"));
        assert!(is_same(&rows[0].1, &owned()[0]));
    }
}
