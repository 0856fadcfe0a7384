//! The rows of a CSV file of what is owned, as a server takes them: each is checked, and what is
//! wrong names its line.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use usher_api::{Entitlement, EntitlementRequest, Metric, Price};

use super::details::{read_days, read_price};
use super::{sheet, zone_of_days};
use crate::failure::Failure;
use crate::time;

/// The most rows of a file.
const ROWS_LIMIT: usize = 100_000;

/// What columns there are.
const COLUMNS: [&str; 14] = [
    "product",
    "seats",
    "metric",
    "from",
    "to",
    "overdraft",
    "name",
    "price",
    "currency",
    "per",
    "contract",
    "cost_centre",
    "notice_days",
    "note",
];

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
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    per: Option<String>,
    #[serde(default)]
    contract: Option<String>,
    #[serde(default)]
    cost_centre: Option<String>,
    #[serde(default)]
    notice_days: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

/// The time zone that days are of.
pub(super) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// That of the name, or else that in which days are read here.
    pub(super) fn of(name: Option<&str>) -> Result<Zone, String> {
        let name = name.map_or_else(zone_of_days, |name| Ok(name.to_owned()))?;
        let zone = time::now_in(Some(&name))?.time_zone().clone();
        Ok(Zone { name, zone })
    }
}

/// Reads a file that is called `name` to people; each row with its line.
pub(super) fn parse(
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
    // The reader passes over lines without anything. Quoted line ends would be counted wrong, and
    // none are of use.
    let lines = sheet.text.lines().zip(sheet.first_line..);
    let lines = lines.filter(|(text, _)| !text.is_empty());
    let lines: Vec<u64> = lines.map(|(_, number)| number).collect();
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
        let line = lines.get(index + 1).copied().unwrap_or(0);
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
    let price = price(filled(row.price), filled(row.currency), filled(row.per))?;
    let days = filled(row.notice_days).map(|text| read_days(&text));
    let days = days
        .transpose()
        .map_err(|why| format!("notice_days: {why}"))?;
    let said = |text: Option<String>| filled(text).map(Some);
    Ok(EntitlementRequest {
        product: row.product,
        metric,
        seats,
        overdraft,
        from,
        to,
        time_zone,
        name: said(row.name),
        price: price.map(Some),
        contract: said(row.contract),
        cost_centre: said(row.cost_centre),
        notice_days: days.map(Some),
        note: said(row.note),
    })
}

