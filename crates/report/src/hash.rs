//! The hash of a report's content.
//!
//! The canonical form is a sequence of texts, each behind its length (8 bytes, little-endian), so
//! that no two reports have the same. Words for people (titles, summaries, notes) are not in it: a
//! version that says the same in other words gives the same hash. Neither are the times at which
//! servers' events were collected, for a later look that finds nothing new changes only these, nor
//! what `expiring` says of how near an end is.

use sha2::{Digest, Sha256};
use usher_api::{Cell, Report, ReportName, Section};

/// What a canonical form begins with; another form begins otherwise.
const FORM: &str = "usher report 1";

/// The columns of a report that change by the clock alone.
fn of_the_clock(name: ReportName) -> &'static [&'static str] {
    match name {
        ReportName::Expiring => &["state", "days_left"],
        _ => &[],
    }
}

/// The hash of a report, whatever its `hash` says: SHA-256 in hexadecimal.
pub fn hash(report: &Report) -> String {
    let mut form = Form(Sha256::new());
    form.text(FORM);
    form.text(report.name.word());
    let asked = &report.parameters;
    form.optional(asked.product.as_deref());
    form.optional(asked.user.as_deref());
    form.json(&asked.group_by);
    form.json(&asked.grain);
    form.text(&report.from.to_string());
    form.text(&report.to.to_string());
    form.text(&report.time_zone);
    form.many(report.as_of.len());
    for it in &report.as_of {
        form.text(&it.server);
        form.text(&it.incarnation.to_string());
        form.text(&it.event.to_string());
    }
    form.many(report.cut.len());
    for it in &report.cut {
        form.text(&it.what);
        form.text(&it.why);
        form.optional(it.before.map(|at| at.to_string()).as_deref());
    }
    form.many(report.sections.len());
    for section in &report.sections {
        form.section(section, of_the_clock(report.name));
    }
    let digest = form.0.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Form(Sha256);

impl Form {
    fn text(&mut self, text: &str) {
        self.many(text.len());
        self.0.update(text.as_bytes());
    }

    fn many(&mut self, many: usize) {
        self.0.update((many as u64).to_le_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        self.many(usize::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// A word of the API.
    fn json(&mut self, word: &impl serde::Serialize) {
        self.optional(serde_json::to_string(word).ok().as_deref());
    }

    /// A section without the columns of these keys.
    fn section(&mut self, section: &Section, without: &[&str]) {
        self.text(&section.key);
        let is_in = |key: &str| !without.contains(&key);
        let columns = section.columns.iter().filter(|it| is_in(&it.key));
        self.many(columns.clone().count());
        for column in columns {
            self.text(&column.key);
            self.optional(column.unit.as_deref());
            self.json(&column.kind);
        }
        self.many(section.rows.len());
        for row in &section.rows {
            let cells = row.iter().enumerate().filter(|(place, _)| {
                let column = section.columns.get(*place);
                column.is_none_or(|it| is_in(&it.key))
            });
            self.many(cells.clone().count());
            cells.for_each(|(_, cell)| self.cell(cell));
        }
    }

    /// A number counts to four decimals: the last bit of one is lost on the way through JSON.
    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Null => self.text("null"),
            Cell::Whole(number) => self.text(&format!("whole {number}")),
            Cell::Number(number) => {
                // Adding 0 makes 0 of what is rounded to -0.
                let rounded = (number * 1e4).round() / 1e4 + 0.0;
                self.text(&format!("number {rounded:.4}"));
            }
            Cell::Text(text) => self.text(&format!("text {text}")),
            Cell::NotKnown { not_known } => self.text(&format!("not known {not_known}")),
        }
    }
}
