//! Cells as people read them.

use jiff::tz::TimeZone;
use usher_api::{Cell, Column, ColumnKind, Timestamp};

use crate::words::{duration, figure, minute, percent, rounded_money};

/// What stands for no value.
const NOTHING: &str = "-";
/// What stands for a value that nobody knows.
pub(super) const NOT_KNOWN: &str = "not known";

/// A cell of a column, in a zone.
pub(super) fn cell(cell: &Cell, column: &Column, zone: &TimeZone) -> String {
    match cell {
        Cell::Null => NOTHING.to_owned(),
        Cell::NotKnown { .. } => NOT_KNOWN.to_owned(),
        Cell::Text(text) => match column.kind {
            ColumnKind::State => text.replace('_', " "),
            ColumnKind::Time => match text.parse::<Timestamp>() {
                Ok(at) => minute(at, zone),
                Err(_) => text.clone(),
            },
            _ => text.clone(),
        },
        Cell::Whole(number) => match column.kind {
            ColumnKind::Count | ColumnKind::Number => number.to_string(),
            _ => of_kind(*number as f64, column.kind),
        },
        Cell::Number(number) => of_kind(*number, column.kind),
    }
}

fn of_kind(number: f64, kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Seconds => duration(number),
        ColumnKind::Share => percent(number),
        // An amount is never below 0.
        ColumnKind::Money => rounded_money((number * 10_000.0).round() as u64),
        _ => figure(number),
    }
}

/// Whether a column is one of numbers, which stand at the right.
pub(super) fn is_numeric(column: &Column) -> bool {
    match column.kind {
        ColumnKind::Count
        | ColumnKind::Number
        | ColumnKind::Seconds
        | ColumnKind::Share
        | ColumnKind::Money => true,
        ColumnKind::Text | ColumnKind::State | ColumnKind::Time | ColumnKind::Day => false,
    }
}

/// A column's title, with its unit.
pub(super) fn title(column: &Column) -> String {
    match &column.unit {
        Some(unit) => format!("{} ({unit})", column.title),
        None => column.title.clone(),
    }
}

/// A text in which every character is to be seen: control characters and those that reverse what
/// follows are written out.
pub(super) fn seen(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match usher_api::is_unseen(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}
