//! `usher report list`: what each report answers.

use serde::Serialize;
use usher_api::ReportName;

use super::{Format, json, typed};
use crate::failure::Failure;
use crate::output::Table;

#[derive(Serialize)]
struct List {
    items: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: ReportName,
    explanation: &'static str,
}

/// All reports, in that form.
pub(super) fn text(format: Format) -> Result<String, Failure> {
    if format == Format::Json {
        let items = usher_report::list().map(|it| Listed {
            name: it.name,
            explanation: it.explanation,
        });
        return json(&List {
            items: items.collect(),
        });
    }
    let mut table = Table::new(&["NAME", "WHAT IT ANSWERS"]);
    for it in usher_report::list() {
        table.row([typed(it.name).to_owned(), it.explanation.to_owned()]);
    }
    match format {
        Format::Csv => table.csv(),
        Format::Html | Format::Parquet => Err(Failure::usage(
            "the list of reports is no report, and no page or Parquet file is made of it",
        )
        .next("Leave --format out, or say --format csv.")),
        Format::Table | Format::Json => Ok(table.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_explains_each_report() {
        let table = text(Format::Table).unwrap();
        assert_eq!(table.lines().count(), ReportName::ALL.len() + 1);
        assert!(table.contains("gave-up "), "{table}");
        let json = text(Format::Json).unwrap();
        assert!(json.contains("\"gave_up\""), "{json}");
        assert!(text(Format::Html).is_err() && text(Format::Parquet).is_err());
    }
}
