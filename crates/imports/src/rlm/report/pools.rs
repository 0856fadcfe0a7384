//! What a server says of its pools: what there is (PRODUCT), and how much of it is in use after each
//! checkout and check-in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::fact::{Fact, Feature, Snapshot};
use crate::reading::Out;

/// Products that are followed; further ones are not.
const PRODUCTS_LIMIT: usize = 100_000;
/// Pools of a product that are followed; further ones are not.
const POOLS_LIMIT: usize = 10_000;

/// The seats in use of a product, by the server's own count.
#[derive(Debug, Default)]
struct InUse {
    by_pool: BTreeMap<String, u64>,
    now: u64,
    peak: u64,
    peak_at: Option<Timestamp>,
}

/// The pools of a log.
#[derive(Debug, Default)]
pub(super) struct Pools {
    in_use: BTreeMap<Feature, InUse>,
    /// Seats, and how many of them are reserved, of the products that PRODUCT lines in a row name.
    listed: BTreeMap<Feature, (Option<u64>, u64)>,
}

impl Pools {
    /// A PRODUCT line: free and reserved seats. A pool of no seats is not counted.
    pub(super) fn list(&mut self, feature: Feature, free: u64, reserved: u64) {
        if self.listed.len() >= PRODUCTS_LIMIT && !self.listed.contains_key(&feature) {
            return;
        }
        let seats = match free.saturating_add(reserved) {
            0 => None,
            seats => Some(seats),
        };
        self.listed
            .entry(feature)
            .and_modify(|(known, kept)| {
                *known = known
                    .zip(seats)
                    .map(|(one, other)| one.saturating_add(other));
                *kept = kept.saturating_add(reserved);
            })
            .or_insert((seats, reserved));
    }

    /// The PRODUCT lines in a row are over; they were written then, by that server.
    pub(super) fn say_listed(
        &mut self,
        at: Option<Timestamp>,
        server: Option<&str>,
        out: &mut Out<'_>,
    ) {
        let listed = std::mem::take(&mut self.listed);
        let Some(at) = at else {
            return;
        };
        for (feature, (issued, reserved)) in listed {
            let reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
            out.say(Fact::Snapshot(Box::new(Snapshot {
                at,
                server: server.map(str::to_owned),
                feature,
                issued,
                in_use: None,
                held: Vec::new(),
                reserved: match reserved {
                    0 => Vec::new(),
                    _ => vec![("unknown".to_owned(), reserved)],
                },
                queued: Vec::new(),
                trouble: None,
            })));
        }
    }

    /// So many seats of a pool are in use.
    pub(super) fn used(&mut self, feature: &Feature, pool: &str, seats: u64, at: Timestamp) {
        if !self.in_use.contains_key(feature) {
            if self.in_use.len() >= PRODUCTS_LIMIT {
                return;
            }
            self.in_use.insert(feature.clone(), InUse::default());
        }
        let Some(known) = self.in_use.get_mut(feature) else {
            return;
        };
        if known.by_pool.len() >= POOLS_LIMIT && !known.by_pool.contains_key(pool) {
            return;
        }
        let before = known.by_pool.insert(pool.to_owned(), seats).unwrap_or(0);
        known.now = known.now.saturating_sub(before).saturating_add(seats);
        if known.now > known.peak {
            (known.peak, known.peak_at) = (known.now, Some(at));
        }
    }

    /// The server ended: nothing is in use.
    pub(super) fn ended(&mut self) {
        for known in self.in_use.values_mut() {
            known.by_pool.clear();
            known.now = 0;
        }
    }

    /// The most of each product, by the server's own count.
    pub(super) fn say_peaks(&mut self, out: &mut Out<'_>) {
        for (feature, known) in std::mem::take(&mut self.in_use) {
            out.say(Fact::DaemonPeak {
                daemon: feature.daemon,
                feature: Some(feature.name),
                seats: known.peak,
                at: known.peak_at,
            });
        }
    }
}
