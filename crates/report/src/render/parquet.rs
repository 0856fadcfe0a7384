//! A report as one Parquet table, for programs that work with data.
//!
//! Rows of all sections are in it, each with the key of its section; columns of the same key and kind
//! are one. Numbers are plain, lengths of time are in seconds, shares between 0 and 1, instants in
//! microseconds (UTC), days are dates. A cell without a value is null. So is one that nobody knows:
//! the last column says why, by the keys of the columns. What the report says of itself is beside
//! the table, as JSON.

mod columns;

use jiff::civil::Date;
use usher_api::{Cell, ColumnKind, Report, Section, Timestamp};
use usher_parquet::{Column, Kind, Values, Writer};

use self::columns::Columns;
use super::RenderError;

/// Under which key the report without its rows is beside the table.
const REPORT: &str = "usher.report";

/// The days of dates are counted from here.
const FIRST_DAY: Date = Date::constant(1970, 1, 1);

/// All rows of a report as a Parquet file.
///
/// # Errors
/// [`RenderError::Parquet`], [`RenderError::Json`].
pub fn parquet(report: &Report) -> Result<Vec<u8>, RenderError> {
    let columns = Columns::of(report);
    let mut writer = Writer::new(Vec::new(), columns.all().to_vec())?;
    for section in &report.sections {
        writer.group(&group(section, &columns)?)?;
    }
    Ok(writer.end(&[(REPORT, itself(report)?)])?)
}

/// The report without its rows and what may be plotted of them.
fn itself(report: &Report) -> Result<String, RenderError> {
    let sections = report.sections.iter().map(|section| Section {
        rows: Vec::new(),
        plot: None,
        ..section.clone()
    });
    let itself = Report {
        sections: sections.collect(),
        ..report.clone()
    };
    Ok(serde_json::to_string(&itself)?)
}

/// The rows of a section in all columns of the table.
fn group(section: &Section, columns: &Columns) -> Result<Vec<Values>, RenderError> {
    let rows = section.rows.len();
    let mut values: Vec<Values> = columns.all().iter().map(|it| nulls(it, rows)).collect();
    let mut not_known = vec![serde_json::Map::new(); rows];
    if let Some(keys) = values.first_mut() {
        *keys = Values::Text(vec![Some(section.key.clone()); rows]);
    }
    for (place, column) in section.columns.iter().enumerate() {
        let Some(target) = columns
            .place(&section.key, &column.key)
            .and_then(|it| values.get_mut(it))
        else {
            continue;
        };
        for (row, cells) in section.rows.iter().enumerate() {
            let cell = cells.get(place).unwrap_or(&Cell::Null);
            if let Err(why) = put(target, row, column.kind, cell) {
                not_known[row].insert(column.key.clone(), why.into());
            }
        }
    }
    if let Some(last) = values.last_mut() {
        let texts = not_known.into_iter().map(|it| match it.is_empty() {
            true => Ok(None),
            false => serde_json::to_string(&it).map(Some),
        });
        *last = Values::Text(texts.collect::<Result<_, _>>()?);
    }
    Ok(values)
}

fn nulls(column: &Column, rows: usize) -> Values {
    match column.kind {
        Kind::Whole | Kind::Millis | Kind::Micros | Kind::Day => Values::Whole(vec![None; rows]),
        Kind::Number => Values::Number(vec![None; rows]),
        Kind::Text => Values::Text(vec![None; rows]),
        Kind::Flag => Values::Flag(vec![None; rows]),
    }
}

/// What the cells of a kind are in a table.
fn kind_of(kind: ColumnKind) -> Kind {
    match kind {
        ColumnKind::Text | ColumnKind::State => Kind::Text,
        ColumnKind::Count => Kind::Whole,
        ColumnKind::Number | ColumnKind::Seconds | ColumnKind::Share | ColumnKind::Money => {
            Kind::Number
        }
        ColumnKind::Time => Kind::Micros,
        ColumnKind::Day => Kind::Day,
    }
}

/// Puts a cell into its row, which is null.
///
/// # Errors
/// Why its value is not known, or is none of the column.
fn put(target: &mut Values, row: usize, kind: ColumnKind, cell: &Cell) -> Result<(), String> {
    let is_put = match (target, cell) {
        (_, Cell::Null) => true,
        (_, Cell::NotKnown { not_known }) => return Err(not_known.clone()),
        (Values::Text(texts), Cell::Text(text)) => set(texts, row, Some(text.clone())),
        (Values::Number(numbers), Cell::Number(number)) => set(numbers, row, Some(*number)),
        (Values::Number(numbers), Cell::Whole(number)) => set(numbers, row, Some(*number as f64)),
        (Values::Whole(numbers), Cell::Whole(number)) if kind == ColumnKind::Count => {
            set(numbers, row, i64::try_from(*number).ok())
        }
        (Values::Whole(numbers), Cell::Text(text)) => set(numbers, row, instant(kind, text)),
        _ => false,
    };
    match is_put {
        true => Ok(()),
        false => Err(format!("{} is no value of this column", shown(cell))),
    }
}

/// Whether there was a value to set.
fn set<T>(values: &mut [Option<T>], row: usize, value: Option<T>) -> bool {
    let is_there = value.is_some();
    if let Some(place) = values.get_mut(row) {
        *place = value;
    }
    is_there
}

/// An instant in microseconds, or a day since 1970.
fn instant(kind: ColumnKind, text: &str) -> Option<i64> {
    match kind {
        ColumnKind::Time => {
            let at: Timestamp = text.parse().ok()?;
            Some(at.as_microsecond())
        }
        ColumnKind::Day => {
            let day: Date = text.parse().ok()?;
            let since = FIRST_DAY.until(day).ok()?;
            Some(since.get_days().into())
        }
        _ => None,
    }
}

fn shown(cell: &Cell) -> String {
    serde_json::to_string(cell).unwrap_or_default()
}
