//! FlexNet's debug log, after the fact or line by line while it is written.

mod envelope;
mod event;
mod fact;
mod life;
mod packages;
mod quiet;
mod reread;
#[cfg(test)]
mod tests;
mod told;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::dates::{DatesFrom, Found, LogClock, Moment, Reference};
use crate::fact::{Ask, Fact, Holder};
use crate::reading::{Out, Reader};

use envelope::{Line, Stamp};
use event::{Event, Kind};
use fact::{dated, feature};
use life::Life;
use packages::{Listing, Packages};
use reread::Rereads;
use told::ToldDate;

/// Facts that wait for the first date. At this many the last one is taken to be of the file's own time;
/// a file that is read twice ([`Log::again`]) needs no such guess.
pub const HELD_LIMIT: usize = 100_000;
/// The daemons write TIMESTAMP every six hours; a longer silence between such lines was not observed.
const SILENCE_LIMIT_SECONDS: i64 = 6 * 3600 + 1800;
/// The time in a date line differs from the line's own by no more; else it speaks of something earlier.
const SAME_TIME_SECONDS: i64 = 60;

/// Reads a debug log. Several files of one log may be given to one reader in their order, and a log that
/// is being written line by line: facts are said at once from the first date on. Whoever begins to follow
/// a log in its middle gives today as [`Reference::first_day`], so that nothing waits for a date.
#[derive(Debug)]
pub struct Log {
    clock: LogClock,
    /// The day of the file's own time, in the lines' zone.
    file_day: Date,
    packages: Packages,
    packages_listed: Listing,
    rereads: Rereads,
    held: Vec<(Moment, Fact)>,
    /// A daemon is listing its features.
    listing: bool,
    /// The manager of the daemons has ended.
    down: bool,
    /// The last line that said something.
    seen: Option<Timestamp>,
    has_zone: bool,
}

impl Log {
    /// Before the first line.
    pub fn new(reference: Reference) -> Log {
        Log::with(LogClock::new(reference))
    }

    /// For a second reading of the same lines, with what the first one [found](Self::found): so also the
    /// lines before the first date get theirs at once.
    pub fn again(reference: Reference, found: Found) -> Log {
        Log::with(LogClock::again(reference, found))
    }

    fn with(clock: LogClock) -> Log {
        Log {
            file_day: clock.file_day(),
            clock,
            packages: Packages::default(),
            packages_listed: Listing::default(),
            rereads: Rereads::default(),
            held: Vec::new(),
            listing: false,
            down: false,
            seen: None,
            has_zone: false,
        }
    }

    /// The log is written to at that instant: days without a year are read against it.
    pub fn file_is_of(&mut self, at: Timestamp) {
        self.clock.file_is_of(at);
        self.file_day = self.clock.file_day();
    }

    /// Facts that wait for the first date.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// What is known of the days; none before a date was told and before the end.
    pub fn found(&self) -> Option<Found> {
        self.clock.found()
    }

    /// How the days were found; none as long as none are.
    pub fn dates_from(&self) -> Option<DatesFrom> {
        self.found().map(|found| found.from)
    }

    /// The zone of the lines: what was asked for, else what the log says, else the site's.
    pub fn zone(&self) -> &TimeZone {
        self.clock.zone()
    }

