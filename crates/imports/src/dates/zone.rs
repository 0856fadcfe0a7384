//! The zone that a log's words mean. A word that more than one zone has says nothing unless it is what
//! the site's own zone is called.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The zone that `words` mean at that local time; none if they are no zone, or more than one. The site's
/// own zone is preferred if it has that name or that offset then, because it also knows when the clocks
/// change.
pub fn zone_of(words: &str, at: DateTime, site: &TimeZone) -> Option<TimeZone> {
    let words = words.trim();
    if words.is_empty() {
        return None;
    }
    let there = site.to_ambiguous_timestamp(at).compatible().ok();
    if let Some(offset) = offset_of(words) {
        let same = there.is_some_and(|instant| site.to_offset(instant) == offset);
        return Some(if same {
            site.clone()
        } else {
            TimeZone::fixed(offset)
        });
    }
    if there.is_some_and(|instant| site.to_offset_info(instant).abbreviation() == words) {
        return Some(site.clone());
    }
    if matches!(words, "UTC" | "GMT" | "Z" | "Coordinated Universal Time") {
        return Some(TimeZone::UTC);
    }
    let name = by_abbreviation(words).or_else(|| by_windows_name(words))?;
    TimeZone::get(name).ok()
}

/// `-05`, `+0530`, `+05:30`.
fn offset_of(words: &str) -> Option<Offset> {
    let (sign, digits) = match words.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|letter| *letter != ':').collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = match digits.get(2..) {
        None | Some("") => 0,
        Some(minutes) => minutes.parse().ok()?,
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || digits.len() > 4 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Abbreviations that one zone has. CST, IST, BST and AST are of several and left out.
fn by_abbreviation(words: &str) -> Option<&'static str> {
    Some(match words {
        "EST" | "EDT" => "America/New_York",
        "CDT" => "America/Chicago",
        "MST" | "MDT" => "America/Denver",
        "PST" | "PDT" => "America/Los_Angeles",
        "AKST" | "AKDT" => "America/Anchorage",
        "HST" => "Pacific/Honolulu",
        "WET" | "WEST" => "Europe/Lisbon",
        "CET" | "CEST" | "MEZ" | "MESZ" => "Europe/Berlin",
        "EET" | "EEST" => "Europe/Helsinki",
        "MSK" => "Europe/Moscow",
        "JST" => "Asia/Tokyo",
        "KST" => "Asia/Seoul",
        "HKT" => "Asia/Hong_Kong",
        "SGT" => "Asia/Singapore",
        "AEDT" => "Australia/Sydney",
        "NZST" | "NZDT" => "Pacific/Auckland",
        _ => return None,
    })
}

/// Names of Windows: `Central Daylight Time` is `Central Standard Time` in summer. Windows has others in
/// each language; the ones of Spain and Germany are known.
fn by_windows_name(words: &str) -> Option<&'static str> {
    match words {
        "Hora estándar romance" | "Hora de verano romance" => return Some("Europe/Madrid"),
        "Mitteleuropäische Zeit" | "Mitteleuropäische Sommerzeit" => {
            return Some("Europe/Berlin");
        }
        _ => {}
    }
    let place = [" Standard Time", " Daylight Time", " Summer Time"]
        .iter()
        .find_map(|end| words.strip_suffix(end))?;
    Some(match place {
        "Eastern" => "America/New_York",
        "Central" => "America/Chicago",
        "Mountain" => "America/Denver",
        "US Mountain" => "America/Phoenix",
        "Pacific" => "America/Los_Angeles",
        "Alaskan" => "America/Anchorage",
        "Hawaiian" => "Pacific/Honolulu",
        "Atlantic" => "America/Halifax",
        "E. South America" => "America/Sao_Paulo",
        "SA Pacific" => "America/Bogota",
        "GMT" => "Europe/London",
        "W. Europe" => "Europe/Berlin",
        "Central Europe" => "Europe/Budapest",
        "Central European" => "Europe/Warsaw",
        "Romance" => "Europe/Paris",
        "FLE" => "Europe/Kyiv",
        "GTB" => "Europe/Bucharest",
        "Turkey" => "Europe/Istanbul",
        "Israel" => "Asia/Jerusalem",
        "Russian" => "Europe/Moscow",
        "South Africa" => "Africa/Johannesburg",
        "Arabian" => "Asia/Dubai",
        "India" => "Asia/Kolkata",
        "SE Asia" => "Asia/Bangkok",
        "China" => "Asia/Shanghai",
        "Singapore" => "Asia/Singapore",
        "Taipei" => "Asia/Taipei",
        "Tokyo" => "Asia/Tokyo",
        "Korea" => "Asia/Seoul",
        "AUS Eastern" => "Australia/Sydney",
        "E. Australia" => "Australia/Brisbane",
        "W. Australia" => "Australia/Perth",
        "New Zealand" => "Pacific/Auckland",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn named(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone that the system knows")
    }

    #[test]
    fn words_of_logs_mean_zones_and_the_site_decides_between_several() {
        let at = date(2024, 7, 1).at(12, 0, 0, 0);
        let berlin = named("Europe/Berlin");
        let name = |words: &str, site: &TimeZone| {
            zone_of(words, at, site).and_then(|zone| zone.iana_name().map(str::to_owned))
        };
        assert_eq!(name("EDT", &berlin).as_deref(), Some("America/New_York"));
        assert_eq!(name("CEST", &berlin).as_deref(), Some("Europe/Berlin"));
        assert_eq!(
            name("Central Daylight Time", &berlin).as_deref(),
            Some("America/Chicago")
        );
        assert_eq!(
            name("Hora de verano romance", &berlin).as_deref(),
            Some("Europe/Madrid")
        );
        assert_eq!(name("IST", &berlin), None);
        assert_eq!(
            name("IST", &named("Asia/Kolkata")).as_deref(),
            Some("Asia/Kolkata")
        );
        assert_eq!(name("+0200", &berlin).as_deref(), Some("Europe/Berlin"));
        assert_eq!(name("Mars", &berlin), None);
    }

    #[test]
    fn an_offset_that_the_site_has_not_is_a_zone_of_its_own() {
        let at = date(2019, 7, 17).at(10, 55, 13, 0);
        let zone = zone_of("-05", at, &TimeZone::UTC).expect("a zone");
        let instant = zone
            .to_ambiguous_timestamp(at)
            .compatible()
            .expect("an instant");
        assert_eq!(instant.to_string(), "2019-07-17T15:55:13Z");
        assert!(zone_of("-5", at, &TimeZone::UTC).is_none());
        assert!(zone_of("+99999", at, &TimeZone::UTC).is_none());
    }
}
