//! The lines of a report of rlmstat.

use crate::fact::Holder;
use crate::rlm::time;

/// What begins a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status<'l> {
    Rlm {
        host: &'l str,
        port: &'l str,
        up: Option<i64>,
    },
    Isv {
        name: &'l str,
        up: Option<i64>,
    },
    Pools {
        name: &'l str,
    },
    Usage {
        name: &'l str,
    },
}

/// Reads `rlm status on HOST (port P), up T`, `NAME ISV server status on HOST (port P), up T`, `NAME
/// license pool status on HOST (port P)` and `NAME license usage status on HOST (port P)`.
pub(super) fn status(line: &str) -> Option<Status<'_>> {
    let (what, place) = line.split_once(" status on ")?;
    let (host, rest) = place.split_once(" (port ")?;
    let (port, rest) = rest.split_once(')')?;
    let up = rest
        .split_once("up ")
        .and_then(|(_, up)| time::span_seconds(up));
    if what == "rlm" {
        return Some(Status::Rlm { host, port, up });
    }
    if let Some(name) = what.strip_suffix(" ISV server") {
        return Some(Status::Isv { name, up });
    }
    if let Some(name) = what.strip_suffix(" license pool") {
        return Some(Status::Pools { name });
    }
    let name = what.strip_suffix(" license usage")?;
    Some(Status::Usage { name })
}

/// Whether a line is understood and says nothing of use, wherever it stands.
pub(super) fn says_nothing(line: &str) -> bool {
    let starts = [
        "rlmutil v",
        "rlmstat v",
        "Copyright (C)",
        // Behind `Error connecting to "rlm" server`.
        "Connection attempted to host: ",
    ];
    line.chars()
        .all(|letter| letter == '-' || letter.is_whitespace())
        || line == "No error"
        || starts.iter().any(|start| line.starts_with(start))
}

/// Whether a line says that a server does not answer.
pub(super) fn is_loss(line: &str) -> bool {
    [
        "Error connecting",
        "Error reading",
        "Error getting",
        "Can't connect",
        "Cannot connect",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

/// Whether a line is one of the versions, files and figures that stand before the pools.
pub(super) fn is_statistic(line: &str) -> bool {
    let starts = [
        "Todays Statistics",
        "Recent Statistics",
        "Recent Stats",
        "Messages:",
        "Connections:",
        "Checkouts:",
        "Denials:",
        "Removals:",
    ];
    let inside = [" software version v", " comm version: v", " log filename:"];
    starts.iter().any(|start| line.starts_with(start))
        || inside.iter().any(|part| line.contains(part))
        || is_spans(line)
}

/// `00:23:38   22:55:53   5d 14:26:14`.
fn is_spans(line: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    words.peek().is_some()
        && words.all(|word| {
            let number = word.strip_suffix('d').unwrap_or(word);
            number
                .chars()
                .all(|letter| letter.is_ascii_digit() || letter == ':')
        })
}

/// The product in `NAME vVERSION` or `NAME vVERSION, pool: N`.
pub(super) fn pool_name(line: &str) -> Option<&str> {
    let line = line
        .split_once(", pool: ")
        .map_or(line, |(before, _)| before);
    let (name, version) = line.rsplit_once(" v")?;
    let is_version = !version.is_empty() && !version.contains(char::is_whitespace);
    let is_name = !name.is_empty() && !name.contains(": ");
    (is_version && is_name).then(|| name.trim())
}

/// A pool's figures.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    /// None: not counted.
    pub(super) count: Option<u64>,
    pub(super) reserved: u64,
    pub(super) in_use: u64,
}

/// Reads `count: N, # reservations: N, inuse: N, exp: DATE`.
pub(super) fn counts(line: &str) -> Option<Counts> {
    if !line.starts_with("count:") {
        return line.starts_with("UNCOUNTED").then_some(Counts {
            count: None,
            reserved: 0,
            in_use: figure(line, "inuse").unwrap_or(0),
        });
    }
    let count = field(line, "count")?;
    let count = match count.to_ascii_lowercase().as_str() {
        "unlimited" | "uncounted" => None,
        _ => Some(count.parse().ok()?),
    };
    Some(Counts {
        count,
        reserved: figure(line, "# reservations").unwrap_or(0),
        in_use: figure(line, "inuse")?,
    })
}

fn field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.split(',').map(str::trim).find_map(|part| {
        let value = part.strip_prefix(name)?.strip_prefix(':')?;
        Some(value.trim())
    })
}

fn figure(line: &str, name: &str) -> Option<u64> {
    field(line, name)?.parse().ok()
}

/// Whether a line is one of the further figures of a pool.
pub(super) fn pool_detail(line: &str) -> bool {
    let starts = [
        "obsolete:",
        "min_remove:",
        "total checkouts:",
        "soft_limit:",
        "hostid:",
        "exp:",
    ];
    starts.iter().any(|start| line.starts_with(start))
}

/// A line of somebody who holds or waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Usage<'l> {
    pub(super) product: &'l str,
    pub(super) version: &'l str,
    pub(super) holder: Holder,
    pub(super) seats: u32,
    pub(super) waits: bool,
    pub(super) day: &'l str,
    pub(super) clock: &'l str,
}

/// Reads `PRODUCT vVERSION: USER@HOST COUNT/RESERVED at MM/DD HH:MM  (handle: N)`. Of the two counts the
/// larger is taken. What stands between count and time may say that it waits; so may the words behind,
/// up to data of the vendor (`[I: ...]`).
pub(super) fn usage(line: &str) -> Option<Usage<'_>> {
    let (what, rest) = line.split_once(": ")?;
    let (product, version) = what.rsplit_once(" v")?;
    let (before, day, clock, tail) = around_time(rest)?;
    let before: Vec<&str> = before.split_whitespace().collect();
    let count_at = before.iter().rposition(|word| counted(word).is_some())?;
    let (who, behind) = before.split_at(count_at);
    let (count, remarks) = behind.split_first()?;
    let waits = |word: &&str| word.to_ascii_lowercase().contains("queue");
    // A name with blanks is joined by single ones: rlmstat writes user and host without quotes.
    let who = who.join(" ");
    let (user, host) = who.rsplit_once('@')?;
    // Old versions write the version and the handle here: `HOST(v1.0) (HANDLE)`.
    let host = host.split('(').next().unwrap_or(host).trim_end();
    Some(Usage {
        product: product.trim(),
        version,
        holder: Holder {
            user: user.to_owned(),
            host: host.to_owned(),
            display: None,
        },
        seats: counted(count)?,
        waits: remarks.iter().any(waits)
            || tail
                .iter()
                .take_while(|word| !word.starts_with('['))
                .any(waits),
        day,
        clock,
    })
}

/// What stands before the first ` at MM/DD HH:MM`, the date, the time, and the words behind.
fn around_time(text: &str) -> Option<(&str, &str, &str, Vec<&str>)> {
    text.match_indices(" at ").find_map(|(place, at)| {
        let (before, behind) = (text.get(..place)?, text.get(place + at.len()..)?);
        let mut words = behind.split_whitespace();
        let (day, clock) = (words.next()?, words.next()?);
        time::date(day)?;
        time::clock(clock)?;
        Some((before, day, clock, words.collect()))
    })
}

/// `COUNT/RESERVED`.
fn counted(word: &str) -> Option<u32> {
    let (count, reserved) = word.split_once('/')?;
    let (count, reserved): (u32, u32) = (count.parse().ok()?, reserved.parse().ok()?);
    Some(count.max(reserved))
}
