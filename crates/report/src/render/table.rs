//! Text for a terminal: aligned columns, not wider than it.

use std::ops::Range;

use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use usher_api::{Cell, Column, Report, Section};

use super::{head, shown};

/// How wide the first columns of texts may be if not all columns fit beside each other.
const TEXT_WIDTH: usize = 30;
/// What is between two columns.
const GAP: &str = "  ";
/// The narrowest width that is kept to.
const NARROWEST: usize = 40;
/// The most reasons that are said below a table.
const REASONS: usize = 3;
/// The most reasons that are counted.
const REASONS_COUNTED: usize = 100;

/// A report for a terminal of `width` columns; `usize::MAX` for no limit. If the columns of a table
/// do not fit beside each other, the further ones follow below, with the first ones again. Times are
/// those of `zone`.
pub fn table(report: &Report, zone: &TimeZone, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut out = Text {
        out: String::new(),
        width,
    };
    out.wrapped(&report.title, "");
    out.wrapped(&head::time(report, zone), "");
    out.wrapped(&head::question(report), "");
    for section in &report.sections {
        out.out.push('\n');
        out.wrapped(&section.title, "");
        out.wrapped(&section.summary, "");
        Grid::of(section, zone).write(&mut out);
        let reasons = reasons(section);
        if !reasons.is_empty() {
            let more = reasons.len().saturating_sub(REASONS);
            let mut text = reasons[..reasons.len().min(REASONS)].join("; ");
            if more > 0 {
                text += &format!("; and {more} more reasons");
            }
            out.wrapped(&format!("Not known: {text}."), "  ");
        }
    }
    out.list("Not in it:", &head::cut(report, zone));
    out.list("Notes:", &report.notes);
    out.list("As of:", &head::as_of(report, zone));
    out.out.push_str(&format!("\nHash: {}\n", report.hash));
    out.out
}

/// A cell; in a column with a title of two characters (an hour), not known is a question mark.
fn text(cell: &Cell, column: &Column, zone: &TimeZone) -> String {
    match cell {
        Cell::NotKnown { .. } if column.title.len() <= 2 => "?".to_owned(),
        _ => shown::seen(&shown::cell(cell, column, zone)),
    }
}

/// Why cells of a table are not known, each reason once.
fn reasons(section: &Section) -> Vec<&str> {
    let mut reasons: Vec<&str> = Vec::new();
    for cell in section.rows.iter().flatten() {
        if let Cell::NotKnown { not_known } = cell
            && reasons.len() < REASONS_COUNTED
            && !reasons.contains(&&**not_known)
        {
            reasons.push(not_known);
        }
    }
    reasons
}

/// Text that is being written.
struct Text {
    out: String,
    width: usize,
}

