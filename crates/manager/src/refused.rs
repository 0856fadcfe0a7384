//! Refusals by what became of them, since this manager started: each is counted once, when that is
//! known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_core::usage::{Denials, RETRY_MS};
use usher_site::{Settled, SettledTime, Teller};

/// What became of a refusal is known so long after it: a grant satisfies it for a quarter of an hour,
/// and a server tells of refusals that it counts as one a minute later.
pub(crate) const SETTLED_MS: i64 = RETRY_MS + 60_000;

/// Whose refusals: a server or a source, by the name that people give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// A watched server.
    Server(String),
    /// A source of imports.
    Source(String),
}

/// Up to when everything is known that somebody tells of.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) whose: Whose,
    pub(crate) teller: Teller,
    /// Unix milliseconds.
    pub(crate) until_ms: i64,
}

#[derive(Debug)]
struct Counted {
    teller: Teller,
    /// Refusals up to this instant are counted.
    through_ms: i64,
    products: BTreeMap<String, Denials>,
}

/// The counts.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Refusals up to this instant were counted by a manager that ended just before this one.
    from_ms: i64,
    counted: Mutex<BTreeMap<Whose, Counted>>,
}

impl Refused {
    /// No counts yet, of a manager that starts at that Unix millisecond.
    pub(crate) fn new(now_ms: i64) -> Refused {
        Refused {
            from_ms: now_ms.saturating_sub(SETTLED_MS),
            counted: Mutex::default(),
        }
    }

    /// The times of which what became of refusals is known and not counted yet. Who is not among
    /// `known` is forgotten.
    pub(crate) fn due(&self, known: &[Known], now_ms: i64) -> Vec<SettledTime> {
        let mut counted = self.lock();
        let there: BTreeSet<&Whose> = known.iter().map(|it| &it.whose).collect();
        counted.retain(|whose, _| there.contains(whose));
        let mut due = Vec::new();
        for it in known {
            let of_it = counted.entry(it.whose.clone());
            let of_it = of_it.or_insert_with(|| Counted::new(&it.teller, self.from_ms));
            if of_it.teller != it.teller {
                // Another server has its name now.
                *of_it = Counted::new(&it.teller, self.from_ms);
            }
            let through_ms = it.until_ms.min(now_ms).saturating_sub(SETTLED_MS);
            if through_ms > of_it.through_ms {
                due.push(SettledTime {
                    teller: it.teller.clone(),
                    after_ms: of_it.through_ms,
                    through_ms,
                });
            }
        }
        due
    }

    /// Counts what was found in these times.
    pub(crate) fn add(&self, times: &[SettledTime], settled: &[Settled]) {
        let mut counted = self.lock();
        for of_it in counted.values_mut() {
            let time = times.iter().find(|time| time.teller == of_it.teller);
            // What was counted meanwhile is not counted again.
            let Some(time) = time.filter(|time| time.after_ms == of_it.through_ms) else {
                continue;
            };
            of_it.through_ms = time.through_ms;
            for one in settled.iter().filter(|one| one.teller == of_it.teller) {
                let sum = of_it.products.entry(one.product.clone()).or_default();
                let Denials {
                    for_good,
                    satisfied_later,
                    retries,
                } = one.denials;
                sum.for_good = sum.for_good.saturating_add(for_good);
                sum.satisfied_later = sum.satisfied_later.saturating_add(satisfied_later);
                sum.retries = sum.retries.saturating_add(retries);
            }
        }
    }

    /// The counts of whoever is known, by product; a product of which nothing is counted is left
    /// out. None: nothing is known of it since the start.
    pub(crate) fn of(&self, whose: &Whose) -> Option<BTreeMap<String, Denials>> {
        self.lock().get(whose).map(|it| it.products.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Whose, Counted>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn new(teller: &Teller, through_ms: i64) -> Counted {
        Counted {
            teller: teller.clone(),
            through_ms,
            products: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_600_800_000;

    fn known(name: &str, id: &str, until_ms: i64) -> Known {
        Known {
            whose: Whose::Server(name.to_owned()),
            teller: Teller::Server(id.to_owned()),
            until_ms,
        }
    }

    fn found(id: &str, for_good: u64) -> Settled {
        Settled {
            teller: Teller::Server(id.to_owned()),
            product: "cad".to_owned(),
            denials: Denials {
                for_good,
                ..Denials::default()
            },
        }
    }

    fn count(refused: &Refused, name: &str) -> Option<u64> {
        let counts = refused.of(&Whose::Server(name.to_owned()))?;
        Some(counts.get("cad").map_or(0, |it| it.for_good))
    }

    #[test]
    fn each_stretch_of_time_is_counted_once_and_only_when_it_is_known() {
        let refused = Refused::new(NOW_MS);
        assert_eq!(count(&refused, "alpha"), None);
        let at = |ms: i64| [known("alpha", "s1", NOW_MS + ms)];
        assert_eq!(refused.due(&at(0), NOW_MS), []);
        assert_eq!(count(&refused, "alpha"), Some(0));
        let due = refused.due(&at(5_000), NOW_MS + 9_000);
        let time = SettledTime {
            teller: Teller::Server("s1".to_owned()),
            after_ms: NOW_MS - SETTLED_MS,
            through_ms: NOW_MS + 5_000 - SETTLED_MS,
        };
        assert_eq!(due, [time]);
        // The site database did not answer: it is due still.
        assert_eq!(refused.due(&at(5_000), NOW_MS + 9_000), due);
        for _ in 0..2 {
            refused.add(&due, &[found("s1", 3), found("s2", 9)]);
            assert_eq!(count(&refused, "alpha"), Some(3));
        }
        assert_eq!(refused.due(&at(5_000), NOW_MS + 99_000), []);
        // The clock was set back.
        assert_eq!(refused.due(&at(5_000), NOW_MS - 99_000), []);
        let next = refused.due(&at(8_000), NOW_MS + 99_000);
        assert_eq!(next[0].after_ms, due[0].through_ms);
        refused.add(&next, &[]);
        assert_eq!(count(&refused, "alpha"), Some(3));
    }

    #[test]
    fn a_server_that_is_removed_or_is_another_one_is_forgotten() {
        let refused = Refused::new(NOW_MS);
        let alpha = |id: &str, ms: i64| [known("alpha", id, NOW_MS + ms)];
        refused.due(&alpha("s1", 0), NOW_MS);
        let due = refused.due(&alpha("s1", 5_000), NOW_MS + 9_000);
        refused.add(&due, &[found("s1", 3)]);
        // Another server has its name.
        refused.due(&alpha("s2", 9_000), NOW_MS + 9_000);
        assert_eq!(count(&refused, "alpha"), Some(0));
        assert_eq!(refused.due(&[], NOW_MS + 9_000), []);
        assert_eq!(count(&refused, "alpha"), None);
    }
}
