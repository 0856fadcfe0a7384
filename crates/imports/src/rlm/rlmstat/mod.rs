//! `rlmstat -a`, also by way of `rlmutil`: what the ISV servers of an RLM server say that they hold.
//!
//! A product of an ISV server is one snapshot: its pools are added up, whatever their versions. A pool's
//! count leaves out what is reserved, as in the report log, so what there is is both together. For whom
//! seats are reserved is not written, and is `unknown`.
//!
//! The report names no time of its own. It says when a server started and for how long it is up, and the
//! sum is the time of the report.

mod lines;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::fact::{Fact, Feature, Held, Snapshot};
use crate::reading::{Out, Reader};
use crate::rlm::time;
use crate::taken::Taken;

/// Products of one ISV server; further ones are not understood.
pub const PRODUCTS_LIMIT: usize = 100_000;
/// Holders and waiting people of one ISV server; further ones are not understood.
pub const PEOPLE_LIMIT: usize = 500_000;
/// A use may begin so many seconds after the report: the clocks of server and client differ.
const AHEAD_SECONDS: i64 = 86_400;

/// The part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Status,
    Servers,
    Pools,
    Usage,
}

/// A product whose pools and holders are read.
#[derive(Debug, Default)]
struct Product {
    /// Seats of its pools; none: one of them is not counted.
    issued: Option<u64>,
    in_use: u64,
    reserved: u64,
    has_pool: bool,
    held: Vec<Held>,
    queued: Vec<(crate::fact::Holder, u32)>,
}

/// Reads reports of rlmstat, one or several in a row.
pub struct Rlmstat {
    zone: TimeZone,
    taken: Taken,
    /// How long the server is up, until its start is read.
    up_seconds: Option<i64>,
    told: Option<DateTime>,
    server: Option<String>,
    isv: Option<String>,
    part: Part,
    products: BTreeMap<String, Product>,
    /// The product whose pool is being read.
    pool_of: Option<String>,
    people: usize,
}

impl Rlmstat {
    /// A reader of reports whose clock showed the time of that zone.
    pub fn new(zone: TimeZone, taken: Taken) -> Rlmstat {
        Rlmstat {
            zone,
            taken,
            up_seconds: None,
            told: None,
            server: None,
            isv: None,
            part: Part::Status,
            products: BTreeMap::new(),
            pool_of: None,
            people: 0,
        }
    }

    /// Whether the report that was read last says its own time.
    pub fn tells_time(&self) -> bool {
        self.told.is_some()
    }

    fn now(&self) -> Option<(Timestamp, DateTime)> {
        let here = |at| (at, self.zone.to_datetime(at));
        match (self.taken, self.told) {
            (Taken::At(at), told) => Some((at, told.unwrap_or_else(|| self.zone.to_datetime(at)))),
            (Taken::Written(_), Some(told)) => Some((time::instant(told, &self.zone)?, told)),
            (Taken::Written(at), None) => at.map(here),
        }
    }

    /// Whether the line was understood.
    fn take(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let line = line.trim();
        if let Some(status) = lines::status(line) {
            return self.begin(status, out);
        }
        if let Some(start) = line.strip_prefix("Startup time:") {
            let Some(start) = time::long(start) else {
                return false;
            };
            let up = self.up_seconds.take().map(SignedDuration::from_secs);
            self.told = up.and_then(|up| start.checked_add(up).ok()).or(self.told);
            return true;
        }
        if line.trim_matches('-').trim() == "ISV servers" {
            self.part = Part::Servers;
            return true;
        }
        if let Some(server) = line.strip_prefix("Setting license file path to ") {
            self.finish(out);
            self.server = Some(server.trim().to_owned());
            (self.part, self.told) = (Part::Status, None);
            return true;
        }
        if lines::says_nothing(line) {
            return true;
        }
        if lines::is_loss(line) {
            return self.silent(None, line, out);
        }
        match self.part {
            Part::Status => lines::is_statistic(line),
            Part::Servers => self.isv_server(line, out),
            Part::Pools => self.now().is_some() && self.pool(line),
            Part::Usage => self.usage(line),
        }
    }

    fn begin(&mut self, status: lines::Status<'_>, out: &mut Out<'_>) -> bool {
        match status {
            lines::Status::Rlm { host, port, up } => {
                self.finish(out);
                self.server = Some(format!("{port}@{host}"));
                (self.isv, self.part, self.told) = (None, Part::Status, None);
                self.up_seconds = up;
            }
            lines::Status::Isv { name, up } => {
                self.finish(out);
                (self.isv, self.part) = (Some(name.to_owned()), Part::Status);
                self.up_seconds = up;
            }
            lines::Status::Pools { name } | lines::Status::Usage { name } => {
                if self.isv.as_deref() != Some(name) {
                    self.finish(out);
                    self.isv = Some(name.to_owned());
                }
                self.part = match status {
                    lines::Status::Usage { .. } => Part::Usage,
                    _ => Part::Pools,
                };
            }
        }
        true
    }

