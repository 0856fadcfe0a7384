//! Each run is one whole session, and each session is of runs.

use std::collections::BTreeMap;

use super::{CLOCKS_MS, Case};
use crate::storm::books::Session;
use crate::storm::pairing::Pairing;
use crate::storm::policies::Was;
use crate::storm::products::PRODUCTS;
use crate::storm::users::{Outcome, Start};

/// We may look so late after a program has ended.
const LATE_MS: i64 = 1_000;
/// An agent that is killed has last written down so long before what ran.
const WRITTEN_DOWN_MS: i64 = 10_000 + 1_000;
/// An agent takes so long to see what runs, at its start.
const LOOKS_MS: i64 = 1_000;

/// A program that ran.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    start: &'a Start,
    ended_ms: i64,
}

/// What one user did with one product, as seen and as written down.
#[derive(Debug, Default)]
struct Uses<'a> {
    runs: Vec<Run<'a>>,
    sessions: Vec<&'a Session>,
}

impl Case<'_> {
    /// Each run is one whole session, and each session is of runs.
    pub(super) fn sessions(&self, wrong: &mut Vec<String>) {
        let mut of: BTreeMap<(u32, usize), Uses<'_>> = BTreeMap::new();
        for start in self.starts {
            if let Outcome::Ran { ended_ms } = start.outcome {
                let run = Run { start, ended_ms };
                let uses = of.entry((start.user, start.product)).or_default();
                uses.runs.push(run);
            }
        }
        for session in &self.books.sessions {
            let uses = of.entry((session.user, session.product)).or_default();
            uses.sessions.push(session);
        }
        for ((_, product), Uses { runs, sessions }) in &of {
            for session in sessions.iter().filter(|s| s.until_ms.is_none()) {
                wrong.push(format!("open: {session:?}"));
            }
            match PRODUCTS[*product].is_per_process {
                true => self.each_by_itself(runs, sessions, wrong),
                false => self.all_as_one(runs, sessions, wrong),
            }
        }
    }

    /// One session for each run, no more.
    fn each_by_itself(&self, runs: &[Run<'_>], sessions: &[&Session], wrong: &mut Vec<String>) {
        let is_never = |run: &&Run<'_>| self.is_seen(run) == Was::Never;
        let seen: Vec<&Run<'_>> = runs.iter().filter(|run| !is_never(run)).collect();
        // Of two that began in one breath each has its own end.
        let fits = |run: &&Run<'_>| {
            let mut fits: Vec<usize> = (0..sessions.len())
                .filter(|at| self.is_of(sessions[*at], run))
                .collect();
            fits.sort_by_key(|at| off(sessions[*at], run));
            fits
        };
        let fits = seen.iter().map(fits).collect();
        let is_always = |run: usize| self.is_seen(seen[run]) == Was::Always;
        let pairing = Pairing::of(fits, sessions.len(), is_always);
        for (at, run) in seen.iter().enumerate() {
            if pairing.session_of(at).is_none() && is_always(at) {
                let near = near(sessions, run);
                wrong.push(format!("lost: {run:?}, of the sessions {near}"));
            }
        }
        for session in pairing.left().map(|at| sessions[at]) {
            if let Some(run) = runs
                .iter()
                .filter(is_never)
                .find(|run| self.is_of(session, run))
            {
                wrong.push(format!("of no product: {run:?}: {session:?}"));
                continue;
            }
            if self.is_cut_off(session, runs) {
                continue;
            }
            let near: Vec<&Run<'_>> = runs.iter().filter(|run| overlap(session, run)).collect();
            wrong.push(format!(
                "of no run, or doubled: {session:?}; the runs {near:?}, of the sessions {:?}",
                near.iter()
                    .map(|run| self::near(sessions, run))
                    .collect::<Vec<_>>()
            ));
        }
    }

    /// Whether its rule was taken away, and an agent came that did not know the program any more; when
    /// the rule is there again, the program has another session.
    fn is_cut_off(&self, session: &Session, runs: &[Run<'_>]) -> bool {
        let is_its = |run: &&Run<'_>| {
            session.program == run.start.product().program(run.start.second)
                && self.begins_with(session, run)
        };
        let changes = |run: &Run<'_>| run.start.second && self.second(run) == Was::Sometimes;
        self.ended_with_agent(session) && runs.iter().filter(is_its).any(changes)
    }

    /// Whether it may have been ended by the next agent, as of when the one before was there last.
    fn ended_with_agent(&self, session: &Session) -> bool {
        let until = session.until_ms.unwrap_or(i64::MAX);
        self.log.troubles.iter().any(|trouble| {
            trouble.kind.blinds()
                && until >= trouble.from_ms - WRITTEN_DOWN_MS
                && until <= trouble.until_ms + LOOKS_MS
        })
    }

    /// One session for all runs at once.
    fn all_as_one(&self, runs: &[Run<'_>], sessions: &[&Session], wrong: &mut Vec<String>) {
        for pair in sessions.windows(2) {
            if pair[0].until_ms.is_none_or(|until| until > pair[1].from_ms) {
                wrong.push(format!("twice at once: {pair:?}"));
            }
        }
        for run in runs {
            let is_in = |session: &&&Session| {
                begins_within(session, run)
                    && session.until_ms.is_some_and(|until| {
                        until >= self.earliest_end(run) && until >= run.start.began_ms
                    })
            };
            if !sessions.iter().any(|session| is_in(&session)) && self.is_seen(run) == Was::Always {
                let near = near(sessions, run);
                wrong.push(format!("lost: {run:?}, of the sessions {near}"));
            }
        }
        for session in sessions {
            if !runs.iter().any(|run| self.begins_with(session, run)) {
                wrong.push(format!("of no run: {session:?}"));
            }
            if !runs.iter().any(|run| self.ends_with(session, run)) {
                wrong.push(format!("does not end with a run: {session:?}"));
            }
        }
    }

    fn is_of(&self, session: &Session, run: &Run<'_>) -> bool {
        session.program == run.start.product().program(run.start.second)
            && self.begins_with(session, run)
            && self.ends_with(session, run)
    }

    fn begins_with(&self, session: &Session, run: &Run<'_>) -> bool {
        let from = session.from_ms;
        from >= run.start.began_ms - CLOCKS_MS && from <= self.latest_begin(run)
    }

    /// What begins while no agent is there is found to run later, since its true begin.
    fn latest_begin(&self, run: &Run<'_>) -> i64 {
        let changes = run.start.second && self.second(run) == Was::Sometimes;
        match changes {
            true => run.ended_ms + CLOCKS_MS,
            false => run.start.decided_ms() + CLOCKS_MS,
        }
    }

    fn ends_with(&self, session: &Session, run: &Run<'_>) -> bool {
        session.until_ms.is_some_and(|until| {
            until >= self.earliest_end(run) && until <= run.ended_ms + CLOCKS_MS
        })
    }

    /// What ends while no agent is there ends when it was last written down that it ran.
    fn earliest_end(&self, run: &Run<'_>) -> i64 {
        let blind = self.log.troubles.iter().find(|trouble| {
            trouble.kind.blinds()
                && run.ended_ms >= trouble.from_ms - WRITTEN_DOWN_MS
                && run.ended_ms <= trouble.until_ms + LOOKS_MS
        });
        match blind {
            Some(trouble) => (trouble.from_ms - WRITTEN_DOWN_MS)
                .max(run.start.began_ms - CLOCKS_MS)
                .min(run.ended_ms - LATE_MS),
            None => run.ended_ms - LATE_MS,
        }
    }

    /// Whether it has to have a session: what ran only while no agent was there is not seen.
    fn is_seen(&self, run: &Run<'_>) -> Was {
        let is_hidden = self.log.troubles.iter().any(|trouble| {
            trouble.kind.blinds()
                && run.start.decided_ms() >= trouble.from_ms - LOOKS_MS
                && run.ended_ms <= trouble.until_ms + LOOKS_MS
        });
        match (is_hidden, run.start.second) {
            (true, _) => Was::Sometimes,
            (false, true) => self.second(run),
            (false, false) => Was::Always,
        }
    }

    fn second(&self, run: &Run<'_>) -> Was {
        let product = run.start.product;
        self.policies
            .second(product, run.start.began_ms, run.ended_ms)
    }
}

/// By how much begin and end differ. The begin is seen at once, and lies before a start that was
/// held for a while; the end is perhaps seen late.
fn off(session: &Session, run: &Run<'_>) -> u64 {
    let begins = session
        .from_ms
        .clamp(run.start.began_ms, run.start.decided_ms())
        .abs_diff(session.from_ms);
    let ends = session
        .until_ms
        .map_or(0, |until| until.abs_diff(run.ended_ms));
    10 * begins + ends
}

fn begins_within(session: &Session, run: &Run<'_>) -> bool {
    session.from_ms <= run.start.decided_ms() + CLOCKS_MS
}

/// Those that overlap a run, or nearly.
fn near(sessions: &[&Session], run: &Run<'_>) -> String {
    let sessions = sessions.iter();
    let near: Vec<&&Session> = sessions.filter(|session| overlap(session, run)).collect();
    format!("{near:?}")
}

fn overlap(session: &Session, run: &Run<'_>) -> bool {
    const NEARLY_MS: i64 = 2_000;
    session.from_ms <= run.ended_ms + NEARLY_MS
        && session
            .until_ms
            .is_none_or(|until| until >= run.start.began_ms - NEARLY_MS)
}
