//! What is right, by what the people saw and what the server has written down. Each wrong thing is
//! a line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::books::{Books, Session};
use super::policies::{Follower, Policies, Was};
use super::products::PRODUCTS;
use super::site::Site;
use super::users::{Outcome, Start};
use super::weather::{Log, Trouble};

/// The agent waits so long for a seat while its server was there the last time, and the gate for
/// the agent's first word before that.
const HELD_AT_MOST: Duration = Duration::from_millis(2_000 + 50);
/// What a start takes beside that on a computer with more to do than it can.
const BUSY: Duration = Duration::from_millis(1_000);
/// The kernel's times and ours are of one clock, read at different moments.
const CLOCKS_MS: i64 = 50;
/// We may look so late after a program has ended.
const LATE_MS: i64 = 1_000;
/// An agent that is killed has last written down so long before what ran.
const WRITTEN_DOWN_MS: i64 = 10_000 + 1_000;
/// An agent takes so long to see what runs, at its start.
const LOOKS_MS: i64 = 1_000;
/// What was cut or stopped may be found well again so long after, by the kernel's retries.
const FOUND_WELL_MS: i64 = 20_000;

pub(crate) struct Judge {
    policies: Follower,
    data: PathBuf,
}

impl Judge {
    pub(crate) fn follow(site: &Site) -> Judge {
        Judge {
            policies: Follower::start(&site.folder.path("agent"), &site.place),
            data: site.folder.path("server"),
        }
    }

    /// What is wrong.
    pub(crate) fn judges(self, mut site: Site, starts: &[Start], log: &Log) -> Vec<String> {
        let settled = settle(&site);
        site.end_agent(false);
        assert_eq!(site.server.take().unwrap().stop(), Some(0));
        let books = Books::read(&self.data);
        let case = Case {
            starts,
            log,
            policies: self.policies.end(),
            books: &books,
        };
        case.print();
        let mut wrong: Vec<String> = settled.err().into_iter().collect();
        case.seats(&mut wrong);
        case.deadlines(&mut wrong);
        case.reasons(&mut wrong);
        case.sessions(&mut wrong);
        wrong
    }
}

/// Waits until the server knows all that the agent does.
fn settle(site: &Site) -> Result<(), String> {
    let until = std::time::Instant::now() + Duration::from_secs(90);
    loop {
        let status = site.agent_status().unwrap_or_default();
        if status["connected"] == true && status["outbox"] == 0 && status["sessions"] == 0 {
            return Ok(());
        }
        if std::time::Instant::now() > until {
            return Err(format!("the agent does not come to rest: {status}"));
        }
        // tidy: sleep, between two looks at the agent
        std::thread::sleep(Duration::from_millis(100));
    }
}

