//! Which policy the agent went by, and when.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::now_ms;
use super::products::PRODUCTS;

/// From what it has written down to what it goes by, and to when we see it, at most.
const MARGIN_MS: i64 = 1_000;

/// How something was in a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Was {
    Always,
    Never,
    Sometimes,
}

/// What it says of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    is_enforced: bool,
    has_second: bool,
}

type Policy = [Said; PRODUCTS.len()];

/// Follows the policy that lies in the agent's data, which it goes by.
pub(crate) struct Follower {
    seen: Arc<Mutex<Vec<(i64, Policy)>>>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Follower {
    pub(crate) fn start(data: &Path, place: &Path) -> Follower {
        let path = data.join("agent/agent.db");
        assert!(path.exists(), "{} is not there", path.display());
        let place = place.to_owned();
        let seen: Arc<Mutex<Vec<(i64, Policy)>>> = Arc::default();
        let is_over: Arc<AtomicBool> = Arc::default();
        let (sees, ends) = (seen.clone(), is_over.clone());
        let thread = std::thread::spawn(move || {
            let database = rusqlite::Connection::open(path).unwrap();
            database.busy_timeout(Duration::from_secs(10)).unwrap();
            while !ends.load(Ordering::Relaxed) {
                if let Some(policy) = read(&database, &place) {
                    let mut seen = sees.lock().unwrap();
                    if seen.last().is_none_or(|(_, last)| *last != policy) {
                        seen.push((now_ms(), policy));
                    }
                }
                // tidy: sleep, between two looks at the agent's data
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        Follower {
            seen,
            is_over,
            thread,
        }
    }

    pub(crate) fn end(self) -> Policies {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        Policies(std::mem::take(&mut self.seen.lock().unwrap()))
    }
}

fn read(database: &rusqlite::Connection, place: &Path) -> Option<Policy> {
    let sql = "SELECT value FROM meta WHERE key = 'policy'";
    let text: String = database.query_row(sql, [], |row| row.get(0)).ok()?;
    let policy: Value = serde_json::from_str(&text).unwrap();
    let products = policy["products"].as_array()?;
    let said = PRODUCTS.each_ref().map(|product| {
        let said = products.iter().find(|said| said["id"] == product.id())?;
        let rules = said["programs"].as_array()?;
        Some(Said {
            is_enforced: said["mode"] == "enforce",
            has_second: rules.contains(&product.rule(place, true).into()),
        })
    });
    let known: Vec<Said> = said.into_iter().flatten().collect();
    known.try_into().ok()
}

/// All that were seen, with when they were seen first.
pub(crate) struct Policies(Vec<(i64, Policy)>);

impl Policies {
    /// One that was never changed: all is enforced.
    pub(crate) fn steady() -> Policies {
        let said = Said {
            is_enforced: true,
            has_second: true,
        };
        Policies(vec![(0, [said; PRODUCTS.len()])])
    }

    pub(crate) fn enforced(&self, product: usize, from_ms: i64, until_ms: i64) -> Was {
        self.was(from_ms, until_ms, |policy| policy[product].is_enforced)
    }

    /// Whether the rule of the second program was there.
    pub(crate) fn second(&self, product: usize, from_ms: i64, until_ms: i64) -> Was {
        self.was(from_ms, until_ms, |policy| policy[product].has_second)
    }

    fn was(&self, from_ms: i64, until_ms: i64, is_so: impl Fn(&Policy) -> bool) -> Was {
        let (from_ms, until_ms) = (from_ms - MARGIN_MS, until_ms + MARGIN_MS);
        let ends = self.0.iter().skip(1).map(|(since, _)| *since);
        let ends = ends.chain([i64::MAX]);
        let then = self.0.iter().zip(ends);
        let mut then = then
            .filter(|((since, _), end)| *since <= until_ms && *end >= from_ms)
            .map(|((_, policy), _)| is_so(policy));
        let Some(first) = then.next() else {
            return Was::Sometimes;
        };
        match (first, then.all(|other| other == first)) {
            (true, true) => Was::Always,
            (false, true) => Was::Never,
            (_, false) => Was::Sometimes,
        }
    }
}
