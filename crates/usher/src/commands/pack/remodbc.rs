//! What a Remodbc.ini of SMS 2.0 says, line by line, and what of it Usher takes over. PackTime and
//! PackInterval are in KB Q299261, Q213171 and Q263023, the keys of `[Logging]` in KB Q244875.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use usher_api::PackSchedule;

const WEEK_SECONDS: i64 = 7 * DAY_SECONDS;
const DAY_SECONDS: i64 = 86_400;
/// The schedule that SMS 2.0 came with.
const USUAL: &str = "Sun 01:59:59";

/// What was done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Did {
    /// Usher follows it.
    TakenOver,
    /// Usher has something else for it.
    Mapped,
    /// There is nothing like it in Usher.
    NoEquivalent,
    /// It says nothing that could be read.
    NotUnderstood,
}

/// A line of the file that says something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// Its number in the file, from 1.
    pub(super) number: usize,
    /// The line as it is.
    pub(super) text: String,
    /// What was done with it.
    pub(super) did: Did,
    /// What it became, or why nothing.
    pub(super) why: String,
}

/// Reads a file: the schedule that it asks for, if it does, and what became of each line.
pub(super) fn read(
    text: &str,
    zone: &TimeZone,
    zone_name: &str,
) -> (Option<PackSchedule>, Vec<Line>) {
    let entries = entries(text);
    let plan = Plan::of(&entries, zone);
    let schedule = plan.schedule.as_ref().map(|schedule| PackSchedule {
        schedule: schedule.clone(),
        time_zone: Some(zone_name.to_owned()),
        pack_time: plan.anchor(),
    });
    let lines = entries.iter().map(|entry| {
        let (did, why) = plan.became(entry, zone_name);
        Line {
            number: entry.number,
            text: entry.text.to_owned(),
            did,
            why,
        }
    });
    (schedule, lines.collect())
}

/// A line of the file, under its section. It may have no key.
struct Entry<'a> {
    number: usize,
    text: &'a str,
    section: String,
    key: String,
    value: &'a str,
    /// The same key stands further up: Windows reads the first.
    is_repeated: bool,
}

/// As `GetPrivateProfileString` reads it: names in any case, comments behind `;`, no escapes.
fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut section = String::new();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (place, text) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with(';') {
            continue;
        }
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = name.0.trim().to_ascii_lowercase();
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or(("", text));
        let key = key.trim().to_ascii_lowercase();
        let is_repeated = entries
            .iter()
            .any(|entry| entry.section == section && entry.key == key && !key.is_empty());
        entries.push(Entry {
            number: place + 1,
            text,
            section: section.clone(),
            key,
            value: value.trim(),
            is_repeated,
        });
    }
    entries
}

/// When the old installation packed.
struct Plan {
    time: Option<Timestamp>,
    interval_seconds: Option<i64>,
    /// The schedule as Usher writes it; none if the file asks for none that Usher can keep.
    schedule: Option<String>,
}

