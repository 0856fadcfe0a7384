//! What is counted per feature, and of all of a file.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::grouping::Grouping;
use super::sweep::{Peak, Sweep};
use crate::fact::Feature;

/// Names that are kept to count people, over all features; beyond, `users` is a lower bound.
pub const USERS_LIMIT: usize = 1_000_000;

/// What is known of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureCounts {
    /// The feature.
    pub feature: Feature,
    /// Lines that say that a use begins.
    pub checkouts: u64,
    /// Lines that say that a use ends.
    pub checkins: u64,
    /// Refusals.
    pub denials: u64,
    /// Waits.
    pub queued: u64,
    /// Asks for it although the daemon does not serve it.
    pub unsupported: u64,
    /// People who used it.
    pub users: u64,
    /// People were not all kept: there may be more.
    pub users_at_least: bool,
    /// The most checkouts at once.
    pub lines: Peak,
    /// The most pairs of user and computer at once.
    pub users_hosts: Peak,
    /// The most seats at once; none if no licence says what shares a seat.
    pub seats: Option<Peak>,
    /// Uses that run at the end.
    pub open_at_end: u64,
    /// Ends of uses whose beginning the file does not have.
    pub unmatched_checkins: u64,
}

/// What is known of all that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Each feature, by daemon and name.
    pub features: Vec<FeatureCounts>,
    /// The earliest instant.
    pub from: Option<Timestamp>,
    /// The latest instant.
    pub to: Option<Timestamp>,
    /// How often the log's clock was set.
    pub clock_changes: u64,
    /// Seconds of which nothing was recorded.
    pub unobserved_seconds: u64,
    /// The highest peak that a daemon says.
    pub daemon_peak: Option<u64>,
    /// Checkouts that were counted, but not followed, because too many were open.
    pub untracked: u64,
    pub(super) users_kept: usize,
}

impl Totals {
    pub(super) fn span(&mut self, at: Timestamp) {
        self.from = Some(self.from.map_or(at, |from| from.min(at)));
        self.to = Some(self.to.map_or(at, |to| to.max(at)));
    }
}

/// A feature while it is being counted.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) counts: FeatureCounts,
    pub(super) sweep: Sweep,
    users: BTreeSet<String>,
}

impl Counted {
    pub(super) fn new(feature: Feature, grouping: Option<Grouping>) -> Counted {
        Counted {
            counts: FeatureCounts {
                feature,
                checkouts: 0,
                checkins: 0,
                denials: 0,
                queued: 0,
                unsupported: 0,
                users: 0,
                users_at_least: false,
                lines: Peak::default(),
                users_hosts: Peak::default(),
                seats: None,
                open_at_end: 0,
                unmatched_checkins: 0,
            },
            sweep: Sweep::new(grouping),
            users: BTreeSet::new(),
        }
    }

    /// A checkout by that person. Returns whether the name was kept anew.
    pub(super) fn checkout(&mut self, user: &str, may_keep: bool) -> bool {
        self.counts.checkouts = self.counts.checkouts.saturating_add(1);
        if self.users.contains(user) {
            return false;
        }
        if !may_keep {
            self.counts.users_at_least = true;
            return false;
        }
        self.users.insert(user.to_owned())
    }

    pub(super) fn finish(mut self) -> FeatureCounts {
        self.sweep.settle();
        let mut counts = self.counts;
        counts.users = u64::try_from(self.users.len()).unwrap_or(u64::MAX);
        counts.lines = self.sweep.peak_lines;
        counts.users_hosts = self.sweep.peak_people;
        counts.seats = self.sweep.counts_seats().then_some(self.sweep.peak_seats);
        counts
    }
}
