//! The server's log: `2025/05/20 15:06:36:933 I USGTRACING Grant!!FEATURE!...`.
//!
//! Grants and their ends are in it if `License usage tracing` is switched on; refusals are always.

use super::Dsls;
use super::usage::host_of;
use crate::asked;
use crate::fact::{Ask, Fact, Feature};
use crate::instant;
use crate::reading::Out;

/// How long the time at a line's begin is, in bytes.
const TIME_BYTES: usize = 23;

/// Categories whose lines say nothing of use.
const OTHER: [&str; 10] = [
    "INITSERVER",
    "STARTSERVER",
    "STOPSERVER",
    "REPOSITORY",
    "RUNTIMEDATA",
    "ADMINSERVER",
    "ENROLL",
    "LICENSEDATA",
    "MONITORING",
    "STATISTICS",
];

impl Dsls {
    /// None: the line is none of a log. Some(false): it is, and is not understood.
    pub(super) fn log_line(&mut self, line: &str, out: &mut Out<'_>) -> Option<bool> {
        let written = instant::year_first(line.get(..TIME_BYTES)?)?;
        let rest = line.get(TIME_BYTES..)?.trim_start();
        let (severity, rest) = rest.split_once(' ')?;
        if !["I", "W", "E"].contains(&severity) {
            return None;
        }
        let (category, text) = match rest.trim_start().split_once(' ') {
            Some((category, text)) => (category, text.trim()),
            None => (rest.trim(), ""),
        };
        let Some(at) = self.pools.instant(Some(written)) else {
            return Some(false);
        };
        Some(match category {
            "USGTRACING" => traced(at, text).map(|fact| out.say(fact)).is_some(),
            "LICENSESERV" | "FAILOVERSRV" => match text.contains(" not granted") {
                true => refused(at, text).map(|fact| out.say(fact)).is_some(),
                false => true,
            },
            _ => {
                self.of_server_itself(at, category, text, out);
                OTHER.contains(&category)
            }
        })
    }

    fn of_server_itself(
        &mut self,
        at: jiff::Timestamp,
        category: &str,
        text: &str,
        out: &mut Out<'_>,
    ) {
        match category {
            "STARTSERVER" if text.contains("Server version") => {
                out.say(Fact::Began { at, daemon: None });
            }
            "STOPSERVER" if text.contains("License server stopped") => {
                out.say(Fact::Ended { at, daemon: None });
            }
            "RUNTIMEDATA" if text.contains("System has been suspended") => {
                self.suspended_at = Some(at);
            }
            "RUNTIMEDATA" if text.contains("System has been resumed") => {
                if let Some(from) = self.suspended_at.take()
                    && from < at
                {
                    out.say(Fact::Unobserved { from, to: at });
                }
            }
            _ => {}
        }
    }
}

/// `Grant!!FEATURE!...!COUNT!POOL!COMPUTER (ID)!ADDRESS!USER!...`, and the same with `Detachment` and
/// `TimeOut`. Some servers write a session's id before the product; so fields are counted from the
/// computer, which is the only one with an id in parentheses.
fn traced(at: jiff::Timestamp, text: &str) -> Option<Fact> {
    let (action, fields) = text.split_once("!!")?;
    let fields: Vec<&str> = fields.split('!').map(str::trim).collect();
    let computer = fields
        .iter()
        .skip(4)
        .position(|field| field.contains(" (") && field.ends_with(')'))?
        .checked_add(4)?;
    let field = |place: usize| fields.get(place).copied().filter(|field| !field.is_empty());
    let feature = field(0)?;
    let host = host_of(field(computer)?);
    let user = field(computer.checked_add(2)?)?;
    let seats = field(computer.checked_sub(2)?)?.parse().ok()?;
    // With a session's id it is the third field, else the licence's id is what tells uses apart.
    let handle = match computer {
        7.. => field(2),
        _ => field(1),
    };
    let ask = Ask {
        at,
        feature: of(feature),
        holder: asked::holder(user, host),
        seats,
        version: None,
        handle: handle.map(str::to_owned),
        package: None,
    };
    match action.trim() {
        "Grant" => Some(Fact::Checkout(ask)),
        // After a time-out the client has stopped asking; its use is over as with a detachment.
        "Detachment" | "TimeOut" => Some(Fact::Checkin(ask)),
        _ => None,
    }
}

/// `FEATURE not granted, no more available license ( from client PC1 (ID)/192.0.2.1|ann|ANN@SITE|C:\...)`.
fn refused(at: jiff::Timestamp, text: &str) -> Option<Fact> {
    let (feature, rest) = text.split_once(" not granted")?;
    let (why, client) = rest.split_once("( from client ")?;
    let mut parts = client.split('|');
    let host = host_of(parts.next()?.trim());
    let user = parts.next()?.trim();
    let ask = Ask {
        at,
        feature: of(feature.trim()),
        holder: asked::holder(user, host),
        seats: 1,
        version: None,
        handle: None,
        package: None,
    };
    let why = why.trim_start_matches(',').trim();
    let is_whole = !feature.trim().is_empty() && !user.is_empty() && !host.is_empty();
    is_whole.then(|| Fact::Denied(ask, why.to_owned()))
}

/// A log does not say who makes a feature.
fn of(name: &str) -> Feature {
    Feature {
        daemon: None,
        name: name.to_owned(),
    }
}
