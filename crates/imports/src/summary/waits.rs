//! Waits out of what a log says. A wait ends when it is dequeued; it came to a seat if a checkout of the
//! same feature by the same holder is there, or follows within seconds.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::rows::{Rows, Sink, Waited};
use crate::fact::{Ask, Fact, Feature, Holder};
use crate::pairing::START_WINDOW_SECONDS;

/// Waits that are followed at once; of further ones the end is not known.
pub const WAITS_LIMIT: usize = 100_000;

#[derive(Debug)]
struct Wait {
    from: Timestamp,
    seats: u32,
    handle: Option<String>,
    /// It was dequeued then; whether it came to a seat is not known yet.
    left: Option<Timestamp>,
}

type Key = (Feature, Holder);

/// The waits that go on, and those that ended a moment ago.
#[derive(Debug, Default)]
pub(super) struct Waits {
    open: BTreeMap<Key, VecDeque<Wait>>,
    count: usize,
    /// Of whom one was dequeued, and when.
    leaving: VecDeque<(Timestamp, Key)>,
}

impl Waits {
    /// Takes in a fact of a log.
    pub(super) fn take(&mut self, fact: &Fact, rows: &mut Rows, sink: &mut Sink<'_>) {
        match fact {
            Fact::Queued(ask) => {
                self.settle(ask.at, rows, sink);
                self.queued(ask, rows, sink);
            }
            Fact::Dequeued(ask) => {
                self.settle(ask.at, rows, sink);
                self.dequeued(ask);
            }
            Fact::Checkout(ask) => {
                self.settle(ask.at, rows, sink);
                self.granted(ask, rows, sink);
            }
            Fact::Began { at, daemon } | Fact::Ended { at, daemon } => {
                self.settle(*at, rows, sink);
                self.lost(*at, daemon.as_deref(), rows, sink);
            }
            _ => {}
        }
    }

    /// Gives the waits that go on.
    pub(super) fn so_far(&self, last: Option<Timestamp>, rows: &mut Rows, sink: &mut Sink<'_>) {
        for (key, waits) in &self.open {
            // What was dequeued a moment ago is told when it is known what became of it.
            for wait in waits.iter().filter(|wait| wait.left.is_none()) {
                let seen = last.map(|last| last.max(wait.from));
                say(key, wait, None, seen, None, rows, sink);
            }
        }
    }

    /// Nothing more follows; the last instant of which something is known is `last`.
    pub(super) fn finish(self, last: Option<Timestamp>, rows: &mut Rows, sink: &mut Sink<'_>) {
        for (key, waits) in self.open {
            for wait in waits {
                let seen = last.map(|last| last.max(wait.from));
                say(&key, &wait, wait.left, seen, None, rows, sink);
            }
        }
    }

    fn queued(&mut self, ask: &Ask, rows: &mut Rows, sink: &mut Sink<'_>) {
        let key = (ask.feature.clone(), ask.holder.clone());
        let wait = Wait {
            from: ask.at,
            seats: ask.seats,
            handle: ask.handle.clone(),
            left: None,
        };
        if self.count >= WAITS_LIMIT {
            return say(&key, &wait, None, Some(ask.at), None, rows, sink);
        }
        self.open.entry(key).or_default().push_back(wait);
        self.count = self.count.saturating_add(1);
    }

    fn dequeued(&mut self, ask: &Ask) {
        let key = (ask.feature.clone(), ask.holder.clone());
        let Some(waits) = self.open.get_mut(&key) else {
            return;
        };
        let goes_on = |wait: &Wait| wait.left.is_none();
        let has_handle = |wait: &Wait| ask.handle.is_some() && wait.handle == ask.handle;
        let by_handle = waits.iter().position(|it| goes_on(it) && has_handle(it));
        let place = by_handle.or_else(|| waits.iter().position(goes_on));
        if let Some(wait) = place.and_then(|place| waits.get_mut(place)) {
            wait.left = Some(ask.at.max(wait.from));
            self.leaving.push_back((ask.at, key));
        }
    }

    fn granted(&mut self, ask: &Ask, rows: &mut Rows, sink: &mut Sink<'_>) {
        if self.count == 0 {
            return;
        }
        let key = (ask.feature.clone(), ask.holder.clone());
        let Some(waits) = self.open.get_mut(&key) else {
            return;
        };
        let has_handle = |wait: &Wait| ask.handle.is_some() && wait.handle == ask.handle;
        let by_handle = waits.iter().position(has_handle);
        let by_end = || waits.iter().position(|wait| wait.left.is_some());
        let place = by_handle.or_else(by_end).unwrap_or(0);
        let Some(wait) = waits.remove(place) else {
            return;
        };
        if waits.is_empty() {
            self.open.remove(&key);
        }
        self.count = self.count.saturating_sub(1);
        let until = wait.left.unwrap_or(ask.at).max(wait.from);
        say(&key, &wait, Some(until), None, Some(true), rows, sink);
    }

    /// A daemon ended: nobody waits for it any more.
    fn lost(&mut self, at: Timestamp, daemon: Option<&str>, rows: &mut Rows, sink: &mut Sink<'_>) {
        let is_its = |key: &Key| daemon.is_none() || key.0.daemon.as_deref() == daemon;
        let (lost, kept): (BTreeMap<Key, _>, BTreeMap<Key, _>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|(key, _)| is_its(key));
        self.open = kept;
        for (key, waits) in lost {
            self.count = self.count.saturating_sub(waits.len());
            for wait in waits {
                let until = wait.left.unwrap_or(at).max(wait.from);
                say(&key, &wait, Some(until), None, Some(false), rows, sink);
            }
        }
    }

    /// Says the waits that ended so long ago that no checkout follows.
    fn settle(&mut self, now: Timestamp, rows: &mut Rows, sink: &mut Sink<'_>) {
        while let Some((at, key)) = self.leaving.front() {
            if now.duration_since(*at).as_secs().abs() <= START_WINDOW_SECONDS {
                return;
            }
            if let Some(waits) = self.open.get_mut(key)
                && let Some(place) = waits.iter().position(|wait| wait.left.is_some())
                && let Some(wait) = waits.remove(place)
            {
                self.count = self.count.saturating_sub(1);
                say(key, &wait, wait.left, None, None, rows, sink);
                if waits.is_empty() {
                    self.open.remove(key);
                }
            }
            self.leaving.pop_front();
        }
    }
}

fn say(
    key: &Key,
    wait: &Wait,
    until: Option<Timestamp>,
    seen_until: Option<Timestamp>,
    granted: Option<bool>,
    rows: &mut Rows,
    sink: &mut Sink<'_>,
) {
    let waited = Waited {
        feature: &key.0,
        holder: &key.1,
        from: wait.from,
        until,
        seen_until,
        seats: wait.seats,
        granted,
    };
    rows.waited(&waited, sink);
}
