//! Lines over time.

use jiff::tz::TimeZone;
use usher_api::{Point, Series, Timestamp};

use super::mark::Html;
use super::scale::{px, short, stroke, top};
use crate::words::{day, figure, minute};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 704.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 210.0;
/// A line of the legend.
const LEGEND: f64 = 18.0;
/// The most points of a line: of more, the highest of each of so many stretches is drawn.
const POINTS_LIMIT: usize = 800;
const THREE_DAYS_MS: i64 = 259_200_000;

pub(super) fn draw(
    page: &mut Html,
    summary: &str,
    unit: &str,
    (from, to): (Timestamp, Timestamp),
    series: &[Series],
    zone: &TimeZone,
) {
    let values = series.iter().flat_map(|it| &it.points);
    let highest = values.filter_map(|it| it.value).fold(0.0, f64::max);
    let area = Area {
        from_ms: from.as_millisecond(),
        to_ms: to.as_millisecond().max(from.as_millisecond() + 1),
        top: top(highest),
    };
    let height = BOTTOM + 30.0 + LEGEND * series.len() as f64;
    let view = format!("0 0 {} {}", px(WIDTH), px(height));
    let attributes = [
        ("viewBox", &*view),
        ("role", "img"),
        ("aria-label", summary),
    ];
    page.open("svg", &attributes);
    page.element("title", &[], summary);
    area.axes(page, unit, zone);
    for (place, it) in series.iter().enumerate() {
        let path = area.path(it);
        page.empty("path", &[("class", stroke(place)), ("d", &*path)]);
        let y = BOTTOM + 40.0 + LEGEND * place as f64;
        let sample = format!("M{} {}H{}", px(LEFT), px(y), px(LEFT + 40.0));
        page.empty("path", &[("class", stroke(place)), ("d", &*sample)]);
        let (x, y) = (px(LEFT + 48.0), px(y + 4.0));
        page.element("text", &[("x", &*x), ("y", &*y)], &short(&it.title, 80));
    }
    page.close("svg");
}

struct Area {
    from_ms: i64,
    to_ms: i64,
    /// The value at the upper end.
    top: f64,
}

impl Area {
    fn x(&self, at_ms: i64) -> f64 {
        let at_ms = at_ms.clamp(self.from_ms, self.to_ms);
        let share = (at_ms - self.from_ms) as f64 / (self.to_ms - self.from_ms) as f64;
        LEFT + share * (RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (value / self.top).clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    fn axes(&self, page: &mut Html, unit: &str, zone: &TimeZone) {
        page.element("text", &[("x", "4"), ("y", "12"), ("class", "soft")], unit);
        for share in [0.0, 0.5, 1.0] {
            let value = self.top * share;
            let y = self.y(value);
            let path = format!("M{} {}H{}", px(LEFT), px(y), px(RIGHT));
            page.empty("path", &[("class", "grid"), ("d", &*path)]);
            let (x, y) = (px(LEFT - 6.0), px(y + 4.0));
            let attributes = [("x", &*x), ("y", &*y), ("text-anchor", "end")];
            page.element("text", &attributes, &figure(value));
        }
        let is_short = self.to_ms - self.from_ms < THREE_DAYS_MS;
        let ticks = match is_short {
            true => vec![(0, "start"), (2, "middle"), (4, "end")],
            false => vec![
                (0, "start"),
                (1, "middle"),
                (2, "middle"),
                (3, "middle"),
                (4, "end"),
            ],
        };
        for (quarter, anchor) in ticks {
            let at_ms = self.from_ms + (self.to_ms - self.from_ms) / 4 * quarter;
            let Ok(at) = Timestamp::from_millisecond(at_ms) else {
                continue;
            };
            let text = match is_short {
                true => minute(at, zone),
                false => day(at, zone),
            };
            let (x, y) = (px(self.x(at_ms)), px(BOTTOM + 16.0));
            let attributes = [
                ("x", &*x),
                ("y", &*y),
                ("text-anchor", anchor),
                ("class", "soft"),
            ];
            page.element("text", &attributes, &text);
        }
    }

    fn path(&self, series: &Series) -> String {
        let mut path = String::new();
        let mut is_drawn = false;
        for point in thinned(&series.points) {
            let x = self.x(point.at.as_millisecond());
            if is_drawn && series.is_step {
                path += &format!("H{}", px(x));
            }
            let Some(value) = point.value else {
                is_drawn = false;
                continue;
            };
            let y = self.y(value);
            path += &match (is_drawn, series.is_step) {
                (false, _) => format!("M{} {}", px(x), px(y)),
                (true, true) => format!("V{}", px(y)),
                (true, false) => format!("L{} {}", px(x), px(y)),
            };
            is_drawn = true;
        }
        if is_drawn && series.is_step {
            path += &format!("H{}", px(RIGHT));
        }
        path
    }
}

/// The points, or the highest of each of several stretches.
fn thinned(points: &[Point]) -> Vec<Point> {
    if points.len() <= POINTS_LIMIT {
        return points.to_vec();
    }
    let many = points.len().div_ceil(POINTS_LIMIT);
    let stretches = points.chunks(many).filter_map(|of| {
        let highest = of.iter().filter_map(|it| it.value);
        Some(Point {
            at: of.first()?.at,
            value: highest.reduce(f64::max),
        })
    });
    stretches.collect()
}
