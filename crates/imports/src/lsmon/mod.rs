//! Sentinel RMS: `lsmon`, which tells of each feature, its licences and its clients, one `|- Key : value` a
//! line.

use crate::asked::{self, Asked, Pools};
use crate::fact::{Feature, Held};
use crate::instant;
use crate::reading::{Out, Reader};

/// What the lines that follow are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Feature,
    Licence,
    Client,
}

/// Keys that say nothing of seats or holders.
const OTHER_KEYS: [&str; 23] = [
    "License type",
    "License Version",
    "License Hash",
    "License status",
    "License storage name",
    "License start date",
    "Expiration date",
    "Commuter license allowed",
    "Soft limit on users",
    "Log encryption level",
    "Check time tamper",
    "Application-server locking",
    "Client-lock mode",
    "Additive/exclusive/aggregate",
    "Sharing criterion",
    "Sharing limit",
    "Token lifetime (heartbeat)",
    "Public vendor information",
    "Vendor information",
    "Allowed on VM",
    "Group name",
    "Held license",
    "Maximum concurrent user(s)",
];

/// Reads what `lsmon` prints. Seats in use are the tokens in use, reserved and not; a client has one unless
/// it is told.
#[derive(Debug)]
pub struct Lsmon {
    pools: Pools,
    section: Section,
    version: Option<String>,
}

impl Lsmon {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Lsmon {
        Lsmon {
            pools: Pools::new(asked),
            section: Section::Feature,
            version: None,
        }
    }

    fn pair(&mut self, key: &str, value: &str, out: &mut Out<'_>) -> bool {
        match self.section {
            Section::Feature => self.of_feature(key, value, out),
            Section::Licence => is_other(key),
            Section::Client => self.of_client(key, value),
        }
    }

    fn of_feature(&mut self, key: &str, value: &str, out: &mut Out<'_>) -> bool {
        if key == "Feature name" {
            self.version = None;
            let name = value.to_owned();
            self.pools.begin(Feature { daemon: None, name }, out);
            return !value.is_empty();
        }
        let Some(pool) = self.pools.open() else {
            return false;
        };
        let number = value.parse::<u64>();
        match key {
            "Feature version" => {
                self.version = (!value.is_empty()).then(|| value.to_owned());
                true
            }
            "Maximum concurrent user(s)" => {
                pool.issued = number.clone().ok();
                number.is_ok() || value.eq_ignore_ascii_case("unlimited")
            }
            "Unreserved tokens in use" | "Reserved tokens in use" => {
                let Ok(number) = number else { return false };
                pool.in_use = Some(pool.in_use.unwrap_or(0).saturating_add(number));
                true
            }
            // Reserved for groups, and free.
            "Available reserved" => {
                let seats = number.ok().and_then(|seats| u32::try_from(seats).ok());
                if let Some(seats @ 1..) = seats {
                    pool.reserved = vec![("groups".to_owned(), seats)];
                }
                seats.is_some()
            }
            _ => is_other(key),
        }
    }

    fn of_client(&mut self, key: &str, value: &str) -> bool {
        if key == "User name" {
            let held = asked::held(value, "", 1, self.version.as_deref());
            return self.pools.hold(held);
        }
        let since = value
            .strip_prefix("Running since ")
            .and_then(instant::named_month);
        let since = self.pools.instant(since);
        let Some(held) = self.pools.last_held() else {
            return false;
        };
        tell(held, key, value, since)
    }
}

fn tell(held: &mut Held, key: &str, value: &str, since: Option<jiff::Timestamp>) -> bool {
    match key {
        "Host name" => held.holder.host = value.to_owned(),
        "X display name" => {
            held.holder.display = (!value.is_empty()).then(|| value.to_owned());
        }
        "Status" => {
            held.since = since;
            return since.is_some();
        }
        "Number of tokens" | "Tokens in use" => match value.parse() {
            Ok(seats) => held.seats = seats,
            Err(_) => return false,
        },
        // It says not until when.
        "Is commuter token" => {}
        _ => return is_other(key),
    }
    true
}

fn is_other(key: &str) -> bool {
    OTHER_KEYS.contains(&key) || (key.starts_with("Server #") && key.ends_with("locking code"))
}

impl Reader for Lsmon {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let text = line.trim();
        let understood = match text.strip_prefix("|-").map(str::trim) {
            Some("Feature Information") => {
                self.pools.close(out);
                self.section = Section::Feature;
                true
            }
            Some("License Information") => {
                self.section = Section::Licence;
                true
            }
            Some("Client Information") => {
                self.section = Section::Client;
                true
            }
            Some(pair) => match pair.split_once(':') {
                Some((key, value)) => {
                    let value = value.trim().trim_matches('"').trim();
                    self.pair(key.trim(), value, out)
                }
                None => false,
            },
            None => self.other(text, out),
        };
        match understood {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.pools.close(out);
    }
}

impl Lsmon {
    fn other(&mut self, text: &str, out: &mut Out<'_>) -> bool {
        if let Some(rest) = text.strip_prefix("[Contacting ") {
            let server = rest.split('"').nth(1).unwrap_or_default();
            self.pools.of_server(server, out);
            return !server.is_empty();
        }
        if text.starts_with("Error") {
            self.pools.silent(text, out);
            return true;
        }
        text.is_empty()
            || text.contains("Application Monitor")
            || text.starts_with("Copyright")
            || text.starts_with("Press Enter to continue")
    }
}

#[cfg(test)]
mod tests;
