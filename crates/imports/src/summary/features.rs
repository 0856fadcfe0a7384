//! What is known of each product, out of all that counts: pairs of a log, snapshots, whole uses, sums and
//! licences.

use std::collections::BTreeMap;

use usher_api::{ImportedFeature, ImportedPeak};

use super::{seen, whole};
use crate::pairing::{FeatureCounts, Peak};

/// Features by product id.
#[derive(Debug, Default)]
pub(super) struct Features {
    by_product: BTreeMap<String, ImportedFeature>,
    /// Products that several features are.
    pub(super) joined: u64,
}

impl Features {
    /// What the pairs of a log say.
    pub(super) fn paired(&mut self, product: String, counts: &FeatureCounts) {
        self.add(ImportedFeature {
            checkouts: Some(counts.checkouts),
            checkins: Some(counts.checkins),
            denials: Some(counts.denials),
            queued: counts.queued,
            unsupported: counts.unsupported,
            users: counts.users,
            users_at_least: counts.users_at_least,
            peak: peak(counts.lines, counts.users_hosts, counts.seats),
            open_at_end: counts.open_at_end,
            ..nothing(product)
        });
    }

    /// What snapshots say.
    pub(super) fn seen(&mut self, product: String, counts: &seen::Counts) {
        self.add(ImportedFeature {
            queued: counts.queued,
            users: u64::try_from(counts.users.len()).unwrap_or(u64::MAX),
            users_at_least: counts.users_at_least,
            peak: peak(counts.lines, counts.users_hosts, Some(counts.seats)),
            open_at_end: counts.open_at_end,
            owned: counts.issued,
            ..nothing(product)
        });
    }

    /// That a log names a feature of which it tells no use, and how many seats there are.
    pub(super) fn named(&mut self, product: String, owned: Option<u64>) {
        self.add(ImportedFeature {
            checkouts: Some(0),
            checkins: Some(0),
            denials: Some(0),
            owned,
            ..nothing(product)
        });
    }

    /// What whole uses say.
    pub(super) fn whole(&mut self, product: String, counts: &whole::Counts) {
        self.add(ImportedFeature {
            checkouts: Some(counts.starts),
            checkins: Some(counts.ends),
            users: counts.users,
            users_at_least: counts.users_at_least,
            peak: peak(counts.lines, counts.users_hosts, Some(counts.seats)),
            open_at_end: counts.starts.saturating_sub(counts.ends),
            ..nothing(product)
        });
    }

    /// What sums say: how many people, at least.
    pub(super) fn summed(&mut self, product: String, users: u64) {
        self.add(ImportedFeature {
            users,
            ..nothing(product)
        });
    }

    /// Seats that are owned; none: uncounted. It names no product that is not there unless `adds`.
    pub(super) fn owned(&mut self, product: String, seats: Option<u64>, adds: bool) {
        if let Some(known) = self.by_product.get_mut(&product) {
            known.owned = seats;
        } else if adds {
            let owned = ImportedFeature {
                owned: seats,
                ..nothing(product)
            };
            self.by_product.insert(owned.product.clone(), owned);
        }
    }

    /// All of them, by product id.
    pub(super) fn into_list(self) -> Vec<ImportedFeature> {
        self.by_product.into_values().collect()
    }

    /// Of two features that are one product numbers are added, and of peaks the higher is kept: what both
    /// had at once is not known.
    fn add(&mut self, more: ImportedFeature) {
        let Some(known) = self.by_product.get_mut(&more.product) else {
            self.by_product.insert(more.product.clone(), more);
            return;
        };
        self.joined = self.joined.saturating_add(1);
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        known.checkouts = sum(known.checkouts, more.checkouts);
        known.checkins = sum(known.checkins, more.checkins);
        known.denials = sum(known.denials, more.denials);
        known.queued = known.queued.saturating_add(more.queued);
        known.unsupported = known.unsupported.saturating_add(more.unsupported);
        known.users = known.users.max(more.users);
        known.users_at_least = true;
        known.open_at_end = known.open_at_end.saturating_add(more.open_at_end);
        known.owned = sum(known.owned, more.owned);
        let peak = &mut known.peak;
        if more.peak.lines > peak.lines {
            (peak.lines, peak.lines_at) = (more.peak.lines, more.peak.lines_at);
        }
        if more.peak.users_hosts > peak.users_hosts {
            (peak.users_hosts, peak.users_hosts_at) =
                (more.peak.users_hosts, more.peak.users_hosts_at);
        }
        if more.peak.seats > peak.seats {
            (peak.seats, peak.seats_at) = (more.peak.seats, more.peak.seats_at);
        }
    }
}

fn nothing(product: String) -> ImportedFeature {
    ImportedFeature {
        product,
        checkouts: None,
        checkins: None,
        denials: None,
        queued: 0,
        unsupported: 0,
        users: 0,
        users_at_least: false,
        peak: ImportedPeak::default(),
        open_at_end: 0,
        owned: None,
    }
}

fn peak(lines: Peak, users_hosts: Peak, seats: Option<Peak>) -> ImportedPeak {
    ImportedPeak {
        lines: lines.count,
        lines_at: lines.at,
        users_hosts: users_hosts.count,
        users_hosts_at: users_hosts.at,
        seats: seats.map(|seats| seats.count),
        seats_at: seats.and_then(|seats| seats.at),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn two_features_that_are_one_product_are_added_but_for_their_peaks() {
        let at = |second| Timestamp::from_second(second).ok();
        let of = |count: u64, second: i64| {
            let most = Peak {
                count,
                at: at(second),
            };
            whole::Counts {
                starts: count,
                lines: most,
                seats: most,
                ..whole::Counts::default()
            }
        };
        let mut features = Features::default();
        features.whole("cad".to_owned(), &of(3, 1));
        features.whole("cad".to_owned(), &of(5, 2));
        features.owned("cad".to_owned(), Some(9), false);
        features.owned("other".to_owned(), Some(9), false);
        assert_eq!(features.joined, 1);
        let list = features.into_list();
        assert_eq!(list.len(), 1);
        assert_eq!((list[0].checkouts, list[0].owned), (Some(8), Some(9)));
        assert_eq!((list[0].peak.lines, list[0].peak.lines_at), (5, at(2)));
        assert_eq!(list[0].peak.seats, Some(5));
    }
}
