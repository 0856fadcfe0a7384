//! A table of a page, with headings of its columns and rows.

use jiff::tz::TimeZone;
use usher_api::{Cell, Column, ColumnKind, Section};

use super::mark::Html;
use crate::render::shown;

/// The most reasons that are numbered below a table; cells of further ones have no number.
const REASONS: usize = 20;
/// From how many characters on a text may be broken into lines.
const LONG: usize = 60;

pub(super) fn write(page: &mut Html, section: &Section, zone: &TimeZone) {
    if section.rows.is_empty() {
        page.raw("<p class=\"soft\">No rows.</p>\n");
        return;
    }
    // Who has no mouse scrolls by the keyboard.
    let attributes = [
        ("class", "scroll"),
        ("tabindex", "0"),
        ("role", "region"),
        ("aria-label", &*section.title),
    ];
    page.open("div", &attributes);
    page.raw("<table>\n<thead><tr>");
    for column in &section.columns {
        let mut attributes = vec![("scope", "col")];
        attributes.extend(shown::is_numeric(column).then_some(("class", "number")));
        page.element("th", &attributes, &shown::title(column));
    }
    page.raw("</tr></thead>\n<tbody>\n");
    let heading = section
        .columns
        .iter()
        .position(|column| column.kind == ColumnKind::Text)
        .unwrap_or(0);
    let mut reasons: Vec<&str> = Vec::new();
    for row in &section.rows {
        page.raw("<tr>");
        for (place, (cell, column)) in row.iter().zip(&section.columns).enumerate() {
            match place == heading {
                true => {
                    let text = shown::cell(cell, column, zone);
                    page.element("th", &[("scope", "row")], &text);
                }
                false => data(page, (cell, column), zone, &mut reasons),
            }
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody>\n</table></div>\n");
    if !reasons.is_empty() {
        page.raw("<p class=\"soft\">Not known, because:</p>\n<ol class=\"soft\">\n");
        for why in reasons {
            page.element("li", &[], why);
            page.line();
        }
        page.raw("</ol>\n");
    }
}

fn data<'a>(
    page: &mut Html,
    (cell, column): (&'a Cell, &Column),
    zone: &TimeZone,
    reasons: &mut Vec<&'a str>,
) {
    let mut text = shown::cell(cell, column, zone);
    let mut class = match shown::is_numeric(column) {
        true => "number",
        false if text.chars().count() > LONG => "long",
        false => "",
    };
    if let Cell::NotKnown { not_known } = cell {
        class = match class {
            "number" => "number unknown",
            _ => "unknown",
        };
        let known = reasons.iter().position(|why| why == not_known);
        let place = known.or_else(|| {
            let is_room = reasons.len() < REASONS;
            is_room.then(|| {
                reasons.push(not_known);
                reasons.len() - 1
            })
        });
        if let Some(place) = place {
            text = format!("{text} [{}]", place + 1);
        }
    }
    match class.is_empty() {
        true => page.element("td", &[], &text),
        false => page.element("td", &[("class", class)], &text),
    }
}
