//! What each group pays of a cost: its seat seconds by those of all uses. Who is in several groups
//! counts in each, so the parts may add up to more than the cost.

use std::collections::BTreeMap;

use usher_api::ColumnKind::{Money, Seconds, Share, Text};
use usher_api::{Cell, Plot, SiteUsage};

use super::{Costs, one_currency, said, summary, sums};
use crate::by_group;
use crate::cells;
use crate::draft::Table;
use crate::gathered::{GroupUses, OfGroup};
use crate::plots;
use crate::words::{percent, rounded_money};

/// What a group pays of what a product cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part<'a> {
    whose: Whose<'a>,
    product: &'a str,
    currency: &'a str,
    seat_seconds: f64,
    share: f64,
    cost: u64,
}

/// Whose part it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose<'a> {
    Group(&'a OfGroup),
    /// No use of the product is known.
    Nobody,
    /// It was used, and the rows that say by whom are left out.
    LeftOut,
}

impl Whose<'_> {
    fn cells(self, why_not_known: &str) -> [Cell; 2] {
        match self {
            Whose::Group(whose) => by_group::cells(whose, why_not_known),
            Whose::Nobody => [Cell::Null, Cell::Null],
            Whose::LeftOut => [
                Cell::not_known("rows are left out"),
                Cell::text("not_known"),
            ],
        }
    }

    fn title(&self) -> &str {
        match self {
            Whose::Group(whose) => by_group::title(whose),
            Whose::Nobody => "(nobody)",
            Whose::LeftOut => "(left out)",
        }
    }
}

/// The cost of each product, as groups pay it.
pub(super) fn shared<'a>(
    costs: &Costs<'a>,
    groups: &'a GroupUses,
    whole: &[SiteUsage],
) -> Vec<Part<'a>> {
    // One that is counted here and elsewhere has a use of each.
    let mut by_product: BTreeMap<&str, BTreeMap<&OfGroup, f64>> = BTreeMap::new();
    for it in groups.uses.iter().filter(|it| it.seat_seconds > 0.0) {
        let of = by_product.entry(&it.product).or_default();
        *of.entry(&it.whose).or_default() += it.seat_seconds;
    }
    let mut parts = Vec::new();
    for (&(product, currency), cost) in costs {
        let all = groups.seat_seconds.get(product).copied().unwrap_or(0.0);
        let of = by_product.get(product).filter(|_| all > 0.0);
        let Some(of) = of else {
            let has_rows = groups.uses.iter().any(|it| it.product == product);
            let mut used = whole.iter().filter(|it| it.sessions > 0);
            let is_left_out = !has_rows && used.any(|it| it.product == product);
            parts.push(Part {
                whose: match is_left_out {
                    true => Whose::LeftOut,
                    false => Whose::Nobody,
                },
                product,
                currency,
                seat_seconds: 0.0,
                share: 1.0,
                cost: *cost,
            });
            continue;
        };
        for (whose, seat_seconds) in of {
            let share = (seat_seconds / all).min(1.0);
            parts.push(Part {
                whose: Whose::Group(whose),
                product,
                currency,
                seat_seconds: *seat_seconds,
                share,
                // A part of a cost is no more than it.
                cost: ((*cost as f64 * share).round() as u64).min(*cost),
            });
        }
    }
    parts
}

/// What each group pays in all.
pub(super) fn totals(
    costs: &Costs<'_>,
    parts: &[Part<'_>],
    why_not_known: &str,
) -> (Table, String, Option<Plot>) {
    let columns = by_group::columns(&[
        ("cost", "Cost", Money),
        ("currency", "Currency", Text),
        ("share", "Share", Share),
    ]);
    let mut totals: BTreeMap<(Whose<'_>, &str), u64> = BTreeMap::new();
    for part in parts {
        let total = totals.entry((part.whose, part.currency)).or_default();
        *total = total.saturating_add(part.cost);
    }
    // Each cost once, however many pay it.
    let sums = sums(costs.iter().map(|((_, currency), cost)| (*currency, *cost)));
    let of_all = |currency: &str, cost: u64| {
        let all = sums.get(currency).copied().unwrap_or(0).max(1);
        cost as f64 / all as f64
    };
    let mut table = Table::new("totals", "By group", &columns);
    let mut bars = Vec::new();
    for ((whose, currency), cost) in &totals {
        let [group, membership] = whose.cells(why_not_known);
        table.row(vec![
            group,
            membership,
            cells::money(*cost),
            Cell::text(*currency),
            cells::share(of_all(currency, *cost)),
        ]);
        bars.push(plots::bar(whose.title(), "cost", *cost as f64 / 10_000.0));
    }
    let most = totals.iter().max_by_key(|(_, cost)| **cost);
    let summary = match most {
        None => "There is no cost to share.".to_owned(),
        Some(((whose, currency), cost)) => {
            let amount = rounded_money(*cost);
            match whose {
                Whose::Group(whose) => format!(
                    "The largest part is that of {}: {amount} {currency}, {} of the cost in \
                     {currency}.",
                    by_group::title(whose),
                    percent(of_all(currency, *cost)),
                ),
                Whose::Nobody => format!(
                    "The largest part of {} is {amount} {currency} for what no use is known of.",
                    said(&sums),
                ),
                Whose::LeftOut => format!(
                    "The largest part of {} is {amount} {currency} of which it is not known who \
                     used it.",
                    said(&sums),
                ),
            }
        }
    };
    (table, summary, one_currency(&sums, bars))
}

/// The parts.
pub(super) fn table(parts: &[Part<'_>], why_not_known: &str) -> (Table, String) {
    let [group, membership] = by_group::COLUMNS;
    let columns = [
        ("product", "Product", Text),
        group,
        membership,
        ("seat_seconds", "Seat time", Seconds),
        ("share", "Share", Share),
        ("cost", "Cost", Money),
        ("currency", "Currency", Text),
    ];
    let mut table = Table::new("shares", "By product and group", &columns);
    for part in parts {
        let [group, membership] = part.whose.cells(why_not_known);
        table.row(vec![
            Cell::text(part.product),
            group,
            membership,
            cells::seconds(part.seat_seconds),
            cells::share(part.share),
            cells::money(part.cost),
            Cell::text(part.currency),
        ]);
    }
    let is_idle = |part: &&Part<'_>| !matches!(part.whose, Whose::Group(_));
    let idle = parts.iter().filter(is_idle).count();
    let summary = summary(parts.len(), idle);
    (table, summary)
}
