//! What requests say of this server's own: ids, and the ends of a validity. All else is read as any
//! role reads it.

use usher_core::ledger::{Bound, Wall};
pub(crate) use usher_http::input::{
    check_line, check_name, check_text, check_within, composed, instant, json, name, paging, place,
    query, until, within,
};
use usher_http::input::{is_beyond, is_day, no_date};

use crate::wire::problem::Refusal;

/// An id in a path: what cannot be read names nothing.
pub(crate) fn id<T: std::str::FromStr>(
    text: &str,
    unknown: impl FnOnce(&str) -> Refusal,
) -> Result<T, Refusal> {
    text.parse().map_err(|_| unknown(text))
}

/// One end of a validity: a day in that zone, or an instant.
pub(crate) fn bound(field: &str, text: &str, zone: &str) -> Result<Bound, Refusal> {
    if is_day(text) {
        let date = text.parse().map_err(|_| no_date(field, text))?;
        return Ok(Bound::day(date, zone.into()));
    }
    Ok(Bound::At(Wall(instant(field, text)?)))
}

/// The end of a validity: a day in that zone, or an instant. The last days of the calendar are how
/// people write that there is no end.
pub(crate) fn end(field: &str, text: &str, zone: &str) -> Result<Option<Bound>, Refusal> {
    match is_beyond(text) {
        true => Ok(None),
        false => bound(field, text, zone).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_valid_from_its_first_second_to_its_last() {
        let bound = |text, zone| bound("from", text, zone).unwrap();
        let day = bound("1970-01-02", "UTC");
        assert_eq!(day.begins(), Wall(86_400_000));
        assert_eq!(day.ends(), Wall(2 * 86_400_000));
        assert_eq!(
            bound("1970-01-02", "Asia/Tokyo").begins(),
            Wall(15 * 3_600_000)
        );
        let instant = bound("1970-01-01T02:00:00+02:00", "Asia/Tokyo");
        assert_eq!(instant, Bound::At(Wall(0)));
    }

    #[test]
    fn the_last_day_of_the_calendar_is_how_people_write_no_end() {
        for last in ["9999-12-31", "9999-12-31T23:59:59Z"] {
            assert_eq!(end("to", last, "UTC").unwrap(), None, "{last}");
        }
        assert!(end("to", "9999-12-29", "UTC").unwrap().is_some());
        assert!(end("to", "9999-12-32", "UTC").is_err());
        assert!(end("to", "9999-12-31T23:59:59", "UTC").is_err());
    }
}
