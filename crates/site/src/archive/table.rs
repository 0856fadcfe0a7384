//! The rows that are moved, column by column, as the files have them.

use usher_parquet::{Column, Kind, Values};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moving {
    Sessions,
    Leases,
}

/// The columns of sessions, in the order in which an engine selects them.
const SESSIONS: &[(&str, Kind)] = &[
    ("product", Kind::Text),
    ("product_number", Kind::Whole),
    ("began", Kind::Millis),
    ("ended", Kind::Millis),
    ("person", Kind::Whole),
    ("computer", Kind::Whole),
    ("agent_incarnation", Kind::Whole),
    ("session", Kind::Whole),
    ("real_person", Kind::Whole),
    ("duration_ms", Kind::Whole),
    ("unseated_ms", Kind::Whole),
    ("lease_made_in", Kind::Whole),
    ("lease_made_by", Kind::Whole),
    ("program", Kind::Text),
    ("version", Kind::Text),
    ("source", Kind::Whole),
    ("incarnation", Kind::Whole),
    ("event", Kind::Whole),
    ("gone", Kind::Millis),
];
/// The columns of leases. `is_session`: no session held it, so that it is one itself.
const LEASES: &[(&str, Kind)] = &[
    ("product", Kind::Text),
    ("product_number", Kind::Whole),
    ("began", Kind::Millis),
    ("ended", Kind::Millis),
    ("person", Kind::Whole),
    ("computer", Kind::Whole),
    ("source", Kind::Whole),
    ("made_in", Kind::Whole),
    ("made_by", Kind::Whole),
    ("seats", Kind::Whole),
    ("is_session", Kind::Flag),
    ("program", Kind::Text),
    ("agent_incarnation", Kind::Whole),
    ("session", Kind::Whole),
    ("kept", Kind::Flag),
    ("held_ms", Kind::Whole),
    ("cause", Kind::Text),
    ("retry", Kind::Flag),
    ("ticket_made_in", Kind::Whole),
    ("ticket_made_by", Kind::Whole),
    ("with_made_in", Kind::Whole),
    ("with_made_by", Kind::Whole),
    ("incarnation", Kind::Whole),
    ("event", Kind::Whole),
    ("gone", Kind::Millis),
];

impl Moving {
    /// As the tables have it, and the names of files.
    pub(crate) fn number(self) -> i64 {
        match self {
            Moving::Sessions => 0,
            Moving::Leases => 1,
        }
    }

    /// By its number.
    pub(crate) fn of(number: i64) -> Option<Moving> {
        let all = [Moving::Sessions, Moving::Leases];
        all.into_iter().find(|it| it.number() == number)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Moving::Sessions => "sessions",
            Moving::Leases => "leases",
        }
    }

    fn columns(self) -> &'static [(&'static str, Kind)] {
        match self {
            Moving::Sessions => SESSIONS,
            Moving::Leases => LEASES,
        }
    }

    /// The columns of its files.
    pub(super) fn of_file(self) -> Vec<Column> {
        let columns = self.columns().iter();
        columns
            .map(|(name, kind)| Column::new(*name, *kind))
            .collect()
    }

    /// What a row is known by in its table, in the order of its primary key.
    pub(super) fn key(self) -> &'static [&'static str] {
        match self {
            Moving::Sessions => &[
                "product_number",
                "began",
                "computer",
                "agent_incarnation",
                "session",
            ],
            Moving::Leases => &["source", "made_in", "made_by"],
        }
    }
}

/// A cell as an engine reads it.
#[derive(Debug)]
pub(crate) enum Cell {
    Whole(Option<i64>),
    Text(Option<String>),
    Flag(Option<bool>),
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(super) what: Moving,
    pub(super) cells: Vec<Values>,
}

impl Table {
    /// Without rows.
    pub(crate) fn new(what: Moving) -> Table {
        let empty = |kind: &Kind| match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Whole | Kind::Millis | Kind::Micros | Kind::Day => Values::Whole(Vec::new()),
        };
        let cells = what.columns().iter().map(|(_, kind)| empty(kind));
        Table {
            what,
            cells: cells.collect(),
        }
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.cells.first().map_or(0, Values::len)
    }

    /// Adds a row: `read` has the cell of each place, of that kind.
    pub(crate) fn add<E>(
        &mut self,
        mut read: impl FnMut(usize, Kind) -> Result<Cell, E>,
    ) -> Result<(), E> {
        let columns = self.what.columns().iter();
        for (place, (values, (_, kind))) in self.cells.iter_mut().zip(columns).enumerate() {
            match (values, read(place, *kind)?) {
                (Values::Whole(all), Cell::Whole(it)) => all.push(it),
                (Values::Text(all), Cell::Text(it)) => all.push(it),
                (Values::Flag(all), Cell::Flag(it)) => all.push(it),
                // What an engine reads is of the kind that it was told.
                (Values::Whole(all), _) => all.push(None),
                (Values::Text(all), _) => all.push(None),
                (Values::Flag(all), _) => all.push(None),
                (Values::Number(all), _) => all.push(None),
            }
        }
        Ok(())
    }

    /// The whole number of a row in the column of that name.
    pub(super) fn whole(&self, name: &str, row: usize) -> Option<i64> {
        let place = self.what.columns().iter().position(|it| it.0 == name)?;
        match self.cells.get(place)? {
            Values::Whole(all) => all.get(row).copied().flatten(),
            _ => None,
        }
    }

    /// Those rows, in that order.
    pub(super) fn rows(&self, rows: &[usize]) -> Vec<Values> {
        let columns = self.cells.iter().map(|values| match values {
            Values::Whole(all) => Values::Whole(picked(all, rows)),
            Values::Number(all) => Values::Number(picked(all, rows)),
            Values::Text(all) => Values::Text(picked(all, rows)),
            Values::Flag(all) => Values::Flag(picked(all, rows)),
        });
        columns.collect()
    }
}

fn picked<T: Clone>(all: &[Option<T>], rows: &[usize]) -> Vec<Option<T>> {
    let each = rows.iter().map(|row| all.get(*row).cloned().flatten());
    each.collect()
}
