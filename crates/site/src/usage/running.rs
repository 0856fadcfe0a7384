//! Uses that still run, as servers tell them: whose they are here, and which have ended meanwhile.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Result, params};
use usher_core::usage::Span;

use super::about::surrogate;
use super::line::{Adds, LeaseRow, Line, SessionRow, of_lease, of_session};
use crate::collected::Made;
use crate::columns::signed;
use crate::used::{Running, RunningUse};

/// What runs.
#[derive(Default)]
pub(crate) struct Runs {
    runs: Vec<Run>,
    /// Whom the leases were granted to, and when.
    pub(crate) granted: Vec<(u64, i64)>,
}

/// One of them.
pub(crate) struct Run {
    pub(crate) adds: Adds,
    /// Its place among those that were told.
    pub(crate) place: usize,
    pub(crate) person: u64,
    pub(crate) computer: u64,
    pub(crate) span: Span,
}

impl Runs {
    pub(crate) fn each(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter()
    }

    /// Adds one that has not ended, and its place among those that were told.
    pub(crate) fn add(&mut self, place: usize, it: &RunningUse, (person, computer): (u64, u64)) {
        let is_session = matches!(it.what, Running::Session { .. });
        if !is_session {
            self.granted.push((person, it.from_ms));
        }
        self.runs.push(Run {
            adds: adds(it),
            place,
            person,
            computer,
            span: Span {
                from_ms: it.from_ms,
                until_ms: i64::MAX,
                seats: 1,
            },
        });
    }

    /// What they add to a quantity.
    pub(crate) fn spans(&self, line: Line) -> impl Iterator<Item = Span> {
        let adds = self.runs.iter().flat_map(|run| run.adds);
        let adds = adds.flatten().filter(move |add| add.0 == line);
        adds.map(|(_, span)| span)
    }
}

/// What one adds that has not ended.
fn adds(it: &RunningUse) -> Adds {
    match &it.what {
        Running::Lease { seats, .. } => of_lease(LeaseRow {
            seats: *seats,
            granted_ms: it.from_ms,
            ended_ms: i64::MAX,
            // Servers tell of it among the sessions, too.
            is_session: false,
        }),
        Running::Session { lease } => of_session(SessionRow {
            started_ms: it.from_ms,
            ended_ms: i64::MAX,
            unseated_ms: 0,
            has_lease: lease.is_some(),
        }),
    }
}

/// Those that the history does not have yet: what ended after the server told it is in both.
pub(super) fn runs(connection: &Connection, product: i64, running: &[RunningUse]) -> Result<Runs> {
    let mut found = Runs::default();
    if running.is_empty() {
        return Ok(found);
    }
    let mut names = known_names(connection, running)?;
    for (place, it) in running.iter().enumerate() {
        let who = (names.person(it), names.computer(it));
        let has_ended = match &it.what {
            Running::Lease { server, key, .. } => lease_ended(connection, server, *key)?,
            Running::Session { lease } => {
                let has_ended = match lease {
                    Some((server, key)) => lease_ended(connection, server, *key)?,
                    None => false,
                };
                let mut ended = connection.prepare_cached(
                    "SELECT 1 FROM history_sessions \
                     WHERE product = ?1 AND started_ms = ?2 AND computer = ?3",
                )?;
                // No computer of the site has a number above those of SQLite.
                let here = i64::try_from(who.1).unwrap_or(-1);
                has_ended || ended.exists(params![product, it.from_ms, here])?
            }
        };
        if !has_ended {
            found.add(place, it, who);
        }
    }
    Ok(found)
}

fn lease_ended(connection: &Connection, server: &str, key: Made) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM history_leases WHERE made_in = ?2 AND made_by = ?3 \
             AND source = (SELECT number FROM history_sources WHERE server = ?1)",
        )?
        .exists(params![server, key.incarnation, signed(key.event)])
}

/// Looks once through the names.
fn known_names(connection: &Connection, running: &[RunningUse]) -> Result<Names> {
    let mut names = Names::new();
    let needed: HashSet<&str> = running.iter().map(|it| &*it.user).collect();
    let mut statement = connection.prepare("SELECT name, realm, id FROM history_people")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if let Some(id) = surrogate(row.get(2)?).filter(|_| needed.contains(&*name)) {
            names.know_person(name, row.get(1)?, id);
        }
    }
    let needed: HashSet<&str> = running.iter().map(|it| &*it.computer).collect();
    let mut statement = connection.prepare("SELECT name, id FROM history_computers")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if let Some(id) = surrogate(row.get(1)?).filter(|_| needed.contains(&*name)) {
            names.know_computer(name, id);
        }
    }
    Ok(names)
}

/// Surrogates by name. Who has none gets a number above all of them, for this answer.
pub(crate) struct Names {
    /// With the realm, if it is known.
    people: HashMap<String, Vec<(Option<String>, u64)>>,
    computers: HashMap<String, u64>,
    next: u64,
}

impl Names {
    /// Nobody is known yet.
    pub(crate) fn new() -> Names {
        Names {
            people: HashMap::new(),
            computers: HashMap::new(),
            next: u64::MAX,
        }
    }

    /// A person of that name and realm.
    pub(crate) fn know_person(&mut self, name: String, realm: Option<String>, id: u64) {
        self.people.entry(name).or_default().push((realm, id));
    }

    /// A computer of that name.
    pub(crate) fn know_computer(&mut self, name: String, id: u64) {
        self.computers.insert(name, id);
    }

    /// The person of that realm; of any realm if the server does not tell it.
    pub(crate) fn person(&mut self, it: &RunningUse) -> u64 {
        let known = self.people.get(&it.user).map_or(&[][..], |known| known);
        let is_it = |(realm, _): &&(Option<String>, u64)| {
            realm.is_none() || it.realm.is_none() || *realm == it.realm
        };
        if let Some((_, id)) = known.iter().find(is_it) {
            return *id;
        }
        let id = self.new_number();
        let known = self.people.entry(it.user.clone()).or_default();
        known.push((it.realm.clone(), id));
        id
    }

    pub(crate) fn computer(&mut self, it: &RunningUse) -> u64 {
        if let Some(id) = self.computers.get(&it.computer) {
            return *id;
        }
        let id = self.new_number();
        self.computers.insert(it.computer.clone(), id);
        id
    }

    fn new_number(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_sub(1);
        number
    }
}
