//! The columns of the table that all sections of a report make together.

use std::collections::{BTreeMap, BTreeSet};

use usher_api::Report;
use usher_parquet::{Column, Kind};

use super::kind_of;

/// The column with the key of a row's section, the first.
const SECTION: &str = "section";
/// The column that says what is not known of a row, and why, the last.
const NOT_KNOWN: &str = "not_known";

pub(super) struct Columns {
    all: Vec<Column>,
    /// By the keys of a section and of its column.
    places: BTreeMap<(String, String), usize>,
}

impl Columns {
    /// In the order in which sections name them.
    pub(super) fn of(report: &Report) -> Columns {
        let mut all = vec![Column::new(SECTION, Kind::Text)];
        let mut taken: BTreeSet<String> = [SECTION, NOT_KNOWN].map(str::to_owned).into();
        let mut shared: BTreeMap<String, (Kind, usize)> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for section in &report.sections {
            for column in &section.columns {
                let kind = kind_of(column.kind);
                let there = shared.get(&column.key).filter(|it| it.0 == kind);
                let place = there.map_or(all.len(), |it| it.1);
                if place == all.len() {
                    let name = free(&taken, &section.key, &column.key);
                    taken.insert(name.clone());
                    all.push(Column::new(name, kind));
                    shared.entry(column.key.clone()).or_insert((kind, place));
                }
                places.insert((section.key.clone(), column.key.clone()), place);
            }
        }
        all.push(Column::new(NOT_KNOWN, Kind::Text));
        Columns { all, places }
    }

    pub(super) fn all(&self) -> &[Column] {
        &self.all
    }

    /// The place of a column of a section.
    pub(super) fn place(&self, section: &str, key: &str) -> Option<usize> {
        let key = (section.to_owned(), key.to_owned());
        self.places.get(&key).copied()
    }
}

/// The key if no column is called that yet, else with the section's key before it.
fn free(taken: &BTreeSet<String>, section: &str, key: &str) -> String {
    let mut name = key.to_owned();
    while taken.contains(&name) {
        name = format!("{section}_{name}");
    }
    name
}
