//! The rows of a CSV file of entitlements as requests to a server, and all faults with their lines.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::Entitlement;

use super::cells::{Cells, Row, Zone, end, is_day, start};
use super::columns::Header;
use super::{licence, sheet};
use crate::output::counted;

/// The most rows of a file.
const ROWS_LIMIT: usize = 100_000;

/// A fault in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    /// The line; `None`: the fault is in no single line.
    pub(super) line: Option<u64>,
    /// What is wrong, and how to correct it.
    pub(super) what: String,
}

/// The content of a file, and all its faults.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// The valid rows.
    pub(super) rows: Vec<Row>,
    /// The faults.
    pub(super) faults: Vec<Fault>,
}

/// Reads a file; the columns that `ignored` names are passed over.
pub(super) fn parse(source: impl std::io::Read, zone: &Zone, ignored: &[String]) -> Parsed {
    let mut parsed = Parsed::default();
    let sheet = match sheet::read(source) {
        Ok(sheet) => sheet,
        Err((line, what)) => {
            parsed.faults.push(Fault { line, what });
            return parsed;
        }
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .delimiter(sheet.separator)
        .flexible(true)
        .from_reader(sheet.text.as_bytes());
    let unreadable = "it cannot be read as comma-separated values";
    let Ok(names) = reader.headers().cloned() else {
        return Parsed::of_fault(Some(sheet.first_line), unreadable);
    };
    let mut header = Header::read(names.iter(), ignored);
    if !header.has("product")
        && !header.has("seats")
        && let Some(why) = licence::not_read_yet(&sheet.text)
    {
        return Parsed::of_fault(None, &why);
    }
    let of_header = std::mem::take(&mut header.faults).into_iter();
    parsed.faults.extend(of_header.map(|what| Fault {
        line: Some(sheet.first_line),
        what,
    }));
    // Without them no row can be understood.
    if !header.has("product") || !header.has("seats") {
        return parsed;
    }
    // The reader passes over lines without anything. Quoted line ends would be counted wrong, and
    // none are of use.
    let lines = sheet.text.lines().zip(sheet.first_line..);
    let lines = lines.filter(|(text, _)| !text.is_empty());
    let lines: Vec<u64> = lines.map(|(_, number)| number).collect();
    for (index, record) in reader.records().enumerate() {
        let line = lines.get(index + 1).copied().unwrap_or(0);
        if index >= ROWS_LIMIT {
            let what = format!("there are more than {ROWS_LIMIT} rows: divide the file");
            parsed.fault(line, what);
            break;
        }
        let Ok(record) = record else {
            parsed.fault(line, unreadable.to_owned());
            continue;
        };
        // A spreadsheet leaves such rows behind what was filled in.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let has_more = record
            .iter()
            .skip(header.count)
            .any(|cell| !cell.is_empty());
        if record.len() < header.count || has_more {
            parsed.fault(line, another_length(&record, &header, sheet.separator));
            continue;
        }
        let mut cells = Cells {
            header: &header,
            record: &record,
            faults: Vec::new(),
        };
        let read = cells.row(line, zone);
        match (cells.faults.is_empty(), read) {
            (true, Some(row)) => parsed.rows.push(row),
            _ => {
                let faults = cells.faults.into_iter();
                faults.for_each(|what| parsed.fault(line, what));
            }
        }
    }
    parsed
}

/// The fault of a row that has more or fewer columns than the first line.
fn another_length(record: &csv::StringRecord, header: &Header, separator: u8) -> String {
    let separator = char::from(separator).escape_debug();
    let why = match record.len() < header.count {
        true => format!("write the {separator} of empty cells, too"),
        false => format!("a text with {separator} in it stands in quotes"),
    };
    format!(
        "it has {}, and the first line {}: {why}",
        counted(record.len() as u64, "column"),
        header.count
    )
}

impl Parsed {
    fn of_fault(line: Option<u64>, what: &str) -> Parsed {
        Parsed {
            rows: Vec::new(),
            faults: vec![Fault {
                line,
                what: what.to_owned(),
            }],
        }
    }

    fn fault(&mut self, line: u64, what: String) {
        self.faults.push(Fault {
            line: Some(line),
            what,
        });
    }
}

/// Rows as entitlements, as they are after the import, named by their lines.
pub(super) fn as_owned(rows: &[Row]) -> Vec<Entitlement> {
    rows.iter().map(row_as_owned).collect()
}

/// A row as an entitlement, as it is after the import, named by its line.
pub(super) fn row_as_owned(Row { line, request, .. }: &Row) -> Entitlement {
    let row = request;
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
pub(super) mod tests;
