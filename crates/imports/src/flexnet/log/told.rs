//! Messages that say the date, the zone, or a daemon's own count.

use jiff::civil::{Date, Time};

use crate::dates::{DatesFrom, long_date, slash_date};

/// A date that a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToldDate<'l> {
    pub(super) date: Date,
    /// The time of day that goes with it, if it is told.
    pub(super) time: Option<Time>,
    /// The zone's words; may be empty.
    pub(super) zone: &'l str,
    pub(super) from: DatesFrom,
}

/// The date of `TIMESTAMP 4/8/2019`, `(@lmgrd-SLOG@) Start-Date: Wed Jul 17 2019 10:55:13 -05`,
/// `Server's System Date and Time: ...` and `... started on HOST (linux) (7/17/2019)`.
pub(super) fn date(message: &str) -> Option<ToldDate<'_>> {
    if let Some(day) = message.strip_prefix("TIMESTAMP") {
        let day = slash_date(day.split_whitespace().next()?)?;
        return Some(of_day(day, DatesFrom::Timestamp));
    }
    let message = slog(message).unwrap_or(message);
    let told = ["Start-Date:", "Time:", "Server's System Date and Time:"]
        .iter()
        .find_map(|start| message.strip_prefix(start));
    if let Some(told) = told {
        let read = long_date(told)?;
        return Some(ToldDate {
            date: read.date,
            time: Some(read.time),
            zone: read.zone,
            from: DatesFrom::StartDate,
        });
    }
    if is_start(message) {
        let (_, day) = message.trim_end().strip_suffix(')')?.rsplit_once('(')?;
        return Some(of_day(slash_date(day)?, DatesFrom::StartDate));
    }
    None
}

fn of_day(date: Date, from: DatesFrom) -> ToldDate<'static> {
    ToldDate {
        date,
        time: None,
        zone: "",
        from,
    }
}

/// `FlexNet Licensing (v11.14.1.2 build 208719 x64_lsb) started on HOST (linux) (7/17/2019)`.
pub(super) fn is_start(message: &str) -> bool {
    let flex = message
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("flex"));
    flex && message.contains(") started on ")
}

/// What follows `(@DAEMON-SLOG@)`.
pub(super) fn slog(message: &str) -> Option<&str> {
    let (_, rest) = message.strip_prefix("(@")?.split_once("-SLOG@)")?;
    Some(rest.trim())
}

/// A daemon's own peak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToldPeak<'l> {
    /// The feature, if the line names one in quotes; else the daemon counts all of its clients.
    pub(super) feature: &'l str,
    pub(super) seats: u64,
    /// When, local time, if it is told.
    pub(super) at: Option<(Date, Time)>,
}

/// The peak of a summary line: `Peak ... #N attempted at DATE`, `Peak ...: N`, with or without a quoted
/// feature.
pub(super) fn peak(message: &str) -> Option<ToldPeak<'_>> {
    let message = slog(message)?;
    // Lower case of ASCII keeps the places of all letters.
    let place = message.to_ascii_lowercase().find("peak")?;
    let mut feature = "";
    let mut plain = message.get(place..)?;
    if let Some((before, quoted)) = message.split_once('"') {
        let (name, after) = quoted.split_once('"')?;
        feature = name;
        plain = if before.len() > place { after } else { plain };
    }
    let start = plain.find(|letter: char| letter.is_ascii_digit())?;
    let number = plain.get(start..)?;
    let end = number
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(number.len());
    let (number, rest) = number.split_at_checked(end)?;
    let at = rest
        .split_once(" at ")
        .and_then(|(_, date)| long_date(date))
        .map(|read| (read.date, read.time));
    Some(ToldPeak {
        feature,
        seats: number.parse().ok()?,
        at,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date as day, time};

    use super::*;

    #[test]
    fn dates_are_read_of_every_message_that_says_one() {
        let cases = [
            (
                "TIMESTAMP 4/8/2019",
                day(2019, 4, 8),
                "",
                DatesFrom::Timestamp,
            ),
            (
                "(@lmgrd-SLOG@) Start-Date: Mon Oct 06 2014 07:47:04 Central Daylight Time",
                day(2014, 10, 6),
                "Central Daylight Time",
                DatesFrom::StartDate,
            ),
            (
                "(@parteklm-SLOG@) Time: Thu Apr 30 2015 15:34:04 Eastern Daylight Time",
                day(2015, 4, 30),
                "Eastern Daylight Time",
                DatesFrom::StartDate,
            ),
            (
                "Server's System Date and Time: Wed Jul 17 2019 10:55:13 -05",
                day(2019, 7, 17),
                "-05",
                DatesFrom::StartDate,
            ),
            (
                "FlexNet Licensing (v11.16.2.1 build 245043 x64_n6) started on srv (IBM PC) (4/6/2022)",
                day(2022, 4, 6),
                "",
                DatesFrom::StartDate,
            ),
        ];
        for (message, expected, zone, from) in cases {
            let told = date(message).expect(message);
            assert_eq!(
                (told.date, told.zone, told.from),
                (expected, zone, from),
                "{message}"
            );
        }
        for message in [
            "TIMESTAMP",
            "TIMESTAMP soon",
            "(@x-SLOG@) Start-Date: today",
            "OUT: x",
        ] {
            assert_eq!(date(message), None, "{message}");
        }
    }

    #[test]
    fn a_peak_is_read_with_its_time() {
        let message =
            "(@d-SLOG@) Peak active connections #16 attempted at Tue Jul 22 2014 10:30:04 CDT";
        let read = peak(message).expect("a peak");
        assert_eq!((read.feature, read.seats), ("", 16));
        assert_eq!(read.at, Some((day(2014, 7, 22), time(10, 30, 4, 0))));
        let read = peak("(@d-SLOG@) \"f2\" peak usage: 7").expect("a peak");
        assert_eq!((read.feature, read.seats, read.at), ("f2", 7, None));
        let read = peak("(@d-SLOG@) Peak of \"f2\": 7").expect("a peak");
        assert_eq!((read.feature, read.seats), ("f2", 7));
        assert_eq!(peak("Peak 7"), None);
    }
}
