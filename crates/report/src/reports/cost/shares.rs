//! Whose share of a cost is how much: by seat seconds, and never more or less than the whole.

use std::collections::BTreeMap;

use usher_api::ColumnKind::{Money, Seconds, Share, Text};
use usher_api::{Cell, GroupBy, Plot, SiteUsage};

use super::{Costs, one_currency, said, summary, sums};
use crate::cells;
use crate::draft::Table;
use crate::gathered::UseOf;
use crate::plots;
use crate::words::{percent, rounded_money, whole};

/// A name, and the realm of a person.
type Whose<'a> = (&'a str, Option<&'a str>);

/// A part of what a product cost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part<'a> {
    /// Whose; none: no use of the product is known, or the rows of it are left out.
    of: Option<Whose<'a>>,
    /// It was used, and the rows that say by whom are not here.
    is_left_out: bool,
    product: &'a str,
    currency: &'a str,
    seat_seconds: f64,
    share: f64,
    cost: u64,
}

/// The cost of each product, divided among those who used it.
pub(super) fn shared<'a>(
    costs: &Costs<'a>,
    uses: &'a [UseOf],
    whole: &[SiteUsage],
) -> Vec<Part<'a>> {
    let mut by_product: BTreeMap<&str, Vec<&UseOf>> = BTreeMap::new();
    for it in uses.iter().filter(|it| it.seat_seconds > 0.0) {
        by_product.entry(&it.product).or_default().push(it);
    }
    for of in by_product.values_mut() {
        of.sort_by_key(|it| (&it.of, &it.realm));
    }
    let mut parts = Vec::new();
    for (&(product, currency), cost) in costs {
        let of = by_product.get(product).map_or(&[][..], |of| of);
        if of.is_empty() {
            let has_rows = uses.iter().any(|it| it.product == product);
            let mut used = whole.iter().filter(|it| it.sessions > 0);
            parts.push(Part {
                of: None,
                is_left_out: !has_rows && used.any(|it| it.product == product),
                product,
                currency,
                seat_seconds: 0.0,
                share: 1.0,
                cost: *cost,
            });
        }
        let weights: Vec<f64> = of.iter().map(|it| it.seat_seconds).collect();
        let sum: f64 = weights.iter().sum();
        for (it, cost) in of.iter().zip(divide(*cost, &weights)) {
            parts.push(Part {
                of: Some((&it.of, it.realm.as_deref())),
                is_left_out: false,
                product,
                currency,
                seat_seconds: it.seat_seconds,
                share: it.seat_seconds / sum,
                cost,
            });
        }
    }
    parts
}

/// An amount in parts of these weights, which are above 0; the parts add up to it. What rounding
/// leaves goes to those that lost most by it, the first of them first.
fn divide(amount: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    let exact = weights.iter().map(|weight| amount as f64 * (weight / sum));
    let exact: Vec<f64> = exact.collect();
    let mut left = amount;
    let mut parts: Vec<u64> = Vec::new();
    for exact in &exact {
        // Amounts beyond 2^53 are rounded; no part may take more than there is.
        let part = (exact.floor() as u64).min(left);
        left -= part;
        parts.push(part);
    }
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let lost = |place: &usize| exact[*place] - exact[*place].floor();
    order.sort_by(|one, other| lost(other).total_cmp(&lost(one)));
    // More than one each is left only if amounts are beyond 2^53.
    let each = left / whole(order.len()).max(1);
    let further = left % whole(order.len()).max(1);
    for (rank, place) in order.into_iter().enumerate() {
        parts[place] += each + u64::from(whole(rank) < further);
    }
    parts
}

