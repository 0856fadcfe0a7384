//! Which watches fail or are silent for too long.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use usher_watch::{Standing, State};

use super::Known;
use crate::WatchedSource;

/// A watch fails, or is silent.
const FAILS: u16 = 9459;
/// It goes on again.
const IS_BACK: u16 = 9463;

/// What was told of each watch.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<String, Told>);

#[derive(Debug)]
struct Told {
    failing_after: Duration,
    silent_after: Option<Duration>,
    /// Since when servers do not answer, or it could not begin; the watch does not say it.
    since: Option<Timestamp>,
    is_told: bool,
}

impl Troubles {
    pub(super) fn of(sources: &[WatchedSource]) -> Troubles {
        let one = |source: &WatchedSource| {
            let told = Told {
                failing_after: source.failing_after,
                silent_after: source.silent_after,
                since: None,
                is_told: false,
            };
            (source.watched.name.clone(), told)
        };
        Troubles(sources.iter().map(one).collect())
    }

    /// The messages that are due: each trouble once, and its end.
    pub(super) fn look(
        &mut self,
        all: &BTreeMap<String, Known>,
        now: Timestamp,
    ) -> Vec<(u16, Vec<String>)> {
        let mut due = Vec::new();
        for (name, told) in &mut self.0 {
            let Some(known) = all.get(name) else {
                continue;
            };
            match told.trouble(known, now) {
                Some((since, why)) if !told.is_told => {
                    told.is_told = true;
                    due.push((FAILS, vec![name.clone(), since.to_string(), why]));
                }
                None if told.is_told => {
                    told.is_told = false;
                    due.push((IS_BACK, vec![name.clone()]));
                }
                _ => {}
            }
        }
        due
    }
}

impl Told {
    /// Since when something is wrong, for longer than it may be, and what.
    fn trouble(&mut self, known: &Known, now: Timestamp) -> Option<(Timestamp, String)> {
        let (since, why, limit) = self.wrong(known, now)?;
        // Who has been told of it is told of its end once it is over, and not while it changes.
        let is_due = now.duration_since(since).unsigned_abs() >= limit && since <= now;
        (is_due || self.is_told).then_some((since, why))
    }

    fn wrong(&mut self, known: &Known, now: Timestamp) -> Option<(Timestamp, String, Duration)> {
        let standing = match known {
            Known::Stands(standing) => standing,
            Known::CannotBegin(why) => {
                let since = *self.since.get_or_insert(now);
                return Some((since, why.clone(), self.failing_after));
            }
            // That does not pass by itself.
            Known::IsAside { since, why } => return Some((*since, why.clone(), Duration::ZERO)),
        };
        let unseen = match standing.state {
            State::Following if !standing.silent.is_empty() => {
                let silent = standing.silent.join(", ");
                Some(format!("{silent} does not answer"))
            }
            State::Following | State::Waiting | State::Failing => None,
        };
        if let Some(why) = unseen {
            let since = *self.since.get_or_insert(now);
            return Some((since, why, self.failing_after));
        }
        self.since = None;
        let failing = |why: &str| (standing.since, why.to_owned(), self.failing_after);
        match standing.state {
            State::Waiting => Some(failing("nothing was there yet")),
            State::Failing => Some(failing(standing.why.as_deref().unwrap_or("it fails"))),
            State::Following => {
                let limit = self.silent_after?;
                let since = since_when(standing);
                let is_silent = now.duration_since(since).unsigned_abs() >= limit && since <= now;
                is_silent.then(|| (since, "the log has not grown since".to_owned(), limit))
            }
        }
    }
}

/// When it grew last.
fn since_when(standing: &Standing) -> Timestamp {
    standing.last_at.unwrap_or(standing.since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn standing(state: State, since: i64, last_at: i64, silent: &[&str]) -> Known {
        let text = serde_json::json!({
            "name": "lic1", "kind": "flexnet-log", "source": "lic1", "from": "debug.log",
            "state": state, "since": at(since), "why": "no such file", "last_at": at(last_at),
            "told_until": null, "lines": 0, "understood": 0, "not_understood": [],
            "silent": silent, "undated": false, "refused": 0, "refusal": null,
        });
        Known::Stands(serde_json::from_value(text).unwrap())
    }

    /// The number and the reason of what is due.
    fn looked(troubles: &mut Troubles, known: Known, now: i64) -> Vec<(u16, String)> {
        let all = BTreeMap::from([("lic1".to_owned(), known)]);
        let due = troubles.look(&all, at(now)).into_iter();
        due.map(|(id, values)| (id, values.last().unwrap().clone()))
            .collect()
    }

    fn troubles() -> Troubles {
        Troubles(BTreeMap::from([(
            "lic1".to_owned(),
            Told {
                failing_after: Duration::from_secs(100),
                silent_after: Some(Duration::from_secs(1_000)),
                since: None,
                is_told: false,
            },
        )]))
    }

    #[test]
    fn what_fails_for_longer_than_it_may_is_told_once_and_its_end_once() {
        let mut all = troubles();
        let fails = || standing(State::Failing, 10, 0, &[]);
        let works = || standing(State::Following, 300, 300, &[]);
        assert_eq!(looked(&mut all, fails(), 109), []);
        let told = [(FAILS, "no such file".to_owned())];
        assert_eq!(looked(&mut all, fails(), 110), told);
        assert_eq!(looked(&mut all, fails(), 200), []);
        assert_eq!(
            looked(&mut all, works(), 300),
            [(IS_BACK, "lic1".to_owned())]
        );
        assert_eq!(looked(&mut all, works(), 301), []);
    }

    #[test]
    fn a_watch_whose_reader_has_panicked_is_told_at_once() {
        let mut all = troubles();
        let aside = || Known::IsAside {
            since: at(10),
            why: "it was no number".to_owned(),
        };
        let told = [(FAILS, "it was no number".to_owned())];
        assert_eq!(looked(&mut all, aside(), 10), told);
        assert_eq!(looked(&mut all, aside(), 5_000), []);
        let works = standing(State::Following, 5_010, 5_010, &[]);
        assert_eq!(looked(&mut all, works, 5_010)[0].0, IS_BACK);
    }

    #[test]
    fn a_log_that_does_not_grow_and_a_server_that_does_not_answer_are_told() {
        let mut all = troubles();
        let quiet = || standing(State::Following, 0, 50, &[]);
        assert_eq!(looked(&mut all, quiet(), 1_049), []);
        assert_eq!(looked(&mut all, quiet(), 1_050)[0].0, FAILS);
        let grown = standing(State::Following, 0, 1_060, &[]);
        assert_eq!(looked(&mut all, grown, 1_061)[0].0, IS_BACK);
        let silent = || standing(State::Following, 0, 1_100, &["27000@lic1"]);
        assert_eq!(looked(&mut all, silent(), 1_100), []);
        let told = [(FAILS, "27000@lic1 does not answer".to_owned())];
        assert_eq!(looked(&mut all, silent(), 1_200), told);
        // It fails in another way meanwhile: it is not back.
        let fails = standing(State::Failing, 1_250, 0, &[]);
        assert_eq!(looked(&mut all, fails, 1_251), []);
    }
}
