//! Whether a recording is fit for a what-if, or too much of the answer would be made up.

use crate::concerns::counted;
use crate::replay::wishes::Prepared;

/// Percent of the asks whose length may be unknown: above it, the answer is mostly of what was
/// drawn.
pub const UNKNOWN_SHARE_LIMIT_PERCENT: u64 = 20;
/// Percent of the recording's time in which nothing may have been recorded.
pub const GAPS_SHARE_LIMIT_PERCENT: u64 = 5;

/// Why a recording is not fit, in words; none if it is.
pub(super) fn why_unfit(prepared: &Prepared) -> Option<String> {
    let length_ms = u64::try_from(prepared.until_ms.saturating_sub(prepared.from_ms)).unwrap_or(0);
    let (asks, unknown) = (prepared.asks(), prepared.unknown);
    let mut reasons: Vec<String> = Vec::new();
    if asks == 0 {
        reasons.push("nobody asked for a seat in that time".to_owned());
    }
    if is_over(unknown, asks, UNKNOWN_SHARE_LIMIT_PERCENT) {
        reasons.push(format!(
            "{} of {} got no seat, so nobody knows how long {} would have held one: more than \
             {UNKNOWN_SHARE_LIMIT_PERCENT} %",
            unknown,
            counted(asks, "ask"),
            if unknown == 1 { "it" } else { "they" },
        ));
    }
    if is_over(prepared.unobserved_ms, length_ms, GAPS_SHARE_LIMIT_PERCENT) {
        reasons.push(format!(
            "nothing was recorded for {} of the time: more than {GAPS_SHARE_LIMIT_PERCENT} %",
            percent(prepared.unobserved_ms, length_ms)
        ));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn is_over(part: u64, whole: u64, limit_percent: u64) -> bool {
    u128::from(part) * 100 > u128::from(whole) * u128::from(limit_percent)
}

/// A share in percent with one decimal, such as `0.6 %`. What is above none is never said to be
/// `0.0 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    match (part, tenths) {
        (0, _) => "0 %".to_owned(),
        (_, 0) => "less than 0.1 %".to_owned(),
        (_, tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}
