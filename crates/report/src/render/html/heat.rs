//! A heat map: each cell says its value, too.

use usher_api::HeatRow;

use super::mark::Html;
use super::scale::{px, short};
use crate::words::figure;

const LEFT: f64 = 84.0;
const CELL: f64 = 26.0;
const ROW: f64 = 24.0;
const TOP: f64 = 24.0;
/// What the fullest cell is filled with: less than all, so that its value is legible.
const FULLEST: f64 = 0.5;

pub(super) fn draw(
    page: &mut Html,
    summary: &str,
    unit: &str,
    columns: &[String],
    rows: &[HeatRow],
) {
    let values = rows.iter().flat_map(|row| &row.values).flatten();
    let highest = values.copied().fold(0.0, f64::max);
    let width = LEFT + CELL * columns.len() as f64 + 4.0;
    let height = TOP + ROW * rows.len() as f64 + 4.0;
    let view = format!("0 0 {} {}", px(width), px(height));
    let attributes = [
        ("viewBox", &*view),
        ("role", "img"),
        ("aria-label", summary),
    ];
    page.open("svg", &attributes);
    page.element("title", &[], summary);
    page.element("text", &[("x", "0"), ("y", "15"), ("class", "soft")], unit);
    for (place, column) in columns.iter().enumerate() {
        middle(page, (place, TOP - 9.0), "soft", &short(column, 4));
    }
    for (line, row) in rows.iter().enumerate() {
        let y = TOP + ROW * line as f64;
        let base = px(y + 15.0);
        page.element("text", &[("x", "0"), ("y", &*base)], &short(&row.title, 12));
        for (place, value) in row.values.iter().enumerate() {
            let Some(value) = value else {
                middle(page, (place, y + 15.0), "soft", "?");
                continue;
            };
            let share = match highest > 0.0 {
                true => (value / highest).clamp(0.0, 1.0) * FULLEST,
                false => 0.0,
            };
            let (x, top) = (px(LEFT + CELL * place as f64), px(y));
            let (size, opacity) = (px(CELL - 2.0), format!("{share:.2}"));
            let attributes = [
                ("class", "f0"),
                ("x", &*x),
                ("y", &*top),
                ("width", &*size),
                ("height", "22"),
                ("fill-opacity", &*opacity),
            ];
            page.empty("rect", &attributes);
            middle(page, (place, y + 15.0), "", &value_of(*value));
        }
    }
    page.close("svg");
}

/// A text in the middle of a column.
fn middle(page: &mut Html, (place, y): (usize, f64), class: &str, text: &str) {
    let x = px(LEFT + CELL * place as f64 + CELL / 2.0 - 1.0);
    let y = px(y);
    let attributes = [
        ("x", &*x),
        ("y", &*y),
        ("text-anchor", "middle"),
        ("class", class),
    ];
    page.element("text", &attributes, text);
}

/// A value that fits into a cell.
fn value_of(value: f64) -> String {
    if value >= 1_000.0 {
        return format!("{:.0}k", value / 1_000.0);
    }
    match value >= 10.0 {
        true => format!("{value:.0}"),
        false => figure((value * 10.0).round() / 10.0),
    }
}
