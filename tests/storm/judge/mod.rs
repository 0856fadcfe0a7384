//! What is right, by what the people saw and what the server has written down. Each wrong thing is
//! a line.

mod sessions;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use usher_testing::control::Control;

use super::books::Books;
use super::policies::{Follower, Policies, Was};
use super::products::PRODUCTS;
use super::site::Site;
use super::users::{Outcome, Start};
use super::weather::{Kind, Log, Trouble};

/// The agent waits so long for a seat while its server was there the last time, and the gate for
/// the agent's first word before that.
const HELD_AT_MOST: Duration = Duration::from_millis(2_000 + 50);
/// The gate waits so long for a word of an agent that holds starts, before it lets them go: an agent
/// that is killed cannot end while it holds some.
const SILENT: Duration = Duration::from_millis(1_000);
/// The kernel's times and ours are of one clock, read at different moments.
const CLOCKS_MS: i64 = 50;
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
}
