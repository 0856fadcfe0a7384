//! How made-up files are read.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_imports::{How, Kind};

/// A file of that kind, written at a fixed instant.
pub(crate) fn how(kind: Kind) -> How {
    let written = Timestamp::from_second(1_796_061_600).expect("an instant");
    How {
        kind,
        time_zone: None,
        site_zone: TimeZone::UTC,
        first_day: None,
        day_first: false,
        server: None,
        written,
        today: written.to_zoned_datetime(TimeZone::UTC).date(),
    }
}
