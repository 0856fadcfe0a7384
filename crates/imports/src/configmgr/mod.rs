//! Configuration Manager's software metering, as CSV: its views (`v_MonthlyUsageSummary` with what is joined
//! to it, `v_FileUsageSummary`, `v_MeterData`), and what the reports of the console export.
//!
//! Exports have whatever columns somebody chose, in any order. A first line with columns that are known
//! is the header; the lines of a report's title before it are not understood. Columns that are not known are
//! left out and told by [`Configmgr::unknown_columns`].

mod columns;
mod row;

pub use crate::instant::DateOrder;
use crate::reading::{Out, Reader};
use crate::record;
use columns::Column;
use jiff::tz::TimeZone;

/// How an export is to be read.
#[derive(Debug, Clone)]
pub struct How {
    /// The zone of times that say none: the site's.
    pub time_zone: TimeZone,
    /// Which number of `3/4/2026` is the month.
    pub dates: DateOrder,
}

/// Reads an export. A row with a start is a use; one with counts is what was summed up.
#[derive(Debug)]
pub struct Configmgr {
    how: How,
    separator: char,
    /// What each cell of a row is; none of a cell: not known. Empty: there was no header yet.
    columns: Vec<Option<Column>>,
    unknown: Vec<String>,
    row: u64,
}

impl Configmgr {
    /// A reader at the first line.
    pub fn new(how: How) -> Configmgr {
        Configmgr {
            how,
            separator: ',',
            columns: Vec::new(),
            unknown: Vec::new(),
            row: 0,
        }
    }

    /// Columns that are left out, as the header names them.
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown
    }

    /// How many rows followed the header.
    pub fn rows(&self) -> u64 {
        self.row
    }

    fn header(&mut self, line: &str) -> bool {
        let separator = record::separator_of(line);
        let Some(names) = record::cells(line, separator) else {
            return false;
        };
        let found: Vec<Option<Column>> = names.iter().map(|name| Column::of(name)).collect();
        if !columns::suffice(&found) {
            return false;
        }
        let known = found.iter().zip(names);
        let unknown = known.filter(|(column, name)| column.is_none() && !name.trim().is_empty());
        self.unknown = unknown.map(|(_, name)| name.trim().to_owned()).collect();
        self.separator = separator;
        self.columns = found;
        true
    }

    fn row(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        self.row = self.row.saturating_add(1);
        let Some(cells) = record::cells(line, self.separator) else {
            return false;
        };
        // A row of another length is of another table, such as a report's summary below.
        if cells.len() != self.columns.len() {
            return false;
        }
        let row = row::Row::new(&self.columns, &cells, &self.how, self.row);
        row.read().map(|fact| out.say(fact)).is_some()
    }
}

impl Reader for Configmgr {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        // PowerShell writes the type of what it exports first.
        let is_other = line.trim().is_empty() || line.starts_with("#TYPE ");
        let understood = is_other
            || match self.columns.is_empty() {
                true => self.header(line),
                false => self.row(line, out),
            };
        match understood {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, _: &mut Out<'_>) {}
}

#[cfg(test)]
mod tests;
