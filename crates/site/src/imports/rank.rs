//! How much a row says: a row of a higher rank takes the place of one that is there.

use crate::columns::signed;
use crate::elsewhere::ElsewhereSum;

/// The rank of a row of which all is known: no other says more.
pub(crate) const WHOLE: i64 = i64::MAX;

/// What has an end is whole; what still runs says more than what was seen up to an instant.
pub(crate) fn of_end(ended_ms: Option<i64>, seen_ms: Option<i64>) -> i64 {
    match (ended_ms, seen_ms) {
        (Some(_), _) => WHOLE,
        (None, None) => WHOLE - 1,
        (None, Some(seen_ms)) => seen_ms.min(WHOLE - 2),
    }
}

/// What grows in a sum while its time is not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) starts: Option<i64>,
    pub(crate) seconds: Option<i64>,
    pub(crate) users: Option<i64>,
    pub(crate) last_used_ms: Option<i64>,
}

impl Figures {
    pub(crate) fn of(it: &ElsewhereSum) -> Figures {
        Figures {
            starts: it.starts.map(signed),
            seconds: it.seconds.map(signed),
            users: it.users.map(signed),
            last_used_ms: it.last_used_ms,
        }
    }

    /// The larger of each.
    pub(crate) fn or_more(self, other: Figures) -> Figures {
        Figures {
            starts: self.starts.max(other.starts),
            seconds: self.seconds.max(other.seconds),
            users: self.users.max(other.users),
            last_used_ms: self.last_used_ms.max(other.last_used_ms),
        }
    }

    /// It is higher if any of them is larger and none is smaller.
    pub(crate) fn rank(self) -> i64 {
        let all = [self.starts, self.seconds, self.users, self.last_used_ms];
        let each = all.into_iter().map(|it| it.unwrap_or(0).max(0));
        each.fold(0, i64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_end_says_most_and_then_what_still_runs() {
        let ranks = [
            of_end(None, Some(-5)),
            of_end(None, Some(7)),
            of_end(None, Some(i64::MAX)),
            of_end(None, None),
            of_end(Some(3), None),
        ];
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    }

    #[test]
    fn a_sum_that_grew_in_anything_says_more() {
        let before = Figures {
            starts: Some(3),
            seconds: Some(60),
            users: None,
            last_used_ms: Some(1_000),
        };
        let grown = [
            Figures {
                starts: Some(4),
                ..before
            },
            Figures {
                // Less of one is no less of the other.
                starts: Some(2),
                seconds: Some(61),
                ..before
            },
            Figures {
                users: Some(i64::MAX),
                ..before
            },
        ];
        for it in grown {
            assert!(it.or_more(before).rank() > before.rank(), "{it:?}");
        }
        let less = Figures {
            seconds: Some(50),
            last_used_ms: None,
            ..before
        };
        assert_eq!(less.or_more(before), before);
    }
}
