//! On which days entitlements of a product count together, and what may then be used.

use jiff::Timestamp;
use usher_api::Entitlement as Wire;
use usher_api::client::Client;

use super::gaps;
use super::named::{called, called_with};
use super::spans::{Span, spans};
use super::sums::renews;
use super::validity::{end, here};
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch};
use crate::output::counted;

/// Spans that are told; the rest are counted.
const SPANS_TOLD: usize = 5;

/// Says that `entitlement` is over, or which others of its product count together with it, when,
/// and what may then be used; and when nothing may be used before it or behind it.
pub(super) async fn told(client: &Client, entitlement: &Wire) -> Result<Vec<String>, Failure> {
    let query = Query::new("/v1/entitlements").with("product", Some(&entitlement.product));
    let all = fetch(client, &query, &Extent::ALL).await?;
    let all: Vec<&Wire> = all.items.iter().collect();
    let (now, here) = (Timestamp::now(), here());
    let mut said = sentences(entitlement, &all, now, &here);
    said.extend(gaps::sentences(entitlement, &all, now, &here));
    Ok(said)
}

/// The same among `all` of its product; days of the time zone `here` are shown without it.
pub(super) fn sentences(
    entitlement: &Wire,
    all: &[&Wire],
    now: Timestamp,
    here: &str,
) -> Vec<String> {
    if let Some(said) = over("It", entitlement, now, here) {
        return vec![said];
    }
    let is_it = |it: &Wire| it.id == entitlement.id;
    let (spans, more) = spans(all, is_it, SPANS_TOLD, now);
    let told = |span: &Span<'_>| {
        let (when, together) = (span.when(here), span.together());
        let others: Vec<&Wire> = span.valid.iter().copied().filter(|it| !is_it(it)).collect();
        let named = names(&others, span.count - 1);
        if let ([other], 2) = (&others[..], span.count) {
            if renews(entitlement, other) {
                return format!(
                    "It takes over from {named}: both count {when}, and {together} may then be used."
                );
            }
            if renews(other, entitlement) {
                return format!(
                    "{named} takes over from it: both count {when}, and {together} may then be used."
                );
            }
        }
        let counts = if span.count == 2 { "counts" } else { "count" };
        format!(
            "{} {named} {counts} too: {together} may then be used.",
            capital(&when)
        )
    };
    let mut said: Vec<String> = spans.iter().map(told).collect();
    if more > 0 {
        let more = counted(more as u64, "more span");
        said.push(format!("It counts together with others in {more} of time."));
    }
    said
}

/// Says that an entitlement is over.
pub(super) fn over(name: &str, it: &Wire, now: Timestamp, here: &str) -> Option<String> {
    let to = it.to.filter(|to| *to <= now)?;
    let last = end(it.to_day.as_ref(), it.time_zone.as_ref(), Some(to), here);
    Some(format!(
        "{name} is over already: it was valid until {last}, and no seat of it may be used."
    ))
}

/// When entitlements of a product count together.
pub(super) struct Together {
    /// In words, as many as were asked for.
    pub(super) sentences: Vec<String>,
    /// How many more there would be.
    pub(super) more: usize,
    /// Whether one of the sentences is about a renewal and what it renews.
    pub(super) has_renewal: bool,
}

/// When entitlements of a product count together, one of which `is_new`: at most `limit` sentences.
pub(super) fn together(
    all: &[&Wire],
    is_new: impl Fn(&Wire) -> bool,
    limit: usize,
    now: Timestamp,
    here: &str,
) -> Together {
    let (spans, more) = spans(all, is_new, limit, now);
    let mut has_renewal = false;
    let told = |span: &Span<'_>| {
        let (when, together) = (span.when(here), span.together());
        if let ([one, other], 2) = (&span.valid[..], span.count) {
            for (next, before) in [(one, other), (other, one)] {
                if renews(next, before) {
                    has_renewal = true;
                    return format!(
                        "{} takes over from {}: both count {when}, and {together} may then be used.",
                        called(next),
                        called_with(before, &owned(before))
                    );
                }
            }
        }
        let named = names(&span.valid, span.count);
        format!(
            "{} {named} count together: {together} may then be used.",
            capital(&when)
        )
    };
    Together {
        sentences: spans.iter().map(told).collect(),
        more,
        has_renewal,
    }
}

/// The first of `count`, with what they are of.
fn names(some: &[&Wire], count: usize) -> String {
    let mut named: Vec<String> = some.iter().map(|it| called_with(it, &owned(it))).collect();
    match count.saturating_sub(named.len()) {
        0 => {}
        more => named.push(format!("{more} more")),
    }
    let last = named.pop().unwrap_or_default();
    match named.is_empty() {
        true => last,
        false => format!("{} and {last}", named.join(", ")),
    }
}

