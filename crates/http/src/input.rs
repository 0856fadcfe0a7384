//! What requests say, checked once at the edge: JSON, names, numbers, dates.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use usher_api::{NAME_LIMIT_BYTES, Timestamp, page_limit};
pub use usher_core::names::composed;

use crate::problem::{Refusal, shown};

/// The body as a `T`, whose texts may borrow from it.
///
/// # Errors
/// There is no body, or it is no valid `T`; names the fault and its line and column.
pub fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal::invalid(
            "the request needs a JSON body and has none: see GET /openapi.json for its fields",
        ));
    }
    usher_api::object::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("the body cannot be read: {error}")))
}

/// The query of a request as a `T`, for a route of axum.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Query<T>, Refusal> {
        query(&parts.uri).map(Query)
    }
}

/// The id in a route's path.
#[derive(Debug, Clone)]
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Id, Refusal> {
        use axum::extract::Path;
        let path = parts.uri.path().to_owned();
        let found = Path::<String>::from_request_parts(parts, state).await;
        let id = found.map(|Path(id)| Id(composed(&id).into_owned()));
        id.map_err(|error| {
            Refusal::invalid(format!(
                "the id in {} cannot be read ({}): give it percent-encoded as UTF-8",
                shown(&path),
                error.body_text()
            ))
        })
    }
}

/// The query as a `T`.
///
/// # Errors
/// It is no valid `T`; says why.
pub fn query<T: DeserializeOwned>(uri: &hyper::Uri) -> Result<T, Refusal> {
    let composed = composed_query(uri);
    axum::extract::Query::<T>::try_from_uri(composed.as_ref().unwrap_or(uri))
        .map(|query| query.0)
        .map_err(|error| {
            let mut why = String::new();
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                why = error.to_string();
                cause = error.source();
            }
            Refusal::invalid(format!("the query cannot be read: {why}"))
        })
}

/// The query with its values composed; `None` if they are composed already, as nearly all are.
fn composed_query(uri: &hyper::Uri) -> Option<hyper::Uri> {
    let query = uri.query().filter(|query| query.contains('%'))?;
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut changed = false;
    let mut built = form_urlencoded::Serializer::new(String::new());
    for (key, value) in pairs {
        let value_composed = composed(&value);
        changed |= value_composed != value;
        built.append_pair(&key, &value_composed);
    }
    let path = uri.path();
    changed.then(|| format!("{path}?{}", built.finish()).parse().ok())?
}

/// A name in its composed form: 1 to 255 bytes without control characters, and without blanks at
/// its ends.
///
/// # Errors
/// It is not valid; says why.
pub fn name<'a>(field: &str, text: &'a str) -> Result<Cow<'a, str>, Refusal> {
    check_name(field, text).map_err(Refusal::invalid)?;
    if text.trim().len() != text.len() {
        return Err(Refusal::invalid(format!(
            "`{field}` begins or ends with a blank, which nobody sees: leave it out"
        )));
    }
    let name = composed(text);
    if let Cow::Owned(name) = &name {
        // Some letters are longer when they are composed.
        check_name(field, name).map_err(Refusal::invalid)?;
    }
    Ok(name)
}

/// The same, if a refusal is only of an item.
///
/// # Errors
/// It is not valid; says why.
pub fn check_name(field: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!(
            "`{field}` is empty: give 1 to {NAME_LIMIT_BYTES} bytes"
        ));
    }
    check_text(field, text)
}

/// A text that may be empty: up to 255 bytes without control characters.
///
/// # Errors
/// It is not valid; says why.
pub fn check_text(field: &str, text: &str) -> Result<(), String> {
    check_line(field, text, NAME_LIMIT_BYTES)
}

/// A text that may be empty: up to so many bytes without control characters.
///
/// # Errors
/// It is not valid; says why.
pub fn check_line(field: &str, text: &str, limit_bytes: usize) -> Result<(), String> {
    if text.len() > limit_bytes {
        return Err(format!(
            "`{field}` has {} bytes: give at most {limit_bytes}",
            text.len()
        ));
    }
    // Most names are plain ASCII, for which a look at the bytes is enough: at all of them, which
    // takes several at once, rather than up to the first that is not.
    let plain = text
        .bytes()
        .fold(true, |plain, b| plain & (0x20..0x7f).contains(&b));
    if !plain && text.chars().any(usher_api::is_unseen) {
        return Err(format!(
            "`{field}` has control characters, or others that cannot be seen: leave them out"
        ));
    }
    Ok(())
}

/// A number within bounds.
///
/// # Errors
/// It is not: the bounds.
pub fn within(field: &str, value: u32, from: u32, to: u32) -> Result<u32, Refusal> {
    check_within(field, value, from, to).map_err(Refusal::invalid)?;
    Ok(value)
}

/// The same, if a refusal is only of an item.
///
/// # Errors
/// It is not: the bounds.
pub fn check_within(field: &str, value: u32, from: u32, to: u32) -> Result<(), String> {
    match (from..=to).contains(&value) {
        true => Ok(()),
        false => Err(format!("`{field}` is {value}: give {from} to {to}")),
    }
}

/// Where a page begins and how long it may be.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// The cursor; 0 begins at the beginning.
    pub cursor: u64,
    /// How many rows to return at most.
    pub limit: u32,
}

/// Reads `limit` and `cursor`.
///
/// # Errors
/// There is no such page.
pub fn paging(limit: Option<u32>, cursor: Option<&str>) -> Result<Paging, Refusal> {
    let limit = page_limit(limit).map_err(Refusal::invalid)?;
    let cursor = match cursor {
        None => 0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|cursor| i64::try_from(*cursor).is_ok())
            .ok_or_else(|| no_cursor(text))?,
    };
    Ok(Paging { cursor, limit })
}