struct Case<'a> {
    starts: &'a [Start],
    log: &'a Log,
    policies: Policies,
    books: &'a Books,
}

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
    fn print(&self) {
        let count = |is: fn(Outcome) -> bool| {
            let outcomes = self.starts.iter().map(|start| start.outcome);
            outcomes.filter(|outcome| is(*outcome)).count()
        };
        println!(
            "{} starts: {} ran, {} were refused; {} sessions, {} of them without a seat; {} leases",
            self.starts.len(),
            count(|outcome| matches!(outcome, Outcome::Ran { .. })),
            count(|outcome| outcome == Outcome::Refused),
            self.books.sessions.len(),
            self.books.sessions.iter().filter(|s| !s.has_seat).count(),
            self.books.leases.len(),
        );
        let mut troubles: BTreeMap<_, (u32, i64)> = BTreeMap::new();
        for trouble in &self.log.troubles {
            let (count, ms) = troubles.entry(trouble.kind).or_default();
            *count += 1;
            *ms += trouble.until_ms - trouble.from_ms;
        }
        println!("troubles, each with its count and milliseconds: {troubles:?}");
        println!("products edited: {:?}", self.log.edits);
        let mut took: Vec<Duration> = self.starts.iter().map(|start| start.took).collect();
        took.sort();
        println!(
            "waited: median {:.1?}, 99 of 100 {:.1?}, longest {:.1?}",
            took[took.len() / 2],
            took[took.len() * 99 / 100],
            took[took.len() - 1]
        );
    }

    /// No seat was granted of which there was none.
    fn seats(&self, wrong: &mut Vec<String>) {
        for lease in &self.books.leases {
            let out = self.books.leases.iter().filter(|other| {
                other.product == lease.product
                    && other.granted <= lease.granted
                    && other.ended.is_none_or(|ended| ended > lease.granted)
            });
            let out: u32 = out.map(|other| other.seats).sum();
            let owned = self.owned(lease.product, lease.granted_ms);
            if out > owned {
                wrong.push(format!(
                    "seats: {out} of {owned} of {} were out at {}",
                    PRODUCTS[lease.product].id(),
                    lease.granted_ms
                ));
            }
        }
    }

    /// As many as there may have been at a time.
    fn owned(&self, product: usize, at_ms: i64) -> u32 {
        let edits = self
            .log
            .owned
            .iter()
            .filter(|owned| owned.product == product);
        let before = edits.clone().rfind(|owned| owned.answered_ms < at_ms);
        let during =
            edits.filter(|owned| owned.answered_ms >= at_ms && owned.asked_ms <= at_ms + CLOCKS_MS);
        during.chain(before).map(|owned| owned.seats).max().unwrap()
    }

    fn deadlines(&self, wrong: &mut Vec<String>) {
        for start in self.starts {
            if start.took > HELD_AT_MOST + BUSY {
                wrong.push(format!("deadline: {start:?}"));
            }
            if let Outcome::Failed(_) = start.outcome {
                wrong.push(format!("neither run nor refused: {start:?}"));
            }
        }
    }

    /// Who was refused was so by the server, or had none and may not run without.
    fn reasons(&self, wrong: &mut Vec<String>) {
        let (mut by_server, mut without) = (0, 0);
        let refused = self.starts.iter();
        for start in refused.filter(|start| start.outcome == Outcome::Refused) {
            let (from, until) = (start.began_ms, start.decided_ms());
            if self.policies.enforced(start.product, from, until) == Was::Never {
                wrong.push(format!("refused where nobody is: {start:?}"));
            }
            let is_foreign =
                start.second && self.policies.second(start.product, from, until) == Was::Never;
            if is_foreign {
                wrong.push(format!("refused though of no product: {start:?}"));
            }
            let is_denied = self.books.refusals.iter().any(|refusals| {
                (refusals.user, refusals.product) == (start.user, start.product)
                    && refusals.first_ms <= until + CLOCKS_MS
                    && refusals.last_ms >= from - CLOCKS_MS
            });
            let has_no_server = start.product().is_strict
                && self
                    .troubles(from, until)
                    .any(|trouble| from <= trouble.until_ms + FOUND_WELL_MS);
            match (is_denied, has_no_server) {
                (true, _) => by_server += 1,
                (false, true) => without += 1,
                (false, false) => wrong.push(format!("refused without a reason: {start:?}")),
            }
        }
        println!("refused: {by_server} by the server, {without} without one");
    }

    /// Troubles that had begun by then, and were over less than the longest tail before.
    fn troubles(&self, from_ms: i64, until_ms: i64) -> impl Iterator<Item = &Trouble> {
        let troubles = self.log.troubles.iter();
        troubles.filter(move |trouble| {
            trouble.from_ms <= until_ms && trouble.until_ms + FOUND_WELL_MS >= from_ms
        })
    }

    /// Each run is one whole session, and each session is of runs.
    fn sessions(&self, wrong: &mut Vec<String>) {
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
        let mut left: Vec<&Session> = sessions.to_vec();
        for run in runs {
            let place = left.iter().position(|session| self.is_of(session, run));
            let found = place.map(|place| left.remove(place));
            match (found, self.is_seen(run)) {
                (None, Was::Always) => wrong.push(format!(
                    "lost: {run:?}, of the sessions {}",
                    near(sessions, run)
                )),
                (Some(session), Was::Never) => {
                    wrong.push(format!("of no product: {run:?}: {session:?}"));
                }
                _ => {}
            }
        }
        for session in left {
            wrong.push(format!("of no run, or doubled: {session:?}"));
        }
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

fn begins_within(session: &Session, run: &Run<'_>) -> bool {
    session.from_ms <= run.start.decided_ms() + CLOCKS_MS
}

/// Those that overlap a run, or nearly.
fn near(sessions: &[&Session], run: &Run<'_>) -> String {
    let near: Vec<&&Session> = sessions
        .iter()
        .filter(|session| {
            session.from_ms <= run.ended_ms + 2_000
                && session
                    .until_ms
                    .is_none_or(|until| until >= run.start.began_ms - 2_000)
        })
        .collect();
    format!("{near:?}")
}
