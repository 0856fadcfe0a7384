//! What of a time is no longer kept.

use usher_api::Cut;
use usher_site::{Retained, RetainedSince};

use crate::clock::date;

/// What rows of these kinds do not say any more of a time from `from_ms` on.
pub(in crate::routes) fn cuts(since: &RetainedSince, kinds: &[Retained], from_ms: i64) -> Vec<Cut> {
    let cut = |what: &Retained| {
        let since_ms = since.told(*what).filter(|since_ms| from_ms < *since_ms)?;
        Some(Cut {
            what: name(*what).to_owned(),
            why: "they were removed when their time was over, as [retention] in the manager's \
                  settings says"
                .to_owned(),
            before: Some(date(since_ms)),
        })
    };
    kinds.iter().filter_map(cut).collect()
}

fn name(what: Retained) -> &'static str {
    match what {
        Retained::Sessions => "sessions and leases, and so people and computers,",
        Retained::Denials => "refusals",
        Retained::Waits => "waits",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_kept_is_said_of_a_time_that_begins_before() {
        let since = RetainedSince {
            sessions_ms: Some(1_000),
            denials_ms: Some(2_000),
            waits_ms: None,
            archived_ms: None,
        };
        let cut = |from_ms| cuts(&since, &Retained::ALL, from_ms);
        let before: Vec<_> = cut(0).into_iter().map(|it| it.before).collect();
        assert_eq!(before, [Some(date(1_000)), Some(date(2_000))]);
        assert_eq!(cut(1_000).len(), 1);
        assert_eq!(cut(2_000), []);
        assert_eq!(cuts(&since, &[Retained::Waits], 0), []);
        let archived = |from_ms| RetainedSince {
            archived_ms: Some(from_ms),
            ..since
        };
        let sessions = [Retained::Sessions];
        assert_eq!(cuts(&archived(i64::MIN), &sessions, 0), []);
        assert_eq!(cuts(&archived(500), &sessions, 500), []);
        assert_eq!(
            cuts(&archived(500), &sessions, 0)[0].before,
            Some(date(500))
        );
    }
}
