//! How much was in use at once: lines, people at computers, and seats, each with its own maximum. Uses are
//! half-open: one that ends at the instant at which another begins does not overlap it; one of no length
//! counts once, at its instant.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::grouping::Grouping;
use crate::fact::Holder;

/// A maximum and the first instant at which it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peak {
    /// Checkouts, people at computers, or seats.
    pub count: u64,
    /// The first instant; none if there never was any.
    pub at: Option<Timestamp>,
}

impl Peak {
    /// Something was so much then.
    pub(crate) fn reach(&mut self, count: u64, at: Timestamp) {
        if count > self.count {
            *self = Peak {
                count,
                at: Some(at),
            };
        }
    }
}

/// The uses of one feature, in the order of the log. Holds no more than what is open.
#[derive(Debug)]
pub(crate) struct Sweep {
    grouping: Option<Grouping>,
    lines: u64,
    people: BTreeMap<(String, String), u64>,
    ungrouped_seats: u64,
    grouped_seats: u64,
    /// By group, how many checkouts there are of each number of seats.
    groups: BTreeMap<Holder, BTreeMap<u32, u64>>,
    /// The instant that is being gathered.
    now: Option<Timestamp>,
    /// Something began at that instant.
    grew: bool,
    /// Began and ended at that instant: still counted.
    brief: Vec<(Holder, u32)>,
    pub(crate) peak_lines: Peak,
    pub(crate) peak_people: Peak,
    pub(crate) peak_seats: Peak,
}

impl Sweep {
    /// Without a grouping, or with one that a log cannot show, seats are not counted.
    pub(crate) fn new(grouping: Option<Grouping>) -> Sweep {
        Sweep {
            grouping: grouping.filter(|grouping| grouping.is_countable()),
            lines: 0,
            people: BTreeMap::new(),
            ungrouped_seats: 0,
            grouped_seats: 0,
            groups: BTreeMap::new(),
            now: None,
            grew: false,
            brief: Vec::new(),
            peak_lines: Peak::default(),
            peak_people: Peak::default(),
            peak_seats: Peak::default(),
        }
    }

    /// Whether seats are counted.
    pub(super) fn counts_seats(&self) -> bool {
        self.grouping.is_some()
    }

    /// A use begins. Returns the instant at which it counts: never before what was counted already.
    pub(crate) fn begin(&mut self, at: Timestamp, holder: &Holder, seats: u32) -> Timestamp {
        let at = self.forward(at);
        self.grew = true;
        self.lines = self.lines.saturating_add(1);
        let people = self.people.entry(person(holder)).or_default();
        *people = people.saturating_add(1);
        self.add_seats(holder, seats);
        at
    }

    /// A use that counted from `from` ends.
    pub(crate) fn end(&mut self, from: Timestamp, at: Timestamp, holder: &Holder, seats: u32) {
        let at = self.forward(at);
        match from == at && self.grew {
            true => self.brief.push((holder.clone(), seats)),
            false => self.remove(holder, seats),
        }
    }

    /// A use goes on with fewer seats.
    pub(super) fn give_back(&mut self, at: Timestamp, holder: &Holder, old: u32, new: u32) {
        self.forward(at);
        self.remove_seats(holder, old);
        self.add_seats(holder, new);
    }

    /// The log's clock was set: instants may be earlier from here on.
    pub(super) fn clock_set(&mut self) {
        self.settle();
        self.now = None;
    }

    /// The last instant is over.
    pub(crate) fn settle(&mut self) {
        if let (true, Some(at)) = (self.grew, self.now) {
            self.peak_lines.reach(self.lines, at);
            let people = u64::try_from(self.people.len()).unwrap_or(u64::MAX);
            self.peak_people.reach(people, at);
            if self.grouping.is_some() {
                self.peak_seats
                    .reach(self.ungrouped_seats.saturating_add(self.grouped_seats), at);
            }
        }
        self.grew = false;
        for (holder, seats) in std::mem::take(&mut self.brief) {
            self.remove(&holder, seats);
        }
    }

    fn forward(&mut self, at: Timestamp) -> Timestamp {
        match self.now {
            Some(now) if at <= now => now,
            _ => {
                self.settle();
                self.now = Some(at);
                at
            }
        }
    }

    fn remove(&mut self, holder: &Holder, seats: u32) {
        self.lines = self.lines.saturating_sub(1);
        let person = person(holder);
        if let Some(count) = self.people.get_mut(&person) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.people.remove(&person);
            }
        }
        self.remove_seats(holder, seats);
    }

    fn add_seats(&mut self, holder: &Holder, seats: u32) {
        let Some(grouping) = self.grouping else {
            return;
        };
        let Some(group) = grouping.group(holder) else {
            self.ungrouped_seats = self.ungrouped_seats.saturating_add(u64::from(seats));
            return;
        };
        let members = self.groups.entry(group).or_default();
        let before = largest(members);
        let count = members.entry(seats).or_default();
        *count = count.saturating_add(1);
        let after = largest(members);
        self.grouped_seats = self
            .grouped_seats
            .saturating_add(after.saturating_sub(before));
    }

    fn remove_seats(&mut self, holder: &Holder, seats: u32) {
        let Some(grouping) = self.grouping else {
            return;
        };
        let Some(group) = grouping.group(holder) else {
            self.ungrouped_seats = self.ungrouped_seats.saturating_sub(u64::from(seats));
            return;
        };
        let Some(members) = self.groups.get_mut(&group) else {
            return;
        };
        let before = largest(members);
        if let Some(count) = members.get_mut(&seats) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                members.remove(&seats);
            }
        }
        let after = largest(members);
        if members.is_empty() {
            self.groups.remove(&group);
        }
        self.grouped_seats = self
            .grouped_seats
            .saturating_sub(before.saturating_sub(after));
    }
}

fn person(holder: &Holder) -> (String, String) {
    (holder.user.clone(), holder.host.clone())
}

fn largest(members: &BTreeMap<u32, u64>) -> u64 {
    members
        .last_key_value()
        .map_or(0, |(seats, _)| u64::from(*seats))
}