    fn read(&mut self, read: Line<'_>, line: &str, out: &mut Out<'_>) {
        let set = match read.stamp {
            Stamp::Time(time) => self.clock.tick(time),
            Stamp::Civil(at) => self.clock.tick_civil(at),
            Stamp::Exact(at, offset) => {
                if let (false, Some(offset)) = (self.has_zone, offset) {
                    let local = self.clock.zone().to_datetime(at);
                    self.clock.zone_told(offset, local);
                    self.zone_changed();
                }
                self.clock.tick_exact(at)
            }
        };
        self.clock_set(set, out);
        self.flush_if_dated(out);
        match self.message(read, out) {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    /// Takes in a message. Returns whether it was understood.
    fn message(&mut self, read: Line<'_>, out: &mut Out<'_>) -> bool {
        self.rereads.hear(read.daemon, read.message);
        if let Some(date) = told::date(read.message) {
            self.date(date, out);
            self.life(read, out);
            return true;
        }
        if let Some((kind, rest)) = event::kind_of(read.message) {
            self.listing = false;
            let event = event::read(kind, rest);
            if let Some(event) = &event {
                self.event(read.daemon, event, out);
            }
            return event.is_some();
        }
        let is_of_life = self.life(read, out);
        if self.lists_packages(read, out) || is_of_life {
            return true;
        }
        if let Some(peak) = told::peak(read.message) {
            let moment = self.moment(out);
            let at = peak.at.and_then(|(date, time)| self.local(date, time));
            let fact = Fact::DaemonPeak {
                daemon: Some(read.daemon.to_owned()),
                feature: Some(peak.feature.to_owned()).filter(|name| !name.is_empty()),
                seats: peak.seats,
                at,
            };
            self.say(moment, fact, out);
            return true;
        }
        if let Some((package, components)) = packages::consisting(read.message) {
            self.consists(read.daemon, package, &components, out);
            return true;
        }
        if quiet::is_known(read.message) {
            self.listing &= read.message.is_empty();
            return true;
        }
        self.listing && quiet::is_list(read.message)
    }

    fn date(&mut self, told: ToldDate<'_>, out: &mut Out<'_>) {
        let line_time = match self.clock.line() {
            Moment::Counted { time, .. } => Some(time),
            Moment::Exact(_) => None,
        };
        let local = told
            .date
            .to_datetime(told.time.or(line_time).unwrap_or(Time::midnight()));
        if let (Some(time), Some(line_time)) = (told.time, line_time) {
            let apart = line_time.duration_since(time).as_secs().abs();
            if apart > SAME_TIME_SECONDS {
                return;
            }
        }
        if !told.zone.is_empty() {
            self.clock.zone_told(told.zone, local);
            self.zone_changed();
        }
        let restarted = told.from == DatesFrom::StartDate;
        let set = self.clock.anchor(told.date, told.from, restarted);
        self.clock_set(set, out);
        self.flush_if_dated(out);
        if let Some(at) = self.clock.instant(self.clock.line()) {
            self.observe(at, out);
        }
    }

    fn zone_changed(&mut self) {
        self.has_zone = true;
        self.file_day = self.clock.file_day();
    }

    fn local(&self, date: Date, time: Time) -> Option<Timestamp> {
        let local = self
            .clock
            .zone()
            .to_ambiguous_timestamp(date.to_datetime(time));
        local.compatible().ok()
    }

    fn life(&mut self, read: Line<'_>, out: &mut Out<'_>) -> bool {
        let Some(life) = life::read(read.daemon, read.message) else {
            return false;
        };
        self.listing = matches!(life, Life::Began(Some(_)));
        match life {
            Life::Began(Some(daemon)) if self.rereads.is_by(daemon) => return true,
            Life::Reread(Some(daemon)) => self.rereads.begins(daemon),
            _ => {}
        }
        let moment = self.moment(out);
        let at = Timestamp::UNIX_EPOCH;
        let owned = |daemon: Option<&str>| daemon.map(str::to_owned);
        let fact = match life {
            Life::Began(daemon) => Fact::Began {
                at,
                daemon: owned(daemon),
            },
            Life::Ended(daemon) => Fact::Ended {
                at,
                daemon: owned(daemon),
            },
            Life::Reread(daemon) => Fact::Reread {
                at,
                daemon: owned(daemon),
            },
        };
        self.say(moment, fact, out);
        true
    }

    fn event(&mut self, daemon: &str, event: &Event<'_>, out: &mut Out<'_>) {
        let moment = self.moment(out);
        if let Some(bracket) = event.bracket
            && event.kind == Kind::Out
            && !bracket.eq_ignore_ascii_case(daemon)
        {
            self.consists(daemon, event.feature, &[bracket], out);
        }
        if let Some(parts) = event.consists {
            self.consists(daemon, event.feature, &packages::names(parts), out);
        }
        let ask = Ask {
            at: Timestamp::UNIX_EPOCH,
            feature: feature(daemon, event.feature),
            holder: Holder {
                user: event.user.to_owned(),
                host: event.host.to_owned(),
                display: None,
            },
            seats: event.seats,
            version: event.version.map(str::to_owned),
            handle: event.handle.map(str::to_owned),
            package: self.packages.of(daemon, event.feature).map(str::to_owned),
        };
        let fact = match event.kind {
            Kind::Out => Fact::Checkout(ask),
            Kind::In if event.inactive => Fact::Inactive(ask),
            Kind::In => Fact::Checkin(ask),
            Kind::Denied => Fact::Denied(ask, event.reason.clone()),
            Kind::Unsupported => Fact::Unsupported(ask),
            Kind::Queued => Fact::Queued(ask),
            Kind::Dequeued => Fact::Dequeued(ask),
        };
        self.say(moment, fact, out);
    }

    /// Takes in what a daemon's list of features says of packages. Returns whether it says anything.
    fn lists_packages(&mut self, read: Line<'_>, out: &mut Out<'_>) -> bool {
        let Some(found) = self.packages_listed.take(read.daemon, read.message) else {
            return false;
        };
        for (package, component) in &found {
            self.consists(read.daemon, package, &[component], out);
        }
        true
    }

    fn consists(&mut self, daemon: &str, package: &str, parts: &[&str], out: &mut Out<'_>) {
        for part in parts {
            if self.packages.learn(daemon, package, part) {
                let fact = Fact::Consists {
                    package: feature(daemon, package),
                    component: (*part).to_owned(),
                };
                self.say(self.clock.line(), fact, out);
            }
        }
    }

    /// When the line was written; says so if the clock was set before it.
    fn moment(&mut self, out: &mut Out<'_>) -> Moment {
        let (moment, set) = self.clock.moment();
        self.clock_set(set, out);
        moment
    }

    fn clock_set(&mut self, set: Option<i64>, out: &mut Out<'_>) {
        if let Some(seconds) = set {
            let at = Timestamp::UNIX_EPOCH;
            self.say(self.clock.line(), Fact::ClockSet { at, seconds }, out);
        }
    }

    fn say(&mut self, moment: Moment, fact: Fact, out: &mut Out<'_>) {
        if self.clock.is_dated() {
            self.flush_if_dated(out);
            self.tell(moment, fact, out);
            return;
        }
        self.held.push((moment, fact));
        if self.held.len() >= HELD_LIMIT {
            self.clock.assume_file_time();
            self.flush_if_dated(out);
        }
    }

    fn flush_if_dated(&mut self, out: &mut Out<'_>) {
        if !self.held.is_empty() && self.clock.is_dated() {
            for (moment, fact) in std::mem::take(&mut self.held) {
                self.tell(moment, fact, out);
            }
        }
    }

    /// Says a fact at its instant. One that is out of the calendar is left out.
    fn tell(&mut self, moment: Moment, fact: Fact, out: &mut Out<'_>) {
        let Some(at) = self.clock.instant(moment) else {
            return;
        };
        match &fact {
            Fact::ClockSet { .. } => self.seen = Some(at),
            Fact::Consists { .. } => {}
            _ => self.observe(at, out),
        }
        match &fact {
            Fact::Ended { daemon: None, .. } => self.down = true,
            Fact::Began { .. } => self.down = false,
            _ => {}
        }
        out.say(dated(fact, at));
    }

    /// Something was written then: says if too long a silence was before it.
    fn observe(&mut self, at: Timestamp, out: &mut Out<'_>) {
        if let Some(from) = self.seen
            && self.clock.is_regular()
            && !self.down
            && at.duration_since(from) > SignedDuration::from_secs(SILENCE_LIMIT_SECONDS)
        {
            out.say(Fact::Unobserved { from, to: at });
        }
        self.seen = Some(at);
    }
}

impl Reader for Log {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let line = line.trim_start_matches('\u{feff}');
        if line.trim().is_empty() {
            out.understood();
            return;
        }
        match envelope::read(line, self.file_day) {
            Some(read) => self.read(read, line, out),
            None => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if self.held.is_empty() {
            return;
        }
        self.clock.assume_file_time();
        self.flush_if_dated(out);
    }
}
