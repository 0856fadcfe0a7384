//! A plain table of uses, one a row, as anybody can write it: `product,user,computer,started_at,ended_at`,
//! and if wanted `program`, `version` and `seats`.
//!
//! Times are RFC 3339, an empty end still runs. Columns may stand in any order; one that is not known is an
//! error, because it may be a name that was misspelt. Rows are never merged with each other.

mod row;

use std::fmt;

use crate::fact::Fact;
use crate::reading::{Out, Reader};
use crate::record;

/// Errors that are kept; further ones are counted.
pub const ERRORS_LIMIT: usize = 1_000;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Product,
    User,
    Computer,
    StartedAt,
    EndedAt,
    Program,
    Version,
    Seats,
}

impl Column {
    const ALL: [Column; 8] = [
        Column::Product,
        Column::User,
        Column::Computer,
        Column::StartedAt,
        Column::EndedAt,
        Column::Program,
        Column::Version,
        Column::Seats,
    ];

    fn name(self) -> &'static str {
        match self {
            Column::Product => "product",
            Column::User => "user",
            Column::Computer => "computer",
            Column::StartedAt => "started_at",
            Column::EndedAt => "ended_at",
            Column::Program => "program",
            Column::Version => "version",
            Column::Seats => "seats",
        }
    }

    fn is_needed(self) -> bool {
        !matches!(self, Column::Program | Column::Version | Column::Seats)
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The first line names a column that there is none of.
    #[error(
        "there is no column {0:?}; columns are product, user, computer, started_at, ended_at, program, version and seats"
    )]
    UnknownColumn(String),
    /// The first line names a column twice.
    #[error("the column {0} is there twice")]
    TwiceNamed(&'static str),
    /// The first line lacks a column.
    #[error("the column {0} is missing")]
    MissingColumn(&'static str),
    /// The first line is no header, so no row can be read.
    #[error("without a header in the first line no row can be read")]
    NoHeader,
    /// The line's quotes do not match.
    #[error("a quoted cell does not end on its line, or something follows its end")]
    Quotes,
    /// The row has another number of cells than the first line.
    #[error("the row has {found} cells, the first line has {expected}")]
    Cells {
        /// Cells of the first line.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A cell is empty that may not be.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A name is too long, or has control characters.
    #[error("{0} is longer than 255 bytes, or has control characters")]
    Name(&'static str),
    /// A time is none.
    #[error(
        "{column} {written:?} is no RFC 3339 time with an offset, such as 2026-01-31T08:00:00Z"
    )]
    Time {
        /// The column.
        column: &'static str,
        /// The cell's text.
        written: String,
    },
    /// The end is before the start.
    #[error("ended_at is before started_at")]
    EndsBeforeStart,
    /// Seats are no number from 1 up.
    #[error("seats {0:?} is no whole number from 1 to 4294967295")]
    Seats(String),
}

/// A line that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// Reads the table.
#[derive(Debug, Default)]
pub struct SessionsCsv {
    line: u64,
    row: u64,
    /// What each cell of a row is; none: there is no header.
    columns: Option<Vec<Column>>,
    errors: Vec<LineError>,
    more_errors: u64,
}

impl SessionsCsv {
    /// A reader at the first line.
    pub fn new() -> SessionsCsv {
        SessionsCsv::default()
    }

    /// What was wrong, in the order of lines; at most [`ERRORS_LIMIT`].
    pub fn errors(&self) -> &[LineError] {
        &self.errors
    }

    /// How many further lines were wrong.
    pub fn more_errors(&self) -> u64 {
        self.more_errors
    }

    fn header(&mut self, line: &str) -> Result<(), Problem> {
        let names = record::cells(line, ',').ok_or(Problem::Quotes)?;
        let mut columns = Vec::new();
        for name in names {
            let name = name.trim();
            let mut all = Column::ALL.into_iter();
            let column = all
                .find(|column| column.name() == name)
                .ok_or_else(|| Problem::UnknownColumn(name.chars().take(100).collect()))?;
            if columns.contains(&column) {
                return Err(Problem::TwiceNamed(column.name()));
            }
            columns.push(column);
        }
        let mut needed = Column::ALL.into_iter().filter(|column| column.is_needed());
        if let Some(missing) = needed.find(|column| !columns.contains(column)) {
            return Err(Problem::MissingColumn(missing.name()));
        }
        self.columns = Some(columns);
        Ok(())
    }

    fn take(&mut self, line: &str, out: &mut Out<'_>) -> Result<(), Problem> {
        if self.line == 1 {
            return self.header(line);
        }
        if line.trim().is_empty() {
            return Ok(());
        }
        self.row = self.row.saturating_add(1);
        let columns = self.columns.as_deref().ok_or(Problem::NoHeader)?;
        let session = row::read(line, columns, self.row)?;
        out.say(Fact::Session(Box::new(session)));
        Ok(())
    }
}

impl Reader for SessionsCsv {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        self.line = self.line.saturating_add(1);
        match self.take(line, out) {
            Ok(()) => out.understood(),
            Err(problem) => {
                out.not_understood(line);
                let line = self.line;
                match self.errors.len() < ERRORS_LIMIT {
                    true => self.errors.push(LineError { line, problem }),
                    false => self.more_errors = self.more_errors.saturating_add(1),
                }
            }
        }
    }

    fn end(&mut self, _: &mut Out<'_>) {}
}

#[cfg(test)]
mod tests;
