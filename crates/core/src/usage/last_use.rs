//! When something was last used: never is said only if all of the time was observed.

use std::fmt;

use super::gaps::Gaps;
use super::when::timestamp;

/// When something was last used, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastUse {
    /// It was used.
    Used {
        /// Up to when, in Unix milliseconds; now if it is used now.
        at_ms: i64,
    },
    /// It was observed all the time, and not used.
    Never,
    /// No use of it is known, and there may have been one.
    NotKnown(NotKnown),
}

/// Why nobody knows whether something was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKnown {
    /// It was not observed at all.
    NotObserved,
    /// It is observed only from then on, in Unix milliseconds.
    ObservedFrom(i64),
    /// What was before this instant was removed when its retention was over, in Unix milliseconds.
    CutBefore(i64),
    /// It was not observed for so many milliseconds.
    Gaps(u64),
}

/// What is known of the observation of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed<'a> {
    /// Since when it was looked at, in Unix milliseconds; none if it never was.
    pub since_ms: Option<i64>,
    /// Rows that ended before were removed, in Unix milliseconds; none if nothing was.
    pub cut_before_ms: Option<i64>,
    /// When nobody looked in between.
    pub gaps: &'a Gaps,
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotKnown::NotObserved => write!(f, "it was not observed"),
            NotKnown::ObservedFrom(ms) => {
                write!(f, "it was not observed before {}", timestamp(*ms))
            }
            NotKnown::CutBefore(ms) => {
                let cut = timestamp(*ms);
                write!(
                    f,
                    "what was recorded before {cut} was removed after its retention"
                )
            }
            NotKnown::Gaps(ms) => {
                // Less than a second is said as one.
                let seconds = ms.div_ceil(1_000);
                write!(f, "it was not observed for {seconds} seconds of the time")
            }
        }
    }
}

impl LastUse {
    /// The name of the state in the API.
    pub fn state(&self) -> &'static str {
        match self {
            LastUse::Used { .. } => "used",
            LastUse::Never => "never",
            LastUse::NotKnown(_) => "not_known",
        }
    }

    /// In the time from `from_ms` (when it was bought or installed, or what is asked about) to
    /// `now_ms`. `ends_ms` is when its uses ended, `i64::MAX` for one that lasts.
    pub fn of(
        ends_ms: impl IntoIterator<Item = i64>,
        (from_ms, now_ms): (i64, i64),
        observed: Observed<'_>,
    ) -> LastUse {
        if let Some(end_ms) = ends_ms.into_iter().max() {
            let at_ms = end_ms.min(now_ms);
            return LastUse::Used { at_ms };
        }
        let Some(since_ms) = observed.since_ms.filter(|since_ms| *since_ms < now_ms) else {
            return LastUse::NotKnown(NotKnown::NotObserved);
        };
        if let Some(cut_ms) = observed.cut_before_ms.filter(|cut_ms| *cut_ms > from_ms) {
            return LastUse::NotKnown(NotKnown::CutBefore(cut_ms));
        }
        if since_ms > from_ms {
            return LastUse::NotKnown(NotKnown::ObservedFrom(since_ms));
        }
        match observed.gaps.unobserved_ms(from_ms, now_ms) {
            0 => LastUse::Never,
            gaps_ms => LastUse::NotKnown(NotKnown::Gaps(gaps_ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_use(ends_ms: &[i64], since_ms: Option<i64>, cut: Option<i64>, gaps: &Gaps) -> LastUse {
        let observed = Observed {
            since_ms,
            cut_before_ms: cut,
            gaps,
        };
        LastUse::of(ends_ms.iter().copied(), (100, 200), observed)
    }

    #[test]
    fn never_is_said_only_of_what_was_observed_all_the_time() {
        let (none, some) = (Gaps::default(), Gaps::of(vec![(120, 130), (300, 310)]));
        let not_known = LastUse::NotKnown;
        assert_eq!(last_use(&[], Some(90), None, &none), LastUse::Never);
        let found = last_use(&[], None, None, &none);
        assert_eq!(found, not_known(NotKnown::NotObserved));
        let found = last_use(&[], Some(101), None, &none);
        assert_eq!(found, not_known(NotKnown::ObservedFrom(101)));
        let found = last_use(&[], Some(0), Some(150), &none);
        assert_eq!(found, not_known(NotKnown::CutBefore(150)));
        let found = last_use(&[], Some(0), Some(100), &some);
        assert_eq!(found, not_known(NotKnown::Gaps(10)));
    }

    #[test]
    fn the_last_end_counts_and_now_if_it_is_used_now() {
        let gaps = Gaps::default();
        let found = last_use(&[110, 180, 150], None, None, &gaps);
        assert_eq!(found, LastUse::Used { at_ms: 180 });
        let found = last_use(&[110, i64::MAX], Some(0), None, &gaps);
        assert_eq!(found, LastUse::Used { at_ms: 200 });
    }

    #[test]
    fn why_it_is_not_known_is_said_in_words() {
        let said = [
            NotKnown::NotObserved,
            NotKnown::ObservedFrom(0),
            NotKnown::CutBefore(86_400_000),
            NotKnown::Gaps(1_500),
        ]
        .map(|why| why.to_string());
        let expected = [
            "it was not observed",
            "it was not observed before 1970-01-01T00:00:00Z",
            "what was recorded before 1970-01-02T00:00:00Z was removed after its retention",
            "it was not observed for 2 seconds of the time",
        ];
        assert_eq!(said, expected);
        assert_eq!(
            LastUse::NotKnown(NotKnown::NotObserved).state(),
            "not_known"
        );
    }
}
