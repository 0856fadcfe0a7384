//! Up to which event and time the history of each server is known, and what follows for an answer.

use std::collections::BTreeMap;

use usher_api::{AsOf, Cut, WatchedServer};
use usher_core::usage::Gaps;
use usher_site::{ToldElsewhere, UsedRecord, UsedSource};

use crate::clock::date;

/// What an answer rests on.
#[derive(Debug, Default)]
pub(in crate::routes) struct Known {
    pub(in crate::routes) as_of: Vec<AsOf>,
    pub(in crate::routes) cut: Vec<Cut>,
    /// Up to when all watched servers are known, in Unix milliseconds.
    pub(in crate::routes) until_ms: i64,
    /// When some server was not known any more.
    pub(in crate::routes) gaps: Gaps,
    /// Since when anything is recorded, in Unix milliseconds; none: nothing is, or, of a product that
    /// is counted elsewhere, that is in the gaps.
    pub(in crate::routes) since_ms: Option<i64>,
}

impl Known {
    /// From what the site database has, and what the watches have seen, for a time from `from_ms` on.
    pub(super) fn of(
        record: UsedRecord,
        watched: &[WatchedServer],
        (from_ms, now_ms): (i64, i64),
    ) -> Known {
        let by_id: BTreeMap<&str, &WatchedServer> = watched
            .iter()
            .filter_map(|it| Some((it.server_id.as_deref()?, it)))
            .collect();
        let mut known = Known {
            until_ms: now_ms,
            since_ms: record.first_day_ms,
            ..Known::default()
        };
        if let Some(first_ms) = record.first_day_ms.filter(|first_ms| from_ms < *first_ms) {
            known.cut.push(Cut {
                what: "history".to_owned(),
                why: "no use of that time is recorded, and nobody may have looked".to_owned(),
                before: Some(date(first_ms)),
            });
        }
        let mut gaps = Vec::new();
        let mut has_history: Vec<&str> = Vec::new();
        for source in record.sources {
            let watched = by_id.get(&*source.server).copied();
            let as_of = as_of(&source, watched);
            if let Some(watched) = watched {
                has_history.push(&watched.name);
                let at_ms = as_of.time.as_millisecond();
                known.until_ms = known.until_ms.min(at_ms);
                if let Some(why) = not_collected(watched) {
                    gaps.push((at_ms, now_ms));
                    known.cut.push(Cut {
                        what: format!("history of {} after {}", watched.name, as_of.time),
                        why,
                        before: None,
                    });
                } else if is_behind(watched) {
                    known.until_ms = known.until_ms.min(source.at_ms);
                    gaps.push((source.at_ms, now_ms));
                    known.cut.push(Cut {
                        what: format!("history of {} after {}", watched.name, date(source.at_ms)),
                        why: "what came later is still being collected".to_owned(),
                        before: None,
                    });
                }
            }
            known.as_of.push(as_of);
        }
        for watched in watched {
            if !has_history.contains(&&*watched.name) {
                let none = || "nothing of it is collected yet".to_owned();
                gaps.push((from_ms, now_ms));
                known.cut.push(Cut {
                    what: format!("history of {}", watched.name),
                    why: not_collected(watched).unwrap_or_else(none),
                    before: None,
                });
            }
        }
        known.gaps = Gaps::of(gaps);
        known
    }

    /// Of a product that is counted elsewhere, from what the imports of each source tell of.
    pub(super) fn elsewhere(told: &[ToldElsewhere], now_ms: i64) -> Known {
        let not_told = told.iter().filter(|it| !it.untold.is_empty());
        let cut = not_told.map(|it| Cut {
            what: format!("history of {} (counted elsewhere)", it.source),
            why: "no finished import tells of all of that time: import the other files of it, too"
                .to_owned(),
            before: None,
        });
        let untold = told.iter().flat_map(|it| it.untold.iter().copied());
        let until_ms = told.iter().filter_map(|it| it.until_ms).min();
        Known {
            as_of: Vec::new(),
            cut: cut.collect(),
            until_ms: until_ms.map_or(now_ms, |until_ms| until_ms.min(now_ms)),
            gaps: Gaps::of(untold.collect()),
            since_ms: None,
        }
    }
}

/// Why nothing more comes of a server's history; none: it comes.
fn not_collected(watched: &WatchedServer) -> Option<String> {
    watched.history.as_ref()?.why.clone()
}

/// Whether more of a server's history was there at the last poll than is collected.
fn is_behind(watched: &WatchedServer) -> bool {
    let seen = watched.history.as_ref();
    seen.is_some_and(|seen| seen.through_event < seen.head_event)
}

