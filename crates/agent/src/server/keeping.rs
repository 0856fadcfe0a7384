//! Leases of commands whose `usher run` was killed or does not renew them: the agent renews them
//! while a process that keeps them lives, and gives them back when the last has ended.
//!
//! `usher run` renews at a third of the ttl; the agent renews a lease that was not renewed for half
//! of its ttl. A renewal that fails is tried again within a tenth of the ttl, unless the lease has
//! ended. All times are of the clock that also counts while the computer sleeps, as the server's
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use usher_api::client::{Client, ClientError};
use usher_api::{Code, Lease};

use crate::agent::Agent;
use crate::base::{clock, lock};
use crate::store::outbox::OutboxError;
use crate::system::procfs;

/// How many leases are remembered: as many as there may be covers.
const LIMIT: usize = 16_384;
/// How long one renewal may take: others wait for it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// How soon a renewal that failed is tried again: the shortest and the longest pause.
const AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// The longest pause: timers do not count the time that the computer sleeps.
const LOOK_AT_LEAST: Duration = Duration::from_secs(5);

/// When the agent is to renew each lease.
#[derive(Debug, Default)]
pub(crate) struct Keeping {
    leases: Mutex<BTreeMap<String, Due>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    ttl: Duration,
    /// In milliseconds since boot; `None`: the lease has ended.
    at_boot_ms: Option<u64>,
}

impl Keeping {
    /// A lease was granted or renewed through this agent. A lease beyond `LIMIT` is not
    /// remembered, and so is renewed at once.
    pub(crate) fn renewed(&self, lease: &Lease) {
        let ttl = Duration::from_secs(lease.ttl_seconds.max(1).into());
        let at = Some(clock::boot_ms() + milliseconds(ttl / 2));
        self.is_due(&lease.id, ttl, at);
        // Held together, renewed one by one.
        for id in lease.also.iter().filter_map(|also| also.lease.as_ref()) {
            self.is_due(id, ttl, at);
        }
    }

    /// From now on a process keeps a lease.
    pub(crate) fn begins(&self) {
        self.changed.notify_one();
    }

    fn is_due(&self, lease: &str, ttl: Duration, at_boot_ms: Option<u64>) {
        let mut leases = lock(&self.leases);
        if leases.len() < LIMIT || leases.contains_key(lease) {
            leases.insert(lease.to_owned(), Due { ttl, at_boot_ms });
        }
    }

    /// Forgets the due leases that no process keeps. Returns those to be renewed by `now`, and when the
    /// next one is.
    fn due(&self, now: u64, kept: &BTreeSet<String>) -> (Vec<(String, Duration)>, Option<u64>) {
        let mut leases = lock(&self.leases);
        let is_ahead = |due: &Due| due.at_boot_ms.is_some_and(|at| at > now);
        leases.retain(|lease, due| kept.contains(lease) || is_ahead(due));
        let (mut due, mut next) = (Vec::new(), None::<u64>);
        for lease in kept {
            match leases.get(lease) {
                None => due.push((lease.clone(), AGAIN.1)),
                Some(Due {
                    ttl,
                    at_boot_ms: Some(at),
                }) if *at <= now => due.push((lease.clone(), *ttl)),
                Some(Due {
                    at_boot_ms: None, ..
                }) => {}
                Some(Due {
                    at_boot_ms: Some(at),
                    ..
                }) => {
                    next = Some(next.map_or(*at, |next| next.min(*at)));
                }
            }
        }
        (due, next)
    }
}

