//! What is asked and what the answer rests on, in words: the same for a terminal and a page.

use jiff::tz::TimeZone;
use usher_api::{GroupBy, Report, ReportGrain};

use crate::words::minute;

/// The time that a report is about.
pub(super) fn time(report: &Report, zone: &TimeZone) -> String {
    format!(
        "{} to {} ({})",
        minute(report.from, zone),
        minute(report.to, zone),
        report.time_zone,
    )
}

/// What was asked for; empty if nothing was.
pub(super) fn question(report: &Report) -> String {
    let asked = &report.parameters;
    let mut parts = Vec::new();
    parts.extend(asked.product.as_ref().map(|it| format!("product {it}")));
    parts.extend(asked.user.as_ref().map(|it| format!("user {it}")));
    parts.extend(asked.group_by.map(|it| {
        let word = match it {
            GroupBy::Product => "product",
            GroupBy::User => "user",
            GroupBy::Computer => "computer",
            GroupBy::Group => "group",
        };
        format!("by {word}")
    }));
    parts.extend(asked.grain.map(|it| {
        let word = match it {
            ReportGrain::Hour => "hour",
            ReportGrain::Day => "day",
            ReportGrain::Week => "week",
            ReportGrain::Month => "month",
        };
        format!("each {word}")
    }));
    parts.join(", ")
}

/// Up to which events of which servers all is in it, a line each.
pub(super) fn as_of(report: &Report, zone: &TimeZone) -> Vec<String> {
    let lines = report.as_of.iter().map(|it| {
        format!(
            "{}: event {} of incarnation {}, known at {}",
            it.server,
            it.event,
            it.incarnation,
            minute(it.time, zone),
        )
    });
    lines.collect()
}

/// What is not in it, a line each.
pub(super) fn cut(report: &Report, zone: &TimeZone) -> Vec<String> {
    let lines = report.cut.iter().map(|it| match it.before {
        Some(before) => format!("{} before {}: {}", it.what, minute(before, zone), it.why),
        None => format!("{}: {}", it.what, it.why),
    });
    lines.collect()
}