/// What was found empty is not written each time: the watch knows of it.
fn as_of(source: &UsedSource, watched: Option<&WatchedServer>) -> AsOf {
    let kept = AsOf {
        server: watched.map_or_else(|| source.server.clone(), |watched| watched.name.clone()),
        incarnation: source.through.incarnation,
        event: source.through.event,
        time: date(source.at_ms),
    };
    let seen = watched.and_then(|watched| watched.history.as_ref());
    let seen = seen.and_then(|seen| {
        Some(AsOf {
            server: kept.server.clone(),
            incarnation: seen.incarnation?,
            event: seen.through_event,
            time: seen.collected_at?,
        })
    });
    seen.filter(|seen| seen.time >= kept.time).unwrap_or(kept)
}

#[cfg(test)]
mod tests {
    use usher_api::HistorySeen;
    use usher_site::Point;

    use super::*;

    fn watched(
        name: &str,
        id: &str,
        collected_ms: Option<i64>,
        why: Option<&str>,
    ) -> WatchedServer {
        WatchedServer {
            name: name.to_owned(),
            url: String::new(),
            verdict: "running".to_owned(),
            since: date(0),
            polled_at: None,
            evidence: Vec::new(),
            service: None,
            episode: None,
            grants_nothing: None,
            server_id: Some(id.to_owned()),
            same_as: None,
            healing: None,
            history: Some(HistorySeen {
                incarnation: collected_ms.map(|_| 2),
                through_event: 90,
                head_event: 90,
                added: 0,
                collected_at: collected_ms.map(date),
                acknowledged: true,
                not_acknowledged: None,
                why: why.map(str::to_owned),
                failing_since: None,
            }),
        }
    }

    fn source(id: &str, at_ms: i64) -> UsedSource {
        UsedSource {
            server: id.to_owned(),
            through: Point {
                incarnation: 1,
                event: 50,
            },
            at_ms,
        }
    }

    #[test]
    fn what_is_counted_elsewhere_is_known_for_the_times_of_which_each_source_tells() {
        let source = |source: &str, until_ms, untold| ToldElsewhere {
            source: source.to_owned(),
            until_ms,
            untold,
        };
        let told = [
            source("lic1", Some(5_000), vec![(5_000, 9_000)]),
            source("lic2", Some(9_000), Vec::new()),
            source("lic3", None, vec![(4_000, 6_000), (1_000, 2_000)]),
        ];
        let known = Known::elsewhere(&told, 9_000);
        assert_eq!(known.until_ms, 5_000);
        assert_eq!(known.gaps.unobserved_ms(0, 9_000), 6_000);
        let cut: Vec<&str> = known.cut.iter().map(|it| &*it.what).collect();
        let expected = ["lic1", "lic3"].map(|it| format!("history of {it} (counted elsewhere)"));
        assert_eq!(cut, expected);
        assert_eq!(Known::elsewhere(&told[1..2], 7_000).until_ms, 7_000);
    }

    #[test]
    fn nothing_is_known_of_the_time_that_is_still_being_collected() {
        let mut behind = watched("alpha", "s1", Some(9_000), None);
        if let Some(seen) = &mut behind.history {
            seen.head_event = 95;
        }
        let record = UsedRecord {
            sources: vec![source("s1", 5_000)],
            first_day_ms: Some(0),
        };
        let known = Known::of(record, &[behind], (0, 10_000));
        assert_eq!(known.until_ms, 5_000);
        assert_eq!(known.gaps.unobserved_ms(0, 10_000), 5_000);
        assert_eq!(known.cut.len(), 1);
    }

    #[test]
    fn an_answer_is_as_of_the_servers_that_are_watched_and_says_what_is_missing() {
        let watched = [
            watched("alpha", "s1", Some(9_000), None),
            watched("beta", "s2", None, Some("it does not answer")),
            watched("gamma", "s3", None, None),
        ];
        let record = UsedRecord {
            sources: vec![source("s1", 5_000), source("s2", 7_000), source("s9", 10)],
            first_day_ms: Some(-1),
        };
        let known = Known::of(record.clone(), &watched, (0, 10_000));
        let as_of: Vec<(&str, u64, i64)> = known
            .as_of
            .iter()
            .map(|it| (&*it.server, it.event, it.time.as_millisecond()))
            .collect();
        assert_eq!(
            as_of,
            [("alpha", 90, 9_000), ("beta", 50, 7_000), ("s9", 50, 10)]
        );
        assert_eq!(known.until_ms, 7_000);
        // Of gamma nothing was ever collected.
        assert_eq!(known.gaps.unobserved_ms(0, 20_000), 10_000);
        let without = Known::of(record.clone(), &watched[..2], (0, 10_000));
        assert_eq!(without.gaps.unobserved_ms(0, 20_000), 3_000);
        let cut: Vec<&str> = known.cut.iter().map(|it| &*it.what).collect();
        assert_eq!(
            cut,
            [
                "history of beta after 1970-01-01T00:00:07Z",
                "history of gamma"
            ]
        );
        let nothing = Known::of(UsedRecord::default(), &[], (-2, 10_000));
        assert_eq!((nothing.until_ms, nothing.cut.len()), (10_000, 0));
        let earlier = Known::of(record, &[], (-2, 10_000));
        assert_eq!(earlier.cut[0].before, Some(date(-1)));
    }
}
