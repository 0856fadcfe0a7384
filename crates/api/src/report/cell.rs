//! The columns and cells of a report's tables.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Column {
    /// A name for programs, different from those of the table's other columns.
    pub key: String,
    /// Its title, for people.
    pub title: String,
    /// The unit of its numbers, if they have one, such as `EUR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What its cells are.
    pub kind: ColumnKind,
}

/// What the cells of a column are. Null and not known may be in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Text.
    Text,
    /// One of a few words that say how something is, such as `never` or `running`.
    State,
    /// A whole number from 0 on.
    Count,
    /// A number.
    Number,
    /// A length of time in seconds.
    Seconds,
    /// A part of a whole: 0 is nothing, 1 is all.
    Share,
    /// An amount of money, exact to four decimals, in the column's unit or that of the row.
    Money,
    /// An instant (RFC 3339, UTC).
    Time,
    /// A day, such as `2026-11-30`, in the report's time zone.
    Day,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// There is no value.
    Null,
    /// A whole number.
    Whole(u64),
    /// A number.
    Number(f64),
    /// A text; an instant and a day are texts, too.
    Text(String),
    /// There may be a value, which nobody knows.
    NotKnown {
        /// Why, in words.
        not_known: String,
    },
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// An instant.
    pub fn time(at: Timestamp) -> Cell {
        Cell::Text(at.to_string())
    }

    /// A number; null if it is infinite or none, which JSON cannot say.
    pub fn number(number: f64) -> Cell {
        match number.is_finite() {
            true => Cell::Number(number),
            false => Cell::Null,
        }
    }

    /// There may be a value, which nobody knows for that reason.
    pub fn not_known(why: impl Into<String>) -> Cell {
        Cell::NotKnown {
            not_known: why.into(),
        }
    }

    /// The cell, or null.
    pub fn or_null(cell: Option<Cell>) -> Cell {
        cell.unwrap_or(Cell::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_back_as_it_was_written() {
        let cells = [
            (Cell::Null, "null"),
            (Cell::Whole(7), "7"),
            (Cell::Number(7.0), "7.0"),
            (Cell::Number(-0.5), "-0.5"),
            (Cell::text("null"), "\"null\""),
            (
                Cell::time(Timestamp::UNIX_EPOCH),
                "\"1970-01-01T00:00:00Z\"",
            ),
            (Cell::not_known("why"), r#"{"not_known":"why"}"#),
        ];
        for (cell, text) in cells {
            assert_eq!(serde_json::to_string(&cell).unwrap(), text);
            assert_eq!(serde_json::from_str::<Cell>(text).unwrap(), cell);
        }
        assert_eq!(Cell::number(f64::NAN), Cell::Null);
    }
}