    /// A row of the table of ISV servers: `NAME PORT Yes RESTARTS`.
    fn isv_server(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Name", ..] | [_, _, "Yes", _] => true,
            [name, _, "No", _] => self.silent(Some(name.to_owned()), "not running", out),
            _ => lines::is_statistic(line),
        }
    }

    fn silent(&self, daemon: Option<String>, why: &str, out: &mut Out<'_>) -> bool {
        let Some((at, _)) = self.now() else {
            return false;
        };
        out.say(Fact::Silent {
            at,
            server: self.server.clone(),
            daemon,
            why: why.to_owned(),
        });
        true
    }

    fn product(&mut self, name: &str) -> Option<&mut Product> {
        if !self.products.contains_key(name) && self.products.len() >= PRODUCTS_LIMIT {
            return None;
        }
        Some(self.products.entry(name.to_owned()).or_default())
    }

    fn pool(&mut self, line: &str) -> bool {
        if let Some(counts) = lines::counts(line) {
            let Some(product) = self.pool_of.clone().and_then(|name| self.product(&name)) else {
                return false;
            };
            let reserved = counts.reserved;
            let issued = counts.count.map(|count| count.saturating_add(reserved));
            product.issued = match product.has_pool {
                true => product
                    .issued
                    .zip(issued)
                    .map(|(one, other)| one.saturating_add(other)),
                false => issued,
            };
            product.has_pool = true;
            product.in_use = product.in_use.saturating_add(counts.in_use);
            product.reserved = product.reserved.saturating_add(reserved);
            return true;
        }
        if lines::pool_detail(line) {
            return true;
        }
        let Some(name) = lines::pool_name(line) else {
            return false;
        };
        self.pool_of = Some(name.to_owned());
        true
    }

    fn usage(&mut self, line: &str) -> bool {
        let (Some(usage), Some((_, civil))) = (lines::usage(line), self.now()) else {
            return false;
        };
        if self.people >= PEOPLE_LIMIT {
            return false;
        }
        let since = since(usage.day, usage.clock, civil, &self.zone);
        let Some(product) = self.product(usage.product) else {
            return false;
        };
        match usage.waits {
            true => product.queued.push((usage.holder, usage.seats)),
            false => product.held.push(Held {
                holder: usage.holder,
                seats: usage.seats,
                version: Some(usage.version.to_owned()),
                since,
                linger_seconds: None,
                borrowed_until: None,
            }),
        }
        self.people += 1;
        true
    }

    /// The ISV server's part is complete.
    fn finish(&mut self, out: &mut Out<'_>) {
        let products = std::mem::take(&mut self.products);
        (self.pool_of, self.people) = (None, 0);
        let Some((at, _)) = self.now() else {
            return;
        };
        for (name, product) in products {
            let reserved = u32::try_from(product.reserved).unwrap_or(u32::MAX);
            let trouble = match product.has_pool {
                true => None,
                false => Some("no pool of it is listed".to_owned()),
            };
            out.say(Fact::Snapshot(Box::new(Snapshot {
                at,
                server: self.server.clone(),
                feature: Feature {
                    daemon: self.isv.clone(),
                    name,
                },
                issued: product.issued,
                in_use: product.has_pool.then_some(product.in_use),
                held: product.held,
                reserved: match reserved {
                    0 => Vec::new(),
                    _ => vec![("unknown".to_owned(), reserved)],
                },
                queued: product.queued,
                trouble,
            })));
        }
    }
}

impl Reader for Rlmstat {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        match self.take(line, out) {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.finish(out);
    }
}

/// The latest such time that is not more than a day after the report.
fn since(day: &str, clock: &str, report: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let (month, day, _) = time::date(day)?;
    let clock = time::clock(clock)?;
    let latest = report
        .checked_add(SignedDuration::from_secs(AHEAD_SECONDS))
        .ok()?;
    let next_year = latest.year();
    // A leap day may be eight years back.
    let civil = (0..=8)
        .filter_map(|back: i16| next_year.checked_sub(back))
        .filter_map(|year| jiff::civil::Date::new(year, month, day).ok())
        .map(|date| date.to_datetime(clock))
        .find(|civil| *civil <= latest)?;
    time::instant(civil, zone)
}
