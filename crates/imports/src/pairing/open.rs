//! The uses that are open, and which of them were one start.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::used::{Ending, Use};
use crate::fact::{Ask, Feature, Holder};

/// Uses that are followed at once; checkouts beyond are counted only.
pub const OPEN_LIMIT: usize = 1_000_000;
/// Package and components of one start are logged within so many seconds.
pub const START_WINDOW_SECONDS: i64 = 2;
/// Components that are named with a use.
pub const COMPONENTS_LIMIT: usize = 64;
/// Checkouts that are looked at for being one start.
const RECENT_LIMIT: usize = 256;

/// A use that is open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    number: u64,
    pub(super) feature: Feature,
    pub(super) holder: Holder,
    from: Timestamp,
    /// The instant from which the sweep counts it.
    pub(super) counts_from: Timestamp,
    /// Seats that it has still.
    pub(super) seats: u32,
    /// Seats that it had at first.
    taken: u32,
    version: Option<String>,
    handle: Option<String>,
    /// It is a component of a package's use.
    part: bool,
    components: Vec<String>,
}

impl Open {
    /// Whether it began so long before that instant that no line of its start follows.
    pub(super) fn began_before(&self, last: Timestamp) -> bool {
        last.duration_since(self.from).as_secs() > START_WINDOW_SECONDS
    }

    /// The use; none if it is a part of another's.
    pub(super) fn into_use(self, until: Option<Timestamp>, ending: Ending) -> Option<Use> {
        if self.part {
            return None;
        }
        Some(Use {
            feature: self.feature,
            holder: self.holder,
            until: until.map(|until| until.max(self.from)),
            from: self.from,
            seats: self.taken,
            version: self.version,
            components: self.components,
            ending,
        })
    }
}

type Key = (Feature, Holder);

/// A checkout of a moment ago.
#[derive(Debug)]
struct Recent {
    at: Timestamp,
    number: u64,
    key: Key,
    package: Option<String>,
}

/// All that is open.
#[derive(Debug, Default)]
pub(super) struct OpenUses {
    open: BTreeMap<Key, VecDeque<Open>>,
    count: usize,
    next: u64,
    recent: VecDeque<Recent>,
}

impl OpenUses {
    pub(super) fn has_room(&self) -> bool {
        self.count < OPEN_LIMIT
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// All, by feature and holder.
    pub(super) fn all(&self) -> impl Iterator<Item = &Open> {
        self.open.values().flatten()
    }

    /// A use begins; with those of the same start it is one.
    pub(super) fn add(&mut self, ask: &Ask, counts_from: Timestamp) {
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.forget(ask.at);
        let mut open = Open {
            number,
            feature: ask.feature.clone(),
            holder: ask.holder.clone(),
            from: ask.at,
            counts_from,
            seats: ask.seats,
            taken: ask.seats,
            version: ask.version.clone(),
            handle: ask.handle.clone(),
            part: false,
            components: Vec::new(),
        };
        let together = |recent: &&Recent| {
            recent.key.1 == ask.holder && recent.key.0.daemon == ask.feature.daemon
        };
        let package = ask.package.as_ref().and_then(|package| {
            let its = |recent: &&Recent| recent.key.0.name == *package;
            self.recent
                .iter()
                .rev()
                .filter(together)
                .find(its)
                .map(place)
        });
        let parts: Vec<(Key, u64)> = self
            .recent
            .iter()
            .filter(together)
            .filter(|recent| recent.package.as_deref() == Some(ask.feature.name.as_str()))
            .map(place)
            .collect();
        if let Some((key, number)) = package
            && let Some(package) = self.find(&key, number)
        {
            open.part = true;
            name_component(&mut package.components, &ask.feature.name);
        }
        for (key, number) in parts {
            if let Some(part) = self.find(&key, number)
                && !part.part
            {
                part.part = true;
                name_component(&mut open.components, &key.0.name);
            }
        }
        let key = (ask.feature.clone(), ask.holder.clone());
        self.recent.push_back(Recent {
            at: ask.at,
            number,
            key: key.clone(),
            package: ask.package.clone(),
        });
        self.open.entry(key).or_default().push_back(open);
        self.count = self.count.saturating_add(1);
    }

    /// The log says now that a package has that component: so has a start of a moment ago.
    pub(super) fn consists(&mut self, package: &Feature, component: &str) {
        for recent in &mut self.recent {
            let feature = &recent.key.0;
            let its = feature.daemon == package.daemon && feature.name == component;
            if its && recent.package.is_none() {
                recent.package = Some(package.name.clone());
            }
        }
    }

    /// Takes out the use that a checkin ends: that of its handle, else the oldest of as many seats, else
    /// the oldest.
    pub(super) fn take(&mut self, ask: &Ask, seats: u32) -> Option<Open> {
        let key = (ask.feature.clone(), ask.holder.clone());
        let uses = self.open.get_mut(&key)?;
        let by_handle = ask.handle.as_ref().and_then(|handle| {
            uses.iter()
                .position(|open| open.handle.as_ref() == Some(handle))
        });
        let place = by_handle
            .or_else(|| uses.iter().position(|open| open.seats == seats))
            .unwrap_or(0);
        let open = uses.remove(place)?;
        if uses.is_empty() {
            self.open.remove(&key);
        }
        self.count = self.count.saturating_sub(1);
        Some(open)
    }

    /// Puts back a use that goes on, as the oldest.
    pub(super) fn put_back(&mut self, open: Open) {
        let key = (open.feature.clone(), open.holder.clone());
        self.open.entry(key).or_default().push_front(open);
        self.count = self.count.saturating_add(1);
    }

    /// Takes out all uses of which `which` is true, by feature and holder.
    pub(super) fn take_all(&mut self, which: impl Fn(&Open) -> bool) -> Vec<Open> {
        let mut taken = Vec::new();
        for uses in self.open.values_mut() {
            let (out, stay): (VecDeque<Open>, VecDeque<Open>) = uses.drain(..).partition(&which);
            taken.extend(out);
            *uses = stay;
        }
        self.open.retain(|_, uses| !uses.is_empty());
        self.count = self.count.saturating_sub(taken.len());
        taken
    }

    fn find(&mut self, key: &Key, number: u64) -> Option<&mut Open> {
        let uses = self.open.get_mut(key)?;
        uses.iter_mut().find(|open| open.number == number)
    }

    fn forget(&mut self, now: Timestamp) {
        let old =
            |recent: &Recent| now.duration_since(recent.at).as_secs().abs() > START_WINDOW_SECONDS;
        while self.recent.len() >= RECENT_LIMIT || self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
    }
}

fn place(recent: &Recent) -> (Key, u64) {
    (recent.key.clone(), recent.number)
}

fn name_component(components: &mut Vec<String>, name: &str) {
    if components.len() < COMPONENTS_LIMIT && !components.iter().any(|known| known == name) {
        components.push(name.to_owned());
    }
}
