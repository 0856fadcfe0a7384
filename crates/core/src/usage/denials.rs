//! Who was refused for good, who got a seat soon after, and who only tried again.

use super::granted::Granted;
use crate::ledger::RETRY_SECONDS;

/// Within how many milliseconds of a refusal another one is a retry, and a grant satisfies it.
pub const RETRY_MS: i64 = (RETRY_SECONDS * 1_000).cast_signed();

/// A refusal of one product, or several that were recorded as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// Who was refused: a surrogate.
    pub person: u64,
    /// On which computer: a surrogate.
    pub computer: u64,
    /// The first, in Unix milliseconds.
    pub first_ms: i64,
    /// The last, in Unix milliseconds.
    pub last_ms: i64,
    /// How many there were, at least 1.
    pub count: u64,
}

/// What a refusal was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenialClass {
    /// The same person on the same computer was refused less than 15 minutes before.
    Retry,
    /// The person was granted a seat, anywhere in the site, less than 15 minutes after it.
    SatisfiedLater,
    /// The person got no seat.
    Final,
    /// The person has got no seat so far, and less than 15 minutes after it are known.
    Provisional,
}

/// Refusals by what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Denials {
    /// Of people who got no seat; those that are provisional are among them.
    pub for_good: u64,
    /// Of people who got one less than 15 minutes later.
    pub satisfied_later: u64,
    /// Of people who had just been refused.
    pub retries: u64,
}

impl Denials {
    /// Adds one that was judged.
    pub fn add(&mut self, judged: &Judged) {
        let count = match judged.class {
            DenialClass::Retry => &mut self.retries,
            DenialClass::SatisfiedLater => &mut self.satisfied_later,
            DenialClass::Final | DenialClass::Provisional => &mut self.for_good,
        };
        *count = count.saturating_add(1);
        self.retries = self.retries.saturating_add(judged.repeats);
    }
}

/// A recorded refusal, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// The first, in Unix milliseconds: all that were recorded with it count then.
    pub at_ms: i64,
    /// What the first was.
    pub class: DenialClass,
    /// Retries that were recorded with it.
    pub repeats: u64,
}

/// From which instant on refusals may still turn out satisfied, if all is known up to another.
pub fn provisional_from_ms(known_until_ms: i64) -> i64 {
    known_until_ms.saturating_sub(RETRY_MS)
}

/// Judges the refusals of one product in the whole site, told once each and in any order. `granted`
/// is whom seats of it were granted to, and when; `known_until_ms` is up to when both are known.
/// Whether a refusal is a retry is known only if those of the 15 minutes before are there.
pub fn judged(
    denials: &[Denied],
    granted: impl IntoIterator<Item = (u64, i64)>,
    known_until_ms: i64,
) -> Vec<Judged> {
    let granted = Granted::of(granted);
    let mut sorted = denials.to_vec();
    sorted.sort_unstable();
    let mut judged = Vec::with_capacity(sorted.len());
    let mut before: Option<((u64, u64), i64)> = None;
    for denied in sorted {
        let who = (denied.person, denied.computer);
        let last_ms = before.and_then(|(whose, ms)| (whose == who).then_some(ms));
        let is_retry = last_ms.is_some_and(|ms| denied.first_ms.saturating_sub(ms) < RETRY_MS);
        let granted_ms = granted.first_after(denied.person, denied.first_ms.saturating_sub(1));
        let class = if is_retry {
            DenialClass::Retry
        } else if granted_ms.saturating_sub(denied.first_ms) < RETRY_MS {
            DenialClass::SatisfiedLater
        } else if denied.first_ms > provisional_from_ms(known_until_ms) {
            DenialClass::Provisional
        } else {
            DenialClass::Final
        };
        judged.push(Judged {
            at_ms: denied.first_ms,
            class,
            repeats: denied.count.saturating_sub(1),
        });
        let last_ms = denied.last_ms.max(last_ms.unwrap_or(i64::MIN));
        before = Some((who, last_ms.max(denied.first_ms)));
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn denied(person: u64, computer: u64, minute: i64) -> Denied {
        Denied {
            person,
            computer,
            first_ms: minute * MINUTE_MS,
            last_ms: minute * MINUTE_MS,
            count: 1,
        }
    }

    fn classes(denials: &[Denied], granted: &[(u64, i64)], known_minute: i64) -> Vec<DenialClass> {
        let granted = granted
            .iter()
            .map(|(who, minute)| (*who, minute * MINUTE_MS));
        let judged = judged(denials, granted, known_minute * MINUTE_MS);
        judged.into_iter().map(|one| one.class).collect()
    }

    #[test]
    fn who_is_refused_again_within_a_quarter_of_an_hour_of_the_last_time_only_tries_again() {
        use DenialClass::{Final, Retry};
        let denials = [
            denied(1, 1, 0),
            denied(1, 1, 14),
            denied(1, 1, 28),
            denied(1, 1, 43),
        ];
        assert_eq!(classes(&denials, &[], 100), [Final, Retry, Retry, Final]);
        let elsewhere = [denied(1, 1, 0), denied(1, 2, 14)];
        assert_eq!(classes(&elsewhere, &[], 100), [Final, Final]);
    }

    #[test]
    fn a_grant_within_a_quarter_of_an_hour_of_the_first_refusal_satisfies_it() {
        use DenialClass::{Final, Retry, SatisfiedLater};
        let denials = [denied(1, 1, 0), denied(1, 1, 10)];
        assert_eq!(classes(&denials, &[(1, 14)], 100), [SatisfiedLater, Retry]);
        assert_eq!(classes(&denials, &[(1, 15)], 100), [Final, Retry]);
        assert_eq!(classes(&denials, &[(2, 5)], 100), [Final, Retry]);
    }

    #[test]
    fn a_refusal_is_provisional_until_a_quarter_of_an_hour_after_it_is_known() {
        use DenialClass::{Final, Provisional, SatisfiedLater};
        assert_eq!(classes(&[denied(1, 1, 10)], &[], 24), [Provisional]);
        assert_eq!(classes(&[denied(1, 1, 10)], &[], 25), [Final]);
        assert_eq!(
            classes(&[denied(1, 1, 10)], &[(1, 12)], 13),
            [SatisfiedLater]
        );
    }

    #[test]
    fn what_was_recorded_as_one_is_one_refusal_and_its_retries() {
        let many = Denied {
            count: 5,
            ..denied(1, 1, 0)
        };
        let mut denials = Denials::default();
        for one in judged(&[many], [], i64::MAX) {
            denials.add(&one);
        }
        assert_eq!((denials.for_good, denials.retries), (1, 4));
    }
}
