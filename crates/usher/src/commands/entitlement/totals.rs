//! What the valid entitlements of a list cost together, and who pays for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use usher_api::{Entitlement as Wire, Price};

use super::details::core_price;
use super::sums::is_valid;
use crate::output::{counted, tame};

/// How many cost centres are shown; the rest are counted.
const CENTRES_SHOWN: usize = 20;

/// Sentences for the foot of a list; `None` if no valid entitlement has a price.
pub(super) fn lines(items: &[Wire], now: Timestamp) -> Vec<String> {
    let valid: Vec<&Wire> = items.iter().filter(|it| is_valid(it, now)).collect();
    let Some(all) = together(&valid) else {
        return Vec::new();
    };
    let without = valid.iter().filter(|it| it.price.is_none()).count() as u64;
    let without = match without {
        0 => String::new(),
        count => format!(" ({} without a price)", counted(count, "entitlement")),
    };
    let mut lines = vec![format!("What is valid today costs {all}{without}.")];
    let mut by_centre: BTreeMap<Option<&str>, Vec<&Wire>> = BTreeMap::new();
    for it in &valid {
        by_centre
            .entry(it.cost_centre.as_deref())
            .or_default()
            .push(it);
    }
    // Without one of them there is nothing to tell apart.
    let without = by_centre.remove(&None);
    if by_centre.is_empty() {
        return lines;
    }
    let paid = |(centre, paid): (Option<&str>, Vec<&Wire>)| {
        let prices = together(&paid)?;
        Some(match centre {
            Some(centre) => format!("Cost centre {}: {prices}.", tame(centre)),
            None => format!("Without a cost centre: {prices}."),
        })
    };
    let rest = by_centre.len().saturating_sub(CENTRES_SHOWN);
    let shown = by_centre.into_iter().take(CENTRES_SHOWN);
    lines.extend(shown.filter_map(paid));
    if rest > 0 {
        lines.push(format!("And {}.", counted(rest as u64, "more cost centre")));
    }
    lines.extend(without.and_then(|without| paid((None, without))));
    lines
}

/// What these cost: `12000 EUR/year + 100 EUR once`; `None` if none of them has a price.
fn together(some: &[&Wire]) -> Option<String> {
    let sums = Price::sums(some.iter().filter_map(|it| it.price.clone()));
    let sums: Vec<String> = sums.iter().map(|it| core_price(it).to_string()).collect();
    (!sums.is_empty()).then(|| sums.join(" + "))
}

#[cfg(test)]
mod tests {
    use super::super::details::read_price;
    use super::super::samples::wire;
    use super::*;

    #[test]
    fn what_is_valid_is_summed_and_told_by_who_pays() {
        let priced = |price: &str, centre: &str, days| {
            let mut it = wire("E1", 5, days);
            it.price = read_price(price).ok();
            it.cost_centre = (!centre.is_empty()).then(|| centre.to_owned());
            it
        };
        let days = Some(("2026-01-01", "2026-12-31"));
        let over = Some(("2025-01-01", "2025-12-31"));
        let items = [
            priced("12000 EUR/year", "4200", days),
            priced("500.50 EUR/year", "4200", days),
            priced("100 EUR once", "", None),
            priced("99 EUR once", "4300", over),
            priced("", "", days),
        ];
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        insta::assert_snapshot!(lines(&items, now).join("\n"), @r"
        What is valid today costs 12500.50 EUR/year + 100 EUR once (1 entitlement without a price).
        Cost centre 4200: 12500.50 EUR/year.
        Without a cost centre: 100 EUR once.
        ");
        assert_eq!(
            lines(&items[2..3], now),
            ["What is valid today costs 100 EUR once."]
        );
        assert!(
            lines(&items[3..], now).is_empty(),
            "nothing valid has a price"
        );
    }
}
