//! The clock of a log whose lines say a time of day: days are counted from the first line, and the first
//! date that the log tells gives all of them their date.

#[cfg(test)]
mod tests;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::reference::{DatesFrom, Found, Reference};
use super::zone::zone_of;

const DAY_SECONDS: i64 = 86_400;
/// Lines of several processes may stand in the wrong order by as much.
const DISORDER_SECONDS: i64 = 10;
/// A time that is earlier by more is of the next day; a shorter step back is judged.
const ROLLOVER_SECONDS: i64 = 12 * 3600;
/// A step back of at most so much is a clock that was set, if the log has regular dates: they show that
/// no day passed in silence.
const SET_BACK_LIMIT_SECONDS: i64 = 2 * 3600 + 60;

/// When a line was written, by the log's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Days after the first line, and the time of day.
    Counted {
        /// Days after the first line; may be negative if lines stand in disorder.
        day: i64,
        /// The time of day.
        time: Time,
        /// It is the second of two hours of the same name, at the end of summer time.
        second: bool,
    },
    /// The line says all.
    Exact(Timestamp),
}

/// Finds out when lines were written. Per line: [`tick`](Self::tick) with its time, then, if it says a
/// date, [`anchor`](Self::anchor), else, if it matters, [`moment`](Self::moment).
#[derive(Debug)]
pub struct LogClock {
    reference: Reference,
    zone_in_log: Option<TimeZone>,
    /// The date of day 0.
    first_day: Option<Date>,
    from: Option<DatesFrom>,
    day: i64,
    latest: Option<Time>,
    line: Moment,
    /// Seconds of a step back that nothing has explained yet.
    step: Option<i64>,
    /// The day on which an hour was repeated.
    repeated: Option<i64>,
    /// The log has dates at regular intervals.
    regular: bool,
    latest_exact: Option<Timestamp>,
}

impl LogClock {
    /// Before the first line.
    pub fn new(reference: Reference) -> LogClock {
        let first_day = reference.first_day;
        LogClock {
            reference,
            zone_in_log: None,
            first_day,
            from: first_day.map(|_| DatesFrom::Option),
            day: 0,
            latest: None,
            line: Moment::Exact(Timestamp::UNIX_EPOCH),
            step: None,
            repeated: None,
            regular: false,
            latest_exact: None,
        }
    }

    /// Before the first line of a file that has been read once.
    pub fn again(reference: Reference, found: Found) -> LogClock {
        let mut clock = LogClock::new(reference);
        clock.zone_in_log = found.zone;
        if clock.first_day.is_none() {
            clock.first_day = Some(found.first_day);
            clock.from = Some(found.from);
        }
        clock
    }

    /// What is known of the days; none before a date was told.
    pub fn found(&self) -> Option<Found> {
        Some(Found {
            first_day: self.first_day?,
            zone: self.zone_in_log.clone(),
            from: self.from?,
        })
    }

    /// Whether lines can be given instants.
    pub fn is_dated(&self) -> bool {
        self.first_day.is_some()
    }

    /// Whether the log tells dates at regular intervals.
    pub fn is_regular(&self) -> bool {
        self.regular
    }

    /// The zone of the lines: what was asked for, else what the log says, else the site's.
    pub fn zone(&self) -> &TimeZone {
        let told = self.reference.zone.as_ref().or(self.zone_in_log.as_ref());
        told.unwrap_or(&self.reference.site_zone)
    }

    /// The day of the file's own time, in the lines' zone.
    pub fn file_day(&self) -> Date {
        self.file_time().date()
    }

    /// The file's own time is that now: it has grown.
    pub fn file_is_of(&mut self, at: Timestamp) {
        self.reference.file_time = at;
    }

    fn file_time(&self) -> DateTime {
        self.zone().to_datetime(self.reference.file_time)
    }

    /// The next line has that time of day. Returns by how many seconds the clock was set, if a step
    /// before it is only now known to be one.
    pub fn tick(&mut self, time: Time) -> Option<i64> {
        let Some(latest) = self.latest else {
            self.latest = Some(time);
            self.line_at(self.day, time);
            return None;
        };
        let ahead = seconds_of(time) - seconds_of(latest);
        if ahead >= DAY_SECONDS - DISORDER_SECONDS {
            // A line of yesterday that stands behind one of today.
            self.line_at(self.day.saturating_sub(1), time);
            return None;
        }
        if (-DISORDER_SECONDS..0).contains(&ahead) {
            self.line_at(self.day, time);
            return None;
        }
        let mut set = None;
        if ahead < 0 {
            set = self.decide();
            if -ahead >= ROLLOVER_SECONDS {
                self.day = self.day.saturating_add(1);
            } else {
                self.step = Some(-ahead);
            }
        }
        self.latest = Some(time);
        self.line_at(self.day, time);
        set
    }

    /// The next line says its instant. Returns by how many seconds the clock was set, if it was.
    pub fn tick_exact(&mut self, at: Timestamp) -> Option<i64> {
        let local = self.zone().to_datetime(at);
        let counted = plus_days(local.date(), self.day.saturating_neg()).unwrap_or(local.date());
        let first = *self.first_day.get_or_insert(counted);
        self.day = days_between(first, local.date());
        self.from = Some(
            self.from
                .map_or(DatesFrom::Timestamp, |from| from.min(DatesFrom::Timestamp)),
        );
        self.latest = Some(local.time());
        self.step = None;
        self.line = Moment::Exact(at);
        let before = self.latest_exact.replace(at)?;
        let back = before.duration_since(at).as_secs();
        if (1..=DISORDER_SECONDS).contains(&back) {
            self.latest_exact = Some(before);
        }
        (back > DISORDER_SECONDS).then_some(-back)
    }

