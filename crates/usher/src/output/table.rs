//! Plain aligned columns: easy on the eye, and easy for `awk`.

use unicode_width::UnicodeWidthStr;

use super::{Tone, print, tame, toned};
use crate::failure::Failure;

/// A table of texts under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<Heading>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Heading {
    title: String,
    right: bool,
}

impl Table {
    /// Begins a table. A heading that begins with `>` is of a column of numbers, which stand at the
    /// right.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let headings = headings
            .iter()
            .map(|title| Heading {
                title: title.trim_start_matches('>').to_owned(),
                right: title.starts_with('>'),
            })
            .collect();
        Table {
            headings,
            rows: Vec::new(),
        }
    }

    /// Adds a row: one text a heading.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| tame(&cell)).collect();
        cells.resize(self.headings.len(), String::new());
        self.rows.push(cells);
    }

    /// Puts a column before the others: one text a row.
    #[must_use]
    pub(crate) fn behind(mut self, title: &'static str, cells: &[String]) -> Self {
        let heading = Heading {
            title: title.to_owned(),
            right: false,
        };
        self.headings.insert(0, heading);
        for (place, row) in self.rows.iter_mut().enumerate() {
            row.insert(0, cells.get(place).map_or_else(String::new, |it| tame(it)));
        }
        self
    }

    /// Prints the table on standard output.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        print(&self.text())
    }

    /// The whole table as text.
    pub(crate) fn text(&self) -> String {
        let widths: Vec<usize> = self
            .headings
            .iter()
            .enumerate()
            .map(|(i, heading)| {
                let cells = self.rows.iter().map(|row| row[i].width());
                cells.chain([heading.title.width()]).max().unwrap_or(0)
            })
            .collect();
        let titles: Vec<&str> = self
            .headings
            .iter()
            .map(|heading| &*heading.title)
            .collect();
        let mut out = toned(Tone::Strong, &self.line(&titles, &widths));
        out.push('\n');
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            out.push_str(&self.line(&cells, &widths));
            out.push('\n');
        }
        out
    }

    /// The whole table as comma-separated values, as spreadsheets read them: headings as names, and
    /// empty cells if there is no value. Texts that a spreadsheet would take for a formula are
    /// marked as text: the names come from people who may be malicious.
    pub(crate) fn csv(&self) -> Result<String, Failure> {
        let names = self.headings.iter().map(|heading| {
            let name = heading.title.to_lowercase();
            name.replace(' ', "_")
        });
        let mut rows = vec![names.collect::<Vec<String>>()];
        rows.extend(self.rows.iter().map(|row| {
            let cells = row.iter().map(|cell| match cell.as_str() {
                "-" => String::new(),
                text if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
                text => text.to_owned(),
            });
            cells.collect()
        }));
        written(rows)
    }

    fn line(&self, cells: &[&str], widths: &[usize]) -> String {
        let mut out = String::new();
        for ((cell, width), heading) in cells.iter().zip(widths).zip(&self.headings) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match heading.right {
                true => out.extend([&space, *cell]),
                false => out.extend([*cell, &space]),
            }
            out.push_str("  ");
        }
        out.truncate(out.trim_end().len());
        out
    }
}

/// Rows as comma-separated values.
pub(crate) fn written(
    rows: impl IntoIterator<Item = impl IntoIterator<Item = String>>,
) -> Result<String, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(format!("cannot write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let row: Vec<String> = row.into_iter().collect();
        writer.write_record(&row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_for_a_spreadsheet_which_runs_nothing_of_it() {
        let mut table = Table::new(&["PRODUCT", ">LAST USED", "USER"]);
        table.row(["a,b".into(), "-".into(), "=HYPERLINK(1)".into()]);
        insta::assert_snapshot!(table.csv().unwrap(), @r#"
        product,last_used,user
        "a,b",,'=HYPERLINK(1)
        "#);
    }

    #[test]
    fn columns_stand_under_each_other_whatever_is_in_them() {
        let mut table = Table::new(&["PRODUCT", ">SEATS", "USER"]);
        table.row(["gimp".into(), "2".into(), "anna".into()]);
        table.row(["名前".into(), "1000".into(), "\x1b[31mred\n".into()]);
        insta::assert_snapshot!(table.text(), @r"
        PRODUCT  SEATS  USER
        gimp         2  anna
        名前      1000  \u{1b}[31mred\n
        ");
    }
}
