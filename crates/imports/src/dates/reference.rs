//! What dates are resolved against, and how they were found.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// How the days of a file's lines were found, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatesFrom {
    /// The lines say it: a TIMESTAMP line, or a date at each line.
    Timestamp,
    /// A server's start says it.
    StartDate,
    /// Whoever imports says it.
    Option,
    /// The file's own time: its last line is no younger.
    FileTime,
}

impl DatesFrom {
    /// The word in an import's answer.
    pub fn as_str(self) -> &'static str {
        match self {
            DatesFrom::Timestamp => "timestamp",
            DatesFrom::StartDate => "start_date",
            DatesFrom::Option => "option",
            DatesFrom::FileTime => "file_time",
        }
    }
}

/// What times without a day, a year or a zone are resolved against.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The file's own time, that of its last change; for a live log the present.
    pub file_time: Timestamp,
    /// The day of the first line, if whoever imports says it.
    pub first_day: Option<Date>,
    /// The zone that whoever imports says: it wins over what the file says.
    pub zone: Option<TimeZone>,
    /// The zone of the site, if neither says any.
    pub site_zone: TimeZone,
}

/// What a first reading of a file found, so that a second one can date the lines before the first date.
#[derive(Debug, Clone)]
pub struct Found {
    /// The day of the first line.
    pub first_day: Date,
    /// The zone that the file says.
    pub zone: Option<TimeZone>,
    /// How the days were found.
    pub from: DatesFrom,
}

/// The year of a day that says none: the latest that is not after the file's own day. One day more is
/// let pass, because file and log may be in different zones.
pub fn day_without_year(month: i8, day: i8, file_day: Date) -> Option<Date> {
    let latest = file_day.tomorrow().unwrap_or(file_day);
    // 29 February may be up to 8 years back.
    (0..=8).find_map(|back| {
        let year = latest.year().checked_sub(back)?;
        Date::new(year, month, day)
            .ok()
            .filter(|date| *date <= latest)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_without_a_year_is_the_latest_that_the_file_can_speak_of() {
        let file = date(2024, 1, 3);
        assert_eq!(day_without_year(12, 31, file), Some(date(2023, 12, 31)));
        assert_eq!(day_without_year(1, 4, file), Some(date(2024, 1, 4)));
        assert_eq!(day_without_year(1, 5, file), Some(date(2023, 1, 5)));
        assert_eq!(day_without_year(2, 29, file), Some(date(2020, 2, 29)));
        assert_eq!(day_without_year(2, 30, file), None);
    }
}
