//! `lmstat -a`, and `lmstat -A -i`, of FlexNet 11.10 to 11.19: what a server says that it holds.
//!
//! A feature is one snapshot, also if it has several pools: the server counts them together. `in_use` is
//! the server's figure, which holds seats that are reserved for somebody and not used. A daemon is that
//! of a pool's header; a feature that nobody uses has no such header, and is the only daemon's of its
//! server, or that of the table of `-i`, or nobody's that is told.
//!
//! The server writes a borrowed seat as one that lingers. Here a seat that lingers for a day or longer in
//! all is borrowed, because borrowing is counted in hours and lingering in seconds or minutes.

mod holder;
mod lines;
mod listing;
#[cfg(test)]
mod tests;
mod time;

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::fact::{Fact, Feature, Held, Snapshot};
use crate::reading::{Out, Reader};
use crate::taken::Taken;

/// Holders, reservations and waiting people of one feature; further lines are not understood.
pub const PEOPLE_LIMIT: usize = 200_000;
/// Features that wait for the table of `-i` to name their daemon; further ones stay without.
pub const UNNAMED_LIMIT: usize = 100_000;
/// A seat that lingers so long in all, in seconds, is borrowed.
const BORROWED_FROM_SECONDS: u64 = 86_400;

/// The part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Daemons,
    Features,
    Listing(listing::Order),
}

/// Reads reports of lmstat, one or several in a row.
pub struct Lmstat {
    zone: TimeZone,
    taken: Taken,
    told: Option<DateTime>,
    server: Option<String>,
    part: Part,
    daemons: Vec<String>,
    open: Option<Snapshot>,
    unnamed: Vec<Snapshot>,
    listed: BTreeMap<String, String>,
    hosts: holder::Hosts,
}

impl Lmstat {
    /// A reader of reports whose clock showed the time of that zone.
    pub fn new(zone: TimeZone, taken: Taken) -> Lmstat {
        Lmstat {
            zone,
            taken,
            told: None,
            server: None,
            part: Part::Head,
            daemons: Vec::new(),
            open: None,
            unnamed: Vec::new(),
            listed: BTreeMap::new(),
            hosts: holder::Hosts::default(),
        }
    }

    /// Whether the report that was read last says its own time.
    pub fn tells_time(&self) -> bool {
        self.told.is_some()
    }