/// What each pays in all.
pub(super) fn totals(by: GroupBy, parts: &[Part<'_>]) -> (Table, String, Option<Plot>) {
    let (key, title) = cells::group(by);
    let columns = [
        (key, title, Text),
        ("realm", "Realm", Text),
        ("cost", "Cost", Money),
        ("currency", "Currency", Text),
        ("share", "Share", Share),
    ];
    let mut totals: BTreeMap<(Option<Whose<'_>>, bool, &str), u64> = BTreeMap::new();
    for part in parts {
        let key = (part.of, part.is_left_out, part.currency);
        let total = totals.entry(key).or_default();
        *total = total.saturating_add(part.cost);
    }
    let sums = sums(parts.iter().map(|part| (part.currency, part.cost)));
    let mut table = Table::new("totals", format!("By {key}"), &columns);
    let mut bars = Vec::new();
    // What nobody is known to have used stands last.
    let is_used = |total: &(&(Option<Whose<'_>>, bool, &str), &u64)| total.0.0.is_some();
    let (used, idle): (Vec<_>, Vec<_>) = totals.iter().partition(is_used);
    for ((of, is_left_out, currency), cost) in used.into_iter().chain(idle) {
        let all = sums.get(currency).copied().unwrap_or(0).max(1);
        table.row(vec![
            whose(*of, *is_left_out),
            cells::text(of.and_then(|(_, realm)| realm)),
            cells::money(*cost),
            Cell::text(*currency),
            cells::share(*cost as f64 / all as f64),
        ]);
        let title = of.map_or("(nobody)", |(of, _)| of);
        bars.push(plots::bar(title, "cost", *cost as f64 / 10_000.0));
    }
    let most = totals.iter().max_by_key(|(_, cost)| **cost);
    let summary = match most {
        None => "There is no cost to share.".to_owned(),
        Some(((None, true, currency), cost)) => format!(
            "The largest part of {} is {} {currency} of which it is not known who used it.",
            said(&sums),
            rounded_money(*cost),
        ),
        Some(((None, false, currency), cost)) => format!(
            "The largest part of {} is {} {currency} for what no use is known of.",
            said(&sums),
            rounded_money(*cost),
        ),
        Some(((Some((of, _)), _, currency), cost)) => {
            let all = sums.get(currency).copied().unwrap_or(0).max(1);
            format!(
                "The largest part is that of {of}: {} {currency}, {} of the cost in {currency}.",
                rounded_money(*cost),
                percent(*cost as f64 / all as f64),
            )
        }
    };
    (table, summary, one_currency(&sums, bars))
}

/// The parts.
pub(super) fn table(by: GroupBy, parts: &[Part<'_>]) -> (Table, String) {
    let (key, title) = cells::group(by);
    let columns = [
        ("product", "Product", Text),
        (key, title, Text),
        ("realm", "Realm", Text),
        ("seat_seconds", "Seat time", Seconds),
        ("share", "Share", Share),
        ("cost", "Cost", Money),
        ("currency", "Currency", Text),
    ];
    let mut table = Table::new("shares", format!("By product and {key}"), &columns);
    for part in parts {
        table.row(vec![
            Cell::text(part.product),
            whose(part.of, part.is_left_out),
            cells::text(part.of.and_then(|(_, realm)| realm)),
            cells::seconds(part.seat_seconds),
            cells::share(part.share),
            cells::money(part.cost),
            Cell::text(part.currency),
        ]);
    }
    let idle = parts.iter().filter(|part| part.of.is_none()).count();
    let summary = summary(parts.len(), idle);
    (table, summary)
}

fn whose(of: Option<Whose<'_>>, is_left_out: bool) -> Cell {
    match of {
        Some((of, _)) => Cell::text(of),
        None if is_left_out => Cell::not_known("rows are left out"),
        None => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_rounding_leaves_goes_to_those_that_lost_most() {
        assert_eq!(divide(100, &[1.0, 1.0, 1.0]), [34, 33, 33]);
        assert_eq!(divide(10, &[1.0, 2.0]), [3, 7]);
        assert_eq!(divide(0, &[1.0, 2.0]), [0, 0]);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(
            amount in any::<u64>(),
            weights in prop::collection::vec(1e-3_f64..1e12, 1..40),
        ) {
            let parts = divide(amount, &weights);
            prop_assert_eq!(parts.len(), weights.len());
            let sum: u128 = parts.iter().map(|part| u128::from(*part)).sum();
            prop_assert_eq!(sum, u128::from(amount));
        }
    }
}
