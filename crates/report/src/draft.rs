//! A report that is being made.

use usher_api::{Cell, Column, ColumnKind, Cut, Plot, Report, ReportName, Section};

use crate::asked::Asked;
use crate::hash::hash;

/// The most rows of a table; what there is beyond them is left off, and the report says so.
pub const ROWS_LIMIT: usize = 10_000;

/// The name that a zone without a name has: only UTC is such.
const UTC: &str = "UTC";

/// A report that is being made.
#[derive(Debug)]
pub(crate) struct Draft {
    name: ReportName,
    title: String,
    sections: Vec<Section>,
    cut: Vec<Cut>,
    notes: Vec<String>,
}

impl Draft {
    pub(crate) fn new(name: ReportName, title: impl Into<String>) -> Draft {
        Draft {
            name,
            title: title.into(),
            sections: Vec::new(),
            cut: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A sentence on how to read it.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Something that is not in it.
    pub(crate) fn cut(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.cut.push(Cut {
            what: what.into(),
            why: why.into(),
            before: None,
        });
    }

    /// A table, what it says in a sentence, and what may be plotted of it.
    pub(crate) fn add(&mut self, table: Table, summary: impl Into<String>, plot: Option<Plot>) {
        let mut section = table.0;
        let rows = section.rows.len();
        if rows > ROWS_LIMIT {
            section.rows.truncate(ROWS_LIMIT);
            let what = format!("rows of {}", section.key);
            let why = format!(
                "the first {ROWS_LIMIT} of {rows} are shown: ask for one product, or less time"
            );
            self.cut(what, why);
        }
        section.summary = summary.into();
        section.plot = plot;
        self.sections.push(section);
    }

    /// The report.
    pub(crate) fn report(self, asked: &Asked) -> Report {
        let mut report = Report {
            name: self.name,
            title: self.title,
            parameters: asked.parameters.clone(),
            from: asked.from,
            to: asked.to,
            time_zone: asked.zone.iana_name().unwrap_or(UTC).to_owned(),
            as_of: asked.as_of.clone(),
            cut: asked.cut.iter().cloned().chain(self.cut).collect(),
            notes: asked.notes.iter().cloned().chain(self.notes).collect(),
            hash: String::new(),
            sections: self.sections,
        };
        report.hash = hash(&report);
        report
    }
}

/// The key, the title and the kind of a column.
pub(crate) type Of = (&'static str, &'static str, ColumnKind);

/// A table that is being filled.
#[derive(Debug)]
pub(crate) struct Table(Section);

impl Table {
    pub(crate) fn new(key: &str, title: impl Into<String>, columns: &[Of]) -> Table {
        let columns = columns.iter().map(|(key, title, kind)| Column {
            key: (*key).to_owned(),
            title: (*title).to_owned(),
            unit: None,
            kind: *kind,
        });
        Table(Section {
            key: key.to_owned(),
            title: title.into(),
            summary: String::new(),
            columns: columns.collect(),
            rows: Vec::new(),
            plot: None,
        })
    }

    /// Adds columns.
    pub(crate) fn columns(&mut self, columns: impl IntoIterator<Item = Column>) {
        self.0.columns.extend(columns);
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, mut cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.0.columns.len(), "{}", self.0.key);
        cells.resize(self.0.columns.len(), Cell::Null);
        self.0.rows.push(cells);
    }
}
