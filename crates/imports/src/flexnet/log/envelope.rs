//! What stands before a message: the time, the daemon, and what a container runtime, a journal or a
//! syslog put in front of both.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use crate::dates::{day_without_year, month_of, slash_date, time_of_day};

/// The time and the daemon stand within so many bytes of a line.
const SEARCHED_BYTES: usize = 400;
/// A longer name is no daemon's.
const DAEMON_LIMIT_BYTES: usize = 64;

/// When a line was written, by the most that it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp<'l> {
    /// A time of day.
    Time(Time),
    /// A local date and time.
    Civil(DateTime),
    /// An instant, and the offset from UTC as it is written, if the daemon itself wrote it.
    Exact(Timestamp, Option<&'l str>),
}

/// A line in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'l> {
    pub(super) stamp: Stamp<'l>,
    /// The daemon; a copy of it that it forked counts as itself.
    pub(super) daemon: &'l str,
    pub(super) message: &'l str,
}

/// Takes a line apart: `[PREFIX] HH:MM:SS (DAEMON) MESSAGE`. `file_day` gives a year to dates without one.
pub(super) fn read(line: &str, file_day: Date) -> Option<Line<'_>> {
    for (place, _) in line.match_indices('(') {
        if place > SEARCHED_BYTES {
            break;
        }
        let (before, after) = (line.get(..place)?, line.get(place + 1..)?);
        let Some((prefix, own)) = own_stamp(before.trim_end(), file_day) else {
            continue;
        };
        let (daemon, message) = after.split_once(')')?;
        if daemon.is_empty() || daemon.len() > DAEMON_LIMIT_BYTES {
            return None;
        }
        let stamp = match (own, stamp_of_prefix(prefix, file_day)) {
            (Stamp::Exact(..), _) | (_, None) => own,
            (_, Some(Stamp::Exact(at, offset))) => Stamp::Exact(at, offset),
            (Stamp::Civil(_), _) => own,
            (_, Some(told)) => told,
        };
        return Some(Line {
            stamp,
            daemon: without_fork(daemon.trim()),
            message: message.trim(),
        });
    }
    None
}

/// `vendor_2` is the second process of `vendor`.
fn without_fork(daemon: &str) -> &str {
    match daemon.rsplit_once('_') {
        Some((name, number))
            if !name.is_empty()
                && (1..=2).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => daemon,
    }
}

/// The time right before the daemon, and what stands before that.
fn own_stamp(before: &str, file_day: Date) -> Option<(&str, Stamp<'_>)> {
    let start = before.rfind(char::is_whitespace).map_or(0, |blank| {
        blank + before[blank..].chars().next().map_or(1, char::len_utf8)
    });
    let (prefix, word) = before.split_at_checked(start)?;
    if let Some(time) = time_of_day(word) {
        let dated = prefix.split_whitespace().next_back();
        let dated = dated.and_then(|day| own_day(day, file_day));
        let stamp = match dated {
            Some(date) => Stamp::Civil(date.to_datetime(time)),
            None => Stamp::Time(time),
        };
        return Some((prefix, stamp));
    }
    iso(word).map(|stamp| (prefix, stamp))
}

/// The day right before the time; the oldest logs write month and day.
fn own_day(word: &str, file_day: Date) -> Option<Date> {
    if let Some(date) = word.parse().ok().or_else(|| slash_date(word)) {
        return Some(date);
    }
    let (month, day) = word.split_once('/')?;
    day_without_year(month.parse().ok()?, day.parse().ok()?, file_day)
}

/// `2023-09-07T12:11:00+0200`, with or without an offset or a fraction.
fn iso(word: &str) -> Option<Stamp<'_>> {
    let word = word.trim_start_matches('[').trim_end_matches([']', ',']);
    let (day, rest) = word.split_once('T')?;
    let date: Date = day.parse().ok()?;
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at_checked(end)?;
    let time = time_of_day(time)?;
    if offset.is_empty() {
        return Some(Stamp::Civil(date.to_datetime(time)));
    }
    let plain: String = offset.chars().filter(|letter| *letter != ':').collect();
    let plain = match plain.len() {
        1 => "+0000".to_owned(),
        3 => format!("{plain}00"),
        _ => plain,
    };
    let (hours, minutes) = plain.split_at_checked(3)?;
    let text = format!("{date}T{time}{hours}:{minutes}");
    Some(Stamp::Exact(text.parse().ok()?, Some(offset)))
}

