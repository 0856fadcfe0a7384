//! Which lines count: what is superseded, which `FEATURE` of a name counts, and what upgrades move.
//!
//! Where this was learnt: FlexNet Operations, "Using the SUPERSEDE and SUPERSEDE_SIGN Keywords";
//! FLEXnet Licensing End User Guide, appendix B ("FEATURE/INCREMENT Lines", "Order of Precedence",
//! "UPGRADE Lines").

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::entry::{ALL, Entry, Kind};
use super::version;
use crate::fact::SetAside;

/// An upgrade looks at so many lines of its name before it.
const LOOK_BACK_LIMIT: usize = 1_000;
/// Pairs of name and signature of all lines that are looked up; further ones supersede nothing.
const SIGNED_LIMIT: usize = 10_000;

/// Sets aside the lines whose seats do not count, and moves what upgrades move.
pub(super) fn settle(entries: &mut [Entry]) {
    let superseded = superseded(entries);
    set_aside(entries, superseded);
    let superseded = superseded_by_signature(entries);
    set_aside(entries, superseded);
    let further = further_features(entries);
    set_aside(entries, further);
    upgrade(entries);
}

fn set_aside(entries: &mut [Entry], which: Vec<(usize, SetAside)>) {
    for (at, why) in which {
        if let Some(entry) = entries.get_mut(at) {
            entry.owned.written.set_aside.get_or_insert(why);
        }
    }
}

/// Lines that are older than the newest line that supersedes their name. Lines of one day are pooled. A
/// line without a day is older than each that has one; a line without a day supersedes nothing.
fn superseded(entries: &[Entry]) -> Vec<(usize, SetAside)> {
    let mut newest: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.issued().is_some()) {
        let (daemon, _) = entry.key();
        for name in &entry.supersedes {
            let known = newest.entry((daemon, name.as_str())).or_insert(entry);
            if entry.issued() > known.issued() {
                *known = entry;
            }
        }
    }
    let of = |(at, entry): (usize, &Entry)| {
        let (daemon, _) = entry.key();
        let known = [newest.get(&entry.key()), newest.get(&(daemon, ALL))];
        let by = known.into_iter().flatten().max_by_key(|by| by.issued())?;
        let (is_older, place) = (entry.issued() < by.issued(), by.owned.written.place);
        is_older.then_some((at, SetAside::Superseded(place)))
    };
    entries.iter().enumerate().filter_map(of).collect()
}

/// Lines whose signature another line names.
fn superseded_by_signature(entries: &[Entry]) -> Vec<(usize, SetAside)> {
    let mut named: BTreeMap<(&str, &str), Vec<(&str, &Entry)>> = BTreeMap::new();
    let pairs = entries.iter().flat_map(|entry| {
        entry
            .supersedes_signed
            .iter()
            .map(move |pair| (entry, pair))
    });
    for (entry, (name, signature)) in pairs.take(SIGNED_LIMIT) {
        let (daemon, _) = entry.key();
        let of_name = named.entry((daemon, name.as_str())).or_default();
        of_name.push((signature.as_str(), entry));
    }
    let of = |(at, entry): (usize, &Entry)| {
        let of_name = named.get(&entry.key())?;
        let place = entry.owned.written.place;
        let (_, by) = of_name.iter().find(|(signature, by)| {
            by.owned.written.place != place && entry.signature.starts_with(signature)
        })?;
        Some((at, SetAside::Superseded(by.owned.written.place)))
    };
    entries.iter().enumerate().filter_map(of).collect()
}

/// Counted `FEATURE` lines beside the first of their name. Uncounted ones all stay: each is for another
/// computer, and no daemon counts them.
fn further_features(entries: &[Entry]) -> Vec<(usize, SetAside)> {
    let counts = |entry: &Entry| {
        entry.kind == Kind::Feature
            && entry.owned.seats.is_some()
            && entry.owned.written.set_aside.is_none()
    };
    let mut first: BTreeMap<(&str, &str), &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| counts(entry)) {
        let known = first.entry(entry.key()).or_insert(entry);
        if before(entry, known).is_lt() {
            *known = entry;
        }
    }
    let of = |(at, entry): (usize, &Entry)| {
        let first = first.get(&entry.key())?.owned.written.place;
        let is_further = counts(entry) && entry.owned.written.place != first;
        is_further.then_some((at, SetAside::NotTheFirst(first)))
    };
    entries.iter().enumerate().filter_map(of).collect()
}

/// The order in which a daemon takes lines of one file and name: `sort=`, the file's place, the higher
/// version, the newer issue, else as they are written.
fn before(one: &Entry, other: &Entry) -> Ordering {
    let file = |entry: &Entry| entry.owned.written.place.file;
    let newer_version = version::compare(other.version(), one.version()).unwrap_or(Ordering::Equal);
    let order = file(one).cmp(&file(other));
    let order = order.then_with(|| one.sort.cmp(&other.sort));
    order
        .then(newer_version)
        .then_with(|| other.issued().cmp(&one.issued()))
}

/// Moves seats from the nearest line before each upgrade whose version it is for.
fn upgrade(entries: &mut [Entry]) {
    for (at, target) in upgrades(entries) {
        let Some(target) = target else {
            set_aside(entries, vec![(at, SetAside::NothingToUpgrade)]);
            continue;
        };
        let (wanted, there) = (seats(entries, at), seats(entries, target));
        let moved = wanted.min(there);
        if moved == 0 {
            set_aside(entries, vec![(at, SetAside::NothingToUpgrade)]);
            continue;
        }
        let by = entries
            .get(at)
            .map(|entry| entry.owned.written.place)
            .unwrap_or_default();
        if let Some(entry) = entries.get_mut(at) {
            entry.owned.seats = Some(moved);
        }
        if moved == there {
            set_aside(entries, vec![(target, SetAside::Upgraded(by))]);
        } else if let Some(entry) = entries.get_mut(target) {
            entry.owned.seats = Some(there.saturating_sub(moved));
        }
    }
}

/// The seats of a line that counts, else 0.
fn seats(entries: &[Entry], at: usize) -> u32 {
    let entry = entries
        .get(at)
        .filter(|entry| entry.owned.written.set_aside.is_none());
    entry.and_then(|entry| entry.owned.seats).unwrap_or(0)
}

/// The upgrades that are not superseded, in the order of the file, each with the line that it upgrades.
fn upgrades(entries: &[Entry]) -> Vec<(usize, Option<usize>)> {
    let mut before: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let counts = entry.owned.seats.is_some() && entry.owned.written.set_aside.is_none();
        if !counts {
            continue;
        }
        let of_name = before.entry(entry.key()).or_default();
        if let Kind::Upgrade { from } = &entry.kind {
            let is_for = |old: &Entry| {
                let at_least = version::compare(old.version(), from).is_some_and(Ordering::is_ge);
                let below =
                    version::compare(old.version(), entry.version()).is_some_and(Ordering::is_lt);
                at_least && below
            };
            let near = of_name.iter().rev().take(LOOK_BACK_LIMIT);
            let target = near
                .copied()
                .find(|at| entries.get(*at).is_some_and(is_for));
            found.push((at, target));
        }
        of_name.push(at);
    }
    found
}
