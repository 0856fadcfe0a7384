//! Plots that several reports have.

use std::cmp::Reverse;

use usher_api::{Bar, BarPart, CountedBy, Plot, Point, Series, SiteUsage};

use crate::asked::Asked;
use crate::words::is_unseen;

/// The most lines of a plot: more of them nobody can tell apart.
const LINES_LIMIT: usize = 6;
/// The most bars of a plot.
const BARS_LIMIT: usize = 20;

/// The items of one product.
pub(crate) fn by_product(items: &[SiteUsage]) -> impl Iterator<Item = &[SiteUsage]> {
    items.chunk_by(|one, other| (&one.product, one.counted) == (&other.product, other.counted))
}

/// A product's name in a plot.
pub(crate) fn name_of(item: &SiteUsage) -> String {
    match item.counted {
        CountedBy::Here => item.product.clone(),
        CountedBy::Elsewhere => format!("{} (counted elsewhere)", item.product),
    }
}

/// A line for each product: those with the highest values.
pub(crate) fn lines(
    asked: &Asked,
    items: &[SiteUsage],
    unit: &str,
    value: fn(&SiteUsage) -> u64,
) -> Option<Plot> {
    let mut products: Vec<(u64, &[SiteUsage])> = by_product(items)
        .map(|of| (of.iter().map(value).max().unwrap_or(0), of))
        .collect();
    products.sort_by_key(|(highest, _)| Reverse(*highest));
    products.truncate(LINES_LIMIT);
    let series = products.into_iter().filter_map(|(_, of)| {
        let title = name_of(of.first()?);
        Some(line(asked, title, of, |it| Some(value(it))))
    });
    plot(asked, unit, series.collect())
}

/// A line of one product.
pub(crate) fn line(
    asked: &Asked,
    title: impl Into<String>,
    items: &[SiteUsage],
    value: impl Fn(&SiteUsage) -> Option<u64>,
) -> Series {
    let points = items.iter().map(|it| Point {
        at: it.from,
        value: match is_unseen(it, asked.now) {
            true => None,
            false => value(it).map(|value| value as f64),
        },
    });
    Series {
        title: title.into(),
        is_step: true,
        points: points.collect(),
    }
}

/// The plot of these lines over the time; none if there are none.
pub(crate) fn plot(asked: &Asked, unit: &str, series: Vec<Series>) -> Option<Plot> {
    (!series.is_empty()).then(|| Plot::Lines {
        unit: unit.to_owned(),
        from: asked.from,
        to: asked.to,
        series,
    })
}

/// A bar of one part.
pub(crate) fn bar(title: impl Into<String>, part: &str, value: f64) -> Bar {
    bar_of(title, [(part, value)])
}

/// A bar of several parts.
pub(crate) fn bar_of<'a>(
    title: impl Into<String>,
    parts: impl IntoIterator<Item = (&'a str, f64)>,
) -> Bar {
    let parts = parts.into_iter().map(|(title, value)| BarPart {
        title: title.to_owned(),
        value,
    });
    Bar {
        title: title.into(),
        parts: parts.collect(),
    }
}

/// The plot of these bars, the longest first; none if all are empty.
pub(crate) fn bars(unit: &str, mut bars: Vec<Bar>) -> Option<Plot> {
    let length = |bar: &Bar| bar.parts.iter().map(|part| part.value).sum::<f64>();
    bars.retain(|bar| length(bar) > 0.0);
    bars.sort_by(|one, other| length(other).total_cmp(&length(one)));
    bars.truncate(BARS_LIMIT);
    (!bars.is_empty()).then(|| Plot::Bars {
        unit: unit.to_owned(),
        bars,
    })
}
