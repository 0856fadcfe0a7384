//! On which days an entitlement counts together with others, and what may then be used.

use std::cmp::Ordering;

use jiff::Timestamp;
use usher_api::Entitlement as Wire;
use usher_api::client::Client;

use super::sums::renews;
use super::{end, here};
use crate::failure::Failure;
use crate::listing::{Extent, Query, fetch};
use crate::output::{counted, tame};

/// Others that are named; the rest are counted.
const NAMED: usize = 5;

/// Says which others of its product count together with `entitlement`, and when.
pub(super) async fn told(client: &Client, entitlement: &Wire) -> Result<Vec<String>, Failure> {
    let query = Query::new("/v1/entitlements").with("product", Some(&entitlement.product));
    let all = fetch(client, &query, &Extent::ALL).await?;
    let all: Vec<&Wire> = all.items.iter().collect();
    Ok(sentences(entitlement, &all, &here()))
}

/// The same among `all` of its product; days of the time zone `here` are shown without it.
pub(super) fn sentences(entitlement: &Wire, all: &[&Wire], here: &str) -> Vec<String> {
    let others = all
        .iter()
        .copied()
        .filter(|other| other.id != entitlement.id);
    let both: Vec<&Wire> = others.filter(|other| meets(entitlement, other)).collect();
    let mut said: Vec<String> = both
        .iter()
        .take(NAMED)
        .map(|other| sentence(entitlement, other, all, here))
        .collect();
    if both.len() > NAMED {
        let more = counted((both.len() - NAMED) as u64, "more entitlement");
        said.push(format!("It counts together with {more} of the product."));
    }
    said
}

fn sentence(entitlement: &Wire, other: &Wire, all: &[&Wire], here: &str) -> String {
    let pair = [entitlement, other];
    let begin = pair.into_iter().max_by(|a, b| begins(a.from, b.from));
    let end_of = pair.into_iter().max_by(|a, b| ends(b.to, a.to));
    let (first, last) = (begin.unwrap_or(other), end_of.unwrap_or(other));
    let zone = |it: &Wire| it.time_zone.clone();
    let from = first.from.map(|at| {
        end(
            first.from_day.as_ref(),
            zone(first).as_ref(),
            Some(at),
            here,
        )
    });
    let to = last
        .to
        .map(|at| end(last.to_day.as_ref(), zone(last).as_ref(), Some(at), here));
    let when = match (from, to) {
        (Some(from), Some(to)) if from == to => format!("on {from}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(to)) => format!("until {to}"),
        (None, None) => "at all times".to_owned(),
    };
    let valid = |it: &&Wire| {
        let has_begun = begins(it.from, first.from) != Ordering::Greater;
        has_begun && first.from.is_none_or(|at| it.to.is_none_or(|to| to > at))
    };
    let seats = |it: &Wire| u64::from(it.seats) + u64::from(it.overdraft);
    let together: u64 = all.iter().copied().filter(valid).map(seats).sum();
    let together = counted(together, "seat");
    let named = format!("{} ({})", tame(&other.id), owned(other));
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
    format!(
        "{} {named} counts too: {together} may then be used.",
        capital(&when)
    )
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

/// Whether both are valid at some instant.
fn meets(one: &Wire, other: &Wire) -> bool {
    let before = |from: Option<Timestamp>, to: Option<Timestamp>| match (from, to) {
        (Some(from), Some(to)) => from < to,
        _ => true,
    };
    before(one.from, other.to) && before(other.from, one.to)
}

/// None: always was.
fn begins(one: Option<Timestamp>, other: Option<Timestamp>) -> Ordering {
    one.cmp(&other)
}

/// None: for ever.
fn ends(one: Option<Timestamp>, other: Option<Timestamp>) -> Ordering {
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => one.cmp(&other),
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
            sentences(&all[1], &every(&all), "UTC"),
            [
                "It takes over from E1 (10 seats): both count on 2026-12-31, and 20 seats may then be used."
            ]
        );
        assert_eq!(
            sentences(&all[0], &every(&all), "UTC"),
            [
                "E2 (10 seats) takes over from it: both count on 2026-12-31, and 20 seats may then be used."
            ]
        );
        assert_eq!(
            sentences(&all[2], &every(&all), "UTC"),
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
            sentences(&all[1], &every(&all), "UTC"),
            [
                "From 2026-07-01 to 2026-07-31 E1 (10 seats) counts too: 13 seats may then be used.",
                "From 2026-07-01 to 2026-07-31 E3 (2 seats) counts too: 13 seats may then be used.",
            ]
        );
        assert_eq!(
            sentences(&all[2], &every(&all), "UTC")[0],
            "At all times E1 (10 seats) counts too: 12 seats may then be used."
        );
    }
}
