//! When and of whom a status was asked, and the pool that a reader of one is at.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::fact::{Fact, Feature, Held, Holder, Snapshot};
use crate::reading::Out;

/// Holders of one pool that are kept, and who wait for it; lines of further ones are not understood.
pub const HOLDERS_LIMIT: usize = 100_000;
/// Names of people and computers are at most that long; lines with longer ones are not understood.
pub const NAME_LIMIT_BYTES: usize = 255;

/// When a status was asked, of whom, and in which zone its times are.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When: the time of the file, or of the command's end.
    pub at: Timestamp,
    /// Which server was asked (`port@host`). What the status itself says wins over this.
    pub server: Option<String>,
    /// The zone of times that say none.
    pub time_zone: TimeZone,
}

/// The pools of a status, one after another: each is said when the next begins.
#[derive(Debug)]
pub(crate) struct Pools {
    asked: Asked,
    open: Option<Snapshot>,
}

impl Pools {
    pub(crate) fn new(asked: Asked) -> Pools {
        Pools { asked, open: None }
    }

    /// What follows is of that server.
    pub(crate) fn of_server(&mut self, server: &str, out: &mut Out<'_>) {
        self.close(out);
        let server = server.trim();
        if !server.is_empty() {
            self.asked.server = Some(server.to_owned());
        }
    }

    /// A pool begins; the one before is over.
    pub(crate) fn begin(&mut self, feature: Feature, out: &mut Out<'_>) -> &mut Snapshot {
        self.close(out);
        self.open.insert(Snapshot {
            at: self.asked.at,
            server: self.asked.server.clone(),
            feature,
            issued: None,
            in_use: None,
            held: Vec::new(),
            reserved: Vec::new(),
            queued: Vec::new(),
            trouble: None,
        })
    }

    /// The pool that is read.
    pub(crate) fn open(&mut self) -> Option<&mut Snapshot> {
        self.open.as_mut()
    }

    /// The seat that was read last.
    pub(crate) fn last_held(&mut self) -> Option<&mut Held> {
        self.open.as_mut()?.held.last_mut()
    }

    /// A seat of the pool; false: no pool is open, it has as many as are kept, or a name is too long.
    pub(crate) fn hold(&mut self, held: Held) -> bool {
        match &mut self.open {
            Some(pool) if pool.held.len() < HOLDERS_LIMIT && is_short(&held.holder) => {
                pool.held.push(held);
                true
            }
            _ => false,
        }
    }

    /// Somebody who waits for the pool; false as for [`Pools::hold`].
    pub(crate) fn wait(&mut self, holder: Holder, seats: u32) -> bool {
        match &mut self.open {
            Some(pool) if pool.queued.len() < HOLDERS_LIMIT && is_short(&holder) => {
                pool.queued.push((holder, seats));
                true
            }
            _ => false,
        }
    }

    /// The pool is over.
    pub(crate) fn close(&mut self, out: &mut Out<'_>) {
        if let Some(pool) = self.open.take() {
            out.say(Fact::Snapshot(Box::new(pool)));
        }
    }

    /// The server did not answer.
    pub(crate) fn silent(&mut self, why: &str, out: &mut Out<'_>) {
        self.close(out);
        out.say(Fact::Silent {
            at: self.asked.at,
            server: self.asked.server.clone(),
            daemon: None,
            why: why.trim().to_owned(),
        });
    }

    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The instant of a time that says no zone.
    pub(crate) fn instant(&self, written: Option<DateTime>) -> Option<Timestamp> {
        self.asked.time_zone.to_timestamp(written?).ok()
    }
}

fn is_short(holder: &Holder) -> bool {
    holder.user.len() <= NAME_LIMIT_BYTES && holder.host.len() <= NAME_LIMIT_BYTES
}

/// A seat, with what most servers tell.
pub(crate) fn held(user: &str, host: &str, seats: u32, version: Option<&str>) -> Held {
    Held {
        holder: holder(user, host),
        seats,
        version: version.map(str::to_owned),
        since: None,
        linger_seconds: None,
        borrowed_until: None,
    }
}

/// Somebody at a computer, without a display.
pub(crate) fn holder(user: &str, host: &str) -> Holder {
    Holder {
        user: user.trim().to_owned(),
        host: host.trim().to_owned(),
        display: None,
    }
}

/// `user@host` at its last `@`, because hosts have none and people may.
pub(crate) fn user_at_host(text: &str) -> Option<(&str, &str)> {
    let (user, host) = text.trim().rsplit_once('@')?;
    (!host.trim().is_empty()).then_some((user.trim(), host.trim()))
}

/// The text after a label, up to the nearest of the labels that may follow it.
pub(crate) fn labelled<'t>(text: &'t str, label: &str, next: &[&str]) -> Option<&'t str> {
    let (_, rest) = text.split_once(label)?;
    let end = next.iter().filter_map(|label| rest.find(*label)).min();
    // Both ends are positions of a found text, so they are character boundaries.
    Some(rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_be_named_with_an_at_and_a_label_ends_where_the_next_begins() {
        assert_eq!(user_at_host("ann@site@pc1"), Some(("ann@site", "pc1")));
        assert_eq!(user_at_host("@pc1"), Some(("", "pc1")));
        assert_eq!(user_at_host("ann"), None);
        let line = "Feature: f 2 Version: 1.0 Vendor: V";
        assert_eq!(
            labelled(line, "Feature: ", &[" Vendor: ", " Version: "]),
            Some("f 2")
        );
        assert_eq!(labelled(line, "Vendor: ", &[" Version: "]), Some("V"));
        assert_eq!(labelled(line, "User: ", &[]), None);
    }
}
