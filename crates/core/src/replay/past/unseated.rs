//! When people ran a product without a seat: what is one use of theirs stands once.

use rustc_hash::FxHashMap;

use super::known::Known;
use super::{Past, Who};

/// From the first instant to the one after the last, in Unix milliseconds.
type Time = (i64, i64);

/// Clocks of computers and servers may differ by so many milliseconds.
const LEEWAY_MS: i64 = 60_000;

/// When people ran a product without a seat.
pub(super) struct Unseated {
    /// By person and computer: in order, apart from each other and from what is held there.
    of: FxHashMap<(u64, u64), Vec<Time>>,
    /// Uses whose person and computer are not known: each stands by itself.
    strangers: Vec<(Who, Time)>,
}

#[derive(Default)]
struct Times {
    unseated: Vec<Time>,
    held: Vec<Time>,
}

impl Unseated {
    /// From sessions that had no lease, or none that is known.
    pub(super) fn of(past: &[Past], known: &Known) -> Unseated {
        let mut times: FxHashMap<(u64, u64), Times> = FxHashMap::default();
        let mut strangers = Vec::new();
        for it in past {
            let Past::Session(session) = it else {
                continue;
            };
            if session.lease.is_some_and(|lease| known.has(lease)) {
                continue;
            }
            let time = time(session.started_ms, Some(session.duration_ms));
            match holder(session.who) {
                Some(holder) => times.entry(holder).or_default().unseated.push(time),
                None => strangers.push((session.who, time)),
            }
        }
        for it in past {
            if let Past::Lease(lease) = it
                && lease.was_used
                && let Some(times) = holder(lease.who).and_then(|it| times.get_mut(&it))
            {
                times.held.push(time(lease.granted_ms, lease.held_ms));
            }
        }
        let apart = times.into_iter().map(|(holder, times)| {
            let unseated = without(joined(times.unseated), &joined(times.held));
            (holder, unseated)
        });
        Unseated {
            of: apart.collect(),
            strangers,
        }
    }

    /// All of them, each with its person.
    pub(super) fn each(&self) -> impl Iterator<Item = (Who, Time)> + '_ {
        let known = self.of.iter().flat_map(|((person, computer), times)| {
            let who = Who {
                person: Some(*person),
                computer: Some(*computer),
            };
            times.iter().map(move |time| (who, *time))
        });
        known.chain(self.strangers.iter().copied())
    }

    /// Whether somebody ran it there at that instant, or nearly.
    pub(super) fn runs(&self, who: Who, at_ms: i64) -> bool {
        let Some(times) = holder(who).and_then(|it| self.of.get(&it)) else {
            return false;
        };
        let next = times.partition_point(|(_, until)| until.saturating_add(LEEWAY_MS) < at_ms);
        let time = times.get(next);
        time.is_some_and(|(from, _)| from.saturating_sub(LEEWAY_MS) <= at_ms)
    }
}

fn holder(who: Who) -> Option<(u64, u64)> {
    Some((who.person?, who.computer?))
}

fn time(from_ms: i64, length_ms: Option<u64>) -> Time {
    let length_ms = length_ms.and_then(|ms| i64::try_from(ms).ok());
    (
        from_ms,
        from_ms.saturating_add(length_ms.unwrap_or(i64::MAX)),
    )
}

/// The same times in order, those that overlap or touch as one.
fn joined(mut times: Vec<Time>) -> Vec<Time> {
    times.sort_unstable();
    let mut joined: Vec<Time> = Vec::with_capacity(times.len());
    for (from, until) in times {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    joined
}

/// What is left of times outside others; both are in order and apart from each other.
fn without(times: Vec<Time>, others: &[Time]) -> Vec<Time> {
    let mut left = Vec::with_capacity(times.len());
    let mut next = 0_usize;
    for (from, until) in times {
        while others.get(next).is_some_and(|other| other.1 <= from) {
            next += 1;
        }
        let mut begin = from;
        let mut is_covered = false;
        let rest = others.get(next..).unwrap_or_default();
        for (other_from, other_until) in rest.iter().take_while(|other| other.0 <= until) {
            if *other_from > begin {
                left.push((begin, *other_from));
            }
            begin = begin.max(*other_until);
            if begin >= until {
                is_covered = true;
                break;
            }
        }
        if !is_covered {
            left.push((begin, until));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_that_touch_are_one_and_what_is_held_beside_them_is_left_out() {
        assert_eq!(
            joined(vec![(5, 7), (0, 3), (3, 4), (6, 9)]),
            [(0, 4), (5, 9)]
        );
        assert_eq!(without(vec![(0, 10)], &[(2, 4), (6, 12)]), [(0, 2), (4, 6)]);
        assert!(without(vec![(3, 5), (8, 9)], &[(0, 10)]).is_empty());
        assert_eq!(without(vec![(4, 4)], &[(5, 6)]), [(4, 4)]);
        assert_eq!(without(vec![(0, 5)], &[]), [(0, 5)]);
    }

    fn times() -> impl Strategy<Value = Vec<Time>> {
        let time = (0_i64..40, 1_i64..10).prop_map(|(from, length)| (from, from + length));
        prop::collection::vec(time, 0..12)
    }

    proptest! {
        #[test]
        fn what_is_left_is_each_instant_of_the_one_that_is_none_of_the_other(
            times in times(),
            others in times(),
        ) {
            let has = |times: &[Time], at: i64| times.iter().any(|it| (it.0..it.1).contains(&at));
            let left = without(joined(times.clone()), &joined(others.clone()));
            for at in 0..60 {
                let wanted = has(&times, at) && !has(&others, at);
                prop_assert_eq!(has(&left, at), wanted, "at {}: {:?}", at, left);
            }
            for pair in left.windows(2) {
                prop_assert!(pair[0].1 <= pair[1].0, "{:?}", left);
            }
        }
    }
}