    /// The report's instant, and what its clock showed then.
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
        let trimmed = line.trim();
        if let Some(time) = trimmed.strip_prefix("Flexible License Manager status on ") {
            self.close(out);
            self.name_the_unnamed(out);
            self.told = time::of_report(time);
            (self.server, self.part) = (None, Part::Head);
            self.daemons.clear();
            return self.told.is_some();
        }
        if let Some(servers) = trimmed.strip_prefix("License server status:") {
            self.close(out);
            let servers = servers.trim();
            self.server = (!servers.is_empty()).then(|| servers.to_owned());
            self.part = Part::Head;
            self.daemons.clear();
            return true;
        }
        if trimmed.starts_with("Vendor daemon status (on ") {
            self.part = Part::Daemons;
            return true;
        }
        if trimmed == "Feature usage info:" {
            self.part = Part::Features;
            return true;
        }
        if let Some(order) = listing::head(line) {
            self.close(out);
            self.part = Part::Listing(order);
            return true;
        }
        if says_nothing(trimmed) {
            return true;
        }
        if trimmed.starts_with("Users of ") {
            self.part = Part::Features;
            return self.feature(trimmed, out);
        }
        match self.part {
            Part::Listing(order) => self.list(trimmed, order, out),
            Part::Features => self.person(trimmed) || self.lost(trimmed, out),
            Part::Daemons => self.daemon(trimmed, out) || self.lost(trimmed, out),
            Part::Head => self.of_server(trimmed, out) || self.lost(trimmed, out),
        }
    }

    /// `HOST: license server UP (MASTER) v11.19.6`, or why not.
    fn of_server(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let Some((host, state)) = line.split_once(": ") else {
            return false;
        };
        if host.contains(char::is_whitespace) {
            return false;
        }
        state.starts_with("license server UP")
            || self.silent(Some(self.named(host)), None, state, out)
    }

    /// `DAEMON: UP v11.19.6`, or why not.
    fn daemon(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let Some((daemon, state)) = line.split_once(": ") else {
            return false;
        };
        if daemon.contains(char::is_whitespace) {
            return false;
        }
        self.daemons.push(daemon.to_owned());
        let is_up = state == "UP" || state.starts_with("UP ");
        is_up || self.silent(self.server.clone(), Some(daemon.to_owned()), state, out)
    }

    /// A server that cannot be asked, in a line that names none.
    fn lost(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        let is_loss = [
            "Error getting status",
            "Cannot connect to license server",
            "lmgrd is not running",
            "License server machine is down",
            "Cannot read data from license server",
        ]
        .iter()
        .any(|loss| line.starts_with(loss));
        is_loss && self.silent(self.server.clone(), None, line, out)
    }

    fn silent(
        &self,
        server: Option<String>,
        daemon: Option<String>,
        why: &str,
        out: &mut Out<'_>,
    ) -> bool {
        let Some((at, _)) = self.now() else {
            return false;
        };
        let why = why.to_owned();
        out.say(Fact::Silent {
            at,
            server,
            daemon,
            why,
        });
        true
    }

    /// A computer of the report by the name that its head has for it.
    fn named(&self, host: &str) -> String {
        let servers = self.server.iter().flat_map(|servers| servers.split(','));
        let named = servers.map(str::trim).find(|server| {
            let known = server.rsplit_once('@').map_or(*server, |(_, known)| known);
            known.eq_ignore_ascii_case(host)
        });
        named.unwrap_or(host).to_owned()
    }

    fn feature(&mut self, line: &str, out: &mut Out<'_>) -> bool {
        self.close(out);
        let (Some(header), Some((at, _))) = (lines::header(line), self.now()) else {
            return false;
        };
        self.open = Some(Snapshot {
            at,
            server: self.server.clone(),
            feature: Feature {
                daemon: None,
                name: header.name.to_owned(),
            },
            issued: header.issued,
            in_use: header.in_use,
            held: Vec::new(),
            reserved: Vec::new(),
            queued: Vec::new(),
            trouble: header.trouble.map(str::to_owned),
        });
        true
    }

    /// A line of the feature that is open.
    fn person(&mut self, line: &str) -> bool {
        let (Some((at, civil)), Some(open)) = (self.now(), self.open.as_mut()) else {
            return false;
        };
        if open.held.len() + open.queued.len() + open.reserved.len() >= PEOPLE_LIMIT {
            return false;
        }
        if let Some(user) = lines::user(line) {
            let Some(holder) = self.hosts.split(user.who) else {
                return false;
            };
            match user.state {
                lines::State::Waits => open.queued.push((holder, user.seats)),
                lines::State::Holds { start, linger } => {
                    let since = time::start(&start, civil, &self.zone);
                    let (linger_seconds, borrowed_until) = lingering(linger, since, at);
                    open.held.push(Held {
                        holder,
                        seats: user.seats,
                        version: user.version.map(str::to_owned),
                        since,
                        linger_seconds,
                        borrowed_until,
                    });
                }
            }
            return true;
        }
        if let Some((whom, seats)) = lines::reservation(line) {
            open.reserved.push((whom.to_owned(), seats));
            return true;
        }
        if let Some(vendor) = lines::pool_vendor(line) {
            open.feature.daemon.get_or_insert_with(|| vendor.to_owned());
            return true;
        }
        lines::pool_kind(line)
    }

    fn list(&mut self, line: &str, order: listing::Order, out: &mut Out<'_>) -> bool {
        let Some(owned) = listing::row(line, order) else {
            return false;
        };
        if let Some(daemon) = &owned.feature.daemon
            && self.listed.len() < UNNAMED_LIMIT
        {
            self.listed
                .insert(owned.feature.name.clone(), daemon.clone());
        }
        out.say(Fact::Owned(Box::new(owned)));
        true
    }

    /// The feature that is open is complete.
    fn close(&mut self, out: &mut Out<'_>) {
        let Some(mut snapshot) = self.open.take() else {
            return;
        };
        if let (None, [only]) = (&snapshot.feature.daemon, &self.daemons[..]) {
            snapshot.feature.daemon = Some(only.clone());
        }
        match snapshot.feature.daemon.is_none() && self.unnamed.len() < UNNAMED_LIMIT {
            true => self.unnamed.push(snapshot),
            false => out.say(Fact::Snapshot(Box::new(snapshot))),
        }
    }

    /// The report is over: what no line named a daemon for gets that of the table, if there is one.
    fn name_the_unnamed(&mut self, out: &mut Out<'_>) {
        for mut snapshot in std::mem::take(&mut self.unnamed) {
            snapshot.feature.daemon = self.listed.get(&snapshot.feature.name).cloned();
            out.say(Fact::Snapshot(Box::new(snapshot)));
        }
        self.listed.clear();
    }
}

impl Reader for Lmstat {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        match self.take(line, out) {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.close(out);
        self.name_the_unnamed(out);
    }
}

/// How long a seat lingers yet, or until when it is borrowed. A single number is the whole span, from the
/// start; of two the first is what is left.
fn lingering(
    linger: Option<lines::Linger>,
    since: Option<Timestamp>,
    at: Timestamp,
) -> (Option<u64>, Option<Timestamp>) {
    let Some(linger) = linger else {
        return (None, None);
    };
    let span = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let until = match linger.left {
        Some(left) => at.checked_add(span(left)),
        None => since.unwrap_or(at).checked_add(span(linger.total)),
    };
    let until = until.unwrap_or(Timestamp::MAX);
    match linger.total >= BORROWED_FROM_SECONDS {
        true => (None, Some(until)),
        false => {
            let left = until.duration_since(at).as_secs();
            (Some(u64::try_from(left).unwrap_or(0)), None)
        }
    }
}

/// Whether a line is understood and says nothing of use.
fn says_nothing(line: &str) -> bool {
    let starts = [
        "lmutil - Copyright",
        "lmstat - Copyright",
        "lmstat v",
        "[Detecting lmgrd processes",
        "License file(s) on ",
        "NOTE: lmstat -i does not",
        "but only reads the license file",
        "lmstat -a is recommended instead",
    ];
    // Rules between reports and under the head of a table.
    line.chars()
        .all(|letter| ['-', '_', '=', ' '].contains(&letter))
        || starts.iter().any(|start| line.starts_with(start))
}
