//! `heatmap`: use by weekday and hour.

use jiff::tz::TimeZone;
use usher_api::ColumnKind::{Number, Text};
use usher_api::{Cell, Column, HeatRow, Plot, Report, ReportName, SiteUsage};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::plots::{by_product, name_of};
use crate::words::{figure, is_unseen};

/// The most products of which there is a map.
pub const HEAT_MAPS_LIMIT: usize = 6;

/// What `heatmap` is made from.
#[derive(Debug, Clone, Default)]
pub struct HeatmapInput {
    /// Each hour of the time in the zone that was asked for, product by product. Of several
    /// products the first [`HEAT_MAPS_LIMIT`] are shown.
    pub hours: Vec<SiteUsage>,
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const HOURS: usize = 24;

/// Use by weekday and hour: when a product is busy, and when its seats rest.
pub fn heatmap(asked: &Asked, input: HeatmapInput) -> Report {
    let mut draft = Draft::new(ReportName::Heatmap, "Use by weekday and hour");
    let products: Vec<&[SiteUsage]> = by_product(&input.hours).collect();
    if products.len() > HEAT_MAPS_LIMIT {
        let why = format!(
            "maps of the first {HEAT_MAPS_LIMIT} of {} products are shown: ask for one product",
            products.len()
        );
        draft.cut("maps", why);
    }
    for (place, of) in products.into_iter().take(HEAT_MAPS_LIMIT).enumerate() {
        let Some(name) = of.first().map(name_of) else {
            continue;
        };
        let map = Map::of(asked, of);
        let place = place + 1;
        add(
            &mut draft,
            (
                format!("mean_{place}"),
                format!("{name}: mean seats in use"),
            ),
            &map,
            Hour::mean,
            &format!("On average {name}"),
        );
        add(
            &mut draft,
            (
                format!("peak_{place}"),
                format!("{name}: most seats at once"),
            ),
            &map,
            |hour| hour.peak.map(|peak| peak as f64),
            &format!("At its peak {name}"),
        );
    }
    draft.note(
        "A column is an hour of the clock, from its beginning on. An hour in which nobody looked \
         counts for nothing.",
    );
    draft.report(asked)
}

/// What is known of an hour of a weekday.
#[derive(Debug, Clone, Copy, Default)]
struct Hour {
    /// The sum of the means.
    sum: f64,
    /// How many such hours were observed.
    observed: u32,
    /// How many there were.
    all: u32,
    peak: Option<u64>,
}

impl Hour {
    fn mean(&self) -> Option<f64> {
        (self.observed > 0).then(|| self.sum / f64::from(self.observed))
    }
}

struct Map([[Hour; HOURS]; DAYS.len()]);

impl Map {
    fn of(asked: &Asked, items: &[SiteUsage]) -> Map {
        let mut map = Map([[Hour::default(); HOURS]; DAYS.len()]);
        for item in items {
            let (day, hour) = place(item, &asked.zone);
            let Some(hour) = map.0.get_mut(day).and_then(|day| day.get_mut(hour)) else {
                continue;
            };
            hour.all += 1;
            if is_unseen(item, asked.now) {
                continue;
            }
            hour.observed += 1;
            hour.sum += item.mean;
            hour.peak = hour.peak.max(Some(item.peak));
        }
        map
    }
}

/// The weekday from Monday on, and the hour.
fn place(item: &SiteUsage, zone: &TimeZone) -> (usize, usize) {
    let at = item.from.to_zoned_datetime(zone.clone());
    let day = at.weekday().to_monday_zero_offset();
    let number = |number: i8| usize::try_from(number).unwrap_or(usize::MAX);
    (number(day), number(at.hour()))
}

fn add(
    draft: &mut Draft,
    (key, title): (String, String),
    map: &Map,
    value: impl Fn(&Hour) -> Option<f64>,
    begin: &str,
) {
    let mut table = Table::new(&key, title, &[("weekday", "Weekday", Text)]);
    let titles: Vec<String> = (0..HOURS).map(|hour| format!("{hour:02}")).collect();
    table.columns(titles.iter().map(|title| Column {
        key: format!("hour_{title}"),
        title: title.clone(),
        unit: None,
        kind: Number,
    }));
    let mut busiest: Option<(f64, usize, usize)> = None;
    let mut rows = Vec::new();
    for (place, (day, hours)) in DAYS.iter().zip(&map.0).enumerate() {
        let mut cells = vec![Cell::text(*day)];
        let mut values = Vec::new();
        for (at, hour) in hours.iter().enumerate() {
            let value = value(hour);
            values.push(value);
            cells.push(match value {
                Some(value) => cells::mean(value),
                None if hour.all > 0 => Cell::not_known("nobody looked at that hour"),
                None => Cell::Null,
            });
            if let Some(value) = value
                && busiest.is_none_or(|(most, ..)| value > most)
            {
                busiest = Some((value, place, at));
            }
        }
        table.row(cells);
        rows.push(HeatRow {
            title: (*day).to_owned(),
            values,
        });
    }
    let summary = match busiest {
        None => format!("{begin}: nothing is known of this time."),
        Some((value, ..)) if value <= 0.0 => {
            format!("{begin} has no seat in use at any hour of this time.")
        }
        Some((value, day, hour)) => format!(
            "{begin} is busiest on {} from {hour:02}:00 to {:02}:00: {} seats.",
            DAYS[day],
            hour + 1,
            figure(value),
        ),
    };
    let plot = busiest.map(|_| Plot::HeatMap {
        unit: "seats".to_owned(),
        columns: titles,
        rows,
    });
    draft.add(table, summary, plot);
}