/// A price out of its columns: whole in the first, or as an amount, a currency and how long it is
/// paid for, a year where that is not said.
fn price(
    price: Option<String>,
    currency: Option<String>,
    per: Option<String>,
) -> Result<Option<Price>, String> {
    let text = match (price, currency, per) {
        (None, None, None) => return Ok(None),
        (None, ..) => {
            return Err(
                "there is a currency, or what a price is paid for, and no price".to_owned(),
            );
        }
        (Some(whole), None, None) => whole,
        (Some(_), None, Some(_)) => return Err("the price has no currency".to_owned()),
        (Some(amount), Some(currency), per) => {
            format!("{amount} {currency}/{}", per.as_deref().unwrap_or("year"))
        }
    };
    read_price(&text).map(Some)
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
        Err(_) => Err(time::not_a_day(&text).unwrap_or_else(|| {
            format!("{text} is not a date; write it like 2026-12-31 or 31.12.2026")
        })),
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

/// Rows as they are once they are imported, named by their lines.
pub(super) fn as_owned(rows: &[(u64, EntitlementRequest)]) -> Vec<Entitlement> {
    let named = rows.iter().map(|(line, row)| row_as_owned(*line, row));
    named.collect()
}

/// A row as it is once it is imported, named by its line.
pub(super) fn row_as_owned(line: u64, row: &EntitlementRequest) -> Entitlement {
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
        name: row.name.clone().flatten(),
        price: row.price.clone().flatten(),
        contract: row.contract.clone().flatten(),
        cost_centre: row.cost_centre.clone().flatten(),
        notice_days: row.notice_days.flatten(),
        note: row.note.clone().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(u64, EntitlementRequest)>, Failure> {
        parse(
            "owned.csv",
            text.as_bytes(),
            &Zone::of(Some("UTC")).unwrap(),
        )
    }

    #[test]
    fn empty_rows_are_none() {
        let rows = parsed("product;seats;to\n;;\ncad;1;\n;;\n ; ;\n").unwrap();
        let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3]);
        let rows = parsed("product,seats\ncad,1\n\n\ncad,2\n").unwrap();
        let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn a_row_that_cannot_be_meant_names_its_line() {
        let say = |text: &str| parsed(text).unwrap_err().to_string();
        insta::assert_snapshot!(say("product,seats\ncad,1\ncad,-1\n"), @r#"usher: owned.csv: line 3: seats: "-1" is not a whole number from 0 on; nothing was imported"#);
        insta::assert_snapshot!(say("product,seats\ncad,0\n"), @"usher: owned.csv: line 2: seats must be at least 1; nothing was imported");
        insta::assert_snapshot!(say("product,seats,from,to\ncad,1,2026-02-01,2026-01-31\n"), @"usher: owned.csv: line 2: it ends before it begins; nothing was imported");
        insta::assert_snapshot!(say("product,seats,to\ncad,1,12/31/2026\n"), @"usher: owned.csv: line 2: 12/31/2026 is not a date; write it like 2026-12-31 or 31.12.2026; nothing was imported");
        insta::assert_snapshot!(say("product,seats,to\ncad,1,2026-11-31\n"), @r#"usher: owned.csv: line 2: "2026-11-31" is no day: November 2026 has 30 days; nothing was imported"#);
        insta::assert_snapshot!(say("product;seats;to\ncad;1;31.12.26\n"), @r#"usher: owned.csv: line 2: "31.12.26" may be of any century; write the year with four figures, such as 31.12.2026; nothing was imported"#);
        insta::assert_snapshot!(say("sep=;\nproduct;seats\ncad;x\n"), @r#"usher: owned.csv: line 3: seats: "x" is not a whole number from 0 on; nothing was imported"#);
        insta::assert_snapshot!(say("product,seats,metric\ncad,1,cpu\n"), @"usher: owned.csv: line 2: there is no metric cpu; nothing was imported");
        insta::assert_snapshot!(say("product,seat\ncad,1\n"), @r#"usher: owned.csv: line 1: there is no column "seat": the columns are product, seats, metric, from, to, overdraft, name, price, currency, per, contract, cost_centre, notice_days, note; nothing was imported"#);
        insta::assert_snapshot!(say("sep=;\nproduct;seats;Vendor\ncad;1;x\n"), @r#"usher: owned.csv: line 2: there is no column "vendor": the columns are product, seats, metric, from, to, overdraft, name, price, currency, per, contract, cost_centre, notice_days, note; nothing was imported"#);
    }

    #[test]
    fn a_price_is_whole_in_one_column_or_in_three() {
        let read = |text: &str| {
            let text = format!("product,seats,price,currency,per,name,notice_days\n{text}\n");
            let rows = parsed(&text).unwrap();
            let owned = as_owned(&rows).remove(0);
            serde_json::to_string(&(owned.price, owned.name, owned.notice_days)).unwrap()
        };
        let whole = read("cad,5,1200.50 EUR/year,,,cad-2026,90");
        insta::assert_snapshot!(whole, @r#"[{"amount":1200.5,"currency":"EUR","per":"year"},"cad-2026",90]"#);
        assert_eq!(read("cad,5,1200.5,EUR,,cad-2026,90"), whole);
        assert_eq!(read("cad,5,1200.5,EUR,year,cad-2026,90"), whole);
        let none = read("cad,5,,,,,");
        insta::assert_snapshot!(none, @"[null,null,null]");
        for wrong in [
            "cad,5,1200,,,,",
            "cad,5,,EUR,,,",
            "cad,5,12,EUR,week,,",
            "cad,5,,,,,4000",
        ] {
            let text = format!("product,seats,price,currency,per,name,notice_days\n{wrong}\n");
            assert!(parsed(&text).is_err(), "{wrong}");
        }
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
}
