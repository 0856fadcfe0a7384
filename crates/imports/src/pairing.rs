//! Uses out of what a log says: each checkout with its checkin, and per feature how often, by how many and
//! how much at once. What is kept is what is open, and the counts.

mod counts;
mod grouping;
mod open;
mod sweep;
#[cfg(test)]
mod tests;
mod used;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fact::{Ask, Fact, Feature};

pub use counts::{FeatureCounts, Totals, USERS_LIMIT};
pub use grouping::{Grouping, Groupings};
pub use open::{COMPONENTS_LIMIT, OPEN_LIMIT, START_WINDOW_SECONDS};
pub use sweep::Peak;
pub(crate) use sweep::Sweep;
pub use used::{Ending, Use};

use counts::Counted;
use open::{Open, OpenUses};

/// Pairs what begins with what ends, fact by fact in the order of the file.
#[derive(Debug)]
pub struct Pairing {
    groupings: Groupings,
    open: OpenUses,
    features: BTreeMap<Feature, Counted>,
    totals: Totals,
}

impl Pairing {
    /// Seats are counted of the features whose licence is known.
    pub fn new(groupings: Groupings) -> Pairing {
        Pairing {
            groupings,
            open: OpenUses::default(),
            features: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    /// Takes in a fact; uses that end with it are given to `ended`.
    pub fn take(&mut self, fact: &Fact, ended: &mut dyn FnMut(Use)) {
        match fact {
            Fact::Checkout(ask) => self.checkout(ask),
            Fact::Checkin(ask) => self.checkin(ask, Ending::Checkin, ended),
            Fact::Inactive(ask) => self.checkin(ask, Ending::Inactive, ended),
            Fact::Denied(ask, _) => {
                self.totals.span(ask.at);
                let counts = &mut self.feature(&ask.feature).counts;
                counts.denials = counts.denials.saturating_add(1);
            }
            Fact::Queued(ask) => {
                self.totals.span(ask.at);
                let counts = &mut self.feature(&ask.feature).counts;
                counts.queued = counts.queued.saturating_add(1);
            }
            Fact::Unsupported(ask) => {
                self.totals.span(ask.at);
                let counts = &mut self.feature(&ask.feature).counts;
                counts.unsupported = counts.unsupported.saturating_add(1);
            }
            Fact::Dequeued(ask) => self.totals.span(ask.at),
            Fact::Began { at, daemon } | Fact::Ended { at, daemon } => {
                self.totals.span(*at);
                self.daemon_ended(*at, daemon.as_deref(), ended);
            }
            Fact::Reread { at, .. } => self.totals.span(*at),
            Fact::Unobserved { from, to } => {
                let seconds = to.duration_since(*from).as_secs();
                let seconds = u64::try_from(seconds).unwrap_or(0);
                self.totals.unobserved_seconds =
                    self.totals.unobserved_seconds.saturating_add(seconds);
            }
            Fact::ClockSet { .. } => {
                self.totals.clock_changes = self.totals.clock_changes.saturating_add(1);
                for counted in self.features.values_mut() {
                    counted.sweep.clock_set();
                }
            }
            Fact::DaemonPeak { seats, .. } => {
                let known = self.totals.daemon_peak.unwrap_or(0);
                self.totals.daemon_peak = Some(known.max(*seats));
            }
            Fact::Consists { package, component } => self.open.consists(package, component),
            Fact::Silent { .. }
            | Fact::Snapshot(_)
            | Fact::Owned(_)
            | Fact::Session(_)
            | Fact::Summed(_) => {}
        }
    }

    /// Gives what is open. What began so shortly before the last instant that it may still turn out to be a
    /// part of another use is left out, unless `all` is said.
    pub fn open(&self, all: bool, each: &mut dyn FnMut(Use)) {
        let settled = self.last().filter(|_| !all);
        for open in self.open.all() {
            if settled.is_none_or(|last| open.began_before(last))
                && let Some(used) = open.clone().into_use(None, Ending::Open)
            {
                each(used);
            }
        }
    }

    /// How many uses are open.
    pub fn open_count(&self) -> usize {
        self.open.count()
    }

    /// The first instant of which something is known; none: there was none.
    pub fn first(&self) -> Option<Timestamp> {
        self.totals.from
    }

    /// The last instant of which something is known; none: there was none.
    pub fn last(&self) -> Option<Timestamp> {
        self.totals.to
    }

    /// Nothing more follows: what is still open is given to `ended` without an end.
    pub fn finish(mut self, ended: &mut dyn FnMut(Use)) -> Totals {
        for open in self.open.take_all(|_| true) {
            let counts = &mut self.feature(&open.feature).counts;
            counts.open_at_end = counts.open_at_end.saturating_add(1);
            if let Some(used) = open.into_use(None, Ending::Open) {
                ended(used);
            }
        }
        let mut totals = self.totals;
        totals.features = self.features.into_values().map(Counted::finish).collect();
        totals
    }

    fn feature(&mut self, feature: &Feature) -> &mut Counted {
        let groupings = &self.groupings;
        self.features
            .entry(feature.clone())
            .or_insert_with(|| Counted::new(feature.clone(), groupings.of(feature)))
    }

    fn checkout(&mut self, ask: &Ask) {
        self.totals.span(ask.at);
        let may_open = self.open.has_room();
        let users_left = USERS_LIMIT.saturating_sub(self.totals.users_kept);
        let counted = self.feature(&ask.feature);
        let new_user = counted.checkout(&ask.holder.user, users_left > 0);
        let counts_from = may_open.then(|| counted.sweep.begin(ask.at, &ask.holder, ask.seats));
        self.totals.users_kept = self.totals.users_kept.saturating_add(usize::from(new_user));
        match counts_from {
            Some(from) => self.open.add(ask, from),
            None => self.totals.untracked = self.totals.untracked.saturating_add(1),
        }
    }

    fn checkin(&mut self, ask: &Ask, ending: Ending, ended: &mut dyn FnMut(Use)) {
        self.totals.span(ask.at);
        let counts = &mut self.feature(&ask.feature).counts;
        counts.checkins = counts.checkins.saturating_add(1);
        let mut left = ask.seats;
        let mut found = false;
        while left > 0 {
            let Some(mut open) = self.open.take(ask, left) else {
                break;
            };
            found = true;
            let sweep = &mut self.feature(&ask.feature).sweep;
            if open.seats > left {
                // A part of its seats comes back; the use goes on.
                let rest = open.seats - left;
                sweep.give_back(ask.at, &ask.holder, open.seats, rest);
                open.seats = rest;
                self.open.put_back(open);
                break;
            }
            sweep.end(open.counts_from, ask.at, &ask.holder, open.seats);
            left -= open.seats;
            if let Some(used) = open.into_use(Some(ask.at), ending) {
                ended(used);
            }
        }
        if !found {
            let counts = &mut self.feature(&ask.feature).counts;
            counts.unmatched_checkins = counts.unmatched_checkins.saturating_add(1);
        }
    }

    fn daemon_ended(&mut self, at: Timestamp, daemon: Option<&str>, ended: &mut dyn FnMut(Use)) {
        let its = |open: &Open| daemon.is_none() || open.feature.daemon.as_deref() == daemon;
        for open in self.open.take_all(its) {
            let sweep = &mut self.feature(&open.feature).sweep;
            sweep.end(open.counts_from, at, &open.holder, open.seats);
            if let Some(used) = open.into_use(Some(at), Ending::Daemon) {
                ended(used);
            }
        }
    }
}
