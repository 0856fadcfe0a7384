//! Comma-separated values, as spreadsheets and programs read them.
//!
//! The first line of a table has the keys of its columns. Numbers are plain, lengths of time are in
//! seconds, shares between 0 and 1, instants RFC 3339 in UTC. A cell without a value is empty; one that
//! nobody knows says `not known`. A text that a spreadsheet would take for a formula has an
//! apostrophe before it: names come from people who may be malicious.

use csv::Writer;
use usher_api::{Cell, Report, Section};

use super::RenderError;

/// What a spreadsheet takes for the beginning of a formula, or skips before one.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// All tables of a report. If there are several, each has a line `section,KEY` before it, and an
/// empty line is between two.
///
/// # Errors
/// [`RenderError::Csv`].
pub fn csv(report: &Report) -> Result<String, RenderError> {
    if let [only] = &*report.sections {
        return csv_section(only);
    }
    let mut texts = Vec::new();
    for section in &report.sections {
        let heading = written([["section".to_owned(), section.key.clone()]])?;
        texts.push(heading + &csv_section(section)?);
    }
    Ok(texts.join("\n"))
}

/// One table of a report.
///
/// # Errors
/// [`RenderError::Csv`].
pub fn csv_section(section: &Section) -> Result<String, RenderError> {
    let keys = section.columns.iter().map(|column| column.key.clone());
    let mut rows: Vec<Vec<String>> = vec![keys.collect()];
    rows.extend(
        section
            .rows
            .iter()
            .map(|row| row.iter().map(text).collect()),
    );
    written(rows)
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Whole(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) if text.starts_with(FORMULA) => format!("'{text}"),
        Cell::Text(text) => text.clone(),
        Cell::NotKnown { .. } => "not known".to_owned(),
    }
}

fn written(
    rows: impl IntoIterator<Item = impl IntoIterator<Item = String>>,
) -> Result<String, RenderError> {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        let row: Vec<String> = row.into_iter().collect();
        let written = writer.write_record(&row);
        written.map_err(|error| RenderError::Csv(error.to_string()))?;
    }
    let bytes = writer.into_inner();
    let bytes = bytes.map_err(|error| RenderError::Csv(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| RenderError::Csv(error.to_string()))
}