/// Reads the cursor of a list that has places of its own kind.
///
/// # Errors
/// There is no such place.
pub fn place<P: FromStr>(cursor: Option<&str>) -> Result<Option<P>, Refusal> {
    cursor
        .map(|text| text.parse().map_err(|_| no_cursor(text)))
        .transpose()
}

fn no_cursor(text: &str) -> Refusal {
    Refusal::invalid(format!(
        "`cursor` is {}, which is not the `next` of any page: use the `next` of the previous page",
        shown(text)
    ))
}

/// An instant in a query: RFC 3339, or a day, which begins at midnight UTC.
///
/// # Errors
/// It is no date.
pub fn instant(field: &str, text: &str) -> Result<i64, Refusal> {
    day(text)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| is_beyond(text).then_some(Timestamp::MAX))
        .map(|instant| instant.as_millisecond())
        .ok_or_else(|| no_date(field, text))
}

/// Whether this is a date of the last two days that there are, not all of which is an instant.
pub fn is_beyond(text: &str) -> bool {
    const LAST: Date = Date::constant(9999, 12, 30);
    Pieces::parse(text).is_ok_and(|it| {
        let is_instant = it.time().is_some() && it.offset().is_some();
        it.date() >= LAST && (is_day(text) || is_instant)
    })
}

/// The end of a question's time, exclusive: the first instant after a day (of UTC), or an instant.
///
/// # Errors
/// It is no date.
pub fn until(field: &str, text: &str) -> Result<i64, Refusal> {
    const DAY_MS: i64 = 86_400_000;
    match day(text) {
        Some(day) => Ok(day.as_millisecond().saturating_add(DAY_MS)),
        None => instant(field, text),
    }
}

fn day(text: &str) -> Option<Timestamp> {
    is_day(text).then(|| format!("{text}T00:00:00Z").parse().ok())?
}

/// Whether this is written as a day is: `2026-01-31`.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

/// What is no date is refused so.
pub fn no_date(field: &str, text: &str) -> Refusal {
    Refusal::invalid(format!(
        "`{field}` is {}: give a day such as 2026-01-31 or an instant such as \
         2026-01-31T08:00:00Z",
        shown(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_behind_its_last_instant() {
        assert_eq!(instant("to", "1970-01-02").unwrap(), 86_400_000);
        assert_eq!(until("to", "1970-01-01").unwrap(), 86_400_000);
        assert_eq!(until("to", "1970-01-01T00:00:01Z").unwrap(), 1_000);
    }

    #[test]
    fn the_last_day_of_the_calendar_is_how_people_write_no_end() {
        for last in ["9999-12-31", "9999-12-31T23:59:59Z"] {
            assert!(is_beyond(last), "{last}");
            let latest = Timestamp::MAX.as_millisecond();
            assert_eq!(until("until", last).unwrap(), latest, "{last}");
            assert_eq!(instant("since", last).unwrap(), latest, "{last}");
        }
        for other in ["9999-12-29", "9999-12-32", "9999-12-31T23:59:59"] {
            assert!(!is_beyond(other), "{other}");
        }
    }

    #[test]
    fn a_name_is_the_same_however_its_accents_are_written() {
        assert_eq!(name("user", "Zoe\u{308}").unwrap(), "Zo\u{eb}");
        assert_eq!(name("user", "zoe").unwrap(), "zoe");
        let uri = "/v1/leases?user=Zoe%CC%88&limit=7".parse().unwrap();
        #[derive(Deserialize)]
        struct Query {
            user: String,
            limit: u32,
        }
        let read: Query = query(&uri).unwrap();
        assert_eq!((&*read.user, read.limit), ("Zo\u{eb}", 7));
    }

    #[test]
    fn a_name_has_no_blanks_at_its_ends() {
        for wrong in [" ", "ann ", "\u{a0}ann", "\u{3000}"] {
            assert!(name("user", wrong).is_err(), "{wrong:?} was taken");
        }
        assert_eq!(name("user", "Ann Lee").unwrap(), "Ann Lee");
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for wrong in [
            "",
            "yesterday",
            "2026-02-30",
            "2026-1-1",
            "2026-01-01T00:00:00",
        ] {
            assert!(instant("from", wrong).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn names_are_bounded_in_bytes_and_free_of_control_characters() {
        assert!(check_name("user", &"x".repeat(255)).is_ok());
        assert!(check_name("user", &"é".repeat(127)).is_ok());
        for wrong in ["", "a\nb", "a\u{7f}", "a\u{85}b"] {
            assert!(check_name("user", wrong).is_err(), "{wrong:?} was taken");
        }
        let unseen = [
            "a\u{202e}b",
            "\u{2066}a",
            "a\u{2069}",
            "a\u{200b}",
            "\u{200f}a",
            "\u{feff}a",
            "a\u{ad}b",
        ];
        for wrong in unseen {
            assert!(check_name("user", wrong).is_err(), "{wrong:?} was taken");
        }
        assert!(check_name("user", &"x".repeat(256)).is_err());
        assert!(check_name("user", &"é".repeat(128)).is_err());
    }

    #[test]
    fn a_cursor_is_a_number_that_a_page_gave() {
        assert_eq!(paging(None, Some("7")).unwrap().cursor, 7);
        assert_eq!(paging(None, None).unwrap().limit, 100);
        assert!(paging(Some(0), None).is_err());
        assert!(paging(Some(1_001), None).is_err());
        assert!(paging(None, Some("-1")).is_err());
        assert!(paging(None, Some("9999999999999999999")).is_err());
    }
}
