//! What is right, by what the people saw and what the server has written down. Each wrong thing is
//! a line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use usher_testing::control::Control;

use super::books::{Books, Lease, Refusals, Session};
use super::pairing::Pairing;
use super::policies::{Follower, Policies, Was};
use super::products::PRODUCTS;
use super::site::Site;
use super::users::{Outcome, Start};
use super::weather::{Kind, Log, Owned, Trouble};

/// The agent waits so long for a seat while its server was there the last time, and the gate for
/// the agent's first word before that.
const HELD_AT_MOST: Duration = Duration::from_millis(2_000 + 50);
/// The gate waits so long for a word of an agent that holds starts, before it lets them go: an agent
/// that is killed cannot end while it holds some.
const SILENT: Duration = Duration::from_millis(1_000);
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
    control: Control,
}

impl Judge {
    pub(crate) fn follow(site: &Site) -> Judge {
        Judge {
            policies: Follower::start(&site.folder.path("agent"), &site.place),
            data: site.folder.path("server"),
            control: Control::begin().unwrap(),
        }
    }

    /// What is wrong.
    pub(crate) fn judges(self, mut site: Site, starts: &[Start], log: &Log) -> Vec<String> {
        let settled = site.settle();
        site.end_agent(false);
        assert_eq!(site.server.take().unwrap().stop(), Some(0));
        let books = Books::read(&self.data);
        let case = Case {
            starts,
            log,
            policies: self.policies.end(),
            books: &books,
            beyond: self.control.bound(Duration::ZERO),
        };
        case.print();
        settled.err().into_iter().chain(case.wrong()).collect()
    }
}

struct Case<'a> {
    starts: &'a [Start],
    log: &'a Log,
    policies: Policies,
    books: &'a Books,
    /// What a start takes on this computer beside what it waits.
    beyond: Duration,
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

    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.seats(&mut wrong);
        self.deadlines(&mut wrong);
        self.reasons(&mut wrong);
        self.sessions(&mut wrong);
        wrong
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
            let silent = match self.agent_died_in(start) {
                true => SILENT,
                false => Duration::ZERO,
            };
            if start.took > HELD_AT_MOST + silent + self.beyond {
                wrong.push(format!("deadline: {start:?}"));
            }
            if let Outcome::Failed(_) = start.outcome {
                wrong.push(format!("neither run nor refused: {start:?}"));
            }
        }
    }

    fn agent_died_in(&self, start: &Start) -> bool {
        self.log.troubles.iter().any(|trouble| {
            trouble.kind == Kind::AgentKilled
                && trouble.until_ms >= start.began_ms
                && trouble.from_ms <= start.decided_ms()
        })
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

/// A refusal, and two runs of a program one after another with their sessions and leases, on a
/// product with one seat.
fn told() -> (Vec<Start>, Books, Log) {
    let start = |began_ms, took_ms, outcome| Start {
        user: 1,
        product: 9,
        second: false,
        began_ms,
        took: Duration::from_millis(took_ms),
        outcome,
    };
    let starts = vec![
        start(10_000, 5, Outcome::Ran { ended_ms: 12_000 }),
        start(11_000, 5, Outcome::Refused),
        start(20_000, 5, Outcome::Ran { ended_ms: 23_000 }),
    ];
    let session = |from_ms, until_ms| Session {
        user: 1,
        product: 9,
        program: PRODUCTS[9].program(false),
        from_ms,
        until_ms: Some(until_ms),
        has_seat: true,
    };
    let lease = |granted, ended, granted_ms| Lease {
        product: 9,
        seats: 1,
        granted,
        ended: Some(ended),
        granted_ms,
    };
    let refusals = Refusals {
        user: 1,
        product: 9,
        first_ms: 11_004,
        last_ms: 11_004,
    };
    let books = Books {
        sessions: vec![session(10_005, 12_000), session(20_005, 23_000)],
        leases: vec![lease(1, 2, 10_004), lease(3, 4, 20_004)],
        refusals: vec![refusals],
    };
    let mut log = Log::default();
    log.owned.push(Owned {
        product: 9,
        asked_ms: 0,
        answered_ms: 0,
        seats: 1,
    });
    (starts, books, log)
}

fn wrongs(change: impl FnOnce(&mut Vec<Start>, &mut Books)) -> Vec<String> {
    let (mut starts, mut books, log) = told();
    change(&mut starts, &mut books);
    let case = Case {
        starts: &starts,
        log: &log,
        policies: Policies::steady(),
        books: &books,
        beyond: Duration::from_secs(1),
    };
    case.wrong()
}

#[test]
fn the_judge_sees_each_wrong_thing_and_no_other() {
    let none: Vec<String> = Vec::new();
    assert_eq!(wrongs(|_, _| {}), none);
    let sees = |what: &str, change: fn(&mut Vec<Start>, &mut Books)| {
        let wrong = wrongs(change);
        assert!(
            wrong.iter().any(|line| line.starts_with(what)),
            "{what}: {wrong:#?}"
        );
    };
    sees("seats: 2 of 1", |_, books| books.leases[0].ended = Some(4));
    sees("seats: 2 of 1", |_, books| books.leases[0].ended = None);
    sees("deadline", |starts, _| {
        starts[2].took = Duration::from_secs(5)
    });
    sees("neither", |starts, _| {
        starts[1].outcome = Outcome::Failed(2)
    });
    sees("refused without a reason", |_, books| {
        books.refusals.clear()
    });
    sees("lost", |_, books| drop(books.sessions.pop()));
    sees("open", |_, books| books.sessions[1].until_ms = None);
    sees("twice at once", |_, books| {
        books.sessions.push(books.sessions[1].clone())
    });
    sees("of no run", |starts, _| starts.truncate(2));
    sees("of no run", |_, books| books.sessions[0].from_ms = 9_000);
    sees("does not end with a run", |_, books| {
        books.sessions[0].until_ms = Some(13_000)
    });
    sees("lost", |_, books| books.sessions[1].until_ms = Some(21_000));
}

/// As it was in a storm: a start that was held begins before it is decided, and two sessions that
/// end within a second may each be of either run.
#[test]
fn a_start_that_was_held_has_the_session_that_began_with_it() {
    let product = (0..PRODUCTS.len())
        .find(|at| PRODUCTS[*at].is_per_process)
        .unwrap();
    let wrong = wrongs(|starts, books| {
        let start = |began_ms, took_ms, ended_ms| Start {
            user: 1,
            product,
            second: false,
            began_ms,
            took: Duration::from_millis(took_ms),
            outcome: Outcome::Ran { ended_ms },
        };
        let session = |from_ms, until_ms| Session {
            user: 1,
            product,
            program: PRODUCTS[product].program(false),
            from_ms,
            until_ms: Some(until_ms),
            has_seat: false,
        };
        *starts = vec![start(12_821, 240, 14_411), start(13_067, 7, 13_906)];
        books.sessions = vec![session(12_815, 14_411), session(13_066, 13_906)];
        books.leases.clear();
        books.refusals.clear();
    });
    assert_eq!(wrong, Vec::<String>::new());
}