impl Plan {
    fn of(entries: &[Entry<'_>], zone: &TimeZone) -> Plan {
        let number = |key: &str| {
            let mut of_key = entries
                .iter()
                .filter(|entry| entry.section == "ds" && entry.key == key);
            of_key.next()?.value.parse::<i64>().ok()
        };
        let seconds = number("packtime").filter(|seconds| *seconds > 0);
        let time = seconds.and_then(|at| Timestamp::from_second(at).ok());
        let interval_seconds = number("packinterval");
        let schedule = match (time, interval_seconds) {
            (None, None) => None,
            (time, interval) => written(time, interval.unwrap_or(WEEK_SECONDS), zone),
        };
        Plan {
            time,
            interval_seconds,
            schedule,
        }
    }

    /// The run from which intervals count, in Unix seconds; none if the interval is a week.
    fn anchor(&self) -> Option<i64> {
        let is_weekly = self
            .interval_seconds
            .is_none_or(|interval| interval == WEEK_SECONDS);
        self.time.filter(|_| !is_weekly).map(Timestamp::as_second)
    }

    fn became(&self, entry: &Entry<'_>, zone_name: &str) -> (Did, String) {
        if entry.is_repeated {
            let why = "the same key stands further up, and Windows reads the first".to_owned();
            return (Did::NoEquivalent, why);
        }
        match (entry.section.as_str(), entry.key.as_str()) {
            ("ds", "packtime") => self.pack_time(zone_name),
            ("ds", "packinterval") => self.pack_interval(),
            ("logging", key) => logging(key, entry.value),
            (_, "") => (Did::NotUnderstood, "it is no KEY=VALUE".to_owned()),
            _ => (Did::NoEquivalent, "Usher has no such setting".to_owned()),
        }
    }

    fn pack_time(&self, zone_name: &str) -> (Did, String) {
        match (self.time, &self.schedule) {
            (Some(_), Some(schedule)) => (
                Did::TakenOver,
                format!("packs run by the schedule {schedule}, {zone_name}"),
            ),
            (Some(_), None) => (
                Did::NoEquivalent,
                "PackInterval cannot be kept, and a time alone is no schedule".to_owned(),
            ),
            (None, _) => (
                Did::NotUnderstood,
                "it is no number of seconds since 1970".to_owned(),
            ),
        }
    }

    fn pack_interval(&self) -> (Did, String) {
        match (self.interval_seconds, &self.schedule) {
            (Some(WEEK_SECONDS), Some(schedule)) => (
                Did::Mapped,
                format!(
                    "604800 seconds are a week: packs run by the calendar, {schedule}, and do not \
                     drift by an hour where clocks are changed"
                ),
            ),
            (Some(_), Some(schedule)) => (Did::TakenOver, format!("packs run {schedule}")),
            (Some(interval), None) => (
                Did::NoEquivalent,
                format!(
                    "{interval} seconds are out of range: Usher packs from each hour to each 366 days"
                ),
            ),
            (None, _) => (Did::NotUnderstood, "it is no number of seconds".to_owned()),
        }
    }
}

/// A rhythm as Usher writes it.
fn written(time: Option<Timestamp>, interval: i64, zone: &TimeZone) -> Option<String> {
    use usher_core::schedule::Schedule;
    let local = time.map(|time| zone.to_datetime(time));
    let clock = local.map_or("01:59:59".to_owned(), |at| {
        at.strftime("%H:%M:%S").to_string()
    });
    let text = if interval == WEEK_SECONDS {
        local.map_or(USUAL.to_owned(), |at| {
            at.strftime("%a %H:%M:%S").to_string()
        })
    } else if interval > 0 && interval % DAY_SECONDS == 0 {
        format!("every {} days {clock}", interval / DAY_SECONDS)
    } else {
        format!("every {interval} seconds")
    };
    Schedule::parse(&text)
        .ok()
        .map(|schedule| schedule.to_string())
}

fn logging(key: &str, value: &str) -> (Did, String) {
    let (did, why) = match key {
        "logon" if value == "0" => (
            Did::NoEquivalent,
            "Usher's log is always on; USHER_LOG=error makes it say least",
        ),
        "logon" => (
            Did::Mapped,
            "Usher's log is always on; USHER_LOG=debug makes it say more",
        ),
        "filename" => (
            Did::Mapped,
            "the log goes to standard error, which systemd keeps: journalctl -u usher-server",
        ),
        "backupname" => (
            Did::NoEquivalent,
            "systemd's journal keeps older entries by itself",
        ),
        "maxsize" => (
            Did::NoEquivalent,
            "systemd's journal keeps to its own bound, SystemMaxUse= in journald.conf",
        ),
        "" => (Did::NotUnderstood, "it is no KEY=VALUE"),
        _ => (Did::NoEquivalent, "Usher has no such setting"),
    };
    (did, why.to_owned())
}

#[cfg(test)]
mod tests;
