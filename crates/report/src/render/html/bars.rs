//! Horizontal bars.

use usher_api::Bar;

use super::mark::Html;
use super::scale::{fill, px, short, top};
use crate::words::figure;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 560.0;
const ROW: f64 = 24.0;

pub(super) fn draw(page: &mut Html, summary: &str, unit: &str, bars: &[Bar]) {
    let length = |bar: &Bar| bar.parts.iter().map(|part| part.value).sum::<f64>();
    let top = top(bars.iter().map(length).fold(0.0, f64::max));
    let parts = parts(bars);
    let height = ROW * (bars.len() + parts.len()) as f64 + 20.0;
    let view = format!("0 0 {} {}", px(WIDTH), px(height));
    let attributes = [
        ("viewBox", &*view),
        ("role", "img"),
        ("aria-label", summary),
    ];
    page.open("svg", &attributes);
    page.element("title", &[], summary);
    for (place, bar) in bars.iter().enumerate() {
        let y = ROW * place as f64 + 4.0;
        let (x, base) = (px(LEFT - 8.0), px(y + 13.0));
        let attributes = [("x", &*x), ("y", &*base), ("text-anchor", "end")];
        page.element("text", &attributes, &short(&bar.title, 32));
        let mut from = LEFT;
        for part in &bar.parts {
            let width = (part.value / top).clamp(0.0, 1.0) * (RIGHT - LEFT);
            let look = parts.iter().position(|it| *it == part.title).unwrap_or(0);
            rect(page, (from, y), width, fill(look));
            from += width;
        }
        let (x, base) = (px(from + 6.0), px(y + 13.0));
        page.element("text", &[("x", &*x), ("y", &*base)], &said(bar, unit));
    }
    for (place, part) in parts.iter().enumerate() {
        let y = ROW * (bars.len() + place) as f64 + 12.0;
        rect(page, (LEFT, y), 16.0, fill(place));
        let (x, base) = (px(LEFT + 24.0), px(y + 13.0));
        page.element("text", &[("x", &*x), ("y", &*base)], &short(part, 60));
    }
    page.close("svg");
}

/// The parts that the bars are made of.
fn parts(bars: &[Bar]) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in bars.iter().flat_map(|bar| &bar.parts) {
        if !parts.contains(&&*part.title) {
            parts.push(&part.title);
        }
    }
    parts
}

/// The lengths of the parts, in the order of the legend.
fn said(bar: &Bar, unit: &str) -> String {
    let figures: Vec<String> = bar.parts.iter().map(|part| figure(part.value)).collect();
    format!("{} {unit}", figures.join(" + "))
}

fn rect(page: &mut Html, (x, y): (f64, f64), width: f64, class: &str) {
    let (x, y, width) = (px(x), px(y), px(width));
    let attributes = [
        ("class", class),
        ("x", &*x),
        ("y", &*y),
        ("width", &*width),
        ("height", "17"),
    ];
    page.empty("rect", &attributes);
}