impl Text {
    /// A paragraph; further lines begin with `indent`. Nothing if it is empty.
    fn wrapped(&mut self, text: &str, indent: &str) {
        let text = shown::seen(text);
        let mut line = String::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let is_full = line.width() + 1 + word.width() > self.width;
            if is_full && !line.trim().is_empty() {
                self.line(&line);
                line = indent.to_owned();
            }
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.trim().is_empty() {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// A heading and a paragraph for each item; nothing if there is none.
    fn list(&mut self, heading: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.out.push('\n');
        self.line(heading);
        for item in items {
            self.wrapped(&format!("- {item}"), "  ");
        }
    }
}

/// A table of texts.
struct Grid {
    titles: Vec<String>,
    is_right: Vec<bool>,
    rows: Vec<Vec<String>>,
    /// How many columns stand first in each block.
    first: usize,
}

impl Grid {
    fn of(section: &Section, zone: &TimeZone) -> Grid {
        let titles = section.columns.iter().map(|column| {
            let title = shown::title(column);
            shown::seen(&title.to_uppercase())
        });
        let rows = section.rows.iter().map(|row| {
            let cells = row.iter().zip(&section.columns);
            let cells = cells.map(|(cell, column)| text(cell, column, zone));
            cells.collect()
        });
        // Those up to the first text say what a row is about.
        let first = section
            .columns
            .iter()
            .position(|column| column.kind == usher_api::ColumnKind::Text);
        Grid {
            titles: titles.collect(),
            is_right: section.columns.iter().map(shown::is_numeric).collect(),
            rows: rows.collect(),
            first: first
                .map_or(1, |place| place + 1)
                .min(3)
                .min(section.columns.len()),
        }
    }

    fn write(&mut self, out: &mut Text) {
        if self.rows.is_empty() {
            return;
        }
        let mut widths = self.widths();
        if total(&widths) > out.width {
            self.shorten(out.width);
            widths = self.widths();
        }
        for block in self.blocks(&widths, out.width) {
            self.write_line(&self.titles, &block, &widths, out);
            for row in &self.rows {
                self.write_line(row, &block, &widths, out);
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let widths = self.titles.iter().enumerate().map(|(place, title)| {
            let cells = self.rows.iter().filter_map(|row| row.get(place));
            let cells = cells.map(|cell| cell.width());
            cells.chain([title.width()]).max().unwrap_or(0)
        });
        widths.collect()
    }

    /// Cuts texts that are too long: those that stand first in each block, and then those that do not
    /// fit beside the first of them.
    fn shorten(&mut self, width: usize) {
        self.cut(0..self.first, TEXT_WIDTH);
        let beside = self.widths().first().map_or(0, |first| first + GAP.len());
        let rest = width.saturating_sub(beside).max(TEXT_WIDTH);
        self.cut(self.first..self.titles.len(), rest);
    }

    fn cut(&mut self, columns: Range<usize>, width: usize) {
        for row in &mut self.rows {
            for place in columns.clone().filter(|place| !self.is_right[*place]) {
                if let Some(cell) = row.get_mut(place)
                    && cell.width() > width
                {
                    *cell = beginning(cell, width);
                }
            }
        }
    }

    /// Which columns stand beside each other.
    fn blocks(&self, widths: &[usize], width: usize) -> Vec<Vec<usize>> {
        let mut first: Vec<usize> = (0..self.first.min(widths.len())).collect();
        let of = |places: &[usize]| -> usize {
            let sum: usize = places.iter().map(|place| widths[*place] + GAP.len()).sum();
            sum.saturating_sub(GAP.len())
        };
        let widest = widths.iter().skip(first.len()).max().copied();
        if of(&first) + GAP.len() + widest.unwrap_or(0) > width {
            first.truncate(1);
        }
        let mut blocks = vec![first.clone()];
        for (place, own) in widths.iter().enumerate().skip(first.len()) {
            let Some(block) = blocks.last_mut() else {
                break;
            };
            let has_more = block.len() > first.len();
            if has_more && of(block) + GAP.len() + own > width {
                let mut next = first.clone();
                next.push(place);
                blocks.push(next);
            } else {
                block.push(place);
            }
        }
        blocks
    }

    fn write_line(&self, cells: &[String], block: &[usize], widths: &[usize], out: &mut Text) {
        let mut line = String::new();
        for place in block {
            let Some(cell) = cells.get(*place) else {
                continue;
            };
            let space = " ".repeat(widths[*place].saturating_sub(cell.width()));
            match self.is_right[*place] {
                true => line.extend([&*space, cell, GAP]),
                false => line.extend([&**cell, &*space, GAP]),
            }
        }
        out.line(&line);
    }
}

fn total(widths: &[usize]) -> usize {
    let sum: usize = widths.iter().map(|width| width + GAP.len()).sum();
    sum.saturating_sub(GAP.len())
}

/// The beginning of a text, with an ellipsis.
fn beginning(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut so_far = 1;
    for c in text.chars() {
        so_far += c.width().unwrap_or(0);
        if so_far > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}
