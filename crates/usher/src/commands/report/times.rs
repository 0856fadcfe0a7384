//! From when to when a report is, as the manager reads it.

use jiff::civil::Date;

use crate::failure::Failure;
use crate::time;

/// The first instant of the time that was typed.
pub(super) fn begin(text: Option<&str>, zone: Option<&str>) -> Result<Option<String>, Failure> {
    read("--from", text, zone, time::since_in)
}

/// The end of it.
pub(super) fn end(text: Option<&str>, zone: Option<&str>) -> Result<Option<String>, Failure> {
    read("--to", text, zone, time::up_to_in)
}

type Read = fn(&str, &jiff::ZonedDateTime) -> Result<jiff::Timestamp, String>;

fn read(
    option: &str,
    text: Option<&str>,
    zone: Option<&str>,
    read: Read,
) -> Result<Option<String>, Failure> {
    let now = time::now_in(zone)
        .map_err(|why| Failure::usage(format!("--time-zone cannot be read: {why}")))?;
    let Some(text) = text else {
        return Ok(None);
    };
    let at = read(text, &now)
        .map_err(|why| Failure::usage(format!("{option} cannot be read: {why}")))?;
    // Only the manager knows the site's zone.
    let is_of_site = zone.is_none() && text.len() == 10 && text.parse::<Date>().is_ok();
    Ok(Some(match is_of_site {
        true => text.to_owned(),
        false => at.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_sites_unless_a_zone_is_named() {
        let day = Some("2026-10-25");
        assert_eq!(begin(day, None).unwrap().as_deref(), day);
        assert_eq!(end(day, None).unwrap().as_deref(), day);
        let of = |at: Result<Option<String>, Failure>| at.unwrap().unwrap();
        let berlin = Some("Europe/Berlin");
        assert_eq!(of(begin(day, berlin)), "2026-10-24T22:00:00Z");
        assert_eq!(of(end(day, berlin)), "2026-10-25T23:00:00Z");
        assert_eq!(begin(None, None).unwrap(), None);
        assert!(begin(Some("some time"), None).is_err());
        assert!(begin(None, Some("Nowhere/Town")).is_err());
    }
}