/// What a container runtime (`2024-05-01T12:00:00.1Z stdout F`), a journal or a syslog
/// (`Nov 30 18:19:37 host lmgrd[12]:`, `Thu 2023-09-07 12:11:00 CEST host ...`) says of the time.
fn stamp_of_prefix(prefix: &str, file_day: Date) -> Option<Stamp<'_>> {
    let words: Vec<&str> = prefix.split_whitespace().take(12).collect();
    for (place, word) in words.iter().enumerate() {
        match iso(word) {
            // The offset is the runtime's, not the daemon's.
            Some(Stamp::Exact(at, _)) => return Some(Stamp::Exact(at, None)),
            Some(stamp) => return Some(stamp),
            None => {}
        }
        let time = words.get(place + 1).and_then(|time| time_of_day(time));
        if let (Ok(date), Some(time)) = (word.parse::<Date>(), time) {
            return Some(Stamp::Civil(date.to_datetime(time)));
        }
        let Some(month) = month_of(word).filter(|_| word.len() == 3) else {
            continue;
        };
        let [day, time, ..] = words.get(place + 1..)? else {
            continue;
        };
        let (Ok(day), Some(time)) = (day.parse(), time_of_day(time)) else {
            continue;
        };
        let date = day_without_year(month, day, file_day)?;
        return Some(Stamp::Civil(date.to_datetime(time)));
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn parts(line: &str) -> Option<(String, &str, &str)> {
        let line = read(line, date(2024, 12, 1))?;
        let stamp = match line.stamp {
            Stamp::Time(time) => time.to_string(),
            Stamp::Civil(at) => at.to_string(),
            Stamp::Exact(at, _) => at.to_string(),
        };
        Some((stamp, line.daemon, line.message))
    }

    #[test]
    fn time_daemon_and_message_are_found_behind_every_prefix() {
        let cases = [
            (" 9:49:41 (MLM) OUT: x", "09:49:41"),
            ("lmgrd_1    | 09:49:41 (MLM) OUT: x", "09:49:41"),
            ("[root@pc bin]# 09:49:41 (MLM) OUT: x", "09:49:41"),
            (
                "2024-05-01T07:49:41.123456789Z stdout F 09:49:41 (MLM) OUT: x",
                "2024-05-01T07:49:41Z",
            ),
            ("[pod/lm-0/lmgrd] 09:49:41 (MLM) OUT: x", "09:49:41"),
            (
                "Nov 30 09:49:41 srv lmgrd[123]: 09:49:41 (MLM) OUT: x",
                "2024-11-30T09:49:41",
            ),
            (
                "2024-05-01T09:49:41+0200 srv lmgrd[12]: 09:49:41 (MLM) OUT: x",
                "2024-05-01T07:49:41Z",
            ),
            (
                "2023-09-07T12:11:00+0200 (MLM) OUT: x",
                "2023-09-07T10:11:00Z",
            ),
            ("2023-09-07T12:11:00 (MLM) OUT: x", "2023-09-07T12:11:00"),
            ("2023-09-07 12:11:00 (MLM) OUT: x", "2023-09-07T12:11:00"),
            (
                "Thu 2023-09-07 12:11:00 CEST srv lmgrd[1]: 12:11:00 (MLM) OUT: x",
                "2023-09-07T12:11:00",
            ),
            ("12/31 12:11 (MLM) OUT: x", "2023-12-31T12:11:00"),
            ("12/31/2022 12:11 (MLM) OUT: x", "2022-12-31T12:11:00"),
            ("9:49:41 (MLM_2) OUT: x", "09:49:41"),
        ];
        for (line, stamp) in cases {
            let expected = Some((stamp.to_owned(), "MLM", "OUT: x"));
            assert_eq!(parts(line), expected, "{line}");
        }
    }

    #[test]
    fn what_has_no_time_before_a_daemon_is_no_line_of_a_log() {
        for line in [
            "",
            "hello (world)",
            "(MLM) OUT: x",
            "9:49:41 OUT: x",
            "9:49:41 (MLM",
            "é(é)",
        ] {
            assert_eq!(parts(line), None, "{line}");
        }
    }
}
