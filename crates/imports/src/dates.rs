//! Dates of foreign files: lines that say only a time of day are given their day from what the file
//! itself says, else from the file's own time, and never from today's.

mod clock;
mod reference;
mod words;
mod zone;

pub use clock::{LogClock, Moment};
pub use reference::{DatesFrom, Found, Reference, day_without_year};
pub use words::{
    LongDate, digits, instant_of, long_date, month_and_day, month_of, slash_date, time_of_day,
    weekday_of,
};
pub use zone::zone_of;
