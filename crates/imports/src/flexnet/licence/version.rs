//! Versions of features: decimal numbers, so that 1.10 is 1.1 and older than 1.9.

use std::cmp::Ordering;

/// Compares two versions as numbers; none: one is no number of digits and one point.
pub(super) fn compare(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (parts(one)?, parts(other)?);
    let whole = one
        .0
        .len()
        .cmp(&other.0.len())
        .then_with(|| one.0.cmp(other.0));
    Some(whole.then_with(|| one.1.cmp(other.1)))
}

/// Whether they are the same version, as numbers or else as texts.
pub(super) fn same(one: &str, other: &str) -> bool {
    match compare(one, other) {
        Some(order) => order.is_eq(),
        None => one == other,
    }
}

/// Digits before and after the point, without zeros that say nothing. Compared as texts, what is left
/// after the point is in the order of the numbers.
fn parts(version: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = version.split_once('.').unwrap_or((version, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = !version.is_empty() && is_number(whole) && is_number(fraction);
    is_version.then(|| {
        (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_decimal_numbers() {
        assert_eq!(compare("1.10", "1.9"), Some(Ordering::Less));
        assert_eq!(compare("10.0", "9.5"), Some(Ordering::Greater));
        assert_eq!(compare("2026.06", "2026.0600"), Some(Ordering::Equal));
        assert_eq!(compare("1", "1.000"), Some(Ordering::Equal));
        assert_eq!(compare("1.2.3", "1.2"), None);
        assert_eq!(compare("", "1.2"), None);
        assert!(same("R2026b", "R2026b") && !same("R2026b", "1.0"));
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_numbers(one in 0u32..100_000, other in 0u32..100_000) {
            let version = |hundredths: u32| format!("{}.{:02}", hundredths / 100, hundredths % 100);
            prop_assert_eq!(compare(&version(one), &version(other)), Some(one.cmp(&other)));
        }
    }
}