/// As the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn owned(it: &Wire) -> String {
    let seats = counted(u64::from(it.seats), "seat");
    match it.overdraft {
        0 => seats,
        more => format!("{seats} and {more} of overdraft"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::wire;
    use super::*;

    fn now() -> Timestamp {
        "2026-01-10T12:00:00Z".parse().unwrap()
    }

    fn every(all: &[Wire]) -> Vec<&Wire> {
        all.iter().collect()
    }

    #[test]
    fn a_renewal_from_the_last_day_on_is_told_with_that_day_and_its_seats() {
        let all = [
            wire("E1", 10, Some(("2026-01-01", "2026-12-31"))),
            wire("E2", 10, Some(("2026-12-31", "2027-12-30"))),
            wire("E3", 1, Some(("2027-12-31", "2028-12-31"))),
        ];
        assert_eq!(
            sentences(&all[1], &every(&all), now(), "UTC"),
            [
                "It takes over from E1 (10 seats): both count on 2026-12-31, and 20 seats may then be used."
            ]
        );
        assert_eq!(
            sentences(&all[0], &every(&all), now(), "UTC"),
            [
                "E2 (10 seats) takes over from it: both count on 2026-12-31, and 20 seats may then be used."
            ]
        );
        assert_eq!(
            sentences(&all[2], &every(&all), now(), "UTC"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn more_seats_for_a_time_are_told_with_the_time() {
        let all = [
            wire("E1", 10, None),
            wire("E2", 1, Some(("2026-07-01", "2026-07-31"))),
            wire("E3", 2, None),
        ];
        assert_eq!(
            sentences(&all[1], &every(&all), now(), "UTC"),
            [
                "From 2026-07-01 to 2026-07-31 E1 (10 seats) and E3 (2 seats) count too: 13 seats may then be used.",
            ]
        );
        assert_eq!(
            sentences(&all[2], &every(&all), now(), "UTC"),
            [
                "Until 2026-06-30 E1 (10 seats) counts too: 12 seats may then be used.",
                "From 2026-07-01 to 2026-07-31 E1 (10 seats) and E2 (1 seat) count too: 13 seats may then be used.",
                "From 2026-08-01 on E1 (10 seats) counts too: 12 seats may then be used.",
            ]
        );
    }

    #[test]
    fn each_span_is_told_with_its_own_sum() {
        let all = [
            wire("E1", 10, Some(("2026-01-01", "2026-12-31"))),
            wire("E2", 10, Some(("2026-12-31", "2027-12-30"))),
            wire("E3", 5, Some(("2026-12-01", "2027-02-28"))),
        ];
        assert_eq!(
            sentences(&all[2], &every(&all), now(), "UTC"),
            [
                "From 2026-12-01 to 2026-12-30 E1 (10 seats) counts too: 15 seats may then be used.",
                "On 2026-12-31 E1 (10 seats) and E2 (10 seats) count too: 25 seats may then be used.",
                "From 2027-01-01 to 2027-02-28 E2 (10 seats) counts too: 15 seats may then be used.",
            ]
        );
    }

    #[test]
    fn what_is_over_already_is_said_so_and_nothing_of_days_that_are_past() {
        let all = [
            wire("E1", 10, Some(("2025-01-01", "2025-12-31"))),
            wire("E2", 10, Some(("2025-12-01", "2026-12-31"))),
        ];
        assert_eq!(
            sentences(&all[0], &every(&all), now(), "UTC"),
            ["It is over already: it was valid until 2025-12-31, and no seat of it may be used."]
        );
        assert_eq!(
            sentences(&all[1], &every(&all), now(), "UTC"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn many_spans_and_many_entitlements_are_counted() {
        let days = |number: u32| {
            (
                format!("2026-{:02}-01", number),
                format!("2026-{:02}-15", number),
            )
        };
        let mut all = vec![wire("E0", 1, None)];
        for month in 2..=10 {
            let (from, to) = days(month);
            all.push(wire(&format!("E{month}"), 1, Some((&from, &to))));
        }
        let said = sentences(&all[0], &every(&all), now(), "UTC");
        assert_eq!(said.len(), 6, "{said:#?}");
        assert_eq!(
            said[5],
            "It counts together with others in 4 more spans of time."
        );
        let same: Vec<Wire> = (0..9).map(|it| wire(&format!("E{it}"), 1, None)).collect();
        let said = sentences(&same[0], &every(&same), now(), "UTC");
        assert!(
            said[0].contains("and 5 more count too: 9 seats"),
            "{said:#?}"
        );
    }
}