/// Renews the leases that are due, until told to stop.
pub(crate) async fn run(
    agent: Arc<Mutex<Agent>>,
    client: Client,
    keeping: Arc<Keeping>,
    mut stop: watch::Receiver<bool>,
) {
    let renewing = async {
        loop {
            let kept = match kept(&agent) {
                Ok(kept) => kept,
                Err(error) => {
                    tracing::error!(%error, "the list of kept leases cannot be read");
                    tokio::time::sleep(AGAIN.1).await;
                    continue;
                }
            };
            let now = clock::boot_ms();
            let (due, next) = keeping.due(now, &kept);
            for (lease, ttl) in &due {
                renew(&client, &keeping, lease, *ttl).await;
            }
            if !due.is_empty() {
                // However many there are that cannot be remembered.
                tokio::time::sleep(AGAIN.0).await;
                continue;
            }
            let until = async {
                match next {
                    Some(at) => {
                        let left = Duration::from_millis(at.saturating_sub(now));
                        tokio::time::sleep(left.min(LOOK_AT_LEAST)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = until => {}
                () = keeping.changed.notified() => {}
            }
        }
    };
    tokio::select! {
        () = renewing => {}
        _ = stop.changed() => {}
    }
}

/// The leases that a running process keeps or that a session uses, without the sessions' own, which
/// the exchange renews.
fn kept(agent: &Mutex<Agent>) -> Result<BTreeSet<String>, OutboxError> {
    let agent = lock(agent);
    let covers = agent.outbox().covers()?;
    let keeping = covers
        .into_iter()
        .filter(|cover| cover.keeps && !procfs::is_gone(cover.root));
    let mut kept: BTreeSet<String> = keeping.map(|cover| cover.lease).collect();
    let joined = agent.joined_leases().into_iter();
    kept.extend(joined.map(str::to_owned));
    kept.retain(|lease| agent.lent(lease).is_none());
    Ok(kept)
}

async fn renew(client: &Client, keeping: &Keeping, lease: &str, ttl: Duration) {
    let path = format!("/v1/leases/{lease}/renew");
    let asked = tokio::time::timeout(ANSWERED_WITHIN, client.post_empty::<Lease>(&path));
    match asked.await {
        Ok(Ok(renewed)) => keeping.renewed(&renewed),
        // Its cover ends when covers are looked after.
        Ok(Err(ClientError::Problem(problem))) if problem.is(Code::UnknownLease) => {
            keeping.is_due(lease, ttl, None);
        }
        Ok(Err(_)) | Err(_) => {
            let soon = (ttl / 10).clamp(AGAIN.0, AGAIN.1);
            keeping.is_due(lease, ttl, Some(clock::boot_ms() + milliseconds(soon)));
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(leases: &[&str]) -> BTreeSet<String> {
        leases.iter().map(|lease| (*lease).to_owned()).collect()
    }

    #[test]
    fn what_nobody_renewed_for_half_its_ttl_is_due_and_what_has_ended_never() {
        let keeping = Keeping::default();
        let (begin, ttl, ttl_ms) = (1_000, Duration::from_secs(60), 60_000);
        let kept = set(&["L1"]);
        keeping.is_due("L1", ttl, Some(begin + ttl_ms / 2));
        let (due, next) = keeping.due(begin, &kept);
        assert_eq!((due, next), (vec![], Some(begin + ttl_ms / 2)));
        // It is renewed in time, and then not any more.
        keeping.is_due("L1", ttl, Some(begin + ttl_ms / 3 + ttl_ms / 2));
        assert_eq!(keeping.due(begin + ttl_ms * 2 / 3, &kept).0, []);
        let due = keeping.due(begin + ttl_ms, &kept).0;
        assert_eq!(due, [("L1".to_owned(), ttl)]);
        keeping.is_due("L1", ttl, None);
        assert_eq!(keeping.due(begin + ttl_ms, &kept), (vec![], None));
        // After a start of the agent nothing is known of what is kept.
        let due = keeping.due(begin + ttl_ms, &set(&["L2"])).0;
        assert_eq!(due, [("L2".to_owned(), AGAIN.1)]);
        assert!(lock(&keeping.leases).is_empty(), "nobody keeps it");
    }

    #[test]
    fn what_is_due_is_counted_by_the_clock_that_counts_while_the_computer_sleeps() {
        let keeping = Keeping::default();
        let (kept, before) = (set(&["L1"]), clock::boot_ms());
        let lease = r#"{"id":"L1","product":"cad","user":"u","computer":"c","seats":1,"ttl_seconds":60,
            "granted_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-01T00:01:00Z"}"#;
        keeping.renewed(&serde_json::from_str(lease).unwrap());
        let after = clock::boot_ms();
        let next = keeping.due(before, &kept).1.unwrap();
        assert!((before + 30_000..=after + 30_000).contains(&next), "{next}");
        // The computer was asleep for an hour.
        assert_eq!(keeping.due(after + 3_600_000, &kept).0.len(), 1);
    }
}
