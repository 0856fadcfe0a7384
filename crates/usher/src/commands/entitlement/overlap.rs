//! On which days entitlements of a product count together, and what may then be used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use usher_api::Entitlement as Wire;
use usher_api::client::Client;

use super::sums::{renews, usable};
use super::{end, here};
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch};
use crate::output::{counted, tame};

/// Spans that are told; the rest are counted.
const SPANS_TOLD: usize = 5;
/// Entitlements of a span that are named; the rest are counted.
const NAMED: usize = 4;

/// Says that `entitlement` is over, or which others of its product count together with it, when,
/// and what may then be used.
pub(super) async fn told(client: &Client, entitlement: &Wire) -> Result<Vec<String>, Failure> {
    let query = Query::new("/v1/entitlements").with("product", Some(&entitlement.product));
    let all = fetch(client, &query, &Extent::ALL).await?;
    let all: Vec<&Wire> = all.items.iter().collect();
    Ok(sentences(entitlement, &all, Timestamp::now(), &here()))
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
                        "{} takes over from {} ({}): both count {when}, and {together} may then be used.",
                        tame(&next.id),
                        tame(&before.id),
                        owned(before)
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

/// A time on which several count together, always the same.
struct Span<'a> {
    /// None: since ever.
    first: Option<(Timestamp, Day<'a>)>,
    /// None: for ever.
    last: Option<(Timestamp, Day<'a>)>,
    /// The first of those that count.
    valid: Vec<&'a Wire>,
    count: usize,
    seats: u64,
}

/// A day as it was given, and its zone.
type Day<'a> = Option<(String, Option<&'a String>)>;

impl Span<'_> {
    fn when(&self, here: &str) -> String {
        let shown = |edge: &Option<(Timestamp, Day<'_>)>| {
            edge.as_ref().map(|(at, day)| {
                let (day, zone) = day.as_ref().map(|(day, zone)| (day, *zone)).unzip();
                end(day, zone.flatten(), Some(*at), here)
            })
        };
        match (shown(&self.first), shown(&self.last)) {
            (Some(from), Some(to)) if from == to => format!("on {from}"),
            (Some(from), Some(to)) => format!("from {from} to {to}"),
            (Some(from), None) => format!("from {from} on"),
            (None, Some(to)) => format!("until {to}"),
            (None, None) => "at all times".to_owned(),
        }
    }

    fn together(&self) -> String {
        counted(self.seats, "seat")
    }
}

/// What happens at an instant.
#[derive(Default)]
struct Edge<'a> {
    begin: Vec<usize>,
    end: Vec<usize>,
    /// The day that begins here, and the one before it.
    day: Option<(Date, Option<&'a String>)>,
}

/// The first spans that are not over and in which one counts for which `is_new` holds, and others
/// with it; and how many more there are.
fn spans<'a>(
    all: &[&'a Wire],
    is_new: impl Fn(&Wire) -> bool,
    limit: usize,
    now: Timestamp,
) -> (Vec<Span<'a>>, usize) {
    let mut edges: BTreeMap<Timestamp, Edge<'a>> = BTreeMap::new();
    let mut valid: BTreeSet<usize> = BTreeSet::new();
    for (index, &it) in all.iter().enumerate() {
        let zone = it.time_zone.as_ref();
        match it.from {
            None => {
                valid.insert(index);
            }
            Some(at) => {
                let edge = edges.entry(at).or_default();
                edge.begin.push(index);
                let day = it.from_day.as_ref().and_then(|day| day.parse().ok());
                edge.day = edge.day.or(day.map(|day| (day, zone)));
            }
        }
        if let Some(at) = it.to {
            let edge = edges.entry(at).or_default();
            edge.end.push(index);
            let day = it.to_day.as_ref().and_then(|day| day.parse().ok());
            let next = day.and_then(|day: Date| day.tomorrow().ok());
            edge.day = edge.day.or(next.map(|day| (day, zone)));
        }
    }
    let mut found = Vec::new();
    let mut more = 0;
    let mut first = None;
    let mut counting = Counting::of(&valid, all, &is_new);
    let steps = edges.into_iter().map(Some).chain([None]);
    for step in steps {
        let ended = step.as_ref().is_some_and(|(at, _)| *at <= now);
        if valid.len() > 1 && counting.new > 0 && !ended {
            match found.len() < limit {
                false => more += 1,
                true => found.push(Span {
                    first: first.take(),
                    last: step.as_ref().map(|(at, edge)| {
                        let before = edge.day.and_then(|(day, zone)| {
                            let before = day.yesterday().ok()?;
                            Some((before.to_string(), zone))
                        });
                        (*at, before)
                    }),
                    valid: valid.iter().take(NAMED).map(|index| all[*index]).collect(),
                    count: valid.len(),
                    seats: counting.seats,
                }),
            }
        }
        let Some((at, edge)) = step else { break };
        for index in edge.end {
            valid.remove(&index);
            counting.less(all[index], &is_new);
        }
        for index in edge.begin {
            valid.insert(index);
            counting.more(all[index], &is_new);
        }
        let day = edge.day.map(|(day, zone)| (day.to_string(), zone));
        first = Some((at, day));
    }
    (found, more)
}

/// Sums of those that count.
struct Counting {
    seats: u64,
    new: usize,
}

impl Counting {
    fn of(valid: &BTreeSet<usize>, all: &[&Wire], is_new: &impl Fn(&Wire) -> bool) -> Counting {
        let mut counting = Counting { seats: 0, new: 0 };
        valid
            .iter()
            .for_each(|index| counting.more(all[*index], is_new));
        counting
    }

    fn more(&mut self, it: &Wire, is_new: &impl Fn(&Wire) -> bool) {
        self.seats += usable(it);
        self.new += usize::from(is_new(it));
    }

    fn less(&mut self, it: &Wire, is_new: &impl Fn(&Wire) -> bool) {
        self.seats = self.seats.saturating_sub(usable(it));
        self.new = self.new.saturating_sub(usize::from(is_new(it)));
    }
}

/// The first of `count`, with what they are of.
fn names(some: &[&Wire], count: usize) -> String {
    let mut named: Vec<String> = some
        .iter()
        .map(|it| format!("{} ({})", tame(&it.id), owned(it)))
        .collect();
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
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn wire(id: &str, seats: u32, days: Option<(&str, &str)>) -> Wire {
        let at = |day: &str, hour: &str| format!("{day}T{hour}:00:00Z");
        let mut text = serde_json::json!({
            "id": id, "product": "cad", "metric": "concurrent", "seats": seats, "overdraft": 0,
            "in_use": 0, "allotment": "A1",
        });
        if let Some((from, to)) = days {
            text["from"] = at(from, "00").into();
            text["from_day"] = from.into();
            text["to_day"] = to.into();
            text["time_zone"] = "UTC".into();
            let day: jiff::civil::Date = to.parse().unwrap();
            text["to"] = at(&day.tomorrow().unwrap().to_string(), "00").into();
        }
        serde_json::from_value(text).unwrap()
    }

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
