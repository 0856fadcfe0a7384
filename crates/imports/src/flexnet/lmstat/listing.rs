//! The table of `lmstat -i`, which lists a licence file: feature, version, count, expiry and daemon.

use crate::fact::{Feature, Owned, Until};
use crate::flexnet::day;

/// The order of the last two columns, which differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `Expires Vendor`.
    VendorLast,
    /// `Vendor Expires`.
    ExpiryLast,
}

/// Reads the table's head.
pub(super) fn head(line: &str) -> Option<Order> {
    let starts = line.trim_start().get(..7);
    if !starts.is_some_and(|start| start.eq_ignore_ascii_case("feature")) {
        return None;
    }
    let words: Vec<String> = line
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let place = |start: &str| words.iter().position(|word| word.starts_with(start));
    if place("feature") != Some(0) || place("#licenses").is_none() {
        return None;
    }
    let (vendor, expiry) = (place("vendor")?, place("expir")?);
    Some(match vendor > expiry {
        true => Order::VendorLast,
        false => Order::ExpiryLast,
    })
}

/// Reads a row. The count is the first whole number that follows a version; what is before the version is
/// the feature's name, which may hold blanks.
pub(super) fn row(line: &str, order: Order) -> Option<Owned> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_version = |word: &str| word.starts_with(|letter: char| letter.is_ascii_digit());
    let count_at = words.windows(2).skip(1).position(
        |pair| matches!(pair, [version, count] if is_version(version) && seats(count).is_some()),
    )? + 2;
    let rest = words.get(count_at + 1..)?;
    let (expiry, vendor) = match order {
        Order::VendorLast => {
            let (vendor, expiry) = rest.split_last()?;
            (expiry.join(" "), *vendor)
        }
        Order::ExpiryLast => {
            let (vendor, expiry) = rest.split_first()?;
            (expiry.join(" "), *vendor)
        }
    };
    let (version, name) = words.get(..count_at)?.split_last()?;
    let feature = Feature {
        daemon: Some(vendor.to_owned()),
        name: name.join(" "),
    };
    Some(Owned {
        version: Some((*version).to_owned()),
        ..Owned::new(feature, seats(words.get(count_at)?)?, until(&expiry)?)
    })
}

/// Seats; none within: uncounted.
fn seats(word: &str) -> Option<Option<u32>> {
    match word {
        "0" | "uncounted" => Some(None),
        _ => word.parse().ok().map(Some),
    }
}

/// `31-dec-2026`, or for ever: `permanent`, `permanent(no expiration date)`, a year of zeros.
fn until(text: &str) -> Option<Until> {
    match text.to_ascii_lowercase().starts_with("permanent") {
        true => Some(Until::Permanent),
        false => day::read(text),
    }
}
