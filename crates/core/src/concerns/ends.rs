//! Entitlements that end and take seats away with them: soon, or so that notice is due.

use jiff::Span;
use jiff::civil::Date;

use super::facts::EntitlementFact;
use super::figures::{counted, day};

const DAY_MS: i64 = 24 * 3_600_000;

/// The message about an entitlement that ends within that many days.
pub(super) fn soon(it: &EntitlementFact, now_ms: i64, days: u32) -> Option<Vec<String>> {
    let left = it.ends_ms - now_ms;
    let is_soon = left > 0 && left <= i64::from(days) * DAY_MS;
    (is_soon && takes_seats(it)).then(|| {
        vec![
            called(it, [None, None]),
            it.product.clone(),
            it.seats.to_string(),
            last_day(it),
            it.seats_after.to_string(),
        ]
    })
}

/// The message about an entitlement on which notice is to be given within so many days, or was to
/// be given.
pub(super) fn notice(it: &EntitlementFact, now_ms: i64, days: u32) -> Option<Vec<String>> {
    // An entitlement whose notice is due on the day on which it ends needs none.
    let notice_days = it.notice_days.filter(|days| *days > 0)?;
    let due_ms = it.ends_ms - i64::from(notice_days) * DAY_MS;
    let is_due = days > 0 && due_ms - now_ms <= i64::from(days) * DAY_MS;
    let has_ended = it.ends_ms <= now_ms;
    if !is_due || has_ended || !takes_seats(it) {
        return None;
    }
    let last_day = last_day(it);
    let by = last_day.parse::<Date>().ok().and_then(|day| {
        let before = Span::new().try_days(i64::from(notice_days)).ok()?;
        day.checked_sub(before).ok()
    });
    let by = by.map_or_else(|| day(due_ms - 1), |day| day.to_string());
    let by = match due_ms <= now_ms {
        true => format!("{by}, which is past"),
        false => by,
    };
    let goes = it.seats_before - it.seats_after;
    // What takes over may have fewer seats.
    let renewed = it.seats.saturating_sub(goes);
    let renewed = (renewed > 0).then(|| {
        let verb = if renewed == 1 { "is" } else { "are" };
        format!(
            "{renewed} of its {} {verb} renewed",
            counted(it.seats, "seat")
        )
    });
    Some(vec![
        called(it, [it.price.clone(), renewed]),
        it.product.clone(),
        by,
        last_day,
        goes.to_string(),
    ])
}

/// Whether its end takes seats away. It does not if another entitlement takes over.
fn takes_seats(it: &EntitlementFact) -> bool {
    it.seats_after < it.seats_before
}

/// The name and id of an entitlement, with its contract and price: `cad-2026 (E12, contract
/// A-4711)`.
fn called(it: &EntitlementFact, more: [Option<String>; 2]) -> String {
    let contract = it.contract.as_ref().map(|it| format!("contract {it}"));
    let id = it.name.is_some().then(|| it.id.clone());
    let beside = [id, contract].into_iter().chain(more).flatten();
    let beside: Vec<String> = beside.collect();
    let name = it.name.as_ref().unwrap_or(&it.id);
    match beside.is_empty() {
        true => name.clone(),
        false => format!("{name} ({})", beside.join(", ")),
    }
}

/// The last day as it was entered, in whichever time zone; else the day of the instant, in UTC.
fn last_day(it: &EntitlementFact) -> String {
    it.last_day.clone().unwrap_or_else(|| day(it.ends_ms - 1))
}
