//! Results of what-ifs that were worked out: who asks again with other numbers of seats, as somebody who
//! moves a slider does, waits only for those that were not asked for yet.
//!
//! They are found by the content of all that was replayed, so what came in since makes them another's,
//! and nothing has to be thrown away in time.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use usher_core::replay::{Parameters, Recording, SeatsResult};

/// What-ifs that are kept; the one that was asked for longest ago goes first.
const WHATIFS: usize = 32;
/// Numbers of seats of one what-if; of more nothing more is kept. Each takes about 200 bytes.
const COUNTS: usize = 2_000;

/// Names what was replayed, whatever numbers of seats were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replayed(u64);

impl Replayed {
    /// Of a recording and of how it is replayed.
    pub(crate) fn of(recording: &Recording, parameters: &Parameters) -> Replayed {
        let how = Parameters {
            seats: Vec::new(),
            ..parameters.clone()
        };
        let mut hasher = DefaultHasher::new();
        (recording, format!("{how:?}")).hash(&mut hasher);
        Replayed(hasher.finish())
    }
}

/// Results by number of seats.
pub(crate) type Results = BTreeMap<u32, SeatsResult>;

/// What is kept, of all products.
#[derive(Debug, Default)]
pub(crate) struct KeptReplays(Mutex<VecDeque<(Replayed, Results)>>);

impl KeptReplays {
    /// The results that are known.
    pub(crate) fn known(&self, of: Replayed) -> Results {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = taken(&mut kept, of) else {
            return Results::new();
        };
        kept.push_back((of, known.clone()));
        known
    }

    /// Keeps further results.
    pub(crate) fn keep(&self, of: Replayed, results: &[SeatsResult]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = taken(&mut kept, of).unwrap_or_default();
        for result in results {
            if known.len() < COUNTS {
                known.entry(result.seats).or_insert_with(|| result.clone());
            }
        }
        kept.push_back((of, known));
        if kept.len() > WHATIFS {
            kept.pop_front();
        }
    }
}

/// Those of one what-if, which are no longer there.
fn taken(kept: &mut VecDeque<(Replayed, Results)>, of: Replayed) -> Option<Results> {
    let place = kept.iter().position(|(known, _)| *known == of)?;
    kept.remove(place).map(|(_, results)| results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::replay::{Ask, Outcome, Waits, what_if};

    fn recording(asks: i64) -> Recording {
        let ask = |number: i64| Ask {
            at_ms: number * 60_000,
            person: number.unsigned_abs(),
            computer: 1,
            seats: 1,
            waits: Waits::No,
            priority: 0,
            outcome: Outcome::Granted {
                held_ms: Some(90_000),
            },
        };
        Recording {
            until_ms: 86_400_000,
            asks: (0..asks).map(ask).collect(),
            ..Recording::default()
        }
    }

    fn results(recording: &Recording, parameters: &Parameters) -> Vec<SeatsResult> {
        what_if(recording, parameters, &mut |_| true)
            .unwrap()
            .results
    }

    #[test]
    fn a_result_is_found_again_by_what_was_replayed_and_not_by_other_counts() {
        let (kept, parameters) = (KeptReplays::default(), Parameters::of([1, 2]));
        let recording = recording(9);
        let of = Replayed::of(&recording, &parameters);
        assert!(kept.known(of).is_empty());
        kept.keep(of, &results(&recording, &parameters));
        let again = Replayed::of(&recording, &Parameters::of([2, 3]));
        let known: Vec<u32> = kept.known(again).into_keys().collect();
        assert_eq!(known, [1, 2]);
    }

    #[test]
    fn what_came_in_since_or_is_replayed_otherwise_is_another() {
        let parameters = Parameters::of([1]);
        let of = Replayed::of(&recording(9), &parameters);
        assert_ne!(Replayed::of(&recording(10), &parameters), of);
        let mut later = recording(9);
        later.until_ms += 1;
        assert_ne!(Replayed::of(&later, &parameters), of);
        let seeded = Parameters {
            seed: 1,
            ..parameters.clone()
        };
        assert_ne!(Replayed::of(&recording(9), &seeded), of);
        assert_eq!(Replayed::of(&recording(9), &parameters), of);
    }

    #[test]
    fn only_so_many_are_kept_and_those_that_are_asked_for_stay() {
        let (kept, parameters) = (KeptReplays::default(), Parameters::of([1]));
        let one = results(&recording(1), &parameters);
        let of = |number| Replayed::of(&recording(number), &parameters);
        for number in 0..=WHATIFS as i64 {
            kept.keep(of(number), &one);
            assert!(!kept.known(of(0)).is_empty(), "{number}");
        }
        assert!(kept.known(of(1)).is_empty());
        let many: Vec<SeatsResult> = (0..3_000)
            .map(|seats| SeatsResult {
                seats,
                ..one[0].clone()
            })
            .collect();
        kept.keep(of(0), &many);
        assert_eq!(kept.known(of(0)).len(), COUNTS);
    }
}