    /// The next line says its day and time.
    pub fn tick_civil(&mut self, at: DateTime) -> Option<i64> {
        let earlier = self.tick(at.time());
        // Each line has its date: that days pass in silence says nothing.
        let set = self.date_told(at.date(), DatesFrom::Timestamp, true);
        earlier.or(set)
    }

    /// When the line was written, as far as it is known yet.
    pub fn line(&self) -> Moment {
        self.line
    }

    /// When the line was written, and by how many seconds the clock was set before it, if it was.
    pub fn moment(&mut self) -> (Moment, Option<i64>) {
        let set = self.decide();
        (self.line, set)
    }

    /// The line says its date. `restarted`: a server has just started, so that days may have passed in
    /// silence. Returns by how many seconds the clock was set, if it was.
    pub fn anchor(&mut self, date: Date, from: DatesFrom, restarted: bool) -> Option<i64> {
        let set = self.date_told(date, from, restarted);
        self.regular |= from == DatesFrom::Timestamp;
        set
    }

    fn date_told(&mut self, date: Date, from: DatesFrom, restarted: bool) -> Option<i64> {
        let Moment::Counted { day: line_day, .. } = self.line else {
            return None;
        };
        let Some(first) = self.first_day else {
            let set = self.decide();
            let Moment::Counted { day, .. } = self.line else {
                return set;
            };
            self.first_day = plus_days(date, day.saturating_neg());
            self.from = Some(from);
            return set;
        };
        // The first date corrects a day that was only assumed.
        let assumed = matches!(self.from, Some(DatesFrom::Option | DatesFrom::FileTime));
        let corrects = assumed && !self.regular;
        if !assumed {
            self.from = Some(self.from.map_or(from, |known| known.min(from)));
        }
        let told = days_between(first, date);
        let ahead = told.saturating_sub(line_day);
        let step = self.step.take();
        let repeats = ahead == 0 && step.is_some_and(|back| self.repeats_hour(back));
        self.day = self.day.saturating_add(ahead);
        self.shift_line(ahead);
        match (step, ahead) {
            _ if corrects => None,
            (Some(_), 0) if repeats => None,
            (Some(back), 0) => Some(-back),
            (None, 0) | (Some(_), 1) => None,
            (_, 1..) if restarted || !self.regular => None,
            (step, _) => Some(
                ahead
                    .saturating_mul(DAY_SECONDS)
                    .saturating_sub(step.unwrap_or(0)),
            ),
        }
    }

    /// The line says its zone; `at` is its local time.
    pub fn zone_told(&mut self, words: &str, at: DateTime) {
        if let Some(zone) = zone_of(words, at, &self.reference.site_zone) {
            self.zone_in_log = Some(zone);
        }
    }

    /// Nothing in the file says a date: its last line is taken to be of the file's own time.
    pub fn assume_file_time(&mut self) {
        if self.first_day.is_some() {
            return;
        }
        let file = self.file_time();
        // Clocks of a file server and of a licence server may differ by a little.
        let late = self
            .latest
            .is_some_and(|time| seconds_of(time) > seconds_of(file.time()) + 60);
        let back = self.day.saturating_add(i64::from(late));
        self.first_day = plus_days(file.date(), back.saturating_neg());
        self.from = Some(DatesFrom::FileTime);
    }

    /// The instant of a moment; none if no date is known, or it is out of the calendar. Of a local time
    /// that there is twice, the first is taken until the log itself steps back.
    pub fn instant(&self, moment: Moment) -> Option<Timestamp> {
        let (day, time, second) = match moment {
            Moment::Exact(at) => return Some(at),
            Moment::Counted { day, time, second } => (day, time, second),
        };
        let local = plus_days(self.first_day?, day)?.to_datetime(time);
        let possible = self.zone().to_ambiguous_timestamp(local);
        match possible.offset() {
            AmbiguousOffset::Fold { after, .. } if second => after.to_timestamp(local).ok(),
            _ => possible.compatible().ok(),
        }
    }

    fn line_at(&mut self, day: i64, time: Time) {
        let second = self.repeated == Some(day);
        self.line = Moment::Counted { day, time, second };
    }

    fn shift_line(&mut self, days: i64) {
        if let Moment::Counted { day, time, .. } = self.line {
            self.line_at(day.saturating_add(days), time);
        }
    }

    /// Judges a step back that no date explains.
    fn decide(&mut self) -> Option<i64> {
        let back = self.step.take()?;
        if self.repeats_hour(back) {
            return None;
        }
        if self.regular && back <= SET_BACK_LIMIT_SECONDS {
            return Some(-back);
        }
        self.day = self.day.saturating_add(1);
        self.shift_line(1);
        None
    }

    /// Whether a step back by so much is the end of summer time; remembers it.
    fn repeats_hour(&mut self, back: i64) -> bool {
        let Moment::Counted { day, time, .. } = self.line else {
            return false;
        };
        let Some(date) = self.first_day.and_then(|first| plus_days(first, day)) else {
            return false;
        };
        let possible = self.zone().to_ambiguous_timestamp(date.to_datetime(time));
        let AmbiguousOffset::Fold { before, after } = possible.offset() else {
            return false;
        };
        let longer = before.duration_since(after).as_secs();
        if self.repeated == Some(day) || back > longer.saturating_add(DISORDER_SECONDS) {
            return false;
        }
        self.repeated = Some(day);
        self.line_at(day, time);
        true
    }
}

fn seconds_of(time: Time) -> i64 {
    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

/// Days from one date to another; negative if the other is earlier.
fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_secs() / DAY_SECONDS
}

fn plus_days(date: Date, days: i64) -> Option<Date> {
    let seconds = days.checked_mul(DAY_SECONDS)?;
    date.checked_add(SignedDuration::from_secs(seconds)).ok()
}
