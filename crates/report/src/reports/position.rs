//! `position`: owned, used and needed, with the shortfall by metric and date.

mod dates;
mod need;

use std::collections::BTreeSet;

use usher_api::ColumnKind::{Count, State, Text, Time};
use usher_api::{Cell, CountedBy, Metric, Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::cells;
use crate::draft::{Draft, Table};
use crate::gathered::{Figures, OwnedOn, metric};
use crate::plots;
use crate::words::{counted, many, minute, names};
use need::Needed;

/// What `position` is made from.
#[derive(Debug, Clone, Default)]
pub struct PositionInput {
    /// All entitlements, also those that ended and those that begin later.
    pub entitlements: Vec<OwnedOn>,
    /// The figures of the products, over the time.
    pub figures: Figures,
    /// What each product needs, if that was worked out; of others, need is what was used, and at
    /// least that if somebody was refused for good.
    pub needs: Vec<Need>,
}

/// How many seats would have served everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Product id.
    pub product: String,
    /// Concurrent seats.
    pub seats: u64,
    /// How that was found, in words, such as "what-if over 12,345 asks".
    pub why: String,
}

/// Owned, used and needed of each product and metric, at the end of the time and at each later date
/// on which what is owned changes.
pub fn position(asked: &Asked, input: PositionInput) -> Report {
    let at = asked.to.min(asked.now);
    let title = format!("Owned, used, needed at {}", minute(at, &asked.zone));
    let mut draft = Draft::new(ReportName::Position, title);
    let lines: Vec<Line<'_>> = lines(asked, &input, at);
    let (table, summary) = now(&lines);
    let bars = lines
        .iter()
        .filter_map(|it| Some((it, it.shortfall().at_least()?)));
    let bars = bars.map(|(it, short)| plots::bar(it.name(), "short", short as f64));
    let plot = plots::bars("seats", bars.collect());
    draft.add(table, summary, plot);
    let dates = dates::changes(&lines, &input.entitlements, at);
    let (table, summary) = dates::table(asked, &lines, &dates);
    let plot = dates::plot(asked, &lines, &dates, at);
    draft.add(table, summary, plot);
    draft.note(
        "Used is the most seats at once (concurrent), different people (named user) or different \
         computers (device) in the time. Needed is at least what was used; more, if somebody was \
         refused for good or nobody looked for over 5 % of the time. Overdraft is not owned.",
    );
    draft.report(asked)
}

/// A product and a metric.
struct Line<'a> {
    product: &'a str,
    metric: Metric,
    /// Seats owned at the instant; none: that is not known.
    owned: Option<u64>,
    used: Option<u64>,
    needed: Needed,
}

impl Line<'_> {
    fn name(&self) -> String {
        match self.metric {
            Metric::Concurrent => self.product.to_owned(),
            other => format!("{} ({})", self.product, metric(other).replace('_', " ")),
        }
    }

    fn shortfall(&self) -> need::Shortfall {
        need::shortfall(self.owned, &self.needed)
    }
}

fn lines<'a>(asked: &Asked, input: &'a PositionInput, at: Timestamp) -> Vec<Line<'a>> {
    let owned = input.entitlements.iter().map(|it| &it.entitlement);
    let mut all: BTreeSet<(&str, &str)> = owned
        .clone()
        .map(|it| (&*it.product, metric(it.metric)))
        .collect();
    for item in &input.figures.whole {
        let is_there = owned.clone().any(|it| it.product == item.product);
        if !is_there && item.peak > 0 {
            all.insert((&item.product, metric(Metric::Concurrent)));
        }
    }
    let lines = all.into_iter().map(|(product, word)| {
        let metric_of = |it: &&usher_api::Entitlement| metric(it.metric) == word;
        let of_it = owned.clone().filter(|it| it.product == product);
        let metric = of_it
            .clone()
            .find(metric_of)
            .map_or(Metric::Concurrent, |it| it.metric);
        let is_any = of_it.clone().next().is_some();
        let seats = of_it.filter(metric_of);
        let seats = seats.filter(|it| dates::is_valid(it, at));
        let seats: u64 = seats.map(|it| u64::from(it.seats)).sum();
        let item = input.figures.of(product, |it| it.peak);
        // Of what another licence server counts its entitlements are known only if somebody said.
        let of_it = |it: &&usher_api::SiteUsage| it.product == product;
        let mut here = input.figures.whole.iter().filter(of_it);
        let here = here.find(|it| it.counted == CountedBy::Here);
        let is_known = match here {
            Some(it) => it.owned.is_some(),
            None => is_any || item.is_none(),
        };
        Line {
            product,
            metric,
            owned: is_known.then_some(seats),
            used: item.and_then(|it| need::used(it, metric)),
            needed: need::needed(asked, item, metric, &input.needs),
        }
    });
    lines.collect()
}

fn now(lines: &[Line<'_>]) -> (Table, String) {
    let columns = [
        ("product", "Product", Text),
        ("metric", "Metric", State),
        ("owned", "Owned", Count),
        ("used", "Used", Count),
        ("needed", "Needed", Count),
        ("need", "Need", State),
        ("shortfall", "Shortfall", Count),
        ("spare", "Spare", Count),
        ("state", "State", State),
        ("found_by", "Found by", Text),
    ];
    let mut table = Table::new("now", "Owned, used, needed", &columns);
    let mut short: Vec<&str> = Vec::new();
    let mut missing = 0;
    for it in lines {
        let shortfall = it.shortfall();
        if let Some(seats) = shortfall.at_least() {
            short.push(it.product);
            missing += seats;
        }
        let owned = match it.owned {
            Some(owned) => cells::count(owned),
            None => Cell::not_known(need::NO_OWNER),
        };
        let used = match it.used {
            Some(used) => cells::count(used),
            None => it.needed.not_known(),
        };
        table.row(vec![
            Cell::text(it.product),
            Cell::text(metric(it.metric)),
            owned,
            used,
            it.needed.cell(),
            Cell::text(it.needed.word()),
            shortfall.cell(),
            need::spare(it.owned, &it.needed),
            Cell::text(shortfall.word()),
            Cell::text(it.needed.why()),
        ]);
    }
    let not_known = lines
        .iter()
        .filter(|it| it.shortfall().word() == "not_known")
        .count();
    let not_known = match not_known {
        0 => String::new(),
        of => format!("; of {} that is not known", many(of, "line")),
    };
    let summary = match short.len() {
        0 => format!("No product is known to be short{not_known}."),
        of => format!(
            "{} of {} are missing at least: {}{not_known}.",
            counted(missing, "seat"),
            many(of, "line"),
            names(&short),
        ),
    };
    (table, summary)
}

/// The columns of a date and what changes on it.
const DATED: [crate::draft::Of; 8] = [
    ("at", "From", Time),
    ("product", "Product", Text),
    ("metric", "Metric", State),
    ("owned_before", "Owned before", Count),
    ("owned_after", "Owned after", Count),
    ("needed", "Needed", Count),
    ("shortfall", "Shortfall", Count),
    ("state", "State", State),
];
