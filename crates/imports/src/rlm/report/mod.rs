//! RLM report logs in their three formats (small, standard, detailed), of all versions.
//!
//! A handle pairs the records of a use: OUT and IN, QUE and DEQUE or the OUT that grants it. The log's
//! start, its periodic time stamps and its end have a year; every other record has none and belongs to the
//! year, or in the small format to the day, that brings it nearest to the last time that is known.
//!
//! A log that goes on after a switch to another file does not begin anew. A record of a license in use
//! whose checkout stands in no line begins a use at that record's time, because when it really began is
//! not written. A denial counts if the application asks no other server after it. A share of a license
//! that is checked out already is a use of its own; the server's peak, which it does not raise, is told
//! beside.

mod pools;
mod record;
#[cfg(test)]
mod tests;
mod uses;
mod words;

pub use self::uses::OPEN_LIMIT;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use self::record::{Kind, When};
use self::uses::Open;
use self::words::Word;
use crate::fact::{Fact, Feature};
use crate::reading::{Out, Reader};
use crate::rlm::time;

/// Lines of text that the head of a log may have.
const HEAD_LINES: u8 = 20;

/// The clock that a log was written by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clock {
    /// That of the zone that somebody asked for; it wins over what the log says.
    Asked(TimeZone),
    /// That of the zone of the site, unless the log says another.
    Site(TimeZone),
}

/// How the file before ended, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Shutdown,
    Switch,
    End(Timestamp),
}

/// Reads a report log, or several that follow each other.
pub struct Report {
    clock: Clock,
    zone: TimeZone,
    /// Lines that may still belong to the head of a log.
    head_left: u8,
    /// A start whose zone may follow in the next line.
    started: Option<DateTime>,
    isv: Option<String>,
    server: Option<String>,
    known: Option<DateTime>,
    before: Before,
    uses: HashMap<String, Open>,
    waits: HashMap<String, Open>,
    pools: pools::Pools,
}

impl Report {
    /// A reader of logs that were written by that clock.
    pub fn new(clock: Clock) -> Report {
        let zone = match &clock {
            Clock::Asked(zone) | Clock::Site(zone) => zone.clone(),
        };
        Report {
            clock,
            zone,
            head_left: 0,
            started: None,
            isv: None,
            server: None,
            known: None,
            before: Before::Nothing,
            uses: HashMap::new(),
            waits: HashMap::new(),
            pools: pools::Pools::default(),
        }
    }

    /// The zone of the times: what was asked for, else what the log says, else the site's.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether the line was understood.
    fn take(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let words = words::words(line);
        let Some((first, rest)) = words.split_first() else {
            return true;
        };
        if first.text != "TIMEZONE" {
            self.say_start(out);
        }
        if first.text != "PRODUCT" {
            let at = self
                .known
                .and_then(|known| time::instant(known, &self.zone));
            self.pools.say_listed(at, self.server.as_deref(), out);
        }
        if line.trim_start().starts_with("RLM Report Log Format ") {
            self.head_left = HEAD_LINES;
            return true;
        }
        if self.head_left > 0 && !["START", "ISV:", "SWITCH"].contains(&first.text) {
            // The version of rlmanon and several lines of text.
            self.head_left -= 1;
            return true;
        }
        match first.text {
            "ISV:" => {
                let name = rest.first().map(|word| word.text.trim_end_matches(','));
                self.isv = name.filter(|name| !name.is_empty()).map(str::to_owned);
                self.isv.is_some()
            }
            "START" => self.start(rest),
            "TIMEZONE" => self.time_zone(rest),
            "SWITCH" => {
                self.before = Before::Switch;
                true
            }
            "END" => self.ended(rest),
            "SHUTDOWN" => self.shut_down(rest, out),
            "REREAD" => self.moment(rest).is_some_and(|at| {
                let daemon = self.isv.clone();
                out.say(Fact::Reread { at, daemon });
                true
            }),
            "TIMEJUMP" => self.time_jump(rest, out),
            "PRODUCT" => self.product(rest),
            "OUT" => self.record(Kind::Out, rest, out),
            "IN" => self.record(Kind::In, rest, out),
            "DENY" => self.record(Kind::Deny, rest, out),
            "QUE" => self.record(Kind::Queue, rest, out),
            "DEQUE" => self.record(Kind::Dequeue, rest, out),
            "INUSE" => self.record(Kind::InUse, rest, out),
            "ROAM_EXTEND" | "DYNRES" | "log" => self.moment(rest).is_some(),
            word => self.stamp(first, rest) || says_nothing(word),
        }
    }

