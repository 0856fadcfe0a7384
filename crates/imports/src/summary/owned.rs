//! Seats that are owned by the word of licences, by feature and by product.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::naming::ProductMap;
use crate::fact::{Feature, Owned};

/// Adds the seats of a line that counts on that day; one that is uncounted makes its feature uncounted.
pub(super) fn add_seats(owned: &mut BTreeMap<Feature, Option<u64>>, line: &Owned, today: Date) {
    let sum = owned.entry(line.feature.clone()).or_insert(Some(0));
    if line.is_valid_on(today) {
        *sum = match (*sum, line.seats) {
            (Some(sum), Some(seats)) => Some(sum.saturating_add(u64::from(seats))),
            _ => None,
        };
    }
}

/// The same, of each product; one of several features has the seats of all.
pub(super) fn owned_by_product(
    owned: &BTreeMap<Feature, Option<u64>>,
    map: &ProductMap,
) -> BTreeMap<String, Option<u64>> {
    let mut by_product: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for (feature, seats) in owned {
        let sum = by_product.entry(map.product(feature)).or_insert(Some(0));
        *sum = sum
            .zip(*seats)
            .map(|(sum, seats)| sum.saturating_add(seats));
    }
    by_product
}