    /// `mm/dd/yyyy hh:mm`, which the server writes from time to time.
    fn stamp(&mut self, first: &Word<'_>, rest: &[Word<'_>]) -> bool {
        let civil = match rest {
            [clock] => time::with_year(first.text, clock.text),
            _ => None,
        };
        self.known = civil.or(self.known);
        civil.is_some()
    }

    /// `START HOST mm/dd/yyyy hh:mm[:ss]`.
    fn start(&mut self, words: &[Word<'_>]) -> bool {
        let [host @ .., day, clock] = words else {
            return false;
        };
        let Some(civil) = time::with_year(day.text, clock.text) else {
            return false;
        };
        self.head_left = 0;
        self.server = (!host.is_empty()).then(|| words::joined(host));
        (self.known, self.started) = (Some(civil), Some(civil));
        true
    }

    /// Says that a log started, once its zone is known.
    fn say_start(&mut self, out: &mut Out<'_>) {
        let started = self.started.take();
        let Some(at) = started.and_then(|civil| time::instant(civil, &self.zone)) else {
            return;
        };
        let before = std::mem::replace(&mut self.before, Before::Nothing);
        if let Before::End(from) = before
            && from < at
        {
            out.say(Fact::Unobserved { from, to: at });
        }
        if before != Before::Switch {
            self.forget();
            let daemon = self.isv.clone();
            out.say(Fact::Began { at, daemon });
        }
    }

    /// `TIMEZONE MINUTES-WEST DAYLIGHT RULES # TEXT`. Without daylight saving the offset is the zone; with
    /// it the rules are not known, and the zone stays that of the site.
    fn time_zone(&mut self, words: &[Word<'_>]) -> bool {
        let west = words.first().and_then(|word| word.text.parse::<i32>().ok());
        let Some(west) = west else {
            return false;
        };
        let has_daylight = words
            .get(1)
            .is_some_and(|word| !["0", "#"].contains(&word.text));
        let offset = west
            .checked_mul(-60)
            .and_then(|seconds| Offset::from_seconds(seconds).ok());
        if let (Clock::Site(_), Some(offset), false) = (&self.clock, offset, has_daylight) {
            self.zone = TimeZone::fixed(offset);
        }
        offset.is_some()
    }

    /// `END mm/dd/yyyy hh:mm`: the log ends; the server need not.
    fn ended(&mut self, words: &[Word<'_>]) -> bool {
        let [day, clock] = words else {
            return false;
        };
        let Some(civil) = time::with_year(day.text, clock.text) else {
            return false;
        };
        self.known = Some(civil);
        if self.before == Before::Nothing
            && let Some(at) = time::instant(civil, &self.zone)
        {
            self.before = Before::End(at);
        }
        true
    }

    fn shut_down(&mut self, words: &[Word<'_>], out: &mut Out<'_>) -> bool {
        let Some(at) = self.moment(words) else {
            return false;
        };
        self.forget();
        self.before = Before::Shutdown;
        let daemon = self.isv.clone();
        out.say(Fact::Ended { at, daemon });
        true
    }

    /// `TIMEJUMP [+|-]MINUTES mm/dd hh:mm:ss`.
    fn time_jump(&mut self, words: &[Word<'_>], out: &mut Out<'_>) -> bool {
        // A sign may stand alone.
        let (sign, rest) = match words.split_first() {
            Some((word, rest)) if ["+", "-"].contains(&word.text) => (word.text, rest),
            _ => ("", words),
        };
        let minutes = rest
            .first()
            .and_then(|word| format!("{sign}{}", word.text).parse::<i64>().ok());
        let seconds = minutes.and_then(|minutes| minutes.checked_mul(60));
        let (Some(seconds), Some(at)) = (seconds, self.moment(words)) else {
            return false;
        };
        out.say(Fact::ClockSet { at, seconds });
        true
    }

    /// `PRODUCT NAME VERSION POOL FREE RESERVED ...`.
    fn product(&mut self, words: &[Word<'_>]) -> bool {
        let [name, _, _, free, reserved, ..] = words else {
            return false;
        };
        let number = |word: &Word<'_>| word.text.parse::<u64>().ok();
        let (Some(free), Some(reserved)) = (number(free), number(reserved)) else {
            return false;
        };
        let feature = self.feature(name.text);
        self.pools.list(feature, free, reserved);
        true
    }

    fn feature(&self, product: &str) -> Feature {
        Feature {
            daemon: self.isv.clone(),
            name: product.to_owned(),
        }
    }

    /// The instant of a line that says month, day and time somewhere.
    fn moment(&mut self, words: &[Word<'_>]) -> Option<Timestamp> {
        let (_, when) = record::when(words)?;
        self.at(when)
    }

    fn at(&mut self, when: When) -> Option<Timestamp> {
        let known = self.known?;
        let civil = match when {
            When::Day(month, day, clock) => time::nearest(month, day, clock, known),
            When::Clock(clock) => time::nearest_day(clock, known),
        }?;
        let at = time::instant(civil, &self.zone)?;
        self.known = Some(civil);
        Some(at)
    }

    /// Nothing is open.
    fn forget(&mut self) {
        self.uses.clear();
        self.waits.clear();
        self.pools.ended();
    }
}

impl Reader for Report {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        match self.take(line, out) {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.say_start(out);
        let at = self
            .known
            .and_then(|known| time::instant(known, &self.zone));
        self.pools.say_listed(at, self.server.as_deref(), out);
        self.pools.say_peaks(out);
    }
}

/// Records that say nothing of a use.
fn says_nothing(word: &str) -> bool {
    [
        "AUTH",
        "AUTH:",
        "BADAUTH",
        "LICENSE",
        "REPROCESSED",
        "INSTALL",
        "NLIC",
        "MIN_REMOVE",
        "TEMP",
    ]
    .contains(&word)
        || word.starts_with("METER_")
}
